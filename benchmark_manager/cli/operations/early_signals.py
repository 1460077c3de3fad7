"""Handle SIGTERM in process 1 of a container while its modules are still being imported.

The kernel drops a signal that process 1 has no handler for, where any other process would end. The
server's modules take about two seconds to import, so a container that is stopped right after its
start would otherwise run until it is killed. Importing this module imports none of them.
"""

import os
import signal
from types import FrameType

_SIGNALLED = 128


def end_at_sigterm() -> None:
    """Let process 1 end at SIGTERM as other processes do, until the server sets its own handler."""
    if os.getpid() == 1:
        signal.signal(signal.SIGTERM, _end)


def _end(number: int, _: FrameType | None) -> None:
    # Nothing has been started yet. An exception could be caught by a module that is being imported.
    os._exit(_SIGNALLED + number)
