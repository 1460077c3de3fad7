"""What the top of each YAML document says: its scalars, those of its `metadata`, and the kinds of a List's items.

Enough to tell a Kubernetes workload from settings without building a value.
"""

from dataclasses import dataclass, field
from functools import partial
from typing import TYPE_CHECKING, Any, Final, Literal, TypeAlias

import yaml

from benchmark_manager.domain.yaml.events import AliasEvent, Event, ScalarEvent, events

if TYPE_CHECKING:
    from collections.abc import Callable

WORKLOAD_KINDS: Final = frozenset(
    {"Job", "CronJob", "JobSet", "Pod", "Deployment", "StatefulSet", "DaemonSet", "ReplicaSet"}
)

Path: TypeAlias = tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Entry:
    """A value at the top; `text` is None unless it is a scalar, `plain` means without quotes and tag."""

    text: str | None
    plain: bool
    index: int


@dataclass(slots=True)
class Outline:
    """One document: the kind of its top node, and its values under paths such as `("metadata", "name")`."""

    top: Literal["mapping", "sequence", "scalar"] = "scalar"
    index: int = 0
    entries: dict[Path, Entry] = field(default_factory=dict)
    item_kinds: set[str] = field(default_factory=set)

    @property
    def kinds(self) -> set[str]:
        """The kind of the object, or those of the items of a List."""
        kind = self.text("kind")
        if kind is None or not kind.endswith(_LIST):
            return set() if kind is None else {kind}
        return {kind, kind.removesuffix(_LIST), *self.item_kinds}

    def text(self, *path: str) -> str | None:
        entry = self.entries.get(path)
        return None if entry is None else entry.text


_MAX_PATH: Final = 2
_LIST: Final = "List"
#: The levels around a key of an item of a List: the document, `items`, and the item.
_ITEM_LEVELS: Final = 3


@dataclass(slots=True)
class _Level:
    is_mapping: bool
    key: str | None = None
    awaits_key: bool = True


class _Walker:
    """Follows the events of one document at a time; deeper levels are only counted."""

    def __init__(self) -> None:
        self.outlines: list[Outline] = []
        self._outline = Outline()
        self._levels: list[_Level] = []
        self._anchored: dict[str, str] = {}

        self._handlers: dict[type[object], Callable[[Any], None]] = {
            yaml.DocumentStartEvent: self._begin,
            yaml.ScalarEvent: self._scalar,
            yaml.AliasEvent: self._alias,
            yaml.MappingStartEvent: partial(self._open, is_mapping=True),
            yaml.SequenceStartEvent: partial(self._open, is_mapping=False),
            yaml.MappingEndEvent: self._close,
            yaml.SequenceEndEvent: self._close,
        }

    def take(self, event: Event) -> None:
        handler = self._handlers.get(type(event))
        if handler is not None:
            handler(event)

    def _begin(self, event: Event) -> None:
        self._outline = Outline(index=event.start_mark.index)
        self.outlines.append(self._outline)
        self._levels.clear()
        self._anchored.clear()

    def _scalar(self, event: ScalarEvent) -> None:
        if event.anchor is not None:
            self._anchored[event.anchor] = event.value
        plain = bool(event.implicit[0]) and event.tag is None
        self._node(Entry(event.value, plain, event.start_mark.index))

    def _alias(self, event: AliasEvent) -> None:
        self._node(
            Entry(self._anchored.get(event.anchor), plain=False, index=event.start_mark.index)
        )

    def _open(self, event: Event, *, is_mapping: bool) -> None:
        if not self._levels:
            self._outline.top = "mapping" if is_mapping else "sequence"
            self._outline.index = event.start_mark.index
        self._levels.append(_Level(is_mapping))

    def _close(self, event: Event) -> None:
        self._levels.pop()
        self._node(Entry(None, plain=False, index=event.start_mark.index))

    def _node(self, entry: Entry) -> None:
        if not self._levels or not (level := self._levels[-1]).is_mapping:
            return
        if level.awaits_key:
            level.key = entry.text
        elif len(self._levels) <= _MAX_PATH:
            self._record(entry)
        elif len(self._levels) == _ITEM_LEVELS and level.key == "kind" and entry.text is not None:
            self._record_item(entry.text)
        level.awaits_key = not level.awaits_key

    def _record_item(self, kind: str) -> None:
        document, items, _ = self._levels
        if document.is_mapping and document.key == "items" and not items.is_mapping:
            self._outline.item_kinds.add(kind)

    def _record(self, entry: Entry) -> None:
        path = tuple(level.key for level in self._levels if level.key is not None)
        if len(path) == len(self._levels):
            self._outline.entries.setdefault(path, entry)


def outlines(parsed: str) -> list[Outline]:
    """The outline of each document, in order, of a text which `yaml_events.prepare` made ready.

    Raises:
        YamlSyntaxError: where the text stops being YAML.
    """
    walker = _Walker()
    for event in events(parsed):
        walker.take(event)
    return walker.outlines
