"""Find out whether a text is a template, to be rendered before it is YAML or JSON.

An opening and its closing may be on different lines: Jinja and Go templates both allow that.
"""

import re
from typing import Final

# Openings with their closings: Jinja, Go and Helm expressions; Jinja statements.
_PAIRS: Final = (("{{", "}}"), ("{%", "%}"))

_QUOTING: Final = re.compile("[\"'#]")


def may_hold_template(text: str) -> bool:
    return "{{" in text or "{%" in text


def first_anywhere(text: str) -> int | None:
    """Return the position of the first `{{ … }}` or `{% … %}`, whatever is around it."""
    # `find` and not a pattern, which takes quadratic time on openings that are never closed.
    found = [start for opening, closing in _PAIRS if (start := _first(text, opening, closing)) >= 0]
    return min(found, default=None)


def _first(text: str, opening: str, closing: str) -> int:
    start = text.find(opening)
    return start if start >= 0 and text.find(closing, start + len(opening)) >= 0 else -1


def first_in_plain(text: str) -> int | None:
    """Return the position of the first template in a plain scalar.

    `${{ … }}` inside a scalar does not count: CI systems evaluate it after they parse the YAML.
    """
    # The replacement cannot be part of a pair, and keeps the positions.
    return first_anywhere(text.replace("${{", "$  "))


def explains_failure(text: str, index: int | None) -> bool:
    """Return whether a template's marks may be why a text does not parse at `index`.

    They count on the same line, or without quotes on the line before.
    """
    if index is None:
        return True
    start = text.rfind("\n", 0, index) + 1
    end = text.find("\n", index)
    if any(mark in text[start : None if end < 0 else end] for pair in _PAIRS for mark in pair):
        return True
    # A parser notices that a scalar has not ended only on the next line.
    before = text[text.rfind("\n", 0, max(0, start - 1)) + 1 : start]
    return any(
        mark and not _QUOTING.search(head)
        for head, mark, _ in (before.partition(opening) for opening, _ in _PAIRS)
    )
