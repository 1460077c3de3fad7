"""People sign in at a real browser, with and without scripts, and can use every page of theirs."""

import re
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import pytest
from playwright.async_api import Page

from github_test_server import GitHubTestServer
from support.accessibility import AXE, as_lines, needs_axe, problems_by_view
from support.administered import NAME, PASSWORD, service_to_set_up, set_up_address
from support.person import BrowserPerson
from support.process import ServiceProcess
from support.visitors import WIDE, Contexts, Visitors, visiting

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
    """A service that nobody has set up yet."""
    issuer = "https://login.example.com"
    async with service_to_set_up(
        tmp_path, database_url, issuer, github_api_urls=upstream.url
    ) as process:
        yield process


@asynccontextmanager
async def guests_of(contexts: Contexts, process: ServiceProcess) -> AsyncIterator[Visitors]:
    async with visiting(contexts, process.url) as visitors:
        # A browser reports every answer of 400 and above as an error.
        visitors.allow("status of 401")
        yield visitors


@pytest.fixture
async def guests(contexts: Contexts, guarded: ServiceProcess) -> AsyncIterator[Visitors]:
    async with guests_of(contexts, guarded) as visitors:
        yield visitors


@pytest.fixture
async def page(contexts: Contexts, administered: ServiceProcess) -> AsyncIterator[Page]:
    """The page that asks a guest of the service with an administrator to sign in."""
    async with guests_of(contexts, administered) as visitors:
        page = await visitors.page()
        await page.goto("/ui")
        yield page


async def sign_in(person: BrowserPerson, password: str = PASSWORD) -> None:
    await person.page.fill("#name", NAME)
    await person.page.fill("#password", password)
    await person.send("Sign in")


async def test_a_person_sets_up_makes_a_token_and_signs_in_again(
    guarded: ServiceProcess, guests: Visitors
) -> None:
    """Without scripts, `set_up` does the first of these."""
    page = await guests.page()
    person = BrowserPerson(page)
    await page.goto(set_up_address(guarded))
    if AXE.exists():
        assert await problems_by_view(page) == {}
        await page.set_viewport_size(WIDE)
    await page.fill("#name", NAME)
    await page.fill("#password", PASSWORD)
    await page.fill("#password_again", PASSWORD)
    await person.send("Make the administrator")
    await person.sees("The first administrator was made")
    await make_a_token_and_sign_in_again(person, guarded)


async def test_a_person_without_scripts_makes_a_token_and_signs_in_again(
    contexts: Contexts, administered: ServiceProcess
) -> None:
    async with guests_of(contexts, administered) as visitors:
        page = await visitors.page(scripts=False)
        person = BrowserPerson(page, scripts=False)
        await page.goto("/ui")
        await sign_in(person)
        await make_a_token_and_sign_in_again(person, administered)


async def make_a_token_and_sign_in_again(person: BrowserPerson, service: ServiceProcess) -> None:
    page = person.page
    await page.goto("/ui/you/tokens/new")
    await page.fill("#name", "nightly")
    await person.send("Make a token")
    text = await page.locator(".command pre").inner_text()
    assert re.fullmatch(r"bmt_\w{73}", text)
    async with service.client() as http:
        answer = await http.get("/me", headers={"Authorization": f"Bearer {text}"})
    assert answer.json()["name"] == NAME
    async with page.expect_navigation():
        await page.locator("header form[action$='/sign-out'] button").click()
    await person.sees("You are signed out.")
    await page.goto("/ui/you/tokens")
    await sign_in(person, "wrong")
    await person.sees("There is no account with this name and password.")
    await sign_in(person)
    await person.sees("nightly")
    assert page.url.endswith("/ui/you/tokens")


async def test_a_text_that_was_typed_too_long_ago_is_shown_beside_the_sign_in(page: Page) -> None:
    person = BrowserPerson(page)
    await sign_in(person)
    await page.goto("/ui/people/new")
    other = await page.context.new_page()
    await other.goto("/ui/you/sessions")
    await BrowserPerson(other).send("Sign out everywhere")
    await page.fill("#name", "kim")
    await person.send("Add")
    await person.sees("Your session has ended")
    await sign_in(person)
    assert page.url.endswith("/ui/people/new")


@needs_axe
async def test_pages_of_people_are_accessible(page: Page) -> None:
    found = {"sign-in": as_lines(await problems_by_view(page))}
    await sign_in(BrowserPerson(page))
    for path in PAGES:
        await page.goto(path)
        found[path] = as_lines(await problems_by_view(page))
    assert {path: problems for path, problems in found.items() if problems} == {}
