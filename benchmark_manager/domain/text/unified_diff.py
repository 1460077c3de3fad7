"""Patches which `git apply` and `patch -p1` take, for any texts and names.

Sources: git-diff(1), "Generating patch text with -p", for headers, quoted names and renames; the
    "Detailed Unified" section of the GNU diffutils manual for hunks.
"""

import re
from collections.abc import Iterator
from typing import Final

from benchmark_manager.domain.text.line_differences import Change, line_changes, split_lines

_PLAIN_NAME: Final = re.compile(r"[^\x00-\x1f\x7f-\U0010ffff\"\\]*")
_LETTERS: Final = {7: "a", 8: "b", 9: "t", 10: "n", 11: "v", 12: "f", 13: "r", 34: '"', 92: "\\"}
_PRINTABLE: Final = range(0x20, 0x7F)


def unified_diff(
    before: str, after: str, *, before_path: str, after_path: str, context: int = 3
) -> str:
    r"""The patch from one text to the other; empty where neither text nor path differs.

    Lines end at LF; a CR is part of its line, so that the patch has to be handed on byte by byte.
    Paths are relative, with `/`. Where they differ, the patch applies to the file at `before_path`
    and renames it, with `git apply` as with GNU patch 2.7. `context` is 1 or more: without any, git
    loses the line end before a last line that is removed.

    Takes time as `line_changes` does.
    """
    if before == after and before_path == after_path:
        return ""
    first, second = split_lines(before), split_lines(after)
    changes = line_changes(first, second)
    header = [f"diff --git {_one_word(f'a/{before_path}')} {_one_word(f'b/{after_path}')}\n"]
    if before_path != after_path:
        header.append(f"similarity index {_similarity(first, second, changes)}%\n")
        header.append(f"rename from {_quoted(before_path)}\nrename to {_quoted(after_path)}\n")
    if changes:
        header.append(f"--- {_ended(f'a/{before_path}')}\n+++ {_ended(f'b/{after_path}')}\n")
    hunks = (
        line
        for hunk in _hunks(changes, context)
        for line in _hunk_lines(first, second, hunk, context)
    )
    return "".join([*header, *hunks])


def _quoted(name: str) -> str:
    """A name as git writes it: in double quotes, as in C, where it holds anything odd or not ASCII.

    Beyond git, also where it ends in a space, which GNU patch would drop.
    """
    if _PLAIN_NAME.fullmatch(name) and not name.endswith(" "):
        return name
    return _in_quotes(name)


def _one_word(name: str) -> str:
    """Beyond git, quoted where it holds a space: of a rename without hunks, GNU patch reads no other names."""
    return _in_quotes(name) if " " in name else _quoted(name)


def _in_quotes(name: str) -> str:
    return f'"{"".join(map(_escaped, name.encode("utf-8", "surrogatepass")))}"'


def _escaped(byte: int) -> str:
    if byte in _LETTERS:
        return f"\\{_LETTERS[byte]}"
    return chr(byte) if byte in _PRINTABLE else f"\\{byte:03o}"


def _ended(name: str) -> str:
    """A quoted name for the lines before the hunks; the tab keeps programs from ending it at its first space."""
    return _quoted(name) + ("\t" if " " in name else "")


def _similarity(first: list[str], second: list[str], changes: list[Change]) -> int:
    """The share of the longer text, in whole percent of its characters, which stands in both."""
    longer = max(sum(map(len, first)), sum(map(len, second)))
    if not longer:
        return 100
    removed = sum(
        len(line) for change in changes for line in first[change.before_start : change.before_end]
    )
    return (sum(map(len, first)) - removed) * 100 // longer


def _hunks(changes: list[Change], context: int) -> Iterator[list[Change]]:
    """Changes whose context touches or overlaps are told together."""
    hunk: list[Change] = []
    for change in changes:
        if hunk and change.before_start - hunk[-1].before_end > 2 * context:
            yield hunk
            hunk = []
        hunk.append(change)
    if hunk:
        yield hunk


def _hunk_lines(
    first: list[str], second: list[str], hunk: list[Change], context: int
) -> Iterator[str]:
    lead = min(context, hunk[0].before_start)
    tail = min(context, len(first) - hunk[-1].before_end)
    position, end = hunk[0].before_start - lead, hunk[-1].before_end + tail
    after = _extent(hunk[0].after_start - lead, hunk[-1].after_end + tail)
    yield f"@@ -{_extent(position, end)} +{after} @@\n"
    for change in hunk:
        yield from _marked(" ", first[position : change.before_start])
        yield from _marked("-", first[change.before_start : change.before_end])
        yield from _marked("+", second[change.after_start : change.after_end])
        position = change.before_end
    yield from _marked(" ", first[position:end])


def _extent(start: int, end: int) -> str:
    """Lines counted from 1, and how many; of none, the line before it is told."""
    if start == end:
        return f"{start},0"
    return f"{start + 1}" if end - start == 1 else f"{start + 1},{end - start}"


def _marked(mark: str, lines: list[str]) -> Iterator[str]:
    for line in lines:
        yield mark
        yield line
        if not line.endswith("\n"):
            yield "\n\\ No newline at end of file\n"
