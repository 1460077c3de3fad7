"""Problems of a text as a page lists them."""

from collections.abc import Sequence
from dataclasses import dataclass

from benchmark_manager.models.problem import Problem
from benchmark_manager.web.site.limits import PROBLEM_CHARACTERS, PROBLEMS


@dataclass(frozen=True, slots=True)
class ListedProblems:
    """Problems which a page lists, each with the link to its line or None, and how many more there are."""

    rows: tuple[tuple[Problem, str | None], ...]
    more: int

    def __bool__(self) -> bool:
        return bool(self.rows)

    @property
    def problems(self) -> tuple[Problem, ...]:
        return tuple(problem for problem, _ in self.rows)


def listed(problems: Sequence[Problem]) -> ListedProblems:
    """As many as a page has room for, of long ones the beginning; without links."""
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
