"""Whether a text has to be rendered before it is YAML or JSON.

An opening and its closing may stand on different lines: Jinja and Go templates both allow that.
"""

from typing import Final

# Each opening with the closing which it needs: Jinja, Go and Helm expressions; Jinja statements.
_PAIRS: Final = (("{{", "}}"), ("{%", "%}"))


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
