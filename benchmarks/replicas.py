"""Several service processes on one database: how they share the polls, and the effect of kills.

    python benchmarks/replicas.py [--full] [--processes 1 2] [--projects 100] [--interval 10]
        [--minutes 0.5]
    python benchmarks/replicas.py --kill [--full] [--minutes 2]

Without `--kill`, each number of processes in `--processes`, one after the other, polls the same
projects with a MongoDB replica set of one node. Measured: polls a minute, their lateness, polls
planned twice, polls claimed twice, and each process's CPU time.

With `--kill`, the last number of processes run on a replica set of three nodes. Every
`--kill-every` seconds the next of them is killed by SIGKILL and started again at once; in the
middle of the time, MongoDB's primary is killed too and started again 10 s later. All the time,
`--moving` repositories get commits. In the end, when the last leases have expired:

- every planned poll was recorded within one lease (60 s) and `--tolerance` of its time;
- no sync was recorded twice: the syncs of a project have different fences, and each that found a
  new commit begins at the commit where its predecessor ended;
- every project has exactly the files of its repository's head, by their blob ids in git, and those
  that moved have every byte, by the id computed from the bytes.

Violations are reported, and the exit status is then 1. Times come from the database's change stream
(`harness.turns`) and from the arrival of requests at the GitHub test server, a separate process
with GitHub's limits.

`make bench` takes the small defaults without `--kill`; `--full` takes about 25 minutes, with
`--kill` about 12.
"""

import argparse
import asyncio
import contextlib
import itertools
import random
import sys
import tempfile
import time
from collections import Counter
from collections.abc import AsyncIterator
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Final, Self

_ROOT = Path(__file__).resolve().parents[1]
sys.path[:0] = [str(_ROOT), str(_ROOT / "tests")]

from benchmarks.harness.fleet import Fleet, Fleets, each, logged_problems
from benchmarks.harness.github_process import (
    GitHubProcess,
    forget_requests,
    lift_limits,
    set_github_limits,
)
from benchmarks.harness.held_files import (
    broken_links,
    count_wrong_bytes,
    count_wrong_files,
    is_stale,
    successes,
    sync_records,
)
from benchmarks.harness.processes import cpu_seconds
from benchmarks.harness.report import parsed, percentile, print_table, say, seconds
from benchmarks.harness.traffic import GitHubLoad, asked_for, load
from benchmarks.harness.turns import Punctuality, watched
from support.mongod import ReplicaSet

if TYPE_CHECKING:
    from github_test_server import Entry
    from support.process import ServiceProcess


#: Seconds after which another process takes over from one that died.
LEASE: Final = 60
_GRACE: Final = 15
_MOST_COMMITS_A_SECOND: Final = 2
_PRIMARY_AWAY: Final = 10


@dataclass(frozen=True, slots=True)
class ReplicaPlan:
    """What the command line asks for; times in seconds, unless they say minutes."""

    processes: tuple[int, ...]
    projects: int
    interval: int
    minutes: float
    credentials: int
    moving: int
    threshold: int
    kill_every: float
    tolerance: float

    @property
    def duration(self) -> float:
        return self.minutes * 60

    @property
    def tokens(self) -> list[str]:
        return [f"reader-{number}" for number in range(self.credentials)]


@dataclass(frozen=True, slots=True)
class ReplicaMeasurement:
    """The measurement of so many processes; CPU is each one's share of the measured time."""

    processes: int
    seconds: float
    load: GitHubLoad
    punctuality: Punctuality
    cpu: tuple[float, ...]
    logged_problems: int


@dataclass(frozen=True, slots=True)
class Scene:
    """Shared by all measurements."""

    plan: ReplicaPlan
    github: GitHubProcess
    fleet: Fleet
    fleets: Fleets


class ReplicaProcesses:
    """Numbered service processes, which can be killed and started again."""

    def __init__(self, fleets: Fleets, count: int) -> None:
        self._fleets = fleets
        self._count = count
        self._stack = contextlib.AsyncExitStack()
        self._starts = itertools.count()
        self.running: dict[int, ServiceProcess] = {}
        self.all: list[ServiceProcess] = []

    async def start(self, number: int) -> None:
        service = await self._stack.enter_async_context(
            self._fleets.service(f"{number}-start{next(self._starts)}")
        )
        self.running[number] = service
        self.all.append(service)

    def kill(self, number: int) -> None:
        self.running.pop(number).kill()

    async def __aenter__(self) -> Self:
        try:
            for number in range(self._count):
                await self.start(number)
        except BaseException:
            await self._stack.aclose()
            raise
        return self

    async def __aexit__(self, *_: object) -> None:
        await self._stack.aclose()

    def logged_problems(self) -> Counter[str]:
        """Return the warnings and errors of all logs, with their numbers."""
        return Counter(line for service in self.all for line in logged_problems(service))


async def _measured(scene: Scene, count: int) -> ReplicaMeasurement:
    plan = scene.plan
    scene.github.ask(set_github_limits)
    async with (
        ReplicaProcesses(scene.fleets, count) as replicas,
        watched(scene.fleets.mongo_url) as watch,
    ):
        scene.github.ask(forget_requests)
        say(f"{count} processes, warming up for {plan.interval} s")
        await asyncio.sleep(plan.interval)
        pids = [service.process.pid for service in replicas.running.values()]
        before, begin = [cpu_seconds(pid) for pid in pids], time.time()
        say(f"measuring for {plan.duration:.0f} s")
        await asyncio.gather(asyncio.sleep(plan.duration), _commits(scene, plan.duration))
        end = time.time()
        cpu = tuple(
            (cpu_seconds(pid) - used) / (end - begin)
            for pid, used in zip(pids, before, strict=True)
        )
        await asyncio.sleep(_GRACE)
        asked = await asyncio.to_thread(scene.github.ask, asked_for)
        return ReplicaMeasurement(
            processes=count,
            seconds=end - begin,
            load=await asyncio.to_thread(scene.github.ask, load, begin, end),
            punctuality=watch.punctuality(
                asked, begin, end, now=time.time(), interval=plan.interval
            ),
            cpu=cpu,
            logged_problems=_report_log(replicas),
        )


def _report_log(replicas: ReplicaProcesses) -> int:
    found = replicas.logged_problems()
    for line, _ in found.most_common(8):
        say(f"a service logged: {line[:400]}")
    return found.total()


async def _commits(scene: Scene, duration: float) -> None:
    """Commit to the repositories that move, in turn and evenly over the time.

    Each commit changes, adds and removes files.
    """
    names = sorted(scene.fleet.moving)
    if not names:
        return
    random.Random(7).shuffle(names)  # noqa: S311 -- an order, no secret
    end = time.monotonic() + duration
    for number, name in enumerate(itertools.cycle(names)):
        if time.monotonic() >= end:
            return
        files: dict[str, bytes | Entry | None] = {
            "config/a.yaml": b"at: %d\n" % time.time_ns(),
            f"config/{number}.yaml": b"added: %d\n" % time.time_ns(),
        }
        if number >= len(names):
            files[f"config/{number - len(names)}.yaml"] = None
        await asyncio.to_thread(scene.fleet.moving[name].commit, files, message=f"commit {number}")
        await asyncio.sleep(max(1 / _MOST_COMMITS_A_SECOND, scene.plan.interval / 2 / len(names)))


def _print_shares(plan: ReplicaPlan, found: list[ReplicaMeasurement]) -> None:
    head = ["", *(f"{one.processes} process{'es' if one.processes > 1 else ''}" for one in found)]
    polled = [one.punctuality for one in found]
    rows = [
        [
            "polls a minute",
            *(f"{len(one.punctuality.asked) / one.seconds * 60:,.0f}" for one in found),
        ],
        *(
            [f"lateness, {label}", *(seconds(percentile(one.asked, share)) for one in polled)]
            for label, share in (("median", 0.5), ("99th percentile", 0.99), ("latest", 1.0))
        ),
        ["polls missing", *(f"{one.missing}" for one in polled)],
        ["polls planned twice within half an interval", *(f"{one.too_soon}" for one in polled)],
        ["turns claimed twice", *(f"{one.again}" for one in polled)],
        ["requests a minute", *(f"{one.load.requests / one.seconds * 60:,.0f}" for one in found)],
        ["points a minute", *(f"{one.load.points / one.seconds * 60:,.0f}" for one in found)],
        ["requests refused", *(f"{one.load.refused}" for one in found)],
        ["CPU of each process", *(", ".join(f"{share:.1%}" for share in one.cpu) for one in found)],
        ["warnings and errors in the logs", *(f"{one.logged_problems}" for one in found)],
    ]
    credentials = f"{plan.credentials} credential{'s'[: plan.credentials > 1]}"
    title = (
        f"{plan.projects:,} projects on {credentials} polled every {plan.interval} s, "
        f"measured for {plan.minutes:g} min"
    )
    print_table(title, head, rows)


@dataclass(frozen=True, slots=True)
class Aftermath:
    """The findings after the kills. All except the first four must be 0."""

    kills: int
    punctuality: Punctuality
    commits: int
    logged_problems: int
    late: int
    doubled_fences: int
    broken_chains: int
    stale: int
    wrong_files: int
    wrong_bytes: int

    @property
    def good(self) -> bool:
        wrong = (
            self.late,
            self.doubled_fences,
            self.broken_chains,
            self.stale,
            self.wrong_files,
            self.wrong_bytes,
        )
        return not any((*wrong, self.punctuality.missing, self.punctuality.too_soon))


async def _killed(scene: Scene, database: ReplicaSet) -> Aftermath:
    plan = scene.plan
    scene.github.ask(set_github_limits)
    async with (
        ReplicaProcesses(scene.fleets, plan.processes[-1]) as replicas,
        watched(scene.fleets.mongo_url) as watch,
    ):
        scene.github.ask(forget_requests)
        say(f"{plan.processes[-1]} processes, warming up for {plan.interval} s")
        await asyncio.sleep(plan.interval)
        begin = time.time()
        kills, _, _ = await asyncio.gather(
            _kill_processes(replicas, plan),
            _kill_primary(database, plan),
            _commits(scene, plan.duration),
        )
        end = time.time()
        rest = LEASE + plan.interval + plan.tolerance
        say(f"{kills} kills; leases run out for {rest:.0f} s")
        await asyncio.sleep(rest)
        asked = await asyncio.to_thread(scene.github.ask, asked_for)
        punctuality = watch.punctuality(asked, begin, end, now=time.time(), interval=plan.interval)
        for described in punctuality.worst:
            say(f"among the latest, in seconds after the plan: {described}")
        say("comparing what is held with git")
        async with next(iter(replicas.running.values())).client() as http:
            stale = sum(await each(scene.fleet.ids, lambda name: is_stale(scene.fleet, http, name)))
            wrong_files = sum(
                await each(scene.fleet.ids, lambda name: count_wrong_files(scene.fleet, http, name))
            )
            wrong_bytes = sum(
                await each(
                    scene.fleet.moving, lambda name: count_wrong_bytes(scene.fleet, http, name)
                )
            )
        records = await sync_records(scene.fleets.mongo_url)
        return Aftermath(
            kills=kills,
            punctuality=punctuality,
            commits=sum(len(successes(of_one)) for of_one in records.values()),
            logged_problems=_report_log(replicas),
            late=sum(late > LEASE + plan.tolerance for late in punctuality.recorded),
            doubled_fences=sum(
                len(of_one) - len({row["fence"] for row in of_one}) for of_one in records.values()
            ),
            broken_chains=sum(broken_links(of_one) for of_one in records.values()),
            stale=stale,
            wrong_files=wrong_files,
            wrong_bytes=wrong_bytes,
        )


async def _kill_processes(replicas: ReplicaProcesses, plan: ReplicaPlan) -> int:
    end = time.monotonic() + plan.duration
    for kills, number in enumerate(itertools.cycle(sorted(replicas.running))):
        await asyncio.sleep(min(plan.kill_every, end - time.monotonic()))
        if time.monotonic() >= end:
            return kills
        say(f"killing process {number}")
        replicas.kill(number)
        await replicas.start(number)
    raise AssertionError("a cycle has no end")


async def _kill_primary(database: ReplicaSet, plan: ReplicaPlan) -> None:
    await asyncio.sleep(plan.duration / 2)
    node = await database.kill_primary()
    say("killed MongoDB's primary")
    await asyncio.sleep(_PRIMARY_AWAY)
    await database.restart(database.nodes.index(node))
    await database.wait_for_members(120)
    say("it runs again")


def _print_aftermath(plan: ReplicaPlan, found: Aftermath) -> None:
    rows = [
        ["processes killed and started again", f"{found.kills}"],
        ["primaries of MongoDB killed", "1"],
        ["polls planned", f"{len(found.punctuality.recorded):,}"],
        *(
            [
                f"from plan to record, {label}",
                seconds(percentile(found.punctuality.recorded, share)),
            ]
            for label, share in (("median", 0.5), ("99th percentile", 0.99), ("latest", 1.0))
        ),
        [f"- of these over {LEASE} s + {plan.tolerance:g} s", f"{found.late}"],
        ["polls missing", f"{found.punctuality.missing}"],
        ["polls planned twice within half an interval", f"{found.punctuality.too_soon}"],
        ["turns claimed anew from a process that died", f"{found.punctuality.again}"],
        ["syncs that read a commit, or were a project's first", f"{found.commits:,}"],
        ["fences with two records", f"{found.doubled_fences}"],
        ["commits skipped, or read twice", f"{found.broken_chains}"],
        ["projects not at their head in the end", f"{found.stale}"],
        ["files missing, left over or of another blob", f"{found.wrong_files}"],
        ["files served with wrong bytes", f"{found.wrong_bytes}"],
        ["warnings and errors in the logs", f"{found.logged_problems}"],
    ]
    title = (
        f"{plan.projects:,} projects polled every {plan.interval} s by {plan.processes[-1]} "
        f"processes for {plan.minutes:g} min, one killed every {plan.kill_every:g} s; "
        f"{plan.moving} repositories move"
    )
    print_table(title, ["", ""], rows)


@contextlib.asynccontextmanager
async def _scene(plan: ReplicaPlan, nodes: int) -> AsyncIterator[tuple[Scene, ReplicaSet]]:
    async with contextlib.AsyncExitStack() as stack:
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory()))
        github = stack.enter_context(GitHubProcess())
        github.ask(lift_limits)
        database = await stack.enter_async_context(
            await ReplicaSet.start(folder / "mongod", nodes=nodes)
        )
        fleet = Fleet(github, folder)
        stack.callback(fleet.close)
        fleets = Fleets.of(folder, database.url, github, github_batch_threshold=plan.threshold)
        async with fleets.service("setup") as service:
            await fleet.grow(service, plan.projects, moving=plan.moving)
            await fleet.poll(service, plan.interval, plan.tokens)
        yield Scene(plan, github, fleet, fleets), database


async def _run(plan: ReplicaPlan, *, kill: bool) -> bool:
    async with _scene(plan, nodes=3 if kill else 1) as (scene, database):
        if kill:
            aftermath = await _killed(scene, database)
            _print_aftermath(plan, aftermath)
            return aftermath.good
        found = [await _measured(scene, count) for count in plan.processes]
        _print_shares(plan, found)
        return not any(one.punctuality.missing or one.punctuality.too_soon for one in found)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument(
        "--kill", action="store_true", help="kill processes, and check what is left"
    )
    parser.add_argument("--processes", type=int, nargs="+", default=[1, 2])
    parser.add_argument("--projects", type=int, default=100)
    parser.add_argument(
        "--interval", type=int, default=10, help="seconds between polls of a project"
    )
    parser.add_argument(
        "--minutes",
        type=float,
        default=0.5,
        help="how long each measurement, or the killing, lasts",
    )
    parser.add_argument(
        "--credentials", type=int, default=4, help="among which the projects are shared out"
    )
    parser.add_argument("--moving", type=int, default=10, help="repositories which get commits")
    parser.add_argument("--threshold", type=int, default=500, help="GITHUB_BATCH_THRESHOLD")
    parser.add_argument("--kill-every", type=float, default=20, help="seconds from kill to kill")
    parser.add_argument(
        "--tolerance", type=float, default=15, help="seconds which a poll may take beyond a lease"
    )
    options = parsed(
        parser, processes=[1, 2, 4], projects=2000, interval=60, minutes=5, credentials=1, moving=50
    )
    plan = ReplicaPlan(
        processes=tuple(options.processes),
        projects=options.projects,
        interval=options.interval,
        minutes=options.minutes,
        credentials=options.credentials,
        moving=options.moving,
        threshold=options.threshold,
        kill_every=options.kill_every,
        tolerance=options.tolerance,
    )
    sys.exit(0 if asyncio.run(_run(plan, kill=options.kill)) else 1)


if __name__ == "__main__":
    main()
