"""The service, asked through its HTTP interface; here, inside the test's own process."""

import asyncio
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, Final

import httpx2 as httpx
from argon2 import PasswordHasher
from cryptography.fernet import Fernet
from fastapi import FastAPI
from pydantic import SecretStr
from pydantic_settings import BaseSettings, PydanticBaseSettingsSource
from starlette.routing import BaseRoute

from benchmark_manager.app import create_app
from benchmark_manager.config import Settings
from benchmark_manager.factory import Externals, Services
from benchmark_manager.models.sync import Sync
from benchmark_manager.services.access.hashing import Passwords
from benchmark_manager.workers.pool import Limits, WorkerPool
from github_test_server import Entry, GitHubTestServer, Repository
from support.reused_database import lent
from support.stalls import ALARM, LoopWatch
from support.waiting import eventually

Json = dict[str, Any]


@dataclass(frozen=True, slots=True)
class Api:
    """A running service, wherever it runs.

    `http` speaks to it; the verbs below are what most tests need.
    """

    http: httpx.AsyncClient
    github: GitHubTestServer
    folder: Path

    def repository(
        self, full_name: str, files: Mapping[str, bytes | Entry] | None = None, **hosting: Any
    ) -> Repository:
        """A repository hosted by our GitHub; without files it is empty."""
        repository = Repository.init(self.folder / f"{full_name.replace('/', '__')}.git")
        if files is not None:
            repository.commit(dict(files), message="first")
        self.github.add(full_name, repository, **hosting)
        return repository

    async def project(self, full_name: str, **fields: Any) -> Json:
        """A registered project which nobody polls; its first sync is still to come."""
        body = {"name": full_name, "github_repo_url": full_name, "polling_interval": 0, **fields}
        return await self.post("/projects", body, 201)

    async def synced(self, full_name: str, **fields: Any) -> Json:
        """A registered project after its first sync."""
        project = await self.project(full_name, **fields)
        await self.sync(project["id"])
        return await self.get(f"/projects/{project['id']}")

    async def sync(self, project_id: str, status: int = 200) -> Json:
        """A manual sync: the Sync, or the problem document."""
        return await self.post(f"/projects/{project_id}/sync", None, status)

    async def files(self, project_id: str, **params: Any) -> dict[str, Json]:
        """All originals by path, following every page."""
        return {
            row["path"]: row for row in await self.rows(f"/projects/{project_id}/files", **params)
        }

    async def rows(self, path: str, **params: Any) -> list[Json]:
        rows: list[Json] = []
        url: str | None = str(httpx.URL(path, params={"limit": 1000, **params}))
        while url is not None:
            answer = await self.http.get(url)
            assert answer.status_code == 200, answer.text
            rows += answer.json()
            url = answer.links.get("next", {}).get("url")
        return rows

    async def contents(self, project_id: str) -> dict[str, bytes]:
        """The contents of all originals by path, as their list has them."""
        rows = await self.rows(f"/projects/{project_id}/files", include="content")
        return {row["path"]: row["content"].encode() for row in rows}

    async def raw(self, project_id: str, file_id: str) -> bytes:
        answer = await self.http.get(f"/projects/{project_id}/files/{file_id}/raw")
        assert answer.status_code == 200, answer.text
        return answer.content

    async def variant(self, project_id: str, file: Json, **fields: Any) -> Json:
        """A modified file of this original."""
        return await self.post(
            f"/projects/{project_id}/modified-files",
            {"original_file_id": file["id"], **fields},
            201,
        )

    async def get(self, path: str, status: int = 200, **params: Any) -> Json:
        answer = await self.http.get(path, params=params)
        assert answer.status_code == status, answer.text
        found: Json = answer.json()
        return found

    async def post(self, path: str, body: Json | None, status: int) -> Json:
        answer = await self.http.post(path, json=body)
        assert answer.status_code == status, answer.text
        found: Json = answer.json()
        return found

    async def put(self, path: str, body: Json, status: int = 200, **headers: str) -> Json:
        answer = await self.http.put(path, json=body, headers=headers)
        assert answer.status_code == status, answer.text
        found: Json = answer.json()
        return found


@dataclass(frozen=True, slots=True)
class Service(Api):
    """A service inside this process."""

    app: FastAPI
    #: For other services on the same database.
    secret_key: SecretStr

    @property
    def services(self) -> Services:
        found: Services = self.app.state.services
        return found


class _Given(Settings):
    """Settings from arguments alone: searching the environment takes longer than all the rest."""

    @classmethod
    def settings_customise_sources(
        cls,
        settings_cls: type[BaseSettings],
        init_settings: PydanticBaseSettingsSource,
        env_settings: PydanticBaseSettingsSource,
        dotenv_settings: PydanticBaseSettingsSource,
        file_secret_settings: PydanticBaseSettingsSource,
    ) -> tuple[PydanticBaseSettingsSource, ...]:
        del settings_cls, env_settings, dotenv_settings, file_secret_settings
        return (init_settings,)


def settings_for(database_url: str, github_url: str, folder: Path, **changes: Any) -> Settings:
    own: Json = {
        "data_dir": folder / "data",
        "secret_key": SecretStr(Fernet.generate_key().decode()),
    }
    common: Json = {"mongo_url": SecretStr(database_url), "github_api_urls": (github_url,)}
    return _Given(**{**common, **own, **changes})


_ROUTES: list[BaseRoute] = []


def _routes(app: FastAPI) -> list[BaseRoute]:
    """The same for all services: FastAPI takes longer to make them ready than most tests last."""
    if not _ROUTES:
        _ROUTES.extend(app.router.routes)
    return _ROUTES


class _WatchedTransport(httpx.ASGITransport):
    """Notes which requests held the event loop for too long, and for how many seconds."""

    def __init__(self, **options: Any) -> None:
        super().__init__(**options)
        self.stalls: dict[str, float] = {}

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        with LoopWatch() as watch:
            answer = await super().handle_async_request(request)
        if watch.longest > ALARM:
            self.stalls[f"{request.method} {request.url.path}"] = round(watch.longest, 2)
        return answer


_POOLS: list[WorkerPool] = []
#: A hash of the service takes 20 to 50 ms of a core.
CHEAP_PASSWORDS: Final = Passwords(PasswordHasher(time_cost=1, memory_cost=8, parallelism=1))
#: On a busy machine a free worker process comes late, and tasks need several times the CPU time, as
#: other programs fill the caches. Tests of what is too complex have limits of their own.
_BUSY: Final = Limits(base_seconds=2.0, seconds_per_byte=1e-5, most_seconds=12.0, wait=60.0)


def shared_workers() -> WorkerPool:
    """The pool of all services of this test process."""
    if not _POOLS:
        _POOLS.append(text_workers(_BUSY))
    return _POOLS[0]


def text_workers(limits: Limits) -> WorkerPool:
    """Return a pool of two processes as the service has them, with other limits."""
    return WorkerPool(
        2, warm_up="benchmark_manager.services.texts.text_work:warm_up", limits=limits
    )


async def close_workers() -> None:
    """End the processes which the services of this test process share."""
    while _POOLS:
        await _POOLS.pop().close()


async def no_sleep(_: float) -> None:
    """For services without pauses between their tries of GitHub."""
    await asyncio.sleep(0)


async def running_sync(service: Service, project: Json) -> "asyncio.Task[Sync]":
    """Wait until the project is synced in this process; return the sync's task."""
    return await eventually(
        lambda: service.services.sync.running.get(project["id"]), "the sync does not begin"
    )


@asynccontextmanager
async def running_service(
    database_url: str,
    github: GitHubTestServer,
    folder: Path,
    *,
    externals: Externals | None = None,
    polls: bool = False,
    opens_database: bool = False,
    **settings: Any,
) -> AsyncIterator[Service]:
    """Run a service; with `opens_database`, it opens, checks and prepares its database itself."""
    async with lent("" if opens_database else database_url) as database:
        # What is started once for all services of a test process takes longer than most tests.
        externals = externals or Externals()
        externals = replace(
            externals,
            workers=externals.workers or shared_workers(),
            passwords=externals.passwords or CHEAP_PASSWORDS,
            database=externals.database or database,
        )
        async with _running(database_url, github, folder, externals, polls, settings) as service:
            yield service


@asynccontextmanager
async def _running(
    database_url: str,
    github: GitHubTestServer,
    folder: Path,
    externals: Externals,
    polls: bool,
    settings: Json,
) -> AsyncIterator[Service]:
    given = settings_for(database_url, github.url, folder, **settings)
    app = create_app(given, externals=externals, polls=polls)
    app.router.routes = _routes(app)
    transport = _WatchedTransport(app=app, raise_app_exceptions=False)
    async with (
        app.router.lifespan_context(app),
        httpx.AsyncClient(transport=transport, base_url="http://service", timeout=60) as http,
    ):
        secret_key = given.secret_key
        assert secret_key is not None
        yield Service(http, github, folder, app, secret_key)
    assert not transport.stalls, f"requests held the event loop: {transport.stalls}"
