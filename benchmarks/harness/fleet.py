"""Many projects, each with a repository name of its own, registered through the API."""

import asyncio
import json
import random
from collections.abc import AsyncIterator, Awaitable, Callable, Iterable, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Final, TypeVar

import httpx2 as httpx
from cryptography.fernet import Fernet

from benchmark_manager.services.access.announcing import OPEN_WARNING
from benchmarks.harness.github_process import GitHubProcess, host, know_tokens
from benchmarks.harness.report import say
from github_test_server import Repository
from support.process import ServiceProcess, service_process

#: The number of bare repositories that the other names share: each needs a git process.
_SHARED: Final = 4
_AT_ONCE: Final = 32
_PER_SETUP_TOKEN: Final = 50
_TIMEOUT: Final = 120.0
_FOLDERS: Final = {"config_folder": "config", "job_folder": "job"}

T = TypeVar("T")
R = TypeVar("R")


class Fleet:
    """Projects `fleet/00000`, `fleet/00001`, …, some with bare repositories of their own.

    They are registered without polling and with many tokens, since their first syncs would wait
    long for the 900 points a minute that the service uses of one credential. `poll` then sets the
    interval and the tokens to be measured.
    """

    def __init__(self, github: GitHubProcess, folder: Path) -> None:
        self.ids: dict[str, str] = {}
        self.moving: dict[str, Repository] = {}
        self._github = github
        self._folder = folder
        self._shared = [self._repository(f"shared{number}") for number in range(_SHARED)]

    def _repository(self, name: str) -> Repository:
        repository = Repository.init(self._folder / f"{name}.git")
        repository.commit(
            {"config/a.yaml": f"of: {name}\n".encode(), "job/b.yaml": b"kind: Job\n"},
            message="first",
        )
        return repository

    def repository(self, name: str) -> Repository:
        """Return the bare repository of a name."""
        return self.moving.get(name) or self._shared[_number(name) % _SHARED]

    def close(self) -> None:
        for repository in (*self._shared, *self.moving.values()):
            repository.close()

    async def grow(self, service: ServiceProcess, count: int, *, moving: int) -> None:
        """Register and sync projects until there are `count`, `moving` with own repositories."""
        new = [f"fleet/{number:05}" for number in range(len(self.ids), count)]
        if not new:
            return
        wanted = max(0, moving - len(self.moving))
        movers = set(random.Random(7).sample(new, wanted))  # noqa: S311 -- a choice, no secret
        self.moving |= {name: self._repository(name.replace("/", "-")) for name in movers}
        for shared in range(_SHARED):
            same = [
                name for name in new if name not in movers and _number(name) % _SHARED == shared
            ]
            self._github.ask(host, self._shared[shared].path, same)
        for name in movers:
            self._github.ask(host, self.moving[name].path, [name])
        tokens = {name: f"setup-{_number(name) // _PER_SETUP_TOKEN}" for name in new}
        self._github.ask(know_tokens, set(tokens.values()))
        async with service.client(_TIMEOUT) as http:
            # So that no polls run in the meantime.
            await each(self.ids, lambda name: self._change(http, name, {"polling_interval": 0}))

            async def register(name: str) -> None:
                token = tokens[name]
                body = {
                    "name": name,
                    "github_repo_url": name,
                    "polling_interval": 0,
                    "github_token": token,
                    **_FOLDERS,
                }
                self.ids[name] = (await _ok(http.post("/projects", json=body))).json()["id"]

            await each(new, register)
            say(f"{len(new):,} projects registered")
            await self._all_synced(http)

    async def _all_synced(self, http: httpx.AsyncClient) -> None:
        while True:
            statuses = (await _ok(http.get("/status"))).json()["projects_by_sync_status"]
            say(f"first syncs: {statuses}")
            if statuses["ok"] == len(self.ids):
                return
            await asyncio.sleep(5)

    async def _change(self, http: httpx.AsyncClient, name: str, body: dict[str, object]) -> None:
        await _ok(http.put(f"/projects/{self.ids[name]}", json=body))

    async def poll(self, service: ServiceProcess, interval: int, tokens: Sequence[str]) -> None:
        """Start polling of all projects, with the tokens distributed evenly."""
        self._github.ask(know_tokens, tokens)
        async with service.client(_TIMEOUT) as http:

            async def change(name: str) -> None:
                token = tokens[_number(name) % len(tokens)]
                await self._change(
                    http, name, {"polling_interval": interval, "github_token": token}
                )

            await each(self.ids, change)
        say(f"{len(self.ids):,} projects are polled every {interval} s with {len(tokens)} tokens")

    async def files(self, http: httpx.AsyncClient, name: str) -> dict[str, str]:
        """Return the blob ids by path of a project's files in the service."""
        answer = await _ok(http.get(f"/projects/{self.ids[name]}/files", params={"limit": 1000}))
        return {row["path"]: row["sha"] for row in answer.json()}


def _number(name: str) -> int:
    return int(name.rpartition("/")[2])


async def each(
    items: Iterable[T], work: Callable[[T], Awaitable[R]], at_once: int = _AT_ONCE
) -> list[R]:
    """Do the work for every item, some at once, and return the results in the items' order."""
    slots = asyncio.Semaphore(at_once)

    async def limited(item: T) -> R:
        async with slots:
            return await work(item)

    return await asyncio.gather(*(limited(item) for item in items))


async def _ok(request: Awaitable[httpx.Response]) -> httpx.Response:
    answer = await request
    assert answer.is_success, answer.text
    return answer


@dataclass(frozen=True, slots=True)
class Fleets:
    """Starts the services of one benchmark, all with one database and one key."""

    folder: Path
    mongo_url: str
    settings: dict[str, str | int]

    @classmethod
    def of(cls, folder: Path, mongo_url: str, github: GitHubProcess, **settings: int) -> "Fleets":
        key = Fernet.generate_key().decode()
        same: dict[str, str | int] = {
            "github_api_urls": github.url,
            "secret_key": key,
            "log_level": "info",
        }
        return cls(folder, mongo_url, {**same, **settings})

    @asynccontextmanager
    async def service(self, name: str) -> AsyncIterator[ServiceProcess]:
        async with service_process(
            self.folder, name=name, mongo_url=self.mongo_url, **self.settings
        ) as service:
            yield service


def logged_problems(service: ServiceProcess) -> list[str]:
    """Return the log's warnings and errors, and lines that are not JSON, such as tracebacks.

    The warning at each start that nobody has to sign in is left out.
    """
    found = []
    for line in service.output.splitlines():
        try:
            entry = json.loads(line)
            level, event = entry["level"], entry["event"]
        except (ValueError, KeyError, TypeError):
            level, event = "unknown", ""
        if level not in {"debug", "info"} and event != OPEN_WARNING:
            found.append(line)
    return found


async def counted(service: ServiceProcess, metric: str, **labels: str) -> float:
    """Return the sum of a Prometheus counter over all labels other than the given ones."""
    async with service.client(_TIMEOUT) as http:
        text = (await http.get("/metrics")).text
    wanted = [f'{name}="{value}"' for name, value in labels.items()]
    rows = [row for row in text.splitlines() if row.startswith((f"{metric} ", f"{metric}{{"))]
    return sum(
        float(row.rpartition(" ")[2]) for row in rows if all(label in row for label in wanted)
    )
