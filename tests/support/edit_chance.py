"""Values and edits by chance, for texts that were read with `edit_checks`."""

import math
import random
from collections.abc import Callable, Sequence
from typing import Any, Final

from support.edit_checks import EditTarget, Parsed, PlannedEdit, ReadText

_STRINGS: Final = (
    *("word", "two words", "", "no", "1", "1e3", "0x1f", "1_000", "12:30", "null", "~", "=", "<<"),
    *("a: b", "a #b", "#a", "- a", "-", "--flag=1", "{a}", "[a]", "{{ x }}", "*a", "&a"),
    *("!a", "%a"),
    *("@a", "`a", "|", ">", "it's", 'say "x"', "back\\slash", " before", "behind ", "a:", ":a"),
    *("2024-01-01", "a\tb", "a\nb", "a\nb\n", "\n", "a\n\nb\n", " a\nb", "a\r\nb", "\x00", "\x85"),
    *("한국어", "é\u2028x", "🙂", "\ufeff", "---", "--- a", "...", "?", "? a", "a, b", "$(VAR)"),
)


class EditChance:
    """Makes values and edits by chance."""

    def __init__(self, seed: str) -> None:
        self.random = random.Random(seed)  # noqa: S311 -- a choice, no secret

    def value(self, depth: int = 2) -> Parsed:
        kinds: list[Callable[[], Any]] = [self._string, self._string, self._number, self._word]
        if depth:
            kinds += [lambda: self._list(depth), lambda: self._mapping(depth)]
        return self.random.choice(kinds)()

    def _string(self) -> str:
        return self.random.choice(_STRINGS)

    def _word(self) -> bool | None:
        return self.random.choice([True, False, None])

    def _number(self) -> float:
        numbers = [0, 1, -1, 8, 4096, 10**15, 10**30, -0.0, 0.0, 1.0, 0.9, 1e-05, 1.5e-7, 1e16]
        return self.random.choice([*numbers, self.random.random(), self.random.randrange(10**6)])

    def _list(self, depth: int) -> list[Any]:
        return [self.value(depth - 1) for _ in range(self.random.randrange(4))]

    def _mapping(self, depth: int) -> dict[str, Any]:
        keys = self.random.sample(["a", "b c", "no", "1", "nvidia.com/gpu", "x: y", ""], 3)
        return {key: self.value(depth - 1) for key in keys[: self.random.randrange(4)]}

    def edits(self, text: ReadText) -> list[PlannedEdit]:
        count = min(self.random.choice([1, 1, 2, 3, 4]), len(text.targets))
        flags = [target for target in text.targets if target.flag is not None]
        targets = self.random.sample(text.targets, count)
        if flags and self.random.random() < 0.5:
            targets[-1] = self.random.choice(flags)
        kept: list[EditTarget] = []
        for target in targets:
            if not any(_collides(target, other) for other in kept):
                kept.append(target)
        return [self._edit(text, target) for target in kept]

    def _edit(self, text: ReadText, target: EditTarget) -> PlannedEdit:
        if target.adds:
            keys = ("by-a-person", "in side", "no")[: self.random.choice([1, 1, 2, 3])]
            return PlannedEdit(target, self.value(), keys)
        if target.flag is not None:
            return PlannedEdit(target, self.value(1))
        if self.random.random() < 0.1:
            return PlannedEdit(target, _at(text.documents, target))
        return PlannedEdit(target, self.value())


def _at(documents: Sequence[Any], target: EditTarget) -> Parsed:
    """Return the value at a target; another where JSON has no form for it."""
    value: Any = documents
    for step in target.locator:
        if not isinstance(value, (list, dict)):
            return "same"
        value = value[step]
    is_finite = not isinstance(value, float) or math.isfinite(value)
    return value if isinstance(value, (str, int, float)) and is_finite else "same"


def _collides(one: EditTarget, other: EditTarget) -> bool:
    return _covers(one, other) or _covers(other, one)


def _covers(outer: EditTarget, inner: EditTarget) -> bool:
    """Return whether another value for one target leaves nothing of the other."""
    return not outer.adds and inner.locator[: len(outer.locator)] == outer.locator
