"""Selection: which files of a listing belong to a project, by its folders and patterns."""

from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from functools import cached_property
from typing import Final, Literal, Protocol, TypeAlias

from benchmark_manager.domain.projects.file_patterns import matcher
from benchmark_manager.domain.sync.classification import (
    Candidate,
    candidate,
    format_of,
    skip_reason_of_entry,
)
from benchmark_manager.domain.sync.entry_names import readable_names
from benchmark_manager.models.original import SkipReason

_SYMLINK: Final = "120000"
_LINKS: Final = frozenset({_SYMLINK, "160000"})

#: What an entry is to a project; `not_yaml` and `link` are listed as skipped, whatever they hold.
Belonging: TypeAlias = Candidate | Literal["not_yaml", "link"]


def _is_other_file(name: str) -> bool:
    """Return whether a link of this name stands for a file that is neither YAML nor JSON.

    Folders are called `v1.2` and `llama-3.1`, so an ending has letters only.
    """
    stem, _, ending = name.rpartition(".")
    return stem != "" and ending.isascii() and ending.isalpha() and format_of(name) is None


class ListedFile(Protocol):
    """An entry of a listing: its path from the root, git's mode, and its size where known."""

    @property
    def path(self) -> str: ...
    @property
    def mode(self) -> str: ...
    @property
    def size(self) -> int | None: ...


@dataclass(frozen=True)
class Selection:
    """Two folders, normalised, and the patterns that narrow both."""

    config_folder: str
    job_folder: str
    include: tuple[str, ...] = ()
    exclude: tuple[str, ...] = ()

    def belonging(self, path: str, mode: str) -> Belonging | None:
        """Return what an entry is to the project, None if it is of no interest."""
        found = candidate(path, mode, self.config_folder, self.job_folder) or self._listed(
            path, mode
        )
        return found if found is not None and self.admits(path) else None

    def _listed(self, path: str, mode: str) -> Literal["not_yaml", "link"] | None:
        """Return what an entry is that is listed as skipped although it can be no original."""
        as_yaml = candidate(f"{path}.yaml", "100644", self.config_folder, self.job_folder)
        if as_yaml is None:
            return None
        if mode in _LINKS:
            # It may point to a folder of files.
            return None if mode == _SYMLINK and _is_other_file(path.rpartition("/")[2]) else "link"
        return (
            "not_yaml"
            if as_yaml == "job" and format_of(path) == "json" and mode != "040000"
            else None
        )

    def admits(self, path: str) -> bool:
        """Return whether the patterns admit a path, in whichever folder."""
        if self.include and not self._included(path):
            return False
        return not (self.exclude and self._excluded(path))

    @cached_property
    def _included(self) -> Callable[[str], bool]:
        return matcher(self.include)

    @cached_property
    def _excluded(self) -> Callable[[str], bool]:
        return matcher(self.exclude)


@dataclass(slots=True)
class SelectedFiles:
    """The files of a listing that would be copied or skipped, by paths, modes and sizes."""

    originals: dict[str, Candidate] = field(default_factory=dict)
    skipped: dict[str, SkipReason] = field(default_factory=dict)


def select(
    entries: Iterable[ListedFile], selection: Selection, max_file_size: int
) -> SelectedFiles:
    """Select from a complete listing without reading any content."""
    found = SelectedFiles()
    unnamed: list[str] = []
    for entry in entries:
        belonging = selection.belonging(entry.path, entry.mode)
        if belonging is None:
            continue
        reason = skip_reason(belonging, entry.path, entry.mode, entry.size, max_file_size)
        if reason == "name_not_utf8":
            unnamed.append(entry.path)
        elif reason is not None:
            found.skipped[entry.path] = reason
        # Compared one by one: mypy narrows no type by `in`.
        elif belonging != "not_yaml" and belonging != "link":  # noqa: PLR1714
            found.originals[entry.path] = belonging
    names = readable_names(unnamed, found.originals.keys() | found.skipped.keys())
    found.skipped |= dict.fromkeys(names.values(), "name_not_utf8")
    return found


def skip_reason(
    belonging: Belonging, path: str, mode: str, size: int | None, max_file_size: int
) -> SkipReason | None:
    """Return why an entry that belongs to the project is not copied, as far as the listing says."""
    reason = skip_reason_of_entry(mode, size, max_file_size, path=path)
    if belonging == "not_yaml" and reason in {None, "too_large"}:
        return "not_yaml"
    return reason
