"""The right names of a listing's entries.

GitHub's JSON shows every byte of a name that is not UTF-8 as U+FFFD, so two entries can have one
path, and one of them the path of a file that is really named with U+FFFD. A folder's names are
right where they hash to its tree's id. Elsewhere GraphQL is asked for the bytes, which have to pass
the same proof; a name that stays unproved is marked `UNKNOWN`.
"""

import asyncio
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Final, Protocol

from benchmark_manager.domain.git.objects import TreeMember, tree_id
from benchmark_manager.domain.sync.entry_names import REPLACEMENT, UNKNOWN, unknown_number
from benchmark_manager.github.protocol.listings import TreeEntry

#: Folders whose names one sync requests at most; files in further ones are listed as skipped.
_ASKED_AT_MOST: Final = 200
#: More entries are processed in a thread.
_FEW: Final = 2000


class NamesReader(Protocol):
    """Asks for the entries of trees."""

    async def tree_members(self, tree_ids: Sequence[str]) -> dict[str, tuple[TreeMember, ...]]:
        """Return the entries of those trees that GitHub answers for; their paths are names."""
        ...


@dataclass(slots=True)
class _Folder:
    """One folder of a listing: its tree, and the positions of its entries."""

    tree_sha: str
    parent: "_Folder | None"
    #: The position of its own entry in the listing.
    entry: int | None
    members: list[int] = field(default_factory=list)
    is_doubtful: bool = False
    #: Its path, once that is known.
    path: str = ""


async def with_right_names(
    reader: NamesReader, tree_sha: str, entries: tuple[TreeEntry, ...]
) -> tuple[TreeEntry, ...]:
    """Return a complete listing of a tree, recursive or not, each entry under a path of its own.

    Raises:
        GitHubError: the names could not be asked for.
    """
    few = len(entries) <= _FEW
    if not (are_doubtful(entries) if few else await asyncio.to_thread(are_doubtful, entries)):
        return entries
    folders = await asyncio.to_thread(_folders, tree_sha, entries)
    unproved = await asyncio.to_thread(_unproved, folders, entries)
    asked = list(dict.fromkeys(folder.tree_sha for folder in unproved))[:_ASKED_AT_MOST]
    members = await reader.tree_members(asked) if asked else {}
    return await asyncio.to_thread(_renamed, folders, unproved, entries, members)


def are_doubtful(entries: Sequence[TreeEntry]) -> bool:
    """Return whether a listing may show a name otherwise than git has it."""
    paths = {entry.path for entry in entries}
    return len(paths) < len(entries) or any(REPLACEMENT in path for path in paths)


def _folders(tree_sha: str, entries: Sequence[TreeEntry]) -> list[_Folder]:
    """Return the folders of a listing, each after the folder around it."""
    root = _Folder(tree_sha, None, None)
    folders = [root]
    latest = {"": root}
    for at, entry in enumerate(entries):
        parent = latest.get(entry.path.rpartition("/")[0])
        if parent is None:
            # GitHub lists every folder before what is in it.
            continue
        parent.members.append(at)
        if entry.type == "tree":
            latest[entry.path] = folder = _Folder(entry.sha, parent, at)
            folders.append(folder)
    for folder in folders:
        names = [entries[at].path.rpartition("/")[2] for at in folder.members]
        folder.is_doubtful = len(set(names)) < len(names) or any(
            REPLACEMENT in name for name in names
        )
    return folders


def _unproved(folders: Sequence[_Folder], entries: Sequence[TreeEntry]) -> list[_Folder]:
    """Return the doubtful folders whose names, as they are shown, are not those of their trees."""
    return [
        folder
        for folder in folders
        if folder.is_doubtful
        and tree_id(_member(entries[at]) for at in folder.members) != folder.tree_sha
    ]


def _member(entry: TreeEntry) -> TreeMember:
    return TreeMember(entry.path.rpartition("/")[2], entry.mode, entry.sha)


def _renamed(
    folders: Sequence[_Folder],
    unproved: Sequence[_Folder],
    entries: Sequence[TreeEntry],
    members: Mapping[str, Sequence[TreeMember]],
) -> tuple[TreeEntry, ...]:
    renamed = [replace(entry, path=entry.path.replace(REPLACEMENT, UNKNOWN)) for entry in entries]
    doubted = set(map(id, unproved))
    for folder in folders:
        # The names of the folders around it are known already.
        folder.path = "" if folder.entry is None else renamed[folder.entry].path
        names = [entries[at].path.rpartition("/")[2] for at in folder.members]
        if id(folder) in doubted:
            names = _proved_names(folder, entries, members.get(folder.tree_sha, ())) or _marked(
                names
            )
        prefix = f"{folder.path}/" if folder.path else ""
        for at, name in zip(folder.members, names, strict=True):
            renamed[at] = replace(entries[at], path=prefix + name)
    return tuple(renamed)


def _proved_names(
    folder: _Folder, entries: Sequence[TreeEntry], members: Sequence[TreeMember]
) -> list[str] | None:
    """Return the names of a folder's entries, if they hash to its tree, in the entries' order."""
    listed = [entries[at] for at in folder.members]
    if [member.sha for member in members] != [entry.sha for entry in listed]:
        return None
    named = [
        TreeMember(member.path, entry.mode, entry.sha)
        for member, entry in zip(members, listed, strict=True)
    ]
    return [member.path for member in named] if tree_id(named) == folder.tree_sha else None


def _marked(names: Sequence[str]) -> list[str]:
    """Mark the names that are not known, so that each is different."""
    count = Counter(names)
    seen: Counter[str] = Counter()
    marked: list[str] = []
    for name in names:
        if REPLACEMENT in name or count[name] > 1:
            text = name.replace(REPLACEMENT, UNKNOWN) if REPLACEMENT in name else UNKNOWN + name
            marked.append(text.replace(UNKNOWN, unknown_number(seen[name]), 1))
            seen[name] += 1
        else:
            marked.append(name)
    return marked
