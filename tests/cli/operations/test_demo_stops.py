"""Ctrl-C ends the demo without an error, at any time."""

import httpx2 as httpx
import pytest
import uvicorn

from benchmark_manager.cli.operations.demo import until_stopped


def ask_nobody(server: uvicorn.Server) -> None:
    with until_stopped(server):
        raise httpx.ConnectError("refused")


def test_an_unreachable_service_is_ignored_only_after_its_end() -> None:
    server = uvicorn.Server(uvicorn.Config(app=""))
    with pytest.raises(httpx.ConnectError):
        ask_nobody(server)
    server.should_exit = True
    ask_nobody(server)
