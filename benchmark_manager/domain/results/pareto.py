"""The Pareto front: what is best in two metrics at once."""

from collections.abc import Sequence
from itertools import groupby
from typing import Final, TypeAlias

from benchmark_manager.models.result import Direction

_SIGNS: Final = {"lower": 1.0, "higher": -1.0}

Pair: TypeAlias = tuple[float, float]


def on_front(pairs: Sequence[Pair], directions: tuple[Direction, Direction]) -> list[bool]:
    """Return of each pair whether no other is at least as good in both, and better in one.

    Equal pairs are on the front together.

    >>> on_front([(1, 5), (2, 9), (2, 5), (1, 5)], ("lower", "higher"))
    [True, True, False, True]
    """
    first, second = (_SIGNS[direction] for direction in directions)
    costs = [(one * first, other * second) for one, other in pairs]
    best: dict[float, float] = {}
    least = float("inf")
    for cost, group in groupby(sorted(costs), key=lambda pair: pair[0]):
        lowest = next(other for _, other in group)
        if lowest < least:
            best[cost] = least = lowest
    return [best.get(one) == other for one, other in costs]
