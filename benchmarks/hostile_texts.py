"""The cost of hostile texts: seconds, stall of others, and memory, for each way into the service.

    python benchmarks/hostile_texts.py [--checkout FOLDER ...] [--only NAME ...] [--ways
    validate,save,…]

Starts the service of each checkout (this one by default; name an older one to compare) on MongoDB,
sends it every text of `tests/support/hostile_texts.py`, and measures: how long the answer took, the
longest time in which the service answered no other request (a hundred a second, for a path that it
does not have), and the peak of its resident memory, with worker processes, above that when idle. A
service that does not answer within `--timeout` seconds is killed and started again.
"""

import argparse
import asyncio
import contextlib
import http.client
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final

import httpx2 as httpx

_ROOT = Path(__file__).resolve().parents[1]
sys.path[:0] = [str(_ROOT), str(_ROOT / "tests")]

from benchmark_manager.stores.embedded.ports import free_port
from benchmarks.harness.github_process import lift_limits
from benchmarks.harness.processes import descendants
from benchmarks.harness.report import MEGABYTE, print_table, say
from github_test_server import GitHubTestServer, Repository
from support.hostile.operations import SCHEMA_PATH, SETTINGS_PATH
from support.hostile.text import HostileText, Texts, sides
from support.hostile_texts import HOSTILE
from support.mongod import ReplicaSet
from support.process import ServiceProcess, environment

_PAGE_BYTES: Final = 4096
#: Characters of each text, and bytes that a file may have.
_SIZE: Final = 1_000_000
_LARGEST: Final = 1024 * 1024
_SMALL: Final[dict[str, str]] = {"yaml": "a: 1\n", "json": '{"a": 1}\n'}


@dataclass(slots=True)
class TextSize:
    """Characters of each text; `--size` sets it."""

    characters: int = _SIZE


SIZE: Final = TextSize()


@dataclass(slots=True)
class TextCost:
    """The cost of one text in one way. `status` is that of the answer, or why there was none."""

    status: str
    seconds: float
    stall: float
    memory: int


class Watch(threading.Thread):
    """Sends a cheap request again and again, and records the longest wait and the most memory."""

    def __init__(self, service: ServiceProcess) -> None:
        super().__init__(daemon=True)
        self._port = int(service.url.rpartition(":")[2])
        self._pid = service.process.pid
        self._over = threading.Event()
        self.stall = 0.0
        self.memory = 0

    def run(self) -> None:
        connection = http.client.HTTPConnection("127.0.0.1", self._port, timeout=120)
        while not self._over.is_set():
            begin = time.perf_counter()
            try:
                connection.request("GET", "/nothing-here")
                connection.getresponse().read()
            except (OSError, http.client.HTTPException):
                connection.close()
            self.stall = max(self.stall, time.perf_counter() - begin)
            self.memory = max(self.memory, resident(self._pid))
            self._over.wait(0.01)
        connection.close()

    def stop(self) -> None:
        self._over.set()
        self.join()


def resident(pid: int) -> int:
    """Return the resident bytes of a process and its descendants, except databases."""
    total = 0
    for each in (pid, *_children(pid)):
        with contextlib.suppress(OSError):
            total += int(Path(f"/proc/{each}/statm").read_text().split()[1]) * _PAGE_BYTES
    return total


def _children(pid: int) -> list[int]:
    try:
        return descendants(pid)
    except OSError:
        return []


@asynccontextmanager
async def running(
    checkout: Path, folder: Path, mongo_url: str, github_url: str
) -> AsyncIterator[ServiceProcess]:
    """Start the service of a checkout, and wait until it is ready."""
    port, log = free_port(), folder / "service.log"
    settings = {
        "data_dir": folder / "data",
        "port": port,
        "log_level": "warning",
        "mongo_url": mongo_url,
        "github_api_urls": github_url,
    }
    with log.open("ab") as output:
        process = subprocess.Popen(  # noqa: ASYNC220 -- a start, in a script which waits for it
            [sys.executable, str(checkout / "main.py")],
            cwd=folder,
            env=environment(pythonpath=checkout, **settings),
            stdout=output,
            stderr=subprocess.STDOUT,
        )
    service = ServiceProcess(process, f"http://127.0.0.1:{port}", log)
    try:
        await service.ready()
        yield service
    finally:
        process.kill()
        process.wait()


@dataclass(slots=True)
class AttackedService:
    """One checkout's service under attack; started anew where it did not answer."""

    checkout: Path
    folder: Path
    mongo_url: str
    github: GitHubTestServer
    timeout: float
    count: int = 0
    costs: dict[tuple[str, str], TextCost] = field(default_factory=dict)

    async def all(self, texts: list[HostileText], ways: frozenset[str] | None) -> None:
        """Send all texts by all their ways, or only by some."""
        todo = [
            (text, way) for text in texts for way in ways_of(text) if ways is None or way in ways
        ]
        while todo:
            async with (
                running(self.checkout, self.folder, self.mongo_url, self.github.url) as service,
                service.client(self.timeout) as client,
            ):
                await self._until_it_hangs(service, client, todo)

    async def _until_it_hangs(
        self,
        service: ServiceProcess,
        client: httpx.AsyncClient,
        todo: list[tuple[HostileText, str]],
    ) -> None:
        # What is made at the first request of a kind is no cost of a text.
        await client.post(
            "/validate", json={"name": "a.yaml", "content": "a: 1", "file_type": "job"}
        )
        await client.get("/ui")
        idle = resident(service.process.pid)
        while todo:
            text, way = todo.pop(0)
            cost = await self._one(service, client, text, way, idle)
            self.costs[text.name, way] = cost
            say(
                f"{self.checkout.name}, {text.name}, {way}: {cost.status}, {cost.seconds:.2f} s, "
                f"stall {cost.stall:.2f} s, {cost.memory / MEGABYTE:.0f} MB"
            )
            if cost.status == "none":
                return

    async def _one(
        self,
        service: ServiceProcess,
        client: httpx.AsyncClient,
        text: HostileText,
        way: str,
        idle: int,
    ) -> TextCost:
        self.count += 1
        try:
            ask = await _prepared(self, client, text, way)
        except (httpx.HTTPError, AssertionError, KeyError) as error:
            return TextCost(
                "none" if isinstance(error, httpx.HTTPError) else f"not prepared: {error}"[:60],
                0,
                0,
                0,
            )
        watch = Watch(service)
        watch.start()
        begin = time.perf_counter()
        try:
            status = str((await ask()).status_code)
        except httpx.HTTPError:
            status = "none"
        taken = time.perf_counter() - begin
        if status == "none":
            service.process.kill()
        await asyncio.to_thread(watch.stop)
        return TextCost(status, taken, watch.stall, max(0, watch.memory - idle))

    def repository(self, files: dict[str, bytes]) -> tuple[str, Repository]:
        name = f"hostile/{self.checkout.name}-{self.count}"
        repository = Repository.init(self.folder / f"{name.replace('/', '-')}.git")
        repository.commit(dict(files), message="first")
        self.github.add(name, repository)
        return name, repository


Ask = Callable[[], Awaitable[httpx.Response]]


async def _prepared(
    attack: AttackedService, client: httpx.AsyncClient, text: HostileText, way: str
) -> Ask:
    """Do everything before the request that is measured."""
    texts = _texts(text)
    path = f"{'job/a' if text.operations[0] in {'job', 'gpu'} else 'config/a'}.{text.format}"
    if way == "validate":
        return await _validation(attack, client, text, path, texts)
    if way == "sync":
        name, _ = attack.repository({path: _encoded(texts[0])})
        project = await _ok(client.post("/projects", json=_request(name)))
        return lambda: client.post(f"/projects/{project['id']}/sync")
    if way == "save":
        # Another text than that of `validate`, whose verdict is remembered.
        texts = (_SMALL[text.format], f"{texts[0]}\n")
    before, theirs, after = sides(texts)
    if len(texts) > 1 and not way.startswith("merge"):
        # Two texts are there to be compared with one another.
        after = texts[-1]
    repository, project = await _project(attack, client, {path: _encoded(before)})
    [original] = await _files(client, project)
    originals = f"/projects/{project['id']}/files/{original['id']}"
    if way == "page":
        return lambda: client.get(f"/ui{originals}")
    variants = f"/projects/{project['id']}/modified-files?allow_invalid=true"
    variant = await _ok(client.post(variants, json={"original_file_id": original["id"]}))
    address = f"/modified-files/{variant['id']}"
    body = {"content": after}
    if way == "save":
        return lambda: client.put(f"{address}?allow_invalid=true", json=body)
    await _ok(client.put(f"{address}?allow_invalid=true", json=body))
    if way in {"merge", "merge page"}:
        moved = theirs if theirs != before else f"{before}\n"
        repository.commit({path: _encoded(moved)}, message="second")
        await _ok(client.post(f"/projects/{project['id']}/sync"))
    target = {
        "diff": f"{address}/diff?format=json",
        "compare page": f"/ui{address}/compare",
        "variants": f"{originals}/variants",
        "variants page": f"/ui{originals}/variants",
        "merge": f"{address}/merge",
        "merge page": f"/ui{address}/merge",
        "editor page": f"/ui{address}",
    }[way]
    return lambda: client.get(target)


async def _validation(
    attack: AttackedService, client: httpx.AsyncClient, text: HostileText, path: str, texts: Texts
) -> Ask:
    file_type = path.partition("/")[0]
    body: dict[str, Any] = {
        "name": path.rpartition("/")[2],
        "content": texts[0],
        "file_type": file_type,
    }
    if text.operations[0] in {"schema", "gpu"}:
        other = SCHEMA_PATH if text.operations[0] == "schema" else SETTINGS_PATH
        content = texts[1] if len(texts) > 1 else "tensor_parallel_size: 3\n"
        _, project = await _project(
            attack, client, {path: _encoded(_SMALL[text.format]), other: _encoded(content)}
        )
        body |= {"project_id": project["id"], "path": path}
    return lambda: client.post("/validate", json=body)


def _texts(text: HostileText) -> Texts:
    """Return the texts, as large as the service accepts them."""
    size = SIZE.characters * len(text.make(1000))
    texts = text.make(size)
    while max(len(_encoded(each)) for each in texts) > _LARGEST:
        size = size * 9 // 10
        texts = text.make(size)
    return texts


def ways_of(text: HostileText) -> Iterator[str]:
    """Return the ways into the service that a text attacks."""
    if {"validate", "job", "schema", "gpu", "sync"} & set(text.operations):
        yield "validate"
    if {"validate", "job", "sync"} & set(text.operations):
        yield from ("save", "sync", "page")
    if {"diff", "compare", "variants", "merge", "drift"} & set(text.operations):
        yield from (
            "diff",
            "compare page",
            "variants",
            "variants page",
            "merge",
            "merge page",
            "editor page",
        )


def _request(name: str) -> dict[str, object]:
    return {"name": name, "github_repo_url": name, "polling_interval": 0}


async def _project(
    attack: AttackedService, client: httpx.AsyncClient, files: dict[str, bytes]
) -> tuple[Repository, dict[str, Any]]:
    name, repository = attack.repository(files)
    project = await _ok(client.post("/projects", json=_request(name)))
    await _ok(client.post(f"/projects/{project['id']}/sync"))
    return repository, project


async def _files(client: httpx.AsyncClient, project: dict[str, Any]) -> list[dict[str, Any]]:
    rows: list[dict[str, Any]] = (await client.get(f"/projects/{project['id']}/files")).json()
    return rows


async def _ok(request: Awaitable[httpx.Response]) -> Any:  # noqa: ANN401 -- any JSON
    answer = await request
    assert answer.is_success, answer.text[:200]
    return answer.json()


def _encoded(content: str) -> bytes:
    return content.encode("utf-8", "surrogatepass")


def _rows(attacks: list[AttackedService]) -> Iterator[list[str]]:
    for name, way in attacks[-1].costs:
        row = [name, way]
        for attack in attacks:
            cost = attack.costs.get((name, way))
            row += ["", "", "", ""] if cost is None else _cells(cost, attack.timeout)
        yield row


def _cells(cost: TextCost, timeout: float) -> list[str]:
    taken = f"> {timeout:.0f}" if cost.status == "none" else f"{cost.seconds:.2f}"
    return [cost.status, taken, f"{cost.stall:.2f}", f"{cost.memory / MEGABYTE:.0f}"]


async def measure(arguments: argparse.Namespace) -> None:
    texts = [text for text in HOSTILE if not arguments.only or text.name in arguments.only]
    ways = frozenset(arguments.ways.split(",")) if arguments.ways else None
    attacks = []
    with tempfile.TemporaryDirectory(prefix="bm-hostile-") as name, GitHubTestServer() as github:
        lift_limits(github)
        async with await ReplicaSet.start(Path(name) / "mongod") as replica_set:
            for number, checkout in enumerate(arguments.checkout):
                folder = Path(name) / f"{number}"
                folder.mkdir()
                url = replica_set.url.replace("/?", f"/hostile{number}?", 1)
                attack = AttackedService(checkout.resolve(), folder, url, github, arguments.timeout)
                await attack.all(texts, ways)
                attacks.append(attack)
    head = [
        "text",
        "way",
        *(
            f"{what} ({a.checkout.name})"
            for a in attacks
            for what in ("answer", "s", "stall s", "MB")
        ),
    ]
    print_table("Hostile texts", head, _rows(attacks), left=2)
    worst = attacks[-1].costs.values()
    answer, stall = max(c.seconds for c in worst), max(c.stall for c in worst)
    memory = max(c.memory for c in worst) / MEGABYTE
    print(
        f"\n{len(worst)} requests: longest answer {answer:.2f} s, longest stall {stall:.2f} s, "
        f"most memory {memory:.0f} MB"
    )


if __name__ == "__main__":
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument(
        "--checkout", type=Path, action="append", help="a checkout; several are compared"
    )
    parser.add_argument("--only", nargs="*", help="names of texts")
    parser.add_argument("--ways", help="some of validate,save,sync,page,diff,… separated by commas")
    parser.add_argument("--size", type=int, default=_SIZE, help="characters of each text")
    parser.add_argument(
        "--timeout", type=float, default=20.0, help="seconds after which an answer is given up"
    )
    options = parser.parse_args()
    options.checkout = options.checkout or [_ROOT]
    SIZE.characters = options.size
    asyncio.run(measure(options))
