"""Medians, quartiles, the rank test and fronts, held to NumPy and SciPy, which share no code."""

import itertools
import math
import random
from collections.abc import Callable, Sequence

import pytest

from benchmark_manager.domain.results.pareto import on_front
from benchmark_manager.domain.results.rank_test import rank_test
from benchmark_manager.domain.results.statistics import change_percent
from benchmark_manager.domain.results.verdicts import metric_cell
from benchmark_manager.models.result import Direction
from support.examples import ALL
from support.tables import point as point_of
from support.tables import repeats, result, table

#: Random tables, of eight rows each.
TABLES = 1000 if ALL else 50
#: Values of both samples up to which SciPy tries every permutation.
EXHAUSTIVE = 12 if ALL else 10

HUGE = 1e300

Draw = Callable[[random.Random], float]
DISTRIBUTIONS: dict[str, Draw] = {
    "normal": lambda rng: rng.gauss(100, 10),
    "lognormal": lambda rng: rng.lognormvariate(3, 1),
    "whole numbers": lambda rng: float(rng.randint(0, 5)),
    "coarse": lambda rng: round(rng.gauss(0, 1), 1),
    "constant": lambda _: 7.0,
    "huge": lambda rng: rng.choice((-1, 1)) * rng.uniform(1e307, 1.7e308),
    "tiny": lambda rng: rng.choice((-0.0, 0.0, 5e-324, -5e-324, 1e-310)),
}


def scipy_p(first: Sequence[float], second: Sequence[float]) -> float | None:
    """Return the p-value by SciPy; None where it would take too long to have an exact one."""
    # Half a second, for whoever only collects this module; NumPy takes half as long.
    from scipy.stats import PermutationMethod, mannwhitneyu

    small = min(len(first), len(second)) <= 8
    if not small or len({*first, *second}) == len(first) + len(second):
        return float(mannwhitneyu(first, second).pvalue)
    if len(first) + len(second) > EXHAUSTIVE:
        return None
    method = PermutationMethod(n_resamples=math.inf)
    return float(mannwhitneyu(first, second, method=method).pvalue)


def expected_verdict(
    baseline: Sequence[float], values: Sequence[float], direction: Direction
) -> str | None:
    import numpy as np

    if min(len(baseline), len(values)) < 4:
        return "too_few_repeats"
    p = scipy_p(values, baseline)
    if p is None:
        return None
    pairs = itertools.product(values, baseline)
    wins = sum((a > b) - (a < b) for a, b in pairs)
    # Of huge values, NumPy's sums are infinite.
    scale = 0.25 if max(map(abs, (*values, *baseline))) > HUGE else 1.0
    shift = np.median(np.multiply(values, scale)) - np.median(np.multiply(baseline, scale))
    if p > 0.05 + 1e-12 or wins * np.sign(shift) < 0:
        return "no_difference_shown"
    return "better" if (wins > 0) == (direction == "higher") else "worse"


def random_rows(seed: int) -> list[list[float]]:
    """Return the repeats of eight releases, mostly as few as SciPy can permute."""
    rng = random.Random(seed)  # noqa: S311 -- no secret
    draw = DISTRIBUTIONS[rng.choice(list(DISTRIBUTIONS))]
    most = rng.choice((6, 6, 12))
    shifts = (rng.choice((0.0, 0.0, 15.0)) for _ in range(8))
    return [[draw(rng) + shift for _ in range(rng.randint(1, most))] for shift in shifts]


@pytest.mark.parametrize("seed", range(TABLES))
def test_a_random_table_has_the_medians_and_quartiles_of_numpy(seed: int) -> None:
    import numpy as np

    rows = [row for row in random_rows(seed) if max(map(abs, row)) < HUGE]
    cells = [metric_cell(row) for row in rows]
    assert [(cell.median, *cell.quartiles) for cell in cells] == [
        (np.median(row), np.quantile(row, 0.25), np.quantile(row, 0.75)) for row in rows
    ]


@pytest.mark.parametrize("seed", range(TABLES))
def test_a_random_table_has_the_verdicts_of_scipy(seed: int) -> None:
    baseline, *rows = random_rows(seed)
    direction: Direction = "higher" if seed % 2 else "lower"
    metric = "output_throughput" if seed % 2 else "ttft_p99"
    results = [
        one
        for number, row in enumerate([baseline, *rows])
        for one in repeats(str(number), row, metric)
    ]
    found = [row.metrics[metric].verdict for row in table(results, "0").rows[1:]]
    wanted = [expected_verdict(baseline, row, direction) for row in rows]
    known = [(one, other) for one, other in zip(found, wanted, strict=True) if other is not None]
    assert [one for one, _ in known] == [other for _, other in known]


@pytest.mark.parametrize("seed", range(TABLES))
def test_a_random_table_has_the_front_of_comparing_all_pairs(seed: int) -> None:
    rng = random.Random(seed)  # noqa: S311 -- no secret
    draw = DISTRIBUTIONS[rng.choice(list(DISTRIBUTIONS))]
    points = [(draw(rng), draw(rng)) for _ in range(rng.randint(1, 30))]
    results = [
        result(str(number), point_of({"ttft_p99": one, "output_throughput": other}))
        for number, (one, other) in enumerate(points)
    ]
    beaten = [
        any(a <= one and b >= other and (a < one or b > other) for a, b in points)
        for one, other in points
    ]
    assert [row.pareto for row in table(results).rows] == [not each for each in beaten]


CONTINUOUS = ("normal", "lognormal", "huge")
#: With equal values SciPy has exact p-values of small samples only.
SIZES = {
    **{(name, sizes): None for name in DISTRIBUTIONS for sizes in ((4, 4), (2, 8), (9, 12))},
    **{(name, sizes): None for name in CONTINUOUS for sizes in ((8, 8), (20, 20), (3, 60))},
}


@pytest.mark.parametrize(("name", "sizes"), SIZES)
def test_the_rank_test_agrees_with_scipy(name: str, sizes: tuple[int, int]) -> None:
    rng = random.Random(f"{name} {sizes}")  # noqa: S311 -- no secret
    one, other = ([DISTRIBUTIONS[name](rng) for _ in range(count)] for count in sizes)
    assert rank_test(one, other).p == pytest.approx(scipy_p(one, other), abs=1e-12)


def test_the_ranks_of_many_equal_values_are_counted_exactly() -> None:
    first, second = [1.0] * 3 + [2.0] * 5, [1.0] * 9 + [2.0] * 6
    # How many ones eight of the 23 values have is hypergeometric.
    counts = {k: math.comb(12, k) * math.comb(11, 8 - k) for k in range(9)}
    at_most = sum(count for ones, count in counts.items() if ones <= 3)
    assert rank_test(first, second).p == pytest.approx(2 * at_most / math.comb(23, 8))


def test_swapping_the_samples_turns_the_tendency() -> None:
    one, other = [1.0, 2.0, 3.0], [2.0, 3.0, 4.0, 5.0]
    assert rank_test(one, other).p == rank_test(other, one).p
    assert rank_test(one, other).tendency == -rank_test(other, one).tendency


@pytest.mark.parametrize(
    ("before", "after", "change"),
    [
        pytest.param(100.0, 150.0, 50.0, id="more"),
        pytest.param(-10.0, -5.0, 50.0, id="less negative"),
        pytest.param(-10.0, 10.0, 200.0, id="over zero"),
        pytest.param(0.0, 1.0, None, id="from zero"),
        pytest.param(-0.0, 1.0, None, id="from negative zero"),
        pytest.param(-1.7e308, 1.7e308, 200.0, id="a difference beyond all numbers"),
        pytest.param(5e-324, 1.0, None, id="a change beyond all numbers"),
    ],
)
def test_a_change_is_in_percent_of_the_size_of_the_baseline(
    before: float, after: float, change: float | None
) -> None:
    assert change_percent(before, after) == change


@pytest.mark.parametrize(
    ("values", "median", "quartiles"),
    [
        pytest.param([-1.7e308, 1.7e308], 0.0, (-8.5e307, 8.5e307), id="of both signs"),
        pytest.param([1.7e308, 1.7e308], 1.7e308, (1.7e308, 1.7e308), id="equal"),
        pytest.param([5e-324], 5e-324, (5e-324, 5e-324), id="one"),
    ],
)
def test_extreme_values_have_finite_statistics(
    values: list[float], median: float, quartiles: tuple[float, float]
) -> None:
    cell = metric_cell(values)
    assert [cell.median, *cell.quartiles] == pytest.approx([median, *quartiles])


def test_equal_medians_with_a_tendency_are_decided_by_the_ranks() -> None:
    baseline = metric_cell([0.0] * 6 + [5.0] * 7)
    cell = metric_cell([5.0] * 7 + [9.0] * 6, baseline, "lower")
    assert (baseline.median, cell.median, cell.verdict) == (5.0, 5.0, "worse")


def test_medians_against_the_ranks_are_no_difference() -> None:
    baseline = metric_cell([0.0] * 9 + [10.0, 10.5] + [11.0] * 9)
    cell = metric_cell([1.0] * 9 + [10.1, 10.1] + [20.0] * 9, baseline, "lower")
    assert rank_test(cell.values, baseline.values).p < 0.05
    assert (cell.median < baseline.median, cell.verdict) == (True, "no_difference_shown")


def test_a_metric_without_direction_has_a_change_and_no_verdict() -> None:
    cell = metric_cell([2.0] * 9, metric_cell([1.0] * 9))
    assert (cell.change_pct, cell.verdict) == (100.0, None)


def test_equal_pairs_are_on_the_front_together() -> None:
    pairs = [(1.0, 1.0), (1.0, 1.0), (-0.0, 2.0), (0.0, 2.0)]
    assert on_front(pairs, ("lower", "lower")) == [True] * 4
