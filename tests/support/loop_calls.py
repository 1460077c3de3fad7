"""Count what the thread of the event loop does."""

import sys
from types import FrameType, TracebackType
from typing import Self


class LoopCalls:
    """Counts the functions, also those in C, that this thread calls and returns from.

    The count is the same on any machine, however busy.

    with LoopCalls() as calls:
        await request
    assert calls.count < 100_000
    """

    def __init__(self) -> None:
        self.count = 0

    def __enter__(self) -> Self:
        self._before = sys.getprofile()
        sys.setprofile(self._note)
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        sys.setprofile(self._before)

    def _note(self, _frame: FrameType, _event: str, _argument: object) -> None:
        self.count += 1
