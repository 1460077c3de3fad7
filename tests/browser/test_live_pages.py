"""A page that is updated while a person uses it does not disturb them."""

import re

from playwright.async_api import Page, expect

from support.service import Api, Json
from support.visitors import Visitors


async def moved(api: Api, name: str) -> tuple[Json, Json]:
    """A project with a variant, after its second sync."""
    repository = api.repository(
        f"acme/{name}", {"config/a.yaml": b"a: 1\n", "config/b.yaml": b"b: 1\n"}
    )
    project = await api.synced(f"acme/{name}", name=name)
    file = await api.variant(
        project["id"], (await api.files(project["id"]))["config/a.yaml"], modified_name="v.yaml"
    )
    repository.commit({"config/c.yaml": b"c: 1\n"}, message="second")
    await api.sync(project["id"])
    return project, file


async def another_change(api: Api, name: str, page: Page) -> None:
    """Commit upstream, and wait until the page shows it."""
    repository = api.github.hosting[f"acme/{name}"].repository
    sha = repository.commit(
        {"config/a.yaml": b"a: 2\n", "config/d.yaml": b"d: 1\n"}, message="third"
    )
    [project] = await api.rows("/projects", q=name)
    await api.sync(project["id"])
    await expect(page.locator("main")).to_contain_text(sha[:7])


async def test_what_is_opened_stays_open_and_what_is_focused_keeps_the_focus(
    api: Api, visitors: Visitors
) -> None:
    project, _ = await moved(api, "opened")
    page = await visitors.page()
    await page.goto(f"/ui/projects/{project['id']}/syncs")
    first = page.locator(".timeline > li").last
    await first.locator("summary").click()
    link = first.get_by_role("link", name="Details of this sync")
    await link.focus()
    await another_change(api, "opened", page)
    await expect(page.locator(".timeline > li")).to_have_count(3)
    assert await link.is_visible()
    await expect(link).to_be_focused()
    await expect(page.locator(".timeline details[open]")).to_have_count(1)


async def test_typed_settings_stay_while_the_status_beside_them_changes(
    api: Api, visitors: Visitors
) -> None:
    project, _ = await moved(api, "settings")
    page = await visitors.page()
    await page.goto(f"/ui/projects/{project['id']}/settings")
    await page.get_by_label("Branch").fill("other")
    await another_change(api, "settings", page)
    await expect(page.get_by_label("Branch")).to_have_value("other")


async def test_a_search_goes_on_while_its_results_change(api: Api, visitors: Visitors) -> None:
    project, file = await moved(api, "searched")
    page = await visitors.page()
    await page.goto(f"/ui/projects/{project['id']}/modified-files")
    await page.locator("#q").click()
    await page.keyboard.type("v.ya")
    await expect(page).to_have_url(re.compile("q=v.ya$"))
    await another_change(api, "searched", page)
    await expect(page.locator("#results")).to_contain_text("Upstream changed")
    await expect(page.locator("#q")).to_be_focused()
    await page.keyboard.type("ml")
    await expect(page.locator("#q")).to_have_value("v.yaml")
    await api.http.delete(f"/modified-files/{file['id']}")
    await expect(page.locator("#results")).to_contain_text("No matching variants")


async def test_an_editor_stays_as_it_is_while_facts_and_variants_change(
    api: Api, visitors: Visitors
) -> None:
    project, file = await moved(api, "editors")
    page = await visitors.page()
    await page.goto(f"/ui/modified-files/{file['id']}")
    await page.locator("form .cm-content").click()
    await page.keyboard.press("Control+End")
    await page.keyboard.type("typed: 1")
    original = await visitors.page()
    await original.goto(f"/ui/projects/{project['id']}/files/{file['original_file_id']}")
    await original.locator(".cm-content").wait_for()
    await api.put(f"/modified-files/{file['id']}", {"description": "described"})
    await expect(original.locator("#variants")).to_contain_text("described")
    await expect(page.locator("#facts")).to_contain_text("Revision 2")
    await page.keyboard.type("2")
    assert (await page.locator("form .cm-content").inner_text()).splitlines()[-1] == "typed: 12"
    assert await page.locator(".cm-editor").count() == 1
    assert await original.locator(".cm-editor").count() == 1


async def test_a_sweep_that_is_extended_grows_on_its_page(api: Api, visitors: Visitors) -> None:
    project, _ = await moved(api, "swept")
    axis = {"name": "a", "set": "file:a", "values": [1, 2]}
    definition = {"name": "s", "files": {"file": "config/a.yaml"}, "axes": [axis]}
    sweep = await api.post(f"/projects/{project['id']}/sweeps", definition, 201)
    page = await visitors.page()
    await page.goto(f"/ui/sweeps/{sweep['id']}")
    rows = page.locator(".cell-list tbody tr")
    await expect(rows).to_have_count(2)
    axis["values"] = [1, 2, 3]
    await api.put(f"/sweeps/{sweep['id']}", definition)
    await expect(rows).to_have_count(3)
    await expect(page.locator("#facts")).to_contain_text("3")
