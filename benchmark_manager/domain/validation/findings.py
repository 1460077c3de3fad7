"""Findings, collected while a text is read, and the problems that are made of them."""

import re
from bisect import bisect_right
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from functools import cached_property
from typing import Final, Literal, TypeAlias

from benchmark_manager.models.problem import Problem

MAX_PROBLEMS: Final = 100
_MAX_SHOWN: Final = 60
_LINE_END: Final = re.compile(r"\r\n|\r|\n")
_UNREADABLE: Final = re.compile(
    r"[\x00-\x1f\x7f-\x9f\u2028\u2029\u202a-\u202e\u2066-\u2069\ud800-\udfff]+"
)

Severity: TypeAlias = Literal["error", "warning"]

Message: TypeAlias = str | Callable[[], str]
"""A sentence, or a function that makes it: of half a million findings only a hundred are shown."""


@dataclass(frozen=True, slots=True)
class Finding:
    """One problem; `index` is its position in characters, None if it concerns the whole text."""

    severity: Severity
    code: str
    message: str
    index: int | None

    def demoted(self) -> "Finding":
        return replace(self, severity="warning")


class Lines:
    """Lines and columns of a text, from 1, columns in characters; a line ends at CR, LF or CRLF."""

    def __init__(self, text: str) -> None:
        self._text = text

    @cached_property
    def _starts(self) -> list[int]:
        return [0, *(match.end() for match in _LINE_END.finditer(self._text))]

    def position(self, index: int) -> tuple[int, int]:
        line = bisect_right(self._starts, index)
        return line, index - self._starts[line - 1] + 1


@dataclass(slots=True)
class Findings:
    """Collects findings; beyond `MAX_PROBLEMS` of a severity it only counts, to bound memory."""

    lines: Lines
    errors: list[Finding] = field(default_factory=list)
    warnings: list[Finding] = field(default_factory=list)
    left_out: int = 0

    def error(self, code: str, message: Message, index: int | None) -> None:
        self._add(self.errors, "error", code, message, index)

    def warning(self, code: str, message: Message, index: int | None) -> None:
        self._add(self.warnings, "warning", code, message, index)

    def line_of(self, index: int) -> int:
        return self.lines.position(index)[0]

    def _add(
        self, to: list[Finding], severity: Severity, code: str, message: Message, index: int | None
    ) -> None:
        if len(to) < MAX_PROBLEMS:
            to.append(
                Finding(severity, code, message if isinstance(message, str) else message(), index)
            )
        else:
            self.left_out += 1

    def demote_errors(self, notice: Finding) -> None:
        """Turn every error into a warning, after the notice that says why."""
        found = [notice, *(finding.demoted() for finding in self.errors), *self.warnings]
        self.left_out += max(0, len(found) - MAX_PROBLEMS)
        self.warnings[:] = found[:MAX_PROBLEMS]
        self.errors.clear()

    def problems(self) -> tuple[Problem, ...]:
        """Return at most `MAX_PROBLEMS`, errors before warnings if too many, sorted by position."""
        found = self.errors + self.warnings
        total = len(found) + self.left_out
        if total > MAX_PROBLEMS:
            found = found[: MAX_PROBLEMS - 1]
        shown = [self._problem(finding) for finding in sorted(found, key=_sort_key)]
        return (*shown, self._rest(total - len(found))) if total > len(found) else tuple(shown)

    def _problem(self, finding: Finding) -> Problem:
        line, column = (None, None) if finding.index is None else self.lines.position(finding.index)
        return Problem(
            severity=finding.severity,
            code=finding.code,
            message=finding.message,
            line=line,
            column=column,
        )

    def _rest(self, count: int) -> Problem:
        return Problem(
            severity="error" if self.errors else "warning",
            code="more_problems",
            message=f"{count} more problem{' is' if count == 1 else 's are'} not listed.",
        )


def _sort_key(finding: Finding) -> int:
    return -1 if finding.index is None else finding.index


def excerpt(text: str) -> str:
    """Shorten a text for a message: one short line without invisible characters."""
    return excerpt_of(text, 0, len(text))


def excerpt_of(text: str, start: int, end: int) -> str:
    """Return `excerpt(text[start:end])` without copying a piece that may be as long as the text."""
    shown = _UNREADABLE.sub(" ", text[start : min(end, start + _MAX_SHOWN + 1)])
    return f"{shown[: _MAX_SHOWN - 1]}…" if len(shown) > _MAX_SHOWN else shown
