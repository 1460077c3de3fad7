"""GitHub's rate limits: what an answer reports, and when to ask again after a refusal.

Sources: GitHub's documentation "Best practices for using the REST API" and "Rate limits for the
REST API".
"""

import re
from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from email.utils import parsedate_to_datetime
from http import HTTPStatus
from typing import Final

from gidgethub import sansio

#: Secondary limits without a Retry-After: "wait for at least one minute before retrying".
_SECONDARY_WAIT: Final = timedelta(seconds=60)


#: Clocks differ: for a reset that seems to be past already, the wait is this long.
_SHORTEST_WAIT: Final = timedelta(seconds=1)


#: No limit of GitHub's lasts longer than an hour; a later date in an answer must not stop a project
#: for longer than this.
LONGEST_WAIT: Final = timedelta(hours=2)


#: Points an hour: a database keeps numbers of 64 bits only.
_LARGEST_LIMIT: Final = 10**9


#: Secondary limits were called abuse detection before, and still are by older servers.
_SAYS_LIMITED: Final = re.compile(rb"rate limit|abuse detection", re.IGNORECASE)


def rate_limit(response_headers: Mapping[str, str]) -> sansio.RateLimit | None:
    """Return the limit that an answer reports, or None where it reports no valid one."""
    try:
        limit = sansio.RateLimit.from_http(response_headers)
    except (ValueError, OverflowError, OSError):
        return None
    if limit is None or not (
        0 <= limit.limit <= _LARGEST_LIMIT and 0 <= limit.remaining <= _LARGEST_LIMIT
    ):
        return None
    return limit


def limited_until(
    status: int, response_headers: Mapping[str, str], body: bytes, now: datetime
) -> datetime | None:
    """Return when a request that was refused for a limit may be repeated.

    None where it was refused neither for the primary nor for a secondary limit.
    """
    if status not in {403, 429}:
        return None
    until = retry_after(response_headers, now)
    limit = rate_limit(response_headers)
    if until is None and limit is not None and limit.remaining == 0:
        until = limit.reset_datetime
    is_certain = until is not None or status == HTTPStatus.TOO_MANY_REQUESTS
    if not is_certain and not _SAYS_LIMITED.search(body[:2000]):
        return None
    return wait_until(until, now)


def wait_until(reported: datetime | None, now: datetime) -> datetime:
    """Return when to ask again after a refusal, for any time that GitHub may have reported."""
    until = now + _SECONDARY_WAIT if reported is None else reported
    return min(max(until, now + _SHORTEST_WAIT), now + LONGEST_WAIT)


def is_primary(response_headers: Mapping[str, str]) -> bool:
    """Return whether a refusal is for the hourly limit, counted apart for REST and GraphQL."""
    limit = rate_limit(response_headers)
    return limit is not None and limit.remaining == 0 and "retry-after" not in response_headers


def retry_after(response_headers: Mapping[str, str], now: datetime) -> datetime | None:
    """Return when to ask again, if an answer says so in seconds or as an HTTP date.

    Source: RFC 9110, section 10.2.3.
    """
    text = response_headers.get("retry-after", "").strip()
    if re.fullmatch(r"\d{1,9}", text):
        return now + timedelta(seconds=int(text))
    try:
        when = parsedate_to_datetime(text)
    except (TypeError, ValueError, OverflowError, IndexError):
        return None
    return when if when.tzinfo is not None else when.replace(tzinfo=UTC)
