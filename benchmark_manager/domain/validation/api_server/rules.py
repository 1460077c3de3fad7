"""The parts of tables of rules: shapes of objects, rules for values, and rules between fields.

A rule takes a value and its field. It reports what the API server refuses. It does not report
values of the wrong type, which Kubernetes' schema does, nor absent values of incomplete objects.
"""

from collections.abc import Callable, Iterable, Mapping
from decimal import Decimal
from typing import Final, NamedTuple, TypeAlias

from benchmark_manager.domain.validation.findings import excerpt
from benchmark_manager.domain.validation.kubernetes.names import check_labels
from benchmark_manager.domain.validation.kubernetes.quantities import no_quantity, parse_quantity
from benchmark_manager.domain.validation.texts.placeholders import (
    holds_placeholder,
    value_holds_placeholder,
)
from benchmark_manager.domain.validation.texts.yaml_values import Path, Value
from benchmark_manager.domain.validation.value_findings import ValueFindings
from benchmark_manager.domain.validation.values import mapping, sequence

MAX_INT32: Final = 2**31 - 1


class Field(NamedTuple):
    """The path of a value, and the collector for findings about it.

    `whole` is False where only a part of an object is known, such as a patch: what is absent there
    may be set elsewhere. `completed` is True inside custom resources, whose controllers add what
    pods lack, such as images and volumes.
    """

    path: Path
    findings: ValueFindings
    whole: bool = True
    completed: bool = False

    def child(self, *steps: str | int) -> "Field":
        """Return the field below this one by keys and indexes."""
        return Field((*self.path, *steps), self.findings, self.whole, self.completed)

    @property
    def name(self) -> str:
        """Return the innermost key, shortened for a message."""
        return excerpt(next((step for step in reversed(self.path) if isinstance(step, str)), ""))

    def refuse(self, code: str, message: str) -> None:
        """Report the value, unless it was reported already."""
        if not self.findings.knows(self.path):
            self.findings.add(self.path, code, message)

    def require(self, name: str, message: str) -> None:
        """Report that a field is missing, unless it may be set elsewhere."""
        if self.whole and not self.completed:
            self.refuse("missing_field", f"{excerpt(name)} is missing: {message}")


Rule: TypeAlias = Callable[[Value, Field], None]


def is_open(value: Value) -> bool:
    """Return whether a value is filled in later, so that nothing is known about it yet."""
    return isinstance(value, str) and value_holds_placeholder(value)


class Shape:
    """A rule for a mapping: one rule for each field that has any, then the rules between fields."""

    def __init__(self, fields: Mapping[str, Rule], *together: Rule) -> None:
        """Take rules by the names of their fields, and rules that take the whole mapping."""
        self.fields = dict(fields)
        self.together = together

    def __call__(self, value: Value, field: Field) -> None:
        if not isinstance(value, dict):
            return
        fields = self.fields
        for name, inner in value.items():
            if inner is not None and (rule := fields.get(name)) is not None and not is_open(inner):
                rule(inner, field.child(name))
        for rule in self.together:
            rule(value, field)

    def extended(self, fields: Mapping[str, Rule], *together: Rule) -> "Shape":
        """Return this shape with more rules."""
        return Shape({**self.fields, **fields}, *self.together, *together)


def each(rule: Rule) -> Rule:
    """Return a rule that applies another to every item of a list."""

    def check(value: Value, field: Field) -> None:
        if isinstance(value, list):
            for index, item in enumerate(value):
                if not is_open(item):
                    rule(item, field.child(index))

    return check


def every_value(rule: Rule) -> Rule:
    """Return a rule that applies another to every value of a mapping."""

    def check(value: Value, field: Field) -> None:
        if isinstance(value, dict):
            for name, inner in value.items():
                if inner is not None and not is_open(inner):
                    rule(inner, field.child(name))

    return check


def all_of(*rules: Rule) -> Rule:
    """Return a rule that applies several to one value."""

    def check(value: Value, field: Field) -> None:
        for rule in rules:
            rule(value, field)

    return check


def one_of(*allowed: str) -> Rule:
    """Return a rule for an enumeration; an empty text counts as absent, as nearly everywhere."""
    accepted = frozenset(allowed)
    by_lower = {word.lower(): word for word in allowed}

    def check(value: Value, field: Field) -> None:
        if isinstance(value, str) and value and value not in accepted:
            hint = f"write {by_lower.get(value.lower()) or either(allowed)}"
            field.refuse("wrong_value", f"{field.name} cannot be {excerpt(value)}; {hint}.")

    return check


def either(words: Iterable[str]) -> str:
    """Join words for a message: `a, b or c`."""
    *others, last = words
    return f"{', '.join(others)} or {last}" if others else last


def number(least: int, most: int | None = None) -> Rule:
    """Return a rule for a number within bounds, both included."""
    bounds = f"{least} or more" if most is None else f"from {least} to {most}"

    def check(value: Value, field: Field) -> None:
        if not is_number(value) or (value >= least and (most is None or value <= most)):
            return
        message = f"{field.name} is {excerpt(str(value))}; it must be {bounds}."
        if value < 0 and least >= 0:
            field.refuse("negative_number", message)
        else:
            field.refuse("wrong_value", message)

    return check


def is_number(value: Value) -> bool:
    return isinstance(value, (int, float)) and not isinstance(value, bool)


def text(
    accepted: Callable[[str], bool],
    must: str,
    *,
    code: str = "wrong_value",
    may_be_empty: bool = True,
) -> Rule:
    """Return a rule for the form of a text; `must` completes the sentence "It must …"."""

    def check(value: Value, field: Field) -> None:
        if isinstance(value, str) and not (accepted(value) if value else may_be_empty):
            shown = excerpt(value) if value else "empty"
            is_key = field.path[-1:] == (value,)
            field.refuse(
                code,
                f"The key {shown} must {must}."
                if is_key
                else f"{field.name} is {shown}; it must {must}.",
            )

    return check


def at_most(count: int) -> Rule:
    """Return a rule for the length of a list."""

    def check(value: Value, field: Field) -> None:
        if isinstance(value, list) and len(value) > count:
            field.refuse(
                "wrong_value", f"{field.name} has {len(value)} items; it may have {count} at most."
            )

    return check


def not_empty(value: Value, field: Field) -> None:
    """Report an empty text, list or mapping."""
    if isinstance(value, (list, str, dict)) and not value:
        field.refuse("wrong_value", f"{field.name} must not be empty.")


def quantity(value: Value, field: Field) -> None:
    """Report a value that is not a quantity of 0 or more."""
    if isinstance(value, (str, int, float)) and not isinstance(value, bool):
        amount = parse_quantity(value)
        if amount is None or amount < 0:
            field.refuse("quantity_invalid", no_quantity(value, field.name))


def labels(value: Value, field: Field) -> None:
    """Report keys and values that labels cannot have."""
    plain = {
        key: inner
        for key, inner in mapping(value).items()
        if not holds_placeholder(key) and not is_open(inner)
    }
    check_labels(field.path, plain, field.findings)


# --- rules between fields -------------------------------------------------------------------------


def given(value: Value, names: Iterable[str]) -> list[str]:
    """Return which of the fields a mapping has with a value other than null, in its order."""
    wanted = frozenset(names)
    return [name for name, inner in mapping(value).items() if inner is not None and name in wanted]


class _Open:
    """The type of `OPEN`, a value of which nothing is known; it equals nothing else."""


OPEN: Final = _Open()


def known(value: Value, name: str, default: Value = None) -> Value:
    """Return a field's plain value, or its default where it is absent or empty.

    `OPEN` is returned for values that are filled in later, and for lists and mappings, whose type
    is wrong.
    """
    if not isinstance(value, dict):
        return default
    inner = value.get(name)
    if inner is None or inner == "":
        return default
    return OPEN if isinstance(inner, (dict, list)) or is_open(inner) else inner


def only_one(*names: str, what: str) -> Rule:
    """Return a rule that at most one of several fields is given; `what` names what they give."""

    def check(value: Value, field: Field) -> None:
        if isinstance(value, dict) and len(found := given(value, names)) > 1:
            first, second = found[:2]
            message = (
                f"{excerpt(first)} and {excerpt(second)} cannot be combined: "
                f"there can be only one {what}."
            )
            field.child(second).refuse("fields_conflict", message)

    return check


def one_at_least(*names: str) -> Rule:
    """Return a rule that one of several fields is given; the schema reports unknown ones."""

    def check(value: Value, field: Field) -> None:
        if isinstance(value, dict) and not any(inner is not None for inner in value.values()):
            field.require(either(names), "one of them is needed.")

    return check


def required(name: str, message: str) -> Rule:
    """Return a rule for a field that the API server requires and the schema does not."""

    def check(value: Value, field: Field) -> None:
        if isinstance(value, dict) and value.get(name) in (None, "", [], {}):
            field.require(name, message)

    return check


def forbidden(message: str) -> Rule:
    """Return a rule for a field that must be absent."""

    def check(_value: Value, field: Field) -> None:
        field.refuse("fields_conflict", message)

    return check


def unique(name: str, *, code: str = "duplicate_value", **others: Value) -> Rule:
    """Return a rule that no two items of a list have the same value in a field.

    Args:
        name: the field.
        code: the code of the problem.
        others: more fields, with their defaults; items are the same only if these are equal too.
    """

    def check(value: Value, field: Field) -> None:
        seen: set[tuple[Value, ...]] = set()
        for index, item in enumerate(sequence(value)):
            key = (
                known(item, name),
                *(known(item, other, default) for other, default in others.items()),
            )
            if key[0] is None or not all(
                part is None or isinstance(part, (str, int)) for part in key
            ):
                continue
            if key in seen:
                shown = ", ".join(excerpt(str(part)) for part in key if part is not None)
                field.child(index, name).refuse(code, f"{shown} appears twice in {field.name}.")
            seen.add(key)

    return check


def amount(value: Value) -> Decimal | None:
    """Return the amount of a quantity, or None if it is not one or is filled in later."""
    return None if is_open(value) else parse_quantity(value)
