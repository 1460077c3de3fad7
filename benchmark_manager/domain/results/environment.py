"""Labels of results: where the measurements were taken, beside what was varied on purpose."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Final, TypeAlias

from benchmark_manager.models.measured_result import MeasuredResult
from benchmark_manager.models.result_table import LabelValue, TableNotice

#: Labels of one table, and values of a label that a notice names.
MOST_LABELS: Final = 50
_NAMED: Final = 10

Environment: TypeAlias = tuple[str | None, ...]
"""The values of the labels that differ, in their order; None where a result has no such label."""


@dataclass(frozen=True, slots=True)
class Labels:
    """The labels of the compared results: those that differ, and those that are the same in all.

    `values` are those of the labels that differ, and `missing` counts the results without them.
    `left_out` counts labels that differ and are not shown.
    """

    differing: tuple[str, ...]
    common: tuple[str, ...]
    values: Mapping[str, tuple[str | None, ...]]
    missing: Mapping[str, int]
    left_out: int

    def environment(self, result: MeasuredResult) -> Environment:
        """Return what a result has of the labels that differ."""
        return tuple(result.labels.get(name) for name in self.differing)

    def of_row(self, results: Sequence[MeasuredResult]) -> dict[str, LabelValue]:
        """Return the labels of a row's results; those that none of them has are left out."""
        found: dict[str, LabelValue] = {}
        for name in (*self.common, *self.differing):
            values = {result.labels.get(name) for result in results}
            if len(values) > 1:
                found[name] = _in_order(values)
            elif (value := values.pop()) is not None:
                found[name] = value
        return found

    def notices(self) -> Iterator[TableNotice]:
        """Yield a notice for each label that differs."""
        for name in self.differing:
            values = [value for value in self.values[name] if value is not None]
            more = ["…"] if len(values) > _NAMED else []
            facts: dict[str, str | int | list[str]] = {
                "label": name,
                "values": [*values[:_NAMED], *more],
                "missing": self.missing[name],
            }
            yield TableNotice(code="mixed_environment", facts=facts)
        if self.left_out:
            yield TableNotice(code="labels_cut", facts={"count": self.left_out})


def labels_of(results: Sequence[MeasuredResult]) -> Labels:
    """Return the labels of these results, by name."""
    found: dict[str, dict[str | None, int]] = {}
    for result in results:
        for name, value in result.labels.items():
            counts = found.setdefault(name, {})
            counts[value] = counts.get(value, 0) + 1
    for counts in found.values():
        if sum(counts.values()) < len(results):
            counts[None] = len(results) - sum(counts.values())
    differing = sorted(name for name, counts in found.items() if len(counts) > 1)
    return Labels(
        differing=tuple(differing[:MOST_LABELS]),
        common=tuple(sorted(name for name, counts in found.items() if len(counts) == 1)),
        values={name: _in_order(found[name]) for name in differing[:MOST_LABELS]},
        missing={name: found[name].get(None, 0) for name in differing[:MOST_LABELS]},
        left_out=len(differing[MOST_LABELS:]),
    )


def _in_order(values: Mapping[str | None, int] | set[str | None]) -> tuple[str | None, ...]:
    """Return values in their order, that of a missing label first."""
    return tuple(sorted(values, key=lambda value: (value is not None, value or "")))
