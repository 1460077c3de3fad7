"""Sending an answer, and every way to fail at it half-way."""

from __future__ import annotations

import asyncio
import fcntl
import socket
import struct
import sys
import termios
from collections.abc import AsyncGenerator, AsyncIterator
from typing import TYPE_CHECKING, cast

from starlette.responses import Response

from github_test_server.protocol import transport_of

if TYPE_CHECKING:
    from starlette.types import Receive, Scope, Send

    from github_test_server.answers import ServedAnswer
    from github_test_server.recording import RecordedRequest, RequestLog

_NO_LINGER = struct.pack("ii", 1, 0)
_FLUSH_SECONDS = 10.0
_BODILESS = {204, 304}


class ServedDelivery(Response):
    """A response which sends an answer and keeps its record true while it does."""

    def __init__(self, answer: ServedAnswer, record: RecordedRequest, log: RequestLog) -> None:
        self._answer = answer
        self._record = record
        self._log = log
        super().__init__(status_code=answer.status)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        sending = self._answer.sending
        try:
            await asyncio.sleep(sending.delay)
            if sending.reset_at is not None and sending.reset_at < 0:
                return await self._reset(scope, receive)
            self._record.status = self._answer.status
            await self._send_head(send)
            await self._send_body(scope, receive, send)
        finally:
            self._log.finish(self._record)

    async def _send_head(self, send: Send) -> None:
        body = self._answer.body
        headers = [
            (name.lower().encode(), value.encode()) for name, value in self._answer.headers.items()
        ]
        if isinstance(body, bytes) and self._answer.status not in _BODILESS:
            headers.append((b"content-length", str(len(body)).encode()))
        await send(
            {"type": "http.response.start", "status": self._answer.status, "headers": headers}
        )

    async def _send_body(self, scope: Scope, receive: Receive, send: Send) -> None:
        body, sending = self._answer.body, self._answer.sending
        if isinstance(body, AsyncIterator):
            await self._send_pieces(scope, send, body)
            return await self._send_last(send, b"")
        if sending.reset_at is not None:
            await self._send_piece(send, body[: int(len(body) * sending.reset_at)])
            return await self._reset(scope, receive)
        if sending.stall_at is not None:
            cut = int(len(body) * sending.stall_at)
            await self._send_piece(send, body[:cut])
            await asyncio.sleep(sending.stall)
            body = body[cut:]
        return await self._send_last(send, body)

    async def _send_pieces(self, scope: Scope, send: Send, pieces: AsyncIterator[bytes]) -> None:
        """Send pieces as they come, while the client is connected."""
        transport = transport_of(scope)
        try:
            async for piece in pieces:
                if transport.is_closing():
                    return
                await self._send_piece(send, piece)
        finally:
            # Left to the garbage collector, what makes the pieces would run on for a while.
            if isinstance(pieces, AsyncGenerator):
                await pieces.aclose()

    async def _send_piece(self, send: Send, piece: bytes) -> None:
        self._record.bytes_sent += len(piece)
        await send({"type": "http.response.body", "body": piece, "more_body": True})

    async def _send_last(self, send: Send, piece: bytes) -> None:
        # Finished before it is sent: the client may read the log as soon as it has the last
        # byte.
        self._record.bytes_sent += len(piece)
        self._log.finish(self._record)
        await send({"type": "http.response.body", "body": piece, "more_body": False})

    async def _reset(self, scope: Scope, receive: Receive) -> None:
        """Abort the connection with a RST once the client has what was sent so far."""
        transport = transport_of(scope)
        await _flush(transport)
        self._log.finish(self._record)
        if not transport.is_closing():
            # Without lingering the kernel sends a RST; a plain close() would be an orderly end of
            # the body.
            raw = cast("socket.socket", transport.get_extra_info("socket"))
            raw.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, _NO_LINGER)
            transport.abort()
        while (await receive())["type"] != "http.disconnect":
            pass


async def _flush(transport: asyncio.Transport) -> None:
    loop = asyncio.get_running_loop()
    deadline = loop.time() + _FLUSH_SECONDS
    # Neither asyncio nor the kernel calls back when the client's side has acknowledged the last
    # byte.
    while _unacknowledged(transport) and loop.time() < deadline:  # noqa: ASYNC110
        await asyncio.sleep(0.001)


def _unacknowledged(transport: asyncio.Transport) -> int:
    """Return the bytes which a reset would destroy: those in our own buffer and in the kernel's."""
    if transport.is_closing():
        return 0
    queued = bytearray(4)
    fcntl.ioctl(transport.get_extra_info("socket").fileno(), termios.TIOCOUTQ, queued)
    return transport.get_write_buffer_size() + int.from_bytes(queued, sys.byteorder)
