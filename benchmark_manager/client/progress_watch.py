"""A deadline for answers: closes a connection on which too little arrives.

The HTTP client's own timeout restarts with every byte, so a server that sends one byte each minute
could block a command for months.
"""

import socket
import threading
import time
from collections.abc import Mapping
from contextlib import suppress
from typing import Any, Final, Self

#: Bytes that must arrive within the time.
LEAST_BYTES: Final = 64 * 1024
#: Bytes a second by which the time is extended for a request's body.
_SLOWEST_UPLOAD: Final = 16 * 1024


class ProgressWatch:
    """Watches one request at a time, for the duration of a `with` statement."""

    def __init__(self, seconds: float) -> None:
        """Close the connection if an answer does not begin within `seconds`.

        Each further `LEAST_BYTES`, or the end, must then arrive within `seconds` too.
        """
        self._seconds = seconds
        self._socket: socket.socket | None = None
        self._ended = threading.Event()
        self._thread: threading.Thread | None = None
        self._until = 0.0
        self._arrived = 0
        self._sent = 0
        #: Whether the last request was ended by this watch.
        self.expired = False

    def request(self, size: int) -> Self:
        """Watch the next request, which has a body of `size` bytes to send first."""
        self._sent = size
        return self

    def __enter__(self) -> Self:
        self.expired = False
        self._arrived = 0
        self._until = time.monotonic() + self._seconds + self._sent / _SLOWEST_UPLOAD
        self._ended = threading.Event()
        self._thread = threading.Thread(target=self._run, args=[self._ended], daemon=True)
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._ended.set()
        if self._thread is not None:
            self._thread.join()

    def trace(self, event: str, details: Mapping[str, Any]) -> None:
        """Remember a new connection's socket, as the HTTP client's `trace` extension."""
        if event.endswith(("connect_tcp.complete", "start_tls.complete")):
            self._socket = details["return_value"].get_extra_info("socket")

    def begun(self) -> None:
        """Record that an answer's head has arrived."""
        self._until = time.monotonic() + self._seconds

    def arrived(self, size: int) -> None:
        """Count bytes of the answer's body."""
        self._arrived += size
        if self._arrived >= LEAST_BYTES:
            self._arrived = 0
            self._until = time.monotonic() + self._seconds

    def _run(self, ended: threading.Event) -> None:
        while (left := self._until - time.monotonic()) > 0:
            if ended.wait(left):
                return
        self.expired = True
        if self._socket is not None:
            with suppress(OSError):
                # This ends another thread's wait, also on a TLS socket, without TLS's own goodbye.
                socket.socket.shutdown(self._socket, socket.SHUT_RDWR)
