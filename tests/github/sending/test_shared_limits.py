"""What replicas share of a credential's limits, and what outlives a process."""

import asyncio
from collections import Counter
from collections.abc import Callable
from datetime import datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from benchmark_manager.github.sending.governor import (
    Governor,
    Governors,
)
from benchmark_manager.models.governor import GovernorState, LimitResource, RateLimit
from support.credential_limits import API, SteppedClock, credential, headers, passes, spend


class Shelf:
    """What the store keeps of one credential: `spent` is added up, the rest is replaced."""

    def __init__(self) -> None:
        self.spent: dict[LimitResource, Counter[int]] = {}
        self.limits: dict[LimitResource, RateLimit] = {}
        self.blocked_until: datetime | None = None

    def share(self, state: GovernorState) -> None:
        for resource, steps in state.spent.items():
            self.spent.setdefault(resource, Counter()).update(steps)
        self.limits |= state.limits
        if state.blocked_until is not None:
            self.blocked_until = max(self.blocked_until or state.blocked_until, state.blocked_until)

    def state(self) -> GovernorState:
        return GovernorState(
            fingerprint=credential().fingerprint,
            api_url=API,
            kind="token",
            limits=dict(self.limits),
            blocked_until=self.blocked_until,
            spent={resource: dict(steps) for resource, steps in self.spent.items()},
        )


ACTIONS = st.lists(
    st.tuples(
        st.sampled_from(["spend", "share", "cannot share", "listen", "restart"]), st.integers(0, 2)
    ),
    max_size=60,
)


class ThreeReplicas:
    """Three processes and the shelf between them."""

    def __init__(self) -> None:
        self.clock = SteppedClock()
        self.shelf = Shelf()
        self.all = [Governor(credential(), self.clock) for _ in range(3)]
        self.spent = 0

    def run(self, action: str, which: int) -> None:
        governor = self.all[which]
        match action:
            case "spend":
                asyncio.run(spend(governor, 1, urgent=True))
                self.spent += 1
            case "share":
                if (state := governor.unshared()) is not None:
                    self.shelf.share(state)
            case "cannot share":
                if (state := governor.unshared()) is not None:
                    governor.put_back(state)
            case "listen":
                governor.merge(self.shelf.state())
            case _:
                self.restart(which)

    def restart(self, which: int) -> None:
        """What was not shared is lost."""
        if (state := self.all[which].unshared()) is not None:
            self.spent -= sum(state.spent.get("core", {}).values())
        self.all[which] = Governor(credential(), self.clock)
        self.all[which].merge(self.shelf.state())


@given(actions=ACTIONS)
def test_points_of_all_replicas_are_counted_once_each_whatever_fails_or_ends_in_between(
    actions: list[tuple[str, int]],
) -> None:
    replicas = ThreeReplicas()
    for action, which in [
        *actions,
        *((last, which) for last in ("share", "listen") for which in range(3)),
    ]:
        replicas.run(action, which)
    assert [governor.points_last_minute("core") for governor in replicas.all] == [
        replicas.spent
    ] * 3


def test_what_github_said_before_holds_for_the_next_process(clock: SteppedClock) -> None:
    shelf = Shelf()
    former = Governor(credential(), clock)
    former.block(clock.now + timedelta(seconds=90))
    former.learn("graphql", headers(0, clock.now + timedelta(minutes=30)))
    reported = former.unshared()
    assert reported is not None
    shelf.share(reported)
    governors = Governors(clock)
    governors.merge([shelf.state()])
    later = governors.of(credential())
    assert not passes(later, urgent=True)
    clock.pass_time(90)
    assert passes(later, urgent=True)
    assert not passes(later, urgent=True, resource="graphql")


def test_who_listens_does_not_forget_what_it_knows_better(
    governor: Governor, clock: SteppedClock
) -> None:
    shelf = Shelf()
    soon, later = clock.now + timedelta(minutes=10), clock.now + timedelta(minutes=70)
    shelf.blocked_until = clock.now + timedelta(seconds=10)
    shelf.limits = {"core": RateLimit(limit=5000, remaining=4000, reset_at=soon)}
    governor.block(clock.now + timedelta(seconds=60))
    governor.learn("core", headers(10, later))
    governor.merge(shelf.state())
    assert governor.blocked_until == clock.now + timedelta(seconds=60)
    assert governor.limits["core"].remaining == 10


@pytest.mark.parametrize("change", ["learn", "block", "spend"])
def test_new_facts_are_shared_once_and_nothing_where_there_are_none(
    governor: Governor, clock: SteppedClock, change: str
) -> None:
    changes: dict[str, Callable[[], None]] = {
        "learn": lambda: governor.learn("core", headers(10, clock.now + timedelta(minutes=1))),
        "block": lambda: governor.block(clock.now + timedelta(seconds=5)),
        "spend": lambda: asyncio.run(spend(governor, 1, urgent=False)),
    }
    assert governor.unshared() is None
    changes[change]()
    assert governor.unshared() is not None
    assert governor.unshared() is None
    governor.merge(Shelf().state())
    assert governor.unshared() is None
