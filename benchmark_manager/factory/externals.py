"""What tests replace: time and the network."""

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from datetime import UTC, datetime

import httpx2 as httpx

from benchmark_manager.workers.pool import WorkerPool


def utc_now() -> datetime:
    return datetime.now(UTC)


@dataclass(frozen=True, slots=True)
class Externals:
    """Clock, pause between attempts, network and workers, as the service or a test gives them."""

    transport: httpx.AsyncBaseTransport | None = None
    clock: Callable[[], datetime] = utc_now
    #: Pause between attempts, seconds.
    sleep: Callable[[float], Awaitable[None]] = asyncio.sleep
    #: Worker processes that several services share; None: the service has its own.
    workers: WorkerPool | None = None
