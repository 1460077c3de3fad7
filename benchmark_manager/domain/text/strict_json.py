"""Refuse what Python's reader of JSON accepts and JSON does not have: hooks of `json.loads`."""

from typing import NoReturn, TypeVar

T = TypeVar("T")


def refuse_constant(word: str) -> NoReturn:
    """Refuse NaN and the infinities (`parse_constant`).

    Raises:
        ValueError
    """
    raise ValueError(word)


def unique_members(pairs: list[tuple[str, T]]) -> dict[str, T]:
    """Return the members of an object in which no name occurs twice (`object_pairs_hook`).

    Raises:
        ValueError
    """
    members = dict(pairs)
    if len(members) < len(pairs):
        raise ValueError
    return members
