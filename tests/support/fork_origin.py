"""The program of a process that has imported the service, and forks one for each order.

    python -m support.fork_origin DESCRIPTOR [TEMPLATES]

`TEMPLATES` is the folder of compiled templates, which all children share.
`support.forks` starts it and sends orders: a line of JSON and four descriptors, which become the
child's standard streams and the pipe for its end. The child goes on as a new Python would: it runs
the program of the order as `__main__`, and ends as Python ends, except that it takes no object
apart: that would copy all memory that it shares with the origin.
"""

import atexit
import gc
import importlib
import json
import os
import runpy
import signal
import socket
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any, Final

#: Everything that the service and its commands import sooner or later.
_MODULES: Final = (
    "benchmark_manager.app",
    "benchmark_manager.cli",
    "benchmark_manager.cli.operations.backup",
    "benchmark_manager.cli.operations.demo",
    "benchmark_manager.cli.operations.rotation",
    "benchmark_manager.cli.operations.serve",
    # What libraries import when a service starts, or at a command's first request.
    "anyio._backends._asyncio",
    "apscheduler.executors.asyncio",
    "apscheduler.triggers.interval",
    "cryptography.hazmat.backends.openssl.backend",
    "httpcore2",
    "jinja2.ext",
    "pymongo.asynchronous.auth",
    "rich.console",
    "rich.table",
    "rich.text",
    "uvicorn.lifespan.on",
)
_DESCRIPTORS: Final = 4
_MOST_BYTES: Final = 65_536

Order = dict[str, Any]


def main(orders: socket.socket) -> Callable[[], None] | None:
    """Fork until there are no more orders.

    Returns:
        the program to run, in a child; None in the origin.
    """
    pipes: dict[int, int] = {}

    def report(*_: object) -> None:
        for pid in list(pipes):
            ended, status = os.waitpid(pid, os.WNOHANG)
            if ended:
                with os.fdopen(pipes.pop(pid), "wb") as pipe:
                    pipe.write(b"%d\n" % os.waitstatus_to_exitcode(status))

    signal.signal(signal.SIGCHLD, report)
    while (received := _received(orders)) is not None:
        order, descriptors = received
        # Not before `pipes` has the child.
        signal.pthread_sigmask(signal.SIG_BLOCK, [signal.SIGCHLD])
        child = os.fork()
        if child == 0:
            signal.signal(signal.SIGCHLD, signal.SIG_DFL)
            orders.close()
            for pipe in (*pipes.values(), descriptors[-1]):
                os.close(pipe)
        else:
            pipes[child] = descriptors.pop()
        signal.pthread_sigmask(signal.SIG_UNBLOCK, [signal.SIGCHLD])
        if child == 0:
            return _program(order, descriptors[:-1])
        for descriptor in descriptors:
            os.close(descriptor)
        orders.sendall(b"%d\n" % child)
    return None


def _received(orders: socket.socket) -> tuple[Order, list[int]] | None:
    line, descriptors, _, _ = socket.recv_fds(orders, _MOST_BYTES, _DESCRIPTORS)
    if not line:
        return None
    while not line.endswith(b"\n"):
        line += orders.recv(_MOST_BYTES)
    return json.loads(line), descriptors


def _program(order: Order, streams: list[int]) -> Callable[[], None]:
    """Give this process what a new one would have; return what it would run."""
    for number, descriptor in enumerate(streams):
        os.dup2(descriptor, number)
        os.close(descriptor)
    os.chdir(order["folder"])
    os.environ.clear()
    os.environ.update(order["environment"])
    encoding = os.environ.get("PYTHONIOENCODING", "utf-8")
    sys.stdin, sys.stdout, sys.stderr = (
        open(0, encoding=encoding),  # noqa: SIM115 -- descriptors, open to the end
        open(1, "w", encoding=encoding),  # noqa: SIM115 -- the same
        open(2, "w", encoding=encoding, errors="backslashreplace"),  # noqa: SIM115 -- the same
    )
    name, *arguments = order["arguments"]
    sys.argv = [name, *arguments]
    if name.endswith(".py"):
        return lambda: _run(runpy.run_path, name)
    return lambda: _run(runpy.run_module, name)


def _run(run: Callable[..., object], name: str) -> None:
    code: int | str | None = 1
    try:
        run(name, run_name="__main__")
        code = 0
    except SystemExit as error:
        code = error.code
        raise
    finally:
        _exit_codes.append(code if isinstance(code, int) else int(code is not None))


_exit_codes: Final[list[int]] = []


def _end_at_once() -> None:
    """End a child after all that others have registered for the end, as it is the first here."""
    if _exit_codes:
        sys.stdout.flush()
        sys.stderr.flush()
        os._exit(_exit_codes[0])


if __name__ == "__main__":
    atexit.register(_end_at_once)
    # All that is imported stays: searching it for garbage takes a tenth of the time.
    gc.disable()
    for module in _MODULES:
        importlib.import_module(module)
    # What each service does at its start takes it a tenth of a second.
    for folder in sys.argv[2:]:
        compiled = importlib.import_module("support.compiled_templates")
        compiled.keep_compiled_templates(Path(folder))
    rendering = importlib.import_module("benchmark_manager.web.site.rendering")
    rendering.compile_shared_templates()
    gc.collect()
    gc.freeze()
    gc.enable()
    program = main(socket.socket(fileno=int(sys.argv[1])))
    if program is not None:
        program()
