"""Where a browser goes after signing in: to a page of the service, never to another site."""

import re
from collections.abc import Iterator
from typing import Final
from urllib.parse import unquote

LONGEST_RETURN_PATH: Final = 2000

_SEGMENT: Final = r"(?:[A-Za-z0-9._~!$&'()*+,;=:@/-]|%[0-9A-Fa-f]{2})"
#: RFC 3986, 3.3 and 3.4: a path and a query.
_PATH: Final = re.compile(rf"(?P<path>/{_SEGMENT}*)(?:\?(?:{_SEGMENT}|\?)*)?")
_CONTROL: Final = re.compile(r"[\x00-\x20\x7f-\x9f\\]")
#: Nobody encodes a path more often by mistake.
_DECODINGS: Final = 4
#: They lead back to the sign-in, or end what it began.
_OF_SIGN_IN: Final = re.compile(r"/auth(?:/.*)?|/ui/(?:sign-in|sign-out|set-up)(?:/.*)?")


def return_path(wanted: str | None, root_path: str) -> str:
    """Return the wanted path where it is one of the service's own, else that of the first page.

    Args:
        wanted: A path as browsers see it, below `root_path`, perhaps with a query.
        root_path: The path below which a proxy offers the service; "" without one.
    """
    if wanted is not None and is_own_path(wanted, root_path):
        return wanted
    return f"{root_path}/ui"


def is_own_path(text: str, root_path: str) -> bool:
    """Return whether a browser that is sent to this address stays at the service."""
    if len(text) > LONGEST_RETURN_PATH:
        return False
    found = _PATH.fullmatch(text)
    if found is None:
        return False
    path = found["path"]
    below = path.removeprefix(root_path)
    return (
        path.startswith(f"{root_path}/")
        and all(map(_is_plain, _decodings(path)))
        and _OF_SIGN_IN.fullmatch(unquote(below)) is None
    )


def _decodings(path: str) -> Iterator[str]:
    """Yield the path as it is, and as servers or browsers that decode it once or more see it."""
    for _ in range(_DECODINGS):
        yield path
        decoded = unquote(path)
        if decoded == path:
            return
        path = decoded
    # One that is encoded more often is taken for an attack.
    yield "//"


def _is_plain(path: str) -> bool:
    if "//" in path or _CONTROL.search(path) is not None:
        return False
    return not {".", ".."}.intersection(path.split("/"))
