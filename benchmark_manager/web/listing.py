"""A text as numbered lines, each problem below its line."""

import re
from collections.abc import Iterable, Sequence
from typing import Final

from markupsafe import Markup, escape

from benchmark_manager.models.problem import Problem
from benchmark_manager.web.rendering import raw
from benchmark_manager.web.visible import visible

_LINE_END: Final = re.compile(r"\r\n|\r|\n")


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


def _note(problem: Problem) -> str:
    place = "" if problem.column is None else f"{problem.line}:{problem.column} "
    return f'<span class="line-note {problem.severity}">{place}{escape(problem.message)}\n</span>'
