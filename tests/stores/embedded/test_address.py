"""The address of an embedded database, for commands beside the service that runs it."""

import asyncio
import os
from collections.abc import Iterator
from pathlib import Path

import pytest

from benchmark_manager.errors import StartError
from benchmark_manager.stores.embedded.address import AddressFile
from benchmark_manager.stores.embedded.process import lock_for_service
from support.waiting import GENEROUS

URL = "mongodb://127.0.0.1:27017/"


@pytest.fixture
def service(tmp_path: Path) -> Iterator[int]:
    """The lock of a service that has the folder, and has not written its address."""
    lock = lock_for_service(tmp_path)
    yield lock
    os.close(lock)


async def waiting(address: AddressFile) -> asyncio.Task[str | None]:
    """A command that has found no address yet."""
    task = asyncio.create_task(address.wait(GENEROUS))
    await asyncio.sleep(0)
    return task


@pytest.mark.usefixtures("service")
async def test_the_address_of_a_service_that_is_starting_is_awaited(tmp_path: Path) -> None:
    address = AddressFile(tmp_path)
    task = await waiting(address)
    address.write(URL)
    assert await task == URL


@pytest.mark.usefixtures("service")
async def test_a_service_that_takes_too_long_to_start_is_named(tmp_path: Path) -> None:
    with pytest.raises(StartError, match="starting or stopping; try again in a moment"):
        await AddressFile(tmp_path).wait(0)


async def test_a_service_that_ends_before_it_has_an_address_is_not_awaited(tmp_path: Path) -> None:
    lock = lock_for_service(tmp_path)
    task = await waiting(AddressFile(tmp_path))
    os.close(lock)
    assert await task is None


async def test_the_address_of_a_service_that_was_killed_is_none(tmp_path: Path) -> None:
    AddressFile(tmp_path).write(URL)
    (tmp_path / "service.lock").touch()
    assert await AddressFile(tmp_path).wait(0) is None
