"""Whatever is in a file, it is kept, and what cannot be read is said."""

import json
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from benchmark_manager.domain.results.parsing.collector import MOST_METRICS, MOST_POINTS, names_in
from benchmark_manager.domain.results.parsing.parse import parse_result
from benchmark_manager.models.result import ParsedResult
from support.result_files import NAMES, codes_of, file_bytes, values_of

_JSON_NAMES = [name for name in NAMES if file_bytes(name).lstrip()[:1] == b"{"]


def plain(**metrics: Any) -> bytes:
    return json.dumps({"metrics": metrics}).encode()


def parsed(data: bytes, name: str = "x.json") -> ParsedResult:
    return parse_result(data, name)


@pytest.mark.parametrize(
    "data",
    [
        b"a log, line by line",
        b"\x00\x01\x02\xff\xfe",
        b"{}",
        b"[]",
        b"[[[]]]",
        b'{"results": {}}',
        b'{"metrics": {}}',
        b'{"metrics": {"a": "b"}}',
        b'{"metrics": [1, 2]}',
        b'"text"',
        b"12",
        b"null",
    ],
)
def test_an_unknown_form_is_no_problem(data: bytes) -> None:
    assert parsed(data) == ParsedResult()


@pytest.mark.parametrize(
    ("data", "code"),
    [
        pytest.param(b"", "empty_file", id="empty"),
        pytest.param(b" \n\t ", "empty_file", id="blank"),
        pytest.param(b"\xef\xbb\xbf", "empty_file", id="only a mark"),
        pytest.param(b'{"metrics": {"a": 1}', "cut_file", id="cut object"),
        pytest.param(b'{"metrics": {"a": "1', "cut_file", id="cut text"),
        pytest.param(b'{"metrics": }', "not_json", id="no value"),
        pytest.param(b"{'metrics': 1}", "not_json", id="single quotes"),
        pytest.param(b'{"metrics": {"a": \xff}}', "not_text", id="not UTF-8"),
        pytest.param(b"\xff\xfe{\x00\x00", "not_text", id="not UTF-16"),
        pytest.param(b"[" * 50_000 + b"]" * 50_000, "too_complex", id="nested"),
        pytest.param(b"[" * 3_000_000, "too_complex", id="opened"),
        pytest.param(b"[" + b"[]," * 1_100_000 + b"[]]", "too_complex", id="many lists"),
    ],
)
def test_a_broken_file_is_a_problem(data: bytes, code: str) -> None:
    assert codes_of(parsed(data)) == [code]


@pytest.mark.parametrize("data", [b"metrics: [", b"a: 1\na: 2\n"])
def test_broken_yaml_is_a_problem(data: bytes) -> None:
    assert codes_of(parsed(data, "x.yaml")) == ["not_json"]


@pytest.mark.parametrize(
    ("text", "values"),
    [
        pytest.param("x: &v 5.5\nmetrics: {a: *v, b: 6}", {"a": 5.5, "b": 6}, id="number"),
        pytest.param("&k a: 1\nmetrics: {*k : 5, b: 6}", {"a": 5, "b": 6}, id="key"),
        pytest.param("x: &v 5\ny: &v 7\nmetrics: {a: *v}", {"a": 7}, id="defined again"),
        pytest.param(
            "u: &u s\nmetrics: {ttft_p99: {value: 1, unit: *u}}", {"ttft_p99": 1000}, id="text"
        ),
        pytest.param(
            "metrics: {ttft_p50: {value: 1, unit: &u s}, ttft_p99: {value: 2, unit: *u}}",
            {"ttft_p50": 1000, "ttft_p99": 2000},
            id="where it is defined",
        ),
    ],
)
def test_aliases_of_single_values_are_read(text: str, values: dict[str, float]) -> None:
    found = parsed(text.encode(), "x.yaml")
    assert (values_of(found), codes_of(found)) == (values, [])


_BASE = "base: &base {c: 1}\n"


@pytest.mark.parametrize(
    ("text", "named"),
    [
        pytest.param(_BASE + "metrics: {<<: *base, b: 6}", "<<", id="merge key"),
        pytest.param("metrics: {<<: {c: 1}, b: 6}", "<<", id="merge key without alias"),
        pytest.param(_BASE + "metrics: {a: *base, b: 6}", "a", id="object"),
        pytest.param("x: &v 5\ny: &v [7]\nmetrics: {a: *v, b: 6}", "a", id="defined again"),
    ],
)
def test_an_alias_of_more_than_a_value_is_a_problem_that_names_its_key(
    text: str, named: str
) -> None:
    found = parsed(text.encode(), "x.yaml")
    assert (values_of(found), codes_of(found)) == ({"b": 6}, ["alias_not_read"])
    assert names_in(found.problems[0]) == named


def test_aliases_are_a_problem_whatever_the_name_of_the_file() -> None:
    found = parsed((_BASE + "metrics: {<<: *base, b: 6}").encode(), "x.txt")
    assert codes_of(found) == ["alias_not_read"]


def test_a_key_of_yaml_that_is_a_list_is_a_problem() -> None:
    found = parsed(b"metrics: {? [a] : 5, b: 6}", "x.yaml")
    assert (values_of(found), codes_of(found)) == ({"b": 6}, ["other_format"])


@pytest.mark.parametrize("percentage", ["x", "-1", "99.12345", ""])
def test_a_percentile_of_vllm_that_is_none_is_a_problem(percentage: str) -> None:
    value = {"avg_latency": 1, "percentiles": {"50": 2, percentage: 3}}
    found = parsed(json.dumps(value).encode())
    assert values_of(found) == {"e2el_mean": 1000, "e2el_p50": 2000}
    assert [names_in(problem) for problem in found.problems] == [f"percentiles.{percentage}"]


def test_percentiles_of_vllm_in_another_form_are_a_problem() -> None:
    found = parsed(b'{"avg_latency": 1, "percentiles": [2, 3]}')
    assert (values_of(found), codes_of(found)) == ({"e2el_mean": 1000}, ["other_format"])


def test_a_latency_of_vllm_whose_percentile_is_none_is_a_problem() -> None:
    value = {"duration": 1, "completed": 1, "request_throughput": 1, "p999_ttft_ms": 3}
    found = parsed(json.dumps(value).encode())
    assert [names_in(problem) for problem in found.problems] == ["p999_ttft_ms"]


@pytest.mark.parametrize("encoding", ["utf-8-sig", "utf-16"])
def test_byte_order_marks_are_read(encoding: str) -> None:
    data = '{"metrics": {"정확도": 1}}'.encode(encoding)
    assert values_of(parsed(data)) == {"정확도": 1}


@pytest.mark.parametrize("number", ["NaN", "Infinity", "-Infinity", "1e999", "9" * 5000, '"inf"'])
def test_what_is_not_finite_is_left_out(number: str) -> None:
    found = parsed(f'{{"metrics": {{"a": {number}, "b": 2}}}}'.encode())
    assert (values_of(found), codes_of(found)) == ({"b": 2}, ["not_finite"])


def test_what_overflows_in_the_canonical_unit_is_left_out() -> None:
    found = parsed(plain(ttft_p99={"value": 1e308, "unit": "s"}, b=1))
    assert (values_of(found), codes_of(found)) == ({"b": 1}, ["not_finite"])


@pytest.mark.parametrize("value", ["text", [1], True, {"value": [1]}, {"value": False}])
def test_what_is_no_number_is_left_out(value: Any) -> None:
    found = parsed(plain(a=value, b=2))
    assert (values_of(found), codes_of(found)) == ({"b": 2}, ["not_a_number"])


def test_null_is_no_value() -> None:
    found = parsed(plain(a=None, b=2))
    assert (values_of(found), codes_of(found)) == ({"b": 2}, [])


@pytest.mark.parametrize("name", ["", " ", "a\nb", "a\x00", "a" * 201, "\ud800", "a\u202eb"])
def test_names_are_visible_and_short(name: str) -> None:
    found = parsed(plain(**{name: 1, "b": 2}))
    assert (values_of(found), codes_of(found)) == ({"b": 2}, ["name_not_allowed"])


def test_the_longest_name_is_read() -> None:
    assert values_of(parsed(plain(**{"a" * 200: 1}))) == {"a" * 200: 1}


def test_markup_in_names_is_text() -> None:
    assert "<b>$x.y" in values_of(parsed(plain(**{"<b>$x.y": 1})))


def test_a_problem_names_what_is_left_out_in_visible_characters() -> None:
    message = parsed(plain(**{"a\x1b[0m": 1, "b": 1})).problems[0].message
    assert message.isprintable()


def test_a_unit_that_cannot_be_converted_is_a_problem() -> None:
    found = parsed(plain(ttft_p99={"value": 1, "unit": "furlong"}, b=1))
    assert (values_of(found), codes_of(found)) == ({"b": 1}, ["unit_unknown"])


def test_names_that_stand_twice_are_a_problem() -> None:
    found = parsed(b'{"metrics": {"a": 1, "a": 2}}')
    assert (values_of(found), codes_of(found)) == ({"a": 2}, ["duplicate_key"])


def test_no_more_than_so_many_metrics_are_read() -> None:
    found = parsed(plain(**{f"m{number}": number for number in range(MOST_METRICS + 5)}))
    assert (len(values_of(found)), codes_of(found)) == (MOST_METRICS, ["too_many_metrics"])


def test_no_more_than_so_many_points_are_read() -> None:
    found = parsed(b'{"metrics": {"a": 1}}\n' * (MOST_POINTS + 5))
    assert (len(found.points), codes_of(found)) == (MOST_POINTS, ["too_many_points"])


def test_whole_lines_are_read_of_a_file_whose_last_line_is_cut() -> None:
    found = parsed(b'{"metrics": {"a": 1}}\n{"metrics": {"a"')
    assert (values_of(found), codes_of(found)) == ({"a": 1}, ["cut_file"])


def test_lines_of_another_form_are_left_out() -> None:
    found = parsed(b'{"metrics": {"a": 1}}\n{"other": 1}\n')
    assert (values_of(found), codes_of(found)) == ({"a": 1}, ["other_format"])


def test_a_file_of_another_form_than_said_has_no_metrics() -> None:
    found = parse_result(file_bytes("plain/metrics.json"), "x.json", "vllm")
    assert (found.tool, codes_of(found)) == ("vllm", ["no_metrics"])


def test_long_lists_beside_metrics_do_not_matter() -> None:
    data = json.dumps({"metrics": {"a": 1}, "samples": list(range(500_000))}).encode()
    assert values_of(parsed(data)) == {"a": 1}


def test_requests_in_detail_do_not_matter() -> None:
    serve = json.loads(file_bytes("vllm/serve-detailed.json"))
    texts = ['[{"a": "\\u00e9 \\" ]', "}}]]", "\\"] * 20_000
    serve |= {"generated_texts": texts, "itls": [[0.01] * 50] * 4_000, "errors": [""] * 60_000}
    found = parsed(json.dumps(serve).encode())
    assert values_of(found) == values_of(parsed(file_bytes("vllm/serve-detailed.json")))


def test_aliases_of_yaml_are_not_followed() -> None:
    data = b"a: &a [1, 2]\nmetrics: {x: *a, y: 2}\n"
    assert values_of(parsed(data, "x.yaml")) == {"y": 2}


@pytest.mark.parametrize("name", _JSON_NAMES)
def test_a_file_cut_anywhere_is_a_problem(name: str) -> None:
    data = file_bytes(name).rstrip()
    cuts = [data[: len(data) * part // 16] for part in range(1, 16)]
    assert [codes_of(parse_result(cut, name)) for cut in cuts] == [["cut_file"]] * 15


@given(data=st.binary(max_size=300), name=st.sampled_from(["x.json", "x.yaml", "x"]))
def test_any_bytes_are_read_without_an_error(data: bytes, name: str) -> None:
    assert parse_result(data, name).tool in ("unknown", "plain")


#: Values that stand where a tool has others.
_OTHER = st.one_of(
    st.none(),
    st.booleans(),
    st.floats(),
    st.integers(),
    st.text(max_size=8),
    st.sampled_from(
        ["[]", "{}", '[[1, {"mean": 2}]]', '{"mean": "x", "units": 3, "count": [], "value": {}}']
    ).map(json.loads),
)


def _positions(value: Any) -> list[tuple[Any, Any]]:
    """Return all containers in a value, with each of their keys."""
    positions: list[tuple[Any, Any]] = []
    left = [value]
    while left:
        each = left.pop()
        keys = list(each) if isinstance(each, dict) else list(range(len(each)))
        positions += [(each, key) for key in keys]
        left += [each[key] for key in keys if isinstance(each[key], (dict, list))]
    return positions


@pytest.mark.parametrize("name", [name for name in _JSON_NAMES if "appended" not in name])
@settings(max_examples=25)
@given(data=st.data())
def test_anything_may_stand_anywhere(name: str, data: st.DataObject) -> None:
    value = json.loads(file_bytes(name))
    for _ in range(3):
        positions = _positions(value)
        container, key = positions[data.draw(st.integers(0, len(positions) - 1))]
        container[key] = data.draw(_OTHER)
    found = parse_result(json.dumps(value).encode(), name)
    assert found.model_validate_json(found.model_dump_json()) == found
