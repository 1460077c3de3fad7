"""Tables of results: rows, environments, baselines, points, units and notices."""

from dataclasses import replace

import pytest

from benchmark_manager.errors import InvalidInputError
from benchmark_manager.models.result_table import MetricColumn, ResultTable, TableSelection
from support.tables import COLUMNS, own, point, repeats, result, table

BY_ENVIRONMENT = TableSelection(group="environment")
FOUR = (1.0, 2.0, 3.0, 4.0)
MORE = (11.0, 12.0, 13.0, 14.0)


def codes(made: ResultTable) -> list[str]:
    return [notice.code for notice in made.notices]


def verdicts(made: ResultTable, metric: str = "ttft_p99") -> list[str | None]:
    return [row.metrics[metric].verdict for row in made.rows]


def test_repeats_of_a_release_are_one_row() -> None:
    made = table([*repeats("a", [3.0, 1.0]), *repeats("b", [2.0])])
    assert [(row.release, row.metrics["ttft_p99"].values) for row in made.rows] == [
        ("a", (3.0, 1.0)),
        ("b", (2.0,)),
    ]


def test_one_measurement_of_each_is_no_verdict() -> None:
    assert verdicts(table([*repeats("a", [1.0]), *repeats("b", [9.0])], "a")) == [
        None,
        "too_few_repeats",
    ]


def test_three_repeats_beside_many_are_no_verdict() -> None:
    made = table([*repeats("a", [*FOUR, *FOUR, *FOUR]), *repeats("b", MORE[:3])], "a")
    assert verdicts(made) == [None, "too_few_repeats"]


def test_equal_values_are_no_difference() -> None:
    made = table([*repeats("a", [0.0] * 5), *repeats("b", [0.0] * 5)], "a")
    assert verdicts(made) == [None, "no_difference_shown"]


@pytest.mark.parametrize(
    ("metric", "found"), [("ttft_p99", "worse"), ("output_throughput", "better")]
)
def test_more_is_better_or_worse_by_the_direction(metric: str, found: str) -> None:
    made = table([*repeats("a", FOUR, metric), *repeats("b", MORE, metric)], "a")
    assert verdicts(made, metric) == [None, found]


def test_a_metric_without_direction_has_no_verdict() -> None:
    made = table([*repeats("a", FOUR, "completed"), *repeats("b", MORE, "completed")], "a")
    assert verdicts(made, "completed") == [None, None]


def test_labels_that_differ_are_environment_and_others_are_not() -> None:
    made = table([*repeats("a", FOUR, gpu="A100", node="n1"), *repeats("b", FOUR, gpu="H100")])
    assert made.environment == ("gpu", "node")
    assert [row.labels for row in made.rows] == [{"gpu": "A100", "node": "n1"}, {"gpu": "H100"}]
    assert [notice.facts for notice in made.notices] == [
        {"label": "gpu", "values": ["A100", "H100"], "missing": 0},
        {"label": "node", "values": ["n1"], "missing": 4},
    ]


def test_a_row_of_several_environments_lists_them() -> None:
    made = table(
        [*repeats("a", [1.0], gpu="H100"), *repeats("a", [1.0], gpu="A100"), *repeats("a", [1.0])]
    )
    assert [row.labels for row in made.rows] == [{"gpu": (None, "A100", "H100")}]


def test_rows_by_environment_are_compared_within_their_own() -> None:
    results = [
        *repeats("a", FOUR, gpu="A100"),
        *repeats("a", MORE, gpu="H100"),
        *repeats("b", MORE, gpu="A100"),
        *repeats("b", FOUR, gpu="H100"),
        *repeats("b", FOUR, gpu="L4"),
    ]
    made = table(results, "a", BY_ENVIRONMENT)
    assert [
        (row.release, row.labels["gpu"], row.metrics["ttft_p99"].verdict) for row in made.rows
    ] == [
        ("a", "A100", None),
        ("a", "H100", None),
        ("b", "A100", "worse"),
        ("b", "H100", "better"),
        ("b", "L4", None),
    ]


def test_labels_beyond_the_most_are_counted() -> None:
    labels = {f"label{number:02}": "x" for number in range(60)}
    made = table([*repeats("a", [1.0], **labels), *repeats("b", [1.0])])
    assert (len(made.environment), made.notices[-1].facts) == (50, {"count": 10})


def test_points_are_rows_in_the_order_of_their_numbers() -> None:
    points = [point({"ttft_p99": 1.0}, f"rate={rate}") for rate in (16, 2, 100)]
    made = table([result("a", *points)])
    assert [row.point for row in made.rows] == ["rate=2", "rate=16", "rate=100"]
    assert codes(made) == ["several_points"]


def test_a_point_that_is_chosen_hides_the_others_and_their_labels() -> None:
    results = [
        result("a", point({"ttft_p99": 1.0}, "rate=2"), gpu="A100"),
        result("b", point({"ttft_p99": 1.0}, "rate=4"), gpu="H100"),
    ]
    made = table(results, selection=TableSelection(point="rate=2"))
    assert ([row.release for row in made.rows], made.environment) == (["a"], ())
    assert made.points == ("rate=2", "rate=4")


@pytest.mark.parametrize(
    ("chosen", "found"),
    [(None, ["mixed_tools", "several_points"]), ("rate=2", []), ("rate=9", [])],
)
def test_tools_are_mixed_only_where_rows_of_both_are_shown(
    chosen: str | None, found: list[str]
) -> None:
    results = [
        result("a", point({"ttft_p99": 1.0}, "rate=2"), tool="vllm"),
        result("b", point({"ttft_p99": 1.0}, "rate=4"), tool="sglang"),
    ]
    assert codes(table(results, selection=TableSelection(point=chosen))) == found


def test_units_of_a_point_that_is_not_shown_are_no_notice() -> None:
    results = [
        result("a", point({"own": 1.0}, "rate=1", columns=own("s"))),
        result("b", point({"own": 2.0}, "rate=1", columns=own("ticks"))),
    ]
    chosen = TableSelection(metrics=("own",), point="rate=9")
    assert codes(table(results, selection=chosen)) == []


@pytest.mark.parametrize("chosen", [None, "rate=2", "rate=9"])
def test_what_could_not_be_read_may_have_been_at_any_point(chosen: str | None) -> None:
    results = [
        result("a", point({"ttft_p99": 1.0}, "rate=2")),
        replace(result("b"), is_readable=False),
    ]
    made = table(results, selection=TableSelection(point=chosen))
    assert codes(made) == ["unreadable_file"]


def test_results_in_which_requests_failed_are_a_notice() -> None:
    columns = {**COLUMNS, "failed": MetricColumn(name="failed", unit="", direction="lower")}
    made = table(
        [
            result("a", point({"ttft_p99": 1.0, "failed": failed}, columns=columns), number=number)
            for number, failed in enumerate((0.0, 3.0, 1.0))
        ]
    )
    assert [(notice.code, notice.facts) for notice in made.notices] == [
        ("failed_requests", {"count": 2})
    ]


def test_a_baseline_without_the_point_is_a_notice() -> None:
    results = [
        result("a", point({"ttft_p99": 1.0}, "rate=2")),
        result("b", point({"ttft_p99": 1.0}, "rate=4")),
    ]
    made = table(results, "a", TableSelection(point="rate=4"))
    assert codes(made) == ["baseline_without_values"]


def test_a_baseline_without_results_is_refused() -> None:
    with pytest.raises(InvalidInputError, match="baseline_not_compared"):
        table(repeats("a", [1.0]), "b")


def test_rows_are_compared_with_the_baseline_at_their_point() -> None:
    results = [
        result(
            release,
            point({"ttft_p99": low + number}, "rate=2"),
            point({"ttft_p99": high + number}, "rate=4"),
            number=number,
        )
        for release, low, high in (("a", 0.0, 100.0), ("b", 50.0, 50.0))
        for number in range(4)
    ]
    assert verdicts(table(results, "a")) == [None, None, "worse", "better"]


def test_values_in_another_unit_are_left_out_with_a_notice() -> None:
    seconds, ticks = own("s", "lower"), own("ticks", "lower")
    results = [
        result("a", point({"own": 1.0}, columns=seconds), number=1),
        result("a", point({"own": 2.0}, columns=seconds), number=2),
        result("a", point({"own": 3000.0}, columns=ticks), number=3),
    ]
    made = table(results)
    assert made.rows[0].metrics["own"].values == (1.0, 2.0)
    assert [notice.facts for notice in made.notices] == [{"metric": "own", "units": ["s", "ticks"]}]


def test_the_unit_of_the_selected_point_is_shown_whatever_other_points_have() -> None:
    seconds, ticks = own("s", "lower"), own("ticks", "higher")
    results = [
        result("a", point({"own": 1.0}, "rate=1", columns=seconds)),
        result("b", point({"own": 2.0}, "rate=1", columns=seconds)),
        result("c", point({"own": 3.0}, "rate=2", columns=ticks)),
    ]
    made = table(results, selection=TableSelection(metrics=("own",), point="rate=2"))
    assert [(one.unit, one.direction) for one in made.metrics] == [("ticks", "higher")]
    assert [row.metrics["own"].median for row in made.rows] == [3.0]
    assert made.notices == ()


def test_files_that_do_not_agree_about_a_direction_have_none() -> None:
    results = [
        result("a", point({"own": 1.0}, columns=own("s", "lower"))),
        result("b", point({"own": 1.0}, columns=own("s", "higher"))),
    ]
    assert [column.direction for column in table(results).metrics] == [None]


def test_different_tools_are_pointed_out() -> None:
    results = [
        result("a", point({"ttft_p99": 1.0}), tool="vllm"),
        result("b", point({"ttft_p99": 1.0}), tool="guidellm"),
    ]
    assert [notice.facts for notice in table(results).notices] == [{"tools": ["guidellm", "vllm"]}]


def test_many_verdicts_say_how_many_chance_makes() -> None:
    results = [one for release in range(41) for one in repeats(str(release), FOUR)]
    assert table(results, "0").notices[-1].facts == {"count": 40, "expected": 2}


def test_numbers_that_are_not_finite_are_no_values() -> None:
    made = table(repeats("a", [float("nan"), float("inf"), 1.0]))
    assert made.rows[0].metrics["ttft_p99"].values == (1.0,)


def test_a_row_without_one_of_the_two_metrics_is_on_no_front() -> None:
    results = [
        result("a", point({"ttft_p99": 1.0, "output_throughput": 1.0})),
        result("b", point({"ttft_p99": 0.5})),
    ]
    assert [row.pareto for row in table(results).rows] == [True, None]


def test_the_front_may_be_of_metrics_that_are_no_columns() -> None:
    results = [
        result(name, point({"ttft_p99": 1.0, "output_throughput": rate, "completed": 1.0}))
        for name, rate in (("a", 1.0), ("b", 2.0))
    ]
    chosen = TableSelection(metrics=("completed",), pareto=("ttft_p99", "output_throughput"))
    assert [row.pareto for row in table(results, selection=chosen).rows] == [False, True]


def test_a_front_needs_two_directions() -> None:
    results = [result("a", point({"ttft_p99": 1.0, "completed": 1.0}))]
    chosen = TableSelection(pareto=("ttft_p99", "completed"))
    assert [row.pareto for row in table(results, selection=chosen).rows] == [None]
