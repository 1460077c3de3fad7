"""Stores report failures of the driver as their own error, and leave transactions to the driver."""

import importlib
import inspect
import pkgutil
from collections.abc import AsyncGenerator

import pytest
from pymongo.errors import (
    AutoReconnect,
    BulkWriteError,
    DuplicateKeyError,
    OperationFailure,
    PyMongoError,
)

from benchmark_manager import stores
from benchmark_manager.errors import StorageError
from benchmark_manager.stores.database.database import Database, Session
from benchmark_manager.stores.database.failures import described, driver_error, failure_of
from benchmark_manager.stores.database.store import Store


class Failing(Store):
    """A store whose calls fail with one of the driver's errors, a few times."""

    def __init__(self, database: Database, error: Exception, times: int = 100) -> None:
        super().__init__(database)
        self._errors = [error] * times
        self.calls = 0

    async def get(self, session: Session | None = None) -> str:
        assert session is None or session.in_transaction
        self._fail()
        return "found"

    async def rows(self) -> AsyncGenerator[str]:
        yield "first"
        self._fail()

    def _fail(self) -> None:
        self.calls += 1
        if self._errors:
            raise self._errors.pop()


def transient(number: int) -> OperationFailure:
    return OperationFailure(
        "the server says so", number, {"errorLabels": ["TransientTransactionError"]}
    )


async def test_a_failed_call_has_a_code_and_the_drivers_error_as_its_cause(
    database: Database,
) -> None:
    store = Failing(database, AutoReconnect("connection closed"))
    with pytest.raises(StorageError) as failed:
        await store.get()
    assert failed.value.code == "database_unavailable"
    assert isinstance(failed.value.__cause__, AutoReconnect)
    assert described(failed.value) == "AutoReconnect: connection closed"


def test_a_cause_of_the_drivers_own_error_does_not_replace_it() -> None:
    lost, refused = AutoReconnect("connection closed"), transient(112)
    lost.__cause__ = refused
    assert driver_error(lost) is lost
    assert described(lost) == "AutoReconnect: connection closed"


async def test_rows_that_fail_after_the_first_have_a_code(database: Database) -> None:
    store = Failing(database, AutoReconnect("connection closed"))
    rows = store.rows()
    assert await anext(rows) == "first"
    with pytest.raises(StorageError) as failed:
        await anext(rows)
    assert failed.value.code == "database_unavailable"


async def test_a_transaction_is_repeated_where_the_drivers_error_says_so(
    database: Database,
) -> None:
    store = Failing(database, transient(112), times=2)
    assert await database.transaction(store.get) == "found"
    assert store.calls == 3


async def test_a_transaction_is_not_repeated_where_the_drivers_error_does_not_say_so(
    database: Database,
) -> None:
    store = Failing(database, OperationFailure("no", 2, {"codeName": "BadValue"}))
    with pytest.raises(StorageError) as failed:
        await database.transaction(store.get)
    assert (store.calls, failed.value.code) == (1, "database_failed")


@pytest.mark.parametrize(
    "error",
    [
        DuplicateKeyError("E11000", 11000, {"keyPattern": {"path": 1}}),
        BulkWriteError({"writeErrors": [{"code": 11000, "errmsg": "E11000"}]}),
    ],
    ids=["of one", "of many"],
)
async def test_a_taken_key_on_the_embedded_database_may_be_a_conflict_and_is_tried_again(
    database: Database, error: PyMongoError
) -> None:
    store = Failing(database, error, times=2)
    if database.kind == "embedded":
        assert await database.transaction(store.get) == "found"
    else:
        with pytest.raises(StorageError):
            await database.transaction(store.get)
    assert store.calls == {"embedded": 3, "mongodb": 1}[database.kind]


async def test_a_key_that_stays_taken_is_a_failure_in_the_end(database: Database) -> None:
    async def taken(session: Session) -> None:
        row = {"_id": 1}
        await database.collection("keys").insert_many([row, dict(row)], session=session)

    with pytest.raises(StorageError) as failed:
        await database.transaction(taken)
    assert failed.value.code == "database_failed"


async def test_a_full_disk_is_the_reason_where_the_disk_is_full(database_url: str) -> None:
    async def full() -> None:
        raise failure_of(OperationFailure("no space left on device", 14031))

    database = Database(database_url, "unnamed", "mongodb", ensure_room=full)
    with pytest.raises(StorageError) as failed:
        await Failing(database, OperationFailure("internal server error", 1)).get()
    await database.close()
    assert failed.value.code == "disk_full"
    assert isinstance(failed.value.__cause__, PyMongoError)


def stores_of_the_package() -> list[type]:
    modules = [
        importlib.import_module(module.name)
        for module in pkgutil.walk_packages(stores.__path__, f"{stores.__name__}.")
    ]
    return [
        kind
        for module in modules
        for kind in vars(module).values()
        if inspect.isclass(kind)
        and kind.__module__ == module.__name__
        and kind.__name__.endswith("Store")
    ]


@pytest.mark.parametrize("kind", stores_of_the_package(), ids=lambda kind: str(kind.__name__))
def test_every_store_translates(kind: type) -> None:
    assert issubclass(kind, Store)
