"""Values of YAML and JSON on one line, and what variants vary."""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Final

from pydantic import JsonValue

from benchmark_manager.domain.documents import ValueRow
from benchmark_manager.factory import Services
from benchmark_manager.models.modified_file import ModifiedFile

#: Characters of a value, and of a path, in a line of a list.
_SHORT: Final = 40
_SHORT_PATH: Final = 80
#: Keys that the line of a variant names.
_NAMED: Final = 3
#: Larger texts are compared on their own page only, bytes: a list is drawn at once or not at all.
_COMPARED_AT_MOST: Final = 64 * 1024


@dataclass(frozen=True, slots=True)
class VariedValue:
    """A key which a variant changes: the values on one line, None where there is nothing."""

    path: str
    before: str | None
    after: str | None


@dataclass(frozen=True, slots=True)
class VariedLine:
    """What a variant varies: its first keys, and how many there are besides."""

    keys: tuple[VariedValue, ...]
    more: int


def json_line(value: JsonValue) -> str:
    """A value as JSON on one line; what cannot be seen or turns its surroundings around is escaped."""
    return "".join(
        character if character.isprintable() else _escaped(character)
        for character in json.dumps(value, ensure_ascii=False)
    )


def _escaped(character: str) -> str:
    return json.dumps(character)[1:-1]


def shortened(text: str, most: int = _SHORT) -> str:
    return text if len(text) <= most else f"{text[: most - 1]}…"


async def varied_lines(services: Services, files: Sequence[ModifiedFile]) -> Mapping[str, VariedLine | None]:
    """By the id of each variant what it varies against its base; None where that is not told on one line."""
    found = await services.comparing.varied([file for file in files if file.size <= _COMPARED_AT_MOST])
    return {file.id: _line(found.get(file.id)) for file in files}


def _line(rows: Sequence[ValueRow] | None) -> VariedLine | None:
    if rows is None:
        return None
    return VariedLine(tuple(_varied(row) for row in rows[:_NAMED]), max(0, len(rows) - _NAMED))


def _varied(row: ValueRow) -> VariedValue:
    before, after = (None if value is None else shortened(json_line(value[0])) for value in row.values)
    return VariedValue(shortened(row.path, _SHORT_PATH), before, after)
