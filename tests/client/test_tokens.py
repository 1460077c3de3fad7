"""The client's token: where it is from, and where it is sent."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Final

import httpx2 as httpx
import pytest

from benchmark_manager.client import Client, InvalidCallError, TokenFile, UnreachableError, connect
from benchmark_manager.client.kept_tokens import (
    KeptToken,
    forget_token,
    keep_token,
    kept_token,
)
from benchmark_manager.client.tokens import find_token

ADDRESS: Final = "https://bench.example.com/team"
OTHER: Final = "https://other.example.com"


@pytest.fixture(autouse=True)
def _settings(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("XDG_CONFIG_HOME", str(tmp_path / "config"))
    for name in ("URL", "TOKEN", "TOKEN_FILE", "ACTOR"):
        monkeypatch.delenv(f"BENCHMARK_MANAGER_{name}", raising=False)


def answering(
    answer: Callable[[httpx.Request], httpx.Response], seen: list[httpx.Request]
) -> httpx.MockTransport:
    def handle(request: httpx.Request) -> httpx.Response:
        seen.append(request)
        return answer(request)

    return httpx.MockTransport(handle)


def found(url: str) -> object:
    token = find_token(httpx.URL(url))
    return None if token is None else token.token


def test_a_token_is_sent_as_bearer_and_wins_over_the_address_s_user() -> None:
    seen: list[httpx.Request] = []
    transport = answering(lambda _: httpx.Response(200, json=[]), seen)
    with Client("http://kim:x@service.test", token="bmt_secret", transport=transport) as client:
        client.get("/projects")
    assert seen[0].headers["authorization"] == "Bearer bmt_secret"


def test_a_token_file_is_read_for_each_request(tmp_path: Path) -> None:
    file = tmp_path / "token"
    seen: list[httpx.Request] = []
    transport = answering(lambda _: httpx.Response(200, json=[]), seen)
    with Client(ADDRESS, token=TokenFile(file), transport=transport) as client:
        file.write_text("one.signed.token\n")
        client.get("/projects")
        file.write_text("another.signed.token\n")
        client.get("/projects")
    assert [request.headers["authorization"] for request in seen] == [
        "Bearer one.signed.token",
        "Bearer another.signed.token",
    ]


@pytest.mark.parametrize(
    "location", [OTHER, "https://bench.example.com/elsewhere", "//other.example.com/"]
)
def test_a_redirect_is_refused_and_not_followed(location: str) -> None:
    seen: list[httpx.Request] = []
    transport = answering(lambda _: httpx.Response(302, headers={"location": location}), seen)
    with (
        Client(ADDRESS, token="bmt_secret", transport=transport) as client,
        pytest.raises(UnreachableError) as raised,
    ):
        client.get("/projects")
    assert len(seen) == 1
    assert "bmt_secret" not in str(raised.value)


@pytest.mark.parametrize(
    "path", [f"{OTHER}/projects", "http://bench.example.com/team/x", "https://bench.example.com:1/"]
)
def test_a_request_to_another_server_has_no_token(path: str) -> None:
    seen: list[httpx.Request] = []
    transport = answering(lambda _: httpx.Response(200, json=[]), seen)
    with Client(ADDRESS, token="bmt_secret", transport=transport) as client:
        client.get(path)
    assert "authorization" not in seen[0].headers


@pytest.mark.parametrize("text", ["", "two words", "a\r\nX: y", "ü", "x" * 70_000])
def test_what_is_no_token_is_refused_and_not_repeated(text: str) -> None:
    with pytest.raises(InvalidCallError) as raised:
        Client(ADDRESS, token=text)
    assert raised.value.detail == "`token` holds no token."


def test_a_token_file_that_is_not_there_is_one_line(tmp_path: Path) -> None:
    transport = answering(lambda _: httpx.Response(200, json=[]), [])
    missing = TokenFile(tmp_path / "nothing")
    with (
        Client(ADDRESS, token=missing, transport=transport) as client,
        pytest.raises(InvalidCallError, match="There is no such file"),
    ):
        client.get("/projects")


def test_the_environment_s_token_goes_before_the_last_sign_in_s(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    keep_token(KeptToken(ADDRESS, "bmt_kept"))
    assert found(f"{ADDRESS}/") == "bmt_kept"
    monkeypatch.setenv("BENCHMARK_MANAGER_TOKEN_FILE", "/run/token")
    assert found(ADDRESS) == TokenFile(Path("/run/token"))
    monkeypatch.setenv("BENCHMARK_MANAGER_TOKEN", "bmt_given")
    assert found(ADDRESS) == "bmt_given"


def test_the_environment_s_token_is_for_the_environment_s_address(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("BENCHMARK_MANAGER_TOKEN", "bmt_given")
    monkeypatch.setenv("BENCHMARK_MANAGER_URL", f"{ADDRESS}/")
    assert (found(ADDRESS), found(OTHER)) == ("bmt_given", None)


@pytest.mark.parametrize(
    "other",
    [
        OTHER,
        "https://bench.example.com",
        "http://bench.example.com/team",
        "https://bench.example.com:8443/team",
    ],
)
def test_a_kept_token_is_for_its_address(other: str) -> None:
    keep_token(KeptToken(ADDRESS, "bmt_kept"))
    assert found(other) is None


def test_a_kept_token_is_in_a_file_of_its_user_alone() -> None:
    path = keep_token(KeptToken(ADDRESS, "bmt_one"))
    assert keep_token(KeptToken(ADDRESS, "bmt_two", "0" * 24)) == path
    assert path.stat().st_mode & 0o777 == 0o600
    assert path.parent.stat().st_mode & 0o777 == 0o700
    assert kept_token(ADDRESS) == KeptToken(ADDRESS, "bmt_two", "0" * 24)
    assert [file.name for file in path.parent.iterdir()] == [path.name]
    assert forget_token(ADDRESS)
    assert not forget_token(ADDRESS)


def test_a_kept_token_that_others_may_read_is_refused() -> None:
    keep_token(KeptToken(ADDRESS, "bmt_kept")).chmod(0o640)
    with pytest.raises(InvalidCallError, match="Others may read") as raised:
        connect(ADDRESS)
    assert "bmt_kept" not in str(raised.value)


@pytest.mark.parametrize(
    "content",
    [
        "",
        "{}",
        "[" * 100_000,
        json.dumps({"address": OTHER, "token": "bmt_kept", "made_id": None}),
        json.dumps({"address": ADDRESS, "token": 1, "made_id": None}),
    ],
)
def test_a_file_without_the_address_s_token_is_refused(content: str) -> None:
    keep_token(KeptToken(ADDRESS, "bmt_kept")).write_text(content)
    with pytest.raises(InvalidCallError, match="sign in again"):
        connect(ADDRESS)


def test_the_token_is_in_no_repr() -> None:
    keep_token(KeptToken(ADDRESS, "bmt_kept"))
    assert "bmt_kept" not in repr((kept_token(ADDRESS), find_token(httpx.URL(ADDRESS))))
