"""Which paths are most like a given one."""

from collections.abc import Iterable
from heapq import nlargest
from typing import Final

#: Characters of a path that are compared: its end, as the file's name stands there.
_COMPARED: Final = 300
#: What the name counts against the whole path.
_NAME_WEIGHT: Final = 2


def most_similar(path: str, others: Iterable[str], count: int) -> list[str]:
    """Return the `count` paths that are most like `path`, best first.

    Likeness is the share of common letter pairs, of the names and of the whole paths; the name
    counts double.
    """
    name_pairs, path_pairs = _pairs(_name(path)), _pairs(path)

    def likeness(other: str) -> float:
        return _NAME_WEIGHT * _shared(name_pairs, _pairs(_name(other))) + _shared(
            path_pairs, _pairs(other)
        )

    # Equally similar ones stand in the order of their paths, whatever order they come in.
    return nlargest(count, sorted(others), key=likeness)


def _name(path: str) -> str:
    """The file's name without its ending, which all candidates share."""
    name = path.rpartition("/")[2]
    return name.rpartition(".")[0] or name


def _pairs(text: str) -> frozenset[str]:
    folded = f"^{text[-_COMPARED:].casefold()}$"
    return frozenset(folded[at : at + 2] for at in range(len(folded) - 1))


def _shared(some: frozenset[str], others: frozenset[str]) -> float:
    """Dice's coefficient: from 0, nothing in common, to 1, the same pairs."""
    return 2 * len(some & others) / (len(some) + len(others))
