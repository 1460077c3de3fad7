"""Rebasing all variants, and attaching one to another original, without scripts."""

from pathlib import Path
from unicodedata import normalize

import pytest
import pytest_asyncio

from benchmark_manager.factory import Externals, ServiceLimits
from github_test_server import GitHubTestServer, Repository
from support.browser import Browser, WebForm, WebPage
from support.service import Json, Service, running_service
from support.site import check

PATH, NEW = "config/serve.yaml", "config/v2/serve.yaml"
BASE = b"model: llama\ntensor_parallel_size: 2\nmax_model_len: 4096\nseed: 1\n"
DECOMPOSED = normalize("NFD", "config/구성.yaml")
THEIRS = BASE.replace(b"seed: 1", b"seed: 2")


@pytest_asyncio.fixture(scope="module", loop_scope="session")
async def project(module_service: Service) -> Json:
    return await moved_on(module_service)


@pytest.fixture
def repository(service: Service, project: Json) -> Repository:
    return service.github.hosting[project["name"]].repository


async def moved_on(service: Service) -> Json:
    """Make a project with two variants that merge cleanly and one in conflict."""
    repository = service.repository("acme/b", {PATH: BASE, "config/z.yaml": b"a: 1\n", NEW: BASE})
    project = await service.synced("acme/b")
    original = (await service.files(project["id"]))[PATH]
    for name, change in (
        ("tp4", ("size: 2", "size: 4")),
        ("tp8", ("size: 2", "size: 8")),
        ("seed", ("d: 1", "d: 3")),
    ):
        content = BASE.decode().replace(*change)
        await service.variant(
            project["id"], original, modified_name=f"{name}.yaml", content=content
        )
    repository.commit({PATH: THEIRS}, message="upstream")
    await service.sync(project["id"])
    return project


async def variants(service: Service, project: Json) -> dict[str, Json]:
    rows = await service.rows(f"/projects/{project['id']}/modified-files")
    return {row["modified_name"].removesuffix(".yaml"): row for row in rows}


def choices(page: WebPage) -> list[str]:
    return [box["value"] for box in page.all("input") if box.get("name") == "variant"]


async def send(browser: Browser, page: WebPage, chosen: list[str]) -> WebPage:
    form = page.form("/rebase-all")
    answer = await browser.http.post(
        form.action, data={**form.fields, "variant": chosen}, headers=browser.headers
    )
    assert answer.status_code == 200, answer.text
    return WebPage(form.action, answer)


def attaching(page: WebPage) -> WebForm:
    [form] = [
        form for form in page.forms if form.method == "post" and form.action.endswith("/reattach")
    ]
    return form


def address(project: Json) -> str:
    return f"/ui/projects/{project['id']}/modified-files/rebase-all"


async def test_the_lists_of_variants_lead_to_the_preview(
    service: Service, browser: Browser, project: Json
) -> None:
    original = (await service.files(project["id"]))[PATH]["id"]
    listed = await browser.open(f"/ui/projects/{project['id']}/modified-files")
    assert any(link.endswith(address(project)) for link in listed.links())
    shown = await browser.open(f"/ui/projects/{project['id']}/files/{original}")
    assert any(link.endswith(f"{address(project)}?original={original}") for link in shown.links())


async def test_the_preview_shows_the_result_for_each_variant_and_changes_nothing(
    service: Service, browser: Browser, project: Json
) -> None:
    before = await variants(service, project)
    page = await browser.open(address(project))
    check(page)
    lines = " ".join(page.text.split())
    assert "3 variants have originals that changed upstream." in lines
    assert "Rebase config/tp4.yaml config/tp4.yaml merges cleanly seed 1 becomes 2" in lines
    assert "config/seed.yaml needs a decision Both sides changed: seed" in lines
    assert {choice.partition(".")[0] for choice in choices(page)} == {
        before["tp4"]["id"],
        before["tp8"]["id"],
    }
    assert any(
        link.endswith(f"/modified-files/{before['seed']['id']}/merge") for link in page.links()
    )
    assert await variants(service, project) == before


async def test_one_click_rebases_what_is_ticked_and_reports_it(
    service: Service, browser: Browser, project: Json
) -> None:
    page = await browser.open(address(project))
    done = await send(browser, page, choices(page))
    check(done)
    assert "2 variants were rebased." in done.text
    now = await variants(service, project)
    assert {name: row["drift"] for name, row in now.items()} == {
        "tp4": "current",
        "tp8": "current",
        "seed": "conflict",
    }


async def test_a_variant_saved_since_the_preview_is_not_rebased_and_reported(
    service: Service, browser: Browser, project: Json
) -> None:
    page = await browser.open(address(project))
    saved = (await variants(service, project))["tp4"]
    await service.put(f"/modified-files/{saved['id']}", {"description": "newer"})
    done = await send(browser, page, choices(page))
    lines = " ".join(done.text.split())
    assert "1 variant was rebased." in lines
    assert "config/tp4.yaml not rebased Another person changed this in the meantime" in lines
    assert (await variants(service, project))["tp4"]["drift"] == "behind"


async def test_what_the_time_does_not_suffice_for_is_left_with_a_button_that_goes_on(
    database_url: str, github: GitHubTestServer, tmp_path: Path
) -> None:
    no_time = Externals(limits=ServiceLimits(rebase_seconds=0))
    async with running_service(database_url, github, tmp_path, externals=no_time) as service:
        browser, project = Browser(service.http), await moved_on(service)
        page = await browser.open(address(project))
        done = await send(browser, page, choices(page))
        check(done)
        assert "1 variant was rebased. 1 was not processed" in " ".join(done.text.split())
        assert "Rebase the remaining 1" in done.text
        rest = await send(browser, done, choices(done))
        assert "not processed" not in rest.text
        drifts = [row["drift"] for row in (await variants(service, project)).values()]
        assert drifts.count("current") == 2


@pytest.mark.parametrize("chosen", [[], ["nonsense", "a.b.c", "..", "x.99999999999999999999"]])
async def test_without_a_choice_nothing_is_rebased(
    service: Service, browser: Browser, project: Json, chosen: list[str]
) -> None:
    before = await variants(service, project)
    page = await browser.open(address(project))
    again = await send(browser, page, chosen)
    check(again)
    assert "no variant was selected" in again.text
    assert await variants(service, project) == before


async def test_the_page_reports_when_no_original_has_changed(
    service: Service, browser: Browser
) -> None:
    service.repository("acme/c", {PATH: BASE})
    page = await browser.open(address(await service.synced("acme/c")))
    check(page)
    assert "Nothing to rebase" in page.text


async def test_an_orphan_is_attached_to_the_most_similar_original_that_its_page_offers(
    service: Service, browser: Browser, repository: Repository, project: Json
) -> None:
    repository.commit({PATH: None}, message="gone")
    await service.sync(project["id"])
    orphan = (await variants(service, project))["tp4"]
    page = await browser.open(f"/ui/modified-files/{orphan['id']}/merge")
    check(page)
    offered = [radio["value"] for radio in page.all("input") if radio.get("type") == "radio"]
    files = await service.files(project["id"])
    assert offered == [files[NEW]["id"], files["config/z.yaml"]["id"]]
    done = await browser.send(attaching(page))
    check(done)
    assert "The variant was attached." in done.text
    now = await service.get(f"/modified-files/{orphan['id']}")
    assert (now["original_path"], now["path"], now["content"]) == (
        NEW,
        "config/v2/tp4.yaml",
        now["content"],
    )


async def test_a_taken_name_is_reported_beside_the_choice_of_the_original(
    service: Service, browser: Browser, repository: Repository, project: Json
) -> None:
    new = (await service.files(project["id"]))[NEW]
    await service.variant(project["id"], new, modified_name="tp4.yaml")
    repository.commit({PATH: None}, message="gone")
    await service.sync(project["id"])
    rows = await service.rows(f"/projects/{project['id']}/modified-files")
    [orphan] = [row for row in rows if row["path"] == "config/tp4.yaml"]
    page = await browser.open(f"/ui/modified-files/{orphan['id']}/reattach")
    refused = await browser.send(attaching(page), 422)
    check(refused)
    assert "already" in refused.text


async def test_the_originals_offered_are_those_that_the_search_finds(
    service: Service, browser: Browser, repository: Repository, project: Json
) -> None:
    variant = (await variants(service, project))["tp4"]
    repository.commit({DECOMPOSED: b"a: 1\n"}, message="another")
    await service.sync(project["id"])
    files = await service.files(project["id"])
    wanted = {"Z.YAML": "config/z.yaml", normalize("NFC", "구성"): DECOMPOSED}
    url = f"/ui/modified-files/{variant['id']}/reattach"
    pages = {query: await browser.open(f"{url}?q={query}") for query in wanted}
    assert {
        query: [radio["value"] for radio in page.all("input") if radio.get("type") == "radio"]
        for query, page in pages.items()
    } == {query: [files[path]["id"]] for query, path in wanted.items()}


async def test_a_syncs_counts_are_words(
    service: Service, browser: Browser, repository: Repository, project: Json
) -> None:
    repository.commit(
        {"config/y.yaml": b"a: 1\n", "config/z.yaml": None, PATH: BASE}, message="renamed"
    )
    await service.sync(project["id"])
    page = await browser.open(f"/ui/projects/{project['id']}/syncs")
    lines = " ".join(page.text.split())
    assert "1 updated 1 renamed" in lines
    assert "→" not in lines


async def test_a_release_offers_its_comparison_and_commands_before_its_files(
    service: Service, browser: Browser, repository: Repository, project: Json
) -> None:
    repository.commit({f"config/{number}.yaml": b"a: 1\n" for number in range(20)}, message="many")
    await service.sync(project["id"])
    release = await service.post(f"/projects/{project['id']}/releases", {}, 201)
    page = await browser.open(f"/ui/releases/{release['digest']}")
    check(page)
    assert (
        page.text.index("Compare with the release")
        < page.text.index("Use this release")
        < page.text.index("SHA-256")
    )
    [files] = [
        details for details in page.all("details") if "files-of-release" in details.get("class", "")
    ]
    assert "open" not in files
    [searched] = [
        details
        for details in (await browser.open(f"/ui/releases/{release['digest']}?q=19")).all("details")
        if "files-of-release" in details.get("class", "")
    ]
    assert "open" in searched
