"""A person at a real browser signs in at a real provider."""

from collections.abc import AsyncIterator

import pytest
from playwright.async_api import Browser, Page, expect

from support.process import ServiceProcess
from support.visitors import TIMEOUT

WANTED = "/ui/search?q=llama"


@pytest.fixture
async def page(chromium: Browser, administered: ServiceProcess) -> AsyncIterator[Page]:
    """A page of somebody who is signed in nowhere and wanted to search."""
    context = await chromium.new_context(locale="en")
    context.set_default_timeout(TIMEOUT)
    page = await context.new_page()
    # The provider's own style sheet is on another machine.
    await page.route("https://**", lambda route: route.abort())
    await page.goto(f"{administered.url}{WANTED}")
    yield page
    await context.close()


async def test_a_person_signs_in_and_reaches_the_page_that_was_wanted(page: Page) -> None:
    await page.get_by_role("link", name="Sign in with Acme").click()
    await page.get_by_role("button", name="kim").click()
    await page.wait_for_url(f"**{WANTED}")
    await expect(page.get_by_text("Kim Min").first).to_be_attached(timeout=TIMEOUT)


async def test_a_person_who_refuses_reads_why_and_signs_in_after_all(page: Page) -> None:
    await page.get_by_role("link", name="Sign in with Acme").click()
    await page.get_by_role("button", name="Deny").click()
    said = page.get_by_role("alert").filter(has_text="The provider did not let you in")
    await expect(said).to_be_visible(timeout=TIMEOUT)
    await page.get_by_role("link", name="Sign in with Acme").click()
    await page.get_by_role("button", name="kim").first.click()
    await page.wait_for_url(f"**{WANTED}")
