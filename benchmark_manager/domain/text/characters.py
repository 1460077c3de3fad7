"""Characters which no name of ours may hold, and names that are shown whatever they hold."""

import re
from typing import Final

#: Characters of a given name that an error repeats.
_SHOWN: Final = 100
_SURROGATE: Final = re.compile("[\ud800-\udfff]")
_CONTROL: Final = re.compile(r"[\x00-\x1f\x7f-\x9f\u2028\u2029]")


def holds_control(text: str) -> bool:
    """Whether there is a control character or a line separator: names are one line."""
    return _CONTROL.search(text) is not None


def shown(name: str) -> str:
    """Return what an error repeats of a given name: its beginning, as text that can be encoded.

    An empty name is shown as two quotes, so that a field is never without a name.
    """
    return _SURROGATE.sub("\ufffd", name[:_SHOWN]) or '""'
