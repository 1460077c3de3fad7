"""What a sweep of 1,000 cells over thousands of files costs, beside one release made by hand.

    python benchmarks/sweep_cost.py [--cells 1000] [--databases mongodb embedded] [--data FOLDER]

The files are those of lm-evaluation-harness in the shared data, else of a generated repository. Two
files are edited, each differently in every cell, so that each cell has two texts of its own. Prints
a table for each database: seconds of each request over HTTP (the median of `REPEATED` for reads and
previews), what the database grew by, and the peak memory of the service with its workers.

*Growth* is given without the bytes of the edited texts. Documents are counted before compression;
on disk, texts are compressed as well, so that growth may be negative. The embedded database does
not count documents.
"""

import argparse
import asyncio
import contextlib
import statistics
import sys
import tempfile
import time
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final

_ROOT = Path(__file__).resolve().parents[1]
sys.path[:0] = [str(_ROOT), str(_ROOT / "tests")]

import httpx2 as httpx
from pymongo import AsyncMongoClient

from benchmark_manager.domain.edits import EditableText, EditError
from benchmarks.harness.processes import descendants, peak_memory
from benchmarks.harness.report import MEGABYTE, parsed, print_table, say, seconds
from benchmarks.harness.subjects import Subject, subjects
from github_test_server import GitHubTestServer, Repository
from support.mongod import ReplicaSet
from support.process import ServiceProcess, service_process

#: How often reads and previews are measured.
REPEATED: Final = 7
_KINDS: Final = ("mongodb", "embedded")
_EDITED: Final = 2
_DOCUMENTS: Final = "documents"
_ON_DISK: Final = "documents and indexes on disk"

Json = dict[str, Any]


@dataclass
class SweepCosts:
    """Seconds by step, and bytes by what was measured."""

    seconds: dict[str, float] = field(default_factory=dict)
    bytes: dict[str, int] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class DatabaseSize:
    """Returns how large a database is, bytes by what they are."""

    measure: Callable[[], Awaitable[dict[str, int]]]


def _targets(subject: Subject) -> list[tuple[str, str, str]]:
    """Return files with two whole numbers each, and the paths of these."""
    found = []
    for path in sorted(subject.contents):
        if not path.endswith((".yaml", ".yml")) or path.startswith(f"{subject.job_folder}/"):
            continue
        try:
            values = EditableText.read(subject.contents[path].decode(), "yaml").paths()
        except EditError:
            # Templates, and what does not parse.
            continue
        numbers = [one.path for one in values if type(one.value) is int]
        if len(numbers) > 1:
            found.append((path, numbers[0], numbers[1]))
        if len(found) == _EDITED:
            break
    return found


def _definition(subject: Subject, cells: int, name: str) -> Json:
    """Return a sweep with so many cells, in each of which every edited file has its own text."""
    files = {f"f{number}": target for number, target in enumerate(_targets(subject))}
    rows = 25
    return {
        "name": name,
        "files": {alias: path for alias, (path, _, _) in files.items()},
        "axes": [
            {
                "name": "first",
                "set": [f"{alias}:{first}" for alias, (_, first, _) in files.items()],
                "values": list(range(1_000, 1_000 + cells // rows)),
            },
            {
                "name": "second",
                "set": [f"{alias}:{second}" for alias, (_, _, second) in files.items()],
                "values": list(range(5_000, 5_000 + rows)),
            },
        ],
    }


class _Run:
    """Requests to one service, each with its time."""

    def __init__(self, http: httpx.AsyncClient, size: DatabaseSize, found: SweepCosts) -> None:
        self._http = http
        self._size = size
        self.found = found

    async def ask(self, what: str, method: str, path: str, body: Json | None = None) -> Json:
        begin = time.perf_counter()
        answer = await self._http.request(method, path, json=body)
        self.found.seconds[what] = time.perf_counter() - begin
        assert answer.is_success, answer.text[:2000]
        found: Json = answer.json() if answer.content else {}
        return found

    async def often(self, what: str, method: str, path: str, body: Json | None = None) -> None:
        times = []
        for _ in range(REPEATED):
            await self.ask(what, method, path, body)
            times.append(self.found.seconds[what])
        self.found.seconds[what] = statistics.median(times)

    async def grown(self, what: str, before: dict[str, int], own: int = 0) -> None:
        after = await self._size.measure()
        for kind, size in after.items():
            self.found.bytes[f"{what}, {kind}"] = size - before[kind] - own

    async def sizes(self) -> dict[str, int]:
        return await self._size.measure()


async def _measure(
    service: ServiceProcess, size: DatabaseSize, subject: Subject, cells: int
) -> SweepCosts:
    found = SweepCosts()
    async with service.client(600) as http:
        run = _Run(http, size, found)
        body = {
            "name": "swept",
            "github_repo_url": subject.full_name,
            "config_folder": subject.config_folder,
            "job_folder": subject.job_folder,
            "polling_interval": 0,
        }
        project = (await run.ask("(project)", "POST", "/projects", body))["id"]
        await run.ask("(first sync)", "POST", f"/projects/{project}/sync")
        home = f"/projects/{project}"
        before = await run.sizes()
        await run.ask("one release by hand", "POST", f"{home}/releases", {"name": "by hand"})
        await run.grown("growth: one release by hand", before)
        few = _definition(subject, 50, "few")
        await run.often("preview of 50 cells", "POST", f"{home}/sweeps?dry_run=true", few)
        many = _definition(subject, cells, "many")
        await run.often(f"preview of {cells:,} cells", "POST", f"{home}/sweeps?dry_run=true", many)
        before = await run.sizes()
        sweep = await run.ask(f"a sweep of {cells:,} cells", "POST", f"{home}/sweeps", many)
        assert sweep["cells_count"] == cells, sweep["cells_count"]
        own = await _own_bytes(http, sweep, [path for path, _, _ in _targets(subject)])
        found.bytes["(edited texts)"] = own
        await run.grown(f"growth: {cells:,} cells, beyond their texts", before, own)
        path = f"/sweeps/{sweep['id']}"
        await run.often("the sweep, with its drift", "GET", path)
        await run.often("a page of 100 cells", "GET", f"{path}/cells")
        await run.often("cells with one value", "GET", f"{path}/cells?axis.first=1001")
        await run.often("one cell, with its patch", "GET", f"{path}/cells/7")
        more = _definition(subject, cells - 25, "many")
        await run.ask("25 cells retired", "PUT", path, more)
        await run.ask("the sweep deleted", "DELETE", path)
    pids = [service.process.pid, *_workers(service.process.pid)]
    found.bytes["peak memory of the service"] = peak_memory(service.process.pid)
    found.bytes["of all its workers"] = sum(peak_memory(pid) for pid in pids[1:])
    return found


def _workers(pid: int) -> list[int]:
    """Return the worker processes of a service, without the embedded database's."""
    return [
        child
        for child in descendants(pid)
        if b"secantus" not in Path(f"/proc/{child}/cmdline").read_bytes()
    ]


async def _own_bytes(http: httpx.AsyncClient, sweep: Json, paths: Sequence[str]) -> int:
    """Return the bytes of the edited texts of all cells."""
    answer = await http.get(f"/sweeps/{sweep['id']}/cells", params={"limit": 1000})
    first = answer.json()[0]["digest"]
    files = (await http.get(f"/releases/{first}")).json()["files"]
    sizes: dict[str, int] = {file["path"]: file["size"] for file in files}
    # All values have four digits, so that the texts of a file have one size.
    return sum(sizes[path] for path in paths) * len(answer.json())


@contextlib.asynccontextmanager
async def _mongodb(folder: Path) -> AsyncIterator[tuple[str, DatabaseSize]]:
    async with await ReplicaSet.start(folder) as replicas:
        client: AsyncMongoClient[Json] = AsyncMongoClient(replicas.url)

        async def measure() -> dict[str, int]:
            await client.admin.command("fsync")
            stats = await client["benchmark_manager"].command("dbStats")
            return {
                _DOCUMENTS: int(stats["dataSize"]),
                _ON_DISK: int(stats["storageSize"] + stats["indexSize"]),
            }

        try:
            yield replicas.url, DatabaseSize(measure)
        finally:
            await client.close()


def _of_folder(folder: Path) -> DatabaseSize:
    async def measure() -> dict[str, int]:
        # Its checkpoints come a little later.
        await asyncio.sleep(3)
        return {_ON_DISK: await asyncio.to_thread(_bytes_in, folder)}

    return DatabaseSize(measure)


def _bytes_in(folder: Path) -> int:
    return sum(path.stat().st_size for path in folder.rglob("*.wt"))


async def _run(subject: Subject, cells: int, kinds: Sequence[str]) -> None:
    results: dict[str, SweepCosts] = {}
    with tempfile.TemporaryDirectory() as name, GitHubTestServer() as github:
        folder = Path(name)
        subject.build(folder / "repository.git")
        repository = Repository(folder / "repository.git")
        github.add(subject.full_name, repository)
        for kind in kinds:
            say(kind)
            (folder / kind).mkdir()
            settings: Json = {"github_api_urls": github.url}
            async with contextlib.AsyncExitStack() as stack:
                size = _of_folder(folder / kind)
                if kind == "mongodb":
                    url, size = await stack.enter_async_context(_mongodb(folder / "mongod"))
                    settings["mongo_url"] = url
                service = await stack.enter_async_context(
                    service_process(folder / kind, **settings)
                )
                results[kind] = await _measure(service, size, subject, cells)
        repository.close()
    files = f"{len(subject.contents):,} files of {subject.full_name}"
    first = next(iter(results.values()))
    rows = [
        [step, *(seconds(found.seconds[step]) for found in results.values())]
        for step in first.seconds
    ]
    rows += [
        [what, *(_megabytes(found.bytes.get(what)) for found in results.values())]
        for what in first.bytes
    ]
    print_table(f"A sweep of {cells:,} cells over {files}", ["", *results], rows)


def _megabytes(count: int | None) -> str:
    return "" if count is None else f"{count / MEGABYTE:.2f} MB"


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--cells", type=int, default=250, help="a multiple of 25")
    parser.add_argument("--databases", nargs="+", choices=_KINDS, default=_KINDS)
    parser.add_argument("--data", type=Path, default=_ROOT.parent / "shared" / "data")
    given = parsed(parser, cells=1000)
    asyncio.run(_run(subjects(given.data)[-1], given.cells, given.databases))


if __name__ == "__main__":
    main()
