"""What a table of 1,000 cells with 5 repeats each takes, in a project of 10,000 results.

    python benchmarks/result_table.py [--cells 1000] [--databases mongodb embedded]

Each result is a file of `vllm bench serve` with 30 metrics, put into the database directly. Two
axes set values in one YAML file, and one of them in a second file too, so that each cell has texts
of its own. The service runs in the process that measures it. Prints the median of `REPEATED`
requests, the processor time of that process in one of them, and the longest time in which its event
loop did nothing else.
"""

import argparse
import asyncio
import contextlib
import gc
import hashlib
import random
import statistics
import sys
import tempfile
import time
from collections.abc import AsyncIterator, Sequence
from pathlib import Path
from typing import Any, Final

_ROOT = Path(__file__).resolve().parents[1]
sys.path[:0] = [str(_ROOT), str(_ROOT / "tests")]

from datetime import UTC, datetime

from bson import ObjectId

from benchmark_manager.domain.results.metrics import known_metric
from benchmark_manager.domain.results.parsing.parse import PARSER_VERSION
from benchmark_manager.logs import configure_logging
from benchmark_manager.models.result import Metric, ParsedResult, ResultPoint, StoredResult
from benchmark_manager.stores.database.database import Session
from benchmark_manager.stores.embedded.embedded import EmbeddedDatabase
from benchmark_manager.stores.results.results import ResultStore
from benchmarks.harness.report import parsed, print_table, say, seconds
from github_test_server import GitHubTestServer
from support.mongod import ReplicaSet
from support.reused_database import close_reused, reused_database
from support.service import Service, close_workers, running_service

REPEATED: Final = 7
_KINDS: Final = ("mongodb", "embedded")
_REPEATS: Final = 5
#: Results that one transaction stores.
_AT_ONCE: Final = 100
_RANDOM: Final = random.Random(1)  # noqa: S311 -- no secret

Json = dict[str, Any]

_ENGINE: Final = "".join(
    f"group{number}:\n  first: {number}\n  second: text-{number}\n" for number in range(40)
)
_FILES: Final = {
    "config/engine.yaml": _ENGINE.encode(),
    "config/client.yaml": b"rate: 1\nother: 2\n",
    "job/bench.yaml": b"apiVersion: batch/v1\nkind: Job\nmetadata: {name: bench}\n",
}


def _definition(cells: int) -> Json:
    rows = 25
    return {
        "name": "many",
        "files": {"engine": "config/engine.yaml", "client": "config/client.yaml"},
        "axes": [
            {
                "name": "first",
                "set": ["engine:group7.first", "client:rate"],
                "values": list(range(1_000, 1_000 + cells // rows)),
            },
            {
                "name": "second",
                "set": "engine:group9.first",
                "values": list(range(5_000, 5_000 + rows)),
            },
        ],
    }


def _metrics() -> dict[str, Metric]:
    """Return the metrics of a file of `vllm bench serve`."""
    latencies = {
        f"{name}_{statistic}": _RANDOM.lognormvariate(3, 0.3)
        for name in ("ttft", "tpot", "itl", "e2el")
        for statistic in ("mean", "p50", "std", "p90", "p95", "p99")
    }
    values = latencies | {
        "request_throughput": _RANDOM.gauss(10, 0.5),
        "output_throughput": _RANDOM.gauss(2500, 100),
        "total_throughput": _RANDOM.gauss(7500, 300),
        "completed": 1000.0,
        "failed": 0.0,
        "duration": _RANDOM.gauss(100, 5),
    }
    found = {}
    for name, value in values.items():
        known = known_metric(name)
        assert known is not None, name
        found[name] = Metric(value=value, unit=known.unit, direction=known.direction, called=name)
    return found


async def _store(service: Service, project: str, digests: Sequence[str]) -> None:
    """Store a result of each of these releases."""
    database = service.services.database
    store = ResultStore(database)
    for start in range(0, len(digests), _AT_ONCE):
        some = digests[start : start + _AT_ONCE]

        async def work(session: Session, some: Sequence[str] = some) -> None:
            for digest in some:
                parsed_result = ParsedResult(tool="vllm", points=(ResultPoint(metrics=_metrics()),))
                key = str(ObjectId())
                await store.insert(
                    StoredResult(
                        id=key,
                        project_id=project,
                        release=digest,
                        tool="vllm",
                        file_name="serve.json",
                        size=2000,
                        sha256=hashlib.sha256(key.encode()).hexdigest(),
                        labels={"gpu": "H100", "driver": "570.124"},
                        created_at=datetime.now(UTC),
                        created_by="benchmark",
                    ),
                    parsed_result,
                    PARSER_VERSION,
                    session,
                )

        await database.transaction(work)


async def _measure(service: Service, cells: int) -> dict[str, str]:
    service.repository("acme/measured", _FILES)
    project = (await service.synced("acme/measured"))["id"]
    home = f"/projects/{project}"
    sweep = await service.post(f"{home}/sweeps", _definition(cells), 201)
    listed = await service.rows(f"/sweeps/{sweep['id']}/cells", limit=1000)
    other = (await service.post(f"{home}/releases", {"name": "by hand"}, 201))["digest"]
    say("storing results")
    digests = [cell["digest"] for cell in listed]
    measured = digests * _REPEATS
    await _store(service, project, [*measured, *[other] * len(measured)])
    say("measuring")
    # As the service does when it has started.
    gc.collect()
    gc.freeze()
    table = f"{home}/results/table?sweep={sweep['id']}&baseline=1"
    found: dict[str, str] = {}
    for what, path in (
        ("the table", table),
        ("the table as CSV", f"{table}&format=csv"),
        ("with 12 metrics", f"{table}&metrics={_many_metrics()}"),
        ("the page", f"/ui{home}/results?sweep={sweep['id']}&baseline=1"),
    ):
        found |= await _often(service, what, path)
    return found


def _many_metrics() -> str:
    return ",".join(
        f"{name}_{statistic}"
        for name in ("ttft", "tpot", "itl", "e2el")
        for statistic in ("mean", "p50", "p99")
    )


async def _often(service: Service, what: str, path: str) -> dict[str, str]:
    times: list[float] = []
    size = 0
    for _ in range(REPEATED):
        begin = time.perf_counter()
        answer = await service.http.get(path)
        times.append(time.perf_counter() - begin)
        assert answer.status_code == 200, answer.text
        size = len(answer.content)
    held = _Held()
    watching = asyncio.create_task(held.watch())
    spent = time.process_time()
    await service.http.get(path)
    spent = time.process_time() - spent
    watching.cancel()
    with contextlib.suppress(asyncio.CancelledError):
        await watching
    return {
        what: seconds(statistics.median(times)),
        f"{what}: bytes": f"{size:,}",
        f"{what}: processor time": seconds(spent),
        f"{what}: the event loop held": seconds(held.longest),
    }


class _Held:
    """The longest time in which the event loop came back to nobody."""

    def __init__(self) -> None:
        self.longest = 0.0

    async def watch(self) -> None:
        while True:
            begin = time.perf_counter()
            await asyncio.sleep(0.001)
            self.longest = max(self.longest, time.perf_counter() - begin - 0.001)


@contextlib.asynccontextmanager
async def _server(kind: str, folder: Path) -> AsyncIterator[str]:
    """Yield the address of a database's server."""
    if kind == "mongodb":
        async with await ReplicaSet.start(folder) as replicas:
            yield replicas.url
            await close_reused(replicas.url)
        return
    database = EmbeddedDatabase(folder)
    await database.start()
    try:
        yield database.url
        await close_reused(database.url)
    finally:
        await database.stop()


async def _run(cells: int, kinds: Sequence[str]) -> None:
    results: dict[str, dict[str, str]] = {}
    with tempfile.TemporaryDirectory() as name, GitHubTestServer() as github:
        for kind in kinds:
            say(kind)
            folder = Path(name) / kind
            folder.mkdir()
            async with (
                _server(kind, folder) as server,
                reused_database(server) as url,
                running_service(url, github, folder) as service,
            ):
                results[kind] = await _measure(service, cells)
            github.hosting.remove("acme/measured")
    await close_workers()
    first = next(iter(results.values()))
    rows = [[what, *(found[what] for found in results.values())] for what in first]
    print_table(f"A table of {cells:,} cells with {_REPEATS} repeats", ["", *results], rows)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--cells", type=int, default=100, help="a multiple of 25")
    parser.add_argument("--databases", nargs="+", choices=_KINDS, default=_KINDS)
    given = parsed(parser, cells=1000)
    configure_logging("error", "json")
    asyncio.run(_run(given.cells, given.databases))


if __name__ == "__main__":
    main()
