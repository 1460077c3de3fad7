"""Targets of axes: the alias of a file, and a path in it, as `ALIAS:PATH`."""

import re
from collections.abc import Collection
from typing import Final, TypeAlias

from benchmark_manager.domain.fields import LONGEST_PATH
from benchmark_manager.domain.sweeps.given import GivenValue
from benchmark_manager.domain.sweeps.limits import LONGEST_ALIAS
from benchmark_manager.domain.text.characters import shown
from benchmark_manager.errors import InvalidInputError
from benchmark_manager.models.sweep import Target

ValuePath: TypeAlias = tuple[str, str]
"""A file's alias, and a path in it without the mark that it may be absent."""

_ALIAS: Final = re.compile(rf"[A-Za-z0-9_-]{{1,{LONGEST_ALIAS}}}")
_LONGEST_TARGET: Final = LONGEST_ALIAS + 1 + LONGEST_PATH


def is_alias(text: str) -> bool:
    """Return whether a file may have this alias."""
    return _ALIAS.fullmatch(text) is not None


def target_text(target: Target) -> str:
    """Return a target as people write it."""
    return f"{target.alias}:{target.path}"


def value_path(target: Target) -> ValuePath:
    """Return the file and the path of a target: the mark makes no difference."""
    return target.alias, target.path.removesuffix("?")


def value_path_text(path: ValuePath) -> str:
    """Return a path as people write a target."""
    return ":".join(path)


def read_target(given: GivenValue, aliases: Collection[str]) -> Target:
    """Return the target that was given, in one of the files with these aliases.

    Raises:
        InvalidInputError: it has no such form, or no file has the alias.
    """
    alias, colon, path = given.text(_LONGEST_TARGET).partition(":")
    if not (colon and is_alias(alias) and path.removesuffix("?").strip()):
        raise InvalidInputError("invalid_request", "target_expected", field=given.field)
    if alias not in aliases:
        raise InvalidInputError(
            "invalid_request",
            "unknown_alias",
            field=given.field,
            name=shown(alias),
            names=tuple(aliases),
        )
    return Target(alias=alias, path=path)
