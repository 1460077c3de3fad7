"""Problems of one text, and its verdict."""

from dataclasses import dataclass
from typing import Annotated, Final, Literal

from pydantic import Field

from benchmark_manager.models.record import OrElse, Record, words_of

Validity = Literal["valid", "template", "invalid"]
StoredValidity = Annotated[Validity, OrElse("invalid")]


#: For code that reads stored documents without building a model.
VALIDITIES: Final[frozenset[Validity]] = words_of(Validity)


class Problem(Record):
    """One problem of a text.

    `line` and `column` count from 1, columns in characters; both are None if the problem concerns
    the whole text.
    """

    severity: Annotated[Literal["error", "warning"], OrElse("warning")]
    code: str = Field(description="Stable, snake_case.", examples=["duplicate_key"])
    message: str = Field(description="One readable sentence.")
    line: int | None = None
    column: int | None = None


class Verdict(Record):
    """The result of validating one content."""

    validity: StoredValidity
    problems: tuple[Problem, ...] = ()


@dataclass(frozen=True, slots=True)
class StoredVerdict:
    """A verdict whose problems are stored under `problems_id`, which is None if there are none.

    A dataclass because a sync holds one for each of up to 100,000 files.
    """

    validity: Validity
    problems_id: str | None
    errors: int
    warnings: int
