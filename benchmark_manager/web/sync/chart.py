"""Small charts of syncs: duration, requests to GitHub, and drift of variants."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Final

from benchmark_manager.models.sync import DriftMoment, Sync
from benchmark_manager.models.variant import Drift

_WIDTH: Final = 600
_HEIGHT: Final = 40
#: The greatest width of a bar, so that a chart of three syncs is not a solid block.
_WIDEST: Final = 24.0
#: Parts of a column from the bottom up: what needs a person's decision is at the top.
_STACKED: Final[tuple[Drift, ...]] = ("current", "behind", "upstream_removed", "conflict")


@dataclass(frozen=True, slots=True)
class ChartBar:
    """A rectangle of a chart; `kind` is an outcome or drift, and `when` None means now."""

    x: float
    y: float
    width: float
    height: float
    kind: str
    when: datetime | None
    value: int


@dataclass(frozen=True, slots=True)
class Chart:
    """A row of columns, the oldest on the left; `most` is the value of the highest one."""

    width: int
    height: int
    most: int
    bars: tuple[ChartBar, ...]


@dataclass(frozen=True, slots=True)
class _Column:
    """A point in time, and the parts of its column from the bottom up."""

    when: datetime | None
    parts: tuple[tuple[str, int], ...]

    @property
    def total(self) -> int:
        return sum(value for _, value in self.parts)


def durations(syncs: Sequence[Sync]) -> Chart:
    """Return a chart of durations in milliseconds; `syncs` are sorted newest first."""
    return _chart(
        [_Column(sync.started_at, ((sync.status, sync.duration_ms),)) for sync in reversed(syncs)]
    )


def requests(syncs: Sequence[Sync]) -> Chart:
    return _chart(
        [
            _Column(sync.started_at, ((sync.status, sync.github.requests),))
            for sync in reversed(syncs)
        ]
    )


def drifts(history: Sequence[DriftMoment], now: Mapping[Drift, int]) -> Chart:
    """Return a chart of variants by drift after each sync and `now`; `history` is newest first."""
    columns = [_Column(moment.when, _stacked(moment.counts)) for moment in reversed(history)]
    return _chart([*columns, _Column(None, _stacked(now))])


def _stacked(counts: Mapping[Drift, int]) -> tuple[tuple[str, int], ...]:
    return tuple((drift, counts[drift]) for drift in _STACKED if counts.get(drift))


def _chart(columns: Sequence[_Column]) -> Chart:
    most = max((column.total for column in columns), default=0)
    step = min(_WIDEST, _WIDTH / max(1, len(columns)))
    bars = [
        bar
        for index, column in enumerate(columns)
        for bar in _bars(column, index * step, step * 0.8, most)
    ]
    return Chart(_WIDTH, _HEIGHT, most, tuple(bars))


def _bars(column: _Column, x: float, width: float, most: int) -> list[ChartBar]:
    bars = []
    top = float(_HEIGHT)
    for kind, value in column.parts:
        # At least one pixel, so that a sync with value 0 is visible.
        height = max(1.0, _HEIGHT * value / most if most else 0.0)
        top -= height
        bars.append(
            ChartBar(
                round(x, 2),
                round(top, 2),
                round(width, 2),
                round(height, 2),
                kind,
                column.when,
                value,
            )
        )
    return bars
