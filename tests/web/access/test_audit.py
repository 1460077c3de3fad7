"""The pages of the audit: filters, a project's history, and who may open them."""

import json
from collections.abc import AsyncIterator
from datetime import timedelta
from typing import Final, get_args

import pytest
import pytest_asyncio

from benchmark_manager.incoming import need_of
from benchmark_manager.models.recorded_change import ChangeAction
from benchmark_manager.stores.access.audit import AuditStore
from benchmark_manager.web.access.audit import ACTIONS
from support.access import NOW, a_record
from support.browser import Browser
from support.known_principals import Callers, callers_of
from support.principals import account, admin, editor_of, maintainer_of
from support.service import Json, Service
from support.site import all_routes, check
from support.unchanged_service import unchanged_service

#: The day of the oldest record.
THEN: Final = (NOW - timedelta(days=10)).date()
HOSTILE: Final = "</td><script>alert(1)</script>\u202e"


@pytest.fixture
async def service(module_service: Service) -> AsyncIterator[Service]:
    """The service of all tests of the module, as its fixtures left it."""
    async with unchanged_service(module_service) as service:
        yield service


@pytest_asyncio.fixture(scope="module", loop_scope="session")
async def project(module_service: Service) -> Json:
    module_service.repository("acme/bench", {"config/a.yaml": b"a: 1\n"})
    return await module_service.project("acme/bench")


@pytest.fixture
async def filled(service: Service, project: Json) -> Json:
    """The project, with a record that is not its own beside its own."""
    await AuditStore(service.services.database).insert(
        [
            a_record(
                actor="kim",
                object_name="config/kim.yaml",
                project_id=project["id"],
                age=timedelta(days=10),
            ),
            a_record(actor="lee", action="sign_in", object_name=HOSTILE, outcome="refused"),
            a_record(actor="newer", action="pod.start", object_name="a pod"),
        ]
    )
    return project


@pytest.mark.parametrize(
    ("query", "shown"),
    [
        ("", ["kim", "lee", "newer", "anonymous"]),
        ("?actor=KIM", ["kim"]),
        ("?action=sign_in", ["lee"]),
        ("?action=pod.start", ["newer"]),
        ("?object=CONFIG/kim.yaml", ["kim"]),
        ("?outcome=refused", ["lee"]),
        (f"?since={THEN}&until={THEN}", ["kim"]),
        ("?since=8999-12-31", []),
        ("?until=1970-01-01", []),
        ("?actor=&action=&object=&outcome=&since=&until=", ["kim", "lee", "newer", "anonymous"]),
    ],
)
async def test_filters_leave_records(
    service: Service, browser: Browser, filled: Json, query: str, shown: list[str]
) -> None:
    del service, filled
    page = await browser.open(f"/ui/audit{query}")
    check(page)
    rows = page.html.partition("<tbody>")[2]
    names = ("kim", "lee", "newer", "anonymous")
    assert [name for name in names if f"<bdi>{name}</bdi></a>" in rows] == shown


@pytest.mark.parametrize(
    "query", ["?since=yesterday", "?until=9999-12-31", "?outcome=asked", f"?actor={'x' * 300}"]
)
async def test_hostile_filters_are_refused(browser: Browser, query: str) -> None:
    assert (await browser.open(f"/ui/audit{query}", status=422)).all("h1")


async def test_names_are_shown_as_text(browser: Browser, filled: Json) -> None:
    del filled
    page = await browser.open("/ui/audit")
    assert "<script>alert" not in page.html
    assert "U+202E" in page.text


async def test_long_names_do_not_make_a_long_page(service: Service, browser: Browser) -> None:
    record = a_record(actor="lee", object_name="x" * 58_000)
    assert record.object is not None
    about = record.object.model_copy(update={"id": "y" * 58_000})
    long = record.model_copy(update={"object": about})
    await AuditStore(service.services.database).insert([long])
    page = await browser.open("/ui/audit")
    assert "x" * 100 in page.html
    assert ("x" * 300 in page.html, "y" * 300 in page.html) == (False, False)


async def test_the_audit_of_everything_names_the_project_of_each_record(
    browser: Browser, filled: Json
) -> None:
    page = await browser.open("/ui/audit?actor=kim")
    assert f"/ui/projects/{filled['id']}" in page.links()
    assert filled["name"] in page.html.partition("<tbody>")[2]


async def test_a_history_has_the_records_of_its_project(browser: Browser, filled: Json) -> None:
    page = await browser.open(f"/ui/projects/{filled['id']}/history")
    check(page)
    rows = page.html.partition("<tbody>")[2]
    assert "kim" in rows
    assert "Add a project" in rows
    assert "lee" not in rows


@pytest.mark.parametrize("path", ["/ui/audit", "/ui/projects/{}/history"])
async def test_the_download_has_the_records_of_the_page(
    service: Service, browser: Browser, filled: Json, path: str
) -> None:
    query = f"actor=kim&since={THEN}"
    page = await browser.open(f"{path.format(filled['id'])}?{query}")
    [link] = [link for link in page.links() if "format=jsonl" in link]
    lines = (await service.http.get(link)).text.splitlines()
    assert [json.loads(line)["actor"]["name"] for line in lines] == ["kim"]


@pytest.fixture
async def callers(service: Service, project: Json) -> AsyncIterator[Callers]:
    known = {
        "admin": admin(),
        "maintainer": maintainer_of(project["id"]),
        "editor": editor_of(project["id"]),
        "reader": account(role="reader"),
    }
    async with callers_of(service, **known) as callers:
        yield callers


@pytest.mark.parametrize(
    ("who", "status"), [("admin", 200), ("maintainer", 200), ("editor", 403), ("reader", 403)]
)
@pytest.mark.parametrize("path", ["/ui/audit", "/ui/projects/{}/history"])
async def test_pages_are_for_maintainers(
    callers: Callers, project: Json, who: str, status: int, path: str
) -> None:
    answer = await callers.ask(who, "GET", path.format(project["id"]))
    assert answer.status_code == status


@pytest.mark.parametrize(("who", "shown"), [("maintainer", True), ("editor", False)])
async def test_the_tab_is_for_maintainers(
    callers: Callers, project: Json, who: str, *, shown: bool
) -> None:
    home = f"/ui/projects/{project['id']}"
    answer = await callers.ask(who, "GET", home)
    assert (f'{home}/history"' in answer.text) is shown


def test_every_action_has_words(service: Service) -> None:
    needs = [need_of(route) for route in all_routes(service)]
    actions = {need.action for need in needs if need is not None and need.action is not None}
    assert (actions | set(get_args(ChangeAction))) - ACTIONS.keys() == set()
