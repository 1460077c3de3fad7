"""What tests replace: time, the network, the database, worker processes and limits."""

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from datetime import UTC, datetime

import httpx2 as httpx

from benchmark_manager.factory.limits import ServiceLimits
from benchmark_manager.github.reading.contents import MemoryBudget
from benchmark_manager.services.access.hashing import Passwords
from benchmark_manager.stores.database.database import Database
from benchmark_manager.workers.pool import WorkerPool


def utc_now() -> datetime:
    return datetime.now(UTC)


@dataclass(frozen=True, slots=True)
class Externals:
    """What the service takes from its surroundings, as it is, or as a test gives it."""

    transport: httpx.AsyncBaseTransport | None = None
    #: The network to identity providers.
    issuer_transport: httpx.AsyncBaseTransport | None = None
    clock: Callable[[], datetime] = utc_now
    #: Pause between attempts, seconds.
    sleep: Callable[[float], Awaitable[None]] = asyncio.sleep
    #: Worker processes that several services share; None: the service has its own.
    workers: WorkerPool | None = None
    #: A database that is open already and stays open; None: the service opens that of its settings.
    database: Database | None = None
    #: Bytes of contents on their way into the database, of all syncs together.
    storing: MemoryBudget = field(default_factory=MemoryBudget)
    #: Makes the poller check for due projects after so many seconds; None: as the service does.
    wake: Callable[[float], None] | None = None
    #: Hashes passwords; None: as the service does, in 20 to 50 ms of a core.
    passwords: Passwords | None = None
    limits: ServiceLimits = field(default_factory=ServiceLimits)
