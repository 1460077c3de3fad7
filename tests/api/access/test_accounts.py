"""Accounts: made, changed and deleted by administrators, of whom one always stays."""

import asyncio
from pathlib import Path
from threading import Event
from typing import Any, Literal

import pytest
from argon2 import PasswordHasher

from benchmark_manager.factory import Externals
from benchmark_manager.models.access.sign_in import ProvedPerson
from benchmark_manager.services.access.hashing import Passwords
from github_test_server import GitHubTestServer
from support.clocks import Clock
from support.guarded import PASSWORD, GuardedService, guarded_service, replica_of
from support.problems import assert_problem
from support.waiting import GENEROUS

OTHER_PASSWORD = "seven quiet lanterns"


async def test_an_account_is_made_read_and_listed(guarded: GuardedService) -> None:
    admin = guarded.admin
    body = {"name": "Kim", "password": PASSWORD, "role": "editor"}
    answer = await admin.ask("POST", "/accounts", 201, json=body)
    kim = answer.json()
    assert answer.headers["location"] == f"/accounts/{kim['id']}"
    assert kim == {
        "id": kim["id"],
        "kind": "local",
        "name": "Kim",
        "role": "editor",
        "groups": [],
        "disabled": False,
    }
    assert await admin.get(f"/accounts/{kim['id']}") == kim
    assert [row["name"] for row in await admin.get("/accounts")] == ["ada", "Kim"]
    assert await admin.get("/accounts", q="KI") == [kim]


@pytest.mark.parametrize(
    ("fields", "status", "code"),
    [
        ({"name": "ADA"}, 409, "account_name_taken"),
        ({"name": "\uff41da"}, 409, "account_name_taken"),
        ({"name": ""}, 422, "invalid_account_name"),
        ({"name": "poll"}, 422, "invalid_account_name"),
        ({"name": "\u0430dmin"}, 422, "invalid_account_name"),
        ({"password": "12345678901"}, 422, "password_refused"),
        ({"role": "owner"}, 422, "invalid_request"),
        ({"groups": ["admins"]}, 422, "invalid_request"),
    ],
)
async def test_an_account_is_refused(
    guarded: GuardedService, fields: dict[str, Any], status: int, code: str
) -> None:
    body = {"name": "kim", "password": PASSWORD, **fields}
    answer = await guarded.admin.ask("POST", "/accounts", json=body)
    assert_problem(answer, status, code)
    assert body["password"] not in answer.text
    assert len(await guarded.admin.get("/accounts")) == 1


async def test_an_account_is_changed_field_by_field(guarded: GuardedService) -> None:
    kim = await guarded.account("kim")
    path = f"/accounts/{kim['id']}"
    changed = await guarded.admin.ask("PUT", path, 200, json={"role": "none"})
    assert changed.json() == {**kim, "role": "none"}
    changed = await guarded.admin.ask("PUT", path, 200, json={"name": "Kim Lee"})
    assert changed.json() == {**kim, "name": "Kim Lee", "role": "none"}
    assert changed.headers["etag"].startswith('"3.')


async def test_a_change_of_an_older_revision_is_refused(guarded: GuardedService) -> None:
    kim = await guarded.account("kim")
    path = f"/accounts/{kim['id']}"
    tag = (await guarded.admin.ask("GET", path, 200)).headers["etag"]
    await guarded.admin.ask("PUT", path, 200, json={"role": "editor"}, headers={"If-Match": tag})
    answers = [
        await guarded.admin.ask("PUT", path, json={"role": "none"}, headers={"If-Match": tag}),
        await guarded.admin.ask("DELETE", path, headers={"If-Match": tag}),
    ]
    assert [answer.status_code for answer in answers] == [412, 412]


async def test_everybody_reads_their_own_account(guarded: GuardedService) -> None:
    kim = await guarded.person("kim", "none")
    assert (await kim.get(f"/accounts/{kim.id}"))["name"] == "kim"
    other = await kim.ask("GET", f"/accounts/{guarded.admin.id}")
    unknown = await kim.ask("GET", f"/accounts/{'0' * 24}")
    assert_problem(other, 403, "forbidden")
    assert_problem(unknown, 403, "forbidden")


@pytest.mark.parametrize("change", [{"disabled": True}, {"role": "editor"}, None])
async def test_the_last_administrator_stays(
    guarded: GuardedService, change: dict[str, Any] | None
) -> None:
    admin = guarded.admin
    path = f"/accounts/{admin.id}"
    method = "DELETE" if change is None else "PUT"
    answer = await admin.ask(method, path, json=change)
    assert_problem(answer, 409, "last_administrator")
    assert (await admin.get("/me"))["role"] == "admin"


async def test_of_two_administrators_who_remove_each_other_one_stays(
    guarded: GuardedService,
) -> None:
    ada, eve = guarded.admin, await guarded.person("eve", "admin")
    answers = await asyncio.gather(
        ada.ask("PUT", f"/accounts/{eve.id}", json={"role": "reader"}),
        eve.ask("PUT", f"/accounts/{ada.id}", json={"role": "reader"}),
    )
    statuses = sorted(answer.status_code for answer in answers)
    assert statuses[0] == 200
    assert statuses[1] in {403, 409}
    roles = sorted([(await one.get("/me"))["role"] for one in (ada, eve)])
    assert roles == ["admin", "reader"]


async def test_a_disabled_account_has_no_sessions_and_no_tokens(
    guarded: GuardedService,
) -> None:
    kim = await guarded.person("kim", "editor")
    program = guarded.program(await kim.token("editor"))
    await program.get("/me")
    path = f"/accounts/{kim.id}"
    await guarded.admin.ask("PUT", path, 200, json={"disabled": True})
    assert_problem(await kim.ask("GET", "/me"), 401, "unauthenticated")
    assert_problem(await program.ask("GET", "/me"), 401, "unauthenticated")
    body = {"name": "kim", "password": PASSWORD}
    answer = await guarded.visitor().ask("POST", "/sessions", json=body)
    assert_problem(answer, 401, "sign_in_failed")
    await guarded.admin.ask("PUT", path, 200, json={"disabled": False})
    assert_problem(await kim.ask("GET", "/me"), 401, "unauthenticated")
    assert_problem(await program.ask("GET", "/me"), 401, "unauthenticated")
    await guarded.visitor().sign_in("kim")


async def test_a_password_that_is_set_ends_sessions_and_tokens(
    guarded: GuardedService,
) -> None:
    kim = await guarded.person("kim", "editor")
    program = guarded.program(await kim.token("editor"))
    await program.get("/me")
    path, body = f"/accounts/{kim.id}/password", {"new_password": OTHER_PASSWORD}
    await guarded.admin.ask("PUT", path, 204, json=body)
    assert_problem(await kim.ask("GET", "/me"), 401, "unauthenticated")
    assert_problem(await program.ask("GET", "/me"), 401, "unauthenticated")
    visitor = guarded.visitor()
    old = await visitor.ask("POST", "/sessions", json={"name": "kim", "password": PASSWORD})
    assert_problem(old, 401, "sign_in_failed")
    await visitor.sign_in("kim", OTHER_PASSWORD)


@pytest.mark.parametrize(
    ("kind", "new", "status", "code"),
    [
        ("local", "short", 422, "password_refused"),
        ("proxy", OTHER_PASSWORD, 409, "account_not_local"),
        ("nobody", OTHER_PASSWORD, 404, "account_not_found"),
    ],
)
async def test_a_password_is_not_set(
    guarded: GuardedService, kind: str, new: str, status: int, code: str
) -> None:
    sign_in = guarded.service.services.access.sign_in
    person = ProvedPerson(kind="proxy", issuer="proxy", subject="lee", name="lee")
    ids = {
        "local": guarded.admin.id,
        "proxy": (await sign_in.account_of(person)).account.id,
        "nobody": "0" * 24,
    }
    path = f"/accounts/{ids[kind]}/password"
    answer = await guarded.admin.ask("PUT", path, json={"new_password": new})
    assert_problem(answer, status, code)
    await guarded.admin.get("/me")


class PausingHasher(PasswordHasher):
    """Goes on from a check of a password only when the test says so, once it is armed."""

    def __init__(self) -> None:
        super().__init__(time_cost=1, memory_cost=8, parallelism=1)
        self.armed, self.checked, self.may_go_on = Event(), Event(), Event()

    # The argument is called as in argon2.
    def verify(self, hash: str | bytes, password: str | bytes) -> Literal[True]:  # noqa: A002
        found = super().verify(hash, password)
        if self.armed.is_set():
            self.checked.set()
            assert self.may_go_on.wait(GENEROUS)
        return found


@pytest.mark.parametrize(
    ("method", "path", "body"),
    [
        ("POST", "/sessions", {"name": "kim", "password": PASSWORD}),
        ("PUT", "/me/password", {"current_password": PASSWORD, "new_password": "a third phrase"}),
    ],
    ids=["signing in", "changing it"],
)
async def test_an_old_password_is_refused_though_it_was_right_when_it_was_checked(
    database_url: str,
    github: GitHubTestServer,
    tmp_path: Path,
    method: str,
    path: str,
    body: dict[str, str],
) -> None:
    hasher = PausingHasher()
    externals = Externals(passwords=Passwords(hasher))
    async with guarded_service(database_url, github, tmp_path, externals=externals) as guarded:
        kim = await guarded.person("kim")
        hasher.armed.set()
        asked = asyncio.create_task(kim.ask(method, path, json=body))
        assert await asyncio.to_thread(hasher.checked.wait, GENEROUS)
        new = {"new_password": OTHER_PASSWORD}
        await guarded.admin.ask("PUT", f"/accounts/{kim.id}/password", 204, json=new)
        hasher.may_go_on.set()
        assert_problem(await asked, 401, "sign_in_failed")
        await guarded.visitor().sign_in("kim", OTHER_PASSWORD)


async def test_a_deleted_account_leaves_nothing_that_proves_it(
    guarded: GuardedService,
) -> None:
    kim = await guarded.person("kim", "editor")
    program = guarded.program(await kim.token("editor"))
    await program.get("/me")
    await guarded.admin.ask("DELETE", f"/accounts/{kim.id}", 204)
    assert_problem(await kim.ask("GET", "/me"), 401, "unauthenticated")
    assert_problem(await program.ask("GET", "/me"), 401, "unauthenticated")
    answer = await guarded.admin.ask("GET", f"/accounts/{kim.id}")
    assert_problem(answer, 404, "account_not_found")
    assert await guarded.admin.get("/tokens", all="true") == []


@pytest.mark.parametrize("change", [{"disabled": True}, None], ids=["disabled", "deleted"])
async def test_an_account_ends_at_the_other_replica_within_five_seconds(
    guarded: GuardedService, clock: Clock, change: dict[str, Any] | None
) -> None:
    async with replica_of(guarded, externals=Externals(clock=clock)) as replica:
        kim = await guarded.person("kim", "editor")
        there = replica.visitor(Cookie=f"bm_session={kim.cookie}")
        program = replica.program(await kim.token("editor"))
        await there.get("/me")
        await program.get("/me")
        method = "DELETE" if change is None else "PUT"
        await guarded.admin.ask(method, f"/accounts/{kim.id}", json=change)
        clock.forward(seconds=5)
        assert_problem(await there.ask("GET", "/me"), 401, "unauthenticated")
        assert_problem(await program.ask("GET", "/me"), 401, "unauthenticated")


async def test_a_changed_role_holds_at_the_other_replica_within_five_seconds(
    guarded: GuardedService, clock: Clock
) -> None:
    async with replica_of(guarded, externals=Externals(clock=clock)) as replica:
        kim = await guarded.person("kim", "editor")
        there = replica.visitor(Cookie=f"bm_session={kim.cookie}")
        await there.ask("POST", "/projects/sync-all", 202)
        body = {"role": "reader"}
        await guarded.admin.ask("PUT", f"/accounts/{kim.id}", 200, json=body)
        clock.forward(seconds=5)
        assert_problem(await there.ask("POST", "/projects/sync-all"), 403, "forbidden")


async def test_a_grant_holds_at_the_other_replica_within_five_seconds(
    guarded: GuardedService, clock: Clock
) -> None:
    project = await guarded.admin.post("/projects", {"name": "p", "github_repo_url": "acme/b"})
    path = f"/projects/{project['id']}"
    async with replica_of(guarded, externals=Externals(clock=clock)) as replica:
        kim = await guarded.person("kim", "none", grants={project["id"]: "reader"})
        there = replica.visitor(Cookie=f"bm_session={kim.cookie}")
        await there.get(path)
        query = {"kind": "account", "id": kim.id}
        await guarded.admin.ask("DELETE", f"{path}/grants", 204, params=query)
        assert_problem(await kim.ask("GET", path), 404, "project_not_found")
        clock.forward(seconds=5)
        assert_problem(await there.ask("GET", path), 404, "project_not_found")
