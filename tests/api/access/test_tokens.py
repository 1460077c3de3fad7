"""Tokens of programs: what they allow, how long, and that they are shown once."""

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from benchmark_manager.factory import Externals
from benchmark_manager.stores.access.api_tokens import ApiTokenStore
from support.access import a_token, an_account
from support.clocks import Clock
from support.guarded import GuardedService, SignedInPerson, replica_of
from support.problems import assert_problem

PROJECT = {"github_repo_url": "acme/b", "polling_interval": 0}


def days_of(token: dict[str, Any]) -> int:
    """Return for how many days a token is good."""
    times = [datetime.fromisoformat(token[name]) for name in ("created_at", "expires_at")]
    return (times[1] - times[0]).days


async def test_a_token_is_shown_once_and_acts_as_its_account(
    guarded: GuardedService,
) -> None:
    kim = await guarded.person("kim", "editor")
    answer = await kim.ask("POST", "/tokens", 201, json={"name": "nightly", "role": "reader"})
    made = answer.json()
    assert answer.headers["cache-control"] == "no-store"
    text = made.pop("token")
    assert await kim.get("/tokens") == [made]
    assert (made["account"], made["projects"], made["last_used_at"]) == (kim.id, "all", None)
    me = await guarded.program(text).get("/me")
    assert me == {
        "kind": "program",
        "id": kim.id,
        "name": "kim",
        "role": "editor",
        "groups": [],
        "via": "token",
    }


async def test_the_use_of_a_token_is_recorded_to_the_minute(
    guarded: GuardedService, clock: Clock
) -> None:
    program = guarded.program(await guarded.admin.token())
    uses = guarded.service.services.access.uses

    async def last_use() -> str:
        await program.get("/me")
        await uses.finish()
        [row] = await guarded.admin.get("/tokens")
        return str(row["last_used_at"])

    first = await last_use()
    clock.forward(seconds=30)
    assert await last_use() == first
    clock.forward(seconds=31)
    assert await last_use() > first


@pytest.mark.parametrize(
    ("role", "bound", "status"),
    [
        ("admin", "admin", 201),
        ("admin", "maintainer", 201),
        ("admin", "editor", 403),
        ("maintainer", "admin", 201),
        ("editor", "admin", 403),
        ("reader", "admin", 403),
    ],
)
async def test_a_token_allows_what_its_role_and_its_account_both_allow(
    guarded: GuardedService, role: str, bound: str, status: int
) -> None:
    person = await guarded.person("kim", role)
    program = guarded.program(await person.token(bound))
    answer = await program.ask("POST", "/projects", json={"name": "p", **PROJECT})
    assert answer.status_code == status


async def test_a_token_follows_the_role_of_its_account(guarded: GuardedService) -> None:
    person = await guarded.person("kim", "maintainer")
    program = guarded.program(await person.token("maintainer"))
    await guarded.admin.ask("PUT", f"/accounts/{person.id}", 200, json={"role": "reader"})
    answer = await program.ask("POST", "/projects", json={"name": "p", **PROJECT})
    assert_problem(answer, 403, "forbidden")


async def test_a_token_of_one_project_knows_no_other(guarded: GuardedService) -> None:
    one, other = [await guarded.admin.post("/projects", {"name": name, **PROJECT}) for name in "pq"]
    program = guarded.program(await guarded.admin.token("admin", projects=[one["id"]]))
    assert [row["name"] for row in await program.get("/projects")] == ["p"]
    answer = await program.ask("GET", f"/projects/{other['id']}")
    assert_problem(answer, 404, "project_not_found")
    answer = await program.ask("POST", "/projects", json={"name": "r", **PROJECT})
    assert_problem(answer, 403, "forbidden")
    assert (await program.get("/status"))["total_projects"] == 1


@pytest.mark.parametrize(
    ("role", "days", "status"),
    [("reader", 366, 201), ("reader", 367, 422), ("admin", 3000, 201), ("reader", -1, 422)],
)
async def test_a_token_is_good_for_a_year_or_longer_by_an_administrator(
    guarded: GuardedService, role: str, days: int, status: int
) -> None:
    person = await guarded.person("kim", role)
    until = datetime.now(UTC) + timedelta(days=days)
    body = {"name": "x", "expires_at": until.isoformat()}
    answer = await person.ask("POST", "/tokens", json=body)
    assert answer.status_code == status


async def test_a_token_is_good_for_90_days_unless_its_maker_says_more(
    guarded: GuardedService, clock: Clock
) -> None:
    made = await guarded.admin.post("/tokens", {"name": "x"})
    assert days_of(made) == 90
    program = guarded.program(made["token"])
    clock.forward(days=89)
    await program.get("/me")
    clock.forward(days=1)
    assert_problem(await program.ask("GET", "/me"), 401, "unauthenticated")


async def test_a_token_is_made_only_for_projects_that_may_be_read(
    guarded: GuardedService,
) -> None:
    project = await guarded.admin.post("/projects", {"name": "p", **PROJECT})
    kim = await guarded.person("kim", "none")
    body = {"name": "x", "projects": [project["id"]]}
    assert_problem(await kim.ask("POST", "/tokens", json=body), 404, "project_not_found")
    assert await kim.get("/tokens") == []


async def test_an_account_has_a_hundred_tokens_at_most(guarded: GuardedService) -> None:
    admin = guarded.admin
    store = ApiTokenStore(guarded.service.services.database)
    for number in range(99):
        await store.insert(
            a_token(an_account()).model_copy(update={"account_id": admin.id}), f"hash {number}"
        )
    made = await admin.post("/tokens", {"name": "the last one"})
    answer = await admin.ask("POST", "/tokens", json={"name": "one more"})
    assert_problem(answer, 409, "too_many_tokens")
    await admin.ask("DELETE", f"/tokens/{made['id']}", 204)
    await admin.post("/tokens", {"name": "one more"})


async def revoked(guarded: GuardedService, person: SignedInPerson) -> None:
    [row] = await guarded.admin.get("/tokens", all="true")
    await person.ask("DELETE", f"/tokens/{row['id']}", 204)


@pytest.mark.parametrize("by_admin", [True, False])
async def test_a_revoked_token_is_refused_at_once_and_by_replicas_within_five_seconds(
    guarded: GuardedService, clock: Clock, *, by_admin: bool
) -> None:
    kim = await guarded.person("kim")
    text = await kim.token("reader")
    async with replica_of(guarded, externals=Externals(clock=clock)) as replica:
        here, there = guarded.program(text), replica.program(text)
        await here.get("/me")
        await there.get("/me")
        await revoked(guarded, guarded.admin if by_admin else kim)
        answer = await here.ask("GET", "/me")
        assert_problem(answer, 401, "unauthenticated")
        assert answer.headers["www-authenticate"] == 'Bearer error="invalid_token"'
        clock.forward(seconds=5)
        assert_problem(await there.ask("GET", "/me"), 401, "unauthenticated")


async def test_a_token_of_somebody_else_does_not_exist(guarded: GuardedService) -> None:
    await guarded.admin.token()
    [row] = await guarded.admin.get("/tokens")
    kim = await guarded.person("kim", "maintainer")
    assert await kim.get("/tokens") == []
    answer = await kim.ask("DELETE", f"/tokens/{row['id']}")
    assert_problem(answer, 404, "token_not_found")
    assert_problem(await kim.ask("GET", "/tokens", params={"all": "true"}), 403, "forbidden")


async def test_a_token_makes_no_token(guarded: GuardedService) -> None:
    program = guarded.program(await guarded.admin.token())
    answer = await program.ask("POST", "/tokens", json={"name": "heir"})
    assert_problem(answer, 403, "forbidden")


@pytest.mark.parametrize(
    ("method", "path"),
    [("GET", "/sessions"), ("DELETE", "/sessions"), ("DELETE", "/sessions/current")],
)
async def test_a_token_reaches_no_session_of_its_account(
    guarded: GuardedService, method: str, path: str
) -> None:
    kim = await guarded.person("kim", "maintainer")
    answer = await guarded.program(await kim.token("reader")).ask(method, path)
    assert_problem(answer, 403, "forbidden")
    await kim.get("/me")


async def test_a_token_sees_and_revokes_itself_alone(guarded: GuardedService) -> None:
    kim = await guarded.person("kim", "admin")
    other = await kim.post("/tokens", {"name": "other"})
    own = await kim.post("/tokens", {"name": "own", "role": "maintainer"})
    program = guarded.program(own["token"])
    assert [row["id"] for row in await program.get("/tokens")] == [own["id"]]
    answer = await program.ask("DELETE", f"/tokens/{other['id']}")
    assert_problem(answer, 404, "token_not_found")
    await program.ask("DELETE", f"/tokens/{own['id']}", 204)
    assert [row["id"] for row in await kim.get("/tokens")] == [other["id"]]


async def test_a_token_of_an_administrator_revokes_others(guarded: GuardedService) -> None:
    other = await guarded.admin.post("/tokens", {"name": "other"})
    program = guarded.program(await guarded.admin.token("admin"))
    assert len(await program.get("/tokens")) == 2
    await program.ask("DELETE", f"/tokens/{other['id']}", 204)


async def test_a_token_acts_for_others_while_its_account_is_an_administrator(
    guarded: GuardedService,
) -> None:
    kim = await guarded.person("kim", "admin")
    program = guarded.program(await kim.token("editor", act_for_others=True))
    headers = {"X-Actor": "jo"}
    await program.ask("POST", "/projects/sync-all", 202, headers=headers)
    await guarded.admin.ask("PUT", f"/accounts/{kim.id}", 200, json={"role": "maintainer"})
    answer = await program.ask("POST", "/projects/sync-all", headers=headers)
    assert_problem(answer, 403, "forbidden")


async def test_only_administrators_make_tokens_that_act_for_others(
    guarded: GuardedService,
) -> None:
    kim = await guarded.person("kim", "maintainer")
    body = {"name": "x", "act_for_others": True}
    assert_problem(await kim.ask("POST", "/tokens", json=body), 403, "forbidden")
    await guarded.admin.post("/tokens", body)


@pytest.mark.parametrize(("acts", "status"), [(True, 202), (False, 403)])
async def test_who_sends_a_name_for_the_record_needs_a_token_for_it(
    guarded: GuardedService, *, acts: bool, status: int
) -> None:
    text = await guarded.admin.token("editor", act_for_others=acts)
    answer = await guarded.program(text).ask(
        "POST", "/projects/sync-all", headers={"X-Actor": "jo"}
    )
    assert answer.status_code == status


async def test_a_person_sends_no_other_name(guarded: GuardedService) -> None:
    answer = await guarded.admin.ask("POST", "/projects/sync-all", headers={"X-Actor": "jo"})
    assert_problem(answer, 403, "forbidden")


@pytest.mark.parametrize(
    "text",
    [
        "",
        "bmt_",
        "bmt_" + "0" * 73,
        "x",
        "a.b.c",
        "\u00e9",
        "bmt_" + "0" * 100_000,
    ],
    ids=range(7),
)
async def test_what_is_no_token_is_refused(guarded: GuardedService, text: str) -> None:
    headers = {"Authorization": b"Bearer " + text.encode("latin-1")}
    answer = await guarded.visitor().ask("GET", "/projects", headers=headers)
    assert answer.status_code == 401
    assert answer.headers["www-authenticate"].startswith("Bearer")


async def test_the_text_of_a_token_is_in_no_log_and_no_answer_but_its_own(
    guarded: GuardedService, caplog: pytest.LogCaptureFixture
) -> None:
    text = await guarded.admin.token()
    program = guarded.program(text)
    answers = [
        await program.ask("GET", path)
        for path in ("/me", "/tokens", f"/accounts/{guarded.admin.id}", "/nowhere")
    ]
    assert [text in answer.text for answer in answers] == [False] * 4
    assert text not in caplog.text
    assert guarded.admin.cookie not in caplog.text
