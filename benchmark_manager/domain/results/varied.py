"""The keys in which several texts of one file differ."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Final, TypeAlias

from pydantic import JsonValue

from benchmark_manager.domain.documents.leaves import Nodes, are_equal, leaves
from benchmark_manager.domain.documents.limits import PathBudget
from benchmark_manager.domain.documents.nodes import DocumentTree, Identities, Node, Scalar
from benchmark_manager.domain.documents.parse import MOST_VALUES, most_values, try_parse
from benchmark_manager.domain.documents.paths import Path, shown
from benchmark_manager.domain.documents.scalar_edits import ScalarEdit, ScalarEdits
from benchmark_manager.domain.documents.values import value_of
from benchmark_manager.domain.sweeps.values import value_key
from benchmark_manager.domain.yaml.events import BYTE_ORDER_MARK
from benchmark_manager.models.original import FileFormat

#: Values of all trees that are compared at once, which are in memory together.
MOST_TREE_VALUES: Final = 100_000
#: Columns of one table.
MOST_COLUMNS: Final = 200

VariedValue: TypeAlias = tuple[JsonValue] | None
"""What a text has at a path, None where it has nothing there."""


@dataclass(frozen=True, slots=True)
class VariedPath:
    """A path at which the texts do not all have the same: a value for each of them.

    `as_written`: the values are the sources, such as `yes` and `true`, as two readings differ whose
    values are equal.
    """

    path: str
    values: tuple[VariedValue, ...]
    as_written: bool = False


@dataclass(frozen=True, slots=True)
class VariedFile:
    """How texts of one file differ.

    `unreadable` are the numbers of texts without a tree; the others are compared with each other.
    `complete`: no path was left out.
    """

    paths: tuple[VariedPath, ...]
    unreadable: frozenset[int] = frozenset()
    complete: bool = True


def varied_paths(
    texts: Sequence[str],
    file_format: FileFormat,
    *,
    most_columns: int = MOST_COLUMNS,
    most_tree_values: int = MOST_TREE_VALUES,
) -> VariedFile | None:
    """Compare all texts at once, so that each value has one path in all of them.

    Args:
        texts: Different texts of one file.
        file_format: Of all of them.
        most_columns: Paths that are returned at most, the first of the file.
        most_tree_values: Values of the texts that need a tree of their own.

    Returns:
        None where the trees would have more values.
    """
    reading = _ReadText(file_format, most_tree_values)
    for quickly in (True, False):
        if not reading.read(texts, quickly=quickly):
            return None
        if (found := reading.differences(len(texts), most_columns)) is not None:
            return found
    raise AssertionError("texts that all have trees are compared")


@dataclass(slots=True)
class _ReadText:
    """The trees of some texts, and the edits that make others of the first of them.

    Most texts differ from the first in plain values only. They need no tree, which takes a hundred
    times as long to read as lines to compare.
    """

    file_format: FileFormat
    most_tree_values: int
    trees: dict[int, DocumentTree] = field(default_factory=dict)
    edits: dict[int, Sequence[ScalarEdit]] = field(default_factory=dict)
    unreadable: set[int] = field(default_factory=set)
    identities: Identities = field(default_factory=Identities)

    def read(self, texts: Sequence[str], *, quickly: bool) -> bool:
        """Read texts; return whether that was possible within the limit."""
        self.trees, self.edits, self.unreadable = {}, {}, set()
        quick, left = None, self.most_tree_values
        self.identities = identities = Identities()
        for number, text in enumerate(texts):
            body = text.removeprefix(BYTE_ORDER_MARK)
            if quick is not None and (edits := quick.of(body)) is not None:
                self.edits[number] = edits
                continue
            left -= (size := most_values(text))
            if left < 0:
                return False
            tree = None
            if size <= MOST_VALUES:
                tree = try_parse(body, self.file_format, identities)
            if tree is None:
                self.unreadable.add(number)
                continue
            self.trees[number] = tree
            if quick is None and quickly and self.file_format == "yaml":
                quick = ScalarEdits(tree, list(_scalars(tree)), identities)
        return True

    def differences(self, count: int, most_columns: int) -> VariedFile | None:
        """Return the paths of `count` texts; None where an edit is inside of what is one value."""
        paths: list[VariedPath] = []
        budget, complete = PathBudget(), True
        edited = self._edited()
        for path, nodes in leaves(list(self.trees.values()), without_equal=not edited):
            changed = edited.pop(nodes[0], {}) if isinstance(nodes[0], Scalar) else {}
            if not changed and are_equal(nodes):
                continue
            name = shown(path)
            if len(paths) >= most_columns or not budget.affords(name):
                complete = False
                continue
            paths.append(self._varied(name, nodes, changed, count))
        return None if edited else VariedFile(tuple(paths), frozenset(self.unreadable), complete)

    def _edited(self) -> dict[Node | None, dict[int, ScalarEdit]]:
        """Return the edits by the node that they replace and the text's number."""
        found: dict[Node | None, dict[int, ScalarEdit]] = {}
        for number, edits in self.edits.items():
            for edit in edits:
                found.setdefault(edit.node, {})[number] = edit
        return found

    def _varied(
        self, path: str, nodes: Nodes, changed: Mapping[int, ScalarEdit], count: int
    ) -> VariedPath:
        pairs = list(zip(self.trees.items(), nodes, strict=True))
        own = {number: value_of(tree, node) for (number, tree), node in pairs}
        values = self._of_all(own, {n: edit.reading.value for n, edit in changed.items()}, count)
        number_of = self.identities.number
        identities = {node.identity for node in nodes if node is not None} | {
            number_of("scalar", edit.reading.identity, None) for edit in changed.values()
        }
        if len({value_key(value[0]) for value in values if value is not None}) >= len(identities):
            return VariedPath(path, values)
        sources: dict[int, VariedValue] = {
            number: None if node is None else (tree.source(node),) for (number, tree), node in pairs
        }
        written: dict[int, JsonValue] = {number: edit.text for number, edit in changed.items()}
        return VariedPath(path, self._of_all(sources, written, count), as_written=True)

    def _of_all(
        self, own: Mapping[int, VariedValue], changed: Mapping[int, JsonValue], count: int
    ) -> tuple[VariedValue, ...]:
        """Return what each text has: its tree's, its edit's, or else that of the first tree."""
        first = next(iter(own.values()))
        return tuple(
            (changed[number],)
            if number in changed
            else (first if number in self.edits else own.get(number))
            for number in range(count)
        )


def _scalars(tree: DocumentTree) -> Iterator[tuple[Path, Scalar]]:
    for path, (node,) in leaves((tree,)):
        if isinstance(node, Scalar):
            yield path, node
