"""Slow or absent networks, two people in one file, old tabs: nothing that was typed is lost."""

from pathlib import Path

import pytest
from playwright.async_api import BrowserContext, CDPSession, Dialog, Page, Request, expect

from benchmark_manager.stores.embedded.ports import free_port
from github_test_server import GitHubTestServer
from support.accessibility import AXE, problems_by_view
from support.person import BrowserPerson
from support.process import service_process
from support.reused_database import reused_database
from support.service import Api, Json
from support.visitors import WIDE, Contexts, Visitors
from support.waiting import eventually

TEXT = "model: llama\nmax_num_seqs: 256\nport: 8000\ndtype: auto\n"
_HAS_DRAFT = "Object.keys(localStorage).some((key) => key.startsWith('bm-draft:'))"
MINE = TEXT.replace("256", "512")
THEIRS = TEXT.replace("auto", "bfloat16")


async def variant(api: Api, name: str) -> Json:
    """A variant with the text of its original, in its own project."""
    api.repository(f"acme/{name}", {"config/a.yaml": TEXT.encode()})
    project = await api.synced(f"acme/{name}", name=name)
    return await api.variant(
        project["id"], (await api.files(project["id"]))["config/a.yaml"], modified_name="mine.yaml"
    )


async def content(api: Api, file: Json) -> str:
    return (await api.http.get(f"/modified-files/{file['id']}/raw")).text


async def at_editor(context: BrowserContext, file: Json) -> BrowserPerson:
    person = BrowserPerson(await context.new_page())
    await person.page.goto(f"/ui/modified-files/{file['id']}")
    await person.page.locator("form .cm-content").wait_for()
    return person


async def draft_is_kept(page: Page) -> None:
    """Wait until the browser has stored the draft, which takes half a second."""
    await eventually(lambda: page.evaluate(_HAS_DRAFT), "no draft was kept")


async def network(page: Page, **conditions: float | bool) -> CDPSession:
    session = await page.context.new_cdp_session(page)
    usual = {"offline": False, "latency": 0, "downloadThroughput": -1, "uploadThroughput": -1}
    await session.send("Network.emulateNetworkConditions", {**usual, **conditions})
    return session


def saves(sent: list[Request]) -> list[str]:
    """Return the addresses to which forms were sent; the editor has texts checked as well."""
    return [request.url for request in sent if "/validate" not in request.url]


async def test_on_a_slow_network_a_form_is_sent_once(api: Api, visitors: Visitors) -> None:
    """The button can be pressed repeatedly, while the typed text stays visible."""
    file = await variant(api, "slow")
    person = await at_editor(await visitors.context(), file)
    await person.replace("256", "512")
    sent: list[Request] = []
    person.page.on(
        "request", lambda request: sent.append(request) if request.method == "POST" else None
    )
    await network(person.page, latency=800, downloadThroughput=50_000, uploadThroughput=50_000)
    await person.press("Control+s", "Control+s")
    await person.button("Save").dblclick(no_wait_after=True)
    await eventually(lambda: saves(sent), "the form is not sent")
    await person.press("Control+s")
    assert "512" in await person.page.locator("form .cm-content").inner_text()
    await person.sees("Saved.")
    assert saves(sent) == [person.page.url]
    assert (await api.get(f"/modified-files/{file['id']}"))["revision"] == 2
    assert await content(api, file) == MINE


async def test_on_a_slow_network_a_theme_that_is_shown_is_stored(visitors: Visitors) -> None:
    """Leaving the page at once keeps it, and each of two quick clicks counts."""
    page = await (await visitors.context()).new_page()
    await page.goto("/ui")
    await network(page, latency=400)
    await page.locator("#theme button").dblclick()
    await expect(page.locator("html")).to_have_attribute("data-theme", "light")
    await expect(page.locator("html")).to_have_attribute("data-theme", "dark")
    await page.reload()
    await expect(page.locator("html")).to_have_attribute("data-theme", "dark")


async def test_without_a_network_the_text_stays_and_the_person_is_informed(
    api: Api, visitors: Visitors
) -> None:
    """Also in a tab that was closed, until it is saved."""
    visitors.allow("ERR_INTERNET_DISCONNECTED")
    file = await variant(api, "offline")
    context = await visitors.context()
    person = await at_editor(context, file)
    await person.replace("256", "512")
    await network(person.page, offline=True)
    await person.press("Control+s")
    await expect(person.page.get_by_role("alert")).to_contain_text("nothing was saved")
    assert await person.text() == MINE
    await draft_is_kept(person.page)
    await person.page.close()
    again = await at_editor(context, file)
    assert await again.text() == TEXT
    await again.button("Restore").click()
    await again.save()
    await again.sees("Saved.")
    assert await content(api, file) == MINE
    await again.page.reload()
    await expect(again.page.locator(".draft-offer")).to_have_count(0)


async def test_leaving_with_an_unsaved_text_asks(api: Api, visitors: Visitors) -> None:
    person = await at_editor(await visitors.context(), await variant(api, "leaving"))
    asked: list[str] = []

    async def stay(dialog: Dialog) -> None:
        asked.append(dialog.type)
        await dialog.dismiss()

    person.page.on("dialog", stay)
    await person.link("Compare").click()
    await person.page.wait_for_url("**/compare")
    await person.link("Editor").click()
    await person.page.wait_for_url(lambda url: not url.endswith("compare"))
    assert asked == []
    await person.replace("256", "512")
    await person.link("Compare").click(no_wait_after=True)
    await eventually(lambda: asked, "nothing is asked")
    assert asked == ["beforeunload"]
    assert await person.text() == MINE


@pytest.mark.parametrize("scripts", [True, False])
async def test_of_two_people_at_one_file_neither_loses_a_word(
    api: Api, visitors: Visitors, scripts: bool
) -> None:
    """The second save is refused but not lost: both texts are shown, and can be combined."""
    visitors.allow("status of 412")
    file = await variant(api, f"two-people-{scripts}")
    first, second = [
        BrowserPerson(await visitors.page(scripts=scripts), scripts=scripts) for _ in range(2)
    ]
    for person in (first, second):
        await person.page.goto(f"/ui/modified-files/{file['id']}")
    await first.replace("auto", "bfloat16")
    await first.save()
    await first.sees("Saved.")
    await second.replace("256", "512")
    await second.save()
    await second.sees(
        "Someone else saved changes while you were editing, so your version has not been saved yet."
    )
    assert await content(api, file) == THEIRS
    assert await second.text() == MINE
    assert await second.page.locator("#theirs").input_value() == THEIRS
    if scripts and AXE.exists():
        assert await problems_by_view(second.page) == {}
        await second.page.set_viewport_size(WIDE)
    if scripts:
        # Copy their line with the arrow of the merge view.
        await second.page.get_by_role("button", name="Take the left side's lines").last.click()
    else:
        await second.replace("auto", "bfloat16")
    assert await second.text() == MINE.replace("auto", "bfloat16")
    await second.save()
    await second.sees("Saved.")
    assert await content(api, file) == MINE.replace("auto", "bfloat16")


@pytest.mark.parametrize("scripts", [True, False])
async def test_a_tab_of_a_deleted_project_reports_it_and_keeps_the_text(
    api: Api, visitors: Visitors, scripts: bool
) -> None:
    visitors.allow("status of 404")
    file = await variant(api, f"deleted-{scripts}")
    person = BrowserPerson(await visitors.page(scripts=scripts), scripts=scripts)
    await person.page.goto(f"/ui/modified-files/{file['id']}")
    await person.replace("256", "512")
    if scripts:
        await draft_is_kept(person.page)
    assert (await api.http.delete(f"/projects/{file['project_id']}")).status_code == 204
    if scripts:
        await expect(person.page.get_by_role("alert")).to_contain_text("This was deleted")
    await person.save()
    await person.sees("Not found")
    await person.sees("It was not saved. You can copy it from here.")
    assert await person.page.locator("textarea").input_value() == MINE


async def test_a_tab_outlives_a_restart_of_the_service(
    mongod: str, contexts: Contexts, upstream: GitHubTestServer, tmp_path: Path
) -> None:
    """Saving meanwhile fails visibly, and works later: the token belongs to the browser."""
    async with reused_database(mongod) as url:
        settings: Json = {"mongo_url": url, "github_api_urls": upstream.url, "port": free_port()}
        async with service_process(tmp_path, **settings) as process, process.client() as http:
            api = Api(http, upstream, tmp_path)
            file = await variant(api, "restarted")
            visitors = Visitors(contexts, process.url)
            person = await at_editor(await visitors.context(), file)
            await person.replace("256", "512")
        await person.press("Control+s")
        await expect(person.page.get_by_role("alert")).to_contain_text("nothing was saved")
        async with service_process(tmp_path, **settings) as process, process.client() as http:
            await person.save()
            await person.sees("Saved.")
            assert await content(Api(http, upstream, tmp_path), file) == MINE
            await visitors.leave()
    visitors.allow("ERR_CONNECTION_REFUSED", "ERR_INCOMPLETE_CHUNKED_ENCODING")
    assert visitors.unexpected() == []
