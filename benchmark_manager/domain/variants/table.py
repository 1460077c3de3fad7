"""The variants of an original side by side: the keys in which any of them differs from it."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace

from pydantic import JsonValue

from benchmark_manager.domain.documents import ValueRow
from benchmark_manager.models.variant import Variant


@dataclass(frozen=True, slots=True)
class VariedKey:
    """A path at which a variant differs from the original.

    Values are one-tuples, None where a text has nothing there. `differing` are the ids of the
    variants that differ. `upstream` are those of them that have their base's value: upstream
    changed it since, not they.
    """

    path: str
    original: tuple[JsonValue] | None
    values: Mapping[str, tuple[JsonValue] | None]
    differing: frozenset[str]
    upstream: frozenset[str] = frozenset()


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
class VariantsTable:
    """The variants of an original side by side.

    `compared` are the columns whose values the rows have, and `unreadable` the ids of those that do
    not parse. `unmarked` are the ids of those behind their original of which it is not known what
    upstream changed. `rows` is None where the original itself does not parse, or is too large;
    `rows_total` counts also the rows that were not asked for.
    """

    columns: tuple[Variant, ...]
    compared: tuple[Variant, ...]
    rows: tuple[VariedKey, ...] | None
    rows_total: int
    unreadable: frozenset[str]
    unmarked: frozenset[str] = frozenset()


@dataclass(frozen=True, slots=True)
class ChangesSinceBase:
    """What changed since a variant's base.

    `bases` are the base's values that upstream changed, and `mine` the paths that the variant
    changed.
    """

    bases: Mapping[str, tuple[JsonValue] | None]
    mine: frozenset[str]

    def are_upstreams(self, path: str, value: tuple[JsonValue] | None) -> bool:
        """Return whether upstream changed the value at this path, and the variant did not."""
        # The value is compared too: where the items of a list have names in one text only, one path
        # leads to two of them.
        return path in self.bases and path not in self.mine and self.bases[path] == value


def with_upstream_marks(
    rows: Sequence[VariedKey], changes: Mapping[str, ChangesSinceBase]
) -> tuple[VariedKey, ...]:
    """Mark in each row the variants that differ because upstream changed; `changes` are by id."""
    return tuple(
        replace(
            row,
            upstream=frozenset(
                variant_id
                for variant_id in row.differing & changes.keys()
                if changes[variant_id].are_upstreams(row.path, row.values[variant_id])
            ),
        )
        for row in rows
    )


def names_items_alike(positions: Mapping[str, int], rows: Mapping[str, Sequence[ValueRow]]) -> bool:
    """Return whether every path of the original in the rows is one of its own paths.

    It is not where a comparison had to name the items of a list by other means.
    """
    return all(
        row.values[0] is None or row.path in positions for found in rows.values() for row in found
    )


def joined_rows(
    positions: Mapping[str, int], rows: Mapping[str, Sequence[ValueRow]], wanted: slice
) -> tuple[tuple[VariedKey, ...], int]:
    """Join the rows of one comparison for each variant.

    Returns the wanted rows and the number of all.

    `positions` are those of the original's paths. What only variants have follows its paths.
    """
    originals: dict[str, tuple[JsonValue] | None] = {}
    values: dict[str, dict[str, tuple[JsonValue] | None]] = {}
    for variant_id, found in rows.items():
        for row in found:
            originals[row.path] = row.values[0]
            values.setdefault(row.path, {})[variant_id] = row.values[1]
    ordered = sorted(originals, key=lambda path: positions.get(path, len(positions)))
    shown = tuple(_varied(path, originals[path], values[path], rows) for path in ordered[wanted])
    return shown, len(ordered)


def _varied(
    path: str,
    original: tuple[JsonValue] | None,
    changed: Mapping[str, tuple[JsonValue] | None],
    ids: Iterable[str],
) -> VariedKey:
    values = {variant_id: changed.get(variant_id, original) for variant_id in ids}
    return VariedKey(path, original, values, frozenset(changed))


def rows_of_all(
    rows: Sequence[ValueRow], ids: Sequence[str], wanted: slice
) -> tuple[tuple[VariedKey, ...], int]:
    """Take the rows of one comparison of all texts, of which the original's is the first.

    Returns the wanted rows and the number of all.
    """
    varied = [row for row in rows if any(row.differs)]
    return tuple(_varied_of_all(row, ids) for row in varied[wanted]), len(varied)


def _varied_of_all(row: ValueRow, ids: Sequence[str]) -> VariedKey:
    values = dict(zip(ids, row.values[1:], strict=True))
    differing = (
        variant_id for variant_id, differs in zip(ids, row.differs[1:], strict=True) if differs
    )
    return VariedKey(row.path, row.values[0], values, frozenset(differing))
