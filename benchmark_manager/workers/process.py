"""One worker process, as the service sees it."""

import asyncio
import os
import signal
import sys
from asyncio.subprocess import PIPE, Process
from typing import Final

from benchmark_manager.workers.messages import LENGTH_BYTES, Answer, Task, framed, length_of, read

_START_SECONDS: Final = 60.0
#: Looking for plugins of Pydantic takes a tenth of a start; none has to see the texts.
_NO_PLUGINS: Final = {"PYDANTIC_DISABLE_PLUGINS": "__all__"}
#: How a process ends which another one ended, and not its task.
_FROM_OUTSIDE: Final = frozenset({-signal.SIGKILL, -signal.SIGTERM, -signal.SIGHUP})


class WorkerEndedError(Exception):
    """The process ended before it answered, with an exit code or (negative) by a signal."""

    def __init__(self, code: int) -> None:
        super().__init__(f"the worker process ended with {code}")
        self.code = code

    @property
    def from_outside(self) -> bool:
        """Whether something else than its task ended it."""
        return self.code in _FROM_OUTSIDE


class WorkerProcess:
    """A process which carries out one task at a time."""

    def __init__(self, process: Process) -> None:
        self._process = process

    @classmethod
    async def start(cls, warm_up: str, memory: int) -> "WorkerProcess":
        """Start a process and wait until it can take tasks.

        Args:
            warm_up: `MODULE:FUNCTION`, called before the first task and without its limits.
            memory: what a task may allocate, bytes.

        Raises:
            WorkerEndedError, OSError
        """
        process = await asyncio.create_subprocess_exec(
            *(sys.executable, "-m", "benchmark_manager.workers.child", warm_up, str(memory)),
            stdin=PIPE,
            stdout=PIPE,
            stderr=asyncio.subprocess.DEVNULL,
            # The service's own settings stay out: some of them are secrets, and a worker reads
            # strangers' texts.
            env={"PYTHONPATH": os.pathsep.join(path for path in sys.path if path), **_NO_PLUGINS},
            start_new_session=True,
        )
        worker = cls(process)
        try:
            async with asyncio.timeout(_START_SECONDS):
                await worker._answer()
        except BaseException:
            await worker.end()
            raise
        return worker

    async def call(
        self, task: Task, args: tuple[object, ...], seconds: float, longest: float
    ) -> Answer:
        """Carry out a task within `seconds` of CPU time; if this is cancelled, `end` the process.

        A process which does not answer for `longest` seconds is ended.

        Raises:
            WorkerEndedError
        """
        assert self._process.stdin is not None  # noqa: S101 -- it was asked for
        stuck = asyncio.get_running_loop().call_later(longest, self._process.kill)
        try:
            self._process.stdin.write(framed((task, args, seconds)))
            await self._process.stdin.drain()
            return await self._answer()
        except (BrokenPipeError, ConnectionResetError):
            raise await self._ended() from None
        finally:
            stuck.cancel()

    async def _answer(self) -> Answer:
        assert self._process.stdout is not None  # noqa: S101 -- it was asked for
        try:
            header = await self._process.stdout.readexactly(LENGTH_BYTES)
            data = await self._process.stdout.readexactly(length_of(header))
        except (asyncio.IncompleteReadError, ConnectionResetError):
            raise await self._ended() from None
        answer: Answer = read(data)
        return answer

    async def _ended(self) -> WorkerEndedError:
        return WorkerEndedError(await self._process.wait())

    async def end(self) -> None:
        """End the process at once, whatever it does."""
        if self._process.returncode is None:
            self._process.kill()
        if self._process.stdin is not None:
            self._process.stdin.close()
        await self._process.wait()

    @property
    def pid(self) -> int:
        return self._process.pid

    @property
    def is_running(self) -> bool:
        return self._process.returncode is None
