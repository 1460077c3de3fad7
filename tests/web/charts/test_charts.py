"""Charts of tables of results: what they say, and that everything is inside and bounded."""

import math
import re
from functools import cache

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from jinja2 import Template
from pydantic import JsonValue

from benchmark_manager.models.result_table import (
    MetricCell,
    MetricColumn,
    ResultTable,
    TableRow,
    VariedColumn,
)
from benchmark_manager.web.charts.from_table import Charts, axes_of, charts_of
from benchmark_manager.web.charts.layout import HEIGHT
from benchmark_manager.web.site.languages import LANGUAGES
from benchmark_manager.web.site.rendering import environment
from support.result_tables import LATENCY, SEQS, THROUGHPUT, TP, cell, row, sweep_table, table_of

#: Bytes of a chart.
MOST = 150_000
MACROS = {"metric": "metric_chart", "trade_off": "trade_off_chart", "heat_map": "heat_map"}
HOSTILE = '"><script>alert(1)</script>\u202e&amp;{{ 7*7 }}'


def target(of: TableRow) -> str:
    return f"/ui/releases/{of.release}"


def drawn(table: ResultTable, language: str = "en", **chosen: str) -> dict[str, str]:
    """Return the HTML of the charts of a table; "" for one that has nothing to show."""
    charts = charts_of(table, target, **chosen)  # type: ignore[arg-type]  # axis and metric only
    return {name: html(charts, name, language) for name in MACROS}


def html(charts: Charts, name: str, language: str = "en") -> str:
    chart = getattr(charts, name)
    if chart is None:
        return ""
    return template(MACROS[name], language).render(chart=chart)


@cache
def template(macro: str, language: str) -> Template:
    text = f'{{% from "charts/charts.html" import {macro} %}}{{{{ {macro}(chart) }}}}'
    return environment(language).from_string(text)


def words(markup: str) -> str:
    return " ".join(re.sub(r"<[^>]*>", " ", markup).split())


def numbers(markup: str, pattern: str) -> list[float]:
    return [float(found) for found in re.findall(pattern, markup)]


def test_the_summary_says_what_is_best_and_from_where_to_where() -> None:
    said = words(drawn(sweep_table())["metric"])
    assert (
        "Best: 40 ms with max_num_seqs=128, tensor_parallel_size=1. "
        "Medians from 40 ms to 117 ms. Baseline: 40 ms." in said
    )


def test_no_line_is_drawn_where_each_rate_has_a_baseline_of_its_own() -> None:
    """One of them would look like the baseline of all."""
    first, second, *others = sweep_table().rows
    baselines = [each.model_copy(update={"is_baseline": True}) for each in (first, second)]
    chart = charts_of(table_of([*baselines, *others]), target).metric
    assert chart
    assert chart.baseline is None


def test_a_release_with_several_rates_is_called_by_its_name() -> None:
    rows = [
        each.model_copy(
            update={"cell_index": None, "release": "sha256:" + "ab" * 32, "release_name": "night"}
        )
        for each in sweep_table().rows
    ]
    assert ">night</text>" in drawn(table_of(rows))["trade_off"]


def test_a_chart_says_which_values_are_better() -> None:
    assert "ttft_p99 (ms), lower is better" in words(drawn(sweep_table())["metric"])
    chosen = drawn(sweep_table(), metric=THROUGHPUT.name)["metric"]
    assert "output_throughput (tok/s), higher is better" in words(chosen)


def test_every_point_links_to_its_row_and_says_its_number() -> None:
    table = sweep_table()
    chart = drawn(table)["metric"].partition("<details")[0]
    links = re.findall(r'<a href="([^"]+)"><title>([^<]+)</title>', chart)
    assert {link for link, _ in links} == {target(each) for each in table.rows}
    assert dict(links)[target(table.rows[1])] == (
        "max_num_seqs=128, tensor_parallel_size=2: ttft_p99 47 ms (IQR 42.3 \N{EN DASH} 51.7, n=5)"
    )


def test_the_table_beside_a_chart_has_the_same_links() -> None:
    table = sweep_table()
    beside = drawn(table)["metric"].partition("<details")[2]
    assert set(re.findall(r'<a href="([^"]+)">', beside)) == {target(each) for each in table.rows}


def test_a_line_is_drawn_for_each_value_of_the_second_axis() -> None:
    chart = charts_of(sweep_table(), target).metric
    assert chart
    assert [one.name for one in chart.series] == [
        "tensor_parallel_size=1",
        "tensor_parallel_size=2",
        "tensor_parallel_size=4",
    ]
    assert chart.x.log


def test_lines_beyond_eight_are_one_in_grey_and_counted() -> None:
    chart = charts_of(sweep_table(sizes=list(range(1, 13))), target, x_axis=SEQS).metric
    assert chart
    assert (len(chart.series), chart.others) == (9, 4)


def test_the_best_lines_keep_their_styles() -> None:
    """The last one has the best value, and the first one is the baseline's."""
    table = sweep_table(sizes=list(range(1, 13)), latency=lambda index: 100.0 - index)
    chart = charts_of(table, target, x_axis=SEQS).metric
    assert chart
    names = {one.name for one in chart.series if one.style < 8}
    assert {"tensor_parallel_size=1", "tensor_parallel_size=12"} <= names


def test_an_axis_of_names_keeps_their_order() -> None:
    chart = charts_of(sweep_table(seqs=["auto", "fp8", True, None]), target, x_axis=SEQS).metric
    assert chart
    assert [tick.text for tick in chart.x.ticks] == ["auto", "fp8", "true", "null"]


def test_the_front_goes_in_steps_and_its_points_are_named() -> None:
    chart = charts_of(sweep_table(), target).trade_off
    assert chart
    assert chart.front_count == len(chart.best) == 3
    assert chart.front.startswith("M")
    assert chart.front.count("L") == 4
    assert chart.names[0] == "#0: max_num_seqs=128, tensor_parallel_size=1"


@pytest.mark.parametrize(
    ("one", "other", "corner"),
    [
        ("lower", "higher", "Better: to the upper left"),
        ("higher", "higher", "Better: to the upper right"),
        ("lower", "lower", "Better: to the lower left"),
        ("higher", "lower", "Better: to the lower right"),
    ],
)
def test_the_better_corner_is_said(one: str, other: str, corner: str) -> None:
    metrics = [
        LATENCY.model_copy(update={"direction": one}),
        THROUGHPUT.model_copy(update={"direction": other}),
    ]
    assert corner in words(drawn(table_of(sweep_table().rows, metrics))["trade_off"])


def test_a_trade_off_without_directions_says_so() -> None:
    rows = [each.model_copy(update={"pareto": None}) for each in sweep_table().rows]
    metrics = [column.model_copy(update={"direction": None}) for column in (LATENCY, THROUGHPUT)]
    said = words(drawn(table_of(rows, metrics))["trade_off"])
    assert "Which points are better is not known" in said
    assert "Better:" not in said


def test_a_heat_map_has_a_cell_for_each_combination() -> None:
    shown = charts_of(sweep_table(without=[5]), target).heat_map
    assert shown
    assert shown.columns == ("128", "256", "512", "1,024")
    assert [each.heading for each in shown.rows] == ["1", "2", "4"]
    assert shown.rows[2].cells[1] is None
    assert "1 combination has no result." in words(drawn(sweep_table(without=[5]))["heat_map"])


def test_a_heat_map_marks_the_best_and_the_baseline_with_words() -> None:
    said = words(drawn(sweep_table())["heat_map"])
    assert "40 best baseline" in said


def test_the_best_cell_has_the_strongest_shade() -> None:
    shown = charts_of(sweep_table(), target).heat_map
    assert shown
    shades = {cell.is_best: cell.shade for each in shown.rows for cell in each.cells if cell}
    assert shades[True] == 6
    assert min(cell.shade for each in shown.rows for cell in each.cells if cell) == 0


@pytest.mark.parametrize("axes", [1, 3])
def test_only_two_axes_make_a_heat_map(axes: int) -> None:
    names = ["a", "b", "c"][:axes]
    rows = [
        row(index, {name: index // 2**bit % 2 for bit, name in enumerate(names)}, one_metric())
        for index in range(8)
    ]
    assert charts_of(table_of(rows), target).heat_map is None


def one_metric(value: float = 5.0) -> dict[str, MetricCell]:
    return {LATENCY.name: cell(value)}


def test_axes_that_vary_together_are_one() -> None:
    rows = [row(index, {"a": index, "b": -index, "c": 7}, one_metric()) for index in range(3)]
    assert list(axes_of(table_of(rows))) == ["a"]


def test_keys_are_axes_before_whole_files() -> None:
    rows = [
        row(index, {}, one_metric()).model_copy(update={"varied": {"a.bin": digest, SEQS: seqs}})
        for index, (digest, seqs) in enumerate((("ab", 128), ("ab", 256), ("cd", 256)))
    ]
    columns = (
        VariedColumn(file="a.bin", path="", key="a.bin"),
        VariedColumn(file="b.yaml", path=SEQS, key=SEQS),
    )
    table = table_of(rows).model_copy(update={"varied": columns})
    assert list(axes_of(table)) == [SEQS, "a.bin"]


def test_a_whole_file_is_called_by_its_path() -> None:
    name = "config/vllm/llama-tp4.yaml"
    rows = [
        row(index, {}, one_metric()).model_copy(update={"varied": {SEQS: seqs, name: digest}})
        for index, (seqs, digest) in enumerate(((128, "7b0c"), (256, "11aa"), (128, "11aa")))
    ]
    columns = (
        VariedColumn(file="engine.yaml", path=SEQS, key=SEQS),
        VariedColumn(file=name, path="", key=name),
    )
    table = table_of(rows).model_copy(update={"varied": columns})
    text = str(drawn(table))
    assert f"{name}=7b0c" in text
    assert "yaml=7b0c" not in text.replace(name, "")


def test_rates_of_one_name_are_an_axis_of_numbers() -> None:
    rows = [row(0, {}, one_metric(), point=f"rate={rate}") for rate in (16, 4, 8)]
    assert axes_of(table_of(rows)) == {"rate": [16.0, 4.0, 8.0]}


def test_other_points_are_names() -> None:
    rows = [row(0, {}, one_metric(), point=point) for point in ("warm-up", "rate=4")]
    assert axes_of(table_of(rows)) == {"point": ["warm-up", "rate=4"]}


def test_environment_is_an_axis() -> None:
    rows = [row(0, {}, one_metric(), labels={"gpu": gpu}) for gpu in ("H100", ("A100", None))]
    assert axes_of(table_of(rows, environment=["gpu"])) == {"gpu": ["H100", "A100, \N{EN DASH}"]}


def test_rows_without_the_metric_are_left_out() -> None:
    rows = [row(0, {"a": 1}, one_metric()), row(1, {"a": 2}, {})]
    assert charts_of(table_of(rows), target).metric is not None
    assert drawn(table_of(rows))["trade_off"] == ""


@pytest.mark.parametrize("table", [table_of([]), table_of([row(0, {}, one_metric())])])
def test_nothing_to_compare_is_no_chart(table: ResultTable) -> None:
    assert drawn(table) == {"metric": "", "trade_off": "", "heat_map": ""}


def test_hostile_texts_are_escaped() -> None:
    name = MetricColumn(name=HOSTILE, unit=HOSTILE, direction="lower")
    rows = [
        row(
            index,
            {HOSTILE: HOSTILE * (1 + index % 2), TP: index // 2},
            {HOSTILE: cell(5 + index)},
            point=HOSTILE,
        )
        for index in range(6)
    ]
    table = table_of(rows, [name]).model_copy(update={"pareto": (HOSTILE, HOSTILE)})
    everything = "".join(drawn(table).values())
    assert "<script" not in everything
    assert "\u202e" not in everything
    assert "49" not in words(everything)


@pytest.mark.parametrize("language", LANGUAGES)
def test_charts_have_neither_styles_nor_scripts(language: str) -> None:
    everything = "".join(drawn(sweep_table(), language).values())
    assert re.findall(r"<style|<script|\sstyle=|\son\w+=", everything) == []


def test_charts_are_translated() -> None:
    said = words("".join(drawn(sweep_table(), "ko").values()))
    assert "낮을수록 좋음" in said
    assert "lower is better" not in said


VALUES = st.one_of(st.floats(allow_nan=True, allow_infinity=True), st.integers(-10, 10).map(float))
SETTINGS: st.SearchStrategy[JsonValue] = st.one_of(
    st.none(),
    st.booleans(),
    st.integers(),
    st.just(10**400),
    st.floats(),
    st.text(max_size=50),
    st.lists(st.integers(), max_size=3),
)


@st.composite
def tables(draw: st.DrawFn) -> ResultTable:
    rows = [
        row(
            index,
            {"a": draw(SETTINGS), "b": draw(SETTINGS)},
            {
                name: MetricCell(
                    median=draw(VALUES),
                    quartiles=(draw(VALUES), draw(VALUES)),
                    iqr=0,
                    n=2,
                    values=(),
                )
                for name in (LATENCY.name, THROUGHPUT.name)
            },
            pareto=draw(st.sampled_from([True, False, None])),
            is_baseline=index == 0,
        )
        for index in range(draw(st.integers(0, 8)))
    ]
    return table_of(rows)


@settings(max_examples=60)
@given(tables())
def test_whatever_was_measured_stays_inside(table: ResultTable) -> None:
    everything = "".join(drawn(table).values())
    assert re.findall(r'[" ,]-?(?:nan|inf)\b', everything, re.IGNORECASE) == []
    percents = numbers(everything, r'\bc?x="(-?[\d.e+-]+)%"')
    assert all(0 <= percent <= 100 for percent in percents)
    heights = numbers(everything, r'\bc?y[12]?="(-?[\d.e+-]+)"')
    assert all(0 <= height <= HEIGHT for height in heights)
    paths = " ".join(re.findall(r' d="(M[\d.]+ [^"]+)"', everything))
    across = [float(x) for x in re.findall(r"[ML](-?[\d.]+) ", paths)]
    assert all(0 <= x <= 1000 for x in across)


def large(rows: int, series: int) -> ResultTable:
    """Return a table with long, hostile names: half of their characters are escaped in HTML."""
    return table_of(
        [
            row(
                index,
                {SEQS: index // series, TP: f"{'&<' * 10}{index % series}", "c": "'\"" * 30},
                {
                    LATENCY.name: cell(10 + index % 97, 0.2),
                    THROUGHPUT.name: cell(1e6 / (1 + index), 0.1),
                },
                pareto=index % 9 == 0,
                is_baseline=index == 500,
            )
            for index in range(rows)
        ]
    )


@cache
def drawn_large(rows: int, series: int) -> dict[str, str]:
    return drawn(large(rows, series))


@pytest.mark.parametrize("chart", MACROS)
@pytest.mark.parametrize(
    ("rows", "series"), [(1000, 10), (1000, 1000), (5000, 40)], ids=["grid", "lines", "many"]
)
def test_a_chart_of_many_points_is_bounded(chart: str, rows: int, series: int) -> None:
    size = len(drawn_large(rows, series)[chart].encode())
    assert size < MOST, f"{size / 1000:.0f} kB"


def test_the_tab_key_passes_many_points_by() -> None:
    few, many = drawn(sweep_table()), drawn(large(200, 10))
    assert 'tabindex="-1"' not in few["metric"]
    assert 'tabindex="-1"' in many["metric"]


def test_points_that_are_not_drawn_are_counted() -> None:
    said = words(drawn_large(5000, 40)["metric"])
    assert "of 5,000 points are drawn, evenly chosen." in said


def test_infinite_measurements_are_left_out_and_counted() -> None:
    rows = [
        row(0, {"a": 1}, one_metric(math.inf)),
        row(1, {"a": 2}, one_metric()),
    ]
    assert "1 row lacks a value, and is not drawn." in words(drawn(table_of(rows))["metric"])


def test_releases_of_one_name_are_labelled_by_their_digests() -> None:
    rows = [
        each.model_copy(
            update={"cell_index": None, "release_name": "night", "release": f"sha256:{index:064}"}
        )
        for index, each in enumerate(sweep_table().rows)
    ]
    chart = charts_of(table_of(rows), target).trade_off
    assert chart
    assert {label.text for label in chart.labels} == {"0000000"}


def test_labels_of_the_front_are_beside_its_line() -> None:
    """The better corner is the upper left, so that the line is to the right of its points."""
    rows = [each.model_copy(update={"pareto": True}) for each in sweep_table().rows]
    chart = charts_of(table_of(rows), target).trade_off
    assert chart
    assert {label.anchor for label in chart.labels} <= {"end", "middle"}
