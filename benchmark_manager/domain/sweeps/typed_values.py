"""Values and combinations as people type them into a form: JSON, and texts without quotes.

Values are separated by commas or line ends; what is no JSON is a text, so that `auto, fp8` are two.
Reading stops where there are more than a definition may have, since each try to read JSON that
fails takes as long as going through the text before it.
What begins as a list, an object or a quoted text of JSON does has to be one.
"""

import json
import re
from collections.abc import Mapping, Sequence
from typing import Final

from pydantic import JsonValue

from benchmark_manager.domain.sweeps.limits import MOST_AXES, MOST_VALUES
from benchmark_manager.domain.text.strict_json import refuse_constant, unique_members
from benchmark_manager.models.sweep import Assignments

#: Stands in a list of a point's values where the point does not set the target.
UNSET: Final = "-"
_BLANKS: Final = " \t\r"
_SEPARATORS: Final = ",\n"
_SEPARATOR: Final = re.compile("[,\n]")
#: Begin JSON that may contain separators, so that a text cannot begin with them.
_OPENING: Final = frozenset('[{"')


class TypedError(Exception):
    """A line of a typed text cannot be read; `line` counts from 1."""

    def __init__(self, line: int) -> None:
        super().__init__(line)
        self.line = line


_DECODER: Final = json.JSONDecoder(object_pairs_hook=unique_members, parse_constant=refuse_constant)


def read_values(text: str) -> list[JsonValue]:
    """Return the values of a text; separators without a value between them count once.

    Raises:
        TypedError: a value begins as JSON does that has an end, and has none.

    >>> read_values('128, 1e3, fp8, "a, b", [1, 2]')
    [128, 1000.0, 'fp8', 'a, b', [1, 2]]
    """
    typed = _Typed(text)
    values: list[JsonValue] = []
    while not typed.at_end and len(values) <= MOST_VALUES:
        if not typed.skip(_SEPARATORS):
            values.append(typed.value())
    return values


def count_values(text: str) -> int:
    """Return the number of values of a text; 0 if it cannot be read."""
    try:
        return len(read_values(text))
    except TypedError:
        return 0


def read_values_of_points(text: str) -> list[tuple[JsonValue] | None]:
    """Return each point's value, as a one-tuple, or None where `-` says that it sets none.

    Raises:
        TypedError: as `read_values`.
    """
    typed = _Typed(text)
    values: list[tuple[JsonValue] | None] = []
    while not typed.at_end and len(values) <= MOST_VALUES:
        if not typed.skip(_SEPARATORS):
            is_quoted = typed.text.startswith('"', typed.at)
            value = typed.value()
            values.append(None if value == UNSET and not is_quoted else (value,))
    return values


def written_values(values: Sequence[JsonValue]) -> str:
    """Return a text that `read_values` reads as these values.

    >>> written_values([128, True, "fp8", "128", "a, b"])
    '128, true, fp8, "128", "a, b"'
    """
    return ", ".join(map(written_value, values))


def written_value(value: JsonValue) -> str:
    """Return a value as one of a list."""
    if isinstance(value, str) and value != UNSET and _is_bare(value):
        return value
    return json.dumps(value, ensure_ascii=False)


def read_combinations(text: str) -> list[Assignments]:
    """Return the combinations of a text: one a line, such as `seqs=512, tp=tp1`.

    A name that has `=`, a comma or quotes is in quotes.

    Raises:
        TypedError: a line is no combination.
    """
    typed = _Typed(text)
    combinations: list[Assignments] = []
    while not typed.at_end and len(combinations) <= MOST_VALUES:
        if not typed.skip("\n"):
            combinations.append(_combination(typed))
    return combinations


def written_combinations(combinations: Sequence[Mapping[str, JsonValue]]) -> str:
    """Return a text that `read_combinations` reads as these."""
    lines = (
        ", ".join(f"{_written_name(name)}={written_value(value)}" for name, value in each.items())
        for each in combinations
    )
    return "\n".join(lines)


def _combination(typed: "_Typed") -> Assignments:
    start = typed.at
    found: Assignments = {}
    while True:
        name = typed.name()
        if name is None or name in found or len(found) == MOST_AXES:
            raise typed.refused(start)
        found[name] = typed.value()
        if not typed.skip(","):
            return found


def _written_name(name: str) -> str:
    is_bare = name == name.strip() and name and not set('=,"\n\r') & set(name)
    return name if is_bare else json.dumps(name, ensure_ascii=False)


def _is_bare(text: str) -> bool:
    if text[:1] in _OPENING or "\r" in text:
        return False
    return read_values(text) == [text]


class _Typed:
    """A typed text, and how far it was read."""

    def __init__(self, text: str) -> None:
        self.text = text
        self.at = 0
        self._skip_blanks()

    @property
    def at_end(self) -> bool:
        return self.at >= len(self.text)

    def refused(self, at: int) -> TypedError:
        """Return the error of what begins at a character."""
        return TypedError(self.text.count("\n", 0, at) + 1)

    def skip(self, separators: str) -> bool:
        """Go behind a separator, if one is next."""
        if self.at_end or self.text[self.at] not in separators:
            return False
        self.at += 1
        self._skip_blanks()
        return True

    def value(self) -> JsonValue:
        """Return what is before the next separator: JSON, which may contain some, or a text.

        Raises:
            TypedError
        """
        start = self.at
        try:
            value, self.at = _DECODER.raw_decode(self.text, start)
            self._skip_blanks()
            if self.at_end or self.text[self.at] in _SEPARATORS:
                found: JsonValue = value
                return found
        except (ValueError, RecursionError):
            pass
        if self.text[start : start + 1] in _OPENING:
            raise self.refused(start)
        separator = _SEPARATOR.search(self.text, start)
        self.at = len(self.text) if separator is None else separator.start()
        return self.text[start : self.at].strip(_BLANKS)

    def name(self) -> str | None:
        """Return the name before the next `=`; None if the line has none."""
        start = self.at
        if self.text.startswith('"', start):
            try:
                name, end = _DECODER.raw_decode(self.text, start)
            except ValueError:
                return None
        else:
            end = self.text.find("=", start)
            name = self.text[start:end].strip(_BLANKS)
            if set(',"\n') & set(name):
                return None
        self.at = end
        self._skip_blanks()
        if end < 0 or not name or not self.text.startswith("=", self.at):
            return None
        self.at += 1
        self._skip_blanks()
        return str(name)

    def _skip_blanks(self) -> None:
        while self.at < len(self.text) and self.text[self.at] in _BLANKS:
            self.at += 1
