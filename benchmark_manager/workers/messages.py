"""What a worker process and the service send each other: pickled tuples, each behind its length."""

import pickle
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Final, TypeAlias

LENGTH_BYTES: Final = 8

Task: TypeAlias = Callable[..., Any]
"""A function at the top of a module, so that its name leads to it in another process."""


@dataclass(frozen=True, slots=True)
class Failure:
    """An exception in parts: many classes cannot be pickled, as they take other arguments."""

    kind: type[BaseException]
    args: tuple[Any, ...]
    state: dict[str, Any]

    @classmethod
    def of(cls, error: BaseException) -> "Failure":
        return cls(type(error), error.args, dict(vars(error)))

    def exception(self) -> BaseException:
        error = self.kind.__new__(self.kind, *self.args)
        vars(error).update(self.state)
        return error


@dataclass(frozen=True, slots=True)
class Answer:
    """What a task returned or raised, and its CPU seconds; after the `last` the worker ends."""

    value: Any
    failure: Failure | None
    seconds: float
    last: bool = False


def framed(message: object) -> bytes:
    data = pickle.dumps(message, pickle.HIGHEST_PROTOCOL)
    return len(data).to_bytes(LENGTH_BYTES, "big") + data


def length_of(header: bytes) -> int:
    return int.from_bytes(header, "big")


def read(data: bytes) -> Any:  # noqa: ANN401 -- whatever was sent
    # The other end is a process of ours, and the texts it read are values in here, never code.
    return pickle.loads(data)  # noqa: S301
