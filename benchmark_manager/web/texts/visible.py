"""Invisible characters, made visible."""

import re
from functools import lru_cache
from itertools import groupby, islice
from typing import Final

from markupsafe import Markup, escape

from benchmark_manager.web.texts.limits import NAME

#: Invisible characters, and those that reverse the text after them (Unicode TR 36, 3.1).
_UNSEEN: Final = re.compile(
    "[\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x9f\u00ad\u061c"
    "\u200b-\u200f\u2028-\u202e\u2060-\u2069\ufeff]+"
)
#: Different characters of a run that are shown by code point; further ones are only counted.
_NAMED: Final = 8
_TIMES: Final = "\N{MULTIPLICATION SIGN}"
#: The most bytes of HTML per character: for `&` and an invisible character, alternating.
BYTES_A_CHARACTER: Final = 9


def visible(text: str) -> str:
    """Return the text as HTML for the inside of an element, invisible characters as code points.

    A run of invisible characters becomes one element; a repeated character is shown once with its
    count.
    """
    shown = escaped(text)
    if shown.isascii() and shown.isprintable():
        return shown
    return _UNSEEN.sub(_named, shown)


def html_size(text: str) -> int:
    """Return the number of bytes of HTML that a text takes inside an element."""
    return len(visible(text).encode())


def escaped(text: str) -> str:
    """Return the text as HTML for the inside of an element; quotes, frequent in JSON, stay."""
    return str(escape(text)).replace("&#34;", '"').replace("&#39;", "'")


def _named(found: re.Match[str]) -> str:
    run = found[0]
    # Hostile names have thousands of short runs, and few different ones.
    return _short_run(run) if len(run) <= _NAMED else _run(run)


def _run(run: str) -> str:
    names = []
    left = len(run)
    for character, same in islice(groupby(run), _NAMED):
        count = sum(1 for _ in same)
        left -= count
        names.append(f"U+{ord(character):04X}" + (f"{_TIMES}{count}" if count > 1 else ""))
    if left:
        names.append(f"+{left}")
    return f"<b>{' '.join(names)}</b>"


_short_run: Final = lru_cache(maxsize=4096)(_run)


def seen(text: str, most: int | None = NAME) -> str:
    """Return a name or sentence for a template, with invisible characters as code points.

    If it is longer than `most` characters, the middle is left out: the name of a file is at the end
    of its path.
    """
    if most is not None and len(text) > most:
        text = f"{text[: most // 3]} … {text[-(most - most // 3) :]}"
    if text.isprintable():
        return text
    return Markup(_UNSEEN.sub(_named, str(escape(text))))  # noqa: S704 -- escaped here


def raw(html: str) -> Markup:
    """Mark HTML as safe: our own code built it and escaped every foreign part."""
    return Markup(html)  # noqa: S704 -- see above
