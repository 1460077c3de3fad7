"""What a replica held that died: it is free within seconds, and nothing of a living one ever is."""

import asyncio
import subprocess
import sys
import time
from collections.abc import AsyncIterator
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path

import pytest
from bson import ObjectId
from cryptography.fernet import Fernet

from benchmark_manager.models.project import Project, RepositoryAddress, Source
from benchmark_manager.services.operations.replicas import BEAT, DEAD_AFTER, Replicas
from benchmark_manager.stores.database.database import Database
from benchmark_manager.stores.operations.process_identity import (
    ProcessIdentity,
    is_known_to_be_gone,
    own_identity,
)
from benchmark_manager.stores.operations.replicas import ReplicaStore
from benchmark_manager.stores.projects.projects import ProjectStore
from benchmark_manager.stores.sync.leases import LeaseStore
from github_test_server import GitHubTestServer, Repository
from support.databases import connected
from support.process import ROOT, environment, service_process
from support.waiting import busyness

linux_only = pytest.mark.skipif(not sys.platform.startswith("linux"), reason="only Linux has /proc")

FAR = ProcessIdentity(boot_id="another machine", pid_namespace="pid:[1]", pid=1, started=1)

# A replica that takes a project's lease, begins to write to it in a transaction, and goes no
# further.
REPLICA = """
import asyncio, sys
from bson import ObjectId
from benchmark_manager.stores.database.database import Database
from benchmark_manager.stores.sync.leases import LeaseStore
from benchmark_manager.stores.operations.process_identity import own_identity
from benchmark_manager.stores.operations.replicas import ReplicaStore

async def main():
    database = Database(sys.argv[1], "unnamed", "mongodb")
    await ReplicaStore(database, "dead", own_identity()).beat()
    assert await LeaseStore(database).claim(sys.argv[2], "dead")

    async def work(session):
        change = {"$set": {"name": "half done"}}
        match = {"_id": ObjectId(sys.argv[2])}
        await database.collection("projects").update_one(match, change, session=session)
        print("READY", flush=True)
        await asyncio.sleep(600)

    await database.transaction(work)

asyncio.run(main())
"""


def a_project() -> Project:
    repository = RepositoryAddress(api_url="https://api.github.com", owner="octo", name="demo")
    source = Source(repository=repository, config_folder="config", job_folder="job")
    now = datetime(2026, 5, 1, 12, tzinfo=UTC)
    return Project(
        id=str(ObjectId()),
        name="demo",
        created_at=now,
        updated_at=now,
        source=source,
        polling_interval=180,
    )


@pytest.fixture
async def database(database_url: str) -> AsyncIterator[Database]:
    async with connected(database_url) as opened:
        yield opened


@linux_only
async def test_what_a_killed_process_of_this_machine_held_is_free_at_once_even_amid_a_transaction(
    database_url: str, database: Database
) -> None:
    project = a_project()
    await ProjectStore(database).insert(project)
    with subprocess.Popen(
        [sys.executable, "-c", REPLICA, database_url, project.id],
        env=environment(pythonpath=ROOT),
        stdout=subprocess.PIPE,
    ) as process:
        assert process.stdout is not None
        assert await asyncio.to_thread(process.stdout.readline) == b"READY\n"
        leases = LeaseStore(database)
        assert await leases.claim(project.id, "living") is None
        replicas = Replicas(ReplicaStore(database, "living", own_identity()), own_identity())
        await replicas.run()
        assert await leases.claim(project.id, "living") is None, "it lives"
        process.kill()
        process.wait()
        begin = time.monotonic()
        await replicas.run()
        claim = await leases.claim(project.id, "living")
    assert claim is not None
    assert claim.taken_over
    # MongoDB itself ends such a transaction after a minute.
    assert time.monotonic() - begin < 5 * busyness()
    assert (claim.project.name, claim.lease.fence) == (project.name, 3)
    assert await ReplicaStore(database, "living", None).beat() == []


async def test_a_replica_of_another_machine_is_dead_once_its_count_stood_still_long_enough(
    database: Database,
) -> None:
    now = 0.0
    far, dead = ReplicaStore(database, "far", FAR), ReplicaStore(database, "dead", FAR)
    await dead.beat()
    project = a_project()
    await ProjectStore(database).insert(project)
    leases = LeaseStore(database)
    assert await leases.claim(project.id, "dead") is not None
    watching = Replicas(
        ReplicaStore(database, "near", own_identity()), own_identity(), clock=lambda: now
    )
    ran = 0
    while await leases.claim(project.id, "near") is None:
        await far.beat()
        await watching.run()
        now += BEAT
        ran += 1
        assert ran < 20
    assert ran * BEAT == pytest.approx(DEAD_AFTER, abs=2 * BEAT)
    assert {one.owner for one in await ReplicaStore(database, "near", None).beat()} == {"far"}


async def test_a_pause_in_which_everybody_stood_still_makes_nobody_dead(database: Database) -> None:
    """A database that was frozen for a minute, or this process: no one could count on."""
    now = 0.0
    await ReplicaStore(database, "far", FAR).beat()
    watching = Replicas(ReplicaStore(database, "near", None), None, clock=lambda: now)
    await watching.run()
    now += 60
    await watching.run()
    assert {one.owner for one in await ReplicaStore(database, "near", None).beat()} == {"far"}


async def test_a_process_that_stops_leaves_no_entry(database: Database) -> None:
    store = ReplicaStore(database, "near", own_identity())
    await store.beat()
    await Replicas(store, own_identity()).leave()
    assert await database.collection("replicas").count_documents({}) == 0


@linux_only
def test_only_a_process_of_this_machine_is_known_to_be_gone() -> None:
    own = own_identity()
    assert own is not None
    assert not is_known_to_be_gone(own, own)
    with subprocess.Popen(["true"]) as process:
        process.wait()
        ended = replace(own, pid=process.pid)
    assert is_known_to_be_gone(ended, own)
    # The id may be another process's by now.
    assert is_known_to_be_gone(replace(own, started=own.started - 1), own)
    for elsewhere in (replace(ended, boot_id="another"), replace(ended, pid_namespace="pid:[1]")):
        assert not is_known_to_be_gone(elsewhere, own)


@linux_only
async def test_after_a_sigkill_amid_a_sync_the_next_manual_sync_waits_at_most_ten_seconds(
    database_url: str, github: GitHubTestServer, tmp_path: Path
) -> None:
    repository = Repository.init(tmp_path / "b.git")
    repository.commit({"config/a.yaml": b"a: 1\n"}, message="first")
    github.add("acme/b", repository, private_to=["reader"])
    settings = {"mongo_url": database_url, "github_api_urls": github.url, "github_token": "reader"}
    settings["secret_key"] = Fernet.generate_key().decode()
    github.latency = 10
    async with (
        service_process(tmp_path, name="one", **settings) as one,
        service_process(tmp_path, name="two", **settings) as two,
        one.client() as http,
        two.client() as other,
    ):
        body = {"name": "b", "github_repo_url": "acme/b", "polling_interval": 0}
        project = (await http.post("/projects", json=body)).json()["id"]
        owner = None
        while owner is None:
            row = await _lease_of(database_url, project)
            owner = row["lease_owner"]
        github.latency = 0
        dead, living = (one, other) if f"-{one.process.pid}-" in owner else (two, http)
        dead.kill()
        begin = time.monotonic()
        sync = (await living.post(f"/projects/{project}/sync")).json()
        assert time.monotonic() - begin < 10 * busyness()
        assert sync["synced_files"] == 1


async def _lease_of(url: str, project_id: str) -> dict[str, str | None]:
    async with connected(url) as database:
        project = await ProjectStore(database).get(project_id)
    return {"lease_owner": project.lease_owner}
