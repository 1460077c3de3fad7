"""Tokens are write-only: no answer, log, error or stored document contains one in plain text."""

import base64
from collections.abc import AsyncIterator, Iterator
from pathlib import Path
from typing import Any

import pytest
from pymongo import MongoClient
from pymongo.uri_parser import parse_uri

from benchmark_manager.stores.projects.projects import ProjectStore
from github_test_server import Delay, GitHubTestServer, Status
from support.problems import ObservedAnswers
from support.replacements import beside, replaced
from support.service import Json, Service, running_service

TOKEN = "ghp_Vz7Qm2LkXw9TsecretTokenA1"
OTHER = "ghp_Rb3Nc8HjPd4FsecretTokenB2"


def traces(*tokens: str) -> set[str]:
    """A token as itself and in the disguises which hide nothing."""
    found = set()
    for token in tokens:
        whole = [
            base64.b64encode(b"x" * shift + token.encode()).decode()[4:-4] for shift in range(3)
        ]
        found |= {token, token[::-1], token.encode().hex(), *whole}
    return found


class RecordedAnswers:
    """The text of every answer of the service during a test."""

    def __init__(self) -> None:
        self.texts: list[str] = []

    async def note(self, answer: Any) -> None:
        await answer.aread()
        self.texts.append(f"{answer.status_code} {answer.headers} {answer.text}")


@pytest.fixture
async def service(
    database_url: str, github: GitHubTestServer, tmp_path: Path
) -> AsyncIterator[Service]:
    """A service of each test alone, as all its answers and documents are searched."""
    async with running_service(database_url, github, tmp_path) as running:
        observed = ObservedAnswers()
        running.http.event_hooks = {"request": [], "response": [observed.note]}
        yield running
        assert observed.undocumented == []


@pytest.fixture
def answers(service: Service) -> RecordedAnswers:
    found = RecordedAnswers()
    service.http.event_hooks["response"].append(found.note)
    return found


@pytest.fixture(autouse=True)
def _no_token_anywhere(
    answers: RecordedAnswers,
    database_url: str,
    caplog: pytest.LogCaptureFixture,
    capfd: pytest.CaptureFixture[str],
) -> Iterator[None]:
    """After each test: search all that was answered, logged, printed and stored."""
    caplog.set_level("DEBUG")
    yield
    logged = [f"{record.getMessage()} {record.__dict__}" for record in caplog.get_records("call")]
    searched = {
        "an answer": answers.texts,
        "a log": [*logged, caplog.text],
        "the output": list(capfd.readouterr()),
        "the database": list(stored(database_url)),
    }
    assert answers.texts
    holders = [
        (name, trace)
        for name, texts in searched.items()
        for trace in traces(TOKEN, OTHER)
        if any(trace in text for text in texts)
    ]
    assert holders == []


def stored(database_url: str) -> Iterator[str]:
    """Every document of the database as text, read past the service."""
    name = parse_uri(database_url)["database"]
    with MongoClient[Json](database_url) as client:
        for collection in client[str(name)].list_collection_names():
            for document in client[str(name)][collection].find({}):
                yield f"{collection} {document}"


async def visit_everything(service: Service) -> None:
    """Read whatever can be read."""
    for path in ("/status", "/health", "/openapi.json"):
        await service.http.get(path)
    for project in (await service.http.get("/projects")).json():
        here = f"/projects/{project['id']}"
        for path in (
            here,
            f"{here}/files?include=content",
            f"{here}/modified-files",
            f"{here}/syncs",
        ):
            await service.http.get(path)


async def test_a_token_which_serves_is_shown_nowhere(
    service: Service, files: dict[str, bytes]
) -> None:
    service.repository("acme/private", files, private_to=[TOKEN, OTHER])
    project = await service.synced("acme/private", github_token=TOKEN)
    assert project["sync_status"] == "ok"
    assert project["github_token_set"] is True
    await visit_everything(service)
    await service.put(f"/projects/{project['id']}", {"github_token": OTHER, "name": "renamed"})
    await service.sync(project["id"])
    await visit_everything(service)
    assert (await service.put(f"/projects/{project['id']}", {"github_token": None}))[
        "github_token_set"
    ] is False
    await service.sync(project["id"], 422)
    await service.http.delete(f"/projects/{project['id']}")


async def test_a_token_is_stored_encrypted_and_each_time_differently(
    service: Service, database_url: str
) -> None:
    for name in ("a", "b"):
        await service.project("acme/private", name=name, github_token=TOKEN)
    name = parse_uri(database_url)["database"]
    with MongoClient[Json](database_url) as client:
        kept = [row["source"]["encrypted_token"] for row in client[str(name)]["projects"].find({})]
    assert len(set(kept)) == 2
    projects = [
        await service.services.projects.get(row["id"]) for row in await service.rows("/projects")
    ]
    assert [service.services.vault.own_token(project) for project in projects] == [TOKEN, TOKEN]


async def test_a_token_which_does_not_serve_is_shown_nowhere(
    service: Service, files: dict[str, bytes]
) -> None:
    service.repository("acme/private", files, private_to=["ghp_another"])
    project = await service.project("acme/private", github_token=TOKEN)
    service.github.hosting.revoke_token(TOKEN)
    assert (await service.sync(project["id"], 422))["code"] == "github_unauthorized"
    service.github.hosting.add_token(TOKEN)
    assert (await service.sync(project["id"], 422))["code"] == "repository_not_found"
    await visit_everything(service)


@pytest.mark.parametrize(("fault", "status"), [(401, 422), (403, 422), (404, 422), (422, 502)])
@pytest.mark.parametrize("late", ["acme/private$", "/commits"])
async def test_a_github_which_echoes_the_token_changes_nothing(
    service: Service, files: dict[str, bytes], fault: int, status: int, late: str
) -> None:
    """GitHub's own words are shown to people; a token in them is not.

    Which of the answers to a sync's first requests comes first does not matter.
    """
    service.repository("acme/private", files, private_to=[TOKEN])
    project = await service.project("acme/private", github_token=TOKEN)
    echo = {
        "message": f"Bad credentials: {TOKEN}",
        "documentation_url": f"https://x/?access_token={TOKEN}",
    }
    service.github.faults.add(Status(fault, echo), times=None)
    service.github.faults.add(Delay(0.1), path=late, times=None)
    await service.sync(project["id"], status)
    await visit_everything(service)


async def test_an_address_which_holds_a_token_is_refused_and_not_repeated(service: Service) -> None:
    project = await service.project("acme/bench")
    host = service.github.url.removeprefix("http://")
    addresses = (
        f"https://{TOKEN}@github.com/acme/bench",
        f"https://x-access-token:{TOKEN}@github.com/acme/bench.git",
        f"http://{TOKEN}@{host}/repos/acme/bench",
        f"http://{TOKEN}:@{host}/acme/bench",
        f"{TOKEN}@github.com:a/b",
        f"https://{TOKEN}.example/acme/bench",
        f"ssh://{TOKEN}@github.com/acme/bench",
        f"{TOKEN}",
        f"{TOKEN}:x@a/b",
        f"https://[{TOKEN}/acme/bench",
        f"https://github.com:{TOKEN}/acme/bench",
        TOKEN * 100,
    )
    statuses: dict[str, tuple[int, int]] = {}
    for address in addresses:
        body = {"name": "x", "github_repo_url": address}
        made = await service.http.post("/projects", json=body)
        changed = await service.http.put(
            f"/projects/{project['id']}", json={"github_repo_url": address}
        )
        statuses[address] = (made.status_code, changed.status_code)
    assert statuses == dict.fromkeys(addresses, (422, 422))
    await visit_everything(service)


async def test_an_address_s_query_is_not_kept(service: Service) -> None:
    forms = ("acme/bench?access_token=", "repos/acme/bench?access_token=", "acme/bench#")
    bodies = {
        form: {"name": form, "github_repo_url": f"{service.github.url}/{form}{TOKEN}"}
        for form in forms
    }
    statuses = {
        form: (await service.http.post("/projects", json=body)).status_code
        for form, body in bodies.items()
    }
    assert statuses == dict.fromkeys(forms, 201)
    await visit_everything(service)


async def test_no_validation_error_repeats_a_token(service: Service) -> None:
    project = await service.project("acme/bench")
    good = {"name": "x", "github_repo_url": "acme/bench"}
    tokens: list[Any] = [
        [TOKEN],
        {"token": TOKEN},
        f"{TOKEN} {OTHER}",
        f"{TOKEN}\n",
        TOKEN * 20,
        f"ü{TOKEN}",
    ]
    bodies: list[Any] = [
        *({**good, "github_token": token} for token in tokens),
        *({**good, name: TOKEN} for name in ("token", "github_tokn", "polling_interval")),
        *(
            {**good, "github_token": TOKEN, "polling_interval": 1},
            {"github_token": TOKEN},
            [TOKEN],
            TOKEN,
        ),
        {**good, "github_token": TOKEN, "config_folder": f"../{TOKEN}"},
        {**good, "github_token": TOKEN, "branch": f"{TOKEN}..{TOKEN}"},
    ]
    made = [await service.http.post("/projects", json=body) for body in bodies]
    assert [answer.text for answer in made if answer.status_code != 422] == []
    path = f"/projects/{project['id']}"
    changed = [await service.http.put(path, json=body) for body in bodies]
    # A token alone is a change of a project, not a project.
    assert [answer.status_code for answer in changed] == [
        200 if body == {"github_token": TOKEN} else 422 for body in bodies
    ]
    form = await service.http.post("/projects", data={"github_token": TOKEN})
    assert form.status_code == 415
    await visit_everything(service)


async def test_no_answer_repeats_a_token_of_a_body_that_is_no_json(service: Service) -> None:
    texts = (
        f'{{"github_token": "{TOKEN}"',
        f'{{"github_token": {TOKEN}}}',
        f"github_token={TOKEN}",
    )
    headers = {"Content-Type": "application/json"}
    statuses = {
        text: (await service.http.post("/projects", content=text, headers=headers)).status_code
        for text in texts
    }
    assert statuses == dict.fromkeys(texts, 400)


async def test_a_conflict_does_not_repeat_a_token(service: Service) -> None:
    await service.project("acme/bench", name="taken", github_token=TOKEN)
    body = {"name": "taken", "github_repo_url": "acme/bench", "github_token": OTHER}
    assert (await service.http.post("/projects", json=body)).status_code == 409


class ProjectStoreWithoutInserts(ProjectStore):
    """A store that fails to insert projects."""

    async def insert(self, *_: Any, **__: Any) -> Any:
        raise RuntimeError("out of luck")


async def test_a_fault_does_not_log_a_token(service: Service) -> None:
    """Neither in a traceback nor in what it was about."""
    failing = beside(service, projects=ProjectStoreWithoutInserts(service.services.database))
    body = {"name": "x", "github_repo_url": "acme/bench", "github_token": TOKEN}
    with replaced(service, projects=failing.projects):
        assert (await service.http.post("/projects", json=body)).status_code == 500
