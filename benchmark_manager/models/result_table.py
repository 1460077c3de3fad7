"""Results side by side: what was varied beside what came out."""

from typing import Literal, TypeAlias

from pydantic import Field, JsonValue

from benchmark_manager.models.record import Record
from benchmark_manager.models.result import Direction

RowGroup = Literal["release", "environment"]
Comparison = Literal["better", "worse", "no_difference_shown", "too_few_repeats"]
"""What a metric's values say beside the baseline's; None in a table where nothing is said.

`better` and `worse` need a direction, and at least four values on both sides.
"""
LabelValue: TypeAlias = str | tuple[str | None, ...]
"""A row's value of a label: several, sorted, where its results differ; None where one has none."""


class TableSelection(Record):
    """Which results a table compares, and how.

    At most one of `sweep_id` and `releases` is given; with neither, all releases of the project
    that have results. With `retired`, retired cells of the sweep are compared too.

    `metrics` are the columns, in their order; empty: the most important ones that were measured.
    `baseline` is a digest, or with `sweep_id` a cell's index as text. `point` restricts to the
    points of that label. `pareto` are the two metrics of the trade-off; None: the first two columns
    that have a direction.
    """

    sweep_id: str | None = None
    retired: bool = False
    releases: tuple[str, ...] = ()
    metrics: tuple[str, ...] = ()
    baseline: str | None = None
    point: str | None = None
    group: RowGroup = "release"
    pareto: tuple[str, str] | None = None


class VariedColumn(Record):
    """A key in which the compared releases really differ.

    `key` names it in the rows: the path, or `FILE:PATH` where two files differ in that path. `path`
    is "" where the whole file is compared: it does not parse, or is missing from some releases.
    """

    file: str
    path: str
    key: str


class MetricColumn(Record):
    """A metric that the table shows."""

    name: str
    unit: str
    direction: Direction | None


class TableNotice(Record):
    """A remark above a table; `benchmark_manager.messages` has its sentence."""

    code: str
    facts: dict[str, str | int | list[str]]


class MetricCell(Record):
    """A metric of one row: the repeats are `values`.

    Quartiles are interpolated linearly, and `iqr` is their distance; None where that is beyond all
    numbers. `change_pct` is that of the median against the baseline's; None without a baseline or
    where the baseline's median is 0.
    """

    median: float
    quartiles: tuple[float, float]
    iqr: float | None
    n: int
    values: tuple[float, ...]
    change_pct: float | None = None
    verdict: Comparison | None = None


class TableRow(Record):
    """The repeats of one release at one point.

    `assignments` are those of its cell in the compared sweep; else empty. `varied` lacks the keys
    that the release does not have. `pareto` is None where the row lacks one of the two metrics.
    """

    release: str
    release_name: str = ""
    cell_index: int | None = None
    assignments: dict[str, JsonValue] = Field(default_factory=dict)
    point: str = ""
    results: tuple[str, ...]
    labels: dict[str, LabelValue] = Field(default_factory=dict)
    varied: dict[str, JsonValue] = Field(default_factory=dict)
    metrics: dict[str, MetricCell]
    pareto: bool | None = None
    is_baseline: bool = False


class ResultTable(Record):
    """The rows in the order of cells, else of the first result of each release.

    `environment` are the labels in which results differ. `available_metrics` and `points` are all
    that the selected results have, for choosing. `pareto` are the metrics of the trade-off.
    """

    varied: tuple[VariedColumn, ...]
    environment: tuple[str, ...]
    metrics: tuple[MetricColumn, ...]
    notices: tuple[TableNotice, ...]
    rows: tuple[TableRow, ...]
    available_metrics: tuple[MetricColumn, ...] = ()
    points: tuple[str, ...] = ()
    pareto: tuple[str, str] | None = None
