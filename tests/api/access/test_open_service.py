"""Where everybody is served, nobody has an account, and routes of accounts say so."""

from collections.abc import AsyncIterator

import pytest

from support.guarded import PASSWORD
from support.problems import assert_problem
from support.service import Service
from support.unchanged_service import unchanged_service

UNKNOWN = "0" * 24


@pytest.fixture
async def service(module_service: Service) -> AsyncIterator[Service]:
    """The service of all tests here, for each as it was at first."""
    async with unchanged_service(module_service) as running:
        yield running


@pytest.mark.parametrize("path", ["/sessions", "/tokens", "/accounts", "/groups"])
async def test_lists_are_empty(service: Service, path: str) -> None:
    answer = await service.http.get(path)
    assert (answer.status_code, answer.json()) == (200, [])


@pytest.mark.parametrize("key", [UNKNOWN, "current", "x"])
async def test_there_is_no_session_to_end(service: Service, key: str) -> None:
    answer = await service.http.delete(f"/sessions/{key}")
    assert_problem(answer, 404, "session_not_found")


async def test_ending_all_sessions_ends_none(service: Service) -> None:
    assert (await service.http.delete("/sessions")).status_code == 204


@pytest.mark.parametrize("path", ["/tokens", "/me/password"])
async def test_nobody_has_tokens_or_a_password(service: Service, path: str) -> None:
    method = "PUT" if path.startswith("/me") else "POST"
    body = {"name": "x"}
    if method == "PUT":
        body = {"current_password": PASSWORD, "new_password": "seven quiet otters swim"}
    answer = await service.http.request(method, path, json=body)
    assert_problem(answer, 403, "forbidden")


async def test_anybody_is_anonymous(service: Service) -> None:
    me = await service.get("/me")
    assert (me["kind"], me["name"], me["role"], me["via"]) == (
        "anonymous",
        "anonymous",
        "admin",
        "open",
    )
