"""What is wrong, or suspicious, in one text."""

from dataclasses import dataclass
from typing import Literal

from pydantic import Field

from benchmark_manager.models.record import Record

Validity = Literal["valid", "template", "invalid"]


class Problem(Record):
    """One finding. `line` and `column` count from 1, columns in characters; None where the whole text is meant."""

    severity: Literal["error", "warning"]
    code: str = Field(description="Stable, snake_case.", examples=["duplicate_key"])
    message: str = Field(description="One readable sentence.")
    line: int | None = None
    column: int | None = None


class Verdict(Record):
    """What the validator says of one content."""

    validity: Validity
    problems: tuple[Problem, ...] = ()


@dataclass(frozen=True, slots=True)
class StoredVerdict:
    """A verdict whose problems are in the store; `problems_id` refers to them, None where there are none.

    A dataclass, as a sync holds one for each of 100,000 files.
    """

    validity: Validity
    problems_id: str | None
    errors: int
    warnings: int
