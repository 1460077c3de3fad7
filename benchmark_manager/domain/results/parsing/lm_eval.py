"""Results of lm-evaluation-harness.

Source: EleutherAI/lm-evaluation-harness, lm_eval/result_schema.py. A metric's key is
`METRIC,FILTER`, such as `acc_stderr,none`; files of versions before 0.4 have no filter.
"""

from collections.abc import Mapping
from typing import Final

from pydantic import JsonValue

from benchmark_manager.domain.results.parsing.collector import (
    Collector,
    PointMetrics,
    version_text,
)
from benchmark_manager.domain.results.parsing.contents import mapping_at
from benchmark_manager.models.result import Direction

#: Members of a task that are no metrics.
_NO_METRICS: Final = frozenset({"alias", "name", "sample_len", "sample_count"})
_DIRECTIONS: Final[Mapping[bool, Direction]] = {True: "higher", False: "lower"}


def is_lm_eval(value: Mapping[str, JsonValue]) -> bool:
    """Return whether this is a file of aggregated results."""
    return (
        isinstance(value.get("results"), dict)
        and isinstance(value.get("versions"), dict)
        and ("configs" in value or "config" in value)
    )


def read_lm_eval(value: Mapping[str, JsonValue], found: Collector, _: str) -> None:
    """Read every task's metrics, and those of groups, as `TASK.METRIC,FILTER`."""
    found.tool_version = version_text(value.get("lm_eval_version"))
    point = found.point()
    for part in ("results", "groups"):
        for task, metrics in mapping_at(value, part).items():
            _read_task(
                task, mapping_at(metrics), mapping_at(value, "higher_is_better", task), point
            )
    for task, counts in mapping_at(value, "n-samples").items():
        point.add(f"{task}.samples", mapping_at(counts).get("effective"), "n-samples.effective")
    point.add("duration", _seconds(value), "total_evaluation_time_seconds")


def _read_task(
    task: str,
    metrics: Mapping[str, JsonValue],
    higher_is_better: Mapping[str, JsonValue],
    point: PointMetrics,
) -> None:
    for key, entry in metrics.items():
        # An error that cannot be estimated is "N/A".
        if key in _NO_METRICS or entry == "N/A" or (isinstance(entry, str) and entry.isspace()):
            continue
        better = higher_is_better.get(key.partition(",")[0])
        direction = _DIRECTIONS[better] if isinstance(better, bool) else None
        point.add(f"{task}.{key}", entry, key, direction=direction)


def _seconds(value: Mapping[str, JsonValue]) -> JsonValue:
    """Return the time of the evaluation, which is written as a text."""
    written = value.get("total_evaluation_time_seconds")
    try:
        return float(written) if isinstance(written, str) else written
    except ValueError:
        return None
