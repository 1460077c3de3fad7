"""The delay of a project's polls by 24 poisonous projects, all polled, all moving.

    python benchmarks/poisonous_projects.py [--poisonous 24] [--interval 10] [--seconds 120]

Every project's repository gets a new commit at each interval, so that every poll has something to
read. The poisonous ones have texts of `tests/support/hostile_texts.py` of a megabyte. Prints how
late the other project's polls were, alone and beside them: by the time between two polls beyond the
interval and its jitter.
"""

import argparse
import asyncio
import sys
import tempfile
from collections.abc import Sequence
from datetime import datetime
from itertools import pairwise
from pathlib import Path
from typing import Any, Final

import httpx2 as httpx

_ROOT = Path(__file__).resolve().parents[1]
sys.path[:0] = [str(_ROOT), str(_ROOT / "tests")]

from benchmarks.harness.github_process import lift_limits
from benchmarks.harness.report import percentile, print_table, say, seconds
from github_test_server import GitHubTestServer, Repository
from support.hostile.text import HostileText
from support.hostile_texts import HOSTILE
from support.mongod import ReplicaSet
from support.process import ServiceProcess, service_process

_JITTER: Final = 0.05
#: Characters of a hostile text.
_SIZE: Final = 900_000


async def measure(poisonous: int, interval: int, duration: float) -> None:
    texts = [text for text in HOSTILE if {"sync", "validate", "job"} & set(text.operations)]
    with tempfile.TemporaryDirectory(prefix="bm-poison-") as name, GitHubTestServer() as github:
        folder = Path(name)
        lift_limits(github)
        async with (
            await ReplicaSet.start(folder / "mongod") as replica_set,
            service_process(
                folder, mongo_url=replica_set.url, github_api_urls=github.url, log_level="info"
            ) as service,
            service.client() as client,
        ):
            innocent = Repository.init(folder / "innocent.git")
            github.add("acme/innocent", innocent)
            innocent.commit({"config/a.yaml": b"n: 0\n"}, message="first")
            project = await _registered(client, "acme/innocent", interval)
            alone = await _polls(client, project, [innocent], [None], interval, duration)
            repositories: list[Repository] = [innocent]
            hostile: list[HostileText | None] = [None]
            for number in range(poisonous):
                repository = Repository.init(folder / f"poison{number}.git")
                text = texts[number % len(texts)]
                repository.commit({"config/a.yaml": b"n: 0\n", **_files(text, 0)}, message="first")
                github.add(f"poison/{number}", repository)
                repositories.append(repository)
                hostile.append(text)
                await _registered(client, f"poison/{number}", interval)
            beside = await _polls(client, project, repositories, hostile, interval, duration)
            statuses = (await client.get("/status")).json()["projects_by_sync_status"]
            say(f"projects: {statuses}")
            stall = await _longest_stall(service)
    print_table(
        f"Polls of an innocent project every {interval} s",
        ["", "polls", "late, median", "late, 99 %", "late, at most"],
        [["alone", *_cells(alone)], [f"beside {poisonous} poisonous ones", *_cells(beside)]],
    )
    print(f"\nLongest stall of the event loop: {seconds(stall)}; projects at the end: {statuses}")


def _files(text: HostileText, number: int) -> dict[str, bytes]:
    content = text.make(_SIZE)[0].encode("utf-8", "surrogatepass")
    folder = "job" if "job" in text.operations else "config"
    return {f"{folder}/{number}.{text.format}": content}


async def _registered(client: httpx.AsyncClient, name: str, interval: int) -> dict[str, Any]:
    body = {"name": name, "github_repo_url": name, "polling_interval": interval}
    answer = await client.post("/projects", json=body)
    assert answer.is_success, answer.text
    project: dict[str, Any] = answer.json()
    return project


async def _polls(
    client: httpx.AsyncClient,
    project: dict[str, Any],
    repositories: Sequence[Repository],
    texts: Sequence[HostileText | None],
    interval: int,
    duration: float,
) -> list[float]:
    """Return how late each poll of the project was, in seconds, while all repositories move."""
    begin = asyncio.get_running_loop().time()
    first = (await client.get(f"/projects/{project['id']}/syncs", params={"limit": 1})).json()
    since = first[0]["started_at"] if first else ""
    number = 0
    while asyncio.get_running_loop().time() - begin < duration:
        number += 1
        for repository, text in zip(repositories, texts, strict=True):
            files = {
                "config/a.yaml": f"n: {number}\n".encode(),
                **({} if text is None else _files(text, number)),
            }
            await asyncio.to_thread(repository.commit, files, message=f"number {number}")
        await asyncio.sleep(interval / 2)
    rows = (await client.get(f"/projects/{project['id']}/syncs", params={"limit": 1000})).json()
    starts = sorted(
        datetime.fromisoformat(row["started_at"]) for row in rows if row["started_at"] >= since
    )
    gaps = [(after - before).total_seconds() for before, after in pairwise(starts)]
    return [max(0.0, gap - interval * (1 + _JITTER)) for gap in gaps]


async def _longest_stall(service: ServiceProcess) -> float:
    async with service.client() as client:
        text = (await client.get("/metrics")).text
    rows = [
        row
        for row in text.splitlines()
        if row.startswith("benchmark_manager_event_loop_longest_stall_seconds ")
    ]
    return float(rows[0].split()[1]) if rows else float("nan")


def _cells(late: Sequence[float]) -> list[str]:
    figures = (percentile(late, 0.5), percentile(late, 0.99), max(late, default=float("nan")))
    return [str(len(late)), *map(seconds, figures)]


if __name__ == "__main__":
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--poisonous", type=int, default=24)
    parser.add_argument("--interval", type=int, default=10, help="seconds between polls")
    parser.add_argument(
        "--seconds", type=float, default=120.0, help="how long each of the two measurements takes"
    )
    options = parser.parse_args()
    asyncio.run(measure(options.poisonous, options.interval, options.seconds))
