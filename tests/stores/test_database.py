"""The start's checks, leases and blobs, on real servers."""

import asyncio
import logging
import secrets
from collections.abc import AsyncIterator, Iterable
from contextlib import asynccontextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
import pytest_asyncio
from bson import ObjectId
from pymongo import AsyncMongoClient

from benchmark_manager.domain.git_objects import blob_id
from benchmark_manager.errors import LeaseLostError, SourceChangedError, StartError
from benchmark_manager.models.project import Lease, Project, RepositoryAddress, Source, SyncState
from benchmark_manager.stores import blobs as blobs_module
from benchmark_manager.stores import database as database_module
from benchmark_manager.stores import projects as projects_module
from benchmark_manager.stores.blobs import SWEEP_AGE, BlobStore
from benchmark_manager.stores.database import Database, Session
from benchmark_manager.stores.embedded import accepts_connections, free_port
from benchmark_manager.stores.embedded_process import GuardedProcess
from benchmark_manager.stores.projects import LEASE_SECONDS, ProjectStore
from support.mongod import HOST, ReplicaSet, eventually, find_mongod

NOW = datetime(2026, 5, 1, 12, tzinfo=UTC)
REPOSITORY = RepositoryAddress(api_url="https://api.github.com", owner="octo", name="demo")
SOURCE = Source(repository=REPOSITORY, branch=None, config_folder="config", job_folder="job")

needs_mongod = pytest.mark.skipif(find_mongod() is None, reason="there is no mongod on this machine")


# The start


@asynccontextmanager
async def lone_mongod(folder: Path, *options: str) -> AsyncIterator[str]:
    """A mongod which was started by hand; its address."""
    binary, port = find_mongod(), free_port()
    assert binary is not None
    common = ("--bind_ip", HOST, "--port", str(port), "--dbpath", str(folder), "--nounixsocket")
    parameters = ("--wiredTigerCacheSizeGB", "0.25", "--setParameter", "diagnosticDataCollectionEnabled=false")
    process = GuardedProcess([binary, *common, *parameters, *options], folder, "mongod")
    try:

        async def answers() -> bool | None:
            assert not process.exited, process.last_line()
            return await accepts_connections(port) or None

        await eventually(answers, 30, "mongod does not answer")
        yield f"{HOST}:{port}"
    finally:
        await process.end()


@pytest_asyncio.fixture(scope="module", loop_scope="session")
async def guarded(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[str]:
    """A replica set's address; root/right may do anything there, and reader/right may only read."""
    folder = tmp_path_factory.mktemp("guarded")
    key = folder / "key"
    key.write_text(secrets.token_hex(32))
    key.chmod(0o400)
    async with lone_mongod(folder, "--replSet", "guarded", "--keyFile", str(key), "--oplogSize", "64") as address:
        client: AsyncMongoClient[dict[str, Any]] = AsyncMongoClient(
            f"mongodb://{address}/?directConnection=true&serverMonitoringMode=poll"
        )
        async with client:
            members = [{"_id": 0, "host": address}]
            await client.admin.command("replSetInitiate", {"_id": "guarded", "members": members})

            async def primary() -> bool | None:
                return (await client.admin.command("hello"))["isWritablePrimary"] or None

            await eventually(primary, 30, "no primary")
            # The first user may be made from this host without one.
            await client.admin.command("createUser", "root", pwd="right", roles=["root"])
            root: AsyncMongoClient[dict[str, Any]] = AsyncMongoClient(
                f"mongodb://root:right@{address}/?directConnection=true&serverMonitoringMode=poll"
            )
            async with root:
                await root.admin.command("createUser", "reader", pwd="right", roles=[{"role": "read", "db": "app"}])
        yield address


async def start(url: str, *, patience: float = 5.0, kind: type[Database] = Database) -> None:
    database = kind(url, "app", "mongodb")
    try:
        await database.start(patience=patience)
    finally:
        await database.close()


async def complaint(url: str, *, patience: float = 5.0, kind: type[Database] = Database) -> str:
    with pytest.raises(StartError) as refused:
        await start(url, patience=patience, kind=kind)
    assert "\n" not in refused.value.detail
    return refused.value.detail


@needs_mongod
async def test_a_mongod_without_a_replica_set_is_refused_with_the_remedy(tmp_path: Path) -> None:
    async with lone_mongod(tmp_path) as address:
        detail = await complaint(f"mongodb://{address}/?serverMonitoringMode=poll")
    assert "--replSet" in detail
    assert "rs.initiate()" in detail


@needs_mongod
async def test_a_user_with_all_rights_starts_and_one_with_a_wrong_password_does_not(guarded: str) -> None:
    await start(f"mongodb://root:right@{guarded}/?serverMonitoringMode=poll")
    detail = await complaint(f"mongodb://root:hunter2@{guarded}/?serverMonitoringMode=poll")
    assert "does not accept the user or password" in detail
    assert "hunter2" not in detail


@needs_mongod
@pytest.mark.parametrize("user", ["reader:right@", ""])
async def test_a_user_who_may_not_write_is_refused_at_the_start(guarded: str, user: str) -> None:
    detail = await complaint(f"mongodb://{user}{guarded}/?serverMonitoringMode=poll")
    assert "denies access" in detail
    assert "readWrite" in detail


@pytest.mark.parametrize(
    ("version", "accepted"),
    [
        *(("4.4.29", False), ("5.0.30", False), ("5.3.2", False), ("6.0.0", True), ("6.0.5-rc1", True)),
        *(("7.0.0", True), ("8.2.1-1-g0", True), ("10.0.1", True)),
    ],
)
async def test_a_server_older_than_mongodb_6_is_refused(database_url: str, version: str, accepted: bool) -> None:
    class Versioned(Database):
        async def version(self) -> str:
            return version

    if accepted:
        await start(database_url, kind=Versioned)
    else:
        detail = await complaint(database_url, kind=Versioned)
        assert version in detail
        assert "6.0" in detail


async def test_a_server_which_is_not_there_is_waited_for_with_a_message_and_then_told(
    caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(database_module, "_ATTEMPT_SECONDS", 0.5)
    with caplog.at_level(logging.WARNING):
        detail = await complaint(
            f"mongodb://user:hunter2@{HOST}:{free_port()}/?replicaSet=x&serverMonitoringMode=poll", patience=2.0
        )
    assert "did not answer within 2 s" in detail
    assert "hunter2" not in detail + caplog.text
    assert caplog.text.count("waiting for the database") == 1


async def test_an_address_which_is_none_is_told_at_once(tmp_path: Path) -> None:
    (tmp_path / "ca.pem").write_text("no certificate")
    for url in ("mongodb+srv://", f"mongodb://h/?tls=true&tlsCAFile={tmp_path / 'ca.pem'}"):
        with pytest.raises(StartError, match="MONGO_URL cannot be used"):
            Database(url, "app", "mongodb")


@needs_mongod
async def test_a_server_which_comes_later_is_found(tmp_path: Path) -> None:
    async with await ReplicaSet.start(tmp_path) as replica_set:
        await replica_set.kill(0)
        starting = asyncio.create_task(start(f"{replica_set.url}&serverMonitoringMode=poll", patience=30))
        await asyncio.sleep(0.5)
        assert not starting.done()
        await replica_set.restart(0)
        await starting


# Leases


@pytest.fixture(params=["mongod", "embedded"])
def url(request: pytest.FixtureRequest) -> str:
    found: str = request.getfixturevalue("database_url" if request.param == "mongod" else "embedded_database_url")
    return found


@asynccontextmanager
async def connected(url: str) -> AsyncIterator[Database]:
    database = Database(url, "unnamed", "embedded" if "directConnection" in url else "mongodb")
    await database.start()
    yield database
    await database.close()


@pytest_asyncio.fixture(loop_scope="session")
async def database(url: str) -> AsyncIterator[Database]:
    async with connected(url) as database:
        yield database


@pytest.fixture
def projects(database: Database) -> ProjectStore:
    return ProjectStore(database)


async def add(projects: ProjectStore, name: str = "demo", due_at: datetime | None = None) -> str:
    project = Project(
        id=str(ObjectId()),
        name=name,
        source=SOURCE,
        polling_interval=180,
        created_at=NOW,
        updated_at=NOW,
        next_poll_at=due_at,
    )
    await projects.insert(project)
    return project.id


async def take(projects: ProjectStore, project_id: str, owner: str) -> Lease:
    claimed = await projects.claim(project_id, owner)
    assert claimed is not None
    return claimed[1]


async def let_expire(database: Database, project_id: str, seconds: float) -> None:
    """Set the lease's end, seconds from the database's now."""
    until = await database.now() + timedelta(seconds=seconds)
    await database.collection("projects").update_one({"_id": ObjectId(project_id)}, {"$set": {"lease_until": until}})


async def finish(database: Database, projects: ProjectStore, lease: Lease, source: Source = SOURCE) -> None:
    """The transaction of a sync which began with `source`: its outcome, and something else which it writes."""
    begun = Project(
        id=lease.project_id, name="begun", source=source, polling_interval=0, created_at=NOW, updated_at=NOW
    )

    async def work(session: Session) -> None:
        await database.collection("syncs").insert_one({"by": lease.owner}, session=session)
        await projects.finish(lease, begun, SyncState(status="ok"), next_poll_at=NOW, renamed_to=None, session=session)

    await database.transaction(work)


async def test_the_longest_due_project_is_claimed_first_and_none_that_is_not_due(
    database: Database, projects: ProjectStore
) -> None:
    now = await database.now()
    for name, due_in in {"b": -20, "a": -10, "c": -30, "later": 60, "never": None}.items():
        await add(projects, name, None if due_in is None else now + timedelta(seconds=due_in))
    names = []
    while (claimed := await projects.claim_due("replica")) is not None:
        names.append(claimed[0].name)
    assert names == ["c", "b", "a"]


async def test_of_fifty_claims_at_once_over_five_replicas_exactly_one_wins(
    url: str, database: Database, projects: ProjectStore
) -> None:
    project_id = await add(projects, due_at=await database.now())
    async with connected(url) as b, connected(url) as c, connected(url) as d, connected(url) as e:
        stores = [projects, *(ProjectStore(other) for other in (b, c, d, e))]
        by_id = [stores[n % 5].claim(project_id, f"replica {n}") for n in range(25)]
        by_date = [stores[n % 5].claim_due(f"replica {n}") for n in range(25, 50)]
        claims = await asyncio.gather(*by_id, *by_date)
    winners = [claimed for claimed in claims if claimed is not None]
    assert len(winners) == 1
    stored = await projects.get(project_id)
    assert (stored.lease_owner, stored.fence) == (winners[0][1].owner, 1)


async def test_five_replicas_share_many_due_projects_without_claiming_one_twice(
    url: str, database: Database, projects: ProjectStore
) -> None:
    now = await database.now()
    ids = [await add(projects, str(number), now - timedelta(seconds=number)) for number in range(20)]
    claimed: list[str] = []

    async def replica(store: ProjectStore, owner: str) -> None:
        while (found := await store.claim_due(owner)) is not None:
            claimed.append(found[0].id)

    async with connected(url) as second, connected(url) as third:
        stores = (projects, ProjectStore(second), ProjectStore(third))
        await asyncio.gather(*(replica(store, str(number)) for number, store in enumerate(stores)))
    assert sorted(claimed) == sorted(ids)


async def test_a_lease_holds_until_it_runs_out_and_its_successor_has_a_higher_fence(
    database: Database, projects: ProjectStore
) -> None:
    project_id = await add(projects, due_at=await database.now())
    first = await take(projects, project_id, "first")
    await let_expire(database, project_id, 5)
    assert await projects.claim(project_id, "second") is None
    assert await projects.claim_due("second") is None
    await let_expire(database, project_id, -0.001)
    second = await take(projects, project_id, "second")
    assert (first.fence, second.fence) == (1, 2)


async def test_leases_run_by_the_databases_clock_whatever_a_replicas_own_says(
    database: Database, projects: ProjectStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    project_id = await add(projects)

    class Wrong(datetime):
        @classmethod
        def now(cls, tz: Any = None) -> "Wrong":
            return cls(2001, 1, 1, tzinfo=tz)

    monkeypatch.setattr(projects_module, "datetime", Wrong)
    monkeypatch.setattr(database_module, "datetime", Wrong)
    for fence in (1, 2, 3):
        before = await database.now()
        lease = await take(projects, project_id, "replica")
        after = await database.now()
        until = (await projects.get(project_id)).lease_until
        assert until is not None
        assert before <= until - timedelta(seconds=LEASE_SECONDS) <= after
        assert lease.fence == fence
        await let_expire(database, project_id, -0.001)
    assert abs(datetime.now(UTC) - await database.now()) < timedelta(minutes=1)


async def test_a_renewed_lease_lasts_longer_and_a_released_one_is_free_and_as_due_as_before(
    database: Database, projects: ProjectStore
) -> None:
    due_at = (await database.now()) - timedelta(seconds=1)
    project_id = await add(projects, due_at=due_at)
    lease = await take(projects, project_id, "first")
    await let_expire(database, project_id, 1)
    await projects.renew(lease)
    renewed = (await projects.get(project_id)).lease_until
    assert renewed is not None
    assert renewed > await database.now() + timedelta(seconds=LEASE_SECONDS - 10)
    await projects.release(lease)
    claimed = await projects.claim_due("second")
    assert claimed is not None
    assert claimed[0].next_poll_at == due_at


async def test_a_finished_sync_gives_the_lease_back_with_its_result(database: Database, projects: ProjectStore) -> None:
    project_id = await add(projects)
    await finish(database, projects, await take(projects, project_id, "first"))
    stored = await projects.get(project_id)
    assert (stored.state.status, stored.lease_owner, stored.lease_until, stored.next_poll_at) == ("ok", None, None, NOW)
    assert (await take(projects, project_id, "second")).fence == 2


@pytest.mark.parametrize("how", ["taken over", "released and taken", "deleted"])
async def test_a_lost_lease_can_neither_be_renewed_nor_commit_anything_nor_free_its_successors(
    database: Database, projects: ProjectStore, how: str
) -> None:
    project_id = await add(projects)
    lost = await take(projects, project_id, "replica")
    if how == "released and taken":
        await projects.release(lost)
    else:
        await let_expire(database, project_id, -0.001)
    # The same replica's name: only the fence tells the two leases apart.
    await take(projects, project_id, "replica")
    before = await projects.get(project_id)
    if how == "deleted":
        await projects.delete(project_id, None, NOW)
    with pytest.raises(LeaseLostError):
        await projects.renew(lost)
    with pytest.raises(LeaseLostError):
        await finish(database, projects, lost)
    await projects.release(lost)
    assert await database.collection("syncs").count_documents({}) == 0
    if how != "deleted":
        assert await projects.get(project_id) == before


async def test_settings_which_changed_during_a_sync_keep_it_from_committing(
    database: Database, projects: ProjectStore
) -> None:
    project_id = await add(projects)
    lease = await take(projects, project_id, "replica")
    with pytest.raises(SourceChangedError):
        await finish(database, projects, lease, SOURCE.model_copy(update={"version": 0}))
    assert await database.collection("syncs").count_documents({}) == 0
    assert (await projects.get(project_id)).lease_owner == "replica"


# Blobs

KEY = REPOSITORY.key
OTHER = "https://api.github.com/repos/octo/other"


@pytest.fixture
def blobs(database: Database) -> BlobStore:
    return BlobStore(database)


def some(count: int, size: int = 20) -> list[bytes]:
    return [f"{number:08}".encode().ljust(size, b".") for number in range(count)]


async def stored_ids(database: Database) -> set[str]:
    return {row["_id"] async for row in database.collection("blobs").find({}, {"_id": 1})}


async def test_blobs_come_back_as_they_went_in(blobs: BlobStore) -> None:
    contents = [b"", b"\x00\xff\xfe", b"\xef\xbb\xbfa: 1\r\n", bytes(range(256)) * 4000, "é🚀".encode()]
    ids = await blobs.put(contents, KEY, NOW)
    assert ids == [blob_id(content) for content in contents]
    assert [await blobs.get(sha) for sha in ids] == contents
    assert await blobs.get_many([*ids, *ids, "f" * 40]) == dict(zip(ids, contents, strict=True))
    with pytest.raises(KeyError):
        await blobs.get("f" * 40)


async def test_the_same_content_is_stored_once_however_often_it_is_put(database: Database, blobs: BlobStore) -> None:
    a, b, c = some(3)
    assert await blobs.put([a, b, a, a], KEY, NOW) == [blob_id(x) for x in (a, b, a, a)]
    assert await blobs.put([b, c, a, c], OTHER, NOW) == [blob_id(x) for x in (b, c, a, c)]
    assert await blobs.put([], KEY, NOW) == []
    assert await stored_ids(database) == {blob_id(x) for x in (a, b, c)}
    assert [await blobs.get(blob_id(x)) for x in (a, b, c)] == [a, b, c]


async def test_many_megabytes_are_put_in_batches_which_the_server_takes(
    database: Database, blobs: BlobStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    batches = []
    insert = BlobStore._insert

    async def counting(self: BlobStore, batch: dict[str, bytes], key: str | None, now: datetime) -> None:
        batches.append(sum(map(len, batch.values())))
        await insert(self, batch, key, now)

    monkeypatch.setattr(BlobStore, "_insert", counting)
    contents = [*some(12, 900_000), *(b"x" * size for size in (6_000_000, 1, 15_728_640))]
    ids = await blobs.put(contents, KEY, NOW)
    assert await stored_ids(database) == set(ids)
    assert [size for size in batches if size > blobs_module._BATCH_BYTES] == [6_000_000, 15_728_641 - 1]
    assert (sum(batches), len(batches)) == (sum(map(len, contents)), 6)


async def test_a_thousand_small_blobs_are_one_batch(blobs: BlobStore) -> None:
    contents = some(2500)
    await blobs.put(contents, KEY, NOW)
    assert [len(batch) for batch in blobs_module._batches(dict.fromkeys(map(blob_id, contents), b""))] == [
        1000,
        1000,
        500,
    ]
    assert await blobs.known(map(blob_id, contents), KEY, NOW) == set(map(blob_id, contents))


async def test_a_blob_is_known_only_to_the_repositories_which_gave_it(blobs: BlobStore) -> None:
    mine, ours, typed = some(3)
    await blobs.put([mine, ours], KEY, NOW)
    await blobs.put([ours], OTHER, NOW)
    await blobs.put([typed], None, NOW)
    ids = [blob_id(x) for x in (mine, ours, typed, b"nobody's")]
    assert await blobs.known(ids, KEY, NOW) == {ids[0], ids[1]}
    assert await blobs.known(ids, OTHER, NOW) == {ids[1]}
    # What a person typed becomes a repository's when it gives the very same bytes.
    await blobs.put([typed], OTHER, NOW)
    assert await blobs.known(ids, OTHER, NOW) == {ids[1], ids[2]}


async def refer(database: Database, collection: str, field: str, sha: str) -> None:
    # Unique indexes want a path of its own for each.
    await database.collection(collection).insert_one({field: sha, "project_id": ObjectId(), "path": sha})


#: Just over the age at which a sweep takes what it marked.
AGE = SWEEP_AGE + timedelta(milliseconds=1)


async def put_and_mark(blobs: BlobStore, contents: list[bytes]) -> None:
    """Store contents which a sweep at NOW would take, unless something refers to them or touches them."""
    await blobs.put(contents, KEY, NOW - 2 * AGE)
    assert await blobs.sweep(NOW - AGE) == 0


async def test_a_sweep_takes_old_blobs_that_nothing_refers_to_and_no_others(
    database: Database, blobs: BlobStore
) -> None:
    contents = some(6)
    in_files, content, base, fresh, touched, unused = ids = [blob_id(x) for x in contents]
    await put_and_mark(blobs, contents)
    await refer(database, "files", "sha", in_files)
    await refer(database, "modified_files", "content_sha", content)
    await refer(database, "modified_files", "base_sha", base)
    await blobs.put([contents[3]], None, NOW)
    assert await blobs.known([touched], KEY, NOW) == {touched}
    assert await blobs.sweep(NOW) == 1
    assert await stored_ids(database) == set(ids) - {unused}
    assert await blobs.sweep(NOW + AGE) == 0
    assert await blobs.sweep(NOW + 2 * AGE) == 2
    assert await stored_ids(database) == {in_files, content, base}
    assert fresh not in await stored_ids(database)


async def test_a_blob_stays_a_whole_day_after_it_was_put_and_another_after_it_was_found_unreferred(
    database: Database, blobs: BlobStore
) -> None:
    await blobs.put(some(1), KEY, NOW)
    for now in (NOW + SWEEP_AGE, NOW + AGE, NOW + AGE + SWEEP_AGE):
        assert await blobs.sweep(now) == 0
    assert await blobs.sweep(NOW + 2 * AGE) == 1
    assert await stored_ids(database) == set()


async def test_the_day_begins_anew_when_something_refers_to_a_blob_for_a_while(
    database: Database, blobs: BlobStore
) -> None:
    sha = blob_id(some(1)[0])
    await put_and_mark(blobs, some(1))
    await refer(database, "files", "sha", sha)
    assert await blobs.sweep(NOW) == 0
    await database.collection("files").delete_many({})
    assert await blobs.sweep(NOW + AGE) == 0
    assert await blobs.sweep(NOW + AGE + SWEEP_AGE) == 0
    assert await blobs.sweep(NOW + 2 * AGE) == 1


async def test_what_is_put_or_known_while_a_sweep_runs_is_there_afterwards(
    database: Database, blobs: BlobStore
) -> None:
    contents = some(300)
    ids = [blob_id(content) for content in contents]

    async def put(some_contents: Iterable[bytes]) -> None:
        for content in some_contents:
            await blobs.put([content], OTHER, NOW)

    for _ in range(2):
        await database.collection("blobs").delete_many({})
        await put_and_mark(blobs, contents)
        known, _, swept = await asyncio.gather(
            blobs.known(ids[:150], KEY, NOW), put(reversed(contents[150:200])), blobs.sweep(NOW)
        )
        kept = await stored_ids(database)
        assert known | set(ids[150:200]) <= kept
        assert not kept & set(ids[200:])
        assert swept >= 100
        assert await blobs.get_many(ids[150:200]) == dict(zip(ids[150:200], contents[150:200], strict=True))


async def test_a_put_between_a_sweeps_look_and_its_deletion_saves_the_blob(
    blobs: BlobStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    content, sha = some(1)[0], blob_id(some(1)[0])
    await put_and_mark(blobs, [content])
    look = blobs._referred

    async def look_and_be_late(ids: list[str]) -> set[str]:
        found = await look(ids)
        await blobs.put([content], KEY, NOW)
        return found

    monkeypatch.setattr(blobs, "_referred", look_and_be_late)
    assert await blobs.sweep(NOW) == 0
    assert await blobs.get(sha) == content
