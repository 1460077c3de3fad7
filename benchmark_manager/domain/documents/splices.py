"""Edits of a text by position."""

from collections.abc import Iterable
from dataclasses import dataclass
from itertools import pairwise


class OverlappingSplicesError(Exception):
    """Two edits change the same characters."""


@dataclass(frozen=True, slots=True)
class Splice:
    """The characters from `start` to `end` of a text become `text`."""

    start: int
    end: int
    text: str


def spliced(text: str, splices: Iterable[Splice]) -> str:
    """Return the text with all edits; what is inserted at one position keeps its order.

    Raises:
        OverlappingSplicesError: two of them change the same characters.
    """
    ordered = sorted(splices, key=lambda splice: (splice.start, splice.end))
    if any(one.end > two.start for one, two in pairwise(ordered)):
        raise OverlappingSplicesError
    pieces: list[str] = []
    at = 0
    for splice in ordered:
        pieces += (text[at : splice.start], splice.text)
        at = splice.end
    return "".join([*pieces, text[at:]])
