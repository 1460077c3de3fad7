"""Values to set, each at its path."""

from dataclasses import dataclass

from pydantic import JsonValue


@dataclass(frozen=True, slots=True)
class Assignment:
    """A value to set at a path.

    A path is written as differences report it (`domain/documents/paths.py`), with two additions:
    `args[--flag]` is the value of a command line flag in a list of strings, and a path that ends
    in `?` may be absent, and is added then.
    """

    path: str
    value: JsonValue
