"""Webhooks: what a delivery makes due and what not, and that a wrong one changes nothing."""

import asyncio
import json
import uuid
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
import pytest_asyncio
from pydantic import SecretStr

from benchmark_manager.domain.webhooks.signature import sign
from benchmark_manager.factory import Externals, ServiceLimits
from github_test_server import GitHubTestServer
from support.problems import ObservedAnswers, assert_problem
from support.reused_database import reused_database
from support.service import Json, Service, running_service
from support.unchanged_service import unchanged_service
from support.waiting import eventually
from support.webhooks import (
    FORM,
    NO_COMMIT,
    PATH,
    SECRET,
    a_sha,
    commit,
    deliver,
    encoded,
    headers,
    push,
)

MIB = 1024 * 1024
LIMIT = 25 * MIB


#: Of the services that tests share.
TOKEN = "of-the-module"

both = pytest.mark.parametrize(
    "hooked_server", ["mongod", "embedded"], indirect=True, scope="module"
)


@pytest.fixture(scope="module", params=["mongod"])
def hooked_server(request: pytest.FixtureRequest) -> str:
    """The URL of the mongod, unless a test uses both kinds of databases."""
    found = request.getfixturevalue(request.param)
    return str(found if request.param == "mongod" else found.url)


@asynccontextmanager
async def hooked_service(
    database_url: str, github: GitHubTestServer, folder: Path, externals: Externals
) -> AsyncIterator[Service]:
    """A service with a secret; it does not poll, not even when a webhook wakes the poller."""
    github.hosting.add_token(TOKEN)
    async with running_service(
        database_url,
        github,
        folder,
        externals=externals,
        webhook_secret=SecretStr(SECRET),
        github_token=SecretStr(TOKEN),
    ) as service:
        observed = ObservedAnswers()
        service.http.event_hooks = {"request": [], "response": [observed.note]}
        yield service
        assert observed.undocumented == []


async def polled_project(service: Service, files: dict[str, bytes]) -> Json:
    """A synced project which is polled, not soon."""
    service.repository("acme/bench", files)
    return await service.synced("acme/bench", polling_interval=86_400)


@dataclass(frozen=True)
class Shared:
    service: Service
    project: Json
    #: After how many seconds the poller was to claim due projects, for each wake-up.
    woken: list[float]


@pytest_asyncio.fixture(scope="module", loop_scope="session")
async def shared(
    hooked_server: str, tmp_path_factory: pytest.TempPathFactory, files: dict[str, bytes]
) -> AsyncIterator[Shared]:
    """A service and its only project."""
    woken: list[float] = []
    externals = Externals(wake=woken.append)
    folder = tmp_path_factory.mktemp("hooked")
    with GitHubTestServer() as github:
        async with (
            reused_database(hooked_server) as url,
            hooked_service(url, github, folder, externals) as service,
        ):
            yield Shared(service, await polled_project(service, files), woken)


@pytest.fixture
async def hooked(shared: Shared) -> AsyncIterator[Service]:
    """The service, for each test as it was at first."""
    async with unchanged_service(shared.service) as service:
        shared.woken.clear()
        yield service


@pytest.fixture
def project(shared: Shared) -> Json:
    return shared.project


async def documents(service: Service) -> list[Any]:
    """Every project as it is stored, and the deliveries which are remembered."""
    collection = service.services.database.collection
    projects = await collection("projects").find({}).sort("_id", 1).to_list()
    deliveries = await collection("webhook_deliveries").find({}).sort("_id", 1).to_list()
    return [projects, deliveries]


async def stored(service: Service, project: Json) -> Json:
    projects, _ = await documents(service)
    found: Json = next(row for row in projects if str(row["_id"]) == project["id"])
    return found


async def head_of(service: Service, project: Json) -> str:
    head: str = (await stored(service, project))["state"]["head_sha"]
    return head


async def now(service: Service) -> datetime:
    return await service.services.project_store.now()


async def until_due(service: Service, project: Json) -> None:
    """Wait until a poll would sync the project."""
    due: datetime = (await stored(service, project))["next_poll_at"]

    async def is_due() -> bool:
        return await now(service) >= due

    # Or the database would be asked a hundred times.
    await asyncio.sleep((due - await now(service)).total_seconds())
    await eventually(is_due, "the project does not become due")


def of(project: Json, service: Service, **more: Any) -> Json:
    """A push to the project's repository."""
    return push(project["github_repo_url"].partition("/repos/")[2], service.github.url, **more)


async def queued(service: Service, payload: Json) -> list[str]:
    """The projects that a push queued."""
    answer = await deliver(service, payload)
    assert answer.status_code == 202, answer.text
    body = answer.json()
    assert body.keys() == {"event", "outcome", "projects", "detail"}
    assert body["outcome"] == ("queued" if body["projects"] else "ignored")
    found: list[str] = body["projects"]
    return found


async def polled(service: Service, project: Json) -> list[str]:
    """The triggers of all syncs, newest first, when those that were due have ended."""
    await service.services.polling.run_due()

    async def is_idle() -> bool | None:
        return (await stored(service, project))["lease_until"] is None or None

    await eventually(is_idle, "the sync does not end")
    return [row["trigger"] for row in await service.rows(f"/projects/{project['id']}/syncs")]


# What is refused


async def test_without_a_secret_there_is_nothing_at_this_address(service: Service) -> None:
    body = encoded({})
    for secret in ("", SECRET):
        answer = await service.http.post(PATH, content=body, headers=headers(body, secret=secret))
        assert_problem(answer, 404, "route_not_found")


async def test_an_empty_secret_is_none(
    database_url: str, github: GitHubTestServer, tmp_path: Path
) -> None:
    async with running_service(
        database_url, github, tmp_path, webhook_secret=SecretStr("")
    ) as service:
        body = encoded({"zen": "x"})
        answer = await service.http.post(
            PATH, content=body, headers=headers(body, event="ping", secret="")
        )
        assert_problem(answer, 404, "route_not_found")


@both
async def test_a_forged_delivery_changes_nothing(hooked: Service, project: Json) -> None:
    """No signature, that of another secret or body, under another name or in another case.

    JSON or not.
    """
    before = await documents(hooked)
    body = encoded(of(project, hooked))
    right = sign(SECRET, body)
    forged: list[dict[str, str] | None] = [
        None,
        *(
            {"X-Hub-Signature-256": value}
            for value in (
                *(
                    "",
                    "sha256=",
                    right[:-1],
                    f"{right}0",
                    right.removeprefix("sha256="),
                    right.replace("256", "1"),
                ),
                *(
                    right.upper(),
                    f"sha256={right[7:].upper()}",
                    f"{right}, {right}",
                    sign("other", body),
                ),
                *(
                    sign(SECRET, body + b" "),
                    "sha256=" + "0" * 64,
                    "sha256=ü".encode().decode("latin-1"),
                ),
            )
        ),
        {"X-Hub-Signature": right},
    ]
    for signature in forged:
        sent = headers(body) | (signature or {})
        if signature is None or "X-Hub-Signature" in signature:
            del sent["X-Hub-Signature-256"]
        raw = [(name.encode(), value.encode("latin-1")) for name, value in sent.items()]
        assert_problem(
            await hooked.http.post(PATH, content=body, headers=raw), 401, "bad_signature"
        )
    for nonsense in (b"", b"{", b"\xff", b"payload=%"):
        for kind in ("application/json", FORM, "text/plain"):
            sent = {**headers(b"other"), "Content-Type": kind}
            answer = await hooked.http.post(PATH, content=nonsense, headers=sent)
            assert_problem(answer, 401, "bad_signature")
    assert await documents(hooked) == before


async def test_the_signature_is_of_the_bytes_and_not_of_what_they_mean(
    hooked: Service, project: Json
) -> None:
    payload = of(project, hooked)
    body = encoded(payload)
    spaced = json.dumps(payload, indent=1).encode()
    answer = await hooked.http.post(PATH, content=spaced, headers=headers(body))
    assert_problem(answer, 401, "bad_signature")
    assert (await hooked.http.post(PATH, content=spaced, headers=headers(spaced))).json()[
        "outcome"
    ] == "queued"


_WRONG_FIELDS: list[Json] = [{"ref": None}, {"repository": {}}, {"after": "x"}]


@both
async def test_what_github_would_not_send_is_a_400_and_changes_nothing(
    hooked: Service, project: Json
) -> None:
    before = await documents(hooked)
    good = encoded(of(project, hooked))
    bodies = [
        *(
            b"",
            b"{",
            b"nonsense",
            b"[]",
            b"null",
            b"7",
            b'"text"',
            b"\xff\xfe",
            b'{"ref": "\xff"}',
            b"\xef\xbb\xbf{}",
        ),
        *(b"[" * 200_000, b'{"a":' * 200_000, b"1" * 5000),
        *(encoded({**of(project, hooked), **wrong}) for wrong in _WRONG_FIELDS),
        *(
            encoded({k: v for k, v in of(project, hooked).items() if k != gone})
            for gone in ("ref", "before", "after")
        ),
    ]
    for body in bodies:
        answer = await hooked.http.post(PATH, content=body, headers=headers(body))
        assert_problem(answer, 400, "malformed_webhook")
    forms = (
        b"",
        b"payload=",
        b"payload=%7B",
        b"other=1",
        b"payload=%ff",
        good,
        b"payload=%7B%7D&" * 2,
        b"a&" * 50,
    )
    for body in forms:
        sent = {**headers(body), "Content-Type": FORM}
        assert_problem(
            await hooked.http.post(PATH, content=body, headers=sent), 400, "malformed_webhook"
        )
    for name, value in (
        ("X-GitHub-Event", None),
        ("X-GitHub-Event", ""),
        ("X-GitHub-Event", "push ing"),
        ("X-GitHub-Delivery", None),
        ("X-GitHub-Delivery", ""),
        ("X-GitHub-Delivery", "x" * 101),
        ("X-GitHub-Delivery", "a b"),
    ):
        sent = {n: v for n, v in headers(good).items() if n != name} | (
            {} if value is None else {name: value}
        )
        document = assert_problem(
            await hooked.http.post(PATH, content=good, headers=sent), 400, "malformed_webhook"
        )
        assert name in document["detail"]
    assert await documents(hooked) == before


async def test_another_media_type_is_a_415_behind_the_signature(
    hooked: Service, project: Json
) -> None:
    before = await documents(hooked)
    body = encoded(of(project, hooked))
    for kind in ("text/plain", "multipart/form-data; boundary=x", "application/xml"):
        answer = await hooked.http.post(
            PATH, content=body, headers={**headers(body), "Content-Type": kind}
        )
        document = assert_problem(answer, 415, "unsupported_media_type")
        assert FORM in document["detail"]
    assert await documents(hooked) == before


async def test_a_body_over_25_mib_is_a_413_with_or_without_its_length(
    hooked: Service,
) -> None:
    before = await documents(hooked)

    async def pieces() -> AsyncIterator[bytes]:
        for _ in range(26):
            yield b" " * MIB

    body = b" " * (LIMIT + 1)
    for sent in (headers(body), headers(b"")):
        answer = await hooked.http.post(PATH, content=body, headers=sent)
        assert "25 MiB" in assert_problem(answer, 413, "body_too_large")["detail"]
        answer = await hooked.http.post(PATH, content=pieces(), headers=sent)
        assert "25 MiB" in assert_problem(answer, 413, "body_too_large")["detail"]
    assert await documents(hooked) == before


async def test_a_body_of_25_mib_is_read(hooked: Service, project: Json) -> None:
    body = encoded(of(project, hooked)).ljust(LIMIT)
    answer = await hooked.http.post(PATH, content=body, headers=headers(body))
    assert answer.json()["projects"] == [project["id"]]


async def test_other_routes_still_take_4_mib_of_json(hooked: Service) -> None:
    answer = await hooked.http.post(
        "/projects", content=b" " * (4 * MIB + 1), headers={"Content-Type": "application/json"}
    )
    assert "4 MiB" in assert_problem(answer, 413, "body_too_large")["detail"]
    answer = await hooked.http.post("/projects", content=b"a=1", headers={"Content-Type": FORM})
    assert_problem(answer, 415, "unsupported_media_type")


async def test_large_bodies_wait_for_a_slot_and_small_ones_do_not(
    database_url: str, github: GitHubTestServer, tmp_path: Path, files: dict[str, bytes]
) -> None:
    """Four large bodies without an end use all slots: a fifth is refused, a push is received."""
    externals = Externals(limits=ServiceLimits(webhook_seconds=2.0), wake=lambda _: None)
    async with hooked_service(database_url, github, tmp_path, externals) as hooked:
        await large_bodies_wait(hooked, await polled_project(hooked, files))


async def large_bodies_wait(hooked: Service, project: Json) -> None:
    taken = asyncio.Semaphore(0)

    async def endless() -> AsyncIterator[bytes]:
        yield b" " * (2 * MIB)
        taken.release()
        await asyncio.sleep(60)

    slow = [
        asyncio.create_task(hooked.http.post(PATH, content=endless(), headers=headers(b"")))
        for _ in range(5)
    ]
    for _ in range(4):
        await taken.acquire()
    assert await queued(hooked, of(project, hooked)) == [project["id"]]
    assert taken.locked()
    for answer in await asyncio.gather(*slow):
        assert_problem(answer, 503, "service_busy")
        assert answer.headers["retry-after"] == "10"
    # The slots are free again.
    body = encoded(of(project, hooked)).ljust(2 * MIB)
    assert (await hooked.http.post(PATH, content=body, headers=headers(body))).status_code == 202


async def test_no_answer_and_no_log_holds_the_secret(
    hooked: Service, project: Json, caplog: pytest.LogCaptureFixture
) -> None:
    answers = [await deliver(hooked, of(project, hooked)), await deliver(hooked, {}, event="ping")]
    body = encoded(of(project, hooked))
    answers.append(
        await hooked.http.post(PATH, content=body, headers=headers(body, secret="other"))
    )
    shown = "".join(answer.text for answer in answers) + caplog.text
    assert SECRET not in shown
    assert sign(SECRET, body) not in shown


# What is taken


@both
async def test_a_ping_is_answered_and_changes_nothing(hooked: Service) -> None:
    before = await documents(hooked)
    for payload in (
        {"zen": "Keep it logically awesome.", "hook_id": 1, "repository": {}},
        {"zen": "x", "organization": {}},
    ):
        answer = await deliver(hooked, payload, event="ping")
        assert answer.status_code == 200
        assert (answer.json()["event"], answer.json()["outcome"], answer.json()["projects"]) == (
            "ping",
            "pong",
            [],
        )
    assert await documents(hooked) == before


@both
async def test_a_push_makes_its_projects_due_in_a_second(hooked: Service, project: Json) -> None:
    """Those of the repository and the branch, whatever their folders and names."""
    hooked.repository("acme/other", {"config/a.yaml": b"a: 1\n"})
    second = await hooked.synced("acme/bench", name="second", branch="main")
    others = [
        await hooked.synced("acme/other"),
        await hooked.project("acme/bench", name="dev", branch="dev"),
        await hooked.project("acme/bench2", name="similar"),
    ]
    untouched = [await stored(hooked, each) for each in others]
    asked = await now(hooked)
    sha = a_sha()
    assert sorted(await queued(hooked, of(project, hooked, after=sha))) == sorted(
        [project["id"], second["id"]]
    )
    for each in (project, second):
        document = await stored(hooked, each)
        assert (
            asked + timedelta(seconds=1)
            <= document["next_poll_at"]
            <= await now(hooked) + timedelta(seconds=1)
        )
        assert (document["due_trigger"], document["due_rank"], document["pushed_sha"]) == (
            "webhook",
            1,
            sha,
        )
    assert [await stored(hooked, each) for each in others] == untouched


async def test_a_push_leads_to_a_sync_of_what_was_pushed(hooked: Service, project: Json) -> None:
    before = await head_of(hooked, project)
    repository = hooked.github.hosting.repositories()[0].repository
    sha = repository.commit({"config/new.yaml": b"n: 1\n"})
    changed = [commit(sha, added=["config/new.yaml"])]
    assert await queued(hooked, of(project, hooked, before=before, after=sha, commits=changed))
    await until_due(hooked, project)
    assert await polled(hooked, project) == ["webhook", "manual"]
    synced = await hooked.get(f"/projects/{project['id']}")
    assert (synced["last_sync"]["trigger"], synced["last_sync"]["commit_sha"]) == ("webhook", sha)
    assert "config/new.yaml" in await hooked.files(project["id"])
    # The same news again, as a delivery of its own: there is nothing left to do.
    assert (
        await queued(hooked, of(project, hooked, before=before, after=sha, commits=changed)) == []
    )


@pytest.mark.parametrize("interval", [0, 86_400])
async def test_a_push_that_github_does_not_show_yet_is_checked_again(
    hooked: Service, interval: int
) -> None:
    """One server of GitHub reports a push before another has it."""
    repository = hooked.repository("acme/late", {"config/a.yaml": b"a: 1\n"})
    project = await hooked.synced("acme/late", polling_interval=interval)
    before = await head_of(hooked, project)
    later = repository.commit({"config/a.yaml": b"a: 2\n"}, branch="elsewhere")
    changed = [commit(later, modified=["config/a.yaml"])]
    assert await queued(hooked, of(project, hooked, before=before, after=later, commits=changed))
    await until_due(hooked, project)
    begin = await now(hooked)
    assert (await polled(hooked, project))[0] == "webhook"
    document = await stored(hooked, project)
    assert document["state"]["last_sync"]["status"] == "unchanged"
    assert begin < document["next_poll_at"] <= await now(hooked) + timedelta(seconds=3)
    assert document["due_trigger"] == "webhook"
    repository.reset_branch("main", later)
    await until_due(hooked, project)
    await polled(hooked, project)
    assert await head_of(hooked, project) == later
    # Then it is polled as before.
    document = await stored(hooked, project)
    assert (document["next_poll_at"] is None) == (interval == 0)
    assert document["due_trigger"] == "poll"


async def test_a_form_is_taken_like_json(hooked: Service, project: Json) -> None:
    body = encoded(of(project, hooked, pusher={"name": "Jürgen & Söhne=+%"}), form=True)
    for kind in (FORM, f"{FORM}; charset=utf-8", FORM.upper()):
        answer = await hooked.http.post(
            PATH, content=body, headers={**headers(body), "Content-Type": kind}
        )
        assert (answer.status_code, answer.json()["projects"]) == (202, [project["id"]])


async def test_host_and_name_are_compared_regardless_of_case(
    hooked: Service, project: Json
) -> None:
    assert await queued(hooked, push("ACME/Bench", hooked.github.url)) == [project["id"]]
    assert await queued(
        hooked, push("Acme/bench", hooked.github.url.upper().replace("HTTP", "http"))
    )


@pytest.mark.parametrize(
    "url",
    [
        "https://api.github.com",
        "https://ghe.example.com/api/v3",
        "http://127.0.0.1:1",
        "http://localhost",
    ],
)
async def test_the_same_name_at_another_host_is_another_repository(
    hooked: Service, url: str
) -> None:
    before = (await documents(hooked))[0]
    assert await queued(hooked, push("acme/bench", url)) == []
    assert (await documents(hooked))[0] == before


async def test_web_addresses_do_where_the_payload_has_no_templates(
    hooked: Service, project: Json
) -> None:
    for name in ("url", "html_url", "clone_url"):
        payload = of(project, hooked)
        payload["repository"] = {name: payload["repository"][name], "full_name": "acme/bench"}
        assert await queued(hooked, payload) == [project["id"]], name


@both
async def test_other_branches_tags_and_events_change_nothing(
    hooked: Service, project: Json
) -> None:
    before = (await documents(hooked))[0]
    for ref in (
        "refs/heads/dev",
        "refs/heads/MAIN",
        "refs/heads/feature/main",
        "refs/tags/main",
        "main",
        "x\ud800",
        "",
    ):
        assert await queued(hooked, of(project, hooked, ref=ref)) == []
    for event in ("issues", "fork", "delete", "workflow_run", "no_such_event"):
        for payload in (of(project, hooked), {}):
            answer = await deliver(hooked, payload, event=event)
            assert (answer.status_code, answer.json()["outcome"], answer.json()["event"]) == (
                202,
                "ignored",
                event,
            )
    assert (await documents(hooked))[0] == before


async def test_the_default_branch_is_the_payload_s_until_it_was_read(hooked: Service) -> None:
    project = await hooked.project("acme/unread")
    named = await hooked.project("acme/unread", name="named", branch="dev")
    payload = of(project, hooked, branch="trunk")
    assert await queued(hooked, payload) == []
    payload["repository"]["default_branch"] = "trunk"
    assert await queued(hooked, payload) == [project["id"]]
    assert await queued(hooked, of(project, hooked, branch="dev")) == [named["id"]]


async def test_a_branch_that_was_deleted_or_made_is_checked(hooked: Service, project: Json) -> None:
    gone = of(project, hooked, after=NO_COMMIT, deleted=True, commits=[], head_commit=None)
    assert await queued(hooked, gone) == [project["id"]]
    assert (await stored(hooked, project))["pushed_sha"] is None
    assert await queued(
        hooked, of(project, hooked, before=NO_COMMIT, created=True, commits=[])
    ) == [project["id"]]


@both
async def test_a_push_which_touches_neither_folder_starts_nothing(
    hooked: Service, project: Json
) -> None:
    before = (await documents(hooked))[0]
    sha = a_sha()
    commits = [
        commit(a_sha(), added=["docs/a.md"], removed=["configs/a.yaml"]),
        commit(sha, modified=["src/config/a.yaml", "README.md"]),
    ]
    assert await queued(hooked, of(project, hooked, after=sha, commits=commits)) == []
    assert (await documents(hooked))[0] == before


async def test_a_folder_at_the_root_is_touched_by_everything(
    hooked: Service, project: Json
) -> None:
    root = await hooked.synced("acme/bench", name="root", config_folder="", polling_interval=86_400)
    sha = a_sha()
    commits = [commit(sha, added=["docs/a.md"])]
    assert await queued(hooked, of(project, hooked, after=sha, commits=commits)) == [root["id"]]


async def test_a_list_which_may_be_cut_starts_a_sync(hooked: Service, project: Json) -> None:
    """Twenty commits, a forced push, no list, a list of other commits, three thousand files."""
    sha = a_sha()
    last = commit(sha, modified=["README.md"])
    many = [commit(a_sha(), modified=["README.md"]) for _ in range(19)]
    assert await queued(hooked, of(project, hooked, after=sha, commits=[*many[:18], last])) == []
    cut: list[Json] = [
        {"commits": [*many, last]},
        {"commits": [last], "forced": True},
        {"commits": None},
        {"commits": []},
        {"commits": [last, *many]},
        {"commits": [commit(sha)]},
        {"commits": [commit(sha, added=[f"docs/{n}.md" for n in range(3000)])]},
    ]
    for wrong in cut:
        assert await queued(hooked, of(project, hooked, after=sha, **wrong)) == [project["id"]], (
            str(wrong)[:80]
        )


async def test_an_unpolled_project_follows_pushes_without_a_gap(
    hooked: Service, files: dict[str, bytes]
) -> None:
    """Pushes beside its folders start nothing while each begins where the last one ended."""
    hooked.repository("acme/unpolled", files)
    project = await hooked.synced("acme/unpolled", polling_interval=0)
    first, second, lost, third = await head_of(hooked, project), a_sha(), a_sha(), a_sha()

    def beside(before: str, after: str) -> Json:
        return of(
            project,
            hooked,
            before=before,
            after=after,
            commits=[commit(after, modified=["README.md"])],
        )

    answered = await hooked.get(f"/projects/{project['id']}")
    assert await queued(hooked, beside(first, second)) == []
    assert await queued(hooked, beside(second, lost)) == []
    assert await hooked.get(f"/projects/{project['id']}") == answered
    assert await queued(hooked, beside(a_sha(), third)) == [project["id"]]


async def test_a_paused_project_is_not_made_due(hooked: Service, project: Json) -> None:
    collection = hooked.services.database.collection("projects")
    await collection.update_one({}, {"$set": {"paused": True}})
    before = await stored(hooked, project)
    assert await queued(hooked, of(project, hooked)) == []
    assert await stored(hooked, project) == before


# Again and again


@both
async def test_a_repeated_delivery_does_nothing(hooked: Service, project: Json) -> None:
    payload, delivery = of(project, hooked), str(uuid.uuid4())
    first = await deliver(hooked, payload, delivery=delivery)
    assert first.json()["outcome"] == "queued"
    before = await documents(hooked)
    for other in (payload, of(project, hooked), {"zen": "x"}):
        again = await deliver(
            hooked, other, delivery=delivery, event="push" if "ref" in other else "issues"
        )
        assert (again.status_code, again.json()["outcome"], again.json()["projects"]) == (
            202,
            "repeated",
            [],
        )
    assert await documents(hooked) == before


@both
async def test_of_deliveries_with_one_id_at_once_exactly_one_is_taken(
    hooked: Service, project: Json
) -> None:
    payload, delivery = of(project, hooked), str(uuid.uuid4())
    answers = await asyncio.gather(
        *(deliver(hooked, payload, delivery=delivery) for _ in range(10))
    )
    assert {answer.status_code for answer in answers} == {202}
    assert sorted(answer.json()["outcome"] for answer in answers) == ["queued"] + ["repeated"] * 9
    assert (await stored(hooked, project))["wishes"] == 1


async def test_what_was_refused_is_not_remembered(hooked: Service, project: Json) -> None:
    body, delivery = encoded(of(project, hooked)), str(uuid.uuid4())
    forged = headers(body, delivery=delivery, secret="other")
    assert_problem(await hooked.http.post(PATH, content=body, headers=forged), 401, "bad_signature")
    assert (await deliver(hooked, {"ref": "x"}, delivery=delivery)).status_code == 400
    answer = await hooked.http.post(PATH, content=body, headers=headers(body, delivery=delivery))
    assert answer.json()["outcome"] == "queued"


async def test_a_delivery_which_could_not_be_stored_whole_may_come_again(
    hooked: Service, project: Json, monkeypatch: pytest.MonkeyPatch
) -> None:
    """That it was received and what it queued are one transaction."""
    payload, delivery = of(project, hooked), str(uuid.uuid4())
    before = await documents(hooked)

    async def fail(*_: object) -> None:
        raise RuntimeError("a crash between the two")

    with monkeypatch.context() as patched:
        patched.setattr(hooked.services.project_store, "make_due_by_push", fail)
        assert_problem(await deliver(hooked, payload, delivery=delivery), 500, "internal_error")
    assert await documents(hooked) == before
    assert (await deliver(hooked, payload, delivery=delivery)).json()["outcome"] == "queued"


@both
async def test_a_delivery_is_forgotten_after_a_day(hooked: Service, project: Json) -> None:
    payload, old, new = of(project, hooked), str(uuid.uuid4()), str(uuid.uuid4())
    await deliver(hooked, payload, delivery=old)
    await deliver(hooked, payload, delivery=new)
    deliveries = hooked.services.database.collection("webhook_deliveries")
    day_ago = await now(hooked) - timedelta(days=1)
    await deliveries.update_one(
        {"_id": old}, {"$set": {"created_at": day_ago + timedelta(minutes=5)}}
    )
    assert (await deliver(hooked, payload, delivery=old)).json()["outcome"] == "repeated"
    await deliveries.update_one({"_id": old}, {"$set": {"created_at": day_ago}})
    assert (await deliver(hooked, payload, delivery=old)).json()["outcome"] == "queued"
    assert (await deliver(hooked, payload, delivery=old)).json()["outcome"] == "repeated"
    await deliveries.update_one({"_id": old}, {"$set": {"created_at": day_ago}})
    await hooked.services.housekeeping.run()
    assert [row["_id"] for row in await deliveries.find({}).to_list()] == [new]


@both
async def test_ten_pushes_in_a_second_are_due_once(hooked: Service, project: Json) -> None:
    """The first one's time stays; a sync which begins then serves all of them."""
    assert await queued(hooked, of(project, hooked))
    due = (await stored(hooked, project))["next_poll_at"]
    for _ in range(4):
        assert await queued(hooked, of(project, hooked)) == [project["id"]]
    answers = await asyncio.gather(*(deliver(hooked, of(project, hooked)) for _ in range(5)))
    assert {(answer.status_code, answer.json()["outcome"]) for answer in answers} == {
        (202, "queued")
    }
    document = await stored(hooked, project)
    assert (document["next_poll_at"], document["wishes"], document["due_trigger"]) == (
        due,
        10,
        "webhook",
    )
    await until_due(hooked, project)
    assert await polled(hooked, project) == ["webhook", "manual"]
    assert await polled(hooked, project) == ["webhook", "manual"]


async def test_concurrent_first_pushes_make_one_due_time(hooked: Service, project: Json) -> None:
    answers = await asyncio.gather(*(deliver(hooked, of(project, hooked)) for _ in range(10)))
    assert {answer.status_code for answer in answers} == {202}
    document = await stored(hooked, project)
    assert document["wishes"] == 10
    assert document["next_poll_at"] <= await now(hooked) + timedelta(seconds=1)


async def test_a_push_never_puts_off_what_a_person_asked_for(
    hooked: Service, project: Json
) -> None:
    await hooked.post("/projects/sync-all", None, 202)
    before = await stored(hooked, project)
    assert await queued(hooked, of(project, hooked)) == [project["id"]]
    document = await stored(hooked, project)
    assert (document["next_poll_at"], document["due_trigger"]) == (before["next_poll_at"], "manual")
    assert document["wishes"] == before["wishes"] + 1


async def test_a_push_during_a_sync_starts_another_a_second_later(
    hooked: Service, project: Json
) -> None:
    asked = await now(hooked)
    running = {"lease_owner": "somebody", "lease_until": asked + timedelta(minutes=1)}
    due = {"next_poll_at": asked, "due_trigger": "webhook"}
    await hooked.services.database.collection("projects").update_one(
        {}, {"$set": {**due, **running}}
    )
    assert await queued(hooked, of(project, hooked)) == [project["id"]]
    assert (await stored(hooked, project))["next_poll_at"] >= asked + timedelta(seconds=1)


async def test_due_projects_are_claimed_when_the_pause_is_over(
    hooked: Service, shared: Shared
) -> None:
    await queued(hooked, of(shared.project, hooked, branch="dev"))
    assert shared.woken == []
    await queued(hooked, of(shared.project, hooked))
    assert shared.woken == [1.0]


async def test_hundreds_of_projects_of_one_repository_are_due_together(hooked: Service) -> None:
    store = hooked.services.project_store
    first = await store.get((await hooked.project("acme/many", branch="main"))["id"])
    ids = [first.id, *(hooked.services.database.new_id() for _ in range(119))]
    for number, new_id in enumerate(ids[1:]):
        await store.insert(first.model_copy(update={"id": new_id, "name": f"p{number}"}))
    assert sorted(await queued(hooked, push("acme/many", hooked.github.url))) == sorted(ids)
    rows, _ = await documents(hooked)
    due = [row for row in rows if str(row["_id"]) in ids]
    assert [(row["wishes"], row["due_trigger"]) for row in due] == [(1, "webhook")] * 120


def test_the_documented_signature_is_github_s_own_example() -> None:
    """See "Testing the webhook payload validation" there."""
    expected = "sha256=757107ea0eb2509fc211221cce984b8a37570b6d7586c22c46f4379c8b043e17"
    assert sign("It's a Secret to Everybody", b"Hello, World!") == expected


async def test_a_client_which_goes_away_in_the_middle_is_no_fault(
    hooked: Service, caplog: pytest.LogCaptureFixture
) -> None:
    sent: list[Any] = []

    async def send(message: Any) -> None:
        sent.append(message)

    messages = iter(
        [{"type": "http.request", "body": b"{", "more_body": True}, {"type": "http.disconnect"}]
    )

    async def receive() -> Any:
        return next(messages)

    scope = {
        "type": "http", "method": "POST", "path": PATH, "raw_path": PATH.encode(),
        "query_string": b"", "headers": [],
        "scheme": "http", "server": ("service.test", 80), "client": ("127.0.0.1", 1),
        "root_path": "",
        "http_version": "1.1", "asgi": {"version": "3.0"},
    }  # fmt: skip
    await hooked.app(scope, receive, send)
    assert sent[0]["status"] == 400
    assert "unexpectedly" not in caplog.text


async def test_the_route_is_described_with_its_headers_and_both_kinds_of_body(
    hooked: Service,
) -> None:
    operation = (await hooked.get("/openapi.json"))["paths"][PATH]["post"]
    described = {
        parameter["name"] for parameter in operation["parameters"] if parameter["required"]
    }
    assert described == {"X-Hub-Signature-256", "X-GitHub-Event", "X-GitHub-Delivery"}
    assert operation["requestBody"]["content"].keys() == {"application/json", FORM}
    assert operation["responses"].keys() >= {"200", "202", "400", "401", "404", "413", "415", "503"}
    example = operation["requestBody"]["content"]["application/json"]["example"]
    assert (await deliver(hooked, example)).json()["outcome"] == "ignored"
