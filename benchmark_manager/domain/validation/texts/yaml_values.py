"""The values of a YAML text, built from its events, and where each of them stands.

Only for a text which `yaml_check` accepts: keys occur once, aliases are defined and end, nesting is
bounded. Positions are read in a second pass, and only for values with findings
about: most texts are fine.
"""

from collections.abc import Callable, Collection, Iterable
from dataclasses import dataclass, field
from typing import Any, Final, NamedTuple, TypeAlias

from benchmark_manager.domain.yaml.events import AliasEvent, CollectionStart, Event, ScalarEvent
from benchmark_manager.domain.yaml.scalars import TAG_PREFIX
from benchmark_manager.domain.yaml.walker import Kind, NodeReader, Role, walk

Value: TypeAlias = Any
"""What JSON can say: dict with string keys, list, str, int, float, bool, None."""

Path: TypeAlias = tuple[str | int, ...]
"""Keys and list indexes from the top of a document."""

DocumentPath: TypeAlias = tuple[int, Path]
"""The number of a document in its stream, from 0, and a path in it."""

MAX_VALUES: Final = 250_000
"""Values which are built from one text, aliases written out.

A manifest of 1 MiB has about 100,000.
"""

MAX_CHARACTERS: Final = 4_000_000
"""Characters which aliases stand for.

A text of a megabyte can name a long string a hundred thousand times.
"""

_MERGE_KEY: Final = "<<"
_TEXT_TAGS: Final = frozenset({"!", f"{TAG_PREFIX}str", f"{TAG_PREFIX}binary"})


class TooManyValuesError(Exception):
    """The text has too many values once its aliases are written out.

    There are more than `MAX_VALUES`, or aliases stand for more than `MAX_CHARACTERS`.
    """


class Document(NamedTuple):
    """One document; `size` is the number of its values and keys, aliases written out."""

    value: Value
    size: int


@dataclass(slots=True)
class _OpenValue:
    """An open dict or list, and the facts for the size of its anchor; `key` is that of an entry."""

    container: Value
    anchor: str | None = None
    key: str = ""
    merged: list[Value] = field(default_factory=list)
    size_before: int = 0
    start: int = 0
    repeated_before: int = 0


class _ValueReader(NodeReader[_OpenValue]):
    """Builds one value a document; aliases share the value that they stand for."""

    def __init__(self, scalar: Callable[[str], Value]) -> None:
        self.documents: list[Document] = []
        self._scalar_value = scalar
        self._anchors: dict[str, tuple[Value, int, int]] = {}
        self._size = 0
        # Characters which aliases stand for; all others are in the text itself.
        self._repeated = 0
        self._begun = 0

    def document(self, _event: Event) -> _OpenValue:
        self._anchors.clear()
        self._begun = self._size
        return _OpenValue(None)

    def scalar(self, event: ScalarEvent, around: _OpenValue, role: Role) -> None:
        tag = event.tag
        if tag is None:
            value = self._scalar_value(event.value) if event.implicit[0] else event.value
        else:
            value = (
                event.value
                if tag in _TEXT_TAGS or tag[:1] == "!"
                else self._scalar_value(event.value)
            )
        if event.anchor is not None:
            self._anchors[event.anchor] = value, 1, len(event.value)
        self._add(value, 1, around, role)

    def alias(self, event: AliasEvent, around: _OpenValue, role: Role) -> None:
        value, size, characters = self._anchors[event.anchor]
        self._repeated += characters
        if self._repeated > MAX_CHARACTERS:
            raise TooManyValuesError
        self._add(value, size, around, role)

    def begin(
        self,
        event: CollectionStart,
        kind: Kind,
        _around: _OpenValue,
        _role: Role,
    ) -> _OpenValue:
        container: Value = {} if kind == "mapping" else []
        opened = _OpenValue(container, event.anchor, size_before=self._size)
        if event.anchor is not None:
            opened.start, opened.repeated_before = event.start_mark.index, self._repeated
        return opened

    def end(self, event: Event, frame: _OpenValue, around: _OpenValue, role: Role) -> None:
        if frame.merged:
            _merge(frame.container, frame.merged)
        if frame.anchor is not None:
            characters = event.end_mark.index - frame.start + self._repeated - frame.repeated_before
            size = self._size - frame.size_before + 1
            self._anchors[frame.anchor] = frame.container, size, characters
        self._add(frame.container, 1, around, role)

    def _add(self, value: Value, size: int, around: _OpenValue, role: Role) -> None:
        self._size += size
        if self._size > MAX_VALUES:
            raise TooManyValuesError
        if role == "key":
            around.key = value if type(value) is str else key_text(value)
        elif role == "item":
            around.container.append(value)
        elif role == "document":
            self.documents.append(Document(value, self._size - self._begun))
        elif around.key == _MERGE_KEY:
            around.merged += value if isinstance(value, list) else [value]
        else:
            around.container[around.key] = value


def _merge(into: dict[str, Value], mappings: Iterable[Value]) -> None:
    """Add the entries of merged mappings (yaml.org/type/merge).

    What a mapping says itself goes first, then the mappings in their order.
    """
    for mapping in mappings:
        if isinstance(mapping, dict):
            for key, value in mapping.items():
                into.setdefault(key, value)


def key_text(value: Value) -> str:
    """Return a key as JSON can hold it."""
    if isinstance(value, str):
        return value
    if isinstance(value, bool):
        return "true" if value else "false"
    return "null" if value is None else str(value) if isinstance(value, (int, float)) else "?"


def build(parsed: str, scalar: Callable[[str], Value]) -> list[Document]:
    """Return the value of each document, in order, of a text which `prepare` made ready.

    Args:
        parsed: the text.
        scalar: the value of a plain scalar.

    Raises:
        TooManyValuesError
    """
    reader = _ValueReader(scalar)
    walk(parsed, reader)
    return reader.documents


_Wanted: TypeAlias = dict[str | int, Any]


@dataclass(slots=True)
class _PathLevel:
    """An open collection on the way to a wanted path; `wanted` is None off the way.

    `key` and `key_index` are those of a mapping's entry, `count` is how many items a list has.
    """

    path: Path = ()
    wanted: _Wanted | None = None
    count: int = 0
    key: str = ""
    key_index: int = 0


class _PositionReader(NodeReader[_PathLevel]):
    """Notes where wanted paths are; one level serves for all collections off the way."""

    def __init__(self, wanted: _Wanted, scalar: Callable[[str], Value]) -> None:
        self.found: dict[DocumentPath, int] = {}
        self._wanted = wanted
        self._scalar_value = scalar
        self._document = -1
        self._off = _PathLevel()

    def document(self, _event: Event) -> _PathLevel:
        self._document += 1
        return self._off

    def scalar(self, event: ScalarEvent, around: _PathLevel, role: Role) -> None:
        if role == "key":
            plain = event.implicit[0] and event.tag is None
            around.key = key_text(self._scalar_value(event.value)) if plain else event.value
            around.key_index = event.start_mark.index
        else:
            self._enter(event, around, role)

    def alias(self, event: AliasEvent, around: _PathLevel, role: Role) -> None:
        if role == "key":
            # No path that is wanted has this key: the position of its mapping serves.
            around.key, around.key_index = "", event.start_mark.index
        else:
            self._enter(event, around, role)

    def begin(
        self, event: CollectionStart, _kind: Kind, around: _PathLevel, role: Role
    ) -> _PathLevel:
        return self._off if role == "key" else self._enter(event, around, role)

    def end(self, event: Event, _frame: _PathLevel, around: _PathLevel, role: Role) -> None:
        if role == "key":
            around.key, around.key_index = key_text([]), event.start_mark.index

    def _enter(self, event: Event, around: _PathLevel, role: Role) -> _PathLevel:
        """Note the node that begins here if it is wanted, and return the level inside it."""
        if role == "document":
            return self._enter_document(event)
        if around.wanted is None:
            return self._off
        step = around.key if role == "value" else around.count
        around.count += 1
        if step not in around.wanted:
            return self._off
        path = (*around.path, step)
        index = around.key_index if role == "value" else event.start_mark.index
        self.found[self._document, path] = index
        return _PathLevel(path, around.wanted[step])

    def _enter_document(self, event: Event) -> _PathLevel:
        wanted = self._wanted.get(self._document)
        if wanted is None:
            return self._off
        self.found[self._document, ()] = event.start_mark.index
        return _PathLevel((), wanted)


def locate(
    parsed: str, scalar: Callable[[str], Value], paths: Collection[DocumentPath]
) -> dict[DocumentPath, int]:
    """Return the position of each path, in characters: of its key, or where a list's item begins.

    What came in by an alias or a merge stands nowhere itself; the nearest around it which does is
    given.
    """
    reader = _PositionReader(_tree(paths), scalar)
    walk(parsed, reader)
    return {wanted: _nearest(reader.found, wanted) for wanted in paths}


def _tree(paths: Iterable[DocumentPath]) -> _Wanted:
    top: _Wanted = {}
    for document, path in paths:
        node = top.setdefault(document, {})
        for step in path:
            node = node.setdefault(step, {})
    return top


def _nearest(found: dict[DocumentPath, int], wanted: DocumentPath) -> int:
    document, path = wanted
    while (document, path) not in found and path:
        path = path[:-1]
    return found.get((document, path), 0)
