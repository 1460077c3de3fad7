"""Outlines of rebases: the first changes or conflicts, shortened, and how many there are."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final, Literal

from benchmark_manager.domain.documents import KeyChange, key_changes
from benchmark_manager.domain.text.json_line import json_line, shortened
from benchmark_manager.models.merge import MergeConflict
from benchmark_manager.models.original import FileFormat

#: Changes and conflicts that an outline shows, and characters of a path and of a value.
_SHOWN: Final = 5
_PATH: Final = 200
_VALUE: Final = 80


@dataclass(frozen=True, slots=True)
class OutlinedChange:
    """A change by key; values are JSON on one line, shortened, None where there is nothing."""

    path: str
    kind: Literal["changed", "added", "removed"]
    before: str | None
    after: str | None


@dataclass(frozen=True, slots=True)
class RebaseOutline:
    """The first changes or conflicts, and how many there are.

    `changes_count` is None where the texts cannot be compared by key. A conflict of lines has no
    path (None).
    """

    changes: tuple[OutlinedChange, ...] = ()
    changes_count: int | None = 0
    conflicts: tuple[str | None, ...] = ()
    conflicts_count: int = 0


NO_OUTLINE: Final = RebaseOutline()


def outline_of_changes(mine: str, merged: str, file_format: FileFormat) -> RebaseOutline:
    """Return what a clean merge changes in `mine`."""
    changes = key_changes(mine, merged, file_format)
    if changes is None:
        return RebaseOutline(changes_count=None)
    return RebaseOutline(tuple(_outlined(change) for change in changes[:_SHOWN]), len(changes))


def outline_of_conflicts(conflicts: Sequence[MergeConflict]) -> RebaseOutline:
    """Return the conflicts on which a person must decide."""
    paths = (conflict.path for conflict in conflicts[:_SHOWN])
    shown = tuple(None if path is None else shortened(path, _PATH) for path in paths)
    return RebaseOutline(conflicts=shown, conflicts_count=len(conflicts))


def _outlined(change: KeyChange) -> OutlinedChange:
    return OutlinedChange(
        shortened(change.path, _PATH),
        change.kind,
        None if change.kind == "added" else json_line(change.before, _VALUE),
        None if change.kind == "removed" else json_line(change.after, _VALUE),
    )
