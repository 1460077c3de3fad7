"""Questions to an embedded server: whether it is ours, and whether it reads its storage."""

from typing import Any, Final

import pymongo
from pymongo import AsyncMongoClient
from pymongo.errors import OperationFailure, PyMongoError

from benchmark_manager.errors import StartError
from benchmark_manager.stores.embedded.password import AUTHENTICATION_FAILED

#: A question that gets no connection is repeated; milliseconds.
_CONNECT_MILLISECONDS: Final = 5_000
_CLOSE_SECONDS: Final = 0.5
_HEARTBEAT: Final = {"_id": "supervisor"}


class PasswordRefusedError(StartError):
    """The server does not know the user, or another password of it."""

    def __init__(self) -> None:
        super().__init__("The embedded database refuses the password in its data folder.")


class Probe:
    """Asks the servers on one port."""

    def __init__(self, url: str) -> None:
        # No limit on the time of an answer: the caller decides how long to wait.
        self._client: AsyncMongoClient[dict[str, Any]] = AsyncMongoClient(
            url,
            appname="benchmark-manager-supervisor",
            maxPoolSize=1,
            retryReads=False,
            connectTimeoutMS=_CONNECT_MILLISECONDS,
            serverSelectionTimeoutMS=_CONNECT_MILLISECONDS,
        )
        self._heartbeats = self._client["supervision"]["heartbeats"]

    async def first_answer(self, pid: int | None) -> bool:
        """Return whether the process `pid` answers, and from its storage.

        Raises:
            PasswordRefusedError
        """
        try:
            # Another program may have taken the port meanwhile.
            status = await self._client.admin.command("serverStatus")
            if status.get("pid") != pid:
                return False
            await self._write_heartbeat()
        except OperationFailure as error:
            if error.code == AUTHENTICATION_FAILED:
                raise PasswordRefusedError from None
            return False
        except PyMongoError:
            return False
        return await self.answers()

    async def _write_heartbeat(self) -> None:
        # Only once: a server on a full disk must still start for readers.
        if await self._heartbeats.find_one(_HEARTBEAT) is None:
            await self._heartbeats.insert_one({**_HEARTBEAT})

    async def answers(self) -> bool:
        """Return whether a read of the storage succeeds; a hung server still answers pings."""
        try:
            return await self._heartbeats.find_one(_HEARTBEAT) is not None
        except PyMongoError:
            return False

    async def close(self) -> None:
        """Close the connection."""
        # It ends sessions at the server, which may be gone or hang.
        with pymongo.timeout(_CLOSE_SECONDS):
            await self._client.close()
