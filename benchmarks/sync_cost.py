"""The cost and the time of a sync, compared with other ways, near to and far from GitHub.

    python benchmarks/sync_cost.py [--full] [--latency 0 50 200] [--rounds 1] [--sample 200]
        [--unsampled]

Each way copies the two folders of a repository for the first time, then finds that nothing changed,
then copies commits of 1, 10 and 100 changed files, if the repository has so many:

- Benchmark Manager with a token, and without one: the service (`python main.py`) on a MongoDB
  replica set, which registers the project and syncs on requests over HTTP; the time ends when the
  files are checked, stored and recorded.
- PyGithub: every folder by GET contents and every file, at every poll, one by one and ten at once.
  Beyond a latency of 20 ms only `--sample` folders and files for each thread are requested; the
  time of all is extrapolated and marked with "from", ratios to it with `~`. `--unsampled` requests
  all, which takes about a quarter of an hour one by one at 200 ms.
- A shallow, sparse, blobless clone: `git clone --depth=1 --filter=blob:none --sparse`, `git
  sparse-checkout set`, then `git ls-remote` for the unchanged poll, and `git fetch --depth=1` with
  `git checkout`.
- The floor, a lower bound: the head's commit id, and all needed bytes as one answer, by a bare HTTP
  client over an open connection. Two round trips (one for the unchanged poll), and nothing is
  checked or stored.

The repositories are the three real ones beside the checkout (`../shared/data`, or `--data`), else a
generated one. The GitHub test server is a separate process and the same for all ways; it answers
`--latency` milliseconds late, which stands for the round trip; connections and TLS cost nothing. It
counts requests, points of the rate limits and the bytes of answers' bodies. Times are medians of
`--rounds`, each with `REPEATED` unchanged polls.

`make bench` takes the small defaults; `--full` takes about a quarter of an hour.
"""

import argparse
import asyncio
import contextlib
import itertools
import statistics
import sys
import tempfile
import time
from collections import defaultdict
from collections.abc import Awaitable, Callable, Iterable, Sequence
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from typing import Final

_ROOT = Path(__file__).resolve().parents[1]
sys.path[:0] = [str(_ROOT), str(_ROOT / "tests")]

import httpx2 as httpx

from benchmarks.harness.github_process import (
    GitHubProcess,
    forget_requests,
    host,
    know_tokens,
    lift_limits,
    set_latency,
)
from benchmarks.harness.report import MEGABYTE, parsed, print_table, say, seconds
from benchmarks.harness.subjects import Subject, subjects
from benchmarks.harness.traffic import Cost, cost
from benchmarks.harness.ways import BenchmarkManager, Floor, PlainWay, SparseClone, Way, bundles
from github_test_server import Repository
from support.mongod import ReplicaSet
from support.process import service_process

#: How often an unchanged poll is measured.
REPEATED: Final = 5
_CHANGES: Final = (1, 10, 100)
_TOKEN: Final = "reader"  # noqa: S105 -- made up
#: Seconds from which the plain way is sampled.
_FAR: Final = 0.02

_WITH_TOKEN: Final = "Benchmark Manager"  # noqa: S105 -- a name
_WITHOUT_TOKEN: Final = "Benchmark Manager, no token"  # noqa: S105 -- a name
_ONE_BY_ONE: Final = "PyGithub, one by one"
_TEN_AT_ONCE: Final = "PyGithub, ten at once"
_CLONE: Final = "sparse clone"
_FLOOR: Final = "floor"
_FIRST: Final = "first copy"
_UNCHANGED: Final = "unchanged"
_ANY: Final = "any poll"
_THREADS: Final = {_ONE_BY_ONE: 1, _TEN_AT_ONCE: 10}


@dataclass(frozen=True, slots=True)
class SyncCostPlan:
    """The command line's arguments, with latencies in seconds; no `sample` copies all files."""

    latencies: tuple[float, ...]
    rounds: int
    sample: int | None
    data: Path


@dataclass(slots=True)
class SyncCosts:
    """The results.

    Attributes:
        costs: by action and way.
        times: by action, way and latency.
        sampled: the number of files that times are extrapolated from, by way and latency.
    """

    costs: dict[tuple[str, str], Cost] = field(default_factory=dict)
    times: dict[tuple[str, str, float], list[float]] = field(
        default_factory=lambda: defaultdict(list)
    )
    sampled: dict[tuple[str, float], int] = field(default_factory=dict)

    def time(self, what: str, way: str, latency: float) -> float | None:
        found = self.times.get((what, way, latency))
        return statistics.median(found) if found else None


class SyncCostBenchmark:
    """One service and one GitHub for all repositories."""

    def __init__(
        self, plan: SyncCostPlan, github: GitHubProcess, service: httpx.AsyncClient, folder: Path
    ) -> None:
        self._plan = plan
        self._github = github
        self._service = service
        self._folder = folder
        self._numbers = itertools.count()

    async def warm_up(self, subject: Subject) -> None:
        """Let every process do everything once, unmeasured."""
        say("warming up")
        await self._round(subject, 0.0, 0, SyncCosts())

    async def measure(self, subject: Subject) -> SyncCosts:
        results = SyncCosts()
        for latency in self._plan.latencies:
            for round_ in range(self._plan.rounds):
                say(f"{subject.full_name}, {latency * 1000:.0f} ms, round {round_ + 1}")
                await self._round(subject, latency, round_, results)
        return results

    async def _round(self, subject: Subject, latency: float, round_: int, costs: SyncCosts) -> None:
        """Measure all ways with a new copy of the repository, under a new name for each."""
        number = next(self._numbers)
        commits = [
            (count, subject.changed(count, round_))
            for count in _CHANGES
            if count <= len(subject.contents)
        ]
        wanted = bundles(subject, commits)
        bare, bundle = self._folder / f"{number}.git", self._folder / f"{number}-bundles.git"
        subject.build(bare)
        with Repository.init(bundle) as repository:
            repository.commit({str(count): data for count, data in wanted.items()})
        names = {way: f"acme/{number}-{index}" for index, way in enumerate((*_WAYS, *_THREADS))}
        self._github.ask(host, bare, list(names.values()))
        self._github.ask(host, bundle, [f"bundles/{number}"])
        origin = f"{self._github.url}/{names[_CLONE]}.git"
        clone = SparseClone(origin, self._folder / f"{number}-clone", subject)
        async with httpx.AsyncClient(
            base_url=self._github.url, timeout=600, trust_env=False
        ) as http:
            floor = Floor(http, names[_FLOOR], f"bundles/{number}", wanted, _TOKEN)
            await floor.connect()
            # The floor comes first, since the first one warms the server up for the others.
            ways: dict[str, Way] = {
                _FLOOR: floor,
                _WITH_TOKEN: BenchmarkManager(self._service, names[_WITH_TOKEN], subject, _TOKEN),
                _WITHOUT_TOKEN: BenchmarkManager(
                    self._service, names[_WITHOUT_TOKEN], subject, None
                ),
                _CLONE: clone,
            }
            self._github.ask(set_latency, latency)
            for name, way in ways.items():
                await self._measured(_FIRST, name, latency, costs, way.first)
                for _ in range(REPEATED):
                    await self._measured(_UNCHANGED, name, latency, costs, way.unchanged)
            assert clone.holds(subject.contents)
            for name, threads in _THREADS.items():
                plain = PlainWay(self._github.url, names[name], subject, _TOKEN, threads)
                await self._plain(plain, name, threads, latency, costs)
            for count, contents in commits:
                with Repository(bare) as repository:
                    repository.commit(dict(contents), message=f"{count} changed")
                for name, way in ways.items():
                    await self._measured(
                        _changed(count), name, latency, costs, partial(way.changed, count)
                    )
                assert clone.holds(contents)
            self._github.ask(set_latency, 0.0)

    async def _measured(
        self,
        what: str,
        way: str,
        latency: float,
        results: SyncCosts,
        work: Callable[[], Awaitable[None]],
    ) -> None:
        self._github.ask(forget_requests)
        begin = time.perf_counter()
        await work()
        results.times[what, way, latency].append(time.perf_counter() - begin)
        results.costs.setdefault((what, way), self._github.ask(cost))

    async def _plain(
        self, plain: PlainWay, way: str, threads: int, latency: float, results: SyncCosts
    ) -> None:
        sample = (
            None if self._plan.sample is None or latency < _FAR else self._plan.sample * threads
        )
        self._github.ask(forget_requests)
        files = await plain.copy(sample)
        asked = self._github.ask(cost)
        results.times[_ANY, way, latency].append(plain.seconds)
        if asked.requests < plain.requests:
            results.sampled[way, latency] = files
            # The bytes of folders and files differ too much to be extrapolated.
            asked = Cost(plain.requests, 0, plain.requests, 0)
        results.costs.setdefault((_ANY, way), asked)


_WAYS: Final = (_FLOOR, _WITH_TOKEN, _WITHOUT_TOKEN, _CLONE)
_SHOWN: Final = (_WITH_TOKEN, _WITHOUT_TOKEN, _CLONE, _FLOOR)


def _changed(count: int) -> str:
    return "1 file changed" if count == 1 else f"{count} files changed"


def _cases(subject: Subject) -> list[str]:
    return [
        _FIRST,
        _UNCHANGED,
        *(_changed(count) for count in _CHANGES if count <= len(subject.contents)),
    ]


def _print_costs(subject: Subject, results: SyncCosts, latencies: Sequence[float]) -> None:
    size = (
        f"{subject.size / MEGABYTE:.1f} MB"
        if subject.size >= MEGABYTE
        else f"{subject.size / 1000:.0f} kB"
    )
    title = (
        f"### {subject.full_name}: {len(subject.contents):,} files, {size}, "
        f"in {len(subject.folders):,} folders"
    )
    head = [
        "",
        "way",
        "requests",
        "points",
        "kB",
        *(f"{latency * 1000:.0f} ms" for latency in latencies),
    ]
    rows = [
        [what, way, *_cost(results.costs[what, way]), *_times(results, what, way, latencies)]
        for what, way in [
            *((_ANY, way) for way in _THREADS),
            *itertools.product(_cases(subject), _SHOWN),
        ]
    ]
    print_table(title, head, rows, left=2)


def _cost(found: Cost) -> list[str]:
    requests = f"{found.requests:,}" + (f" + {found.downloads} download" if found.downloads else "")
    return [requests, f"{found.points:,}", f"{found.bytes / 1000:,.1f}" if found.bytes else "-"]


def _times(results: SyncCosts, what: str, way: str, latencies: Iterable[float]) -> list[str]:
    cells = []
    for latency in latencies:
        found = results.time(what, way, latency)
        files = results.sampled.get((way, latency))
        mark = f" (from {files:,} files)" if files is not None else ""
        cells.append("" if found is None else seconds(found) + mark)
    return cells


def _print_ratios(subject: Subject, results: SyncCosts, latencies: Sequence[float]) -> None:
    shown = " / ".join(f"{latency * 1000:.0f}" for latency in latencies)
    title = f"{subject.full_name}: how many times as fast, at {shown} ms"
    others = (_ONE_BY_ONE, _TEN_AT_ONCE, _CLONE, _FLOOR)
    head = ["", "way", *(f"as {other}" for other in others), "round trips"]
    rows = [
        [
            what,
            way,
            *(_ratios(results, what, way, other, latencies) for other in others),
            _round_trips(results, what, way, latencies),
        ]
        for what in _cases(subject)
        for way in (_WITH_TOKEN, _WITHOUT_TOKEN)
    ]
    print_table(title, head, rows, left=2)


def _ratios(results: SyncCosts, what: str, way: str, other: str, latencies: Iterable[float]) -> str:
    of_other = _ANY if other in _THREADS else what
    cells = []
    for latency in latencies:
        mine, theirs = results.time(what, way, latency), results.time(of_other, other, latency)
        if mine is None or theirs is None:
            cells.append("-")
            continue
        mark = "~" if (other, latency) in results.sampled else ""
        ratio = theirs / mine
        cells.append(mark + (f"{ratio:.2g}" if ratio < 10 else f"{ratio:,.0f}"))
    return " / ".join(cells)


def _round_trips(results: SyncCosts, what: str, way: str, latencies: Iterable[float]) -> str:
    """Return the time in multiples of the latency, if there is one."""
    found = [(results.time(what, way, latency), latency) for latency in latencies if latency]
    return " / ".join(
        "-" if time_ is None else f"{time_ / latency:.1f}" for time_, latency in found
    )


async def _run(plan: SyncCostPlan) -> None:
    async with contextlib.AsyncExitStack() as stack:
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory()))
        github = stack.enter_context(GitHubProcess())
        github.ask(lift_limits)
        github.ask(know_tokens, [_TOKEN])
        database = await stack.enter_async_context(await ReplicaSet.start(folder / "mongod"))
        settings = {"mongo_url": database.url, "github_api_urls": github.url, "log_level": "info"}
        service = await stack.enter_async_context(service_process(folder, **settings))
        http = await stack.enter_async_context(service.client(600))
        benchmark = SyncCostBenchmark(plan, github, http, folder)
        found = subjects(plan.data)
        await benchmark.warm_up(found[0])
        for subject in found:
            results = await benchmark.measure(subject)
            _print_costs(subject, results, plan.latencies)
            _print_ratios(subject, results, plan.latencies)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument(
        "--latency", type=float, nargs="+", default=[0.0, 50.0], help="milliseconds of a round trip"
    )
    parser.add_argument(
        "--rounds", type=int, default=1, help="how often all is measured, for the median"
    )
    parser.add_argument(
        "--sample", type=int, default=200, help="files of the plain way for each thread, far away"
    )
    parser.add_argument(
        "--unsampled", action="store_true", help="go the plain way to its end everywhere"
    )
    parser.add_argument("--data", type=Path, default=_ROOT.parent / "shared" / "data")
    options = parsed(parser, latency=[0.0, 50.0, 200.0], rounds=3)
    plan = SyncCostPlan(
        latencies=tuple(latency / 1000 for latency in options.latency),
        rounds=options.rounds,
        sample=None if options.unsampled else options.sample,
        data=options.data,
    )
    asyncio.run(_run(plan))


if __name__ == "__main__":
    main()
