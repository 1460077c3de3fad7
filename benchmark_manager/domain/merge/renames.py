"""Items of a list which were renamed at their position, so that they are still the same items."""

from collections.abc import Mapping, Sequence
from collections.abc import Set as AbstractSet
from typing import TypeAlias

from benchmark_manager.domain.documents.nodes import Collection, Slot
from benchmark_manager.domain.documents.paths import Step

Labels: TypeAlias = Mapping[Step, Slot]


def under_first_names(labels: Sequence[Labels]) -> list[dict[Step, Slot]] | None:
    """Return the items of base, theirs and mine, renamed ones under their name in base.

    An item is renamed if nothing else in it changed, it is at the same position in a list of
    the same length, and the other side has no item of the new name, except for one which it renamed
    alike. None where both gave one name to different items, or replaced one item by different ones.
    """
    base, theirs, mine = labels
    by_theirs, by_mine = _replaced(base, theirs), _replaced(base, mine)
    if any(by_theirs[new] != by_mine[new] for new in by_theirs.keys() & by_mine.keys()):
        return None
    renamed_by_theirs, renamed_by_mine = (
        _renamed(base, theirs, by_theirs),
        _renamed(base, mine, by_mine),
    )
    unlike = [
        (by_theirs.keys() - by_mine.keys(), by_theirs),
        (by_mine.keys() - by_theirs.keys(), by_mine),
    ]
    met = set.intersection(*({olds[new] for new in news} for news, olds in unlike))
    if met - (set(renamed_by_theirs.values()) & set(renamed_by_mine.values())):
        return None
    return [
        dict(base),
        _relabelled(theirs, renamed_by_theirs, but=mine.keys() - renamed_by_mine.keys()),
        _relabelled(mine, renamed_by_mine, but=theirs.keys() - renamed_by_theirs.keys()),
    ]


def _replaced(base: Labels, side: Labels) -> dict[Step, Step]:
    """Return what replaced each removed item: the old names by the new ones."""
    if len(base) != len(side):
        return {}
    return {
        new: old for old, new in zip(base, side, strict=True) if new not in base and old not in side
    }


def _renamed(base: Labels, side: Labels, olds: Mapping[Step, Step]) -> dict[Step, Step]:
    return {new: old for new, old in olds.items() if _differ_in_one_value(base[old], side[new])}


def _relabelled(
    side: Labels, olds: Mapping[Step, Step], *, but: AbstractSet[Step]
) -> dict[Step, Slot]:
    return {olds.get(step, step) if step not in but else step: slot for step, slot in side.items()}


def _differ_in_one_value(before: Slot, after: Slot) -> bool:
    old, new = before.value, after.value
    if not isinstance(old, Collection) or not isinstance(new, Collection) or old.head != new.head:
        return False
    values, others = (
        {key: slot.value.identity for key, slot in node.by_key().items()} for node in (old, new)
    )
    return values.keys() == others.keys() and sum(values[key] != others[key] for key in values) == 1
