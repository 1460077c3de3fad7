"""How a page and a command line find each other."""

import doctest
from typing import Final
from urllib.parse import parse_qsl, urlsplit

import pytest
from hypothesis import given
from hypothesis import strategies as st

from benchmark_manager.domain.access import command_line
from benchmark_manager.domain.access.command_line import (
    LoopbackHost,
    answer_address,
    challenge_of,
)

STATE: Final = "s" * 43


def test_the_examples_run() -> None:
    assert doctest.testmod(command_line).failed == 0


def test_the_challenge_is_that_of_the_standard() -> None:
    """RFC 7636, appendix B."""
    verifier = "dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXk"
    assert challenge_of(verifier) == "E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM"


@pytest.mark.parametrize("host", ["127.0.0.1", "[::1]"])
@given(code=st.text())
def test_the_answer_leads_to_the_loopback_alone(host: LoopbackHost, code: str) -> None:
    address = urlsplit(answer_address(host, 4711, STATE, code=code))
    assert (address.scheme, address.netloc, address.path) == ("http", f"{host}:4711", "/")
    assert dict(parse_qsl(address.query, keep_blank_values=True)) == {"code": code, "state": STATE}
