"""Processes of the service and of its commands that start in a few milliseconds.

Importing the service takes a new Python more than a second of CPU time. One process, the origin,
imports it once for all tests of a worker, and is forked for each process that they start.
"""

import contextlib
import json
import os
import select
import signal
import socket
import subprocess
import sys
import threading
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Final

import pytest

from support.compiled_templates import templates_folder

_TESTS: Final = Path(__file__).resolve().parents[1]


class Fork:
    """A forked process, with the methods of `subprocess.Popen` that tests need."""

    def __init__(self, pid: int, end: int) -> None:
        """`end` is a pipe that gets the exit code."""
        self.pid = pid
        self.returncode: int | None = None
        self._end = end
        self._reading = threading.Lock()

    def poll(self) -> int | None:
        with contextlib.suppress(subprocess.TimeoutExpired):
            self.wait(0)
        return self.returncode

    def wait(self, timeout: float | None = None) -> int:
        """Wait for the end.

        Raises:
            subprocess.TimeoutExpired
        """
        if self.returncode is None and not select.select([self._end], [], [], timeout)[0]:
            raise subprocess.TimeoutExpired(str(self.pid), timeout or 0)
        with self._reading:
            if self.returncode is None:
                with os.fdopen(self._end, "rb") as pipe:
                    self.returncode = int(pipe.read())
        return self.returncode

    def send_signal(self, number: int) -> None:
        if self.poll() is None:
            os.kill(self.pid, number)

    def terminate(self) -> None:
        self.send_signal(signal.SIGTERM)

    def kill(self) -> None:
        self.send_signal(signal.SIGKILL)


class Origin:
    """The process that is forked; it is started when it is first needed."""

    def __init__(self, templates: Path | None = None) -> None:
        """`templates` is the folder of compiled templates."""
        self._templates = templates
        self._process: subprocess.Popen[bytes] | None = None
        self._orders: socket.socket | None = None
        self._ordering = threading.Lock()

    def fork(
        self,
        arguments: Sequence[str],
        folder: Path,
        environment: Mapping[str, str],
        streams: Sequence[int],
    ) -> Fork:
        """Start a process: `arguments` begins with a file, or with a module's name."""
        order = {
            "arguments": [*arguments],
            "folder": str(folder),
            "environment": dict(environment),
        }
        line = json.dumps(order).encode() + b"\n"
        end, reported = os.pipe()
        try:
            with self._ordering:
                orders = self._connection()
                sent = socket.send_fds(orders, [line], [*streams, reported])
                orders.sendall(line[sent:])
                pid = int(orders.recv(20))
        finally:
            os.close(reported)
        return Fork(pid, end)

    def _connection(self) -> socket.socket:
        if self._orders is None:
            self._orders, theirs = socket.socketpair()
            with theirs:
                arguments = [
                    str(theirs.fileno()),
                    *([str(self._templates)] if self._templates else []),
                ]
                self._process = subprocess.Popen(
                    [sys.executable, "-m", "support.fork_origin", *arguments],
                    env=os.environ
                    | {"PYTHONPATH": os.pathsep.join((str(_TESTS), str(_TESTS.parent)))},
                    stdin=subprocess.DEVNULL,
                    pass_fds=[theirs.fileno()],
                )
        return self._orders

    def close(self) -> None:
        if self._orders is not None and self._process is not None:
            self._orders.close()
            self._process.wait(60)


_ORIGINS: list[Origin] = []


def origin() -> Origin | None:
    """The origin of all processes of this test process; None outside of tests.

    None on macOS too, whose libraries may not be used in a process that was forked only.
    """
    return _ORIGINS[0] if _ORIGINS and sys.platform != "darwin" else None


@pytest.fixture(scope="session", autouse=True)
def _origin(pytestconfig: pytest.Config) -> Iterator[None]:
    _ORIGINS.append(Origin(templates_folder(pytestconfig)))
    yield
    _ORIGINS.pop().close()
