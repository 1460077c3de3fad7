"""What a failure of the database is called: every error of the driver under a stable code.

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

#: What a handler of database failures catches. The driver's own limit on documents is no
#: PyMongoError.
DATABASE_ERRORS: Final = (PyMongoError, BSONError)

_DISK_FULL: Final = frozenset({14031})
#: mongod passes on what the system said, under a number that says nothing.
_DISK_FULL_WORDS: Final = ("no space left on device", "disk quota exceeded", "file too large")
#: A document, key or transaction beyond what MongoDB takes at all, or what its cache holds.
_TOO_LARGE: Final = frozenset({257, 388, 10334, 17280, 17419, 17420})
#: It ran out of time, memory or turns: its load may be lower later.
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
_DENIED: Final = frozenset({13, 18, 8000})


def failure_of(error: Exception) -> StorageError:
    """The failure under its code; `error` is one of `DATABASE_ERRORS`, its text stays in the log."""
    return StorageError(_code(error))


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
    """The numbers and texts of an error, and of those that it collects."""
    yield error.code, str(error.details.get("errmsg", "")) if error.details else str(error)
    details: Mapping[str, Any] = error.details or {}
    nested = [details.get("writeConcernError")]
    if isinstance(error, BulkWriteError):
        nested += [*details.get("writeErrors", ()), *details.get("writeConcernErrors", ())]
    for one in nested:
        if one:
            yield one.get("code"), str(one.get("errmsg", ""))
