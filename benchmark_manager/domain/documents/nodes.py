"""Trees of YAML and JSON texts, in which every value has its position.

Positions are indexes into the tree's `text`, in characters. YAML's and JSON's trees have the same
form: a stream of documents, which is itself a collection, and one document for JSON.
"""

import re
import secrets
from collections.abc import Hashable
from dataclasses import dataclass, field
from functools import cached_property
from typing import Final, Literal, TypeAlias

from pydantic import JsonValue

from benchmark_manager.domain.documents.scalars import Reading, read_plain
from benchmark_manager.domain.text.lines import LineStarts, line_end_of
from benchmark_manager.models.original import FileFormat

CollectionKind: TypeAlias = Literal["mapping", "sequence", "stream"]
Style: TypeAlias = Literal["plain", "quoted", "block", "flow"]

MERGE_KEY: Final = "<<"
#: So few that a number stays as small as Python compares fastest.
_FIRST_BITS: Final = 29
_BLANKS: Final = re.compile(r"[ \t]*+")
_LETTER_ESCAPE: Final = re.compile(r"\\u(?!00[01])[0-9a-fA-F]{4}")


@dataclass(frozen=True, slots=True, eq=False)
class Scalar:
    """One value without parts.

    `start` is where its anchor or tag begins, if it has one; `end` is before the line end, also
    for a block scalar. `text` is the value without quotes and escapes, `value` what a reader makes
    of it, or its source where JSON has no such value. `is_text` says that every reader takes a
    string.
    """

    start: int
    end: int
    identity: int
    style: Style
    text: str
    value: JsonValue
    is_text: bool

    @property
    def is_block(self) -> bool:
        return self.style == "block"


@dataclass(frozen=True, slots=True, eq=False)
class Alias:
    """A reference to an anchor. It is never followed."""

    start: int
    end: int
    identity: int
    name: str

    @property
    def is_block(self) -> bool:
        return False


@dataclass(frozen=True, slots=True, eq=False)
class Slot:
    """An entry of a mapping, an item of a sequence or a document of a stream.

    `start` is the first character of the key, of the dash or of the value; `gap` is where the colon
    or the dash ends. `floor` is the end of what is written before; only comments are between it
    and `start`. `plain` is False for an entry whose key is no scalar or whose form is unusual (`?
    key`); `in_flow` says that brackets are around it.
    """

    value: "Node"
    start: int
    gap: int
    floor: int
    key: "Node | None" = None
    plain: bool = True
    in_flow: bool = False

    @property
    def end(self) -> int:
        return max(self.gap, self.value.end)


@dataclass(frozen=True, slots=True, eq=False)
class Collection:
    """A mapping, a sequence or the stream of documents.

    `head` is its identity without its parts.
    """

    kind: CollectionKind
    start: int
    end: int
    identity: int
    head: int
    style: Style
    slots: tuple[Slot, ...]
    is_json: bool = True

    @property
    def is_block(self) -> bool:
        return self.style == "block"

    @property
    def is_plain(self) -> bool:
        """Whether its parts can be edited one by one."""
        return all(slot.plain for slot in self.slots)

    def merge_key(self) -> Slot | None:
        """Return the entry `<<` (yaml.org/type/merge), which adds keys from another mapping."""
        return next((slot for slot in self.slots if is_merge_key(slot.key)), None)

    def by_key(self) -> dict[int, Slot]:
        """Return a mapping's entries by the identities of their keys."""
        return {slot.key.identity: slot for slot in self.slots if slot.key is not None}


Node: TypeAlias = Scalar | Alias | Collection


def is_merge_key(key: Node | None) -> bool:
    """Return whether a key merges other mappings into its own (yaml.org/type/merge)."""
    return isinstance(key, Scalar) and key.text == MERGE_KEY and not key.is_text


def parts_of(
    kind: CollectionKind, slots: tuple[Slot, ...]
) -> frozenset[tuple[int, int]] | tuple[int, ...]:
    """Return what a collection's identity is made of: a mapping has no order, the others have."""
    if kind == "mapping":
        return frozenset(
            (slot.key.identity, slot.value.identity) for slot in slots if slot.key is not None
        )
    return tuple(slot.value.identity for slot in slots)


class Identities:
    """Numbers for values: two nodes are equal exactly when they have the same number.

    One instance serves all texts which are compared with each other. A number is made of the parts'
    numbers, so that no structure is walked twice, and an alias is a value of its own.
    """

    def __init__(self) -> None:
        self._numbers: dict[Hashable, int] = {}
        # Python hashes numbers as they are: with known numbers, a text could hold mappings which
        # all hash alike.
        self._first = secrets.randbits(_FIRST_BITS)
        self._plain: dict[str, Reading] = {}

    def number(self, *parts: Hashable) -> int:
        return self._numbers.setdefault(parts, self._first + len(self._numbers))

    def plain(self, text: str) -> Reading:
        """Return what `read_plain` does, from a cache.

        The texts share most of their scalars, and reading one costs more than the rest.
        """
        if (reading := self._plain.get(text)) is None:
            reading = self._plain[text] = read_plain(text)
        return reading


@dataclass(frozen=True, eq=False)
class DocumentTree:
    """A text, and the stream of documents in it.

    `references` are the anchors (`&name`) and aliases (`*name`) of each document, in their order.
    """

    text: str
    file_format: FileFormat
    stream: Collection
    references: tuple[tuple[str, ...], ...] = field(default=())

    @cached_property
    def lines(self) -> LineStarts:
        return LineStarts(self.text)

    @cached_property
    def line_end(self) -> str:
        """How the text ends its first line, found once: the first line may be all of the text."""
        return line_end_of(self.text)

    @cached_property
    def escapes_letters(self) -> bool:
        r"""Whether other letters than ASCII's stand as `\uXXXX` in a text of JSON, and only so."""
        return self.text.isascii() and _LETTER_ESCAPE.search(self.text) is not None

    def blanks_before(self, index: int) -> str:
        """Return the blanks at the beginning of a position's line, up to the position."""
        start = self.lines.start(index)
        found = _BLANKS.match(self.text, start, index)
        return "" if found is None else found[0]

    def source(self, node: Node) -> str:
        return self.text[node.start : node.end]
