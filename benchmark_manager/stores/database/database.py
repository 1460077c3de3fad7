"""The connection: one client for every store, checked at start, with transactions and the server's clock."""

import asyncio
import time
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any, Final, Literal, TypeVar

import pymongo
import structlog
from bson import ObjectId
from bson.codec_options import CodecOptions
from bson.errors import InvalidId
from pymongo import ASCENDING, DESCENDING, AsyncMongoClient, IndexModel
from pymongo.asynchronous.change_stream import AsyncDatabaseChangeStream
from pymongo.asynchronous.client_session import AsyncClientSession
from pymongo.asynchronous.collection import AsyncCollection
from pymongo.errors import (
    ConfigurationError,
    ConnectionFailure,
    OperationFailure,
    PyMongoError,
    ServerSelectionTimeoutError,
)
from pymongo.read_concern import ReadConcern
from pymongo.write_concern import WriteConcern

from benchmark_manager.errors import NotFoundError, StartError, StorageError
from benchmark_manager.stores.database.diagnosis import diagnose
from benchmark_manager.stores.database.failures import failure_of
from benchmark_manager.stores.embedded.progress import Sample
from benchmark_manager.version import __version__

if TYPE_CHECKING:
    from pymongo.asynchronous.database import AsyncDatabase

Document = dict[str, Any]
Session = AsyncClientSession
Collection = AsyncCollection[Document]
DatabaseKind = Literal["embedded", "mongodb"]
#: What a database is opened for.
Purpose = Literal["serve", "backup", "restore"]

T = TypeVar("T")

_log = structlog.get_logger(__name__)

#: The form of documents that 0.1.0 wrote, which recorded no version.
FIRST_SCHEMA: Final = 1
#: The form of documents that this code writes; `stores.migrations` leads to it.
SCHEMA: Final = 2

#: MongoDB 6.0 is the oldest version which the tests run against.
_OLDEST: Final = (6, 0)
START_SECONDS: Final = 30.0
_ATTEMPT_SECONDS: Final = 5.0
_BETWEEN_ATTEMPTS: Final = 0.5
#: A database that is away must not hold up the end of the service.
_CLOSE_SECONDS: Final = 0.5
#: `$in` takes time by the square of its length on the embedded server.
IN_AT_MOST: Final = 100
_IN_AT_MOST_OF_MONGODB: Final = 1000
#: Rows that a long list reads at once: while they are decoded, nobody else is served.
ROWS_AT_ONCE: Final = 250
_AUTHENTICATION_FAILED: Final = 18
#: Of a burst of changes, others get their turn behind these.
_CHANGES_AT_ONCE: Final = 500
#: An acknowledged write survives the loss of any minority of members, and a crash of all.
_DURABLE: Final = WriteConcern("majority", j=True)
#: What a URL may say otherwise; milliseconds.
_CLIENT_OPTIONS: Final[Mapping[str, Any]] = {
    "serverSelectionTimeoutMS": 10_000,
    "connectTimeoutMS": 5_000,
    "appName": "benchmark-manager",
}
#: A webhook's delivery is remembered this long, seconds.
REMEMBERED_SECONDS: Final = 86_400
#: A collection or an index is younger than the moment that is read.
_SNAPSHOT_UNAVAILABLE: Final = 246
#: Which part of a read a row belongs to.
_PART: Final = "part_of_read"
#: Rows in one answer: as many as fit.
_ALL_ROWS: Final = 10_000
_UNAUTHORIZED: Final = {13, _AUTHENTICATION_FAILED, 8000}

_INDEXES: Final[Mapping[str, list[IndexModel]]] = {
    "projects": [
        IndexModel([("name_key", ASCENDING)], unique=True),
        IndexModel([("due_rank", ASCENDING), ("next_poll_at", ASCENDING)]),
        IndexModel([("next_poll_at", ASCENDING), ("credential", ASCENDING)]),
        IndexModel([("repository_key", ASCENDING)]),
        IndexModel([("lease_owner", ASCENDING)]),
    ],
    "files": [
        # `removed_at` is null for files in place, so that each path is there once.
        IndexModel(
            [("project_id", ASCENDING), ("path", ASCENDING), ("removed_at", ASCENDING)], unique=True
        ),
        # The order of lists.
        IndexModel(
            [
                ("project_id", ASCENDING),
                ("removed_at", ASCENDING),
                ("path", ASCENDING),
                ("_id", ASCENDING),
            ]
        ),
        IndexModel([("sha", ASCENDING)]),
        IndexModel([("problems_id", ASCENDING)], sparse=True),
    ],
    "skipped_files": [IndexModel([("project_id", ASCENDING), ("path", ASCENDING)], unique=True)],
    "modified_files": [
        # The order of lists.
        IndexModel([("project_id", ASCENDING), ("path", ASCENDING)], unique=True),
        # The same of those with one drift, and how many there are.
        IndexModel([("project_id", ASCENDING), ("drift", ASCENDING), ("path", ASCENDING)]),
        IndexModel([("original_file_id", ASCENDING)]),
        IndexModel([("content_sha", ASCENDING)]),
        IndexModel([("base_sha", ASCENDING)]),
        IndexModel([("problems_id", ASCENDING)], sparse=True),
    ],
    "revisions": [
        # The order of lists; each number is there once.
        IndexModel([("modified_file_id", ASCENDING), ("place", DESCENDING)], unique=True),
        IndexModel([("project_id", ASCENDING)]),
        IndexModel([("content_sha", ASCENDING)]),
        IndexModel([("base_sha", ASCENDING)]),
    ],
    "trash": [
        # The order of lists.
        IndexModel([("project_id", ASCENDING), ("deleted_at", DESCENDING), ("_id", DESCENDING)]),
        IndexModel([("deleted_at", ASCENDING)]),
        IndexModel([("problems_id", ASCENDING)], sparse=True),
    ],
    "trash_bundles": [IndexModel([("project_id", ASCENDING)])],
    "resets": [IndexModel([("project_id", ASCENDING)]), IndexModel([("deleted_at", ASCENDING)])],
    "syncs": [
        # The order of lists; with what they are filtered by, so that only what is shown is read.
        IndexModel(
            [
                *(("project_id", ASCENDING), ("started_at", DESCENDING), ("_id", DESCENDING)),
                *(("status", ASCENDING), ("trigger", ASCENDING)),
            ]
        ),
        IndexModel([("project_id", ASCENDING), ("fence", ASCENDING)]),
        IndexModel([("finished_at", ASCENDING)]),
    ],
    "releases": [
        IndexModel([("digest", ASCENDING)], unique=True),
        # The order of lists.
        IndexModel([("project_ids", ASCENDING), ("created_at", DESCENDING), ("_id", DESCENDING)]),
    ],
    "release_makings": [IndexModel([("digest", ASCENDING), ("number", ASCENDING)], unique=True)],
    "release_files": [
        IndexModel(
            [("digest", ASCENDING), ("provenance", ASCENDING), ("number", ASCENDING)], unique=True
        ),
        IndexModel([("touched_at", ASCENDING)], sparse=True),
    ],
    "file_histories": [
        IndexModel([("project_id", ASCENDING)]),
        IndexModel([("kept_at", ASCENDING)]),
    ],
    "blobs": [IndexModel([("touched_at", ASCENDING)])],
    "problems": [IndexModel([("touched_at", ASCENDING)])],
    "staged_changes": [
        IndexModel([("project_id", ASCENDING), ("fence", ASCENDING), ("number", ASCENDING)])
    ],
    "publications": [IndexModel([("project_id", ASCENDING)])],
    "webhook_deliveries": [
        IndexModel([("created_at", ASCENDING)], expireAfterSeconds=REMEMBERED_SECONDS)
    ],
}


#: What the embedded server does without, by collection: each index makes inserting there half as
#: long again as without any. It sorts what it finds itself, and only sweeps ask by the others: they
#: read whole collections then.
_OF_MONGODB_ALONE: Final[Mapping[str, frozenset[str]]] = {
    "files": frozenset({"project_id_1_removed_at_1_path_1__id_1", "sha_1", "problems_id_1"}),
    "blobs": frozenset({"touched_at_1"}),
    "problems": frozenset({"touched_at_1"}),
}


class PendingError(Exception):
    """A transaction found that it has to wait for something outside of it, and be repeated then."""

    def __init__(self, wait: Callable[[], Awaitable[None]]) -> None:
        super().__init__("something is pending")
        self.wait: Final = wait


class _NoServerError(Exception):
    """No server was found within the driver's patience: the driver would go on repeating the transaction for 120 s."""

    def __init__(self, reason: ServerSelectionTimeoutError) -> None:
        super().__init__(str(reason))
        self.reason = reason


@dataclass(frozen=True, slots=True)
class Part:
    """What one part of a read takes: the documents that a pipeline makes of a collection."""

    collection: str
    pipeline: list[Document]


class Database:
    """MongoDB, or the embedded server which speaks its protocol."""

    def __init__(
        self,
        url: str,
        default_name: str,
        kind: DatabaseKind,
        *,
        ensure_room: Callable[[], Awaitable[None]] | None = None,
        sample: Callable[[], Sample | None] = lambda: None,
    ) -> None:
        """`ensure_room` raises a StorageError before a write which the disk has no room for.

        `sample` says whether the server's process works; it returns None where that is not known.
        """
        self.kind: DatabaseKind = kind
        #: Of values in one `$in`.
        self.in_at_most: Final = IN_AT_MOST if kind == "embedded" else _IN_AT_MOST_OF_MONGODB
        self._ensure_room = ensure_room
        #: Many claims at once slow the embedded server down by two orders of magnitude.
        self.claim_lock = asyncio.Lock()
        self.sample: Final = sample
        #: Called with a session's id before it begins a transaction that writes.
        self.before_transaction: Callable[[Mapping[str, Any]], Awaitable[None]] | None = None
        self._url = url
        try:
            self._client = self.new_client()
            self._db: AsyncDatabase[Document] = self._client.get_default_database(
                default_name,
                codec_options=CodecOptions(tz_aware=True, tzinfo=UTC),
                write_concern=_DURABLE,
                read_concern=ReadConcern("majority"),
            )
        except (PyMongoError, ValueError, OSError) as error:
            # OSError: a file of certificates which is not there, or holds none.
            raise StartError(f"MONGO_URL cannot be used: {type(error).__name__}.") from None

    @property
    def name(self) -> str:
        return self._db.name

    def new_client(self, **options: Any) -> AsyncMongoClient[Document]:  # noqa: ANN401 -- PyMongo's
        """Another client of the same database; what the URL says goes before `options`."""
        own = {**_CLIENT_OPTIONS, **options}
        return AsyncMongoClient(
            self._url,
            **{name: value for name, value in own.items() if name.lower() not in self._url.lower()},
        )

    def collection(self, name: str) -> Collection:
        return self._db[name]

    async def close(self) -> None:
        # The driver ends its sessions at the server, and looks for one as long as for any other
        # command.
        with pymongo.timeout(_CLOSE_SECONDS):
            await self._client.close()

    async def ensure_room(self) -> None:
        """Pass when the disk has room for a write.

        Raises:
            StorageError: `disk_full`.
        """
        if self._ensure_room is not None:
            await self._ensure_room()

    async def failure(self, error: Exception) -> StorageError:
        """What a failure is called; `error` is one of `failures.DATABASE_ERRORS`.

        The embedded server does not say why it failed; where its disk is full, that is why.
        """
        try:
            await self.ensure_room()
        except StorageError as full:
            return full
        return failure_of(error)

    async def start(
        self,
        *,
        patience: float = START_SECONDS,
        purpose: Purpose = "serve",
        attempt_seconds: float = _ATTEMPT_SECONDS,
    ) -> None:
        """Wait up to `patience` seconds for the server, check that it will do, and make the indexes.

        A server that stops answering in between, as in an election or a restart, is waited for
        again. To back it up, or to restore into it, nothing is written; to restore into it, a
        restore that has not ended is no obstacle.

        Raises:
            StartError: one readable line.
        """
        deadline = time.monotonic() + patience
        while True:
            hello = await self._first_answer(patience, deadline, attempt_seconds)
            try:
                await self._check_server(hello)
                # First: even an index may be one that the newer version has replaced.
                await self.refuse_newer()
                if purpose != "restore":
                    await self._refuse_half_restored()
                if purpose == "serve":
                    await self.make_indexes()
                return  # noqa: TRY300 -- what follows a failure is another attempt
            except OperationFailure as error:
                if not _may_pass(error) or time.monotonic() >= deadline:
                    raise _start_error(error) from None
            except PyMongoError as error:
                if time.monotonic() >= deadline:
                    raise StartError(
                        f"The database stopped answering during the start ({type(error).__name__})."
                    ) from None
            await asyncio.sleep(_BETWEEN_ATTEMPTS)

    async def _first_answer(
        self, patience: float, deadline: float, attempt_seconds: float
    ) -> Mapping[str, Any]:
        waiting = False
        while True:
            try:
                async with asyncio.timeout(
                    max(1.0, min(attempt_seconds, deadline - time.monotonic()))
                ):
                    return await self._client.admin.command("hello")
            except OperationFailure as error:
                if not _may_pass(error) or time.monotonic() >= deadline:
                    raise _start_error(error) from None
            except (ConnectionFailure, TimeoutError):
                if time.monotonic() >= deadline:
                    raise StartError(await self._no_answer(patience)) from None
            except ConfigurationError:
                raise StartError("MONGO_URL names a server which cannot be found.") from None
            if not waiting:
                _log.warning(
                    "waiting for the database",
                    seconds_at_most=patience,
                    servers=await self._findings(),
                )
                waiting = True
            await asyncio.sleep(_BETWEEN_ATTEMPTS)

    async def _no_answer(self, patience: float) -> str:
        return f"The database did not answer within {patience:.0f} s; check MONGO_URL. {await self._findings()}".strip()

    async def _findings(self) -> str:
        known = [
            address
            for address in self._client.topology_description.server_descriptions()
            if address[1]
        ]
        return await diagnose(self._url, [(host, int(port or 0)) for host, port in known])

    async def _check_server(self, hello: Mapping[str, Any]) -> None:
        version = await self.version()
        if tuple(int(part) for part in version.split(".")[:2]) < _OLDEST:
            raise StartError(
                f"MongoDB {version} is too old; MongoDB {'.'.join(map(str, _OLDEST))} or later is needed."
            )
        if "setName" not in hello and hello.get("msg") != "isdbgrid":
            raise StartError(
                "MongoDB runs without a replica set, which transactions need; start it with --replSet "
                "(one member suffices) and run rs.initiate() once."
            )

    async def schema_version(self) -> int:
        """The version of the stored documents; `FIRST_SCHEMA` where none was recorded.

        Raises:
            StartError: what is recorded is no version that this code knows.
        """
        found = await self._db["meta"].find_one({"_id": "schema"})
        version = FIRST_SCHEMA if found is None else found.get("version")
        if not isinstance(version, int) or not FIRST_SCHEMA <= version <= SCHEMA:
            raise StartError(
                f"A newer Benchmark Manager wrote the database {self._db.name} (schema {version}; {__version__} "
                f"knows schema {SCHEMA}): run that version again, or name another database in DB_NAME or "
                "MONGO_URL and restore a backup into it that this version took."
            )
        return version

    async def refuse_newer(self) -> None:
        """Pass where this code knows the form of the stored documents.

        Raises:
            StartError: a newer version of the service wrote them.
        """
        await self.schema_version()

    async def _refuse_half_restored(self) -> None:
        if await self._db["meta"].find_one({"_id": "restore"}) is not None:
            raise StartError(
                f"The restore of a backup into the database {self._db.name} has not ended: run "
                "benchmark-manager restore FILE again with the same file, then start again."
            )

    async def make_indexes(self) -> None:
        """Make those indexes which are not there."""
        for name, indexes in _INDEXES.items():
            left_out = (
                _OF_MONGODB_ALONE.get(name, frozenset()) if self.kind == "embedded" else frozenset()
            )
            wanted = [index for index in indexes if index.document["name"] not in left_out]
            if wanted:
                await self._db[name].create_indexes(wanted)
            if left_out:
                # An earlier version made them.
                for unwanted in left_out & (await self._db[name].index_information()).keys():
                    await self._db[name].drop_index(unwanted)
        # Index builds need fewer rights than writes do.
        await self._db["start_check"].update_one(
            {"_id": 1}, {"$set": {"at": datetime.now(UTC)}}, upsert=True
        )

    async def version(self) -> str:
        answer = await self._client.admin.command("buildInfo")
        return str(answer["version"])

    async def now(self) -> datetime:
        """The server's clock, by which leases run: replicas' own clocks may differ.

        Taken before the update that uses it, so that a slow network only shortens a lease.
        """
        answer = await self._client.admin.command("hello")
        local: datetime = answer["localTime"]
        return local.replace(tzinfo=UTC)

    async def latency(self) -> float:
        """Seconds that a real read takes: a hung server may still answer pings."""
        begin = time.perf_counter()
        await self._db["projects"].find_one({}, {"_id": 1})
        return time.perf_counter() - begin

    async def watch(
        self, pipeline: Sequence[Document], *, after: Document | None, wait: int
    ) -> AsyncDatabaseChangeStream[Document]:
        """An open change stream; each look waits up to `wait` ms for a change."""
        return await self._db.watch(
            pipeline, resume_after=after, max_await_time_ms=wait, batch_size=_CHANGES_AT_ONCE
        )

    async def end_sessions(self, session_ids: Sequence[Document]) -> None:
        """End sessions of a dead process, and with each the transaction that it left open."""
        if session_ids:
            await self._client.admin.command("killSessions", list(session_ids))

    async def mark(self) -> None:
        """Write something that says nothing, for streams to pass."""
        await self._db["start_check"].update_one({"_id": 1}, {"$inc": {"marks": 1}})

    async def collection_names(self) -> list[str]:
        """The names of all collections, sorted; the server's own are not among them."""
        names = set(_INDEXES) | set(
            await self._db.list_collection_names(filter={"type": "collection"})
        )
        return sorted(name for name in names if not name.startswith("system."))

    @asynccontextmanager
    async def moment(self) -> AsyncIterator[Session]:
        """A session whose reads all see one moment, also for longer than a transaction may last."""
        if self.kind == "mongodb":
            async with self._client.start_session(snapshot=True) as session:
                yield session
            return
        # The embedded server knows no such sessions, and its transactions have no limit of time.
        async with (
            self._client.start_session() as session,
            await session.start_transaction(ReadConcern("snapshot"), write_concern=_DURABLE),
        ):
            yield session

    async def transaction(
        self, work: Callable[[Session], Awaitable[T]], *, small: bool = False
    ) -> T:
        """Run `work` as one transaction; it is repeated whole after a write conflict or an election.

        Also behind what a PendingError waits for. What is `small` is written on a disk that is
        nearly full too: that something failed must be known there.
        """
        if not small:
            await self.ensure_room()
        return await self._in_transaction(work)

    async def snapshot(self, work: Callable[[Session], Awaitable[T]]) -> T:
        """Run reads which all see one moment, so that no list holds half a sync."""
        return await self._in_transaction(work, ReadConcern("snapshot"))

    async def read_together(self, parts: Mapping[str, Part]) -> dict[str, list[Document]]:
        """Run several reads which all see one moment; return the rows of each, by the names of the parts.

        On MongoDB it is one command: a transaction of several takes three times as long. The
        embedded server reads whole collections for `$unionWith`, so there it is a transaction.
        """
        if self.kind == "mongodb":
            try:
                return await self._read_united(parts)
            except OperationFailure as error:
                if error.code != _SNAPSHOT_UNAVAILABLE:
                    raise
                # The driver repeats a transaction until there is such a moment.

        async def one_by_one(session: Session) -> dict[str, list[Document]]:
            rows = {}
            for name, part in parts.items():
                cursor = await self._db[part.collection].aggregate(
                    part.pipeline, session=session, batchSize=_ALL_ROWS
                )
                rows[name] = await cursor.to_list()
            return rows

        return await self.snapshot(one_by_one)

    async def _read_united(self, parts: Mapping[str, Part]) -> dict[str, list[Document]]:
        marked = [
            (part.collection, [*part.pipeline, {"$set": {_PART: name}}])
            for name, part in parts.items()
        ]
        (first, pipeline), *others = marked
        united = [{"$unionWith": {"coll": name, "pipeline": stages}} for name, stages in others]
        collection = self._db[first].with_options(read_concern=ReadConcern("snapshot"))
        cursor = await collection.aggregate([*pipeline, *united], batchSize=_ALL_ROWS)
        rows: dict[str, list[Document]] = {name: [] for name in parts}
        for row in await cursor.to_list():
            rows[row.pop(_PART)].append(row)
        return rows

    async def _in_transaction(
        self, work: Callable[[Session], Awaitable[T]], read_concern: ReadConcern | None = None
    ) -> T:
        async def attempt(session: Session) -> T:
            try:
                return await work(session)
            except ServerSelectionTimeoutError as error:
                raise _NoServerError(error) from error

        while True:
            try:
                async with self._client.start_session() as session:
                    if read_concern is None and self.before_transaction is not None:
                        await self.before_transaction(session.session_id)
                    # The client's own write concern would count here, not the database's: the URL
                    # might say w=1.
                    return await session.with_transaction(
                        attempt, read_concern=read_concern, write_concern=_DURABLE
                    )
            except _NoServerError as error:
                raise error.reason from None
            except PendingError as error:
                await error.wait()


def _start_error(error: OperationFailure) -> StartError:
    if error.code in _UNAUTHORIZED:
        what = (
            "does not accept the user or password"
            if error.code == _AUTHENTICATION_FAILED
            else "denies access"
        )
        return StartError(
            f"MongoDB {what} of MONGO_URL; the user needs readWrite on the database, and to run buildInfo."
        )
    return StartError(f"MongoDB refused the start: {_reason(error)}.")


def _may_pass(error: OperationFailure) -> bool:
    """Whether the server may take the same a moment later: it starts or ends, or gives no name to what is wrong."""
    details = error.details or {}
    return "codeName" not in details or any(
        error.has_error_label(label)
        for label in ("TransientTransactionError", "RetryableWriteError")
    )


def _reason(error: OperationFailure) -> str:
    """What the server says, in one line that is never empty."""
    details = error.details or {}
    said = (
        details.get("codeName")
        or details.get("errmsg")
        or f"{type(error).__name__}, code {error.code}"
    )
    return " ".join(str(said).split()).rstrip(".")


def object_id(text: str, noun: str) -> ObjectId:
    """The id, or NotFoundError: an id of another form belongs to nothing."""
    try:
        return ObjectId(text)
    except InvalidId:
        raise NotFoundError(noun, text) from None


def milliseconds(when: datetime) -> datetime:
    """The time as MongoDB keeps it: whole milliseconds."""
    return when.replace(microsecond=when.microsecond // 1000 * 1000)
