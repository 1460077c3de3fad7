"""Which page a browser sees that signs in at a provider, and where it arrives."""

from urllib.parse import parse_qs, urlsplit

import pytest

from support.bad_issuer import DISCOVERY, BadIssuer, IssuerReply
from support.provider_sign_ins import (
    ATTEMPT,
    HTML,
    came_back,
    left,
    set_cookies,
    signed_in,
    way_back,
)
from support.service import Json, Service


@pytest.mark.parametrize(
    ("wanted", "reached"),
    [
        ("/ui/projects?q=a%20b", "/ui/projects?q=a%20b"),
        ("https://evil.example/", "/ui"),
        ("//evil.example/", "/ui"),
        ("/\\evil.example", "/ui"),
        ("/ui/../../evil", "/ui"),
        ("/%2fevil.example", "/ui"),
        ("javascript:alert(1)", "/ui"),
        ("/ui\r\nSet-Cookie: a=b", "/ui"),
        ("/auth/oidc", "/ui"),
        ("", "/ui"),
        ("/" + "a" * 5_000, "/ui"),
    ],
    ids=lambda value: value[:30],
)
async def test_the_browser_returns_to_own_pages_only(
    with_providers: Service, wanted: str, reached: str
) -> None:
    answer = await came_back(with_providers, next=wanted)
    assert answer.headers["location"] == reached


@pytest.mark.parametrize(
    ("claims", "back", "reason"),
    [
        ({"nonce": "other"}, {}, "provider"),
        ({"aud": "other"}, {}, "provider"),
        ({}, {"error": "access_denied"}, "denied"),
        ({}, {"state": "other"}, "expired"),
    ],
    ids=["nonce", "audience", "refused by the person", "state"],
)
async def test_a_browser_is_led_to_the_page_of_sign_in(
    with_providers: Service, issuer: BadIssuer, claims: Json, back: Json, reason: str
) -> None:
    issuer.claims, issuer.back = claims, back
    way = await way_back(await left(with_providers, next="/ui/search?q=a"))
    answer = await with_providers.http.get(way, headers=HTML)
    page = urlsplit(answer.headers["location"])
    assert (answer.status_code, page.path) == (303, "/ui/sign-in")
    assert parse_qs(page.query) == {"refused": [reason], "next": ["/ui/search?q=a"]}
    assert "Max-Age=0" in set_cookies(answer)[ATTEMPT]
    assert "bm_session" not in with_providers.http.cookies


async def test_a_browser_whose_account_is_disabled_reads_so(with_providers: Service) -> None:
    await signed_in(with_providers)
    accounts = with_providers.services.database.collection("accounts")
    await accounts.update_one({"kind": "oidc"}, {"$set": {"disabled": True}})
    with_providers.http.cookies.clear()
    answer = await with_providers.http.get(await way_back(await left(with_providers)), headers=HTML)
    assert answer.headers["location"] == "/ui/sign-in?refused=disabled&next=%2Fui"


async def test_a_browser_without_an_attempt_begins_again(with_providers: Service) -> None:
    answer = await with_providers.http.get("/auth/oidc/callback?code=a&state=b", headers=HTML)
    assert answer.headers["location"] == "/ui/sign-in?refused=expired"
    assert answer.headers["cache-control"] == "no-store"


async def test_a_browser_that_cannot_leave_stays_at_the_page_of_sign_in(
    with_providers: Service, issuer: BadIssuer
) -> None:
    issuer.replies[DISCOVERY] = IssuerReply.of({}, 503)
    answer = await with_providers.http.get("/auth/oidc?next=/ui/search", headers=HTML)
    assert answer.headers["location"] == "/ui/sign-in?refused=unavailable&next=%2Fui%2Fsearch"


@pytest.mark.parametrize(
    ("language", "words"),
    [
        ("en", ["Signing in failed", "Sign in again"]),
        ("ko", ["로그인하지 못했습니다", "다시 로그인"]),
    ],
)
async def test_a_browser_reads_what_failed_in_its_language(
    service: Service, language: str, words: list[str]
) -> None:
    headers = {"Accept": "text/html", "Accept-Language": language}
    answer = await service.http.get("/auth/oidc/callback?code=a&state=b", headers=headers)
    assert (answer.status_code, answer.headers["content-type"]) == (404, "text/html; charset=utf-8")
    assert [word for word in words if word not in answer.text] == []
    assert 'href="/ui/sign-in"' in answer.text


async def test_a_page_that_says_what_failed_is_protected_and_has_no_code(
    service: Service,
) -> None:
    answer = await service.http.get("/auth/oidc/callback?code=a&state=b", headers=HTML)
    assert "frame-ancestors 'none'" in answer.headers["content-security-policy"]
    assert "code=a" not in answer.text
