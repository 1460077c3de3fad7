"""The cost of a read, compared with a bare handler of the same documents from the same MongoDB.

    python benchmarks/reads.py [--rounds 15] [--seconds 0.5] [--beside CHECKOUT]

The service and the handler of `harness/bare.py` are separate processes. Both answer the same
requests over open connections, turn by turn: a list of 100 and of 1,000 originals, and one file
with its content, at 1 and at 16 connections; and that file compared with a handler that reads only
the file's document. Except for the last, the handler's JSON equals the service's, byte for byte,
which is checked first. `--beside` measures the service of another checkout in the same turns, for a
"before".

The repository is lm-evaluation-harness of the collection beside the checkout (`--data`), else a
generated one. A table gives, of all turns, the median seconds of one request, the spread of its
middle half, the processor time of the asked process, and how many times the bare handler's they
are. The machine's own load changes seconds more than it changes ratios and processor time.
"""

import argparse
import asyncio
import contextlib
import re
import statistics
import subprocess
import sys
import tempfile
import time
from collections import defaultdict
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

_ROOT = Path(__file__).resolve().parents[1]
sys.path[:0] = [str(_ROOT), str(_ROOT / "tests")]

import httpx2 as httpx

from benchmark_manager.stores.embedded.ports import free_port
from benchmarks.harness.asking import Asked, Spent
from benchmarks.harness.github_process import GitHubProcess, host
from benchmarks.harness.report import parsed, print_table, say
from benchmarks.harness.subjects import subjects
from support.mongod import ReplicaSet
from support.process import environment, service_process

_DATABASE: Final = "reads"
_BARE: Final = "bare handler"
_SERVICE: Final = "service"
_BEFORE: Final = "service before"
_START_SECONDS: Final = 30
_AT_ONCE: Final = (1, 16)
_WARM: Final = 50
_IDS_AND_TIMES: Final = re.compile(rb'"[0-9a-f]{24}"|"synced_at":"[^"]+"')
_LISTS: Final = {
    "list of 100": "/projects/{project}/files?limit=100",
    "list of 1,000": "/projects/{project}/files?limit=1000",
}
_FILE: Final = "/projects/{project}/files/{file}"
#: Here the bare handler reads the file's document alone.
_DOCUMENT: Final = "one file, bare without content"
_READS: Final = _LISTS | {"one file": _FILE, _DOCUMENT: _FILE}


@dataclass(frozen=True, slots=True)
class ReadSubject:
    """Who is asked, and the addresses of the same reads there."""

    server: Asked
    paths: Mapping[str, str]


async def _run(rounds: int, length: float, data: Path, beside: Path | None) -> None:
    async with contextlib.AsyncExitStack() as stack:
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="bm-reads-")))
        github = stack.enter_context(GitHubProcess())
        replicas = await stack.enter_async_context(await ReplicaSet.start(folder / "mongod"))
        upstream = subjects(data)[-1]
        upstream.build(folder / "r.git")
        github.ask(host, folder / "r.git", [upstream.full_name])
        folders = {"config_folder": upstream.config_folder, "job_folder": upstream.job_folder}
        settings = {"github_api_urls": github.url, "mongo_url": replicas.url, "log_level": "info"}
        roots = {_SERVICE: _ROOT} if beside is None else {_SERVICE: _ROOT, _BEFORE: beside}
        asked: dict[str, ReadSubject] = {}
        for name, root in roots.items():
            # A database of its own: an older version need not understand what a newer one wrote.
            database = _DATABASE if name == _SERVICE else f"{_DATABASE}_before"
            own: dict[str, Any] = {"root": root, "data_dir": folder / database, "db_name": database}
            process = service_process(folder, name=database, **settings, **own)
            service = await stack.enter_async_context(process)
            paths = await _synced(service.url, upstream.full_name, **folders)
            asked[name] = ReadSubject(Asked(service.url, service.process.pid), paths)
        bare_paths = {
            **asked[_SERVICE].paths,
            _DOCUMENT: f"{asked[_SERVICE].paths[_DOCUMENT]}/document",
        }
        asked[_BARE] = ReadSubject(await stack.enter_async_context(_bare(replicas.url)), bare_paths)
        requests = {read: await _fitting(asked[_BARE], read, length) for read in _READS}
        await _check_same(asked)
        spent = await _turns(asked, requests, rounds)
    title = f"{len(upstream.contents):,} files of {upstream.full_name}; {rounds} turns"
    head = [
        "read",
        "at once",
        "asked",
        "a request",
        "middle half",
        "processor",
        "times as long",
        "times the processor",
    ]
    rows = [row for read in _READS for at_once in _AT_ONCE for row in _rows(spent, read, at_once)]
    print_table(title, head, rows, left=3)


async def _synced(url: str, name: str, **folders: str) -> dict[str, str]:
    """Return the addresses of the reads, of a project that was just synced."""
    async with httpx.AsyncClient(base_url=url, timeout=120, trust_env=False) as http:
        body = {"name": "reads", "github_repo_url": name, "polling_interval": 0, **folders}
        project = (await http.post("/projects", json=body)).json()["id"]
        sync = await http.post(f"/projects/{project}/sync")
        assert sync.status_code == httpx.codes.OK, sync.text
        rows = (await http.get(f"/projects/{project}/files", params={"limit": 1000})).json()
    # One of usual size.
    file = sorted(rows, key=lambda row: (row["size"], row["path"]))[len(rows) // 2]["id"]
    return {read: path.format(project=project, file=file) for read, path in _READS.items()}


@asynccontextmanager
async def _bare(mongo_url: str) -> AsyncIterator[Asked]:
    port = free_port()
    script = _ROOT / "benchmarks" / "harness" / "bare.py"
    process = subprocess.Popen(  # noqa: ASYNC220 -- it returns at once
        [sys.executable, str(script), str(port), mongo_url, _DATABASE], env=environment()
    )
    try:
        deadline = time.monotonic() + _START_SECONDS
        while True:
            try:
                _, writer = await asyncio.open_connection("127.0.0.1", port)
            except OSError:
                if process.poll() is not None or time.monotonic() > deadline:
                    raise AssertionError("the bare handler did not start") from None
                await asyncio.sleep(0.05)
            else:
                writer.close()
                break
        yield Asked(f"http://127.0.0.1:{port}", process.pid)
    finally:
        process.terminate()
        process.wait(_START_SECONDS)


async def _fitting(subject: ReadSubject, read: str, length: float) -> int:
    """Return how many requests take so many seconds, one after the other."""
    path = subject.paths[read]
    await subject.server.ask(path, _WARM, 1)
    return max(32, round(length / (await subject.server.ask(path, _WARM, 1)).wall))


async def _check_same(asked: Mapping[str, ReadSubject]) -> None:
    for read in _READS.keys() - {_DOCUMENT}:
        bodies = {
            name: await subject.server.get(subject.paths[read]) for name, subject in asked.items()
        }
        assert bodies[_BARE] == bodies[_SERVICE], f"{read}: the answers differ"
        assert len({_IDS_AND_TIMES.sub(b"", body) for body in bodies.values()}) == 1, (
            f"{read}: the answers differ"
        )
        say(f"{read}: {len(bodies[_BARE]):,} bytes")


async def _turns(
    asked: Mapping[str, ReadSubject], requests: Mapping[str, int], rounds: int
) -> dict[tuple[str, int, str], list[Spent]]:
    spent: dict[tuple[str, int, str], list[Spent]] = defaultdict(list)
    # The first round warms up what is made once.
    for number in range(rounds + 1):
        say(f"turn {number} of {rounds}")
        for read in _READS:
            for at_once in _AT_ONCE:
                for name, subject in asked.items():
                    one = await subject.server.ask(subject.paths[read], requests[read], at_once)
                    if number:
                        spent[read, at_once, name].append(one)
    return spent


def _rows(
    spent: dict[tuple[str, int, str], list[Spent]], what: str, at_once: int
) -> list[list[str]]:
    """Yield a row for each server; ratios are medians of those of single turns."""
    bare = spent[what, at_once, _BARE]
    rows = []
    for name in (_BARE, _BEFORE, _SERVICE):
        if not (own := spent.get((what, at_once, name), [])):
            continue
        walls = [one.wall for one in own]
        low, middle, high = statistics.quantiles(walls, n=4)
        longer = statistics.median(
            one.wall / other.wall for one, other in zip(own, bare, strict=True)
        )
        cpu = statistics.median(one.cpu for one in own)
        dearer = cpu / statistics.median(one.cpu for one in bare)
        rows.append(
            [
                *(what, str(at_once), name),
                *(_ms(middle), f"{_ms(low)} to {_ms(high)}", _ms(cpu)),
                *(("", "") if name == _BARE else (f"{longer:.1f}", f"{dearer:.1f}")),
            ]
        )
    return rows


def _ms(value: float) -> str:
    return f"{value * 1000:.2f} ms"


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--seconds", type=float, default=0.2, help="of a turn of the bare handler")
    parser.add_argument("--data", type=Path, default=_ROOT.parent / "shared/data")
    parser.add_argument("--beside", type=Path, help="another checkout, measured in the same turns")
    options = parsed(parser, rounds=15, seconds=0.5)
    asyncio.run(_run(options.rounds, options.seconds, options.data, options.beside))


if __name__ == "__main__":
    main()
