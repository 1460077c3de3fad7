"""Killing the service at random moments loses no acknowledged result, and makes none twice."""

import asyncio
import hashlib
import random
from pathlib import Path
from typing import Any

import httpx2 as httpx
import pytest

from github_test_server import GitHubTestServer, Repository
from support.process import service_process

pytestmark = [pytest.mark.soak, pytest.mark.timeout(1800)]

ROUNDS = 20
#: Uploads that run when the service is killed.
AT_ONCE = 6


def _data(chance: random.Random) -> bytes:
    """Return a file of up to four parts."""
    return chance.randbytes(chance.choice([100, 1024**2, 1024**2 + 1, 3 * 1024**2 + 7]))


def _digest(data: bytes) -> str:
    return hashlib.sha256(data).hexdigest()


async def _upload(http: httpx.AsyncClient, digest: str, data: bytes) -> str | None:
    """Upload a result; return its id, or None where the service ended before it answered."""
    try:
        answer = await http.post("/results", params={"release": digest}, content=data)
    except httpx.TransportError:
        return None
    assert answer.status_code in {200, 201}, answer.text
    found: str = answer.json()["id"]
    return found


async def _listed(http: httpx.AsyncClient, project: str) -> set[str]:
    answer = await http.get(f"/projects/{project}/results", params={"limit": 1000})
    assert answer.status_code == 200, answer.text
    return {row["id"] for row in answer.json()}


async def _check(http: httpx.AsyncClient, project: str, kept: dict[bytes, str]) -> None:
    """Check that what was acknowledged is there, each once, to the byte."""
    assert await _listed(http, project) == set(kept.values())
    contents = {
        result: _digest((await http.get(f"/results/{result}/raw")).content)
        for result in kept.values()
    }
    assert contents == {result: _digest(data) for data, result in kept.items()}


async def test_sigkill_at_random_moments_of_uploads_loses_and_doubles_nothing(
    mongo_url: str, github: GitHubTestServer, tmp_path: Path
) -> None:
    repository = Repository.init(tmp_path / "r.git")
    repository.commit({"config/a.yaml": b"a: 1\n"}, message="first")
    github.add("acme/b", repository)
    settings: dict[str, Any] = {"github_api_urls": github.url, "mongo_url": mongo_url}
    body = {"name": "b", "github_repo_url": "acme/b", "polling_interval": 0}
    async with service_process(tmp_path, **settings) as service, service.client(60) as http:
        project = (await http.post("/projects", json=body)).json()["id"]
        assert (await http.post(f"/projects/{project}/sync")).status_code == 200
        made = await http.post(f"/projects/{project}/releases", json={})
        digest = made.json()["digest"]
    chance = random.Random(5)  # noqa: S311 -- moments and bytes, not secrets
    kept: dict[bytes, str] = {}
    asked: list[bytes] = []
    wrong: list[str] = []
    for _ in range(ROUNDS):
        async with service_process(tmp_path, **settings) as service, service.client(60) as http:
            again = {data: await _upload(http, digest, data) for data in asked}
            # What was acknowledged before the kill is the same result.
            wrong += [
                f"{kept.get(data)} became {result}"
                for data, result in again.items()
                if result is None or kept.get(data, result) != result
            ]
            kept |= {data: result for data, result in again.items() if result is not None}
            await _check(http, project, kept)
            asked = [_data(chance) for _ in range(AT_ONCE)]
            uploads = [asyncio.create_task(_upload(http, digest, data)) for data in asked]
            await asyncio.sleep(chance.uniform(0, 0.6))
            service.kill()
            answers = await asyncio.gather(*uploads)
            kept |= {
                data: result
                for data, result in zip(asked, answers, strict=True)
                if result is not None
            }
    assert wrong == []
