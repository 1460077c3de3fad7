"""Who a piece of work is for: what the pool divides its processes by."""

from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass
from typing import Final


@dataclass(frozen=True, slots=True)
class Caller:
    """A name such as a client's address or `project:ID`; work in the `background` may wait for long."""

    name: str
    background: bool = False


_SERVICE: Final = Caller("service")
_current: Final[ContextVar[Caller]] = ContextVar("caller", default=_SERVICE)


def current_caller() -> Caller:
    return _current.get()


@contextmanager
def calling_as(caller: Caller) -> Iterator[None]:
    """Account work which begins inside, also in tasks made inside, to this caller."""
    token = _current.set(caller)
    try:
        yield
    finally:
        _current.reset(token)
