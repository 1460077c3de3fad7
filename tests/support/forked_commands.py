"""Commands of the client, each in a process of its own whose memory is measured.

One process imports the command line and is forked for each command: starting Python anew for each
would take longer than the command.
"""

import json
import os
import subprocess
import sys
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from support.process import ROOT, environment

_PROGRAM = """
import json, os, sys
import contextlib, io
import rich.table, rich.text, rich.console
from benchmark_manager.cli.commands import main

# Much is imported when a command first runs. Nothing listens at this port.
with contextlib.redirect_stderr(io.StringIO()), contextlib.suppress(SystemExit):
    main(["projects", "list", "--url", "http://127.0.0.1:1"])

for line in sys.stdin:
    order = json.loads(line)
    child = os.fork()
    if child == 0:
        os.setpgid(0, 0)
        for number, name in ((1, "out"), (2, "err")):
            os.dup2(os.open(order[name], os.O_WRONLY | os.O_CREAT | os.O_TRUNC), number)
        os.environ.update(order["environment"])
        try:
            main(order["arguments"])
            code = 0
        except SystemExit as error:
            code = error.code if isinstance(error.code, int) else 0 if error.code is None else 1
        except BaseException:
            import traceback
            traceback.print_exc()
            code = 99
        sys.stdout.flush()
        sys.stderr.flush()
        os._exit(code)
    print(child, flush=True)
    _, status, usage = os.wait4(child, 0)
    print(json.dumps([os.waitstatus_to_exitcode(status), usage.ru_maxrss]), flush=True)
"""


@dataclass(frozen=True, slots=True)
class Ran:
    """A command which has ended; `memory` is the most that its process held, in bytes."""

    code: int
    out: str
    err: str
    memory: int


@dataclass(frozen=True, slots=True)
class RunningCommand:
    """A command which runs."""

    number: int
    _process: "subprocess.Popen[str]"
    _folder: Path

    def wait(self) -> Ran:
        assert self._process.stdout is not None
        code, kilobytes = json.loads(self._process.stdout.readline())
        out, err = (
            (self._folder / name).read_text("utf-8", "surrogateescape") for name in ("out", "err")
        )
        return Ran(code, out, err, kilobytes * 1024)


@dataclass(frozen=True, slots=True)
class ForkedCommands:
    """Starts commands, one at a time."""

    process: "subprocess.Popen[str]"
    folder: Path

    def start(
        self, *arguments: str, environment: Mapping[str, str] | None = None
    ) -> RunningCommand:
        order = {
            "arguments": arguments,
            "environment": dict(environment or {}),
            "out": str(self.folder / "out"),
            "err": str(self.folder / "err"),
        }
        assert self.process.stdin is not None
        assert self.process.stdout is not None
        self.process.stdin.write(json.dumps(order) + "\n")
        self.process.stdin.flush()
        return RunningCommand(int(self.process.stdout.readline()), self.process, self.folder)

    def __call__(self, *arguments: str) -> Ran:
        return self.start(*arguments).wait()


@contextmanager
def forked_commands(folder: Path) -> Iterator[ForkedCommands]:
    """Commands whose outputs go through `folder`."""
    with subprocess.Popen(
        [sys.executable, "-c", _PROGRAM],
        env=environment(pythonpath=ROOT),
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    ) as process:
        try:
            yield ForkedCommands(process, folder)
        finally:
            assert process.stdin is not None
            process.stdin.close()
            process.wait(60)


def bytes_below(folder: Path) -> int:
    """Return how many bytes the files below a folder have now."""
    total = 0
    for parent, _, names in os.walk(folder):
        for name in names:
            try:
                total += (Path(parent) / name).stat(follow_symlinks=False).st_size
            except FileNotFoundError:
                continue
    return total
