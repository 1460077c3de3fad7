"""Polling many projects: what it costs, and how late polls are.

    python benchmarks/poll_scale.py [--full] [--projects 200] [--credentials 1 20] [--interval 20]
    [--minutes 0.5]

Real code in real time: the service (`python main.py`), MongoDB and the GitHub test server are
processes of their own. The server hosts a repository for each project, with GitHub's limits: 5,000
points an hour of each API, 900 points a minute of REST, 2,000 of GraphQL, 100 requests at once.
What exceeds them is refused, and counted here.

Projects are registered through the API and synced once, as `harness.fleet` tells. For each number
of credentials they get their tokens, the service is started anew, polls for one interval
unmeasured, and is then measured for `--minutes`; costs of an hour are extrapolated from that.
`--moving` says how many of a hundred repositories get a commit meanwhile.

Lateness is exact: the database tells each planned time as it is written (`harness.turns`), the
GitHub test server when the first request after that which names the repository arrived, by REST or
among the up to 50 of a GraphQL query. The lateness of a poll is the difference, so it holds the
wait for others to share a query with. A poll that was planned in the measured time, but not asked
within `GRACE` behind it, counts as late until then, and as missing.

`make bench` takes the small defaults, where `--threshold` makes batches come into play; `--full`
takes about an hour.
"""

import argparse
import asyncio
import contextlib
import random
import sys
import tempfile
import time
from collections.abc import AsyncIterator
from dataclasses import dataclass
from pathlib import Path
from typing import Final

_ROOT = Path(__file__).resolve().parents[1]
sys.path[:0] = [str(_ROOT), str(_ROOT / "tests")]

from benchmarks.harness.fleet import Fleet, Fleets, complaints, counted
from benchmarks.harness.github_process import (
    GitHubProcess,
    forget_requests,
    lift_limits,
    set_github_limits,
)
from benchmarks.harness.processes import cpu_seconds, peak_memory
from benchmarks.harness.report import MEGABYTE, parsed, percentile, print_table, say, seconds
from benchmarks.harness.traffic import Load, asked_for, load
from benchmarks.harness.turns import Punctuality, watched
from support.mongod import ReplicaSet
from support.process import ServiceProcess

#: Seconds which a poll has at the end of the measured time.
GRACE: Final = 15
_HOUR: Final = 3600


@dataclass(frozen=True, slots=True)
class Plan:
    """What the command line asks for; `moving` is in percent."""

    projects: tuple[int, ...]
    credentials: tuple[int, ...]
    interval: int
    minutes: float
    moving: float
    threshold: int


@dataclass(frozen=True, slots=True)
class Measurement:
    """One column. CPU seconds are those of the measured time, memory is the process's peak in bytes."""

    projects: int
    credentials: int
    seconds: float
    load: Load
    punctuality: Punctuality
    service_cpu: float
    database_cpu: float
    memory: int
    failed: int
    stale: int
    complaints: int


class Benchmark:
    """One database and one GitHub for all measurements."""

    def __init__(
        self, plan: Plan, github: GitHubProcess, fleet: Fleet, fleets: Fleets, database_pid: int
    ) -> None:
        self._plan = plan
        self._github = github
        self._fleet = fleet
        self._fleets = fleets
        self._database_pid = database_pid

    async def run(self) -> AsyncIterator[Measurement]:
        for count in sorted(self._plan.projects):
            for credentials in self._plan.credentials:
                say(f"{count:,} projects, {credentials} credentials")
                tokens = [f"reader-{count}-{credentials}-{number}" for number in range(credentials)]
                self._github.ask(lift_limits)
                async with self._fleets.service("setup") as service:
                    await self._fleet.grow(
                        service, count, moving=round(count * self._plan.moving / 100)
                    )
                    await self._fleet.poll(service, self._plan.interval, tokens)
                self._github.ask(set_github_limits)
                async with self._fleets.service(f"measured-{count}-{credentials}") as service:
                    yield await self._measured(service, count, credentials)

    async def _measured(self, service: ServiceProcess, count: int, credentials: int) -> Measurement:
        plan, pid = self._plan, service.process.pid
        async with watched(self._fleets.mongo_url) as watch:
            self._github.ask(forget_requests)
            say(f"warming up for {plan.interval} s")
            await asyncio.sleep(plan.interval)
            failed = await counted(service, "benchmark_manager_syncs_total", outcome="failed")
            cpu, database_cpu, begin = (
                cpu_seconds(pid),
                cpu_seconds(self._database_pid),
                time.time(),
            )
            await asyncio.gather(self._pass_time(), self._commit_now_and_then())
            end = time.time()
            cpu, database_cpu = (
                cpu_seconds(pid) - cpu,
                cpu_seconds(self._database_pid) - database_cpu,
            )
            await asyncio.sleep(GRACE)
            asked = await asyncio.to_thread(self._github.ask, asked_for)
            failed = (
                await counted(service, "benchmark_manager_syncs_total", outcome="failed") - failed
            )
            return Measurement(
                projects=count,
                credentials=credentials,
                seconds=end - begin,
                load=await asyncio.to_thread(self._github.ask, load, begin, end),
                punctuality=watch.punctuality(
                    asked, begin, end, now=time.time(), interval=plan.interval
                ),
                service_cpu=cpu,
                database_cpu=database_cpu,
                memory=peak_memory(pid),
                failed=round(failed),
                stale=await self._stale(service),
                complaints=_complaints(service),
            )

    async def _pass_time(self) -> None:
        left = self._plan.minutes * 60
        while left > 0:
            say(f"measuring for another {left:.0f} s")
            await asyncio.sleep(min(left, 30))
            left -= 30

    async def _commit_now_and_then(self) -> None:
        """One commit to each repository that moves, evenly over the measured time."""
        names = sorted(self._fleet.moving)
        random.Random(7).shuffle(names)  # noqa: S311 -- an order, no secret
        pause = self._plan.minutes * 60 / (len(names) + 1)
        for name in names:
            await asyncio.sleep(pause)
            content = f"at: {time.time()}\n".encode()
            await asyncio.to_thread(
                self._fleet.moving[name].commit, {"config/a.yaml": content}, message="moved"
            )

    async def _stale(self, service: ServiceProcess) -> int:
        """How many of the projects which moved are not at their repository's head an interval later."""
        if not self._fleet.moving:
            return 0
        await asyncio.sleep(self._plan.interval)
        async with service.client() as http:
            heads = {
                name: repository.find_commit("HEAD")
                for name, repository in self._fleet.moving.items()
            }
            answers = {name: await http.get(f"/projects/{self._fleet.ids[name]}") for name in heads}
        held = {name: answer.json()["last_sync"]["commit_sha"] for name, answer in answers.items()}
        return sum(head is None or head.sha != held[name] for name, head in heads.items())


def _complaints(service: ServiceProcess) -> int:
    found = complaints(service)
    for line in found[:5]:
        say(f"the service complains: {line[:500]}")
    return len(found)


async def _run(plan: Plan) -> None:
    async with contextlib.AsyncExitStack() as stack:
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory()))
        github = stack.enter_context(GitHubProcess())
        database = await stack.enter_async_context(await ReplicaSet.start(folder / "mongod"))
        pid = database.nodes[0].pid
        assert pid is not None
        fleet = Fleet(github, folder)
        stack.callback(fleet.close)
        fleets = Fleets.of(folder, database.url, github, github_batch_threshold=plan.threshold)
        benchmark = Benchmark(plan, github, fleet, fleets, pid)
        _print_table(plan, [measured async for measured in benchmark.run()])


def _print_table(plan: Plan, found: list[Measurement]) -> None:
    head = [
        "",
        *(
            f"{one.projects:,} projects, {one.credentials} credential{'s'[: one.credentials > 1]}"
            for one in found
        ),
    ]
    rows = [
        ["requests an hour", *(f"{_hourly(one, one.load.requests):,.0f}" for one in found)],
        ["- of that GraphQL queries", *(f"{_hourly(one, one.load.queries):,.0f}" for one in found)],
        ["points an hour", *(f"{_hourly(one, one.load.points):,.0f}" for one in found)],
        [
            "- on the busiest credential (5,000 of each API allowed)",
            *(f"{_hourly(one, one.load.most_points_of_account):,.0f}" for one in found),
        ],
        [
            "most points of a credential in any minute",
            *(f"{one.load.busiest_points:,}" for one in found),
        ],
        [
            "most REST requests of one in any minute (900 allowed)",
            *(f"{one.load.busiest_rest:,}" for one in found),
        ],
        [
            "most GraphQL queries of one in any minute (2,000)",
            *(f"{one.load.busiest_graphql:,}" for one in found),
        ],
        [
            "most requests of one at once (100 allowed)",
            *(f"{one.load.most_at_once}" for one in found),
        ],
        ["requests refused", *(f"{one.load.refused}" for one in found)],
        ["polls planned", *(f"{len(one.punctuality.asked):,}" for one in found)],
        *(
            [
                f"lateness, {label}",
                *(seconds(percentile(one.punctuality.asked, share)) for one in found),
            ]
            for label, share in (("median", 0.5), ("99th percentile", 0.99), ("latest", 1.0))
        ),
        ["polls missing", *(f"{one.punctuality.missing}" for one in found)],
        ["failed syncs", *(f"{one.failed}" for one in found)],
        [
            "CPU seconds an hour, service",
            *(f"{_hourly(one, one.service_cpu):,.0f}" for one in found),
        ],
        [
            "CPU seconds an hour, database",
            *(f"{_hourly(one, one.database_cpu):,.0f}" for one in found),
        ],
        ["peak memory of the service", *(f"{one.memory / MEGABYTE:.0f} MB" for one in found)],
        ["warnings and errors in its log", *(f"{one.complaints}" for one in found)],
    ]
    if plan.moving:
        rows.append(
            ["moved projects not up to date an interval later", *(f"{one.stale}" for one in found)]
        )
    title = f"Polled every {plan.interval} s, measured for {plan.minutes:g} min"
    if plan.moving:
        title += f"; {plan.moving:g} % of the repositories got a commit meanwhile"
    print_table(title, head, rows)


def _hourly(one: Measurement, value: float) -> float:
    return value * _HOUR / one.seconds


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--projects", type=int, nargs="+", default=[200])
    parser.add_argument("--credentials", type=int, nargs="+", default=[1, 20])
    parser.add_argument(
        "--interval", type=int, default=20, help="seconds between polls of a project"
    )
    parser.add_argument(
        "--minutes", type=float, default=0.5, help="how long each measurement lasts"
    )
    parser.add_argument(
        "--moving", type=float, default=0.0, help="percent of repositories which get a commit"
    )
    parser.add_argument("--threshold", type=int, default=100, help="GITHUB_BATCH_THRESHOLD")
    options = parsed(parser, projects=[1000, 10_000], interval=180, minutes=6, threshold=500)
    plan = Plan(
        projects=tuple(options.projects),
        credentials=tuple(options.credentials),
        interval=options.interval,
        minutes=options.minutes,
        moving=options.moving,
        threshold=options.threshold,
    )
    asyncio.run(_run(plan))


if __name__ == "__main__":
    main()
