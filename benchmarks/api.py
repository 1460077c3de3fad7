"""The cost of lists, counts and the variants table, compared with a bare query of the documents.

    python benchmarks/api.py [--variants 1000] [--rounds 30]

One original with so many variants on MongoDB. Requests to the service over HTTP take turns with the
PyMongo queries, in this process, for the documents of their answers. Prints medians and ratios.
"""

import argparse
import asyncio
import random
import statistics
import sys
import tempfile
import time
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final

import httpx2 as httpx
from bson import ObjectId
from pymongo import AsyncMongoClient
from pymongo.asynchronous.database import AsyncDatabase

_ROOT = Path(__file__).resolve().parents[1]
sys.path[:0] = [str(_ROOT), str(_ROOT / "tests")]

from benchmarks.harness.report import parsed, print_table, say, seconds
from github_test_server import GitHubTestServer, Repository
from support.mongod import ReplicaSet
from support.process import service_process

_DATABASE: Final = "benchmark_manager"
_AT_ONCE: Final = 16
_SECTIONS: Final = 12
_KEYS: Final = 8

Ask = Callable[[], Awaitable[object]]


@dataclass
class ComparedRead:
    """One answer of the service, and the bare query beside it; seconds of each round."""

    what: str
    service: Ask
    bare: Ask
    taken: dict[str, list[float]] = field(
        default_factory=lambda: {"first": [], "service": [], "bare": []}
    )

    async def first(self) -> None:
        """Time the very first answer, before anything is cached."""
        await self._time("first", self.service)

    async def turn(self) -> None:
        await self._time("service", self.service)
        await self._time("bare", self.bare)

    async def _time(self, name: str, ask: Ask) -> None:
        begin = time.perf_counter()
        await ask()
        self.taken[name].append(time.perf_counter() - begin)

    def row(self) -> list[str]:
        first, service, bare = (
            statistics.median(self.taken[name]) for name in ("first", "service", "bare")
        )
        return [self.what, seconds(first), seconds(service), seconds(bare), f"{service / bare:.1f}"]


def _original() -> str:
    """Return a typical configuration: sections of scalars, with comments."""
    lines = ["# Serving one model"]
    for section in range(_SECTIONS):
        lines += [
            f"section_{section}:  # part {section}",
            *(f"  key_{key}: {section * key}" for key in range(_KEYS)),
        ]
    return "\n".join(lines) + "\n"


def _varied(text: str, chance: random.Random) -> str:
    lines = text.splitlines(keepends=True)
    for _ in range(chance.randint(1, 3)):
        at = chance.choice(
            [number for number, line in enumerate(lines) if line.startswith("  key_")]
        )
        lines[at] = f"{lines[at].partition(':')[0]}: {chance.randint(1000, 9999)}\n"
    return "".join(lines)


async def _make_variants(http: httpx.AsyncClient, project: str, file: str, count: int) -> None:
    chance, text = random.Random(7), _original()  # noqa: S311 -- filler, not secrets
    room = asyncio.Semaphore(_AT_ONCE)

    async def make(number: int, content: str) -> None:
        async with room:
            body = {
                "original_file_id": file,
                "modified_name": f"v{number:05}.yaml",
                "content": content,
            }
            answer = await http.post(f"/projects/{project}/modified-files", json=body)
            assert answer.status_code == httpx.codes.CREATED, answer.text

    await asyncio.gather(*(make(number, _varied(text, chance)) for number in range(count)))


def _pairs(
    http: httpx.AsyncClient, db: AsyncDatabase[dict[str, Any]], project: str, file: str, count: int
) -> list[ComparedRead]:
    own = {"project_id": ObjectId(project)}
    of_original = {"original_file_id": ObjectId(file)}

    def get(path: str, **params: str | int) -> Ask:
        async def ask() -> None:
            answer = await http.get(path, params=params)
            assert answer.status_code == httpx.codes.OK, answer.text

        return ask

    def documents(limit: int, **match: str) -> Ask:
        async def ask() -> None:
            rows = (
                db["modified_files"]
                .find({**own, **match})
                .sort([("path", 1), ("_id", 1)])
                .limit(limit)
            )
            assert len(await rows.to_list()) == (0 if match else min(count, limit))

        return ask

    async def by_drift() -> None:
        await (
            await db["modified_files"].aggregate([{"$match": own}, {"$sortByCount": "$drift"}])
        ).to_list()

    async def contents() -> None:
        rows = await db["modified_files"].find(of_original).to_list()
        blobs = {row["content_sha"] for row in rows} | {row["base_sha"] for row in rows}
        found = await db["blobs"].find({"_id": {"$in": sorted(blobs)}}, {"data": 1}).to_list()
        assert len(found) == len(blobs)

    files = f"/projects/{project}/modified-files"
    return [
        ComparedRead("list of 1,000", get(files, limit=1000), documents(1000)),
        ComparedRead("list of 100", get(files, limit=100), documents(100)),
        ComparedRead(
            "list of those behind", get(files, drift="behind"), documents(100, drift="behind")
        ),
        ComparedRead("counts by drift", get(f"/projects/{project}"), by_drift),
        ComparedRead("variants table", get(f"/projects/{project}/files/{file}/variants"), contents),
    ]


async def _run(count: int, rounds: int) -> None:
    with tempfile.TemporaryDirectory() as name, GitHubTestServer() as github:
        folder = Path(name)
        repository = Repository.init(folder / "r.git")
        repository.commit({"config/serve.yaml": _original().encode()})
        github.add("acme/serve", repository)
        async with (
            await ReplicaSet.start(folder) as replicas,
            service_process(folder, github_api_urls=github.url, mongo_url=replicas.url) as service,
            service.client(600) as http,
        ):
            body = {"name": "api", "github_repo_url": "acme/serve", "polling_interval": 0}
            project = (await http.post("/projects", json=body)).json()["id"]
            await http.post(f"/projects/{project}/sync")
            file = (await http.get(f"/projects/{project}/files")).json()[0]["id"]
            say(f"making {count:,} variants")
            await _make_variants(http, project, file, count)
            client: AsyncMongoClient[dict[str, Any]] = AsyncMongoClient(replicas.url)
            async with client:
                pairs = _pairs(http, client[_DATABASE], project, file, count)
                for pair in pairs:
                    await pair.first()
                for number in range(rounds):
                    say(f"round {number + 1} of {rounds}")
                    for pair in pairs:
                        await pair.turn()
        repository.close()
    head = ["answer", "the first", "median", "bare query of its documents", "ratio"]
    print_table(
        f"{count:,} variants of one original, {rounds} rounds", head, [pair.row() for pair in pairs]
    )


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--variants", type=int, default=1000)
    parser.add_argument("--rounds", type=int, default=10)
    options = parsed(parser, variants=1000, rounds=30)
    asyncio.run(_run(options.variants, options.rounds))


if __name__ == "__main__":
    main()
