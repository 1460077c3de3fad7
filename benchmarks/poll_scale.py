"""The cost of polling many projects, and the lateness of polls.

    python benchmarks/poll_scale.py [--full] [--projects 200] [--credentials 1 20] [--interval 20]
    [--minutes 0.5]

Real code in real time: the service (`python main.py`), MongoDB and the GitHub test server are
separate processes. The server hosts a repository for each project, with GitHub's limits: 5,000
points an hour of each API, 900 points a minute of REST, 2,000 of GraphQL, 100 requests at once.
Requests beyond them are refused and counted.

Projects are registered through the API and synced once (`harness.fleet`). For each number of
credentials they get their tokens, the service is restarted, polls for one interval unmeasured, and
is then measured for `--minutes`; costs of an hour are extrapolated. `--moving` is the percentage of
repositories that get a commit in the measured time.

Lateness is exact: the database reports each planned time as it is written (`harness.turns`), and
the GitHub test server when the next request that names the repository arrived, by REST or among the
up to 50 repositories of a GraphQL query. The lateness of a poll is the difference, so it includes
the wait for other polls to share a query. A poll that was planned in the measured time but not sent
within `GRACE` after it counts as late until then, and as missing.

`make bench` takes the small defaults, where `--threshold` is low enough for batches; `--full` takes
about an hour.
"""

import argparse
import asyncio
import contextlib
import random
import sys
import tempfile
import time
from collections.abc import AsyncIterator, Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Final

_ROOT = Path(__file__).resolve().parents[1]
sys.path[:0] = [str(_ROOT), str(_ROOT / "tests")]

from benchmarks.harness.fleet import Fleet, Fleets, counted, logged_problems
from benchmarks.harness.github_process import (
    GitHubProcess,
    forget_requests,
    lift_limits,
    set_github_limits,
)
from benchmarks.harness.processes import cpu_seconds, peak_memory
from benchmarks.harness.report import MEGABYTE, parsed, percentile, print_table, say, seconds
from benchmarks.harness.traffic import GitHubLoad, asked_for, load
from benchmarks.harness.turns import Punctuality, watched
from support.mongod import ReplicaSet
from support.process import ServiceProcess

#: Seconds that a poll has after the end of the measured time.
GRACE: Final = 15
_HOUR: Final = 3600


@dataclass(frozen=True, slots=True)
class PollPlan:
    """The arguments of the command line; `moving` is in percent."""

    projects: tuple[int, ...]
    credentials: tuple[int, ...]
    interval: int
    minutes: float
    moving: float
    threshold: int


@dataclass(frozen=True, slots=True)
class PollMeasurement:
    """One column: CPU seconds in the measured time, and the service's peak memory in bytes."""

    projects: int
    credentials: int
    seconds: float
    load: GitHubLoad
    punctuality: Punctuality
    service_cpu: float
    database_cpu: float
    memory: int
    failed: int
    stale: int
    logged_problems: int


class PollBenchmark:
    """One database and one GitHub for all measurements."""

    def __init__(
        self, plan: PollPlan, github: GitHubProcess, fleet: Fleet, fleets: Fleets, database_pid: int
    ) -> None:
        self._plan = plan
        self._github = github
        self._fleet = fleet
        self._fleets = fleets
        self._database_pid = database_pid

    async def run(self) -> AsyncIterator[PollMeasurement]:
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

    async def _measured(
        self, service: ServiceProcess, count: int, credentials: int
    ) -> PollMeasurement:
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
            return PollMeasurement(
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
                logged_problems=_logged_problems(service),
            )

    async def _pass_time(self) -> None:
        left = self._plan.minutes * 60
        while left > 0:
            say(f"measuring for another {left:.0f} s")
            await asyncio.sleep(min(left, 30))
            left -= 30

    async def _commit_now_and_then(self) -> None:
        """Commit once to each repository that moves, evenly over the measured time."""
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
        """Count the projects that are not at their moved repository's head an interval later."""
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


def _logged_problems(service: ServiceProcess) -> int:
    found = logged_problems(service)
    for line in found[:5]:
        say(f"the service logged: {line[:500]}")
    return len(found)


async def _run(plan: PollPlan) -> None:
    async with contextlib.AsyncExitStack() as stack:
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory()))
        github = stack.enter_context(GitHubProcess())
        database = await stack.enter_async_context(await ReplicaSet.start(folder / "mongod"))
        pid = database.nodes[0].pid
        assert pid is not None
        fleet = Fleet(github, folder)
        stack.callback(fleet.close)
        fleets = Fleets.of(folder, database.url, github, github_batch_threshold=plan.threshold)
        benchmark = PollBenchmark(plan, github, fleet, fleets, pid)
        _print_table(plan, [measured async for measured in benchmark.run()])


def _print_table(plan: PollPlan, found: list[PollMeasurement]) -> None:
    head = [
        "",
        *(
            f"{one.projects:,} projects, {one.credentials} credential{'s'[: one.credentials > 1]}"
            for one in found
        ),
    ]
    cells = {**_REQUESTS, **_POLLS, **_RESOURCES}
    title = f"Polled every {plan.interval} s, measured for {plan.minutes:g} min"
    if plan.moving:
        cells["moved projects not up to date an interval later"] = lambda one: f"{one.stale}"
        title += f"; {plan.moving:g} % of the repositories got a commit meanwhile"
    print_table(title, head, [[label, *map(cell, found)] for label, cell in cells.items()])


Cell = Callable[[PollMeasurement], str]

_REQUESTS: Final[dict[str, Cell]] = {
    "requests an hour": lambda one: f"{_hourly(one, one.load.requests):,.0f}",
    "- of that GraphQL queries": lambda one: f"{_hourly(one, one.load.queries):,.0f}",
    "points an hour": lambda one: f"{_hourly(one, one.load.points):,.0f}",
    "- on the busiest credential (5,000 of each API allowed)": lambda one: (
        f"{_hourly(one, one.load.most_points_of_account):,.0f}"
    ),
    "most points of a credential in any minute": lambda one: f"{one.load.busiest_points:,}",
    "most REST requests of one in any minute (900 allowed)": lambda one: (
        f"{one.load.busiest_rest:,}"
    ),
    "most GraphQL queries of one in any minute (2,000)": lambda one: (
        f"{one.load.busiest_graphql:,}"
    ),
    "most requests of one at once (100 allowed)": lambda one: f"{one.load.most_at_once}",
    "requests refused": lambda one: f"{one.load.refused}",
}
_POLLS: Final[dict[str, Cell]] = {
    "polls planned": lambda one: f"{len(one.punctuality.asked):,}",
    "lateness, median": lambda one: _lateness(one, 0.5),
    "lateness, 99th percentile": lambda one: _lateness(one, 0.99),
    "lateness, latest": lambda one: _lateness(one, 1.0),
    "polls missing": lambda one: f"{one.punctuality.missing}",
    "failed syncs": lambda one: f"{one.failed}",
}
_RESOURCES: Final[dict[str, Cell]] = {
    "CPU seconds an hour, service": lambda one: f"{_hourly(one, one.service_cpu):,.0f}",
    "CPU seconds an hour, database": lambda one: f"{_hourly(one, one.database_cpu):,.0f}",
    "peak memory of the service": lambda one: f"{one.memory / MEGABYTE:.0f} MB",
    "warnings and errors in its log": lambda one: f"{one.logged_problems}",
}


def _lateness(one: PollMeasurement, share: float) -> str:
    return seconds(percentile(one.punctuality.asked, share))


def _hourly(one: PollMeasurement, value: float) -> float:
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
        "--moving", type=float, default=0.0, help="percentage of repositories that get a commit"
    )
    parser.add_argument("--threshold", type=int, default=100, help="GITHUB_BATCH_THRESHOLD")
    options = parsed(parser, projects=[1000, 10_000], interval=180, minutes=6, threshold=500)
    plan = PollPlan(
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
