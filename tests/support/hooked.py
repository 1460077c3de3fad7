"""A service that takes webhooks, and what deliveries change in it."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any, Final

import pytest
from pydantic import SecretStr

from benchmark_manager.factory import Externals
from github_test_server import GitHubTestServer
from support.problems import ObservedAnswers, assert_problem
from support.service import Json, Service, running_service
from support.waiting import eventually
from support.webhooks import PATH, SECRET, deliver, push

#: Of the services that tests share.
TOKEN: Final = "of-the-module"

#: For tests of the fixtures `hooked` and `shared`, which otherwise use the mongod alone.
on_both_databases = pytest.mark.parametrize(
    "hooked_server", ["mongod", "embedded"], indirect=True, scope="module"
)


@dataclass(frozen=True)
class HookedService:
    """A service that takes webhooks, and its only project."""

    service: Service
    project: Json
    #: After how many seconds the poller was to claim due projects, for each wake-up.
    woken: list[float]


@asynccontextmanager
async def hooked_service(
    database_url: str, github: GitHubTestServer, folder: Path, externals: Externals
) -> AsyncIterator[Service]:
    """A service with a secret; it does not poll, not even when a webhook wakes the poller."""
    github.hosting.add_token(TOKEN)
    async with running_service(
        database_url,
        github,
        folder,
        externals=externals,
        webhook_secret=SecretStr(SECRET),
        github_token=SecretStr(TOKEN),
    ) as service:
        observed = ObservedAnswers()
        service.http.event_hooks = {"request": [], "response": [observed.note]}
        yield service
        assert observed.undocumented == []


async def polled_project(service: Service, files: dict[str, bytes]) -> Json:
    """A synced project which is polled, not soon."""
    service.repository("acme/bench", files)
    return await service.synced("acme/bench", polling_interval=86_400)


async def documents(service: Service) -> list[Any]:
    """Every project as it is stored, and the deliveries which are remembered."""
    collection = service.services.database.collection
    projects = await collection("projects").find({}).sort("_id", 1).to_list()
    deliveries = await collection("webhook_deliveries").find({}).sort("_id", 1).to_list()
    return [projects, deliveries]


async def stored(service: Service, project: Json) -> Json:
    projects, _ = await documents(service)
    found: Json = next(row for row in projects if str(row["_id"]) == project["id"])
    return found


async def head_of(service: Service, project: Json) -> str:
    head: str = (await stored(service, project))["state"]["head_sha"]
    return head


async def now(service: Service) -> datetime:
    return await service.services.project_store.now()


def push_to(project: Json, service: Service, **more: Any) -> Json:
    """A push to the project's repository."""
    return push(project["github_repo_url"].partition("/repos/")[2], service.github.url, **more)


async def queued(service: Service, payload: Json) -> list[str]:
    """Deliver a push; return the projects that it queued."""
    answer = await deliver(service, payload)
    assert answer.status_code == 202, answer.text
    body = answer.json()
    assert body.keys() == {"event", "outcome", "projects", "detail"}
    assert body["outcome"] == ("queued" if body["projects"] else "ignored")
    found: list[str] = body["projects"]
    return found


async def assert_refused(service: Service, body: bytes, sent: Any, status: int, code: str) -> Json:
    """Check that a body with these headers is refused, and changes nothing."""
    before = await documents(service)
    answer = await service.http.post(PATH, content=body, headers=sent)
    document: Json = assert_problem(answer, status, code)
    assert await documents(service) == before
    return document


async def until_due(service: Service, project: Json) -> None:
    """Wait until a poll would sync the project."""
    due: datetime = (await stored(service, project))["next_poll_at"]

    async def is_due() -> bool:
        return await now(service) >= due

    # Or the database would be asked a hundred times.
    await asyncio.sleep((due - await now(service)).total_seconds())
    await eventually(is_due, "the project does not become due")


async def polled(service: Service, project: Json) -> list[str]:
    """The triggers of all syncs, newest first, when those that were due have ended."""
    await service.services.polling.run_due()

    async def is_idle() -> bool | None:
        return (await stored(service, project))["lease_until"] is None or None

    await eventually(is_idle, "the sync does not end")
    return [row["trigger"] for row in await service.rows(f"/projects/{project['id']}/syncs")]
