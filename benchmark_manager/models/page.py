"""One page of a list."""

from dataclasses import dataclass
from typing import Generic, TypeVar

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class PageRequest:
    """At most `limit` rows behind `cursor` (None: from the start)."""

    limit: int = 100
    cursor: str | None = None


@dataclass(frozen=True, slots=True)
class Page(Generic[T]):
    """Rows in order, the cursor of the next page (None: the end), and the count of all rows."""

    rows: tuple[T, ...]
    total: int
    next_cursor: str | None
