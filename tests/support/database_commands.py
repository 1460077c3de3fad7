"""Which commands a service in this process sends to its database."""

from collections.abc import Iterator
from contextlib import contextmanager

from pymongo import monitoring


class _Commands(monitoring.CommandListener):
    """Notes the names of the commands while somebody asks for them."""

    def __init__(self) -> None:
        self.noted: list[str] | None = None

    def started(self, event: monitoring.CommandStartedEvent) -> None:
        if self.noted is not None:
            self.noted.append(event.command_name)

    def succeeded(self, event: monitoring.CommandSucceededEvent) -> None:
        """Nothing: its start was noted."""

    def failed(self, event: monitoring.CommandFailedEvent) -> None:
        """Nothing: its start was noted."""


_COMMANDS = _Commands()
# Of all clients which are made from now on, so import this module before a service is started.
monitoring.register(_COMMANDS)


@contextmanager
def noted_commands() -> Iterator[list[str]]:
    """The names of the commands which are sent inside, in their order."""
    noted: list[str] = []
    _COMMANDS.noted = noted
    try:
        yield noted
    finally:
        _COMMANDS.noted = None
