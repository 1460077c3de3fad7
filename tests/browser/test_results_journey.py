"""The journey of a result: upload it, see it in the table, compare, and cite it."""

import re

import pytest
from playwright.async_api import expect

from support.measured_pages import plain, upload
from support.person import BrowserPerson
from support.service import Api, Json
from support.sweep_form import ENGINE_PATH, FILES
from support.visitors import Visitors

#: Repeats of the first cell, and of the second one without the last.
FIRST = (30.0, 31.0, 32.0, 33.0)
SECOND = (20.0, 21.0, 22.0)


async def swept(api: Api, name: str) -> tuple[Json, list[str]]:
    """Make a sweep of two cells that no other project has; return it, and their digests."""
    api.repository(f"acme/{name}", {**FILES, "config/name.yaml": f"name: {name}\n".encode()})
    project = await api.synced(f"acme/{name}", name=name, config_folder="config")
    definition = {
        "name": "night",
        "files": {"engine": ENGINE_PATH},
        "axes": [{"name": "seqs", "set": "engine:engine.max_num_seqs", "values": [128, 512]}],
    }
    sweep = await api.post(f"/projects/{project['id']}/sweeps", definition, 201)
    cells = await api.rows(f"/sweeps/{sweep['id']}/cells")
    return sweep, [cell["digest"] for cell in cells]


async def choose_file(person: BrowserPerson, data: bytes) -> None:
    """Open the form, and choose a file."""
    page = person.page
    await page.locator("details.upload summary").click()
    file = {"name": "last.json", "mimeType": "application/json", "buffer": data}
    # A dictionary, as Playwright's guide shows.
    await page.locator("#file").set_input_files(file)  # type: ignore[arg-type]
    await page.locator("#labels").fill("gpu=H100")


@pytest.mark.parametrize(("language", "scripts"), [("en", True), ("ko", False)])
async def test_the_whole_way_of_a_result(
    visitors: Visitors, api: Api, language: str, scripts: bool
) -> None:
    """In both languages, and without JavaScript."""
    sweep, [first, second] = await swept(api, f"results-{language}")
    for release, values in ((first, FIRST), (second, SECOND)):
        for ttft in values:
            await upload(api, release, plain(ttft), labels='{"gpu": "H100"}')
    page = await visitors.page(language=language, scripts=scripts)
    person = BrowserPerson(page, language, scripts)
    await page.goto(f"/ui/sweeps/{sweep['id']}/cells/1")
    await choose_file(person, plain(23.0))
    await person.send("Upload the result")
    await person.sees("The result was uploaded.")
    await person.link("Results of the sweep").click()
    rows = page.locator(".result-table tbody tr")
    await expect(rows).to_have_count(2)
    await rows.first.get_by_role("link", name=person.word("As baseline")).click()
    await expect(rows.first).to_contain_text(person.word("Baseline"))
    await expect(rows.last).to_contain_text(person.word("better"))
    await page.locator("figure.graph svg a").last.press("Enter")
    await expect(page).to_have_url(re.compile("/cells/[01]$"))
    await page.goto(f"/ui/sweeps/{sweep['id']}/cells/1")
    await page.get_by_role("link", name="last.json").click()
    await person.link("Cite").click()
    await expect(page.locator("#cite-text")).to_have_value(re.compile(second))


async def test_a_new_result_is_announced_and_the_table_stays_as_it_is(
    visitors: Visitors, api: Api
) -> None:
    sweep, [first, _] = await swept(api, "results-live")
    await upload(api, first, plain(30.0))
    page = await visitors.page()
    # The first event may come late: what the table shows already is not announced.
    async with page.expect_response(re.compile("/results/list")):
        await page.goto(f"/ui/projects/{sweep['project_id']}/results?sweep={sweep['id']}")
    await expect(page.locator("#new-results")).to_be_empty()
    await upload(api, first, plain(31.0))
    await expect(page.locator("#new-results a")).to_be_visible()
    await expect(page.locator(".result-table tbody")).not_to_contain_text("30.5")
    await page.locator("#new-results a").click()
    await expect(page.locator(".result-table tbody")).to_contain_text("30.5")
