"""The client against servers that are silent or slow."""

import itertools
import time
from collections.abc import Callable, Iterable, Iterator
from typing import Final

import pytest

from benchmark_manager.client import Client, UnreachableError
from support.hostile_server import head, hostile_server
from support.stopwatch import Stopwatch


def endless(piece: bytes) -> Iterator[bytes]:
    return itertools.repeat(piece)


def slowly(pieces: Iterable[bytes], pause: float = 0.02) -> Iterator[bytes]:
    for piece in pieces:
        yield piece
        time.sleep(pause)


SLOW: Final[dict[str, Callable[[], Iterable[bytes]]]] = {
    "silence": lambda: slowly([b""] * 400),
    "a byte of the head now and then": lambda: slowly(
        itertools.chain([b"HTTP/1.1 200 OK\r\nX: "], endless(b"y"))
    ),
    "one interim answer after the other": lambda: slowly(endless(b"HTTP/1.1 100 Continue\r\n\r\n")),
    "a byte of the body now and then": lambda: slowly(itertools.chain([head()], endless(b"y"))),
    "a body that stops": lambda: slowly([head(Content_Length=1000), b"y"] + [b""] * 400),
    "a chunk's head without end": lambda: slowly(
        itertools.chain([head(Transfer_Encoding="chunked"), b"5;x="], endless(b"y"))
    ),
}


def read_stream(client: Client) -> None:
    with client.stream("/x") as body:
        list(body.pieces)


READ: Final[dict[str, Callable[[Client], object]]] = {
    "json": lambda client: client.get("/projects"),
    "stream": read_stream,
}


@pytest.mark.parametrize("name", SLOW)
@pytest.mark.parametrize("way", ["json", "stream"])
def test_an_answer_that_is_too_slow_ends_the_request(name: str, way: str) -> None:
    with (
        hostile_server(lambda _: SLOW[name]()) as server,
        Client(server.url, timeout=0.2) as client,
    ):
        with (
            Stopwatch() as watch,
            pytest.raises(UnreachableError, match="no answer in time") as raised,
        ):
            READ[way](client)
        assert watch.seconds < 5
        assert raised.value.is_temporary


def test_an_answer_that_makes_progress_is_waited_for() -> None:
    """It takes longer than the deadline, but enough arrives within each."""
    body = itertools.chain([head(Content_Length=40 * 65_536)], itertools.repeat(b"y" * 65_536, 40))
    with (
        hostile_server(lambda _: slowly(body, 0.06)) as server,
        Client(server.url, timeout=2) as client,
    ):
        begun = time.monotonic()
        with client.stream("/x") as answer:
            assert sum(map(len, answer.pieces)) == 40 * 65_536
        assert time.monotonic() - begun > 2
