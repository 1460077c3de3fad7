"""Saving a variant: bytes are kept exactly, and a refused text stays on the page."""

import json
from typing import Any, Protocol

import pytest
import pytest_asyncio

from support.browser import Browser, WebForm
from support.service import Json, Service
from support.site import Site, check

BOM = "\ufeff"
TEXTS = [
    "a: 1\nb: 2\n",
    "a: 1\r\nb: 2\r\n",
    "a: 1\rb: 2\r",
    "a: 1\r\nb: 2\nc: 3\rd: 4",
    f"{BOM}a: 1\r\nlast: 2",
    "\n\n\na: 1\n\n\n",
    "no: end",
    "",
    "a: </textarea>&amp;&lt;\n",
    "a: 🎉\u2028\x85한국어\n",
    "a: '\t \f\x7f'\n",
]


class Make(Protocol):
    """Makes a variant of the only file, with this content."""

    async def __call__(self, text: str, name: str = "v.yaml") -> Json: ...


@pytest_asyncio.fixture(scope="module", loop_scope="session")
async def original(module_service: Service) -> Json:
    """The only file of the only project."""
    module_service.repository("acme/bench", {"config/a.yaml": b"a: 1\n"})
    project = await module_service.synced("acme/bench")
    [file] = (await module_service.files(project["id"])).values()
    return file


@pytest.fixture
def variant(service: Service, original: Json) -> Make:
    async def make(text: str, name: str = "v.yaml") -> Json:
        return await service.post(
            f"/projects/{original['project_id']}/modified-files?allow_invalid=true",
            {"original_file_id": original["id"], "modified_name": name, "content": text},
            201,
        )

    return make


async def editor(browser: Browser, modified: Json) -> WebForm:
    return (await browser.open(f"/ui/modified-files/{modified['id']}")).form(modified["id"])


async def raw(service: Service, modified: Json) -> str:
    return (await service.http.get(f"/modified-files/{modified['id']}/raw")).content.decode()


async def test_a_save_of_another_field_keeps_every_byte(
    service: Service, browser: Browser, variant: Make
) -> None:
    texts = [*TEXTS, "a: \0\r\nb: 1\n"]
    variants = [await variant(text, f"{n}.yaml") for n, text in enumerate(texts)]
    pages = [
        await browser.send(await editor(browser, modified), description="another")
        for modified in variants
    ]
    assert [page.html for page in pages if "Saved." not in page.text] == []
    assert [await raw(service, modified) for modified in variants] == texts


async def test_a_script_can_read_every_line_end(browser: Browser, variant: Make) -> None:
    """HTML turns a bare CR into LF, but not a character reference."""
    modified = await variant("\r\na: 1\rb: 2\n")
    page = await browser.open(f"/ui/modified-files/{modified['id']}")
    assert ">\n&#13;\na: 1&#13;b: 2\n</textarea>" in page.html


@pytest.mark.parametrize("end", ["\n", "\r\n", "\r"])
async def test_new_lines_end_as_the_others_do(
    service: Service, browser: Browser, variant: Make, end: str
) -> None:
    modified = await variant(f"{BOM}a: 1{end}b: 2")
    form = await editor(browser, modified)
    typed = form.fields["content"].replace("b: 2", "b: 3\nc: 4\n")
    await browser.send(form, content=typed)
    assert await raw(service, modified) == f"{BOM}a: 1{end}b: 3{end}c: 4{end}"


async def test_untouched_lines_keep_their_ends_where_they_are_mixed(
    service: Service, browser: Browser, variant: Make
) -> None:
    modified = await variant("a: 1\r\nb: 2\nc: 3\r\nd: 4\n")
    form = await editor(browser, modified)
    assert form.fields["line_end"] == "mixed"
    await browser.send(form, content=form.fields["content"].replace("b: 2", "b: 5\nnew: 6"))
    assert await raw(service, modified) == "a: 1\r\nb: 5\r\nnew: 6\r\nc: 3\r\nd: 4\n"


async def test_what_a_script_sends_exactly_is_taken_exactly(
    service: Service, browser: Browser, variant: Make
) -> None:
    modified = await variant("a: 1\r\n")
    form = await editor(browser, modified)
    saved = []
    for text in TEXTS:
        page = await browser.send(
            form, content="something else", content_exact=json.dumps(text), allow_invalid="1"
        )
        # The page after it is the same editor.
        form = page.form(modified["id"])
        saved.append(await raw(service, modified))
    assert saved == TEXTS


@pytest.mark.parametrize(
    "exact", ["{", "1", '"\\ud800"', "[" * 100_000, "null"], ids=["{", "1", "half", "deep", "null"]
)
async def test_an_invalid_exact_text_is_refused(
    service: Service, browser: Browser, variant: Make, exact: str
) -> None:
    modified = await variant("a: 1\n")
    page = await browser.send(
        await editor(browser, modified), 422, content="typed: 1\n", content_exact=exact
    )
    check(page)
    assert page.form(modified["id"]).fields["content"] == "typed: 1\n"
    assert await raw(service, modified) == "a: 1\n"


async def test_content_that_does_not_parse_is_kept_and_can_be_saved_anyway(
    service: Service, browser: Browser, variant: Make
) -> None:
    modified = await variant("a: 1\r\n")
    page = await browser.send(
        await editor(browser, modified), 422, content="a: [1\nb: 2\n", description="mine"
    )
    check(page)
    assert "line 2, column 2" in page.text
    assert "?allow_invalid" not in page.text, "that is for programs"
    form = page.form(modified["id"])
    assert (form.fields["content"], form.fields["description"]) == ("a: [1\nb: 2\n", "mine")
    assert await raw(service, modified) == "a: 1\r\n"
    assert "allow_invalid" in form.checkboxes
    assert "allow_invalid" not in form.fields
    page = await browser.send(form, allow_invalid="1")
    assert "Saved." in page.text
    assert await raw(service, modified) == "a: [1\r\nb: 2\r\n"


async def test_a_stale_save_shows_both_and_is_not_lost(
    service: Service, browser: Browser, variant: Make
) -> None:
    modified = await variant("a: 1\nb: 2\n")
    form = await editor(browser, modified)
    theirs = {"content": "a: theirs\nb: 2\n"}
    await service.http.put(
        f"/modified-files/{modified['id']}", json=theirs, headers={"X-Actor": "Ada"}
    )
    page = await browser.send(form, 412, content="a: mine\nb: 2\n", description="mine")
    check(page)
    assert "Ada" in page.text
    assert "-a: theirs\n+a: mine\n" in page.text
    form = page.form(modified["id"])
    assert (form.fields["content"], form.fields["description"]) == ("a: mine\nb: 2\n", "mine")
    assert await raw(service, modified) == "a: theirs\nb: 2\n"
    [compare] = [attributes for tag, attributes in page.tags if "data-compare" in attributes]
    ids = {f"#{attributes['id']}" for attributes in page.all("textarea")}
    assert {compare["data-left"], compare["data-right"]} == ids
    await browser.send(form)
    assert await raw(service, modified) == "a: mine\nb: 2\n"
    assert (await service.get(f"/modified-files/{modified['id']}"))["revision"] == 3


async def test_without_its_revision_no_save_is_forced(
    service: Service, browser: Browser, variant: Make
) -> None:
    modified = await variant("a: 1\n")
    form = await editor(browser, modified)
    for revision in ("", "x", "0", "-1", "9" * 50):
        await browser.send(form, 412, revision=revision, content="b: 1\n")
    assert await raw(service, modified) == "a: 1\n"


async def test_a_name_is_changed_or_refused_at_its_field(
    service: Service, browser: Browser, variant: Make
) -> None:
    modified = await variant("a: 1\n")
    page = await browser.send(
        await editor(browser, modified), 422, modified_name="a/b.yaml", content="b: 2\n"
    )
    assert 'id="error-modified_name"' in page.html
    assert page.form(modified["id"]).fields["content"] == "b: 2\n"
    page = await browser.send(page.form(modified["id"]), modified_name="renamed.yaml")
    changed = await service.get(f"/modified-files/{modified['id']}")
    assert (changed["path"], changed["content"]) == ("config/renamed.yaml", "b: 2\n")


async def test_who_saves_is_remembered(service: Service, browser: Browser, variant: Make) -> None:
    modified = await variant("a: 1\n")
    form = await editor(browser, modified)
    form.fields["content"] = "a: 2\n"
    body: Any = form.body()
    await service.http.post(form.action, headers={"X-Actor": "Grace"}, **body)
    assert (await service.get(f"/modified-files/{modified['id']}"))["updated_by"] == "Grace"


async def test_a_variant_is_made_of_an_original_byte_by_byte(own_site: Site) -> None:
    originals, saved = {}, {}
    for number, (path, file) in enumerate(own_site.files.items()):
        url = f"/ui/projects/{own_site.project}/files/{file}/new-variant"
        form = (await own_site.browser.open(url)).form("/new-variant")
        name = f"variant-{number}.{path.rpartition('.')[2]}"
        made = await own_site.browser.send(form, modified_name=name)
        modified = made.url.rpartition("/")[2]
        answer = await own_site.service.http.get(f"/modified-files/{modified}/raw")
        saved[path] = answer.content
        originals[path] = await own_site.service.raw(own_site.project, file)
    assert saved == originals


async def test_a_name_is_free_again_once_its_variant_is_deleted(own_site: Site) -> None:
    url = f"/ui/projects/{own_site.project}/files/{own_site.files['config/a.yaml']}/new-variant"
    form = (await own_site.browser.open(url)).form("/new-variant")
    made = await own_site.browser.send(form, modified_name="variant.yaml")
    taken = await own_site.browser.send(form, 422)
    assert 'id="error-modified_name"' in taken.html
    deletion = (await own_site.browser.open(f"{made.url}/delete")).form("/delete")
    page = await own_site.browser.send(deletion)
    assert "The variant was deleted." in page.text
    await own_site.browser.send(form)


async def test_a_variant_changed_in_the_meantime_is_not_deleted(
    service: Service, browser: Browser, variant: Make
) -> None:
    modified = await variant("a: 1\n")
    form = (await browser.open(f"/ui/modified-files/{modified['id']}/delete")).form("/delete")
    await service.put(f"/modified-files/{modified['id']}", {"content": "a: 2\n"})
    check(await browser.send(form, 412))
    assert await raw(service, modified) == "a: 2\n"
