"""The service as a process of its own, started as its users start it: `python main.py`."""

import asyncio
import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx2 as httpx

from benchmark_manager.config import Settings

ROOT = Path(__file__).resolve().parents[2]
_START_SECONDS = 100


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port


def environment(**settings: Any) -> dict[str, str]:
    """This process's environment with these settings and no others."""
    names = {name.upper() for name in Settings.model_fields}
    kept = {name: value for name, value in os.environ.items() if name not in names}
    return kept | {name.upper(): str(value) for name, value in settings.items()}


def run_main(
    folder: Path, *arguments: str, timeout: float = 60, **settings: Any
) -> subprocess.CompletedProcess[str]:
    """Run the command line to its end, in a folder without a .env file."""
    command = [sys.executable, str(ROOT / "main.py")] if not arguments else [
        sys.executable, "-m", "benchmark_manager", *arguments
    ]  # fmt: skip
    return subprocess.run(
        command,
        cwd=folder,
        env=environment(pythonpath=ROOT, **settings),
        capture_output=True,
        text=True,
        timeout=timeout,
        check=False,
    )


@dataclass
class ServiceProcess:
    """A service that was started as a process; `log` is what it wrote."""

    process: subprocess.Popen[bytes]
    url: str
    log: Path

    @property
    def output(self) -> str:
        return self.log.read_text(errors="replace")

    def client(self, timeout: float = 60) -> httpx.AsyncClient:
        return httpx.AsyncClient(base_url=self.url, timeout=timeout, trust_env=False)

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

    def terminate(self, timeout: float = 15) -> int:
        """Ask it to stop; its exit code."""
        self.process.send_signal(signal.SIGTERM)
        return self.process.wait(timeout)


@asynccontextmanager
async def service_process(
    folder: Path, *, name: str = "service", **settings: Any
) -> AsyncIterator[ServiceProcess]:
    """A ready service; MONGO_URL unset means the embedded database in `folder`/data.

    `root`, where it is given, is another checkout whose code runs.
    """
    port, root = settings.pop("port", None) or free_port(), settings.pop("root", ROOT)
    log = folder / f"{name}.log"
    values = {
        "data_dir": folder / "data",
        "port": port,
        "log_format": "json",
        "log_level": "debug",
        **settings,
    }
    with log.open("ab") as output:
        process = subprocess.Popen(
            [sys.executable, str(root / "main.py")],
            cwd=folder,
            env=environment(pythonpath=root, **values),
            stdout=output,
            stderr=subprocess.STDOUT,
        )
    service = ServiceProcess(process, f"http://127.0.0.1:{port}", log)
    try:
        await service.ready()
        yield service
    finally:
        if process.poll() is None:
            process.terminate()
            try:
                process.wait(15)
            except subprocess.TimeoutExpired:
                process.kill()
                process.wait()
