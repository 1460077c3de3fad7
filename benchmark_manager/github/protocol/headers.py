"""Headers of GitHub's REST API: what requests carry, and how answers name further pages."""

import re
from collections.abc import Mapping
from typing import Final

from gidgethub import sansio

from benchmark_manager.version import __version__

#: GitHub refuses requests without a User-Agent.
REQUESTER: Final = f"benchmark-manager/{__version__}"


ACCEPT_JSON: Final = "application/vnd.github+json"


ACCEPT_SHA: Final = "application/vnd.github.sha"


ACCEPT_RAW: Final = "application/vnd.github.raw+json"


def request_headers(
    accept: str, token: str | None, if_none_match: str | None = None
) -> dict[str, str]:
    built = sansio.create_headers(REQUESTER, accept=accept)
    if token is not None:
        # The form that GitHub documents today, for all kinds of tokens.
        built["authorization"] = f"Bearer {token}"
    if if_none_match is not None:
        built["if-none-match"] = f'"{if_none_match}"'
    return built


def has_next_page(response_headers: Mapping[str, str]) -> bool:
    """Return whether the Link header names a next page.

    Source: GitHub's documentation "Using pagination in the REST API".
    """
    return re.search(r';\s*rel="next"', response_headers.get("link", "")) is not None
