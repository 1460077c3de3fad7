"""Worker processes are killed at any moment.

No request hangs, no acknowledged write is lost.
"""

import asyncio
import os
import random
import signal
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from pathlib import Path

from benchmark_manager.factory import Externals
from benchmark_manager.workers.pool import Limits, WorkerPool
from github_test_server import GitHubTestServer
from support.service import running_service

#: Takes long enough to be struck in the middle.
CONTENT = "".join(f"key{number}: [{number}, {number}]\n" for number in range(2_000))
WRITES = 3
FILES = 4
#: A process reads the rules before it can be struck.
RULES = "support.tasks:read_rules"


@asynccontextmanager
async def killing(pool: WorkerPool) -> AsyncIterator[None]:
    """Kill one process of the pool after the other, at moments of chance, until the end."""
    chance = random.Random(5)  # noqa: S311 -- moments, no secrets

    async def kill() -> None:
        while True:
            await asyncio.sleep(chance.uniform(0, 0.05))
            for pid in pool.process_ids:
                with suppress(ProcessLookupError):
                    os.kill(pid, signal.SIGKILL)

    task = asyncio.create_task(kill())
    try:
        yield
    finally:
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)


async def test_saves_are_answered_and_kept_while_workers_are_killed(
    database_url: str, github: GitHubTestServer, tmp_path: Path
) -> None:
    pool = WorkerPool(2, warm_up=RULES, limits=Limits(wait=30))
    async with running_service(
        database_url, github, tmp_path, externals=Externals(workers=pool)
    ) as service:
        service.repository("acme/b", {"config/a.yaml": b"a: 1\n"})
        project = await service.synced("acme/b")
        [original] = (await service.files(project["id"])).values()
        variants = [
            await service.variant(project["id"], original, modified_name=f"{number}.yaml")
            for number in range(WRITES)
        ]
        async with killing(pool):
            answers = await asyncio.gather(
                *(
                    service.http.put(
                        f"/modified-files/{variant['id']}",
                        json={"content": f"n: {number}\n{CONTENT}"},
                    )
                    for number, variant in enumerate(variants)
                )
            )
        assert {answer.status_code for answer in answers} <= {200, 503}
        kept = [
            (await service.get(f"/modified-files/{variant['id']}"))["content"]
            for variant in variants
        ]
        expected = [
            f"n: {number}\n{CONTENT}" if answer.status_code == 200 else "a: 1\n"
            for number, answer in enumerate(answers)
        ]
        assert kept == expected
        assert pool.figures.replaced > 0
    await pool.close()


async def test_a_sync_ends_whole_or_not_at_all_while_workers_are_killed(
    database_url: str, github: GitHubTestServer, tmp_path: Path
) -> None:
    pool = WorkerPool(2, warm_up=RULES)
    async with running_service(
        database_url, github, tmp_path, externals=Externals(workers=pool)
    ) as service:
        files = {
            f"config/{number}.yaml": f"n: {number}\n{CONTENT}".encode() for number in range(FILES)
        }
        service.repository("acme/b", files)
        project = await service.project("acme/b")
        async with killing(pool):
            answer = await service.http.post(f"/projects/{project['id']}/sync")
        assert answer.status_code in {200, 503}
        assert len(await service.files(project["id"])) == (
            FILES if answer.status_code == 200 else 0
        )
        assert (await service.sync(project["id"]))["synced_files"] == FILES
    await pool.close()
