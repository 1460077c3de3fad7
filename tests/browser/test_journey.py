"""The journey of a variant: from a repository's address to a release, and back from the trash."""

from dataclasses import dataclass
from pathlib import Path

import httpx2 as httpx
import pytest
from playwright.async_api import Page, expect

from benchmark_manager import demo
from github_test_server import GitHubTestServer, Repository
from support.person import BrowserPerson
from support.prefix_proxy import Offered, prefix_proxy
from support.process import ServiceProcess
from support.service import Api
from support.visitors import Visitors

FILE = "config/vllm/llama-3.1-8b.yaml"
MINE = demo.first_commit()[FILE].decode().replace("max_num_seqs: 256", "max_num_seqs: 512")


@dataclass(frozen=True, slots=True)
class Journey:
    """A person, the repository that they add, and access to the API."""

    person: BrowserPerson
    api: Api
    repository: Repository
    name: str

    @property
    def variant_name(self) -> str:
        """A name of its own for each journey, because releases of equal files are one release."""
        return f"{self.name}.yaml"

    async def add_repository(self) -> None:
        """Add the repository; the project's page shows the progress of the first sync."""
        person = self.person
        await person.page.goto(f"{self.api.http.base_url}".rstrip("/") + "/ui")
        await person.link("Add repository").click()
        await person.field("Repository").fill(f"acme/{self.name}")
        await person.field("Name").fill(self.name)
        with self.api.github.held("/tarball/"):
            await person.send("Add repository")
            await person.stay()
            await person.sees("Syncing", "#status")
        await person.sees("In sync", "#status")
        assert await person.stayed() is person.scripts

    async def open_file(self) -> None:
        page = self.person.page
        if self.person.scripts:
            await self.person.press("/")
            await page.keyboard.type("llama-3.1")
            await page.get_by_role("link", name=FILE, exact=True).click()
        else:
            await page.get_by_role("link", name="llama-3.1-8b.yaml", exact=True).click()
        await expect(page.get_by_role("heading", level=1)).to_have_text(FILE)

    async def make_variant(self) -> None:
        person = self.person
        await person.link("Make a variant").click()
        await person.field("Name").fill(self.variant_name)
        await person.send("Make the variant")
        await person.sees("The variant was made.")
        await person.replace("max_num_seqs: 256", "max_num_seqs: 512")
        await person.save()
        await person.sees("Saved.")
        assert (await self.api.http.get(f"/modified-files/{self.variant}/raw")).text == MINE

    @property
    def variant(self) -> str:
        """Return the variant's id from the address of its page."""
        return self.person.page.url.partition("/modified-files/")[2].partition("/")[0]

    async def use_variant(self) -> None:
        """Rebase it onto a new original, release it, delete it, and restore it."""
        await self.follow_upstream()
        conflict = self.person.word("Conflict")
        await self.person.page.locator("#facts").get_by_role("link", name=conflict).click()
        await self.merge()
        await self.release()
        await self.delete_and_undo()

    async def see_difference(self) -> None:
        person = self.person
        await person.link("Compare").click()
        table = person.page.get_by_role("row", name="engine.max_num_seqs")
        await expect(table).to_contain_text("256")
        await expect(table).to_contain_text("512")
        await expect(person.page.locator("#comparison")).to_contain_text("max_num_seqs: 512")

    async def follow_upstream(self) -> None:
        """The open page shows it without a reload."""
        person = self.person
        await person.link("Editor").click()
        await expect(person.page.locator("#facts")).to_contain_text(person.word("Current"))
        await person.stay()
        self.repository.commit(demo.second_commit(), message="Tune for the new driver")
        project = (await self.api.get(f"/modified-files/{self.variant}"))["project_id"]
        await self.api.sync(project)
        await person.sees("Conflict", "#facts")
        assert await person.stayed() is person.scripts

    async def merge(self) -> None:
        """Choose mine for the value that both sides changed; the rest comes from upstream."""
        person, page = self.person, self.person.page
        conflict = page.get_by_role("group", name="engine.max_num_seqs")
        if person.scripts:
            await conflict.get_by_role("radio").first.focus()
            await person.press("2")
            await expect(page.locator("#result")).to_contain_text("max_num_seqs: 384")
            await person.press("3")
            await expect(page.locator("#result")).not_to_contain_text("max_num_seqs: 384")
            await expect(page.locator("#left")).to_contain_text(
                person.word("All conflicts are decided.")
            )
        else:
            await conflict.get_by_role("radio", name=person.word("Mine")).check()
            await person.send("Show the result")
            await person.sees("All conflicts are decided.")
        await person.send("Rebase")
        await person.sees(
            "The variant was rebased. Its base is now the current text of the original."
        )
        upstream = demo.second_commit()[FILE]
        assert upstream is not None
        merged = upstream.decode().replace("max_num_seqs: 384", "max_num_seqs: 512")
        assert (await self.api.http.get(f"/modified-files/{self.variant}/raw")).text == merged

    async def release(self) -> None:
        person, page = self.person, self.person.page
        await page.get_by_role("link", name=self.name, exact=True).click()
        await person.link("Releases").click()
        await person.field("Name").fill("before the night run")
        await person.send("Make the release")
        await person.sees("The release was made.")
        shown = page.locator(".command").first
        command = await shown.locator("pre").inner_text()
        assert f"{self.api.http.base_url}".rstrip("/") in command
        if person.scripts:
            await shown.get_by_role("button").click()
            assert await page.evaluate("navigator.clipboard.readText()") == command

    async def delete_and_undo(self) -> None:
        """From the release to the source of a file, to the trash, and back."""
        person, page = self.person, self.person.page
        await page.locator("details.files-of-release > summary").click()
        row = page.get_by_role("row", name=f"config/vllm/{self.variant_name}")
        await row.get_by_role("link", name=person.word("Variant"), exact=True).click()
        variant = self.variant
        await person.link("Delete …").click()
        await person.send("Delete the variant")
        await person.sees("The variant was deleted.")
        await self.api.get(f"/modified-files/{variant}", 404)
        await person.send("Undo")
        await person.sees("The variant was restored.")
        await self.api.get(f"/modified-files/{variant}")


async def test_the_way_of_a_variant_from_its_original_to_a_release(
    visitors: Visitors, api: Api
) -> None:
    """At the root of a host.

    There, `test_large_project` goes from a repository to a variant and its difference,
    `test_live_pages` sees changes of originals, and `test_keyboard` deletes and restores a variant.
    """
    journey = await prepare(visitors, api, "way", language="en", scripts=True)
    project = await api.synced("acme/way", name="way")
    file = (await api.files(project["id"]))[FILE]
    variant = await api.variant(
        project["id"], file, modified_name=journey.variant_name, content=MINE
    )
    journey.repository.commit(demo.second_commit(), message="Tune for the new driver")
    await api.sync(project["id"])
    await journey.person.page.goto(f"/ui/modified-files/{variant['id']}/merge")
    await journey.merge()
    await journey.release()


@pytest.mark.parametrize(
    ("prefix", "strips", "language", "scripts"),
    [("/lab/benchmarks", True, "en", True), ("/whole", False, "ko", False)],
)
async def test_the_whole_way_of_a_variant_below_a_path(
    visitors: Visitors,
    running: ServiceProcess,
    upstream: GitHubTestServer,
    tmp_path: Path,
    *,
    prefix: str,
    strips: bool,
    language: str,
    scripts: bool,
) -> None:
    """Behind a proxy that has nothing at other paths of the host.

    In both languages, and without JavaScript: nothing of these depends on the path.
    """
    name = f"below-{language}"
    async with (
        prefix_proxy({prefix: Offered(running.url, strips=strips)}) as proxy,
        httpx.AsyncClient(base_url=proxy.address(prefix), timeout=60, trust_env=False) as http,
    ):
        visitors.url = proxy.url
        page = await travel(
            visitors, Api(http, upstream, tmp_path), name, language=language, scripts=scripts
        )
        person = BrowserPerson(page, language, scripts)
        if not scripts:
            # These pages have no script of their own.
            await compare_releases(person, name)
        await switch(person)
        cookies = await page.context.cookies()
        assert {cookie["path"] for cookie in cookies} == {prefix}
        assert {"bm_csrf", "bm_lang", "bm_theme"} <= {cookie["name"] for cookie in cookies}
        await visitors.leave()


async def compare_releases(person: BrowserPerson, project: str) -> None:
    """Make a second release and compare it with the first."""
    page = person.page
    await page.get_by_role("link", name=project, exact=True).click()
    await person.link("Releases").click()
    await page.locator("#include-modified").check()
    await person.send("Make the release")
    await person.sees("The release was made.")
    other = await page.locator("#others option").first.get_attribute("value")
    assert other is not None
    await page.locator("#with").fill(other)
    await person.send("Compare")
    await person.link("Reverse the comparison").click()
    await page.wait_for_url(f"**/ui/releases/{other}/compare?with=*")


async def switch(person: BrowserPerson) -> None:
    """Change language and theme, and stay on the same page."""
    page, here = person.page, person.page.url
    other, name = ("ko", "한국어") if person.language == "en" else ("en", "English")
    async with page.expect_navigation():
        await page.get_by_role("button", name=name).click()
    await expect(page.locator("html")).to_have_attribute("lang", other)
    await page.locator("#theme button").click()
    await expect(page.locator("html")).to_have_attribute("data-theme", "light")
    await page.reload()
    await expect(page.locator("html")).to_have_attribute("data-theme", "light")
    assert page.url == here


async def prepare(
    visitors: Visitors, api: Api, name: str, *, language: str, scripts: bool
) -> Journey:
    """Make the demo's repository, and open a browser that may use the clipboard."""
    repository = api.repository(f"acme/{name}", demo.first_commit())
    page = await visitors.page(language=language, scripts=scripts)
    await page.context.grant_permissions(["clipboard-read", "clipboard-write"])
    person = BrowserPerson(page, language, scripts)
    return Journey(person, api, repository, name)


async def travel(visitors: Visitors, api: Api, name: str, *, language: str, scripts: bool) -> Page:
    """Go from a repository's address to a release and back from the trash; return the last page."""
    journey = await prepare(visitors, api, name, language=language, scripts=scripts)
    await journey.add_repository()
    await journey.open_file()
    await journey.make_variant()
    await journey.see_difference()
    await journey.use_variant()
    return journey.person.page
