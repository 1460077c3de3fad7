"""What replicas share of GitHub's limits."""

from datetime import UTC, datetime, timedelta

import pytest

from benchmark_manager.models.governor import GovernorState, RateLimit
from benchmark_manager.stores.database.database import Database
from benchmark_manager.stores.operations.governors import GovernorStore

NOW = datetime.now(UTC).replace(microsecond=0)


def a_state(remaining: int, reset_in: float) -> GovernorState:
    limit = RateLimit(limit=5000, remaining=remaining, reset_at=NOW + timedelta(minutes=reset_in))
    return GovernorState(
        fingerprint="f",
        api_url="https://api.github.com",
        kind="token",
        limits={"core": limit},
        spent={"core": {5: 1}},
    )


@pytest.mark.parametrize(
    ("first", "second", "kept"),
    [
        ((0, 10), (4999, 70), (4999, 70)),
        ((4999, 70), (0, 10), (4999, 70)),
        ((10, 10), (400, 10), (10, 10)),
        ((400, 10), (10, 10), (10, 10)),
    ],
    ids=["a new window", "an old window", "more of the same", "less of the same"],
)
async def test_of_two_windows_the_later_is_kept_and_of_one_what_is_left(
    database: Database, first: tuple[int, float], second: tuple[int, float], kept: tuple[int, float]
) -> None:
    store = GovernorStore(database)
    for window in (first, second):
        await store.add(a_state(*window), NOW)
    (found,) = await store.all(NOW)
    assert found.limits == a_state(*kept).limits


async def test_another_limit_does_not_touch_the_one_which_is_known(database: Database) -> None:
    store = GovernorStore(database)
    await store.add(a_state(10, 10), NOW)
    graphql = a_state(20, 5).limits["core"]
    await store.add(a_state(10, 10).model_copy(update={"limits": {"graphql": graphql}}), NOW)
    (found,) = await store.all(NOW)
    assert found.limits == {**a_state(10, 10).limits, "graphql": graphql}


async def test_what_no_process_stored_for_hours_is_deleted(database: Database) -> None:
    store = GovernorStore(database)
    await store.add(a_state(10, 10), NOW)
    assert len(await store.all(NOW + timedelta(hours=1))) == 1
    assert await store.all(NOW + timedelta(hours=3)) == []
    assert await store.all(NOW) == []
