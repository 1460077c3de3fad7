"""Differences between two releases."""

from collections.abc import Sequence
from dataclasses import dataclass

from benchmark_manager.domain.documents import KeyChange, key_changes
from benchmark_manager.domain.sync.classification import format_of
from benchmark_manager.models.release import ReleaseFile

Changed = tuple[ReleaseFile, ReleaseFile]


@dataclass(frozen=True, slots=True)
class ChangedFile:
    """A path with other contents.

    `changes` are by key; None where a side does not parse, or where they were not searched.
    """

    path: str
    changes: tuple[KeyChange, ...] | None


@dataclass(frozen=True, slots=True)
class ReleaseComparison:
    """The changes from one release to another.

    `complete`: changes by key were searched in all files.
    """

    added: tuple[str, ...]
    removed: tuple[str, ...]
    changed: tuple[ChangedFile, ...]
    complete: bool


def compared(
    before: Sequence[ReleaseFile], after: Sequence[ReleaseFile]
) -> tuple[tuple[str, ...], tuple[str, ...], tuple[Changed, ...]]:
    """Return the added paths, the removed paths, and the files whose contents changed, in order."""
    old, new = {file.path: file for file in before}, {file.path: file for file in after}
    return (
        tuple(path for path in new if path not in old),
        tuple(path for path in old if path not in new),
        tuple(
            (file, new[path])
            for path, file in old.items()
            if path in new and file.sha256 != new[path].sha256
        ),
    )


def affordable(changed: Sequence[Changed], budget: int) -> tuple[Changed, ...]:
    """Return the files whose contents have at most `budget` bytes together.

    A file that is too large is left out, and smaller ones after it are not.
    """
    chosen: list[Changed] = []
    for old, new in changed:
        size = old.size + new.size
        if size <= budget:
            budget -= size
            chosen.append((old, new))
    return tuple(chosen)


def changed_file(path: str, before: bytes, after: bytes) -> ChangedFile:
    """Return a file's changes by key; its name decides its format."""
    file_format = format_of(path)
    changes = (
        None if file_format is None else key_changes(before.decode(), after.decode(), file_format)
    )
    return ChangedFile(path, changes)
