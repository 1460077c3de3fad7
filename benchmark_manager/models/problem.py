"""What is wrong, or suspicious, in one text."""

from dataclasses import dataclass
from typing import Annotated, Final, Literal

from pydantic import Field

from benchmark_manager.models.record import OrElse, Record, words_of

Validity = Literal["valid", "template", "invalid"]
StoredValidity = Annotated[Validity, OrElse("invalid")]


#: For those who build no model of what is stored.
VALIDITIES: Final[frozenset[Validity]] = words_of(Validity)


class Problem(Record):
    """One finding. `line` and `column` count from 1, columns in characters; None where the whole text is meant."""

    severity: Annotated[Literal["error", "warning"], OrElse("warning")]
    code: str = Field(description="Stable, snake_case.", examples=["duplicate_key"])
    message: str = Field(description="One readable sentence.")
    line: int | None = None
    column: int | None = None


class Verdict(Record):
    """What the validator says of one content."""

    validity: StoredValidity
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
