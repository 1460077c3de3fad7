"""People who sign in elsewhere with GitHub: the web flow of an OAuth App."""

from __future__ import annotations

import base64
import hashlib
from collections.abc import AsyncIterator
from urllib.parse import parse_qs, parse_qsl, urlsplit

import httpx2
import pytest
from githubkit_schemas.latest import models
from pydantic import TypeAdapter

from github_test_server import GitHubTestServer, Person
from support.clocks import SetClock

CALLBACK = "http://bench.example/auth/github/callback"
SECRET = "of-the-app"
VERIFIER = "v" * 43
JSON = {"Accept": "application/json"}


@pytest.fixture
def clock() -> SetClock:
    return SetClock()


@pytest.fixture
def kim() -> Person:
    return Person(id=77, login="kim", organisations=["acme"], teams=["acme/bench-team"])


@pytest.fixture
async def server(clock: SetClock, kim: Person) -> AsyncIterator[GitHubTestServer]:
    async with GitHubTestServer(clock=clock) as server:
        server.hosting.sign_ins.add_app("bench", SECRET, CALLBACK)
        server.hosting.sign_ins.browser = kim
        yield server


async def sent_back(client: httpx2.AsyncClient, **query: str) -> dict[str, str]:
    """With what GitHub sends the browser back."""
    asked = {"client_id": "bench", "state": "s", "scope": "read:org", **query}
    answer = await client.get("/login/oauth/authorize", params=asked)
    assert answer.status_code == 302
    assert answer.headers["location"].startswith(CALLBACK)
    return dict(parse_qsl(urlsplit(answer.headers["location"]).query))


async def exchanged(client: httpx2.AsyncClient, code: str, **form: str) -> dict[str, str]:
    sent = {"client_id": "bench", "client_secret": SECRET, "code": code, **form}
    answer = await client.post("/login/oauth/access_token", data=sent, headers=JSON)
    assert answer.status_code == 200
    found: dict[str, str] = answer.json()
    return found


async def token(client: httpx2.AsyncClient, **query: str) -> dict[str, str]:
    code = (await sent_back(client, **query))["code"]
    return {"Authorization": f"Bearer {(await exchanged(client, code))['access_token']}"}


async def test_a_code_gives_the_token_of_who_is_signed_in(client: httpx2.AsyncClient) -> None:
    back = await sent_back(client)
    answer = await exchanged(client, back["code"])
    headers = {"Authorization": f"Bearer {answer['access_token']}"}
    user = (await client.get("/user", headers=headers)).json()
    assert (back["state"], answer["scope"], answer["token_type"]) == ("s", "read:org", "bearer")
    assert (user["id"], user["login"]) == (77, "kim")


async def test_a_renamed_person_keeps_the_id(client: httpx2.AsyncClient, kim: Person) -> None:
    kim.login = "kim-other"
    user = (await client.get("/user", headers=await token(client))).json()
    assert (user["id"], user["login"]) == (77, "kim-other")


async def test_organisations_and_teams_have_githubs_shape(client: httpx2.AsyncClient) -> None:
    headers = await token(client)
    organisations = TypeAdapter(list[models.OrganizationSimple]).validate_python(
        (await client.get("/user/orgs", headers=headers)).json()
    )
    teams = TypeAdapter(list[models.TeamFull]).validate_python(
        (await client.get("/user/teams", headers=headers)).json()
    )
    assert [each.login for each in organisations] == ["acme"]
    assert [(each.organization.login, each.slug) for each in teams] == [("acme", "bench-team")]


@pytest.mark.parametrize("path", ["/user/orgs", "/user/teams"])
async def test_groups_need_a_scope(client: httpx2.AsyncClient, path: str) -> None:
    assert (await client.get(path, headers=await token(client, scope=""))).status_code == 403


@pytest.mark.parametrize("path", ["/user/orgs", "/user/teams"])
async def test_groups_need_a_token(client: httpx2.AsyncClient, path: str) -> None:
    assert (await client.get(path)).status_code == 401


@pytest.mark.parametrize(
    ("form", "error"),
    [
        ({"client_secret": "wrong"}, "incorrect_client_credentials"),
        ({"client_id": "other"}, "incorrect_client_credentials"),
        ({"code": "0" * 20}, "bad_verification_code"),
        ({"redirect_uri": f"{CALLBACK}/other"}, "redirect_uri_mismatch"),
    ],
    ids=["secret", "client", "code", "address"],
)
async def test_a_wrong_exchange_is_answered_with_an_error(
    client: httpx2.AsyncClient, form: dict[str, str], error: str
) -> None:
    code = (await sent_back(client, redirect_uri=CALLBACK))["code"]
    answer = await exchanged(client, form.pop("code", code), **form)
    assert (answer.get("error"), "access_token" in answer) == (error, False)


async def test_a_code_is_good_once(client: httpx2.AsyncClient) -> None:
    code = (await sent_back(client))["code"]
    await exchanged(client, code)
    assert (await exchanged(client, code))["error"] == "bad_verification_code"


async def test_a_code_is_good_for_ten_minutes(client: httpx2.AsyncClient, clock: SetClock) -> None:
    code = (await sent_back(client))["code"]
    clock.now += 600
    assert (await exchanged(client, code))["error"] == "bad_verification_code"


@pytest.mark.parametrize(("verifier", "works"), [(VERIFIER, True), ("w" * 43, False), ("", False)])
async def test_a_code_with_a_challenge_needs_its_verifier(
    client: httpx2.AsyncClient, verifier: str, works: bool
) -> None:
    digest = hashlib.sha256(VERIFIER.encode()).digest()
    challenge = base64.urlsafe_b64encode(digest).rstrip(b"=").decode()
    back = await sent_back(client, code_challenge=challenge, code_challenge_method="S256")
    answer = await exchanged(client, back["code"], code_verifier=verifier)
    assert ("access_token" in answer) is works


async def test_a_person_may_refuse(client: httpx2.AsyncClient, kim: Person) -> None:
    kim.denies = True
    assert (await sent_back(client))["error"] == "access_denied"


async def test_codes_go_only_below_the_apps_own_callback(client: httpx2.AsyncClient) -> None:
    back = await sent_back(client, redirect_uri="https://evil.example/callback")
    assert (back["error"], "code" in back) == ("redirect_uri_mismatch", False)


async def test_an_unknown_app_is_404(client: httpx2.AsyncClient) -> None:
    answer = await client.get("/login/oauth/authorize", params={"client_id": "other"})
    assert answer.status_code == 404


async def test_a_browser_without_a_person_is_led_to_the_sign_in(
    client: httpx2.AsyncClient, server: GitHubTestServer
) -> None:
    server.hosting.sign_ins.browser = None
    answer = await client.get("/login/oauth/authorize", params={"client_id": "bench"})
    assert answer.headers["location"] == f"{server.origin}/login"


async def test_without_a_wish_for_json_the_token_comes_in_a_form(
    client: httpx2.AsyncClient,
) -> None:
    code = (await sent_back(client))["code"]
    form = {"client_id": "bench", "client_secret": SECRET, "code": code}
    answer = await client.post("/login/oauth/access_token", data=form)
    assert parse_qs(answer.text)["token_type"] == ["bearer"]
