"""A tree of folders with thousands of files, which a reader opens one by one."""

from collections import deque
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from typing import Final, Literal

from benchmark_manager.models.original import FileEntry
from benchmark_manager.web.texts.limits import NAME, TREE, fitting
from benchmark_manager.web.texts.visible import html_size

#: Folders are open from the top down until this many rows are visible.
_SEEN_AT_ONCE: Final = 40
#: The same limit for the first folder, since a page with one closed folder is of no use.
_SEEN_OF_THE_FIRST: Final = 400
#: Direct rows of a folder on one page, and the bytes of HTML of a row without its name.
_ROWS: Final = 4000
_ROW_BYTES: Final = 250


@dataclass(slots=True)
class Folder:
    """A folder; `label` is its path below its parent, joined over folders with a single subfolder.

    With `is_cut`, the page does not show its content but links to a page of its own.
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
    """A page of a folder: `shown` of its `total` direct rows from `start` on, with subfolders."""

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
        """Return the first row of the folder's next page, or None on the last page."""
        return self.end if self.end < self.total else None

    @property
    def parent(self) -> str:
        return self.folder.rpartition("/")[0]


def tree_page(entries: Sequence[FileEntry], folder: str, start: int) -> TreePage:
    """Return as much of a folder as fits on a page; its direct rows first, then level by level."""
    top = tree_of(entries, folder)
    own: list[Folder | FileEntry] = [*top.folders.values(), *top.files]
    start = start if 0 <= start < len(own) else 0
    shown = fitting(own[start : start + _ROWS], _cost, TREE)
    _cut(shown, TREE - sum(_cost(item) for item in shown))
    if len(own) == 1 and isinstance(own[0], Folder) and own[0].is_cut:
        # A page with nothing but a link to one folder would be useless.
        return tree_page(entries, own[0].path, start)
    return TreePage(folder, tuple(_rows(_marked(shown))), start, len(shown), len(own))


def tree_of(entries: Sequence[FileEntry], inside: str = "") -> Folder:
    """Return the tree of these files, which are sorted by path, with the folder `inside` on top."""
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
    """Mark the folders whose contents do not fit any more, level by level."""
    waiting = deque(item for item in shown if isinstance(item, Folder))
    while waiting:
        folder = waiting.popleft()
        inside: list[Folder | FileEntry] = []
        if folder.rows <= left // _ROW_BYTES:
            inside = [*folder.folders.values(), *folder.files]
        # A folder whose content is shown needs no link to its own page.
        cost = sum(_cost(item) for item in inside) - _link_cost(folder)
        folder.is_cut = not inside or cost > left
        if not folder.is_cut:
            left -= cost
            waiting += folder.folders.values()


def _cost(item: Folder | FileEntry) -> int:
    """Return the bytes of HTML of a row: tags, marks, name, and the address of a folder."""
    if isinstance(item, FileEntry):
        return _ROW_BYTES + html_size(item.name[:NAME])
    return 2 * _ROW_BYTES + html_size(item.label[:NAME]) + _link_cost(item)


def _link_cost(folder: Folder) -> int:
    """Return the bytes of a folder's address: up to three for each byte of its path."""
    return 3 * len(folder.path.encode())


def _rows(stack: list[Row]) -> Iterator[Row]:
    """Yield all rows in order: a folder opens, its folders and files follow, it closes.

    Without recursion, because a repository may be deeper than Python's limit of nested calls.
    """
    while stack:
        row = stack.pop()
        yield row
        if row[0] == "open" and isinstance(row[1], Folder):
            stack.append(("close", row[1]))
            stack += _marked([*row[1].folders.values(), *row[1].files])


def _marked(items: Sequence[Folder | FileEntry]) -> list[Row]:
    """Return the rows of a folder in reverse order."""
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
    """Yield all subfolders level by level, without recursion."""
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
