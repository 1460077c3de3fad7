"""The program of a worker process: reads a task, carries it out within limits, answers, and again.

    python -m benchmark_manager.workers.child MODULE:FUNCTION MEMORY

The service starts it; see `process.py`. A task over its CPU time ends the process by SIGPROF: no
Python code, and no library written in C, can hold that off. One over its memory gets a MemoryError,
or ends the process in a library.
"""

import contextlib
import ctypes
import gc
import importlib
import os
import resource
import signal
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import BinaryIO, Final

from benchmark_manager.workers.messages import (
    LENGTH_BYTES,
    Answer,
    Failure,
    Task,
    framed,
    length_of,
    read,
)

_MEGABYTE: Final = 1024 * 1024
#: An answer over this would hold the service's event loop while it is read, bytes.
_LARGEST_ANSWER: Final = 16 * _MEGABYTE
_TOO_MUCH: Final = Failure(MemoryError, (), {})
#: A worker which keeps this much more than it began with is replaced, bytes.
_KEPT_MEMORY: Final = 48 * _MEGABYTE


def main(warm_up: str, memory: int) -> None:
    """Serve until the service closes the pipe; use at most `memory` bytes more than at first."""
    incoming, outgoing = _own_pipes()
    # A worker ends with the service: at the end of the pipe, not at the terminal's Ctrl-C.
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    signal.signal(signal.SIGPROF, signal.SIG_DFL)
    # What is imported stays; looking through it for garbage takes a fifth of the start.
    gc.disable()
    if warm_up:
        module, _, function = warm_up.partition(":")
        getattr(importlib.import_module(module), function)()
    gc.collect()
    gc.freeze()
    gc.enable()
    base = _limit(memory)
    _send(outgoing, Answer(None, None, time.process_time()))
    while (header := incoming.read(LENGTH_BYTES)) and len(header) == LENGTH_BYTES:
        answer = _carried_out(incoming.read(length_of(header)), base)
        _send(outgoing, answer)
        if answer.last:
            return


def _own_pipes() -> tuple[BinaryIO, BinaryIO]:
    """Return the pipes to the service, where nothing that a library prints can get into."""
    incoming, outgoing = os.fdopen(os.dup(0), "rb"), os.fdopen(os.dup(1), "wb")
    with open(os.devnull, "r+b") as nowhere:  # noqa: PTH123 -- a descriptor is what is needed
        os.dup2(nowhere.fileno(), 0)
        os.dup2(nowhere.fileno(), 1)
    return incoming, outgoing


def _limit(memory: int) -> int:
    """Limit what may be allocated from now on; returns what is resident now, bytes."""
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    # Where the machine runs out of memory all the same, Linux ends a worker before the service.
    with contextlib.suppress(OSError):
        Path("/proc/self/oom_score_adj").write_text("500")
    pages = _pages()
    if pages is None:
        return 0
    size, resident = (count * resource.getpagesize() for count in pages)
    resource.setrlimit(resource.RLIMIT_AS, (size + memory, size + memory))
    return resident


def _pages() -> tuple[int, int] | None:
    """Return pages of address space and of resident memory; None where they are not shown."""
    try:
        with open("/proc/self/statm", "rb") as statm:  # noqa: PTH123 -- read for every task
            size, resident = statm.read().split()[:2]
    except OSError:
        return None
    return int(size), int(resident)


def _carried_out(data: bytes, base: int) -> Answer:
    began = time.process_time()
    try:
        task, args, seconds = read(data)
        with _cpu_time(seconds):
            answer = Answer(_call(task, args), None, 0)
    except MemoryError:
        # What is left of the heap is in pieces; a new process has a whole one.
        return Answer(None, _TOO_MUCH, time.process_time() - began, last=True)
    except Exception as error:  # noqa: BLE001 -- the task's own error goes to its caller
        answer = Answer(None, Failure.of(error), 0)
    del data
    seconds = time.process_time() - began
    return Answer(answer.value, answer.failure, seconds, last=_keeps_too_much(base))


def _call(task: Task, args: tuple[object, ...]) -> object:
    return task(*args)


@contextlib.contextmanager
def _cpu_time(seconds: float) -> Iterator[None]:
    signal.setitimer(signal.ITIMER_PROF, seconds)
    try:
        yield
    finally:
        signal.setitimer(signal.ITIMER_PROF, 0)


def _keeps_too_much(base: int) -> bool:
    pages = _pages()
    if pages is None or pages[1] * resource.getpagesize() - base < _KEPT_MEMORY:
        return False
    gc.collect()
    with contextlib.suppress(AttributeError, OSError):
        ctypes.CDLL(None).malloc_trim(0)
    pages = _pages()
    return pages is not None and pages[1] * resource.getpagesize() - base >= _KEPT_MEMORY


def _send(outgoing: BinaryIO, answer: Answer) -> None:
    try:
        data = framed(answer)
    except MemoryError:
        data = framed(Answer(None, _TOO_MUCH, answer.seconds, last=True))
    # What cannot be pickled is a fault of the task, which its caller has to know.
    except Exception as error:  # noqa: BLE001
        failure = Failure(TypeError, (f"cannot be sent: {type(error).__name__}",), {})
        data = framed(Answer(None, failure, answer.seconds, answer.last))
    if len(data) > _LARGEST_ANSWER:
        data = framed(Answer(None, _TOO_MUCH, answer.seconds, answer.last))
    outgoing.write(data)
    outgoing.flush()


if __name__ == "__main__":
    with contextlib.suppress(BrokenPipeError):
        main(sys.argv[1], int(sys.argv[2]))
