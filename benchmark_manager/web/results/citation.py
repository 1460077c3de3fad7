"""A result as text to paste into a report: what was measured, with what, by whom, and when."""

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import UTC
from typing import Final

from benchmark_manager.domain.results.metrics import shown_first
from benchmark_manager.models.release import ReleaseFile
from benchmark_manager.models.result import Result, ResultPoint
from benchmark_manager.models.result_table import MetricColumn

#: Points, metrics of a point, and commits that are named.
_POINTS: Final = 20
_METRICS: Final = 8
_COMMITS: Final = 3
#: What Markdown, or the HTML in it, would take for a mark.
_MARKS: Final = re.compile(r"([\\`*_\[\]<>#|~&])")
#: What GitHub and GitLab take for a person, whom they notify, or for an issue, with what follows
#: it: they look for a name after any text that they show, such as the end of code.
_REFERENCES: Final = re.compile(r"((?:(?<![0-9A-Za-z_])@|#(?=[0-9]))[\w./@#-]*)")
_LONG: Final = 200


@dataclass(frozen=True, slots=True)
class Cited:
    """What a citation needs beside the result."""

    repository: str
    commits: Sequence[str]
    commits_count: int
    page_url: str
    command: str

    @classmethod
    def of(
        cls, files: Sequence[ReleaseFile], repository: str, page_url: str, command: str
    ) -> "Cited":
        """Collect the commits from which a release's files are."""
        commits = dict.fromkeys(file.commit_sha for file in files)
        return cls(repository, list(commits)[:_COMMITS], len(commits), page_url, command)


@dataclass(frozen=True, slots=True)
class Citation:
    """A citation as plain text, and as Markdown."""

    text: str
    markdown: str

    @classmethod
    def of(cls, result: Result, cited: Cited) -> "Citation":
        facts = list(_facts(result, cited))
        points = result.parsed.points[:_POINTS]
        return cls(_text(facts, points), _markdown(result, cited, facts, points))


def _facts(result: Result, cited: Cited) -> Iterable[tuple[str, str]]:
    """Yield what is said of a result, in English: reports are read by others."""
    yield "Release", result.release
    yield "Get the files", cited.command
    more = cited.commits_count - len(cited.commits)
    commits = ", ".join(cited.commits) + (f" and {more} more" if more > 0 else "")
    yield "Commit", f"{commits} of {cited.repository}"
    tool = f"{result.parsed.tool} {result.parsed.tool_version or ''}".strip()
    yield "Measured with", tool
    yield "Result file", f"{_line(result.file_name)} (sha256:{result.sha256})"
    if result.labels:
        labels = (f"{_line(name)}={_line(value)}" for name, value in result.labels.items())
        yield "Environment", ", ".join(labels)
    yield "Files on the machine", _receipt(result)
    when = result.created_at.astimezone(UTC)
    yield "Uploaded", f"{when:%Y-%m-%d %H:%M} UTC by {_line(result.created_by)}"
    yield "Details", cited.page_url


def _receipt(result: Result) -> str:
    status = "not_verified" if result.receipt is None else result.receipt.status
    return status.replace("_", " ")


def _line(text: str) -> str:
    """Return a text on one line, without characters that cannot be seen."""
    shown = "".join(each if each.isprintable() else " " for each in text)
    return shown if len(shown) <= _LONG else f"{shown[: _LONG - 1]}…"


def _metrics(point: ResultPoint) -> Iterable[tuple[str, str, str]]:
    """Yield the names, values and units of the metrics that say most."""
    important = shown_first(
        MetricColumn(name=name, unit=metric.unit, direction=metric.direction)
        for name, metric in point.metrics.items()
    )
    others = [name for name in point.metrics if name not in important]
    for name in [*important, *others][:_METRICS]:
        metric = point.metrics[name]
        yield _line(name), _number(metric.value), _line(metric.unit)


def _number(value: float) -> str:
    """Return all digits of a number; whole ones without a point."""
    return repr(value).removesuffix(".0")


def _text(facts: Sequence[tuple[str, str]], points: Sequence[ResultPoint]) -> str:
    lines = [f"{name}: {value}" for name, value in facts]
    for point in points:
        label = f"{_line(point.point)}: " if point.point else ""
        values = (f"{name} {value} {unit}".strip() for name, value, unit in _metrics(point))
        lines.append(f"Metrics: {label}{', '.join(values)}")
    return "\n".join(lines) + "\n"


def _markdown(
    result: Result,
    cited: Cited,
    facts: Sequence[tuple[str, str]],
    points: Sequence[ResultPoint],
) -> str:
    lines = [f"**[{_escaped(_line(result.file_name))}]({cited.page_url})**", ""]
    code = {"Release", "Get the files"}
    for name, value in facts[:-1]:
        lines.append(f"- {name}: " + (f"`{value}`" if name in code else _escaped(value)))
    rows = [
        f"| {_escaped(_line(point.point)) or '-'} | {_escaped(name)} | {value} | {_escaped(unit)} |"
        for point in points
        for name, value, unit in _metrics(point)
    ]
    if rows:
        lines += ["", "| point | metric | value | unit |", "| --- | --- | ---: | --- |", *rows]
    return "\n".join(lines) + "\n"


def _escaped(text: str) -> str:
    """Return Markdown that shows a text as it is, and refers to nobody and to no issue.

    References are written as code: an escape, or a character as its number, makes no difference to
    who is mentioned, as mentions are found in what is shown.
    """
    # Every second part is a reference.
    plain_and_references = enumerate(_REFERENCES.split(text))
    return "".join(
        f"`{part}`" if number % 2 else _MARKS.sub(r"\\\1", part)
        for number, part in plain_and_references
    )
