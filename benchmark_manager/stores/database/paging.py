"""Cursors: where a list goes on, by the values that it is sorted by."""

import base64
import binascii
import json
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from typing import Any, Final

from bson import ObjectId
from bson.errors import InvalidId

from benchmark_manager.errors import InvalidInputError

_ID: Final = "_id"


def encode_cursor(document: Mapping[str, Any], fields: Sequence[str]) -> str:
    """An opaque text which names the document's place in a list sorted by `fields`."""
    values = [_plain(document[field]) for field in fields]
    return (
        base64.urlsafe_b64encode(json.dumps(values, ensure_ascii=False).encode())
        .decode()
        .rstrip("=")
    )


def _plain(value: object) -> object:
    if isinstance(value, datetime):
        return {"at": value.isoformat()}
    return str(value) if isinstance(value, ObjectId) else value


def behind(
    match: dict[str, Any],
    cursor: str | None,
    fields: Sequence[str],
    direction: int = 1,
    kind: type[str] | type[datetime] = str,
) -> dict[str, Any]:
    """What matches and comes behind `cursor` in a list sorted by two `fields`, the first of `kind`, the last `_id`.

    Raises:
        InvalidInputError: `invalid_cursor`.
    """
    if cursor is None:
        return match
    first, last = _decode(cursor, kind)
    beyond = "$gt" if direction == 1 else "$lt"
    # The first condition is implied by the others, but it is the one that an index can begin at.
    place = {
        fields[0]: {f"{beyond}e": first},
        "$or": [{fields[0]: {beyond: first}}, {_ID: {beyond: last}}],
    }
    return {"$and": [match, place]}


def position_of(cursor: str) -> tuple[str, ObjectId]:
    """The text and the id behind which a list goes on.

    Raises:
        InvalidInputError: `invalid_cursor`.
    """
    first, last = _decode(cursor, str)
    return str(first), last


def _decode(cursor: str, kind: type[str] | type[datetime]) -> tuple[str | datetime, ObjectId]:
    try:
        values = json.loads(base64.urlsafe_b64decode(cursor + "=" * (-len(cursor) % 4)))
        first, last = values
        return _time(first) if kind is datetime else _text(first), ObjectId(_text(last))
    except (
        ValueError,
        TypeError,
        KeyError,
        OverflowError,
        InvalidId,
        binascii.Error,
        RecursionError,
    ):
        raise InvalidInputError("invalid_cursor", field="cursor") from None


def _time(value: Mapping[str, str]) -> datetime:
    return datetime.fromisoformat(value["at"]).astimezone(UTC)


def _text(value: object) -> str:
    if not isinstance(value, str):
        raise TypeError(value)
    value.encode()  # half of a surrogate pair is no text that a database takes
    return value
