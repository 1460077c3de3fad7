"""A text as numbered lines in parts, with each problem below its line."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Annotated, Final

from fastapi import Query
from markupsafe import Markup

from benchmark_manager.domain.text import TextLine, TextPart
from benchmark_manager.factory import Services
from benchmark_manager.models.problem import Problem
from benchmark_manager.web.texts.limits import LISTING
from benchmark_manager.web.texts.problems import ListedProblems, listed
from benchmark_manager.web.texts.visible import raw, visible

#: More than the number of parts or lines of any text.
_MOST: Final = 1_000_000_000

PartParameter = Annotated[int, Query(ge=1, le=_MOST)]
#: A typed line number; anything else is ignored.
LineParameter = Annotated[str, Query(max_length=100)]


@dataclass(frozen=True, slots=True)
class DrawnListing:
    """One part of a text as HTML, its number, and the number of parts.

    `address` is a link to a part without its number; `problems` are those that the page lists.
    """

    html: Markup
    number: int
    count: int
    address: str
    problems: ListedProblems

    @property
    def home(self) -> str:
        """Return the address of the page, to which a form adds its fields."""
        return self.address.partition("?")[0]


async def listing_of(
    services: Services,
    text: str,
    problems: Sequence[Problem],
    *,
    part: int,
    line: str = "",
    address: str = "?part=",
) -> DrawnListing:
    """Return a part of a text or, if a line is given, the part with that line.

    Raises:
        TooComplexError, WorkersBusyError
    """
    found = await services.texts.part(text, part, LISTING)
    wanted = int(line) if line.isascii() and line.isdecimal() and int(line) < _MOST else None
    if wanted is not None and found.holding(wanted) != found.number:
        found = await services.texts.part(text, found.holding(wanted), LISTING)
    shown = listed(problems)
    linked = tuple((problem, _link(found, problem.line, address)) for problem in shown.problems)
    html = numbered(found.lines, shown.problems)
    return DrawnListing(
        html, found.number, found.count, address, ListedProblems(linked, shown.more)
    )


def _link(part: TextPart, line: int | None, address: str) -> str | None:
    if line is None:
        return None
    number = part.holding(line)
    return f"#L{line}" if number == part.number else f"{address}{number}#L{line}"


def numbered(lines: Iterable[TextLine], problems: Sequence[Problem]) -> Markup:
    """Return the lines as HTML with numbers and anchors `L<number>`.

    Invisible characters are shown as code points.
    """
    by_line: dict[int, list[Problem]] = {}
    for problem in problems:
        if problem.line is not None:
            by_line.setdefault(problem.line, []).append(problem)
    return raw("".join(_line(line, by_line.get(line.number, ())) for line in lines))


def _line(line: TextLine, problems: Iterable[Problem]) -> str:
    if line.start:
        return f'<span class="line" data-n="…">{visible(line.text)}\n</span>'
    notes = "".join(map(_note, problems))
    anchor = f'data-n="{line.number}" id="L{line.number}"'
    return f'<span class="line" {anchor}>{visible(line.text)}\n</span>{notes}'


def _note(problem: Problem) -> str:
    position = "" if problem.column is None else f"{problem.line}:{problem.column} "
    return (
        f'<span class="line-note {problem.severity}">{position}{visible(problem.message)}\n</span>'
    )
