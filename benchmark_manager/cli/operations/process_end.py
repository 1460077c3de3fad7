"""End a process that was asked to stop, even if something in it hangs."""

import faulthandler
import os
import threading
from typing import Final

import structlog

from benchmark_manager.services.operations.stopping import PROCESS_END

_log = structlog.get_logger(__name__)

#: Seconds after that, for a process in which no Python code runs any more.
LAST_RESORT: Final = 0.3


def end_process_in_time(seconds: float = PROCESS_END, last_resort: float = LAST_RESORT) -> None:
    """End this process so many seconds from now, unless it has ended by then.

    Where no Python code runs any more, it is ended `last_resort` seconds later, with exit code 1.

    The event loop may hang, or a thread that Python waits for at its end, or C code that holds
    Python's lock. Nothing acknowledged is lost: writes are on the disk, and leases expire. The
    embedded database's guardian ends it with this process.
    """
    threading.Thread(
        target=_end_process, args=(seconds,), name="end of the process", daemon=True
    ).start()
    # This thread is in C and does not need Python's lock; it writes where the process hangs.
    faulthandler.dump_traceback_later(seconds + last_resort, exit=True)


def _end_process(seconds: float) -> None:
    threading.Event().wait(seconds)
    _log.error("the service did not stop in time and is ended now", seconds=seconds)
    # 0, since the request to stop was fulfilled.
    os._exit(0)
