"""A database that 0.1.0 wrote: it reads the same, and the service goes on with it."""

import asyncio
import base64
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest
from pydantic import SecretStr
from pymongo import AsyncMongoClient

from benchmark_manager.stores.database.meta import SCHEMA
from benchmark_manager.stores.migrations import migrate
from github_test_server import GitHubTestServer
from support import old_repositories as old
from support.databases import connected
from support.old_database import OldDatabase, old_database
from support.service import Json, Service, running_service

SETTINGS: Json = {
    "secret_key": SecretStr(old.SECRET_KEY),
    "webhook_secret": SecretStr(old.WEBHOOK_SECRET),
    "max_file_size": old.MAX_FILE_SIZE,
}
#: What may differ: what is due depends on the time of the test, and sentences may be rewritten.
VOLATILE = {"next_poll_at", "detail"}


@pytest.fixture(params=["mongodb", "embedded"])
def kind(request: pytest.FixtureRequest) -> str:
    found: str = request.param
    return found


@pytest.fixture
def url(kind: str, request: pytest.FixtureRequest) -> str:
    found: str = request.getfixturevalue(
        "database_url" if kind == "mongodb" else "embedded_database_url"
    )
    return found


@pytest.fixture
def repositories(github: GitHubTestServer, tmp_path: Path) -> old.OldRepositories:
    return old.OldRepositories(github, tmp_path, commits=2)


@pytest.fixture
async def kept(url: str, kind: str, github: GitHubTestServer) -> OldDatabase:
    """The kept database, loaded."""
    found = old_database(f"0.1.0-{kind}", github.url)
    await found.load(url)
    return found


@pytest.fixture
async def service(
    url: str, kept: OldDatabase, github: GitHubTestServer, tmp_path: Path
) -> AsyncIterator[Service]:
    assert kept.version == "0.1.0"
    async with running_service(url, github, tmp_path, opens_database=True, **SETTINGS) as running:
        yield running


def _at_least(now: Any, then: Any) -> bool:
    """Whether everything that was answered then is answered now; further members are welcome."""
    if isinstance(then, dict):
        return isinstance(now, dict) and all(
            name in now and _at_least(now[name], value)
            for name, value in then.items()
            if name not in VOLATILE
        )
    if isinstance(then, list):
        return isinstance(now, list) and len(now) == len(then) and all(map(_at_least, now, then))
    return bool(now == then)


def _revision(etag: str | None) -> str | None:
    """The part of an ETag which counts people's changes."""
    return etag.partition(".")[0] if etag and "." in etag else None


async def test_everything_reads_the_same(service: Service, kept: OldDatabase) -> None:
    """Ids, digests, revisions in ETags, and the bytes of every content and archive."""
    different = []
    for path, then in kept.answers.items():
        answer = await service.http.get(path)
        same = answer.status_code == then["status"]
        same = same and _revision(answer.headers.get("etag")) == _revision(then["etag"])
        if "json" in then:
            same = same and _at_least(answer.json(), _without_sentence(then["json"]))
        else:
            same = same and answer.content == base64.b64decode(then["bytes"])
        if not same:
            different.append((path, answer.status_code, answer.text[:300], str(then)[:300]))
    assert different == []
    assert len(kept.answers) > 100


def _without_sentence(answer: Any) -> Any:
    """The answer as it was kept; the sentence of a problem document may have been rewritten."""
    is_problem = isinstance(answer, dict) and answer.get("type") == "about:blank"
    return {k: v for k, v in answer.items() if k != "detail"} if is_problem else answer


async def test_the_service_goes_on(service: Service, repositories: old.OldRepositories) -> None:
    """Edits, a sync with the stored token, a release, the trash, and a repeated delivery."""
    by_name = {row["name"]: row for row in await service.rows("/projects")}
    bench, tools = by_name["Bench"], by_name["Tools"]
    here = f"/projects/{bench['id']}"
    variants = {row["modified_name"]: row for row in await service.rows(f"{here}/modified-files")}
    mine = variants["mine-2.yaml"]
    edited = await service.put(f"/modified-files/{mine['id']}", {"content": "model: other\n"})
    assert edited["revision"] == mine["revision"] + 1
    restored = await service.post(f"/modified-files/{mine['id']}/restore", {"revision": 2}, 200)
    assert restored["revision"] == mine["revision"] + 2
    assert (await service.sync(bench["id"]))["status"] == "unchanged"
    commit = repositories.advance()
    sync = await service.sync(bench["id"])
    assert (sync["status"], sync["commit_sha"]) == ("success", commit)
    assert (sync["added"], sync["updated"], sync["removed"]) == (1, 1, 0)
    assert {row["reason"] for row in sync["skipped"]} == {"too_large", "binary", "symlink"}
    effective = await service.get(f"{here}/effective")
    release = await service.post(f"{here}/releases", {"name": "third"}, 201)
    assert release["digest"] == effective["digest"]
    [trashed] = await service.rows(f"{here}/trash")
    await service.post(f"/modified-files/{trashed['id']}/undelete", None, 200)
    rows = await service.rows(f"/projects/{tools['id']}/trash")
    assert len(rows) == 3
    # One of the names was taken again before the database was kept.
    [taken] = await service.rows(f"/projects/{tools['id']}/modified-files")
    await service.put(f"/modified-files/{taken['id']}", {"modified_name": "other.yaml"})
    undone = await service.post(
        f"/projects/{tools['id']}/undo-reset", {"reset_id": rows[0]["reset_id"]}, 200
    )
    assert undone
    assert len(await service.rows(f"/projects/{tools['id']}/modified-files")) == 4
    await service.services.housekeeping.sweep_deleted_projects()
    digests = kept_releases(await service.rows(f"{here}/releases"))
    archives = [await service.http.get(f"/releases/{digest}/archive") for digest in digests]
    assert [answer.status_code for answer in archives] == [200] * len(digests)


def kept_releases(rows: list[Json]) -> list[str]:
    return [row["digest"] for row in rows]


async def test_several_replicas_migrate_at_once_and_any_of_them_may_be_killed(
    url: str, kept: OldDatabase
) -> None:
    """Each step may be repeated: the documents are those of one run, the version comes last."""
    async with AsyncMongoClient[Json](url, serverMonitoringMode="poll") as client:
        documents = client.get_default_database()
        # As the first builds of 0.1.0 left projects.
        await documents["projects"].update_many({}, {"$unset": {"due_rank": "", "credential": ""}})
        async with connected(url) as database:
            killed = asyncio.create_task(migrate(database))
            await asyncio.sleep(0)
            killed.cancel()
            await asyncio.gather(killed, return_exceptions=True)
            await asyncio.gather(*(migrate(database) for _ in range(4)))
        found = await documents["projects"].find({}).sort("_id", 1).to_list()
        assert [row["due_rank"] for row in found] == [
            row["due_rank"] for row in kept.documents["projects"]
        ]
        assert [row["credential"] for row in found] == [
            row["credential"] for row in kept.documents["projects"]
        ]
        assert await documents["meta"].find_one({"_id": "schema"}) == {
            "_id": "schema",
            "version": SCHEMA,
        }
