"""What differs between two texts, as HTML for people to read."""

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Final

from markupsafe import Markup

from benchmark_manager.domain.text import ComparedPart, ComparedRow, Extent, LineEnds
from benchmark_manager.errors import TooComplexError, WorkersBusyError
from benchmark_manager.factory import Services
from benchmark_manager.web.site.limits import COMPARED_BESIDE
from benchmark_manager.web.site.rendering import raw
from benchmark_manager.web.texts.visible import visible

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
    "hunk": "place",
    "no_end": "place",
}


@dataclass(frozen=True, slots=True)
class DrawnDifferences:
    """One part of a comparison as HTML; false where nothing differs.

    `is_cut` says that a patch holds more than all parts. `refusal` is why there is no comparison.
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
    """One part of what differs; texts that cannot be compared, or not in time, are no reason to show nothing else."""
    try:
        return drawn(
            await services.texts.differences(before, after, part, extent, line_ends), names
        )
    except (TooComplexError, WorkersBusyError) as error:
        return DrawnDifferences(raw(""), refusal=error)


def drawn(part: ComparedPart, names: tuple[str, str]) -> DrawnDifferences:
    """The rows as HTML, below the names of the two texts.

    A carriage return is shown where the lines which differ do not all end with one.
    """
    if not part.rows:
        return DrawnDifferences(raw(""))
    html = "".join((*_head(names), *_rows(part.rows, _RETURN if part.mixed_ends else "")))
    return DrawnDifferences(raw(html), part.number, part.count, part.is_cut)


def _head(names: tuple[str, str]) -> Iterable[str]:
    for mark, name in zip(("---", "+++"), names, strict=True):
        yield f'<span class="place">{mark} {visible(name)}\n</span>'


def _rows(rows: Iterable[ComparedRow], shown_return: str) -> Iterable[str]:
    for row in rows:
        text = row.text.removesuffix("\r")
        end = shown_return if text != row.text else ""
        before = f"<i>… {row.cut_before} </i>" if row.cut_before else ""
        after = f"<i> {row.cut_after} …</i>" if row.cut_after else ""
        css = _CLASSES[row.kind]
        tag = f'<span class="{css}">' if css else "<span>"
        yield f"{tag}{_MARKS[row.kind]}{before}{visible(text)}{end}{after}\n</span>"
