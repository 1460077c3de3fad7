"""When sessions and tokens end, and how often their use is recorded."""

from datetime import datetime, timedelta
from typing import Final

from benchmark_manager.errors import InvalidInputError
from benchmark_manager.models.access.credentials import Session

DEFAULT_TOKEN_AGE: Final = timedelta(days=90)
LONGEST_TOKEN_AGE: Final = timedelta(days=366)
#: The last use of a session or a token is known to this.
USE_PRECISION: Final = timedelta(minutes=1)


def token_expiry(wanted: datetime | None, now: datetime, *, may_be_longer: bool) -> datetime:
    """Return when a new token expires: as wanted, or after 90 days.

    Args:
        wanted: None where its maker does not say.
        now: The time.
        may_be_longer: Whether an administrator makes it.

    Raises:
        InvalidInputError: `invalid_expiry`.
    """
    if wanted is None:
        return now + DEFAULT_TOKEN_AGE
    if wanted <= now:
        raise InvalidInputError("invalid_expiry", "past", field="expires_at")
    if wanted - now > LONGEST_TOKEN_AGE and not may_be_longer:
        raise InvalidInputError(
            "invalid_expiry", "late", field="expires_at", days=LONGEST_TOKEN_AGE.days
        )
    return wanted


def session_end(session: Session, idle: timedelta) -> datetime:
    """Return when a session ends unless it is used before; `idle` is how long it may be unused."""
    return min(session.expires_at, session.last_seen_at + idle)


def is_use_to_record(last: datetime | None, now: datetime) -> bool:
    """Return whether a use is to be recorded, as the last one on record is old enough."""
    return last is None or now - last >= USE_PRECISION
