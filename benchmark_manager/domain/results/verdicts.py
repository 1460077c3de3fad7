"""What the repeats of two releases say about each other."""

import math
from collections.abc import Sequence
from typing import Final

from benchmark_manager.domain.results.rank_test import rank_test
from benchmark_manager.domain.results.statistics import change_percent, median, quartiles
from benchmark_manager.models.result import Direction
from benchmark_manager.models.result_table import Comparison, MetricCell

#: Repeats that both sides need: of three beside three, no order is rare enough.
LEAST_REPEATS: Final = 4
#: The share of comparisons of equal distributions that may be called better or worse.
LEVEL: Final = 0.05


def metric_cell(
    values: Sequence[float],
    baseline: MetricCell | None = None,
    direction: Direction | None = None,
) -> MetricCell:
    """Return the repeats of a metric, at least one, with what they say beside the baseline's."""
    ordered = sorted(values)
    middle = median(ordered)
    first, third = quartiles(ordered)
    between = third - first
    return MetricCell(
        median=middle,
        quartiles=(first, third),
        iqr=between if math.isfinite(between) else None,
        n=len(ordered),
        values=tuple(values),
        change_pct=None if baseline is None else change_percent(baseline.median, middle),
        verdict=None if baseline is None else verdict(baseline, values, middle, direction),
    )


def verdict(
    baseline: MetricCell, values: Sequence[float], middle: float, direction: Direction | None
) -> Comparison | None:
    """Return what values with this median say; None for a metric without a direction.

    The ranks decide, as the test is about them. Where the medians say the opposite of the ranks,
    no difference is shown: the two differ, but not in one direction.
    """
    if direction is None:
        return None
    if min(baseline.n, len(values)) < LEAST_REPEATS:
        return "too_few_repeats"
    found = rank_test(values, baseline.values)
    is_more = found.tendency > 0
    contradicts = middle < baseline.median if is_more else middle > baseline.median
    if found.p > LEVEL or contradicts:
        return "no_difference_shown"
    return "better" if is_more == (direction == "higher") else "worse"
