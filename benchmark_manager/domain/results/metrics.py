"""Metrics that results are compared by: one name, unit and direction, whatever tools call them."""

import re
from collections.abc import Iterable, Mapping, Sequence
from typing import Final, NamedTuple

from benchmark_manager.models.result import Direction
from benchmark_manager.models.result_table import MetricColumn

#: Latencies, always in milliseconds: their names go on with `_mean`, `_p99` and the like.
LATENCIES: Final = {
    "ttft": "time to the first token",
    "tpot": "time for each output token after the first, an average of each request",
    "ntpot": "time for each output token, the first included",
    "itl": "time between two tokens",
    "e2el": "time from a request to its last token",
    "client_queue_time": "time that a request waits in the client for its turn",
    "e2el_including_client_queue": "`e2el` and `client_queue_time` together",
    "schedule_delay": "time that the client sends a request too late",
}
#: Tokens of a request: their names go on like those of latencies.
LENGTHS: Final = {
    "input_length": "tokens of a request's input",
    "output_length": "tokens of a request's output",
}
_STATISTIC: Final = re.compile(r"mean|std|min|max|p[0-9]{1,2}(?:\.[0-9]{1,3})?")


class KnownMetric(NamedTuple):
    """A metric that has one statistic only."""

    unit: str
    direction: Direction | None
    meaning: str


#: All other metrics.
OTHERS: Final[Mapping[str, KnownMetric]] = {
    "output_throughput": KnownMetric("tok/s", "higher", "output tokens of all requests"),
    "total_throughput": KnownMetric("tok/s", "higher", "input and output tokens of all requests"),
    "input_throughput": KnownMetric("tok/s", "higher", "input tokens of all requests"),
    "peak_output_throughput": KnownMetric("tok/s", "higher", "output tokens in the best second"),
    "request_throughput": KnownMetric("req/s", "higher", "requests that completed"),
    "goodput": KnownMetric("req/s", "higher", "requests that kept the service level objectives"),
    "token_goodput": KnownMetric("tok/s", "higher", "tokens of such requests"),
    "goodput_percentage": KnownMetric("%", "higher", "share of such requests"),
    "requests": KnownMetric("", None, "requests that were sent"),
    "completed": KnownMetric("", None, "requests that completed"),
    "failed": KnownMetric("", "lower", "requests that failed"),
    "incomplete": KnownMetric("", "lower", "requests that the end of the run cut off"),
    "duration": KnownMetric("s", None, "time of the run"),
    "input_tokens": KnownMetric("tok", None, "input tokens of all requests"),
    "output_tokens": KnownMetric("tok", None, "output tokens of all requests"),
    "total_tokens": KnownMetric("tok", None, "input and output tokens of all requests"),
    "requested_rate": KnownMetric("req/s", None, "rate that the tool was to send at"),
    "achieved_rate": KnownMetric("req/s", None, "rate that it sent at"),
    "max_concurrency": KnownMetric("", None, "requests that it was to have open at most"),
    "peak_concurrency": KnownMetric("", None, "most requests that were open"),
    "concurrency_mean": KnownMetric("", None, "requests that were open on average"),
}
#: What a table shows unless its reader chooses: of each kind the first that was measured, since
#: two statistics of one latency say nearly the same.
_MOST_IMPORTANT: Final = (
    ("ttft_p99", "ttft_p95", "ttft_p90", "ttft_p50", "ttft_mean"),
    ("output_throughput", "total_throughput"),
    ("tpot_p99", "tpot_p50", "tpot_mean", "itl_p99", "itl_p50", "itl_mean"),
    ("request_throughput", "goodput"),
    ("e2el_p99", "e2el_p95", "e2el_p90", "e2el_p50", "e2el_mean"),
)
#: Columns of a table whose reader has not chosen any.
SHOWN_FIRST: Final = 4


def known_metric(name: str) -> MetricColumn | None:
    """Return the unit and direction of a metric by its canonical name; None for any other name."""
    if name in OTHERS:
        known = OTHERS[name]
        return MetricColumn(name=name, unit=known.unit, direction=known.direction)
    family, _, statistic = name.rpartition("_")
    if not _STATISTIC.fullmatch(statistic):
        return None
    if family in LATENCIES:
        return MetricColumn(name=name, unit="ms", direction="lower")
    return MetricColumn(name=name, unit="tok", direction=None) if family in LENGTHS else None


def shown_first(available: Iterable[MetricColumn]) -> Sequence[str]:
    """Return the metrics that a table shows unless its reader chooses, the most important first.

    Behind the known ones come those whose better values are known, then the others, by name.
    """
    names = {column.name: column for column in available}
    important = [
        found for kind in _MOST_IMPORTANT if (found := next((n for n in kind if n in names), None))
    ]
    unknown = (column for column in names.values() if known_metric(column.name) is None)
    others = sorted(unknown, key=lambda column: (column.direction is None, column.name))
    shown: list[str] = [*important, *(column.name for column in others)]
    return (shown or sorted(names))[:SHOWN_FIRST]
