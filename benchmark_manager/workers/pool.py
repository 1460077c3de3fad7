"""A few worker processes, shared fairly by all callers.

A task goes: caller's queue -> a free process -> its answer, or the process is killed and replaced.
Which queue comes next is decided by what its caller has used lately, so that one who sends costly
texts waits for the others and not the other way round.
"""

import asyncio
import contextlib
import math
import time
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Final, ParamSpec, TypeVar, cast

import structlog

from benchmark_manager.errors import TooComplexError, WorkersBusyError
from benchmark_manager.workers.caller import Caller, current_caller
from benchmark_manager.workers.messages import Answer, Task
from benchmark_manager.workers.process import WorkerEndedError, WorkerProcess

_log = structlog.get_logger(__name__)

P = ParamSpec("P")
T = TypeVar("T")

#: After this long, seconds, what a caller used counts half.
_HALF_LIFE: Final = 30.0
#: Callers whose use is remembered.
_CALLERS: Final = 10_000


@dataclass(frozen=True, slots=True)
class Limits:
    """What tasks may use."""

    #: CPU time of any task, and more for each character or byte of its arguments, seconds. The
    #: slowest rule for ordinary texts takes a second a megabyte on one core of 2020.
    base_seconds: float = 0.5
    seconds_per_byte: float = 2.5e-6
    most_seconds: float = 3.0
    #: Memory beyond that of an idle worker, bytes.
    memory: int = 128 * 1024 * 1024
    #: From the call to the answer, for a caller that waits for it, and for all calls of one
    #: request, seconds.
    wait: float = 4.5
    #: From the beginning of a task to its answer, seconds: a process which takes longer is stuck.
    background_wait: float = 60.0
    #: Tasks of one caller which wait at once.
    queue: int = 64

    def seconds_for(self, size: int) -> float:
        return min(self.most_seconds, self.base_seconds + size * self.seconds_per_byte)


@dataclass(slots=True)
class PoolFigures:
    """What became of tasks since the start, and how many wait now."""

    answered: int = 0
    too_complex: int = 0
    refused: int = 0
    replaced: int = 0
    waiting: int = 0


@dataclass(slots=True)
class _Queue:
    """The waiting turns of one caller."""

    caller: Caller
    turns: deque[asyncio.Future[None]] = field(default_factory=deque)


class WorkerPool:
    """Carries out tasks in worker processes; each is started when it is first needed."""

    def __init__(
        self,
        size: int,
        *,
        warm_up: str = "",
        limits: Limits | None = None,
        monotonic: Callable[[], float] = time.monotonic,
    ) -> None:
        """Make a pool of `size` processes, at least 2: one is always free for waiting callers.

        `warm_up` is `MODULE:FUNCTION`, which every process calls before its first task.
        """
        self._size = max(2, size)
        self._warm_up = warm_up
        self.limits = limits or Limits()
        self._monotonic = monotonic
        self._idle: list[WorkerProcess] = []
        self._processes: set[WorkerProcess] = set()
        self._busy = 0
        self._background = 0
        self._queues: dict[str, _Queue] = {}
        self._spent: dict[str, tuple[float, float]] = {}
        self._closed = False
        self._left: list[asyncio.Task[WorkerProcess]] = []
        self._ending: set[asyncio.Task[None]] = set()
        self.figures = PoolFigures()

    async def run(self, task: Callable[P, T], *args: P.args, **kwargs: P.kwargs) -> T:
        """Carry out `task`, a function at the top of a module, with arguments that can be pickled.

        Raises:
            TooComplexError: it needed more time or memory than the limits allow.
            WorkersBusyError: no process was free in time, or the machine had no time for it.
            Exception: what the task raised.
        """
        assert not kwargs  # noqa: S101 -- arguments go by their order
        caller = current_caller()
        if caller.background:
            return cast("T", await self._run(caller, task, args))
        try:
            left = max(0.0, self.limits.wait - caller.waited(self._monotonic()))
            with caller.waiting(self._monotonic):
                async with asyncio.timeout(left):
                    return cast("T", await self._run(caller, task, args))
        except TimeoutError:
            self.figures.refused += 1
            raise WorkersBusyError from None

    async def _run(self, caller: Caller, task: Task, args: tuple[object, ...]) -> object:
        await self._turn(caller)
        try:
            answer = await self._answered(caller, task, args)
        except TooComplexError:
            self.figures.too_complex += 1
            raise
        finally:
            self._leave(caller)
        self.figures.answered += 1
        if answer.failure is not None:
            raise answer.failure.exception()
        return answer.value

    async def _answered(self, caller: Caller, task: Task, args: tuple[object, ...]) -> Answer:
        """Return the answer of a process; of a second one where the first was killed."""
        seconds = self.limits.seconds_for(_size(args))
        try:
            try:
                return await self._asked(caller, task, args, seconds)
            except WorkerEndedError as ended:
                if not ended.from_outside:
                    raise
            return await self._asked(caller, task, args, seconds)
        except WorkerEndedError as ended:
            if ended.from_outside:
                # Who ends processes again and again says nothing about the text.
                raise WorkersBusyError from None
            self._charge(caller, seconds)
            _log.warning(
                "a text was too complex",
                caller=caller.name,
                task=task.__name__,
                exit_code=ended.code,
            )
            raise TooComplexError from None

    async def _asked(
        self, caller: Caller, task: Task, args: tuple[object, ...], seconds: float
    ) -> Answer:
        worker = await self._worker()
        answer: Answer | None = None
        try:
            answer = await worker.call(task, args, seconds, self.limits.background_wait)
        finally:
            if answer is None or answer.last:
                self._replace(worker)
            else:
                self._idle.append(worker)
        self._charge(caller, answer.seconds)
        if answer.failure is not None and answer.failure.kind is MemoryError:
            raise TooComplexError
        return answer

    async def _worker(self) -> WorkerProcess:
        while self._idle:
            worker = self._idle.pop()
            if worker.is_running:
                return worker
            self._replace(worker)
        if self._closed:
            raise WorkersBusyError
        starting = self._left.pop() if self._left else asyncio.create_task(self._started())
        try:
            return await asyncio.shield(starting)
        except asyncio.CancelledError:
            # The next task takes the process. On a busy machine a start may take longer than any
            # caller waits: were it given up with its caller, no task would ever get a process.
            self._keep(starting)
            raise

    def _keep(self, starting: asyncio.Task[WorkerProcess]) -> None:
        self._left.append(starting)
        if self._closed:
            starting.cancel()

    async def _started(self) -> WorkerProcess:
        try:
            worker = await WorkerProcess.start(self._warm_up, self.limits.memory)
        except (WorkerEndedError, OSError, TimeoutError) as error:
            # It says nothing about the text: the machine has no memory, or no process, to spare.
            _log.error("a worker process did not start", error=f"{type(error).__name__}: {error}")
            raise WorkersBusyError from None
        self._processes.add(worker)
        return worker

    def _replace(self, worker: WorkerProcess) -> None:
        self.figures.replaced += 1
        self._processes.discard(worker)
        task = asyncio.create_task(worker.end())
        self._ending.add(task)
        task.add_done_callback(self._ending.discard)

    async def _turn(self, caller: Caller) -> None:
        """Wait until this caller may use a process."""
        if self._closed:
            raise WorkersBusyError
        if self._admits(caller) and not self._queues:
            self._enter(caller)
            return
        queue = self._queues.setdefault(caller.name, _Queue(caller))
        if len(queue.turns) >= self.limits.queue and not caller.background:
            self.figures.refused += 1
            raise WorkersBusyError
        turn: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        queue.turns.append(turn)
        self.figures.waiting += 1
        # Others may wait for what this caller can do without.
        self._next()
        try:
            await turn
        except asyncio.CancelledError:
            if turn.done() and not turn.cancelled():
                self._leave(caller)
            else:
                self._forget(caller, turn)
            raise

    def _forget(self, caller: Caller, turn: asyncio.Future[None]) -> None:
        queue = self._queues.get(caller.name)
        if queue is not None and turn in queue.turns:
            queue.turns.remove(turn)
            self.figures.waiting -= 1
            if not queue.turns:
                del self._queues[caller.name]

    def _admits(self, caller: Caller) -> bool:
        if self._busy >= self._size:
            return False
        return not caller.background or self._background < self._size - 1

    def _enter(self, caller: Caller) -> None:
        self._busy += 1
        self._background += caller.background

    def _leave(self, caller: Caller) -> None:
        self._busy -= 1
        self._background -= caller.background
        self._next()

    def _next(self) -> None:
        """Give free processes to callers that used least; the background comes last."""
        while waiting := [queue for queue in self._queues.values() if self._admits(queue.caller)]:
            queue = min(
                waiting, key=lambda queue: (queue.caller.background, self._used(queue.caller.name))
            )
            turn = queue.turns.popleft()
            self.figures.waiting -= 1
            if not queue.turns:
                del self._queues[queue.caller.name]
            if not turn.done():
                self._enter(queue.caller)
                turn.set_result(None)

    def _used(self, name: str) -> float:
        seconds, when = self._spent.get(name, (0.0, 0.0))
        return seconds * math.exp2((when - self._monotonic()) / _HALF_LIFE)

    def _charge(self, caller: Caller, seconds: float) -> None:
        used = self._used(caller.name) + seconds
        self._spent.pop(caller.name, None)
        self._spent[caller.name] = used, self._monotonic()
        if len(self._spent) > _CALLERS:
            del self._spent[next(iter(self._spent))]

    @property
    def process_ids(self) -> list[int]:
        """The ids of the processes which run now."""
        return [worker.pid for worker in self._processes if worker.is_running]

    async def start(self) -> None:
        """Start one process now, so that the first task does not wait for it."""
        with contextlib.suppress(WorkersBusyError):
            self._idle.append(await self._worker())

    async def close(self) -> None:
        """End all processes; tasks under way end with an error."""
        self._closed = True
        for starting in self._left:
            starting.cancel()
        await asyncio.gather(*self._left, return_exceptions=True)
        await asyncio.gather(*(worker.end() for worker in self._processes), *self._ending)


def _size(args: tuple[object, ...]) -> int:
    """Return characters and bytes in the arguments, in at most two levels of collections."""
    return sum(_length(arg) for arg in args)


def _length(value: object, depth: int = 2) -> int:
    if isinstance(value, (str, bytes)):
        return len(value)
    if depth and isinstance(value, dict):
        return sum(_length(item, depth - 1) for item in value.values())
    if depth and isinstance(value, (list, tuple)):
        return sum(_length(item, depth - 1) for item in value)
    return 0
