"""A small chart of syncs: how long each took, and how much it asked of GitHub."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from benchmark_manager.models.sync import Sync, SyncOutcome

_WIDTH: Final = 600
_HEIGHT: Final = 40
#: A bar is at most this wide, so that three syncs are no wall.
_WIDEST: Final = 24.0


@dataclass(frozen=True, slots=True)
class Bar:
    """A rectangle of the picture."""

    x: float
    y: float
    width: float
    height: float
    outcome: SyncOutcome
    sync: Sync
    value: int


@dataclass(frozen=True, slots=True)
class Chart:
    """One row of bars, the oldest sync at the left; `most` is what the highest one stands for."""

    width: int
    height: int
    most: int
    bars: tuple[Bar, ...]


def durations(syncs: Sequence[Sync]) -> Chart:
    """Milliseconds; `syncs` come newest first."""
    return _chart([(sync, sync.duration_ms) for sync in reversed(syncs)])


def requests(syncs: Sequence[Sync]) -> Chart:
    return _chart([(sync, sync.github.requests) for sync in reversed(syncs)])


def _chart(rows: Sequence[tuple[Sync, int]]) -> Chart:
    most = max((value for _, value in rows), default=0)
    step = min(_WIDEST, _WIDTH / max(1, len(rows)))
    bars = []
    for place, (sync, value) in enumerate(rows):
        # One pixel at least: a sync which cost nothing was still there.
        height = max(1.0, _HEIGHT * value / most if most else 0.0)
        x, y = round(place * step, 2), round(_HEIGHT - height, 2)
        bars.append(Bar(x, y, round(step * 0.8, 2), round(height, 2), sync.status, sync, value))
    return Chart(_WIDTH, _HEIGHT, most, tuple(bars))
