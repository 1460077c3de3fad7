"""Results of vLLM's `bench serve`, `bench throughput` and `bench latency`.

Source: vllm-project/vllm, vllm/benchmarks/{serve,throughput,latency}.py.
"""

import re
from collections.abc import Mapping
from typing import Final

from pydantic import JsonValue

from benchmark_manager.domain.results.parsing.collector import (
    Collector,
    PointMetrics,
    finite_number,
)
from benchmark_manager.domain.results.parsing.contents import mapping_at
from benchmark_manager.domain.results.parsing.distributions import statistic_name
from benchmark_manager.domain.results.parsing.labels import load_label

_SERVE: Final = {
    "duration": "duration",
    "completed": "completed",
    "failed": "failed",
    "total_input_tokens": "input_tokens",
    "total_output_tokens": "output_tokens",
    "request_throughput": "request_throughput",
    "request_goodput": "goodput",
    "request_goodput:": "goodput",
    "output_throughput": "output_throughput",
    "total_token_throughput": "total_throughput",
    "max_output_tokens_per_s": "peak_output_throughput",
    "max_concurrent_requests": "peak_concurrency",
    "max_concurrency": "max_concurrency",
    # Kept under their own names.
    "rtfx": "rtfx",
    "total_input_sequences": "total_input_sequences",
    "input_sequence_throughput": "input_sequence_throughput",
}
_THROUGHPUT: Final = {
    "elapsed_time": "duration",
    "num_requests": "completed",
    "total_num_tokens": "total_tokens",
    "requests_per_second": "request_throughput",
    "tokens_per_second": "total_throughput",
}
#: Numbers that say what was measured: where they differ within a file, there are no repeats.
SETTINGS: Final = frozenset(
    (
        "burstiness",
        "input_len",
        "num_prompts",
        "output_len",
        "random_input_len",
        "random_output_len",
        "random_range_ratio",
    )
)
#: `mean_ttft_ms`, `p99.9_itl_ms`.
_LATENCY: Final = re.compile(
    r"(mean|median|std|max|p[0-9]{1,3}(?:\.[0-9]{1,3})?)_([a-z0-9_]{1,60})_ms"
)
#: Families of latencies that SGLang calls otherwise.
_FAMILIES: Final = {"e2e_latency": "e2el"}
#: Measured where the server decodes speculatively or by diffusion, or probes were sent.
_OWN_NAMES: Final = ("spec_decode_", "diffusion_", "probe_")


def is_vllm(value: Mapping[str, JsonValue]) -> bool:
    """Return whether this is what one of vLLM's benchmarks writes."""
    return (
        {"duration", "completed", "request_throughput"} <= value.keys()
        or {"elapsed_time", "requests_per_second", "tokens_per_second"} <= value.keys()
        or {"avg_latency", "percentiles"} <= value.keys()
    )


def read_vllm(value: Mapping[str, JsonValue], found: Collector, _: str) -> None:
    """Read one result: a file of `--append-result` has several."""
    point = found.point(load_label(value.get("request_rate"), value.get("max_concurrency")))
    if "avg_latency" in value:
        _read_latency(value, point)
        return
    for called, name in (_THROUGHPUT if "elapsed_time" in value else _SERVE).items():
        point.add(name, value.get(called), called)
    read_times(value, point)
    for called, entry in value.items():
        if called.startswith(_OWN_NAMES) and not isinstance(entry, list):
            point.add(called, entry, unit="ms" if called.endswith("_ms") else "")


def read_times(value: Mapping[str, JsonValue], point: PointMetrics) -> None:
    """Read the requested rate and all latencies.

    Where no request completed, or none had a second token, all times of a family are written as 0,
    which would beat everything that was measured.
    """
    # "inf" is no rate, but all requests at once.
    point.add("requested_rate", finite_number(value.get("request_rate")), "request_rate")
    for called, entry in value.items():
        match = _LATENCY.fullmatch(called)
        if match is None or called.startswith(_OWN_NAMES):
            continue
        statistic = statistic_name(match[1])
        if finite_number(value.get("completed")) == 0 or _is_zero(value, match[2]):
            point.collector.report("not_measured", called)
        elif statistic is None:
            point.collector.report("other_format", called)
        else:
            family = _FAMILIES.get(match[2], match[2])
            point.add(f"{family}_{statistic}", entry, called, unit="ms")


def _is_zero(value: Mapping[str, JsonValue], family: str) -> bool:
    return finite_number(value.get(f"mean_{family}_ms")) == 0


def _read_latency(value: Mapping[str, JsonValue], point: PointMetrics) -> None:
    """Read times of one batch from the beginning to its end."""
    point.add("e2el_mean", value.get("avg_latency"), "avg_latency", unit="s")
    point.add("e2el_std", value.get("std_latency"), "std_latency", unit="s")
    if not isinstance(value.get("percentiles"), dict):
        point.collector.report("other_format", "percentiles")
    for percentage, entry in mapping_at(value, "percentiles").items():
        called = f"percentiles.{percentage}"
        statistic = statistic_name(f"p{percentage}")
        if statistic is None:
            point.collector.report("other_format", called)
        else:
            point.add(f"e2el_{statistic}", entry, called, unit="s")
