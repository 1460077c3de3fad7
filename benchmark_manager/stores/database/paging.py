"""Pages of lists, and cursors: the position of a row, by the values that its list is sorted by."""

import base64
import binascii
import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any, Final, TypeVar

from bson import ObjectId
from bson.errors import InvalidId

from benchmark_manager.errors import InvalidInputError
from benchmark_manager.models.page import Page, PageRequest
from benchmark_manager.stores.database.database import Collection, Document, Session

T = TypeVar("T")

_ID: Final = "_id"


@dataclass(frozen=True, slots=True)
class Order:
    """How a list is sorted: by a field, then by id."""

    field: str
    kind: type[str] | type[datetime] = str
    """The type of the field's values."""
    descending: bool = False
    unique: bool = False
    """No value occurs twice in a list, so an index of the field alone sorts it."""

    @property
    def sort(self) -> dict[str, int]:
        """The order as the database takes it."""
        direction = -1 if self.descending else 1
        return {self.field: direction} | ({} if self.unique else {_ID: direction})

    def cursor(self, row: Mapping[str, Any]) -> str:
        """Return an opaque text that names the position of a row."""
        values = [_plain(row[field]) for field in (self.field, _ID)]
        text = json.dumps(values, ensure_ascii=False)
        return base64.urlsafe_b64encode(text.encode()).decode().rstrip("=")

    def after(self, match: Document, cursor: str | None) -> Document:
        """Match the rows of `match` that follow the cursor.

        Raises:
            InvalidInputError: `invalid_cursor`.
        """
        if cursor is None:
            return match
        first, last = _decode(cursor, self.kind)
        beyond = "$lt" if self.descending else "$gt"
        # The others imply the first condition, but an index can only start at that one.
        position = {
            self.field: {f"{beyond}e": first},
            "$or": [{self.field: {beyond: first}}, {_ID: {beyond: last}}],
        }
        return {"$and": [match, position]}


@dataclass(frozen=True, slots=True)
class PageOfRows:
    """The documents of one page."""

    rows: Sequence[Document]
    total: int
    """How many documents the whole list has."""
    more: str | None
    """The cursor of the next page; None after the last one."""

    @classmethod
    def cut(cls, rows: Sequence[Document], order: Order, total: int, length: int) -> "PageOfRows":
        """Take `length` of the rows; one more than that shows that another page follows."""
        more = order.cursor(rows[length - 1]) if len(rows) > length else None
        return cls(rows[:length], total, more)

    def page(self, read: Callable[[Document], T]) -> Page[T]:
        """Return the page, with what `read` makes of each document."""
        return Page(tuple(read(row) for row in self.rows), self.total, self.more)


async def paged(
    collection: Collection,
    match: Document,
    order: Order,
    request: PageRequest,
    session: Session | None = None,
) -> PageOfRows:
    """Read one page of the documents that match, and count all of them.

    Raises:
        InvalidInputError: `invalid_cursor`.
    """
    found = collection.find(order.after(match, request.cursor), session=session)
    rows = await found.sort(order.sort).limit(request.limit + 1).to_list()
    is_whole = request.cursor is None and len(rows) <= request.limit
    total = len(rows) if is_whole else await collection.count_documents(match, session=session)
    return PageOfRows.cut(rows, order, total, request.limit)


def position_of(cursor: str) -> tuple[str, ObjectId]:
    """Return the text and the id of a cursor's row.

    Raises:
        InvalidInputError: `invalid_cursor`.
    """
    first, last = _decode(cursor, str)
    return str(first), last


def _plain(value: object) -> object:
    if isinstance(value, datetime):
        return {"at": value.isoformat()}
    return str(value) if isinstance(value, ObjectId) else value


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
    value.encode()  # the database takes no half of a surrogate pair
    return value
