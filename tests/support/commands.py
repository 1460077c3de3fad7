"""The command line, run against a service which listens."""

import asyncio
import json
import os
import socket
import subprocess
import sys
from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

import pytest
import typer.main
import uvicorn
from typer.testing import CliRunner

from benchmark_manager.cli.commands import app
from support.listening_server import ListeningServer
from support.process import run_main, start
from support.service import Service
from support.unchanged_log import unchanged_log
from support.waiting import GENEROUS


@dataclass(frozen=True, slots=True)
class Done:
    """What a command wrote, and its exit code."""

    code: int
    out: str
    err: str

    @property
    def json(self) -> Any:
        return json.loads(self.out)


@cache
def _commands() -> Any:
    """All commands; to make them takes longer than many of them run."""
    return typer.main.get_command(app)


def run_here(
    arguments: Sequence[str],
    stdin: str | bytes | None = None,
    environment: Mapping[str, str] | None = None,
) -> Done:
    """Run a command in this process."""
    with CliRunner().isolation(stdin, environment) as (out, err, _):
        with pytest.raises(SystemExit) as ended:
            _commands().main(list(arguments), prog_name=app.info.name)
        sys.stdout.flush()
        sys.stderr.flush()
        assert isinstance(ended.value.code, int)
        return Done(ended.value.code, out.getvalue().decode(), err.getvalue().decode())


@dataclass(frozen=True, slots=True)
class ServiceCommands:
    """Runs commands against the service at `url`.

    Each must end with `code`, and never with a traceback.
    """

    url: str
    folder: Path
    service: Service

    async def __call__(
        self,
        *arguments: str,
        code: int = 0,
        stdin: str | bytes | None = None,
        environment: Mapping[str, str] | None = None,
        **variables: str,
    ) -> Done:
        """In this process."""
        return await asyncio.to_thread(
            self._run, arguments, code, stdin, {**(environment or {}), **variables}
        )

    def _run(
        self,
        arguments: tuple[str, ...],
        code: int,
        stdin: str | bytes | None,
        environment: dict[str, str],
    ) -> Done:
        env = {
            "BENCHMARK_MANAGER_URL": self.url,
            "BENCHMARK_MANAGER_ACTOR": "jo",
            "XDG_CONFIG_HOME": str(self.folder / "config"),
            **environment,
        }
        with unchanged_log():
            return _checked(run_here(arguments, stdin, env), code)

    async def process(self, *arguments: str, code: int = 0, **environment: Any) -> Done:
        """As a process of its own."""
        settings = {
            "benchmark_manager_url": self.url,
            "xdg_config_home": self.folder / "config",
            **environment,
        }
        ran: subprocess.CompletedProcess[str] = await asyncio.to_thread(
            run_main, self.folder, *arguments, **settings
        )
        return _checked(Done(ran.returncode, ran.stdout, ran.stderr), code)

    async def on_terminal(self, *arguments: str, typed: str, **environment: Any) -> Done:
        """Run it as a process on a terminal with this input; both outputs are `out`."""
        settings = {"benchmark_manager_url": self.url, **environment}
        return _checked(
            await asyncio.to_thread(_on_terminal, self.folder, arguments, typed, settings), 0
        )


def _on_terminal(
    folder: Path, arguments: tuple[str, ...], typed: str, settings: dict[str, Any]
) -> Done:
    leader, follower = os.openpty()
    process = start(folder, *arguments, streams=(follower, follower, follower), **settings)
    os.close(follower)
    os.write(leader, typed.encode())
    shown = b""
    # Linux reports the end of a terminal as an error.
    with suppress(OSError):
        while piece := os.read(leader, 4096):
            shown += piece
    os.close(leader)
    return Done(process.wait(GENEROUS), shown.decode(), "")


def _checked(done: Done, code: int) -> Done:
    assert done.code == code, done.out + done.err
    assert "Traceback" not in done.err
    return done


@asynccontextmanager
async def command_line(service: Service) -> AsyncIterator[ServiceCommands]:
    """Commands against this service, which listens on a port of its own meanwhile."""
    with socket.create_server(("127.0.0.1", 0)) as listener:
        server = ListeningServer(
            uvicorn.Config(
                service.app,
                lifespan="off",
                log_config=None,
                access_log=False,
                timeout_graceful_shutdown=1,
            )
        )
        serving = asyncio.create_task(server.serve(sockets=[listener]))
        yield ServiceCommands(
            f"http://127.0.0.1:{listener.getsockname()[1]}", service.folder, service
        )
        server.should_exit = True
        await serving
