"""Results side by side: rows with medians, changes, verdicts and the Pareto front."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Final

from pydantic import JsonValue

from benchmark_manager.domain.results.columns import MeasuredMetrics, measured_metrics
from benchmark_manager.domain.results.environment import Environment, Labels, labels_of
from benchmark_manager.domain.results.grouping import Repeats, grouped, point_order
from benchmark_manager.domain.results.pareto import on_front
from benchmark_manager.domain.results.statistics import median
from benchmark_manager.domain.results.varied_columns import Varied
from benchmark_manager.domain.results.verdicts import LEVEL, metric_cell
from benchmark_manager.errors import InvalidInputError
from benchmark_manager.models.measured_result import MeasuredResult
from benchmark_manager.models.result_table import (
    MetricCell,
    MetricColumn,
    ResultTable,
    TableNotice,
    TableRow,
    TableSelection,
)

#: Verdicts from which the table says how many of them chance alone would make.
MANY_COMPARISONS: Final = 20
_FAILED: Final = "failed"
#: Names that a notice lists.
_NAMED: Final = 10


@dataclass(frozen=True, slots=True)
class ComparedRelease:
    """What a table says of a release beside its results.

    `cell_index` and `assignments` are those of its cell in the compared sweep.
    """

    digest: str
    name: str = ""
    cell_index: int | None = None
    assignments: Mapping[str, JsonValue] = field(default_factory=dict)


def shown_results(results: Sequence[MeasuredResult], point: str | None) -> list[MeasuredResult]:
    """Return the results that have rows: those with a point, or with this one."""
    return [
        result
        for result in results
        if any(point is None or each.point == point for each in result.points)
    ]


def check_baseline(results: Iterable[MeasuredResult], baseline: str | None) -> None:
    """Accept a baseline that has results with points among these.

    Raises:
        InvalidInputError: `baseline_not_compared`.
    """
    if baseline is not None and not any(
        result.release == baseline and result.points for result in results
    ):
        raise InvalidInputError("baseline_not_compared", field="baseline", id=baseline)


def result_table(
    selection: TableSelection,
    results: Sequence[MeasuredResult],
    releases: Mapping[str, ComparedRelease],
    varied: Varied,
    baseline: str | None,
) -> ResultTable:
    """Return the table of results.

    Args:
        selection: Metrics, point, grouping and trade-off; what it selects was selected before.
        results: The selected results, the oldest first.
        releases: The releases of these results by digest.
        varied: In what these releases differ.
        baseline: The digest that others are compared with.

    Raises:
        InvalidInputError: `baseline_not_compared`: none of the results is of the baseline.
    """
    check_baseline(results, baseline)
    measured = [result for result in results if result.points]
    every = [point for result in measured for point in result.points]
    at_point = [each for each in every if selection.point in {None, each.point}]
    metrics = measured_metrics(every, at_point)
    columns = metrics.chosen(selection.metrics)
    pair = _pair(selection, columns)
    trade_off = tuple(map(metrics.column, pair or ()))
    shown = shown_results(measured, selection.point)
    labels = labels_of(shown)
    wanted = {*columns, *trade_off, metrics.column(_FAILED)}
    repeats = grouped(shown, selection.point, wanted, labels, selection.group)
    repeats.sort(key=lambda row: _cell_order(releases[row.release]))
    points = sorted({point.point for point in every}, key=point_order)
    table = ResultTable(
        varied=varied.columns,
        environment=labels.differing,
        metrics=columns,
        notices=(
            *labels.notices(),
            *_notices(results, shown, points, selection),
            *_of_failures(repeats),
            *varied.notices,
        ),
        rows=_rows(repeats, releases, varied, labels, columns, trade_off, baseline),
        available_metrics=metrics.available(),
        points=tuple(points),
        pareto=pair,
    )
    return _with_notices(table, metrics, baseline)


def _pair(selection: TableSelection, columns: Iterable[MetricColumn]) -> tuple[str, str] | None:
    """Return the metrics of the trade-off: those chosen, else the first two with a direction."""
    if selection.pareto is not None:
        return selection.pareto
    directed = [column.name for column in columns if column.direction is not None]
    return (directed[0], directed[1]) if len(directed) > 1 else None


def _cell_order(release: ComparedRelease) -> tuple[bool, int]:
    return release.cell_index is None, release.cell_index or 0


def _rows(
    repeats: Sequence[Repeats],
    releases: Mapping[str, ComparedRelease],
    varied: Varied,
    labels: Labels,
    columns: Sequence[MetricColumn],
    trade_off: Sequence[MetricColumn],
    baseline: str | None,
) -> tuple[TableRow, ...]:
    """Return the rows of the table, one for the repeats of a release at a point."""
    cells = _cells(repeats, columns, baseline)
    fronts = _on_front(repeats, trade_off)
    return tuple(
        TableRow(
            release=one.release,
            release_name=releases[one.release].name,
            cell_index=releases[one.release].cell_index,
            assignments=dict(releases[one.release].assignments),
            point=one.point,
            results=tuple(one.results),
            labels=labels.of_row(list(one.results.values())),
            varied=dict(varied.values.get(one.release, {})),
            metrics=own_cells,
            pareto=is_on_front,
            is_baseline=one.release == baseline,
        )
        for one, own_cells, is_on_front in zip(repeats, cells, fronts, strict=True)
    )


def _cells(
    repeats: Sequence[Repeats], columns: Sequence[MetricColumn], baseline: str | None
) -> list[dict[str, MetricCell]]:
    """Return the metrics of each row beside those of the baseline's row.

    That is the one of the same point, and of the same environment where rows have one.
    """
    baselines: dict[tuple[str, Environment], dict[str, MetricCell]] = {
        (one.point, one.environment): _cells_beside({}, one, columns)
        for one in repeats
        if one.release == baseline
    }
    return [
        _cells_beside({}, one, columns)
        if one.release == baseline
        else _cells_beside(baselines.get((one.point, one.environment), {}), one, columns)
        for one in repeats
    ]


def _cells_beside(
    baseline: Mapping[str, MetricCell], row: Repeats, columns: Iterable[MetricColumn]
) -> dict[str, MetricCell]:
    return {
        column.name: metric_cell(
            row.values[column.name], baseline.get(column.name), column.direction
        )
        for column in columns
        if column.name in row.values
    }


def _on_front(repeats: Sequence[Repeats], pair: Sequence[MetricColumn]) -> list[bool | None]:
    """Return of each row whether it is on the front; None where it lacks one of the metrics."""
    found: list[bool | None] = [None] * len(repeats)
    if not pair:
        return found
    first, second = pair
    if first.direction is None or second.direction is None:
        return found
    medians = {
        number: (median(sorted(row.values[first.name])), median(sorted(row.values[second.name])))
        for number, row in enumerate(repeats)
        if first.name in row.values and second.name in row.values
    }
    front = on_front(list(medians.values()), (first.direction, second.direction))
    for number, is_on in zip(medians, front, strict=True):
        found[number] = is_on
    return found


def _notices(
    results: Iterable[MeasuredResult],
    shown: Iterable[MeasuredResult],
    points: Sequence[str],
    selection: TableSelection,
) -> Iterator[TableNotice]:
    """Yield notices on the shown results, and on what is not shown of all selected ones.

    What could not be read of a file may have been at any point, also at a point that is chosen.
    """
    tools = sorted({result.tool for result in shown})
    if len(tools) > 1:
        yield TableNotice(code="mixed_tools", facts={"tools": list(tools)})
    if selection.point is None and len(points) > 1:
        named = [point for point in points if point][:_NAMED]
        yield TableNotice(code="several_points", facts={"count": len(points), "points": named})
    yield from _of_unread(results)


def _of_unread(results: Iterable[MeasuredResult]) -> Iterator[TableNotice]:
    """Yield notices of files that no tool is known to write, and of those that are read in part."""
    unread = [result for result in results if not result.is_readable]
    unknown = [result.id for result in unread if result.tool == "unknown"]
    known = [result.id for result in unread if result.tool != "unknown"]
    for code, ids in (("unknown_format", unknown), ("unreadable_file", known)):
        if ids:
            facts: dict[str, str | int | list[str]] = {"count": len(ids), "results": ids[:_NAMED]}
            yield TableNotice(code=code, facts=facts)


def _of_failures(repeats: Iterable[Repeats]) -> Iterator[TableNotice]:
    """Yield a notice where requests failed: what did not answer has no latency."""
    failed = [value for row in repeats for value in row.values.get(_FAILED, ()) if value > 0]
    if failed:
        yield TableNotice(code="failed_requests", facts={"count": len(failed)})


def _with_notices(
    table: ResultTable, metrics: MeasuredMetrics, baseline: str | None
) -> ResultTable:
    """Return the table with the notices on its rows."""
    notices = [*table.notices, *metrics.notices(table.metrics)]
    if baseline is not None and not any(row.is_baseline for row in table.rows):
        notices.append(TableNotice(code="baseline_without_values", facts={}))
    verdicts = [cell.verdict for row in table.rows for cell in row.metrics.values()]
    made = sum(each not in {None, "too_few_repeats"} for each in verdicts)
    if made >= MANY_COMPARISONS:
        facts: dict[str, str | int | list[str]] = {"count": made, "expected": round(made * LEVEL)}
        notices.append(TableNotice(code="many_comparisons", facts=facts))
    return table.model_copy(update={"notices": tuple(notices)})
