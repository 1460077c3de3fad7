"""The merge on pages: decisions give the expected text, and none of them is lost."""

import json
from dataclasses import dataclass, replace
from typing import Any

import pytest
import pytest_asyncio
from starlette.datastructures import FormData

from benchmark_manager.models.merge import MergeConflict
from benchmark_manager.web.site.forms import Form
from benchmark_manager.web.variants.decisions import read_decisions
from github_test_server import Repository
from support.browser import Browser, WebForm, WebPage
from support.service import Json, Service
from support.site import check

BASE = "# ours\na: 1\nb: 2\nc: 3\nd: 4\n"
MINE = "# ours\na: 10\nb: 20\nc: 30\nd: 4\n"
THEIRS = "# theirs\na: 100\nb: 200\nc: 300\nd: 4\ne: 5\n"


@dataclass(frozen=True, slots=True)
class Moved:
    """A variant whose original has changed."""

    service: Service
    browser: Browser
    repository: Repository
    project: str
    id: str

    @property
    def url(self) -> str:
        return f"/ui/modified-files/{self.id}"

    async def open(self, page: str = "/merge") -> WebPage:
        return await self.browser.open(self.url + page)

    async def raw(self) -> str:
        return (await self.service.http.get(f"/modified-files/{self.id}/raw")).content.decode()

    async def file(self) -> Json:
        return await self.service.get(f"/modified-files/{self.id}")

    async def move(self, text: str | None) -> None:
        self.repository.commit(
            {"config/a.yaml": None if text is None else text.encode()}, message="moved"
        )
        await self.service.sync(self.project)


async def moved(
    service: Service,
    browser: Browser,
    base: str,
    mine: str,
    theirs: str | None,
    name: str = "acme/bench",
) -> Moved:
    files = {"config/a.yaml": base.encode(), "config/other.yaml": b"x: 1\n"}
    repository = service.repository(name, files)
    project = await service.synced(name)
    file = (await service.files(project["id"]))["config/a.yaml"]
    body = {"original_file_id": file["id"], "modified_name": "mine.yaml", "content": mine}
    made = await service.post(
        f"/projects/{project['id']}/modified-files?allow_invalid=true", body, 201
    )
    found = Moved(service, browser, repository, project["id"], made["id"])
    await found.move(theirs)
    return found


@pytest_asyncio.fixture(scope="module", loop_scope="session")
async def _conflicting(module_service: Service) -> Moved:
    browser = Browser(module_service.http)
    return await moved(module_service, browser, BASE, MINE, THEIRS, name="acme/conflicting")


@pytest.fixture
def conflicting(_conflicting: Moved, service: Service) -> Moved:
    """Three keys that were changed on both sides; what a test does to them is undone."""
    return replace(_conflicting, service=service)


def conflict_keys(page: WebPage) -> list[str]:
    """Return the keys of the conflicts in the form, in the order of the page."""
    return [
        tag["id"].removeprefix("conflict-")
        for tag in page.all("fieldset")
        if "data-conflict" in tag
    ]


def chosen(page: WebPage) -> dict[str, str]:
    return {
        name: value
        for name, value in page.form("/merge").fields.items()
        if name.startswith(("take-", "value-"))
    }


async def previewed(case: Moved, form: WebForm, **changes: str) -> WebPage:
    preview = WebForm(
        f"{case.url}/merge/preview", form.method, form.enctype, {**form.fields, **changes}
    )
    return await case.browser.send(preview)


async def test_a_clean_merge_is_one_click(service: Service, browser: Browser) -> None:
    case = await moved(
        service, browser, BASE, BASE.replace("d: 4", "d: 40"), BASE.replace("a: 1", "a: 7")
    )
    page = await case.open()
    check(page)
    assert "changed different lines" in page.text
    assert "-a: 1\n" in page.text
    assert "+a: 7\n" in page.text
    done = await browser.send(page.form("/merge"))
    assert "The variant was rebased." in done.text
    assert await case.raw() == "# ours\na: 7\nb: 2\nc: 3\nd: 40\n"
    assert (await case.file())["drift"] == "current"
    assert "there is nothing to merge" in (await case.open()).text


async def test_a_merge_by_keys_is_reported_as_one(service: Service, browser: Browser) -> None:
    case = await moved(service, browser, "a: 1\nb: 2\n", "a: 9\nb: 2\n", "a: 1\nb: 3\n")
    page = await case.open()
    assert "applied to the new text by key" in page.text
    await browser.send(page.form("/merge"))
    assert await case.raw() == "a: 9\nb: 3\n"


async def test_conflicts_are_decided_one_by_one(browser: Browser, conflicting: Moved) -> None:
    """Try each way to decide, first as a preview."""
    page = await conflicting.open()
    check(page)
    a, b, c = conflict_keys(page)
    assert "3 conflicts: upstream and you changed the same" in page.text
    assert "3 conflicts are not decided yet" in page.text
    form = page.form("/merge")
    page = await previewed(conflicting, form, **{f"take-{a}": "theirs"})
    assert "2 conflicts are not decided" in page.text
    assert chosen(page)[f"take-{a}"] == "theirs"
    page = await previewed(
        conflicting,
        page.form("/merge"),
        **{f"take-{b}": "base", f"take-{c}": "value", f"value-{c}": "[7]"},
    )
    assert "All conflicts are decided" in page.text
    assert await conflicting.raw() == MINE, "a preview changes nothing"
    await browser.send(page.form("/merge"))
    assert await conflicting.raw() == "# theirs\na: 100\nb: 2\nc: [7]\nd: 4\ne: 5\n"
    assert (await conflicting.file())["drift"] == "current"


async def test_scripts_find_what_they_need(conflicting: Moved) -> None:
    page = await conflicting.open()
    [form] = [tag for tag in page.all("form") if "data-preview-url" in tag]
    assert form["data-preview-url"] == f"{conflicting.url}/merge/preview"
    drawn = {attributes.get("id") for _, attributes in page.tags if "data-preview" in attributes}
    assert {"left", "result"} < drawn
    assert None not in drawn
    radios = [tag["value"] for tag in page.all("input") if tag.get("type") == "radio"]
    assert radios[:4] == ["base", "theirs", "mine", "value"], "keys 1, 2 and 3 choose in this order"


async def test_undecided_and_impossible_decisions_are_refused_and_kept(
    browser: Browser, conflicting: Moved
) -> None:
    page = await conflicting.open()
    a, b, c = conflict_keys(page)
    before = await conflicting.file()
    typed = {f"take-{a}": "mine", f"take-{b}": "value", f"value-{b}": "not json <b>"}
    refused = await browser.send(page.form("/merge"), 422, **typed)
    check(refused)
    assert "2 conflicts have no decision yet" in refused.text
    assert "This is not valid JSON" in refused.text
    assert chosen(refused) == {**dict.fromkeys((f"value-{a}", f"value-{c}"), ""), **typed}
    values = ["NaN", "1e999", '"\\ud800"', "[" * 100_000, "", "1 2", '{"a": 1, "a": 2}']
    kept = []
    for value in values:
        again = await browser.send(
            page.form("/merge"), 422, **{**typed, f"take-{c}": "mine", f"value-{b}": value}
        )
        check(again)
        kept.append(chosen(again)[f"value-{b}"])
    assert kept == values
    assert await conflicting.file() == before


async def test_stale_decisions_are_kept(
    service: Service, browser: Browser, conflicting: Moved
) -> None:
    """After a save by someone else, and after another upstream change."""
    page = await conflicting.open()
    decided = {f"take-{key}": "theirs" for key in conflict_keys(page)}
    await service.put(f"/modified-files/{conflicting.id}", {"description": "by someone else"})
    page = await browser.send(page.form("/merge"), 412, **decided)
    check(page)
    assert "Something changed in the meantime" in page.text
    assert decided.items() <= chosen(page).items()
    await conflicting.move(THEIRS.replace("a: 100", "a: 101"))
    page = await browser.send(page.form("/merge"), 412)
    assert decided.items() <= chosen(page).items()
    assert "101" in page.text
    assert await conflicting.raw() == MINE
    await browser.send(page.form("/merge"))
    assert await conflicting.raw() == THEIRS.replace("a: 100", "a: 101")


async def test_a_decision_out_of_sight_does_not_hold_for_what_came_since(
    service: Service, browser: Browser
) -> None:
    """One of many conflicts changes upstream while the page shows others."""
    base, mine, theirs = (
        "".join(f"k{n:03}: {word}\n" for n in range(150)) for word in ("base", "mine", "theirs")
    )
    case = await moved(service, browser, base, mine, theirs)
    page = await case.open()
    decided = {f"take-{key}": "theirs" for key in conflict_keys(page)}
    page = await previewed(case, page.form("/merge"), **decided, conflicts="2")
    assert len(conflict_keys(page)) == 50
    decided = {f"take-{key}": "theirs" for key in conflict_keys(page)}
    page = await previewed(case, page.form("/merge"), **decided)
    assert "All conflicts are decided" in page.text
    await case.move(
        theirs.replace("k007: theirs", "k007: unseen").replace("k120: theirs", "k120: seen")
    )
    page = await browser.send(page.form("/merge"), 412)
    assert "1 conflict is not decided" in page.text
    assert decided.items() <= chosen(page).items(), "what the page shows, with its new texts, stays"
    page = await browser.send(page.form("/merge"), 422)
    assert await case.raw() == mine
    page = await previewed(case, page.form("/merge"), conflicts="1")
    [left] = [key for key in conflict_keys(page) if f"take-{key}" not in chosen(page)]
    decision: dict[str, Any] = {f"take-{left}": "theirs"}
    await browser.send(page.form("/merge"), **decision)
    assert "k007: unseen" in await case.raw()


async def test_lines_are_decided_in_templates(service: Service, browser: Browser) -> None:
    base = "{{ x }}: 1\nb: 2\nc: 3\nd: 4\ne: 5\n{{ y }}: 6\n"
    mine = base.replace(": 1", ": 10").replace(": 6", ": 60")
    theirs = base.replace(": 1", ": <i>100</i>").replace(": 6", ": 600")
    case = await moved(service, browser, base, mine, theirs)
    page = await case.open()
    check(page)
    first, second = conflict_keys(page)
    assert {tag["value"] for tag in page.all("input") if tag.get("type") == "radio"} == {
        "theirs",
        "mine",
    }
    assert "{{ x }}: <i>100</i>" in page.text
    forged = await browser.send(
        page.form("/merge"), 422, **{f"take-{first}": "base", f"take-{second}": "value"}
    )
    assert "2 conflicts are not decided" in forged.text
    await browser.send(
        page.form("/merge"), 200, **{f"take-{first}": "theirs", f"take-{second}": "mine"}
    )
    assert await case.raw() == theirs.replace(": 600", ": 60")


@pytest.mark.parametrize("ending", ["\n", "\r\n"])
async def test_a_text_is_merged_by_hand(service: Service, browser: Browser, ending: str) -> None:
    """The editor begins with the decisions so far, and saves the bytes that were typed."""
    base, mine, theirs = (text.replace("\n", ending) for text in (BASE, MINE, THEIRS))
    case = await moved(service, browser, base, mine, theirs)
    page = await case.open()
    form = page.form("/merge")
    form.action = f"{case.url}/merge/edit"
    page = await browser.send(form, 200, **{f"take-{conflict_keys(page)[0]}": "theirs"})
    check(page)
    form = page.form("/merge/text")
    assert form.fields["content"] == "# theirs\na: 100\nb: 20\nc: 30\nd: 4\ne: 5\n"
    await browser.send(form, content="a: by hand\nb: 3")
    assert await case.raw() == f"a: by hand{ending}b: 3"
    assert (await case.file())["drift"] == "current"


async def test_a_text_merged_by_hand_survives_every_refusal(
    service: Service, browser: Browser, conflicting: Moved
) -> None:
    text = "typed: </textarea><script>alert(1)</script>\n"
    form = (await conflicting.open("/merge/edit")).form("/merge/text")
    page = await browser.send(form, 422, content="broken: [\n")
    assert page.form("/merge/text").fields["content"] == "broken: [\n"
    assert "allow_invalid" in page.form("/merge/text").checkboxes
    await service.put(
        f"/modified-files/{conflicting.id}", {"content": MINE.replace("d: 4", "d: 44")}
    )
    page = await browser.send(page.form("/merge/text"), 412, content=text)
    check(page)
    assert "+d: 44" in page.text, "the other change is shown"
    await conflicting.move(THEIRS + "f: 6\n")
    page = await browser.send(page.form("/merge/text"), 412)
    assert "+f: 6" in page.text
    form = page.form("/merge/text")
    assert form.fields["content"] == text
    assert (await conflicting.raw()).endswith("d: 44\n")
    await browser.send(form, content_exact=json.dumps("a: 1\r\nb: 2"))
    assert await conflicting.raw() == "a: 1\r\nb: 2"


async def test_a_removed_original_is_reported(service: Service, browser: Browser) -> None:
    case = await moved(service, browser, BASE, MINE, None)
    page = await case.open()
    check(page)
    assert "Removed upstream" in page.text
    assert f"{case.url}/delete" in page.links()
    assert f"{case.url}/merge" in (await case.open("")).links()


async def test_a_variant_that_does_not_parse_can_be_rebased_anyway(
    service: Service, browser: Browser
) -> None:
    mine = "a: 1\nb: 2\nc: 3\nd: [\n"
    case = await moved(
        service, browser, "a: 1\nb: 2\nc: 3\nd: 4\n", mine, "a: 9\nb: 2\nc: 3\nd: 4\n"
    )
    page = await case.open()
    page = await browser.send(
        page.form("/merge"), 422, **{f"take-{key}": "mine" for key in conflict_keys(page)}
    )
    check(page)
    assert await case.raw() == mine
    assert "allow_invalid" in page.form("/merge").checkboxes, page.text
    await browser.send(page.form("/merge"), allow_invalid="1")
    assert await case.raw() == mine.replace("a: 1", "a: 9")


def read(conflicts: list[MergeConflict], **fields: Any) -> list[Any]:
    return [
        decision.resolution.model_dump()
        for decision in read_decisions(Form(FormData(fields)), conflicts)
    ]


def test_a_base_without_a_value_cannot_be_chosen() -> None:
    conflict = MergeConflict(path="a", base=None, theirs=1, mine=2, absent=("base",))
    [decision] = read_decisions(Form(FormData()), [conflict])
    assert not decision.offers_base
    [forged] = read_decisions(Form(FormData({f"take-{decision.key}": "base"})), [conflict])
    assert not forged.is_made


def test_equal_conflicts_of_lines_are_decided_apart() -> None:
    conflict = MergeConflict(path=None, base="a\n", theirs="b\n", mine="c\n")
    first, second = read_decisions(Form(FormData()), [conflict, conflict])
    found = read(
        [conflict, conflict], **{f"take-{first.key}": "theirs", f"take-{second.key}": "mine"}
    )
    assert [row["take"] for row in found] == ["theirs", "mine"]
