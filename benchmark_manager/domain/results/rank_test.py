"""The Mann-Whitney U test: whether one of two samples tends to larger values.

Source: H. B. Mann, D. R. Whitney, "On a test of whether one of two random variables is
    stochastically larger than the other", 1947. Of two small samples the distribution is exact,
    given the values that are equal; of others it is the normal one, with corrections for equal
    values and for continuity.
"""

import math
from bisect import bisect_left, bisect_right
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import lru_cache
from itertools import accumulate, groupby
from typing import Final, TypeAlias

#: Values of the smaller sample up to which the distribution is exact.
_SMALL: Final = 8
#: Values of both samples up to which the distribution is exact: without equal values, when the
#: distribution is the same for all samples of these sizes, and with them.
_EXACT: Final = 200
_EXACT_WITH_TIES: Final = 40
#: Distributions that are kept: the repeats of one table mostly have the same sizes.
_KEPT: Final = 256

Ties: TypeAlias = tuple[int, ...]
"""How often each different value is in both samples together, in ascending order."""


@dataclass(frozen=True, slots=True)
class RankTest:
    """What the test finds.

    `p` is the chance, from 0 to 1, of ranks at least as unequal where both samples come from one
    distribution; in either direction. `tendency` is above 0 where the first sample tends to larger
    values, and below 0 where the second one does.
    """

    p: float
    tendency: int


def rank_test(first: Sequence[float], second: Sequence[float]) -> RankTest:
    """Compare two samples of at least one finite value each."""
    if len(first) > len(second):
        swapped = rank_test(second, first)
        return RankTest(swapped.p, -swapped.tendency)
    ties, doubled = _ranked(first, second)
    count, total = len(first), len(first) + len(second)
    # The mean of the doubled sum of ranks, if both come from one distribution.
    tendency = doubled - count * (total + 1)
    if _is_exact(count, total, ties):
        return RankTest(_exact(count, ties, doubled), tendency)
    return RankTest(_approximate(count, ties, tendency), tendency)


def _is_exact(count: int, total: int, ties: Ties) -> bool:
    if count > _SMALL:
        return False
    return total <= (_EXACT if len(ties) == total else _EXACT_WITH_TIES)


def _ranked(first: Sequence[float], second: Sequence[float]) -> tuple[Ties, int]:
    """Return how values are tied, and twice the sum of the ranks of the first sample.

    Equal values have the mean of their ranks, which twice is a whole number.
    """
    both = sorted((*first, *second))
    doubled = sum(bisect_left(both, value) + bisect_right(both, value) + 1 for value in first)
    if len(set(both)) == len(both):
        return (1,) * len(both), doubled
    return tuple(len(list(group)) for _, group in groupby(both)), doubled


def _exact(count: int, ties: Ties, doubled: int) -> float:
    """Return the chance that as many of the tied ranks have a sum that is as far out."""
    least, at_most = _distribution(count, ties)
    here = doubled - least
    every = at_most[-1]
    above = every - (at_most[here - 1] if here else 0)
    return min(1.0, 2 * min(at_most[here], above) / every)


@lru_cache(maxsize=_KEPT)
def _distribution(count: int, ties: Ties) -> tuple[int, tuple[int, ...]]:
    """Return how many choices of `count` ranks have each doubled sum or a smaller one.

    The first number is the smallest doubled sum; the counts go on from it.
    """
    width = math.comb(sum(ties), count).bit_length() // 8 + 1
    packed = _packed(count, ties, width * 8)
    size = -(-packed.bit_length() // (width * 8)) * width
    data = packed.to_bytes(size, "little")
    counts = [
        int.from_bytes(data[start : start + width], "little") for start in range(0, size, width)
    ]
    least = next(number for number, one in enumerate(counts) if one)
    return least, tuple(accumulate(counts[least:]))


def _packed(count: int, ties: Ties, bits: int) -> int:
    """Return a number whose digits of so many bits count the choices of each doubled sum.

    It is a product of polynomials in one variable, whose value at a large power of two holds all
    coefficients (Kronecker substitution), so that whole polynomials are added as numbers.
    """
    chosen = [1, *[0] * count]
    for tied, rank in _doubled_ranks(ties):
        for number in range(count, 0, -1):
            for taken in range(1, min(tied, number) + 1):
                ways = chosen[number - taken] * math.comb(tied, taken)
                chosen[number] += ways << (taken * rank * bits)
    return chosen[count]


def _doubled_ranks(ties: Ties) -> Iterator[tuple[int, int]]:
    before = 0
    for tied in ties:
        yield tied, 2 * before + tied + 1
        before += tied


def _approximate(count: int, ties: Ties, tendency: int) -> float:
    total = sum(ties)
    tied = sum(each**3 - each for each in ties)
    variance = count * (total - count) / 12 * (total + 1 - tied / (total * (total - 1)))
    if variance <= 0:
        return 1.0
    distance = abs(tendency) / 2 - 0.5
    return min(1.0, math.erfc(distance / math.sqrt(variance) / math.sqrt(2)))
