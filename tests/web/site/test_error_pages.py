"""Errors below /ui are pages for readers of HTML, and problem documents for others."""

from typing import Any

import pytest
from pymongo.errors import AutoReconnect, PyMongoError

from benchmark_manager.errors import StorageError
from benchmark_manager.stores.database.database import Database
from benchmark_manager.stores.database.failures import failure_of
from benchmark_manager.stores.projects.projects import ProjectStore
from support.browser import Browser
from support.problems import assert_problem
from support.replacements import beside, replaced
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


class UnreadableProjects(ProjectStore):
    """A store that fails to list projects."""

    def __init__(self, database: Database, error: Exception) -> None:
        super().__init__(database)
        self.error = error

    async def page(self, *_: Any, **__: Any) -> Any:
        raise self.error


def failed(error: PyMongoError) -> StorageError:
    """Return what stores raise for this error of the driver."""
    failure = failure_of(error)
    failure.__cause__ = error
    return failure


@pytest.mark.parametrize(
    ("error", "status", "retry_after"),
    [
        (ValueError("token=ghp_secret"), 500, None),
        (failed(AutoReconnect("connection to mongodb://user:secret@host lost")), 503, "5"),
    ],
    ids=["internal error", "absent database"],
)
async def test_internal_errors_and_an_absent_database_are_pages(
    service: Service, browser: Browser, error: Exception, status: int, retry_after: str | None
) -> None:
    failing = beside(service, projects=UnreadableProjects(service.services.database, error))
    with replaced(service, projects=failing.projects):
        page = await browser.open("/ui", status)
    check(page)
    assert page.answer.headers.get("retry-after") == retry_after
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
