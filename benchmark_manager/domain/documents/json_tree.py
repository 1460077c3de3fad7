"""JSON as a tree with positions. The text is known to be JSON, so nothing is checked again."""

import json
import re
from dataclasses import dataclass, field
from typing import Final

from benchmark_manager.domain.documents.nodes import (
    Collection,
    CollectionKind,
    DocumentTree,
    Identities,
    Node,
    Scalar,
    Slot,
    Style,
    parts_of,
)
from benchmark_manager.domain.documents.scalars import read_json, read_text
from benchmark_manager.domain.text.characters import holds_half_pair, in_quotes

_TOKEN: Final = re.compile(
    r'[ \t\r\n]*+("[^"\\]*+(?:\\.[^"\\]*+)*+"|[{}\[\]:,]|[^ \t\r\n{}\[\]:,"]++)'
)


@dataclass(slots=True)
class _Frame:
    kind: CollectionKind
    start: int
    floor: int
    key: Scalar | None = None
    gap: int = 0
    slots: list[Slot] = field(default_factory=list)


def read_json_tree(text: str, identities: Identities) -> DocumentTree:
    """Read the tree of a text which `validate` found valid."""
    reader = _JsonTreeReader(text, identities)
    # Each at the end of the one before: a search would begin anew at every blank behind the last of
    # them.
    at = 0
    while (match := _TOKEN.match(text, at)) is not None:
        at = match.end()
        reader.take(match[1], match.start(1), at)
    return DocumentTree(text, "json", reader.stream())


class _JsonTreeReader:
    """Takes token by token; a frame for each open collection, the first for the stream."""

    def __init__(self, text: str, identities: Identities) -> None:
        self._text = text
        self._identities = identities
        self._frames = [_Frame("stream", 0, 0)]

    def stream(self) -> Collection:
        return self._collection(self._frames[0], len(self._text))

    def take(self, token: str, start: int, end: int) -> None:
        frame = self._frames[-1]
        match token:
            case "{":
                self._frames.append(_Frame("mapping", start, end))
            case "[":
                self._frames.append(_Frame("sequence", start, end))
            case "}" | "]":
                self._frames.pop()
                self._node(self._collection(frame, end))
            case ":":
                frame.gap = end
            case ",":
                frame.floor = end
            case _:
                self._scalar(token, start, end)

    def _scalar(self, token: str, start: int, end: int) -> None:
        is_text = token.startswith('"')
        text = str(json.loads(token)) if is_text else token
        reading = read_text(text) if is_text else read_json(text)
        identity = self._identities.number("scalar", reading.identity, None)
        style: Style = "quoted" if is_text else "plain"
        value = in_quotes(text) if holds_half_pair(text) else reading.value
        self._node(Scalar(start, end, identity, style, text, value, is_text))

    def _node(self, node: Node) -> None:
        frame = self._frames[-1]
        if frame.kind == "mapping" and frame.key is None and isinstance(node, Scalar):
            frame.key = node
            return
        start = node.start if frame.key is None else frame.key.start
        gap = node.start if frame.key is None else frame.gap
        frame.slots.append(
            Slot(node, start, gap, frame.floor, frame.key, in_flow=frame.kind != "stream")
        )
        frame.key = None
        frame.floor = node.end

    def _collection(self, frame: _Frame, end: int) -> Collection:
        slots = tuple(frame.slots)
        head = self._identities.number(frame.kind, None, None)
        identity = self._identities.number(head, parts_of(frame.kind, slots))
        return Collection(frame.kind, frame.start, end, identity, head, "flow", slots)
