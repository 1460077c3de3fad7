"""The values of a YAML text, built from its events, and where each of them stands.

Only for a text which `yaml_check` accepts: keys stand once, aliases are defined and end, nesting is
bounded. Positions are looked up in a second pass, and only for what there is something to say
about: most texts are fine.
"""

from collections.abc import Callable, Collection, Iterable
from dataclasses import dataclass, field
from typing import Any, Final, NamedTuple, TypeAlias

import yaml

from benchmark_manager.domain.yaml.events import (
    AliasEvent,
    CollectionStart,
    Event,
    ScalarEvent,
    events,
)
from benchmark_manager.domain.yaml.scalars import TAG_PREFIX

Value: TypeAlias = Any
"""What JSON can say: dict with string keys, list, str, int, float, bool, None."""

Path: TypeAlias = tuple[str | int, ...]
"""Keys and list indexes from the top of a document."""

Place: TypeAlias = tuple[int, Path]
"""The number of a document in its stream, from 0, and a path in it."""

MAX_VALUES: Final = 250_000
"""Values which are built from one text, aliases written out; a manifest of 1 MiB has about 100,000."""

MAX_CHARACTERS: Final = 4_000_000
"""Characters which aliases stand for: a text of a megabyte can name a long string a hundred thousand times."""

_MERGE_KEY: Final = "<<"
_TEXT_TAGS: Final = frozenset({"!", f"{TAG_PREFIX}str", f"{TAG_PREFIX}binary"})


class TooManyValuesError(Exception):
    """The text has more than `MAX_VALUES` once its aliases are written out, or these are more than `MAX_CHARACTERS`."""


class Document(NamedTuple):
    """One document; `size` is the number of its values and keys, aliases written out."""

    value: Value
    size: int


@dataclass(slots=True)
class _Frame:
    """An open collection; `key` is None while a mapping waits for one."""

    container: dict[str, Value] | list[Value]
    anchor: str | None = None
    key: str | None = None
    merged: list[Value] = field(default_factory=list)
    size_before: int = 0
    start: int = 0
    repeated_before: int = 0


class _Builder:
    """Builds one value a document; aliases share the value that they stand for."""

    def __init__(self, scalar: Callable[[str], Value]) -> None:
        self.documents: list[Document] = []
        self._scalar_value = scalar
        self._frames: list[_Frame] = []
        self._anchors: dict[str, tuple[Value, int, int]] = {}
        self._size = 0
        # Characters which aliases stand for; all others are in the text itself.
        self._repeated = 0
        self._begun = 0
        self.handlers: dict[type[object], Callable[[Any], None]] = {
            yaml.ScalarEvent: self._scalar,
            yaml.AliasEvent: self._alias,
            yaml.MappingStartEvent: self._mapping,
            yaml.SequenceStartEvent: self._sequence,
            yaml.MappingEndEvent: self._end,
            yaml.SequenceEndEvent: self._end,
            yaml.DocumentStartEvent: self._document,
        }

    def _document(self, _event: Event) -> None:
        self._anchors.clear()
        self._begun = self._size

    def _scalar(self, event: ScalarEvent) -> None:
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
        self._add(value, 1)

    def _alias(self, event: AliasEvent) -> None:
        value, size, characters = self._anchors[event.anchor]
        self._repeated += characters
        if self._repeated > MAX_CHARACTERS:
            raise TooManyValuesError
        self._add(value, size)

    def _mapping(self, event: CollectionStart) -> None:
        self._open({}, event)

    def _sequence(self, event: CollectionStart) -> None:
        self._open([], event)

    def _open(self, container: dict[str, Value] | list[Value], event: CollectionStart) -> None:
        frame = _Frame(container, event.anchor, size_before=self._size)
        if event.anchor is not None:
            frame.start, frame.repeated_before = event.start_mark.index, self._repeated
        self._frames.append(frame)

    def _end(self, event: Event) -> None:
        frame = self._frames.pop()
        if frame.merged and isinstance(frame.container, dict):
            _merge(frame.container, frame.merged)
        if frame.anchor is not None:
            characters = event.end_mark.index - frame.start + self._repeated - frame.repeated_before
            self._anchors[frame.anchor] = (
                frame.container,
                self._size - frame.size_before + 1,
                characters,
            )
        self._add(frame.container, 1)

    def _add(self, value: Value, size: int) -> None:
        self._size += size
        if self._size > MAX_VALUES:
            raise TooManyValuesError
        if not self._frames:
            self.documents.append(Document(value, self._size - self._begun))
            return
        frame = self._frames[-1]
        container = frame.container
        if isinstance(container, list):
            container.append(value)
        elif frame.key is None:
            frame.key = value if type(value) is str else key_text(value)
        else:
            if frame.key == _MERGE_KEY:
                frame.merged += value if isinstance(value, list) else [value]
            else:
                container[frame.key] = value
            frame.key = None


def _merge(into: dict[str, Value], mappings: Iterable[Value]) -> None:
    """What a mapping says itself goes first, then the mappings in their order (yaml.org/type/merge)."""
    for mapping in mappings:
        if isinstance(mapping, dict):
            for key, value in mapping.items():
                into.setdefault(key, value)


def key_text(value: Value) -> str:
    """A key as JSON can hold it."""
    if isinstance(value, str):
        return value
    if isinstance(value, bool):
        return "true" if value else "false"
    return "null" if value is None else str(value) if isinstance(value, (int, float)) else "?"


def build(parsed: str, scalar: Callable[[str], Value]) -> list[Document]:
    """The value of each document, in order, of a text which `yaml_events.prepare` made ready.

    Args:
        parsed: the text.
        scalar: the value of a plain scalar.

    Raises:
        TooManyValuesError
    """
    builder = _Builder(scalar)
    handlers = builder.handlers
    for event in events(parsed):
        handler = handlers.get(type(event))
        if handler is not None:
            handler(event)
    return builder.documents


_Wanted: TypeAlias = dict[str | int, Any]


@dataclass(slots=True)
class _Level:
    """An open collection on the way to a wanted path; `wanted` is None off the way."""

    is_mapping: bool
    path: Path
    wanted: _Wanted | None
    count: int = 0
    key: str | None = None
    key_index: int = 0


class _Finder:
    """Follows the events and notes where wanted paths stand; what is not wanted is only counted."""

    def __init__(self, wanted: _Wanted, scalar: Callable[[str], Value]) -> None:
        self.found: dict[Place, int] = {}
        self._wanted = wanted
        self._scalar_value = scalar
        self._document = -1
        self._levels: list[_Level] = []
        self.handlers: dict[type[object], Callable[[Any], None]] = {
            yaml.DocumentStartEvent: self._begin,
            yaml.ScalarEvent: self._scalar,
            yaml.AliasEvent: self._alias,
            yaml.MappingStartEvent: self._mapping,
            yaml.SequenceStartEvent: self._sequence,
            yaml.MappingEndEvent: self._end,
            yaml.SequenceEndEvent: self._end,
        }

    def _begin(self, _event: Event) -> None:
        self._document += 1

    def _scalar(self, event: ScalarEvent) -> None:
        level = self._levels[-1] if self._levels else None
        if level is not None and level.is_mapping and level.key is None:
            plain = event.implicit[0] and event.tag is None
            level.key = key_text(self._scalar_value(event.value)) if plain else event.value
            level.key_index = event.start_mark.index
        else:
            self._enter(event)
            self._left()

    def _alias(self, event: AliasEvent) -> None:
        level = self._levels[-1] if self._levels else None
        if level is not None and level.is_mapping and level.key is None:
            # Which key it is, nobody asks: the place of the mapping will do.
            level.key, level.key_index = "", event.start_mark.index
        else:
            self._enter(event)
            self._left()

    def _enter(self, event: Event) -> tuple[Path, _Wanted | None]:
        """The path of the node which begins here, and what is wanted inside it."""
        if not self._levels:
            wanted = self._wanted.get(self._document)
            if wanted is not None:
                self.found[self._document, ()] = event.start_mark.index
            return (), wanted
        level = self._levels[-1]
        step = level.key if level.is_mapping else level.count
        if level.wanted is None or step is None or step not in level.wanted:
            return (), None
        path = (*level.path, step)
        self.found[self._document, path] = (
            level.key_index if level.is_mapping else event.start_mark.index
        )
        return path, level.wanted[step]

    def _left(self) -> None:
        if self._levels:
            level = self._levels[-1]
            level.count += 1
            level.key = None

    def _mapping(self, event: CollectionStart) -> None:
        self._open(event, is_mapping=True)

    def _sequence(self, event: CollectionStart) -> None:
        self._open(event, is_mapping=False)

    def _open(self, event: CollectionStart, *, is_mapping: bool) -> None:
        level = self._levels[-1] if self._levels else None
        if level is not None and level.is_mapping and level.key is None:
            self._levels.append(_Level(is_mapping, (), None))
            return
        path, wanted = self._enter(event)
        self._levels.append(_Level(is_mapping, path, wanted))

    def _end(self, event: Event) -> None:
        self._levels.pop()
        level = self._levels[-1] if self._levels else None
        if level is not None and level.is_mapping and level.key is None:
            level.key, level.key_index = key_text([]), event.start_mark.index
        else:
            self._left()


def locate(
    parsed: str, scalar: Callable[[str], Value], places: Collection[Place]
) -> dict[Place, int]:
    """Where each of the places stands, in characters: at its key, or where a list's item begins.

    What came in by an alias or a merge stands nowhere itself; the nearest around it which does is
    given.
    """
    finder = _Finder(_tree(places), scalar)
    handlers = finder.handlers
    for event in events(parsed):
        handler = handlers.get(type(event))
        if handler is not None:
            handler(event)
    return {place: _nearest(finder.found, place) for place in places}


def _tree(places: Iterable[Place]) -> _Wanted:
    top: _Wanted = {}
    for document, path in places:
        node = top.setdefault(document, {})
        for step in path:
            node = node.setdefault(step, {})
    return top


def _nearest(found: dict[Place, int], place: Place) -> int:
    document, path = place
    while (document, path) not in found and path:
        path = path[:-1]
    return found.get((document, path), 0)
