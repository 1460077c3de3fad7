"""The connection to the database: one client for every store, transactions, times and ids."""

import asyncio
import time
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator, Mapping, Sequence
from contextlib import AbstractContextManager, asynccontextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any, Final, Literal, TypeVar
from weakref import WeakKeyDictionary

import pymongo
from bson import ObjectId
from bson.codec_options import CodecOptions
from bson.errors import InvalidId
from pymongo import AsyncMongoClient
from pymongo.asynchronous.change_stream import AsyncDatabaseChangeStream
from pymongo.asynchronous.client_session import AsyncClientSession
from pymongo.asynchronous.collection import AsyncCollection
from pymongo.errors import (
    AutoReconnect,
    OperationFailure,
    PyMongoError,
    ServerSelectionTimeoutError,
)
from pymongo.read_concern import ReadConcern
from pymongo.write_concern import WriteConcern

from benchmark_manager.errors import NotFoundError, StartError, StorageError
from benchmark_manager.stores.database.driver_waits import repair_driver_waits
from benchmark_manager.stores.database.failures import driver_error, failure_of, is_of_duplicate
from benchmark_manager.stores.database.translation import translated
from benchmark_manager.stores.embedded.progress import Sample

if TYPE_CHECKING:
    from pymongo.asynchronous.database import AsyncDatabase

Document = dict[str, Any]
Session = AsyncClientSession
Collection = AsyncCollection[Document]
DatabaseKind = Literal["embedded", "mongodb"]

T = TypeVar("T")

repair_driver_waits()

#: A database that does not answer must not delay the end of the service.
_CLOSE_SECONDS: Final = 0.5
#: Values in one `$in` of queries that do not ask which server there is.
IN_AT_MOST: Final = 100
#: The time of `$in` grows with the square of its length on the embedded server.
_IN_AT_MOST_OF: Final[Mapping[DatabaseKind, int]] = {"embedded": 50, "mongodb": 1000}
#: Rows of one answer in a long list: the event loop does nothing else while it decodes them.
ROWS_AT_ONCE: Final = 250
#: Changes of one answer, after which other tasks run.
_CHANGES_AT_ONCE: Final = 500
#: An acknowledged write survives the loss of any minority of members, and a crash of all.
_DURABLE: Final = WriteConcern("majority", j=True)
#: Defaults, which the URL may override; milliseconds.
_CLIENT_OPTIONS: Final[Mapping[str, Any]] = {
    "serverSelectionTimeoutMS": 10_000,
    "connectTimeoutMS": 5_000,
    "appName": "benchmark-manager",
}
#: The moment that is read is not kept any more, or a collection or an index is younger.
_NO_SNAPSHOT: Final = frozenset({239, 246})
#: The field that says which part of a read a row belongs to.
_PART: Final = "part_of_read"
#: How often a transaction on the embedded server meets a taken key until that is believed.
_BELIEVED: Final = 3
#: Seconds between; the other transaction takes less.
_UNTIL_BELIEVED: Final = 0.02
#: Rows in one answer: as many as fit.
_ALL_ROWS: Final = 10_000
#: A document that stores write only to find out whether the database takes writes.
START_CHECK: Final = "start_check"


class PendingError(Exception):
    """Raised in a transaction that must wait for other work, and be repeated after it."""

    def __init__(self, wait: Callable[[], Awaitable[None]]) -> None:
        super().__init__("something is pending")
        self.wait: Final = wait


class _NoServerError(Exception):
    """No server was found in time; the driver would repeat the transaction for 120 s more."""

    def __init__(self, reason: ServerSelectionTimeoutError) -> None:
        super().__init__(str(reason))
        self.reason = reason


@dataclass(frozen=True, slots=True)
class Part:
    """One part of a read: a pipeline over a collection."""

    collection: str
    pipeline: list[Document]


@dataclass(frozen=True, slots=True)
class ServerState:
    """What a read of the server showed."""

    version: str
    latency: float
    """Seconds."""


class Database:
    """MongoDB, or the embedded server, which speaks its protocol.

    `now`, `state`, `transaction` and `snapshot` raise `StorageError` where the driver fails. Stores
    use the other methods, and get the driver's own errors from them.
    """

    def __init__(
        self,
        url: str,
        default_name: str,
        kind: DatabaseKind,
        *,
        ensure_room: Callable[[], Awaitable[None]] | None = None,
        sample: Callable[[], Sample | None] = lambda: None,
    ) -> None:
        """Prepare the connection; nothing is sent yet.

        Args:
            url: A MongoDB URL.
            default_name: The name of the database where the URL has none.
            kind: Which server answers at the URL.
            ensure_room: Raises a `StorageError` when the disk has no room for a write.
            sample: Measures the work of the server's process; None where that is not known.

        Raises:
            StartError: the URL cannot be used.
        """
        self.kind: DatabaseKind = kind
        #: Values in one `$in`.
        self.in_at_most: Final = _IN_AT_MOST_OF[kind]
        self._ensure_room = ensure_room
        #: Many claims at once make the embedded server a hundred times slower.
        self.claim_lock = asyncio.Lock()
        self.sample: Final = sample
        #: Called with a session's id before it begins a transaction that writes.
        self.before_transaction: Callable[[Mapping[str, Any]], Awaitable[None]] | None = None
        #: What follows the commit of each transaction that runs.
        self._followed_by: WeakKeyDictionary[Session, list[Callable[[], None]]] = (
            WeakKeyDictionary()
        )
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
            # OSError: a file of certificates that does not exist, or holds none.
            raise StartError(f"MONGO_URL cannot be used: {type(error).__name__}.") from None
        self._asking: AsyncMongoClient[Document] | None = None

    @property
    def name(self) -> str:
        """The name of the database on its server."""
        return self._db.name

    @property
    def url(self) -> str:
        """The URL with its password; it must not be logged."""
        return self._url

    def new_client(self, **options: Any) -> AsyncMongoClient[Document]:  # noqa: ANN401 -- PyMongo's
        """Return another client of the same database; the URL's own options override `options`."""
        own = {**_CLIENT_OPTIONS, **options}
        return AsyncMongoClient(
            self._url,
            **{name: value for name, value in own.items() if name.lower() not in self._url.lower()},
        )

    def collection(self, name: str) -> Collection:
        """Return a collection; the one store that owns it calls this."""
        return self._db[name]

    @staticmethod
    def new_id() -> str:
        """Return an id for a new document."""
        return str(ObjectId())

    def parts(self, values: Sequence[T]) -> Iterator[Sequence[T]]:
        """Yield the values in parts, each of as many as one `$in` takes."""
        for start in range(0, len(values), self.in_at_most):
            yield values[start : start + self.in_at_most]

    @staticmethod
    def time_limit(seconds: float) -> AbstractContextManager[Any]:
        """Limit the time of all calls of the database inside the block, together."""
        return pymongo.timeout(seconds)

    async def close(self) -> None:
        """Close the connections."""
        # The driver ends its sessions at the server, and waits for one as for any command.
        with pymongo.timeout(_CLOSE_SECONDS):
            if self._asking is not None:
                await self._asking.close()
            await self._client.close()

    async def ensure_room(self) -> None:
        """Check that the disk has room for a write.

        Raises:
            StorageError: `disk_full`.
        """
        if self._ensure_room is not None:
            await self._ensure_room()

    async def failure(self, error: Exception) -> StorageError:
        """Return the failure that `error`, one of `failures.DATABASE_ERRORS`, means.

        The embedded server gives no reason for a failure; a full disk is the usual one.
        """
        try:
            await self.ensure_room()
        except StorageError as full:
            return full
        return failure_of(error)

    async def hello(self) -> Mapping[str, Any]:
        """Return the server's description of itself."""
        return await self._asked("hello")

    def servers(self) -> list[tuple[str, int]]:
        """Return the address of every server that the client knows."""
        known = self._client.topology_description.server_descriptions()
        return [(host, int(port or 0)) for host, port in known if port]

    async def version(self) -> str:
        """Return the server's version."""
        answer = await self._asked("buildInfo")
        return str(answer["version"])

    async def _asked(self, command: str) -> Mapping[str, Any]:
        """Return the answer to a command that changes nothing.

        The driver repeats queries whose connection was lost, but no commands.
        """
        try:
            return await self._client.admin.command(command)
        except ServerSelectionTimeoutError:
            raise
        except AutoReconnect:
            return await self._client.admin.command(command)

    @translated
    async def now(self) -> datetime:
        """Return the server's time, which leases use: the clocks of replicas may differ.

        Callers read it before the update that uses it, so a slow network only shortens a lease.
        """
        answer = await self.hello()
        local: datetime = answer["localTime"]
        return local.replace(tzinfo=UTC)

    @translated
    async def state(self) -> ServerState:
        """Read one document, and return the server's version and how long the read took."""
        begin = time.perf_counter()
        # A hung server may still answer pings.
        await self._db["projects"].find_one({}, {"_id": 1})
        latency = time.perf_counter() - begin
        return ServerState(await self.version(), latency)

    async def ask(self) -> None:
        """Read a small document, over a connection that no other work can occupy."""
        if self._asking is None:
            self._asking = self.new_client(maxPoolSize=1, appName="benchmark-manager-watch")
        await self._asking[self.name][START_CHECK].find_one({"_id": 1}, {"_id": 1})

    async def watch(
        self, pipeline: Sequence[Document], *, after: Document | None, wait: int
    ) -> AsyncDatabaseChangeStream[Document]:
        """Open a change stream; each read of it waits up to `wait` ms for a change."""
        return await self._db.watch(
            pipeline, resume_after=after, max_await_time_ms=wait, batch_size=_CHANGES_AT_ONCE
        )

    async def end_sessions(self, session_ids: Sequence[Document]) -> None:
        """End the sessions of a dead process, with the transactions that it left open."""
        if session_ids:
            await self._client.admin.command("killSessions", list(session_ids))

    async def mark(self) -> None:
        """Make a write without meaning, which moves change streams on."""
        await self._db[START_CHECK].update_one({"_id": 1}, {"$inc": {"marks": 1}})

    async def check_writes(self) -> None:
        """Write one document: building indexes needs fewer rights than writing does."""
        now = {"$set": {"at": datetime.now(UTC)}}
        await self._db[START_CHECK].update_one({"_id": 1}, now, upsert=True)

    async def collection_names(self) -> list[str]:
        """Return the names of the collections, without the server's own."""
        names = await self._db.list_collection_names(filter={"type": "collection"})
        return [name for name in names if not name.startswith("system.")]

    @asynccontextmanager
    async def moment(self) -> AsyncIterator[Session]:
        """Open a session whose reads all see one moment, for longer than a transaction lasts."""
        if self.kind == "mongodb":
            async with self._client.start_session(snapshot=True) as session:
                yield session
            return
        # The embedded server has no such sessions, and its transactions have no time limit.
        async with (
            self._client.start_session() as session,
            await session.start_transaction(ReadConcern("snapshot"), write_concern=_DURABLE),
        ):
            yield session

    @translated
    async def transaction(
        self, work: Callable[[Session], Awaitable[T]], *, small: bool = False
    ) -> T:
        """Run `work` as one transaction, and repeat it whole after a write conflict or an election.

        It is also repeated after the wait of a `PendingError`. A `small` one is written even when
        the disk is nearly full: the record of a failure must fit.
        """
        if not small:
            await self.ensure_room()
        return await self._in_transaction(work)

    def after_commit(self, session: Session, follow: Callable[[], None]) -> None:
        """Call `follow` once the transaction of this session is committed, and only then."""
        self._followed_by.setdefault(session, []).append(follow)

    @translated
    async def snapshot(self, work: Callable[[Session], Awaitable[T]]) -> T:
        """Run reads that all see one moment, so that no list shows half a sync.

        `work` may be repeated. On MongoDB they are no transaction: that would write to the log of
        operations at its end, and wait for the disk.
        """
        if self.kind == "mongodb":
            try:
                async with self._client.start_session(snapshot=True) as session:
                    return await work(session)
            except PendingError as error:
                await error.wait()
            except (StorageError, PyMongoError) as error:
                if not _is_passing(driver_error(error)):
                    raise
                # The driver repeats the transaction below until the moment can be read.
        return await self._in_transaction(work, ReadConcern("snapshot"))

    async def read_together(self, parts: Mapping[str, Part]) -> dict[str, list[Document]]:
        """Run several reads that all see one moment; return the rows of each, by its name.

        On MongoDB this is one command, as a transaction of several takes three times as long. The
        embedded server reads whole collections for `$unionWith`, so there it is a transaction.
        """
        if self.kind == "mongodb":
            try:
                return await self._read_united(parts)
            except OperationFailure as error:
                if error.code not in _NO_SNAPSHOT:
                    raise
                # The driver repeats the transaction below until the moment can be read.

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
        taken = 0
        while True:
            try:
                return await self._transaction_of_the_driver(work, read_concern)
            except PendingError as error:
                await error.wait()
            except Exception as error:
                # SecantusDB also reports one where two transactions change the same document.
                taken += 1
                if self.kind != "embedded" or taken == _BELIEVED or not is_of_duplicate(error):
                    raise
                await asyncio.sleep(_UNTIL_BELIEVED)

    async def _transaction_of_the_driver(
        self, work: Callable[[Session], Awaitable[T]], read_concern: ReadConcern | None
    ) -> T:
        async def attempt(session: Session) -> T:
            # Nothing is left of an attempt before this one.
            self._followed_by.pop(session, None)
            try:
                return await work(session)
            except (StorageError, PyMongoError) as error:
                found = driver_error(error)
                if isinstance(found, ServerSelectionTimeoutError):
                    raise _NoServerError(found) from found
                if found is error:
                    raise
                # `with_transaction` reads the labels of the driver's own errors.
                raise found from found.__cause__

        try:
            async with self._client.start_session() as session:
                if read_concern is None and self.before_transaction is not None:
                    await self.before_transaction(session.session_id)
                # Without it the write concern of the client would apply: the URL may say w=1.
                result = await session.with_transaction(
                    attempt, read_concern=read_concern, write_concern=_DURABLE
                )
                for follow in self._followed_by.pop(session, ()):
                    follow()
                return result
        except _NoServerError as error:
            raise error.reason from None


def _is_passing(error: Exception) -> bool:
    """Return whether a transaction is worth a try after a read that failed like this."""
    if isinstance(error, OperationFailure):
        return error.code in _NO_SNAPSHOT
    return isinstance(error, AutoReconnect) and not isinstance(error, ServerSelectionTimeoutError)


def object_id(text: str, noun: str) -> ObjectId:
    """Return the id of a document.

    Raises:
        NotFoundError: the text has not the form of an id.
    """
    try:
        return ObjectId(text)
    except InvalidId:
        raise NotFoundError(noun, text) from None


def milliseconds(when: datetime) -> datetime:
    """Return the time as MongoDB stores it: in whole milliseconds."""
    return when.replace(microsecond=when.microsecond // 1000 * 1000)
