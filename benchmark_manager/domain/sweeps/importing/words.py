"""Words of command lines and lists as values."""

import json
import re
from typing import Final

from pydantic import JsonValue

_NUMBER: Final = re.compile(r"-?(?:0|[1-9][0-9]{0,300})(?:\.[0-9]{1,300})?(?:[eE][-+]?[0-9]{1,2})?")
_CONSTANTS: Final[dict[str, JsonValue]] = {"true": True, "false": False, "null": None}


def word_value(word: str) -> JsonValue:
    """Return the value of a word: a number, true, false, null, or else the text.

    >>> [word_value(word) for word in ("8", "1e-3", "true", "default")]
    [8, 0.001, True, 'default']
    """
    if word.lower() in _CONSTANTS:
        return _CONSTANTS[word.lower()]
    if _NUMBER.fullmatch(word):
        number: JsonValue = json.loads(word)
        return number
    return word
