"""Rules of federation, and the programs that they let in."""

from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import httpx2 as httpx
import pytest

from benchmark_manager.factory import Externals
from support.bad_issuer import DISCOVERY, BadIssuer, IssuerClock, IssuerReply
from support.problems import assert_problem, fields_at_fault
from support.service import Json, Service, running_service
from support.unchanged_service import unchanged_service

ACTIONS = "https://token.actions.githubusercontent.com"
AUDIENCE = "https://bench.example.com"
WORKFLOW = "repo:acme/bench:ref:refs/heads/main"
UNKNOWN = "65f0c0ffee65f0c0ffee65f0"


def draft(**changes: Any) -> Json:
    return {
        "name": "CI of acme",
        "issuer": ACTIONS,
        "audience": AUDIENCE,
        "subject": WORKFLOW,
        "match": "exact",
        "role": "reader",
        "projects": "all",
        **changes,
    }


@pytest.fixture
async def service(module_service: Service) -> AsyncIterator[Service]:
    """The open service of all tests here, for each as it was at first."""
    async with unchanged_service(module_service) as running:
        yield running


@pytest.fixture
async def guarded(
    service: Service, tmp_path: Path, provider_clock: IssuerClock
) -> AsyncIterator[Service]:
    """A service for known principals alone, on the database of the open one."""
    async with running_service(
        "mongodb://unused",
        service.github,
        tmp_path,
        externals=Externals(clock=provider_clock, database=service.services.database),
        auth="required",
        secret_key=service.secret_key,
    ) as guarded:
        yield guarded


async def asked(
    service: Service, token: str, path: str = "/me", method: str = "GET"
) -> httpx.Response:
    """The answer to a program."""
    headers = {"Authorization": f"Bearer {token}"}
    body: Json | None = {} if method == "POST" else None
    return await service.http.request(method, path, headers=headers, json=body)


async def rule(service: Service, **changes: Any) -> Json:
    return await service.post("/federation", draft(**changes), 201)


async def test_a_rule_is_made_shown_changed_and_deleted(service: Service) -> None:
    made = await rule(service)
    address = f"/federation/{made['id']}"
    assert made == {"id": made["id"], **draft()}
    assert await service.get(address) == made
    changed = await service.put(address, draft(role="editor", projects=[UNKNOWN]))
    assert (changed["role"], changed["projects"]) == ("editor", [UNKNOWN])
    assert await service.rows("/federation") == [changed]
    assert (await service.http.delete(address)).status_code == 204
    assert_problem(await service.http.get(address), 404, "federation_rule_not_found")


async def test_rules_are_listed_by_name_in_pages(service: Service) -> None:
    for name in ("b", "C", "a"):
        await rule(service, name=name, subject=f"repo:acme/{name}:ref:main")
    answer = await service.http.get("/federation", params={"limit": 2})
    assert [row["name"] for row in answer.json()] == ["a", "b"]
    assert (answer.headers["x-total-count"], "next" in answer.links) == ("3", True)


async def test_an_answer_leads_to_the_new_rule(service: Service) -> None:
    answer = await service.http.post("/federation", json=draft())
    assert answer.headers["location"] == f"/federation/{answer.json()['id']}"
    assert answer.headers["etag"].startswith('"1.')


async def test_two_rules_for_the_same_tokens_are_refused(service: Service) -> None:
    await rule(service)
    answer = await service.http.post("/federation", json=draft(name="other"))
    assert_problem(answer, 409, "federation_rule_taken")


async def test_a_rule_cannot_become_another(service: Service) -> None:
    await rule(service)
    other = await rule(service, subject="repo:acme/other:ref:main")
    answer = await service.http.put(f"/federation/{other['id']}", json=draft())
    assert_problem(answer, 409, "federation_rule_taken")


async def test_who_changes_a_rule_may_say_what_it_was(service: Service) -> None:
    made = await rule(service)
    address, old = f"/federation/{made['id']}", {"If-Match": '"1.0"'}
    await service.http.put(address, json=draft(role="editor"), headers=old)
    stale = await service.http.put(address, json=draft(role="admin"), headers=old)
    assert assert_problem(stale, 412, "stale")["current_revision"] == 2


async def test_a_change_of_nothing_changes_nothing(service: Service) -> None:
    made = await rule(service)
    answer = await service.http.put(f"/federation/{made['id']}", json=draft())
    assert answer.headers["etag"].startswith('"1.')


@pytest.mark.parametrize(
    ("changes", "code"),
    [
        ({"name": ""}, "invalid_label"),
        ({"issuer": "http://login.example.com"}, "invalid_issuer"),
        ({"issuer": "https://name:secret@login.example.com"}, "invalid_issuer"),
        ({"audience": ""}, "invalid_audience"),
        ({"subject": "repo:acme/*"}, "invalid_subject"),
        ({"match": "prefix", "subject": "repo:"}, "invalid_subject"),
        ({"match": "prefix", "subject": "repo:acme/bench"}, "invalid_subject"),
        ({"match": "regex"}, "invalid_request"),
        ({"role": "none"}, "invalid_request"),
        ({"projects": None}, "invalid_request"),
        ({"secret": "a"}, "invalid_request"),
    ],
    ids=str,
)
async def test_an_unsafe_rule_is_refused(service: Service, changes: Json, code: str) -> None:
    answer = await service.http.post("/federation", json=draft(**changes))
    assert fields_at_fault(answer, code)
    assert "secret@" not in answer.text


@pytest.mark.parametrize("method", ["GET", "PUT", "DELETE"])
async def test_an_unknown_rule_is_404(service: Service, method: str) -> None:
    body = draft() if method == "PUT" else None
    answer = await service.http.request(method, f"/federation/{UNKNOWN}", json=body)
    assert_problem(answer, 404, "federation_rule_not_found")


async def test_changes_of_rules_are_on_record(service: Service) -> None:
    made = await rule(service)
    address = f"/federation/{made['id']}"
    await service.put(address, draft(role="editor", name="other"))
    await service.http.delete(address)
    rows = service.services.database.collection("audit").find({"object.id": made["id"]})
    assert [(row["action"], set(row["keys"])) async for row in rows] == [
        ("federation.create", set()),
        ("federation.edit", {"role", "name"}),
        ("federation.delete", set()),
    ]


async def test_a_program_is_let_in_by_its_token(
    service: Service, guarded: Service, issuer: BadIssuer
) -> None:
    await rule(service, issuer=issuer.url)
    me = (await asked(guarded, issuer.token(AUDIENCE, sub=WORKFLOW))).json()
    assert (me["kind"], me["name"], me["role"], me["via"]) == (
        "program",
        f"CI of acme ({WORKFLOW})",
        "reader",
        "federation",
    )


async def test_a_program_s_first_request_of_a_day_is_on_record(
    service: Service, guarded: Service, issuer: BadIssuer, provider_clock: IssuerClock
) -> None:
    made = await rule(service, issuer=issuer.url)
    answers = []
    for _ in range(2):
        answers.append(await asked(guarded, issuer.token(AUDIENCE, sub=WORKFLOW)))
        await guarded.services.access.uses.finish()
        provider_clock.pass_by(30)
    assert [answer.status_code for answer in answers] == [200, 200]
    [record] = await service.rows("/audit", action="token_use")
    assert (record["actor"]["id"], record["actor"]["via"]) == (made["id"], "federation")
    assert (record["object"]["kind"], record["address"]) == ("federation", "127.0.0.1")


async def test_a_program_reads_only_the_projects_of_its_rule(
    service: Service, guarded: Service, issuer: BadIssuer
) -> None:
    own, other = await service.project("acme/own"), await service.project("acme/other")
    await rule(service, issuer=issuer.url, projects=[own["id"]])
    token = issuer.token(AUDIENCE, sub=WORKFLOW)
    listed = (await asked(guarded, token, "/projects")).json()
    assert [row["name"] for row in listed] == ["acme/own"]
    hidden = await asked(guarded, token, f"/projects/{other['id']}")
    assert_problem(hidden, 404, "project_not_found")


@pytest.mark.parametrize("path", ["/federation", "/accounts", "/projects/sync-all"])
async def test_a_program_may_not_what_its_rule_does_not_give(
    service: Service, guarded: Service, issuer: BadIssuer, path: str
) -> None:
    await rule(service, issuer=issuer.url)
    method = "POST" if path.endswith("sync-all") else "GET"
    answer = await asked(guarded, issuer.token(AUDIENCE, sub=WORKFLOW), path, method)
    assert_problem(answer, 403, "forbidden")


@pytest.mark.parametrize(
    "claims",
    [{"aud": "other"}, {"sub": "repo:acme/other:ref:main"}, {"exp": 1}, {"iss": ACTIONS}],
    ids=str,
)
async def test_a_token_that_no_rule_accepts_is_refused(
    service: Service, guarded: Service, issuer: BadIssuer, claims: Json
) -> None:
    await rule(service, issuer=issuer.url)
    token = issuer.token(AUDIENCE, **{"sub": WORKFLOW, **claims})
    assert_problem(await asked(guarded, token), 401, "signed_token_refused")


@pytest.mark.parametrize("token", ["a", "a.b.c", "e30.e30.", "gho_abcdef", "."], ids=str)
async def test_what_is_no_token_is_refused_as_what_a_request_sent(
    guarded: Service, token: str
) -> None:
    document = assert_problem(await asked(guarded, token), 401, "signed_token_refused")
    assert document["detail"].startswith("The token is none of this service")


async def test_an_issuer_that_is_away_is_no_refusal(
    service: Service, guarded: Service, issuer: BadIssuer
) -> None:
    await rule(service, issuer=issuer.url)
    issuer.replies[DISCOVERY] = IssuerReply.of({}, 503)
    answer = await asked(guarded, issuer.token(AUDIENCE, sub=WORKFLOW))
    assert_problem(answer, 502, "issuer_failed")


async def test_a_deleted_rule_lets_nobody_in_after_five_seconds(
    service: Service, guarded: Service, issuer: BadIssuer, provider_clock: IssuerClock
) -> None:
    made = await rule(service, issuer=issuer.url)
    token = issuer.token(AUDIENCE, sub=WORKFLOW)
    assert (await asked(guarded, token)).status_code == 200
    await service.http.delete(f"/federation/{made['id']}")
    provider_clock.pass_by(5)
    assert_problem(await asked(guarded, token), 401, "signed_token_refused")


async def test_a_token_ends_with_its_time(
    service: Service, guarded: Service, issuer: BadIssuer, provider_clock: IssuerClock
) -> None:
    await rule(service, issuer=issuer.url)
    token = issuer.token(AUDIENCE, sub=WORKFLOW)
    assert (await asked(guarded, token)).status_code == 200
    provider_clock.pass_by(365)
    assert_problem(await asked(guarded, token), 401, "signed_token_refused")


async def test_a_busy_program_makes_us_ask_its_issuer_once(
    service: Service, guarded: Service, issuer: BadIssuer
) -> None:
    await rule(service, issuer=issuer.url)
    token = issuer.token(AUDIENCE, sub=WORKFLOW)
    for _ in range(5):
        await asked(guarded, token)
    assert len(issuer.asked) == 2
