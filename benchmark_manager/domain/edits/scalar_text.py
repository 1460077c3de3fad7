"""Scalars as text: numbers and words that all readers take alike, and strings in given quotes."""

import json
from typing import Final, Literal, TypeAlias

from pydantic import JsonValue

from benchmark_manager.domain.documents.nodes import DocumentTree
from benchmark_manager.domain.documents.quoting import double_quoted, single_quoted
from benchmark_manager.domain.documents.scalars import read_plain
from benchmark_manager.domain.validation.texts.templates import may_hold_template
from benchmark_manager.domain.yaml.scalars import difference, may_be_number_or_time

Quotes: TypeAlias = Literal["", "'", '"']
"""The quotes of a string; none where it needs none."""

PlainScalar: TypeAlias = str | int | float | bool | None

#: First characters that mean something else in a plain scalar; a dash does before a blank only.
_INDICATORS: Final = frozenset("!\"#%&'*,:>?@[]`{|}")
#: What ends a plain scalar between brackets; the question mark does for PyYAML's own scanner.
_FLOW: Final = frozenset(",?[]{}")
#: At the beginning of a line they look like the marks of a merge by git.
_CONFLICTS: Final = ("<<<<<<<", "=======")
_MARKS: Final = ("---", "...")
_ESCAPES: Final = frozenset('"\\')


def scalar_text(value: PlainScalar, quotes: Quotes, *, in_flow: bool) -> str:
    """Return a scalar of YAML on one line; `quotes` are for strings only."""
    if not isinstance(value, str):
        return number_text(value)
    if quotes == "'" and value.isprintable():
        return single_quoted(value)
    if quotes == "" and is_plain(value, in_flow=in_flow):
        return value
    if quotes == "" and value.isprintable() and not _ESCAPES.isdisjoint(value):
        return single_quoted(value)
    return double_quoted(value)


def number_text(value: float | bool | None) -> str:
    """Return a number, `true`, `false` or `null` as readers of YAML 1.1, YAML 1.2 and JSON do."""
    text = json.dumps(value)
    mantissa, exponent, power = text.partition("e")
    # A reader of YAML 1.1 takes `1e-05` for a string.
    if isinstance(value, float) and exponent and "." not in mantissa:
        return f"{mantissa}.0{exponent}{power}"
    return text


def is_plain(text: str, *, in_flow: bool) -> bool:
    """Return whether every reader takes a text without quotes for the string that it is."""
    if not _may_be_plain(text) or not text.isprintable() or text[0] in _INDICATORS:
        return False
    if in_flow and not _FLOW.isdisjoint(text):
        return False
    return read_plain(text).is_text and difference(text) is None and not may_be_number_or_time(text)


def _may_be_plain(text: str) -> bool:
    if not text or text[0] == " " or text[-1] in " :" or text[:2] in {"-", "- "}:
        return False
    if text.startswith(_MARKS) and text[len(_MARKS[0]) :][:1] in {"", " "}:
        return False
    if text.startswith(_CONFLICTS):
        return False
    return ": " not in text and " #" not in text and not may_hold_template(text)


def json_text(value: JsonValue, tree: DocumentTree, indent: str | None = None) -> str:
    """Return a value as JSON, with letters escaped as a text does."""
    return json.dumps(value, ensure_ascii=tree.escapes_letters, indent=indent)


def quotes_of(source: str) -> Quotes:
    """Return the quotes that a scalar's source begins with."""
    if source.startswith('"'):
        return '"'
    return "'" if source.startswith("'") else ""
