"""The cost of knowing who asks: the same reads with AUTH=required and with AUTH=open.

    python benchmarks/access.py [--rounds 15] [--seconds 0.5]

Two services are separate processes over one database: one that serves every request, and one that
is asked with an API token and then with a session's cookie. All answer the same requests over open
connections, turn by turn: a list of 100 originals and one file with its content, at 1 and at 16
connections; the answers are equal, byte for byte, which is checked first. A table gives, of all
turns, the median seconds of one request, the spread of its middle half, the processor time of the
asked process, and how many times those of AUTH=open they are.
"""

import argparse
import asyncio
import contextlib
import statistics
import sys
import tempfile
from collections import defaultdict
from collections.abc import Mapping
from pathlib import Path
from typing import Final

_ROOT = Path(__file__).resolve().parents[1]
sys.path[:0] = [str(_ROOT), str(_ROOT / "tests")]

import httpx2 as httpx

from benchmarks.harness.asking import Asked, Spent
from benchmarks.harness.github_process import GitHubProcess, host
from benchmarks.harness.report import parsed, print_table, say
from benchmarks.harness.subjects import subjects
from support.mongod import ReplicaSet
from support.process import ServiceProcess, service_process

_PASSWORD: Final = "four brown foxes jump"  # noqa: S105 -- of an account of this measurement
_OPEN: Final = "open"
_AT_ONCE: Final = (1, 16)
_WARM: Final = 50
_READS: Final = {
    "list of 100": "/projects/{project}/files?limit=100",
    "one file": "/projects/{project}/files/{file}",
}


async def _run(rounds: int, length: float, data: Path) -> None:
    async with contextlib.AsyncExitStack() as stack:
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="bm-access-")))
        github = stack.enter_context(GitHubProcess())
        replicas = await stack.enter_async_context(await ReplicaSet.start(folder / "mongod"))
        upstream = subjects(data)[-1]
        upstream.build(folder / "r.git")
        github.ask(host, folder / "r.git", [upstream.full_name])
        processes: dict[str, ServiceProcess] = {}
        for auth in (_OPEN, "required"):
            processes[auth] = await stack.enter_async_context(
                service_process(
                    folder,
                    name=auth,
                    auth=auth,
                    github_api_urls=github.url,
                    mongo_url=replicas.url,
                    data_dir=folder / "data",
                    log_level="info",
                    rate_limit=1_000_000,
                )
            )
        folders = {"config_folder": upstream.config_folder, "job_folder": upstream.job_folder}
        paths = await _synced(processes[_OPEN].url, upstream.full_name, **folders)
        asked = await _asked(processes)
        requests = {read: await _fitting(asked[_OPEN], paths[read], length) for read in _READS}
        for read, path in paths.items():
            bodies = {await one.get(path) for one in asked.values()}
            assert len(bodies) == 1, f"{read}: the answers differ"
        spent = await _turns(asked, paths, requests, rounds)
    head = ["read", "at once", "identity", "a request", "middle half", "processor"]
    rows = [row for read in _READS for at_once in _AT_ONCE for row in _rows(spent, read, at_once)]
    title = f"{len(upstream.contents):,} files of {upstream.full_name}; {rounds} turns"
    print_table(title, [*head, "times as long", "times the processor"], rows, left=3)


async def _synced(url: str, name: str, **folders: str) -> dict[str, str]:
    """Return the addresses of the reads, of a project that was just synced."""
    async with httpx.AsyncClient(base_url=url, timeout=120, trust_env=False) as http:
        body = {"name": "reads", "github_repo_url": name, "polling_interval": 0, **folders}
        project = (await http.post("/projects", json=body)).json()["id"]
        sync = await http.post(f"/projects/{project}/sync")
        assert sync.status_code == httpx.codes.OK, sync.text
        rows = (await http.get(f"/projects/{project}/files", params={"limit": 1000})).json()
        account = {"name": "ada", "password": _PASSWORD, "role": "admin"}
        made = await http.post("/accounts", json=account)
        assert made.status_code == httpx.codes.CREATED, made.text
    # One of usual size.
    file = sorted(rows, key=lambda row: (row["size"], row["path"]))[len(rows) // 2]["id"]
    return {read: path.format(project=project, file=file) for read, path in _READS.items()}


async def _asked(processes: Mapping[str, ServiceProcess]) -> dict[str, Asked]:
    guarded = processes["required"]
    async with httpx.AsyncClient(
        base_url=guarded.url, headers={"Origin": guarded.url}, trust_env=False
    ) as http:
        signed_in = await http.post("/sessions", json={"name": "ada", "password": _PASSWORD})
        assert signed_in.status_code == httpx.codes.CREATED, signed_in.text
        token = (await http.post("/tokens", json={"name": "bench", "role": "reader"})).json()
        cookie = http.cookies["bm_session"]
    headers = {
        _OPEN: "",
        "token": f"Authorization: Bearer {token['token']}\r\n",
        "session": f"Cookie: bm_session={cookie}\r\n",
    }
    return {
        name: Asked(process.url, process.process.pid, lines)
        for name, lines in headers.items()
        for process in [processes[_OPEN] if name == _OPEN else guarded]
    }


async def _fitting(server: Asked, path: str, length: float) -> int:
    """Return how many requests take so many seconds, one after the other."""
    await server.ask(path, _WARM, 1)
    return max(32, round(length / (await server.ask(path, _WARM, 1)).wall))


async def _turns(
    asked: Mapping[str, Asked],
    paths: Mapping[str, str],
    requests: Mapping[str, int],
    rounds: int,
) -> dict[tuple[str, int, str], list[Spent]]:
    spent: dict[tuple[str, int, str], list[Spent]] = defaultdict(list)
    # The first round warms up what is made once.
    for number in range(rounds + 1):
        say(f"turn {number} of {rounds}")
        for read, path in paths.items():
            for at_once in _AT_ONCE:
                for name, server in asked.items():
                    one = await server.ask(path, requests[read], at_once)
                    if number:
                        spent[read, at_once, name].append(one)
    return spent


def _rows(
    spent: Mapping[tuple[str, int, str], list[Spent]], read: str, at_once: int
) -> list[list[str]]:
    """Return a row for each identity; ratios are medians of those of single turns."""
    plain = spent[read, at_once, _OPEN]
    rows = []
    for name in (_OPEN, "token", "session"):
        own = spent[read, at_once, name]
        low, middle, high = statistics.quantiles([one.wall for one in own], n=4)
        longer = statistics.median(
            one.wall / other.wall for one, other in zip(own, plain, strict=True)
        )
        cpu = statistics.median(one.cpu for one in own)
        dearer = cpu / statistics.median(one.cpu for one in plain)
        ratios = ("", "") if name == _OPEN else (f"{longer:.2f}", f"{dearer:.2f}")
        spread = f"{_ms(low)} to {_ms(high)}"
        rows.append([read, str(at_once), name, _ms(middle), spread, _ms(cpu), *ratios])
    return rows


def _ms(value: float) -> str:
    return f"{value * 1000:.2f} ms"


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--seconds", type=float, default=0.2, help="of a turn of AUTH=open")
    parser.add_argument("--data", type=Path, default=_ROOT.parent / "shared/data")
    options = parsed(parser, rounds=15, seconds=0.5)
    asyncio.run(_run(options.rounds, options.seconds, options.data))


if __name__ == "__main__":
    main()
