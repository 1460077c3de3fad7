"""Sentences for values in forms that break the rules of `domain/fields.py`."""

from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass
from typing import Final

from babel.numbers import format_decimal

from benchmark_manager.domain import fields
from benchmark_manager.errors import BenchmarkManagerError, InvalidInputError
from benchmark_manager.messages.fields import wire_name
from benchmark_manager.web.site.languages import N_
from benchmark_manager.web.site.reader import Reader

_TAKEN: Final = frozenset({"account_name_taken", "name_taken", "project_name_taken"})


@dataclass(frozen=True, slots=True)
class TextRule:
    """A rule of `domain/fields.py`, its longest text, and what a form says when it is broken."""

    holds: Callable[[str], bool]
    longest: int
    sentence: str

    def words(self, reader: Reader) -> str:
        return reader.words(self.sentence) % {
            "most": format_decimal(self.longest, locale=reader.language)
        }


PROJECT_NAME: Final = TextRule(
    fields.is_project_name,
    fields.LONGEST_NAME,
    N_("Enter a name of 1 to %(most)s characters on one line."),
)
RELEASE_NAME: Final = TextRule(
    fields.is_release_name,
    fields.LONGEST_NAME,
    N_("Enter a name of at most %(most)s characters on one line."),
)
PERSON_NAME: Final = TextRule(
    fields.is_person_name,
    fields.LONGEST_PERSON_NAME,
    N_("Enter a name of at most %(most)s visible characters."),
)
DESCRIPTION: Final = TextRule(
    fields.is_description,
    fields.LONGEST_DESCRIPTION,
    N_("Enter a description of at most %(most)s characters."),
)


def broken_rules(reader: Reader, typed: Mapping[str, tuple[TextRule, str]]) -> dict[str, str]:
    """Return what to write beside each field whose text breaks its rule, by the field's name."""
    return {
        name: rule.words(reader) for name, (rule, text) in typed.items() if not rule.holds(text)
    }


def refused_field(error: BenchmarkManagerError, fields_of_form: Collection[str], name: str) -> str:
    """Return the field of a form that an error is about, or "" for the form as a whole.

    `name` is the field that holds the name which may be taken already.
    """
    field = wire_name(error.field) if isinstance(error, InvalidInputError) and error.field else None
    if error.code in _TAKEN:
        field = name
    return field if field is not None and field in fields_of_form else ""
