"""Listing folders of one commit completely, or not at all."""

import asyncio
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from typing import Final

from benchmark_manager.domain.sync.obstacles import (
    Obstacle,
    is_obstacle,
    obstacles_among,
    paths_to,
)
from benchmark_manager.errors import GitHubActionError
from benchmark_manager.github.protocol.listings import TreeEntry, TreeListing
from benchmark_manager.github.reading.client import RepositoryClient
from benchmark_manager.github.reading.entry_names import are_doubtful, with_right_names
from benchmark_manager.github.sending.shared import ANY_AGE, Shared
from benchmark_manager.models.commit import Commit

_ROOT: Final = ""
#: Listings that are kept for later requests of the same, and how long, seconds.
_KEPT: Final = 2
_KEEP_SECONDS: Final = 5.0
#: More entries are processed in a thread.
_FEW: Final = 2000


@dataclass(frozen=True, slots=True)
class FolderListing:
    """Every entry below the wanted folders, by path from the repository's root."""

    entries: dict[str, TreeEntry]
    #: The wanted folders that the commit does not have.
    missing_folders: tuple[str, ...]
    #: What is in their way, by folder; None where the listing does not show it.
    obstacles: dict[str, Obstacle] | None = None


@dataclass(frozen=True, slots=True)
class CommitListing:
    """A commit, as far as its listing shows it, and what lies below the wanted folders."""

    commit: Commit
    folders: FolderListing
    #: Bytes of all files of the commit, where one listing has shown all of them.
    total_size: int | None = None


class FolderLister:
    """Makes the listings of all syncs of a process; requests for the same tree share one."""

    def __init__(self) -> None:
        self._trees: Shared[TreeListing] = Shared(at_most=_KEPT, keep_seconds=_KEEP_SECONDS)
        self._commits: Shared[TreeListing | None] = Shared(
            at_most=_KEPT, keep_seconds=_KEEP_SECONDS
        )

    def forget(self) -> None:
        """Forget the listings that are kept for a few seconds."""
        self._trees.clear()
        self._commits.clear()

    async def by_folder(
        self,
        client: RepositoryClient,
        folder_trees: Mapping[str, str | None],
        *,
        truncated: str | None = None,
    ) -> FolderListing:
        """List folders ("" is the root) by the ids of their trees; None is a missing folder.

        `truncated` is a tree whose recursive listing is known to be truncated.

        Raises:
            GitHubActionError: `tree_too_large`, where even a single folder's listing is truncated.
            GitHubError: anything else that the client raises.
        """
        wanted = _outermost(folder_trees)
        walk = _FolderWalk(client, self, truncated)
        there = [(folder, tree) for folder in wanted if (tree := folder_trees[folder]) is not None]
        walks = [asyncio.create_task(walk.below(tree, folder)) for folder, tree in there]
        try:
            # Of two failures the first folder's is reported, whichever came first.
            listed = [await each for each in walks]
        finally:
            # Where one fails those after it are of no use.
            for each in walks:
                each.cancel()
            await asyncio.gather(*walks, return_exceptions=True)
        entries = {path: entry for found in listed for path, entry in found.items()}
        return FolderListing(entries, _missing(folder_trees))

    async def by_commit(
        self, client: RepositoryClient, commit_sha: str, folders: Iterable[str]
    ) -> CommitListing:
        """List folders of a commit, in one request where GitHub lists the whole repository.

        Raises:
            GitHubError: as `by_folder`.
        """
        asked = sorted(set(folders))
        key = (client.requests.sharing_key, client.repository.key, commit_sha)
        whole = await self._commits.get(key, ANY_AGE, lambda: _named_of_commit(client, commit_sha))
        if whole is not None and not whole.truncated:
            # GitHub may report the id that was asked for, the commit's, instead of the tree's.
            root = None if whole.sha == commit_sha else whole.sha
            return _listing_of_all(Commit(commit_sha, root), whole, asked)
        commit = await client.commit(commit_sha)
        if whole is None:
            return await self.of_commit(client, commit, asked)
        return await self._walked(client, commit, asked, whole)

    async def of_commit(
        self, client: RepositoryClient, commit: Commit, folders: Iterable[str]
    ) -> CommitListing:
        """Do the same as `by_commit` for a commit whose tree is known already.

        Raises:
            GitHubError: as `by_folder`.
        """
        asked = sorted(set(folders))
        tree = await self.tree(client, commit.known_tree_sha, recursive=True)
        if tree.truncated:
            return await self._walked(client, commit, asked, tree)
        return _listing_of_all(commit, tree, asked)

    async def _walked(
        self, client: RepositoryClient, commit: Commit, folders: list[str], cut: TreeListing
    ) -> CommitListing:
        """List folder by folder, where the listing of the whole commit was truncated."""
        root = commit.known_tree_sha
        answer = await client.commit_with_folders(commit.sha, tuple(folders))
        walk = _FolderWalk(client, self, root)
        trees = (
            {folder: await walk.tree_id(root, folder) for folder in folders}
            if answer is None
            else dict(answer.commit.folder_trees or {})
        )
        listing = await self.by_folder(client, trees, truncated=root)
        seen = (
            walk.obstacles if answer is None else obstacles_among(cut.tree, listing.missing_folders)
        )
        return CommitListing(replace(commit, folder_trees=trees), replace(listing, obstacles=seen))

    async def tree(self, client: RepositoryClient, sha: str, *, recursive: bool) -> TreeListing:
        key = (client.requests.sharing_key, client.repository.key, sha, recursive)
        return await self._trees.get(key, ANY_AGE, lambda: _named(client, sha, recursive=recursive))


async def _named(client: RepositoryClient, sha: str, *, recursive: bool) -> TreeListing:
    return await _with_right_names(client, await client.tree(sha, recursive=recursive), sha)


async def _named_of_commit(client: RepositoryClient, commit_sha: str) -> TreeListing | None:
    whole = await client.tree_of_commit(commit_sha)
    if whole is None or whole.truncated or not are_doubtful(whole.tree):
        return whole
    root = (
        (await client.commit(commit_sha)).known_tree_sha if whole.sha == commit_sha else whole.sha
    )
    return await _with_right_names(client, whole, root)


async def _with_right_names(
    client: RepositoryClient, tree: TreeListing, tree_sha: str
) -> TreeListing:
    if tree.truncated:
        # It is listed folder by folder.
        return tree
    entries = await with_right_names(client, tree_sha, tree.tree)
    return tree if entries is tree.tree else tree.model_copy(update={"tree": entries})


def _outermost(folders: Iterable[str]) -> list[str]:
    """Return the folders that lie in no other of them."""
    unique = set(folders)
    return sorted(
        f for f in unique if not any(f != other and _inside(f, other) for other in unique)
    )


def _inside(path: str, folder: str) -> bool:
    return folder == _ROOT or path.startswith(f"{folder}/")


def _listing_of_all(commit: Commit, tree: TreeListing, folders: Iterable[str]) -> CommitListing:
    """Take what lies in the folders from a complete listing of the commit."""
    trees: dict[str, str | None] = dict.fromkeys(folders)
    trees |= {
        entry.path: entry.sha for entry in tree.tree if entry.type == "tree" and entry.path in trees
    }
    if _ROOT in trees:
        trees[_ROOT] = tree.sha
    existing = [folder for folder, sha in trees.items() if sha is not None]
    entries = {
        entry.path: entry
        for entry in tree.tree
        if any(_inside(entry.path, folder) for folder in existing)
    }
    missing = _missing(trees)
    listing = FolderListing(entries, missing, obstacles_among(tree.tree, missing))
    return CommitListing(replace(commit, folder_trees=trees), listing, _total(tree))


def _missing(folder_trees: Mapping[str, str | None]) -> tuple[str, ...]:
    return tuple(sorted(folder for folder, tree in folder_trees.items() if tree is None))


def _total(tree: TreeListing) -> int:
    return sum(entry.size or 0 for entry in tree.tree)


class _FolderWalk:
    """Lists folder by folder, for trees that GitHub truncates."""

    def __init__(
        self, client: RepositoryClient, lister: FolderLister, truncated: str | None
    ) -> None:
        self._client = client
        self._lister = lister
        self._truncated = truncated
        self._flat: dict[str, TreeListing] = {}
        #: What was in the way of missing folders.
        self.obstacles: dict[str, Obstacle] = {}

    async def tree_id(self, root: str, folder: str) -> str | None:
        """Return the tree id of a folder below the root tree, or None for a missing folder."""
        current = root
        for path in paths_to(folder):
            tree = await self._children(current, folder)
            found = next((e for e in tree.tree if e.path == path.rpartition("/")[2]), None)
            if found is not None and is_obstacle(found.mode):
                self.obstacles[folder] = Obstacle(path, found.mode, found.sha)
            if found is None or found.type != "tree":
                return None
            current = found.sha
        return current

    async def below(self, tree_id: str, folder: str) -> dict[str, TreeEntry]:
        """Return all entries below a tree, by path from the repository's root."""
        if tree_id != self._truncated:
            tree = await self._lister.tree(self._client, tree_id, recursive=True)
            if not tree.truncated and len(tree.tree) > _FEW:
                # 100,000 entries take 0.3 s.
                return await asyncio.to_thread(_prefixed, tree, folder)
            if not tree.truncated:
                return _prefixed(tree, folder)
        children = await self._children(tree_id, folder)
        entries = _prefixed(children, folder)
        for child in children.tree:
            if child.type == "tree":
                entries |= await self.below(child.sha, _join(folder, child.path))
        return entries

    async def _children(self, tree_id: str, folder: str) -> TreeListing:
        if tree_id not in self._flat:
            self._flat[tree_id] = await self._lister.tree(self._client, tree_id, recursive=False)
        tree = self._flat[tree_id]
        if tree.truncated:
            raise GitHubActionError("tree_too_large", folder=folder or "/")
        return tree


def _join(folder: str, name: str) -> str:
    return f"{folder}/{name}" if folder else name


def _prefixed(tree: TreeListing, folder: str) -> dict[str, TreeEntry]:
    entries: dict[str, TreeEntry] = {}
    for entry in tree.tree:
        path = _join(folder, entry.path)
        entries[path] = replace(entry, path=path)
    return entries
