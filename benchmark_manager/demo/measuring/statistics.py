"""Metrics of a load, by the names that results have."""

from collections.abc import Iterable, Iterator, Sequence
from itertools import pairwise
from statistics import fmean
from typing import Final, TypeAlias, TypedDict

from benchmark_manager.demo.measuring.load import MeasuredLoad, StreamReply


class PlainMetric(TypedDict):
    """A metric as result files have it."""

    value: float
    unit: str


Metrics: TypeAlias = dict[str, PlainMetric]

_PERCENTILES: Final = (50, 90, 99)


def metrics_of(measured: MeasuredLoad) -> Metrics:
    """Return throughput over the whole load, and latencies of the requests that were answered.

    Without any answer there are no latencies.
    """
    complete = [answer for answer in measured.answers if answer.is_complete]
    made = sum(len(answer.tokens) for answer in complete)
    read = sum(answer.prompt_tokens for answer in complete)
    seconds = measured.duration
    return {
        "output_throughput": _metric(made / seconds, "tok/s"),
        "total_throughput": _metric((made + read) / seconds, "tok/s"),
        "request_throughput": _metric(len(complete) / seconds, "req/s"),
        "completed": _metric(len(complete), ""),
        "failed": _metric(len(measured.answers) - len(complete), ""),
        "duration": _metric(seconds, "s"),
    } | dict(_latencies(complete))


def _metric(value: float, unit: str) -> PlainMetric:
    return {"value": value, "unit": unit}


def percentile(values: Sequence[float], percent: float) -> float:
    """Return a percentile, interpolated linearly, as NumPy does by default.

    >>> percentile([1, 2, 3, 5], 50)
    2.5
    """
    ordered = sorted(values)
    position = (len(ordered) - 1) * percent / 100
    below = int(position)
    above = min(below + 1, len(ordered) - 1)
    return ordered[below] + (ordered[above] - ordered[below]) * (position - below)


def _latencies(answers: Sequence[StreamReply]) -> Iterator[tuple[str, PlainMetric]]:
    longer = [answer for answer in answers if len(answer.tokens) > 1]
    for name, seconds in {
        "ttft": [answer.tokens[0] - answer.sent for answer in answers],
        "tpot": [
            (answer.tokens[-1] - answer.tokens[0]) / (len(answer.tokens) - 1) for answer in longer
        ],
        "itl": [after - before for answer in longer for before, after in pairwise(answer.tokens)],
        "e2el": [answer.tokens[-1] - answer.sent for answer in answers],
    }.items():
        yield from _statistics(name, seconds)


def _statistics(name: str, seconds: Iterable[float]) -> Iterator[tuple[str, PlainMetric]]:
    values = [each * 1000 for each in seconds]
    if values:
        yield f"{name}_mean", _metric(fmean(values), "ms")
        for percent in _PERCENTILES:
            yield f"{name}_p{percent}", _metric(percentile(values, percent), "ms")
