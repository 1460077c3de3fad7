"""Tables of results for charts, made without a database."""

from collections.abc import Callable, Iterable, Mapping, Sequence

from pydantic import JsonValue

from benchmark_manager.models.result_table import (
    LabelValue,
    MetricCell,
    MetricColumn,
    ResultTable,
    TableRow,
)

LATENCY = MetricColumn(name="ttft_p99", unit="ms", direction="lower")
THROUGHPUT = MetricColumn(name="output_throughput", unit="tok/s", direction="higher")
SEQS = "engine.max_num_seqs"
TP = "engine.tensor_parallel_size"


def cell(median: float, spread: float = 0.0, n: int = 5) -> MetricCell:
    low, high = sorted((median * (1 - spread), median * (1 + spread)))
    return MetricCell(
        median=median, quartiles=(low, high), iqr=high - low, n=n, values=(median,) * n
    )


def row(
    index: int,
    assignments: Mapping[str, JsonValue],
    metrics: Mapping[str, MetricCell],
    *,
    point: str = "",
    labels: Mapping[str, LabelValue] | None = None,
    pareto: bool | None = None,
    is_baseline: bool = False,
) -> TableRow:
    return TableRow(
        release=f"sha256:{index:064x}",
        cell_index=index,
        assignments=dict(assignments),
        point=point,
        results=(f"result-{index}",),
        labels=dict(labels or {}),
        metrics=dict(metrics),
        pareto=pareto,
        is_baseline=is_baseline,
    )


def table_of(
    rows: Iterable[TableRow],
    metrics: Sequence[MetricColumn] = (LATENCY, THROUGHPUT),
    environment: Sequence[str] = (),
) -> ResultTable:
    return ResultTable(
        varied=(),
        environment=tuple(environment),
        metrics=tuple(metrics),
        available_metrics=tuple(metrics),
        notices=(),
        rows=tuple(rows),
        pareto=(LATENCY.name, THROUGHPUT.name),
    )


def sweep_table(
    seqs: Sequence[JsonValue] = (128, 256, 512, 1024),
    sizes: Sequence[JsonValue] = (1, 2, 4),
    latency: Callable[[int], float] = lambda index: 40.0 + 7 * index,
    without: Sequence[int] = (),
) -> ResultTable:
    """Return the table of a sweep over two axes; the first cell is the baseline."""
    combinations = [(one, other) for one in seqs for other in sizes]
    return table_of(
        row(
            index,
            {SEQS: one, TP: other},
            {
                LATENCY.name: cell(latency(index), 0.1),
                THROUGHPUT.name: cell(1000.0 + 10 * index, 0.05),
            },
            pareto=index % 4 == 0,
            is_baseline=index == 0,
        )
        for index, (one, other) in enumerate(combinations)
        if index not in without
    )
