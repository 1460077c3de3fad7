"""YAML as a tree with positions, composed from libyaml's events.

libyaml reports where a value begins and ends, but neither where a dash or a colon stands nor where
a block ends: the end it reports lies behind the comments and blank lines which follow. Those
positions are found in the text, between what is before and behind.
"""

import re
from dataclasses import dataclass, field, replace
from typing import Final

from benchmark_manager.domain.documents.nodes import (
    MERGE_KEY,
    Alias,
    Collection,
    CollectionKind,
    DocumentTree,
    Identities,
    Node,
    Scalar,
    Slot,
    Style,
    is_merge_key,
    parts_of,
)
from benchmark_manager.domain.documents.scalars import Reading, read_tagged, read_text
from benchmark_manager.domain.text.lines import LineStarts
from benchmark_manager.domain.yaml.events import (
    AliasEvent,
    CollectionStart,
    Event,
    PreparedText,
    ScalarEvent,
    YamlSyntaxError,
    prepare,
)
from benchmark_manager.domain.yaml.walker import Kind, NodeReader, Role, walk

_COLON: Final = re.compile(r"[ \t]*+:")
_FLOW_COLON: Final = re.compile(r"[ \t\r\n]*+:")
_KEEPS_BLANK_LINES: Final = re.compile(r"[|>][1-9]?\+")
_BLANKS: Final = " \t\r\n"
_SPACES: Final = re.compile(r" *+")


@dataclass(slots=True)
class _OpenCollection:
    """An open collection; `dash_column` is that of a block sequence's dashes."""

    kind: CollectionKind
    style: Style
    start: int
    end: int
    head: int
    is_json: bool
    floor: int
    dash: int = -1
    key: Node | None = None
    slots: list[Slot] = field(default_factory=list)


def compose(text: str, identities: Identities) -> DocumentTree | None:
    """Return the tree of a valid text; None where a mapping merges others twice.

    Readers disagree about a second `<<`, so no one knows which values such a text has.
    """
    try:
        source = prepare(text)
    except YamlSyntaxError:
        return None
    composer = _Composer(source, identities)
    tree = composer.run()
    return None if composer.merges_twice else tree


class _Composer(NodeReader[_OpenCollection]):
    """Makes a node of each value; the outermost collection is the stream."""

    def __init__(self, source: PreparedText, identities: Identities) -> None:
        self._source = source
        self._text = source.text
        self._lines = LineStarts(source.text)
        self._identities = identities
        self._originals = source.originals()
        head = identities.number("stream", None, None)
        self._stream = _OpenCollection("stream", "flow", 0, 0, head, is_json=True, floor=0)
        self._references: list[list[str]] = []
        # The end of what was read last: a value, or the mark which begins a document.
        self._end = 0
        self._may_merge = MERGE_KEY in source.text
        self.merges_twice = False

    def run(self) -> DocumentTree:
        walk(self._source.parsed, self)
        stream = self._collection(self._stream, len(self._text))
        references = tuple(tuple(document) for document in self._references)
        return DocumentTree(self._text, "yaml", stream, references)

    def document(self, event: Event) -> _OpenCollection:
        self._references.append([])
        self._end = event.end_mark.index
        return self._stream

    def scalar(self, event: ScalarEvent, around: _OpenCollection, role: Role) -> None:
        start, end = event.start_mark.index, event.end_mark.index
        style = _style(event)
        if style == "block":
            end = self._block_scalar_end(start, end)
        text = event.value.translate(self._originals) if self._originals else event.value
        reading = self._reading(event, text, self._text[start:end])
        identity = self._identities.number("scalar", reading.identity, event.anchor)
        self._anchor(event.anchor)
        # JSON's value would hide the anchor.
        value = reading.value if event.anchor is None else self._text[start:end]
        self._node(Scalar(start, end, identity, style, text, value, reading.is_text), around, role)

    def _reading(self, event: ScalarEvent, text: str, source: str) -> Reading:
        if event.tag is not None:
            return read_tagged(text, event.tag, source)
        return self._identities.plain(text) if event.implicit[0] else read_text(text)

    def _block_scalar_end(self, start: int, end: int) -> int:
        """Return the end of the last line that belongs to it, without its line end."""
        source = self._text[start:end]
        if _KEEPS_BLANK_LINES.search(source.split("\n", 1)[0]):
            return start + len(_without_line_end(source))
        last = start + len(source.rstrip(_BLANKS))
        # Blanks at the end of the last line are part of the value.
        return last + len(_first_line(self._text[last:end]))

    def alias(self, event: AliasEvent, around: _OpenCollection, role: Role) -> None:
        self._references[-1].append(f"*{event.anchor}")
        identity = self._identities.number("alias", event.anchor)
        node = Alias(event.start_mark.index, event.end_mark.index, identity, event.anchor)
        self._node(node, around, role)

    def _anchor(self, name: str | None) -> None:
        if name is not None:
            self._references[-1].append(f"&{name}")

    def begin(
        self, event: CollectionStart, kind: Kind, _around: _OpenCollection, role: Role
    ) -> _OpenCollection:
        is_flow = bool(event.flow_style)
        start = event.start_mark.index
        head = self._identities.number(kind, event.tag, event.anchor)
        self._anchor(event.anchor)
        style: Style = "flow" if is_flow else "block"
        # What is above the first entry of a document speaks of the document.
        floor = event.end_mark.index if is_flow or role == "document" else self._end
        bare = event.tag is None and event.anchor is None
        opened = _OpenCollection(kind, style, start, start, head, bare, floor)
        if kind == "sequence" and not is_flow:
            # For a sequence at its key's column the mark lies behind the first dash, else before
            # it.
            end = event.end_mark.index
            opened.dash = end if self._text.startswith("-", end) else end - 1
        return opened

    def end(
        self, event: Event, frame: _OpenCollection, around: _OpenCollection, role: Role
    ) -> None:
        start, end = event.start_mark.index, event.end_mark.index
        if frame.style == "block":
            end = max(frame.end, frame.start)
        elif start == end:
            # A single pair without braces, as in `[key: value]`, cannot take a second one.
            end = max(frame.end, frame.start)
            frame.slots = [replace(slot, plain=False) for slot in frame.slots]
        self._node(self._collection(frame, end), around, role)

    def _collection(self, frame: _OpenCollection, end: int) -> Collection:
        slots = tuple(frame.slots)
        if self._may_merge and sum(is_merge_key(slot.key) for slot in slots) > 1:
            self.merges_twice = True
        identity = self._identities.number(frame.head, parts_of(frame.kind, slots))
        return Collection(
            frame.kind, frame.start, end, identity, frame.head, frame.style, slots, frame.is_json
        )

    def _node(self, node: Node, frame: _OpenCollection, role: Role) -> None:
        self._end = node.end
        if role == "key":
            frame.key = node
            return
        slot = (
            self._entry(frame, frame.key, node)
            if frame.key is not None
            else self._item(frame, node)
        )
        frame.slots.append(slot)
        frame.key = None
        frame.end = frame.floor = self._end = slot.end

    def _entry(self, frame: _OpenCollection, key: Node, value: Node) -> Slot:
        colon = (_FLOW_COLON if frame.style == "flow" else _COLON).match(self._text, key.end)
        plain = (
            colon is not None
            and isinstance(key, Scalar)
            and not key.is_block
            and value.start >= colon.end()
        )
        gap = colon.end() if colon is not None and plain else min(key.end, value.start)
        return Slot(value, key.start, gap, frame.floor, key, plain, frame.style == "flow")

    def _item(self, frame: _OpenCollection, value: Node) -> Slot:
        if frame.style == "flow":
            return Slot(
                value, value.start, value.start, frame.floor, in_flow=frame.kind != "stream"
            )
        dash = frame.dash if not frame.slots else self._next_dash(frame, value.start)
        plain = self._text.startswith("-", dash)
        return Slot(value, dash, dash + 1, frame.floor, None, plain)

    def _next_dash(self, frame: _OpenCollection, before: int) -> int:
        """Return the position of the dash in front of a value.

        Only comments and blank lines are between it and the item before.
        """
        column = self._lines.column(frame.slots[0].start)
        at = self._lines.next_line(frame.floor)
        while at <= before:
            # The pattern stops where the line does; a piece as wide as the indentation would be
            # copied for each line.
            if self._text.startswith("-", at + column) and self._is_blank(at, at + column):
                return at + column
            if (following := self._lines.next_line(at)) == at:
                break
            at = following
        return before

    def _is_blank(self, start: int, end: int) -> bool:
        found = _SPACES.match(self._text, start, end)
        return found is not None and found.end() == end


def _style(event: ScalarEvent) -> Style:
    if event.style in {"|", ">"}:
        return "block"
    return "quoted" if event.style in {"'", '"'} else "plain"


def _first_line(text: str) -> str:
    return re.split(r"[\r\n]", text, maxsplit=1)[0]


def _without_line_end(text: str) -> str:
    return text.removesuffix("\n").removesuffix("\r")
