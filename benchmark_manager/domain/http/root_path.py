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
        *("releases", "repositories", "status", "ui", "validate", "webhooks"),
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
    complaint = _complaint(path)
    if complaint is not None or len(text) - len(path) > 1:
        raise InvalidInputError("prefix_not_allowed", complaint or "must not hold empty segments")
    return path


def _complaint(path: str) -> str | None:
    if len(path) > _MOST_CHARACTERS:
        return f"must be at most {_MOST_CHARACTERS} characters long"
    if not _PATH.fullmatch(path):
        return (
            "must be a path such as /benchmarks, of letters, digits, `.`, `_`, `~` and `-` "
            "between single slashes"
        )
    segments = path.split("/")[1:]
    if "." in segments or ".." in segments:
        return "must not hold `.` or `..` as a segment"
    if segments[0] in OWN_SEGMENTS:
        return f"must not begin with /{segments[0]}, with which paths of the service itself begin"
    return None
