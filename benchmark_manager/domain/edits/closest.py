"""Find the path that is closest in spelling to one that does not exist."""

from collections.abc import Sequence
from difflib import SequenceMatcher
from heapq import nlargest
from typing import Final

#: Paths that are compared letter by letter, out of those with the most letter pairs in common.
_FINALISTS: Final = 8
#: Characters of a path that are compared, from its end.
_COMPARED: Final = 200
#: How similar a path has to be to be worth a suggestion.
_LEAST: Final = 0.4


def closest_path(path: str, others: Sequence[str]) -> str | None:
    """Return the most similar of other paths, the first of equal ones; None if none is similar.

    Only paths of visible characters are suggested.
    """
    pairs = _pairs(path)
    printable = filter(str.isprintable, others)
    finalists = nlargest(_FINALISTS, printable, key=lambda other: _shared(pairs, _pairs(other)))
    matcher = SequenceMatcher(a="", b=path[-_COMPARED:], autojunk=False)
    best, found = _LEAST, None
    for other in finalists:
        matcher.set_seq1(other[-_COMPARED:])
        if (ratio := matcher.ratio()) > best:
            best, found = ratio, other
    return found


def _pairs(text: str) -> frozenset[str]:
    folded = f"^{text[-_COMPARED:].casefold()}$"
    return frozenset(folded[at : at + 2] for at in range(len(folded) - 1))


def _shared(some: frozenset[str], others: frozenset[str]) -> float:
    """Return Dice's coefficient: from 0 (no pair in common) to 1 (the same pairs)."""
    return 2 * len(some & others) / (len(some) + len(others))
