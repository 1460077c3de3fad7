"""A text as numbered lines, each problem below its line."""

import re
from collections.abc import Iterable, Sequence
from typing import Final

from markupsafe import Markup, escape

from benchmark_manager.models.problem import Problem
from benchmark_manager.web.rendering import raw

_LINE_END: Final = re.compile(r"\r\n|\r|\n")
#: Characters which one does not see, or which turn what stands beside them around (Unicode TR 36, 3.1).
_UNSEEN: Final = re.compile(
    "[\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x9f\u00ad\u061c\u200b-\u200f\u2028-\u202e\u2060-\u2069\ufeff]"
)


def numbered(text: str, problems: Sequence[Problem]) -> Markup:
    """The lines as HTML, numbered by the style sheet, with an anchor `L<number>` each.

    What cannot be seen is named by its code point.
    """
    by_line: dict[int, list[Problem]] = {}
    for problem in problems:
        if problem.line is not None:
            by_line.setdefault(problem.line, []).append(problem)
    lines = _LINE_END.split(text)
    if len(lines) > 1 and not lines[-1]:
        lines.pop()
    return raw("".join(_line(number, line, by_line.get(number, ())) for number, line in enumerate(lines, 1)))


def _line(number: int, text: str, problems: Iterable[Problem]) -> str:
    notes = "".join(_note(problem) for problem in problems)
    return f'<span class="line" id="L{number}">{visible(text)}\n</span>{notes}'


def visible(text: str) -> str:
    """The text as HTML, what cannot be seen named by its code point."""
    shown = str(escape(text))
    if shown.isascii() and shown.isprintable():
        return shown
    return _UNSEEN.sub(lambda found: f'<b class="unseen">U+{ord(found[0]):04X}</b>', shown)


def _note(problem: Problem) -> str:
    place = "" if problem.column is None else f"{problem.line}:{problem.column} "
    return f'<span class="line-note {problem.severity}">{place}{escape(problem.message)}\n</span>'
