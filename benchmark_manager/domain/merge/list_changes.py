"""The changes of two sides to one list: which go together, and which items are the same ones."""

from collections.abc import Hashable, Iterable, Iterator, Sequence
from typing import Final

from benchmark_manager.domain.documents.nodes import Collection, Scalar, Slot
from benchmark_manager.domain.documents.paths import document_label
from benchmark_manager.domain.merge.lists import IsSame, ListHunk, touched

#: Entries of an item that are compared with those of others.
_MOST_SCALARS: Final = 16


def remaining_hunks(
    ids: Sequence[Sequence[int]], theirs: Sequence[ListHunk], mine: Sequence[ListHunk]
) -> list[ListHunk] | None:
    """Return mine's hunks without those which theirs made as well.

    The result is None where the two overlap.
    """
    base = ids[0]
    met: dict[tuple[str, int], list[ListHunk]] = {}
    for hunk in theirs:
        for position in _touched_positions(hunk, base, ids[1]):
            met.setdefault(position, []).append(hunk)
    remaining: list[ListHunk] = []
    shared: set[ListHunk] = set()
    for hunk in mine:
        others = {
            other
            for position in _touched_positions(hunk, base, ids[2])
            for other in met.get(position, [])
        }
        if not others or all(_same_item(hunk, other) for other in others):
            remaining.append(hunk)
        elif len(others) > 1 or not _same_change(hunk, ids[2], other := others.pop(), ids[1]):
            return None
        else:
            shared.add(other)
    # What both removed at one position, and one of them added at another, was moved: it is
    # uncertain where to.
    own = _items(remaining, base, ids[2]) | _items(
        (hunk for hunk in theirs if hunk not in shared), base, ids[1]
    )
    return None if own & _items(shared, base, ids[1]) else remaining


def same_items(base: Collection, other: Collection) -> IsSame:
    """Return a function that says whether items which changed side by side are the same ones.

    A key distinguishes them, and neither side changed it.
    """

    def is_same(old: range, new: range) -> bool:
        before = [_distinguishing_scalars(base, base.slots[i]) for i in old]
        after = [_distinguishing_scalars(other, other.slots[i]) for i in new]
        return any(
            len({item.get(key) for item in before}) == len(before)
            and all(
                key in one and one[key] == two.get(key)
                for one, two in zip(before, after, strict=True)
            )
            for key in before[0]
        )

    return is_same


def _items(hunks: Iterable[ListHunk], base: Sequence[int], other: Sequence[int]) -> set[int]:
    """Return what some hunks remove and add."""
    return {
        item
        for hunk in hunks
        for item in (*base[hunk.start : hunk.end], *other[hunk.other_start : hunk.other_end])
    }


def _touched_positions(
    hunk: ListHunk, base: Sequence[int], other: Sequence[int]
) -> Iterator[tuple[str, int]]:
    found = touched(hunk, base, other)
    yield from (("item", item) for item in found.items)
    yield from (("gap", gap) for gap in found.gaps)


def _same_item(one: ListHunk, other: ListHunk) -> bool:
    return one.in_place and other.in_place and one.start == other.start


def _same_change(
    one: ListHunk, one_ids: Sequence[int], other: ListHunk, other_ids: Sequence[int]
) -> bool:
    if (one.start, one.end) != (other.start, other.end):
        return False
    return (
        one_ids[one.other_start : one.other_end] == other_ids[other.other_start : other.other_end]
    )


def _distinguishing_scalars(collection: Collection, slot: Slot) -> dict[str, Hashable]:
    """Return scalars which might distinguish this item or document from its neighbours."""
    if collection.kind == "stream":
        return {"": label} if (label := document_label(slot)) else {}
    if not isinstance(slot.value, Collection) or slot.value.kind != "mapping":
        return {}
    entries = slot.value.slots[:_MOST_SCALARS]
    return {
        entry.key.text: entry.value.identity
        for entry in entries
        if isinstance(entry.key, Scalar) and isinstance(entry.value, Scalar)
    }
