"""What the top of each YAML document says.

Its scalars, those of its `metadata`, and the kinds of a List's items.

Enough to distinguish a Kubernetes workload from settings without building a value.
"""

from dataclasses import dataclass, field
from typing import Final, Literal, TypeAlias

from benchmark_manager.domain.yaml.events import AliasEvent, CollectionStart, Event, ScalarEvent
from benchmark_manager.domain.yaml.walker import Kind, NodeReader, Role, walk

WORKLOAD_KINDS: Final = frozenset(
    {"Job", "CronJob", "JobSet", "Pod", "Deployment", "StatefulSet", "DaemonSet", "ReplicaSet"}
)

Path: TypeAlias = tuple[str, ...]


@dataclass(frozen=True, slots=True)
class ManifestEntry:
    """A value at the top.

    `text` is None unless it is a scalar, `plain` means without quotes and tag.
    """

    text: str | None
    plain: bool
    index: int


@dataclass(slots=True)
class ManifestOutline:
    """One document.

    The kind of its top node, and its values under paths such as `("metadata", "name")`.
    """

    top: Literal["mapping", "sequence", "scalar"] = "scalar"
    index: int = 0
    entries: dict[Path, ManifestEntry] = field(default_factory=dict)
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
class _OutlineLevel:
    """An open collection.

    `depth` is 1 at the top of a document, `key` that of a mapping's entry.
    """

    depth: int
    kind: Kind | None = None
    around: "_OutlineLevel | None" = None
    key: str | None = None

    def path(self) -> tuple[str | None, ...]:
        """Return the keys from the top to here; None stands for one that is no scalar."""
        above = self.around.path() if self.around is not None and self.depth > 1 else ()
        return (*above, self.key)

    def is_item_of_list(self) -> bool:
        items = self.around
        top = None if items is None else items.around
        return (
            items is not None
            and items.kind == "sequence"
            and top is not None
            and top.kind == "mapping"
            and top.key == "items"
        )


class _OutlineReader(NodeReader[_OutlineLevel]):
    """Keeps what stands near the top of each document; one level serves for all that are deeper."""

    def __init__(self) -> None:
        self.outlines: list[ManifestOutline] = []
        self._outline = ManifestOutline()
        self._anchored: dict[str, str] = {}
        self._deeper = _OutlineLevel(_ITEM_LEVELS + 1)

    def document(self, event: Event) -> _OutlineLevel:
        self._outline = ManifestOutline(index=event.start_mark.index)
        self.outlines.append(self._outline)
        self._anchored.clear()
        return _OutlineLevel(0)

    def scalar(self, event: ScalarEvent, around: _OutlineLevel, role: Role) -> None:
        if event.anchor is not None:
            self._anchored[event.anchor] = event.value
        if role == "key":
            around.key = event.value
        elif role == "value" and around.depth <= _ITEM_LEVELS:
            plain = bool(event.implicit[0]) and event.tag is None
            self._value(around, ManifestEntry(event.value, plain, event.start_mark.index))

    def alias(self, event: AliasEvent, around: _OutlineLevel, role: Role) -> None:
        text = self._anchored.get(event.anchor)
        self._node(around, role, ManifestEntry(text, plain=False, index=event.start_mark.index))

    def begin(
        self, event: CollectionStart, kind: Kind, around: _OutlineLevel, role: Role
    ) -> _OutlineLevel:
        if role == "document":
            self._outline.top = kind
            self._outline.index = event.start_mark.index
        return (
            self._deeper
            if around.depth >= _ITEM_LEVELS
            else _OutlineLevel(around.depth + 1, kind, around)
        )

    def end(self, event: Event, _frame: _OutlineLevel, around: _OutlineLevel, role: Role) -> None:
        self._node(around, role, ManifestEntry(None, plain=False, index=event.start_mark.index))

    def _node(self, around: _OutlineLevel, role: Role, entry: ManifestEntry) -> None:
        if role == "key":
            around.key = entry.text
        elif role == "value" and around.depth <= _ITEM_LEVELS:
            self._value(around, entry)

    def _value(self, level: _OutlineLevel, entry: ManifestEntry) -> None:
        if level.depth <= _MAX_PATH:
            path = tuple(key for key in level.path() if key is not None)
            if len(path) == level.depth:
                self._outline.entries.setdefault(path, entry)
        elif level.key == "kind" and entry.text is not None and level.is_item_of_list():
            self._outline.item_kinds.add(entry.text)


def outlines(parsed: str) -> list[ManifestOutline]:
    """Return the outline of each document, in order, of a text which `prepare` made ready.

    Raises:
        YamlSyntaxError: where the text stops being YAML.
    """
    reader = _OutlineReader()
    walk(parsed, reader)
    return reader.outlines
