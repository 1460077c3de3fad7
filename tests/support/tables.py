"""Results and tables that never were in a database."""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import UTC, datetime, timedelta

from benchmark_manager.domain.results.table import ComparedRelease, result_table
from benchmark_manager.domain.results.varied_columns import Varied
from benchmark_manager.models.measured_result import MeasuredPoint, MeasuredResult
from benchmark_manager.models.result import Direction, ToolName
from benchmark_manager.models.result_table import MetricColumn, ResultTable, TableSelection

_BEGIN = datetime(2026, 11, 30, tzinfo=UTC)
COLUMNS = {
    name: MetricColumn(name=name, unit=unit, direction=direction)
    for name, unit, direction in (
        ("ttft_p99", "ms", "lower"),
        ("output_throughput", "tok/s", "higher"),
        ("completed", "", None),
    )
}


def point(
    metrics: Mapping[str, float], name: str = "", *, columns: Mapping[str, MetricColumn] = COLUMNS
) -> MeasuredPoint:
    return MeasuredPoint(name, tuple(map(columns.__getitem__, metrics)), tuple(metrics.values()))


def own(unit: str, direction: Direction | None = None) -> dict[str, MetricColumn]:
    """Return the column of a metric `own`."""
    return {"own": MetricColumn(name="own", unit=unit, direction=direction)}


def result(
    release: str,
    *points: MeasuredPoint,
    number: int = 0,
    tool: ToolName = "plain",
    **labels: str,
) -> MeasuredResult:
    return MeasuredResult(
        id=f"{release}-{number}",
        release=release,
        tool=tool,
        points=points,
        created_at=_BEGIN + timedelta(seconds=number),
        labels=labels,
    )


def repeats(
    release: str, values: Sequence[float], metric: str = "ttft_p99", **labels: str
) -> list[MeasuredResult]:
    """Return a result for each value of a metric."""
    return [
        replace(
            result(release, point({metric: value}), number=number),
            id=f"{release}-{number}-{labels}",
            labels=labels,
        )
        for number, value in enumerate(values)
    ]


def table(
    results: Sequence[MeasuredResult],
    baseline: str | None = None,
    selection: TableSelection | None = None,
) -> ResultTable:
    """Return the table of results whose releases do not differ in anything."""
    releases = {one.release: ComparedRelease(one.release) for one in results}
    return result_table(selection or TableSelection(), results, releases, Varied(), baseline)
