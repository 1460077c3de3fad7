"""Reports of inference-perf: of a stage, of all stages, and of the server's own metrics.

Source: kubernetes-sigs/inference-perf, inference_perf/reportgen/base.py. All times are in seconds.
"""

from collections.abc import Mapping
from typing import Final

from pydantic import JsonValue

from benchmark_manager.domain.results.parsing.collector import (
    Collector,
    PointMetrics,
    finite_number,
)
from benchmark_manager.domain.results.parsing.contents import mapping_at
from benchmark_manager.domain.results.parsing.distributions import add_distribution
from benchmark_manager.domain.results.parsing.labels import load_label, stage_of

_LATENCIES: Final = {
    "request_latency": "e2el",
    "time_to_first_token": "ttft",
    "time_per_output_token": "tpot",
    "normalized_time_per_output_token": "ntpot",
    "inter_token_latency": "itl",
}
_THROUGHPUT: Final = {
    "input_tokens_per_sec": "input_throughput",
    "output_tokens_per_sec": "output_throughput",
    "total_tokens_per_sec": "total_throughput",
    "requests_per_sec": "request_throughput",
}
#: Versions before 0.5 say `prompt_len` and `output_len`.
_LENGTHS: Final = {
    "prompt_tokens": "input_length",
    "prompt_len": "input_length",
    "output_tokens": "output_length",
    "output_len": "output_length",
}
_GOODPUT: Final = {
    "request_goodput": "goodput",
    "token_goodput": "token_goodput",
    "goodput_percentage": "goodput_percentage",
}
_SERVER_TIMES: Final = ("_latency", "_time", "_token", "_lifetime", "_gap", "_before_evict")


def is_inference_perf(value: Mapping[str, JsonValue]) -> bool:
    """Return whether this is a report of requests' or the server's metrics."""
    parts = ("load_summary", "successes", "failures")
    return all(isinstance(value.get(part), dict) for part in parts)


def read_inference_perf(value: Mapping[str, JsonValue], found: Collector, file_name: str) -> None:
    """Read a report; of a stage, its point is labelled with the stage's rate."""
    load, successes = mapping_at(value, "load_summary"), mapping_at(value, "successes")
    label = load_label(load.get("requested_rate"), load.get("concurrency"), stage_of(file_name))
    point = found.point(label)
    if not load and "latency" not in successes:
        _read_server(successes, point)
        return
    point.add("requests", load.get("count"), "load_summary.count")
    point.add("completed", successes.get("count"), "successes.count")
    point.add("failed", mapping_at(value, "failures").get("count"), "failures.count")
    point.add("requested_rate", load.get("requested_rate"), "load_summary.requested_rate")
    point.add("achieved_rate", load.get("achieved_rate"), "load_summary.achieved_rate")
    point.add("max_concurrency", load.get("concurrency"), "load_summary.concurrency")
    if finite_number(value.get("benchmark_time_seconds")):
        point.add("duration", value.get("benchmark_time_seconds"), "benchmark_time_seconds")
    delay = mapping_at(load, "schedule_delay")
    add_distribution(point, "schedule_delay", delay, "schedule_delay", "s")
    _read_successes(successes, point)


def _read_successes(successes: Mapping[str, JsonValue], point: PointMetrics) -> None:
    for called, family in _LATENCIES.items():
        latency = mapping_at(successes, "latency", called)
        add_distribution(point, family, latency, f"latency.{called}", "s")
    for called, name in _THROUGHPUT.items():
        point.add(name, mapping_at(successes, "throughput").get(called), f"throughput.{called}")
    for called, name in _GOODPUT.items():
        point.add(
            name, mapping_at(successes, "goodput_metrics").get(called), f"goodput_metrics.{called}"
        )
    for called, family in _LENGTHS.items():
        add_distribution(point, family, mapping_at(successes, called), called)
    for called, name in (("prompt_tokens", "input_tokens"), ("output_tokens", "output_tokens")):
        point.add(name, mapping_at(successes, called).get("total"), f"{called}.total")


def _read_server(successes: Mapping[str, JsonValue], point: PointMetrics) -> None:
    """Read what the server measured, under names that nothing measured by a client has."""
    for called, entry in successes.items():
        name = f"server.{_LATENCIES.get(called, called)}"
        if isinstance(entry, dict):
            unit = "s" if called.endswith(_SERVER_TIMES) else ""
            add_distribution(point, name, entry, called, unit)
        else:
            point.add(name, entry, called)
