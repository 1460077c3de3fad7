"""Errors below /ui are pages for readers of HTML, and problem documents for others."""

import pytest
from pymongo.errors import AutoReconnect

from benchmark_manager.stores.database.failures import failure_of
from support.browser import Browser
from support.problems import assert_problem
from support.service import Service
from support.site import check

UNKNOWN = "65f0c0ffee65f0c0ffee65f0"


async def test_an_error_is_a_page_in_the_usual_layout(browser: Browser) -> None:
    for path in (
        "/ui/nothing",
        f"/ui/projects/{UNKNOWN}",
        "/ui/modified-files/x",
        f"/ui/projects/{UNKNOWN}/syncs/1",
    ):
        check(await browser.open(path, 404))
    for path in ("/ui?cursor=x", "/ui?q=" + "x" * 1001, f"/ui/projects/{UNKNOWN}?type=x"):
        check(await browser.open(path, 422))
    check(await browser.open("/ui/preferences", 405))


async def test_others_get_the_problem_document(service: Service) -> None:
    assert_problem(
        await service.http.get("/ui/projects/x", headers={"Accept": "*/*"}),
        404,
        "project_not_found",
    )


async def test_an_error_elsewhere_stays_a_problem_document(service: Service) -> None:
    assert_problem(
        await service.http.get("/projects/x", headers={"Accept": "text/html"}),
        404,
        "project_not_found",
    )


async def test_what_was_asked_for_is_not_repeated_as_html(browser: Browser) -> None:
    page = await browser.open("/ui/projects/%3Cscript%3Ealert(1)%3C%2Fscript%3E", 404)
    assert "<script>alert" not in page.html


async def test_internal_errors_and_an_absent_database_are_pages(
    service: Service, browser: Browser, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def fails(*_: object) -> None:
        raise ValueError("token=ghp_secret")

    async def away(*_: object) -> None:
        lost = AutoReconnect("connection to mongodb://user:secret@host lost")
        raise failure_of(lost) from lost

    monkeypatch.setattr(service.services.projects, "page", fails)
    page = await browser.open("/ui", 500)
    check(page)
    assert "secret" not in page.html
    monkeypatch.setattr(service.services.projects, "page", away)
    page = await browser.open("/ui", 503)
    check(page)
    assert page.answer.headers["retry-after"] == "5"
    assert "secret" not in page.html


async def test_a_history_that_github_cannot_return_is_reported_on_the_page(
    service: Service, browser: Browser
) -> None:
    service.repository("acme/bench", {"config/a.yaml": b"a: 1\n"})
    project = await service.synced("acme/bench")
    [file] = (await service.files(project["id"])).values()
    service.github.hosting.remove("acme/bench")
    page = await browser.open(f"/ui/projects/{project['id']}/files/{file['id']}/history")
    check(page)
    assert "GitHub" in page.text


async def test_head_is_answered_without_a_body(service: Service) -> None:
    answer = await service.http.head("/ui")
    assert (answer.status_code, answer.content) == (200, b"")
    assert "content-security-policy" in answer.headers
