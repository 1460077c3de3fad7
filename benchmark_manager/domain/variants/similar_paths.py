"""Find the paths that are most similar to a given one."""

from collections.abc import Iterable
from heapq import nlargest
from typing import Final

#: Characters of a path that are compared, from its end, where the file's name is.
_COMPARED: Final = 300
#: How much the name counts, against the whole path.
_NAME_WEIGHT: Final = 2


def most_similar(path: str, others: Iterable[str], count: int) -> list[str]:
    """Return the `count` paths that are most similar to `path`, the most similar first.

    Similarity is the share of common letter pairs in the file names, which counts double, and in
    the whole paths.
    """
    name_pairs, path_pairs = _pairs(_name(path)), _pairs(path)

    def similarity(other: str) -> float:
        return _NAME_WEIGHT * _shared(name_pairs, _pairs(_name(other))) + _shared(
            path_pairs, _pairs(other)
        )

    # Equally similar paths are returned in their own order, whatever order they come in.
    return nlargest(count, sorted(others), key=similarity)


def _name(path: str) -> str:
    """Return the file's name without its ending, which all candidates share."""
    name = path.rpartition("/")[2]
    return name.rpartition(".")[0] or name


def _pairs(text: str) -> frozenset[str]:
    folded = f"^{text[-_COMPARED:].casefold()}$"
    return frozenset(folded[at : at + 2] for at in range(len(folded) - 1))


def _shared(some: frozenset[str], others: frozenset[str]) -> float:
    """Return Dice's coefficient: from 0 (no pair in common) to 1 (the same pairs)."""
    return 2 * len(some & others) / (len(some) + len(others))
