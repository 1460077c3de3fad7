"""Which commands a request sends to the database, where its service is in this process."""

from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar

from pymongo import monitoring

# Of the asking task and the tasks that it starts: what a service does by itself is not noted.
_NOTED: ContextVar[list[str] | None] = ContextVar("noted", default=None)


class _NotedCommands(monitoring.CommandListener):
    """Notes the names of the commands of a task that asks for them."""

    def started(self, event: monitoring.CommandStartedEvent) -> None:
        noted = _NOTED.get()
        if noted is not None:
            noted.append(event.command_name)

    def succeeded(self, event: monitoring.CommandSucceededEvent) -> None:
        """Nothing: its start was noted."""

    def failed(self, event: monitoring.CommandFailedEvent) -> None:
        """Nothing: its start was noted."""


# Of all clients which are made from now on, so import this module before a service is started.
monitoring.register(_NotedCommands())


@contextmanager
def noted_commands() -> Iterator[list[str]]:
    """The names of the commands which this task sends inside, in their order."""
    noted: list[str] = []
    before = _NOTED.set(noted)
    try:
        yield noted
    finally:
        _NOTED.reset(before)
