"""The differences between two texts as HTML."""

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Final

from markupsafe import Markup

from benchmark_manager.domain.text import ComparedPart, ComparedRow, Extent, LineEnds
from benchmark_manager.errors import TooComplexError, WorkersBusyError
from benchmark_manager.factory import Services
from benchmark_manager.web.texts.limits import COMPARED_BESIDE
from benchmark_manager.web.texts.visible import raw, visible

_RETURN: Final = "\N{SYMBOL FOR CARRIAGE RETURN}"
_MARKS: Final = {
    "same": " ",
    "removed": "-",
    "added": "+",
    "hunk": "",
    "no_end": "\\ No newline at end of file",
}
_CLASSES: Final = {
    "same": "",
    "removed": "removed",
    "added": "added",
    "hunk": "note",
    "no_end": "note",
}


@dataclass(frozen=True, slots=True)
class DrawnDifferences:
    """One part of a comparison as HTML; false if nothing differs.

    With `is_cut`, the patch contains more than all parts. `refusal` is the error if there is no
    comparison.
    """

    html: Markup
    number: int = 1
    count: int = 1
    is_cut: bool = False
    refusal: TooComplexError | WorkersBusyError | None = None

    def __bool__(self) -> bool:
        return bool(self.html)


async def differences(
    services: Services,
    before: str,
    after: str,
    names: tuple[str, str],
    *,
    part: int = 1,
    extent: Extent = COMPARED_BESIDE,
    line_ends: LineEnds = "any",
) -> DrawnDifferences:
    """Return one part of the differences, or a refusal if the texts cannot be compared in time."""
    try:
        return drawn(
            await services.texts.differences(before, after, part, extent, line_ends), names
        )
    except (TooComplexError, WorkersBusyError) as error:
        return DrawnDifferences(raw(""), refusal=error)


def drawn(part: ComparedPart, names: tuple[str, str]) -> DrawnDifferences:
    """Return the rows as HTML, below the names of the two texts.

    Carriage returns are shown if some of the differing lines end without one.
    """
    if not part.rows:
        return DrawnDifferences(raw(""))
    html = "".join((*_head(names), *_rows(part.rows, _RETURN if part.mixed_ends else "")))
    return DrawnDifferences(raw(html), part.number, part.count, part.is_cut)


def _head(names: tuple[str, str]) -> Iterable[str]:
    for mark, name in zip(("---", "+++"), names, strict=True):
        yield f'<span class="note">{mark} {visible(name)}\n</span>'


def _rows(rows: Iterable[ComparedRow], shown_return: str) -> Iterable[str]:
    for row in rows:
        text = row.text.removesuffix("\r")
        end = shown_return if text != row.text else ""
        before = f"<i>… {row.cut_before} </i>" if row.cut_before else ""
        after = f"<i> {row.cut_after} …</i>" if row.cut_after else ""
        css = _CLASSES[row.kind]
        tag = f'<span class="{css}">' if css else "<span>"
        yield f"{tag}{_MARKS[row.kind]}{before}{visible(text)}{end}{after}\n</span>"
