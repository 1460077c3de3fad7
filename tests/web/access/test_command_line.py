"""The page that lets a command line have a token, and the code that it sends there."""

from collections.abc import AsyncIterator
from typing import Any, Final
from urllib.parse import parse_qs, urlencode, urlsplit

import pytest
import pytest_asyncio

from benchmark_manager.domain.access.command_line import challenge_of, check_of
from benchmark_manager.factory import Externals
from github_test_server import GitHubTestServer
from support.browser import Browser
from support.clocks import Clock
from support.guarded import GuardedService, SignedInPerson, guarded_service
from support.reused_database import reused_database
from support.service import Json, Service

STATE: Final = "s" * 43
VERIFIER: Final = "v" * 43
ASKED: Final = {
    "port": "4711",
    "state": STATE,
    "challenge": challenge_of(VERIFIER),
    "name": "command line on lab",
}


@pytest.fixture(scope="module")
def clock() -> Clock:
    return Clock()


@pytest_asyncio.fixture(scope="module", loop_scope="session")
async def guarded(
    mongod: str, tmp_path_factory: pytest.TempPathFactory, clock: Clock
) -> AsyncIterator[GuardedService]:
    """A service that the module's tests share; the names of its people differ."""
    folder = tmp_path_factory.mktemp("guarded")
    with GitHubTestServer() as github:
        async with (
            reused_database(mongod) as url,
            guarded_service(url, github, folder, externals=Externals(clock=clock)) as service,
        ):
            yield service


def page(**changes: str) -> str:
    return f"/ui/command-line?{urlencode({**ASKED, **changes})}"


async def sent(person: SignedInPerson, address: str, decision: str = "confirm") -> str:
    """Decide on the page; return where the browser is sent."""
    browser = Browser(person.http)
    form = (await browser.open(address)).form("/ui/command-line")
    form.fields["decision"] = decision
    body: Any = form.body()
    answer = await person.http.post(form.action, headers=browser.headers, **body)
    assert answer.status_code == 303, answer.text
    return str(answer.headers["location"])


async def code_for(person: SignedInPerson, **changes: str) -> str:
    return parse_qs(urlsplit(await sent(person, page(**changes))).query)["code"][0]


async def redeemed(
    guarded: GuardedService, code: str, verifier: str = VERIFIER, status: int = 201
) -> Json:
    body = {"code": code, "verifier": verifier}
    found: Json = await guarded.visitor().post("/auth/command-line", body, status)
    return found


async def test_the_page_shows_what_is_confirmed(guarded: GuardedService) -> None:
    kim = await guarded.person("kim")
    guarded.service.repository("acme/shown", {})
    body = {"name": "Shown project", "github_repo_url": "acme/shown", "polling_interval": 0}
    project = await guarded.admin.post("/projects", body)
    shown = await Browser(kim.http).open(
        page(role="editor", days="7", project=project["id"], name="<b>nightly")
    )
    wanted = ["kim", "<b>nightly", "editor", "Shown project", "after 7 days"]
    assert [text for text in wanted if text not in shown.text] == []
    assert check_of(challenge_of(VERIFIER)) in shown.text
    policy = shown.answer.headers["content-security-policy"]
    assert "form-action 'self' http://127.0.0.1:4711;" in policy
    assert shown.answer.headers["cache-control"] == "no-store"
    assert shown.unclosed == []


async def test_the_token_is_made_for_the_verifier_once(guarded: GuardedService) -> None:
    lee = await guarded.person("lee", "editor")
    location = urlsplit(await sent(lee, page(role="reader", days="7")))
    assert location.netloc == "127.0.0.1:4711"
    answer = parse_qs(location.query)
    assert answer["state"] == [STATE]
    assert await lee.get("/tokens") == []
    made = await redeemed(guarded, answer["code"][0])
    assert (made["name"], made["role"], made["projects"]) == (ASKED["name"], "reader", "all")
    me = await guarded.program(made["token"]).get("/me")
    assert (me["name"], me["via"]) == ("lee", "token")
    again = await redeemed(guarded, answer["code"][0], status=401)
    assert again["code"] == "sign_in_failed"
    assert [row["id"] for row in await lee.get("/tokens")] == [made["id"]]


async def test_a_role_in_a_project_suffices_for_its_token(guarded: GuardedService) -> None:
    body = {"name": "Granted", "github_repo_url": "acme/granted", "polling_interval": 0}
    project = (await guarded.admin.post("/projects", body))["id"]
    zoe = await guarded.person("zoe", "none", grants={project: "reader"})
    made = await redeemed(guarded, await code_for(zoe, project=project))
    assert made["projects"] == [project]


async def test_a_code_is_not_good_again_when_its_token_is_revoked(guarded: GuardedService) -> None:
    una = await guarded.person("una")
    code = await code_for(una)
    made = await redeemed(guarded, code)
    await una.ask("DELETE", f"/tokens/{made['id']}", 204)
    assert (await redeemed(guarded, code, status=401))["code"] == "sign_in_failed"
    assert await una.get("/tokens") == []


async def test_a_code_ends_with_the_session_that_confirmed_it(guarded: GuardedService) -> None:
    ivo = await guarded.person("ivo")
    code = await code_for(ivo)
    await ivo.ask("DELETE", "/sessions", 204)
    assert (await redeemed(guarded, code, status=401))["code"] == "sign_in_failed"


async def test_a_code_is_of_no_use_without_the_verifier(guarded: GuardedService) -> None:
    ann = await guarded.person("ann")
    refused = await redeemed(guarded, await code_for(ann), "w" * 43, status=401)
    assert refused["code"] == "sign_in_failed"
    assert await ann.get("/tokens") == []


async def test_a_code_is_good_for_a_minute(guarded: GuardedService, clock: Clock) -> None:
    bob = await guarded.person("bob")
    code = await code_for(bob)
    clock.forward(seconds=61)
    await redeemed(guarded, code, status=401)


async def test_a_disabled_account_gets_no_token(guarded: GuardedService) -> None:
    eve = await guarded.person("eve")
    code = await code_for(eve)
    await guarded.admin.ask("PUT", f"/accounts/{eve.id}", 200, json={"disabled": True})
    await redeemed(guarded, code, status=401)


@pytest.mark.parametrize("code", ["", "x", "gAAAAABn" + "A" * 200, "é"])
async def test_what_is_no_code_is_refused(guarded: GuardedService, code: str) -> None:
    assert (await redeemed(guarded, code, status=401))["code"] == "sign_in_failed"


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("port", "80"),
        ("port", "65536"),
        ("port", "4711@evil.example"),
        ("host", "evil.example"),
        ("host", "localhost"),
        ("host", "127.0.0.1:1@evil.example"),
        ("state", "short"),
        ("state", f"{STATE[1:]}\n"),
        ("challenge", "plain"),
        ("name", ""),
        ("name", "a\u202eb"),
        ("role", "owner"),
        ("days", "0"),
        ("days", "367"),
        ("project", "nothing"),
    ],
)
async def test_what_no_command_line_asks_for_is_refused(
    guarded: GuardedService, name: str, value: str
) -> None:
    answer = await guarded.admin.http.get(page(**{name: value}))
    assert answer.status_code == (404 if name == "project" else 422)
    assert "location" not in answer.headers


async def test_the_loopback_may_be_ipv6(guarded: GuardedService) -> None:
    shown = await guarded.admin.http.get(page(host="[::1]"))
    assert "form-action 'self' http:;" in shown.headers["content-security-policy"]
    location = await sent(guarded.admin, page(host="[::1]"), "refuse")
    assert location == f"http://[::1]:4711/?error=denied&state={STATE}"


async def test_a_form_of_another_site_confirms_nothing(guarded: GuardedService) -> None:
    answer = await guarded.admin.http.post(page(), data={"decision": "confirm"})
    assert (answer.status_code, answer.headers.get("location")) == (403, None)


async def test_a_token_cannot_confirm_another_one(guarded: GuardedService) -> None:
    program = guarded.program(await guarded.admin.token())
    answer = await program.ask("GET", page(), 403)
    assert answer.json()["code"] == "forbidden"


async def test_the_last_page_has_nothing_of_the_sign_in(guarded: GuardedService) -> None:
    shown = await Browser(guarded.admin.http).open("/ui/command-line/done")
    assert "goes on there" in shown.text


async def test_a_service_for_everybody_offers_nothing_to_confirm(
    service: Service,
) -> None:
    shown = await Browser(service.http).open(page())
    assert "needs no sign-in" in shown.text
    assert [form for form in shown.forms if form.action.startswith("/ui/command-line")] == []
