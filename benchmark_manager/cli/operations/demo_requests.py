"""Requests of the demo to its own service, and how it prints such requests."""

import os
import shlex
import shutil
import sys
from collections.abc import Awaitable
from pathlib import Path

import httpx2 as httpx

from benchmark_manager.errors import StartError


async def checked(request: Awaitable[httpx.Response]) -> httpx.Response:
    """Return the answer of a request.

    Raises:
        StartError: it is a refusal.
    """
    answer = await request
    if answer.is_error:
        raise StartError(f"The demo failed: {answer.json().get('detail', answer.status_code)}")
    return answer


def command_name() -> str:
    """Return how this shell calls the command line: in a checkout it need not be installed."""
    if shutil.which("benchmark-manager") is not None:
        return "benchmark-manager"
    # Not resolved: the link in an environment's folder says which packages it has.
    python, here = Path(sys.executable), Path(os.curdir).absolute()
    shown = python.relative_to(here) if python.is_relative_to(here) else python
    return f"{shlex.quote(str(shown))} -m benchmark_manager"


def curl_command(token: str | None) -> str:
    """Return the beginning of a curl command, for a shell in which a token is $TOKEN."""
    return "curl" if token is None else 'curl -H "Authorization: Bearer $TOKEN"'
