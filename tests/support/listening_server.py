"""A server of uvicorn that leaves signals to the tests."""

from collections.abc import Iterator
from contextlib import contextmanager

import uvicorn


class ListeningServer(uvicorn.Server):
    @contextmanager
    def capture_signals(self) -> Iterator[None]:
        """Leave the handlers as they are: servers of one process end in any order."""
        yield
