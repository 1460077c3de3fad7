"""What the catalogue says about a code."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Literal

#: Who reads a message: programs and people, people at a page, people at the command line, or the
#: log alone.
Readers = Literal["api", "pages", "commands", "log"]


@dataclass(frozen=True, slots=True)
class Sentence:
    """A sentence in each language, in which `{name}` stands for a fact of the error.

    `one` is the English sentence where the fact `count` is 1. `hint` follows the English sentence
    for programs: it says which field or parameter of the API helps.
    """

    en: str
    ko: str
    one: str = ""
    hint: str = ""


@dataclass(frozen=True, slots=True)
class Message:
    """A code's HTTP status, and its sentences by reason; a single one has the reason "".

    `other_statuses` are those of reasons whose status is another one.
    """

    status: int
    sentences: Mapping[str, Sentence]
    readers: Readers = "api"
    other_statuses: Mapping[str, int] = field(default_factory=dict)

    def status_of(self, reason: str) -> int:
        """Return the status of an error that has the code and this reason."""
        return self.other_statuses.get(reason, self.status)


def one_sentence(
    status: int, *, en: str, ko: str, hint: str = "", readers: Readers = "api"
) -> Message:
    """Return the message of a code with one sentence."""
    return Message(status, {"": Sentence(en, ko, hint=hint)}, readers)
