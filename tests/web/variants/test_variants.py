"""Pages of variants: comparison, revisions, the table, and the trash."""

import re

import pytest
import pytest_asyncio

from benchmark_manager.domain.text import compared_part
from benchmark_manager.domain.text.json_line import json_line
from benchmark_manager.web.texts.limits import COMPARED
from benchmark_manager.web.texts.text_diff import drawn
from support.browser import Browser
from support.service import Json, Service
from support.site import Site, check

BASE = b"engine:\n  seqs: 256\n  name: a\nlist: [1]\n"


@pytest_asyncio.fixture(scope="module", loop_scope="session")
async def original(module_service: Service) -> Json:
    """The only file of a project."""
    module_service.repository("acme/variants", {"config/a.yaml": BASE})
    project = await module_service.synced("acme/variants")
    [file] = (await module_service.files(project["id"])).values()
    return file


async def variants(service: Service, original: Json, *contents: str) -> tuple[Json, list[Json]]:
    project = original["project_id"]
    url = f"/projects/{project}/modified-files?allow_invalid=true"
    bodies = [
        {"original_file_id": original["id"], "modified_name": f"v{n}.yaml", "content": content}
        for n, content in enumerate(contents)
    ]
    made = [await service.post(url, body, 201) for body in bodies]
    return {"id": project, "file": original["id"]}, made


def text_with(*changes: tuple[str, str]) -> str:
    text = BASE.decode()
    for old, new in changes:
        text = text.replace(old, new)
    return text


async def test_the_list_shows_the_changed_values_in_one_line(
    service: Service, browser: Browser, original: Json
) -> None:
    many = text_with(
        ("256", "512"), ("name: a", "name: <b>"), ("[1]", '["' + "x" * 100 + '", "\u202e"]')
    )
    project, _ = await variants(
        service, original, text_with(("256", "512")), many, BASE.decode(), "a: [\n"
    )
    page = await browser.open(f"/ui/projects/{project['id']}/modified-files")
    check(page)
    lines = " ".join(page.text.split())
    assert lines.count("engine.seqs 256 becomes 512") == 2
    assert 'engine.name "a" becomes "<b>"' in lines
    assert "and 1 more" in lines
    assert "x" * 50 not in lines
    assert "\u202e" not in page.text


async def test_the_list_counts_each_drift(
    service: Service, browser: Browser, original: Json
) -> None:
    project, _ = await variants(service, original, text_with(("256", "512")))
    page = await browser.open(f"/ui/projects/{project['id']}/modified-files")
    counts = re.findall(
        r'>([\w ]+) <span class="count">(\d)</span></a>',
        page.html.partition('aria-label="Drift"')[2],
    )
    assert counts == [
        ("Current", "1"),
        ("Upstream changed", "0"),
        ("Conflict", "0"),
        ("Removed upstream", "0"),
    ]


@pytest.fixture
async def comparison(service: Service, original: Json) -> str:
    """Return the address of the comparison of a variant of two revisions."""
    _, [variant] = await variants(service, original, text_with(("256", "512"), ("list: [1]\n", "")))
    await service.put(f"/modified-files/{variant['id']}", {"content": text_with(("256", "1024"))})
    return f"/ui/modified-files/{variant['id']}/compare"


@pytest.mark.parametrize(
    ("against", "before"), [("base", "256"), ("original", "256"), ("revision:1", "512")]
)
async def test_a_variant_is_compared_with_base_original_and_revisions(
    browser: Browser, comparison: str, against: str, before: str
) -> None:
    page = await browser.open(f"{comparison}?against={against}")
    check(page)
    assert f"-  seqs: {before}\n" in page.text
    assert "+  seqs: 1024\n" in page.text
    [box] = [tag for tag in page.all("div") if "data-compare" in tag]
    ids = {tag["id"] for tag in page.all("textarea") if "hidden" in tag}
    assert {box["data-left"], box["data-right"]} == {f"#{name}" for name in ids}


async def test_only_revisions_that_there_are_can_be_compared(
    browser: Browser, comparison: str
) -> None:
    assert "added" in (await browser.open(f"{comparison}?against=revision:1")).text
    assert "byte by byte" in (await browser.open(f"{comparison}?against=revision:2")).text
    check(await browser.open(f"{comparison}?against=revision:3", 404))
    check(await browser.open(f"{comparison}?against=nonsense", 422))


async def test_a_revision_is_restored_byte_by_byte(
    service: Service, browser: Browser, original: Json
) -> None:
    first = "a: 1\r\nb: 2"
    _, [variant] = await variants(service, original, first)
    url = f"/ui/modified-files/{variant['id']}"
    await service.put(
        f"/modified-files/{variant['id']}", {"content": "a: 2\n", "description": "second"}
    )
    page = await browser.open(f"{url}/revisions")
    check(page)
    assert f"{url}/revisions/1" in page.links()
    page = await browser.open(f"{url}/revisions/1")
    assert "a: 1" in page.text
    [button] = [tag for tag in page.all("button") if "data-confirm" in tag]
    assert "revision 1?" in button["data-confirm"]
    done = await browser.send(page.form("/restore"))
    assert "The revision was restored." in done.text
    assert (
        await service.http.get(f"/modified-files/{variant['id']}/raw")
    ).content == first.encode()


async def test_a_stale_restoration_overwrites_nothing(
    service: Service, browser: Browser, original: Json
) -> None:
    _, [variant] = await variants(service, original, "a: 1\n")
    url = f"/ui/modified-files/{variant['id']}"
    await service.put(f"/modified-files/{variant['id']}", {"content": "a: 2\n"})
    page = await browser.open(f"{url}/revisions/1")
    await service.put(f"/modified-files/{variant['id']}", {"content": "a: 3\n"})
    page = await browser.send(page.form("/restore"), 412)
    check(page)
    assert "was not restored" in page.text
    assert (await service.http.get(f"/modified-files/{variant['id']}/raw")).content == b"a: 3\n"
    await browser.send(page.form("/restore"))
    assert (await service.http.get(f"/modified-files/{variant['id']}/raw")).content == b"a: 1\n"


async def test_a_restoration_with_a_taken_name_is_refused(
    service: Service, browser: Browser, original: Json
) -> None:
    _, [variant, other] = await variants(service, original, "a: 1\n", "a: 2\n")
    await service.put(f"/modified-files/{variant['id']}", {"modified_name": "w.yaml"})
    await service.put(f"/modified-files/{other['id']}", {"modified_name": "v0.yaml"})
    page = await browser.open(f"/ui/modified-files/{variant['id']}/revisions/1")
    page = await browser.send(page.form("/restore"), 409)
    check(page)
    assert "already" in page.text


async def test_variants_stand_side_by_side_by_key(
    service: Service, browser: Browser, original: Json
) -> None:
    contents = text_with(("256", "512")), text_with(("list: [1]\n", "list: [true]\n")), "a: [\n"
    project, found = await variants(service, original, *contents)
    page = await browser.open(f"/ui/projects/{project['id']}/files/{project['file']}/variants")
    check(page)
    rows = re.findall(r"<tr>(.*?)</tr>", page.html, re.DOTALL)
    assert [re.findall(r">([^<>]+)</(?:bdi|code|th)>", row) for row in rows] == [
        ["Key", "Original", "v0.yaml", "v1.yaml"],
        ["engine.seqs", "256", "512", "256"],
        ["list[0]", "1", "1", "true"],
    ]
    differing = [tag for tag in page.all("td") if tag.get("class") == "is-mine"]
    assert [tag["data-label"] for tag in differing] == ["v0.yaml", "v1.yaml"]
    assert "does not parse" in page.text
    assert all(f"/ui/modified-files/{variant['id']}" in page.links() for variant in found)


async def test_pages_say_in_words_who_changed_a_value_since_the_base(
    service: Service, browser: Browser
) -> None:
    repository = service.repository("acme/bench", {"config/a.yaml": BASE})
    project = await service.synced("acme/bench")
    file = (await service.files(project["id"]))["config/a.yaml"]
    contents = {
        "behind": text_with(),
        "own": text_with(("[1]", "[2]")),
        "both": text_with(("256", "512")),
        "agreed": text_with(("256", "1024")),
    }
    for name, content in contents.items():
        await service.variant(project["id"], file, modified_name=f"{name}.yaml", content=content)
    repository.commit({"config/a.yaml": text_with(("256", "1024")).encode()})
    await service.sync(project["id"])
    page = await browser.open(f"/ui/projects/{project['id']}/files/{file['id']}/variants")
    check(page)
    cells = re.findall(r'<td data-label="(\w+)\.yaml"(?: class="([\w-]+)")?>(.*?)</td>', page.html)
    shown = [
        (name, css_class, " ".join(re.sub("<[^>]+>", " ", html).split()))
        for name, css_class, html in cells
    ]
    assert shown == [
        ("agreed", "", "1024 both, to the same value Base: 256"),
        ("behind", "is-upstream", "256 changed upstream since"),
        ("both", "is-both", "512 both Base: 256"),
        ("own", "is-upstream", "256 changed upstream since"),
        ("agreed", "", "1"),
        ("behind", "", "1"),
        ("both", "", "1"),
        ("own", "is-mine", "2 changed here"),
    ]
    page = await browser.open(f"/ui/projects/{project['id']}/modified-files")
    check(page)
    lists = re.findall(r'label="Changed values" class="clip">(.*?)</td>', page.html, re.DOTALL)
    assert [" ".join(re.sub("<[^>]+>", " ", html).split()) for html in lists] == [
        "engine.seqs 256 becomes 1024 both, to the same value",
        "engine.seqs 256 becomes 1024 changed upstream since",
        "engine.seqs 256 becomes 512 both Original: 1024",
        "list[0] 1 becomes 2 changed here engine.seqs 256 becomes 1024 changed upstream since",
    ]


async def test_a_table_says_whose_base_does_not_parse(service: Service, browser: Browser) -> None:
    repository = service.repository("acme/bench", {"config/a.yaml": b"a: {{ x }}\n"})
    project = await service.synced("acme/bench")
    file = (await service.files(project["id"]))["config/a.yaml"]
    await service.variant(project["id"], file, modified_name="lost.yaml", content="a: 1\n")
    repository.commit({"config/a.yaml": b"a: 2\n"})
    await service.sync(project["id"])
    page = await browser.open(f"/ui/projects/{project['id']}/files/{file['id']}/variants")
    check(page)
    assert [tag["data-label"] for tag in page.all("td") if tag.get("class") == "differs"] == [
        "lost.yaml"
    ]
    assert "it is unknown who changed what" in page.text


async def test_the_note_of_a_deletion_offers_to_undo_it(
    service: Service, browser: Browser, original: Json
) -> None:
    project, [variant] = await variants(service, original, "a: 1\n")
    page = await browser.open(f"/ui/modified-files/{variant['id']}/delete")
    page = await browser.send(page.form("/delete"))
    check(page)
    assert page.url.endswith("/modified-files")
    assert "was deleted" in page.text
    back = await browser.send(page.form(f"/trash/{variant['id']}"))
    assert "The variant was restored." in back.text
    assert (await service.http.get(f"/modified-files/{variant['id']}/raw")).content == b"a: 1\n"
    assert await service.rows(f"/projects/{project['id']}/trash") == []


async def test_a_deleted_file_comes_back_under_another_name(
    service: Service, browser: Browser, original: Json
) -> None:
    project, [variant] = await variants(service, original, "a: 1\n")
    await service.http.delete(f"/modified-files/{variant['id']}")
    body = {"original_file_id": project["file"], "modified_name": "v0.yaml"}
    await service.post(f"/projects/{project['id']}/modified-files", body, 201)
    trash = await browser.open(f"/ui/projects/{project['id']}/trash")
    page = await browser.send(trash.form(f"/trash/{variant['id']}"), 422)
    check(page)
    assert "already" in page.text
    form = page.form(f"/trash/{variant['id']}")
    assert form.fields["modified_name"] == "v0.yaml"
    page = await browser.send(form, 422, modified_name="<b>/x.yaml")
    form = page.form(f"/trash/{variant['id']}")
    assert form.fields["modified_name"] == "<b>/x.yaml"
    await browser.send(form, modified_name="other.yaml")
    assert (await service.get(f"/modified-files/{variant['id']}"))["modified_name"] == "other.yaml"


async def test_a_reset_is_undone_and_what_cannot_come_back_is_shown(
    service: Service, browser: Browser, original: Json
) -> None:
    project, _ = await variants(service, original, "a: 1\n", "a: 2\n")
    home = f"/ui/projects/{project['id']}"
    page = await browser.send((await browser.open(f"{home}/reset")).form("/reset"))
    assert "All variants of the project were deleted." in page.text
    undo = page.form("/undo-reset")
    check(await browser.send((await browser.open(f"{home}/reset")).form("/reset")))
    body = {"original_file_id": project["file"], "modified_name": "v0.yaml"}
    await service.post(f"/projects/{project['id']}/modified-files", body, 201)
    page = await browser.send(undo)
    check(page)
    assert "Some variants could not be restored" in page.text
    assert [row["path"] for row in await service.rows(f"/projects/{project['id']}/trash")] == [
        "config/v0.yaml"
    ]
    assert len(await service.rows(f"/projects/{project['id']}/modified-files")) == 2


ID = "a" * 24
FORGED_NOTES = [
    "deleted",
    "deleted.x",
    "deleted./evil",
    f"deleted.{ID}.b",
    f"reset.{ID}",
    f"saved.{ID}",
]


@pytest.mark.parametrize("note", FORGED_NOTES)
async def test_a_forged_note_offers_no_undo(browser: Browser, note: str) -> None:
    page = await browser.open("/ui", headers={"Cookie": f"bm_note={note}"})
    check(page)
    assert "Undo" not in page.text


def test_values_are_json_of_what_can_be_seen() -> None:
    assert (
        json_line({"a": ["é\u202e한\n", None, True]}, 100) == '{"a": ["é\\u202e한\\n", null, true]}'
    )


def rows(before: str, after: str) -> list[str]:
    """Return the rows of a comparison as text, without file names and hunk headers."""
    drawn_rows = drawn(compared_part(before, after, 1, COMPARED, "exact"), ("a", "b"))
    return re.sub(r"</?span[^>]*>", "", str(drawn_rows.html)).removesuffix("\n").split("\n")[3:]


def test_a_carriage_return_is_shown_where_it_differs() -> None:
    assert rows("a\r\n", "a\n") == ["-a␍", "+a"]
    assert rows("a\r\n", "b\r\n") == ["-a", "+b"]
    assert rows("x\n", "<b>\u202e") == [
        "-x",
        "+&lt;b&gt;<b>U+202E</b>",
        "\\ No newline at end of file",
    ]


async def test_the_proposed_name_is_free(service: Service, browser: Browser) -> None:
    service.repository("acme/bench", {"config/a.yaml": b"a: 1\n"})
    project = await service.synced("acme/bench")
    [file] = (await service.files(project["id"])).values()
    form_url = f"/ui/projects/{project['id']}/files/{file['id']}/new-variant"
    names = []
    for _ in range(3):
        form = (await browser.open(form_url)).form("/new-variant")
        names.append(form.fields["modified_name"])
        await browser.send(form)
    assert names == ["a-variant.yaml", "a-variant-2.yaml", "a-variant-3.yaml"]


async def test_a_reset_is_undone_as_a_whole_from_the_trash_too(own_site: Site) -> None:
    home = f"/ui/projects/{own_site.project}"
    before = {
        row["id"]
        for row in await own_site.service.rows(f"/projects/{own_site.project}/modified-files")
    }
    await own_site.browser.send((await own_site.browser.open(f"{home}/reset")).form("/reset"))
    page = await own_site.browser.open(f"{home}/trash")
    check(page)
    page = await own_site.browser.send(page.form("/undo-reset"))
    assert "All deleted variants were restored." in page.text
    assert {
        row["id"]
        for row in await own_site.service.rows(f"/projects/{own_site.project}/modified-files")
    } == before


async def test_more_variants_than_a_file_shows_have_a_list_of_their_own(
    service: Service, browser: Browser
) -> None:
    service.repository("acme/bench", {"config/a.yaml": b"a: 1\n", "config/b.yaml": b"b: 1\n"})
    project = await service.synced("acme/bench")
    files = await service.files(project["id"])
    for number in range(10):
        await service.variant(
            project["id"], files["config/a.yaml"], modified_name=f"v{number}.yaml"
        )
    await service.variant(project["id"], files["config/b.yaml"], modified_name="other.yaml")
    page = await browser.open(f"/ui/projects/{project['id']}/files/{files['config/a.yaml']['id']}")
    [url] = [link for link in page.links() if "/modified-files?original=" in link]
    page = await browser.open(url)
    check(page)
    assert all(f"v{number}.yaml" in page.text for number in range(10))
    assert "other.yaml" not in page.text
    assert "No matching variants" in (await browser.open(f"{url}&drift=conflict")).text
    await browser.open(f"/ui/projects/{project['id']}/modified-files?original=nothing", 404)
