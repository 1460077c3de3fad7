"""Whatever JSON is sent, it is read as a definition or refused at a field."""

from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from benchmark_manager.domain.sweeps.cells import planned_cells
from benchmark_manager.domain.sweeps.definition import definition_json, read_definition
from benchmark_manager.errors import InvalidInputError
from benchmark_manager.messages import detail, words
from benchmark_manager.models.sweep import SweepDefinition
from support.sweep_definitions import VALUES, definitions

ODD = VALUES | st.sampled_from(["\ud800", float("nan"), float("inf"), 10**400, "x" * 300, "a\nb"])


def replaced(value: Any, odd: Any, data: st.DataObject) -> Any:
    """The value with an odd one somewhere inside, or instead of it."""
    if isinstance(value, dict) and value and data.draw(st.booleans()):
        name = data.draw(st.sampled_from(sorted(value)))
        return {**value, name: replaced(value[name], odd, data)}
    if isinstance(value, list) and value and data.draw(st.booleans()):
        number = data.draw(st.integers(0, len(value) - 1))
        return [*value[:number], replaced(value[number], odd, data), *value[number + 1 :]]
    return odd


def refusal(value: Any) -> InvalidInputError | None:
    """What reading the value and planning its cells raises."""
    try:
        planned_cells(read_definition(value))
    except InvalidInputError as error:
        return error
    return None


@given(definitions(), ODD, st.data())
def test_an_odd_value_is_read_or_refused_at_its_field(
    definition: SweepDefinition, odd: Any, data: st.DataObject
) -> None:
    value = replaced(definition_json(definition), odd, data)
    error = refusal(value)
    if error is None:
        read = read_definition(value)
        assert read_definition(definition_json(read)) == read
    else:
        assert error.field or error.code == "too_many_cells"
        assert (detail(error) + words(error, "ko") + str(error.field)).encode()
