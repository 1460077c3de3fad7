"""The toy engine: it answers requests in steps, as many at once as its settings allow."""

import asyncio
from collections import deque
from collections.abc import AsyncIterator
from dataclasses import dataclass, field
from typing import Final

from benchmark_manager.demo.measuring.settings import EngineSettings

#: The engine's batch is a 32nd of what the settings say, so that a small machine fills it.
SHRINK: Final = 32

# Milliseconds, made up: a step takes a fixed time and one for its tokens, which GPUs share. That
# they have to exchange what they computed costs two GPUs a fixed time too.
_STEP: Final = 4.0
_TOKEN: Final = 1.6
_PROMPT_TOKEN: Final = 0.02
_EXCHANGE: Final = 3.0


@dataclass(slots=True, eq=False)
class _Sequence:
    """A request; `unread` are the tokens of its prompt, `missing` those of its answer."""

    unread: int
    missing: int
    tokens: "asyncio.Queue[int]" = field(default_factory=asyncio.Queue)


class ToyEngine:
    """A queue, a batch, and a loop of steps, each of which adds a token to every sequence.

    Prompts are read in steps too, by the tokens that a step has left.
    """

    def __init__(self, settings: EngineSettings) -> None:
        self._seats = max(1, settings.max_num_seqs // SHRINK)
        self._tokens_in_step = max(1, settings.max_num_batched_tokens // SHRINK)
        self._gpus = settings.tensor_parallel_size
        self._waiting: deque[_Sequence] = deque()
        self._batch: list[_Sequence] = []
        self._arrival = asyncio.Event()

    async def answer(self, prompt_tokens: int, max_tokens: int) -> AsyncIterator[int]:
        """Yield the number of each token when it is made."""
        sequence = _Sequence(max(1, prompt_tokens), max_tokens)
        self._waiting.append(sequence)
        self._arrival.set()
        for _ in range(max_tokens):
            yield await sequence.tokens.get()

    async def run(self) -> None:
        """Make steps for ever; sleep while there is nothing to do."""
        while True:
            self._fill_batch()
            if self._batch:
                await self._step()
            else:
                self._arrival.clear()
                await self._arrival.wait()

    def _fill_batch(self) -> None:
        while self._waiting and len(self._batch) < self._seats:
            self._batch.append(self._waiting.popleft())

    async def _step(self) -> None:
        answering = [sequence for sequence in self._batch if not sequence.unread]
        read = self._read_prompts(self._tokens_in_step - len(answering))
        await asyncio.sleep(self._seconds(len(answering), read))
        for sequence in answering:
            sequence.missing -= 1
            sequence.tokens.put_nowait(sequence.missing)
        self._batch = [sequence for sequence in self._batch if sequence.missing]

    def _read_prompts(self, budget: int) -> int:
        """Read prompts within a number of tokens, the oldest first; return how many were read."""
        left = budget
        for sequence in self._batch:
            read = min(sequence.unread, max(0, left))
            sequence.unread -= read
            left -= read
        return budget - left

    def _seconds(self, answered: int, read: int) -> float:
        work = (answered * _TOKEN + read * _PROMPT_TOKEN) / self._gpus
        exchange = _EXCHANGE if self._gpus > 1 else 0.0
        return (_STEP + work + exchange) / 1000
