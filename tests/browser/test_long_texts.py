"""Texts too long for one page: in parts, by keyboard, without scripts, and edited as files."""

from collections.abc import AsyncIterator
from dataclasses import dataclass

import pytest
import pytest_asyncio
from playwright.async_api import Page, expect

from github_test_server import GitHubTestServer
from support.accessibility import needs_axe, problems_by_view
from support.person import BrowserPerson
from support.process import ServiceProcess
from support.service import Api, Json
from support.visitors import Visitors

#: Lines so long that a part holds few, which axe-core checks one by one. The last does not parse.
#: No editor on a page accepts so many characters that are escaped.
TEXT = "".join(f"k{n}: '{'&<>' * 300}\u200b'\n" for n in range(400)) + "last: [\n"
LAST = 401


@dataclass(frozen=True, slots=True)
class Long:
    """A project with one long file, and a variant of it that differs on every line."""

    project: str
    file: Json
    variant: str

    @property
    def url(self) -> str:
        return f"/ui/projects/{self.project}/files/{self.file['id']}"


@pytest_asyncio.fixture(scope="module", loop_scope="session")
async def long(
    running: ServiceProcess, upstream: GitHubTestServer, tmp_path_factory: pytest.TempPathFactory
) -> AsyncIterator[Long]:
    """The project of all tests, of which each changes a variant of its own."""
    async with running.client() as http:
        api = Api(http, upstream, tmp_path_factory.mktemp("long"))
        api.repository("acme/long", {"config/long.yaml": TEXT.encode()})
        project = await api.synced("acme/long")
        [file] = (await api.files(project["id"])).values()
        variant = await long_variant(api, file, "unchanged.yaml")
        yield Long(project["id"], file, variant)


async def long_variant(api: Api, file: Json, name: str) -> str:
    """Make a variant that differs on every line; return its id."""
    body = {"original_file_id": file["id"], "modified_name": name}
    path = f"/projects/{file['project_id']}/modified-files?allow_invalid=true"
    made = await api.post(path, {**body, "content": TEXT.replace("<", "(")}, 201)
    found: str = made["id"]
    return found


async def focus(page: Page, text: str) -> None:
    """Press Tab until the link is focused."""
    link = page.get_by_role("link", name=text, exact=True).first
    for _ in range(60):
        if await link.evaluate("element => element === document.activeElement"):
            return
        await page.keyboard.press("Tab")
    raise AssertionError(text)


async def test_parts_are_read_by_keyboard_and_problems_lead_to_theirs(
    long: Long, visitors: Visitors
) -> None:
    """Without scripts, like everything else."""
    page = await visitors.page(scripts=False)
    await page.goto(long.url)
    await expect(page.locator("#L1")).to_be_visible()
    await focus(page, "Next part")
    async with page.expect_navigation():
        await page.keyboard.press("Enter")
    await expect(page.locator("main")).to_contain_text("Part 2 of")
    assert await page.locator("#L1").count() == 0
    await page.locator(".problems a").click()
    await expect(page.locator(f"#L{LAST}")).to_be_visible()
    await page.get_by_label("Line", exact=True).fill("300")
    async with page.expect_navigation():
        await page.keyboard.press("Enter")
    await expect(page.locator("#L300")).to_contain_text("k299")


async def test_a_text_too_long_for_an_editor_is_sent_as_a_file(
    api: Api, visitors: Visitors, long: Long
) -> None:
    variant = await long_variant(api, long.file, "v.yaml")
    person = BrowserPerson(await visitors.page())
    page = person.page
    await page.goto(f"/ui/modified-files/{variant}")
    await person.field("Description").fill("only this")
    await person.send("Save")
    await person.sees("Saved.")
    changed = TEXT.replace("last: [", "last: 1").replace("k0:", "\ufeffk0:").encode()
    async with page.expect_download() as download:
        await person.link("Download").click()
    assert (await download.value).suggested_filename == "v.yaml"
    file = {"name": "v.yaml", "mimeType": "application/yaml", "buffer": changed}
    # A dictionary, as Playwright's guide shows.
    field = page.get_by_label("Content, as a file")
    await field.set_input_files(file)  # type: ignore[arg-type]
    await person.send("Save")
    await person.sees("Saved.")
    assert (await api.http.get(f"/modified-files/{variant}/raw")).content == changed


@needs_axe
async def test_pages_in_parts_are_accessible(visitors: Visitors, long: Long) -> None:
    page = await visitors.page(language="ko")
    variant = f"/ui/modified-files/{long.variant}"
    found = {}
    for url in (f"{long.url}?part=2", variant, f"{variant}/compare?part=2"):
        await page.goto(url)
        found[url] = await problems_by_view(page)
    assert not any(found.values()), found
