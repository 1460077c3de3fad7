"""The objects of a manifest: its documents, and the items of each List as `kubectl` applies it."""

from collections.abc import Iterable, Iterator
from typing import Final, NamedTuple

from benchmark_manager.domain.validation.texts.yaml_values import Document, Path, Value

LIST_ENDING: Final = "List"


class Manifest(NamedTuple):
    """One object.

    Attributes:
        document: the number of its document in the file.
        path: its path in the document.
        value: the object.
        size: the number of its values and keys, with aliases expanded.
    """

    document: int
    path: Path
    value: Value
    size: int


def manifests(documents: Iterable[Document]) -> Iterator[Manifest]:
    """Yield every object in order; as in `kubectl`, an item of a `JobList` needs no kind."""
    for number, document in enumerate(documents):
        waiting: list[tuple[Path, Value]] = [((), document.value)]
        while waiting:
            path, value = waiting.pop()
            items = _items(value)
            if items is None:
                size = _size(value) if path else document.size
                yield Manifest(number, path, value, size)
            else:
                waiting += reversed(
                    [((*path, "items", index), item) for index, item in enumerate(items)]
                )


def _items(value: Value) -> list[Value] | None:
    """Return the items of a List, or of a list of one kind; None for any other value."""
    if not isinstance(value, dict) or not isinstance(value.get("items"), list):
        return None
    kind = value.get("kind")
    if not isinstance(kind, str) or not kind.endswith(LIST_ENDING):
        return None
    given = {"apiVersion": value.get("apiVersion"), "kind": kind.removesuffix(LIST_ENDING)}
    return [
        given | item if given["kind"] and _lacks_kind(item) else item for item in value["items"]
    ]


def _lacks_kind(item: Value) -> bool:
    return isinstance(item, dict) and "kind" not in item


def _size(value: Value) -> int:
    size, waiting = 0, [value]
    while waiting:
        node = waiting.pop()
        size += 1
        if isinstance(node, dict):
            size += len(node)
            waiting += node.values()
        elif isinstance(node, list):
            waiting += node
    return size
