"""Uploading a file in the form of a release's page, and who may."""

import re
from typing import Any

import pytest

from support.browser import Browser, WebForm, WebPage
from support.known_principals import callers_of
from support.measured_pages import MeasuredPages, plain
from support.principals import editor_of, reader_of, stranger
from support.service import Service
from support.site import check

HTML = {"Accept": "text/html"}


async def send(
    browser: Browser, form: WebForm, data: bytes | None, status: int = 200, **typed: str
) -> WebPage:
    """Send the form with a file, as browsers do."""
    form.fields.update(typed)
    parts: dict[str, Any] = {name: (None, value) for name, value in form.fields.items()}
    parts["file"] = ("", b"") if data is None else ("out.json", data, "application/json")
    answer = await browser.http.post(form.action, files=parts, headers=browser.headers)
    if answer.status_code == 303:
        return await browser.open(answer.headers["location"])
    assert answer.status_code == status, answer.text
    return WebPage(form.action, answer)


@pytest.mark.parametrize("source", ["release", "cell"])
async def test_a_file_is_uploaded_beside_what_it_measured(
    browser: Browser, measured: MeasuredPages, source: str
) -> None:
    home = {
        "release": f"/ui/releases/{measured.cells[2]}",
        "cell": f"/ui/sweeps/{measured.sweep}/cells/2",
    }[source]
    form = (await browser.open(home)).form(f"{measured.cells[2]}/results")
    page = await send(browser, form, plain(5.0), labels="gpu=H100\r\ndriver=570", note="warm")
    check(page)
    assert "The result was uploaded." in page.text
    assert "out.json" in page.text
    assert "driver=570" in page.text
    assert page.url.startswith("/ui/results/")


async def test_the_same_file_again_is_the_same_result(
    browser: Browser, measured: MeasuredPages
) -> None:
    form = (await browser.open(f"/ui/releases/{measured.cells[2]}")).form("/results")
    first = await send(browser, form, plain(5.0))
    second = await send(browser, form, plain(5.0))
    assert second.url == first.url
    assert "was uploaded for this release before" in second.text


@pytest.mark.parametrize(
    ("data", "typed", "field", "said"),
    [
        (None, {"labels": "gpu=H100", "note": "mine"}, "file", "Choose a file."),
        (b"", {"note": "mine"}, "file", "empty"),
        (b"{}", {"labels": "gpu", "note": "mine"}, "labels", "Line 1 is not a label"),
        (b"{}", {"labels": "gpu=" + "x" * 501}, "labels", "500"),
        (b"{}", {"note": "x" * 10_001}, "note", "10000"),
    ],
    ids=["no file", "empty file", "no label", "long label", "long note"],
)
async def test_a_refusal_is_beside_its_field_and_keeps_what_was_typed(
    browser: Browser,
    measured: MeasuredPages,
    data: bytes | None,
    typed: dict[str, str],
    field: str,
    said: str,
) -> None:
    form = (await browser.open(f"/ui/releases/{measured.cells[2]}")).form("/results")
    page = await send(browser, form, data, 422, **typed)
    check(page)
    [error] = re.findall(rf'id="error-{field}">.*?</svg>(.*?)</p>', page.html)
    assert said in error
    assert typed.items() <= page.form("/results").fields.items()


async def test_a_file_larger_than_a_form_is_taken(
    browser: Browser, measured: MeasuredPages
) -> None:
    """Other forms end at 8 MiB."""
    form = (await browser.open(f"/ui/releases/{measured.cells[2]}/results/new")).form("/results")
    page = await send(browser, form, b"x" * (9 * 1024 * 1024))
    assert "9 MiB" in page.text


async def test_a_file_that_is_too_large_is_refused(
    browser: Browser, measured: MeasuredPages
) -> None:
    form = (await browser.open(f"/ui/releases/{measured.cells[2]}/results/new")).form("/results")
    page = await send(browser, form, b"x" * (16 * 1024 * 1024 + 1), 422)
    assert re.search('id="error-file">.*16', page.html)


async def offered(service: Service, measured: MeasuredPages, name: str) -> set[str]:
    """Return the ends of the addresses of forms and links that change something."""
    key = measured.project
    [result] = measured.results[3]
    pages = [
        f"/ui/releases/{measured.cells[3]}",
        f"/ui/sweeps/{measured.sweep}/cells/3",
        f"/ui/results/{result}",
        f"{measured.home}/list",
    ]
    ends = r'(?:href|action)="[^"]*(/results|/results/[0-9a-f]{24}|/delete|/undelete)"'
    async with callers_of(service, reader=reader_of(key), editor=editor_of(key)) as callers:
        answers = [await callers.ask(name, "GET", path, headers=HTML) for path in pages]
    assert [answer.status_code for answer in answers] == [200] * len(pages)
    html = "".join(answer.text for answer in answers)
    forms = re.findall(r'<form[^>]*method="post"[^>]*>|<a [^>]*/delete"', html)
    found = {end for form in forms for end in re.findall(ends, form)}
    return {re.sub("[0-9a-f]{24}", "ID", end) for end in found}


@pytest.mark.parametrize(
    ("name", "ends"), [("reader", set()), ("editor", {"/results", "/results/ID", "/delete"})]
)
async def test_the_pages_offer_what_the_role_allows(
    service: Service, measured: MeasuredPages, name: str, ends: set[str]
) -> None:
    assert await offered(service, measured, name) == ends


@pytest.mark.parametrize(("name", "status"), [("reader", 403), ("stranger", 404)])
@pytest.mark.parametrize("page", ["upload", "delete"])
async def test_others_are_refused(
    service: Service, measured: MeasuredPages, name: str, status: int, page: str
) -> None:
    [result] = measured.results[3]
    paths = {
        "upload": f"/ui/releases/{measured.cells[3]}/results/new",
        "delete": f"/ui/results/{result}/delete",
    }
    async with callers_of(
        service, reader=reader_of(measured.project), stranger=stranger()
    ) as callers:
        answer = await callers.ask(name, "GET", paths[page], headers=HTML)
    assert answer.status_code == status


async def test_a_variant_shows_results_of_releases_that_contain_it_as_it_is(
    service: Service, browser: Browser, measured: MeasuredPages
) -> None:
    files = await service.files(measured.project)
    variant = await service.variant(
        measured.project, files["config/engine.yaml"], content="engine: {max_num_seqs: 9}\n"
    )
    home = f"/ui/modified-files/{variant['id']}/results"
    release = await service.post(f"/projects/{measured.project}/releases", {"name": "v"}, 201)
    form = (await browser.open(f"/ui/releases/{release['digest']}")).form("/results")
    result = await send(browser, form, plain(7.0))
    page = await browser.open(home)
    check(page)
    assert result.url in page.links()
    await service.put(f"/modified-files/{variant['id']}", {"content": "engine: {}\n"})
    assert result.url not in (await browser.open(home)).links()
