"""The cost of a first sync on the embedded database, compared with MongoDB or another checkout.

    python benchmarks/first_sync.py [--rounds 5] [--beside CHECKOUT]

The largest repository of the collection beside the checkout (`--data`; 3,691 files), else a
generated one, is copied for the first time, turn by turn on both databases, each turn with new
ones. `--beside` measures the service of another checkout in the same turns, for a "before". Prints
medians: seconds from request to answer, those of the transaction alone, and the processor time of
the database and of the service. The processor time depends less on what else the machine does.
"""

import argparse
import asyncio
import contextlib
import json
import statistics
import sys
import tempfile
import time
from collections import defaultdict
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

_ROOT = Path(__file__).resolve().parents[1]
sys.path[:0] = [str(_ROOT), str(_ROOT / "tests")]

import httpx2 as httpx

from benchmarks.harness.github_process import GitHubProcess, host
from benchmarks.harness.processes import cpu_seconds, descendants
from benchmarks.harness.report import parsed, print_table, say, seconds
from benchmarks.harness.subjects import Subject, subjects
from support.mongod import ReplicaSet
from support.process import ServiceProcess, service_process

_SERVICE: Final = "service"
_BEFORE: Final = "service before"
_MONGODB: Final = "MongoDB"
_EMBEDDED: Final = "embedded"
#: What the command line of the embedded server holds.
_SERVER: Final = b"--sync-on-commit"


@dataclass(frozen=True, slots=True)
class FirstSync:
    """Seconds of one first sync.

    Attributes:
        all: of the whole sync.
        transaction: of its transaction.
        database: of the database's processor time.
        service: of the service's processor time.
    """

    all: float
    transaction: float
    database: float
    service: float


async def _first_sync(
    folder: Path, kind: str, root: Path, github_url: str, subject: Subject
) -> FirstSync:
    async with contextlib.AsyncExitStack() as stack:
        settings: dict[str, Any] = {"github_api_urls": github_url, "root": root}
        replicas = None
        if kind == _MONGODB:
            replicas = await stack.enter_async_context(await ReplicaSet.start(folder / "mongod"))
            settings["mongo_url"] = replicas.url
        service = await stack.enter_async_context(service_process(folder, **settings))
        database = _embedded_pid(service) if replicas is None else replicas.nodes[0].pid
        assert database is not None
        body = {"name": "first", "github_repo_url": subject.full_name, "polling_interval": 0}
        folders = {"config_folder": subject.config_folder, "job_folder": subject.job_folder}
        async with service.client(600) as http:
            project = (await http.post("/projects", json=body | folders)).json()["id"]
            wall, cpu = (
                time.perf_counter(),
                (cpu_seconds(database), cpu_seconds(service.process.pid)),
            )
            answer = await http.post(f"/projects/{project}/sync")
            wall = time.perf_counter() - wall
        assert answer.status_code == httpx.codes.OK, answer.text
        applied = json.loads(
            next(line for line in service.output.splitlines() if '"sync applied"' in line)
        )
        spent = cpu_seconds(database) - cpu[0], cpu_seconds(service.process.pid) - cpu[1]
        return FirstSync(wall, applied["applying_ms"] / 1000, *spent)


def _embedded_pid(service: ServiceProcess) -> int:
    """Return the server's process, started by a guardian: the last one with its arguments."""
    lines = {
        pid: Path(f"/proc/{pid}/cmdline").read_bytes() for pid in descendants(service.process.pid)
    }
    return [pid for pid, line in lines.items() if _SERVER in line][-1]


async def _run(rounds: int, data: Path, beside: Path | None) -> None:
    subject = subjects(data)[-1]
    roots = {_SERVICE: _ROOT} if beside is None else {_BEFORE: beside, _SERVICE: _ROOT}
    found: dict[tuple[str, str], list[FirstSync]] = defaultdict(list)
    with tempfile.TemporaryDirectory(prefix="bm-first-") as name, GitHubProcess() as github:
        folder = Path(name)
        subject.build(folder / "r.git")
        github.ask(host, folder / "r.git", [subject.full_name])
        for number in range(rounds):
            say(f"turn {number + 1} of {rounds}")
            for who, root in roots.items():
                for kind in (_MONGODB, _EMBEDDED):
                    own = folder / f"{number}-{kind}-{who.replace(' ', '-')}"
                    own.mkdir()
                    found[who, kind].append(await _first_sync(own, kind, root, github.url, subject))
    head = ["", "database", "first sync", "its transaction", "processor: database", "service"]
    rows = [
        [
            who,
            kind,
            *(
                seconds(statistics.median(getattr(one, part) for one in syncs))
                for part in FirstSync.__slots__
            ),
        ]
        for (who, kind), syncs in found.items()
    ]
    print_table(
        f"{len(subject.contents):,} files of {subject.full_name}; medians of {rounds}",
        head,
        rows,
        left=2,
    )


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--rounds", type=int, default=1)
    parser.add_argument("--data", type=Path, default=_ROOT.parent / "shared/data")
    parser.add_argument("--beside", type=Path, help="another checkout, measured in the same turns")
    options = parsed(parser, rounds=5)
    asyncio.run(_run(options.rounds, options.data, options.beside))


if __name__ == "__main__":
    main()
