"""What uploading a result costs beside writing its bytes, and what tables read of many.

    python benchmarks/result_upload.py [--uploads 30] [--results 5000] [--databases mongodb]

A result of about 1 MB, in the form of `vllm bench serve` with its lists, is uploaded again and
again, each time with other bytes, to a service in this process. *The write* is that of the same
bytes by the store alone, with the write concern of the service. Then results of 25 metrics each are
stored, and read as a table reads them. Prints medians for each database, also of this process's CPU
time, which says more on a busy machine; parsing is done by others, and not in it.
"""

import argparse
import asyncio
import json
import logging
import random
import statistics
import sys
import tempfile
import time
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Final

_ROOT = Path(__file__).resolve().parents[1]
sys.path[:0] = [str(_ROOT), str(_ROOT / "tests")]

import structlog

from benchmark_manager.models.result import Metric, ParsedResult, ResultPoint, StoredResult
from benchmark_manager.stores.database.database import Database, Session
from benchmark_manager.stores.embedded.embedded import EmbeddedDatabase
from benchmark_manager.stores.results.chunks import ResultChunkStore
from benchmark_manager.stores.results.results import ResultStore
from benchmarks.harness.report import MEGABYTE, print_table, say, seconds
from benchmarks.harness.report import parsed as parsed_arguments
from github_test_server import GitHubTestServer
from support.mongod import ReplicaSet
from support.service import Service, close_workers, running_service

_KINDS: Final = ("mongodb", "embedded")
_METRICS: Final = 25
_BATCH: Final = 250


def result_of(chance: random.Random, requests: int = 2000) -> bytes:
    """Return what `vllm bench serve --save-detailed` writes, in the same shape and size."""
    return json.dumps(
        {
            "backend": "vllm",
            "endpoint_type": "openai",
            "model_id": "m",
            "num_prompts": requests,
            "duration": 61.2,
            "completed": requests,
            "total_input_tokens": 10**6,
            "total_output_tokens": 10**6,
            "request_throughput": 32.7,
            "output_throughput": 4100.5,
            "total_token_throughput": 8200.5,
            "mean_ttft_ms": 41.5,
            "median_ttft_ms": 38.25,
            "p99_ttft_ms": 120.5,
            "mean_tpot_ms": 9.5,
            "p99_tpot_ms": 14.25,
            "ttfts": [chance.random() for _ in range(requests)],
            "itls": [[chance.random() / 50 for _ in range(20)] for _ in range(requests)],
        }
    ).encode()


@asynccontextmanager
async def databases(kind: str, folder: Path) -> AsyncIterator[str]:
    """Start a server of this kind; give its URL."""
    if kind == "mongodb":
        async with await ReplicaSet.start(folder) as replicas:
            yield replicas.url
        return
    embedded = EmbeddedDatabase(folder)
    await embedded.start()
    try:
        yield embedded.url
    finally:
        await embedded.stop()


@dataclass
class Timings:
    """Seconds of each repetition, and seconds of this process's CPU time."""

    wall: list[float] = field(default_factory=list)
    cpu: list[float] = field(default_factory=list)

    @contextmanager
    def measured(self) -> Iterator[None]:
        """Measure the block."""
        start, used = time.perf_counter(), time.process_time()
        yield
        self.wall.append(time.perf_counter() - start)
        self.cpu.append(time.process_time() - used)

    def medians(self) -> tuple[float, float]:
        """Return the medians without the first, which starts what later ones find running."""
        return statistics.median(self.wall[1:]), statistics.median(self.cpu[1:])


async def uploads(service: Service, digest: str, count: int) -> Timings:
    """Upload results of other bytes each."""
    chance = random.Random(7)  # noqa: S311 -- bytes, not secrets
    found = Timings()
    for number in range(count):
        data = result_of(chance)
        with found.measured():
            answer = await service.http.post("/results", params={"release": digest}, content=data)
        assert answer.status_code == 201, answer.text
        if not number:
            say(f"{len(data) / MEGABYTE:.2f} MB, read as {answer.json()['tool']}")
    return found


async def writes(database: Database, count: int) -> Timings:
    """Store the same number of other bytes."""
    store, chance = ResultChunkStore(database), random.Random(8)  # noqa: S311 -- as above
    found = Timings()
    for _ in range(count):
        data = result_of(chance)
        with found.measured():
            await store.put(data, datetime.now(UTC))
    return found


def a_result(project_id: str, number: int) -> StoredResult:
    """Return the result of this number; five have one release."""
    return StoredResult(
        id=Database.new_id(),
        project_id=project_id,
        release=f"sha256:{number // 5:064x}",
        tool="vllm",
        file_name="a.json",
        size=1,
        sha256=f"{number:064x}",
        labels={"gpu": "H100", "driver": "570.124"},
        created_at=datetime.now(UTC),
        created_by="ada",
    )


async def reads(database: Database, count: int) -> Timings:
    """Store results, and read them as a table does."""
    store, project_id = ResultStore(database), Database.new_id()
    metrics = {
        f"ttft_p{number}": Metric(value=number / 3, unit="ms", direction="lower", called="x")
        for number in range(_METRICS)
    }
    parsed = ParsedResult(tool="vllm", points=(ResultPoint(metrics=metrics),))
    for start in range(0, count, _BATCH):

        async def work(session: Session, start: int = start) -> None:
            for number in range(start, min(count, start + _BATCH)):
                await store.insert(a_result(project_id, number), parsed, 1, session)

        await database.transaction(work)
    found = Timings()
    for _ in range(7):
        with found.measured():
            rows = await store.measured(project_id, None, count)
        assert len(rows) == count
    return found


async def measure(kind: str, given: argparse.Namespace) -> list[list[str]]:
    """Return the rows of one kind of database."""
    with tempfile.TemporaryDirectory() as name, GitHubTestServer() as github:
        folder = Path(name)
        async with (
            databases(kind, folder / "database") as url,
            running_service(url, github, folder / "service") as service,
        ):
            service.repository("acme/b", {"config/a.yaml": b"a: 1\n"})
            project = (await service.synced("acme/b"))["id"]
            made = await service.post(f"/projects/{project}/releases", {}, 201)
            uploaded = await uploads(service, made["digest"], given.uploads)
            written = await writes(service.services.database, given.uploads)
            read = await reads(service.services.database, given.results)
    beside = [
        max(0.0, one - other)
        for one, other in zip(uploaded.medians(), written.medians(), strict=True)
    ]
    rows = {
        "upload of 1 MB": uploaded.medians(),
        "the write alone": written.medians(),
        "beside the write": beside,
        f"{given.results} results for a table": read.medians(),
    }
    return [[kind, what, *map(seconds, values)] for what, values in rows.items()]


async def main() -> None:
    """Measure on each kind of database, and print a table."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--uploads", type=int, default=10)
    parser.add_argument("--results", type=int, default=1000)
    parser.add_argument("--databases", nargs="+", choices=_KINDS, default=list(_KINDS))
    structlog.configure(wrapper_class=structlog.make_filtering_bound_logger(logging.ERROR))
    given = parsed_arguments(parser, uploads=30, results=5000)
    rows = [row for kind in given.databases for row in await measure(kind, given)]
    print_table("Results", ["database", "what", "median", "CPU"], rows, left=2)
    await close_workers()


if __name__ == "__main__":
    asyncio.run(main())
