"""When sessions and tokens end."""

from datetime import UTC, datetime, timedelta

import pytest

from benchmark_manager.domain.access.lifetimes import (
    is_use_to_record,
    session_end,
    token_expiry,
)
from benchmark_manager.errors import InvalidInputError
from benchmark_manager.models.access.credentials import Session

NOW = datetime(2026, 11, 30, 12, tzinfo=UTC)
DAY = timedelta(days=1)


def test_a_token_lasts_90_days_where_nobody_says() -> None:
    assert token_expiry(None, NOW, may_be_longer=False) == NOW + 90 * DAY


@pytest.mark.parametrize(
    ("age", "may_be_longer"),
    [(timedelta(seconds=1), False), (366 * DAY, False), (367 * DAY, True), (36_500 * DAY, True)],
)
def test_a_token_lasts_as_wanted(age: timedelta, may_be_longer: bool) -> None:
    assert token_expiry(NOW + age, NOW, may_be_longer=may_be_longer) == NOW + age


@pytest.mark.parametrize(
    ("age", "may_be_longer", "reason"),
    [
        (timedelta(0), False, "past"),
        (-DAY, True, "past"),
        (366 * DAY + timedelta(seconds=1), False, "late"),
    ],
)
def test_an_expiry_is_refused(age: timedelta, may_be_longer: bool, reason: str) -> None:
    with pytest.raises(InvalidInputError) as refused:
        token_expiry(NOW + age, NOW, may_be_longer=may_be_longer)
    assert (refused.value.code, refused.value.reason) == ("invalid_expiry", reason)


@pytest.mark.parametrize(
    ("idle", "end"),
    [(timedelta(hours=12), NOW + timedelta(hours=12)), (30 * DAY, NOW + 7 * DAY)],
    ids=["unused", "too old"],
)
def test_a_session_ends_by_what_comes_first(idle: timedelta, end: datetime) -> None:
    session = Session(
        id="1",
        account_id="2",
        created_at=NOW,
        last_seen_at=NOW,
        expires_at=NOW + 7 * DAY,
        address="::1",
    )
    assert session_end(session, idle) == end


@pytest.mark.parametrize(
    ("last", "is_recorded"),
    [(None, True), (NOW - timedelta(seconds=60), True), (NOW - timedelta(seconds=59), False)],
)
def test_a_use_is_recorded_once_a_minute(last: datetime | None, is_recorded: bool) -> None:
    assert is_use_to_record(last, NOW) is is_recorded
