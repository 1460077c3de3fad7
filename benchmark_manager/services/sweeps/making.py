"""Make cells from edited texts: their verdicts, and what their releases are."""

import asyncio
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Final, TypeAlias

from benchmark_manager.domain.releases.derived import DerivedRelease
from benchmark_manager.domain.sweeps.generations import merged_cells
from benchmark_manager.errors import TooComplexError
from benchmark_manager.models.problem import Validity, Verdict
from benchmark_manager.models.release import CellMaking, ReleaseFile
from benchmark_manager.models.sweep import (
    CellProblem,
    CellText,
    MadeCell,
    PlannedCell,
    Sweep,
    SweptBase,
)
from benchmark_manager.services.sweeps.editing import (
    MOST_SECONDS,
    CellEditor,
    EditedCell,
    EditedText,
    FailedEdit,
    format_of_base,
)
from benchmark_manager.services.sweeps.moment import SweptFiles
from benchmark_manager.services.sweeps.stores import SweepStores
from benchmark_manager.services.validation.validation import ValidationService

_WORST_FIRST: Final[tuple[Validity, ...]] = ("invalid", "template", "valid")

_Judged: TypeAlias = dict[tuple[str, str], Verdict]
"""Verdicts by the alias of the file and the blob id of the text."""


@dataclass(frozen=True, slots=True)
class CellRelease:
    """A cell, what makes its release, its texts and their problems."""

    cell: MadeCell
    making: CellMaking
    texts: tuple[EditedText, ...]
    problems: tuple[CellProblem, ...]


class CellMaker:
    """Makes the cells of sweeps. What it stores, nothing refers to yet."""

    def __init__(
        self, stores: SweepStores, editor: CellEditor, validation: ValidationService
    ) -> None:
        self._stores = stores
        self._editor = editor
        self._validation = validation

    async def edited(
        self, cells: Sequence[PlannedCell], bases: Sequence[SweptBase]
    ) -> tuple[list[EditedCell], list[FailedEdit]]:
        """Return the cells with their texts, and what failed; one of the two is empty.

        Raises:
            TooComplexError, WorkersBusyError
            InvalidInputError: `cell_too_large`, `sweep_too_large`.
        """
        contents = await self._stores.blobs.get_many(base.sha for base in bases)
        texts = {sha: content.decode() for sha, content in contents.items()}
        return await self._editor.edited(cells, bases, texts)

    async def made(self, files: SweptFiles, edited: Sequence[EditedCell]) -> list[CellRelease]:
        """Return the cells that edited ones would be; nothing is stored.

        Raises:
            TooComplexError, WorkersBusyError
        """
        verdicts = await self._verdicts(files.bases, edited)
        judged = _JudgedTexts(files.bases, verdicts, {})
        return await asyncio.to_thread(_releases, ("", 0), files, edited, judged)

    async def stored(
        self, sweep: Sweep, files: SweptFiles, edited: Sequence[EditedCell]
    ) -> list[CellRelease]:
        """Return the cells that edited ones are in a sweep's revision.

        Their contents and problems, and the list of all files, are stored: nothing refers to them
        yet. No two of the edited cells have the same texts.

        Raises:
            TooComplexError, WorkersBusyError
        """
        verdicts = await self._verdicts(files.bases, edited)
        now = sweep.updated_at
        problems = await self._stores.problems.put(list(verdicts.values()), now)
        ids = {key: one.problems_id for key, one in zip(verdicts, problems, strict=True)}
        contents = {text.sha: text.data for cell in edited for text in cell.texts}
        await self._stores.blobs.put(contents.values(), None, now)
        judged = _JudgedTexts(files.bases, verdicts, ids)
        known = sweep.id, sweep.revision
        releases = await asyncio.to_thread(_releases, known, files, edited, judged)
        await self._stores.releases.stage_base(sweep.base_list_id, files.listed.files, now)
        return releases

    async def _verdicts(self, bases: Sequence[SweptBase], edited: Sequence[EditedCell]) -> _Judged:
        try:
            async with asyncio.timeout(MOST_SECONDS):
                return await self._judged(bases, edited)
        except TimeoutError:
            raise TooComplexError from None

    async def _judged(self, bases: Sequence[SweptBase], edited: Sequence[EditedCell]) -> _Judged:
        verdicts: _Judged = {}
        for number, base in enumerate(bases):
            texts = {cell.texts[number].sha: cell.texts[number].data for cell in edited}
            judged = await self._validation.validate_many(
                [data.decode() for data in texts.values()], format_of_base(base), base.file_type
            )
            verdicts |= {
                (base.alias, sha): verdict for sha, verdict in zip(texts, judged, strict=True)
            }
        return verdicts


@dataclass(frozen=True, slots=True)
class _JudgedTexts:
    """The verdicts on the texts of cells, and the ids under which their problems are stored."""

    bases: Sequence[SweptBase]
    verdicts: _Judged
    problems_ids: Mapping[tuple[str, str], str | None]

    def validity(self, texts: Sequence[EditedText]) -> Validity:
        """Return the worst validity of a cell's texts."""
        found = {self.verdicts[key].validity for key in self._keys(texts)}
        return next(validity for validity in _WORST_FIRST if validity in found)

    def problems(self, texts: Sequence[EditedText]) -> tuple[CellProblem, ...]:
        """Return the problems of a cell's texts, with their files."""
        return tuple(
            CellProblem(file=base.path, problem=problem)
            for base, key in zip(self.bases, self._keys(texts), strict=True)
            for problem in self.verdicts[key].problems
        )

    def stored(self, texts: Sequence[EditedText]) -> tuple[CellText, ...]:
        """Return a cell's texts as they are stored."""
        return tuple(
            CellText(sha=text.sha, problems_id=self.problems_ids.get(key))
            for text, key in zip(texts, self._keys(texts), strict=True)
        )

    def _keys(self, texts: Sequence[EditedText]) -> list[tuple[str, str]]:
        return [(base.alias, text.sha) for base, text in zip(self.bases, texts, strict=True)]


def merged_texts(edited: Iterable[EditedCell]) -> list[EditedCell]:
    """Return cells of which no two have the same texts, in the order of the first of each."""
    merged = merged_cells(edited, lambda cell: tuple(text.sha for text in cell.texts))
    return [replace(cell, also=also) for cell, also in merged]


def _releases(
    revision: tuple[str, int],
    files: SweptFiles,
    edited: Sequence[EditedCell],
    judged: _JudgedTexts,
) -> list[CellRelease]:
    """Return the cells of a sweep's revision, which is given by the sweep's id and its number.

    It has to run in a thread, since it hashes a thousand lists of files.
    """
    sweep_id, number = revision
    base_list = files.listed.base_list
    found: list[CellRelease] = []
    for cell in edited:
        replacements = _replacements(sweep_id, cell, files.bases)
        derived = base_list.with_replacements(replacements)
        problems = judged.problems(cell.texts)
        made = MadeCell(
            assignments=cell.assignments,
            also=cell.also,
            digest=derived.digest,
            validity=judged.validity(cell.texts),
            version=number,
            texts=judged.stored(cell.texts),
        )
        making = _making(sweep_id, derived, files.listed.base_list_id, replacements)
        found.append(CellRelease(made, making, cell.texts, problems))
    return found


def _making(
    sweep_id: str,
    derived: DerivedRelease,
    base_provenance: str,
    replacements: tuple[ReleaseFile, ...],
) -> CellMaking:
    return CellMaking(
        digest=derived.digest,
        provenance=derived.provenance,
        base_provenance=base_provenance,
        replacements=replacements,
        files_count=derived.files_count,
        size=derived.size,
        sweep_id=sweep_id,
    )


def _replacements(
    sweep_id: str, cell: EditedCell, bases: Sequence[SweptBase]
) -> tuple[ReleaseFile, ...]:
    return tuple(
        ReleaseFile(
            path=base.path,
            sha=text.sha,
            sha256=text.sha256,
            size=len(text.data),
            source="modified",
            original_sha=base.original_sha,
            commit_sha=base.commit_sha,
            modified_file_id=base.variant_id,
            revision=base.revision,
            sweep_id=sweep_id,
            assignments=cell.assignments,
        )
        for base, text in zip(bases, cell.texts, strict=True)
    )
