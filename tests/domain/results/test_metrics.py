"""Metrics have one name, unit and direction."""

import pytest

from benchmark_manager.domain.results.metrics import known_metric, shown_first
from benchmark_manager.domain.results.units import unit_factor, usual_unit
from benchmark_manager.models.result_table import MetricColumn


@pytest.mark.parametrize(
    "name", ["ttft_mean", "tpot_p50", "itl_p99.9", "e2el_std", "client_queue_time_max"]
)
def test_a_latency_is_in_milliseconds_and_lower_is_better(name: str) -> None:
    known = known_metric(name)
    assert known is not None
    assert (known.unit, known.direction) == ("ms", "lower")


@pytest.mark.parametrize(
    "name", ["", "ttft", "ttft_", "ttft_p100", "_mean", "mmlu_mean", "TTFT_p99"]
)
def test_another_name_is_not_canonical(name: str) -> None:
    assert known_metric(name) is None


def columns(*names: str) -> list[MetricColumn]:
    unknown = {"acc": "higher", "loss": "lower"}
    return [
        known_metric(name) or MetricColumn(name=name, unit="", direction=unknown.get(name))
        for name in names
    ]


@pytest.mark.parametrize(
    ("measured", "shown"),
    [
        (
            ("ttft_mean", "ttft_p50", "ttft_p99", "tpot_p50", "e2el_p99", "output_throughput"),
            ["ttft_p99", "output_throughput", "tpot_p50", "e2el_p99"],
        ),
        (("completed", "e2el_mean", "duration"), ["e2el_mean"]),
        (("duration", "completed"), ["completed", "duration"]),
        (("acc_stderr", "samples", "loss", "acc"), ["acc", "loss", "acc_stderr", "samples"]),
        (("watts", "ttft_p99"), ["ttft_p99", "watts"]),
        ((), []),
    ],
)
def test_one_statistic_of_each_kind_is_shown_first(
    measured: tuple[str, ...], shown: list[str]
) -> None:
    assert shown_first(columns(*measured)) == shown


@pytest.mark.parametrize(
    ("unit", "wanted", "factor"),
    [
        ("s", "ms", 1000.0),
        ("seconds", "ms", 1000.0),
        ("us", "ms", 0.001),
        ("s/token", "ms", 1000.0),
        ("min", "s", 60.0),
        ("tokens/s", "tok/s", 1.0),
        ("fraction", "%", 100.0),
        ("furlong", "ms", None),
        ("ms", "tok/s", None),
    ],
)
def test_units_are_converted_where_they_can_be(
    unit: str, wanted: str, factor: float | None
) -> None:
    assert unit_factor(unit, wanted) == factor


def test_an_unknown_unit_stays_as_it_is() -> None:
    assert usual_unit("furlong") == "furlong"
