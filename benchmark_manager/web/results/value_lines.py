"""Varied values on one short line each, so that different values look different."""

from collections.abc import Iterable, Mapping
from itertools import pairwise
from typing import Final

from pydantic import JsonValue

from benchmark_manager.domain.sweeps.values import value_key
from benchmark_manager.domain.text.json_line import json_line, shortened

#: Characters of a value of which the first difference is searched.
_SEARCHED: Final = 1_100
#: Of a line that begins in the middle: how much is before the first difference.
_BEFORE: Final = 12


class ValueLines:
    """Lines of the values of one column; each is at most `most` characters long.

    A long value is cut. Where its beginning is that of another one as well, its line begins shortly
    before the first character in which they differ.
    """

    def __init__(self, values: Iterable[JsonValue], most: int) -> None:
        different = {value_key(value): value for value in values}
        self._lines = _lines({key: json_line(v, _SEARCHED) for key, v in different.items()}, most)

    def of(self, value: JsonValue) -> str:
        """Return the line of one of the values."""
        return self._lines[value_key(value)]


def _lines(whole: Mapping[str, str], most: int) -> dict[str, str]:
    if all(len(line) <= most for line in whole.values()):
        return dict(whole)
    # Of sorted lines, a neighbour has most in common.
    order = sorted(whole, key=whole.__getitem__)
    same = [0, *(_common(whole[a], whole[b]) for a, b in pairwise(order)), 0]
    return {
        key: _line(whole[key], max(same[number], same[number + 1]), most)
        for number, key in enumerate(order)
    }


def _common(one: str, other: str) -> int:
    pairs = enumerate(zip(one, other, strict=False))
    return next((number for number, (a, b) in pairs if a != b), min(len(one), len(other)))


def _line(whole: str, same: int, most: int) -> str:
    if len(whole) <= most or same < most - 1:
        return shortened(whole, most)
    return shortened(f"…{whole[same - _BEFORE :]}", most)
