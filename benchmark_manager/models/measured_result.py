"""What a table needs of a result."""

from dataclasses import dataclass, field
from datetime import datetime

from benchmark_manager.models.result import ToolName
from benchmark_manager.models.result_table import MetricColumn


@dataclass(frozen=True, slots=True)
class MeasuredPoint:
    """The metrics of one point, and their values in the same order.

    `metrics` is one object for all points that have the same metrics: a table reads a hundred
    thousand values, and checking a model for each takes longer than reading them.
    """

    point: str
    metrics: tuple[MetricColumn, ...]
    values: tuple[float, ...]


@dataclass(frozen=True, slots=True)
class MeasuredResult:
    """A result with its metrics; a dataclass, as a table has up to 20,000 of them.

    `is_readable` is False where the parser found no metric, or only a part of the file.
    """

    id: str
    release: str
    tool: ToolName
    points: tuple[MeasuredPoint, ...]
    created_at: datetime
    labels: dict[str, str] = field(default_factory=dict)
    is_readable: bool = True
