"""A server which answers as no service would: byte by byte what a test says, over plain sockets."""

import socket
import threading
import zlib
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from typing import Final

#: What is sent for a path, status line, headers and all; the connection is closed behind it.
Answer = Callable[[str], Iterable[bytes]]

_LONGEST_REQUEST: Final = 8_000_000


@dataclass
class HostileServer:
    """The server's address, the paths which were asked for, and how many bytes were sent."""

    url: str
    asked: list[str] = field(default_factory=list)
    sent: int = 0


def head(status: int = 200, **headers: object) -> bytes:
    """Return a status line and headers; underscores in their names stand for hyphens."""
    lines = [f"HTTP/1.1 {status} Whatever", "Connection: close"]
    lines += [f"{name.replace('_', '-')}: {value}" for name, value in headers.items()]
    return "\r\n".join([*lines, "", ""]).encode()


def gzipped_zeros(megabytes: int) -> bytes:
    """Return so many megabytes of zeros, a thousandth of that size when packed.

    Only two are packed: behind a full flush, each next one is the same bytes. The sum at the end is
    wrong, where no reader comes.
    """
    packer = zlib.compressobj(9, zlib.DEFLATED, 31)
    first, other = (
        packer.compress(bytes(1_000_000)) + packer.flush(zlib.Z_FULL_FLUSH) for _ in range(2)
    )
    return first + other * (megabytes - 1) + packer.flush()


@contextmanager
def hostile_server(answer: Answer) -> Iterator[HostileServer]:
    """Serve until the block ends; a client which goes away ends its answer."""
    with socket.create_server(("127.0.0.1", 0)) as listener:
        server = HostileServer(f"http://127.0.0.1:{listener.getsockname()[1]}")
        ended = threading.Event()
        threads = [threading.Thread(target=_accept, args=[listener, server, answer, ended])]
        threads[0].start()
        try:
            yield server
        finally:
            ended.set()
            with socket.create_connection(listener.getsockname()):
                threads[0].join()


def _accept(
    listener: socket.socket, server: HostileServer, answer: Answer, ended: threading.Event
) -> None:
    serving = []
    while True:
        connection, _ = listener.accept()
        if ended.is_set():
            connection.close()
            break
        serving.append(threading.Thread(target=_serve, args=[connection, server, answer, ended]))
        serving[-1].start()
    for thread in serving:
        thread.join()


def _serve(
    connection: socket.socket, server: HostileServer, answer: Answer, ended: threading.Event
) -> None:
    with connection, suppress(OSError):
        connection.settimeout(0.2)
        path = _path(connection, ended)
        server.asked.append(path)
        for piece in answer(path):
            rest = memoryview(piece)
            while rest and not ended.is_set():
                with suppress(TimeoutError):
                    sent = connection.send(rest)
                    server.sent += sent
                    rest = rest[sent:]
            if ended.is_set():
                return


def _path(connection: socket.socket, ended: threading.Event) -> str:
    request = b""
    while b"\r\n\r\n" not in request and len(request) < _LONGEST_REQUEST and not ended.is_set():
        # A client on a busy machine may take its time.
        with suppress(TimeoutError):
            piece = connection.recv(65_536)
            if not piece:
                break
            request += piece
    return request.split(b" ", 2)[1].decode() if request.count(b" ") > 1 else ""
