"""The columns of a table that say in what the compared releases differ."""

import json
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Final

from pydantic import JsonValue

from benchmark_manager.domain.results.differing import DifferingFile
from benchmark_manager.domain.results.varied import MOST_COLUMNS, VariedFile, VariedPath
from benchmark_manager.models.result_table import TableNotice, VariedColumn

#: Characters of a value.
LONGEST_VALUE: Final = 1_000
#: Hex digits of the SHA-256 that stands for a whole file.
_SUM_DIGITS: Final = 12
#: Files that a notice names.
_NAMED: Final = 10


@dataclass(frozen=True, slots=True)
class ComparedFile:
    """A differing file, and how its contents differ by key; None where that was not searched."""

    file: DifferingFile
    found: VariedFile | None


@dataclass(frozen=True, slots=True)
class Varied:
    """The varied columns, the values of each release by the columns' keys, and notices."""

    columns: tuple[VariedColumn, ...] = ()
    values: Mapping[str, Mapping[str, JsonValue]] = field(default_factory=dict)
    notices: tuple[TableNotice, ...] = ()


@dataclass(frozen=True, slots=True)
class _VariedColumn:
    """A column without its key; `values` has a one-tuple for each content that has the path."""

    file: DifferingFile
    path: str
    values: Sequence[tuple[JsonValue] | None]


def varied_columns(
    files: Sequence[ComparedFile],
    releases: Iterable[str],
    *,
    complete: bool = True,
    most: int = MOST_COLUMNS,
) -> Varied:
    """Return the columns of the compared releases, in the order of the files.

    A file that some releases lack, or that could not be compared in all of them, has a column of
    its own, with the first digits of the SHA-256 of each content.

    Args:
        files: The differing files.
        releases: All compared releases.
        complete: No differing file was left out.
        most: Columns that are returned at most.
    """
    compared = tuple(releases)
    found = [column for one in files for column in _columns_of(one, compared)]
    kept = found[:most]
    keys = _keys(kept)
    values: dict[str, dict[str, JsonValue]] = {release: {} for release in compared}
    shortened = False
    for column, key in zip(kept, keys, strict=True):
        shown = [None if value is None else (_shown(value[0]),) for value in column.values]
        shortened = shortened or shown != list(column.values)
        for release, number in column.file.of_releases.items():
            if (value := shown[number]) is not None:
                values[release][key] = value[0]
    columns = tuple(
        VariedColumn(file=column.file.path, path=column.path, key=key)
        for column, key in zip(kept, keys, strict=True)
    )
    return Varied(
        columns,
        values,
        tuple(_notices(files, kept, complete and len(kept) == len(found), shortened)),
    )


def _columns_of(one: ComparedFile, releases: Sequence[str]) -> Iterator[_VariedColumn]:
    found = one.found
    if found is None or found.unreadable or len(one.file.of_releases) < len(releases):
        sums: list[tuple[JsonValue] | None] = [
            (content.sha256[:_SUM_DIGITS],) for content in one.file.contents
        ]
        yield _VariedColumn(one.file, "", sums)
    paths: tuple[VariedPath, ...] = () if found is None else found.paths
    for path in paths:
        yield _VariedColumn(one.file, path.path, path.values)


def _keys(columns: Sequence[_VariedColumn]) -> list[str]:
    """Return a name for each column that no other has."""
    paths = Counter(column.path or column.file.path for column in columns)
    keys: list[str] = []
    used: set[str] = set()
    for column in columns:
        plain = column.path or column.file.path
        key = plain if paths[plain] == 1 else f"{column.file.path}:{column.path}"
        # A path may itself look like another file's.
        while key in used:
            key += "'"
        used.add(key)
        keys.append(key)
    return keys


def _shown(value: JsonValue) -> JsonValue:
    """Return a value as a table shows it: the first characters of a long one."""
    if isinstance(value, list | dict):
        text = json.dumps(value, ensure_ascii=False)
        return value if len(text) <= LONGEST_VALUE else f"{text[:LONGEST_VALUE]}…"
    if isinstance(value, str) and len(value) > LONGEST_VALUE:
        return f"{value[:LONGEST_VALUE]}…"
    return value


def _notices(
    files: Sequence[ComparedFile], kept: Sequence[_VariedColumn], complete: bool, shortened: bool
) -> Iterator[TableNotice]:
    whole = [one.file.path for one in files if one.found is None or one.found.unreadable]
    if whole:
        facts = {"count": len(whole), "files": whole[:_NAMED]}
        yield TableNotice(code="not_compared_by_key", facts=facts)
    if not complete or any(one.found and not one.found.complete for one in files):
        yield TableNotice(code="varied_cut", facts={"count": len(kept)})
    if shortened:
        yield TableNotice(code="long_values", facts={"limit": LONGEST_VALUE})
