"""Killing the service at random moments loses no acknowledged write and half applies nothing."""

import asyncio
import random
from pathlib import Path

import httpx2 as httpx
import pytest

from github_test_server import GitHubTestServer, Repository
from support.process import service_process
from support.service import Json

pytestmark = [pytest.mark.soak, pytest.mark.timeout(1800)]

ROUNDS = 20
WRITES = 200
FILES = 400


def _settings(mongo_url: str, github: GitHubTestServer) -> dict[str, str]:
    return {"github_api_urls": github.url, "mongo_url": mongo_url}


def _version(number: int) -> dict[str, bytes]:
    """Every file changes with each version, some come and some go."""
    files = {f"config/{n}.yaml": b"version: %d\nfile: %d\n" % (number, n) for n in range(FILES)}
    for n in range(number % 7, FILES, 7):
        del files[f"config/{n}.yaml"]
    return files


async def _held(http: httpx.AsyncClient, project_id: str) -> dict[str, bytes]:
    answer = await http.get(
        f"/projects/{project_id}/files", params={"limit": 1000, "include": "content"}
    )
    assert answer.status_code == 200, answer.text
    assert int(answer.headers["x-total-count"]) == len(answer.json())
    return {row["path"]: row["content"].encode() for row in answer.json()}


async def test_sigkill_at_random_moments_of_a_sync_half_applies_nothing(
    mongo_url: str, github: GitHubTestServer, tmp_path: Path
) -> None:
    chance = random.Random(1)  # noqa: S311 -- moments, not secrets
    repository = Repository.init(tmp_path / "r.git")
    repository.commit(dict(_version(0)), message="0")
    github.add("acme/b", repository, private_to=["reader"])
    github.limits.set("reader", limit=10**6, remaining=10**6)
    settings = _settings(mongo_url, github)
    async with service_process(tmp_path, **settings) as service, service.client() as http:
        project = await _create(http)
        assert (await http.post(f"/projects/{project}/sync")).status_code == 200
        assert await _held(http, project) == _version(0)
        seconds = await _time_of_a_sync(http, repository, project)
    held = _version(1)
    interrupted = 0
    wrong: list[str] = []
    for number in range(2, ROUNDS + 2):
        repository.commit(dict(_version(number)), message=str(number), replace_all=True)
        async with service_process(tmp_path, **settings) as service, service.client() as http:
            if await _held(http, project) != held:
                wrong.append(f"round {number}: other files after a restart")
            sync = asyncio.create_task(_sync(http, project))
            await asyncio.sleep(chance.uniform(0, seconds))
            service.kill()
            interrupted += not await sync
        async with service_process(tmp_path, **settings) as service, service.client() as http:
            if await _held(http, project) not in (held, _version(number)):
                wrong.append(f"round {number}: half applied")
            await _until_synced(http, project)
            if await _held(http, project) != _version(number):
                wrong.append(f"round {number}: not applied by the next sync")
        held = _version(number)
    print(f"\n{interrupted} of {ROUNDS} syncs ({seconds:.1f} s each) were interrupted by SIGKILL")
    assert wrong == []
    assert interrupted >= ROUNDS // 2


async def _create(http: httpx.AsyncClient) -> str:
    body = {
        "name": "b",
        "github_repo_url": "acme/b",
        "github_token": "reader",
        "polling_interval": 0,
    }
    answer = await http.post("/projects", json=body)
    assert answer.status_code == 201, answer.text
    project_id: str = answer.json()["id"]
    return project_id


async def _time_of_a_sync(http: httpx.AsyncClient, repository: Repository, project: str) -> float:
    repository.commit(dict(_version(1)), message="1", replace_all=True)
    answer = await http.post(f"/projects/{project}/sync")
    assert answer.json()["status"] == "success"
    return float(answer.json()["duration_ms"]) / 1000


async def _sync(http: httpx.AsyncClient, project: str) -> bool:
    """Whether the sync was acknowledged."""
    try:
        return (await http.post(f"/projects/{project}/sync")).status_code == 200
    except httpx.TransportError:
        return False


async def _until_synced(http: httpx.AsyncClient, project: str) -> None:
    """A lease of the killed process runs out within 60 s; the manual call waits for it."""
    answer = await http.post(f"/projects/{project}/sync", timeout=120)
    assert answer.status_code == 200, answer.text


async def test_sigkill_during_writes_loses_no_acknowledged_one(
    mongo_url: str, github: GitHubTestServer, tmp_path: Path
) -> None:
    chance = random.Random(2)  # noqa: S311 -- moments, not secrets
    repository = Repository.init(tmp_path / "r.git")
    repository.commit({"config/a.yaml": b"a: 1\n"}, message="first")
    github.add("acme/b", repository, private_to=["reader"])
    settings = _settings(mongo_url, github)
    acknowledged: dict[str, str] = {}
    async with service_process(tmp_path, **settings) as service, service.client() as http:
        project = await _create(http)
        await http.post(f"/projects/{project}/sync")
        original = (await http.get(f"/projects/{project}/files")).json()[0]["id"]
    for number in range(ROUNDS):
        async with service_process(tmp_path, **settings) as service, service.client() as http:
            await _assert_all_there(http, acknowledged)
            writing = asyncio.create_task(_write(http, project, original, number, acknowledged))
            await asyncio.sleep(chance.uniform(0.02, 0.6))
            service.kill()
            await writing
    async with service_process(tmp_path, **settings) as service, service.client() as http:
        await _assert_all_there(http, acknowledged)
        assert await _held(http, project) == {"config/a.yaml": b"a: 1\n"}
    print(f"\n{len(acknowledged)} acknowledged writes over {ROUNDS} kills, all there")
    assert len(acknowledged) >= ROUNDS


async def _write(
    http: httpx.AsyncClient, project: str, original: str, number: int, acknowledged: dict[str, str]
) -> None:
    """Create and change variants until the service is gone; what it acknowledged is remembered."""
    try:
        for n in range(WRITES):
            content = f"round: {number}\nwrite: {n}\n"
            body: Json = {
                "original_file_id": original,
                "modified_name": f"{number}-{n}.yaml",
                "content": content,
            }
            answer = await http.post(f"/projects/{project}/modified-files", json=body)
            assert answer.status_code == 201, answer.text
            acknowledged[answer.json()["id"]] = content
            if n % 3 == 0:
                changed = content + "changed: true\n"
                answer = await http.put(
                    f"/modified-files/{answer.json()['id']}", json={"content": changed}
                )
                # Between sending and hearing, either content may be the stored one.
                acknowledged[answer.json()["id"]] = changed
    except httpx.TransportError:
        return


async def _assert_all_there(http: httpx.AsyncClient, acknowledged: dict[str, str]) -> None:
    """The content of each is the acknowledged one, or that of a change whose answer was lost."""
    answers = {key: await http.get(f"/modified-files/{key}") for key in acknowledged}
    missing = [answer.text for answer in answers.values() if answer.status_code != httpx.codes.OK]
    assert missing == []
    found = {key: answer.json()["content"] for key, answer in answers.items()}
    assert found == {
        key: content if found[key] == content else content + "changed: true\n"
        for key, content in acknowledged.items()
    }
