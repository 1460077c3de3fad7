"""The memory of searches: contents by their ids, and lists of files while they are current."""

from collections import OrderedDict
from collections.abc import Hashable, Iterable, Mapping
from dataclasses import dataclass
from typing import Final, Generic, TypeVar

V = TypeVar("V")

#: Bytes that an entry takes beside what it holds.
_OVERHEAD: Final = 300


@dataclass(frozen=True, slots=True)
class _CachedValue(Generic[V]):
    value: V
    size: int


class BoundedCache(Generic[V]):
    """At most so many bytes of values; those which were used longest ago go first.

    A content never changes, and a list is asked for with the state that it is true of. So nothing
    in here is stale.
    """

    def __init__(self, most_bytes: int) -> None:
        self.most_bytes: Final = most_bytes
        self._entries: OrderedDict[Hashable, _CachedValue[V]] = OrderedDict()
        self._size = 0

    def get(self, key: Hashable) -> V | None:
        entry = self._entries.get(key)
        if entry is None:
            return None
        self._entries.move_to_end(key)
        return entry.value

    def put(self, key: Hashable, value: V, size: int) -> None:
        """Keep a value of so many bytes; one which is larger than all of the room is not kept."""
        former = self._entries.pop(key, None)
        if former is not None:
            self._size -= former.size
        size += _OVERHEAD
        if size > self.most_bytes:
            return
        self._entries[key] = _CachedValue(value, size)
        self._size += size
        while self._size > self.most_bytes:
            _, dropped = self._entries.popitem(last=False)
            self._size -= dropped.size

    @property
    def size(self) -> int:
        return self._size


def known_and_missing(
    cache: BoundedCache[bytes], ids: Iterable[str]
) -> tuple[Mapping[str, bytes], list[str]]:
    """Return the contents that the cache holds, and the ids of the others, each once."""
    known: dict[str, bytes] = {}
    missing: dict[str, None] = {}
    for sha in ids:
        if sha in known or sha in missing:
            continue
        content = cache.get(sha)
        if content is None:
            missing[sha] = None
        else:
            known[sha] = content
    return known, list(missing)
