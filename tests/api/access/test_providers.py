"""Browsers that sign in at a provider: they leave, come back, and have a session."""

import asyncio
import re
from collections.abc import AsyncIterator, Callable
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, urlsplit

import httpx2 as httpx
import pytest

from benchmark_manager.factory import Externals
from github_test_server import GitHubTestServer, Person
from support.bad_issuer import (
    CLIENT,
    CLIENT_SECRET,
    DISCOVERY,
    TOKEN,
    BadIssuer,
    Clock,
    Reply,
    bad_issuer,
)
from support.problems import assert_problem
from support.service import Json, Service, running_service
from support.waiting import GENEROUS

ORIGIN = "http://service"
CALLBACK = f"{ORIGIN}/auth/github/callback"
GITHUB_SECRET = "of-the-app"
ATTEMPT = "bm_sign_in"
HTML = {"Accept": "text/html", "Accept-Language": "en"}

Start = Callable[..., AbstractAsyncContextManager[Service]]


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
async def issuer() -> AsyncIterator[BadIssuer]:
    async with bad_issuer() as issuer:
        yield issuer


@pytest.fixture
def kim(github: GitHubTestServer) -> Person:
    """Who is signed in at GitHub in the browser."""
    kim = Person(id=77, login="kim", organisations=["acme"], teams=["acme/bench-team"])
    github.hosting.sign_ins.add_app("bench", GITHUB_SECRET, CALLBACK)
    github.hosting.sign_ins.browser = kim
    return kim


@pytest.fixture
def start(
    database_url: str, github: GitHubTestServer, tmp_path: Path, issuer: BadIssuer, clock: Clock
) -> Start:
    """Start a service of the test's database, with both providers."""

    @asynccontextmanager
    async def run(**settings: Any) -> AsyncIterator[Service]:
        values = {
            "auth": "required",
            "oidc_issuer": issuer.url,
            "oidc_client_id": CLIENT,
            "oidc_client_secret": CLIENT_SECRET,
            "github_oauth_client_id": "bench",
            "github_oauth_client_secret": GITHUB_SECRET,
            **settings,
        }
        async with running_service(
            database_url, github, tmp_path, externals=Externals(clock=clock), **values
        ) as service:
            yield service

    return run


@pytest.fixture
async def guarded(start: Start) -> AsyncIterator[Service]:
    """A service that people sign in to; its client is a browser."""
    async with start() as service:
        yield service


async def left(service: Service, kind: str = "oidc", **params: str) -> str:
    """Where the browser is sent."""
    answer = await service.http.get(f"/auth/{kind}", params=params)
    assert answer.status_code == 303, answer.text
    return answer.headers["location"]


async def way_back(address: str) -> str:
    """Sign in there; the address, here, to which the provider sends the browser back."""
    async with httpx.AsyncClient(timeout=GENEROUS) as network:
        answer = await network.get(address)
    assert answer.is_redirect, answer.text
    return answer.headers["location"]


async def came_back(service: Service, kind: str = "oidc", **params: str) -> httpx.Response:
    """The answer to a browser that left, signed in and came back."""
    return await service.http.get(await way_back(await left(service, kind, **params)))


async def signed_in(service: Service, kind: str = "oidc") -> Json:
    """Who one is after signing in."""
    service.http.cookies.clear()
    answer = await came_back(service, kind)
    assert answer.status_code == 303, answer.text
    return await service.get("/me")


async def audited(service: Service) -> list[tuple[str, str, str]]:
    rows = service.services.database.collection("audit").find({"action": "sign_in"})
    return [(row["outcome"], row["actor"]["kind"], row["actor"]["name"]) async for row in rows]


def set_cookies(answer: httpx.Response) -> dict[str, str]:
    """The attributes of each cookie that an answer sets, by its name."""
    lines = answer.headers.get_list("set-cookie")
    return {line.partition("=")[0]: line.partition("; ")[2] for line in lines}


async def test_a_person_signs_in_at_a_provider(guarded: Service) -> None:
    answer = await came_back(guarded)
    assert (answer.status_code, answer.headers["location"]) == (303, "/ui")
    me = await guarded.get("/me")
    assert (me["kind"], me["name"], me["role"], me["groups"], me["via"]) == (
        "person",
        "Kim Min",
        "reader",
        ["bench"],
        "session",
    )


async def test_a_person_signs_in_with_github(guarded: Service, kim: Person) -> None:
    me = await signed_in(guarded, "github")
    # Beside another provider, whose groups may have the same names.
    assert (me["name"], me["groups"]) == (kim.login, ["github:acme", "github:acme/bench-team"])


async def test_with_github_alone_groups_are_its_names(start: Start, kim: Person) -> None:
    async with start(oidc_issuer=None, oidc_client_id=None, oidc_client_secret=None) as service:
        me = await signed_in(service, "github")
    assert (me["name"], me["groups"]) == (kim.login, ["acme", "acme/bench-team"])


async def test_a_renamed_person_of_github_is_the_same(guarded: Service, kim: Person) -> None:
    first = await signed_in(guarded, "github")
    kim.login = "kim-other"
    assert (await signed_in(guarded, "github"))["id"] == first["id"]


async def test_who_takes_over_a_name_at_github_is_another(guarded: Service, kim: Person) -> None:
    first = await signed_in(guarded, "github")
    kim.id = 78
    assert (await signed_in(guarded, "github"))["id"] != first["id"]


async def test_the_session_is_hidden_from_scripts_and_other_sites(guarded: Service) -> None:
    cookies = set_cookies(await came_back(guarded))
    assert "HttpOnly" in cookies["bm_session"]
    assert "SameSite=lax" in cookies["bm_session"]


async def test_an_attempt_is_hidden_lasts_ten_minutes_and_ends(guarded: Service) -> None:
    answer = await guarded.http.get("/auth/oidc")
    assert set_cookies(answer)[ATTEMPT] == "HttpOnly; Max-Age=600; Path=/; SameSite=lax"
    back = await way_back(answer.headers["location"])
    assert "Max-Age=0" in set_cookies(await guarded.http.get(back))[ATTEMPT]


async def test_an_attempt_can_be_read_by_nobody(guarded: Service) -> None:
    state = parse_qs(urlsplit(await left(guarded)).query)["state"][0]
    cookie = guarded.http.cookies[ATTEMPT]
    assert state not in cookie
    assert re.fullmatch(r"[A-Za-z0-9_=-]{300,}", cookie)


@pytest.mark.parametrize("path", ["/auth/oidc", "/auth/oidc/callback"])
async def test_no_cache_keeps_an_answer(guarded: Service, path: str) -> None:
    assert (await guarded.http.get(path)).headers["cache-control"] == "no-store"


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
    guarded: Service, wanted: str, reached: str
) -> None:
    answer = await came_back(guarded, next=wanted)
    assert answer.headers["location"] == reached


async def test_each_sign_in_renews_the_groups(guarded: Service, issuer: BadIssuer) -> None:
    first = await signed_in(guarded)
    issuer.userinfo["groups"] = ["other"]
    second = await signed_in(guarded)
    assert (second["id"], second["groups"]) == (first["id"], ["other"])


async def test_the_same_address_of_mail_is_nobody_else(guarded: Service, issuer: BadIssuer) -> None:
    issuer.claims = {"email": "kim@example.com", "email_verified": True}
    first = await signed_in(guarded)
    issuer.claims = {**issuer.claims, "sub": "other"}
    issuer.userinfo["sub"] = "other"
    assert (await signed_in(guarded))["id"] != first["id"]


async def test_a_new_account_may_have_no_role(start: Start) -> None:
    async with start(default_role="none") as service:
        me = await signed_in(service)
        assert me["role"] == "none"
        assert await service.rows("/projects") == []


async def test_each_sign_in_has_a_session_of_its_own(guarded: Service) -> None:
    await came_back(guarded)
    before = guarded.http.cookies["bm_session"]
    await came_back(guarded)
    assert guarded.http.cookies["bm_session"] != before


async def test_first_sign_ins_at_the_same_moment_make_one_account(guarded: Service) -> None:
    async def once() -> str:
        transport = httpx.ASGITransport(app=guarded.app)
        async with httpx.AsyncClient(transport=transport, base_url=ORIGIN) as browser:
            answer = await browser.get("/auth/oidc")
            answer = await browser.get(await way_back(answer.headers["location"]))
            assert answer.status_code == 303, answer.text
            found: str = (await browser.get("/me")).json()["id"]
            return found

    assert len(set(await asyncio.gather(*(once() for _ in range(5))))) == 1


async def test_a_disabled_account_is_refused(guarded: Service) -> None:
    me = await signed_in(guarded)
    accounts = guarded.services.database.collection("accounts")
    await accounts.update_one({"name": me["name"]}, {"$set": {"disabled": True}})
    guarded.http.cookies.clear()
    assert_problem(await came_back(guarded), 401, "sign_in_failed")
    assert "bm_session" not in guarded.http.cookies


async def test_another_replica_finishes_a_sign_in(guarded: Service, start: Start) -> None:
    back = await way_back(await left(guarded))
    async with start(secret_key=guarded.secret_key) as other:
        other.http.cookies.update(guarded.http.cookies)
        assert (await other.http.get(back)).status_code == 303


async def test_another_browser_cannot_finish_a_sign_in(guarded: Service) -> None:
    back = await way_back(await left(guarded))
    guarded.http.cookies.clear()
    assert_problem(await guarded.http.get(back), 401, "signed_token_refused")


async def test_a_victim_is_not_signed_in_as_the_attacker(guarded: Service) -> None:
    attackers = await way_back(await left(guarded))
    guarded.http.cookies.clear()
    await left(guarded)
    assert_problem(await guarded.http.get(attackers), 401, "signed_token_refused")
    assert "bm_session" not in guarded.http.cookies


async def test_a_way_back_is_good_once(guarded: Service) -> None:
    back = await way_back(await left(guarded))
    await guarded.http.get(back)
    assert_problem(await guarded.http.get(back), 401, "signed_token_refused")


async def test_a_way_back_is_good_for_ten_minutes(guarded: Service, clock: Clock) -> None:
    back = await way_back(await left(guarded))
    clock.pass_by(601)
    assert_problem(await guarded.http.get(back), 401, "signed_token_refused")


@pytest.mark.parametrize("cookie", ["", "a", "gAAAAA==", "é", "a" * 5_000], ids=len)
async def test_a_made_up_attempt_is_refused(guarded: Service, cookie: str) -> None:
    back = await way_back(await left(guarded))
    guarded.http.cookies.clear()
    header = {b"Cookie": f"{ATTEMPT}={cookie}".encode("latin-1")}
    answer = await guarded.http.get(back, headers=header)
    assert_problem(answer, 401, "signed_token_refused")


async def test_an_attempt_at_one_provider_is_none_at_another(guarded: Service, kim: Person) -> None:
    assert kim.login
    back = await way_back(await left(guarded, "github"))
    answer = await guarded.http.get(back.replace("/auth/github", "/auth/oidc"))
    assert_problem(answer, 401, "signed_token_refused")


async def test_a_lie_of_the_provider_signs_nobody_in(guarded: Service, issuer: BadIssuer) -> None:
    issuer.claims = {"nonce": "other"}
    assert_problem(await came_back(guarded), 401, "signed_token_refused")
    assert "bm_session" not in guarded.http.cookies


async def test_sign_ins_and_refused_ones_are_on_record(guarded: Service, issuer: BadIssuer) -> None:
    await came_back(guarded)
    issuer.claims = {"nonce": "other"}
    await came_back(guarded)
    assert await audited(guarded) == [
        ("done", "person", "Kim Min"),
        ("refused", "anonymous", "anonymous"),
    ]


async def test_nobody_fills_the_record_with_sign_ins_that_never_began(guarded: Service) -> None:
    await guarded.http.get("/auth/oidc/callback?code=a&state=b")
    assert await audited(guarded) == []


async def test_a_provider_that_is_away_is_named(guarded: Service, issuer: BadIssuer) -> None:
    issuer.replies[DISCOVERY] = Reply.of({}, 503)
    assert_problem(await guarded.http.get("/auth/oidc"), 502, "issuer_failed")


async def test_a_provider_that_goes_away_ends_the_attempt(
    guarded: Service, issuer: BadIssuer
) -> None:
    back = await way_back(await left(guarded))
    issuer.replies[TOKEN] = Reply.of({}, 503)
    answer = await guarded.http.get(back)
    assert_problem(answer, 502, "issuer_failed")
    assert "Max-Age=0" in set_cookies(answer)[ATTEMPT]


@pytest.mark.parametrize(
    "path", ["/auth/oidc", "/auth/github", "/auth/oidc/callback", "/auth/github/callback"]
)
async def test_a_provider_that_is_not_configured_is_not_there(service: Service, path: str) -> None:
    assert_problem(await service.http.get(path), 404, "route_not_found")


async def test_nobody_asks_a_provider_all_the_time(guarded: Service) -> None:
    answers = await asyncio.gather(*(guarded.http.get("/auth/oidc") for _ in range(62)))
    assert {answer.status_code for answer in answers} == {303, 429}


async def test_behind_a_proxy_all_addresses_are_public_ones(start: Start) -> None:
    async with start(public_url="https://bench.example.com", root_path="/bench") as service:
        answer = await service.http.get("/auth/oidc", params={"next": "/bench/ui/search?q=a"})
        address = answer.headers["location"]
        redirect_uri = parse_qs(urlsplit(address).query)["redirect_uri"]
        cookies = set_cookies(answer)
        name, _, value = answer.headers["set-cookie"].partition(";")[0].partition("=")
        back = urlsplit(await way_back(address))
        arrived = await service.http.get(
            f"{back.path}?{back.query}", headers={"Cookie": f"{name}={value}"}
        )
    assert redirect_uri == ["https://bench.example.com/bench/auth/oidc/callback"]
    assert cookies["__Secure-bm_sign_in"] == (
        "HttpOnly; Max-Age=600; Path=/bench; SameSite=lax; Secure"
    )
    assert arrived.headers["location"] == "/bench/ui/search?q=a"


async def test_with_https_no_other_host_sets_the_attempt(start: Start) -> None:
    async with start(public_url="https://bench.example.com") as service:
        cookies = set_cookies(await service.http.get("/auth/oidc"))
    assert cookies["__Host-bm_sign_in"] == "HttpOnly; Max-Age=600; Path=/; SameSite=lax; Secure"


async def test_a_host_that_is_not_ours_begins_nothing(guarded: Service) -> None:
    answer = await guarded.http.get("/auth/oidc", headers={"Host": "evil.example"})
    assert_problem(answer, 421, "host_not_allowed")


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
    guarded: Service, issuer: BadIssuer, claims: Json, back: Json, reason: str
) -> None:
    issuer.claims, issuer.back = claims, back
    way = await way_back(await left(guarded, next="/ui/search?q=a"))
    answer = await guarded.http.get(way, headers=HTML)
    page = urlsplit(answer.headers["location"])
    assert (answer.status_code, page.path) == (303, "/ui/sign-in")
    assert parse_qs(page.query) == {"refused": [reason], "next": ["/ui/search?q=a"]}
    assert "Max-Age=0" in set_cookies(answer)[ATTEMPT]
    assert "bm_session" not in guarded.http.cookies


async def test_a_browser_whose_account_is_disabled_reads_so(guarded: Service) -> None:
    await signed_in(guarded)
    accounts = guarded.services.database.collection("accounts")
    await accounts.update_one({"kind": "oidc"}, {"$set": {"disabled": True}})
    guarded.http.cookies.clear()
    answer = await guarded.http.get(await way_back(await left(guarded)), headers=HTML)
    assert answer.headers["location"] == "/ui/sign-in?refused=disabled&next=%2Fui"


async def test_a_browser_without_an_attempt_begins_again(guarded: Service) -> None:
    answer = await guarded.http.get("/auth/oidc/callback?code=a&state=b", headers=HTML)
    assert answer.headers["location"] == "/ui/sign-in?refused=expired"
    assert answer.headers["cache-control"] == "no-store"


async def test_a_browser_that_cannot_leave_stays_at_the_page_of_sign_in(
    guarded: Service, issuer: BadIssuer
) -> None:
    issuer.replies[DISCOVERY] = Reply.of({}, 503)
    answer = await guarded.http.get("/auth/oidc?next=/ui/search", headers=HTML)
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


async def test_no_route_for_browsers_is_in_the_description(guarded: Service) -> None:
    paths = (await guarded.get("/openapi.json"))["paths"]
    assert [path for path in paths if path.startswith("/auth")] == []


async def test_no_log_has_a_secret_of_a_sign_in(
    guarded: Service, issuer: BadIssuer, caplog: pytest.LogCaptureFixture
) -> None:
    address = await left(guarded)
    back = await way_back(address)
    issuer.claims = {"nonce": "other"}
    await guarded.http.get(back)
    query = parse_qs(urlsplit(address).query) | parse_qs(urlsplit(back).query)
    secrets = [*query["state"], *query["nonce"], *query["code"], CLIENT_SECRET]
    assert "a sign-in at a provider failed" in caplog.text
    assert [secret for secret in secrets if secret in caplog.text] == []


@pytest.mark.parametrize("kind", ["oidc", "github"])
async def test_the_database_has_no_secret_of_a_sign_in(
    guarded: Service, kim: Person, kind: str
) -> None:
    assert kim.login
    address = await left(guarded, kind)
    attempt = guarded.http.cookies[ATTEMPT]
    back = await way_back(address)
    await guarded.http.get(back)
    query = parse_qs(urlsplit(address).query) | parse_qs(urlsplit(back).query)
    secrets = [
        *(guarded.http.cookies["bm_session"], attempt, CLIENT_SECRET, GITHUB_SECRET),
        *(*query["state"], *query["code"], "gho_", "opaque"),
    ]
    stored = str(
        [
            document
            for name in ("accounts", "sessions", "audit", "sign_in_attempts")
            async for document in guarded.services.database.collection(name).find({})
        ]
    )
    assert "sign_in" in stored
    assert [secret for secret in secrets if secret in stored] == []
