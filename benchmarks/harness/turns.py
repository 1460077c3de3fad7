"""Each project's polls: when they were planned, claimed and recorded.

A change stream over the projects in the database reports every plan, claim and result, with the
time at which the server wrote it, for all processes. The service itself is neither asked nor
changed.
"""

import asyncio
import bisect
import contextlib
import heapq
from collections import defaultdict
from collections.abc import AsyncIterator, Iterator, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import datetime
from typing import TYPE_CHECKING, Any, Final

from pymongo import AsyncMongoClient
from pymongo.errors import PyMongoError

if TYPE_CHECKING:
    from bson import ObjectId

DATABASE: Final = "benchmark_manager"
_WORST: Final = 5
_PIPELINE: Final[list[dict[str, Any]]] = [
    {"$match": {"operationType": "update"}},
    {
        "$project": {
            "documentKey": 1,
            "wallTime": 1,
            **{
                f"updateDescription.updatedFields.{name}": 1
                for name in ("next_poll_at", "lease_owner", "lease_until")
            },
        }
    },
]

Document = dict[str, Any]


@dataclass(slots=True)
class Turn:
    """One planned poll; times are seconds since the epoch.

    Attributes:
        planned: the time that it is planned for.
        opened: when it was planned.
        claims: when processes claimed it.
        renewals: when its lease was renewed.
        releases: when its lease was released.
        closed: when its result was recorded.
    """

    planned: float | None
    opened: float
    claims: list[float] = field(default_factory=list)
    renewals: list[float] = field(default_factory=list)
    releases: list[float] = field(default_factory=list)
    closed: float | None = None

    def described(self, name: str) -> str:
        """Describe what happened to it, in seconds after the planned time."""
        parts = (("claimed", self.claims), ("renewed", self.renewals), ("released", self.releases))
        known = [
            f"{what} {', '.join(self._late(time) for time in times)}"
            for what, times in parts
            if times
        ]
        return f"{name}: {'; '.join([*known, f'recorded {self._late(self.closed)}'])}"

    def _late(self, time: float | None) -> str:
        return "never" if time is None or self.planned is None else f"{time - self.planned:+.1f}"


@dataclass(frozen=True, slots=True)
class Punctuality:
    """How punctual polls were, in seconds.

    Attributes:
        asked: from the planned time to the arrival at GitHub of the first request that names the
            repository.
        recorded: from the planned time to the result in the database. A poll without a result
            counts as late until the end of the measurement.
        missing: polls without a result, and polls that were postponed without a request.
        too_soon: polls planned less than half an interval after their predecessors.
        again: polls that were claimed more than once, since the first claim's process died or
            released it.
        worst: descriptions of the latest.
    """

    asked: tuple[float, ...]
    recorded: tuple[float, ...]
    missing: int
    too_soon: int
    again: int
    worst: tuple[str, ...]


class TurnWatch:
    """Watches all projects that exist when it begins."""

    def __init__(self) -> None:
        self.names: dict[ObjectId, str] = {}
        self.turns: dict[ObjectId, list[Turn]] = defaultdict(list)

    def begin(self, row: Document, now: float) -> None:
        repository = row["source"]["repository"]
        self.names[row["_id"]] = f"{repository['owner']}/{repository['name']}".lower()
        self.turns[row["_id"]].append(Turn(_epoch(row["next_poll_at"]), now))

    def take(self, change: Document) -> None:
        turns = self.turns[change["documentKey"]["_id"]]
        when = change["wallTime"].timestamp()
        updated = change["updateDescription"]["updatedFields"]
        if turns:
            _note_lease(turns[-1], updated, when)
        # The stream may report a change that was read before it began.
        if "next_poll_at" in updated and not (
            turns and turns[-1].planned == _epoch(updated["next_poll_at"])
        ):
            if turns:
                turns[-1].closed = when
            turns.append(Turn(_epoch(updated["next_poll_at"]), when))

    def punctuality(
        self,
        asked: Mapping[str, Sequence[float]],
        begin: float,
        end: float,
        *,
        now: float,
        interval: float,
    ) -> Punctuality:
        """Evaluate the polls due from `begin` to `end`, with those that were waiting before.

        `asked` are the arrivals at GitHub by repository; they must begin before `begin`.
        """
        asked_late, recorded_late = list[float](), list[float]()
        described = list[tuple[float, str]]()
        missing = too_soon = again = 0
        for name, before, turn in self._planned(end):
            assert turn.planned is not None
            closed = now if turn.closed is None else turn.closed
            if max(turn.planned, closed) < begin:
                continue
            arrivals = asked.get(name, ())
            first = bisect.bisect_right(arrivals, turn.opened)
            was_asked = first < len(arrivals) and arrivals[first] <= closed
            missing += turn.closed is None or not was_asked
            asked_late.append((arrivals[first] if was_asked else closed) - turn.planned)
            recorded_late.append(closed - turn.planned)
            described.append((recorded_late[-1], turn.described(name)))
            again += len(turn.claims) > 1
            too_soon += before is not None and turn.planned - before < interval / 2
        worst = tuple(text for _, text in heapq.nlargest(_WORST, described))
        return Punctuality(tuple(asked_late), tuple(recorded_late), missing, too_soon, again, worst)

    def _planned(self, end: float) -> Iterator[tuple[str, float | None, Turn]]:
        """Yield each poll planned before `end`, with the planned time of its predecessor."""
        for key, turns in self.turns.items():
            before: float | None = None
            for turn in turns:
                if turn.planned is not None and turn.planned < end:
                    yield self.names[key], before, turn
                before = turn.planned


def _note_lease(turn: Turn, updated: Document, when: float) -> None:
    if updated.get("lease_owner") is not None:
        turn.claims.append(when)
    elif updated.get("lease_until") is not None:
        turn.renewals.append(when)
    elif "lease_owner" in updated and "next_poll_at" not in updated:
        turn.releases.append(when)


def _epoch(time: datetime | None) -> float | None:
    return None if time is None else time.timestamp()


@asynccontextmanager
async def watched(url: str) -> AsyncIterator[TurnWatch]:
    """Watch the projects of the service's database at this MongoDB URL, through elections too."""
    watch = TurnWatch()
    async with AsyncMongoClient[Document](url, tz_aware=True) as client:
        projects = client[DATABASE].projects
        stream = await projects.watch(_PIPELINE)
        now = await _now(client)
        async for row in projects.find({}, {"next_poll_at": 1, "source.repository": 1}):
            watch.begin(row, now)

        async def follow() -> None:
            nonlocal stream
            while True:
                try:
                    async for change in stream:
                        watch.take(change)
                except PyMongoError:
                    token = stream.resume_token
                    await asyncio.sleep(1)
                    with contextlib.suppress(PyMongoError):
                        stream = await projects.watch(_PIPELINE, resume_after=token)

        following = asyncio.create_task(follow())
        try:
            yield watch
        finally:
            following.cancel()
            with contextlib.suppress(asyncio.CancelledError):
                await following


async def _now(client: AsyncMongoClient[Document]) -> float:
    found: datetime = (await client.admin.command("hello"))["localTime"]
    return found.timestamp()
