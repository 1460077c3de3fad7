"""The end of a process that was asked to stop, whatever hangs in it."""

import faulthandler
import os
import threading
from typing import Final

import structlog

from benchmark_manager.services.operations.stopping import PROCESS_END

_log = structlog.get_logger(__name__)

#: Seconds after that end, for a process in which no Python code runs any more.
_LAST_RESORT: Final = 0.3


def end_process_in_time(seconds: float = PROCESS_END) -> None:
    """End this process so many seconds from now, unless it has ended by then.

    What hangs may be the event loop, a thread that Python waits for at its end, or C code that
    holds Python's lock. Nothing acknowledged is lost: writes were on the disk, and leases run out.
    The embedded database's guardian ends it with this process.
    """
    threading.Thread(
        target=_end_process, args=(seconds,), name="end of the process", daemon=True
    ).start()
    # A thread of its own in C, which needs no lock of Python's; it writes where the process hangs.
    faulthandler.dump_traceback_later(seconds + _LAST_RESORT, exit=True)


def _end_process(seconds: float) -> None:
    threading.Event().wait(seconds)
    _log.error("the service did not stop in time and is ended now", seconds=seconds)
    # What was asked for is done: it has stopped.
    os._exit(0)
