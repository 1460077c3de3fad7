"""llm-d's Benchmark Reports, versions 0.1 and 0.2, as JSON or YAML.

Source: llm-d/llm-d-benchmark, llmdbenchmark/analysis/benchmark_report/schema_v0_{1,2}.py, which
PyPI has as llmd-benchmark-report.
"""

import re
from collections.abc import Iterator, Mapping
from typing import Final

from pydantic import JsonValue

from benchmark_manager.domain.results.parsing.collector import (
    Collector,
    PointMetrics,
    finite_number,
    version_text,
)
from benchmark_manager.domain.results.parsing.contents import mapping_at
from benchmark_manager.domain.results.parsing.distributions import statistic_name
from benchmark_manager.domain.results.parsing.labels import load_label, shown_number, stage_of

_FAMILIES: Final = {
    "latency.time_to_first_token": "ttft",
    "latency.time_per_output_token": "tpot",
    "latency.normalized_time_per_output_token": "ntpot",
    "latency.inter_token_latency": "itl",
    "latency.request_latency": "e2el",
    "requests.input_length": "input_length",
    "requests.output_length": "output_length",
}
#: Rates, of which the mean is what is compared: of version 0.1, and of 0.2.
_RATES: Final = {
    "throughput.input_tokens_per_sec": "input_throughput",
    "throughput.output_tokens_per_sec": "output_throughput",
    "throughput.total_tokens_per_sec": "total_throughput",
    "throughput.requests_per_sec": "request_throughput",
    "throughput.input_token_rate": "input_throughput",
    "throughput.output_token_rate": "output_throughput",
    "throughput.total_token_rate": "total_throughput",
    "throughput.request_rate": "request_throughput",
}
_COUNTS: Final = {"total": "requests", "failures": "failed", "incomplete": "incomplete"}
#: Parts that are no aggregated metrics.
_SKIPPED: Final = frozenset({"time_series", "profiling", "component_health", "metadata"})
_DEEPEST: Final = 12
#: ISO 8601, as far as seconds, minutes and hours.
_DURATION: Final = re.compile(r"PT(?:([0-9]+)H)?(?:([0-9]+)M)?(?:([0-9]+(?:\.[0-9]+)?)S)?")


def is_llm_d(value: Mapping[str, JsonValue]) -> bool:
    """Return whether this is a report of a version that is known here."""
    if "version" not in value:
        return False
    has_metrics = {"requests", "latency", "throughput"} <= mapping_at(value, "metrics").keys()
    has_results = isinstance(value.get("results"), dict) and isinstance(value.get("run"), dict)
    return has_metrics or has_results


def read_llm_d(value: Mapping[str, JsonValue], found: Collector, file_name: str) -> None:
    """Read a report; its point is labelled with its rate, as each stage has a file of its own."""
    found.tool_version = _version(value.get("version"))
    load = _load(value)
    label = load_label(load.get("rate_qps"), load.get("concurrency"), _stage(load, file_name))
    point = found.point(label)
    metrics = mapping_at(value, "metrics")
    point.add("duration", mapping_at(metrics, "time").get("duration"), "time.duration")
    duration = mapping_at(value, "run", "time").get("duration")
    point.add("duration", _seconds(duration), "run.time.duration")
    point.add("requested_rate", load.get("rate_qps"), "load.rate_qps")
    point.add("max_concurrency", finite_number(load.get("concurrency")), "load.concurrency")
    aggregate = mapping_at(value, "results", "request_performance", "aggregate")
    for performance in (metrics, aggregate):
        _read_performance(performance, point)
    for part in ("session_performance", "observability"):
        _read_others(mapping_at(value, "results", part), part, point)


def _load(value: Mapping[str, JsonValue]) -> Mapping[str, JsonValue]:
    """Return the load as version 0.2 has it.

    In version 0.1 it is what the tool was called with, and a number of the stage. Without them, the
    stages of a run would look like repeats of each other.
    """
    load = mapping_at(value, "scenario", "load")
    if "standardized" in load:
        return mapping_at(load, "standardized")
    arguments, stage = mapping_at(load, "args"), mapping_at(load, "metadata").get("stage")
    found: dict[str, JsonValue] = {
        "rate_qps": arguments.get("request_rate"),
        "concurrency": arguments.get("max_concurrency"),
        "stage": stage,
    } | _stage_load(arguments, finite_number(stage))
    return {name: each for name, each in found.items() if finite_number(each) is not None}


def _stage_load(arguments: Mapping[str, JsonValue], number: float | None) -> dict[str, JsonValue]:
    """Return the load of a stage of inference-perf, whose configuration is all of `args`."""
    stages = mapping_at(arguments, "load").get("stages")
    if number is None or not isinstance(stages, list) or number not in range(len(stages)):
        return {}
    stage = mapping_at(stages[int(number)])
    return {"rate_qps": stage.get("rate"), "concurrency": stage.get("concurrency_level")}


def _read_performance(performance: Mapping[str, JsonValue], point: PointMetrics) -> None:
    for called, name in _COUNTS.items():
        point.add(name, mapping_at(performance, "requests").get(called), f"requests.{called}")
    for path, entry in _entries(performance, ""):
        statistics = mapping_at(entry)
        if path in _RATES:
            point.add(_RATES[path], statistics.get("mean") if statistics else entry, path)
        elif _is_distribution(statistics):
            _add_statistics(point, _FAMILIES.get(path, path), statistics, path)


def _read_others(part: Mapping[str, JsonValue], name: str, point: PointMetrics) -> None:
    """Read all distributions of a part, under the paths where they stand."""
    for path, entry in _entries(part, name):
        if _is_distribution(mapping_at(entry)):
            _add_statistics(point, path, mapping_at(entry), path)


def _add_statistics(
    point: PointMetrics, name: str, statistics: Mapping[str, JsonValue], path: str
) -> None:
    unit = statistics.get("units")
    for key, value in statistics.items():
        statistic = statistic_name(key)
        if statistic is not None:
            written = unit if isinstance(unit, str) else None
            point.add(f"{name}_{statistic}", value, f"{path}.{key}", unit=written)


def _is_distribution(statistics: Mapping[str, JsonValue]) -> bool:
    return "mean" in statistics and "units" in statistics


def _entries(
    value: JsonValue | Mapping[str, JsonValue], path: str
) -> Iterator[tuple[str, JsonValue]]:
    """Yield everything below an object, with dotted paths; components by their labels."""
    left: list[tuple[str, JsonValue]] = [(path, dict(value))] if isinstance(value, Mapping) else []
    while left:
        path, entry = left.pop()
        if entry is not value and path:
            yield path, entry
        if path.count(".") >= _DEEPEST or _is_distribution(mapping_at(entry)):
            continue
        below = [(f"{path}.{name}" if path else name, each) for name, each in _named(entry)]
        left += reversed(below)


def _named(entry: JsonValue) -> Iterator[tuple[str, JsonValue]]:
    if isinstance(entry, dict):
        yield from ((name, each) for name, each in entry.items() if name not in _SKIPPED)
    elif isinstance(entry, list):
        for number, each in enumerate(entry):
            label = mapping_at(each).get("component_label") or mapping_at(each).get("component_id")
            yield (label if isinstance(label, str) else str(number)), each


def _stage(load: Mapping[str, JsonValue], file_name: str) -> str:
    number = finite_number(load.get("stage"))
    return stage_of(file_name) if number is None else shown_number(number)


def _version(value: JsonValue) -> str | None:
    return shown_number(value) if isinstance(value, float) else version_text(value)


def _seconds(duration: JsonValue) -> float | None:
    """Return the seconds of an ISO 8601 duration such as `PT49.97S`."""
    match = _DURATION.fullmatch(duration) if isinstance(duration, str) else None
    if match is None:
        return None
    hours, minutes, seconds = (float(part or 0) for part in match.groups())
    return hours * 3600 + minutes * 60 + seconds
