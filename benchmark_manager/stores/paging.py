"""Cursors: where a list goes on, by the values that it is sorted by."""

import base64
import binascii
import json
from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any, Final

from bson import ObjectId
from bson.errors import InvalidId

from benchmark_manager.errors import InvalidInputError

_ID: Final = "_id"


def encode_cursor(document: Mapping[str, Any], fields: Sequence[str]) -> str:
    """An opaque text which names the document's place in a list sorted by `fields`."""
    values = [_plain(document[field]) for field in fields]
    return base64.urlsafe_b64encode(json.dumps(values).encode()).decode().rstrip("=")


def _plain(value: object) -> object:
    if isinstance(value, datetime):
        return {"at": value.isoformat()}
    return str(value) if isinstance(value, ObjectId) else value


def after(cursor: str | None, fields: Sequence[str], direction: int = 1) -> dict[str, Any]:
    """A filter for what comes behind `cursor` in a list sorted by two `fields`, the last being `_id`.

    Raises:
        InvalidInputError: `invalid_cursor`.
    """
    if cursor is None:
        return {}
    first, last = _decode(cursor)
    beyond = "$gt" if direction == 1 else "$lt"
    return {"$or": [{fields[0]: {beyond: first}}, {fields[0]: first, _ID: {beyond: last}}]}


def _decode(cursor: str) -> tuple[str | datetime, ObjectId]:
    try:
        values = json.loads(base64.urlsafe_b64decode(cursor + "=" * (-len(cursor) % 4)))
        first, last = values
        if isinstance(first, dict):
            first = datetime.fromisoformat(first["at"])
        return first if isinstance(first, datetime) else str(first), ObjectId(last)
    except (ValueError, TypeError, KeyError, InvalidId, binascii.Error, RecursionError):
        raise InvalidInputError(
            "invalid_cursor", "cursor is not one which this list gave; start again without it.", field="cursor"
        ) from None
