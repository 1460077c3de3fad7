"""Values as JSON on one line, as lists of changes show them."""

import json
from collections.abc import Iterator
from typing import Final

from pydantic import JsonValue

#: Characters of a value in a line of a list.
_SHORT: Final = 40
_ENCODER: Final = json.JSONEncoder(ensure_ascii=False)


def json_line(value: JsonValue, most: int = _SHORT) -> str:
    """Return the beginning of a value as JSON on one line, at most `most` characters.

    What cannot be seen or turns its surroundings around is escaped. Of a large value, only what is
    shown is encoded.
    """
    begun = "".join(_beginning(value, most + 1))[: most + 1]
    line = "".join(
        character if character.isprintable() else _escaped(character) for character in begun
    )
    return shortened(line, most)


def _beginning(value: JsonValue, most: int) -> Iterator[str]:
    """Yield pieces of the value's JSON, at least `most` characters where it has so many."""
    if isinstance(value, str):
        # One character of the value is one or more of its JSON.
        yield json.dumps(value[:most], ensure_ascii=False)
        return
    left = most
    for piece in _ENCODER.iterencode(value):
        yield piece
        left -= len(piece)
        if left <= 0:
            return


def _escaped(character: str) -> str:
    return json.dumps(character)[1:-1]


def shortened(text: str, most: int = _SHORT) -> str:
    return text if len(text) <= most else f"{text[: most - 1]}…"
