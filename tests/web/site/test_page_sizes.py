"""No page is larger than 2 MB, and all data can be reached."""

import re
from dataclasses import dataclass
from html import unescape

import pytest
from hypothesis import given
from hypothesis import strategies as st

from benchmark_manager.domain.text import Extent, compared_part, text_part
from benchmark_manager.models.original import FileEntry
from benchmark_manager.models.problem import Problem
from benchmark_manager.web.originals.tree import tree_page
from benchmark_manager.web.site.rendering import editor_size
from benchmark_manager.web.texts.limits import (
    COMPARED,
    COMPARED_BESIDE,
    EDITOR,
    LISTING,
    NAME,
    PAGE,
    PROBLEM_CHARACTERS,
    TREE,
)
from benchmark_manager.web.texts.listing import numbered
from benchmark_manager.web.texts.problems import listed
from benchmark_manager.web.texts.text_diff import drawn
from benchmark_manager.web.texts.visible import BYTES_A_CHARACTER, html_size, seen
from support.browser import Browser, WebForm, WebPage
from support.service import Json, Service
from support.site import check

MEBI = 1024 * 1024

#: Texts of up to 1 MiB that become as much HTML as possible, each in its own way.
HOSTILE = {
    "empty lines": "\n" * MEBI,
    "empty lines of CR": "\r" * MEBI,
    "empty lines of CRLF": "\r\n" * (MEBI // 2),
    "references": "# " + "&" * (MEBI - 3) + "\n",
    "tags": "# " + "</pre>" * (MEBI // 6 - 1) + "\n",
    "quotes": "# " + "\"'" * (MEBI // 2 - 2) + "\n",
    "zero-width spaces": "# " + "\u200b" * 340_000 + "\n",
    "zero-width characters of two kinds": "# " + "\u200b\u200c" * 170_000 + "\n",
    "references and zero-width spaces": "# " + "&\u200b" * 260_000 + "\n",
    "zero-width spaces on lines of their own": "#\u200b\n" * 200_000,
    "emoji": "# " + "\N{PARTY POPPER}" * 260_000 + "\n",
    "NUL": "# \0" + '\\"' * 500_000 + "\n",
    "short lines": "a\n" * (MEBI // 2),
    "anything": "".join(f"k{n}: <&'\">\u202e{n}\n" for n in range(36_000)),
}
#: A name of 255 bytes that becomes as much HTML as possible.
NAME_OF_255 = "a\u200b" * 62 + ".yaml"


@given(
    st.text(st.sampled_from("a&<>\"'\u200b\u200c\u202e\0é한\N{PARTY POPPER}"), max_size=60)
    | st.text(max_size=60)
)
def test_a_character_takes_few_bytes(text: str) -> None:
    """The limits assume this number; a single run takes a few bytes more for its count."""
    assert html_size(text) <= BYTES_A_CHARACTER * len(text) + 8


@pytest.mark.parametrize("kind", HOSTILE)
def test_a_part_of_a_hostile_text_is_small(kind: str) -> None:
    text = HOSTILE[kind][:200_000]
    first = text_part(text, 1, LISTING)
    sizes = [
        len(numbered(text_part(text, number, LISTING).lines, ()).encode())
        for number in {1, 2, first.count}
    ]
    assert max(sizes) <= 670_000


@pytest.mark.parametrize(
    ("extent", "most"), [(COMPARED, 500_000), (COMPARED_BESIDE, 250_000)], ids=["large", "small"]
)
@pytest.mark.parametrize("kind", sorted(HOSTILE.keys() - {"empty lines", "short lines"}))
def test_a_part_of_a_hostile_comparison_is_small(kind: str, extent: Extent, most: int) -> None:
    text = HOSTILE[kind][:120_000]
    part = compared_part(text, text.replace("&", "a").replace("\u200b", "&"), 1, extent, "any")
    assert len(drawn(part, (NAME_OF_255, NAME_OF_255)).html.encode()) <= most


def test_problems_have_little_room_together() -> None:
    found = [
        Problem(severity="error", code="x", message="&\u200b" * 5000, line=1, column=1)
        for _ in range(100)
    ]
    shown = listed(found)
    assert sum(len(problem.message) for problem in shown.problems) <= PROBLEM_CHARACTERS + 1
    assert shown.more == 100 - len(shown.rows)


def test_a_name_in_a_list_is_short() -> None:
    assert len(str(seen("a\u200b" * 5000)).encode()) <= BYTES_A_CHARACTER * (NAME + 3)
    assert str(seen("x/" * 1000 + "end.yaml")).endswith("/end.yaml")


@pytest.mark.parametrize(
    "path",
    ["{n}.yaml", "{a}/{n}.yaml", "{a}\u200b{b}/{n}\u200b.yaml"],
    ids=["one folder", "many folders", "invisible names"],
)
def test_a_tree_of_many_files_is_small(path: str) -> None:
    names = [path.format(n=n, a=n // 1000, b=n // 20) for n in range(20_000)]
    page = tree_page(
        [FileEntry(f"{0:024}", name, "config", "valid", 0, 0, 0) for name in sorted(names)],
        "",
        0,
    )
    assert 10 < len(page.rows) <= 2 * TREE // 250


@dataclass(frozen=True, slots=True)
class OneFile:
    """A project with one file, and a browser."""

    service: Service
    browser: Browser
    project: str
    file: Json

    @property
    def home(self) -> str:
        return f"/ui/projects/{self.project}"

    async def open(self, url: str, status: int = 200) -> WebPage:
        return sized(await self.browser.open(url, status))

    async def raw(self, variant: str) -> bytes:
        return (await self.service.http.get(f"/modified-files/{variant}/raw")).content


def sized(page: WebPage) -> WebPage:
    assert len(page.answer.content) <= PAGE, page.url
    check(page)
    return page


async def one_file(service: Service, browser: Browser, content: str) -> OneFile:
    service.repository("acme/large", {"config/a.yaml": content.encode()})
    project = await service.synced("acme/large")
    [file] = (await service.files(project["id"])).values()
    return OneFile(service, browser, project["id"], file)


@pytest.mark.parametrize(
    "kind", ["references and zero-width spaces", "zero-width spaces on lines of their own"]
)
async def test_pages_of_a_hostile_file_are_small_and_lose_nothing(
    service: Service, browser: Browser, kind: str
) -> None:
    """File, form for a variant, editor, comparison and revision; saving keeps every byte."""
    text = HOSTILE[kind]
    made = await one_file(service, browser, text)
    await made.open(f"{made.home}/files/{made.file['id']}?part=2")
    page = await made.open(f"{made.home}/files/{made.file['id']}/new-variant")
    done = sized(await browser.send(page.form("/new-variant"), modified_name="v.yaml"))
    variant = done.url.rpartition("/")[2]
    assert await made.raw(variant) == text.encode()
    page = await made.open(f"/ui/modified-files/{variant}")
    assert "Saved." in sized(await browser.send(page.form(variant), description="another")).text
    assert await made.raw(variant) == text.encode()
    await service.put(
        f"/modified-files/{variant}", {"content": text[: len(text) // 2] + "\nb: 1\n"}
    )
    await made.open(f"/ui/modified-files/{variant}/compare")
    await made.open(f"/ui/modified-files/{variant}/revisions/1")
    await made.open(f"{made.home}/files/{made.file['id']}/variants")


async def test_what_was_typed_too_long_for_a_page_is_in_the_form_still(
    service: Service, browser: Browser
) -> None:
    """The page reports a refusal, and the same form accepts the text as a file."""
    made = await one_file(service, browser, "a: 1\n")
    page = await made.open(f"{made.home}/files/{made.file['id']}/new-variant")
    typed = "a: '" + "&" * 700_000 + "'\nb: [\n"
    refused = sized(await browser.send(page.form("/new-variant"), 422, content=typed))
    assert "Go back in your browser" in refused.text
    form = refused.form("/new-variant")
    assert "content" not in form.fields
    again = sized(await browser.send(form, 422))
    assert "Choose the file with the content." in again.text
    content = typed.replace("[", "1").encode()
    answer = await sent_as_file(service, again.form("/new-variant"), content)
    assert await made.raw(answer.rpartition("/")[2]) == content


async def sent_as_file(service: Service, form: WebForm, content: bytes) -> str:
    """Send the form with a file, and return the page of the redirect."""
    fields = {
        name: (None, value.encode())
        for name, value in form.fields.items()
        if name != "content_file"
    }
    files = {**fields, "content_file": ("any name.yaml", content)}
    answer = await service.http.post(form.action, files=files, headers={"Accept": "text/html"})
    assert answer.status_code == 303, answer.text
    return str(answer.headers["location"])


async def test_a_file_that_is_not_text_is_refused(service: Service, browser: Browser) -> None:
    made = await one_file(service, browser, HOSTILE["references"])
    page = await made.open(f"{made.home}/files/{made.file['id']}/new-variant")
    form = page.form("/new-variant")
    fields = {name: (None, value.encode()) for name, value in form.fields.items()}
    files = {**fields, "content_file": ("x.yaml", b"a: \xff\n")}
    answer = await service.http.post(form.action, files=files, headers={"Accept": "text/html"})
    assert answer.status_code == 422
    assert "The file is not UTF-8" in answer.text


async def test_many_conflicts_are_decided_in_parts(service: Service, browser: Browser) -> None:
    """Decisions of one part are kept on the others, and all of them are merged."""
    keys = 250
    base = "".join(f"key{n}: 1\n" for n in range(keys))
    repository = service.repository("acme/large", {"config/a.yaml": base.encode()})
    project = await service.synced("acme/large")
    [file] = (await service.files(project["id"])).values()
    variant = await service.variant(
        project["id"], file, content=base.replace(": 1", f": '{'&' * 2000}'")
    )
    repository.commit({"config/a.yaml": base.replace(": 1", ": 3").encode()}, message="moved")
    await service.sync(project["id"])
    page = sized(await browser.open(f"/ui/modified-files/{variant['id']}/merge"))
    parts: list[set[str]] = []
    for part in range(1, 4):
        form = page.form("/merge")
        shown = {tag["name"] for tag in page.all("input") if tag.get("type") == "radio"}
        parts.append(shown)
        form.action = f"/ui/modified-files/{variant['id']}/merge/preview"
        form.fields |= dict.fromkeys(shown, "theirs")
        page = sized(await browser.send(form, conflicts=str(part + 1)))
    assert max(map(len, parts)) <= 100
    assert len(set().union(*parts)) == keys
    assert "All conflicts are decided" in page.text
    await browser.send(page.form("/merge"))
    assert (await service.http.get(f"/modified-files/{variant['id']}/raw")).text == base.replace(
        ": 1", ": 3"
    )


async def rows_of(service: Service, url: str, row: str) -> list[str]:
    """Return what the expression finds on all pages of a list; each page is small."""
    answers = [await service.http.get(url, headers={"Accept": "text/html"})]
    while links := re.findall(r'<a href="(\?[^"]*)" rel="next">', answers[-1].text):
        following = url + unescape(links[0])
        answers.append(await service.http.get(following, headers={"Accept": "text/html"}))
    assert [answer.status_code for answer in answers] == [200] * len(answers)
    assert max(len(answer.content) for answer in answers) <= PAGE
    return [found for answer in answers for found in re.findall(row, answer.text)]


async def test_lists_of_hostile_names_are_small(service: Service) -> None:
    """Tree, search, timeline, sync, release and its form: links lead to all rows."""
    names = [f"config/{n:04}{NAME_OF_255[: 255 // 5 * 4]}.yaml" for n in range(1100)]
    service.repository("acme/names", dict.fromkeys(names, b"a: 1\n"))
    project = await service.synced("acme/names")
    home = f"/ui/projects/{project['id']}"
    [sync] = await service.rows(f"/projects/{project['id']}/syncs")
    release = await service.post(f"/projects/{project['id']}/releases", {}, 201)
    row = r"<bdi>(?:config/)?(\d{4})a"
    assert len(await rows_of(service, home, row)) == 1100
    assert len(await rows_of(service, f"/ui/releases/{release['digest']}", row)) == 1100
    # A sync's record holds its first thousand changes.
    assert len(await rows_of(service, f"{home}/syncs/{sync['id']}", row)) == 1000
    urls = (f"{home}?q=config", f"{home}/syncs", f"{home}/releases")
    assert all([await rows_of(service, url, row) for url in urls])


async def test_a_table_of_many_values_goes_on_by_its_links(
    service: Service, browser: Browser
) -> None:
    base = "".join(f"key{n:04}: 1\n" for n in range(500))
    made = await one_file(service, browser, base)
    for number in range(3):
        body = {
            "content": base.replace(": 1", f': "{"&" * 40}{number}"'),
            "modified_name": f"v{number}.yaml",
        }
        await service.variant(made.project, made.file, **body)
    url = f"{made.home}/files/{made.file['id']}/variants"
    assert len(set(await rows_of(service, url, r'<bdi class="key">(key\d+)</bdi>'))) == 500


@pytest.mark.parametrize(
    "text",
    ['  "key": "value",\n' * (MEBI // 18), "key: 'value' # and a comment\n" * (MEBI // 29)],
    ids=["JSON", "YAML"],
)
def test_a_text_of_the_greatest_size_for_files_fits_into_an_editor(text: str) -> None:
    """1 MiB of ordinary YAML or JSON with quotes is edited on a page."""
    assert editor_size(text) <= EDITOR
