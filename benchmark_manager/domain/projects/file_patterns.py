r"""Patterns of files, as in gitignore(5), relative to the repository's root.

`*` and `?` stand for any characters except a slash, `[…]` for one of some characters, `**` between
slashes for any folders, `\` before a character for the character itself. A pattern with a slash at
its start or inside begins at the root; any other is searched in every folder. A pattern that
matches a folder matches all files in it; with a slash at the end it matches folders only. Blanks at
its start belong to it.

Canonically equivalent names are equal: `설정.yaml` as Linux writes it matches a file that was made
on a Mac.

A pattern becomes a regular expression that never goes back before a star it has passed. That is
correct for globs, since the first match leaves the most for the rest. Libraries such as pathspec
try all ways: `*a*a*a*a*b` takes them 20 s for one name of 200 characters.
"""

import re
from collections.abc import Callable, Sequence
from functools import lru_cache
from itertools import groupby
from typing import Final
from unicodedata import combining, normalize

from benchmark_manager.domain.text.characters import holds_control
from benchmark_manager.errors import InvalidInputError

#: Limits: patterns of one list, characters and folders of one pattern.
MOST_PATTERNS: Final = 50
LONGEST_PATTERN: Final = 256
_MOST_SEGMENTS: Final = 32

#: Combining marks in a row, as in the stream-safe text format of Unicode's annex 15; names of few
#: characters are not searched for them.
_MOST_MARKS: Final = 30
_FEW_CHARACTERS: Final = 60

_ANY_FOLDERS: Final = "(?:[^/]+/)*?"


def normalise_patterns(texts: Sequence[str], *, field: str) -> tuple[str, ...]:
    """Return the patterns, each once, without the blanks at their ends.

    Raises:
        InvalidInputError: `invalid_pattern`, with the number of the pattern.
    """
    if len(texts) > MOST_PATTERNS:
        raise InvalidInputError("invalid_pattern", "too_many", field=field, limit=MOST_PATTERNS)
    patterns = dict.fromkeys(map(_trimmed, texts))
    for number, pattern in enumerate(patterns, 1):
        reason = _fault(pattern)
        if reason is not None:
            limit = _MOST_SEGMENTS if reason == "too_deep" else LONGEST_PATTERN
            raise InvalidInputError(
                "invalid_pattern", reason, field=field, number=number, limit=limit
            )
    return tuple(patterns)


def matcher(patterns: Sequence[str]) -> Callable[[str], bool]:
    """Return a function that returns whether a path matches any pattern.

    The path begins at the root, without a slash.
    """
    if not patterns:
        return lambda _path: False
    compiled = _compiled(tuple(patterns))
    return lambda path: compiled.match(f"{_composed(path)}/") is not None


@lru_cache(maxsize=128)
def _compiled(patterns: tuple[str, ...]) -> re.Pattern[str]:
    return re.compile("|".join(_expression(_composed(pattern)) for pattern in patterns), re.DOTALL)


def _composed(path: str) -> str:
    """Return the path in NFC.

    Names with more marks in a row than any language writes stay as they are: to sort the marks
    takes quadratic time.
    """
    if path.isascii():
        return path
    return "/".join(normalize("NFC", name) if _is_usual(name) else name for name in path.split("/"))


def _is_usual(name: str) -> bool:
    if len(name) <= _FEW_CHARACTERS:
        return True
    runs = (
        sum(1 for _ in run)
        for is_mark, run in groupby(name, lambda c: combining(c) != 0)
        if is_mark
    )
    return max(runs, default=0) <= _MOST_MARKS


def _trimmed(text: str) -> str:
    """Return the text without blanks at its end, except one after a backslash."""
    trimmed = text.rstrip(" \t")
    backslashes = len(trimmed) - len(trimmed.rstrip("\\"))
    return f"{trimmed} " if backslashes % 2 and text.startswith(f"{trimmed} ") else trimmed


def _fault(pattern: str) -> str | None:
    """Return the reason of `invalid_pattern`; None for a pattern that is accepted."""
    segments = pattern.removeprefix("/").removesuffix("/").split("/")
    faults = {
        "empty": not pattern.strip("/"),
        "too_long": len(pattern) > LONGEST_PATTERN,
        "control": holds_control(pattern),
        "negated": pattern.startswith("!"),
        "comment": pattern.startswith("#"),
        "too_deep": len(segments) > _MOST_SEGMENTS,
        "dots": any(segment in {"", ".", ".."} for segment in segments),
    }
    fault = next((reason for reason, is_so in faults.items() if is_so), None)
    if fault is not None:
        return fault
    try:
        _expression(pattern)
    except ValueError as error:
        return str(error)
    return None


def _expression(pattern: str) -> str:
    """Return the regular expression for the beginning of a path with a slash at its end.

    Raises:
        ValueError: a bracket is not closed, or a backslash has nothing behind it; its text is the
            reason of `invalid_pattern`.
    """
    folders_only = pattern.endswith("/")
    body = pattern.removesuffix("/")
    segments = [
        "**" if re.fullmatch(r"\*{2,}", segment) else segment
        for segment in body.removeprefix("/").split("/")
    ]
    if "/" not in body:
        segments.insert(0, "**")
    # The pattern matches everything in a folder, or every folder in it.
    inside = segments[-1] == "**"
    made: list[str] = []
    block: list[str] = []
    anywhere = False
    for segment in (*segments, "**"):
        if segment != "**":
            block.append(f"{_segment(segment)}/")
        elif block:
            made.append(f"(?>{_ANY_FOLDERS if anywhere else ''}{''.join(block)})")
            block, anywhere = [], True
        else:
            anywhere = True
    if inside and folders_only:
        made.append("[^/]+/")
    return "".join(made) + ("(?=.)" if inside or folders_only else "")


def _segment(segment: str) -> str:
    """Return the expression for one name."""
    parts = _parts(segment)
    first, *rest = parts
    if not rest:
        return first
    *middle, last = rest
    found = "".join(f"(?>[^/]*?{part})" for part in middle if part)
    # The part after the last star is at the name's end.
    return f"(?>{first}{found}[^/]*{last}(?=/))"


def _parts(segment: str) -> list[str]:
    """Return the expressions between the stars; each matches a fixed number of characters."""
    parts = [""]
    at = 0
    while at < len(segment):
        character = segment[at]
        at += 1
        if character == "*":
            if parts[-1] or len(parts) == 1:
                parts.append("")
        elif character == "?":
            parts[-1] += "[^/]"
        elif character == "[":
            expression, at = _bracket(segment, at)
            parts[-1] += expression
        elif character == "\\":
            if at == len(segment):
                raise ValueError("backslash")
            parts[-1] += re.escape(segment[at])
            at += 1
        else:
            parts[-1] += re.escape(character)
    return parts


def _bracket(segment: str, at: int) -> tuple[str, int]:
    """Return the expression for a bracket, and the position after it; its inside is at `at`."""
    negated = segment[at : at + 1] in {"!", "^"}
    at += negated
    ranges: list[str] = []
    first = True
    while True:
        if at >= len(segment):
            raise ValueError("bracket")
        if segment[at] == "]" and not first:
            break
        if segment.startswith("[:", at):
            raise ValueError("class")
        first = False
        low, at = _member(segment, at)
        high = low
        if segment[at : at + 1] == "-" and segment[at + 1 : at + 2] not in {"", "]"}:
            high, at = _member(segment, at + 1)
        # The beginning of a range counts also where the range is empty, as in git.
        ranges.append(f"{re.escape(low)}-{re.escape(high)}" if low <= high else re.escape(low))
    inside = "".join(ranges)
    return f"(?!/)[{'^' if negated else ''}{inside}]", at + 1


def _member(segment: str, at: int) -> tuple[str, int]:
    if segment[at] == "\\":
        at += 1
        if at == len(segment):
            raise ValueError("backslash")
    return segment[at], at + 1
