"""Whether a text has to be rendered before it is YAML or JSON.

An opening and its closing may stand on different lines: Jinja and Go templates both allow that.
"""

import re
from typing import Final

# Each opening with the closing which it needs: Jinja, Go and Helm expressions; Jinja statements.
_PAIRS: Final = (("{{", "}}"), ("{%", "%}"))

_QUOTING: Final = re.compile("[\"'#]")


def may_hold_template(text: str) -> bool:
    return "{{" in text or "{%" in text


def first_anywhere(text: str) -> int | None:
    """Where the first `{{ … }}` or `{% … %}` begins, whatever stands around it."""
    # `find`, not a pattern: a pattern takes quadratic time on openings which are never closed.
    found = [start for opening, closing in _PAIRS if (start := _first(text, opening, closing)) >= 0]
    return min(found, default=None)


def _first(text: str, opening: str, closing: str) -> int:
    start = text.find(opening)
    return start if start >= 0 and text.find(closing, start + len(opening)) >= 0 else -1


def first_in_plain(text: str) -> int | None:
    """Where a plain scalar's first template begins.

    `${{ … }}` inside a scalar is none: CI systems evaluate it after they have read the YAML.
    """
    # The stand-in cannot take part in a pair, and keeps the positions.
    return first_anywhere(text.replace("${{", "$  "))


def explains_failure(text: str, index: int | None) -> bool:
    """Whether marks of a template make a text fail at `index`: on its line, or outside quotes on the one before."""
    if index is None:
        return True
    start = text.rfind("\n", 0, index) + 1
    end = text.find("\n", index)
    if any(mark in text[start : None if end < 0 else end] for pair in _PAIRS for mark in pair):
        return True
    # A scalar that ends with its line is missed on the next one only.
    before = text[text.rfind("\n", 0, max(0, start - 1)) + 1 : start]
    return any(
        mark and not _QUOTING.search(head)
        for head, mark, _ in (before.partition(opening) for opening, _ in _PAIRS)
    )
