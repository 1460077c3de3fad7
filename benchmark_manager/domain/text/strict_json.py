"""Refuse what Python's reader of JSON accepts and JSON does not have: hooks of `json.loads`."""

from typing import NoReturn, TypeVar

T = TypeVar("T")


class RepeatedNameError(ValueError):
    """An object has two members of the same `name`."""

    def __init__(self, name: str) -> None:
        super().__init__(name)
        self.name = name


def refuse_constant(word: str) -> NoReturn:
    """Refuse NaN and the infinities (`parse_constant`).

    Raises:
        ValueError
    """
    raise ValueError(word)


def unique_members(pairs: list[tuple[str, T]]) -> dict[str, T]:
    """Return the members of an object in which no name occurs twice (`object_pairs_hook`).

    Raises:
        RepeatedNameError
    """
    members = dict(pairs)
    if len(members) < len(pairs):
        raise RepeatedNameError(_repeated(pairs))
    return members


def _repeated(pairs: list[tuple[str, T]]) -> str:
    """Return the first name that occurred before."""
    seen = set[str]()
    for name, _ in pairs:
        if name in seen:
            return name
        seen.add(name)
    return ""
