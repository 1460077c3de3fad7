"""The trash: deleted variants and resets can be undone, as long as nothing is lost by it."""

import asyncio
from datetime import datetime, timedelta
from pathlib import Path

import httpx2 as httpx
import pytest
import pytest_asyncio
from bson import ObjectId

from benchmark_manager.factory import Externals
from benchmark_manager.workers.pool import WorkerPool
from github_test_server import GitHubTestServer, Repository
from support.clocks import Clock
from support.document_counts import document_counts
from support.problems import assert_problem, fields_at_fault
from support.service import Json, Service, running_service

UNKNOWN = "65f0c0ffee65f0c0ffee65f0"
DAY = timedelta(days=1)


@pytest.fixture(scope="module")
def repository(module_service: Service, files: dict[str, bytes]) -> Repository:
    return module_service.repository("acme/bench", files)


@pytest_asyncio.fixture(scope="module", loop_scope="session")
async def project(module_service: Service, repository: Repository) -> Json:
    assert repository.branches()
    return await module_service.synced("acme/bench")


@pytest_asyncio.fixture(scope="module", loop_scope="session")
async def original(module_service: Service, project: Json) -> Json:
    return (await module_service.files(project["id"]))["config/a.yaml"]


@pytest.fixture
async def variant(service: Service, original: Json) -> Json:
    return await service.variant(
        original["project_id"], original, modified_name="v.yaml", content="mine: 1\n"
    )


def address(variant: Json) -> str:
    return f"/modified-files/{variant['id']}"


async def delete(service: Service, variant: Json, who: str = "ada") -> None:
    answer = await service.http.delete(address(variant), headers={"X-Actor": who})
    assert answer.status_code == 204


async def reset(service: Service, project: Json) -> Json:
    answer = await service.http.delete(
        f"/projects/{project['id']}/modified-files", headers={"X-Actor": "ada"}
    )
    assert answer.status_code == 200
    found: Json = answer.json()
    return found


async def undo(service: Service, project: Json, done: Json) -> Json:
    return await service.post(
        f"/projects/{project['id']}/undo-reset", {"reset_id": done["reset_id"]}, 200
    )


async def trash(service: Service, project: Json) -> list[Json]:
    return await service.rows(f"/projects/{project['id']}/trash")


async def test_a_deleted_variant_is_in_the_trash_as_it_was(
    service: Service, project: Json, variant: Json
) -> None:
    await delete(service, variant)
    [row] = await trash(service, project)
    known = {name: value for name, value in variant.items() if name != "content"}
    assert row.keys() == known.keys() | {"deleted_at", "deleted_by", "reset_id", "restorable_until"}
    assert row.items() >= {**known, "deleted_by": "ada", "reset_id": None}.items()
    times = [datetime.fromisoformat(row[name]) for name in ("restorable_until", "deleted_at")]
    assert times[0] - times[1] == 30 * DAY
    assert (await service.get("/status"))["total_modified_files"] == 0
    assert await service.rows(f"/projects/{project['id']}/modified-files") == []


async def test_an_undeleted_variant_is_there_again_with_all_its_revisions(
    service: Service, project: Json, variant: Json
) -> None:
    await service.put(address(variant), {"description": "x"})
    await delete(service, variant)
    answer = await service.http.post(f"{address(variant)}/undelete", headers={"X-Actor": "eve"})
    assert answer.status_code == 200
    back = answer.json()
    assert (
        back.items()
        >= {"id": variant["id"], "content": "mine: 1\n", "revision": 4, "updated_by": "eve"}.items()
    )
    assert back == await service.get(address(variant))
    rows = await service.rows(f"{address(variant)}/revisions")
    assert [(row["number"], row["what"], row["created_by"]) for row in rows] == [
        (4, "restored", "eve"),
        (3, "deleted", "ada"),
        (2, "edited", "anonymous"),
        (1, "created", "anonymous"),
    ]
    assert await trash(service, project) == []
    assert_problem(
        await service.http.post(f"{address(variant)}/undelete"), 404, "modified_file_not_found"
    )


async def test_a_name_is_free_once_its_variant_is_deleted(
    service: Service, original: Json, variant: Json
) -> None:
    await delete(service, variant)
    second = await service.variant(original["project_id"], original, modified_name="v.yaml")
    path = f"{address(variant)}/undelete"
    assert_problem(await service.http.post(path), 409, "name_taken")
    assert [row["id"] for row in await trash(service, {"id": original["project_id"]})] == [
        variant["id"]
    ]
    back = await service.post(path, {"modified_name": "w.yaml"}, 200)
    assert (back["path"], back["content"]) == ("config/w.yaml", "mine: 1\n")
    assert await service.get(address(second)) == second


@pytest.mark.parametrize("body", [None, {}, {"modified_name": None}], ids=str)
async def test_an_undeletion_needs_no_body(
    service: Service, variant: Json, body: Json | None
) -> None:
    await delete(service, variant)
    undeleted = await service.post(f"{address(variant)}/undelete", body, 200)
    assert undeleted["modified_name"] == "v.yaml"


async def test_a_stale_deletion_deletes_nothing(
    service: Service, project: Json, variant: Json
) -> None:
    seen = {"If-Match": (await service.http.get(address(variant))).headers["etag"]}
    await service.put(address(variant), {"description": "x"})
    answer = await service.http.delete(address(variant), headers=seen)
    assert assert_problem(answer, 412, "stale")["current_revision"] == 2
    await delete(service, variant)
    await service.post(f"{address(variant)}/undelete", None, 200)
    answer = await service.http.put(address(variant), json={"description": "y"}, headers=seen)
    assert assert_problem(answer, 412, "stale")["current_revision"] == 4
    assert await trash(service, project) == []


async def test_an_undeleted_variant_is_in_the_folder_of_its_original(
    service: Service, repository: Repository, project: Json, variant: Json
) -> None:
    await delete(service, variant)
    repository.commit(
        {"config/a.yaml": None, "config/moved/b.yaml": b"model: llama\n"}, message="moved"
    )
    await service.sync(project["id"])
    back = await service.post(f"{address(variant)}/undelete", None, 200)
    assert (back["path"], back["original_path"], back["drift"]) == (
        "config/moved/v.yaml",
        "config/moved/b.yaml",
        "current",
    )
    await delete(service, variant)
    repository.commit(
        {"config/moved/b.yaml": None, "job/b.yaml": b"model: llama\n"}, message="another type"
    )
    await service.sync(project["id"])
    back = await service.post(f"{address(variant)}/undelete", None, 200)
    assert (back["path"], back["file_type"], back["drift"]) == ("job/v.yaml", "job", "current")
    await delete(service, variant)
    repository.commit({"job/b.yaml": b"model: other\n"}, message="changed")
    await service.sync(project["id"])
    back = await service.post(f"{address(variant)}/undelete", None, 200)
    assert back["drift"] in {"behind", "conflict"}


async def test_a_variant_can_be_undeleted_though_its_original_was_removed(
    service: Service, repository: Repository, project: Json, original: Json, variant: Json
) -> None:
    """Deleted variants keep their originals, however and in whatever order they are deleted."""
    second = await service.variant(project["id"], original, modified_name="w.yaml")
    await delete(service, variant)
    done = await reset(service, project)
    repository.commit({"config/a.yaml": None}, message="gone")
    await service.sync(project["id"])
    assert "config/a.yaml" in await service.files(project["id"], include_removed=True)
    assert (await service.post(f"{address(variant)}/undelete", None, 200))[
        "drift"
    ] == "upstream_removed"
    assert (await undo(service, project, done))["restored"] == [second["id"]]
    assert (await service.get(address(second)))["drift"] == "upstream_removed"


async def test_an_undone_reset_restores_what_it_deleted_and_nothing_else(
    service: Service,
) -> None:
    service.repository("acme/five", {f"config/{n}.yaml": b"n: %d\n" % n for n in range(5)})
    project = await service.synced("acme/five")
    originals = list((await service.files(project["id"])).values())
    alone = await service.variant(project["id"], originals[0], modified_name="alone.yaml")
    await delete(service, alone)
    made = [
        await service.variant(project["id"], each, content=f"mine: {n}\n")
        for n, each in enumerate(originals)
    ]
    done = await reset(service, project)
    assert (done["deleted_count"], len(done["reset_id"])) == (5, 24)
    rows = await trash(service, project)
    assert [row["reset_id"] for row in rows] == [done["reset_id"]] * 5 + [None]
    assert {row["deleted_by"] for row in rows} == {"ada"}
    undone = await undo(service, project, done)
    assert undone == {"restored_count": 5, "restored": [each["id"] for each in made], "left": []}
    restored = [await service.get(address(each)) for each in made]
    assert restored == [
        {**each, "revision": 3, "updated_at": back["updated_at"]}
        for each, back in zip(made, restored, strict=True)
    ]
    assert [row["id"] for row in await trash(service, project)] == [alone["id"]]
    assert await undo(service, project, done) == {"restored_count": 0, "restored": [], "left": []}


async def test_a_reset_is_undone_by_judging_each_variant_once(
    service: Service, project: Json, original: Json, repository: Repository, workers: WorkerPool
) -> None:
    for n in range(10):
        await service.variant(
            project["id"], original, modified_name=f"{n}.yaml", content=f"mine: {n}\n"
        )
    done = await reset(service, project)
    repository.commit({"config/a.yaml": b"upstream: 1\n"})
    await service.sync(project["id"])
    before = workers.figures.answered
    assert (await undo(service, project, done))["restored_count"] == 10
    assert workers.figures.answered - before == 10
    rows = await service.rows(f"/projects/{project['id']}/modified-files")
    assert {row["drift"] for row in rows} == {"behind"}


async def test_a_variant_whose_name_was_taken_stays_in_the_trash_and_is_reported(
    service: Service, project: Json, original: Json
) -> None:
    made = [
        await service.variant(project["id"], original, modified_name=f"{n}.yaml") for n in range(3)
    ]
    done = await reset(service, project)
    taker = await service.variant(project["id"], original, modified_name="1.yaml")
    undone = await undo(service, project, done)
    assert undone["restored"] == [made[0]["id"], made[2]["id"]]
    [left] = undone["left"]
    assert (left["id"], left["path"], left["code"]) == (
        made[1]["id"],
        "config/1.yaml",
        "name_taken",
    )
    assert left["detail"].endswith(".")
    assert [row["id"] for row in await trash(service, project)] == [made[1]["id"]]
    await delete(service, taker)
    assert (await undo(service, project, done))["restored"] == [made[1]["id"]]


async def test_originals_which_moved_together_give_no_two_variants_one_path(
    service: Service, files: dict[str, bytes]
) -> None:
    repository = service.repository(
        "acme/two", {"config/x/a.yaml": b"a: 1\n", "config/y/b.yaml": b"b: 1\n", **files}
    )
    project = await service.synced("acme/two")
    originals = await service.files(project["id"])
    for path in ("config/x/a.yaml", "config/y/b.yaml"):
        await service.variant(project["id"], originals[path], modified_name="v.yaml")
    done = await reset(service, project)
    repository.commit(
        {
            "config/x": None,
            "config/y": None,
            "config/z/a.yaml": b"a: 1\n",
            "config/z/b.yaml": b"b: 1\n",
        },
        message="z",
    )
    await service.sync(project["id"])
    undone = await undo(service, project, done)
    assert (undone["restored_count"], [row["path"] for row in undone["left"]]) == (
        1,
        ["config/z/v.yaml"],
    )


async def test_a_reset_of_a_project_without_variants_cannot_be_undone(
    service: Service, project: Json
) -> None:
    assert await reset(service, project) == {"deleted_count": 0, "reset_id": None}


async def test_undoing_at_once_restores_each_variant_once(either: Service) -> None:
    either.repository("acme/bench", {"config/a.yaml": b"a: 1\n"})
    project = await either.synced("acme/bench")
    original = (await either.files(project["id"]))["config/a.yaml"]
    made = [
        await either.variant(project["id"], original, modified_name=f"{n}.yaml") for n in range(6)
    ]
    done = await reset(either, project)
    tries = [either.http.post(f"{address(made[0])}/undelete") for _ in range(3)]
    answers = await asyncio.gather(*(undo(either, project, done) for _ in range(3)), *tries)
    restored = [key for answer in answers if isinstance(answer, dict) for key in answer["restored"]]
    restored += [
        a.json()["id"] for a in answers if isinstance(a, httpx.Response) and a.status_code == 200
    ]
    assert sorted(restored) == sorted(each["id"] for each in made)
    histories = [await either.rows(f"{address(each)}/revisions") for each in made]
    kinds = [[row["what"] for row in rows] for rows in histories]
    assert kinds == [["restored", "deleted", "created"]] * 6


async def test_pages_of_the_trash_hold_each_once_newest_first(
    service: Service, project: Json, original: Json
) -> None:
    made = [
        await service.variant(project["id"], original, modified_name=f"{n}.yaml") for n in range(7)
    ]
    for each in made[:3]:
        await delete(service, each)
    await reset(service, project)
    rows = await service.rows(f"/projects/{project['id']}/trash", limit=2)
    assert [row["id"] for row in rows[4:]] == [each["id"] for each in reversed(made[:3])]
    assert {row["id"] for row in rows[:4]} == {each["id"] for each in made[3:]}
    answer = await service.http.get(f"/projects/{project['id']}/trash", params={"limit": 2})
    assert answer.headers["x-total-count"] == "7"
    answer = await service.http.get(f"/projects/{project['id']}/trash", params={"cursor": "x"})
    assert fields_at_fault(answer, "invalid_cursor") == {"cursor"}


async def test_the_trash_of_a_deleted_project_is_gone(
    service: Service, project: Json, variant: Json
) -> None:
    await delete(service, variant)
    await service.http.delete(f"/projects/{project['id']}")
    assert_problem(
        await service.http.post(f"{address(variant)}/undelete"), 404, "modified_file_not_found"
    )
    assert_problem(
        await service.http.get(f"/projects/{project['id']}/trash"), 404, "project_not_found"
    )
    answer = await service.http.post(
        f"/projects/{project['id']}/undo-reset", json={"reset_id": UNKNOWN}
    )
    assert_problem(answer, 404, "project_not_found")
    await service.services.housekeeping.run()
    names = ("trash", "trash_bundles", "revisions", "resets")
    assert await document_counts(service, *names) == dict.fromkeys(names, 0)


async def test_the_trash_is_emptied_when_its_time_is_over(
    database_url: str, github: GitHubTestServer, tmp_path: Path
) -> None:
    """With revisions, unused originals and, after a sweep, contents; restored ones stay whole."""
    clock = Clock()
    async with running_service(
        database_url, github, tmp_path, externals=Externals(clock=clock), trash_retention_days=7
    ) as service:
        repository = service.repository(
            "acme/bench", {"config/a.yaml": b"a: 1\n", "config/b.yaml": b"b: 1\n"}
        )
        project = await service.synced("acme/bench")
        a, b = (await service.files(project["id"])).values()
        gone = await service.variant(project["id"], a, content="gone: 1\n")
        kept = await service.variant(project["id"], b, content="kept: 1\n")
        done = await reset(service, project)
        repository.commit(
            {"config/a.yaml": None, "config/b.yaml": None, "config/c.yaml": b"c: 1\n"}, message="c"
        )
        await service.sync(project["id"])
        await service.put(address(kept), {}, 404)
        await service.post(f"{address(kept)}/undelete", None, 200)
        await service.put(address(kept), {"content": "kept: 2\n"})
        left = []
        for days in (6, 2, 2, 2):
            clock.forward(days=days)
            await service.services.housekeeping.run()
            left.append(len(await trash(service, project)))
        assert left == [1, 0, 0, 0]
        assert (await service.files(project["id"], include_removed=True)).keys() == {
            "config/b.yaml",
            "config/c.yaml",
        }
        assert_problem(
            await service.http.post(f"{address(gone)}/undelete"), 404, "modified_file_not_found"
        )
        answer = await service.http.post(
            f"/projects/{project['id']}/undo-reset", json={"reset_id": done["reset_id"]}
        )
        assert_problem(answer, 404, "reset_not_found")
        database = service.services.database
        assert await database.collection("revisions").distinct("modified_file_id") == [
            ObjectId(kept["id"])
        ]
        assert (await service.get(f"{address(kept)}/revisions/1"))["content"] == "kept: 1\n"
        contents = {bytes(row["data"]) async for row in database.collection("blobs").find({})}
        assert contents == {b"b: 1\n", b"c: 1\n", b"kept: 1\n", b"kept: 2\n"}
