"""What a newer version stores: unknown fields stay over changes, unknown words break no answer."""

import json
import re
from collections.abc import AsyncIterator, Iterator
from pathlib import Path
from typing import Any, Final

import pytest
from pydantic import SecretStr
from pymongo import AsyncMongoClient, UpdateOne

import benchmark_manager
from benchmark_manager.stores.operations.process_identity import ProcessIdentity
from benchmark_manager.stores.operations.replicas import ReplicaStore
from github_test_server import GitHubTestServer
from support import old_repositories as old
from support.old_database import OldDatabase, old_database
from support.service import Json, Service, running_service
from support.webhooks import headers, push

MARK: Final = "of_a_newer_version"
SETTINGS: Final[Json] = {
    "secret_key": SecretStr(old.SECRET_KEY),
    "webhook_secret": SecretStr(old.WEBHOOK_SECRET),
    "max_file_size": old.MAX_FILE_SIZE,
}
#: Embedded documents which a newer version may have given more fields, by collection.
NESTED: Final = {
    "projects": ("source", "source.repository", "state", "state.last_sync"),
    "syncs": ("github",),
    "github_limits": ("limits.core",),
}
#: Lists of embedded documents.
LISTS: Final = {
    "files": ("problems",),
    "modified_files": ("problems",),
    "releases": (),
    "release_files": ("files",),
    "syncs": ("skipped", "changes", "warnings"),
    "file_histories": ("commits",),
    "trash_bundles": ("files",),
}
#: Fields with fixed words, to which a newer version may have added one.
WORDS: Final = {
    "projects": ("state.status", "due_trigger"),
    "files": ("file_type", "format", "validity"),
    "modified_files": ("file_type", "format", "validity", "drift"),
    "trash": ("file_type", "format", "validity", "drift"),
    "revisions": ("what",),
    "skipped_files": ("reason",),
    "syncs": ("status", "trigger"),
}


@pytest.fixture(params=["mongodb", "embedded"])
def url(request: pytest.FixtureRequest) -> str:
    found: str = request.getfixturevalue(
        "database_url" if request.param == "mongodb" else "embedded_database_url"
    )
    return found


@pytest.fixture
def repositories(github: GitHubTestServer, tmp_path: Path) -> old.OldRepositories:
    return old.OldRepositories(github, tmp_path, commits=2)


@pytest.fixture
async def kept(url: str, github: GitHubTestServer) -> OldDatabase:
    """A database with something in every collection, loaded."""
    found = old_database("0.1.0-mongodb", github.url)
    await found.load(url)
    return found


@pytest.fixture
async def client(url: str, kept: OldDatabase) -> AsyncIterator[AsyncMongoClient[Json]]:
    assert kept.documents
    async with AsyncMongoClient[Json](url, serverMonitoringMode="poll") as client:
        yield client


async def _mark_everything(client: AsyncMongoClient[Json]) -> dict[str, set[Any]]:
    """Write unknown fields into every document; returns the ids of each collection."""
    database = client.get_default_database()
    marked: dict[str, set[Any]] = {}
    for name in await database.list_collection_names():
        rows = await database[name].find({}).to_list()
        updates: list[UpdateOne] = []
        for row in rows:
            changes: Json = {MARK: {"any": [1]}}
            for field in NESTED.get(name, ()):
                if isinstance(_at(row, field), dict):
                    changes[f"{field}.{MARK}"] = 1
            for field in LISTS.get(name, ()):
                changes |= {
                    f"{field}.{index}.{MARK}": 1 for index in range(len(row.get(field, ())))
                }
            updates.append(UpdateOne({"_id": row["_id"]}, {"$set": changes}))
        if updates:
            await database[name].bulk_write(updates)
        marked[name] = {row["_id"] for row in rows}
    return marked


def _at(row: Json, field: str) -> Any:
    found: Any = row
    for name in field.split("."):
        found = found.get(name) if isinstance(found, dict) else None
    return found


async def _lost(
    client: AsyncMongoClient[Json], marked: dict[str, set[Any]]
) -> list[tuple[str, Any, str]]:
    """Documents that are still there, and have lost what was written into them."""
    database = client.get_default_database()
    lost: list[tuple[str, Any, str]] = []
    for name, ids in marked.items():
        async for row in database[name].find({}):
            if row["_id"] not in ids:
                continue
            fields = [
                MARK,
                *(
                    f"{field}.{MARK}"
                    for field in NESTED.get(name, ())
                    if isinstance(_at(row, field), dict)
                ),
            ]
            # A new record of a sync is another document, wherever it stands.
            fields = [
                field
                for field in fields
                if not (field.startswith("state.last_sync.") and _synced_anew(row))
            ]
            lost += [(name, row["_id"], field) for field in fields if _at(row, field) is None]
    return lost


def _synced_anew(row: Json) -> bool:
    return bool(
        row["state"]["last_sync"].get(MARK) is None and row["state"]["last_sync"]["repeated"] == 0
    )


async def _change_everything(service: Service, repositories: old.OldRepositories) -> None:
    """Every route that changes something, at least once, on what was there before."""
    projects = {row["name"]: row["id"] for row in await service.rows("/projects")}
    bench, tools = projects["Bench"], projects["Tools"]
    variants = await service.rows(f"/projects/{bench}/modified-files")
    await _change_project(service, bench)
    await _change_variants(service, {row["modified_name"]: row["id"] for row in variants}, bench)
    repositories.advance()
    assert (await service.sync(bench))["status"] == "success"
    assert (await service.sync(bench))["status"] == "unchanged"
    await _release(service, bench)
    await service.post(
        f"/projects/{tools}/releases", {"name": "tools again", "include": "originals"}, 200
    )
    await _reset_variants(service, tools)
    await service.sync(projects["Failing"], 422)
    await _work_in_background(service)


async def _change_project(service: Service, project: str) -> None:
    here = f"/projects/{project}"
    await service.put(
        here, {"name": "Renamed", "polling_interval": 600, "config_folder": "config/"}
    )
    await service.put(here, {"github_token": old.TOKEN})
    await service.post(f"{here}/resume", None, 200)
    await service.post(f"{here}/pause", None, 200)
    await service.sync(project)


async def _change_variants(service: Service, ids: dict[str, str], project: str) -> None:
    mine, conflict = (f"/modified-files/{ids[name]}" for name in ("mine-2.yaml", "conflict.yaml"))
    await service.put(mine, {"content": "model: other\n"})
    await service.put(mine, {"modified_name": "named.yaml", "description": "again"})
    await service.post(f"{mine}/restore", {"revision": 1}, 200)
    merge = await service.get(f"{conflict}/merge")
    taken = [{"path": row["path"], "take": "mine"} for row in merge["conflicts"]]
    await service.post(f"{conflict}/rebase", {"resolutions": taken}, 200)
    assert (await service.http.delete(mine)).status_code == 204
    await service.rows(f"/projects/{project}/trash")
    await service.post(f"{mine}/undelete", None, 200)


async def _release(service: Service, project: str) -> None:
    """Read the history of a file, and change a release and make another twice."""
    here = f"/projects/{project}"
    for row in await service.rows(f"{here}/files"):
        if row["path"] == "config/a.yaml":
            await service.get(f"{here}/files/{row['id']}/history")
    rows = await service.rows(f"{here}/releases")
    await service.put(f"/releases/{rows[0]['digest']}", {"name": "named", "pinned": True})
    names = [row["name"] for row in rows]
    assert "originals" in names
    for _ in range(2):
        body = {"name": "once more", "include": "originals"}
        await service.http.post(f"{here}/releases", json=body)


async def _reset_variants(service: Service, project: str) -> None:
    """Undo the reset in the trash, then reset the variants and undo that too."""
    here = f"/projects/{project}"
    reset = (await service.rows(f"{here}/trash"))[0]["reset_id"]
    [other] = await service.rows(f"{here}/modified-files")
    await service.put(f"/modified-files/{other['id']}", {"modified_name": "other.yaml"})
    await service.post(f"{here}/undo-reset", {"reset_id": reset}, 200)
    answer = await service.http.delete(f"{here}/modified-files")
    await service.post(f"{here}/undo-reset", {"reset_id": answer.json()["reset_id"]}, 200)


async def _work_in_background(service: Service) -> None:
    """Sync by all, by a webhook and by polls; share limits and clean up."""
    await service.post("/projects/sync-all", None, 202)
    body = json.dumps(push(old.TOOLS, service.github.url)).encode()
    delivery = "3d9f0f2e-0001-4000-8000-000000000001"
    signed = headers(body, delivery=delivery, secret=old.WEBHOOK_SECRET)
    answer = await service.http.post("/webhooks/github", content=body, headers=signed)
    assert answer.status_code == 202
    await service.services.polling.run_due()
    await service.services.sync.stop(5)
    await service.services.limits.run()
    await service.services.housekeeping.run()


async def test_every_change_keeps_fields_that_this_version_does_not_know(
    url: str,
    client: AsyncMongoClient[Json],
    repositories: old.OldRepositories,
    github: GitHubTestServer,
    tmp_path: Path,
) -> None:
    """In documents, in embedded documents, and in variants on their way into the trash and back."""
    async with running_service(url, github, tmp_path, opens_database=True, **SETTINGS):
        pass  # so that the service's own documents are there too
    marked = await _mark_everything(client)
    assert len(marked) >= 19
    async with running_service(url, github, tmp_path, opens_database=True, **SETTINGS) as service:
        await _change_everything(service, repositories)
        assert await _lost(client, marked) == []
        database = client.get_default_database()
        # Those of the bundle came back as variants.
        rows = [
            row for row in await database["modified_files"].find({}).to_list() if "files" not in row
        ]
        assert len(rows) >= 8
        assert sum(MARK in row for row in rows) >= 8


# Answers are made of documents that either database returns as they are.
@pytest.mark.parametrize("url", ["mongodb"], indirect=True)
async def test_words_that_this_version_does_not_know_break_no_answer(
    url: str,
    client: AsyncMongoClient[Json],
    repositories: old.OldRepositories,
    github: GitHubTestServer,
    tmp_path: Path,
) -> None:
    """No route answers 500, and what is stored stays as it is."""
    database = client.get_default_database()
    for name, fields in WORDS.items():
        await database[name].update_many({}, {"$set": dict.fromkeys(fields, "newer")})
    await database["files"].update_many(
        {"problems.0": {"$exists": True}}, {"$set": {"problems.0.severity": "newer"}}
    )
    await database["syncs"].update_many(
        {"changes.0": {"$exists": True}},
        {
            "$set": {
                "changes.0.change": "newer",
                "modified_files_by_drift": {"newer": 2, "current": 1},
            }
        },
    )
    await database["syncs"].update_many(
        {"skipped.0": {"$exists": True}}, {"$set": {"skipped.0.reason": "newer"}}
    )
    await database["release_files"].update_many({}, {"$set": {"files.0.source": "newer"}})
    await database["projects"].update_many(
        {"state.last_sync": {"$ne": None}}, {"$set": {"state.last_sync.status": "newer"}}
    )
    await database["github_limits"].update_many(
        {}, {"$set": {"limits.search": {"limit": 1}, "spent.search": {"1": 1}}}
    )
    assert repositories is not None
    async with running_service(url, github, tmp_path, opens_database=True, **SETTINGS) as service:
        failed = [path async for path in _unreadable(service)]
        assert failed == []
        status = await service.get("/status")
        assert status["total_projects"] == sum(status["projects_by_sync_status"].values()) == 3
        assert await database["modified_files"].count_documents({"drift": "newer"}) > 0
        [variant] = [
            row for row in await _variants(service) if row["modified_name"] == "mine-2.yaml"
        ]
        assert variant["drift"] == "conflict"
        await service.put(f"/modified-files/{variant['id']}", {"description": "changed"})
        row = await database["modified_files"].find_one({"description": "changed"})
        assert row is not None
        assert (row["validity"], row["file_type"]) == ("newer", "newer")


async def _variants(service: Service) -> list[Json]:
    rows: list[Json] = []
    for project in await service.rows("/projects"):
        rows += await service.rows(f"/projects/{project['id']}/modified-files")
    return rows


async def _unreadable(service: Service) -> AsyncIterator[str]:
    """The addresses that cannot be read."""
    for path in [path async for path in _addresses(service)]:
        answer = await service.http.get(path)
        if answer.status_code >= 500:
            yield f"{path}: {answer.status_code} {answer.text[:200]}"


async def _addresses(service: Service) -> AsyncIterator[str]:
    for path in ("/status", "/metrics", "/projects", "/ui", "/ui/projects", "/ui/status"):
        yield path
    for project in (await service.http.get("/projects")).json():
        key = project["id"]
        here, page = f"/projects/{key}", f"/ui/projects/{key}"
        lists = (
            "",
            "/files",
            "/files?include_removed=true",
            "/modified-files",
            "/syncs",
            "/sync",
            "/releases",
            "/trash",
        )
        for part in (*lists, "/effective"):
            yield here + part
        for part in ("", "/files", "/modified-files", "/syncs", "/releases", "/trash", "/settings"):
            yield page + part
        for part, pages in _parts():
            for row in (await service.http.get(f"{here}/{part}")).json():
                name = row.get("id") or row.get("digest")
                yield f"{pages.format(here=here)}/{name}"
                yield f"{page}/{part}/{name}"
                if part == "modified-files":
                    for more in ("/revisions", "/merge", "/diff"):
                        yield f"/modified-files/{name}{more}"
                if part == "files":
                    yield f"{here}/files/{name}/variants"


def _parts() -> Iterator[tuple[str, str]]:
    yield "files", "{here}/files"
    yield "modified-files", "/modified-files"
    yield "syncs", "{here}/syncs"
    yield "releases", "/releases"


def test_no_store_replaces_a_whole_document() -> None:
    """Writes name the fields that they change."""
    stores = Path(benchmark_manager.__file__).parent / "stores"
    replacing = re.compile(r"\b(replace_one|find_one_and_replace|ReplaceOne)\b")
    assert [
        path.name for path in stores.rglob("*.py") if replacing.search(path.read_text("utf-8"))
    ] == []


async def test_a_replica_of_a_newer_version_is_watched_too(service: Service) -> None:
    """A newer version may say more of its process."""
    database = service.services.database
    process = {"boot_id": "b", "pid_namespace": "n", "pid": 1, "started": 2, "cgroup": "c"}
    await database.collection("replicas").insert_one(
        {"_id": "newer", "beats": 1, "process": process}
    )
    others = {one.owner: one.process for one in await ReplicaStore(database, "own", None).beat()}
    assert others["newer"] == ProcessIdentity("b", "n", 1, 2)
