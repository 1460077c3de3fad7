"""Signing in at a provider: who gets a session, and what is kept of it."""

import asyncio
import re
from urllib.parse import parse_qs, urlsplit

import httpx2 as httpx
import pytest

from github_test_server import Person
from support.bad_issuer import CLIENT_SECRET, DISCOVERY, TOKEN, BadIssuer, IssuerClock, IssuerReply
from support.problems import assert_problem
from support.provider_sign_ins import (
    ATTEMPT,
    GITHUB_SECRET,
    ORIGIN,
    StartService,
    came_back,
    left,
    set_cookies,
    signed_in,
    way_back,
)
from support.service import Service


async def audited(service: Service) -> list[tuple[str, str, str]]:
    rows = service.services.database.collection("audit").find({"action": "sign_in"})
    return [(row["outcome"], row["actor"]["kind"], row["actor"]["name"]) async for row in rows]


async def test_a_person_signs_in_at_a_provider(with_providers: Service) -> None:
    answer = await came_back(with_providers)
    assert (answer.status_code, answer.headers["location"]) == (303, "/ui")
    me = await with_providers.get("/me")
    assert (me["kind"], me["name"], me["role"], me["groups"], me["via"]) == (
        "person",
        "Kim Min",
        "reader",
        ["bench"],
        "session",
    )


async def test_a_person_signs_in_with_github(with_providers: Service, kim: Person) -> None:
    me = await signed_in(with_providers, "github")
    # Beside another provider, whose groups may have the same names.
    assert (me["name"], me["groups"]) == (kim.login, ["github:acme", "github:acme/bench-team"])


async def test_with_github_alone_groups_are_its_names(
    start_with_providers: StartService, kim: Person
) -> None:
    async with start_with_providers(
        oidc_issuer=None, oidc_client_id=None, oidc_client_secret=None
    ) as service:
        me = await signed_in(service, "github")
    assert (me["name"], me["groups"]) == (kim.login, ["acme", "acme/bench-team"])


async def test_a_renamed_person_of_github_is_the_same(with_providers: Service, kim: Person) -> None:
    first = await signed_in(with_providers, "github")
    kim.login = "kim-other"
    assert (await signed_in(with_providers, "github"))["id"] == first["id"]


async def test_who_takes_over_a_name_at_github_is_another(
    with_providers: Service, kim: Person
) -> None:
    first = await signed_in(with_providers, "github")
    kim.id = 78
    assert (await signed_in(with_providers, "github"))["id"] != first["id"]


async def test_the_session_is_hidden_from_scripts_and_other_sites(with_providers: Service) -> None:
    cookies = set_cookies(await came_back(with_providers))
    assert "HttpOnly" in cookies["bm_session"]
    assert "SameSite=lax" in cookies["bm_session"]


async def test_an_attempt_is_hidden_lasts_ten_minutes_and_ends(with_providers: Service) -> None:
    answer = await with_providers.http.get("/auth/oidc")
    assert set_cookies(answer)[ATTEMPT] == "HttpOnly; Max-Age=600; Path=/; SameSite=lax"
    back = await way_back(answer.headers["location"])
    assert "Max-Age=0" in set_cookies(await with_providers.http.get(back))[ATTEMPT]


async def test_an_attempt_can_be_read_by_nobody(with_providers: Service) -> None:
    state = parse_qs(urlsplit(await left(with_providers)).query)["state"][0]
    cookie = with_providers.http.cookies[ATTEMPT]
    assert state not in cookie
    assert re.fullmatch(r"[A-Za-z0-9_=-]{300,}", cookie)


@pytest.mark.parametrize("path", ["/auth/oidc", "/auth/oidc/callback"])
async def test_no_cache_keeps_an_answer(with_providers: Service, path: str) -> None:
    assert (await with_providers.http.get(path)).headers["cache-control"] == "no-store"


async def test_each_sign_in_renews_the_groups(with_providers: Service, issuer: BadIssuer) -> None:
    first = await signed_in(with_providers)
    issuer.userinfo["groups"] = ["other"]
    second = await signed_in(with_providers)
    assert (second["id"], second["groups"]) == (first["id"], ["other"])


async def test_the_same_address_of_mail_is_nobody_else(
    with_providers: Service, issuer: BadIssuer
) -> None:
    issuer.claims = {"email": "kim@example.com", "email_verified": True}
    first = await signed_in(with_providers)
    issuer.claims = {**issuer.claims, "sub": "other"}
    issuer.userinfo["sub"] = "other"
    assert (await signed_in(with_providers))["id"] != first["id"]


async def test_a_new_account_may_have_no_role(start_with_providers: StartService) -> None:
    async with start_with_providers(default_role="none") as service:
        me = await signed_in(service)
        assert me["role"] == "none"
        assert await service.rows("/projects") == []


async def test_each_sign_in_has_a_session_of_its_own(with_providers: Service) -> None:
    await came_back(with_providers)
    before = with_providers.http.cookies["bm_session"]
    await came_back(with_providers)
    assert with_providers.http.cookies["bm_session"] != before


async def test_first_sign_ins_at_the_same_moment_make_one_account(with_providers: Service) -> None:
    async def once() -> str:
        transport = httpx.ASGITransport(app=with_providers.app)
        async with httpx.AsyncClient(transport=transport, base_url=ORIGIN) as browser:
            answer = await browser.get("/auth/oidc")
            answer = await browser.get(await way_back(answer.headers["location"]))
            assert answer.status_code == 303, answer.text
            found: str = (await browser.get("/me")).json()["id"]
            return found

    assert len(set(await asyncio.gather(*(once() for _ in range(5))))) == 1


async def test_a_disabled_account_is_refused(with_providers: Service) -> None:
    me = await signed_in(with_providers)
    accounts = with_providers.services.database.collection("accounts")
    await accounts.update_one({"name": me["name"]}, {"$set": {"disabled": True}})
    with_providers.http.cookies.clear()
    assert_problem(await came_back(with_providers), 401, "sign_in_failed")
    assert "bm_session" not in with_providers.http.cookies


async def test_another_replica_finishes_a_sign_in(
    with_providers: Service, start_with_providers: StartService
) -> None:
    back = await way_back(await left(with_providers))
    async with start_with_providers(secret_key=with_providers.secret_key) as other:
        other.http.cookies.update(with_providers.http.cookies)
        assert (await other.http.get(back)).status_code == 303


async def test_another_browser_cannot_finish_a_sign_in(with_providers: Service) -> None:
    back = await way_back(await left(with_providers))
    with_providers.http.cookies.clear()
    assert_problem(await with_providers.http.get(back), 401, "signed_token_refused")


async def test_a_victim_is_not_signed_in_as_the_attacker(with_providers: Service) -> None:
    attackers = await way_back(await left(with_providers))
    with_providers.http.cookies.clear()
    await left(with_providers)
    assert_problem(await with_providers.http.get(attackers), 401, "signed_token_refused")
    assert "bm_session" not in with_providers.http.cookies


async def test_a_way_back_is_good_once(with_providers: Service) -> None:
    back = await way_back(await left(with_providers))
    await with_providers.http.get(back)
    assert_problem(await with_providers.http.get(back), 401, "signed_token_refused")


async def test_a_way_back_is_good_for_ten_minutes(
    with_providers: Service, provider_clock: IssuerClock
) -> None:
    back = await way_back(await left(with_providers))
    provider_clock.pass_by(601)
    assert_problem(await with_providers.http.get(back), 401, "signed_token_refused")


@pytest.mark.parametrize("cookie", ["", "a", "gAAAAA==", "é", "a" * 5_000], ids=len)
async def test_a_made_up_attempt_is_refused(with_providers: Service, cookie: str) -> None:
    back = await way_back(await left(with_providers))
    with_providers.http.cookies.clear()
    header = {b"Cookie": f"{ATTEMPT}={cookie}".encode("latin-1")}
    answer = await with_providers.http.get(back, headers=header)
    assert_problem(answer, 401, "signed_token_refused")


async def test_an_attempt_at_one_provider_is_none_at_another(
    with_providers: Service, kim: Person
) -> None:
    assert kim.login
    back = await way_back(await left(with_providers, "github"))
    answer = await with_providers.http.get(back.replace("/auth/github", "/auth/oidc"))
    assert_problem(answer, 401, "signed_token_refused")


async def test_a_lie_of_the_provider_signs_nobody_in(
    with_providers: Service, issuer: BadIssuer
) -> None:
    issuer.claims = {"nonce": "other"}
    assert_problem(await came_back(with_providers), 401, "signed_token_refused")
    assert "bm_session" not in with_providers.http.cookies


async def test_sign_ins_and_refused_ones_are_on_record(
    with_providers: Service, issuer: BadIssuer
) -> None:
    await came_back(with_providers)
    issuer.claims = {"nonce": "other"}
    await came_back(with_providers)
    assert await audited(with_providers) == [
        ("done", "person", "Kim Min"),
        ("refused", "anonymous", "anonymous"),
    ]


async def test_nobody_fills_the_record_with_sign_ins_that_never_began(
    with_providers: Service,
) -> None:
    await with_providers.http.get("/auth/oidc/callback?code=a&state=b")
    assert await audited(with_providers) == []


async def test_a_provider_that_is_away_is_named(with_providers: Service, issuer: BadIssuer) -> None:
    issuer.replies[DISCOVERY] = IssuerReply.of({}, 503)
    assert_problem(await with_providers.http.get("/auth/oidc"), 502, "issuer_failed")


async def test_a_provider_that_goes_away_ends_the_attempt(
    with_providers: Service, issuer: BadIssuer
) -> None:
    back = await way_back(await left(with_providers))
    issuer.replies[TOKEN] = IssuerReply.of({}, 503)
    answer = await with_providers.http.get(back)
    assert_problem(answer, 502, "issuer_failed")
    assert "Max-Age=0" in set_cookies(answer)[ATTEMPT]


@pytest.mark.parametrize(
    "path", ["/auth/oidc", "/auth/github", "/auth/oidc/callback", "/auth/github/callback"]
)
async def test_a_provider_that_is_not_configured_is_not_there(service: Service, path: str) -> None:
    assert_problem(await service.http.get(path), 404, "route_not_found")


async def test_nobody_asks_a_provider_all_the_time(with_providers: Service) -> None:
    answers = await asyncio.gather(*(with_providers.http.get("/auth/oidc") for _ in range(62)))
    assert {answer.status_code for answer in answers} == {303, 429}


async def test_behind_a_proxy_all_addresses_are_public_ones(
    start_with_providers: StartService,
) -> None:
    async with start_with_providers(
        public_url="https://bench.example.com", root_path="/bench"
    ) as service:
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


async def test_with_https_no_other_host_sets_the_attempt(
    start_with_providers: StartService,
) -> None:
    async with start_with_providers(public_url="https://bench.example.com") as service:
        cookies = set_cookies(await service.http.get("/auth/oidc"))
    assert cookies["__Host-bm_sign_in"] == "HttpOnly; Max-Age=600; Path=/; SameSite=lax; Secure"


async def test_a_host_that_is_not_ours_begins_nothing(with_providers: Service) -> None:
    answer = await with_providers.http.get("/auth/oidc", headers={"Host": "evil.example"})
    assert_problem(answer, 421, "host_not_allowed")


async def test_no_route_for_browsers_is_in_the_description(with_providers: Service) -> None:
    paths = (await with_providers.get("/openapi.json"))["paths"]
    assert [path for path in paths if path.startswith("/auth")] == []


async def test_no_log_has_a_secret_of_a_sign_in(
    with_providers: Service, issuer: BadIssuer, caplog: pytest.LogCaptureFixture
) -> None:
    address = await left(with_providers)
    back = await way_back(address)
    issuer.claims = {"nonce": "other"}
    await with_providers.http.get(back)
    query = parse_qs(urlsplit(address).query) | parse_qs(urlsplit(back).query)
    secrets = [*query["state"], *query["nonce"], *query["code"], CLIENT_SECRET]
    assert "a sign-in at a provider failed" in caplog.text
    assert [secret for secret in secrets if secret in caplog.text] == []


@pytest.mark.parametrize("kind", ["oidc", "github"])
async def test_the_database_has_no_secret_of_a_sign_in(
    with_providers: Service, kim: Person, kind: str
) -> None:
    assert kim.login
    address = await left(with_providers, kind)
    attempt = with_providers.http.cookies[ATTEMPT]
    back = await way_back(address)
    await with_providers.http.get(back)
    query = parse_qs(urlsplit(address).query) | parse_qs(urlsplit(back).query)
    secrets = [
        *(with_providers.http.cookies["bm_session"], attempt, CLIENT_SECRET, GITHUB_SECRET),
        *(*query["state"], *query["code"], "gho_", "opaque"),
    ]
    stored = str(
        [
            document
            for name in ("accounts", "sessions", "audit", "sign_in_attempts")
            async for document in with_providers.services.database.collection(name).find({})
        ]
    )
    assert "sign_in" in stored
    assert [secret for secret in secrets if secret in stored] == []
