"""A value for fields that were not given, where None is a value of its own."""

from typing import Final, TypeVar

T = TypeVar("T")


class Unset:
    """The value of a field that was not given, where None is a value of its own."""


UNSET: Final = Unset()


def given_or(value: T | Unset, otherwise: T) -> T:
    """Return the value where it was given, else the other one."""
    return otherwise if isinstance(value, Unset) else value
