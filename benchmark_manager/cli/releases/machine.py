"""What this machine is: its name, its GPUs and their driver, and the container's image."""

import csv
import os
import re
import shutil
import signal
import socket
import subprocess
import threading
from contextlib import suppress
from dataclasses import dataclass
from typing import IO, Final

from benchmark_manager.domain.results.receipt_limits import (
    LONGEST_DRIVER,
    LONGEST_GPU,
    LONGEST_IMAGE_ID,
    LONGEST_NODE,
    MOST_GPUS,
)

NODE_VARIABLE: Final = "NODE_NAME"
IMAGE_VARIABLE: Final = "BENCHMARK_MANAGER_IMAGE_ID"

_SMI: Final = "nvidia-smi"
_QUERY: Final = ("--query-gpu=name,driver_version", "--format=csv,noheader")
#: Seconds in which it answers; without its persistence daemon it takes two or three.
SMI_SECONDS: Final = 10.0
#: Bytes of its answer that are read.
_LONGEST_ANSWER: Final = 64 * 1024
_DRIVER: Final = re.compile(rf"[0-9][0-9A-Za-z.+-]{{0,{LONGEST_DRIVER - 1}}}")


@dataclass(frozen=True, slots=True)
class Gpus:
    """The name of each GPU, and the version of their driver if it is known."""

    names: tuple[str, ...] = ()
    driver: str | None = None


def node_name() -> str | None:
    """Return the name of the node in Kubernetes, if the pod knows it; else that of the host."""
    return _line(os.environ.get(NODE_VARIABLE) or socket.gethostname(), LONGEST_NODE)


def image_id() -> str | None:
    """Return what the environment says about the container's image; None if it says nothing."""
    return _line(os.environ.get(IMAGE_VARIABLE, ""), LONGEST_IMAGE_ID)


def installed_gpus(*, seconds: float = SMI_SECONDS) -> Gpus:
    """Return the GPUs that `nvidia-smi` names; none where it is missing, fails or hangs."""
    program = shutil.which(_SMI)
    if program is None:
        return Gpus()
    try:
        process = subprocess.Popen(  # noqa: S603 -- the program of this name on this machine
            [program, *_QUERY],
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            # So that what it starts is killed with it.
            start_new_session=True,
        )
    except OSError:
        return Gpus()
    return read_gpus(_answer(process, seconds))


def _answer(process: subprocess.Popen[bytes], seconds: float) -> bytes:
    """Return what a process writes in time; nothing if it fails, hangs, or writes too much."""
    pieces: list[bytes] = []
    # A process that waits for its driver cannot be killed, and a wait for it would not end either.
    reader = threading.Thread(target=_read, args=(process.stdout, pieces), daemon=True)
    reader.start()
    reader.join(seconds)
    ended = not reader.is_alive()
    if ended and len(b"".join(pieces)) <= _LONGEST_ANSWER:
        with suppress(subprocess.TimeoutExpired):
            return b"".join(pieces) if process.wait(1) == 0 else b""
    with suppress(OSError):
        os.killpg(process.pid, signal.SIGKILL)
    with suppress(subprocess.TimeoutExpired):
        process.wait(1)
    return b""


def _read(stream: IO[bytes], pieces: list[bytes]) -> None:
    with suppress(OSError, ValueError), stream:
        pieces.append(stream.read(_LONGEST_ANSWER + 1))


def read_gpus(answer: bytes) -> Gpus:
    r"""Return the GPUs of an answer of `nvidia-smi`; lines that are none are left out.

    >>> read_gpus(b"NVIDIA H100 80GB HBM3, 570.124.06\n")
    Gpus(names=('NVIDIA H100 80GB HBM3',), driver='570.124.06')
    """
    names: list[str] = []
    driver = None
    lines = answer.decode("utf-8", "replace").replace("\0", "").splitlines()
    for row in csv.reader(lines, skipinitialspace=True):
        name = _line(row[0], LONGEST_GPU) if len(row) == len(("name", "driver")) else None
        if name is None or _DRIVER.fullmatch(row[1].strip()) is None:
            continue
        names.append(name)
        driver = driver or row[1].strip()
    return Gpus(tuple(names[:MOST_GPUS]), driver)


def _line(text: str, longest: int) -> str | None:
    """Return a text as a receipt may have it: visible characters, and not too many."""
    visible = "".join(c for c in text.strip() if c.isprintable())
    return visible[:longest] or None
