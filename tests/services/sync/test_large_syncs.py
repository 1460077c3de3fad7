"""Syncs too large for one transaction, on both databases: with fewer files, smaller steps."""

import asyncio
from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta

import pytest
import pytest_asyncio
from pydantic import SecretStr

from benchmark_manager.domain.sync.tree_changes import StoredFile, TreeChanges, UpstreamFile
from benchmark_manager.errors import LeaseLostError
from benchmark_manager.factory import Externals, ServiceLimits
from benchmark_manager.models.problem import StoredVerdict
from benchmark_manager.stores.contents.blobs import BlobStore
from benchmark_manager.stores.database.database import Session
from benchmark_manager.stores.originals.skipped import SkippedFileStore
from benchmark_manager.stores.sync.staged_changes import (
    Chunk,
    Publication,
    PublishedReset,
    StagedChangeStore,
    StepSizes,
)
from github_test_server import Entry, GitHubTestServer
from github_test_server.faults import Status
from support.replacements import beside
from support.reused_database import reused_database
from support.service import Json, Service, running_service
from support.unchanged_service import unchanged_service
from support.waiting import GENEROUS

#: Files of one repository: more than one transaction, and more than one step, here takes.
MANY = 20
VARIANTS = 7


@pytest_asyncio.fixture(scope="module", loop_scope="session")
async def stepping(
    either_server: str, tmp_path_factory: pytest.TempPathFactory
) -> AsyncIterator[Service]:
    """A service with transactions of few files."""
    externals = Externals(limits=ServiceLimits(steps=StepSizes(at_once=6, chunk=3)))
    folder = tmp_path_factory.mktemp("stepping")
    with GitHubTestServer() as github:
        # Without a token, GitHub allows 60 requests an hour.
        github.hosting.add_token("of-the-module")
        async with (
            reused_database(either_server) as url,
            running_service(
                url,
                github,
                folder,
                externals=externals,
                github_token=SecretStr("of-the-module"),
            ) as service,
        ):
            yield service


@pytest_asyncio.fixture(scope="module", loop_scope="session")
async def small(stepping: Service) -> str:
    """The id of a synced project of one file."""
    stepping.repository("acme/small", {"config/a.yaml": b"a: 1\n"})
    project = await stepping.synced("acme/small")
    return str(project["id"])


@pytest_asyncio.fixture(scope="module", loop_scope="session")
async def large(stepping: Service) -> str:
    """The id of a synced project of many files."""
    stepping.repository("acme/large", contents("first"))
    project = await stepping.synced("acme/large")
    return str(project["id"])


@pytest.fixture
async def either(stepping: Service) -> AsyncIterator[Service]:
    """The same, put back as it was behind each test."""
    async with unchanged_service(stepping) as service:
        yield service


def contents(word: str, numbers: range = range(MANY)) -> dict[str, bytes | Entry]:
    return {f"config/{n:03}.yaml": f"{word}: {n}\n".encode() for n in numbers}


async def shas(service: Service, project: str, **params: str) -> dict[str, str]:
    return {path: row["sha"] for path, row in (await service.files(project, **params)).items()}


async def test_every_kind_of_change_arrives_as_in_one_transaction(
    either: Service, large: str
) -> None:
    """Added, updated, removed, renamed and come back; ids stay where variants need them."""
    repository = either.github.hosting["acme/large"].repository
    before = await either.files(large)
    assert len(before) == MANY
    kept = await either.variant(large, before["config/000.yaml"], modified_name="kept.yaml")
    moving = await either.variant(large, before["config/010.yaml"], modified_name="moving.yaml")
    changed: dict[str, bytes | Entry | None] = {
        **dict.fromkeys(contents("gone", range(5))),
        **contents("second", range(5, 10)),
        **dict.fromkeys(contents("moved", range(10, 15))),
        **{f"config/b/{n:03}.yaml": f"first: {n}\n".encode() for n in range(10, 15)},
        **contents("new", range(100, 105)),
    }
    repository.commit(changed, message="much")
    sync = await either.sync(large)
    counts = {
        name: sync[name]
        for name in ("added", "updated", "removed", "renamed", "unchanged", "synced_files")
    }
    assert counts == {
        "added": 5,
        "updated": 5,
        "removed": 5,
        "renamed": 5,
        "unchanged": 5,
        "synced_files": MANY,
    }
    assert sync["modified_files_by_drift"]["upstream_removed"] == 1
    after = await either.files(large)
    assert len(after) == MANY
    assert after["config/b/010.yaml"]["id"] == before["config/010.yaml"]["id"]
    assert (await either.get(f"/modified-files/{moving['id']}"))["path"] == "config/b/moving.yaml"
    removed = await either.files(large, include_removed="true")
    assert len(removed) == MANY + 1, "one is kept for its variant"
    repository.commit(dict(contents("back", range(10))), message="back")
    sync = await either.sync(large)
    assert (sync["added"], sync["updated"]) == (5, 5)
    assert (await either.files(large))["config/000.yaml"]["id"] == before["config/000.yaml"]["id"]
    assert (await either.get(f"/modified-files/{kept['id']}"))["drift"] in {"behind", "conflict"}
    assert (await either.sync(large))["status"] == "unchanged"


async def test_readers_see_the_old_state_or_the_new_one(either: Service, large: str) -> None:
    repository = either.github.hosting["acme/large"].repository
    old = await shas(either, large)
    repository.commit(dict(contents("second")), message="all")
    syncing = asyncio.create_task(either.sync(large))
    seen: list[dict[str, str]] = []
    while not syncing.done():
        seen.append(await shas(either, large))
        released = await either.get(f"/projects/{large}/effective")
        seen.append({file["path"]: file["original_sha"] for file in released["files"]})
    await syncing
    new = await shas(either, large)
    assert [state for state in seen if state not in (old, new)] == []
    assert set(old.values()).isdisjoint(new.values())


async def test_files_of_another_repository_are_all_seen_anew(either: Service) -> None:
    either.repository("acme/one", contents("same"))
    either.repository("acme/two", {**contents("same"), "README.md": b"another commit\n"})
    project = (await either.synced("acme/one"))["id"]
    await either.put(f"/projects/{project}", {"github_repo_url": "acme/two"})
    sync = await either.sync(project)
    assert sync["unchanged"] == MANY
    assert {row["commit_sha"] for row in (await either.files(project)).values()} == {
        sync["commit_sha"]
    }


async def test_any_number_of_skipped_files_is_listed(either: Service) -> None:
    links = {f"config/{n:03}.yaml": Entry.symlink("elsewhere") for n in range(MANY)}
    repository = either.repository("acme/links", {**links, "config/a.yaml": b"a: 1\n"})
    project = (await either.project("acme/links"))["id"]
    sync = await either.sync(project)
    assert [file["path"] for file in sync["skipped"]] == sorted(links)
    assert sync["message"].endswith(f"{MANY} skipped.")
    repository.commit({"config/000.yaml": None, "config/001.yaml": b"b: 1\n"}, message="two less")
    sync = await either.sync(project)
    assert len(sync["skipped"]) == MANY - 2
    assert (await either.sync(project))["skipped"] == sync["skipped"]


async def test_any_number_of_variants_follows_one_original(either: Service, small: str) -> None:
    repository = either.github.hosting["acme/small"].repository
    original = (await either.files(small))["config/a.yaml"]
    for n in range(VARIANTS):
        await either.variant(small, original, modified_name=f"v{n}.yaml")
    repository.commit({"config/a.yaml": b"a: 2\n"}, message="moved on")
    sync = await either.sync(small)
    assert sync["modified_files_by_drift"]["behind"] == VARIANTS
    assert len(await either.rows(f"/projects/{small}/modified-files", drift="behind")) == VARIANTS


async def published(
    service: Service, project: str, file: Json, word: bytes
) -> tuple[UpstreamFile, Publication]:
    """As a process leaves it that dies between publishing its changes and applying them.

    One file has another text.
    """
    database, now = service.services.database, datetime.now(UTC) - timedelta(hours=1)
    [sha] = await BlobStore(database).put([word], None, now)
    new = UpstreamFile(file["path"], sha, len(word), "config", "yaml")
    old = StoredFile(file["id"], file["path"], file["sha"], "config")
    changes = TreeChanges((), (), ((old, new),), (), (), 0)
    staged = StagedChangeStore(database)
    publication = Publication(project, 1, "c" * 40, now, same_history=True, now=now)
    await staged.stage(
        project, 1, [Chunk(changes, {file["path"]: StoredVerdict("valid", None, 0, 0)})]
    )
    await database.transaction(lambda session: staged.publish(publication, session))
    return new, publication


async def test_a_reset_of_any_number_of_variants_is_seen_whole_and_can_be_undone(
    either: Service,
    small: str,
) -> None:
    original = (await either.files(small))["config/a.yaml"]
    names = {f"v{n:02}.yaml" for n in range(VARIANTS)}
    for name in sorted(names):
        await either.variant(small, original, modified_name=name)
    path = f"/projects/{small}/modified-files"
    resetting = asyncio.create_task(either.http.delete(path))
    seen = set()
    while not resetting.done():
        seen.add(len(await either.rows(path)))
    reset = (await resetting).json()
    assert reset["deleted_count"] == VARIANTS
    assert seen <= {0, VARIANTS}
    assert await either.rows(path) == []
    assert {row["modified_name"] for row in await either.rows(f"/projects/{small}/trash")} == names
    await either.post(f"/projects/{small}/undo-reset", {"reset_id": reset["reset_id"]}, 200)
    assert {row["modified_name"] for row in await either.rows(path)} == names


async def test_a_reset_that_a_dead_process_published_is_finished_by_another(
    either: Service,
    small: str,
) -> None:
    original = (await either.files(small))["config/a.yaml"]
    await either.variant(small, original, modified_name="v.yaml")
    database, now = either.services.database, datetime.now(UTC) - timedelta(hours=1)
    reset = PublishedReset(small, "65f0c0ffee65f0c0ffee65f0", now, "ada")
    staged = StagedChangeStore(database)
    await database.transaction(lambda session: staged.publish_reset(reset, session))
    listing = asyncio.create_task(either.rows(f"/projects/{small}/modified-files"))
    assert not (await asyncio.wait({listing}, timeout=0.3))[0]
    await either.services.large_syncs.finish_forgotten()
    assert await listing == []
    assert [row["deleted_by"] for row in await either.rows(f"/projects/{small}/trash")] == ["ada"]


async def test_what_a_dead_process_published_is_finished_by_another(
    either: Service, small: str
) -> None:
    file = (await either.files(small))["config/a.yaml"]
    new, _ = await published(either, small, file, b"a: 2\n")
    reading = asyncio.create_task(either.files(small))
    making = asyncio.create_task(either.variant(small, file, modified_name="v.yaml"))
    counting = asyncio.create_task(either.get(f"/projects/{small}"))
    done, _ = await asyncio.wait({reading, making, counting}, timeout=0.5)
    assert not done, "all wait for what was published"
    await either.services.large_syncs.finish_forgotten()
    assert (await counting)["stats"]["original_files"] == 1
    assert (await reading)["config/a.yaml"]["sha"] == new.sha
    assert (await making)["drift"] == "behind"


async def test_a_variant_made_while_changes_are_published_learns_of_them(
    either: Service, small: str
) -> None:
    """Its transaction began before, and could not see them."""
    file = (await either.files(small))["config/a.yaml"]
    variant = await either.variant(small, file, modified_name="v.yaml")
    await published(either, small, file, b"a: 2\n")
    await either.services.large_syncs.finish(small)
    assert (await either.get(f"/modified-files/{variant['id']}"))["drift"] == "behind"


async def test_the_next_sync_goes_on_from_what_was_published(either: Service, small: str) -> None:
    repository = either.github.hosting["acme/small"].repository
    file = (await either.files(small))["config/a.yaml"]
    await published(either, small, file, b"a: 2\n")
    repository.commit({"config/a.yaml": b"a: 2\n"}, message="the same")
    sync = await either.sync(small)
    assert (sync["status"], sync["updated"], sync["unchanged"]) == ("unchanged", 0, 1)
    assert await either.raw(small, file["id"]) == b"a: 2\n"


async def test_a_sync_that_was_published_and_not_recorded_is_due_again(
    either: Service, small: str
) -> None:
    project = await either.get(f"/projects/{small}")
    assert project["next_poll_at"] is None, "nothing polls it"
    file = (await either.files(project["id"]))["config/a.yaml"]
    await published(either, project["id"], file, b"a: 2\n")
    await either.services.polling.run_due()
    await either.sync(project["id"])
    history = await either.rows(f"/projects/{project['id']}/syncs")
    assert [sync["updated"] for sync in history if sync["trigger"] == "poll"] == [1]
    assert (await either.get(f"/projects/{project['id']}"))["next_poll_at"] is None


@pytest.mark.parametrize("failures", [0, 1])
async def test_upstream_that_went_back_takes_back_what_was_published(
    either: Service, small: str, failures: int
) -> None:
    """The last recorded commit is upstream again, but the stored files are of another one."""
    file = (await either.files(small))["config/a.yaml"]
    await published(either, small, file, b"a: 2\n")
    await either.services.large_syncs.finish_forgotten()
    assert await either.raw(small, file["id"]) == b"a: 2\n"
    if failures:
        handle = either.github.faults.add(Status(403), times=None)
        await either.sync(small, 422)
        either.github.faults.remove(handle)
    sync = await either.sync(small)
    assert (sync["status"], sync["updated"]) == ("success", 1)
    assert await either.raw(small, file["id"]) == b"a: 1\n"
    assert (await either.sync(small))["status"] == "unchanged"


async def test_a_process_that_comes_too_late_writes_over_no_later_sync(
    either: Service,
    small: str,
) -> None:
    """It paused after reading what was published, and others have applied that meanwhile."""
    before = (await either.files(small))["config/a.yaml"]
    late = Publication(
        small, 1, "c" * 40, datetime.now(UTC), same_history=False, now=datetime.now(UTC)
    )

    class LatePublication(StagedChangeStore):
        async def publication(self, _project_id: str) -> Publication:
            return late

    staged = LatePublication(either.services.database)
    await beside(either, staged_changes=staged).large_syncs.finish(small)
    assert (await either.files(small))["config/a.yaml"] == before


async def test_a_clock_that_is_ahead_does_not_delay_a_process_that_takes_over(
    service: Service,
) -> None:
    service.repository("acme/large", {"config/a.yaml": b"a: 1\n"})
    project = (await service.synced("acme/large"))["id"]
    database = service.services.database
    now = await database.now()
    ahead = now + timedelta(hours=1)
    staged = StagedChangeStore(database)
    publication = Publication(project, 1, "c" * 40, ahead, same_history=True, now=ahead)
    await database.transaction(lambda session: staged.publish(publication, session))
    assert await staged.forgotten(now + timedelta(seconds=30)) == [project]
    await service.services.polling.run_due()
    await service.sync(project)
    assert len(await service.rows(f"/projects/{project}/syncs", trigger="poll")) == 1


async def test_chunks_of_a_deleted_project_are_not_applied(either: Service, small: str) -> None:
    file = (await either.files(small))["config/a.yaml"]
    _, publication = await published(either, small, file, b"a: 2\n")
    await either.services.database.collection("publications").delete_many({})
    found = iter([publication])

    class PublicationReadBefore(StagedChangeStore):
        async def publication(self, _project_id: str) -> Publication | PublishedReset | None:
            return next(found, None)

    staged = PublicationReadBefore(either.services.database)
    async with asyncio.timeout(GENEROUS):
        await beside(either, staged_changes=staged).large_syncs.finish(small)
    assert await either.raw(small, file["id"]) == b"a: 1\n"


async def test_a_sync_that_lost_its_lease_writes_nothing_of_what_it_skipped(
    either: Service,
) -> None:
    either.repository("acme/links", {"config/a.yaml": Entry.symlink("elsewhere")})
    project = (await either.project("acme/links"))["id"]
    await either.sync(project)
    files = SkippedFileStore(either.services.database)
    before = await files.of_project(project)
    assert list(before) == ["config/a.yaml"]

    async def lost(_: Session) -> None:
        raise LeaseLostError

    with pytest.raises(LeaseLostError):
        await files.replace_many(project, before, {}, lost)
    assert await files.of_project(project) == before


@pytest.mark.parametrize("kind", ["files", "modified-files"])
async def test_no_reader_waits_for_what_was_published_of_a_deleted_project(
    either: Service, small: str, kind: str
) -> None:
    await published(either, small, (await either.files(small))["config/a.yaml"], b"a: 2\n")
    await either.http.delete(f"/projects/{small}")
    assert (await either.http.get(f"/projects/{small}/{kind}")).status_code == 404


@pytest.mark.parametrize(
    "externals",
    [Externals(limits=ServiceLimits(steps=StepSizes(at_once=100, chunk=50)))],
    ids=["in steps"],
)
async def test_files_with_a_hundred_problems_each_are_synced(service: Service) -> None:
    """More files than the store of problems takes at once.

    For problems that are too many for one transaction, and for the embedded database, see the long
    tests.
    """
    files = 220
    odd = "".join(f"odd_{n}: {{}}:{n % 60:02}\n" for n in range(100))
    service.repository(
        "acme/odd",
        {f"config/{n:04}.yaml": odd.replace("{}", str(n + 1)).encode() for n in range(files)},
    )
    project = (await service.project("acme/odd"))["id"]
    sync = await service.sync(project)
    assert (sync["status"], sync["added"]) == ("success", files)
    [first, *_] = await service.get(f"/projects/{project}/files", limit=2)
    assert len(first["problems"]) == 100  # type: ignore[index]
    assert (await service.sync(project))["status"] == "unchanged"
