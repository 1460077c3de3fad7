"""Describe violations of a JSON Schema: path, code, and a sentence without the whole value."""

from collections.abc import Iterator
from itertools import islice
from typing import Final

from jsonschema_rs import ValidationError, ValidationErrorKind, Validator

from benchmark_manager.domain.validation.findings import MAX_PROBLEMS, excerpt
from benchmark_manager.domain.validation.texts.yaml_values import Path, Value
from benchmark_manager.domain.validation.value_findings import Violation
from benchmark_manager.domain.validation.values import shown

#: Keeps jsonschema-rs from writing the whole value into each of its messages, which are not used.
MASK: Final = "the value"

_OPTIONS_SHOWN: Final = 8
#: The library makes all errors before it returns the first; a hundred thousand take seconds.
_MAX_IN_FULL: Final = 5_000
_NAMES: Final = {
    "string": "text",
    "integer": "a whole number",
    "number": "a number",
    "boolean": "true or false",
    "array": "a list",
    "object": "a mapping",
    "null": "null",
}
_TYPES: Final[dict[type[object], str]] = {
    str: "string",
    int: "integer",
    float: "number",
    bool: "boolean",
    list: "array",
    dict: "object",
    type(None): "null",
}
#: Keywords whose value is a schema or a list of schemas, which a sentence cannot quote.
_FORMS: Final = frozenset({"anyOf", "oneOf", "not", "if", "then", "else", "contains"})


def violations(
    validator: Validator, value: Value, size: int, *, in_full: bool = True
) -> list[Violation]:
    """Return what a schema refuses in a value of `size` values: at most `MAX_PROBLEMS`.

    Only the first one is returned for over 5,000 values, or if not `in_full`.
    """
    if validator.is_valid(value):
        return []
    errors = (
        validator.iter_errors(value)
        if in_full and size <= _MAX_IN_FULL
        else _first(validator, value)
    )
    # A schema that refers to the same part twice reports everything twice.
    return list(
        dict.fromkeys(
            islice((found for error in errors for found in _explain(error)), MAX_PROBLEMS)
        )
    )


def _first(validator: Validator, value: Value) -> Iterator[ValidationError]:
    try:
        validator.validate(value)
    except ValidationError as error:
        yield error


def _explain(error: ValidationError) -> Iterator[Violation]:
    """Yield the violations that an error stands for: one for each field that must not be there."""
    path: Path = tuple(error.instance_path)
    kind = error.kind
    if isinstance(
        kind, (ValidationErrorKind.AdditionalProperties, ValidationErrorKind.UnevaluatedProperties)
    ):
        for name in kind.unexpected:
            yield (*path, name), "unknown_field", f"{_subject(path)} has no field {excerpt(name)}."
    elif isinstance(kind, ValidationErrorKind.Required):
        yield path, "missing_field", f"{_subject(path)} lacks the field {excerpt(kind.property)}."
    elif isinstance(kind, ValidationErrorKind.Type):
        wanted, found = " or ".join(_wanted(kind.types)), _name_of(error.instance)
        yield path, "wrong_type", f"{_subject(path)} must be {wanted}, not {found}."
    else:
        yield path, "wrong_value", f"{_subject(path)} {_rule(kind.name, kind.value)}."


def _subject(path: Path) -> str:
    return shown(path) or "The document"


def _wanted(types: list[str]) -> list[str]:
    # Null is left out: it does not help people who meant to write a value.
    return [_NAMES.get(name, name) for name in types if name != "null" or len(types) == 1]


def _name_of(value: Value) -> str:
    name = _NAMES[_TYPES.get(type(value), "null")]
    if isinstance(value, bool):
        return f"{value}".lower()
    return f"{name} ({excerpt(str(value))})" if isinstance(value, (str, int, float)) else name


def _rule(keyword: str, value: Value) -> str:
    if keyword == "enum" and isinstance(value, list):
        options = ", ".join(excerpt(str(option)) for option in value[:_OPTIONS_SHOWN])
        return f"must be one of {options}{', …' if len(value) > _OPTIONS_SHOWN else ''}"
    if keyword in _FORMS or isinstance(value, (dict, list)):
        return "has none of the forms that the schema allows here"
    return f"breaks the rule {keyword}: {excerpt(str(value))}"
