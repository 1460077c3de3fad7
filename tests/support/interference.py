"""A server between a client and a service, which changes or interrupts what passes."""

import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

import httpx2 as httpx

from support.waiting import GENEROUS


@dataclass
class Interference:
    """Pass requests on to a service, and change, cut short or refuse its answers."""

    target: str
    url: str = ""
    #: Changes of bodies, and numbers of answers that are cut short, by the end of a path.
    changes: dict[str, Callable[[bytes], bytes]] = field(default_factory=dict)
    cuts: dict[str, int] = field(default_factory=dict)
    refusals: int = 0
    pause: float = 0
    asked: list[str] = field(default_factory=list)

    def answer(self, handler: BaseHTTPRequestHandler) -> None:
        self.asked.append(handler.path)
        if self.refusals:
            self.refusals -= 1
            handler.send_response(503)
            handler.send_header("content-length", "0")
            handler.end_headers()
            return
        found = httpx.get(
            self.target + handler.path,
            headers=dict(handler.headers),
            trust_env=False,
            timeout=GENEROUS,
        )
        ending = handler.path.rpartition("/")[2]
        body = self.changes.get(ending, bytes)(found.content)
        handler.send_response(200 if ending in self.changes else found.status_code)
        handler.send_header("content-type", found.headers["content-type"])
        handler.send_header("content-length", str(len(body)))
        handler.end_headers()
        time.sleep(self.pause)
        if self.cuts.get(ending, 0) > 0:
            self.cuts[ending] -= 1
            body = body[: len(body) // 2]
            handler.close_connection = True
        handler.wfile.write(body)


@contextmanager
def between(target: str, **interference: Any) -> Iterator[Interference]:
    one = Interference(target, **interference)

    class InterferingHandler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def do_GET(self) -> None:
            one.answer(self)

        def log_message(self, *_: object) -> None:
            pass

    class Server(ThreadingHTTPServer):
        daemon_threads = True

        def handle_error(self, *_: object) -> None:
            """A client which went away is part of the test."""

    with Server(("127.0.0.1", 0), InterferingHandler) as server:
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02})
        thread.start()
        one.url = f"http://127.0.0.1:{server.server_address[1]}"
        try:
            yield one
        finally:
            server.shutdown()
            thread.join()
