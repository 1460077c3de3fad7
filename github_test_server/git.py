"""Running git without whatever the machine's own git configuration says."""

from __future__ import annotations

import contextlib
import functools
import os
import shutil
import subprocess
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from pathlib import Path

_FIXED_ENVIRONMENT = {
    "GIT_CONFIG_NOSYSTEM": "1",
    "GIT_CONFIG_GLOBAL": os.devnull,
    "GIT_LITERAL_PATHSPECS": "1",
    "GIT_NO_REPLACE_OBJECTS": "1",
    "GIT_TERMINAL_PROMPT": "0",
    "LC_ALL": "C",
}


class GitError(RuntimeError):
    """git is missing, or one of its commands failed; the message holds what it wrote to stderr."""


@functools.cache
def executable() -> str:
    found = shutil.which("git")
    if found is None:
        raise GitError("the GitHub test server needs the git command, which is not on PATH")
    return found


def environment() -> dict[str, str]:
    """Return the process' environment without variables which would lead git elsewhere."""
    kept = {name: value for name, value in os.environ.items() if not name.startswith("GIT_")}
    return kept | _FIXED_ENVIRONMENT


def command(directory: Path, *arguments: str) -> list[str]:
    # An explicit --git-dir also spares git its check of who owns the directory.
    return [executable(), f"--git-dir={directory}", *arguments]


def run(directory: Path, *arguments: str, data: bytes = b"") -> bytes:
    """Run one git command on the bare repository and return its stdout; GitError if it fails."""
    done = subprocess.run(  # noqa: S603 - no shell, and refs are checked before they come here
        command(directory, *arguments),
        input=data,
        capture_output=True,
        env=environment(),
        check=False,
    )
    if done.returncode:
        raise GitError(f"git {arguments[0]}: {done.stderr.decode(errors='replace').strip()}")
    return done.stdout


def start(directory: Path, *arguments: str) -> subprocess.Popen[bytes]:
    """Start a git command with pipes for stdin and stdout; the caller has to end it."""
    return subprocess.Popen(  # noqa: S603 - as in run()
        command(directory, *arguments),
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        env=environment(),
    )


def end(process: subprocess.Popen[bytes]) -> None:
    """End a process made by start() and close its pipes, whatever state it is in."""
    # Killed first: closing a pipe waits for a reader in another thread.
    process.kill()
    if process.stdin is not None:
        with contextlib.suppress(BrokenPipeError):
            process.stdin.close()
    if process.stdout is not None:
        process.stdout.close()
    process.wait()
