"""People sign in at a real browser, with and without scripts, and can use every page of theirs."""

import re
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import pytest
import pytest_asyncio
from playwright.async_api import Page

from github_test_server import GitHubTestServer
from support.accessibility import AXE, as_lines, needs_axe, problems_by_view
from support.browser import Browser as PlainBrowser
from support.person import BrowserPerson
from support.process import ServiceProcess, service_process
from support.reused_database import reused_database
from support.visitors import WIDE, Contexts, Visitors, visiting

NAME = "ada"
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


@asynccontextmanager
async def guarded_service(
    folder: Path, database_url: str, upstream: GitHubTestServer
) -> AsyncIterator[ServiceProcess]:
    """Run a service that nobody has set up yet, with both kinds of providers."""
    async with service_process(
        folder,
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
async def guarded(
    tmp_path: Path, upstream: GitHubTestServer, database_url: str
) -> AsyncIterator[ServiceProcess]:
    async with guarded_service(tmp_path, database_url, upstream) as process:
        yield process


@pytest_asyncio.fixture(scope="module", loop_scope="session")
async def administered(
    mongod: str, upstream: GitHubTestServer, tmp_path_factory: pytest.TempPathFactory
) -> AsyncIterator[ServiceProcess]:
    """The same, with an administrator."""
    folder = tmp_path_factory.mktemp("administered")
    async with (
        reused_database(mongod) as url,
        guarded_service(folder, url, upstream) as process,
        process.client() as http,
    ):
        browser = PlainBrowser(http)
        page = await browser.open(set_up_address(process))
        form = page.form("/ui/set-up")
        await browser.send(form, name=NAME, password=PASSWORD, password_again=PASSWORD)
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


def set_up_address(process: ServiceProcess) -> str:
    """Return the address of the link in the log, which makes the first administrator."""
    [address] = re.findall(r"/ui/set-up\?token=[\w-]{43}", process.output)
    return str(address)


async def sign_in(person: BrowserPerson, password: str = PASSWORD) -> None:
    await person.page.fill("#name", NAME)
    await person.page.fill("#password", password)
    await person.send("Sign in")


@pytest.mark.parametrize("scripts", [True, False], ids=["scripts", "no scripts"])
async def test_a_person_sets_up_makes_a_token_and_signs_in_again(
    guarded: ServiceProcess, guests: Visitors, scripts: bool
) -> None:
    page = await guests.page(scripts=scripts)
    person = BrowserPerson(page, scripts=scripts)
    await page.goto(set_up_address(guarded))
    if scripts and AXE.exists():
        assert await problems_by_view(page) == {}
        await page.set_viewport_size(WIDE)
    await page.fill("#name", NAME)
    await page.fill("#password", PASSWORD)
    await page.fill("#password_again", PASSWORD)
    await person.send("Make the administrator")
    await person.sees("The first administrator was made")
    await page.goto("/ui/you/tokens/new")
    await page.fill("#name", "nightly")
    await person.send("Make a token")
    text = await page.locator(".command pre").inner_text()
    assert re.fullmatch(r"bmt_\w{73}", text)
    async with guarded.client() as http:
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
