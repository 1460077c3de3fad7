"""What a listener may receive, asked for again while it listens."""

import time
from collections.abc import Awaitable, Callable, Collection

from benchmark_manager.errors import BenchmarkManagerError
from benchmark_manager.models.access.principal import Principal
from benchmark_manager.models.change import Change


class Rights:
    """The principal who listens, which may lose its rights while it does."""

    def __init__(
        self,
        principal: Principal,
        identify: Callable[[], Awaitable[Principal | None]],
        *,
        every: float,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        """Begin with the rights of `principal`.

        `identify` returns who it is at that moment; it is called `every` so many seconds at most.
        """
        self._principal = principal
        self._identify = identify
        self._every = every
        self._clock = clock
        self._known_at = clock()
        self._asked: frozenset[str] = frozenset()

    @property
    def identity(self) -> str | None:
        """What is the same for all listeners of one identity; None where anybody is served."""
        principal = self._principal
        return None if principal.via == "open" else f"{principal.kind} {principal.id}"

    @property
    def every(self) -> float:
        """How old the rights may become, seconds."""
        return self._every

    def ask_for(self, project_ids: Collection[str]) -> None:
        """Remember which projects are listened to: without the right to one, `renew` ends it all.

        A project that may not be read now counts as one that does not exist: nothing of it comes.
        """
        self._asked = frozenset(key for key in project_ids if self._principal.may("reader", key))

    async def renew(self) -> bool:
        """Ask again, if the answer is too old; return whether listening may go on.

        Where there is no answer it may not: the client connects again, and is identified then.
        """
        if self._clock() - self._known_at < self._every:
            return True
        try:
            found = await self._identify()
        except BenchmarkManagerError:
            return False
        if found is None:
            return False
        self._principal, self._known_at = found, self._clock()
        return all(found.may("reader", key) for key in self._asked)

    def cover(self, change: Change) -> bool:
        """Return whether a change may be received.

        One of an unknown project may be received only by who may read all.
        """
        if change.project_id is None:
            return self._principal.readable() is None
        return self._principal.may("reader", change.project_id)
