"""What worker processes do while a definition is being written.

Functions here take and return values that can be pickled, and import nothing but rules, so that a
worker stays small.
"""

from pydantic import JsonValue

from benchmark_manager.domain.edits import EditableText, SettableValue
from benchmark_manager.domain.sweeps.definition import WHOLE
from benchmark_manager.domain.sweeps.yaml_values import read_yaml
from benchmark_manager.models.original import FileFormat


def value_of_yaml(text: str) -> JsonValue:
    """Return the value of the YAML of a definition.

    Raises:
        InvalidInputError
    """
    return read_yaml(text, WHOLE)


def value_at_path(text: str, file_format: FileFormat, path: str) -> tuple[JsonValue] | None:
    """Return the value at a path of a text, as a one-tuple; None where JSON has no such value.

    Raises:
        EditError: there is no such value, or the text cannot be edited.
    """
    return EditableText.read(text, file_format).json_at(path)


def settable_on_lines(
    text: str, file_format: FileFormat, first: int, last: int
) -> list[SettableValue]:
    """Return the values that can be set and begin on these lines.

    Raises:
        EditError: the text cannot be edited.
    """
    values = EditableText.read(text, file_format).paths()
    return [value for value in values if first <= value.line <= last]
