"""How results are written on pages: labels, numbers, orders of rows, and citations."""

from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import JsonValue
from starlette.datastructures import QueryParams

from benchmark_manager.models.result import Metric, ParsedResult, Result, ResultPoint
from benchmark_manager.models.result_table import MetricCell, ResultTable, TableRow, VariedColumn
from benchmark_manager.web.results.citation import Citation, Cited
from benchmark_manager.web.results.drawn_table import (
    DrawnResultTable,
    percentage,
    varied_alike,
)
from benchmark_manager.web.results.labels import label_lines, read_labels
from benchmark_manager.web.results.sorting import ordered
from benchmark_manager.web.results.table_query import TableQuery
from benchmark_manager.web.site.reader import Reader

READER = Reader("en", "auto")
DIGEST = f"sha256:{'ab' * 32}"
#: Texts without the characters that no label may have.
TEXTS = st.text(st.characters(exclude_categories=("Cc", "Cs", "Zl", "Zp")), max_size=20)


@given(st.dictionaries(TEXTS.filter(str.strip), TEXTS, max_size=5))
def test_labels_survive_the_form(labels: dict[str, str]) -> None:
    assert read_labels(label_lines(labels), READER).labels == labels


@given(st.text(max_size=60))
def test_any_text_is_labels_or_a_sentence(text: str) -> None:
    found = read_labels(text, READER)
    assert not (found.labels and found.error)


@pytest.mark.parametrize(
    ("text", "labels"),
    [
        ("gpu = H100\r\n\r\ndriver=570.86=x", {"gpu": "H100", "driver": "570.86=x"}),
        ('"a=b"=c', {"a=b": "c"}),
        ('"a', None),
        ("gpu", None),
        ("a=1\na=2", None),
        ("a=", {"a": ""}),
    ],
)
def test_a_label_is_a_line_with_its_name_and_value(
    text: str, labels: dict[str, str] | None
) -> None:
    found = read_labels(text, READER)
    assert (found.labels, bool(found.error)) == (labels or {}, labels is None)


@pytest.mark.parametrize(
    ("value", "text"),
    [(0.04, "0.0 %"), (-0.04, "0.0 %"), (3.25, "+3.2 %"), (-41.0, "-41.0 %"), (1e12, "+1e+12 %")],
)
def test_a_change_has_its_sign(value: float, text: str) -> None:
    assert percentage(value) == text


def row(index: int, varied: object, ttft: float | None) -> TableRow:
    cell = (
        None
        if ttft is None
        else MetricCell(median=ttft, quartiles=(ttft, ttft), iqr=0.0, n=1, values=(ttft,))
    )
    return TableRow(
        release=DIGEST,
        cell_index=index,
        results=("a",),
        point=f"rate={index}",
        labels={"gpus": str(10 - index)},
        varied={} if varied is None else {"seqs": varied},
        metrics={} if cell is None else {"ttft_p99": cell},
    )


TABLE = ResultTable(
    varied=(),
    environment=(),
    metrics=(),
    notices=(),
    rows=(
        row(0, 128, 30.0),
        row(1, "auto", None),
        row(2, 16, 10.0),
        row(10, None, 20.0),
        row(9, [1], 20.0),
    ),
)


def drawn_keys(address: str) -> tuple[list[str], int]:
    """Return the varied columns that a page shows of a file and nine keys, and how many more."""
    keys = [VariedColumn(file="a.yaml", path=f"k{index}", key=f"k{index}") for index in range(9)]
    columns = (VariedColumn(file="a.bin", path="", key="a.bin"), *keys)
    table = TABLE.model_copy(update={"varied": columns})
    drawn = DrawnResultTable.of(table, TableQuery.of(QueryParams(address)), "1")
    return [column.name for column in drawn.varied], drawn.folded


def test_a_page_begins_with_a_few_keys_that_were_varied() -> None:
    assert drawn_keys("") == (["k0", "k1", "k2", "k3", "k4", "k5"], 4)


@pytest.mark.parametrize(("labels", "shown"), [(1, 5), (2, 4), (8, 3)])
def test_labels_leave_room_for_fewer_keys(labels: int, shown: int) -> None:
    keys = [VariedColumn(file="a.yaml", path=f"k{index}", key=f"k{index}") for index in range(9)]
    names = tuple(f"label{index}" for index in range(labels))
    table = TABLE.model_copy(update={"varied": tuple(keys), "environment": names})
    drawn = DrawnResultTable.of(table, TableQuery.of(QueryParams("")), "1")
    assert len(drawn.varied) == shown


def test_a_page_shows_all_that_was_varied_when_asked_to() -> None:
    assert drawn_keys("varied=all") == (["a.bin", *(f"k{index}" for index in range(9))], 0)


COLUMNS = tuple(VariedColumn(file="a.yaml", path=key, key=key) for key in ("a", "b", "c", "d"))


def varied_rows(*values: dict[str, JsonValue]) -> list[TableRow]:
    return [
        row(index, None, None).model_copy(update={"varied": v}) for index, v in enumerate(values)
    ]


def test_columns_that_vary_as_an_earlier_one_are_alike() -> None:
    rows = varied_rows(
        {"a": 1, "b": "--a=1", "c": 1, "d": None},
        {"a": 2, "b": "--a=2", "c": 1},
        {"a": 1, "b": "--a=1", "c": "1", "d": None},
    )
    assert varied_alike(COLUMNS, rows) == {"b": "a", "d": "a"}


def test_columns_of_two_rows_are_not_alike() -> None:
    rows = varied_rows({"a": 1, "b": 1}, {"a": 2, "b": 2})
    assert varied_alike(COLUMNS, rows) == {}


@pytest.mark.parametrize(
    ("address", "shown"),
    [
        ("sweep=65f0", [("a", 1), ("c", 0)]),
        ("sweep=65f0&varied=all", [("a", 0), ("b", 0), ("c", 0)]),
        ("", [("a", 0), ("b", 0), ("c", 0)]),
    ],
    ids=["a sweep", "all settings", "releases"],
)
def test_a_page_of_a_sweep_shows_one_of_the_settings_that_vary_together(
    address: str, shown: list[tuple[str, int]]
) -> None:
    rows = varied_rows(
        {"a": 1, "b": 10, "c": 1}, {"a": 2, "b": 20, "c": 1}, {"a": 1, "b": 10, "c": 2}
    )
    table = TABLE.model_copy(update={"varied": COLUMNS[:3], "rows": tuple(rows)})
    drawn = DrawnResultTable.of(table, TableQuery.of(QueryParams(address)), "1")
    assert [(column.name, column.alike) for column in drawn.varied] == shown
    assert drawn.folded == 3 - len(shown)


@pytest.mark.parametrize(
    ("sort", "indices"),
    [
        ("", [0, 1, 2, 10, 9]),
        ("nothing", [0, 1, 2, 10, 9]),
        ("row", [0, 1, 2, 9, 10]),
        ("-row", [10, 9, 2, 1, 0]),
        ("varied.seqs", [2, 0, 1, 9, 10]),
        ("-varied.seqs", [9, 1, 0, 2, 10]),
        ("metric.ttft_p99", [2, 10, 9, 0, 1]),
        ("-metric.ttft_p99", [0, 10, 9, 2, 1]),
        ("point", [0, 1, 2, 9, 10]),
        ("label.gpus", [10, 9, 2, 1, 0]),
        ("label.nothing", [0, 1, 2, 10, 9]),
    ],
)
def test_rows_are_ordered_by_a_column_and_those_without_a_value_are_last(
    sort: str, indices: list[int]
) -> None:
    assert [each.cell_index for each in ordered(TABLE, sort)] == indices


@pytest.mark.parametrize(
    "address",
    [
        "?",
        "?sweep=65f0&metric=ttft_p99&metric=arc,none&baseline=3&point=rate%3D16&sort=-row",
        f"?releases={'ab' * 32},{'cd' * 32}&group=environment&equal=hide&from=100",
        "?axis=seqs&chart=ttft_p99&front=a&against=b",
    ],
)
def test_an_address_describes_the_whole_table(address: str) -> None:
    assert TableQuery.of(QueryParams(address[1:])).address() == address


def test_what_was_ticked_replaces_the_sweep() -> None:
    query = TableQuery.of(QueryParams(f"show=ticked&sweep=65f0&tick={'ab' * 32}&tick={'ab' * 32}"))
    assert query.address() == f"?releases={'ab' * 32}"


RESULT = Result(
    id="65f0c0ffee65f0c0ffee65f0",
    project_id="65f0c0ffee65f0c0ffee65f1",
    release=DIGEST,
    parsed=ParsedResult(
        tool="vllm",
        points=(ResultPoint(point="rate=1", metrics={"ttft_p99": Metric(value=12.5, unit="ms")}),),
    ),
    file_name="a|b\n<i>*.json",
    size=10,
    sha256="0" * 64,
    labels={"gpu": "H100"},
    created_at=datetime(2026, 1, 2, 3, 4, tzinfo=UTC),
    created_by="kim",
)
CITATION = Citation.of(
    RESULT,
    Cited("https://github.com/acme/bench", ["c" * 40], 3, "https://bm/ui/results/1", "pull it"),
)


@pytest.mark.parametrize(
    "said",
    [
        f"Release: {DIGEST}",
        "Get the files: pull it",
        f"Commit: {'c' * 40} and 2 more of https://github.com/acme/bench",
        "Uploaded: 2026-01-02 03:04 UTC by kim",
        "Environment: gpu=H100",
        "Metrics: rate=1: ttft_p99 12.5 ms",
        "Files on the machine: not verified",
    ],
)
def test_a_citation_says_what_was_measured_by_whom_and_when(said: str) -> None:
    assert said in CITATION.text.splitlines()


def test_a_citation_has_whole_numbers_without_a_point() -> None:
    points = (ResultPoint(metrics={"completed": Metric(value=48.0)}),)
    parsed = RESULT.parsed.model_copy(update={"points": points})
    result = RESULT.model_copy(update={"parsed": parsed})
    cited = Cited("https://github.com/acme/bench", [], 0, "https://bm/ui/results/1", "pull it")
    assert "Metrics: completed 48" in Citation.of(result, cited).text.splitlines()


@pytest.mark.parametrize(
    ("label", "written"),
    [
        ("@acme/team", "`@acme/team`"),
        ("by @a_b, @c", "by `@a_b`, `@c`"),
        ("@a@b", "`@a@b`"),
        ("*@a", r"\*`@a`"),
        ("see #12", "see `#12`"),
        ("acme/bench#12@a", "acme/bench`#12@a`"),
        ("kim@acme.org", "kim@acme.org"),
        ("#1_a", "`#1_a`"),
        ("# a", r"\# a"),
    ],
)
def test_a_citation_in_markdown_mentions_nobody_and_no_issue(label: str, written: str) -> None:
    result = RESULT.model_copy(update={"labels": {"note": label}})
    cited = Cited("https://github.com/acme/bench", [], 0, "https://bm/ui/results/1", "pull it")
    citation = Citation.of(result, cited)
    assert f"- Environment: note={written}" in citation.markdown.splitlines()
    assert f"Environment: note={label}" in citation.text.splitlines()


def test_names_are_no_marks_in_markdown() -> None:
    assert r"**[a\|b \<i\>\*.json](https://bm/ui/results/1)**" in CITATION.markdown
    assert r"| rate=1 | ttft\_p99 | 12.5 | ms |" in CITATION.markdown
