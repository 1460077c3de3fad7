"""What differs between two releases, as a page shows it."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from benchmark_manager.domain.releases.comparison import ChangedFile, ReleaseComparison
from benchmark_manager.web.site.limits import NAME, Window, fitting, window
from benchmark_manager.web.texts.values import DrawnChange, drawn_changes
from benchmark_manager.web.texts.visible import html_size

#: Paths in a list, changed files, and changes by key of each; and the bytes of HTML of each of the
#: three lists.
_PATHS: Final = 500
_FILES: Final = 200
_CHANGES: Final = 100
_PATHS_BYTES: Final = 300_000
_FILES_BYTES: Final = 1_000_000
_CHANGES_BYTES: Final = 60_000
_ROW_BYTES: Final = 150
_TABLE_BYTES: Final = 600


@dataclass(frozen=True, slots=True)
class DrawnFile:
    """A changed file with the first of its changes by key; `rows` is None where it was not compared by key."""

    path: str
    rows: Sequence[DrawnChange] | None
    count: int

    @property
    def cost(self) -> int:
        return _TABLE_BYTES + html_size(self.path[:NAME]) + sum(row.cost for row in self.rows or ())


@dataclass(frozen=True, slots=True)
class DrawnComparison:
    """The first of the paths that were added and removed, and of the changed files."""

    added: Window[str]
    removed: Window[str]
    changed: Window[DrawnFile]

    @classmethod
    def of(cls, found: ReleaseComparison) -> "DrawnComparison":
        drawn = [_drawn(file) for file in found.changed[:_FILES]]
        shown = fitting(drawn, lambda file: file.cost, _FILES_BYTES)
        return cls(_paths(found.added), _paths(found.removed), Window(shown, 0, len(found.changed)))


def _paths(paths: Sequence[str]) -> Window[str]:
    return window(paths, 0, _PATHS, lambda path: _ROW_BYTES + html_size(path[:NAME]), _PATHS_BYTES)


def _drawn(file: ChangedFile) -> DrawnFile:
    if file.changes is None:
        return DrawnFile(file.path, None, 0)
    return DrawnFile(
        file.path, drawn_changes(file.changes[:_CHANGES], _CHANGES_BYTES), len(file.changes)
    )
