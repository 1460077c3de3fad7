"""Roles in a project, of accounts and groups."""

from typing import Any

import pytest

from support.guarded import GuardedService, SignedInPerson
from support.problems import assert_problem
from support.service import Json

UNKNOWN = "0" * 24


@pytest.fixture
async def project(guarded: GuardedService) -> Json:
    """A project of the administrator."""
    found: Json = await guarded.admin.post(
        "/projects", {"name": "p", "github_repo_url": "acme/b", "polling_interval": 0}
    )
    return found


async def put(person: SignedInPerson, project: Json, kind: str, key: str, role: str) -> Any:
    """Give a role."""
    body = {"kind": kind, "id": key, "role": role}
    return await person.ask("PUT", f"/projects/{project['id']}/grants", json=body)


async def test_a_role_is_given_replaced_and_taken_away(
    guarded: GuardedService,
) -> None:
    admin = guarded.admin
    project = await admin.post("/projects", {"name": "p", "github_repo_url": "acme/b"})
    path = f"/projects/{project['id']}/grants"
    kim = await guarded.account("kim", "none")
    given = await put(admin, project, "account", kim["id"], "reader")
    assert given.json() == {"kind": "account", "id": kim["id"], "role": "reader"}
    await put(admin, project, "account", kim["id"], "editor")
    await put(admin, project, "group", "acme/bench", "reader")
    assert await admin.get(path) == [
        {"kind": "account", "id": kim["id"], "role": "editor"},
        {"kind": "group", "id": "acme/bench", "role": "reader"},
    ]
    assert await admin.get("/groups") == ["acme/bench"]
    query = {"kind": "group", "id": "acme/bench"}
    await admin.ask("DELETE", path, 204, params=query)
    assert_problem(await admin.ask("DELETE", path, params=query), 404, "grant_not_found")
    assert len(await admin.get(path)) == 1


@pytest.mark.parametrize(
    ("kind", "key", "status", "code"),
    [
        ("account", UNKNOWN, 404, "account_not_found"),
        ("account", "x", 404, "account_not_found"),
        ("group", "", 422, "invalid_group_name"),
        ("group", "a,b", 422, "invalid_group_name"),
        ("role", "x", 422, "invalid_request"),
    ],
)
async def test_a_grant_is_refused(
    guarded: GuardedService, project: Json, kind: str, key: str, status: int, code: str
) -> None:
    assert_problem(await put(guarded.admin, project, kind, key, "reader"), status, code)


async def test_a_maintainer_gives_no_more_than_they_have(
    guarded: GuardedService, project: Json
) -> None:
    kim = await guarded.account("kim", "none")
    maintainer = await guarded.person("eve", "none", grants={project["id"]: "maintainer"})
    answers = [
        (await put(maintainer, project, "account", kim["id"], role)).status_code
        for role in ("reader", "editor", "maintainer", "admin")
    ]
    assert answers == [200, 200, 200, 403]


async def test_a_maintainer_of_one_project_gives_no_role_in_another(
    guarded: GuardedService, project: Json
) -> None:
    other = await guarded.admin.post("/projects", {"name": "q", "github_repo_url": "acme/b"})
    eve = await guarded.person("eve", "none", grants={project["id"]: "maintainer"})
    answer = await put(eve, other, "account", eve.id, "reader")
    assert_problem(answer, 404, "project_not_found")


@pytest.mark.parametrize("method", ["GET", "PUT", "DELETE"])
async def test_a_project_that_does_not_exist_has_no_grants(
    guarded: GuardedService, method: str
) -> None:
    answer = await guarded.admin.ask(
        method,
        f"/projects/{UNKNOWN}/grants",
        params={"kind": "group", "id": "x"} if method == "DELETE" else None,
        json={"kind": "group", "id": "x", "role": "reader"} if method == "PUT" else None,
    )
    assert_problem(answer, 404, "project_not_found")


async def test_the_grants_of_a_deleted_project_are_swept(
    guarded: GuardedService, project: Json
) -> None:
    await put(guarded.admin, project, "group", "acme/bench", "reader")
    await guarded.admin.ask("DELETE", f"/projects/{project['id']}", 204)
    await guarded.service.services.housekeeping.run()
    assert await guarded.admin.get("/groups") == []
