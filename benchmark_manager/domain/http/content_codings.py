"""Content codings (RFC 9110, section 8.4) of answers that are read from other servers.

One coding at most is undone. Of several, each may unpack a thousandfold and yet yield nothing: two
megabytes keep a processor busy for hours, and no limit on the bytes that come out ends it.
"""

from collections.abc import Iterable
from typing import Final

#: The `Accept-Encoding` of requests.
ACCEPTED: Final = "gzip"

_READABLE: Final = frozenset({"gzip", "x-gzip"})


def is_readable(codings: Iterable[str]) -> bool:
    """Return whether an answer with these codings, in the order of its headers, is to be read."""
    applied = [
        name for coding in codings if (name := coding.strip().lower()) not in {"", "identity"}
    ]
    return not applied or (len(applied) == 1 and applied[0] in _READABLE)
