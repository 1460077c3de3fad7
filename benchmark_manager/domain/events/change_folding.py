"""Which changes readers receive: each thing once, and many of a kind as one."""

from collections import Counter
from collections.abc import Iterable
from typing import Final

from benchmark_manager.models.change import Change, ChangeVerb

#: Of one kind and project, more than these become one change without an id.
LISTED_AT_MOST: Final = 20


def fold(changes: Iterable[Change], *, listed_at_most: int = LISTED_AT_MOST) -> list[Change]:
    """Return the changes as they are sent together, in the order in which each thing changed last.

    A client that reads what is named again sees everything that the unfolded changes were about.
    """
    latest: dict[tuple[str, str | None, str | None], Change] = {}
    for change in changes:
        key = (change.noun, change.project_id, change.id)
        before = latest.pop(key, None)
        latest[key] = change if before is None else _after(before, change)
    kinds = Counter(_kind(change) for change in latest.values())
    folded: dict[tuple[str, str | None, str | None], Change] = {}
    for change in latest.values():
        crowded = kinds[_kind(change)] > listed_at_most
        one = change.model_copy(update={"id": None, "what": "changed"}) if crowded else change
        folded[one.noun, one.project_id, one.id] = one
    return list(folded.values())


def _kind(change: Change) -> tuple[str, str | None]:
    return change.noun, change.project_id


def _after(before: Change, change: Change) -> Change:
    return change.model_copy(update={"what": _verb(before.what, change.what)})


def _verb(before: ChangeVerb, now: ChangeVerb) -> ChangeVerb:
    if before == "created" and now == "changed":
        return "created"
    # A sync's last word on how far it is may be stored behind its record.
    if before == "finished" and now == "progress":
        return "finished"
    return now
