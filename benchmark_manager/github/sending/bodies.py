"""Reads the bodies of answers within bounds."""

import asyncio
from typing import Final

import httpx2 as httpx

from benchmark_manager.domain.http.content_codings import is_readable
from benchmark_manager.domain.text.json_size import counted_values
from benchmark_manager.github.protocol.answers import GarbledAnswerError
from benchmark_manager.github.protocol.headers import ACCEPT_JSON

#: Only this much is read of an error's body, bytes.
_MAX_ERROR: Final = 64 * 1024


async def read_body(response: httpx.Response, max_bytes: int) -> bytes:
    """Read the decompressed body, at most `max_bytes` of it."""
    _check_coding(response)
    body = bytearray()
    async for piece in response.aiter_bytes():
        body += piece
        if len(body) > max_bytes:
            raise GarbledAnswerError(f"the answer is longer than {max_bytes} bytes")
        # One packet may unpack to many pieces, between which nothing else would run.
        await asyncio.sleep(0)
    return bytes(body)


async def read_beginning(response: httpx.Response) -> bytes:
    """Read the beginning of an error's body; nothing if its coding was not asked for."""
    body = bytearray()
    if is_readable(response.headers.get_list("content-encoding", split_commas=True)):
        async for piece in response.aiter_bytes():
            body += piece
            if len(body) >= _MAX_ERROR:
                break
    return bytes(body[:_MAX_ERROR])


def _check_coding(response: httpx.Response) -> None:
    if not is_readable(response.headers.get_list("content-encoding", split_commas=True)):
        raise GarbledAnswerError("the answer is in a content coding which was not asked for")


async def check_values(response: httpx.Response, body: bytes, max_values: int) -> None:
    """Check that a body is raw or has few enough JSON values: parsing blocks the event loop."""
    if response.request.headers.get("accept") != ACCEPT_JSON:
        return
    for count in counted_values(body):
        if count.values > max_values:
            raise GarbledAnswerError(f"the answer has over {max_values} values")
        await asyncio.sleep(0)
