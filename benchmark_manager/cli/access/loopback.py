"""A port of this machine at which the browser delivers the answer of a page."""

import hmac
import queue
import socketserver
import threading
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler
from typing import Final
from urllib.parse import parse_qsl, urlsplit

_ADDRESS: Final = "127.0.0.1"
#: Seconds for one request; browsers open connections that they may never use.
_REQUEST_SECONDS: Final = 10.0
#: Seconds between two checks whether the server is to stop.
_POLL: Final = 0.05


class Loopback:
    """A server on a free port; it takes one answer, which has the state that was given away."""

    def __init__(self, port: int, answers: "queue.SimpleQueue[Mapping[str, str]]") -> None:
        self.port = port
        self._answers = answers

    def wait(self, seconds: float) -> Mapping[str, str] | None:
        """Return what the browser delivers, without the state; None if nothing comes in time."""
        try:
            return self._answers.get(timeout=seconds)
        except queue.Empty:
            return None


@contextmanager
def listening(state: str, end_page: str) -> Iterator[Loopback]:
    """Listen while the context lasts.

    Args:
        state: what an answer must have; all else is refused.
        end_page: where the browser goes afterwards, which takes the answer out of its address bar.

    Raises:
        OSError: there is no free port.
    """
    answers: queue.SimpleQueue[Mapping[str, str]] = queue.SimpleQueue()

    class Handler(BaseHTTPRequestHandler):
        timeout = _REQUEST_SECONDS

        def do_GET(self) -> None:
            found = _answer(self.path, state) if self._is_asked_by_address() else None
            if found is None:
                self._finish(404)
                return
            answers.put(found)
            self._finish(303, end_page)

        def _is_asked_by_address(self) -> bool:
            # A page of another site may have its name resolved to this machine.
            port = self.connection.getsockname()[1]
            return self.headers.get_all("Host") == [f"{_ADDRESS}:{port}"]

        def _finish(self, status: int, location: str | None = None) -> None:
            self.send_response(status)
            if location is not None:
                self.send_header("Location", location)
            self.send_header("Content-Length", "0")
            self.send_header("Cache-Control", "no-store")
            self.send_header("Referrer-Policy", "no-referrer")
            self.send_header("Connection", "close")
            self.end_headers()

        def log_message(self, *_: object) -> None:
            """Log nothing: the address has the answer."""

    with _Server((_ADDRESS, 0), Handler) as server:
        serving = threading.Thread(target=server.serve_forever, args=(_POLL,), daemon=True)
        serving.start()
        try:
            yield Loopback(server.server_address[1], answers)
        finally:
            server.shutdown()
            serving.join()


class _Server(socketserver.ThreadingTCPServer):
    # Another program must not share the port.
    allow_reuse_address = False
    daemon_threads = True
    block_on_close = False
    server_address: tuple[str, int]

    def handle_error(self, *_: object) -> None:
        """Print nothing: a browser may close its connection at any moment."""


def _answer(target: str, state: str) -> dict[str, str] | None:
    """Return the answer in the address of a request; None if it is not the one to expect."""
    found = urlsplit(target)
    pairs = parse_qsl(found.query, keep_blank_values=True)
    answer = dict(pairs)
    given = answer.pop("state", "")
    is_right = hmac.compare_digest(given.encode(), state.encode())
    if found.path != "/" or not is_right or len(answer) + 1 != len(pairs):
        return None
    return answer
