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
from typing import Any, Final, Literal

import yaml

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
from benchmark_manager.domain.yaml.events import MAX_DEPTH, YamlSyntaxError, events, prepare
from benchmark_manager.models.original import FileFormat

#: Characters of a path that is shown, and of each of its steps.
_LONGEST_PATH: Final = 500
_LONGEST_STEP: Final = 200
_CUT: Final = "\N{HORIZONTAL ELLIPSIS}"
#: JSON may escape half of a surrogate pair, which no answer can hold.
_HALF_PAIR: Final = re.compile("[\ud800-\udfff]")
_TOKEN: Final = re.compile(
    r'[ \t\r\n]*+("[^"\\]*+(?:\\.[^"\\]*+)*+"|[{}\[\]:,]|[^ \t\r\n{}\[\]:,"]++)'
)

Kind = Literal["mapping", "sequence", "stream", "key"]
#: How a scalar is written: `source` is a key that stands in a path as it is written.
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
class _Frame:
    """An open collection; `owner` is the entry whose value it is, `key` the one of the value that comes next."""

    kind: Kind
    owner: int
    start: int
    items: "array[int] | None" = None
    key: Key | None = None


#: Called with each value that is a scalar: its entry, its text, and where it stands.
OnValue = Callable[[int, str, int, int], None]


@dataclass(slots=True)
class Outline:
    """Entries in the order of the text; a document's value is an entry as well, with the parent -1."""

    text: str
    starts: "array[int]" = field(default_factory=lambda: array("l"))
    ends: "array[int]" = field(default_factory=lambda: array("l"))
    parents: "array[int]" = field(default_factory=lambda: array("l"))
    #: An item's place in its list, a document's in the stream.
    numbers: "array[int]" = field(default_factory=lambda: array("l"))
    keys: list[Key | None] = field(default_factory=list)
    #: The items of each list, by the entry whose value it is; of the stream, the documents.
    _items: "dict[int, array[int]]" = field(default_factory=dict)
    #: What entries may be called by: of items and documents, some of their values.
    _names: dict[int, dict[str, Key]] = field(default_factory=dict)
    _labels: dict[int, list[Step]] = field(default_factory=dict)

    def items_of(self, entry: int) -> "array[int]":
        """The items of the list that is the entry's value; of -1, the documents."""
        return self._items.setdefault(entry, array("l"))

    def path(self, entry: int) -> str | None:
        """The path as people read it, a long one without its middle; None of a document without keys."""
        if self.parents[entry] < 0:
            return None
        steps = [_shortened(self.step(above), _LONGEST_STEP) for above in self.line_of(entry)]
        return _HALF_PAIR.sub(
            "\N{REPLACEMENT CHARACTER}", _shortened(shown(tuple(reversed(steps))), _LONGEST_PATH)
        )

    def line_of(self, entry: int) -> list[int]:
        """The entry and those that it is in, the document last."""
        found = []
        while entry >= 0:
            found.append(entry)
            entry = self.parents[entry]
        return found

    def step(self, entry: int) -> Step:
        """What a path says of this entry, beside those that it is in."""
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
        """The innermost entry on the line of a position, None where the line belongs to none.

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


class _Builder:
    """Takes what a text consists of, in its order; a frame for each open collection."""

    def __init__(self, text: str, on_value: OnValue | None) -> None:
        self.outline = Outline(text)
        self._on_value = on_value
        self._frames = [_Frame("stream", -1, 0, self.outline.items_of(-1))]
        self._end = 0

    def scalar(self, text: str, start: int, end: int, form: Form) -> None:
        frame = self._frames[-1]
        if frame.kind == "key":
            return
        if frame.kind == "mapping" and frame.key is None:
            frame.key = Key(text, start, end, form)
            self._end = end
            return
        entry = self._entry(frame, start)
        self.outline.ends[entry] = self._end = end
        if frame.key is not None:
            self._note_name(frame, text, start, end, form)
        if self._on_value is not None:
            self._on_value(entry, text, start, end)
        frame.key = None

    def open(self, kind: Kind, start: int) -> None:
        if len(self._frames) > MAX_DEPTH:
            raise YamlSyntaxError("too_deep", "", start)
        frame = self._frames[-1]
        if frame.kind == "key" or (frame.kind == "mapping" and frame.key is None):
            self._frames.append(_Frame("key", -1, start))
            return
        self._end = start
        owner = self._entry(frame, start)
        self._frames.append(
            _Frame(kind, owner, start, self.outline.items_of(owner) if kind == "sequence" else None)
        )

    def close(self, end: int | None) -> None:
        """End a collection; without an `end`, where its last part ends."""
        frame = self._frames.pop()
        above = self._frames[-1]
        self._end = self._end if end is None else end
        if frame.kind == "key":
            if above.kind == "mapping":
                source = self.outline.text[frame.start : self._end]
                above.key = Key(source, frame.start, self._end, "source")
            return
        self.outline.ends[frame.owner] = self._end
        above.key = None

    def _entry(self, frame: _Frame, start: int) -> int:
        outline = self.outline
        entry = len(outline.starts)
        outline.starts.append(start if frame.key is None else frame.key.start)
        outline.ends.append(start)
        outline.parents.append(frame.owner)
        outline.keys.append(frame.key)
        if frame.items is None:
            outline.numbers.append(0)
        else:
            outline.numbers.append(len(frame.items))
            frame.items.append(entry)
        return entry

    def _note_name(self, frame: _Frame, text: str, start: int, end: int, form: Form) -> None:
        """Keep a scalar by which a path may call what it is in: of an item, or of a document."""
        assert frame.key is not None  # noqa: S101 -- asked for entries of mappings
        name, outline, owner = frame.key.text, self.outline, frame.owner
        if name not in _NAMING:
            return
        key = outline.keys[owner]
        if key is None and (name in ITEM_KEYS or name == "kind"):
            outline._names.setdefault(owner, {}).setdefault(name, Key(text, start, end, form))  # noqa: SLF001
        elif key is not None and name == "name" and key.text == "metadata":
            document = outline.parents[owner]
            if document >= 0 and outline.parents[document] < 0:
                names = outline._names.setdefault(document, {})  # noqa: SLF001
                names.setdefault("metadata.name", Key(text, start, end, form))


_NAMING: Final = {*ITEM_KEYS, "kind"}


def outline_of(
    text: str, file_format: FileFormat, on_value: OnValue | None = None
) -> Outline | None:
    """Return the outline of a text without a byte order mark that is known to be valid; None where it is not."""
    builder = _Builder(text, on_value)
    try:
        if file_format == "json":
            json.loads(text)
            _read_json(text, builder)
        else:
            _read_yaml(text, builder)
    except (YamlSyntaxError, ValueError, RecursionError):
        return None
    return builder.outline


def _read_json(text: str, builder: _Builder) -> None:
    at = 0
    while (match := _TOKEN.match(text, at)) is not None:
        token, at = match[1], match.end()
        match token:
            case "{":
                builder.open("mapping", match.start(1))
            case "[":
                builder.open("sequence", match.start(1))
            case "}" | "]":
                builder.close(at)
            case ":" | ",":
                pass
            case _:
                is_text = token.startswith('"')
                builder.scalar(
                    json.loads(token) if is_text else token,
                    match.start(1),
                    at,
                    "text" if is_text else "literal",
                )


def _read_yaml(text: str, builder: _Builder) -> None:
    source = prepare(text)
    originals = {ord(source.parsed[i]): text[i] for i in source.delicate}
    for found in events(source.parsed):
        event: Any = found
        kind = type(event)
        if kind is yaml.ScalarEvent:
            value = event.value.translate(originals) if originals else event.value
            start, end = event.start_mark.index, event.end_mark.index
            if event.style in {"|", ">"}:
                end = start + len(text[start:end].rstrip(" \t\r\n"))
            builder.scalar(value, start, end, _form(event, value))
        elif kind is yaml.MappingStartEvent:
            builder.open("mapping", event.start_mark.index)
        elif kind is yaml.SequenceStartEvent:
            builder.open("sequence", event.start_mark.index)
        elif kind in {yaml.MappingEndEvent, yaml.SequenceEndEvent}:
            end = event.end_mark.index
            # The mark of a block stands behind the comments that follow it, that of brackets behind
            # them.
            builder.close(end if end > event.start_mark.index else None)
        elif kind is yaml.AliasEvent:
            builder.scalar(
                f"*{event.anchor}", event.start_mark.index, event.end_mark.index, "source"
            )


def _form(event: Any, value: str) -> Form:  # noqa: ANN401 -- an event of libyaml
    if event.tag is not None:
        return "text" if read_tagged(value, event.tag, "").is_text else "literal"
    return "plain" if event.implicit[0] else "text"


def _shortened(text: str, most: int) -> str:
    return (
        text if len(text) <= most else f"{text[: most // 2]}{_CUT}{text[len(text) - most // 2 :]}"
    )
