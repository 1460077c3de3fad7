"""Who a piece of work is for: what the pool divides its processes by."""

from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass, field
from typing import Final


@dataclass(slots=True)
class Caller:
    """A name such as a client's address or `project:ID`; work in the `background` may wait for long.

    All tasks of one `request` wait as long together as one task alone, since one person waits for them.
    """

    name: str
    background: bool = False
    request: bool = False
    _began: float | None = field(default=None, init=False)

    def waited(self, now: float) -> float:
        """Return for how long, seconds, the request has waited for its tasks; `now` is the monotonic clock's time."""
        if not self.request:
            return 0.0
        if self._began is None:
            self._began = now
        return now - self._began


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
