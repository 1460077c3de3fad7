"""Ctrl-C ends the demo without a fuss, whatever it was about to ask."""

import httpx2 as httpx
import pytest
import uvicorn

from benchmark_manager.cli.service.demo import until_stopped


def ask_nobody(server: uvicorn.Server) -> None:
    with until_stopped(server):
        raise httpx.ConnectError("refused")


def test_nobody_there_is_a_failure_only_while_the_service_should_be_there() -> None:
    server = uvicorn.Server(uvicorn.Config(app=""))
    with pytest.raises(httpx.ConnectError):
        ask_nobody(server)
    server.should_exit = True
    ask_nobody(server)
