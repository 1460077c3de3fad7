"""Shapes of the table of an original's variants."""

from collections.abc import Iterator, Sequence
from typing import Final

from pydantic import BaseModel, Field, JsonValue

from benchmark_manager.domain.documents import VariedBy
from benchmark_manager.domain.variants.table import JoinedRows, Value, VariantsTable, VariedKey
from benchmark_manager.models.variant import Drift

#: Characters of paths in one answer, which has the path of a row once for each kind.
_MOST_PATHS: Final = 16_000_000
_ORIGINAL: Final = "original"


class VariantColumn(BaseModel):
    """A variant in the table."""

    id: str
    modified_name: str
    drift: Drift
    readable: bool = Field(
        description="False: it does not parse, is too large, or one of too many; the rows have no "
        "values of it."
    )


class VariantRow(BaseModel):
    """A key in which any variant differs from the original."""

    path: str = Field(examples=["engine.tensor_parallel_size"])
    original: JsonValue = Field(
        description="Null also where the original has nothing there; see `absent`."
    )
    values: dict[str, JsonValue] = Field(description="Every readable variant's value, by its id.")
    absent: list[str] = Field(description="Who has nothing there: ids of variants, and `original`.")
    upstream: list[str] = Field(
        description="Ids of variants which differ from the original only as it changed upstream "
        "since they were based on it: their value is still their base's."
    )
    base: dict[str, JsonValue] = Field(
        description="What each variant in `kinds` was based on, by the variant's id: the "
        "original's value at that time. Null also where the original had nothing there; see "
        "`base_absent`."
    )
    base_absent: list[str] = Field(description="Ids of variants whose base has nothing there.")


class VariantsAnswer(BaseModel):
    """All variants of an original in one table."""

    columns: list[VariantColumn]
    rows: list[VariantRow] | None = Field(
        description="Null where the original itself does not parse, or may have over 40,000 values."
    )
    kinds: dict[str, dict[str, VariedBy]] = Field(
        description="Who changed a value since the variant was based on the original, by the "
        "variant's id and the path. `mine`: the variant has another value than its base, and the "
        "original still has the base's. `upstream`: the original has another value now, and the "
        "variant still has the base's. `both`: variant and original both have other values than "
        "the base; these may be equal. Paths are left out where all three are the same. Besides "
        "paths of `rows`, the first part of the table has those at which variants have changed "
        "to what the original has now. Variants that do not parse or whose base does not parse "
        "are missing. An answer has at most 16 million characters of paths.",
        examples=[{"65f0c0ffee65f0c0ffee65f0": {"engine.tensor_parallel_size": "mine"}}],
    )


def variants_answer(table: VariantsTable, *, is_first: bool) -> VariantsAnswer:
    """Return the answer with as many of the rows as it can hold, at least one."""
    readable = {file.id for file in table.compared} - table.unreadable
    columns = [
        VariantColumn(
            id=file.id,
            modified_name=file.modified_name,
            drift=file.drift,
            readable=table.joined is not None and file.id in readable,
        )
        for file in table.columns
    ]
    if table.joined is None:
        return VariantsAnswer(columns=columns, rows=None, kinds={})
    rows = list(_affordable(table.joined.rows))
    kinds: dict[str, dict[str, VariedBy]] = {
        file.id: {} for file in table.compared if file.id in readable - table.joined.without_base
    }
    left = _MOST_PATHS
    for variant_id, path, kind in _kinds(table.joined, rows, is_first=is_first):
        left -= len(path)
        if left < 0:
            break
        kinds[variant_id][path] = kind
    return VariantsAnswer(columns=columns, rows=list(map(_row, rows)), kinds=kinds)


def _affordable(rows: Sequence[VariedKey]) -> Iterator[VariedKey]:
    """Yield the first rows, at least one, as far as the characters of their paths allow."""
    left = _MOST_PATHS
    for number, row in enumerate(rows):
        left -= len(row.path) * (1 + len(row.kinds))
        if number and left < 0:
            return
        yield row


def _kinds(
    joined: JoinedRows, rows: Sequence[VariedKey], *, is_first: bool
) -> Iterator[tuple[str, str, VariedBy]]:
    for row in rows:
        for variant_id, kind in row.kinds.items():
            yield variant_id, row.path, kind
    if is_first:
        for variant_id, paths in joined.agreeing.items():
            for path in paths:
                yield variant_id, path, "both"


def _row(row: VariedKey) -> VariantRow:
    return VariantRow(
        path=row.path,
        original=_json(row.original),
        values={variant_id: _json(value) for variant_id, value in row.values.items()},
        absent=[
            name
            for name, value in ((_ORIGINAL, row.original), *row.values.items())
            if value is None
        ],
        upstream=[
            variant_id for variant_id in row.values if row.kinds.get(variant_id) == "upstream"
        ],
        base={variant_id: _json(value) for variant_id, value in row.bases.items()},
        base_absent=[variant_id for variant_id, value in row.bases.items() if value is None],
    )


def _json(value: Value) -> JsonValue:
    return None if value is None else value[0]
