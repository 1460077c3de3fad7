"""Repeat requests that fail temporarily."""

import random
import time
from collections.abc import Callable
from typing import Annotated, Final, TypeVar

import typer

from benchmark_manager.client.errors import ClientError, RefusedError

Result = TypeVar("Result")

#: Seconds between attempts.
_FIRST_PAUSE: Final = 0.25
_LONGEST_PAUSE: Final = 8.0

RetrySeconds = Annotated[
    float,
    typer.Option(
        "--patience", help="Retry temporary failures for so many seconds.", min=0, max=86_400
    ),
]


class RetryBudget:
    """Repeats actions that fail temporarily, each for some seconds."""

    def __init__(
        self,
        seconds: float,
        *,
        say: Callable[[str], None],
        sleep: Callable[[float], None] = time.sleep,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._seconds = seconds
        self._say = say
        self._sleep = sleep
        self._clock = clock
        self._announced = False

    def until_done(self, action: Callable[[], Result]) -> Result:
        """Call `action` until it succeeds, and return its result.

        Raises:
            ClientError: its last error, if that is not temporary or the time is over.
        """
        begun, pause = self._clock(), _FIRST_PAUSE
        while True:
            try:
                return action()
            except ClientError as error:
                asked = error.retry_after if isinstance(error, RefusedError) else None
                # Random, so that pods that lost the same service do not all return at once.
                jittered = pause * random.uniform(0.5, 1)  # noqa: S311 -- no secret
                wait = jittered if asked is None else asked
                if not error.is_temporary or self._clock() - begun + wait > self._seconds:
                    raise
                self._announce(error)
            self._sleep(wait)
            pause = min(pause * 2, _LONGEST_PAUSE)

    def _announce(self, error: ClientError) -> None:
        if not self._announced:
            self._say(f"{error.detail.rstrip('.')} -- trying again for {self._seconds:.0f} s.")
        self._announced = True
