"""Thousands of files as a tree of folders which a reader opens."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from typing import Final, Literal

from benchmark_manager.models.original_file import FileEntry

#: Folders stand open from the top until this many rows would be seen.
_SEEN_AT_ONCE: Final = 40
#: The first folder stands open up to this many, as a page which shows one closed folder shows nothing.
_SEEN_OF_THE_FIRST: Final = 400


@dataclass(slots=True)
class Folder:
    """A folder; `label` names it below its parent: of a chain of folders with nothing else in them, all."""

    path: str
    label: str
    folders: dict[str, "Folder"] = field(default_factory=dict)
    files: list[FileEntry] = field(default_factory=list)
    count: int = 0
    problems: int = 0
    variants: int = 0
    is_open: bool = False

    @property
    def rows(self) -> int:
        return len(self.folders) + len(self.files)


Row = tuple[Literal["open", "file", "close"], Folder | FileEntry]


def tree_of(entries: Sequence[FileEntry]) -> Folder:
    """The folders of these files, which come sorted by path; the top is the repository itself."""
    top = Folder("", "", is_open=True)
    for entry in entries:
        folder = _counted(top, entry)
        parts = entry.path.split("/")
        for depth, name in enumerate(parts[:-1], 1):
            if name not in folder.folders:
                folder.folders[name] = Folder("/".join(parts[:depth]), name)
            folder = _counted(folder.folders[name], entry)
        folder.files.append(entry)
    _join_chains(top)
    _open(top)
    return top


def rows_of(top: Folder) -> Iterator[Row]:
    """What is below, as it is written down: a folder opens, its folders and files follow, it closes.

    Flat, as a repository may be deeper than Python nests calls.
    """
    stack = _inside(top)
    while stack:
        row = stack.pop()
        yield row
        if row[0] == "open" and isinstance(row[1], Folder):
            stack.append(("close", row[1]))
            stack += _inside(row[1])


def _inside(folder: Folder) -> list[Row]:
    """The rows of a folder, the last one first."""
    files: list[Row] = [("file", file) for file in reversed(folder.files)]
    return files + [("open", inner) for inner in reversed(folder.folders.values())]


def _counted(folder: Folder, entry: FileEntry) -> Folder:
    folder.count += 1
    folder.problems += entry.errors > 0
    folder.variants += entry.variants
    return folder


def _below(top: Folder) -> Iterator[Folder]:
    """All folders below, level by level: no path of GitHub's is too deep for this."""
    level = [top]
    while level:
        level = [folder for parent in level for folder in parent.folders.values()]
        yield from level


def _join_chains(top: Folder) -> None:
    for folder in _below(top):
        while not folder.files and len(folder.folders) == 1:
            [only] = folder.folders.values()
            folder.label = f"{folder.label}/{only.label}"
            folder.path, folder.folders, folder.files = only.path, only.folders, only.files


def _open(top: Folder) -> None:
    seen = top.rows
    first = next(iter(top.folders.values()), None)
    for folder in _below(top):
        if seen + folder.rows > (_SEEN_OF_THE_FIRST if folder is first else _SEEN_AT_ONCE):
            return
        seen += folder.rows
        folder.is_open = True
