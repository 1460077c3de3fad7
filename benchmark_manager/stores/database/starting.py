"""Waits for the server at the start of the service, and checks that it will do."""

import asyncio
import time
from collections.abc import Mapping
from typing import Any, Final, Literal

import structlog
from pymongo.errors import ConfigurationError, ConnectionFailure, OperationFailure, PyMongoError

from benchmark_manager.errors import StartError, StorageError
from benchmark_manager.stores.database.database import Database
from benchmark_manager.stores.database.diagnosis import diagnose
from benchmark_manager.stores.database.failures import driver_error, failure_of
from benchmark_manager.stores.database.indexes import make_indexes
from benchmark_manager.stores.database.meta import MetaStore

_log = structlog.get_logger(__name__)

#: What a database is opened for; `command`: one change, beside services that run.
Purpose = Literal["serve", "command", "backup", "restore"]

#: MongoDB 6.0 is the oldest version that the tests run against.
_OLDEST: Final = (6, 0)
START_SECONDS: Final = 30.0
#: Seconds for one attempt, and between two.
_ATTEMPT_SECONDS: Final = 5.0
_BETWEEN_ATTEMPTS: Final = 0.5
_AUTHENTICATION_FAILED: Final = 18
_UNAUTHORIZED: Final = {13, _AUTHENTICATION_FAILED, 8000}


async def start(
    database: Database,
    *,
    seconds: float = START_SECONDS,
    attempt_seconds: float = _ATTEMPT_SECONDS,
    purpose: Purpose = "serve",
) -> None:
    """Wait up to `seconds` for the server, check that it will do, and make the indexes.

    It waits again when the server stops answering in between, as in an election or a restart. For
    a backup and for a restore, nothing is written; an unfinished restore only prevents the others.

    Raises:
        StartError: one readable line.
    """
    waiting = _Waiting(database, seconds, attempt_seconds)
    while True:
        hello = await waiting.first_answer()
        try:
            await _check(database, hello, purpose)
            return  # noqa: TRY300 -- a failure is followed by another attempt
        except (StorageError, PyMongoError) as error:
            found = driver_error(error)
            if isinstance(found, OperationFailure):
                if not _may_pass(found) or waiting.over:
                    raise _start_error(found) from None
            elif waiting.over:
                raise StartError(
                    f"The database stopped answering during the start ({type(found).__name__})."
                ) from None
        await asyncio.sleep(_BETWEEN_ATTEMPTS)


class _Waiting:
    """Waits for the server until a deadline."""

    def __init__(self, database: Database, seconds: float, attempt_seconds: float) -> None:
        self._database = database
        self._seconds = seconds
        self._attempt_seconds = attempt_seconds
        self._deadline = time.monotonic() + seconds

    @property
    def over(self) -> bool:
        return time.monotonic() >= self._deadline

    async def first_answer(self) -> Mapping[str, Any]:
        """Ask until the server answers, and return its answer."""
        logged = False
        while True:
            try:
                left = self._deadline - time.monotonic()
                async with asyncio.timeout(max(1.0, min(self._attempt_seconds, left))):
                    return await self._database.hello()
            except OperationFailure as error:
                if not _may_pass(error) or self.over:
                    raise _start_error(error) from None
            except (ConnectionFailure, TimeoutError):
                if self.over:
                    raise StartError(await self._no_answer()) from None
            except ConfigurationError:
                raise StartError("MONGO_URL names a server which cannot be found.") from None
            if not logged:
                _log.warning(
                    "waiting for the database",
                    seconds_at_most=self._seconds,
                    servers=await self._findings(),
                )
                logged = True
            await asyncio.sleep(_BETWEEN_ATTEMPTS)

    async def _no_answer(self) -> str:
        return (
            f"The database did not answer within {self._seconds:.0f} s; check MONGO_URL. "
            f"{await self._findings()}"
        ).strip()

    async def _findings(self) -> str:
        return await diagnose(self._database.url, self._database.servers())


async def _check(database: Database, hello: Mapping[str, Any], purpose: Purpose) -> None:
    meta = MetaStore(database)
    await _check_server(database, hello)
    # First: a newer version may have replaced even an index.
    await meta.refuse_newer()
    if purpose != "restore":
        await meta.refuse_half_restored()
    if purpose in {"serve", "command"}:
        await make_indexes(database)


async def _check_server(database: Database, hello: Mapping[str, Any]) -> None:
    version = await database.version()
    if tuple(int(part) for part in version.split(".")[:2]) < _OLDEST:
        raise StartError(
            f"MongoDB {version} is too old; MongoDB {'.'.join(map(str, _OLDEST))} or later "
            "is needed."
        )
    if "setName" not in hello and hello.get("msg") != "isdbgrid":
        raise StartError(
            "MongoDB runs without a replica set, which transactions need; start it with --replSet "
            "(one member suffices) and run rs.initiate() once."
        )


def _start_error(error: OperationFailure) -> StartError:
    if error.code in _UNAUTHORIZED:
        what = (
            "does not accept the user or password"
            if error.code == _AUTHENTICATION_FAILED
            else "denies access"
        )
        return StartError(
            f"MongoDB {what} of MONGO_URL; the user needs readWrite on the database, "
            "and to run buildInfo."
        )
    return StartError(f"MongoDB refused the start: {_reason(error)}.")


def _may_pass(error: OperationFailure) -> bool:
    """Return whether a repetition may succeed.

    The server starts or stops, elects another primary, or names no cause.
    """
    details = error.details or {}
    return "codeName" not in details or failure_of(error).code == "database_unavailable"


def _reason(error: OperationFailure) -> str:
    """Return the server's message in one line, which is never empty."""
    details = error.details or {}
    reason = (
        details.get("codeName")
        or details.get("errmsg")
        or f"{type(error).__name__}, code {error.code}"
    )
    return " ".join(str(reason).split()).rstrip(".")
