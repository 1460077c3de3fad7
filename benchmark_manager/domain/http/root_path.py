"""The path below which a proxy offers the service."""

import re
from typing import Final

from benchmark_manager.errors import InvalidInputError

_MOST_CHARACTERS: Final = 255
#: RFC 3986, 2.3: characters which mean the same in an address, a cookie's path and a header,
#: escaped or not.
_PATH: Final = re.compile(r"(?:/[A-Za-z0-9._~-]+)+")
#: What the service's own paths begin with. A request for `/ui` does not show whether a proxy has
#: cut off a `/ui`.
OWN_SEGMENTS: Final = frozenset(
    {
        *(
            "docs",
            "events",
            "health",
            "livez",
            "metrics",
            "modified-files",
            "openapi.json",
            "projects",
            "readyz",
        ),
        *(
            "receipts",
            "releases",
            "repositories",
            "results",
            "status",
            "sweeps",
            "ui",
            "validate",
            "webhooks",
        ),
        *("accounts", "audit", "auth", "federation", "groups", "me", "sessions", "setup", "tokens"),
    }
)


def normalise_root_path(text: str) -> str:
    """Return the path with a slash before it and none behind it; `/` and nothing are the root, "".

    Raises:
        InvalidInputError: `prefix_not_allowed`.
    """
    path = text.rstrip("/")
    if not path and len(text) <= 1:
        return ""
    reason = _problem(path)
    if reason is not None or len(text) - len(path) > 1:
        raise InvalidInputError(
            "prefix_not_allowed",
            reason or "empty_segment",
            limit=_MOST_CHARACTERS,
            segment=path.removeprefix("/").partition("/")[0][:_MOST_CHARACTERS],
        )
    return path


def _problem(path: str) -> str | None:
    """Return the reason of `prefix_not_allowed`; None for a path that is accepted."""
    if len(path) > _MOST_CHARACTERS:
        return "too_long"
    if not _PATH.fullmatch(path):
        return "form"
    segments = path.split("/")[1:]
    if "." in segments or ".." in segments:
        return "dots"
    return "own_path" if segments[0] in OWN_SEGMENTS else None
