"""Signing in at a provider that others wrote, as a process of its own."""

from collections.abc import AsyncIterator
from pathlib import Path

import pytest
import pytest_asyncio

from github_test_server import GitHubTestServer
from support.problems import assert_problem
from support.real_provider import real_provider, sign_in
from support.service import Json, Service, running_service

KIM = {"sub": "kim", "name": "Kim Min", "email": "kim@example.com", "groups": ["bench"]}


@pytest_asyncio.fixture(scope="module", loop_scope="session")
async def provider_url(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[str]:
    async with real_provider(tmp_path_factory.mktemp("provider"), KIM) as url:
        yield url


@pytest.fixture
async def guarded(
    database_url: str, github: GitHubTestServer, tmp_path: Path, provider_url: str
) -> AsyncIterator[Service]:
    """A service whose people sign in at the provider."""
    async with running_service(
        database_url,
        github,
        tmp_path,
        auth="required",
        oidc_issuer=provider_url,
        oidc_client_id="bench",
        oidc_client_secret="a secret",
    ) as service:
        yield service


async def test_a_person_signs_in_and_again_and_is_the_same(guarded: Service) -> None:
    first, second = await signed_in(guarded), await signed_in(guarded)
    assert first == second
    assert (first["name"], first["groups"]) == ("Kim Min", ["bench"])


async def signed_in(guarded: Service) -> Json:
    """Sign in with a new browser, come back to the page asked for, and return who one is."""
    guarded.http.cookies.clear()
    left = await guarded.http.get("/auth/oidc", params={"next": "/ui/search"})
    back = await guarded.http.get(await sign_in(left.headers["location"], "kim"))
    assert (back.status_code, back.headers["location"]) == (303, "/ui/search")
    return await guarded.get("/me")


async def test_a_person_who_refuses_is_not_signed_in(guarded: Service) -> None:
    left = await guarded.http.get("/auth/oidc")
    back = await sign_in(left.headers["location"], "kim", denies=True)
    assert_problem(await guarded.http.get(back), 401, "signed_token_refused")
    assert "bm_session" not in guarded.http.cookies


async def test_a_code_is_useless_at_another_browser(guarded: Service) -> None:
    left = await guarded.http.get("/auth/oidc")
    back = await sign_in(left.headers["location"], "kim")
    guarded.http.cookies.clear()
    await guarded.http.get("/auth/oidc")
    assert_problem(await guarded.http.get(back), 401, "signed_token_refused")
