"""The Python client, as users import it."""

import contextlib
import doctest
import io
import json
import subprocess
import sys

import httpx2 as httpx
import pytest

import benchmark_manager.client
from benchmark_manager.client import (
    Client,
    InvalidAddressError,
    InvalidCallError,
    RefusedError,
    UnreachableError,
    connect,
    shapes,
)
from support.hostile_server import head, hostile_server
from support.process import ROOT, environment

PROJECT = {
    "id": "0" * 24,
    "name": "nightly",
    "github_web_url": "https://github.com/acme/nightly",
    "resolved_branch": "main",
    "ref": None,
    "sync_status": "ok",
    "paused": False,
    "last_sync": None,
}


def answering(answer: httpx.Response) -> Client:
    return Client(
        "http://service.test", transport=httpx.MockTransport(lambda _: answer), actor="jo"
    )


def test_the_example_in_the_documentation_runs() -> None:
    body = json.dumps([PROJECT]).encode()
    [example] = doctest.DocTestFinder(recurse=False).find(benchmark_manager.client, "client")
    printed = io.StringIO()
    with hostile_server(lambda _: [head(Content_Length=len(body)), body]) as server:
        source = "".join(part.source for part in example.examples)
        with contextlib.redirect_stdout(printed):
            exec(source.replace("http://127.0.0.1:8001", server.url), {})  # noqa: S102
    assert printed.getvalue() == "nightly ok\n"


def test_importing_it_takes_none_of_the_service_s_modules() -> None:
    unwanted = ["typer", "pydantic", "fastapi", "pymongo", "structlog", "rich", "yaml"]
    program = "import sys, benchmark_manager.client; print(*set(sys.argv[1:]) & {*sys.modules})"
    done = subprocess.run(
        [sys.executable, "-c", program, *unwanted],
        env=environment(pythonpath=ROOT),
        capture_output=True,
        text=True,
        check=True,
    )
    assert done.stdout == "\n"


def test_a_refusal_has_its_code_its_fields_and_its_document() -> None:
    problem = {
        "code": "invalid_request",
        "detail": "1 field is wrong.",
        "errors": [{"field": "name", "message": "is too long"}, "x"],
    }
    headers = {"content-type": "application/problem+json", "retry-after": "3"}
    with (
        answering(httpx.Response(503, json=problem, headers=headers)) as client,
        pytest.raises(RefusedError) as raised,
    ):
        client.get("/projects")
    error = raised.value
    assert (error.code, error.status, error.problem) == ("invalid_request", 503, problem)
    assert error.field_errors == [("name", "is too long")]
    assert (error.is_temporary, error.retry_after) == (True, 3)


def test_an_answer_of_another_shape_is_not_benchmark_manager_s() -> None:
    with (
        answering(httpx.Response(200, json=[{"id": 5}])) as client,
        pytest.raises(UnreachableError, match="is not Benchmark Manager") as raised,
    ):
        client.rows("/projects", shapes.PROJECT)
    assert not raised.value.is_temporary


@pytest.mark.parametrize("url", ["127.0.0.1:8001", "ftp://127.0.0.1", "http://"])
def test_an_address_that_is_not_a_url_is_refused(url: str) -> None:
    with pytest.raises(InvalidAddressError):
        connect(url)


def test_a_text_that_is_not_utf8_is_refused() -> None:
    with answering(httpx.Response(200)) as client, pytest.raises(InvalidCallError):
        client.send("POST", "/projects", body={"name": "\ud800"})


def test_the_address_comes_from_the_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("BENCHMARK_MANAGER_URL", "https://jo:secret@benchmarks.test/below/")
    with connect() as client:
        assert client.shown_url == "https://benchmarks.test/below"
