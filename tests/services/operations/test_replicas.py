"""What a replica held that died: it is free within seconds, and nothing of a living one ever is."""

import asyncio
import subprocess
import sys
from collections.abc import AsyncIterator, Iterator
from contextlib import contextmanager
from dataclasses import replace
from datetime import UTC, datetime

import pytest
from bson import ObjectId

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
from support.databases import connected
from support.process import ROOT, environment
from support.service import Service, running_service
from support.stopwatch import Stopwatch
from support.waiting import eventually

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


# A replica that syncs a project, without routes. It reads no texts, so that it needs no workers.
SYNCING_REPLICA = """
import asyncio, sys
from pathlib import Path
from cryptography.fernet import Fernet
from benchmark_manager.config import Settings
from benchmark_manager.factory import Externals, open_services
from benchmark_manager.models.access.principal import service_principal
from benchmark_manager.workers.pool import WorkerPool

async def main():
    url, github, project = sys.argv[1:]
    key = Fernet.generate_key().decode()
    settings = Settings(mongo_url=url, github_api_urls=(github,), secret_key=key, data_dir=Path())
    async with open_services(settings, Externals(workers=WorkerPool(1))) as services:
        await services.replicas.run()
        await services.sync.sync(service_principal("command"), project, "manual")

asyncio.run(main())
"""


@contextmanager
def replica(program: str, *arguments: str) -> Iterator["subprocess.Popen[bytes]"]:
    """A process that runs the program; it is killed at the end."""
    with subprocess.Popen(
        [sys.executable, "-c", program, *arguments],
        env=environment(pythonpath=ROOT),
        stdout=subprocess.PIPE,
    ) as process:
        try:
            yield process
        finally:
            process.kill()


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
    with replica(REPLICA, database_url, project.id) as process:
        assert process.stdout is not None
        assert await asyncio.to_thread(process.stdout.readline) == b"READY\n"
        leases = LeaseStore(database)
        assert await leases.claim(project.id, "living") is None
        replicas = Replicas(ReplicaStore(database, "living", own_identity()), own_identity())
        await replicas.run()
        assert await leases.claim(project.id, "living") is None, "it lives"
        process.kill()
        process.wait()
        with Stopwatch() as watch:
            await replicas.run()
            claim = await leases.claim(project.id, "living")
    assert claim is not None
    assert claim.taken_over
    # MongoDB itself ends such a transaction after a minute.
    assert watch.seconds < 5
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
    # Twenty are too many, and end a test whose lease is never free.
    while ran < 20 and await leases.claim(project.id, "near") is None:
        await far.beat()
        await watching.run()
        now += BEAT
        ran += 1
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
    elsewhere = replace(ended, boot_id="another"), replace(ended, pid_namespace="pid:[1]")
    assert [one for one in elsewhere if is_known_to_be_gone(one, own)] == []


@linux_only
async def test_after_a_sigkill_amid_a_sync_the_next_manual_sync_waits_at_most_ten_seconds(
    service: Service, database_url: str, database: Database
) -> None:
    service.repository("acme/b", {"config/a.yaml": b"a: 1\n"})
    project = (await service.project("acme/b"))["id"]
    projects = ProjectStore(database)

    async def is_syncing(process: "subprocess.Popen[bytes]") -> bool:
        owner = (await projects.get(project)).lease_owner
        asked = len(service.github.requests) > 0
        return asked and owner is not None and f"-{process.pid}-" in owner

    with (
        service.github.held(),
        replica(SYNCING_REPLICA, database_url, service.github.url, project) as process,
    ):
        await eventually(lambda: is_syncing(process), "the other replica does not sync")
        process.kill()
        process.wait()
    # A service that polls watches the other replicas.
    async with running_service(
        database_url, service.github, service.folder, polls=True, secret_key=service.secret_key
    ) as living:
        with Stopwatch() as watch:
            sync = await living.sync(project)
    assert watch.seconds < 10
    assert sync["synced_files"] == 1
