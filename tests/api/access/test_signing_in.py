"""Signing in with a password, sessions and their ends, and the first administrator."""

import asyncio
import re
from pathlib import Path

import httpx2 as httpx
import pytest

from benchmark_manager.factory import Externals
from github_test_server import GitHubTestServer
from support.clocks import Clock
from support.guarded import (
    ORIGIN,
    PASSWORD,
    GuardedService,
    Visitor,
    client_of,
    replica_of,
)
from support.problems import assert_problem
from support.service import Service, running_service


async def test_a_person_signs_in_and_is_known(guarded: GuardedService) -> None:
    account = await guarded.account("kim", "editor")
    visitor = guarded.visitor()
    answer = await visitor.ask("POST", "/sessions", 201, json={"name": "KIM", "password": PASSWORD})
    assert answer.json().keys() == {"id", "created_at", "last_seen_at", "address", "current"}
    assert answer.json()["current"] is True
    assert await visitor.get("/me") == {
        "kind": "person",
        "id": account["id"],
        "name": "kim",
        "role": "editor",
        "groups": [],
        "via": "session",
    }


async def test_the_cookie_is_hidden_from_scripts_and_other_sites(guarded: GuardedService) -> None:
    answer = await guarded.visitor().ask(
        "POST", "/sessions", 201, json={"name": "ada", "password": PASSWORD}
    )
    cookie = answer.headers["set-cookie"]
    assert re.fullmatch(
        r"bm_session=[A-Za-z0-9_-]{43}; HttpOnly; Max-Age=604800; Path=/; SameSite=lax", cookie
    )
    assert cookie.split("=")[1].split(";")[0] not in answer.text


async def test_with_https_the_cookie_is_secure_and_of_this_host_alone(
    database_url: str, github: GitHubTestServer, tmp_path: Path
) -> None:
    async with running_service(
        database_url, github, tmp_path, auth="required", public_url="https://bench.example.com"
    ) as service:
        secret = await service.services.access.sign_in.setup_secret()
        body = {"token": secret, "name": "ada", "password": PASSWORD}
        assert (await service.http.post("/setup", json=body)).status_code == 201
        answer = await service.http.post("/sessions", json={"name": "ada", "password": PASSWORD})
        cookie = answer.headers["set-cookie"]
        assert cookie.startswith("__Host-bm_session=")
        assert "; Secure" in cookie
        assert "; Path=/;" in cookie


@pytest.mark.parametrize(
    ("name", "password"), [("ada", "five brown foxes jump"), ("nobody", PASSWORD), ("", "")]
)
async def test_a_wrong_name_or_password_is_refused_with_the_same_words(
    guarded: GuardedService, name: str, password: str
) -> None:
    visitor = guarded.visitor()
    answer = await visitor.ask("POST", "/sessions", json={"name": name, "password": password})
    document = assert_problem(answer, 401, "sign_in_failed")
    assert document["detail"] == "There is no account with this name and password."
    assert answer.headers["www-authenticate"] == "Bearer"
    assert "set-cookie" not in answer.headers


async def test_a_session_of_before_signing_in_is_not_taken_over(guarded: GuardedService) -> None:
    planted = "A" * 43
    visitor = guarded.visitor(Cookie=f"bm_session={planted}")
    answer = await visitor.ask("POST", "/sessions", 201, json={"name": "ada", "password": PASSWORD})
    assert planted not in answer.headers["set-cookie"]
    thief = guarded.visitor(Cookie=f"bm_session={planted}")
    assert_problem(await thief.ask("GET", "/me"), 401, "unauthenticated")


async def test_each_sign_in_has_a_new_secret(guarded: GuardedService) -> None:
    first = guarded.admin.cookie
    await guarded.admin.sign_in("ada")
    assert guarded.admin.cookie != first


@pytest.mark.parametrize("name", ["ada", "kim"])
async def test_signing_in_ends_the_session_that_the_browser_had(
    guarded: GuardedService, name: str
) -> None:
    browser = await guarded.person("kim")
    copied = guarded.visitor(Cookie=f"bm_session={browser.cookie}")
    elsewhere = await guarded.signed_in("kim", browser.id)
    await browser.sign_in(name)
    assert_problem(await copied.ask("GET", "/me"), 401, "unauthenticated")
    assert (await browser.get("/me"))["name"] == name
    await elsewhere.get("/me")
    [record] = await guarded.admin.get("/audit", action="session.delete")
    assert record["actor"]["name"] == name


async def test_a_refused_sign_in_leaves_the_session_that_the_browser_had(
    guarded: GuardedService,
) -> None:
    body = {"name": "ada", "password": "five brown foxes jump"}
    await guarded.admin.ask("POST", "/sessions", 401, json=body)
    await guarded.admin.get("/me")


async def test_a_cookie_that_was_copied_is_worth_nothing_after_signing_out(
    guarded: GuardedService,
) -> None:
    person = await guarded.person("kim")
    thief = guarded.visitor(Cookie=f"bm_session={person.cookie}")
    await thief.get("/me")
    answer = await person.ask("DELETE", "/sessions/current", 204)
    assert 'bm_session=""' in answer.headers["set-cookie"]
    assert_problem(await thief.ask("GET", "/me"), 401, "unauthenticated")


async def test_a_session_ends_when_it_is_not_used(guarded: GuardedService, clock: Clock) -> None:
    clock.forward(hours=11)
    await guarded.admin.get("/me")
    await guarded.service.services.access.uses.finish()
    clock.forward(hours=11)
    await guarded.admin.get("/me")
    await guarded.service.services.access.uses.finish()
    clock.forward(hours=12, seconds=1)
    assert_problem(await guarded.admin.ask("GET", "/me"), 401, "unauthenticated")


async def test_a_session_ends_after_a_week_however_much_it_is_used(
    guarded: GuardedService, clock: Clock
) -> None:
    for _ in range(15):
        clock.forward(hours=11)
        await guarded.admin.get("/me")
        await guarded.service.services.access.uses.finish()
    clock.forward(hours=4)
    assert_problem(await guarded.admin.ask("GET", "/me"), 401, "unauthenticated")


async def test_sessions_are_listed_and_ended_one_by_one(guarded: GuardedService) -> None:
    kim = await guarded.person("kim")
    other = await guarded.signed_in("kim", kim.id)
    rows = await kim.get("/sessions")
    assert [row["current"] for row in rows] == [False, True]
    await kim.ask("DELETE", f"/sessions/{rows[0]['id']}", 204)
    assert_problem(await other.ask("GET", "/me"), 401, "unauthenticated")
    assert [row["current"] for row in await kim.get("/sessions")] == [True]


async def test_all_sessions_are_ended_at_once(guarded: GuardedService) -> None:
    kim = await guarded.person("kim")
    other = await guarded.signed_in("kim", kim.id)
    await kim.ask("DELETE", "/sessions", 204)
    answers = [(await one.ask("GET", "/me")).status_code for one in (kim, other, guarded.admin)]
    assert answers == [401, 401, 200]


async def test_a_session_of_somebody_else_does_not_exist(guarded: GuardedService) -> None:
    kim = await guarded.person("kim")
    [row] = await guarded.admin.get("/sessions")
    answer = await kim.ask("DELETE", f"/sessions/{row['id']}")
    assert_problem(answer, 404, "session_not_found")


async def test_a_session_that_ended_at_one_replica_ends_at_the_other_within_five_seconds(
    guarded: GuardedService, clock: Clock
) -> None:
    async with replica_of(guarded, externals=Externals(clock=clock)) as replica:
        await replica.admin.get("/me")
        await guarded.admin.ask("DELETE", "/sessions", 204)
        clock.forward(seconds=5)
        assert_problem(await replica.admin.ask("GET", "/me"), 401, "unauthenticated")


async def guesses(visitor: Visitor, times: int, name: str = "ada") -> list[int]:
    """The statuses of that many wrong guesses in a row."""
    body = {"name": name, "password": "not this one at all"}
    return [(await visitor.ask("POST", "/sessions", json=body)).status_code for _ in range(times)]


@pytest.mark.parametrize("name", ["ada", "nobody"])
async def test_after_five_wrong_guesses_one_has_to_wait(
    guarded: GuardedService, clock: Clock, name: str
) -> None:
    visitor = guarded.visitor(address="198.51.100.7")
    assert await guesses(visitor, 6, name) == [401] * 5 + [429]
    answer = await visitor.ask("POST", "/sessions", json={"name": name, "password": PASSWORD})
    assert_problem(answer, 429, "sign_in_paused")
    assert 1 <= int(answer.headers["retry-after"]) <= 2
    clock.forward(seconds=2)
    assert await guesses(visitor, 2, name) == [401, 429]


async def test_after_twenty_wrong_guesses_in_an_hour_there_is_a_pause(
    guarded: GuardedService, clock: Clock
) -> None:
    visitor = guarded.visitor()
    failures, waits = 0, [0]
    while failures < 20:
        clock.forward(seconds=waits[-1])
        failures += (await guesses(visitor, 1)).count(401)
        answer = await visitor.ask("POST", "/sessions", json={"name": "ada", "password": "x"})
        failures += answer.status_code == 401
        waits.append(int(answer.headers.get("retry-after", "0")))
    assert (await guesses(visitor, 1)) == [429]
    assert (max(waits[:-1]), waits[-1]) == (300, 900)


async def test_nobody_locks_out_somebody_at_another_address(guarded: GuardedService) -> None:
    assert (await guesses(guarded.visitor(address="198.51.100.7"), 6))[-1] == 429
    await guarded.visitor(address="198.51.100.8").sign_in("ada")


async def test_replicas_count_the_same_guesses(guarded: GuardedService, clock: Clock) -> None:
    async with replica_of(guarded, externals=Externals(clock=clock)) as replica:
        assert await guesses(guarded.visitor(address="198.51.100.7"), 3) == [401] * 3
        assert await guesses(replica.visitor(address="198.51.100.7"), 3) == [401, 401, 429]


async def test_a_right_guess_ends_the_count(guarded: GuardedService) -> None:
    visitor = guarded.visitor()
    await guesses(visitor, 4)
    await visitor.sign_in("ada")
    assert await guesses(visitor, 4) == [401] * 4


async def test_one_address_tries_sixty_times_a_minute(guarded: GuardedService) -> None:
    visitor = guarded.visitor()

    async def guess(number: int) -> httpx.Response:
        return await visitor.ask("POST", "/sessions", json={"name": f"x{number}", "password": "x"})

    answer, number = await guess(0), 0
    # Each second one more is allowed, so that a slow machine takes more tries.
    while answer.status_code == 401 and number < 600:
        number += 1
        answer = await guess(number)
    assert_problem(answer, 429, "rate_limited")
    assert answer.headers["retry-after"] == "1"
    assert number >= 60
    await guarded.visitor(address="198.51.100.8").sign_in("ada")


async def test_a_password_is_changed_with_the_current_one(guarded: GuardedService) -> None:
    kim = await guarded.person("kim")
    new = "seven quiet otters swim"
    body = {"current_password": PASSWORD, "new_password": new}
    await kim.ask("PUT", "/me/password", 204, json=body)
    await kim.get("/me")
    visitor = guarded.visitor()
    old = await visitor.ask("POST", "/sessions", json={"name": "kim", "password": PASSWORD})
    assert old.status_code == 401
    await visitor.sign_in("kim", new)


async def test_a_changed_password_ends_the_other_sessions(guarded: GuardedService) -> None:
    kim = await guarded.person("kim")
    other = await guarded.signed_in("kim", kim.id)
    await other.get("/me")
    body = {"current_password": PASSWORD, "new_password": "seven quiet otters swim"}
    await kim.ask("PUT", "/me/password", 204, json=body)
    assert_problem(await other.ask("GET", "/me"), 401, "unauthenticated")
    assert [row["current"] for row in await kim.get("/sessions")] == [True]
    await guarded.admin.get("/me")


@pytest.mark.parametrize(
    ("current", "new", "status", "code"),
    [
        ("not the current one", "seven quiet otters swim", 401, "sign_in_failed"),
        (PASSWORD, "short", 422, "password_refused"),
        (PASSWORD, "kimkimkimkim", 422, "password_refused"),
        (PASSWORD, "password1234", 422, "password_refused"),
    ],
)
async def test_a_password_is_not_changed(
    guarded: GuardedService, current: str, new: str, status: int, code: str
) -> None:
    kim = await guarded.person("kim")
    body = {"current_password": current, "new_password": new}
    answer = await kim.ask("PUT", "/me/password", json=body)
    assert_problem(answer, status, code)
    assert new not in answer.text
    await guarded.visitor().sign_in("kim")


async def test_a_token_changes_no_password(guarded: GuardedService) -> None:
    program = guarded.program(await guarded.admin.token())
    body = {"current_password": PASSWORD, "new_password": "seven quiet otters swim"}
    answer = await program.ask("PUT", "/me/password", json=body)
    assert_problem(answer, 403, "forbidden")


def links(caplog: pytest.LogCaptureFixture) -> list[str]:
    """The secrets of the set-up links in the log."""
    link = re.compile(r"http://127\.0\.0\.1:8001/ui/set-up\?token=([A-Za-z0-9_-]{43})")
    return [found[1] for record in caplog.records if (found := link.search(record.getMessage()))]


async def test_the_link_in_the_log_makes_one_administrator(
    database_url: str,
    github: GitHubTestServer,
    tmp_path: Path,
    caplog: pytest.LogCaptureFixture,
) -> None:
    async with running_service(database_url, github, tmp_path, auth="required") as service:
        [secret] = links(caplog)
        visitor = Visitor(client_of(service, {"Origin": ORIGIN}))
        body = {"token": secret, "name": "ada", "password": PASSWORD}
        account = await visitor.post("/setup", body)
        assert (account["name"], account["role"]) == ("ada", "admin")
        again = await visitor.ask("POST", "/setup", json={**body, "name": "eve"})
        assert_problem(again, 403, "setup_link_refused")


async def test_a_link_is_good_at_the_other_replica_and_ends_the_links_of_all(
    database_url: str, github: GitHubTestServer, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    async with (
        running_service(database_url, github, tmp_path, auth="required") as one,
        running_service(database_url, github, tmp_path, auth="required") as other,
    ):
        first, second = links(caplog)
        body = {"name": "ada", "password": PASSWORD}
        answer = await other.http.post("/setup", json={**body, "token": first})
        assert answer.status_code == 201
        late = {**body, "name": "eve", "token": second}
        answers = [await service.http.post("/setup", json=late) for service in (one, other)]
        assert [answer.status_code for answer in answers] == [403, 403]


async def test_of_two_who_use_links_at_once_one_becomes_administrator(
    database_url: str, github: GitHubTestServer, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    async with running_service(database_url, github, tmp_path, auth="required") as service:
        [secret] = links(caplog)
        other = await service.services.access.sign_in.setup_secret()
        answers = await asyncio.gather(
            *(
                service.http.post("/setup", json={"token": token, "name": name, **password})
                for token, name in ((secret, "ada"), (other, "eve"))
                for password in ({"password": PASSWORD},)
            )
        )
        assert sorted(answer.status_code for answer in answers) == [201, 403]


@pytest.mark.parametrize("auth", ["required", "open"])
async def test_no_link_is_printed_where_nobody_needs_one(
    guarded: GuardedService, tmp_path: Path, caplog: pytest.LogCaptureFixture, auth: str
) -> None:
    caplog.clear()
    async with running_service(guarded.database_url, guarded.service.github, tmp_path, auth=auth):
        assert links(caplog) == []


async def test_the_log_and_the_status_warn_where_everybody_is_served(
    service: Service, caplog: pytest.LogCaptureFixture
) -> None:
    status = await service.get("/status")
    assert status["auth"] == "open"
    assert "anyone who reaches the port may change everything" in status["warning"]
    messages = [record.getMessage() for record in caplog.get_records("setup")]
    assert any("anyone who reaches the port may change" in message for message in messages)


@pytest.mark.parametrize(
    ("auth", "proxies", "warned"),
    [
        ("proxy", ("10.0.0.7", "::1"), False),
        ("proxy", ("10.0.0.7", "10.244.0.0/16"), True),
        ("required", ("10.244.0.0/16",), False),
    ],
    ids=["addresses", "a network", "which names nobody"],
)
async def test_the_log_warns_where_a_whole_network_may_name_people(
    database_url: str,
    github: GitHubTestServer,
    tmp_path: Path,
    caplog: pytest.LogCaptureFixture,
    auth: str,
    proxies: tuple[str, ...],
    *,
    warned: bool,
) -> None:
    async with running_service(database_url, github, tmp_path, auth=auth, trusted_proxies=proxies):
        lines = [
            str(record.msg) for record in caplog.records if "whole networks" in str(record.msg)
        ]
    assert [("10.244.0.0/16" in line, "10.0.0.7" in line) for line in lines] == (
        [(True, False)] if warned else []
    )


async def test_the_status_does_not_warn_where_an_identity_is_needed(
    guarded: GuardedService,
) -> None:
    status = await guarded.admin.get("/status")
    assert (status["auth"], status["warning"]) == ("required", None)


@pytest.mark.parametrize(
    ("fields", "code"),
    [
        ({"token": "A" * 43}, "setup_link_refused"),
        ({"token": ""}, "setup_link_refused"),
        ({"password": "short"}, "password_refused"),
        ({"name": "anonymous"}, "invalid_account_name"),
    ],
)
async def test_a_refused_set_up_leaves_the_link_as_it_was(
    database_url: str,
    github: GitHubTestServer,
    tmp_path: Path,
    caplog: pytest.LogCaptureFixture,
    fields: dict[str, str],
    code: str,
) -> None:
    async with running_service(database_url, github, tmp_path, auth="required") as service:
        [secret] = links(caplog)
        body = {"token": secret, "name": "ada", "password": PASSWORD}
        refused = await service.http.post("/setup", json={**body, **fields})
        assert refused.json()["code"] == code
        assert (await service.http.post("/setup", json=body)).status_code == 201
