"""Variants that differ from a text with a known tree in plain values only.

They need no tree of their own.

Most variants are of this kind, and reading a tree takes a hundred times as long as comparing lines.
"""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from benchmark_manager.domain.documents.nodes import DocumentTree, Identities, Scalar
from benchmark_manager.domain.documents.paths import ITEM_KEYS, Path
from benchmark_manager.domain.documents.scalars import Reading

#: A plain scalar which stands for itself wherever another one stood, in a block and between
#: brackets.
_SAFE: Final = re.compile(r"[A-Za-z0-9][\w./-]*+", re.ASCII)
#: What items and documents are called by: with another one, other paths lead to what is in them.
_NAMING: Final = frozenset({f".{key}" for key in (*ITEM_KEYS, "kind", "namespace")})


@dataclass(frozen=True, slots=True)
class ScalarEdit:
    """A position in the known tree, and what the other text has there: `text` is its source."""

    path: Path
    node: Scalar
    reading: Reading
    text: str


class ScalarEdits:
    """Finds them in any number of texts.

    Args:
        tree: YAML.
        leaves: the scalars of the tree with their paths, in its order.
        identities: those that the tree was read with.
    """

    def __init__(
        self, tree: DocumentTree, leaves: Sequence[tuple[Path, Scalar]], identities: Identities
    ) -> None:
        self._lines = tree.text.split("\n")
        self._identities = identities
        self._leaves: dict[int, list[tuple[int, int, Path, Scalar]]] = {}
        starts = [0]
        for line in self._lines:
            starts.append(starts[-1] + len(line) + 1)
        number = 0
        for path, node in leaves:
            while starts[number + 1] <= node.start:
                number += 1
            start, end = node.start - starts[number], node.end - starts[number]
            if path[-1] not in _NAMING and _SAFE.fullmatch(tree.text, node.start, node.end):
                self._leaves.setdefault(number, []).append((start, end, path, node))

    def of(self, body: str) -> list[ScalarEdit] | None:
        """Return all differences of a text; None if any is of another kind.

        The text has no byte order mark.
        """
        lines = body.split("\n")
        if len(lines) != len(self._lines):
            return None
        edits: list[ScalarEdit] = []
        for number, (old, new) in enumerate(zip(self._lines, lines, strict=True)):
            if old == new:
                continue
            edit = self._edit(number, new)
            if edit is None:
                return None
            edits.append(edit)
        return [
            edit
            for edit in edits
            if edit.reading.identity != self._identities.plain(edit.node.text).identity
        ]

    def _edit(self, number: int, new: str) -> ScalarEdit | None:
        old = self._lines[number]
        same_before, same_behind = _common_start(old, new), _common_end(old, new)
        for start, end, path, node in self._leaves.get(number, []):
            if start > same_before:
                break
            behind = len(new) - (len(old) - end)
            if behind > start and len(old) - end <= same_behind:
                value = _SAFE.fullmatch(new, start, behind)
                return (
                    None
                    if value is None
                    else ScalarEdit(path, node, self._identities.plain(value[0]), value[0])
                )
        return None


def _common_start(one: str, other: str) -> int:
    """Return how many characters both begin with, by halves: a line may be the whole text."""
    known, most = 0, min(len(one), len(other))
    while known < most:
        middle = (known + most + 1) // 2
        if one[known:middle] == other[known:middle]:
            known = middle
        else:
            most = middle - 1
    return known


def _common_end(one: str, other: str) -> int:
    """Return how many characters both end with."""
    known, most = 0, min(len(one), len(other))
    while known < most:
        middle = (known + most + 1) // 2
        if (
            one[len(one) - middle : len(one) - known]
            == other[len(other) - middle : len(other) - known]
        ):
            known = middle
        else:
            most = middle - 1
    return known
