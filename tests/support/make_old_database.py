"""Fill a database of the installed version through its API, and keep it as a test's fixture.

It was run once on a checkout of 0.1.0, for MongoDB and for the embedded database, and need not run
again:

    PYTHONPATH=CHECKOUT:tests python tests/support/make_old_database.py mongodb
    tests/data/0.1.0-mongodb.bson.gz

The result is one gzipped row of BSON documents, which `support.old_database` reads: first what the
API answered, then each document of each collection.
"""

import asyncio
import base64
import gzip
import json
import sys
import tempfile
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import bson
import httpx2 as httpx
from pydantic import SecretStr
from pymongo import AsyncMongoClient

from benchmark_manager.stores.embedded.embedded import EmbeddedDatabase
from benchmark_manager.version import __version__
from github_test_server import GitHubTestServer
from support import old_repositories as old
from support.mongod import ReplicaSet
from support.service import Json, Service, running_service
from support.webhooks import headers, push

DELIVERY = "3d9f0f2e-0001-4000-8000-000000000001"


@asynccontextmanager
async def server(kind: str, folder: Path) -> AsyncIterator[str]:
    """Yield the URL of an empty database of that kind."""
    if kind == "mongodb":
        async with await ReplicaSet.start(folder) as replica_set:
            yield replica_set.url.replace("/?", "/old?")
        return
    database = EmbeddedDatabase(folder)
    await database.start()
    try:
        yield database.url.replace("/?", "/old?")
    finally:
        await database.stop()


async def fill(service: Service, repositories: old.OldRepositories) -> None:
    """Do everything that people and GitHub can make the service store."""
    bench = await service.project(
        old.BENCH, name="Bench", github_token=old.TOKEN, branch="main", polling_interval=300
    )
    await service.sync(bench["id"])
    edited = await add_variants(service, bench["id"])
    await change_originals(service, bench["id"], edited, repositories)
    await add_trash_of_a_reset(service)
    await deliver_a_push(service)
    await add_a_failing_project(service)
    await add_a_deleted_project(service)


async def add_variants(service: Service, project: str) -> str:
    """Add a variant for each kind of drift, and return the id of one that was edited twice."""
    originals = await service.files(project)

    async def variant(path: str, **fields: Any) -> Json:
        return await service.variant(project, originals[path], **fields)

    edited: str = (await variant("config/a.yaml", modified_name="mine.yaml", description="tried"))[
        "id"
    ]
    for tokens in (200, 300):
        text = (await service.get(f"/modified-files/{edited}"))["content"].replace(
            "tokens: 100", f"tokens: {tokens}"
        )
        saved = await service.http.put(
            f"/modified-files/{edited}", json={"content": text}, headers={"X-Actor": "ada"}
        )
        assert saved.status_code == 200
    await service.put(f"/modified-files/{edited}", {"modified_name": "mine-2.yaml"})
    conflict = await variant("config/a.yaml", modified_name="conflict.yaml")
    changed = conflict["content"].replace("batch: 8", "batch: 32")
    await service.put(f"/modified-files/{conflict['id']}", {"content": changed})
    await variant("config/deep/c.json", content='{"model": "mistral"}\n')
    await variant("config/gone.yaml", description="of a file that goes")
    await variant("config/old-name.yaml", modified_name="follows.yaml")
    await variant("config/template.yaml")
    deleted = await variant("config/b.yaml", modified_name="deleted.yaml")
    answer = await service.http.delete(f"/modified-files/{deleted['id']}")
    assert answer.status_code == 204
    return edited


async def change_originals(
    service: Service, project: str, edited: str, repositories: old.OldRepositories
) -> None:
    """Sync changed files, with releases made before and after, and rebase the edited variant."""
    here = f"/projects/{project}"
    await service.post(
        f"{here}/releases", {"name": "first", "pinned": True, "description": "before"}, 201
    )
    original = (await service.files(project))["config/a.yaml"]
    await service.get(f"{here}/files/{original['id']}/history")
    repositories.advance()
    await service.sync(project)
    await service.sync(project)
    await service.post(f"/modified-files/{edited}/rebase", {}, 200)
    await service.post(f"{here}/releases", {"name": "second"}, 201)
    await service.post(
        f"{here}/releases", {"name": "second again", "description": "made twice"}, 200
    )
    await service.post(f"{here}/releases", {"name": "originals", "include": "originals"}, 201)
    await service.post(f"{here}/pause", None, 200)


async def add_trash_of_a_reset(service: Service) -> None:
    """Add a project whose variants were all deleted at once after a release, and one variant."""
    tools = await service.synced(old.TOOLS, name="Tools")
    here = f"/projects/{tools['id']}"
    for path, row in (await service.files(tools["id"])).items():
        await service.variant(tools["id"], row, content=f"# {path}\nnumber: 0\n")
    await service.post(f"{here}/releases", {"name": "tools"}, 201)
    assert (await service.http.delete(f"{here}/modified-files")).status_code == 200
    await service.variant(
        tools["id"], (await service.files(tools["id"]))["config/1.yaml"], content="number: 100\n"
    )


async def deliver_a_push(service: Service) -> None:
    payload = push(old.TOOLS, service.github.url)
    body = json.dumps(payload).encode()
    signed = headers(body, delivery=DELIVERY, secret=old.WEBHOOK_SECRET)
    answer = await service.http.post("/webhooks/github", content=body, headers=signed)
    assert answer.status_code == 202


async def add_a_failing_project(service: Service) -> None:
    failing = await service.project(old.GONE, name="Failing")
    await service.sync(failing["id"], 422)


async def add_a_deleted_project(service: Service) -> None:
    """Delete a project of which two pinned releases stay."""
    doomed = await service.synced(old.TOOLS, name="Doomed")
    here = f"/projects/{doomed['id']}"
    await service.post(f"{here}/releases", {"name": "kept", "pinned": True}, 201)
    row = (await service.files(doomed["id"]))["config/2.yaml"]
    await service.variant(doomed["id"], row, content="number: of a deleted project\n")
    await service.post(f"{here}/releases", {"name": "of a deleted one", "pinned": True}, 201)
    assert (await service.http.delete(here)).status_code == 204


async def answers(service: Service, digests: list[str]) -> dict[str, Json]:
    """Return what the API answers about everything, by the address that was read.

    `digests` are of all releases.
    """
    found: dict[str, Json] = {}

    async def read(path: str) -> Any:
        answer = await service.http.get(path)
        assert answer.status_code in {200, 409, 422}, (path, answer.text)
        kept: Json = {"status": answer.status_code, "etag": answer.headers.get("etag")}
        if "json" in answer.headers["content-type"]:
            kept["json"] = answer.json()
        else:
            kept["bytes"] = base64.b64encode(answer.content).decode()
        found[path] = kept
        return kept.get("json")

    for project in await read("/projects"):
        await read_project(read, f"/projects/{project['id']}")
    for digest in digests:
        await read_release(read, digest)
    return found


async def read_project(read: Any, here: str) -> None:
    await read(here)
    for sync in await read(f"{here}/syncs"):
        await read(f"{here}/syncs/{sync['id']}")
    for row in await read(f"{here}/files?include_removed=true"):
        for part in ("", "/raw", "/variants"):
            await read(f"{here}/files/{row['id']}{part}")
    for row in await read(f"{here}/modified-files"):
        await read_variant(read, f"/modified-files/{row['id']}")
    await read(f"{here}/effective")
    await read(f"{here}/releases")
    await read(f"{here}/trash")


async def read_variant(read: Any, here: str) -> None:
    for part in ("", "/raw", "/merge", "/diff"):
        await read(f"{here}{part}")
    for revision in await read(f"{here}/revisions"):
        await read(f"{here}/revisions/{revision['number']}")


async def read_release(read: Any, digest: str) -> None:
    release = await read(f"/releases/{digest}")
    for part in (
        "/SHA256SUMS",
        "/archive?format=tar.gz",
        "/archive?format=zip",
        "/configmap?name=kept",
    ):
        await read(f"/releases/{digest}{part}")
    for file in release["files"]:
        await read(str(httpx.URL(f"/releases/{digest}/files/{file['path']}")))


def rows(documents: dict[str, list[Json]]) -> Iterator[Json]:
    for name, found in sorted(documents.items()):
        for document in found:
            yield {"collection": name, "document": document}


async def stored(url: str) -> dict[str, list[Json]]:
    async with AsyncMongoClient[Json](url, serverMonitoringMode="poll") as client:
        database = client.get_default_database()
        names = await database.list_collection_names()
        return {name: await database[name].find({}).sort("_id", 1).to_list() for name in names}


async def make(kind: str, target: Path) -> None:
    with tempfile.TemporaryDirectory() as name, GitHubTestServer() as github:
        folder = Path(name)
        async with server(kind, folder / "database") as url:
            repositories = old.OldRepositories(github, folder)
            settings: Json = {
                "secret_key": SecretStr(old.SECRET_KEY),
                "webhook_secret": SecretStr(old.WEBHOOK_SECRET),
                "max_file_size": old.MAX_FILE_SIZE,
            }
            async with running_service(url, github, folder, **settings) as service:
                await fill(service, repositories)
            documents = await stored(url)
            async with running_service(url, github, folder, **settings) as service:
                kept = await answers(
                    service, sorted(row["digest"] for row in documents["releases"])
                )
        header = {"version": __version__, "github_url": github.url, "answers": kept}
        data = b"".join(bson.encode(row) for row in [header, *rows(documents)])
    target.write_bytes(gzip.compress(data, mtime=0))
    print(
        target,
        target.stat().st_size,
        {name: len(found) for name, found in documents.items()},
        len(kept),
    )


if __name__ == "__main__":
    asyncio.run(make(sys.argv[1], Path(sys.argv[2])))
