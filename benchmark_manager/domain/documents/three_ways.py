"""Variants compared three ways: with their base and with their original as it is now."""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from typing import Literal, TypeAlias

from pydantic import JsonValue

from benchmark_manager.domain.documents.leaves import are_equal, leaves
from benchmark_manager.domain.documents.limits import PathBudget, affordable, comparable_tree
from benchmark_manager.domain.documents.nodes import DocumentTree, Identities, Node, Scalar
from benchmark_manager.domain.documents.paths import Path, shown
from benchmark_manager.domain.documents.scalar_edits import ScalarEdit, ScalarEdits
from benchmark_manager.domain.documents.values import value_of
from benchmark_manager.domain.yaml.events import BYTE_ORDER_MARK
from benchmark_manager.models.original import FileFormat

VariedBy: TypeAlias = Literal["mine", "upstream", "both"]
"""Who changed a value since the base: the variant, its original, or each of them."""

_Identity: TypeAlias = int | None
_Side: TypeAlias = tuple[DocumentTree, Node | None]
"""What a text has at a path, with the text's tree."""


@dataclass(frozen=True, slots=True)
class ThreeWayRow:
    """A path at which the original, a variant and its base do not all have the same.

    Values are one-tuples, None where a text has nothing there. `differs` says whether the variant
    differs from the original.
    """

    path: str
    original: tuple[JsonValue] | None
    base: tuple[JsonValue] | None
    variant: tuple[JsonValue] | None
    kind: VariedBy
    differs: bool


@dataclass(frozen=True, slots=True)
class ThreeWayRows:
    """The rows of a variant.

    Where its base could not be read, `has_base` is False and the original stands for the base.
    """

    rows: tuple[ThreeWayRow, ...]
    has_base: bool = True


@dataclass(frozen=True, slots=True)
class RowsTogether:
    """The rows of several variants with one path for each value, and these paths in order."""

    paths: tuple[str, ...]
    variants: tuple[ThreeWayRows, ...]


def varied_by(original: _Identity, base: _Identity, variant: _Identity) -> VariedBy | None:
    """Return who changed a value; None where all three are the same."""
    if variant == base:
        return None if original == base else "upstream"
    return "mine" if original == base else "both"


def compare_three_ways(
    original: str, base: str | None, texts: Sequence[str], file_format: FileFormat
) -> list[ThreeWayRows | None]:
    """Compare each text with the original and the base, by paths of the text and the original.

    None for a text without a tree, and for all of them where the original has none.

    Args:
        original: the original as it is now.
        base: what the texts were based on; None if it is the original.
        texts: the variants.
        file_format: of all of them.
    """
    identities = Identities()
    now = comparable_tree(original, file_format, identities)
    if now is None:
        return [None] * len(texts)
    earlier = now if base is None else comparable_tree(base, file_format, identities)
    sides = _Sides(now, earlier or now)
    quick = _EditedBase(sides, identities) if file_format == "yaml" else None
    budget = PathBudget()

    def compared(text: str) -> ThreeWayRows | None:
        found: Iterable[ThreeWayRow] | None = None
        if quick is not None:
            found = quick.rows(text.removeprefix(BYTE_ORDER_MARK))
        if found is None and (tree := comparable_tree(text, file_format, identities)) is not None:
            found = sides.rows(tree)
        rows = None if found is None else affordable(found, budget)
        return None if rows is None else ThreeWayRows(rows, has_base=earlier is not None)

    return [compared(text) for text in texts]


def compare_together(
    original: str, variants: Sequence[tuple[str, str | None]], file_format: FileFormat
) -> RowsTogether | None:
    """Compare variants by the same paths, each with its base, or None if that is the original.

    The result is None where the original or a variant has no tree, or their paths are too long
    together.
    """
    identities = Identities()
    texts = [original, *(text for text, _ in variants)]
    read = (comparable_tree(text, file_format, identities) for text in texts)
    trees = [tree for tree in read if tree is not None]
    if len(trees) != len(texts):
        return None
    earlier = {
        base: comparable_tree(base, file_format, identities)
        for base in dict.fromkeys(base for _, base in variants if base is not None)
    }
    bases: dict[str | None, DocumentTree] = {
        base: tree for base, tree in earlier.items() if tree is not None
    }
    positions = {base: len(trees) + number for number, base in enumerate(bases)}
    found = _rows_together(
        trees, list(bases.values()), [positions.get(base, 0) for _, base in variants]
    )
    if found is None:
        return None
    paths, rows = found
    return RowsTogether(
        paths,
        tuple(
            ThreeWayRows(tuple(own), has_base=base is None or base in bases)
            for own, (_, base) in zip(rows, variants, strict=True)
        ),
    )


def _rows_together(
    trees: Sequence[DocumentTree], bases: Sequence[DocumentTree], of_variants: Sequence[int]
) -> tuple[tuple[str, ...], list[list[ThreeWayRow]]] | None:
    """Return the paths, and the rows of each variant.

    `of_variants` are the positions of the variants' bases among all trees; the original is first.
    """
    paths: list[str] = []
    rows: list[list[ThreeWayRow]] = [[] for _ in of_variants]
    budget = PathBudget()
    for path, nodes in leaves(trees, bases, without_equal=True):
        name = shown(path)
        if not budget.affords(name):
            return None
        paths.append(name)
        sides = list(zip((*trees, *bases), nodes, strict=True))
        for variant, (own, base) in enumerate(zip(rows, of_variants, strict=True), 1):
            row = _row(name, sides[0], sides[base], sides[variant])
            if row is not None:
                own.append(row)
    return tuple(paths), rows


@dataclass(frozen=True, slots=True)
class _Sides:
    """The original and the base of some variants; one tree where they are the same."""

    original: DocumentTree
    base: DocumentTree

    def rows(self, variant: DocumentTree) -> Iterator[ThreeWayRow]:
        trees = (self.original, variant)
        followers = () if self.base is self.original else (self.base,)
        for path, nodes in leaves(trees, followers, without_equal=True):
            base = nodes[-1] if followers else nodes[0]
            row = _row(
                shown(path), (self.original, nodes[0]), (self.base, base), (variant, nodes[1])
            )
            if row is not None:
                yield row

    def leaves(self) -> Iterator[tuple[Path, Node | None, Node | None]]:
        """Yield what the original and the base have at each path."""
        trees = (self.original,) if self.base is self.original else (self.original, self.base)
        return ((path, nodes[0], nodes[-1]) for path, nodes in leaves(trees))


class _EditedBase:
    """Finds the rows of variants that differ from their base in plain values only.

    Most variants are of this kind, and need no tree.
    """

    def __init__(self, sides: _Sides, identities: Identities) -> None:
        self._sides = sides
        self._identities = identities
        scalars = (
            (path, node) for path, (node,) in leaves((sides.base,)) if isinstance(node, Scalar)
        )
        self._edits = ScalarEdits(sides.base, list(scalars), identities)
        self._leaves = list(sides.leaves())
        self._positions = {
            base: position
            for position, (_, _, base) in enumerate(self._leaves)
            if isinstance(base, Scalar)
        }
        self._without_edits = self._rows_without_edits()

    def _rows_without_edits(self) -> dict[int, ThreeWayRow] | None:
        """Return the rows without any edit, by position; None if their paths are too long."""
        budget = PathBudget()
        found: dict[int, ThreeWayRow] = {}
        for position, (_, original, base) in enumerate(self._leaves):
            # Most are equal, and a path costs more than this comparison.
            row = None if are_equal((original, base)) else self._row(position, base)
            if row is not None:
                if not budget.affords(row.path):
                    return None
                found[position] = row
        return found

    def rows(self, text: str) -> list[ThreeWayRow] | None:
        """Return the rows of a text without byte order mark; None if it needs a tree."""
        if self._without_edits is None or (edits := self._edits.of(text)) is None:
            return None
        if any(edit.node not in self._positions for edit in edits):
            return None
        own = {self._positions[edit.node]: self._node(edit) for edit in edits}
        edited = {position: self._row(position, node) for position, node in own.items()}
        rows = sorted((self._without_edits | edited).items(), key=lambda item: item[0])
        return [row for _, row in rows if row is not None]

    def _node(self, edit: ScalarEdit) -> Scalar:
        identity = self._identities.number("scalar", edit.reading.identity, None)
        return replace(edit.node, identity=identity, value=edit.reading.value)

    def _row(self, position: int, variant: Node | None) -> ThreeWayRow | None:
        path, original, base = self._leaves[position]
        return _row(
            shown(path),
            (self._sides.original, original),
            (self._sides.base, base),
            (self._sides.base, variant),
        )


def _row(path: str, original: _Side, base: _Side, variant: _Side) -> ThreeWayRow | None:
    """Return the row of what the three have at a path; None where it is the same."""
    now, before, own = (
        None if node is None else node.identity for _, node in (original, base, variant)
    )
    kind = varied_by(now, before, own)
    if kind is None:
        return None
    return ThreeWayRow(
        path, value_of(*original), value_of(*base), value_of(*variant), kind, differs=own != now
    )
