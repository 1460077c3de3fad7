"""Selection of a listing's entries: which belong to a project, and whose content must be read."""

import asyncio
from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass, field
from typing import Final

from benchmark_manager.domain.sync.classification import Candidate, format_of
from benchmark_manager.domain.sync.selection import Belonging, Selection, skip_reason
from benchmark_manager.domain.sync.tree_changes import StoredFile, UpstreamFile
from benchmark_manager.github.protocol.listings import TreeEntry
from benchmark_manager.models.project import Source
from benchmark_manager.models.sync import SkippedFile
from benchmark_manager.services.texts.text_work import WantedFile

#: These reasons were found in the content, so they hold as long as the blob is the same.
_CONTENT_REASONS: Final = frozenset({"binary", "not_utf8", "lfs_pointer"})
#: More entries are selected in a thread.
_FEW: Final = 2000

#: Skipped files by path, each with its blob id.
Skipped = dict[str, tuple[str, SkippedFile]]


@dataclass(slots=True)
class SelectedEntries:
    """The entries that belong to a project, collected batch by batch."""

    #: The stored originals that still have the same content, by path.
    unchanged: dict[str, UpstreamFile] = field(default_factory=dict)
    #: The files whose content has to be read.
    wanted: list[WantedFile] = field(default_factory=list)
    #: The files that are skipped without reading their content.
    skipped: Skipped = field(default_factory=dict)
    #: Object ids by path where that is not UTF-8: a readable name can be chosen only when all
    #: other names are known.
    unnamed: dict[str, str] = field(default_factory=dict)

    def differs_from(self, stored: Mapping[str, StoredFile]) -> bool:
        return bool(self.wanted) or len(self.unchanged) != len(stored)

    def add(self, other: "SelectedEntries") -> None:
        self.unchanged.update(other.unchanged)
        self.wanted.extend(other.wanted)
        self.skipped.update(other.skipped)
        self.unnamed.update(other.unnamed)


class EntrySelector:
    """Selects entries for one project."""

    def __init__(
        self,
        source: Source,
        *,
        stored: Mapping[str, StoredFile],
        skipped_before: Skipped,
        max_file_size: int,
        types_hold: bool,
    ) -> None:
        """Prepare the selection for a project.

        Args:
            source: the project's folders and patterns.
            stored: its originals that are not removed, by path.
            skipped_before: what its last sync skipped.
            max_file_size: in bytes.
            types_hold: whether the stored types were found for these very folders.
        """
        self.stored = stored
        self.skipped_before = skipped_before
        self._max_file_size = max_file_size
        self._types_hold = types_hold
        self._has_patterns = bool(source.include or source.exclude)
        self._rules = Selection(
            source.config_folder, source.job_folder, source.include, source.exclude
        )

    def may_want(self, path: str, mode: str, size: int) -> bool:
        """Return whether a file's content would have to be read, unless it is known already."""
        kind = self._rules.belonging(path, mode)
        return kind is not None and skip_reason(kind, path, mode, size, self._max_file_size) is None

    async def select(self, entries: Collection[TreeEntry]) -> SelectedEntries:
        """Select from a complete listing, or a part of it.

        It runs in a thread where it takes long: 100,000 entries take half a second.
        """
        is_quick = len(entries) <= _FEW and not self._has_patterns
        return (
            self._selected(entries)
            if is_quick
            else await asyncio.to_thread(self._selected, entries)
        )

    def _selected(self, entries: Iterable[TreeEntry]) -> SelectedEntries:
        result = SelectedEntries()
        for entry in entries:
            kind = self._rules.belonging(entry.path, entry.mode)
            if kind is not None:
                self._add(entry, kind, result)
        return result

    def _add(self, entry: TreeEntry, kind: Belonging, result: SelectedEntries) -> None:
        path, sha = entry.path, entry.sha
        reason = skip_reason(kind, path, entry.mode, entry.size, self._max_file_size)
        if reason == "name_not_utf8":
            result.unnamed[path] = sha
        elif reason is not None:
            result.skipped[path] = sha, SkippedFile(path=path, reason=reason)
        elif kind != "not_yaml" and kind != "link":  # noqa: PLR1714 -- mypy narrows only this
            self._add_by_content(entry, kind, result)

    def _add_by_content(self, entry: TreeEntry, kind: Candidate, result: SelectedEntries) -> None:
        path, sha = entry.path, entry.sha
        file_format = format_of(path) or "yaml"
        before, old = self.skipped_before.get(path), self.stored.get(path)
        if before is not None and before[0] == sha and before[1].reason in _CONTENT_REASONS:
            result.skipped[path] = before
        elif old is not None and self._is_unchanged(old, sha, kind):
            result.unchanged[path] = UpstreamFile(
                path, sha, entry.size or 0, old.file_type, file_format
            )
        else:
            # Where the tree does not report the size, the largest allowed one is assumed.
            size = self._max_file_size if entry.size is None else entry.size
            result.wanted.append(WantedFile(path, sha, size, kind, file_format))

    def _is_unchanged(self, old: StoredFile, sha: str, kind: Candidate) -> bool:
        return old.sha == sha and (
            kind == old.file_type or (kind == "by_content" and self._types_hold)
        )
