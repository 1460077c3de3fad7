"""Shapes of sweeps."""

from collections.abc import Iterable
from datetime import datetime

from pydantic import BaseModel, Field, JsonValue

from benchmark_manager.api.http.shapes import ID, SHA
from benchmark_manager.api.sweeps.definition_schema import SweepDefinitionBody
from benchmark_manager.domain.sweeps.definition import definition_json
from benchmark_manager.domain.sweeps.importing.conversion import Imported
from benchmark_manager.messages.notes import note_words
from benchmark_manager.models.problem import Problem, Validity
from benchmark_manager.models.sweep import CellChange, CellProblem, Sweep, SweepNote
from benchmark_manager.models.variant import Drift
from benchmark_manager.services.sweeps.reading import CellDetail, ListedCell
from benchmark_manager.services.sweeps.sweeps import PREVIEWED, PreviewedCell, SweepPreview

_DIGEST = "sha256:9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08"


class NoteAnswer(BaseModel):
    """A remark on a definition that is no error."""

    code: str = Field(description="Stable, snake_case.", examples=["exclude_without_effect"])
    detail: str = Field(description="One sentence.")


class SweepAnswer(BaseModel):
    """A sweep."""

    id: str = Field(examples=[ID])
    project_id: str = Field(examples=[ID])
    name: str
    description: str
    definition: SweepDefinitionBody
    notes: list[NoteAnswer]
    generation: int = Field(description="Counts the sets of files that cells were made from.")
    revision: int = Field(description="Counts changes.")
    cells_count: int = Field(description="Cells that are not retired.")
    base_commit_sha: str | None = Field(
        description="The upstream commit of the generation's files.", examples=[SHA]
    )
    created_at: datetime
    created_by: str
    updated_at: datetime
    drift: Drift = Field(
        description="`behind`: a rebase would give other bytes. `conflict`: a rebase would be "
        "refused. `upstream_removed`: an edited file is gone upstream."
    )


class CellProblemAnswer(Problem):
    """A problem of one file of a cell."""

    file: str = Field(description="The file's path.", examples=["config/llama.yaml"])


class CellChangeAnswer(BaseModel):
    """A value that a cell sets otherwise than the base has it."""

    file: str = Field(description="The file's path in the release.", examples=["config/llama.yaml"])
    path: str = Field(examples=["engine.max_num_seqs"])
    before: JsonValue = Field(description="null: there was nothing, or null.", examples=[128])
    after: JsonValue = Field(examples=[256])


class CellAnswer(BaseModel):
    """A cell of a sweep: a release of the whole project with the edited files."""

    index: int
    assignments: dict[str, JsonValue] = Field(
        description="The value of each axis; of an axis with points, the point's name.",
        examples=[{"seqs": 256, "tp": "tp2"}],
    )
    also: list[dict[str, JsonValue]] = Field(
        description="Other combinations that make the same bytes."
    )
    digest: str = Field(description="Of the release.", examples=[_DIGEST])
    validity: Validity = Field(description="The worst of the edited files.")
    problems: list[CellProblemAnswer]
    retired: bool = Field(description="It belongs to an older definition or generation.")
    generation: int
    results_count: int = Field(description="Results that were uploaded for it.")


class CellDetailAnswer(CellAnswer):
    """A cell with what it changes."""

    changes: list[CellChangeAnswer]
    unified: str | None = Field(
        description="A patch from the base's files to the cell's, for `git apply`. null: computing "
        "it takes too much time."
    )


class PreviewedCellAnswer(CellAnswer):
    """A cell that a sweep would have."""

    changes: list[CellChangeAnswer]


class SweepPreviewAnswer(BaseModel):
    """A sweep as it would be; nothing is stored."""

    id: None = None
    project_id: str = Field(examples=[ID])
    name: str
    description: str
    definition: SweepDefinitionBody
    notes: list[NoteAnswer]
    generation: int = 1
    revision: int = 1
    cells_count: int
    base_commit_sha: str | None = Field(examples=[SHA])
    created_at: None = None
    created_by: None = None
    updated_at: None = None
    drift: Drift = "current"
    cells: list[PreviewedCellAnswer] = Field(description=f"The first {PREVIEWED}.")


class ImportedAnswer(BaseModel):
    """A definition that another tool's sweep is."""

    definition: dict[str, JsonValue] = Field(
        description="As for `POST …/sweeps`; without axes where no parameter's target is known."
    )
    notes: list[NoteAnswer] = Field(description="What could not be taken over.")


def imported_answer(imported: Imported) -> ImportedAnswer:
    return ImportedAnswer(
        definition=definition_json(imported.definition), notes=_notes(imported.notes)
    )


def sweep_answer(sweep: Sweep) -> SweepAnswer:
    names = SweepAnswer.model_fields.keys() - {"definition", "notes"}
    return SweepAnswer(
        **{name: getattr(sweep, name) for name in names},
        definition=SweepDefinitionBody(definition_json(sweep.definition)),
        notes=_notes(sweep.notes),
    )


def preview_answer(project_id: str, preview: SweepPreview) -> SweepPreviewAnswer:
    return SweepPreviewAnswer(
        project_id=project_id,
        name=preview.definition.name,
        description=preview.definition.description,
        definition=SweepDefinitionBody(definition_json(preview.definition)),
        notes=_notes(preview.notes),
        cells_count=preview.cells_count,
        base_commit_sha=preview.base_commit_sha,
        cells=[_previewed(cell) for cell in preview.cells],
    )


def _previewed(previewed: PreviewedCell) -> PreviewedCellAnswer:
    values = _cell_values(previewed.listed)
    return PreviewedCellAnswer(**values, changes=_changes(previewed.changes))


def cell_answer(listed: ListedCell) -> CellAnswer:
    return CellAnswer(**_cell_values(listed))


def cell_detail_answer(detail: CellDetail) -> CellDetailAnswer:
    return CellDetailAnswer(
        **_cell_values(detail.listed),
        changes=_changes(detail.changes),
        unified=detail.unified,
    )


def _cell_values(listed: ListedCell) -> dict[str, object]:
    cell = listed.cell
    names = CellAnswer.model_fields.keys() - {"problems", "results_count"}
    return {
        **{name: getattr(cell, name) for name in names},
        "problems": [_problem(problem) for problem in listed.problems],
        "results_count": listed.results_count,
    }


def _problem(problem: CellProblem) -> CellProblemAnswer:
    return CellProblemAnswer(file=problem.file, **dict(problem.problem))


def _changes(changes: Iterable[CellChange]) -> list[CellChangeAnswer]:
    return [CellChangeAnswer(**dict(change)) for change in changes]


def _notes(notes: Iterable[SweepNote]) -> list[NoteAnswer]:
    return [NoteAnswer(code=note.code, detail=note_words(note.code, note.facts)) for note in notes]
