"""Services with parts of the test's own: built beside a running service, or put in its place."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from typing import Any

from benchmark_manager.factory import Externals, Services, utc_now
from benchmark_manager.factory.parts import Parts
from benchmark_manager.factory.services import build_services
from benchmark_manager.services.operations.limit_sharing import LimitSharing
from benchmark_manager.services.operations.metrics import Metrics
from benchmark_manager.services.operations.stopping import StopDeadline
from benchmark_manager.stores.database.database import Database
from benchmark_manager.stores.operations.governors import GovernorStore
from support.service import CHEAP_PASSWORDS, Service, settings_for, shared_workers


def beside(service: Service, database: Database | None = None, **stores: Any) -> Services:
    """Build the services of another process on the same GitHub.

    Args:
        service: the running service.
        database: the database of the other; its own where none is given.
        stores: stores of the test's own, by their names in `Stores`.
    """
    database, connection = database or service.services.database, service.services.connection
    parts = Parts.of(
        settings_for("mongodb://unused", service.github.url, service.folder),
        database,
        connection,
        LimitSharing(connection.governors, GovernorStore(database), utc_now),
        Metrics(),
        shared_workers(),
        Externals(passwords=CHEAP_PASSWORDS),
        StopDeadline(),
    )
    return build_services(replace(parts, stores=replace(parts.stores, **stores)))


@contextmanager
def replaced(service: Service, **services: Any) -> Iterator[None]:
    """Let the routes of the app call these services, by their names in `Services`."""
    own = service.services
    service.app.state.services = replace(own, **services)
    try:
        yield
    finally:
        service.app.state.services = own
