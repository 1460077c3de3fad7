"""The search of a project without scripts: in paths, and in files."""

import re
from collections.abc import AsyncIterator
from unicodedata import normalize
from urllib.parse import urlencode

import pytest
import pytest_asyncio

from support.browser import Browser
from support.service import Json, Service
from support.unchanged_service import unchanged_service

TEXT = b"# <b>bold</b>\nspec:\n  parallelism: 4\n  note: <script>alert(1)</script>\n"


@pytest.fixture
async def service(module_service: Service) -> AsyncIterator[Service]:
    """The service of all tests of the module, as its fixtures left it."""
    async with unchanged_service(module_service) as service:
        yield service


@pytest_asyncio.fixture(scope="module", loop_scope="session")
async def project(module_service: Service) -> Json:
    path = f"config/{normalize('NFD', '설정')}.yaml"
    files = {path: TEXT, "config/other.yaml": b"a: [\nspec: 1\n"}
    module_service.repository("acme/bench", files)
    return await module_service.synced("acme/bench")


def address(project: Json, **query: str) -> str:
    return f"/ui/projects/{project['id']}/search?{urlencode(query)}"


async def test_paths_are_found_in_another_unicode_form(browser: Browser, project: Json) -> None:
    page = await browser.open(f"/ui/projects/{project['id']}?{urlencode({'q': '설정'})}")
    assert "1 path" in page.text
    assert any("in=text" in link for link in page.links())


async def test_a_line_that_was_found_is_marked_and_leads_to_itself(
    browser: Browser, project: Json
) -> None:
    page = await browser.open(address(project, q="PARALLELISM"))
    assert "<mark>parallelism</mark>: 4" in page.html
    assert "spec.parallelism" in page.text
    [link] = [link for link in page.links() if "?line=3#L3" in link]
    shown = await browser.open(link)
    assert re.search(r'id="L3">\s*parallelism: 4', shown.html)


async def test_a_line_of_a_variant_leads_to_its_revision(
    service: Service, browser: Browser, project: Json
) -> None:
    original = (await service.files(project["id"]))["config/other.yaml"]
    variant = await service.variant(
        project["id"], original, modified_name="v.yaml", content="a: 1\nparallelism: 8\n"
    )
    page = await browser.open(address(project, q="parallelism: 8", scope="variants"))
    [link] = [link for link in page.links() if "?line=2#L2" in link]
    assert link.startswith(f"/ui/modified-files/{variant['id']}/revisions/1?")
    assert 'id="L2"' in (await browser.open(link)).html


async def test_what_files_hold_is_text(browser: Browser, project: Json) -> None:
    page = await browser.open(address(project, q="<script>"))
    assert "<mark>&lt;script&gt;</mark>alert(1)&lt;/script&gt;" in page.html
    assert "<script>alert" not in page.html


@pytest.mark.parametrize(("where", "count"), [("text", 2), ("keys", 1), ("values", 0)])
async def test_text_keys_and_values_are_searched_separately(
    browser: Browser, project: Json, where: str, count: int
) -> None:
    page = await browser.open(address(project, q="spec", **{"in": where}))
    assert page.html.count("<mark>") == count
    assert ("Nothing found" in page.text) == (count == 0)


async def test_many_matches_come_in_pages(service: Service, browser: Browser) -> None:
    service.repository("acme/many", {"config/a.yaml": b"- same\n" * 150})
    project = await service.synced("acme/many")
    page = await browser.open(address(project, q="same"))
    assert page.html.count("<mark>") == 100
    [following] = [link for link in page.links() if "cursor=" in link]
    assert (await browser.open(following)).html.count("<mark>") == 50


async def test_a_query_that_cannot_be_one_is_refused_on_the_page(
    service: Service, project: Json
) -> None:
    answer = await service.http.get(address(project, q="a\nb"), headers={"Accept": "text/html"})
    assert answer.status_code == 422
    assert "must be one line" in answer.text
