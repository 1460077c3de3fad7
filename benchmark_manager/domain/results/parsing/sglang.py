"""Results of SGLang's `bench_serving`, which grew out of vLLM's and has other names for some.

Source: sgl-project/sglang, python/sglang/bench_serving.py.
"""

from collections.abc import Mapping
from typing import Final

from pydantic import JsonValue

from benchmark_manager.domain.results.parsing.collector import Collector
from benchmark_manager.domain.results.parsing.labels import load_label
from benchmark_manager.domain.results.parsing.vllm import is_vllm, read_times

_METRICS: Final = {
    "duration": "duration",
    "completed": "completed",
    "total_input_tokens": "input_tokens",
    "total_output_tokens": "output_tokens",
    "request_throughput": "request_throughput",
    "input_throughput": "input_throughput",
    "output_throughput": "output_throughput",
    "total_throughput": "total_throughput",
    "max_output_tokens_per_s": "peak_output_throughput",
    "max_concurrent_requests": "peak_concurrency",
    "max_concurrency": "max_concurrency",
    "concurrency": "concurrency_mean",
    # Kept under its own name.
    "accept_length": "accept_length",
}


def is_sglang(value: Mapping[str, JsonValue]) -> bool:
    """Return whether this is what SGLang's benchmark writes: its name of `e2el` is its own."""
    return is_vllm(value) and "mean_e2e_latency_ms" in value


def read_sglang(value: Mapping[str, JsonValue], found: Collector, _: str) -> None:
    """Read one result: a file has a line for each."""
    point = found.point(load_label(value.get("request_rate"), value.get("max_concurrency")))
    for called, name in _METRICS.items():
        point.add(name, value.get(called), called)
    read_times(value, point)
