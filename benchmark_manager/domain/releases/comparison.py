"""What differs between two releases."""

from collections.abc import Sequence
from dataclasses import dataclass

from benchmark_manager.domain.documents import KeyChange, key_changes
from benchmark_manager.domain.sync.classification import format_of
from benchmark_manager.models.release import ReleaseFile

Changed = tuple[ReleaseFile, ReleaseFile]


@dataclass(frozen=True, slots=True)
class ChangedFile:
    """A path with other contents; `changes` by key, None where a side does not parse or they were not looked for."""

    path: str
    changes: tuple[KeyChange, ...] | None


@dataclass(frozen=True, slots=True)
class Comparison:
    """From one release to another. `complete`: changes by key were looked for in all files."""

    added: tuple[str, ...]
    removed: tuple[str, ...]
    changed: tuple[ChangedFile, ...]
    complete: bool


def compared(
    before: Sequence[ReleaseFile], after: Sequence[ReleaseFile]
) -> tuple[tuple[str, ...], tuple[str, ...], tuple[Changed, ...]]:
    """The paths that were added, those that were removed, and the files whose contents changed, in their order."""
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
    """Those whose contents have no more than `budget` bytes together; a large one does not stand in others' way."""
    chosen: list[Changed] = []
    for old, new in changed:
        size = old.size + new.size
        if size <= budget:
            budget -= size
            chosen.append((old, new))
    return tuple(chosen)


def changed_file(path: str, before: bytes, after: bytes) -> ChangedFile:
    """A file's changes by key, by the format that its name tells."""
    file_format = format_of(path)
    changes = (
        None if file_format is None else key_changes(before.decode(), after.decode(), file_format)
    )
    return ChangedFile(path, changes)
