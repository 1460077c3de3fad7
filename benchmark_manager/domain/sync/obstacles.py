"""Obstacles: the symbolic link or submodule at or above the path of a missing folder."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from typing import Final, Protocol

_SYMLINK: Final = "120000"
_SUBMODULE: Final = "160000"
#: Systems have no longer paths, bytes.
_LONGEST_TARGET: Final = 4096


class _ListedEntry(Protocol):
    @property
    def path(self) -> str: ...
    @property
    def mode(self) -> str: ...
    @property
    def sha(self) -> str: ...


@dataclass(frozen=True, slots=True)
class Obstacle:
    """A link or submodule at a folder's path or above it.

    `target` is where the link points; None while unknown.
    """

    path: str
    mode: str
    sha: str
    target: bytes | None = None

    @property
    def is_link(self) -> bool:
        return self.mode == _SYMLINK

    @property
    def longest_target(self) -> int:
        return _LONGEST_TARGET

    def pointing_to(self, target: bytes) -> "Obstacle":
        return replace(self, target=target)


def is_obstacle(mode: str) -> bool:
    return mode in {_SYMLINK, _SUBMODULE}


def obstacles_among(entries: Iterable[_ListedEntry], folders: Iterable[str]) -> dict[str, Obstacle]:
    """Return what entries, by their paths from the root, show in the way of folders."""
    wanted = {folder: paths_to(folder) for folder in folders}
    paths = {path for found in wanted.values() for path in found}
    if not paths:
        return {}
    there: Mapping[str, _ListedEntry] = {
        entry.path: entry for entry in entries if entry.path in paths and is_obstacle(entry.mode)
    }
    found = {}
    for folder, above in wanted.items():
        first = next((there[path] for path in above if path in there), None)
        if first is not None:
            found[folder] = Obstacle(first.path, first.mode, first.sha)
    return found


def paths_to(folder: str) -> list[str]:
    """Return the folder's path and those above it, the outermost first, without the root."""
    names = folder.split("/") if folder else []
    return ["/".join(names[: end + 1]) for end in range(len(names))]
