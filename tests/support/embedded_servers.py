"""Embedded databases that tests start and end themselves."""

import asyncio
import contextlib
import os
import signal
import sys
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest
from pymongo import AsyncMongoClient
from pymongo.errors import PyMongoError

from benchmark_manager.stores.embedded.embedded import EmbeddedDatabase
from benchmark_manager.stores.embedded.process import has_arguments
from benchmark_manager.stores.embedded.server import find_server
from benchmark_manager.stores.embedded.timing import Timing
from support.waiting import eventually

QUICK = Timing(tick=0.05, probe_every=0.2, hung_after=1.0, former_server=0.3, start=60.0, grace=0)
#: Both the server and its guardian have it in their command lines.
SERVER_ARGUMENT = ("--sync-on-commit",)

needs_server = pytest.mark.skipif(find_server() is None, reason="SecantusDB is not installed")
linux_only = pytest.mark.skipif(
    not sys.platform.startswith("linux"), reason="only Linux signals a parent's death to a process"
)

Client = AsyncMongoClient[dict[str, Any]]


@contextlib.asynccontextmanager
async def running(
    data_dir: Path, timing: Timing = QUICK, **options: Any
) -> AsyncIterator[EmbeddedDatabase]:
    """A started and supervised database."""
    async with supervision_of(EmbeddedDatabase(data_dir, timing=timing, **options)) as database:
        yield database


@contextlib.asynccontextmanager
async def supervision_of(database: EmbeddedDatabase) -> AsyncIterator[EmbeddedDatabase]:
    """Start a database, and supervise it."""
    await database.start()
    supervision = asyncio.create_task(database.supervise())
    try:
        yield database
    finally:
        supervision.cancel()
        await asyncio.gather(supervision, return_exceptions=True)
        await database.stop(0)


def alive(pid: int | None) -> bool:
    return pid is not None and has_arguments(pid, SERVER_ARGUMENT)


def kill(pid: int) -> None:
    with contextlib.suppress(ProcessLookupError):
        os.kill(pid, signal.SIGKILL)


async def read_again(client: Client, collection: str) -> list[Any]:
    """All ids, as soon as the restarted server answers; there is at least one."""

    async def ids() -> list[Any] | None:
        with contextlib.suppress(PyMongoError):
            return [d["_id"] async for d in client["app"][collection].find({}).sort("_id", 1)]
        return None

    return await eventually(ids, "the server did not come back")
