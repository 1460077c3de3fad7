"""The time of searches in files, on MongoDB and on the embedded database.

    python benchmarks/search.py [--rounds 5] [--database mongodb|embedded]

A project of 3,691 files, lm-evaluation-harness of the collection beside the checkout (`--data`),
else a generated one, is searched for the first 100 matches: by text, key and value, for what most
files have, few, or none. The searches are requested over HTTP, one after the other: first from a
new service with nothing in memory (`cold`; a new process in each round), then again from the same
one (`warm`). The table gives medians and the slowest.
"""

import argparse
import asyncio
import statistics
import sys
import tempfile
import time
from collections import defaultdict
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any, Final

_ROOT = Path(__file__).resolve().parents[1]
sys.path[:0] = [str(_ROOT), str(_ROOT / "tests")]

import httpx2 as httpx

from benchmarks.harness.github_process import GitHubProcess, host
from benchmarks.harness.report import parsed, print_table, say, seconds
from benchmarks.harness.subjects import subjects
from support.mongod import ReplicaSet
from support.process import service_process

_LIMIT: Final = 100
_WARM: Final = 5
#: What is searched, and where; `the` is in the text of a third of all files, and in a few keys.
_SEARCHES: Final = (
    ("text", "many files", "task"),
    ("text", "few files", "chrf"),
    ("text", "none", "no-file-has-this"),
    ("keys", "many files", "metric_list"),
    ("keys", "few keys, many texts", "the"),
    ("keys", "none", "no_file_has_this"),
    ("values", "many files", "test"),
    ("values", "few files", "chrf"),
    ("values", "none", "no-file-has-this"),
)


async def _run(rounds: int, kinds: list[str], data: Path) -> None:
    subject = subjects(data)[-1]
    rows: list[list[str]] = []
    with tempfile.TemporaryDirectory(prefix="bm-search-") as name, GitHubProcess() as github:
        folder = Path(name)
        subject.build(folder / "r.git")
        github.ask(host, folder / "r.git", [subject.full_name])
        for kind in kinds:
            async with _database(kind, folder) as url:
                settings = {
                    "github_api_urls": github.url,
                    "log_level": "info",
                    "data_dir": folder / kind,
                }
                if url:
                    settings["mongo_url"] = url
                fields = {"config_folder": subject.config_folder, "job_folder": subject.job_folder}
                rows += await _measured(kind, folder, settings, subject.full_name, fields, rounds)
    head = ["database", "in", "found in", "files", "cold", "slowest", "warm", "slowest"]
    print_table(
        f"{len(subject.contents):,} files of {subject.full_name}; {rounds} rounds",
        head,
        rows,
        left=3,
    )


@asynccontextmanager
async def _database(kind: str, folder: Path) -> AsyncIterator[str]:
    if kind == "embedded":
        yield ""
        return
    async with await ReplicaSet.start(folder / "mongod") as replicas:
        yield replicas.url


async def _measured(
    kind: str,
    folder: Path,
    settings: dict[str, Any],
    repository: str,
    fields: dict[str, str],
    rounds: int,
) -> list[list[str]]:
    async with (
        service_process(folder, name=kind, **settings) as service,
        service.client(600) as http,
    ):
        body = {"name": "search", "github_repo_url": repository, "polling_interval": 0, **fields}
        project = (await http.post("/projects", json=body)).json()["id"]
        sync = await http.post(f"/projects/{project}/sync")
        assert sync.status_code == httpx.codes.OK, sync.text
    cold: dict[tuple[str, str], list[float]] = defaultdict(list)
    warm: dict[tuple[str, str], list[float]] = defaultdict(list)
    files: dict[tuple[str, str], int] = {}
    for number in range(rounds):
        for where, what, query in _SEARCHES:
            say(f"{kind}, round {number + 1} of {rounds}: {where}, {what}")
            async with (
                service_process(folder, name=kind, **settings) as service,
                service.client(600) as http,
            ):
                # A connection, and the first worker process, are there for every request.
                await http.get("/projects")
                await http.post("/validate", json={"content": "a: 1\n", "format": "yaml"})
                found = 0
                params: dict[str, str | int] = {"q": query, "in": where, "limit": _LIMIT}
                for turn in range(1 + _WARM):
                    begin = time.perf_counter()
                    answer = await http.get(f"/projects/{project}/search", params=params)
                    taken = time.perf_counter() - begin
                    assert answer.status_code == httpx.codes.OK, answer.text
                    found = len(answer.json())
                    (warm if turn else cold)[where, what].append(taken)
                files[where, what] = found
    return [
        [
            *(kind, where, what, str(files[where, what])),
            *(seconds(statistics.median(cold[where, what])), seconds(max(cold[where, what]))),
            *(seconds(statistics.median(warm[where, what])), seconds(max(warm[where, what]))),
        ]
        for where, what, _ in _SEARCHES
    ]


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--rounds", type=int, default=1)
    parser.add_argument("--database", choices=["mongodb", "embedded"], action="append")
    parser.add_argument("--data", type=Path, default=_ROOT.parent / "shared/data")
    options = parsed(parser, rounds=5)
    asyncio.run(_run(options.rounds, options.database or ["mongodb", "embedded"], options.data))


if __name__ == "__main__":
    main()
