"""What is wrong, or suspicious, in one text."""

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
