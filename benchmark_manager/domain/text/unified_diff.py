"""Patches which `git apply` and `patch -p1` take, for any texts and names.

Sources: git-diff(1), "Generating patch text with -p", for headers, quoted names and renames; the
    "Detailed Unified" section of the GNU diffutils manual for hunks.
"""

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Final

from benchmark_manager.domain.text.line_differences import LineChange, line_changes
from benchmark_manager.domain.text.lines import lines_with_ends

_PLAIN_NAME: Final = re.compile(r"[^\x00-\x1f\x7f-\U0010ffff\"\\]*")
_LETTERS: Final = {7: "a", 8: "b", 9: "t", 10: "n", 11: "v", 12: "f", 13: "r", 34: '"', 92: "\\"}
_PRINTABLE: Final = range(0x20, 0x7F)


def unified_diff(
    before: str, after: str, *, before_path: str, after_path: str, context: int = 3
) -> str:
    r"""Return the patch from one text to the other; empty where neither text nor path differs.

    Lines end at LF; a CR is part of its line, so that the patch has to be handed on byte by byte.
    Paths are relative, with `/`. Where they differ, the patch applies to the file at `before_path`
    and renames it, with `git apply` as with GNU patch 2.7. `context` is 1 or more: without any, git
    loses the line end before a last line that is removed.

    Takes time as `line_changes` does.
    """
    if before == after and before_path == after_path:
        return ""
    first, second = lines_with_ends(before), lines_with_ends(after)
    changes = line_changes(first, second)
    header = [f"diff --git {_one_word(f'a/{before_path}')} {_one_word(f'b/{after_path}')}\n"]
    if before_path != after_path:
        header.append(f"similarity index {_similarity(first, second, changes)}%\n")
        header.append(f"rename from {_quoted(before_path)}\nrename to {_quoted(after_path)}\n")
    if changes:
        header.append(f"--- {_ended(f'a/{before_path}')}\n+++ {_ended(f'b/{after_path}')}\n")
    lines = (
        line
        for hunk in hunks(changes, len(first), context)
        for line in _hunk_lines(first, second, hunk)
    )
    return "".join([*header, *lines])


def _quoted(name: str) -> str:
    """Return a name as git writes it: quoted as in C where it holds anything odd or not ASCII.

    Beyond git, also where it ends in a space, which GNU patch would drop.
    """
    if _PLAIN_NAME.fullmatch(name) and not name.endswith(" "):
        return name
    return _in_quotes(name)


def _one_word(name: str) -> str:
    """Return the name, in quotes where it holds a space, unlike git.

    Of a rename without hunks, GNU patch reads no other names.
    """
    return _in_quotes(name) if " " in name else _quoted(name)


def _in_quotes(name: str) -> str:
    return f'"{"".join(map(_escaped, name.encode("utf-8", "surrogatepass")))}"'


def _escaped(byte: int) -> str:
    if byte in _LETTERS:
        return f"\\{_LETTERS[byte]}"
    return chr(byte) if byte in _PRINTABLE else f"\\{byte:03o}"


def _ended(name: str) -> str:
    """Return a quoted name for the lines before the hunks.

    The tab keeps programs from ending it at its first space.
    """
    return _quoted(name) + ("\t" if " " in name else "")


def _similarity(first: list[str], second: list[str], changes: list[LineChange]) -> int:
    """Return which part of the longer text is in both, in whole percent of its characters."""
    longer = max(sum(map(len, first)), sum(map(len, second)))
    if not longer:
        return 100
    removed = sum(
        len(line) for change in changes for line in first[change.before_start : change.before_end]
    )
    return (sum(map(len, first)) - removed) * 100 // longer


@dataclass(frozen=True, slots=True)
class Hunk:
    """Changes which are shown together, and the lines of both texts with those around them."""

    changes: Sequence[LineChange]
    before: range
    after: range

    def header(self) -> str:
        """Return the ranges as a patch writes them, without a line end."""
        return f"@@ -{_range(self.before)} +{_range(self.after)} @@"


def hunks(changes: Sequence[LineChange], lines_before: int, context: int) -> Iterator[Hunk]:
    """Yield the changes in groups whose context touches or overlaps.

    Args:
        changes: as `line_changes` returns them.
        lines_before: how many lines the first text has.
        context: unchanged lines around a change.
    """
    group: list[LineChange] = []
    for change in changes:
        if group and change.before_start - group[-1].before_end > 2 * context:
            yield _hunk(group, lines_before, context)
            group = []
        group.append(change)
    if group:
        yield _hunk(group, lines_before, context)


def _hunk(changes: Sequence[LineChange], lines_before: int, context: int) -> Hunk:
    first, last = changes[0], changes[-1]
    lead = min(context, first.before_start)
    tail = min(context, lines_before - last.before_end)
    before = range(first.before_start - lead, last.before_end + tail)
    return Hunk(changes, before, range(first.after_start - lead, last.after_end + tail))


def _hunk_lines(first: list[str], second: list[str], hunk: Hunk) -> Iterator[str]:
    yield f"{hunk.header()}\n"
    position = hunk.before.start
    for change in hunk.changes:
        yield from _marked(" ", first[position : change.before_start])
        yield from _marked("-", first[change.before_start : change.before_end])
        yield from _marked("+", second[change.after_start : change.after_end])
        position = change.before_end
    yield from _marked(" ", first[position : hunk.before.stop])


def _range(lines: range) -> str:
    """Return the first line, counted from 1, and how many; of none, the line before and 0."""
    if not lines:
        return f"{lines.start},0"
    return f"{lines.start + 1}" if len(lines) == 1 else f"{lines.start + 1},{len(lines)}"


def _marked(mark: str, lines: list[str]) -> Iterator[str]:
    for line in lines:
        yield mark
        yield line
        if not line.endswith("\n"):
            yield "\n\\ No newline at end of file\n"
