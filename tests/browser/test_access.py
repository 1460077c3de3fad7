"""People sign in at a real browser, with and without scripts, and can use every page of theirs."""

import re
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
from playwright.async_api import Page

from github_test_server import GitHubTestServer
from support.accessibility import AXE, as_lines, problems_by_view
from support.person import BrowserPerson
from support.process import ServiceProcess, service_process
from support.visitors import Contexts, Visitors, visiting

PASSWORD = "four brown foxes jump"
#: Pages that only those who are signed in see as they are.
PAGES = (
    "/ui/you",
    "/ui/you/sessions",
    "/ui/you/tokens",
    "/ui/you/tokens/new",
    "/ui/people",
    "/ui/people/new",
    "/ui/people/federation/new",
)


@pytest.fixture
async def guarded(
    tmp_path: Path, upstream: GitHubTestServer, database_url: str
) -> AsyncIterator[ServiceProcess]:
    """A service that nobody has set up yet, with both kinds of providers."""
    async with service_process(
        tmp_path,
        mongo_url=database_url,
        auth="required",
        github_api_urls=upstream.url,
        oidc_issuer="https://login.example.com",
        oidc_client_id="bench",
        github_oauth_client_id="id",
        github_oauth_client_secret="secret",
    ) as process:
        yield process


@pytest.fixture
async def guests(contexts: Contexts, guarded: ServiceProcess) -> AsyncIterator[Visitors]:
    async with visiting(contexts, guarded.url) as visitors:
        # A browser reports every answer of 400 and above as an error.
        visitors.allow("status of 401")
        yield visitors


async def set_up(page: Page, guarded: ServiceProcess) -> None:
    """Make the first administrator, by the link in the log."""
    [link] = re.findall(r"/ui/set-up\?token=[\w-]{43}", guarded.output)
    await page.goto(link)
    await page.fill("#name", "ada")
    await page.fill("#password", PASSWORD)
    await page.fill("#password_again", PASSWORD)


async def sign_in(person: BrowserPerson, password: str = PASSWORD) -> None:
    await person.page.fill("#name", "ada")
    await person.page.fill("#password", password)
    await person.send("Sign in")


@pytest.mark.parametrize("scripts", [True, False], ids=["scripts", "no scripts"])
async def test_a_person_sets_up_makes_a_token_and_signs_in_again(
    guarded: ServiceProcess, guests: Visitors, scripts: bool
) -> None:
    page = await guests.page(scripts=scripts)
    person = BrowserPerson(page, scripts=scripts)
    await set_up(page, guarded)
    await person.send("Make the administrator")
    await person.sees("The first administrator was made")
    await page.goto("/ui/you/tokens/new")
    await page.fill("#name", "nightly")
    await person.send("Make a token")
    text = await page.locator(".command pre").inner_text()
    assert re.fullmatch(r"bmt_\w{73}", text)
    async with guarded.client() as http:
        answer = await http.get("/me", headers={"Authorization": f"Bearer {text}"})
    assert answer.json()["name"] == "ada"
    async with page.expect_navigation():
        await page.locator("header form[action$='/sign-out'] button").click()
    await person.sees("You are signed out.")
    await page.goto("/ui/you/tokens")
    await sign_in(person, "wrong")
    await person.sees("There is no account with this name and password.")
    await sign_in(person)
    await person.sees("nightly")
    assert page.url.endswith("/ui/you/tokens")


async def test_a_text_that_was_typed_too_long_ago_is_shown_beside_the_sign_in(
    guarded: ServiceProcess, guests: Visitors
) -> None:
    page = await guests.page()
    person = BrowserPerson(page)
    await set_up(page, guarded)
    await person.send("Make the administrator")
    await page.goto("/ui/people/new")
    other = await page.context.new_page()
    await other.goto("/ui/you/sessions")
    await BrowserPerson(other).send("Sign out everywhere")
    await page.fill("#name", "kim")
    await person.send("Add")
    await person.sees("Your session has ended")
    await sign_in(person)
    assert page.url.endswith("/ui/people/new")


@pytest.mark.skipif(not AXE.exists(), reason="axe-core is not installed: `make frontend` says why")
async def test_pages_of_people_are_accessible(guarded: ServiceProcess, guests: Visitors) -> None:
    page = await guests.page()
    person = BrowserPerson(page)
    found = {}
    await page.goto("/ui")
    found["sign-in"] = as_lines(await problems_by_view(page))
    await set_up(page, guarded)
    found["set-up"] = as_lines(await problems_by_view(page))
    await person.send("Make the administrator")
    for path in PAGES:
        await page.goto(path)
        found[path] = as_lines(await problems_by_view(page))
    assert {path: problems for path, problems in found.items() if problems} == {}
