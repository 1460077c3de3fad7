"""Revisions: numbers that count the changes of an object, by which writers find those of others."""

from collections.abc import Collection
from typing import Protocol

from benchmark_manager.errors import StaleError


class Revised(Protocol):
    """An object that counts its changes."""

    @property
    def revision(self) -> int: ...


def expect_revision(found: Revised, expected: Collection[int] | None) -> None:
    """Accept an object at one of the `expected` revisions; None accepts any.

    Raises:
        StaleError
    """
    if expected is not None and found.revision not in expected:
        raise StaleError(found.revision)
