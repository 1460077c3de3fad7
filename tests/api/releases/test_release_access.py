"""Routes of releases, as principals of each role see them."""

from collections.abc import AsyncIterator
from dataclasses import dataclass

import pytest
import pytest_asyncio

from support.known_principals import Callers, callers_of
from support.principals import admin, editor_of, maintainer_of, reader_of, stranger
from support.problems import assert_problem
from support.service import Json, Service
from support.unchanged_database import unchanged


@dataclass(frozen=True)
class SharedRelease:
    """Two projects made the same release: `mine`, of the principals, and before it `theirs`."""

    callers: Callers
    digest: str
    mine: str
    theirs: str


@pytest.fixture
async def service(module_service: Service) -> AsyncIterator[Service]:
    """The service of all tests here, with its database as it was before each."""
    async with unchanged(module_service.services.database):
        yield module_service


@pytest_asyncio.fixture(scope="module", loop_scope="session")
async def made(module_service: Service) -> AsyncIterator[SharedRelease]:
    service, projects = module_service, []
    for name in ("acme/theirs", "acme/mine"):
        service.repository(name, {"config/a.yaml": b"a: 1\n"})
        projects.append((await service.synced(name))["id"])
    theirs, mine = projects
    body = {"name": "theirs"}
    release = await service.post(f"/projects/{theirs}/releases", body, 201)
    await service.post(f"/projects/{mine}/releases", {"name": "mine"}, 200)
    async with callers_of(
        service,
        admin=admin(),
        reader=reader_of(mine),
        editor=editor_of(mine),
        maintainer=maintainer_of(mine),
        stranger=stranger(),
    ) as callers:
        yield SharedRelease(callers, release["digest"], mine, theirs)


@pytest.fixture
async def case(made: SharedRelease, service: Service) -> SharedRelease:
    del service
    return made


PARTS = ("", "/SHA256SUMS", "/files/config/a.yaml", "/archive", "/configmap", "/compare/{digest}")


@pytest.mark.parametrize("part", PARTS)
async def test_a_digest_is_no_permission(case: SharedRelease, part: str) -> None:
    path = f"/releases/{case.digest}{part.format(digest=case.digest)}"
    hidden = await case.callers.ask("stranger", "GET", path)
    assert_problem(hidden, 404, "release_not_found")
    unknown = "sha256:" + "0" * 64
    none = await case.callers.ask("admin", "GET", path.replace(case.digest, unknown))
    assert hidden.json()["detail"] == none.json()["detail"].replace(unknown, case.digest)


@pytest.mark.parametrize("part", PARTS)
async def test_readers_of_one_project_read_the_release(case: SharedRelease, part: str) -> None:
    path = f"/releases/{case.digest}{part.format(digest=case.digest)}"
    assert (await case.callers.ask("reader", "GET", path)).status_code == 200


async def test_a_reader_sees_nothing_of_the_other_project(case: SharedRelease) -> None:
    answer = await case.callers.ask("reader", "GET", f"/releases/{case.digest}")
    found: Json = answer.json()
    assert [one["project_id"] for one in found["makings"]] == [case.mine]
    assert (found["project_id"], found["makings_count"]) == (case.mine, 1)
    assert case.theirs not in answer.text


async def test_a_list_shows_nothing_of_the_other_project(case: SharedRelease) -> None:
    answer = await case.callers.ask("reader", "GET", f"/projects/{case.mine}/releases")
    assert [(one["project_id"], one["makings_count"]) for one in answer.json()] == [(case.mine, 1)]


async def test_no_shared_cache_keeps_what_only_some_may_read(case: SharedRelease) -> None:
    answer = await case.callers.ask("reader", "GET", f"/releases/{case.digest}/SHA256SUMS")
    assert answer.headers["cache-control"] == "private, max-age=31536000, immutable"


@pytest.mark.parametrize(
    ("name", "body", "needed"),
    [
        ("reader", {"name": "x"}, "editor"),
        ("editor", {"pinned": True}, "maintainer"),
        ("editor", {"name": "x", "pinned": True}, "maintainer"),
    ],
)
async def test_what_the_role_does_not_allow_changes_no_release(
    service: Service, case: SharedRelease, name: str, body: Json, needed: str
) -> None:
    before = await service.get(f"/releases/{case.digest}")
    answer = await case.callers.ask(name, "PUT", f"/releases/{case.digest}", json=body)
    assert_problem(answer, 403, "forbidden")
    assert answer.json()["role_needed"] == needed
    assert await service.get(f"/releases/{case.digest}") == before


@pytest.mark.parametrize(
    ("name", "body"), [("editor", {"name": "x"}), ("maintainer", {"pinned": True})]
)
async def test_a_role_in_one_of_the_projects_suffices(
    case: SharedRelease, name: str, body: Json
) -> None:
    answer = await case.callers.ask(name, "PUT", f"/releases/{case.digest}", json=body)
    assert answer.status_code == 200
    assert case.theirs not in answer.text


async def test_a_change_of_a_release_that_may_not_be_read_is_not_found(case: SharedRelease) -> None:
    answer = await case.callers.ask(
        "stranger", "PUT", f"/releases/{case.digest}", json={"name": "x"}
    )
    assert_problem(answer, 404, "release_not_found")


async def test_a_short_digest_is_no_permission_either(
    case: SharedRelease,
) -> None:
    digits = case.digest.removeprefix("sha256:")[:12]
    assert (await case.callers.ask("reader", "GET", f"/releases/{digits}")).status_code == 200
    assert_problem(
        await case.callers.ask("stranger", "GET", f"/releases/{digits}"), 404, "release_not_found"
    )
