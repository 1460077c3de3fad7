"""Values of YAML and JSON on one line, and the values that variants change."""

import contextlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Final

from pydantic import JsonValue

from benchmark_manager.domain.documents import KeyChange, ThreeWayRow, ThreeWayRows, VariedBy
from benchmark_manager.domain.text.json_line import json_line, shortened
from benchmark_manager.errors import WorkersBusyError
from benchmark_manager.factory import Services
from benchmark_manager.models.variant import Variant
from benchmark_manager.web.texts.limits import CHANGES, NAME, fitting
from benchmark_manager.web.texts.visible import html_size

#: Characters of a path in a line of a list.
_SHORT_PATH: Final = 80
#: Characters of a value in a table of changes, rows of the table, and bytes of HTML of a row
#: without its texts.
_VALUE: Final = 200
_CHANGES_AT_MOST: Final = 1000
_ROW_BYTES: Final = 600

#: Keys in the line of a variant.
_NAMED: Final = 3
#: Bytes. Larger texts are compared on their own page only, so that the list is shown quickly.
_COMPARED_AT_MOST: Final = 64 * 1024


@dataclass(frozen=True, slots=True)
class VariedValue:
    """A key that changed since a variant's base, with values on one line; None where there is none.

    `after` is the variant's value, or the original's if only upstream changed it. `differs` says
    whether the variant and the original differ.
    """

    path: str
    before: str | None
    after: str | None
    original: str | None
    kind: VariedBy
    differs: bool

    @property
    def is_disputed(self) -> bool:
        return self.kind == "both" and self.differs


@dataclass(frozen=True, slots=True)
class DrawnChange:
    """A change by key with its values on one line; None where there is no value."""

    path: str
    kind: str
    before: str | None
    after: str | None

    @property
    def cost(self) -> int:
        """Return the bytes of HTML of a row: its tags and its texts."""
        return _ROW_BYTES + sum(
            html_size(text) for text in (self.path[:NAME], self.before, self.after) if text
        )


@dataclass(frozen=True, slots=True)
class VariedLine:
    """The first keys that changed since a variant's base, and the number of further ones."""

    keys: tuple[VariedValue, ...]
    more: int


def drawn_changes(changes: Sequence[KeyChange], most: int = CHANGES) -> Sequence[DrawnChange]:
    """Return as many of the first changes as fit into `most` bytes of HTML."""
    return fitting(_drawn(changes), lambda change: change.cost, most)


def _drawn(changes: Sequence[KeyChange]) -> list[DrawnChange]:
    return [
        DrawnChange(
            change.path,
            change.kind,
            None if change.kind == "added" else json_line(change.before, _VALUE),
            None if change.kind == "removed" else json_line(change.after, _VALUE),
        )
        for change in changes[:_CHANGES_AT_MOST]
    ]


async def varied_lines(
    services: Services, files: Sequence[Variant]
) -> Mapping[str, VariedLine | None]:
    """Return by id what changed since each variant's base; None if one line cannot show it."""
    found: Mapping[str, ThreeWayRows | None] = {}
    # If all workers are busy, the list is shown without these lines.
    with contextlib.suppress(WorkersBusyError):
        found = await services.comparing.varied(
            [file for file in files if file.size <= _COMPARED_AT_MOST]
        )
    return {file.id: _line(found.get(file.id)) for file in files}


def _line(found: ThreeWayRows | None) -> VariedLine | None:
    if found is None or not found.has_base:
        return None
    # What the variant changed comes first.
    rows = sorted(found.rows, key=lambda row: row.kind == "upstream")
    return VariedLine(tuple(_varied(row) for row in rows[:_NAMED]), max(0, len(rows) - _NAMED))


def _varied(row: ThreeWayRow) -> VariedValue:
    return VariedValue(
        shortened(row.path, _SHORT_PATH),
        _short(row.base),
        _short(row.original if row.kind == "upstream" else row.variant),
        _short(row.original),
        row.kind,
        row.differs,
    )


def _short(value: tuple[JsonValue] | None) -> str | None:
    return None if value is None else shortened(json_line(value[0]))
