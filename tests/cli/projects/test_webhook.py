"""`benchmark-manager webhook test`: reports about the webhooks of a running service."""

import asyncio
import subprocess
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path
from typing import Any

import pytest
from pydantic import SecretStr

from benchmark_manager.stores.embedded.ports import free_port
from github_test_server import GitHubTestServer
from support.commands import ServiceCommands, command_line
from support.process import run_main
from support.service import running_service

SECRET = "a-secret-that-nobody-sees"


def ping(folder: Path, *arguments: str, **settings: Any) -> subprocess.CompletedProcess[str]:
    """Run the command; neither the secret nor a traceback is ever shown."""
    done = run_main(folder, "webhook", "test", *arguments, **{"webhook_secret": SECRET, **settings})
    output = done.stdout + done.stderr
    assert SECRET not in output
    assert "Traceback" not in output
    assert len(output.splitlines()) == 1
    return done


async def test_a_service_with_the_same_secret_accepts(
    database_url: str, github: GitHubTestServer, tmp_path: Path
) -> None:
    secret = SecretStr(SECRET)
    async with (
        running_service(database_url, github, tmp_path, webhook_secret=secret) as running,
        command_line(running) as service,
    ):
        urls = (service.url, f"{service.url}/", f"{service.url}/webhooks/github")
        reports = [await asyncio.to_thread(ping, tmp_path, "--url", url) for url in urls]
        assert [(done.returncode, done.stderr) for done in reports] == [(0, "")] * len(urls)
        accepted = f"{service.url}/webhooks/github: accepted."
        assert [done.stdout for done in reports if not done.stdout.startswith(accepted)] == []
        done = await asyncio.to_thread(
            ping, tmp_path, benchmark_manager_url=service.url, http_proxy="http://127.0.0.1:1"
        )
        assert done.returncode == 0
        other = await asyncio.to_thread(
            ping, tmp_path, "--url", service.url, webhook_secret="another-secret-of-16"
        )
        assert other.returncode == 1
        assert "401; the secrets differ" in other.stderr


async def test_a_service_without_a_secret_says_so(cli: ServiceCommands, tmp_path: Path) -> None:
    done = await asyncio.to_thread(ping, tmp_path, "--url", cli.url)
    assert done.returncode == 1
    assert "the service has no WEBHOOK_SECRET" in done.stderr


def test_without_a_secret_here_nothing_is_sent(tmp_path: Path) -> None:
    done = ping(tmp_path, webhook_secret="")
    assert (done.returncode, done.stdout) == (1, "")
    assert done.stderr.startswith("benchmark-manager: WEBHOOK_SECRET is not set here")


def test_an_unreachable_service_is_one_line(tmp_path: Path) -> None:
    done = ping(tmp_path, "--url", f"http://user:password@127.0.0.1:{free_port()}")
    assert done.returncode == 1
    assert "cannot be reached" in done.stderr
    assert "password" not in done.stderr


@pytest.mark.parametrize("url", ["127.0.0.1:8001", "ftp://127.0.0.1", "http://"])
def test_an_address_that_is_not_a_url_is_refused(tmp_path: Path, url: str) -> None:
    done = ping(tmp_path, "--url", url)
    assert done.returncode == 1
    assert "--url is not a URL" in done.stderr


@contextmanager
def answering(status: int, body: bytes = b"", **headers: str) -> Iterator[str]:
    """The address of a server which answers every POST so."""

    class FixedAnswerHandler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            self.rfile.read(int(self.headers["content-length"]))
            self.send_response(status)
            for name, value in {"content-length": str(len(body)), **headers}.items():
                self.send_header(name, value)
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, *_: object) -> None: ...

    with HTTPServer(("127.0.0.1", 0), FixedAnswerHandler) as server:
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
        thread.start()
        try:
            yield f"http://127.0.0.1:{server.server_port}"
        finally:
            server.shutdown()
            thread.join()


@pytest.mark.parametrize(
    ("status", "body", "words"),
    [
        (200, b"<html>", "the server there is not Benchmark Manager"),
        (200, b'{"status": "ok"}', "the server there is not Benchmark Manager"),
        (301, b"", "give the address that it redirects to"),
        (500, b"boom", "it answers 500"),
        (503, b"", "cannot work now"),
    ],
)
def test_another_server_is_not_accepted(
    tmp_path: Path, status: int, body: bytes, words: str
) -> None:
    with answering(status, body, location="https://example.com/") as url:
        done = ping(tmp_path, "--url", url)
    assert (done.returncode, done.stdout) == (1, "")
    assert words in done.stderr
