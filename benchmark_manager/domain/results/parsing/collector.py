"""What parsers find in a file: points with metrics, and what had to be left out."""

import math
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Final, Literal

from pydantic import JsonValue

from benchmark_manager.domain.results.metrics import known_metric
from benchmark_manager.domain.results.units import unit_factor, usual_unit
from benchmark_manager.models.problem import Problem
from benchmark_manager.models.result import Direction, Metric, ResultPoint

#: Points and metrics that are read of one file; the latter counted over all points.
MOST_POINTS: Final = 1_000
MOST_METRICS: Final = 10_000
#: Characters of a metric's name and of a point's label.
LONGEST_NAME: Final = 200
_NAMED: Final = 5
_NAMED_LENGTH: Final = 80
_NOT_FINITE: Final = frozenset({"nan", "inf", "+inf", "-inf", "infinity", "-infinity", ".nan"}) | {
    ".inf",
    "-.inf",
    "+.inf",
}

ProblemCode = Literal[
    "alias_not_read",
    "cut_file",
    "duplicate_key",
    "empty_file",
    "name_not_allowed",
    "no_metrics",
    "not_a_number",
    "not_finite",
    "not_json",
    "not_measured",
    "not_text",
    "other_format",
    "too_complex",
    "too_many_metrics",
    "too_many_points",
    "unit_unknown",
]
#: The sentence of each problem; `{}` stands for names of what it concerns.
_SENTENCES: Final[dict[ProblemCode, str]] = {
    "alias_not_read": "Left out, as aliases of lists or objects, and `<<`, are not followed: {}.",
    "cut_file": "The file ends in the middle: what is cut off has not been read.",
    "duplicate_key": "An object has members of the same name; the last one counts: {}.",
    "empty_file": "The file is empty.",
    "name_not_allowed": "Left out, as names must be 1 to 200 visible characters: {}.",
    "no_metrics": "The file has no metrics that can be read.",
    "not_a_number": "Left out, as these are no numbers: {}.",
    "not_finite": "Left out, as these are no finite numbers: {}.",
    "not_json": "This is neither JSON nor YAML: {}.",
    "not_measured": "Left out, as the tool writes 0 where it has measured nothing: {}.",
    "not_text": "The file is not a text in UTF-8 or UTF-16.",
    "other_format": "Left out, as these entries have another format: {}.",
    "too_complex": "The file is too large or too complex to be read.",
    "too_many_metrics": f"Only the first {MOST_METRICS:,} metrics have been read.",
    "too_many_points": f"Only the first {MOST_POINTS:,} points have been read.",
    "unit_unknown": "Left out, as their unit cannot be converted: {}.",
}
_ERRORS: Final = frozenset({"empty_file", "no_metrics", "not_json", "not_text", "too_complex"})


@dataclass(slots=True)
class Collector:
    """Collects what a parser finds, within limits.

    `also` ends the labels of all points that begin from now on.
    """

    tool_version: str | None = None
    also: str = ""
    _points: list[tuple[str, dict[str, Metric]]] = field(default_factory=list)
    _metrics: int = 0
    _counts: Counter[ProblemCode] = field(default_factory=Counter)
    _names: dict[ProblemCode, list[str]] = field(default_factory=dict)

    def report(self, code: ProblemCode, name: str = "") -> None:
        """Note what is left out, or why nothing can be read."""
        self._counts[code] += 1
        names = self._names.setdefault(code, [])
        if name and len(names) < _NAMED and (shown := _shown(name)) not in names:
            names.append(shown)

    def point(self, label: str = "") -> "PointMetrics":
        """Begin a point; without metrics in the end, it does not count."""
        metrics: dict[str, Metric] = {}
        label = " ".join(filter(None, (label, self.also)))
        if len(self._points) >= MOST_POINTS:
            self.report("too_many_points")
        elif label and not is_name(label):
            self.report("name_not_allowed", label)
        else:
            self._points.append((label, metrics))
        return PointMetrics(self, metrics)

    def admits(self, name: str) -> bool:
        """Count a metric; note and return False if it is one too many, or its name is unusable."""
        if not is_name(name):
            self.report("name_not_allowed", name)
            return False
        if self._metrics >= MOST_METRICS:
            self.report("too_many_metrics")
            return False
        self._metrics += 1
        return True

    def points(self) -> tuple[ResultPoint, ...]:
        return tuple(
            ResultPoint(point=label, metrics=metrics) for label, metrics in self._points if metrics
        )

    def problems(self) -> Iterator[Problem]:
        """Yield a problem for each kind of what was left out."""
        for code, count in self._counts.items():
            named = self._names[code]
            more = count - len(named)
            words = ", ".join(named) + (f" and {more:,} more" if named and more > 0 else "")
            message = _SENTENCES[code].format(words) if words else _bare(code)
            severity: Literal["error", "warning"] = "error" if code in _ERRORS else "warning"
            yield Problem(severity=severity, code=code, message=message)


@dataclass(frozen=True, slots=True)
class PointMetrics:
    """The metrics of one point."""

    collector: Collector
    metrics: dict[str, Metric]

    def add(
        self,
        name: str,
        value: JsonValue,
        called: str = "",
        *,
        unit: str | None = None,
        direction: Direction | None = None,
    ) -> None:
        """Add a metric, in its canonical unit where its name is a canonical one.

        None is no value, and adds nothing. The first value of a name stays.

        Args:
            name: a canonical name, or the tool's own.
            value: what the file has there, whatever it is.
            called: the tool's own name.
            unit: the value's unit; None is the canonical one.
            direction: for a name that is not canonical.
        """
        if value is None or name in self.metrics:
            return
        called = called or name
        known = known_metric(name)
        factor = 1.0 if known is None or unit is None else unit_factor(unit, known.unit)
        if factor is None:
            self.collector.report("unit_unknown", called)
            return
        number = self._finite(called, value, factor)
        if number is None or not self.collector.admits(name):
            return
        self.metrics[name] = Metric(
            value=number,
            unit=_unit(unit) if known is None else known.unit,
            direction=direction if known is None else known.direction,
            called=called if is_name(called) else _shown(called),
        )

    def _finite(self, called: str, value: JsonValue, factor: float) -> float | None:
        number = as_number(value)
        if number is None:
            self.collector.report("not_a_number", called)
        elif math.isfinite(number * factor):
            return number * factor
        else:
            self.collector.report("not_finite", called)
        return None


def names_in(problem: Problem) -> str:
    """Return the names that a problem of a file lists, and how many more there are.

    >>> names_in(Problem(severity="warning", code="not_finite", message="Left out, as these are no \
    ... finite numbers: ttft, itl and 3 more."))
    'ttft, itl and 3 more'
    """
    sentences = {str(code): sentence for code, sentence in _SENTENCES.items()}
    before, names, after = sentences.get(problem.code, "").partition("{}")
    message = problem.message
    if not names or not (message.startswith(before) and message.endswith(after)):
        return ""
    return message[len(before) : len(message) - len(after)]


def as_number(value: JsonValue) -> float | None:
    """Return a value as a number, which may be infinite or NaN; None if it is none."""
    if isinstance(value, str):
        return math.nan if value.strip().lower() in _NOT_FINITE else None
    if isinstance(value, bool) or not isinstance(value, (int, float)):
        return None
    try:
        return float(value)
    except OverflowError:
        return math.inf


def finite_number(value: JsonValue) -> float | None:
    """Return a value as a finite number; None for anything else."""
    number = as_number(value)
    return number if number is not None and math.isfinite(number) else None


def is_name(name: str) -> bool:
    """Return whether a metric or a point may be named so: 1 to 200 visible characters."""
    return 0 < len(name) <= LONGEST_NAME and name.isprintable() and not name.isspace()


def version_text(value: JsonValue) -> str | None:
    """Return a tool's version as a file has it; None for what cannot be one."""
    return value if isinstance(value, str) and is_name(value) else None


def _unit(unit: str | None) -> str:
    return usual_unit(unit) if unit and is_name(unit) else ""


def _shown(name: str) -> str:
    """Return the beginning of a name as one line of visible characters."""
    visible = "".join(letter if letter.isprintable() else "?" for letter in name[:_NAMED_LENGTH])
    return visible if len(name) <= _NAMED_LENGTH else visible + "…"


def _bare(code: ProblemCode) -> str:
    """Return the sentence without names."""
    sentence = _SENTENCES[code]
    return sentence if "{}" not in sentence else sentence.replace(": {}", "")
