"""Thousands of files as a tree of folders which a reader opens."""

from collections import deque
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from typing import Final, Literal

from benchmark_manager.models.original import FileEntry
from benchmark_manager.web.site.limits import NAME, TREE, fitting
from benchmark_manager.web.texts.visible import html_size

#: Folders stand open from the top until this many rows would be seen.
_SEEN_AT_ONCE: Final = 40
#: The first folder stands open up to this many, as a page which shows one closed folder shows
#: nothing.
_SEEN_OF_THE_FIRST: Final = 400
#: Own rows of a folder on one page, and the bytes of HTML of a row without its name.
_ROWS: Final = 4000
_ROW_BYTES: Final = 250


@dataclass(slots=True)
class Folder:
    """A folder; `label` names it below its parent: of a chain of folders with nothing else in them, all.

    `is_cut` says that the page does not show what is in it, and links to a page of its own.
    """

    path: str
    label: str
    folders: dict[str, "Folder"] = field(default_factory=dict)
    files: list[FileEntry] = field(default_factory=list)
    count: int = 0
    problems: int = 0
    variants: int = 0
    is_open: bool = False
    is_cut: bool = False

    @property
    def rows(self) -> int:
        return len(self.folders) + len(self.files)


Row = tuple[Literal["open", "folder", "file", "close"], Folder | FileEntry]


@dataclass(frozen=True, slots=True)
class TreePage:
    """What a page shows of a folder: `shown` of its `total` own rows, from `start` on, and what is below them."""

    folder: str
    rows: tuple[Row, ...]
    start: int
    shown: int
    total: int

    @property
    def end(self) -> int:
        return self.start + self.shown

    @property
    def following(self) -> int | None:
        """Where the next page of the folder starts."""
        return self.end if self.end < self.total else None

    @property
    def parent(self) -> str:
        return self.folder.rpartition("/")[0]


def tree_page(entries: Sequence[FileEntry], folder: str, start: int) -> TreePage:
    """As much of a folder as a page has room for: level by level, so that its own rows come first."""
    top = tree_of(entries, folder)
    own: list[Folder | FileEntry] = [*top.folders.values(), *top.files]
    start = start if 0 <= start < len(own) else 0
    shown = fitting(own[start : start + _ROWS], _cost, TREE)
    _cut(shown, TREE - sum(_cost(item) for item in shown))
    if len(own) == 1 and isinstance(own[0], Folder) and own[0].is_cut:
        # A page of one folder, which it would only link to, shows nothing.
        return tree_page(entries, own[0].path, start)
    return TreePage(folder, tuple(_rows(_marked(shown))), start, len(shown), len(own))


def tree_of(entries: Sequence[FileEntry], inside: str = "") -> Folder:
    """The folders of these files, which come sorted by path; the top is the repository, or the folder `inside`."""
    top = Folder(inside, "", is_open=True)
    within = f"{inside}/" if inside else ""
    skipped = within.count("/")
    for entry in entries:
        if not entry.path.startswith(within):
            continue
        folder = _counted(top, entry)
        parts = entry.path.split("/")
        for depth, name in enumerate(parts[skipped:-1], skipped + 1):
            if name not in folder.folders:
                folder.folders[name] = Folder("/".join(parts[:depth]), name)
            folder = _counted(folder.folders[name], entry)
        folder.files.append(entry)
    _join_chains(top)
    _open(top)
    return top


def _cut(shown: Sequence[Folder | FileEntry], left: int) -> None:
    """Mark the folders whose contents have no room any more, going down level by level."""
    waiting = deque(item for item in shown if isinstance(item, Folder))
    while waiting:
        folder = waiting.popleft()
        inside: list[Folder | FileEntry] = []
        if folder.rows <= left // _ROW_BYTES:
            inside = [*folder.folders.values(), *folder.files]
        # What is shown needs no link to a page of its own.
        cost = sum(_cost(item) for item in inside) - _link_cost(folder)
        folder.is_cut = not inside or cost > left
        if not folder.is_cut:
            left -= cost
            waiting += folder.folders.values()


def _cost(item: Folder | FileEntry) -> int:
    """Bytes of HTML of a row: its tags and marks, its name, and of a folder its address."""
    if isinstance(item, FileEntry):
        return _ROW_BYTES + html_size(item.name[:NAME])
    return 2 * _ROW_BYTES + html_size(item.label[:NAME]) + _link_cost(item)


def _link_cost(folder: Folder) -> int:
    """Each byte of a path takes up to three in an address."""
    return 3 * len(folder.path.encode())


def _rows(stack: list[Row]) -> Iterator[Row]:
    """What is below, as it is written down: a folder opens, its folders and files follow, it closes.

    Flat, as a repository may be deeper than Python nests calls.
    """
    while stack:
        row = stack.pop()
        yield row
        if row[0] == "open" and isinstance(row[1], Folder):
            stack.append(("close", row[1]))
            stack += _marked([*row[1].folders.values(), *row[1].files])


def _marked(items: Sequence[Folder | FileEntry]) -> list[Row]:
    """The rows of a folder, the last one first."""
    return [(_kind(item), item) for item in reversed(items)]


def _kind(item: Folder | FileEntry) -> Literal["open", "folder", "file"]:
    if isinstance(item, FileEntry):
        return "file"
    return "folder" if item.is_cut else "open"


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
