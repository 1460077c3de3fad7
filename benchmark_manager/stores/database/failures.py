"""The failures of the database: each of the driver's errors under a stable code.

Numbers are those of https://github.com/mongodb/mongo/blob/master/src/mongo/base/error_codes.yml.
"""

from collections.abc import Iterator, Mapping
from typing import Any, Final

from bson.errors import BSONError
from pymongo.errors import (
    BulkWriteError,
    DocumentTooLarge,
    ExecutionTimeout,
    OperationFailure,
    PyMongoError,
)

from benchmark_manager.errors import StorageError

#: Everything that the driver raises: what it cannot encode is no PyMongoError.
DATABASE_ERRORS: Final = (PyMongoError, BSONError)

_DISK_FULL: Final = frozenset({14031})
#: mongod reports these messages of the operating system under a general number.
_DISK_FULL_WORDS: Final = ("no space left on device", "disk quota exceeded", "file too large")
#: A document, key or transaction beyond what MongoDB takes at all, or what its cache holds.
_TOO_LARGE: Final = frozenset({257, 388, 10334, 17280, 17419, 17420})
#: It ran out of time, memory or attempts: its load may be lower later.
_OVERLOADED: Final = frozenset(
    {24, 46, 50, 112, 146, 202, 225, 239, 246, 251, 262, 290, 292, 365, 12586}
)
#: An election, a shutdown, a network between members, an interruption.
_UNAVAILABLE: Final = frozenset(
    {
        *(6, 7, 43, 64, 75, 79, 89, 91, 100, 133, 134, 136, 175, 189, 237, 279, 317, 358),
        *(9001, 10058, 10107, 11600, 11601, 11602, 13388, 13435, 13436),
    }
)
#: Characters of the driver's text in one line of the log.
_DESCRIBED: Final = 2000
_DENIED: Final = frozenset({13, 18, 8000})
_DUPLICATE_KEY: Final = 11000


def failure_of(error: Exception) -> StorageError:
    """Return the failure that `error`, one of `DATABASE_ERRORS`, means, without its text."""
    return StorageError(_code(error))


def driver_error(error: Exception) -> Exception:
    """Return the driver's error behind a `StorageError`; `error` itself where there is none.

    An error of the driver may itself have another one as its cause; it stays as it is.
    """
    cause = error.__cause__ if isinstance(error, StorageError) else None
    return cause if isinstance(cause, DATABASE_ERRORS) else error


def is_of_duplicate(error: BaseException) -> bool:
    """Return whether a key that is taken caused the error, which may be one of ours."""
    found: BaseException | None = error
    seen: list[BaseException] = []
    # An error that was raised anew may be the cause of its cause.
    while found is not None and found not in seen:
        if isinstance(found, OperationFailure) and _DUPLICATE_KEY in dict(_said(found)):
            return True
        seen.append(found)
        found = found.__cause__ or found.__context__
    return False


def described(error: Exception) -> str:
    """Name and quote the driver's error behind a failure, for the log."""
    found = driver_error(error)
    return f"{type(found).__name__}: {found}"[:_DESCRIBED]


def _code(error: Exception) -> str:
    if isinstance(error, DocumentTooLarge):
        return "change_too_large"
    if not isinstance(error, OperationFailure):
        return "database_failed" if isinstance(error, BSONError) else "database_unavailable"
    said = list(_said(error))
    text = " ".join(message for _, message in said).casefold()
    numbers = {number for number, _ in said}
    if numbers & _DISK_FULL or any(words in text for words in _DISK_FULL_WORDS):
        return "disk_full"
    for code, known in (
        ("change_too_large", _TOO_LARGE),
        ("database_overloaded", _OVERLOADED),
        ("database_unavailable", _UNAVAILABLE),
        ("database_denied", _DENIED),
    ):
        if numbers & known:
            return code
    if isinstance(error, ExecutionTimeout):
        return "database_overloaded"
    passing = ("TransientTransactionError", "RetryableWriteError", "UnknownTransactionCommitResult")
    return "database_unavailable" if any(map(error.has_error_label, passing)) else "database_failed"


def _said(error: OperationFailure) -> Iterator[tuple[int | None, str]]:
    """Yield the number and the text of an error, and of each error inside it."""
    yield error.code, str(error.details.get("errmsg", "")) if error.details else str(error)
    details: Mapping[str, Any] = error.details or {}
    nested = [details.get("writeConcernError")]
    if isinstance(error, BulkWriteError):
        nested += [*details.get("writeErrors", ()), *details.get("writeConcernErrors", ())]
    for one in nested:
        if one:
            yield one.get("code"), str(one.get("errmsg", ""))
