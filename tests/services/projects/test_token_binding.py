"""A stored token is used for its own project and repository only, at an allowed API base."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import pytest
from bson import ObjectId
from cryptography.fernet import Fernet
from pydantic import SecretStr
from pymongo import AsyncMongoClient
from pymongo.asynchronous.collection import AsyncCollection
from pymongo.uri_parser import parse_uri

from github_test_server import GitHubTestServer
from support.service import Json, Service, running_service

FILES = {"config/a.yaml": b"a: 1\n"}
KEY = Fernet.generate_key().decode()
TOKEN = "ghp_reader"


@asynccontextmanager
async def projects_of(url: str) -> AsyncIterator[AsyncCollection[Json]]:
    """The stored projects, past the service."""
    async with AsyncMongoClient[Json](url) as client:
        yield client[str(parse_uri(url)["database"])]["projects"]


async def set_fields(url: str, project: Json, **fields: Any) -> None:
    changes = {name.replace("__", "."): value for name, value in fields.items()}
    async with projects_of(url) as projects:
        await projects.update_one({"_id": ObjectId(project["id"])}, {"$set": changes})


async def stored_token(url: str, project: Json) -> str:
    async with projects_of(url) as projects:
        row = await projects.find_one({"_id": ObjectId(project["id"])})
    assert row is not None
    token: str = row["source"]["encrypted_token"]
    return token


def sent(github: GitHubTestServer) -> set[str]:
    """The tokens that GitHub was shown."""
    given = (request.headers.get("authorization", "") for request in github.requests.select())
    return {value.rpartition(" ")[2] for value in given if value}


@pytest.fixture
async def kept(
    database_url: str, github: GitHubTestServer, tmp_path: Path
) -> AsyncIterator[Service]:
    """A service whose key outlives it."""
    async with running_service(
        database_url, github, tmp_path, secret_key=SecretStr(KEY)
    ) as service:
        yield service


@pytest.mark.parametrize("other", ["project", "repository", "owner", "base"])
async def test_a_token_that_stands_beside_another_address_is_refused_and_not_sent(
    kept: Service, database_url: str, github: GitHubTestServer, other: str
) -> None:
    kept.repository("acme/b", FILES, private_to=[TOKEN])
    given = await kept.project("acme/b", github_token=TOKEN)
    encrypted = await stored_token(database_url, given)
    victim = await kept.project("acme/b", name="another") if other == "project" else given
    owner, name = (
        ("evil", "b") if other == "owner" else ("acme", "c" if other == "repository" else "b")
    )
    base = github.url.replace("127.0.0.1", "127.0.0.2") if other == "base" else github.url
    await set_fields(
        database_url,
        victim,
        source__encrypted_token=encrypted,
        source__repository={"api_url": base, "owner": owner, "name": name},
        repository_key=f"{base}/repos/{owner}/{name}",
    )
    problem = await kept.sync(victim["id"], 422)
    assert problem["code"] == ("github_url_not_allowed" if other == "base" else "token_unreadable")
    assert sent(github) == set()
    assert (await kept.get(f"/projects/{victim['id']}"))["sync_status"] == "failing"


async def test_an_api_base_that_is_allowed_no_more_gets_nothing(
    kept: Service, database_url: str, github: GitHubTestServer
) -> None:
    kept.repository("acme/b", FILES, private_to=[TOKEN])
    project = await kept.synced("acme/b", github_token=TOKEN)
    [file] = (await kept.files(project["id"])).values()
    github.requests.reset()
    without: Json = {
        "github_api_urls": ("https://ghe.example/api/v3",),
        "secret_key": SecretStr(KEY),
    }
    async with running_service(database_url, github, kept.folder, **without) as later:
        problem = await later.sync(project["id"], 422)
        history = await later.get(f"/projects/{project['id']}/files/{file['id']}/history", 422)
        assert {problem["code"], history["code"]} == {"github_url_not_allowed"}
        assert "GITHUB_API_URLS" in problem["detail"]
        assert (await later.raw(project["id"], file["id"])) == FILES["config/a.yaml"]
    assert len(github.requests) == 0


async def test_tokens_of_version_0_1_0_serve_the_address_that_stood_beside_them_and_no_other(
    database_url: str, github: GitHubTestServer, tmp_path: Path
) -> None:
    old = Fernet(KEY).encrypt(TOKEN.encode()).decode()
    key: Json = {"secret_key": SecretStr(KEY)}
    async with running_service(database_url, github, tmp_path, **key) as service:
        service.repository("acme/b", FILES, private_to=[TOKEN])
        service.repository("acme/c", FILES, private_to=[TOKEN])
        project = await service.project("acme/b", github_token="ghp_to_be_replaced")
        await set_fields(database_url, project, source__encrypted_token=old)
    async with running_service(database_url, github, tmp_path, **key) as upgraded:
        assert (await upgraded.sync(project["id"]))["status"] == "success"
        bound = await stored_token(database_url, project)
        assert bound != old
        moved = {"api_url": github.url, "owner": "acme", "name": "c"}
        codes = []
        for token in (bound, old):
            await set_fields(
                database_url, project, source__repository=moved, source__encrypted_token=token
            )
            codes.append((await upgraded.sync(project["id"], 422))["code"])
        assert codes == ["token_unreadable", "token_unreadable"]


async def test_a_token_that_no_key_opens_does_not_keep_the_service_from_starting(
    database_url: str, github: GitHubTestServer, tmp_path: Path
) -> None:
    async with running_service(database_url, github, tmp_path) as service:
        project = await service.project("acme/b", github_token=TOKEN)
        foreign = Fernet(Fernet.generate_key()).encrypt(TOKEN.encode()).decode()
        await set_fields(database_url, project, source__encrypted_token=foreign)
    async with running_service(database_url, github, tmp_path) as later:
        assert (await later.sync(project["id"], 422))["code"] == "token_unreadable"
    assert await stored_token(database_url, project) == foreign


async def test_a_renamed_repository_keeps_its_token(
    kept: Service, database_url: str, github: GitHubTestServer
) -> None:
    repository = kept.repository("acme/b", FILES, private_to=[TOKEN])
    project = await kept.synced("acme/b", github_token=TOKEN)
    before = await stored_token(database_url, project)
    github.hosting.rename("acme/b", "acme/renamed")
    syncs = []
    for number in range(2):
        repository.commit({"config/new.yaml": b"n: %d\n" % number}, message="next")
        syncs.append((await kept.sync(project["id"]))["status"])
    assert syncs == ["success", "success"]
    renamed = await kept.get(f"/projects/{project['id']}")
    assert (renamed["github_repo_url"], renamed["github_token_set"]) == (
        f"{github.url}/repos/acme/renamed",
        True,
    )
    assert await stored_token(database_url, project) != before


@pytest.mark.parametrize("owner", ["Acme", "acme"])
async def test_the_services_token_serves_the_owners_that_are_listed_only(
    database_url: str, github: GitHubTestServer, tmp_path: Path, owner: str
) -> None:
    settings: Json = {"github_token": SecretStr(TOKEN), "github_owners": f"other, {owner}"}
    async with running_service(database_url, github, tmp_path, **settings) as service:
        for name in ("acme/b", "stranger/b"):
            service.repository(name, FILES, private_to=[TOKEN])
        assert (await service.synced("acme/b"))["sync_status"] == "ok"
        github.requests.reset()
        project = await service.project("stranger/b")
        assert (await service.sync(project["id"], 422))["code"] == "repository_not_found"
        assert sent(github) == set()
        own = await service.synced("stranger/b", name="with its own", github_token=TOKEN)
        assert own["sync_status"] == "ok"
