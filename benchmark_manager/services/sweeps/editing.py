"""Edit the base texts of cells in worker processes."""

import asyncio
import hashlib
import itertools
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Final, TypeAlias

from pydantic import JsonValue

from benchmark_manager.domain.edits import Assignment, EditError
from benchmark_manager.domain.git.objects import blob_id
from benchmark_manager.domain.sweeps.bases import field_of
from benchmark_manager.domain.sweeps.values import value_key
from benchmark_manager.domain.sync.classification import format_of
from benchmark_manager.errors import InvalidInputError, TooComplexError
from benchmark_manager.models.original import FileFormat
from benchmark_manager.models.sweep import Assignments, PlannedCell, SweptBase
from benchmark_manager.services.sweeps.text_work import edited_texts
from benchmark_manager.workers.caller import calling_as, each_task_alone
from benchmark_manager.workers.pool import WorkerPool

#: Sets of assignments that go to a worker at once.
_SENT_AT_ONCE: Final = 100
#: Edits from which a second worker process helps.
_WORTH_TWO: Final = 40
#: Which part of a task's time is spent before it answers with what it has.
_PART_OF_LIMIT: Final = 0.5
#: Seconds that all edits of a sweep may take, and all verdicts.
MOST_SECONDS: Final = 60.0
#: Bytes of all different texts of a sweep's cells.
MOST_BYTES: Final = 100_000_000


@dataclass(frozen=True, slots=True)
class EditedText:
    """A text of a cell, and what identifies it."""

    data: bytes
    sha: str
    sha256: str

    @classmethod
    def of(cls, text: str) -> "EditedText":
        """Return the text with its ids."""
        data = text.encode()
        return cls(data, blob_id(data), hashlib.sha256(data).hexdigest())


@dataclass(frozen=True, slots=True)
class EditedCell:
    """A planned cell, and its texts in the order of the bases.

    `also` are the assignments of other cells that have the same texts.
    """

    planned: PlannedCell
    texts: tuple[EditedText, ...]
    also: tuple[Assignments, ...] = ()

    @property
    def assignments(self) -> Assignments:
        """The cell's assignments."""
        return self.planned.assignments


@dataclass(frozen=True, slots=True)
class FailedEdit:
    """A file that cannot be edited as a cell wants it; `cell` is the cell's number, from 0."""

    base: SweptBase
    cell: int
    error: EditError


_EditKey: TypeAlias = tuple[tuple[str, str], ...]
"""What one cell sets in a base: paths, and keys of values."""


@dataclass(frozen=True, slots=True)
class _WantedEdits:
    """What cells set in one base: the number of each cell's edit, and the different ones by key."""

    base: SweptBase
    of_cells: list[int]
    distinct: dict[_EditKey, tuple[Assignment, ...]]
    _numbers: dict[_EditKey, int] = field(default_factory=dict)

    def add(self, assignments: tuple[Assignment, ...], key: _EditKey) -> None:
        """Add what the next cell sets; cells that set the same have the same key."""
        self.distinct.setdefault(key, assignments)
        self.of_cells.append(self._numbers.setdefault(key, len(self._numbers)))


class CellEditor:
    """Edits each base once for all cells that set the same values in it."""

    def __init__(
        self, workers: WorkerPool, *, max_file_size: int, most_bytes: int = MOST_BYTES
    ) -> None:
        """`most_bytes`: of the different texts of all cells; they are in memory together."""
        self._workers = workers
        self._max_file_size = max_file_size
        self._most_bytes = most_bytes

    async def edited(
        self, cells: Sequence[PlannedCell], bases: Sequence[SweptBase], texts: Mapping[str, str]
    ) -> tuple[list[EditedCell], list[FailedEdit]]:
        """Return the cells with their texts, and what failed, by cell; one of the two is empty.

        `texts` are those of the bases by their blob ids.

        Raises:
            TooComplexError, WorkersBusyError
            InvalidInputError: `cell_too_large`, `sweep_too_large`.
        """
        wanted = await asyncio.to_thread(_wanted_of, cells, bases)
        outcomes: list[list[EditedText | EditError]] = []
        budget = self._most_bytes
        try:
            async with asyncio.timeout(MOST_SECONDS):
                for one in wanted:
                    distinct = list(one.distinct.values())
                    found = await self._edits(
                        texts[one.base.sha], format_of_base(one.base), distinct
                    )
                    budget -= self._checked_size(one.base, found)
                    if budget < 0:
                        raise InvalidInputError("sweep_too_large", limit=self._most_bytes)
                    outcomes.append(found)
        except TimeoutError:
            raise TooComplexError from None
        return await asyncio.to_thread(_combined, cells, wanted, outcomes)

    async def _edits(
        self, text: str, file_format: FileFormat, wanted: list[tuple[Assignment, ...]]
    ) -> list[EditedText | EditError]:
        if len(wanted) < _WORTH_TWO:
            return await self._edits_in_order(text, file_format, wanted)
        half = len(wanted) // 2
        halves = await asyncio.gather(
            self._edits_in_order(text, file_format, wanted[:half]),
            self._edits_in_order(text, file_format, wanted[half:]),
        )
        return list(itertools.chain(*halves))

    async def _edits_in_order(
        self, text: str, file_format: FileFormat, wanted: Sequence[tuple[Assignment, ...]]
    ) -> list[EditedText | EditError]:
        seconds = self._workers.limits.seconds_for(len(text)) * _PART_OF_LIMIT
        found: list[EditedText | EditError] = []
        while len(found) < len(wanted):
            some = wanted[len(found) : len(found) + _SENT_AT_ONCE]
            # One request of a person may edit for longer than one text may take; other callers
            # have their turns in between.
            with calling_as(each_task_alone()):
                edited = await self._workers.run(edited_texts, text, file_format, some, seconds)
            found += await asyncio.to_thread(_with_ids, edited)
        return found

    def _checked_size(self, base: SweptBase, found: Iterable[EditedText | EditError]) -> int:
        sizes = [len(one.data) for one in found if isinstance(one, EditedText)]
        largest = max(sizes, default=0)
        if largest > self._max_file_size:
            raise InvalidInputError(
                "cell_too_large",
                field=field_of(base.alias),
                path=base.path,
                size=largest,
                limit=self._max_file_size,
            )
        return sum(sizes)


def format_of_base(base: SweptBase) -> FileFormat:
    """Return the format of a base, which is that of its original."""
    return format_of(base.path) or "yaml"


def _wanted_of(cells: Sequence[PlannedCell], bases: Sequence[SweptBase]) -> list[_WantedEdits]:
    found = {base.alias: _WantedEdits(base, [], {}) for base in bases}
    keys = _ValueKeys()
    for cell in cells:
        by_alias: dict[str, list[Assignment]] = {alias: [] for alias in found}
        for setting in cell.settings:
            assignment = Assignment(setting.target.path, setting.value)
            by_alias[setting.target.alias].append(assignment)
        for alias, wanted in found.items():
            some = tuple(by_alias[alias])
            wanted.add(some, tuple((each.path, keys.of(each.value)) for each in some))
    return list(found.values())


class _ValueKeys:
    """Keys of values, each made once: one long value may be set at many paths."""

    def __init__(self) -> None:
        self._keys: dict[int, tuple[JsonValue, str]] = {}

    def of(self, value: JsonValue) -> str:
        """Return the key of a value, which is kept so that no other has its identity."""
        if (known := self._keys.get(id(value))) is None:
            known = self._keys[id(value)] = (value, value_key(value))
        return known[1]


def _with_ids(edited: Sequence[str | EditError]) -> list[EditedText | EditError]:
    return [one if isinstance(one, EditError) else EditedText.of(one) for one in edited]


def _combined(
    cells: Sequence[PlannedCell],
    wanted: Sequence[_WantedEdits],
    outcomes: Sequence[Sequence[EditedText | EditError]],
) -> tuple[list[EditedCell], list[FailedEdit]]:
    edited: list[EditedCell] = []
    failed: list[FailedEdit] = []
    for number, cell in enumerate(cells):
        texts: list[EditedText] = []
        for one, found in zip(wanted, outcomes, strict=True):
            outcome = found[one.of_cells[number]]
            if isinstance(outcome, EditError):
                failed.append(FailedEdit(one.base, number, outcome))
            else:
                texts.append(outcome)
        edited.append(EditedCell(cell, tuple(texts)))
    return ([], failed) if failed else (edited, [])
