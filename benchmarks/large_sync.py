"""A first sync of many files on both databases, step by step, with peak memory.

    python benchmarks/large_sync.py [--files 10000] [--size 10000] [--problems 0] [--cache-gb 0.25]
        [--databases mongodb embedded]

Prints a table: seconds of each step on MongoDB, and the embedded database's as a ratio to them; the
peak resident memory of the service's and the database's processes.
"""

import argparse
import asyncio
import contextlib
import json
import random
import sys
import tempfile
import time
from collections.abc import AsyncIterator, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

import httpx2 as httpx

_ROOT = Path(__file__).resolve().parents[1]
sys.path[:0] = [str(_ROOT), str(_ROOT / "tests")]

from benchmarks.harness.processes import descendants, peak_memory
from benchmarks.harness.report import MEGABYTE
from github_test_server import GitHubTestServer, Repository
from support.mongod import ReplicaSet
from support.process import ServiceProcess, service_process

_KINDS = ("mongodb", "embedded")


@dataclass
class LargeSyncMeasurement:
    """Seconds by step, and peak memory in bytes by process."""

    steps: dict[str, float] = field(default_factory=dict)
    memory: dict[str, int] = field(default_factory=dict)

    @contextlib.contextmanager
    def step(self, name: str) -> Iterator[None]:
        begin = time.perf_counter()
        yield
        self.steps[name] = time.perf_counter() - begin


def _contents(files: int, size: int, problems: int, seed: int = 7) -> dict[str, bytes]:
    """Yield YAML that does not compress well; each file has so many warnings of its own."""
    chance = random.Random(seed)  # noqa: S311 -- filler, not secrets
    line = 50
    return {
        f"config/{n // 100:03}/{n:05}.yaml": b"".join(
            [
                *(
                    b"key_%d: %s\n" % (k, chance.randbytes(line // 3).hex().encode())
                    for k in range(size // line)
                ),
                # Readers of YAML 1.1 take this for a number, those of 1.2 for a text.
                *(b"odd_%d: %d:%02d\n" % (k, n + 1, k % 60) for k in range(problems)),
            ]
        )
        for n in range(files)
    }


async def _measure(
    service: ServiceProcess,
    database_pid: int | None,
    repository: Repository,
    changed: dict[str, bytes],
) -> LargeSyncMeasurement:
    found = LargeSyncMeasurement()
    async with service.client(600) as http:
        body = {
            "name": "large",
            "github_repo_url": "acme/large",
            "github_token": "t",
            "polling_interval": 0,
        }
        project = (await http.post("/projects", json=body)).json()["id"]
        with found.step("first sync"):
            sync = await http.post(f"/projects/{project}/sync")
        assert sync.status_code == httpx.codes.OK, (sync.text, service.output[-3000:])
        print("  ", sync.json()["message"], sync.json()["github"], flush=True)
        parts = json.loads(
            next(line for line in service.output.splitlines() if '"sync applied"' in line)
        )
        found.steps["- of that reading GitHub and storing contents"] = parts["reading_ms"] / 1000
        found.steps["- of that the transaction"] = parts["applying_ms"] / 1000
        with found.step("unchanged sync"):
            await http.post(f"/projects/{project}/sync")
        with found.step("first page of 100"):
            await http.get(f"/projects/{project}/files")
        with found.step("page of 1,000"):
            await http.get(f"/projects/{project}/files", params={"limit": 1000})
        with found.step("project with counts"):
            await http.get(f"/projects/{project}")
        repository.commit(dict(changed), message="some changed")
        with found.step(f"sync of {len(changed):,} changed files"):
            sync = await http.post(f"/projects/{project}/sync")
        assert sync.json().get("updated") == len(changed), sync.text
        with found.step("delete"):
            await http.delete(f"/projects/{project}")
    found.memory["service"] = peak_memory(service.process.pid)
    pids = [database_pid] if database_pid else descendants(service.process.pid)
    found.memory["database"] = max(peak_memory(pid) for pid in pids)
    return found


@contextlib.asynccontextmanager
async def _mongod(folder: Path, cache_gb: float) -> AsyncIterator[tuple[str, int]]:
    async with await ReplicaSet.start(folder, cache_gb=cache_gb) as replicas:
        pid = replicas.nodes[0].pid
        assert pid is not None
        yield replicas.url, pid


async def _run(files: int, size: int, problems: int, kinds: Sequence[str], cache_gb: float) -> None:
    with tempfile.TemporaryDirectory() as name, GitHubTestServer() as github:
        folder = Path(name)
        first = _contents(files, size, problems)
        changed = _contents(min(files, 1000), size // 2, problems, seed=8)
        results = {}
        for kind in kinds:
            repository = Repository.init(folder / f"{kind}.git")
            repository.commit(dict(first), message="first")
            github.add("acme/large", repository, private_to=["t"])
            github.limits.set("t", limit=10**6, remaining=10**6)
            (folder / kind).mkdir()
            print(f"{kind}:", flush=True)
            async with contextlib.AsyncExitStack() as stack:
                settings = {"github_api_urls": github.url, "log_level": "debug"}
                pid = None
                if kind == "mongodb":
                    url, pid = await stack.enter_async_context(_mongod(folder / "mongod", cache_gb))
                    settings["mongo_url"] = url
                service = await stack.enter_async_context(
                    service_process(folder / kind, **settings)
                )
                results[kind] = await _measure(service, pid, repository, changed)
            github.hosting.remove("acme/large")
            repository.close()
    print(f"\n{files:,} files of {size:,} bytes, {problems:,} problems each\n")
    _print_table(results)


def _print_table(results: Mapping[str, LargeSyncMeasurement]) -> None:
    first = next(iter(results.values()))
    print("|", " | ".join(["step", *results]), "|")
    print("|", " | ".join(["---", *("--:" for _ in results)]), "|")
    for step in first.steps:
        print(
            "|",
            " | ".join([step, *(f"{found.steps[step]:.2f} s" for found in results.values())]),
            "|",
        )
    for process in first.memory:
        peaks = (f"{found.memory[process] / MEGABYTE:.0f} MB" for found in results.values())
        print("|", " | ".join([f"peak memory of the {process}", *peaks]), "|")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--files", type=int, default=10_000)
    parser.add_argument("--size", type=int, default=10_000, help="bytes of each file")
    parser.add_argument("--problems", type=int, default=0, help="warnings in each file")
    parser.add_argument("--databases", nargs="+", choices=_KINDS, default=_KINDS)
    parser.add_argument(
        "--cache-gb", type=float, default=0.25, help="mongod's cache; it takes no less than 0.25"
    )
    given = parser.parse_args()
    asyncio.run(_run(given.files, given.size, given.problems, given.databases, given.cache_gb))


if __name__ == "__main__":
    main()
