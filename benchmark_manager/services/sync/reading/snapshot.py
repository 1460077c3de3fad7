"""What a sync has read of GitHub."""

from dataclasses import dataclass, field

from benchmark_manager.domain.sync.tree_changes import StoredFile, UpstreamFile
from benchmark_manager.models.commit import Commit
from benchmark_manager.models.problem import StoredVerdict
from benchmark_manager.models.project import RepositoryAddress, Source
from benchmark_manager.models.sync import SyncWarning
from benchmark_manager.services.sync.reading.selection import Skipped


@dataclass(frozen=True, slots=True, kw_only=True)
class SnapshotFiles:
    """All files of a project at one commit, their contents being in the blob store."""

    upstream: dict[str, UpstreamFile] = field(default_factory=dict)
    verdicts: dict[str, StoredVerdict] = field(default_factory=dict)
    skipped: Skipped = field(default_factory=dict)
    #: The project's originals before this sync, including those that were removed upstream, and
    #: what was skipped; only the project's own syncs change them.
    stored: tuple[StoredFile, ...] = ()
    skipped_before: Skipped = field(default_factory=dict)


@dataclass(frozen=True, slots=True, kw_only=True)
class UpstreamSnapshot:
    """What GitHub has for a project at one commit."""

    commit: Commit
    #: The branch's name; None where the project follows no branch.
    resolved_branch: str | None
    #: The limit that this snapshot was read with, bytes.
    max_file_size: int
    #: The repository's new address, where it was renamed.
    renamed_to: RepositoryAddress | None = None
    warnings: tuple[SyncWarning, ...] = ()
    #: None where nothing can have changed since the last sync.
    files: SnapshotFiles | None = None


def stored_trees(source: Source, commit: Commit) -> tuple[str | None, str | None] | None:
    """Return the trees of the config and the job folder as a project's state holds them."""
    trees = commit.folder_trees
    if trees is None:
        return None
    return trees.get(source.config_folder), trees.get(source.job_folder)
