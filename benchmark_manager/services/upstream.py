"""Comparing a project with GitHub: everything before the transaction."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime

from benchmark_manager.domain.classification import Candidate, candidate, format_of, skip_reason_of_entry
from benchmark_manager.domain.tree_changes import StoredFile, UpstreamFile
from benchmark_manager.github.client import RepositoryClient
from benchmark_manager.github.listing import Listing, list_folders
from benchmark_manager.github.protocol import TreeEntry
from benchmark_manager.models.problem import Verdict
from benchmark_manager.models.project import Project, RepositoryAddress, Source
from benchmark_manager.models.sync import SkippedFile, SyncWarning
from benchmark_manager.services.copying import Copier, WantedFile
from benchmark_manager.stores.original_files import OriginalFileStore

#: These reasons were found in the content, so they hold as long as the blob is the same.
_CONTENT_REASONS = frozenset({"binary", "not_utf8", "lfs_pointer"})

Skipped = dict[str, tuple[str, SkippedFile]]


@dataclass(frozen=True, slots=True)
class Upstream:
    """What GitHub has at one commit. `files` is None where nothing can have changed since the last sync."""

    commit_sha: str
    root_tree_sha: str | None
    resolved_branch: str | None
    max_file_size: int
    renamed_to: RepositoryAddress | None = None
    committed_at: datetime | None = None
    files: dict[str, UpstreamFile] | None = None
    verdicts: dict[str, Verdict] = field(default_factory=dict)
    skipped: Skipped = field(default_factory=dict)
    warnings: tuple[SyncWarning, ...] = ()


class UpstreamReader:
    """Reads one project's side of GitHub; new contents are in the blob store when it returns."""

    def __init__(self, files: OriginalFileStore, copier: Copier, max_file_size: int) -> None:
        self._files = files
        self._copier = copier
        self._max_file_size = max_file_size

    async def read(self, project: Project, client: RepositoryClient) -> Upstream:
        """Ask GitHub as little as the project's last sync allows.

        Raises:
            GitHubError: nothing may be concluded, least of all that a file is gone.
        """
        state = project.state
        # Files that were too large may not be so any more, or the other way round.
        known = state.head_sha if state.max_file_size == self._max_file_size else None
        head = await client.head(project.source.branch, known)
        if head is None:
            assert known is not None  # noqa: S101 -- only a known head can be unchanged
            return await self._nothing_new(project, client, known, state.root_tree_sha)
        commit = await client.commit(head)
        if known is not None and commit.tree.sha == state.root_tree_sha:
            return await self._nothing_new(project, client, head, commit.tree.sha)
        return await self._read_commit(project, client, head, commit.tree.sha, commit.committer.date)

    async def _nothing_new(self, project: Project, client: RepositoryClient, head: str, root: str | None) -> Upstream:
        branch, renamed_to = await self._identity(project, client, ask=client.was_renamed)
        return Upstream(
            commit_sha=head,
            root_tree_sha=root,
            resolved_branch=branch,
            max_file_size=self._max_file_size,
            renamed_to=renamed_to,
            warnings=project.state.warnings,
        )

    async def _identity(
        self, project: Project, client: RepositoryClient, *, ask: bool
    ) -> tuple[str | None, RepositoryAddress | None]:
        """The branch's name and, if the repository moved, its new address."""
        branch = project.source.branch
        if not ask:
            return branch or project.state.resolved_branch, None
        info = await client.info()
        owner, _, name = info.full_name.partition("/")
        current = RepositoryAddress(api_url=client.repository.api_url, owner=owner, name=name)
        return branch or info.default_branch, None if current.key == client.repository.key else current

    async def _read_commit(
        self, project: Project, client: RepositoryClient, head: str, root: str, committed_at: datetime
    ) -> Upstream:
        source = project.source
        listing = await list_folders(client, root, (source.config_folder, source.job_folder))
        # After a change of folders, what was sorted by place may have to be sorted by content.
        known = project.state.head_sha is not None
        stored = {f.path: f for f in await self._files.stored(project.id) if not f.removed}
        seen = await self._files.skipped(project.id)
        sorted_out = _sort_out(listing, source, stored, seen, self._max_file_size, types_hold=known)
        looked = await self._copier.copy(client, sorted_out.wanted)
        files, skipped = dict(sorted_out.unchanged), dict(sorted_out.skipped)
        verdicts: dict[str, Verdict] = {}
        for file in sorted_out.wanted:
            outcome = looked[file.path]
            if outcome.file is not None and outcome.verdict is not None:
                files[file.path], verdicts[file.path] = outcome.file, outcome.verdict
            elif outcome.skip_reason is not None:
                skipped[file.path] = file.sha, SkippedFile(path=file.path, reason=outcome.skip_reason)
        ask = client.was_renamed or (
            source.branch is None and (project.state.resolved_branch is None or sorted_out.differs_from(stored))
        )
        branch, renamed_to = await self._identity(project, client, ask=ask)
        return Upstream(
            commit_sha=head,
            root_tree_sha=root,
            resolved_branch=branch,
            max_file_size=self._max_file_size,
            renamed_to=renamed_to,
            committed_at=committed_at,
            files=files,
            verdicts=verdicts,
            skipped=skipped,
            warnings=tuple(_missing(folder) for folder in listing.missing_folders),
        )


@dataclass(frozen=True, slots=True)
class _SortedOut:
    unchanged: dict[str, UpstreamFile]
    wanted: list[WantedFile]
    skipped: Skipped

    def differs_from(self, stored: Mapping[str, StoredFile]) -> bool:
        return bool(self.wanted) or len(self.unchanged) != len(stored)


def _sort_out(
    listing: Listing,
    source: Source,
    stored: Mapping[str, StoredFile],
    seen: Skipped,
    max_file_size: int,
    *,
    types_hold: bool,
) -> _SortedOut:
    """What is as it was, what has to be looked at, and what is skipped without looking.

    `types_hold`: the stored types were found for these very folders.
    """
    result = _SortedOut({}, [], {})
    for path, entry in listing.entries.items():
        kind = candidate(path, entry.mode, source.config_folder, source.job_folder)
        file_format = format_of(path)
        if kind is None or file_format is None:
            continue
        reason = skip_reason_of_entry(entry.mode, entry.size, max_file_size, path=path)
        before = seen.get(path)
        if reason is not None:
            result.skipped[path] = entry.sha, SkippedFile(path=path, reason=reason)
        elif before is not None and before[0] == entry.sha and before[1].reason in _CONTENT_REASONS:
            result.skipped[path] = before
        elif (old := stored.get(path)) is not None and _is_as_it_was(old, entry, kind, types_hold=types_hold):
            result.unchanged[path] = UpstreamFile(path, entry.sha, entry.size or 0, old.file_type, file_format)
        else:
            result.wanted.append(WantedFile(path, entry.sha, _size(entry, max_file_size), kind, file_format))
    return result


def _is_as_it_was(old: StoredFile, entry: TreeEntry, kind: Candidate, *, types_hold: bool) -> bool:
    return old.sha == entry.sha and (kind == old.file_type or (kind == "by_content" and types_hold))


def _size(entry: TreeEntry, max_file_size: int) -> int:
    """How many bytes a blob may have: what the tree says, else what is allowed at all."""
    return max_file_size if entry.size is None else entry.size


def _missing(folder: str) -> SyncWarning:
    return SyncWarning(
        code="folder_not_found", detail=f"The branch has no folder {folder!r}; it holds no files for this project."
    )
