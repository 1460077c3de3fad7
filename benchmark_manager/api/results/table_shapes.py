"""Shapes of tables of results."""

from pydantic import BaseModel, Field, JsonValue

from benchmark_manager.api.http.shapes import ID
from benchmark_manager.messages.notes import notice_words
from benchmark_manager.models.result_table import (
    LabelValue,
    MetricCell,
    MetricColumn,
    ResultTable,
    TableRow,
    VariedColumn,
)

_DIGEST = "sha256:9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08"


class TableColumnsAnswer(BaseModel):
    """The columns of a table."""

    varied: list[VariedColumn] = Field(
        description="The keys in which the compared releases differ. `key` names the column in "
        '`varied` of the rows. `path` is "" where the file as a whole is compared; its values are '
        "the first digits of the SHA-256."
    )
    environment: list[str] = Field(
        description="Labels in which the results differ.", examples=[["gpu"]]
    )
    metrics: list[MetricColumn]


class NoticeAnswer(BaseModel):
    """A remark on the comparison."""

    code: str = Field(description="Stable, snake_case.", examples=["mixed_environment"])
    detail: str = Field(description="One or two sentences.")
    facts: dict[str, str | int | list[str]] = Field(
        examples=[{"label": "gpu", "values": ["A100", "H100"], "missing": 0}]
    )


class TableRowAnswer(BaseModel):
    """The repeats of one release at one point."""

    release: str = Field(description="Its digest.", examples=[_DIGEST])
    release_name: str
    cell_index: int | None = Field(description="Of the compared sweep.")
    assignments: dict[str, JsonValue] = Field(description="Of that cell.")
    point: str = Field(description="Such as a stage or a rate.", examples=["rate=16"])
    results: tuple[str, ...] = Field(description="Their ids, the oldest first.", examples=[[ID]])
    labels: dict[str, LabelValue] = Field(
        description="A list where the results differ, with null for those without the label.",
        examples=[{"gpu": "H100"}],
    )
    varied: dict[str, JsonValue] = Field(
        description="By the keys of the columns, without those that the release does not have.",
        examples=[{"engine.max_num_seqs": 256}],
    )
    metrics: dict[str, MetricCell] = Field(
        description="By name. Quartiles are interpolated linearly; `iqr` is their distance. "
        "`change_pct` is the change of the median against the baseline's. `verdict` is by a "
        "Mann-Whitney U test at 5 %; null without a baseline, and for a metric without direction."
    )
    pareto: bool | None = Field(
        description="No other row is at least as good in both metrics of the trade-off, and better "
        "in one. null: the row lacks one of them."
    )
    is_baseline: bool


class ResultTableAnswer(BaseModel):
    """Results side by side."""

    columns: TableColumnsAnswer
    notices: list[NoticeAnswer]
    rows: list[TableRowAnswer]
    available_metrics: list[MetricColumn] = Field(description="All that were measured.")
    points: list[str] = Field(description="All that were measured.")
    pareto: list[str] | None = Field(description="The two metrics of the trade-off.")


def table_answer(table: ResultTable) -> ResultTableAnswer:
    return ResultTableAnswer(
        columns=TableColumnsAnswer(
            varied=list(table.varied),
            environment=list(table.environment),
            metrics=list(table.metrics),
        ),
        notices=[
            NoticeAnswer(
                code=notice.code,
                detail=notice_words(notice.code, notice.facts),
                facts=notice.facts,
            )
            for notice in table.notices
        ],
        rows=list(map(_row, table.rows)),
        available_metrics=list(table.available_metrics),
        points=list(table.points),
        pareto=None if table.pareto is None else list(table.pareto),
    )


def _row(row: TableRow) -> TableRowAnswer:
    # Its values were validated when the row was made, and a table has thousands.
    return TableRowAnswer.model_construct(**dict(row))
