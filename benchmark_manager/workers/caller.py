"""Who a piece of work is for: what the pool divides its processes by."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass, field
from typing import Final


@dataclass(slots=True)
class Caller:
    """A name such as a client's address or `project:ID`; `background` work may wait for long.

    All tasks of one `request` wait as long together as one task alone, since one person waits for
    them.
    """

    name: str
    background: bool = False
    request: bool = False
    _tasks: int = field(default=0, init=False)
    _since: float = field(default=0.0, init=False)
    _spent: float = field(default=0.0, init=False)

    def waited(self, now: float) -> float:
        """Return the seconds that the request has waited for its tasks, at monotonic time `now`.

        What it waited for the database in between is not counted.
        """
        if not self.request:
            return 0.0
        return self._spent + (now - self._since if self._tasks else 0.0)

    @contextmanager
    def waiting(self, monotonic: Callable[[], float]) -> Iterator[None]:
        """Count the time inside, once where several tasks are asked for at the same time."""
        if not self._tasks:
            self._since = monotonic()
        self._tasks += 1
        try:
            yield
        finally:
            self._tasks -= 1
            if not self._tasks:
                self._spent += monotonic() - self._since


_SERVICE: Final = Caller("service")
_current: Final[ContextVar[Caller]] = ContextVar("caller", default=_SERVICE)


def current_caller() -> Caller:
    return _current.get()


def each_task_alone() -> Caller:
    """Return the present caller, each of whose tasks may wait as long as a request of its own."""
    caller = current_caller()
    return Caller(caller.name, background=caller.background)


@contextmanager
def calling_as(caller: Caller) -> Iterator[None]:
    """Account work which begins inside, also in tasks made inside, to this caller."""
    token = _current.set(caller)
    try:
        yield
    finally:
        _current.reset(token)
