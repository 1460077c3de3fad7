"""Pages of releases: the announced files, making a release, sources of files, and commands."""

import asyncio
import hashlib
import html
import re
import shutil
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
import pytest_asyncio

from support.browser import Browser, WebForm, WebPage
from support.events import listening
from support.service import Service
from support.site import Site, check
from support.unchanged_service import unchanged_service

FILES = {
    "config/a.yaml": b"model: llama\nsize: 8\n",
    "config/back\\slash.yaml": b"a: 1\r\n",
    "config/gr\xc3\xb6\xc3\x9fe.json": b'{"a": 1}',
    "job/run.yaml": b"apiVersion: batch/v1\nkind: Job\nmetadata:\n  name: run\n",
}
FILES = {path.encode("latin-1").decode(): data for path, data in FILES.items()}


@pytest.fixture
async def service(module_service: Service) -> AsyncIterator[Service]:
    """The service of all tests of a module, as its fixtures left it."""
    async with unchanged_service(module_service) as service:
        yield service


@pytest_asyncio.fixture(scope="module", loop_scope="session")
async def home(module_service: Service) -> str:
    module_service.repository("acme/bench", FILES)
    return f"/ui/projects/{(await module_service.synced('acme/bench'))['id']}"


async def made(browser: Browser, home: str, **typed: str) -> WebPage:
    return await browser.send(
        (await browser.open(f"{home}/releases")).form("/releases"), 200, **typed
    )


def digest_of(page: WebPage) -> str:
    return page.url.rpartition("/")[2]


def fields_of(page: WebPage) -> WebForm:
    """Return the form with the name and description of a release."""
    [found] = [form for form in page.forms if "revision" in form.fields]
    return found


async def test_a_release_contains_what_the_page_announced(
    service: Service, browser: Browser, home: str
) -> None:
    project_id = home.rpartition("/")[2]
    foretold = (await service.get(f"/projects/{project_id}/effective"))["digest"]
    page = await browser.open(f"{home}/releases")
    assert foretold in page.text
    assert "No releases yet" in page.text
    page = await made(browser, home, name=" nightly ", description="why\nso", pinned="1")
    assert "The release was made." in page.text
    assert digest_of(page) == foretold
    release = await service.get(f"/releases/{foretold}")
    assert (release["name"], release["description"], release["pinned"]) == (
        "nightly",
        "why\nso",
        True,
    )
    assert [tag["title"] for tag in page.all("code") if "title" in tag] == [
        hashlib.sha256(FILES[row["path"]]).hexdigest() for row in release["files"]
    ]
    listed = await browser.open(f"{home}/releases")
    assert "A release with these files exists already" in listed.text
    assert f"/ui/releases/{foretold}" in listed.links()
    again = await made(browser, home, name="other")
    assert "It now also lists this one" in again.text
    assert (await service.get(f"/releases/{foretold}"))["makings_count"] == 2


async def test_what_goes_in_is_chosen(service: Service, browser: Browser, home: str) -> None:
    project_id = home.rpartition("/")[2]
    files = await service.files(project_id)
    await service.variant(project_id, files["config/a.yaml"], content="model: mine\n")
    held = {"all": len(FILES), "originals": len(FILES), "modified": 1}
    digests = {include: digest_of(await made(browser, home, include=include)) for include in held}
    assert {
        include: (await service.get(f"/releases/{digest}"))["files_count"]
        for include, digest in digests.items()
    } == held
    assert len(set(digests.values())) == 3


async def test_a_variant_is_used_in_place_of_its_original(
    service: Service, browser: Browser, home: str
) -> None:
    """One for each original: of two, the form says so and keeps what was chosen."""
    project_id = home.rpartition("/")[2]
    files = await service.files(project_id)
    variants = [
        await service.variant(
            project_id, files["config/a.yaml"], modified_name=name, content="model: mine\n"
        )
        for name in ("b.yaml", "c.yaml")
    ]
    page = await made(browser, home, include="originals", substitute=variants[0]["id"])
    release = await service.get(f"/releases/{digest_of(page)}")
    rows = {row["path"]: row["modified_file_id"] for row in release["files"]}
    assert rows == {**dict.fromkeys(FILES), "config/a.yaml": variants[0]["id"]}
    form = (await browser.open(f"{home}/releases")).form("/releases")
    both = [variant["id"] for variant in variants]
    sent = [*form.fields.items(), *(("substitute", one) for one in both)]
    answer = await service.http.post(
        form.action, files=[(name, (None, value.encode())) for name, value in sent]
    )
    assert answer.status_code == 422
    page = WebPage(form.action, answer)
    check(page)
    assert "Two variants are to stand in place of" in page.text
    offered = [tag for tag in page.all("input") if tag.get("name") == "substitute"]
    assert [tag["value"] for tag in offered if "checked" in tag] == both


async def test_a_mistake_is_reported_and_nothing_typed_is_lost(
    service: Service, browser: Browser, home: str
) -> None:
    form = (await browser.open(f"{home}/releases")).form("/releases")
    page = await browser.send(
        form, 422, name="x" * 201, description="kept", include="modified", pinned="1"
    )
    check(page)
    assert "at most 200 characters" in page.text
    typed = page.form("/releases").fields
    assert (typed["description"].strip(), typed["include"], typed["pinned"]) == (
        "kept",
        "modified",
        "1",
    )
    page = await browser.send(page.form("/releases"), 422, name="fine")
    check(page)
    assert "The project has no such files" in page.text
    long = await browser.send(page.form("/releases"), 422, description="x" * 10_001, include="all")
    assert "at most 10,000 characters" in long.text
    assert await service.rows(f"/projects/{home.rpartition('/')[2]}/releases") == []


async def test_every_file_leads_to_where_it_came_from(site: Site) -> None:
    """Links lead to the pages of existing originals and variants, and to the raw files."""
    page = await site.browser.open(f"/ui/releases/{site.releases[1]}")
    release = await site.service.get(f"/releases/{site.releases[1]}")
    links = set(page.links())
    sources = {row["path"]: row for row in release["files"]}
    originals = {
        f"/ui/projects/{site.project}/files/{site.files[path]}"
        for path, row in sources.items()
        if row["source"] == "original"
    }
    assert originals
    assert originals <= links
    assert f"/ui/modified-files/{site.modified}" in links
    gone = sources["config/a.yaml"]["modified_file_id"]
    assert f"/ui/modified-files/{gone}" not in links
    raw = [link for link in links if link.startswith(f"/releases/{site.releases[1]}/files/")]
    assert len(raw) == len(sources)
    contents = {
        hashlib.sha256((await site.service.http.get(link)).content).hexdigest() for link in raw
    }
    assert contents == {row["sha256"] for row in sources.values()}


async def test_files_are_searched(site: Site) -> None:
    page = await site.browser.open(f"/ui/releases/{site.releases[0]}?q=DEEP")
    [raw] = [
        link for link in page.links() if link.startswith(f"/releases/{site.releases[0]}/files/")
    ]
    assert raw.endswith("config/deep/er/b.json")


async def test_a_release_is_renamed_and_unpinned(
    service: Service, browser: Browser, home: str
) -> None:
    page = await made(browser, home, pinned="1")
    digest = digest_of(page)
    stale = fields_of(page)
    page = await browser.send(fields_of(page), name="renamed", description="a\nb")
    assert "Saved." in page.text
    release = await service.get(f"/releases/{digest}")
    assert (release["name"], release["description"], release["pinned"]) == ("renamed", "a\nb", True)
    assert "Nothing was changed" in (await browser.send(fields_of(page))).text
    page = await browser.send(stale, 412, name="mine")
    check(page)
    assert "renamed" in page.text
    form = fields_of(page)
    del form.fields["pinned"]
    await browser.send(form)
    release = await service.get(f"/releases/{digest}")
    assert (release["name"], release["pinned"]) == ("mine", False)


async def test_a_release_outlives_its_project_as_long_as_it_is_pinned(
    service: Service, browser: Browser, home: str
) -> None:
    page = await made(browser, home, pinned="1")
    digest = digest_of(page)
    assert (await service.http.delete(f"/projects/{home.rpartition('/')[2]}")).status_code == 204
    page = await browser.open(f"/ui/releases/{digest}")
    check(page)
    assert "The project that made this release was deleted" in page.text
    assert not [link for link in page.links() if link.startswith("/ui/projects/")]
    check(await browser.open(f"/ui/releases/{digest}/compare?with={digest}"))
    form = fields_of(page)
    del form.fields["pinned"]
    page = await browser.send(form)
    assert (page.url, "The release was deleted" in page.text) == ("/ui", True)
    check(await browser.open(f"/ui/releases/{digest}", 404))


async def test_two_releases_are_compared_by_key(
    service: Service, browser: Browser, home: str
) -> None:
    before = digest_of(await made(browser, home))
    service.github.hosting["acme/bench"].repository.commit(
        {
            "config/a.yaml": b"model: llama\nsize: 70\n",
            "config/new.yaml": b"n: 1\n",
            "job/run.yaml": None,
        },
        message="on",
    )
    await service.sync(home.rpartition("/")[2])
    after = digest_of(await made(browser, home))
    page = await browser.open(f"/ui/releases/{before}/compare?with={after[:20]}")
    check(page)
    cells = re.sub(r"\s+", " ", page.text)
    assert re.search(r"Added files 1 added config/new\.yaml", cells)
    assert re.search(r"Removed files 1 removed job/run\.yaml", cells)
    assert re.search(r"config/a\.yaml Key.*\.?size changed 8 ?70", cells)
    assert f"/ui/releases/{after}/compare?with={before}" in page.links()
    assert (
        f"/ui/releases/{before}/compare?with={after}"
        in (await browser.open(f"{home}/releases")).links()
    )
    same = await browser.open(f"/ui/releases/{before}/compare?with={before}")
    assert "The same files" in same.text


@pytest.mark.parametrize("wanted", ["sha256:" + "0" * 64, "abc", "<script>", "0" * 200])
async def test_an_unknown_release_is_refused_beside_its_field(site: Site, wanted: str) -> None:
    address = f"/ui/releases/{site.releases[0]}/compare"
    answer = await site.browser.http.get(
        address, params={"with": wanted}, headers=site.browser.headers
    )
    page = WebPage("/", answer)
    assert answer.status_code == 422
    check(page)
    assert [tag["id"] for tag in page.all("p") if tag.get("class") == "field-error"] == [
        "error-with"
    ]
    assert [field["value"] for field in page.all("input") if field.get("name") == "with"] == [
        wanted
    ]


async def test_a_release_too_large_for_a_config_map_has_no_command_for_one(
    service: Service, browser: Browser
) -> None:
    service.repository(
        "acme/large", {f"config/{name}.yaml": b"a: " + b"x" * 600_000 + b"\n" for name in "ab"}
    )
    project = await service.synced("acme/large")
    page = await made(browser, f"/ui/projects/{project['id']}")
    assert "kubectl" not in page.text
    assert not [link for link in page.links() if link.endswith("/configmap")]
    assert "curl -fsS" in page.text
    assert [note for note in page.all("p") if note.get("class") == "reason warn"]


@pytest.mark.skipif(
    not (shutil.which("curl") and shutil.which("sha256sum")), reason="no curl or no sha256sum"
)
async def test_the_copied_commands_fetch_the_very_bytes_and_notice_others(
    service: Service, home: str, tmp_path: Path
) -> None:
    """Run the commands of the page in a shell, against a service on a port."""
    release = await service.post(f"/projects/{home.rpartition('/')[2]}/releases", {}, 201)
    async with listening(service.app) as http:
        page = await Browser(http).open(f"/ui/releases/{release['digest']}")
        commands = [html.unescape(found) for found in re.findall(r'data-copy="([^"]*)"', page.html)]
        [fetch] = [command for command in commands if command.startswith("URL=")]
        assert http.base_url.netloc.decode() in fetch
        ran = await run(fetch, tmp_path / "there")
        assert ran == (0, b""), ran
        found = {
            str(path.relative_to(tmp_path / "there" / "files")): path.read_bytes()
            for path in (tmp_path / "there").rglob("files/**/*")
            if path.is_file()
        }
        assert found == FILES
        forged = fetch.replace('/SHA256SUMS"', '/files/config/a.yaml"', 1)
        assert (await run(forged, tmp_path / "forged"))[0] != 0


async def run(command: str, folder: Path) -> tuple[int | None, bytes]:
    folder.mkdir()
    process = await asyncio.create_subprocess_exec(
        "sh",
        "-c",
        command,
        cwd=folder,
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.STDOUT,
    )
    output, _ = await process.communicate()
    return process.returncode, output


async def test_a_release_contains_the_selected_variants(
    service: Service, browser: Browser, home: str
) -> None:
    project_id = home.rpartition("/")[2]
    original = (await service.files(project_id))["config/a.yaml"]
    chosen = await service.variant(project_id, {"id": original["id"]}, modified_name="chosen.yaml")
    left = await service.variant(project_id, {"id": original["id"]}, modified_name="left.yaml")
    form = (await browser.open(f"{home}/releases")).form("/releases")
    assert "modified_file_ids" in form.checkboxes
    page = await browser.send(form, modified_file_ids=chosen["id"])
    paths = {row["path"] for row in (await service.get(f"/releases/{digest_of(page)}"))["files"]}
    assert paths == {*FILES, "config/chosen.yaml"}
    form = (await browser.open(f"{home}/releases")).form("/releases")
    page = await browser.send(
        form, 422, modified_file_ids=left["id"], include="originals", name="kept"
    )
    check(page)
    assert page.form("/releases").fields["name"] == "kept"
    assert page.form("/releases").fields["modified_file_ids"] == left["id"], (
        "what was ticked stays so"
    )
    assert (await service.http.delete(f"/modified-files/{left['id']}")).status_code == 204
    page = await browser.send(form, 422, modified_file_ids=left["id"], include="all")
    errors = [tag["id"] for tag in page.all("p") if tag.get("class") == "field-error"]
    assert errors == ["error-modified_file_ids"]
    assert "There is no variant" in page.text
