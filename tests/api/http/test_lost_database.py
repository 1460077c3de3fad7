"""What the service answers while its database is away, and that it works again afterwards."""

import asyncio
from collections.abc import Coroutine
from pathlib import Path
from typing import Any

import httpx2 as httpx
import pytest

from github_test_server import GitHubTestServer
from support.mongod import ReplicaSet, find_mongod
from support.outcomes import outcomes
from support.problems import ObservedAnswers
from support.service import Json, Service, running_service
from support.waiting import GENEROUS, eventually

pytestmark = pytest.mark.skipif(find_mongod() is None, reason="there is no mongod on this machine")


def requests(
    service: Service, project: Json, file: Json, variant: Json
) -> dict[str, Coroutine[Any, Any, httpx.Response]]:
    """Return a request of each kind, by what it does; none is sent yet."""
    http = service.http
    here, there = f"/projects/{project['id']}", f"/modified-files/{variant['id']}"
    new_project = {"name": "new", "github_repo_url": "acme/bench"}
    new_variant = {"original_file_id": file["id"], "modified_name": "b.yaml"}
    return {
        "status": http.get("/status"),
        "projects": http.get("/projects"),
        "create project": http.post("/projects", json=new_project),
        "project": http.get(here),
        "change project": http.put(here, json={"name": "renamed"}),
        "sync": http.post(f"{here}/sync"),
        "files": http.get(f"{here}/files"),
        "raw file": http.get(f"{here}/files/{file['id']}/raw"),
        "create variant": http.post(f"{here}/modified-files", json=new_variant),
        "variants": http.get(f"{here}/modified-files"),
        "variant": http.get(there),
        "change variant": http.put(there, json={"description": "why"}),
        "delete variant": http.delete(there),
        "delete project": http.delete(here),
    }


async def test_without_its_database_the_service_answers_503(
    github: GitHubTestServer, tmp_path: Path, files: dict[str, bytes]
) -> None:
    """On every kind of route, with Retry-After; it works again when the database does."""
    async with (
        await ReplicaSet.start(tmp_path / "set") as replica_set,
        running_service(
            f"{replica_set.url}&serverSelectionTimeoutMS=2500", github, tmp_path
        ) as own,
    ):
        observed = ObservedAnswers()
        own.http.event_hooks = {"request": [], "response": [observed.note]}
        own.repository("acme/bench", files)
        project = await own.synced("acme/bench")
        file = (await own.files(project["id"]))["config/a.yaml"]
        variant = await own.variant(project["id"], file)
        await replica_set.kill(0)
        waiting = requests(own, project, file, variant)
        async with asyncio.timeout(GENEROUS):
            health, *found = await asyncio.gather(own.http.get("/health"), *waiting.values())
        answers = dict(zip(waiting, found, strict=True))
        assert outcomes(answers) == dict.fromkeys(waiting, "503 database_unavailable")
        pauses = {name: int(answer.headers["retry-after"]) for name, answer in answers.items()}
        assert {name: pause for name, pause in pauses.items() if pause < 1} == {}
        assert (health.status_code, health.json()["status"]) == (503, "unhealthy")
        await replica_set.restart(0)
        await replica_set.wait_for_primary()

        async def is_back() -> bool:
            return (await own.http.get(f"/projects/{project['id']}")).is_success

        # The service may learn of it a moment later.
        await eventually(is_back, "the service does not recover")
        assert (await own.get(f"/projects/{project['id']}"))["name"] == "acme/bench"
        assert observed.undocumented == []
