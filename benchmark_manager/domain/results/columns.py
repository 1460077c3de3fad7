"""The metrics that results have, and which of them a table shows."""

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass

from benchmark_manager.domain.results.metrics import known_metric, shown_first
from benchmark_manager.models.measured_result import MeasuredPoint
from benchmark_manager.models.result import Direction
from benchmark_manager.models.result_table import MetricColumn, TableNotice


@dataclass(frozen=True, slots=True)
class MeasuredMetrics:
    """All metrics of some points by name, with the unit that most of them have.

    A value in another unit is not shown beside these, and a metric whose files do not agree which
    values are better has no direction. `units` are those of the shown values, the most frequent
    first.
    """

    by_name: Mapping[str, MetricColumn]
    units: Mapping[str, tuple[str, ...]]

    def column(self, name: str) -> MetricColumn:
        """Return a metric by its name, which need not be measured."""
        unknown = MetricColumn(name=name, unit="", direction=None)
        return self.by_name.get(name) or known_metric(name) or unknown

    def available(self) -> tuple[MetricColumn, ...]:
        """Return all metrics: the most important first, then the others by name."""
        first = shown_first(self.by_name.values())
        names = dict.fromkeys([*first, *sorted(self.by_name)])
        return tuple(self.by_name[name] for name in names)

    def chosen(self, names: Sequence[str]) -> tuple[MetricColumn, ...]:
        """Return the columns of these names, each once; without names, of the most important."""
        wanted = dict.fromkeys(names) or shown_first(self.by_name.values())
        return tuple(map(self.column, wanted))

    def notices(self, columns: Iterable[MetricColumn]) -> Iterator[TableNotice]:
        """Yield a notice for each column of which values are left out for their unit."""
        for column in columns:
            if len(units := self.units.get(column.name, ())) > 1:
                shown = [unit or "1" for unit in units]
                facts: dict[str, str | int | list[str]] = {"metric": column.name, "units": shown}
                yield TableNotice(code="mixed_units", facts=facts)


def measured_metrics(
    points: Sequence[MeasuredPoint], shown: Sequence[MeasuredPoint]
) -> MeasuredMetrics:
    """Return the metrics of these points; where shown ones have a metric, they decide its form."""
    forms = _forms(shown)
    by_name = {name: _column(name, found) for name, found in (_forms(points) | forms).items()}
    return MeasuredMetrics(by_name, {name: _units(found) for name, found in forms.items()})


def _forms(points: Sequence[MeasuredPoint]) -> dict[str, Counter[tuple[str, Direction | None]]]:
    """Return how often each metric has each unit and direction."""
    # Points of one tool have one object for their metrics.
    counts = Counter(id(point.metrics) for point in points)
    groups = {id(point.metrics): point.metrics for point in points}
    forms: dict[str, Counter[tuple[str, Direction | None]]] = {}
    for key, metrics in groups.items():
        for metric in metrics:
            form = metric.unit, metric.direction
            forms.setdefault(metric.name, Counter())[form] += counts[key]
    return forms


def _units(forms: Counter[tuple[str, Direction | None]]) -> tuple[str, ...]:
    """Return the units of a metric, the most frequent first."""
    units: Counter[str] = Counter()
    for (unit, _), count in forms.items():
        units[unit] += count
    return tuple(unit for unit, _ in units.most_common())


def _column(name: str, forms: Counter[tuple[str, Direction | None]]) -> MetricColumn:
    unit = _units(forms)[0]
    directions = {direction for each, direction in forms if each == unit}
    direction = directions.pop() if len(directions) == 1 else None
    return MetricColumn(name=name, unit=unit, direction=direction)
