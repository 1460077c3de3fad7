"""Sweeps: one set of files, and a release of it for each combination of values.

A definition names files by aliases, and axes that set values in them by path. Each combination of
the axes' values is a cell; each cell is a release in which the edited files replace the originals.
"""

from datetime import datetime
from typing import Literal, TypeAlias

from pydantic import JsonValue

from benchmark_manager.models.original import StoredFileType
from benchmark_manager.models.problem import Problem, StoredValidity
from benchmark_manager.models.record import Record
from benchmark_manager.models.variant import StoredDrift

CombineRule = Literal["product", "zip"]
SweepContents = Literal["originals", "all"]
Assignments: TypeAlias = dict[str, JsonValue]
"""The value of each axis by the axis' name; of an axis of points, the point's name."""


class SweptFile(Record):
    """A file that a sweep may edit, under an alias: an original by path, or a variant by id.

    Exactly one of the two is given. The edited text replaces the original's path in both cases.
    """

    alias: str
    path: str | None = None
    variant_id: str | None = None


class Target(Record):
    """A value in a swept file: the file's alias, and the path in the file."""

    alias: str
    path: str


class Setting(Record):
    """A value to set at a target."""

    target: Target
    value: JsonValue


class ValuesAxis(Record):
    """An axis that sets each of its values at all of its targets."""

    name: str
    targets: tuple[Target, ...]
    values: tuple[JsonValue, ...]


class AxisPoint(Record):
    """One point of an axis: several values that are set together."""

    name: str
    settings: tuple[Setting, ...]


class PointsAxis(Record):
    """An axis whose values are points."""

    name: str
    points: tuple[AxisPoint, ...]


Axis: TypeAlias = ValuesAxis | PointsAxis


class SweepDefinition(Record):
    """What a sweep varies, as a person defined it."""

    name: str
    description: str = ""
    files: tuple[SweptFile, ...]
    axes: tuple[Axis, ...]
    combine: CombineRule = "product"
    exclude: tuple[Assignments, ...] = ()
    include: tuple[Assignments, ...] = ()
    repeats: int = 1
    contents: SweepContents = "originals"


class PlannedCell(Record):
    """One combination of values: how the axes name it, and what it sets in which file."""

    assignments: Assignments
    settings: tuple[Setting, ...]


class SweepNote(Record):
    """A remark on a definition that is no error; `benchmark_manager.messages` has its sentence."""

    code: str
    facts: dict[str, str | int]


class CellPlan(Record):
    """The cells that a definition plans, in their order, and notes on what has no effect."""

    cells: tuple[PlannedCell, ...]
    notes: tuple[SweepNote, ...] = ()


class CellText(Record):
    """The edited text of one swept file: its blob id, and the list of its problems."""

    sha: str
    problems_id: str | None = None


class MadeCell(Record):
    """A planned cell whose release's digest and verdict are known; it has no index yet.

    `version` and `texts` are those of `SweepCell`.
    """

    assignments: Assignments
    also: tuple[Assignments, ...] = ()
    digest: str
    validity: StoredValidity
    version: int
    texts: tuple[CellText, ...]


class SweptBase(Record):
    """What a generation's cells were edited from: one file, as it was at that time.

    `path` is where the edited text is in the release. For a variant, `original_sha` and
    `commit_sha` are those of its base, as in a release.
    """

    alias: str
    path: str
    sha: str
    original_sha: str
    commit_sha: str
    file_type: StoredFileType
    variant_id: str | None = None
    revision: int | None = None


class SweepVersion(Record):
    """What some cells of a sweep were made from: a definition, and the files of one moment.

    `number` is the sweep's revision that made it; every revision makes one.
    """

    sweep_id: str
    number: int
    definition: SweepDefinition
    bases: tuple[SweptBase, ...]


class Sweep(Record):
    """A sweep. `revision` counts people's changes; `generation` counts sets of base files, from 1.

    `cells_count` counts the cells that are not retired. `base_list_id` names the list of all
    files (see `ReleaseStore`), and `others_id` the contents of those that the sweep does not edit.
    """

    id: str
    project_id: str
    name: str
    description: str
    definition: SweepDefinition
    generation: int
    revision: int
    bases: tuple[SweptBase, ...]
    base_list_id: str
    others_id: str
    cells_count: int
    base_commit_sha: str | None
    created_at: datetime
    created_by: str
    updated_at: datetime
    notes: tuple[SweepNote, ...] = ()
    drift: StoredDrift = "current"


class SweepCell(Record):
    """One cell: its release's digest, and the assignments that make these bytes.

    `assignments` are those of the first combination that makes them, `also` those of others.
    `version` is the number of the `SweepVersion` that it was made from, and `texts` are in the
    order of that version's `bases`.
    """

    sweep_id: str
    index: int
    assignments: Assignments
    also: tuple[Assignments, ...] = ()
    digest: str
    validity: StoredValidity
    retired: bool = False
    generation: int
    version: int
    texts: tuple[CellText, ...]


class CellProblem(Record):
    """A problem of a cell, and the path of the file that has it."""

    file: str
    problem: Problem


class CellChange(Record):
    """A value that a cell sets otherwise than the base has it.

    `path` is written as in the definition. `before` is None where the base has nothing there.
    """

    file: str
    path: str
    before: JsonValue
    after: JsonValue
