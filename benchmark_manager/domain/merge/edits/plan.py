"""What is to be done to theirs' tree, apart from how its text is edited.

A plan decides twice: `replay` edits theirs' text by it, and `verify` holds any outcome, also that
of the text merge, against it.
"""

from dataclasses import dataclass, field
from typing import TypeAlias

from benchmark_manager.domain.documents.nodes import DocumentTree, Scalar, Slot
from benchmark_manager.domain.documents.paths import Path

Sides: TypeAlias = tuple[Slot | None, Slot | None, Slot | None]
"""Base, theirs, mine; None where the side has nothing."""


@dataclass(frozen=True, slots=True, eq=False)
class Kept:
    """A part of theirs' collection which stays, though something in it may change."""

    slot: Slot


@dataclass(frozen=True, slots=True, eq=False)
class Removed:
    """A part of theirs' collection which goes; the parts behind it stand where it stood."""

    slot: Slot


@dataclass(frozen=True, slots=True, eq=False)
class Added:
    """A part which comes from another tree.

    `above` is where comments that go along begin, if not right above.
    """

    tree: DocumentTree
    slot: Slot
    above: int | None = None


Part: TypeAlias = Kept | Removed | Added


@dataclass(frozen=True, slots=True, eq=False)
class Difference:
    """A position at which mine differs from base, or both do."""

    path: Path
    sides: Sides

    @property
    def is_long_text(self) -> bool:
        """Whether all sides have strings of several lines there, which may be merged by lines."""
        return all(slot is not None and _is_long(slot) for slot in self.sides)


def _is_long(slot: Slot) -> bool:
    return (
        isinstance(slot.value, Scalar)
        and slot.value.is_text
        and "\n" in slot.value.text.rstrip("\n")
    )


@dataclass(frozen=True, slots=True, eq=False)
class Pair:
    """An entry which theirs and mine have, and base unless both added it."""

    path: Path
    base: Slot | None
    theirs: Slot
    mine: Slot


@dataclass(slots=True)
class Plan:
    """What changes in theirs.

    `root` is theirs' stream as a part of nothing. `replaced` and `parts` are keyed by theirs'
    slots, and what neither names stays as it is. `edits` are all changes of mine which the plan
    makes, `conflicts` those which it leaves out. `pairs` are the entries that were compared, among
    them all whose comments I changed; `disputed` are those of theirs whose value a person decides
    or decided about, `left_out` those of mine which a conflict or a decision leaves out.
    """

    root: Slot
    replaced: dict[Slot, Added] = field(default_factory=dict)
    parts: dict[Slot, list[Part]] = field(default_factory=dict)
    edits: list[Difference] = field(default_factory=list)
    conflicts: list[Difference] = field(default_factory=list)
    pairs: list[Pair] = field(default_factory=list)
    disputed: set[Slot] = field(default_factory=set)
    left_out: set[Slot] = field(default_factory=set)
