"""The differences between two releases, as a page shows them."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from benchmark_manager.domain.releases.comparison import ChangedFile, ReleaseComparison
from benchmark_manager.web.texts.limits import NAME, Window, fitting, window
from benchmark_manager.web.texts.values import DrawnChange, drawn_changes
from benchmark_manager.web.texts.visible import html_size

#: Limits of paths in a list, of changed files, and of changes by key in each; below, the bytes of
#: HTML of each of these lists.
_PATHS: Final = 500
_FILES: Final = 200
_CHANGES: Final = 100
_PATHS_BYTES: Final = 300_000
_FILES_BYTES: Final = 1_000_000
_CHANGES_BYTES: Final = 60_000
_ROW_BYTES: Final = 150
_TABLE_BYTES: Final = 600


@dataclass(frozen=True, slots=True)
class DrawnChangedFile:
    """A changed file with its first changes by key; `rows` is None if it has no keys to compare."""

    path: str
    rows: Sequence[DrawnChange] | None
    count: int

    @property
    def cost(self) -> int:
        return _TABLE_BYTES + html_size(self.path[:NAME]) + sum(row.cost for row in self.rows or ())


@dataclass(frozen=True, slots=True)
class DrawnComparison:
    """The first added and removed paths, and the first changed files."""

    added: Window[str]
    removed: Window[str]
    changed: Window[DrawnChangedFile]

    @classmethod
    def of(cls, found: ReleaseComparison) -> "DrawnComparison":
        drawn = [_drawn(file) for file in found.changed[:_FILES]]
        shown = fitting(drawn, lambda file: file.cost, _FILES_BYTES)
        return cls(_paths(found.added), _paths(found.removed), Window(shown, 0, len(found.changed)))


def _paths(paths: Sequence[str]) -> Window[str]:
    return window(paths, 0, _PATHS, lambda path: _ROW_BYTES + html_size(path[:NAME]), _PATHS_BYTES)


def _drawn(file: ChangedFile) -> DrawnChangedFile:
    if file.changes is None:
        return DrawnChangedFile(file.path, None, 0)
    return DrawnChangedFile(
        file.path, drawn_changes(file.changes[:_CHANGES], _CHANGES_BYTES), len(file.changes)
    )
