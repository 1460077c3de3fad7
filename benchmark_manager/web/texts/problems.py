"""The problems of a text that a page lists."""

from collections.abc import Sequence
from dataclasses import dataclass

from benchmark_manager.models.problem import Problem
from benchmark_manager.web.texts.limits import PROBLEM_CHARACTERS, PROBLEMS


@dataclass(frozen=True, slots=True)
class ListedProblems:
    """Listed problems, each with a link to its line or None, and the number of further ones."""

    rows: tuple[tuple[Problem, str | None], ...]
    more: int

    def __bool__(self) -> bool:
        return bool(self.rows)

    @property
    def problems(self) -> tuple[Problem, ...]:
        return tuple(problem for problem, _ in self.rows)


def listed(problems: Sequence[Problem]) -> ListedProblems:
    """Return as many problems as fit on a page, without links; long messages are cut."""
    shown: list[Problem] = []
    left = PROBLEM_CHARACTERS
    for problem in problems[:PROBLEMS]:
        if left <= 0:
            break
        message = problem.message if len(problem.message) <= left else f"{problem.message[:left]}…"
        left -= len(message)
        shown.append(
            problem
            if message == problem.message
            else problem.model_copy(update={"message": message})
        )
    return ListedProblems(tuple((problem, None) for problem in shown), len(problems) - len(shown))
