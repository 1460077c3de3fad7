"""Commits on GitHub, and what GitHub reports beside them."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime


@dataclass(frozen=True, slots=True)
class Commit:
    """One commit, as far as it has been read: None is what is not known yet."""

    #: The object id, 40 hex digits. Outside a `Commit` it is called `commit_sha`.
    sha: str
    #: The object id of the root tree.
    tree_sha: str | None = None
    committed_at: datetime | None = None
    #: The object ids of folders' trees by path ("" is the root); None for a missing folder.
    folder_trees: Mapping[str, str | None] | None = None

    @property
    def known_tree_sha(self) -> str:
        """The root tree's id of a commit that was read together with it."""
        # Its callers have read the commit itself.
        assert self.tree_sha is not None  # noqa: S101
        return self.tree_sha

    @property
    def known_time(self) -> datetime:
        """The time of a commit that was read together with it."""
        # Its callers have read the commit itself.
        assert self.committed_at is not None  # noqa: S101
        return self.committed_at


@dataclass(frozen=True, slots=True)
class RepositoryNames:
    """A repository's current names; without any branch it has no default branch."""

    full_name: str
    default_branch: str | None


@dataclass(frozen=True, slots=True)
class CommitAnswer:
    """GitHub's answer to which commit a ref points to.

    `repository` is None where only the commit's id was asked for, or nothing more was answered.
    """

    commit: Commit
    repository: RepositoryNames | None = None
    #: Of the folders that were asked for, those at whose paths there is a file or a link instead.
    taken_paths: frozenset[str] = frozenset()
