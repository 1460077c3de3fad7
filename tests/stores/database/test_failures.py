"""Every failure of the database has a stable code, whatever the server and the driver call it."""

import pytest
from bson.errors import InvalidDocument
from pymongo.errors import (
    AutoReconnect,
    BulkWriteError,
    ConfigurationError,
    DocumentTooLarge,
    ExecutionTimeout,
    InvalidOperation,
    NetworkTimeout,
    NotPrimaryError,
    OperationFailure,
    ServerSelectionTimeoutError,
    WaitQueueTimeoutError,
    WriteConcernError,
    WTimeoutError,
)

from benchmark_manager.messages import CATALOGUE, detail
from benchmark_manager.stores.database.failures import failure_of

#: As mongod 6.0.5 reports them on a file system of 700 MB that is full.
NO_SPACE = (
    "WiredTigerIdIndex::_insert: index: _id_; uri: table:index-117 28: No space left on device"
)
CACHE = "-31800: transaction is too large and will not fit in the storage engine cache"


def bulk(code: int, message: str, of: str = "writeErrors") -> BulkWriteError:
    return BulkWriteError(
        {"writeErrors": [], "writeConcernErrors": [], of: [{"code": code, "errmsg": message}]}
    )


def labelled(code: int, label: str) -> OperationFailure:
    return OperationFailure(
        "failed", code, {"errmsg": "failed", "code": code, "errorLabels": [label]}
    )


@pytest.mark.parametrize(
    ("error", "code"),
    [
        (bulk(8, NO_SPACE), "disk_full"),
        (
            OperationFailure("x", 14031, {"errmsg": "available disk space of 5 bytes is less"}),
            "disk_full",
        ),
        (bulk(388, CACHE), "change_too_large"),
        (
            OperationFailure(
                "x", 257, {"errmsg": "Total size of all transaction operations must be less"}
            ),
            "change_too_large",
        ),
        (OperationFailure("x", 10334, {"errmsg": "BSONObj size is invalid"}), "change_too_large"),
        (DocumentTooLarge("BSON document too large (20000000 bytes)"), "change_too_large"),
        (
            ExecutionTimeout("operation exceeded time limit", 50, {"errmsg": "x"}),
            "database_overloaded",
        ),
        (OperationFailure("x", 112, {"errmsg": "WriteConflict"}), "database_overloaded"),
        (labelled(251, "TransientTransactionError"), "database_overloaded"),
        (OperationFailure("x", 146, {"errmsg": "ExceededMemoryLimit"}), "database_overloaded"),
        (
            bulk(64, "waiting for replication timed out", "writeConcernErrors"),
            "database_unavailable",
        ),
        (NotPrimaryError("not primary", {"code": 10107}), "database_unavailable"),
        (
            OperationFailure("x", 11602, {"errmsg": "InterruptedDueToReplStateChange"}),
            "database_unavailable",
        ),
        (labelled(999_999, "RetryableWriteError"), "database_unavailable"),
        (AutoReconnect("connection closed"), "database_unavailable"),
        (NetworkTimeout("timed out"), "database_unavailable"),
        (ServerSelectionTimeoutError("no primary"), "database_unavailable"),
        (WaitQueueTimeoutError("no connection"), "database_unavailable"),
        (InvalidOperation("Cannot use AsyncMongoClient after close"), "database_unavailable"),
        (ConfigurationError("no such host"), "database_unavailable"),
        (WTimeoutError("x", 64, {"errmsg": "x"}), "database_unavailable"),
        (WriteConcernError("x", 100, {"errmsg": "x"}), "database_unavailable"),
        (OperationFailure("x", 13, {"errmsg": "not authorized"}), "database_denied"),
        (
            OperationFailure("internal server error", 1, {"errmsg": "internal server error"}),
            "database_failed",
        ),
        (OperationFailure("nothing else is known"), "database_failed"),
        (InvalidDocument("cannot encode object"), "database_failed"),
    ],
    ids=repr,
)
def test_has_a_code_which_the_api_knows(error: Exception, code: str) -> None:
    found = failure_of(error)
    assert found.code == code
    assert code in CATALOGUE
    assert str(error) not in f"{found} {detail(found)}"
