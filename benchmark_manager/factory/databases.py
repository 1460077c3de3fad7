"""Opens the database that the settings name."""

import asyncio
import contextlib
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Final

from benchmark_manager.config import Settings
from benchmark_manager.errors import StartError, reason_of
from benchmark_manager.services.operations.stopping import EMBEDDED_END, StopDeadline
from benchmark_manager.stores.database.database import Database
from benchmark_manager.stores.database.starting import START_SECONDS, Purpose, start
from benchmark_manager.stores.embedded.address import AddressFile
from benchmark_manager.stores.embedded.embedded import NAME as EMBEDDED_NAME
from benchmark_manager.stores.embedded.embedded import EmbeddedDatabase
from benchmark_manager.stores.migrations import migrate
from benchmark_manager.stores.sync.leases import LeaseStore

#: A busy machine may make the embedded database slow while its indexes are made, seconds.
_EMBEDDED_START_SECONDS: Final = 300.0
#: For which a command waits for the address of an embedded database that is starting.
_ADDRESS_SECONDS: Final = 15.0


@asynccontextmanager
async def open_database(
    settings: Settings, deadline: StopDeadline | None = None, *, purpose: Purpose = "serve"
) -> AsyncIterator[Database]:
    """Open the database of MONGO_URL, or the embedded one, checked and with its indexes.

    It is closed by its part of the `deadline`. For a backup, nothing is written. For a backup and a
    command, an embedded database that a service runs is reached through its address.

    Raises:
        StartError
    """
    if settings.mongo_url is not None:
        make_data_dir(settings.data_dir)
        database = Database(settings.mongo_url.get_secret_value(), settings.db_name, "mongodb")
        async with _started(database, purpose):
            yield database
        return
    if purpose in {"backup", "command"}:
        running = await _running_database(settings.data_dir)
        if running is not None:
            database = Database(running, settings.db_name, "embedded")
            async with _started(database, purpose):
                yield database
            return
    make_data_dir(settings.data_dir)
    embedded = EmbeddedDatabase(settings.data_dir)
    url = await embedded.start()
    supervision = asyncio.create_task(embedded.supervise())
    try:
        database = Database(
            url,
            settings.db_name,
            "embedded",
            ensure_room=embedded.ensure_room,
            sample=embedded.sample,
        )
        # It has answered already, and its supervision replaces it where it hangs.
        async with _started(database, purpose, seconds=_EMBEDDED_START_SECONDS):
            if purpose == "serve":
                await LeaseStore(database).break_all()
            yield database
    finally:
        supervision.cancel()
        with contextlib.suppress(asyncio.CancelledError):
            await supervision
        await embedded.stop(None if deadline is None else deadline.until(EMBEDDED_END))


async def _running_database(data_dir: Path) -> str | None:
    """Return the URL of the embedded database of a running service; None where none runs.

    Raises:
        StartError: the folder has no database, or another user's; or a service is still starting.
    """
    try:
        address = await AddressFile(data_dir).wait(_ADDRESS_SECONDS)
        if not (data_dir / EMBEDDED_NAME).is_dir():
            raise StartError(
                f"DATA_DIR {data_dir} holds no database; name its folder, or set MONGO_URL."
            )
    except OSError as error:
        raise StartError(
            f"DATA_DIR {data_dir} cannot be read: {error.strerror}; run the command as the user "
            "of the service."
        ) from None
    return address


@asynccontextmanager
async def _started(
    database: Database, purpose: Purpose, *, seconds: float = START_SECONDS
) -> AsyncIterator[None]:
    try:
        await start(database, seconds=seconds, purpose=purpose)
        if purpose == "serve":
            await migrate(database)
        yield
    finally:
        await database.close()


def make_data_dir(folder: Path) -> None:
    """Make DATA_DIR, for this user alone.

    Raises:
        StartError
    """
    try:
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    except OSError as error:
        raise StartError(f"DATA_DIR {folder} cannot be made: {reason_of(error)}.") from None
