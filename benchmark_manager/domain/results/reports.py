"""Results as llm-d Benchmark Reports, version 0.2, in which configuration ids are our digests.

Source: llm-d/llm-d-benchmark, schema_v0_2.py, which PyPI has as llmd-benchmark-report. The schema
has no room for metrics of other kinds than requests, latency and throughput: these are left out, as
is a distribution without its mean, which the schema requires.
"""

from collections.abc import Iterator, Mapping
from decimal import Decimal
from typing import Final

from pydantic import JsonValue

from benchmark_manager.models.result import Metric, Result, ResultPoint

_VERSION: Final = "0.2"
_UNKNOWN: Final = "unknown"
_Metrics = Mapping[str, Metric]
#: Name of a family here → its name in a report, and the unit of its values there.
_LATENCIES: Final = {
    "ttft": ("time_to_first_token", "ms"),
    "tpot": ("time_per_output_token", "ms/token"),
    "ntpot": ("normalized_time_per_output_token", "ms/token"),
    "itl": ("inter_token_latency", "ms/token"),
    "e2el": ("request_latency", "ms"),
}
_THROUGHPUT: Final = {
    "input_throughput": ("input_token_rate", "tokens/s"),
    "output_throughput": ("output_token_rate", "tokens/s"),
    "total_throughput": ("total_token_rate", "tokens/s"),
    "request_throughput": ("request_rate", "queries/s"),
}
_LENGTHS: Final = ("input_length", "output_length")
_STATISTICS: Final = {"mean": "mean", "std": "stddev", "min": "min", "max": "max"} | {
    f"p{percentage}": f"p{str(percentage).replace('.', 'p')}"
    for percentage in (0.1, 1, 5, 10, 25, 50, 75, 90, 95, 99, 99.9)
}


def reports_of(result: Result) -> Iterator[dict[str, JsonValue]]:
    """Yield a report for each point of a result."""
    for number, point in enumerate(result.parsed.points):
        yield report_of(result, point, number)


def report_of(result: Result, point: ResultPoint, number: int = 0) -> dict[str, JsonValue]:
    """Return the report of one point; `number` distinguishes it from the others of the result."""
    return {
        "version": _VERSION,
        "run": _run(result, point, number),
        "scenario": _without_none(stack=[_release(result, point)], load=_load(result, point)),
        "results": _without_none(request_performance=_performance(point.metrics)),
    }


def _run(result: Result, point: ResultPoint, number: int) -> JsonValue:
    duration = point.metrics.get("duration")
    return _without_none(
        uid=result.id if number == 0 else f"{result.id}-{number}",
        eid=result.sweep_id,
        time=None if duration is None else {"duration": f"PT{_digits(duration.value)}S"},
        user=result.created_by,
        description=" ".join(filter(None, (result.file_name, point.point))),
        keywords=[f"{name}={value}" for name, value in sorted(result.labels.items())] or None,
    )


def _digits(seconds: float) -> str:
    """Return a number with all of its digits and without an exponent, as durations have it."""
    return f"{Decimal(repr(seconds)):f}"


def _release(result: Result, point: ResultPoint) -> JsonValue:
    config: dict[str, JsonValue] = {
        "release": result.release,
        "project_id": result.project_id,
        "result_id": result.id,
        "result_sha256": result.sha256,
        "point": point.point,
        "labels": dict(result.labels),
    }
    return {
        "metadata": {"label": "release", "cfg_id": result.release},
        "standardized": {
            "kind": "generic",
            "tool": "benchmark-manager",
            "tool_version": _UNKNOWN,
        },
        "native": {"config": config},
    }


def _load(result: Result, point: ResultPoint) -> JsonValue:
    """Return the load; None where the length of inputs is unknown, which the schema requires."""
    length = _statistic(point.metrics, "input_length_mean")
    if length is None or length < 0:
        return None
    rate = _statistic(point.metrics, "requested_rate") or 0.0
    concurrency = _statistic(point.metrics, "max_concurrency") or 0.0
    return {
        "metadata": {"cfg_id": result.release},
        "standardized": _without_none(
            tool=result.parsed.tool,
            tool_version=result.parsed.tool_version or _UNKNOWN,
            source=_UNKNOWN,
            input_seq_len={"distribution": "other", "value": length},
            rate_qps=rate if rate > 0 else None,
            concurrency=int(concurrency) if concurrency >= 1 else None,
        ),
        "native": {},
    }


def _performance(metrics: _Metrics) -> JsonValue:
    aggregate = _without_none(
        requests=_requests(metrics),
        latency=_without_none(
            **{
                name: _distribution(metrics, family, unit)
                for family, (name, unit) in _LATENCIES.items()
            }
        )
        or None,
        throughput=_without_none(
            **{name: _rate(metrics, ours, unit) for ours, (name, unit) in _THROUGHPUT.items()}
        )
        or None,
    )
    return {"aggregate": aggregate} if aggregate else None


def _requests(metrics: _Metrics) -> JsonValue:
    """Return the counts of requests; None where their total is unknown, which is required."""
    completed, failed, incomplete = (
        _statistic(metrics, name) for name in ("completed", "failed", "incomplete")
    )
    total = _statistic(metrics, "requests")
    if total is None and completed is not None:
        total = completed + (failed or 0) + (incomplete or 0)
    if total is None or total < 0:
        return None
    return _without_none(
        total=int(total),
        failures=None if failed is None else max(int(failed), 0),
        incomplete=None if incomplete is None else max(int(incomplete), 0),
        **{family: _distribution(metrics, family, "count") for family in _LENGTHS},
    )


def _distribution(metrics: _Metrics, family: str, unit: str) -> JsonValue:
    if f"{family}_mean" not in metrics:
        return None
    statistics: dict[str, JsonValue] = {
        theirs: metrics[f"{family}_{ours}"].value
        for ours, theirs in _STATISTICS.items()
        if f"{family}_{ours}" in metrics
    }
    # A negative deviation is nonsense, and the schema refuses the whole report for it.
    if (_statistic(metrics, f"{family}_std") or 0.0) < 0:
        del statistics["stddev"]
    return {"units": unit, **statistics}


def _rate(metrics: _Metrics, name: str, unit: str) -> JsonValue:
    return {"units": unit, "mean": metrics[name].value} if name in metrics else None


def _statistic(metrics: _Metrics, name: str) -> float | None:
    metric = metrics.get(name)
    return None if metric is None else metric.value


def _without_none(**members: JsonValue) -> dict[str, JsonValue]:
    return {name: value for name, value in members.items() if value is not None}
