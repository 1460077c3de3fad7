"""Characters which no name of ours may hold, and names that are shown whatever they hold."""

import json
import re
from typing import Final

#: Characters of a given name that an error repeats.
_SHOWN: Final = 100
_SURROGATE: Final = re.compile("[\ud800-\udfff]")
_CONTROL: Final = re.compile(r"[\x00-\x1f\x7f-\x9f\u2028\u2029]")


def holds_control(text: str) -> bool:
    """Return whether there is a control character or a line separator: names are one line."""
    return _CONTROL.search(text) is not None


def holds_half_pair(text: str) -> bool:
    """Return whether there is half of a surrogate pair, which JSON may escape and UTF-8 lacks."""
    return _SURROGATE.search(text) is not None


def half_pairs_escaped(text: str) -> str:
    r"""Return a text in which halves of surrogate pairs are written as JSON escapes them.

    >>> half_pairs_escaped("a\ud800")
    'a\\ud800'
    """
    return _SURROGATE.sub(lambda half: f"\\u{ord(half[0]):04x}", text)


def in_quotes(text: str) -> str:
    """Return a text as JSON writes it, in characters that can be encoded."""
    return half_pairs_escaped(json.dumps(text, ensure_ascii=False))


def shown(name: str) -> str:
    """Return what an error repeats of a given name: its beginning, as text that can be encoded.

    An empty name is shown as two quotes, so that a field is never without a name.
    """
    return _SURROGATE.sub("\ufffd", name[:_SHOWN]) or '""'
