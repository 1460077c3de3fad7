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
    """Rows in order; `next_cursor` leads on (None: the end); `total` counts all that match."""

    rows: tuple[T, ...]
    total: int
    next_cursor: str | None
