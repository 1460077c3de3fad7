"""Tasks for worker processes, in a module of their own, which a process imports quickly."""

import os
import time
from importlib import import_module
from pathlib import Path

from benchmark_manager.errors import InvalidInputError, StaleError

_MEGABYTE = 1024 * 1024


def read_rules() -> None:
    """Import the rules for texts, as the service's processes do, without Kubernetes' schemas."""
    import_module("benchmark_manager.services.texts.text_work")


def start_slowly() -> None:
    """Take longer than some callers wait."""
    time.sleep(1)


def doubled(value: int) -> int:
    return 2 * value


def busy_for(seconds: float) -> str:
    end = time.process_time() + seconds
    while time.process_time() < end:
        pass
    return "done"


def busy_for_ever() -> int:
    while True:
        pass


def busy_in_c() -> int:
    return sum(range(10**12))


def holding(size: int) -> int:
    return len(bytearray(size))


def process_id() -> int:
    return os.getpid()


def ends_itself(code: int) -> None:
    os._exit(code)


def writes_to_its_output() -> str:
    os.write(1, b"not an answer")
    print("nor this", flush=True)
    return "an answer"


def refusing(field: str) -> None:
    raise InvalidInputError("invalid_name", "path", field=field)


def stale() -> None:
    raise StaleError(7)


def huge_answer() -> bytes:
    return bytes(20 * _MEGABYTE)


def environment() -> dict[str, str]:
    return dict(os.environ)


def marked(path: str, name: str) -> None:
    with Path(path).open("a") as file:
        file.write(f"{name}\n")
