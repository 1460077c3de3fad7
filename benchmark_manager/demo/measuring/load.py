"""Requests to an engine: so many at the same time, and when each of their tokens came.

They are HTTP/1.0 by hand, since a client library takes longer for a request than the toy engine.
"""

import asyncio
import json
import random
import time
from collections.abc import Iterator
from contextlib import closing
from dataclasses import dataclass, field
from typing import Final
from urllib.parse import urlsplit

#: Of prompts and answers, in tokens: drawn evenly between the two.
_PROMPT: Final = (32, 96)
_ANSWER: Final = (8, 16)
#: Seconds for one request.
_TIMEOUT: Final = 60


@dataclass(frozen=True, slots=True)
class Load:
    """What to send: `requests` in all, `concurrency` of them at the same time.

    The same `seed` makes the same requests.
    """

    requests: int
    concurrency: int
    seed: int = 0


@dataclass(slots=True)
class StreamReply:
    """A request and its answer, in seconds of one clock; `tokens` are when each token came."""

    prompt_tokens: int
    sent: float
    tokens: list[float] = field(default_factory=list)
    is_complete: bool = False


@dataclass(frozen=True, slots=True)
class MeasuredLoad:
    """All answers to a load, and the seconds from the first request to the last token."""

    answers: list[StreamReply]
    duration: float


@dataclass(frozen=True, slots=True)
class _Question:
    prompt_tokens: int
    max_tokens: int


async def send(url: str, load: Load) -> MeasuredLoad:
    """Send a load to the engine at an address, after one request that is not measured."""
    await _ask(url, _Question(1, 1))
    questions = _questions(load)
    answers: list[StreamReply] = []
    begin = time.perf_counter()
    async with asyncio.TaskGroup() as senders:
        for _ in range(load.concurrency):
            senders.create_task(_ask_in_turn(url, questions, answers))
    return MeasuredLoad(answers, time.perf_counter() - begin)


def _questions(load: Load) -> Iterator[_Question]:
    draw = random.Random(load.seed).randint  # noqa: S311 -- lengths of texts, no secrets
    return iter([_Question(draw(*_PROMPT), draw(*_ANSWER)) for _ in range(load.requests)])


async def _ask_in_turn(
    url: str, questions: Iterator[_Question], answers: list[StreamReply]
) -> None:
    for question in questions:
        answer = await _ask(url, question)
        answers.append(answer)


async def _ask(url: str, question: _Question) -> StreamReply:
    """Return the answer to one request; that of a failed one is not complete."""
    answer = StreamReply(question.prompt_tokens, time.perf_counter())
    try:
        async with asyncio.timeout(_TIMEOUT):
            await _read_answer(url, question, answer)
    except OSError:
        # Also a TimeoutError.
        return answer
    answer.is_complete = len(answer.tokens) == question.max_tokens
    return answer


async def _read_answer(url: str, question: _Question, answer: StreamReply) -> None:
    address = urlsplit(url)
    reader, writer = await asyncio.open_connection(address.hostname, address.port)
    with closing(writer):
        writer.write(_request(question))
        async for line in reader:
            if line.startswith(b"data: {"):
                answer.tokens.append(time.perf_counter())


def _request(question: _Question) -> bytes:
    prompt = " ".join(["word"] * question.prompt_tokens)
    body = json.dumps({"prompt": prompt, "max_tokens": question.max_tokens, "stream": True})
    head = f"POST /v1/completions HTTP/1.0\r\ncontent-length: {len(body)}\r\n\r\n"
    return (head + body).encode()
