"""What is known of each credential's limit."""

from datetime import UTC, datetime, timedelta

import pytest

from benchmark_manager.errors import GitHubRateLimitedError
from benchmark_manager.github.limits import Credential, CredentialLimits, LimitRegistry

API = "https://api.github.com"


class Clock:
    def __init__(self) -> None:
        self.now = datetime(2026, 5, 1, 12, tzinfo=UTC)

    def __call__(self) -> datetime:
        return self.now

    def pass_time(self, seconds: float) -> None:
        self.now += timedelta(seconds=seconds)


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def limits(clock: Clock) -> CredentialLimits:
    return LimitRegistry(clock).of(Credential(API, "ghp_one"))


def headers(remaining: int, reset_at: datetime, limit: int = 5000) -> dict[str, str]:
    return {
        "x-ratelimit-limit": str(limit),
        "x-ratelimit-remaining": str(remaining),
        "x-ratelimit-reset": str(int(reset_at.timestamp())),
    }


def passes(limits: CredentialLimits, *, urgent: bool) -> bool:
    try:
        limits.check(urgent=urgent)
    except GitHubRateLimitedError:
        return False
    return True


@pytest.mark.parametrize(
    ("remaining", "poll", "manual"), [(501, True, True), (500, False, True), (1, False, True), (0, False, False)]
)
def test_the_last_tenth_is_kept_for_people(
    limits: CredentialLimits, clock: Clock, remaining: int, poll: bool, manual: bool
) -> None:
    limits.learn(headers(remaining, clock.now + timedelta(minutes=30)))
    assert (passes(limits, urgent=False), passes(limits, urgent=True)) == (poll, manual)


def test_nobody_is_held_up_before_anything_is_known(limits: CredentialLimits) -> None:
    assert passes(limits, urgent=False)


def test_a_limit_tells_its_reset_and_ends_with_it(limits: CredentialLimits, clock: Clock) -> None:
    limits.learn(headers(0, clock.now + timedelta(minutes=30)))
    with pytest.raises(GitHubRateLimitedError) as refused:
        limits.check(urgent=True)
    assert refused.value.retry_at == clock.now + timedelta(minutes=30)
    clock.pass_time(1800)
    assert passes(limits, urgent=False)


def test_a_block_holds_everybody_up_until_its_end(limits: CredentialLimits, clock: Clock) -> None:
    limits.block(clock.now + timedelta(seconds=60))
    clock.pass_time(59)
    assert not passes(limits, urgent=True)
    clock.pass_time(1)
    assert passes(limits, urgent=False)


def test_answers_which_overtake_each_other_do_not_raise_what_remains(limits: CredentialLimits, clock: Clock) -> None:
    reset = clock.now + timedelta(minutes=30)
    for remaining in (100, 98, 99):
        limits.learn(headers(remaining, reset))
    assert limits.status is not None
    assert limits.status.remaining == 98
    limits.learn(headers(4999, reset + timedelta(hours=1)))
    assert limits.status.remaining == 4999


def test_headers_without_sense_change_nothing(limits: CredentialLimits, clock: Clock) -> None:
    limits.learn(headers(100, clock.now + timedelta(minutes=30)))
    limits.learn({})
    limits.learn({**headers(1, clock.now), "x-ratelimit-reset": "soon"})
    assert limits.status is not None
    assert limits.status.remaining == 100


def test_a_reset_in_a_thousand_years_stops_nobody_for_longer_than_two_hours(
    limits: CredentialLimits, clock: Clock
) -> None:
    limits.learn(headers(0, clock.now + timedelta(days=365_000)))
    clock.pass_time(7200)
    assert passes(limits, urgent=False)


def test_one_credential_does_not_block_another(clock: Clock) -> None:
    registry = LimitRegistry(clock)
    registry.of(Credential(API, "ghp_one")).block(clock.now + timedelta(hours=1))
    others = [Credential(API, "ghp_two"), Credential(API, None), Credential("https://ghe.example/api/v3", "ghp_one")]
    assert all(passes(registry.of(other), urgent=False) for other in others)
    assert not passes(registry.of(Credential(API, "ghp_one")), urgent=True)


def test_no_text_about_a_credential_holds_its_token(clock: Clock) -> None:
    credential = Credential(API, "ghp_secret")
    limits = LimitRegistry(clock).of(credential)
    limits.learn(headers(1, clock.now + timedelta(minutes=1)))
    assert "ghp_secret" not in f"{credential!r} {credential.fingerprint} {limits.status!r} {limits!r}"


def test_known_limits_are_listed_once_a_credential(clock: Clock) -> None:
    registry = LimitRegistry(clock)
    for token in ("a", "b", "a"):
        registry.of(Credential(API, token)).learn(headers(10, clock.now + timedelta(minutes=1)))
    registry.of(Credential(API, "never used"))
    assert [status.remaining for status in registry.statuses()] == [10, 10]
