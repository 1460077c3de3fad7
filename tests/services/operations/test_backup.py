"""Backups of a database under load, restored whole into an empty one of either kind, or not."""

import asyncio
import gzip
import io
from collections.abc import AsyncIterator
from datetime import UTC, datetime
from pathlib import Path

import bson
import pytest
import pytest_asyncio
from pydantic import SecretStr
from pymongo import AsyncMongoClient, MongoClient

from benchmark_manager.domain.releases.derived import with_replacements
from benchmark_manager.errors import BackupError, StartError
from benchmark_manager.factory import Externals, ServiceLimits
from benchmark_manager.messages import detail
from benchmark_manager.models.release import CellMaking, ReleaseFile
from benchmark_manager.models.result import ParsedResult, StoredResult
from benchmark_manager.stores.access.accounts import AccountStore
from benchmark_manager.stores.access.api_tokens import ApiTokenStore
from benchmark_manager.stores.access.audit import AuditStore
from benchmark_manager.stores.access.federation_rules import FederationRuleStore
from benchmark_manager.stores.access.grants import GrantStore
from benchmark_manager.stores.access.sessions import SessionStore
from benchmark_manager.stores.access.setup_links import SetupLinkStore
from benchmark_manager.stores.access.sign_in_attempts import SignInAttemptStore
from benchmark_manager.stores.database.database import Database, Session
from benchmark_manager.stores.database.meta import SCHEMA
from benchmark_manager.stores.operations.backup_file import BackupReader
from benchmark_manager.stores.releases.releases import ReleaseStore
from benchmark_manager.stores.results.chunks import CHUNK_BYTES, ResultChunkStore
from benchmark_manager.stores.results.results import ResultStore
from github_test_server import GitHubTestServer
from support.access import (
    NOW,
    a_grant,
    a_record,
    a_rule,
    a_session,
    a_token,
    an_account,
    an_id,
)
from support.backups import (
    Backup,
    documents,
    no_report,
    opened,
    restored,
    service_of,
    small_backup,
    taken,
)
from support.cells import cell_of, draft, made_by_sweep
from support.changing_project import changing_project, saved_number
from support.reused_database import lent_database, reused_database
from support.service import Json, Service, running_service


@pytest.fixture(params=["from mongod", "from embedded"])
def urls(
    request: pytest.FixtureRequest, database_url: str, embedded_database_url: str
) -> tuple[str, str]:
    """Two empty databases, one of each kind."""
    there = (database_url, embedded_database_url)
    return there if request.param == "from mongod" else (there[1], there[0])


@pytest.fixture
async def source(
    urls: tuple[str, str], github: GitHubTestServer, tmp_path: Path
) -> AsyncIterator[Service]:
    async with running_service(urls[0], github, tmp_path) as service:
        yield service


async def test_a_backup_taken_under_load_is_one_moment_and_goes_into_the_other_kind(
    urls: tuple[str, str], source: Service, github: GitHubTestServer, tmp_path: Path
) -> None:
    """Saves and the digests of releases are kept; a sync is kept whole or not at all."""
    project = await changing_project(source)
    release = await source.post(f"{project.path}/releases", {"name": "first"}, 201)
    async with project.changing():
        before = dict(project.saved)
        data = await taken(urls[0])
    summary = await restored(data, urls[1])
    assert summary.header.schema == SCHEMA
    async with running_service(urls[1], github, tmp_path) as target:
        files = await target.rows(f"{project.path}/files", include="content")
        assert len({row["content"] for row in files}) == 1, "the database holds half a sync"
        await _assert_saves_are_of_one_moment(target, before, project.saved)
        releases = await target.rows(f"{project.path}/releases")
        assert [row["digest"] for row in releases] == [release["digest"]]
        archive = f"/releases/{release['digest']}/archive?format=tar.gz"
        assert (await target.http.get(archive)).content == (await source.http.get(archive)).content
        # And it goes on: the sync that the backup was taken in is made up for.
        await target.sync(project.id)
        stats = (await target.get(project.path))["stats"]
        assert stats == (await source.get(project.path))["stats"] | {
            "modified_files_by_drift": stats["modified_files_by_drift"]
        }


async def _assert_saves_are_of_one_moment(
    target: Service, before: dict[str, int], after: dict[str, int]
) -> None:
    """Each variant is as saved between these moments, and its revisions are of the same one."""
    variants = {file_id: await target.get(f"/modified-files/{file_id}") for file_id in before}
    numbers = {file_id: saved_number(row) for file_id, row in variants.items()}
    assert [key for key, n in numbers.items() if not before[key] <= n <= after[key]] == []
    revisions = {
        file_id: await target.get(f"/modified-files/{file_id}/revisions/{row['revision']}")
        for file_id, row in variants.items()
    }
    assert {file_id: row["content_sha256"] for file_id, row in revisions.items()} == {
        file_id: row["content_sha256"] for file_id, row in variants.items()
    }


@pytest_asyncio.fixture(scope="module", loop_scope="session")
async def backup(mongod: str, tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Backup]:
    with GitHubTestServer() as github:
        async with reused_database(mongod) as url:
            result = await a_stored_result(url)
            async with running_service(url, github, tmp_path_factory.mktemp("backup")) as service:
                cell, cell_files = await _fill(service)
            yield Backup(await taken(url), await documents(url), cell, cell_files, result)


async def _fill(service: Service) -> tuple[CellMaking, list[ReleaseFile]]:
    """Make a project with a variant, a release, and a cell of it."""
    files = {"config/a.yaml": b"a: 1\n", "config/b.yaml": b"b: 1\n", "job/b.yaml": b"b: 2\n"}
    service.repository("acme/b", files)
    project = await service.synced("acme/b")
    file = (await service.files(project["id"]))["config/a.yaml"]
    await service.variant(project["id"], file, content="a: 2\n")
    made = await service.post(
        f"/projects/{project['id']}/releases", {"name": "one", "pinned": True}, 201
    )
    store = ReleaseStore(service.services.database)
    base = await store.files(await store.find(made["digest"], None))
    swap = {"sha": base[1].sha, "sha256": base[1].sha256, "sweep_id": "s", "assignments": {}}
    one = cell_of(base, "s", [base[0].model_copy(update=swap)])
    await made_by_sweep(store, service.services.database, draft(project["id"]), base, [one])
    return one, with_replacements(base, one.replacements)


async def test_everything_that_is_stored_comes_back_to_the_byte(
    backup: Backup, embedded_database_url: str
) -> None:
    await restored(backup.data, embedded_database_url)
    passing = {"start_check", "sync_progress", "github_limits", "replicas", "meta"}
    there, here = backup.documents, await documents(embedded_database_url)
    assert here.keys() - passing == there.keys() - passing
    kept = here.keys() - passing
    # As bytes: equal documents may have their fields in another order.
    assert {name: [bson.encode(row) for row in here[name]] for name in kept} == {
        name: [bson.encode(row) for row in there[name]] for name in kept
    }
    assert here["meta"] == [{"_id": "schema", "version": SCHEMA}]


async def test_accounts_tokens_and_the_audit_are_in_a_backup_and_sessions_are_not(
    urls: tuple[str, str],
) -> None:
    account = an_account("Kim", "admin")
    async with lent_database(urls[0]) as database:
        await AccountStore(database).insert(account, SecretStr("hash of a password"))
        await GrantStore(database).put(a_grant(an_id(), account))
        await ApiTokenStore(database).insert(a_token(account), "hash of a token")
        await FederationRuleStore(database).insert(a_rule())
        await AuditStore(database).insert([a_record()])
        await SessionStore(database).insert(a_session(account), "hash of a session")
        await SignInAttemptStore(database).begin("kim", "::1", NOW)
        await SetupLinkStore(database).insert("hash of a link", NOW)
    await restored(await taken(urls[0]), urls[1])
    there, here = await documents(urls[0]), await documents(urls[1])
    kept = {"accounts", "grants", "api_tokens", "federation_rules", "audit"}
    assert there.keys() - here.keys() == {"sessions", "sign_in_attempts", "setup_links"}
    assert {name: here[name] for name in kept} == {name: there[name] for name in kept}


async def a_stored_result(url: str) -> StoredResult:
    """Store a result of two parts, past any service."""
    data = b"x" * (CHUNK_BYTES + 1)
    async with lent_database(url) as database:
        result = StoredResult(
            id=an_id(),
            project_id=an_id(),
            release=f"sha256:{0:064x}",
            file_name="a.json",
            size=len(data),
            sha256=await ResultChunkStore(database).put(data, NOW),
            created_at=NOW,
            created_by="kim",
        )

        async def work(session: Session) -> None:
            await ResultStore(database).insert(result, ParsedResult(), 1, session)

        await database.transaction(work)
    return result


async def test_what_is_written_while_a_backup_is_taken_is_not_in_it(urls: tuple[str, str]) -> None:
    await a_stored_result(urls[0])
    progress: list[int] = []

    def write_later(_what: str, done: int, _total: int | None) -> None:
        if not progress:
            # Syncs are read after results.
            with MongoClient[Json](urls[0]) as client:
                client.get_default_database()["syncs"].insert_one({"_id": "later"})
        progress.append(done)

    target = io.BytesIO()
    async with opened(urls[0], "backup") as database:
        await service_of(database).take(target, write_later)
    await restored(target.getvalue(), urls[1])
    there, here = await documents(urls[0]), await documents(urls[1])
    assert (there["syncs"], here["results"]) == ([{"_id": "later"}], there["results"])
    assert "syncs" not in here


async def test_results_are_restored_with_their_bytes(urls: tuple[str, str]) -> None:
    await a_stored_result(urls[0])
    await restored(await taken(urls[0]), urls[1])
    there, here = await documents(urls[0]), await documents(urls[1])
    kept = ("results", "parsed_results", "result_chunks")
    assert {name: here[name] for name in kept} == {name: there[name] for name in kept}


@pytest.mark.parametrize("data", [None, b"y"], ids=["missing", "changed"])
async def test_a_result_without_its_bytes_is_damage(
    backup: Backup, embedded_database_url: str, data: bytes | None
) -> None:
    def change(row: Json) -> Json | None:
        if row["_id"] != f"{backup.result.sha256}/1":
            return row
        return None if data is None else {**row, "data": data}

    with pytest.raises(BackupError) as damage:
        await restored(backup.changed("result_chunks", change), embedded_database_url)
    assert (damage.value.code, damage.value.facts["id"]) == ("backup_damaged", backup.result.id)


@pytest.mark.parametrize(
    "externals", [Externals(limits=ServiceLimits(release_files=1))], ids=["in steps"]
)
async def test_half_of_a_large_release_that_is_being_made_again_is_no_damage(
    service: Service, database_url: str, embedded_database_url: str
) -> None:
    service.repository(
        "acme/b",
        {"config/a.yaml": b"a: 1\n", "config/b.yaml": b"b: 1\n", "config/c.yaml": b"c: 1\n"},
    )
    project = await service.synced("acme/b")
    made = await service.post(f"/projects/{project['id']}/releases", {}, 201)
    store = ReleaseStore(service.services.database, files_at_once=1)
    files = await store.files(await store.find(made["digest"], None))
    await store.stage(made["digest"], "of another commit", files[:2], NOW)
    summary = await restored(await taken(database_url), embedded_database_url)
    assert summary.counts["releases"] == 1


async def test_cells_are_restored_with_the_files_that_they_share(
    backup: Backup, embedded_database_url: str
) -> None:
    await restored(backup.data, embedded_database_url)
    async with lent_database(embedded_database_url) as database:
        store = ReleaseStore(database)
        assert await store.files(await store.find(backup.cell.digest, None)) == backup.cell_files


@pytest.mark.parametrize(
    ("collection", "field", "value", "what"),
    [
        ("release_files", "path", "config/b.yaml", "release_files"),
        ("release_files", "sha", "0" * 40, "release"),
        ("base_lists", "provenance", "another", "release"),
    ],
)
async def test_a_cell_that_is_not_what_was_released_is_damage(
    backup: Backup, embedded_database_url: str, collection: str, field: str, value: str, what: str
) -> None:
    def change(row: Json) -> Json:
        if collection == "base_lists":
            return {**row, field: value}
        if row.get("base") == backup.cell.base_provenance:
            row["files"][0][field] = value
        return row

    with pytest.raises(BackupError, match=rf"backup_damaged.*{what}"):
        await restored(backup.changed(collection, change), embedded_database_url)


async def test_a_restore_may_be_killed_and_called_again(
    backup: Backup, embedded_database_url: str, github: GitHubTestServer, tmp_path: Path
) -> None:
    """Until it has ended no service starts, and no other backup goes in between."""
    cut = io.BytesIO(backup.data[: len(backup.data) * 2 // 3])
    async with opened(embedded_database_url, "restore") as database:
        with pytest.raises(BackupError, match="cut"):
            await service_of(database).restore(cut, no_report)
        with pytest.raises(BackupError) as caught:
            await service_of(database).restore(io.BytesIO(small_backup()), no_report)
    assert caught.value.code == "restore_of_another"
    with pytest.raises(StartError, match="restore FILE again"):
        async with running_service(embedded_database_url, github, tmp_path, opens_database=True):
            pass
    await restored(backup.data, embedded_database_url)
    async with running_service(
        embedded_database_url, github, tmp_path, opens_database=True
    ) as service:
        [project] = await service.rows("/projects")
        assert project["name"] == "acme/b"


async def test_a_database_which_holds_something_is_never_touched(
    backup: Backup, embedded_service: Service, embedded_database_url: str
) -> None:
    await embedded_service.project("acme/other")
    before = await documents(embedded_database_url)
    with pytest.raises(BackupError) as caught:
        await restored(backup.data, embedded_database_url)
    assert caught.value.code == "database_not_empty"
    assert "never overwrites" in detail(caught.value)
    assert await documents(embedded_database_url) == before


async def test_nothing_is_restored_beside_a_service_that_runs(
    backup: Backup, embedded_database_url: str
) -> None:
    """It would sync and sweep what is not whole yet. One that died long ago is no obstacle."""
    async with AsyncMongoClient[Json](embedded_database_url, serverMonitoringMode="poll") as client:
        replicas = client.get_default_database()["replicas"]
        await replicas.insert_many([{"_id": "dead", "beats": 5}, {"_id": "alive", "beats": 1}])
        restoring = asyncio.create_task(restored(backup.data, embedded_database_url))
        while not restoring.done():
            await replicas.update_one({"_id": "alive"}, {"$inc": {"beats": 1}})
            await asyncio.sleep(0.05)
        with pytest.raises(BackupError) as caught:
            await restoring
        assert caught.value.code == "database_in_use"
        assert (await documents(embedded_database_url)).keys() == {"replicas"}


def _wrong_blob() -> bytes:
    row = {"_id": "3f786850e387550fdab836ed7e6dc881de23001b", "data": b"b\n"}
    return small_backup(("blobs", [bson.encode(row)]))


WHOLE = small_backup(
    ("projects", [bson.encode({"_id": number, "name": "x" * number}) for number in range(50)])
)
UNPACKED = gzip.decompress(WHOLE)


@pytest_asyncio.fixture(scope="module", loop_scope="session")
async def unwritten(mongod: str) -> AsyncIterator[Database]:
    """An empty database for tests that write nothing into it."""
    async with reused_database(mongod) as url, lent_database(url) as database:
        yield database


@pytest.mark.parametrize(
    "data",
    [
        pytest.param(b"", id="empty"),
        pytest.param(b"no backup at all", id="something else"),
        pytest.param(gzip.compress(bson.encode({"format": "another"})), id="another format"),
        pytest.param(small_backup(schema="two"), id="a schema that is no number"),
        pytest.param(WHOLE[:30], id="cut in the header"),
        pytest.param(WHOLE[: len(WHOLE) // 2], id="cut in the middle"),
        pytest.param(WHOLE[:-9], id="cut before the last bytes"),
        pytest.param(
            gzip.compress(UNPACKED[: UNPACKED.rindex(b"\x08end") - 4]), id="without its trailer"
        ),
        pytest.param(
            gzip.compress(UNPACKED.replace(b"xxx\x00", b"xyx\x00", 1)), id="one byte changed"
        ),
        pytest.param(gzip.compress(UNPACKED + b"more"), id="something behind its end"),
        pytest.param(gzip.compress(b"\xff\xff\xff\x7f" + UNPACKED), id="an impossible length"),
        pytest.param(_wrong_blob(), id="a content under another id"),
        pytest.param(
            small_backup(("system.users", [bson.encode({"_id": 1})])),
            id="a collection of the server",
        ),
    ],
)
async def test_a_damaged_file_is_refused_before_anything_is_written(
    data: bytes, unwritten: Database
) -> None:
    with pytest.raises(BackupError) as caught:
        await service_of(unwritten).check(io.BytesIO(data), no_report)
    assert caught.value.code == "backup_damaged"
    assert "\n" not in detail(caught.value)


async def test_a_backup_of_a_newer_schema_is_refused(unwritten: Database) -> None:
    with pytest.raises(BackupError, match="backup_newer") as caught:
        await service_of(unwritten).check(io.BytesIO(small_backup(schema=SCHEMA + 1)), no_report)
    assert caught.value.code == "backup_newer"


async def test_what_expires_as_soon_as_it_is_restored_is_no_damage(database_url: str) -> None:
    """MongoDB deletes deliveries that are older than a day, at a moment of its own choice."""
    data = small_backup(
        (
            "webhook_deliveries",
            # New enough that the test alone deletes it.
            [bson.encode({"_id": "a", "created_at": datetime.now(UTC)})],
        )
    )
    restored: list[str] = []

    def expire(_what: str, _done: int, _total: int | None) -> None:
        with MongoClient[Json](database_url) as client:
            deliveries = client.get_default_database()["webhook_deliveries"]
            restored.extend(row["_id"] for row in deliveries.find())
            deliveries.delete_many({})

    async with lent_database(database_url) as database:
        await service_of(database).restore(io.BytesIO(data), expire)
    assert restored == ["a"]


def test_a_whole_backup_reads_the_same() -> None:
    reader = BackupReader(io.BytesIO(WHOLE))
    rows = [row for _, batch in reader.sections() for row in batch]
    assert [bson.decode(row)["_id"] for row in rows] == list(range(50))
    assert reader.counts == {"projects": 50}
