"""The entries of a YAML or JSON text: where each key and item stands, without its value.

A text of a megabyte may have half a million entries, of which a search needs a few. So entries are
numbers in arrays, and paths are made of those alone that are asked for, as `documents.paths` writes
them.
"""

import json
import re
from array import array
from bisect import bisect_right
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Final, Literal

from benchmark_manager.domain.documents.nodes import Scalar
from benchmark_manager.domain.documents.paths import (
    ITEM_KEYS,
    Step,
    document_step,
    item_step,
    scalar_step,
    shown,
)
from benchmark_manager.domain.documents.scalars import read_plain, read_tagged
from benchmark_manager.domain.yaml.events import (
    MAX_DEPTH,
    AliasEvent,
    CollectionStart,
    Event,
    PreparedText,
    ScalarEvent,
    YamlSyntaxError,
    prepare,
)
from benchmark_manager.domain.yaml.walker import Kind, NodeReader, Role, walk
from benchmark_manager.models.original import FileFormat

#: Characters of a path that is shown, and of each of its steps.
_LONGEST_PATH: Final = 500
_LONGEST_STEP: Final = 200
_CUT: Final = "\N{HORIZONTAL ELLIPSIS}"
#: A string, with the colon behind it where it is a key; or anything else.
_TOKEN: Final = re.compile(
    r'[ \t\r\n]*+(?:("[^"\\]*+(?:\\.[^"\\]*+)*+")(?:[ \t\r\n]*+(:))?'
    r'|([{}\[\],]|[^ \t\r\n{}\[\]:,"]++))'
)
_JSON_OPENINGS: Final[dict[str, Kind]] = {"{": "mapping", "[": "sequence"}

OpenKind = Literal["mapping", "sequence", "stream", "key"]
"""Collections, and `key` for all that is inside a key; no entry is made of those parts."""

#: How a scalar is written: `source` is a key that is in a path as it is written.
Form = Literal["plain", "text", "literal", "source"]


@dataclass(frozen=True, slots=True)
class Key:
    """A key, or another scalar by which a path names something."""

    text: str
    start: int
    end: int
    form: Form

    def named(self) -> Scalar:
        is_text = self.form == "text" or (self.form == "plain" and read_plain(self.text).is_text)
        return Scalar(self.start, self.end, 0, "plain", self.text, None, is_text)


@dataclass(slots=True)
class _OpenEntry:
    """An open collection.

    `owner` is the entry whose value it is, `key` is that of its next entry.
    """

    kind: OpenKind
    owner: int
    start: int
    items: "array[int] | None" = None
    key: Key | None = None


#: Called with each value that is a scalar: its entry, its text, and where it stands.
OnValue = Callable[[int, str, int, int], None]


@dataclass(slots=True)
class Outline:
    """Entries in the order of the text.

    A document's value is an entry as well, with the parent -1.
    """

    text: str
    starts: "array[int]" = field(default_factory=lambda: array("l"))
    ends: "array[int]" = field(default_factory=lambda: array("l"))
    parents: "array[int]" = field(default_factory=lambda: array("l"))
    #: An item's number in its list, a document's in the stream.
    numbers: "array[int]" = field(default_factory=lambda: array("l"))
    keys: list[Key | None] = field(default_factory=list)
    #: The items of each list, by the entry whose value it is; of the stream, the documents.
    _items: "dict[int, array[int]]" = field(default_factory=dict)
    #: What entries may be called by: of items and documents, some of their values.
    _names: dict[int, dict[str, Key]] = field(default_factory=dict)
    _labels: dict[int, list[Step]] = field(default_factory=dict)

    def items_of(self, entry: int) -> "array[int]":
        """Return the items of the list that is the entry's value; of -1, the documents."""
        return self._items.setdefault(entry, array("l"))

    def names_of(self, entry: int) -> dict[str, Key]:
        """Return the scalars by which a path may call the entry."""
        return self._names.setdefault(entry, {})

    def path(self, entry: int) -> str | None:
        """Return the path as it is shown, a long one without its middle.

        The result is None for a document without keys.
        """
        if self.parents[entry] < 0:
            return None
        steps = [_shortened(self.step(above), _LONGEST_STEP) for above in self.line_of(entry)]
        return _shortened(shown(tuple(reversed(steps))), _LONGEST_PATH)

    def line_of(self, entry: int) -> list[int]:
        """Return the entry and those that it is in, the document last."""
        found = []
        while entry >= 0:
            found.append(entry)
            entry = self.parents[entry]
        return found

    def step(self, entry: int) -> Step:
        """Return what a path says of this entry, beside those that it is in."""
        key = self.keys[entry]
        if key is not None:
            return (
                f".({json.dumps(key.text, ensure_ascii=False)})"
                if key.form == "source"
                else f".{scalar_step(key.named())}"
            )
        parent = self.parents[entry]
        if parent not in self._labels:
            self._labels[parent] = (
                self._document_steps() if parent < 0 else self._item_steps(parent)
            )
        return self._labels[parent][self.numbers[entry]]

    def _item_steps(self, parent: int) -> list[Step]:
        items = self._items[parent]
        for name in ITEM_KEYS:
            keys = [
                key for item in items if (key := self._names.get(item, {}).get(name)) is not None
            ]
            labels = [f"[{name}={scalar_step(key.named())}]" for key in keys]
            if len(labels) == len(items) == len(set(labels)):
                return labels
        return [item_step(number) for number in range(len(items))]

    def _document_steps(self) -> list[Step]:
        documents = self._items.get(-1, array("l"))
        if len(documents) <= 1:
            return [""] * len(documents)
        labels = []
        for entry in documents:
            names = self._names.get(entry, {})
            if "kind" in names and "metadata.name" in names:
                kind, name = names["kind"].named(), names["metadata.name"].named()
                labels.append(f"{document_step(kind)}/{document_step(name)}")
        if len(labels) == len(documents) == len(set(labels)):
            return labels
        return [f"#{number}" for number in range(1, len(documents) + 1)]

    def at(self, position: int, line: int, line_of: Callable[[int], int]) -> int | None:
        """Return the innermost entry on a position's line, None where the line belongs to none.

        `line_of` gives the number of the line of a position.
        """
        index = bisect_right(self.starts, position) - 1
        entry = index
        while entry >= 0 and line_of(self.ends[entry]) < line:
            entry = self.parents[entry]
        following = index + 1
        # In front of a key, such as on a dash: the entry that begins behind it.
        if (
            following < len(self.starts)
            and (entry < 0 or line_of(self.starts[entry]) < line)
            and line_of(self.starts[following]) == line
            and (entry < 0 or self.ends[entry] >= self.starts[following])
        ):
            return following
        return None if entry < 0 else entry


class _OutlineBuilder:
    """Makes entries of what a text consists of, in its order.

    `around` is the open collection that something is in, for a document the stream.
    """

    def __init__(self, text: str, on_value: OnValue | None) -> None:
        self.outline = Outline(text)
        self.stream = _OpenEntry("stream", -1, 0, self.outline.items_of(-1))
        self._on_value = on_value
        self._end = 0

    def scalar(  # one call for each scalar: so no object carries its parts
        self, text: str, start: int, end: int, form: Form, around: _OpenEntry, *, is_key: bool
    ) -> None:
        if around.kind == "key":
            return
        if is_key:
            around.key = Key(text, start, end, form)
            self._end = end
            return
        entry = self._entry(around, start)
        self.outline.ends[entry] = self._end = end
        if around.key is not None:
            if around.key.text in _NAMING:
                self._note_name(around, around.key.text, Key(text, start, end, form))
            around.key = None
        if self._on_value is not None:
            self._on_value(entry, text, start, end)

    def open(self, kind: Kind, start: int, around: _OpenEntry, *, is_key: bool) -> _OpenEntry:
        if is_key or around.kind == "key":
            return _OpenEntry("key", -1, start)
        self._end = start
        owner = self._entry(around, start)
        items = self.outline.items_of(owner) if kind == "sequence" else None
        return _OpenEntry(kind, owner, start, items)

    def close(self, closed: _OpenEntry, end: int | None, around: _OpenEntry) -> None:
        """End a collection; without an `end`, where its last part ends."""
        self._end = self._end if end is None else end
        if closed.kind != "key":
            self.outline.ends[closed.owner] = self._end
            around.key = None
        elif around.kind != "key":
            source = self.outline.text[closed.start : self._end]
            around.key = Key(source, closed.start, self._end, "source")

    def _entry(self, around: _OpenEntry, start: int) -> int:
        outline = self.outline
        entry = len(outline.starts)
        outline.starts.append(start if around.key is None else around.key.start)
        outline.ends.append(start)
        outline.parents.append(around.owner)
        outline.keys.append(around.key)
        if around.items is None:
            outline.numbers.append(0)
        else:
            outline.numbers.append(len(around.items))
            around.items.append(entry)
        return entry

    def _note_name(self, around: _OpenEntry, name: str, value: Key) -> None:
        """Keep a scalar by which a path may call what it is in: of an item, or of a document."""
        outline, owner = self.outline, around.owner
        key = outline.keys[owner]
        if key is None and (name in ITEM_KEYS or name == "kind"):
            outline.names_of(owner).setdefault(name, value)
        elif key is not None and name == "name" and key.text == "metadata":
            document = outline.parents[owner]
            if document >= 0 and outline.parents[document] < 0:
                outline.names_of(document).setdefault("metadata.name", value)


_NAMING: Final = {*ITEM_KEYS, "kind"}


def outline_of(
    text: str, file_format: FileFormat, on_value: OnValue | None = None
) -> Outline | None:
    """Return the outline of a valid text without a byte order mark.

    The result is None where the text is not valid.
    """
    builder = _OutlineBuilder(text, on_value)
    try:
        if file_format == "json":
            json.loads(text)
            _read_json(text, builder)
        else:
            _read_yaml(text, builder)
    except (YamlSyntaxError, ValueError, RecursionError):
        return None
    return builder.outline


def _read_json(text: str, builder: _OutlineBuilder) -> None:
    outer = [builder.stream]
    end = 0
    while (match := _TOKEN.match(text, end)) is not None:
        end, around = match.end(), outer[-1]
        string, is_key, other = match.groups()
        if string is not None:
            start, value = match.start(1), json.loads(string)
            is_key = is_key is not None
            builder.scalar(value, start, match.end(1), "text", around, is_key=is_key)
        elif other == ",":
            pass
        elif other in _JSON_OPENINGS:
            if len(outer) > MAX_DEPTH:
                raise YamlSyntaxError("too_deep", "", match.start(3))
            kind = _JSON_OPENINGS[other]
            outer.append(builder.open(kind, match.start(3), around, is_key=False))
        elif other in "]}":
            outer.pop()
            builder.close(around, end, outer[-1])
        else:
            builder.scalar(other, match.start(3), end, "literal", around, is_key=False)


def _read_yaml(text: str, builder: _OutlineBuilder) -> None:
    source = prepare(text)
    walk(source.parsed, _YamlReader(source, builder), max_depth=MAX_DEPTH)


class _YamlReader(NodeReader[_OpenEntry]):
    """Hands the nodes of a YAML text to a builder."""

    def __init__(self, source: PreparedText, builder: _OutlineBuilder) -> None:
        self._text = source.text
        self._originals = source.originals()
        self._builder = builder

    def document(self, _event: Event) -> _OpenEntry:
        return self._builder.stream

    def scalar(self, event: ScalarEvent, around: _OpenEntry, role: Role) -> None:
        value = event.value.translate(self._originals) if self._originals else event.value
        start, end = event.start_mark.index, event.end_mark.index
        if event.style in {"|", ">"}:
            end = start + len(self._text[start:end].rstrip(" \t\r\n"))
        form = _form(event, value)
        self._builder.scalar(value, start, end, form, around, is_key=role == "key")

    def alias(self, event: AliasEvent, around: _OpenEntry, role: Role) -> None:
        start, end = event.start_mark.index, event.end_mark.index
        name = f"*{event.anchor}"
        self._builder.scalar(name, start, end, "source", around, is_key=role == "key")

    def begin(
        self, event: CollectionStart, kind: Kind, around: _OpenEntry, role: Role
    ) -> _OpenEntry:
        return self._builder.open(kind, event.start_mark.index, around, is_key=role == "key")

    def end(self, event: Event, frame: _OpenEntry, around: _OpenEntry, _role: Role) -> None:
        end = event.end_mark.index
        # The mark of a block is behind the comments that follow it, that of brackets behind
        # them.
        self._builder.close(frame, end if end > event.start_mark.index else None, around)


def _form(event: ScalarEvent, value: str) -> Form:
    if event.tag is not None:
        return "text" if read_tagged(value, event.tag, "").is_text else "literal"
    return "plain" if event.implicit[0] else "text"


def _shortened(text: str, most: int) -> str:
    return (
        text if len(text) <= most else f"{text[: most // 2]}{_CUT}{text[len(text) - most // 2 :]}"
    )
