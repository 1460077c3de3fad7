"""The files and syncs that a service holds, compared with git and with one another."""

import asyncio
from collections import defaultdict
from collections.abc import Mapping
from itertools import pairwise
from typing import Any

import httpx2 as httpx
from pymongo import AsyncMongoClient

from benchmark_manager.domain.git.objects import blob_id
from benchmarks.harness.fleet import Fleet
from benchmarks.harness.report import say
from benchmarks.harness.turns import DATABASE
from support.real_repositories import blob_ids


async def is_stale(fleet: Fleet, http: httpx.AsyncClient, name: str) -> bool:
    """Return whether a project is not at its repository's head, or its last sync failed."""
    project = (await http.get(f"/projects/{fleet.ids[name]}")).json()
    head = await asyncio.to_thread(fleet.repository(name).find_commit, "HEAD")
    good = head is not None and project["last_sync"]["commit_sha"] == head.sha
    good = good and project["sync_status"] in {"ok", "running"}
    if not good:
        say(f"{name} is stale: {project['sync_status']}, {project['last_sync']['message']}")
    return not good


async def count_wrong_files(fleet: Fleet, http: httpx.AsyncClient, name: str) -> int:
    """Count the files that are missing, left over or not those of the head."""
    return len(
        set((await fleet.files(http, name)).items()) ^ set((await _in_git(fleet, name)).items())
    )


async def _in_git(fleet: Fleet, name: str) -> dict[str, str]:
    path = fleet.repository(name).path
    found = await asyncio.gather(
        *(asyncio.to_thread(blob_ids, path, "HEAD", folder) for folder in ("config", "job"))
    )
    return {path: sha for files in found for path, sha in files.items()}


async def count_wrong_bytes(fleet: Fleet, http: httpx.AsyncClient, name: str) -> int:
    """Count the files whose bytes have another blob id than git has for their path."""
    expected = await _in_git(fleet, name)
    rows = (await http.get(f"/projects/{fleet.ids[name]}/files", params={"limit": 1000})).json()
    wrong = 0
    for row in rows:
        content = (await http.get(f"/projects/{fleet.ids[name]}/files/{row['id']}/raw")).content
        wrong += blob_id(content) != expected.get(row["path"])
    return wrong


SyncRecord = Mapping[str, Any]


async def sync_records(url: str) -> dict[str, list[SyncRecord]]:
    """Return every project's sync records, sorted by fence."""
    fields = {"project_id": 1, "fence": 1, "status": 1, "commit_sha": 1, "previous_commit_sha": 1}
    found = defaultdict[str, list[SyncRecord]](list)
    async with AsyncMongoClient[dict[str, Any]](url) as client:
        async for row in client[DATABASE].syncs.find({}, fields).sort("fence", 1):
            found[str(row["project_id"])].append(row)
    return found


def successes(rows: list[SyncRecord]) -> list[SyncRecord]:
    """Return the records of syncs that copied a commit; others may be merged into older ones."""
    return [row for row in rows if row["status"] == "success"]


def broken_links(rows: list[SyncRecord]) -> int:
    """Count syncs that began at another commit than their predecessor's, or copied one again."""
    found = successes(rows)
    gaps = [
        1
        for earlier, later in pairwise(found)
        if later["previous_commit_sha"] != earlier["commit_sha"]
    ]
    commits: set[str] = {row["commit_sha"] for row in found}
    return len(gaps) + len(found) - len(commits)
