"""When two values of an axis are the same.

They are if they are the same JSON of the same type. `1`, `1.0`, `true` and `"1"` are four values,
because each makes other bytes in a file. `1e3` and `1000.0` are one, and the order of an object's
members does not count: where it makes other bytes, the cells' digests differ.
"""

import json
from collections.abc import Mapping
from typing import Final

from pydantic import JsonValue

_ENCODER: Final = json.JSONEncoder(
    ensure_ascii=False, sort_keys=True, separators=(",", ":"), allow_nan=False
)


def value_key(value: JsonValue) -> str:
    """Return a text that two values share exactly when they are the same."""
    return _ENCODER.encode(value)


def assignments_key(assignments: Mapping[str, JsonValue]) -> str:
    """Return a text that two combinations share exactly when they assign the same values.

    The order of the axes does not count.

    >>> assignments_key({"tp": "tp1", "seqs": 128}) == assignments_key({"seqs": 128, "tp": "tp1"})
    True
    >>> assignments_key({"seqs": 128}) == assignments_key({"seqs": 128.0})
    False
    """
    return value_key(dict(assignments))
