"""One walk over the nodes of a YAML text, which every reader of YAML shares.

The walker alone knows how mappings and sequences follow from events: which collection a node is
in, how deep, and whether it is a key or a value. A reader keeps what it needs to know of each open
collection, its frame, and gets it back with every node inside.
"""

import sys
from abc import ABC, abstractmethod
from typing import TYPE_CHECKING, Any, Final, Generic, Literal, TypeAlias, TypeVar

from yaml import (
    AliasEvent,
    DocumentEndEvent,
    DocumentStartEvent,
    MappingEndEvent,
    MappingStartEvent,
    ScalarEvent,
    SequenceEndEvent,
    SequenceStartEvent,
)

from benchmark_manager.domain.yaml import events as yaml_events
from benchmark_manager.domain.yaml.events import CollectionStart, Event, YamlSyntaxError, events

if TYPE_CHECKING:
    from collections.abc import Iterator

Role: TypeAlias = Literal["document", "item", "key", "value"]
"""What a node is to the collection around it; `document` is the top node of a document."""

Kind: TypeAlias = Literal["mapping", "sequence"]

Frame = TypeVar("Frame")

_NEXT: Final[dict[Role, Role]] = {
    "document": "document",
    "item": "item",
    "key": "value",
    "value": "key",
}


class NodeReader(ABC, Generic[Frame]):
    """Receives the nodes of a text in their order; a reader overrides what it needs.

    `around` is the frame of the collection that a node is in, for a document's top node the one
    that `document` returned. Nothing is resolved: an alias is a node of its own.
    """

    @abstractmethod
    def document(self, event: Event, /) -> Frame:
        """Begin a document and return the frame around its top node."""

    def document_end(self) -> None:
        """End a document."""

    def scalar(self, event: yaml_events.ScalarEvent, around: Frame, role: Role, /) -> None:
        """Read a scalar."""

    def alias(self, event: yaml_events.AliasEvent, around: Frame, role: Role, /) -> None:
        """Read an alias."""

    @abstractmethod
    def begin(self, event: CollectionStart, kind: Kind, around: Frame, role: Role, /) -> Frame:
        """Begin a mapping or a sequence and return its frame."""

    def end(self, event: Event, frame: Frame, around: Frame, role: Role, /) -> None:
        """End the mapping or sequence of a frame; the arguments are otherwise those of `begin`."""


def walk(parsed: str, reader: NodeReader[Frame], *, max_depth: int = sys.maxsize) -> None:
    """Hand every node of a text that `prepare` made ready to a reader, without recursion.

    Raises:
        YamlSyntaxError: where the text stops being YAML, or `too_deep` where it is nested deeper
            than `max_depth`; the reader has received what is before.
    """
    # One loop without a table of handlers: one call more for each event takes a tenth of the time.
    stream: Iterator[Any] = events(parsed)
    outer: list[tuple[Frame, Role]] = []
    role: Role = "document"
    frame: Any = None  # until the first document, which begins before any node
    for event in stream:
        kind = type(event)
        if kind is ScalarEvent:
            reader.scalar(event, frame, role)
            role = _NEXT[role]
        elif kind is MappingStartEvent or kind is SequenceStartEvent:
            if len(outer) == max_depth:
                raise _too_deep(max_depth, event)
            outer.append((frame, role))
            if kind is MappingStartEvent:
                frame, role = reader.begin(event, "mapping", frame, role), "key"
            else:
                frame, role = reader.begin(event, "sequence", frame, role), "item"
        elif kind is MappingEndEvent or kind is SequenceEndEvent:
            ended = frame
            frame, role = outer.pop()
            reader.end(event, ended, frame, role)
            role = _NEXT[role]
        elif kind is AliasEvent:
            reader.alias(event, frame, role)
            role = _NEXT[role]
        elif kind is DocumentStartEvent:
            frame, role = reader.document(event), "document"
        elif kind is DocumentEndEvent:
            reader.document_end()


def _too_deep(max_depth: int, event: Event) -> YamlSyntaxError:
    message = f"The YAML is nested over {max_depth} levels deep."
    return YamlSyntaxError("too_deep", message, event.start_mark.index)
