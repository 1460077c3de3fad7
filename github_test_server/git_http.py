"""Cloning and fetching over HTTP, by git's own `git http-backend`: nothing can be pushed.

https://git-scm.com/docs/git-http-backend, https://git-scm.com/docs/http-protocol
"""

from __future__ import annotations

import asyncio
import contextlib
import functools
import os
import signal
import subprocess
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING

from github_test_server import git
from github_test_server.answers import RefusalError, ServedAnswer
from github_test_server.calls import Call, Endpoint

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

    from github_test_server.hosting import HostedRepository

_CHUNK = 65_536
_READING = "git-upload-pack"
# GitHub allows filters (partial clones) and any object's id:
# https://docs.github.com/en/get-started/using-git/about-git#partial-clones
_CONFIGURATION = {
    "uploadpack.allowFilter": "true",
    "uploadpack.allowAnySHA1InWant": "true",
    "http.receivepack": "false",
    "safe.directory": "*",
}


class _PlainRefusalError(RefusalError):
    """git's clients show a refusal's text; they read no JSON."""

    def __init__(self, status: int, text: str, headers: dict[str, str] | None = None) -> None:
        super().__init__(status, text)
        kind = {"Content-Type": "text/plain; charset=utf-8"}
        self.answer = ServedAnswer(status, f"{text}\n".encode(), {**kind, **(headers or {})})


async def info_refs(call: Call) -> ServedAnswer:
    """List refs, or what the server can do in protocol version 2."""
    if call.query("service") != _READING:
        raise _PlainRefusalError(403, "Only reading with git's smart protocol is served.")
    return await _serve(call, "/info/refs")


async def upload_pack(call: Call) -> ServedAnswer:
    return await _serve(call, f"/{_READING}")


async def receive_pack(call: Call) -> ServedAnswer:
    _hosted(call)
    raise _PlainRefusalError(403, "Only reading is served.")


def _hosted(call: Call) -> HostedRepository:
    """Find the repository; without credentials they are asked for, even if nothing is there."""
    full_name = f"{call.parameter('owner')}/{call.parameter('repo').removesuffix('.git')}"
    hosting = call.state.hosting
    hosted = hosting.get(full_name) or hosting.get_moved(full_name)
    if hosted is None or not hosted.visible_to(call.caller):
        if call.caller.token is None:
            raise _PlainRefusalError(
                401, "Authentication required.", {"WWW-Authenticate": 'Basic realm="GitHub"'}
            )
        raise _PlainRefusalError(404, "Repository not found.")
    if hosting.get(full_name) is None:
        rest = call.request.url.path.split("/", 3)[3]
        query = f"?{call.request.url.query}" if call.request.url.query else ""
        raise _PlainRefusalError(
            301, "Moved", {"Location": f"{call.urls.page(hosted)}.git/{rest}{query}"}
        )
    return hosted


async def _serve(call: Call, path: str) -> ServedAnswer:
    hosted = _hosted(call)
    body = await call.request.body()
    process = await asyncio.to_thread(
        _start, _environment(call, hosted.repository.path, path, len(body)), body
    )
    try:
        status, headers = await asyncio.to_thread(_head, process)
    except BaseException:
        _end(process)
        raise
    return ServedAnswer(status, _pieces(process), headers)


def _environment(call: Call, root: Path, path: str, length: int) -> dict[str, str]:
    """Make the CGI's variables (RFC 3875, section 4.1), and git's configuration in the same way."""
    headers = call.request.headers
    settings = dict[str, str]()
    for number, (key, value) in enumerate(_CONFIGURATION.items()):
        settings |= {f"GIT_CONFIG_KEY_{number}": key, f"GIT_CONFIG_VALUE_{number}": value}
    return {
        **git.environment(),
        **settings,
        "GIT_CONFIG_COUNT": str(len(_CONFIGURATION)),
        "GIT_HTTP_EXPORT_ALL": "1",
        "GIT_PROJECT_ROOT": str(root),
        "GIT_PROTOCOL": headers.get("git-protocol", ""),
        "PATH_INFO": path,
        "REQUEST_METHOD": call.request.method,
        "QUERY_STRING": call.request.url.query,
        "CONTENT_TYPE": headers.get("content-type", ""),
        "CONTENT_LENGTH": str(length),
        "HTTP_CONTENT_ENCODING": headers.get("content-encoding", ""),
        "REMOTE_ADDR": call.caller.client,
    }


@functools.cache
def _backend() -> str:
    found = subprocess.run(  # noqa: S603
        [git.executable(), "--exec-path"], capture_output=True, check=True, text=True
    )
    return str(Path(found.stdout.strip()) / "git-http-backend")


def _start(environment: dict[str, str], body: bytes) -> subprocess.Popen[bytes]:
    # The body comes from a file: through a pipe, both sides could wait for the other to read.
    with tempfile.TemporaryFile() as request:
        request.write(body)
        request.seek(0)
        return subprocess.Popen(  # noqa: S603 - no shell, and nothing of the request is an argument
            [_backend()],
            stdin=request,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            env=environment,
            start_new_session=True,
        )


def _head(process: subprocess.Popen[bytes]) -> tuple[int, dict[str, str]]:
    """Read the CGI's header lines; `Status` among them is the answer's, 200 if there is none."""
    headers = dict[str, str]()
    stdout = process.stdout
    while stdout is not None and (line := stdout.readline().strip()):
        name, _, value = line.decode().partition(": ")
        headers[name] = value
    return int(headers.pop("Status", "200").split()[0]), headers


async def _pieces(process: subprocess.Popen[bytes]) -> AsyncIterator[bytes]:
    try:
        while process.stdout is not None and (
            piece := await asyncio.to_thread(process.stdout.read, _CHUNK)
        ):
            yield piece
    finally:
        _end(process)


def _end(process: subprocess.Popen[bytes]) -> None:
    """End the backend and the commands which it started: each holds the pipe that is read here."""
    with contextlib.suppress(ProcessLookupError):
        os.killpg(process.pid, signal.SIGKILL)
    git.end(process)


ROUTES: dict[str, Endpoint] = {
    "/{owner}/{repo}/info/refs": Endpoint(info_refs, metered=False, api=False, basic=True),
    f"/{{owner}}/{{repo}}/{_READING}": Endpoint(
        upload_pack, metered=False, api=False, basic=True, method="POST"
    ),
    "/{owner}/{repo}/git-receive-pack": Endpoint(
        receive_pack, metered=False, api=False, basic=True, method="POST"
    ),
}
"""At the server's root, with or without ".git" behind the name."""
