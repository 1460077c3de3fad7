"""Adding a repository in a browser: branches and folders are offered while typing."""

from collections.abc import AsyncIterator
from typing import Any

import pytest
from playwright.async_api import Page, expect

from support.accessibility import as_lines, needs_axe, problems_by_view
from support.person import BrowserPerson
from support.service import Api
from support.visitors import Visitors

LONG_FOLDER = "bench/large-name-of-a-folder-that-is-long-enough-to-need-a-second-line/on-a-phone"
FILES = {
    **{f"bench/config/deep/{number:02}.yaml": b"a: 1\n" for number in range(12)},
    "bench/config/b.json": b"{}",
    f"{LONG_FOLDER}/a.yaml": b"a: 1\n",
    "k8s/run-job.yaml": b"kind: Job\n",
}


@pytest.fixture(autouse=True)
async def _added(api: Api) -> AsyncIterator[None]:
    """Delete a test's projects: they are polled, and other tests share the service."""
    yield
    added = [row for row in await api.rows("/projects") if "/adding/" in row["github_repo_url"]]
    answers = [await api.http.delete(f"/projects/{row['id']}") for row in added]
    assert [answer for answer in answers if answer.status_code != 204] == []


async def adding(visitors: Visitors, **options: Any) -> Page:
    page = await visitors.page(**options)
    await page.goto("/ui/projects/new")
    return page


async def test_leaving_the_address_offers_branches_and_folders_and_fills_what_is_untouched(
    api: Api, visitors: Visitors
) -> None:
    repository = api.repository("adding/offers", FILES)
    repository.commit({"x": b"x"}, branch="feature/a")
    person = BrowserPerson(await adding(visitors))
    page = person.page
    await person.stay()
    await page.get_by_label("Job folder").fill("mine")
    await person.field("Repository").fill("adding/offers")
    await person.press("Tab")
    await person.sees("Read from GitHub", "#offers")
    await expect(page.get_by_label("Configuration folder")).to_have_value("bench/config")
    await expect(page.get_by_label("Job folder")).to_have_value("mine")
    await expect(person.field("Name")).to_have_value("offers")
    branches = await page.locator("#offered-branches option").evaluate_all(
        "all => all.map(({value}) => value)"
    )
    assert branches == ["feature/a", "main"]
    # By keyboard alone, a folder of the table is used, and its files are counted.
    await page.get_by_role("button", name="Use k8s for Jobs").focus()
    await person.press("Enter")
    await expect(page.get_by_label("Job folder")).to_have_value("k8s")
    await expect(page.locator("#offers")).to_contain_text("With the folders bench/config and k8s:")
    assert await person.stayed()
    await person.send("Add repository")
    [project] = await api.rows("/projects", q="offers")
    assert (project["config_folder"], project["job_folder"]) == ("bench/config", "k8s")


async def test_a_private_repository_is_offered_by_its_token_which_stays_in_the_form(
    api: Api, visitors: Visitors
) -> None:
    api.repository("adding/private", FILES, private_to=["opener"])
    person = BrowserPerson(await adding(visitors))
    await person.field("Repository").fill("adding/private")
    await person.press("Tab")
    await person.sees("GitHub shows no repository adding/private", "#offers")
    await person.field("GitHub token").fill("opener")
    await person.press("Tab")
    await person.sees("Read from GitHub", "#offers")
    await expect(person.field("GitHub token")).to_have_value("opener")
    assert "opener" not in await person.page.content()
    await person.send("Add repository")
    [project] = await api.rows("/projects", q="private")
    assert project["github_token_set"] is True


async def test_enter_adds_the_repository_although_the_offers_button_comes_first(
    api: Api, visitors: Visitors
) -> None:
    api.repository("adding/enter", FILES)
    person = BrowserPerson(await adding(visitors))
    page = person.page
    await person.field("Repository").fill("adding/enter")
    await person.field("Name").fill("by enter")
    async with page.expect_navigation():
        await page.keyboard.press("Enter")
    [project] = await api.rows("/projects", q="by enter")
    assert page.url.endswith(project["id"])


@pytest.mark.parametrize("language", ["en", "ko"])
async def test_without_scripts_a_button_offers_the_same(
    api: Api, visitors: Visitors, language: str
) -> None:
    name = f"plain-{language}"
    api.repository(f"adding/{name}", FILES)
    page = await adding(visitors, scripts=False, language=language)
    person = BrowserPerson(page, language, scripts=False)
    await person.field("Repository").fill(f"adding/{name}")
    await person.send("Show branches and folders")
    await expect(person.field("Configuration folder")).to_have_value("bench/config")
    use = person.word("Use %(folder)s for configuration", folder="bench/config/deep")
    async with page.expect_navigation():
        await page.get_by_role("button", name=use).click()
    await expect(person.field("Configuration folder")).to_have_value("bench/config/deep")
    await person.send("Add repository")
    [project] = await api.rows("/projects", q=name)
    assert project["config_folder"] == "bench/config/deep"


@needs_axe
@pytest.mark.parametrize("language", ["en", "ko"])
async def test_the_offers_are_accessible_and_fit_a_phone(
    api: Api, visitors: Visitors, language: str
) -> None:
    api.repository(f"adding/looks-{language}", FILES)
    page = await adding(visitors, language=language)
    person = BrowserPerson(page, language)
    await person.field("Repository").fill(f"adding/looks-{language}")
    await person.press("Tab")
    await person.sees("Read from GitHub", "#offers")
    found = await problems_by_view(page)
    assert not found, as_lines(found)
    await person.field("Repository").fill("adding/nothing-here")
    await person.press("Tab")
    await expect(page.locator("#offers .bad")).to_be_visible()
    found = await problems_by_view(page)
    assert not found, as_lines(found)
