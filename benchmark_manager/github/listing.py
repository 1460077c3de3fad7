"""Listing folders of one commit completely, or not at all."""

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Final

from benchmark_manager.errors import GitHubActionError
from benchmark_manager.github.client import RepositoryClient
from benchmark_manager.github.protocol import Tree, TreeEntry

_ROOT: Final = ""


@dataclass(frozen=True, slots=True)
class Listing:
    """Every entry below the wanted folders, by path from the repository's root, and the folders that are not there."""

    entries: dict[str, TreeEntry]
    missing_folders: tuple[str, ...]


async def list_folders(client: RepositoryClient, root: str, folders: Iterable[str]) -> Listing:
    """List `folders` ("" is the root) of the commit whose root tree is `root`.

    One request where the whole repository fits into a recursive listing; else folder by folder.

    Raises:
        GitHubActionError: `tree_too_large`, where even a single folder's listing is truncated.
        GitHubError: anything else that the client raises.
    """
    asked = set(folders)
    wanted = _outermost(asked)
    whole = await client.tree(root, recursive=True)
    listing = await _walked(client, root, wanted) if whole.truncated else _within(whole, wanted)
    # Folders inside others were listed with these; whether they are there, the entries tell.
    inner = [f for f in asked.difference(wanted) if f not in listing.entries or listing.entries[f].type != "tree"]
    return Listing(listing.entries, tuple(sorted([*listing.missing_folders, *inner])))


async def _walked(client: RepositoryClient, root: str, folders: Iterable[str]) -> Listing:
    walk = _Walk(client, root)
    entries: dict[str, TreeEntry] = {}
    missing = []
    for folder in folders:
        tree_id = await walk.tree_id(folder)
        if tree_id is None:
            missing.append(folder)
        else:
            entries |= await walk.below(tree_id, folder, truncated=folder == _ROOT)
    return Listing(entries, tuple(missing))


def _outermost(folders: Iterable[str]) -> list[str]:
    """The folders which lie in no other of them."""
    unique = set(folders)
    return sorted(f for f in unique if not any(f != other and _inside(f, other) for other in unique))


def _inside(path: str, folder: str) -> bool:
    return folder == _ROOT or path.startswith(f"{folder}/")


def _within(tree: Tree, folders: Iterable[str]) -> Listing:
    present = {entry.path for entry in tree.tree if entry.type == "tree"} | {_ROOT}
    there = [folder for folder in folders if folder in present]
    # A path twice (names that are not UTF-8 may look alike): the first one counts.
    entries: dict[str, TreeEntry] = {}
    for entry in tree.tree:
        if any(_inside(entry.path, folder) for folder in there):
            entries.setdefault(entry.path, entry)
    return Listing(entries, tuple(folder for folder in folders if folder not in present))


class _Walk:
    """A listing folder by folder, for trees which GitHub truncates."""

    def __init__(self, client: RepositoryClient, root: str) -> None:
        self._client = client
        self._root = root
        self._flat: dict[str, Tree] = {}

    async def tree_id(self, folder: str) -> str | None:
        """The tree id of a folder, or None where the commit has no such folder."""
        current = self._root
        for name in folder.split("/") if folder else []:
            tree = await self._children(current, folder)
            found = next((e.sha for e in tree.tree if e.path == name and e.type == "tree"), None)
            if found is None:
                return None
            current = found
        return current

    async def below(self, tree_id: str, folder: str, *, truncated: bool = False) -> dict[str, TreeEntry]:
        """All entries below a tree; `truncated`: its recursive listing is known to be."""
        if not truncated:
            tree = await self._client.tree(tree_id, recursive=True)
            if not tree.truncated:
                return _prefixed(tree, folder)
        children = await self._children(tree_id, folder)
        entries = _prefixed(children, folder)
        for child in children.tree:
            if child.type == "tree":
                entries |= await self.below(child.sha, _join(folder, child.path))
        return entries

    async def _children(self, tree_id: str, folder: str) -> Tree:
        if tree_id not in self._flat:
            tree = await self._client.tree(tree_id, recursive=False)
            if tree.truncated:
                raise GitHubActionError(
                    "tree_too_large",
                    f"GitHub cannot list the folder {folder or '/'} completely, not even by itself; "
                    "choose a smaller config or job folder.",
                )
            self._flat[tree_id] = tree
        return self._flat[tree_id]


def _join(folder: str, name: str) -> str:
    return f"{folder}/{name}" if folder else name


def _prefixed(tree: Tree, folder: str) -> dict[str, TreeEntry]:
    entries: dict[str, TreeEntry] = {}
    for entry in tree.tree:
        path = _join(folder, entry.path)
        entries.setdefault(path, entry.model_copy(update={"path": path}))
    return entries
