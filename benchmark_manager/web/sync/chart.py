"""Small charts of syncs: how long each took, how much it asked of GitHub, and how it left the modified files."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Final

from benchmark_manager.models.sync import DriftMoment, Sync
from benchmark_manager.models.variant import Drift

_WIDTH: Final = 600
_HEIGHT: Final = 40
#: A bar is at most this wide, so that three syncs are no wall.
_WIDEST: Final = 24.0
#: From the bottom: what is well stands on the ground, what a person must decide is at the top.
_STACKED: Final[tuple[Drift, ...]] = ("current", "behind", "upstream_removed", "conflict")


@dataclass(frozen=True, slots=True)
class Bar:
    """A rectangle of the picture; `kind` is the outcome or drift that it stands for, `when` None for now."""

    x: float
    y: float
    width: float
    height: float
    kind: str
    when: datetime | None
    value: int


@dataclass(frozen=True, slots=True)
class Chart:
    """One row of columns, the oldest at the left; `most` is what the highest one stands for."""

    width: int
    height: int
    most: int
    bars: tuple[Bar, ...]


@dataclass(frozen=True, slots=True)
class _Column:
    """A moment, and the parts of its column from the bottom up."""

    when: datetime | None
    parts: tuple[tuple[str, int], ...]

    @property
    def total(self) -> int:
        return sum(value for _, value in self.parts)


def durations(syncs: Sequence[Sync]) -> Chart:
    """Milliseconds; `syncs` come newest first."""
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
    """Modified files by drift, as each of these syncs left them and as they are `now`; `history` comes newest first."""
    columns = [_Column(moment.when, _stacked(moment.counts)) for moment in reversed(history)]
    return _chart([*columns, _Column(None, _stacked(now))])


def _stacked(counts: Mapping[Drift, int]) -> tuple[tuple[str, int], ...]:
    return tuple((drift, counts[drift]) for drift in _STACKED if counts.get(drift))


def _chart(columns: Sequence[_Column]) -> Chart:
    most = max((column.total for column in columns), default=0)
    step = min(_WIDEST, _WIDTH / max(1, len(columns)))
    bars = [
        bar
        for place, column in enumerate(columns)
        for bar in _bars(column, place * step, step * 0.8, most)
    ]
    return Chart(_WIDTH, _HEIGHT, most, tuple(bars))


def _bars(column: _Column, x: float, width: float, most: int) -> list[Bar]:
    bars = []
    top = float(_HEIGHT)
    for kind, value in column.parts:
        # One pixel at least: a sync which cost nothing was still there.
        height = max(1.0, _HEIGHT * value / most if most else 0.0)
        top -= height
        bars.append(
            Bar(
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
