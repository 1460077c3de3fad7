"""Placeholders: values that envsubst, Helm, a CI system or a person fills in before use."""

import re
from typing import Final

# `$NAME` for the shell and envsubst, `<your-token>` for people. Lower case is excluded because
# `$schema` and `$patch` are keys with a meaning.
_WORD: Final = re.compile(r"\$[A-Z_]|<[A-Za-z][^<>\"'=\r\n]*+>")
_LOWER_CASE: Final = re.compile(r"\$[a-z]")
_PAIRS: Final = (("${", "}"), ("$(", ")"), ("{{", "}}"), ("{%", "%}"))
_SIGNS: Final = re.compile(r"[$<{]")


def value_holds_placeholder(text: str) -> bool:
    """Return whether a part of a value is filled in later; unlike in keys, `$name` counts too.

    >>> [value_holds_placeholder(text) for text in ("run-$name", "${N}", "100$")]
    [True, True, False]
    """
    return holds_placeholder(text) or _LOWER_CASE.search(text) is not None


def holds_placeholder(text: str) -> bool:
    """Return whether a part of a key or a value is filled in later, so that rules do not apply.

    >>> [holds_placeholder(text) for text in ("run-${N}", "{{ .Name }}", "<token>", "64 gigs")]
    [True, True, True, False]
    """
    if _SIGNS.search(text) is None:
        return False
    # `find` and not a pattern, which takes quadratic time on openings that are never closed.
    if any(
        (start := text.find(opening)) >= 0 and text.find(closing, start + 2) >= 0
        for opening, closing in _PAIRS
    ):
        return True
    return _WORD.search(text) is not None
