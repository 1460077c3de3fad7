"""Reads a project's side of GitHub: everything before the transaction.

`check` asks which commit the project's ref points to, as cheaply as its last sync allows. `read`
lists that commit, selects the files that belong to the project and copies their contents into the
blob store; how, says `commit_reading`.
"""

import asyncio
from dataclasses import replace
from typing import TYPE_CHECKING

from benchmark_manager.domain.sync.entry_names import readable_names
from benchmark_manager.domain.sync.tree_changes import StoredFile
from benchmark_manager.github.reading.client import RepositoryClient
from benchmark_manager.github.reading.listing import CommitListing, FolderLister
from benchmark_manager.github.reading.ref_checks import CheckTiming, RefChecker
from benchmark_manager.models.commit import Commit, CommitAnswer, RepositoryNames
from benchmark_manager.models.project import Project, RepositoryAddress
from benchmark_manager.models.sync import SkippedFile
from benchmark_manager.services.sync.progress import Progress
from benchmark_manager.services.sync.reading.archive_reader import ArchiveSizes
from benchmark_manager.services.sync.reading.commit_reading import CommitReading
from benchmark_manager.services.sync.reading.copying import Copier, Copying
from benchmark_manager.services.sync.reading.folder_warnings import folder_warnings
from benchmark_manager.services.sync.reading.selection import (
    EntrySelector,
    SelectedEntries,
    Skipped,
)
from benchmark_manager.services.sync.reading.snapshot import (
    SnapshotFiles,
    UpstreamSnapshot,
    stored_trees,
)
from benchmark_manager.stores.originals.originals import OriginalFileStore
from benchmark_manager.stores.originals.skipped import SkippedFileStore

if TYPE_CHECKING:
    from benchmark_manager.models.problem import StoredVerdict


class UpstreamReader:
    """Reads what GitHub has for projects; new contents are in the blob store when it returns."""

    def __init__(
        self,
        *,
        files: OriginalFileStore,
        skipped_files: SkippedFileStore,
        copier: Copier,
        checker: RefChecker,
        lister: FolderLister,
        max_file_size: int,
        archives: ArchiveSizes,
    ) -> None:
        self._archives = archives
        self._files = files
        self._skipped_files = skipped_files
        self._copier = copier
        self._checker = checker
        self._lister = lister
        self._max_file_size = max_file_size

    async def check(
        self, project: Project, client: RepositoryClient, timing: CheckTiming
    ) -> UpstreamSnapshot | CommitAnswer | None:
        """Ask whether anything can have changed.

        Returns:
            The snapshot where nothing can have changed; else the commit to `read`, or None where
            it is not known yet.

        Raises:
            GitHubError: nothing may be concluded, least of all that a file was removed.
        """
        state, source = project.state, project.source
        # Under another limit, files that were too large may be small enough, and the reverse.
        known = state.head_sha if state.max_file_size == self._max_file_size else None
        if known is None and (state.head_sha is None or client.requests.credential.is_anonymous):
            return None
        if known is not None and source.is_fixed:
            return await self._unchanged(project, client, _known_commit(project, known), None)
        folders = source.config_folder, source.job_folder
        answer = await self._checker.check(client, source.ref, folders, known, timing)
        if answer.commit.sha == known:
            commit = _known_commit(project, known)
            return await self._unchanged(project, client, commit, answer.repository)
        if known is not None and _has_same_folders(project, answer.commit):
            return await self._same_folders(project, client, answer)
        return answer

    async def read(
        self,
        project: Project,
        client: RepositoryClient,
        head: CommitAnswer | None,
        progress: Progress,
    ) -> UpstreamSnapshot:
        """Read the commit that `check` returned.

        Raises:
            GitHubError: nothing may be concluded, least of all that a file was removed.
        """
        progress.enter("listing")
        copying = self._copier.of_sync(client, progress)
        reading = CommitReading(
            project.source, client, self._lister, copying, progress, self._archives
        )
        if head is None:
            stored, selector = await self._selector(project)
            selected = await reading.first(selector)
        else:
            listing = await reading.listing(head)
            if head.repository is None and self._holds_all(project, listing.commit):
                return await self._unchanged_listing(project, client, listing)
            stored, selector = await self._selector(project)
            selected = await reading.selected(listing, head.repository, selector)
            # The entries that are not wanted take memory while contents arrive.
            del listing
        commit = await reading.copy(selected)
        files = await asyncio.to_thread(
            _snapshot_files, stored, selector.skipped_before, selected.entries, copying
        )
        if commit.committed_at is None:
            time = (await client.commit(commit.sha)).committed_at
            commit = replace(commit, committed_at=time)
        changed = selected.entries.differs_from(selector.stored)
        branch, renamed_to = await _identity(project, client, selected.repository, changed=changed)
        return UpstreamSnapshot(
            commit=commit,
            resolved_branch=branch,
            max_file_size=self._max_file_size,
            renamed_to=renamed_to,
            warnings=await folder_warnings(
                client, commit.sha, selected.missing_folders, selected.obstacles
            ),
            files=files,
        )

    def _holds_all(self, project: Project, commit: Commit) -> bool:
        """Return whether the project's last sync has read everything that the commit has."""
        state = project.state
        return (
            state.head_sha is not None
            and state.max_file_size == self._max_file_size
            and _has_same_folders(project, commit)
        )

    async def _unchanged(
        self,
        project: Project,
        client: RepositoryClient,
        commit: Commit,
        repository: RepositoryNames | None,
    ) -> UpstreamSnapshot:
        branch, renamed_to = await _identity(project, client, repository, changed=False)
        return UpstreamSnapshot(
            commit=commit,
            resolved_branch=branch,
            max_file_size=self._max_file_size,
            renamed_to=renamed_to,
            warnings=project.state.warnings,
        )

    async def _same_folders(
        self, project: Project, client: RepositoryClient, answer: CommitAnswer
    ) -> UpstreamSnapshot:
        """Return the snapshot of another commit whose folders are those of the last sync."""
        commit = answer.commit
        found = await self._unchanged(project, client, commit, answer.repository)
        trees = commit.folder_trees or {}
        missing = sorted(folder for folder, tree in trees.items() if tree is None)
        has_obstacle = any(warning.code != "folder_not_found" for warning in found.warnings)
        if not has_obstacle and not answer.taken_paths & set(missing):
            return found
        # What a folder's link points to may have changed all the same.
        return replace(found, warnings=await folder_warnings(client, commit.sha, missing, None))

    async def _unchanged_listing(
        self, project: Project, client: RepositoryClient, listing: CommitListing
    ) -> UpstreamSnapshot:
        """Return the snapshot of a commit whose listing shows the folders of the last sync."""
        folders, commit = listing.folders, listing.commit
        warnings = await folder_warnings(
            client, commit.sha, folders.missing_folders, folders.obstacles
        )
        unchanged = await self._unchanged(project, client, commit, None)
        return replace(unchanged, warnings=warnings)

    async def _selector(self, project: Project) -> tuple[tuple[StoredFile, ...], EntrySelector]:
        stored = tuple(await self._files.stored(project.id))
        selector = EntrySelector(
            project.source,
            stored={file.path: file for file in stored if not file.removed},
            skipped_before=await self._skipped_files.of_project(project.id),
            max_file_size=self._max_file_size,
            # After a change of folders, a type that followed from the path may depend on the
            # content.
            types_hold=project.state.head_sha is not None,
        )
        return stored, selector


async def _identity(
    project: Project,
    client: RepositoryClient,
    repository: RepositoryNames | None,
    *,
    changed: bool,
) -> tuple[str | None, RepositoryAddress | None]:
    """Return the branch's name (None: not a branch) and the new address of a renamed repository.

    Where `repository` is not known, they are requested only when one of them may be new.
    """
    ref, branch = project.source.ref, project.source.branch
    if repository is not None:
        return (
            branch if ref is not None else repository.default_branch,
            _renamed(client.repository, repository.full_name),
        )
    unknown = ref is None and (
        project.state.resolved_branch is None
        or (changed and not client.requests.credential.is_anonymous)
    )
    if not client.was_renamed and not unknown:
        return branch if ref is not None else project.state.resolved_branch, None
    info = await client.info()
    return (
        branch if ref is not None else info.default_branch,
        _renamed(client.repository, info.full_name),
    )


def _renamed(repository: RepositoryAddress, full_name: str) -> RepositoryAddress | None:
    owner, _, name = full_name.partition("/")
    current = RepositoryAddress(api_url=repository.api_url, owner=owner, name=name)
    return None if current.key == repository.key else current


def _has_same_folders(project: Project, commit: Commit) -> bool:
    trees = stored_trees(project.source, commit)
    return trees is not None and project.state.folder_trees == trees


def _known_commit(project: Project, commit_sha: str) -> Commit:
    """Return the commit of the project's last sync."""
    source, state = project.source, project.state
    folders = source.config_folder, source.job_folder
    trees = state.folder_trees
    return Commit(
        commit_sha,
        state.root_tree_sha,
        folder_trees=None if trees is None else dict(zip(folders, trees, strict=True)),
    )


def _snapshot_files(
    stored: tuple[StoredFile, ...],
    skipped_before: Skipped,
    entries: SelectedEntries,
    copying: Copying,
) -> SnapshotFiles:
    """Collect every file, what is skipped, and the verdicts on what is new."""
    upstream, skipped = dict(entries.unchanged), dict(entries.skipped)
    verdicts: dict[str, StoredVerdict] = {}
    for file in entries.wanted:
        copied = copying.copied(file)
        assert copied is not None  # noqa: S101 -- all wanted files were copied
        if copied.file is not None and copied.verdict is not None:
            upstream[file.path], verdicts[file.path] = copied.file, copied.verdict
        elif copied.skip_reason is not None:
            skipped[file.path] = file.sha, SkippedFile(path=file.path, reason=copied.skip_reason)
    names = readable_names(entries.unnamed, upstream.keys() | skipped.keys())
    for path, sha in entries.unnamed.items():
        skipped[names[path]] = sha, SkippedFile(path=names[path], reason="name_not_utf8")
    return SnapshotFiles(
        upstream=upstream,
        verdicts=verdicts,
        skipped=skipped,
        stored=stored,
        skipped_before=skipped_before,
    )
