"""The service as a process of its own, started as its users start it: `python main.py`."""

import asyncio
import os
import signal
import subprocess
import sys
import time
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryFile
from typing import Any, TypeAlias

import httpx2 as httpx

from benchmark_manager.config import Settings
from benchmark_manager.stores.embedded.ports import free_port
from support.forks import Fork, origin
from support.waiting import GENEROUS

ROOT = Path(__file__).resolve().parents[2]
_START_SECONDS = 100


def environment(**settings: Any) -> dict[str, str]:
    """This process's environment with these settings and no others."""
    names = {name.upper() for name in Settings.model_fields}
    kept = {name: value for name, value in os.environ.items() if name not in names}
    return kept | {name.upper(): str(value) for name, value in settings.items()}


Process: TypeAlias = "subprocess.Popen[bytes] | Fork"


def start(
    folder: Path,
    *arguments: str,
    streams: tuple[int, int, int],
    **settings: Any,
) -> Process:
    """Start the command line in a folder, or `main.py` where there are no arguments.

    `root`, where it is given, is another checkout whose code runs. `new_python` is that of
    `start_program`.
    """
    main = str(settings.get("root", ROOT) / "main.py")
    program = ("benchmark_manager", *arguments) if arguments else (main,)
    return start_program(folder, program, streams=streams, **settings)


def start_program(
    folder: Path, program: Sequence[str | bytes], *, streams: tuple[int, int, int], **settings: Any
) -> Process:
    """Start a file or a module with arguments.

    In a test, it is forked from a process that has imported the service; in a benchmark, and with
    `new_python=True`, Python is started as users start it.
    """
    root, new_python = settings.pop("root", ROOT), settings.pop("new_python", False)
    variables = environment(pythonpath=root, **settings)
    prepared = origin()
    if prepared is not None and not new_python and root == ROOT:
        return prepared.fork([os.fsdecode(word) for word in program], folder, variables, streams)
    is_file = os.fsdecode(program[0]).endswith(".py")
    command = [sys.executable, *program] if is_file else [sys.executable, "-m", *program]
    stdin, stdout, stderr = streams
    return subprocess.Popen(
        command, cwd=folder, env=variables, stdin=stdin, stdout=stdout, stderr=stderr
    )


def run_main(
    folder: Path, *arguments: str, timeout: float = 100, **settings: Any
) -> "subprocess.CompletedProcess[str]":
    """Run the command line to its end, in a folder without a .env file."""
    program = ("benchmark_manager", *arguments) if arguments else (str(ROOT / "main.py"),)
    return run_program(folder, program, timeout=timeout, **settings)


def run_program(
    folder: Path,
    program: Sequence[str | bytes],
    *,
    timeout: float = _START_SECONDS,
    **settings: Any,
) -> "subprocess.CompletedProcess[str]":
    """Run a file or a module to its end; see `start_program`."""
    with TemporaryFile() as out, TemporaryFile() as err, Path(os.devnull).open("rb") as nothing:
        streams = (nothing.fileno(), out.fileno(), err.fileno())
        process = start_program(folder, program, streams=streams, **settings)
        try:
            code = process.wait(timeout)
        finally:
            process.kill()
        out.seek(0)
        err.seek(0)
        return subprocess.CompletedProcess(program, code, out.read().decode(), err.read().decode())


@dataclass
class ServiceProcess:
    """A service that was started as a process; `log` is what it wrote."""

    process: Process
    url: str
    log: Path

    @property
    def output(self) -> str:
        return self.log.read_text(errors="replace")

    def client(self, timeout: float = 60) -> httpx.AsyncClient:
        # Loading certificates, which nothing here needs, takes longer than a request.
        return httpx.AsyncClient(base_url=self.url, timeout=timeout, trust_env=False, verify=False)

    async def ready(self) -> None:
        """Wait until GET /health answers 200."""
        deadline = time.monotonic() + _START_SECONDS
        async with self.client(5) as http:
            while True:
                if self.process.poll() is not None:
                    raise AssertionError(
                        f"the service ended with {self.process.returncode}:\n{self.output[-3000:]}"
                    )
                try:
                    if (await http.get("/health")).status_code == httpx.codes.OK:
                        return
                except httpx.TransportError:
                    pass
                if time.monotonic() > deadline:
                    raise AssertionError(
                        f"the service was not ready in time:\n{self.output[-3000:]}"
                    )
                await asyncio.sleep(0.05)

    def kill(self) -> None:
        """End it as a power cut would."""
        self.process.kill()
        self.process.wait()

    def terminate(self, timeout: float = GENEROUS) -> int:
        """Ask it to stop; its exit code."""
        self.process.send_signal(signal.SIGTERM)
        return self.process.wait(timeout)


@asynccontextmanager
async def service_process(
    folder: Path, *, name: str = "service", **settings: Any
) -> AsyncIterator[ServiceProcess]:
    """A ready service; MONGO_URL unset means the embedded database in `folder`/data.

    `new_python` and `root` are those of `start`.
    """
    port = settings.pop("port", None) or free_port()
    log = folder / f"{name}.log"
    values = {
        "data_dir": folder / "data",
        "port": port,
        "log_format": "json",
        "log_level": "debug",
        **settings,
    }
    with log.open("ab") as output, Path(os.devnull).open("rb") as nothing:
        streams = (nothing.fileno(), output.fileno(), output.fileno())
        process = start(folder, streams=streams, **values)
    service = ServiceProcess(process, f"http://127.0.0.1:{port}", log)
    try:
        await service.ready()
        yield service
    finally:
        if process.poll() is None:
            process.terminate()
            try:
                process.wait(GENEROUS)
            except subprocess.TimeoutExpired:
                process.kill()
                process.wait()
