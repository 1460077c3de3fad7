"""The log of the process of the tests, kept apart from that of commands run in it."""

import logging
from collections.abc import Iterator
from contextlib import contextmanager


@contextmanager
def unchanged_log() -> Iterator[None]:
    """Restore the log's level and where it goes.

    A command sets both up for itself, and its standard error ends with it: what the process logs
    later would fail, and say so on the standard error of the next command.
    """
    root = logging.getLogger()
    level, handlers = root.level, list(root.handlers)
    try:
        yield
    finally:
        root.setLevel(level)
        for handler in list(root.handlers):
            root.removeHandler(handler)
        for handler in handlers:
            root.addHandler(handler)
