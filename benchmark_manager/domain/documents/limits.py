"""What a comparison by key may cost."""

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Final, Protocol, TypeVar

from benchmark_manager.domain.documents.nodes import DocumentTree, Identities
from benchmark_manager.domain.documents.parse import MOST_VALUES, most_values, try_parse
from benchmark_manager.models.original import FileFormat

#: Characters of all paths of one answer: a key of half a megabyte is part of the path of everything
#: below it.
_MOST_PATHS: Final = 16_000_000


def comparable_tree(
    text: str, file_format: FileFormat, identities: Identities
) -> DocumentTree | None:
    """Return the tree of a text; None where it has none, or is too large."""
    return None if most_values(text) > MOST_VALUES else try_parse(text, file_format, identities)


@dataclass(slots=True)
class PathBudget:
    """Characters that paths may still have."""

    left: int = _MOST_PATHS

    def affords(self, path: str) -> bool:
        """Return whether there was room for this path."""
        self.left -= len(path)
        return self.left >= 0


class _HasPath(Protocol):
    @property
    def path(self) -> str: ...


_Shown = TypeVar("_Shown", bound=_HasPath)


def affordable(found: Iterable[_Shown], budget: PathBudget) -> tuple[_Shown, ...] | None:
    """Return all of them, or None where their paths are too long together."""
    kept: list[_Shown] = []
    for one in found:
        if not budget.affords(one.path):
            return None
        kept.append(one)
    return tuple(kept)
