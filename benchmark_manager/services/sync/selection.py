"""Sorting a listing's entries: what belongs to a project, and which of it has to be looked at."""

import asyncio
from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass, field
from typing import Final

from benchmark_manager.domain.sync.classification import Candidate, format_of
from benchmark_manager.domain.sync.selection import Belonging, Selection, skip_reason
from benchmark_manager.domain.sync.tree_changes import StoredFile, UpstreamFile
from benchmark_manager.github.protocol.rest import TreeEntry
from benchmark_manager.models.project import Source
from benchmark_manager.models.sync import SkippedFile
from benchmark_manager.services.texts.text_work import WantedFile

#: These reasons were found in the content, so they hold as long as the blob is the same.
_CONTENT_REASONS: Final = frozenset({"binary", "not_utf8", "lfs_pointer"})
#: More entries are not sorted on the event loop.
_FEW: Final = 2000

Skipped = dict[str, tuple[str, SkippedFile]]


@dataclass(frozen=True, slots=True)
class SortedOut:
    """What is as it was, what has to be looked at, and what is skipped without looking."""

    unchanged: dict[str, UpstreamFile] = field(default_factory=dict)
    wanted: list[WantedFile] = field(default_factory=list)
    skipped: Skipped = field(default_factory=dict)
    #: Object ids by path where that is not UTF-8: no readable name can be given before all others
    #: are known.
    unnamed: dict[str, str] = field(default_factory=dict)

    def differs_from(self, stored: Mapping[str, StoredFile]) -> bool:
        return bool(self.wanted) or len(self.unchanged) != len(stored)

    def add(self, other: "SortedOut") -> None:
        self.unchanged.update(other.unchanged)
        self.wanted.extend(other.wanted)
        self.skipped.update(other.skipped)
        self.unnamed.update(other.unnamed)


@dataclass(slots=True)
class Sorter:
    """Sorts entries for one project.

    `stored` are its originals in place, `seen` what its last sync skipped, both by path;
    `types_hold`: the stored types were found for these very folders.
    """

    source: Source
    stored: Mapping[str, StoredFile]
    seen: Skipped
    max_file_size: int
    types_hold: bool
    selection: Selection = field(init=False)

    def __post_init__(self) -> None:
        source = self.source
        self.selection = Selection(
            source.config_folder, source.job_folder, source.include, source.exclude
        )

    def may_want(self, path: str, mode: str, size: int) -> bool:
        """Whether a file would have to be looked at, unless its content is known."""
        kind = self.selection.belonging(path, mode)
        return kind is not None and skip_reason(kind, path, mode, size, self.max_file_size) is None

    def sort(self, entries: Iterable[TreeEntry]) -> SortedOut:
        """Sort a complete listing, or a part of it."""
        result = SortedOut()
        for entry in entries:
            kind = self.selection.belonging(entry.path, entry.mode)
            if kind is not None:
                self._sort(entry, kind, result)
        return result

    async def sort_aside(self, entries: Collection[TreeEntry]) -> SortedOut:
        """Sort a listing in a thread where it takes long: 100,000 entries take half a second."""
        is_quick = len(entries) <= _FEW and not (self.source.include or self.source.exclude)
        return self.sort(entries) if is_quick else await asyncio.to_thread(self.sort, entries)

    def _sort(self, entry: TreeEntry, kind: Belonging, result: SortedOut) -> None:
        path, sha = entry.path, entry.sha
        reason = skip_reason(kind, path, entry.mode, entry.size, self.max_file_size)
        if reason == "name_not_utf8":
            result.unnamed[path] = sha
        elif reason is not None:
            result.skipped[path] = sha, SkippedFile(path=path, reason=reason)
        elif kind != "not_yaml" and kind != "link":  # noqa: PLR1714 -- mypy narrows only this
            self._sort_by_content(entry, kind, result)

    def _sort_by_content(self, entry: TreeEntry, kind: Candidate, result: SortedOut) -> None:
        path, sha = entry.path, entry.sha
        file_format = format_of(path) or "yaml"
        before, old = self.seen.get(path), self.stored.get(path)
        if before is not None and before[0] == sha and before[1].reason in _CONTENT_REASONS:
            result.skipped[path] = before
        elif old is not None and self._is_as_it_was(old, sha, kind):
            result.unchanged[path] = UpstreamFile(
                path, sha, entry.size or 0, old.file_type, file_format
            )
        else:
            # Where the tree does not tell the size, it is what is allowed at all.
            size = self.max_file_size if entry.size is None else entry.size
            result.wanted.append(WantedFile(path, sha, size, kind, file_format))

    def _is_as_it_was(self, old: StoredFile, sha: str, kind: Candidate) -> bool:
        return old.sha == sha and (
            kind == old.file_type or (kind == "by_content" and self.types_hold)
        )
