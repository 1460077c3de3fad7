"""Changes between the stored originals and a complete listing."""

from collections import defaultdict
from collections.abc import Iterable, Mapping
from collections.abc import Set as AbstractSet
from dataclasses import dataclass, replace

from benchmark_manager.models.original import FileFormat, FileType


@dataclass(frozen=True, slots=True)
class StoredFile:
    """What a comparison needs of an original, or of the record of a removed one."""

    id: str
    path: str
    sha: str
    file_type: FileType
    removed: bool = False
    size: int = 0


@dataclass(frozen=True, slots=True)
class UpstreamFile:
    """A listed file that is copied; its path and content decide its `file_type`."""

    path: str
    sha: str
    size: int
    file_type: FileType
    format: FileFormat


@dataclass(frozen=True, slots=True)
class TreeChanges:
    """The changes. `moved` and `updated` pair the stored file with what it becomes.

    `revived` are removed records whose path came back: they keep their ids, and count as added.
    """

    added: tuple[UpstreamFile, ...]
    revived: tuple[tuple[StoredFile, UpstreamFile], ...]
    updated: tuple[tuple[StoredFile, UpstreamFile], ...]
    moved: tuple[tuple[StoredFile, UpstreamFile], ...]
    removed: tuple[StoredFile, ...]
    unchanged: int

    def __bool__(self) -> bool:
        return self.size > 0

    @property
    def size(self) -> int:
        """How many files have changed."""
        return sum(map(len, (self.added, self.revived, self.updated, self.moved, self.removed)))


def compare(stored: Iterable[StoredFile], upstream: Mapping[str, UpstreamFile]) -> TreeChanges:
    """Compare by path and git blob id, never by date.

    A file is renamed when one path went and another came with the same blob id; where several
    did, they are paired by equal base name first, then in the order of their paths. Renames of
    files that changed as well are found by `renames`.
    """
    present = {f.path: f for f in stored if not f.removed}
    buried = {f.path: f for f in stored if f.removed}
    updated = tuple(
        (old, new)
        for path, old in present.items()
        if (new := upstream.get(path)) is not None
        and (new.sha, new.file_type) != (old.sha, old.file_type)
    )
    gone = [f for path, f in sorted(present.items()) if path not in upstream]
    come = [f for path, f in sorted(upstream.items()) if path not in present]
    moved = _pair_renames(gone, [f for f in come if f.path not in buried])
    moved_ids = {old.id for old, _ in moved}
    moved_paths = {new.path for _, new in moved}
    fresh = [f for f in come if f.path not in moved_paths]
    return TreeChanges(
        added=tuple(f for f in fresh if f.path not in buried),
        revived=tuple((buried[f.path], f) for f in fresh if f.path in buried),
        updated=updated,
        moved=moved,
        removed=tuple(f for f in gone if f.id not in moved_ids),
        unchanged=len(present) - len(gone) - len(updated),
    )


def with_renames(
    changes: TreeChanges, pairs: Iterable[tuple[StoredFile, UpstreamFile]]
) -> TreeChanges:
    """Return the changes with these removals and additions counted as renames."""
    found = tuple(pairs)
    ids, paths = {old.id for old, _ in found}, {new.path for _, new in found}
    return replace(
        changes,
        moved=(*changes.moved, *found),
        removed=tuple(old for old in changes.removed if old.id not in ids),
        added=tuple(new for new in changes.added if new.path not in paths),
    )


def without_renames(changes: TreeChanges, file_ids: AbstractSet[str]) -> TreeChanges:
    """Return the changes with these files' renames counted as a removal and an addition."""
    moved = tuple(pair for pair in changes.moved if pair[0].id not in file_ids)
    split = [pair for pair in changes.moved if pair[0].id in file_ids]
    return replace(
        changes,
        moved=moved,
        removed=(*changes.removed, *(old for old, _ in split)),
        added=(*changes.added, *(new for _, new in split)),
    )


def _pair_renames(
    gone: list[StoredFile], come: list[UpstreamFile]
) -> tuple[tuple[StoredFile, UpstreamFile], ...]:
    """Pair renames, which keep the format: a variant's name must still fit its original.

    Takes time in proportion to the files, however many have the same content.
    """
    if not gone:
        return ()
    by_name: dict[tuple[str, str, str], list[UpstreamFile]] = defaultdict(list)
    by_content: dict[tuple[str, str], list[UpstreamFile]] = defaultdict(list)
    for new in reversed(come):
        by_name[new.sha, new.format, _base(new.path)].append(new)
        by_content[new.sha, new.format].append(new)
    pairs: list[tuple[StoredFile, UpstreamFile]] = []
    leftover: list[StoredFile] = []
    for old in gone:
        same_name = by_name[(*_key(old), _base(old.path))]
        if same_name:
            pairs.append((old, same_name.pop()))
        else:
            leftover.append(old)
    paired = {new.path for _, new in pairs}
    for old in leftover:
        rest = by_content[_key(old)]
        while rest and rest[-1].path in paired:
            rest.pop()
        if rest:
            pairs.append((old, rest.pop()))
    return tuple(pairs)


def _key(old: StoredFile) -> tuple[str, str]:
    return old.sha, "json" if old.path.lower().endswith(".json") else "yaml"


def _base(path: str) -> str:
    return path.rpartition("/")[2]
