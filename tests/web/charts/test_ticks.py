"""Ticks are round numbers inside their axis, and scales put every number into it."""

import math
from decimal import Decimal
from itertools import pairwise

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from benchmark_manager.web.charts.layout import (
    HEIGHT,
    LEFT,
    NARROW,
    RIGHT,
    CategoryPositions,
    NumberPositions,
    across,
    down,
    positions_of,
    vertical_axis,
)
from benchmark_manager.web.charts.numbers import cut, tick_text, written
from benchmark_manager.web.charts.points import Quantity
from benchmark_manager.web.charts.scales import metric_scale, setting_scale
from benchmark_manager.web.charts.ticks import linear_ticks, log_ticks

NUMBERS = st.floats(allow_nan=False, allow_infinity=False)
LISTS = st.lists(NUMBERS, min_size=1, max_size=30)
AXIS = Quantity("axis")


@pytest.mark.parametrize(
    ("low", "high", "ticks"),
    [
        (0, 97, "0 20 40 60 80"),
        (0.1, 0.3, "0.1 0.15 0.2 0.25 0.3"),
        (-3, 3, "-2 0 2"),
        (1e300, 2e300, "1e300 1.2e300 1.4e300 1.6e300 1.8e300 2e300"),
    ],
)
def test_linear_ticks_are_multiples_of_1_2_or_5(low: float, high: float, ticks: str) -> None:
    assert " ".join(tick_text(tick) for tick in linear_ticks(low, high)) == ticks


@pytest.mark.parametrize(
    ("low", "high", "ticks"),
    [
        (1, 100, "1 2 5 10 20 50 100"),
        (3, 4000, "10 100 1,000"),
        (1e-9, 1e9, "1e-9 1e-6 0.001 1 1,000 1M 1G"),
    ],
)
def test_logarithmic_ticks_are_round(low: float, high: float, ticks: str) -> None:
    assert " ".join(tick_text(tick) for tick in log_ticks(low, high)) == ticks


@given(LISTS)
def test_a_metric_s_values_and_ticks_are_inside_its_axis(values: list[float]) -> None:
    scale = metric_scale(values)
    shares = [scale.share(value) for value in values]
    shares += [scale.share(float(tick)) for tick in scale.ticks()]
    assert all(-1e-6 <= share <= 1 + 1e-6 for share in shares)


@given(LISTS)
def test_a_metric_s_axis_has_between_2_and_10_ticks(values: list[float]) -> None:
    assert 2 <= len(metric_scale(values).ticks()) <= 10


@given(LISTS)
def test_labels_of_a_metric_s_axis_differ(values: list[float]) -> None:
    texts = [tick.text for tick in vertical_axis(AXIS, metric_scale(values)).ticks]
    assert len(set(texts)) == len(texts)


@given(st.lists(NUMBERS, min_size=1, max_size=30, unique=True))
def test_a_larger_setting_is_further_to_the_right(values: list[float]) -> None:
    positions = NumberPositions(values)
    at = [positions.share(value) for value in sorted(values)]
    assert at == sorted(at)


@given(st.one_of(LISTS, st.lists(st.text(max_size=60), min_size=1, max_size=60)))
def test_labels_below_an_axis_neither_overlap_nor_leave_the_chart(
    values: list[float] | list[str],
) -> None:
    axis = positions_of(values).axis(AXIS)
    assume(not axis.turned)
    spans = [tick.span for tick in axis.ticks]
    assert all(left >= -LEFT and right <= NARROW + RIGHT for left, right in spans)
    assert all(one[1] < other[0] for one, other in pairwise(spans))


@given(st.lists(st.text(min_size=9, max_size=60), min_size=6, max_size=90, unique=True))
def test_turned_labels_have_a_line_s_height_each(values: list[str]) -> None:
    ticks = positions_of(values).axis(AXIS).ticks
    gaps = [(other.at - one.at) * NARROW / 100 for one, other in pairwise(ticks)]
    assert all(gap >= 14 for gap in gaps)


@given(st.floats(0, 1))
def test_positions_are_inside_the_area(share: float) -> None:
    assert 0 < across(share) < 100
    assert 0 < down(share) < HEIGHT


@pytest.mark.parametrize(
    "values",
    [[128, 256, 512, 1024], [1, 2, 4], [1, 10, 100, 1000], [10, 20, 50, 100], [0.001, 0.01, 1]],
)
def test_settings_that_grow_by_factors_are_on_a_logarithmic_axis(values: list[float]) -> None:
    assert setting_scale(values).log


@pytest.mark.parametrize(
    "values",
    [[1, 2, 3, 4], [100, 200, 300, 400, 500], [0, 1, 10, 100], [-8, 8, 64], [1, 1000], [5], [5, 5]],
)
def test_other_settings_are_on_a_linear_axis(values: list[float]) -> None:
    assert not setting_scale(values).log


def test_a_metric_over_two_decades_is_on_a_logarithmic_axis() -> None:
    assert metric_scale([50, 60, 12_000]).log


def test_a_metric_starts_at_zero_where_there_is_room() -> None:
    assert metric_scale([40, 100]).low == 0
    assert metric_scale([95, 100]).low == 95


@pytest.mark.parametrize("value", [0.0, 5.0, -5.0, 1e308, -1e308, 5e-324])
def test_one_value_is_within_its_axis(value: float) -> None:
    scale = metric_scale([value])
    assert scale.low <= value <= scale.high
    assert scale.low < scale.high


def test_few_settings_are_all_marked() -> None:
    axis = NumberPositions([128, 256, 512, 1024]).axis(AXIS)
    assert [tick.text for tick in axis.ticks] == ["128", "256", "512", "1,024"]


def test_names_that_fit_are_not_turned() -> None:
    assert not CategoryPositions(["auto", "fp8", "int8"]).axis(AXIS).turned


def test_long_names_are_turned() -> None:
    assert CategoryPositions([f"a long name {n}" for n in range(8)]).axis(AXIS).turned


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (0.0, "0"),
        (-0.0, "0"),
        (12345.678, "12,346"),
        (1234.5, "1,234"),
        (99.999, "100"),
        (0.012345, "0.01235"),
        (1e-9, "1e-9"),
        (1.7976931348623157e308, "1.798e308"),
        (-1500.0, "-1,500"),
        (math.nan, "\N{EN DASH}"),
        (math.inf, "\N{EN DASH}"),
    ],
)
def test_numbers_are_written_with_four_digits(value: float, text: str) -> None:
    assert written(value) == text


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (1500, "1,500"),
        (1_500_000, "1.5M"),
        (2e9, "2G"),
        (3e12, "3T"),
        (1e15, "1e15"),
        (0.25, "0.25"),
    ],
)
def test_ticks_are_short(value: float, text: str) -> None:
    assert tick_text(Decimal(str(value))) == text


@given(st.text())
def test_what_cannot_be_seen_is_escaped(text: str) -> None:
    assert cut(text).isprintable()
    assert len(cut(text)) <= 120
