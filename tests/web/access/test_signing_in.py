"""Signing in and out on pages, and the first administrator."""

from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest

from github_test_server import GitHubTestServer
from support.browser import Browser, WebPage
from support.clocks import Clock
from support.guarded import ORIGIN, PASSWORD, GuardedService, client_of, guarded_service
from support.service import running_service
from support.site import check

HTML = {"Accept": "text/html"}


async def signed_in(browser: Browser, name: str = "ada", path: str = "/ui/sign-in") -> WebPage:
    page = await browser.open(path)
    return await browser.send(page.form("/ui/sign-in"), name=name, password=PASSWORD)


async def test_a_page_leads_to_the_sign_in_and_back(
    guarded: GuardedService, visitor: Browser
) -> None:
    answer = await visitor.http.get("/ui/status?a=%26b", headers=HTML)
    assert answer.status_code == 303
    target = urlsplit(answer.headers["location"])
    assert (target.path, parse_qs(target.query)) == ("/ui/sign-in", {"next": ["/ui/status?a=%26b"]})
    page = await visitor.open(answer.headers["location"])
    check(page)
    page = await visitor.send(page.form("/ui/sign-in"), name=" ada ", password=PASSWORD)
    assert page.url == "/ui/status?a=%26b"
    assert "ada" in page.text
    assert len(await guarded.admin.get("/sessions")) == 2


async def test_programs_are_not_led_to_the_sign_in(visitor: Browser) -> None:
    answer = await visitor.http.get("/ui/status", headers={"Accept": "*/*"})
    assert (answer.status_code, answer.json()["code"]) == (401, "unauthenticated")


async def test_a_wrong_token_is_an_error_and_no_endless_redirect(visitor: Browser) -> None:
    headers = {**HTML, "Authorization": "Bearer bmt_wrong"}
    answer = await visitor.http.get("/ui/sign-in", headers=headers)
    assert answer.status_code == 401
    assert "The token is unknown" in answer.text


async def test_the_sign_in_shows_nothing_of_the_service(visitor: Browser) -> None:
    page = await visitor.open("/ui/sign-in")
    check(page)
    assert {link["href"] for link in page.all("a")} == {"/ui", "/docs", "#main"}
    assert "may change everything" not in page.text
    assert "/auth/" not in page.html


@pytest.mark.parametrize(
    "wanted",
    [
        "https://evil.example/ui",
        "//evil.example",
        "/ui/sign-in?next=/ui",
    ],
)
async def test_nobody_is_led_to_another_site(visitor: Browser, wanted: str) -> None:
    form = (await visitor.open("/ui/sign-in")).form("/ui/sign-in")
    page = await visitor.send(form, name="ada", password=PASSWORD, next=wanted)
    assert page.url == "/ui"


async def test_who_is_signed_in_needs_no_sign_in(admin: Browser) -> None:
    answer = await admin.http.get("/ui/sign-in?next=/ui/status", headers=HTML)
    assert (answer.status_code, answer.headers["location"]) == (303, "/ui/status")


@pytest.mark.parametrize("name", ["ada", "\0", "x" * 3000, "<script>alert(1)"])
async def test_a_refusal_keeps_the_name_and_not_the_password(visitor: Browser, name: str) -> None:
    form = (await visitor.open("/ui/sign-in?next=/ui/help")).form("/ui/sign-in")
    page = await visitor.send(form, 401, name=name, password="not the password")
    check(page)
    assert "There is no account with this name and password." in page.text
    assert "not the password" not in page.html
    assert "<script>alert" not in page.html
    again = page.form("/ui/sign-in").fields
    assert (again["password"], again["next"]) == ("", "/ui/help")
    assert "bm_session" not in visitor.http.cookies


async def test_too_many_guesses_have_to_wait(visitor: Browser) -> None:
    form = (await visitor.open("/ui/sign-in")).form("/ui/sign-in")
    for _ in range(5):
        await visitor.send(form, 401, name="ada", password="wrong")
    page = await visitor.send(form, 429, name="ada", password=PASSWORD)
    check(page)
    assert "Too many sign-ins failed" in page.text
    assert int(page.answer.headers["retry-after"]) > 0


async def test_a_form_of_another_site_signs_nobody_in(visitor: Browser) -> None:
    form = (await visitor.open("/ui/sign-in")).form("/ui/sign-in")
    data = {**form.fields, "name": "ada", "password": PASSWORD}
    headers = {**HTML, "Origin": "https://evil.example"}
    answer = await visitor.http.post("/ui/sign-in", data=data, headers=headers)
    assert answer.status_code == 403
    data["csrf_token"] = "wrong"
    answer = await visitor.http.post("/ui/sign-in", data=data, headers=HTML)
    assert answer.status_code == 403
    assert "bm_session" not in visitor.http.cookies


async def test_signing_out_ends_the_session(guarded: GuardedService, visitor: Browser) -> None:
    page = await signed_in(visitor)
    stolen = str(visitor.http.cookies["bm_session"])
    page = await visitor.send(page.form("/ui/sign-out"))
    check(page)
    assert page.url == "/ui/sign-in"
    assert "You are signed out." in page.text
    assert "bm_session" not in visitor.http.cookies
    thief = guarded.visitor()
    await thief.ask("GET", "/me", 401, headers={"Cookie": f"bm_session={stolen}"})


@pytest.mark.parametrize(
    ("path", "field"), [("/files/{}/new-variant", "content"), ("/sweeps/new", "yaml")]
)
async def test_a_text_is_kept_when_the_session_has_ended(
    guarded: GuardedService, admin: Browser, clock: Clock, path: str, field: str
) -> None:
    guarded.service.repository("acme/bench", {"config/a.yaml": b"a: 1\n"})
    body = {"name": "bench", "github_repo_url": "acme/bench", "polling_interval": 0}
    home = f"/projects/{(await guarded.admin.post('/projects', body))['id']}"
    await guarded.admin.post(f"{home}/sync", status=200)
    [file] = await guarded.admin.get(f"{home}/files")
    url = f"/ui{home}{path.format(file['id'])}"
    form = (await admin.open(url)).form(url)
    clock.forward(days=8)
    text = "a: 2 # </textarea><script>alert(1)</script>\n"
    admin.http.headers["Referer"] = f"{ORIGIN}{url}?x=1"
    page = await admin.send(form, 401, **{field: text})
    check(page)
    assert "Your session has ended" in page.text
    assert "<script>alert" not in page.html
    assert text in page.text.replace("\r", "")
    assert page.form("/ui/sign-in").fields["next"] == f"{url}?x=1"
    page = await admin.send(page.form("/ui/sign-in"), name="ada", password=PASSWORD)
    assert page.url == f"{url}?x=1"


@pytest.mark.parametrize(
    "body",
    [{"content": b"{}"}, {"data": {"content": "a: 1\n"}}, {"files": {"content": (None, b"a")}}],
    ids=["no form", "a form", "multipart"],
)
async def test_whatever_a_stranger_sends_asks_them_to_sign_in(
    visitor: Browser, body: dict[str, Any]
) -> None:
    answer = await visitor.http.post("/ui/projects/new", headers=HTML, **body)
    assert answer.status_code == 401
    assert "Your session has ended" in answer.text


async def test_the_first_administrator_is_made_by_the_link_once(
    database_url: str, github: GitHubTestServer, tmp_path: Path
) -> None:
    async with running_service(database_url, github, tmp_path, auth="required") as service:
        token = await service.services.access.sign_in.setup_secret()
        async with client_of(service, {"Origin": ORIGIN}) as http:
            browser = Browser(http)
            page = await browser.open(f"/ui/set-up?token={token}")
            check(page)
            form = page.form("/ui/set-up")
            page = await browser.send(
                form, 422, name="ada", password=PASSWORD, password_again=f"{PASSWORD}!"
            )
            assert "The two passwords differ." in page.text
            form = page.form("/ui/set-up")
            page = await browser.send(
                form, 422, name="ada", password="short", password_again="short"
            )
            assert "at least 12 characters" in page.text
            form = page.form("/ui/set-up")
            page = await browser.send(form, name="ada", password=PASSWORD, password_again=PASSWORD)
            assert page.url == "/ui"
            assert "The first administrator was made" in page.text
            page = await browser.send(
                form, 422, name="eve", password=PASSWORD, password_again=PASSWORD
            )
            check(page)
            assert "This link was used already" in page.text


async def test_buttons_of_providers_are_shown_as_configured(
    database_url: str, github: GitHubTestServer, tmp_path: Path
) -> None:
    async with guarded_service(
        database_url,
        github,
        tmp_path,
        oidc_issuer="https://login.example.com",
        oidc_client_id="bench",
        oidc_name="Acme <b>",
        github_oauth_client_id="id",
        github_oauth_client_secret="secret",
    ) as guarded:
        page = await Browser(guarded.visitor().http).open("/ui/sign-in?next=/ui/help")
    check(page)
    assert "Sign in with Acme <b>" in page.text
    assert "Sign in with GitHub" in page.text
    assert {"/auth/oidc?next=%2Fui%2Fhelp", "/auth/github?next=%2Fui%2Fhelp"} <= set(page.links())


@pytest.mark.parametrize(
    ("reason", "words"),
    [
        ("denied", "did not let you in"),
        ("disabled", "The account is disabled"),
        ("<script>", None),
    ],
)
async def test_a_sign_in_that_failed_elsewhere_is_explained(
    visitor: Browser, reason: str, words: str | None
) -> None:
    page = await visitor.open(f"/ui/sign-in?refused={reason}", 200 if words is None else 401)
    check(page)
    assert (words or "Sign in") in page.text
    assert "<script>" not in page.html


async def test_where_everybody_is_served_nobody_needs_to_sign_in(
    browser: Browser,
) -> None:
    page = await browser.open("/ui/sign-in")
    check(page)
    assert "Nobody needs to sign in" in page.text
    assert "/ui/sign-in" not in [form.action for form in page.forms]
    assert "Anyone who reaches this address may change everything here." in page.text
    assert [link for link in page.links() if link.endswith("/docs/access.md")]
