"""Killing the service at random moments leaves every sweep whole, or not there at all."""

import asyncio
import hashlib
import io
import random
import tarfile
import time
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import httpx2 as httpx
import pytest

from github_test_server import GitHubTestServer, Repository
from support.process import ServiceProcess, service_process
from support.service import Json
from support.swept import FILES, FLAG, SEQS

pytestmark = [pytest.mark.soak, pytest.mark.timeout(1800)]

ROUNDS = 20
#: Cells of each sweep that are downloaded after each kill.
PULLED = 25
KINDS = ("create", "update", "rebase", "delete")


def _definition(chance: random.Random, first: int) -> Json:
    """A sweep of 200 to 1,000 cells."""
    values = list(range(first, first + chance.choice([100, 200, 500])))
    points = [
        {"name": f"tp{n}", "set": {"engine:engine.tensor_parallel_size": n, FLAG: n}}
        for n in (1, 2)
    ]
    return {
        "name": "crash",
        "files": {"engine": "config/engine.yaml", "job": "job/bench.yaml"},
        "axes": [
            {"name": "seqs", "set": SEQS, "values": values},
            {"name": "tp", "points": points},
        ],
    }


def _assignments(definition: Json) -> set[tuple[int, str]]:
    return {(value, f"tp{n}") for value in definition["axes"][0]["values"] for n in (1, 2)}


@dataclass
class _Ledger:
    """The sweeps that the service acknowledged, and the change that it did not."""

    http: httpx.AsyncClient
    project: str
    repository: Repository
    chance: random.Random
    sweeps: dict[str, Json] = field(default_factory=dict)
    seconds: dict[str, float] = field(default_factory=dict)
    asked: tuple[str, str, Json | None] | None = None
    begun: asyncio.Event = field(default_factory=asyncio.Event)

    async def change(self, kind: str) -> None:
        """Make, change, rebase or delete a sweep; the service may end meanwhile."""
        key = "" if kind == "create" else self.chance.choice(sorted(self.sweeps))
        wanted: Json | None = None
        if kind in {"create", "update"}:
            wanted = _definition(self.chance, self.chance.choice([0, 50]))
        if kind == "rebase":
            other = b'{"a": %d}\n' % self.chance.randrange(10**6)
            self.repository.commit({"config/other.json": other}, message="other")
            synced = await self.http.post(f"/projects/{self.project}/sync", timeout=150)
            assert synced.status_code == 200, synced.text
        method, path = {
            "create": ("POST", f"/projects/{self.project}/sweeps"),
            "update": ("PUT", f"/sweeps/{key}"),
            "rebase": ("POST", f"/sweeps/{key}/rebase"),
            "delete": ("DELETE", f"/sweeps/{key}"),
        }[kind]
        self.asked, start = (kind, key, wanted), time.monotonic()
        self.begun.set()
        try:
            answer = await self.http.request(method, path, json=wanted)
        except httpx.TransportError:
            return
        assert answer.status_code < 300, answer.text
        self.seconds[kind] = time.monotonic() - start
        self.asked = None
        self.sweeps.pop(key, None)
        if kind != "delete":
            self.sweeps[answer.json()["id"]] = answer.json()

    async def change_until_killed(self, service: ServiceProcess) -> None:
        """Kill the service while it makes a change, towards the end most of the time."""
        kind = self.chance.choice(KINDS) if self.sweeps else "create"
        self.begun.clear()
        changing = asyncio.create_task(self.change(kind))
        await self.begun.wait()
        await asyncio.sleep(self.seconds.get(kind, 1) * self.chance.uniform(0.4, 1.1))
        service.kill()
        await changing

    async def settle(self) -> None:
        """Take up what became of the change that was not acknowledged: all of it, or nothing."""
        listed = {row["id"]: row for row in await self.rows(f"/projects/{self.project}/sweeps")}
        kind, key, wanted = self.asked or ("", "", None)
        self.asked = None
        new = listed.keys() - self.sweeps.keys()
        assert len(new) <= (kind == "create")
        if kind == "delete" and key not in listed:
            del self.sweeps[key]
        elif kind in {"update", "rebase"}:
            before = self.sweeps[key]["revision"]
            assert listed[key]["revision"] in {before, before + 1}
            new = {key} if listed[key]["revision"] != before else set()
        for each in new:
            assert wanted is None or listed[each]["definition"]["axes"] == wanted["axes"]
            self.sweeps[each] = listed[each]
        assert {each: row["revision"] for each, row in listed.items()} == {
            each: row["revision"] for each, row in self.sweeps.items()
        }

    async def check(self, pulled: int) -> None:
        """Compare all sweeps with their definitions, and download some of their cells."""
        digests = set()
        for key, sweep in self.sweeps.items():
            cells = await self.rows(f"/sweeps/{key}/cells")
            retired = await self.rows(f"/sweeps/{key}/cells", retired="true")
            assert len(cells) == sweep["cells_count"]
            assert {
                (cell["assignments"]["seqs"], cell["assignments"]["tp"]) for cell in cells
            } == _assignments(sweep["definition"])
            indexes = sorted(cell["index"] for cell in [*cells, *retired])
            assert indexes == list(range(len(indexes)))
            digests |= {cell["digest"] for cell in [*cells, *retired]}
        for digest in self.chance.sample(sorted(digests), min(pulled, len(digests))):
            assert await self.pulled_digest(digest) == digest

    async def pulled_digest(self, digest: str) -> str:
        """The digest of what is downloaded, as `sha256sum` would compute it."""
        answer = await self.http.get(f"/releases/{digest}/archive")
        assert answer.status_code == 200, answer.text
        sums = {}
        with tarfile.open(fileobj=io.BytesIO(answer.content)) as archive:
            for member in archive.getmembers():
                if (file := archive.extractfile(member)) is not None:
                    sums[member.name.encode()] = hashlib.sha256(file.read()).hexdigest().encode()
        lines = b"".join(b"%s  %s\n" % (sums[name], name) for name in sorted(sums))
        return "sha256:" + hashlib.sha256(lines).hexdigest()

    async def rows(self, path: str, **params: Any) -> list[Json]:
        found: list[Json] = []
        url: str | None = str(httpx.URL(path, params={"limit": 1000, **params}))
        while url is not None:
            answer = await self.http.get(url)
            assert answer.status_code == 200, answer.text
            found += answer.json()
            url = answer.links.get("next", {}).get("url")
        return found


async def test_sigkill_at_random_moments_leaves_sweeps_whole(
    mongo_url: str, github: GitHubTestServer, tmp_path: Path
) -> None:
    repository = Repository.init(tmp_path / "r.git")
    repository.commit(dict(FILES), message="first")
    github.add("acme/b", repository, private_to=["reader"])
    github.limits.set("reader", limit=10**6, remaining=10**6)
    settings: dict[str, Any] = {"github_api_urls": github.url, "mongo_url": mongo_url}
    body = {
        "name": "b",
        "github_repo_url": "acme/b",
        "github_token": "reader",
        "polling_interval": 0,
    }
    async with service_process(tmp_path, **settings) as service, service.client() as http:
        project = (await http.post("/projects", json=body)).json()["id"]
        assert (await http.post(f"/projects/{project}/sync")).status_code == 200
        chance = random.Random(3)  # noqa: S311 -- moments, not secrets
        ledger = _Ledger(http, project, repository, chance)
    for _ in range(ROUNDS):
        async with service_process(tmp_path, **settings) as service, service.client(200) as http:
            ledger.http = http
            await ledger.settle()
            await ledger.check(PULLED)
            await ledger.change(chance.choice(KINDS[:3]) if ledger.sweeps else "create")
            await ledger.change_until_killed(service)
    async with service_process(tmp_path, **settings) as service, service.client(200) as http:
        ledger.http = http
        await ledger.settle()
        await ledger.check(10**6)
