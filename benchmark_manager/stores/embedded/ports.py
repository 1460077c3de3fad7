"""Ports of the loopback interface."""

import asyncio
import secrets
import socket
from typing import Final

HOST: Final = "127.0.0.1"
#: Below the ports that systems give to outgoing connections (from 32768 on Linux, 49152 on macOS):
#: a client of such a port that reconnects while the server is down can connect to itself, and keep
#: the port.
_FIRST: Final = 20_000
_COUNT: Final = 10_000


def free_port() -> int:
    """Return a port of the loopback interface on which no process listens now."""
    while True:
        port = _FIRST + secrets.randbelow(_COUNT)
        with socket.socket() as candidate:
            candidate.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            try:
                candidate.bind((HOST, port))
            except OSError:
                continue
            return port


async def accepts_connections(port: int) -> bool:
    """Return whether a process listens on the port."""
    try:
        _, writer = await asyncio.open_connection(HOST, port)
    except OSError:
        return False
    writer.close()
    await writer.wait_closed()
    return True
