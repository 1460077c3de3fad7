"""Items of a list which got another name in their place, so that they are the same items still."""

from collections.abc import Mapping, Sequence

from benchmark_manager.domain.documents.nodes import Collection, Slot
from benchmark_manager.domain.documents.paths import Step

Labels = Mapping[Step, Slot]


def under_first_names(labels: Sequence[Labels]) -> list[dict[Step, Slot]] | None:
    """The items of base, theirs and mine, those with a new name under the one which they have in base.

    An item is renamed if nothing else in it changed, it stands at the same place in a list of the same
    length, and the other side has no item of the new name, but for one which it renamed alike. None where
    two items got one name.
    """
    base, theirs, mine = labels
    by_theirs, by_mine = _renamed(base, theirs), _renamed(base, mine)
    if any(by_theirs[new] != by_mine[new] for new in by_theirs.keys() & by_mine.keys()):
        return None
    return [
        dict(base),
        _relabelled(theirs, {new: old for new, old in by_theirs.items() if new not in mine or new in by_mine}),
        _relabelled(mine, {new: old for new, old in by_mine.items() if new not in theirs or new in by_theirs}),
    ]


def _relabelled(side: Labels, old_names: Mapping[Step, Step]) -> dict[Step, Slot]:
    return {old_names.get(step, step): slot for step, slot in side.items()}


def _renamed(base: Labels, side: Labels) -> dict[Step, Step]:
    """The old names by the new ones."""
    if len(base) != len(side):
        return {}
    pairs = zip(base.items(), side.items(), strict=True)
    return {
        new: old
        for (old, before), (new, after) in pairs
        if new not in base and old not in side and _differ_in_one_value(before, after)
    }


def _differ_in_one_value(before: Slot, after: Slot) -> bool:
    old, new = before.value, after.value
    if not isinstance(old, Collection) or not isinstance(new, Collection) or old.head != new.head:
        return False
    values, others = ({key: slot.value.identity for key, slot in node.by_key().items()} for node in (old, new))
    return values.keys() == others.keys() and sum(values[key] != others[key] for key in values) == 1
