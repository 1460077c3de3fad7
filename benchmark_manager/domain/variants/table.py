"""The variants of an original side by side: the keys in which any of them differs from it."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import TypeAlias

from pydantic import JsonValue

from benchmark_manager.domain.documents import ThreeWayRow, ThreeWayRows, VariedBy
from benchmark_manager.models.variant import Variant

Value: TypeAlias = tuple[JsonValue] | None
"""What a text has at a path: a one-tuple, None where it has nothing."""


@dataclass(frozen=True, slots=True)
class VariedKey:
    """A path at which a variant differs from the original.

    `differing` are the ids of the variants that differ. `bases` has the values of the variants'
    bases, and `kinds` who changed them since, both by the variants' ids: `kinds` not where a
    variant, its base and the original are the same, and neither where the base does not parse.
    """

    path: str
    original: Value
    values: Mapping[str, Value]
    differing: frozenset[str]
    bases: Mapping[str, Value]
    kinds: Mapping[str, VariedBy]


@dataclass(frozen=True, slots=True)
class TableExtent:
    """Limits of a table: variants, bytes of their texts, rows from `start` on, and values."""

    variants: int
    bytes: int
    start: int
    rows: int
    values: int

    def rows_for(self, variants: int) -> slice:
        """Return which rows to show of so many variants, at least one."""
        rows = min(self.rows, self.values // max(1, variants))
        return slice(self.start, self.start + max(1, rows))

    def first_of(self, variants: Sequence[Variant]) -> Iterator[Variant]:
        """Yield the first variants, as many as the limits of number and bytes allow."""
        left = self.bytes
        for variant in variants[: self.variants]:
            left -= variant.size
            if left < 0:
                return
            yield variant


@dataclass(frozen=True, slots=True)
class JoinedRows:
    """Some rows of a table, and the number of all.

    `agreeing` are by variant the paths without a row that the variant and upstream both changed:
    no variant differs from the original there. `without_base` are the variants of which it is not
    known who changed what, since their bases do not parse, or are too large.
    """

    rows: tuple[VariedKey, ...]
    total: int
    agreeing: Mapping[str, tuple[str, ...]]
    without_base: frozenset[str]


@dataclass(frozen=True, slots=True)
class VariantsTable:
    """The variants of an original side by side.

    `compared` are the columns whose values the rows have, and `unreadable` the ids of those that do
    not parse. `joined` is None where the original itself does not parse, or is too large.
    """

    columns: tuple[Variant, ...]
    compared: tuple[Variant, ...]
    joined: JoinedRows | None
    unreadable: frozenset[str]

    @property
    def rows(self) -> tuple[VariedKey, ...] | None:
        return None if self.joined is None else self.joined.rows

    @property
    def rows_total(self) -> int:
        """Return the number of all rows, also of those that were not asked for."""
        return 0 if self.joined is None else self.joined.total


def names_items_alike(positions: Mapping[str, int], compared: Mapping[str, ThreeWayRows]) -> bool:
    """Return whether every path of the original in the rows is one of its own paths.

    It is not where a comparison had to name the items of a list by other means.
    """
    return all(
        row.original is None or row.path in positions
        for found in compared.values()
        for row in found.rows
    )


def joined_rows(
    positions: Mapping[str, int], compared: Mapping[str, ThreeWayRows], wanted: slice
) -> JoinedRows:
    """Join the rows of variants, by their ids.

    `positions` are those of the original's paths. What only variants have follows its paths.
    """
    by_path: dict[str, dict[str, ThreeWayRow]] = {}
    for variant_id, found in compared.items():
        for row in found.rows:
            by_path.setdefault(row.path, {})[variant_id] = row
    differing = [
        path for path, rows in by_path.items() if any(row.differs for row in rows.values())
    ]
    ordered = sorted(differing, key=lambda path: positions.get(path, len(positions)))
    return JoinedRows(
        tuple(_varied(path, by_path[path], compared) for path in ordered[wanted]),
        len(ordered),
        _agreeing(frozenset(differing), compared),
        frozenset(key for key, found in compared.items() if not found.has_base),
    )


def _varied(
    path: str, rows: Mapping[str, ThreeWayRow], compared: Mapping[str, ThreeWayRows]
) -> VariedKey:
    # Variants without a row have what the original has, and so have their bases.
    original = next(row.original for row in rows.values())
    based = [variant_id for variant_id, found in compared.items() if found.has_base]
    return VariedKey(
        path,
        original,
        {key: rows[key].variant if key in rows else original for key in compared},
        frozenset(key for key, row in rows.items() if row.differs),
        {key: rows[key].base if key in rows else original for key in based},
        {key: rows[key].kind for key in based if key in rows},
    )


def _agreeing(
    differing: frozenset[str], compared: Mapping[str, ThreeWayRows]
) -> Mapping[str, tuple[str, ...]]:
    found = (
        (variant_id, tuple(row.path for row in each.rows if row.path not in differing))
        for variant_id, each in compared.items()
    )
    return {variant_id: paths for variant_id, paths in found if paths}
