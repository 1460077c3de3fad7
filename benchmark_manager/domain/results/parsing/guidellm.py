"""Reports of GuideLLM, `benchmarks.json` or `.yaml`: a benchmark for each rate.

Source: vllm-project/guidellm, src/guidellm/benchmark/schemas/{report,metrics}.py, and
src/guidellm/schemas/statistics.py. Before 0.4 a benchmark's strategy is in `args`, since then in
`config`, and totals are beside `metrics`, since then in it.
"""

from collections.abc import Mapping
from typing import Final

from pydantic import JsonValue

from benchmark_manager.domain.results.parsing.collector import (
    Collector,
    PointMetrics,
    finite_number,
    version_text,
)
from benchmark_manager.domain.results.parsing.contents import mapping_at
from benchmark_manager.domain.results.parsing.distributions import add_distribution
from benchmark_manager.domain.results.parsing.labels import load_label

#: Metric → its name here, and its unit. GuideLLM counts the first token in its time per token.
_DISTRIBUTIONS: Final = {
    "time_to_first_token_ms": ("ttft", "ms"),
    "time_per_output_token_ms": ("ntpot", "ms"),
    "inter_token_latency_ms": ("itl", "ms"),
    "request_latency": ("e2el", "s"),
    "prompt_token_count": ("input_length", "tok"),
    "output_token_count": ("output_length", "tok"),
}
#: Quantities whose mean over the time of the run is what is compared.
_MEANS: Final = {
    "requests_per_second": "request_throughput",
    "output_tokens_per_second": "output_throughput",
    "tokens_per_second": "total_throughput",
    "prompt_tokens_per_second": "input_throughput",
    "request_concurrency": "concurrency_mean",
    "request_goodput": "goodput",
}
_TOTALS: Final = {
    "total": "requests",
    "successful": "completed",
    "errored": "failed",
    "incomplete": "incomplete",
}
_PERCENTILES: Final = {
    "p001": "p0.1",
    "p01": "p1",
    "p05": "p5",
    "p999": "p99.9",
}


def is_guidellm(value: Mapping[str, JsonValue]) -> bool:
    """Return whether this is a report of benchmarks."""
    benchmarks = value.get("benchmarks")
    if not isinstance(benchmarks, list) or not benchmarks:
        return False
    first = mapping_at(benchmarks[0])
    return first.get("type_") == "generative_benchmark" or bool(
        mapping_at(first, "metrics", "requests_per_second")
    )


def read_guidellm(value: Mapping[str, JsonValue], found: Collector, _: str) -> None:
    """Read every benchmark as a point, labelled with its rate or number of streams."""
    found.tool_version = version_text(mapping_at(value, "metadata").get("guidellm_version"))
    benchmarks = value.get("benchmarks")
    for benchmark in benchmarks if isinstance(benchmarks, list) else []:
        strategy = mapping_at(benchmark, "config", "strategy") or mapping_at(
            benchmark, "args", "strategy"
        )
        # Not the strategy's, which is set even where nothing limits the concurrency.
        limit = mapping_at(benchmark, "config", "profile").get("max_concurrency")
        concurrency = strategy.get("streams") or limit
        point = found.point(_label(strategy, concurrency))
        _read_metrics(mapping_at(benchmark, "metrics"), point)
        _read_totals(mapping_at(benchmark), point)
        point.add("duration", mapping_at(benchmark).get("duration"), "duration")
        point.add("requested_rate", strategy.get("rate"), "strategy.rate")
        called = "strategy.streams" if strategy.get("streams") else "profile.max_concurrency"
        point.add("max_concurrency", concurrency, called)


def _read_metrics(metrics: Mapping[str, JsonValue], point: PointMetrics) -> None:
    for called, (family, unit) in _DISTRIBUTIONS.items():
        distribution = _of_successful(metrics, called)
        add_distribution(point, family, distribution, called, unit)
        percentiles = {
            _PERCENTILES.get(key, key): entry
            for key, entry in mapping_at(distribution, "percentiles").items()
        }
        add_distribution(point, family, percentiles, f"{called}.percentiles", unit)
    for called, name in _MEANS.items():
        point.add(name, _of_successful(metrics, called).get("mean"), f"{called}.mean")


def _read_totals(benchmark: Mapping[str, JsonValue], point: PointMetrics) -> None:
    totals = mapping_at(benchmark, "metrics", "request_totals") or mapping_at(
        benchmark, "request_totals"
    )
    for called, name in _TOTALS.items():
        point.add(name, totals.get(called), f"request_totals.{called}")


def _of_successful(metrics: Mapping[str, JsonValue], called: str) -> Mapping[str, JsonValue]:
    """Return the distribution over successful requests; empty where none has the quantity."""
    distribution = mapping_at(metrics, called, "successful")
    return distribution if finite_number(distribution.get("count")) != 0 else {}


def _label(strategy: Mapping[str, JsonValue], concurrency: JsonValue) -> str:
    label = load_label(strategy.get("rate"), concurrency)
    kind = strategy.get("type_")
    is_named = strategy.get("rate") is None and strategy.get("streams") is None
    return f"{kind} {label}".rstrip() if is_named and isinstance(kind, str) else label
