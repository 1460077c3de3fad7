"""Reading the audit, and what is on record besides changes."""

import json
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Final

import httpx2 as httpx
import pytest
import pytest_asyncio

from benchmark_manager.models.access.principal import Principal
from benchmark_manager.stores.access.audit import AuditStore
from github_test_server import GitHubTestServer
from support.access import NOW, a_record
from support.known_principals import Callers, callers_of
from support.principals import (
    account,
    admin,
    editor_of,
    limited_to,
    maintainer_of,
    reader_of,
    stranger,
)
from support.problems import ObservedAnswers, assert_problem
from support.service import Json, Service
from support.signed_in import ADMIN, PASSWORD, Guarded, guarded_service
from support.unchanged_database import unchanged

#: Fixed, as they are part of the names of tests, which all workers must collect alike.
PROJECT: Final = "65f0c0ffee65f0c0ffee0001"
OTHER: Final = "65f0c0ffee65f0c0ffee0002"
PRINCIPALS: Final[dict[str, Principal]] = {
    "admin": admin(),
    "site_maintainer": account(role="maintainer"),
    "maintainer": maintainer_of(PROJECT),
    "bound": limited_to(admin(), "admin", PROJECT),
    "editor": editor_of(PROJECT),
    "reader": reader_of(PROJECT),
    "stranger": stranger(),
    "lesser": limited_to(admin(), "editor", PROJECT),
}
NAMES: Final = {"mine": PROJECT, "other": OTHER, "of no project": None}


@pytest_asyncio.fixture(scope="module", loop_scope="session")
async def callers(module_service: Service) -> AsyncIterator[Callers]:
    """A service with records of two projects and of none, for tests that change nothing."""
    store = AuditStore(module_service.services.database)
    await store.insert(
        [a_record(object_name=name, project_id=project_id) for name, project_id in NAMES.items()]
    )
    async with callers_of(module_service, **PRINCIPALS) as callers:
        observed = ObservedAnswers()
        callers.http.event_hooks = {"request": [], "response": [observed.note]}
        yield callers
        assert observed.undocumented == []


def objects(answer: httpx.Response) -> set[str]:
    """Return the names of what the records are about."""
    assert answer.status_code == 200, answer.text
    return {record["object"]["name"] for record in answer.json()}


@pytest.mark.parametrize(
    ("who", "found"),
    [
        ("admin", {"mine", "other", "of no project"}),
        ("site_maintainer", {"mine", "other"}),
        ("maintainer", {"mine"}),
        ("bound", {"mine"}),
    ],
)
async def test_records_are_those_of_projects_that_one_maintains(
    callers: Callers, who: str, found: set[str]
) -> None:
    assert objects(await callers.ask(who, "GET", "/audit")) == found


@pytest.mark.parametrize("who", ["editor", "reader", "stranger", "lesser"])
@pytest.mark.parametrize("form", ["json", "jsonl"])
async def test_others_read_no_record(callers: Callers, who: str, form: str) -> None:
    answer = await callers.ask(who, "GET", "/audit", params={"format": form})
    assert assert_problem(answer, 403, "forbidden")["role_needed"] == "maintainer"


@pytest.mark.parametrize(
    ("who", "project_id", "status", "code"),
    [
        ("maintainer", OTHER, 404, "project_not_found"),
        ("maintainer", "0" * 24, 404, "project_not_found"),
        ("bound", OTHER, 404, "project_not_found"),
        ("editor", PROJECT, 403, "forbidden"),
    ],
)
@pytest.mark.parametrize("form", ["json", "jsonl"])
async def test_records_of_other_projects_are_refused(
    callers: Callers, who: str, project_id: str, status: int, code: str, form: str
) -> None:
    params = {"project_id": project_id, "format": form}
    assert_problem(await callers.ask(who, "GET", "/audit", params=params), status, code)


@pytest.mark.parametrize(
    ("params", "found"),
    [
        ({"project_id": OTHER}, {"other"}),
        ({"project_id": "unknown"}, set()),
        ({"actor": "KIM"}, set(NAMES)),
        ({"actor": "lee"}, set()),
        ({"object": "MINE"}, {"mine"}),
        ({"action": "variant.edit"}, set(NAMES)),
        ({"action": "variant"}, set()),
        ({"outcome": "refused"}, set()),
        ({"since": NOW.isoformat()}, set(NAMES)),
        ({"until": NOW.isoformat()}, set()),
        ({"since": "2999-01-01T00:00:00+09:00"}, set()),
    ],
    ids=lambda value: " ".join(sorted(value)),
)
async def test_filters_leave_records(
    callers: Callers, params: dict[str, str], found: set[str]
) -> None:
    assert objects(await callers.ask("admin", "GET", "/audit", params=params)) == found


@pytest.mark.parametrize(
    "params",
    [
        {"since": "0001-01-01T00:00:00+14:00"},
        {"until": "9999-12-31T23:59:59-14:00"},
        {"since": "2026-01-01T00:00:00"},
        {"since": "yesterday"},
        {"outcome": "asked"},
        {"format": "csv"},
        {"actor": "a\0b"},
        {"object": "x" * 5000},
        {"limit": "0"},
    ],
    ids=lambda params: next(iter(params)),
)
async def test_hostile_filters_are_refused(callers: Callers, params: dict[str, str]) -> None:
    answer = await callers.ask("admin", "GET", "/audit", params=params)
    assert_problem(answer, 422, "invalid_request")


async def test_pages_lead_to_the_next(callers: Callers) -> None:
    first = await callers.ask("admin", "GET", "/audit", params={"limit": 2})
    assert first.headers["x-total-count"] == "3"
    second = await callers.ask("admin", "GET", first.links["next"]["url"])
    assert objects(first) | objects(second) == set(NAMES)


def lines(answer: httpx.Response) -> list[Json]:
    assert answer.headers["content-type"] == "application/x-ndjson"
    return [json.loads(line) for line in answer.text.splitlines()]


async def test_lines_are_the_records_of_the_list(callers: Callers) -> None:
    listed = (await callers.ask("admin", "GET", "/audit")).json()
    streamed = await callers.ask("admin", "GET", "/audit", params={"format": "jsonl", "limit": 1})
    assert lines(streamed) == listed


async def test_many_lines_are_sent_in_parts(callers: Callers, module_service: Service) -> None:
    database = module_service.services.database
    async with unchanged(database):
        await AuditStore(database).insert(
            [a_record(actor="many", project_id=PROJECT) for _ in range(250)]
        )
        params = {"format": "jsonl", "actor": "many"}
        answer = await callers.ask("maintainer", "GET", "/audit", params=params)
    assert len({line["id"] for line in lines(answer)}) == 250


async def test_no_record_is_no_line(callers: Callers) -> None:
    params = {"format": "jsonl", "actor": "nobody"}
    assert lines(await callers.ask("admin", "GET", "/audit", params=params)) == []


async def test_without_accounts_the_name_that_was_sent_is_on_record(service: Service) -> None:
    service.repository("acme/open", {"config/a.yaml": b"a: 1\n"})
    service.http.headers["X-Actor"] = "jo"
    await service.project("acme/open")
    [record] = await service.rows("/audit")
    assert (record["actor"]["kind"], record["actor"]["name"]) == ("anonymous", "jo")


@pytest.fixture
async def guarded(
    database_url: str, github: GitHubTestServer, tmp_path: Path
) -> AsyncIterator[Guarded]:
    async with guarded_service(database_url, github, tmp_path) as guarded:
        yield guarded


async def with_token(guarded: Guarded, **fields: object) -> Json:
    """Make a token, and use it from now on instead of the session."""
    token = await guarded.service.post("/tokens", {"name": "nightly", **fields}, 201)
    guarded.service.http.cookies.clear()
    guarded.service.http.headers["Authorization"] = f"Bearer {token['token']}"
    return token


async def test_a_wrong_password_is_on_record_without_what_was_typed(guarded: Guarded) -> None:
    body = {"name": ADMIN, "password": "wrong horse"}
    answer = await guarded.service.http.post("/sessions", json=body)
    assert_problem(answer, 401, "sign_in_failed")
    [record, *_] = await guarded.records()
    assert (record.action, record.outcome, record.actor.kind) == ("sign_in", "refused", "anonymous")
    assert record.object is not None
    assert (record.object.kind, record.object.name) == ("account", ADMIN)
    assert "horse" not in record.model_dump_json()


async def test_a_name_that_nobody_has_is_not_on_record(guarded: Guarded) -> None:
    # People type their password into the field of the name.
    body = {"name": "correct horse", "password": "wrong"}
    await guarded.service.http.post("/sessions", json=body)
    [record, *_] = await guarded.records()
    assert (record.action, record.outcome) == ("sign_in", "refused")
    assert "horse" not in record.model_dump_json()


async def test_a_try_that_has_to_wait_is_on_record(guarded: Guarded) -> None:
    body = {"name": ADMIN, "password": "wrong horse"}
    for _ in range(5):
        await guarded.service.http.post("/sessions", json=body)
    assert_problem(await guarded.service.http.post("/sessions", json=body), 429, "sign_in_paused")
    refused = [record for record in await guarded.records() if record.outcome == "refused"]
    assert len(refused) == 6


async def test_the_first_use_of_a_token_in_a_day_is_on_record(guarded: Guarded) -> None:
    token = await with_token(guarded)
    await guarded.service.get("/me")
    await guarded.service.get("/projects")
    await guarded.service.services.access.uses.finish()
    uses = [record for record in await guarded.records() if record.action == "token_use"]
    [used] = uses
    assert used.object is not None
    assert (used.object.id, used.object.name) == (token["id"], "nightly")
    assert (used.actor.id, used.actor.via) == (guarded.account["id"], "token")
    assert (used.address, used.request_id) != ("", "")


async def test_a_refused_change_is_on_record(guarded: Guarded) -> None:
    guarded.service.repository("acme/bench", {"config/a.yaml": b"a: 1\n"})
    project = await guarded.service.project("acme/bench")
    await with_token(guarded, role="reader")
    answer = await guarded.service.http.put(f"/projects/{project['id']}", json={"name": "mine"})
    assert_problem(answer, 403, "forbidden")
    await guarded.service.services.access.uses.finish()
    [record] = [one for one in await guarded.records() if one.outcome == "refused"]
    assert (record.action, record.project_id) == ("project.edit", project["id"])
    assert (record.actor.name, record.actor.via) == (ADMIN, "token")
    assert record.object is not None
    assert (record.object.kind, record.object.id) == ("project", project["id"])


async def test_a_refused_change_of_a_release_names_a_project_that_the_principal_may_read(
    guarded: Guarded,
) -> None:
    for name in ("acme/first", "acme/second"):
        guarded.service.repository(name, {"config/a.yaml": b"a: 1\n"})
    projects = [await guarded.service.synced(name) for name in ("acme/first", "acme/second")]
    made = [
        await guarded.service.post(f"/projects/{project['id']}/releases", {"name": "one"}, status)
        for project, status in zip(projects, (201, 200), strict=True)
    ]
    assert made[0]["digest"] == made[1]["digest"]
    await with_token(guarded, role="reader", projects=[projects[1]["id"]])
    address = f"/releases/{made[0]['digest']}"
    assert_problem(await guarded.service.http.put(address, json={"name": "x"}), 403, "forbidden")
    [record] = [one for one in await guarded.records() if one.outcome == "refused"]
    assert (record.action, record.project_id) == ("release.edit", projects[1]["id"])


async def test_a_refusal_does_not_repeat_a_long_path(guarded: Guarded) -> None:
    await with_token(guarded, role="reader")
    answer = await guarded.service.http.put(f"/accounts/{'x' * 58_000}", json={"role": "admin"})
    assert_problem(answer, 403, "forbidden")
    [record] = [one for one in await guarded.records() if one.outcome == "refused"]
    assert record.action == "account.edit"
    assert record.object is not None
    assert record.object.id == ""


async def test_a_refusal_does_not_repeat_a_long_project(guarded: Guarded) -> None:
    await with_token(guarded, role="reader")
    answer = await guarded.service.http.put(f"/projects/{'x' * 58_000}", json={"name": "mine"})
    assert_problem(answer, 403, "forbidden")
    [record] = [one for one in await guarded.records() if one.outcome == "refused"]
    assert record.project_id is None
    assert record.object is not None
    assert record.object.id == ""


async def test_a_refused_reading_is_no_record(guarded: Guarded) -> None:
    await with_token(guarded, role="reader")
    assert_problem(await guarded.service.http.get("/accounts"), 403, "forbidden")
    assert [one for one in await guarded.records() if one.outcome == "refused"] == []


async def test_a_token_that_may_make_no_other_is_on_record(guarded: Guarded) -> None:
    await with_token(guarded)
    answer = await guarded.service.http.post("/tokens", json={"name": "another"})
    assert_problem(answer, 403, "forbidden")
    [record] = [one for one in await guarded.records() if one.outcome == "refused"]
    assert (record.action, record.actor.name) == ("token.create", ADMIN)


async def test_for_whom_a_token_acted_is_on_record(guarded: Guarded) -> None:
    guarded.service.repository("acme/bench", {"config/a.yaml": b"a: 1\n"})
    await with_token(guarded, role="admin", act_for_others=True)
    guarded.service.http.headers["X-Actor"] = "lee"
    await guarded.service.project("acme/bench")
    created = [one for one in await guarded.records() if one.action == "project.create"]
    assert [(one.actor.name, one.on_behalf_of) for one in created] == [(ADMIN, "lee")]


async def test_no_record_has_a_secret(guarded: Guarded) -> None:
    token = await with_token(guarded, role="admin")
    guarded.service.repository("acme/bench", {"config/a.yaml": b"a: 1\n"})
    project = await guarded.service.project("acme/bench")
    await guarded.service.put(f"/projects/{project['id']}", {"github_token": "github-secret"})
    found = json.dumps([one.model_dump(mode="json") for one in await guarded.records()])
    assert '"github_token"' in found
    assert [word for word in (token["token"], PASSWORD, "github-secret") if word in found] == []
