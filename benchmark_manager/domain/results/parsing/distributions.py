"""Distributions: a mean, percentiles and the like of one quantity."""

import re
from collections.abc import Mapping
from typing import Final

from pydantic import JsonValue

from benchmark_manager.domain.results.parsing.collector import PointMetrics

_NAMES: Final = {
    "mean": "mean",
    "avg": "mean",
    "median": "p50",
    "std": "std",
    "stddev": "std",
    "std_dev": "std",
    "min": "min",
    "max": "max",
    "p100": "max",
}
#: `p99`, `p99.9`, or as llm-d writes it `p99p9`.
_PERCENTILE: Final = re.compile(r"p([0-9]{1,2})(?:[p.]([0-9]{1,3}))?")


def statistic_name(called: str) -> str | None:
    """Return how metrics' names end for a statistic; None for what is none.

    >>> statistic_name("p99p9")
    'p99.9'
    """
    match = _PERCENTILE.fullmatch(called)
    if match is None:
        return _NAMES.get(called)
    return f"p{int(match[1])}.{match[2]}" if match[2] else f"p{int(match[1])}"


def add_distribution(
    point: PointMetrics,
    family: str,
    distribution: Mapping[str, JsonValue],
    called: str,
    unit: str | None = None,
) -> None:
    """Add each statistic of a distribution as `FAMILY_STATISTIC`."""
    for key, value in distribution.items():
        statistic = statistic_name(key)
        if statistic is not None:
            point.add(f"{family}_{statistic}", value, f"{called}.{key}", unit=unit)
