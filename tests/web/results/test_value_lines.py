"""Values of a table's varied columns, short and still different."""

import pytest
from pydantic import JsonValue

from benchmark_manager.web.results.value_lines import ValueLines

LONG = "--kv-transfer-config=" + "x" * 60


@pytest.mark.parametrize(
    "values",
    [
        pytest.param([LONG + "a", LONG + "b"], id="end"),
        pytest.param([LONG + "a", LONG + "b", LONG + "ba", "short"], id="end of another"),
        pytest.param([LONG + "a" + LONG, LONG + "b" + LONG], id="middle"),
        pytest.param([{"a": LONG, "b": 1}, {"a": LONG, "b": "1"}], id="member"),
        pytest.param([1, "1", 1.0, True, "true", None, "null", ""], id="short"),
    ],
)
def test_different_values_have_different_short_lines(values: list[JsonValue]) -> None:
    lines = ValueLines(values, 40)
    shown = [lines.of(value) for value in values]
    assert len(set(shown)) == len(values)
    assert max(map(len, shown)) <= 40


def test_a_long_value_that_begins_like_no_other_begins_at_its_beginning() -> None:
    lines = ValueLines([LONG, "other" * 20], 40)
    assert lines.of(LONG).startswith('"--kv-transfer-config=x')
