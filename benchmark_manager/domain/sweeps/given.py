"""Values of a definition as they were given, each with the name of its field.

A field's name says where a value stands: `axes[1].points[0].set`.
"""

import math
import re
from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass
from typing import Final

from pydantic import JsonValue

from benchmark_manager.domain.fields import LONGEST_NAME
from benchmark_manager.domain.sweeps.limits import (
    DEEPEST_DEFINITION,
    LONGEST_DEFINITION,
    MOST_BITS,
)
from benchmark_manager.domain.text.characters import holds_control, shown
from benchmark_manager.errors import InvalidInputError

#: What a value counts beside its text.
_VALUE_SIZE: Final = 4
_SURROGATE: Final = re.compile("[\ud800-\udfff]")


@dataclass(frozen=True, slots=True)
class GivenValue:
    """A value, and the name of its field."""

    value: JsonValue
    field: str

    def members(self) -> "dict[str, GivenValue]":
        """Return an object's members."""
        if not isinstance(self.value, dict):
            raise InvalidInputError("invalid_request", "object_expected", field=self.field)
        return {
            name: GivenValue(value, f"{self.field}.{shown(name)}".removeprefix("."))
            for name, value in self.value.items()
        }

    def fields(
        self, required: Collection[str], optional: Collection[str] = ()
    ) -> "Mapping[str, GivenValue]":
        """Return the members of an object whose fields are known; null counts as no field."""
        members = self.members()
        known = (*required, *optional)
        unknown = next((member for name, member in members.items() if name not in known), None)
        if unknown is not None:
            raise InvalidInputError(
                "invalid_request", "unknown_field", field=unknown.field, names=known
            )
        given = {name: member for name, member in members.items() if member.value is not None}
        missing = next((name for name in required if name not in given), None)
        if missing is not None:
            field = f"{self.field}.{missing}".removeprefix(".")
            raise InvalidInputError("invalid_request", "field_missing", field=field)
        return given

    def items(self, most: int, *, fewest: int = 0) -> "list[GivenValue]":
        """Return a list's items."""
        if not isinstance(self.value, list):
            raise InvalidInputError("invalid_request", "list_expected", field=self.field)
        check_length(self.value, self.field, most, fewest=fewest)
        return [
            GivenValue(item, f"{self.field}[{number}]") for number, item in enumerate(self.value)
        ]

    def text(self, longest: int) -> str:
        """Return a text."""
        if not isinstance(self.value, str):
            raise InvalidInputError("invalid_request", "text_expected", field=self.field)
        if len(self.value) > longest:
            raise InvalidInputError(
                "invalid_request", "text_too_long", field=self.field, limit=longest
            )
        if _SURROGATE.search(self.value) is not None:
            raise InvalidInputError("invalid_request", "not_json", field=self.field)
        return self.value

    def name(self) -> str:
        """Return a name: one line that is not blank."""
        if (
            not isinstance(self.value, str)
            or not is_line(self.value, LONGEST_NAME)
            or _SURROGATE.search(self.value) is not None
        ):
            raise InvalidInputError(
                "invalid_request", "line_expected", field=self.field, limit=LONGEST_NAME
            )
        return self.value

    def word(self, words: Collection[str]) -> str:
        """Return one of these words."""
        if not isinstance(self.value, str) or self.value not in words:
            raise InvalidInputError(
                "invalid_request", "word_expected", field=self.field, names=tuple(words)
            )
        return self.value

    def whole_number(self, highest: int) -> int:
        """Return a whole number from 1 on."""
        if (
            not isinstance(self.value, int)
            or isinstance(self.value, bool)
            or not 1 <= self.value <= highest
        ):
            raise InvalidInputError(
                "invalid_request", "whole_number_expected", field=self.field, limit=highest
            )
        return self.value

    def json(self) -> JsonValue:
        """Return any value that every reader of JSON can read."""
        if not is_json(self.value):
            raise InvalidInputError("invalid_request", "not_json", field=self.field)
        return self.value


def check_length(items: Collection[object], field: str, most: int, *, fewest: int = 0) -> None:
    """Accept a list or an object with so many entries."""
    if len(items) < fewest:
        raise InvalidInputError("invalid_request", "empty", field=field)
    if len(items) > most:
        raise InvalidInputError("invalid_request", "too_many_entries", field=field, limit=most)


def check_size(value: JsonValue, field: str) -> None:
    """Accept a value that is neither too large nor nested too deep, without recursion."""
    size = 0
    open_values = [(value, 1)]
    while open_values:
        part, depth = open_values.pop()
        size += _VALUE_SIZE + (len(part) if isinstance(part, str) else 0)
        inner: list[JsonValue] = []
        if isinstance(part, dict):
            size += sum(map(len, part))
            inner = list(part.values())
        elif isinstance(part, list):
            inner = part
        if size > LONGEST_DEFINITION:
            raise InvalidInputError(
                "invalid_request", "too_large", field=field, limit=LONGEST_DEFINITION
            )
        if inner and depth > DEEPEST_DEFINITION:
            raise InvalidInputError(
                "invalid_request", "too_deep", field=field, limit=DEEPEST_DEFINITION
            )
        open_values.extend((entry, depth + 1) for entry in inner)


def is_json(value: JsonValue) -> bool:
    """Return whether every reader of JSON can read a value."""
    return all(map(_is_readable, _parts(value)))


def is_line(text: str, longest: int) -> bool:
    """Return whether a text is one line that is not blank."""
    return bool(text.strip()) and len(text) <= longest and not holds_control(text)


def _parts(value: JsonValue) -> Iterator[JsonValue]:
    """Yield every value inside a value, itself included, and the names of members."""
    open_values: list[JsonValue] = [value]
    while open_values:
        part = open_values.pop()
        yield part
        if isinstance(part, dict):
            open_values.extend(part)
            open_values.extend(part.values())
        elif isinstance(part, list):
            open_values.extend(part)


def _is_readable(part: JsonValue) -> bool:
    if isinstance(part, str):
        return _SURROGATE.search(part) is None
    if isinstance(part, float):
        return math.isfinite(part)
    return not isinstance(part, int) or part.bit_length() <= MOST_BITS
