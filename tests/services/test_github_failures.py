"""Whatever GitHub does, at whichever request: nothing is lost, nothing is half applied, and the project recovers."""

import asyncio
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from benchmark_manager.factory import Outside
from github_test_server import (
    CutBody,
    Delay,
    EmptyBody,
    FlippedByte,
    GitHubTestServer,
    HtmlPage,
    Redirect,
    Repository,
    ResetBefore,
    ResetMidBody,
    Status,
)
from github_test_server.faults import Fault
from support.service import Json, Service, running_service

TRANSIENT: dict[str, Fault] = {
    "reset before the answer": ResetBefore(),
    "reset in mid-body": ResetMidBody(),
    "JSON cut short": CutBody(),
    "HTML instead of JSON": HtmlPage(),
    "empty body": EmptyBody(),
    "wrong bytes": FlippedByte(),
    "slow": Delay(0.02),
    **{f"status {status}": Status(status) for status in (500, 502, 503, 504)},
}
LASTING: dict[str, Fault] = {
    **{f"status {status}": Status(status) for status in (400, 401, 403, 404, 409, 410, 418, 422, 429, 451)},
    "redirect to another host": Redirect("http://127.0.0.1:1/repos/acme/b"),
}
FIRST = {"config/keep.yaml": b"k: 1\n", "config/edit.yaml": b"e: 1\n", "config/gone.yaml": b"g: 1\n",
         "config/old.yaml": b"o: 1\n", "job/j.yaml": b"kind: Job\n"}  # fmt: skip
#: A sync of the change below: check, commit, listing, three contents, the repository.
REQUESTS = 7


async def _no_sleep(_: float) -> None:
    await asyncio.sleep(0)


@pytest.fixture
async def hasty(database_url: str, github: GitHubTestServer, tmp_path: Path) -> AsyncIterator[Service]:
    """The service, without pauses between its tries."""
    async with running_service(database_url, github, tmp_path, outside=Outside(sleep=_no_sleep)) as running:
        yield running


class _Story:
    """A synced project with a variant, and an upstream that changes each round."""

    def __init__(self, service: Service, repository: Repository, project: Json, variant: Json) -> None:
        self.service = service
        self.repository = repository
        self.project = project
        self.variant = variant
        self.old = dict(FIRST)
        self.round = 0

    @classmethod
    async def begin(cls, service: Service) -> "_Story":
        service.github.limits.set("reader", limit=10**6, remaining=10**6)
        repository = service.repository("acme/b", FIRST, private_to=["reader"])
        project = await service.synced("acme/b", github_token="reader")
        file = (await service.files(project["id"]))["config/keep.yaml"]
        variant = await service.variant(project["id"], file, modified_name="mine.yaml", content="mine: true\n")
        return cls(service, repository, project, variant)

    def change(self) -> dict[str, bytes]:
        """Add, update, remove and rename; returns what upstream has now."""
        self.round += 1
        n = self.round
        new = {
            "config/keep.yaml": FIRST["config/keep.yaml"],
            "config/edit.yaml": b"e: %d\n" % (n + 1),
            f"config/added-{n}.yaml": b"a: %d\n" % n,
            f"config/renamed-{n}.yaml": b"o: 1\n",
            "job/j.yaml": b"kind: Job\n# %d\n" % n,
        }
        self.repository.commit(dict(new), message=f"round {n}", replace_all=True)
        return new

    async def held(self) -> dict[str, bytes]:
        rows = await self.service.rows(f"/projects/{self.project['id']}/files", include="content")
        return {row["path"]: row["content"].encode() for row in rows}

    async def check_variant(self) -> None:
        now = await self.service.get(f"/modified-files/{self.variant['id']}")
        assert now == self.variant


@pytest.mark.parametrize("kind", [*TRANSIENT, *LASTING])
async def test_a_fault_at_any_request_of_a_sync_loses_and_half_applies_nothing(hasty: Service, kind: str) -> None:
    story = await _Story.begin(hasty)
    fault = {**LASTING, **TRANSIENT}[kind]
    applied = []
    for nth in range(1, REQUESTS + 1):
        new = story.change()
        hasty.github.limits.clear()
        hasty.github.limits.set("reader", limit=10**6, remaining=10**6)
        handle = hasty.github.faults.add(fault, nth=nth, times=None)
        answer = await hasty.http.post(f"/projects/{story.project['id']}/sync")
        assert answer.status_code in {200, 422, 502, 503}, answer.text
        held = await story.held()
        assert held == (new if answer.status_code == 200 else story.old), f"request {nth}"
        applied.append(answer.status_code == 200)
        await story.check_variant()
        hasty.github.faults.remove(handle)
        hasty.services.sync._work._github.limits._by_fingerprint.clear()
        assert (await hasty.sync(story.project["id"]))["status"] in {"success", "unchanged"}
        assert await story.held() == new
        story.old = new
    harmless = kind == "slow"
    assert applied == [harmless] * REQUESTS or kind == "wrong bytes"


@pytest.mark.parametrize("kind", TRANSIENT)
async def test_a_passing_fault_at_any_request_does_not_fail_the_sync(hasty: Service, kind: str) -> None:
    story = await _Story.begin(hasty)
    for nth in range(1, REQUESTS + 1):
        new = story.change()
        # A flipped byte in the head's id names another commit: that is told by all tries, and tested above.
        path = "/git/blobs/" if kind == "wrong bytes" else ""
        handle = hasty.github.faults.add(TRANSIENT[kind], path=path, nth=1 if path else nth, times=2)
        assert (await hasty.sync(story.project["id"]))["status"] == "success"
        assert handle.fired >= 1
        hasty.github.faults.clear()
        assert await story.held() == new
        await story.check_variant()


FAILURES = {
    "github_unauthorized": (422, "failing"),
    "repository_not_found": (422, "failing"),
    "branch_not_found": (422, "failing"),
    "repository_empty": (422, "failing"),
    "github_forbidden": (422, "failing"),
    "github_rate_limited": (503, "unavailable"),
    "github_unavailable": (502, "unavailable"),
}


def _break(service: Service, repository: Repository, code: str) -> None:
    match code:
        case "github_unauthorized":
            service.github.hosting.revoke_token("reader")
        case "repository_not_found":
            service.github.hosting.make_private("acme/b", [])
        case "branch_not_found":
            repository.delete_branch("nightly")
        case "repository_empty":
            service.github.faults.add(Status(409), times=None)
        case "github_forbidden":
            service.github.faults.add(Status(403), times=None)
        case "github_rate_limited":
            service.github.limits.set("reader", limit=5000, remaining=0, reset_in=600)
        case "github_unavailable":
            service.github.faults.add(ResetBefore(), times=None)


@pytest.mark.parametrize("code", FAILURES)
async def test_a_failure_is_told_by_status_code_and_the_projects_state(hasty: Service, code: str) -> None:
    repository = hasty.repository("acme/b", FIRST, private_to=["reader"])
    repository.commit({"config/more.yaml": b"m: 1\n"}, message="nightly", branch="nightly")
    project = await hasty.synced("acme/b", github_token="reader", branch="nightly", polling_interval=600)
    before = await hasty.files(project["id"])
    repository.commit({"config/more.yaml": b"m: 2\n"}, message="moves on", branch="nightly")
    _break(hasty, repository, code)
    status, state = FAILURES[code]
    answer = await hasty.http.post(f"/projects/{project['id']}/sync")
    problem = answer.json()
    assert (answer.status_code, problem["code"]) == (status, code)
    assert ("retry-after" in answer.headers) == (code == "github_rate_limited")
    assert (problem["sync"]["status"], problem["sync"]["error"]["code"]) == ("failed", code)
    now = await hasty.get(f"/projects/{project['id']}")
    assert (now["sync_status"], now["error"]["code"]) == (state, code)
    assert now["last_success_at"] == project["last_success_at"]
    assert now["next_poll_at"] > project["created_at"]
    assert await hasty.files(project["id"]) == before


async def test_a_used_up_limit_stops_its_own_credential_only_and_asks_nothing_more(hasty: Service) -> None:
    for name in ("a", "b"):
        hasty.repository(f"acme/{name}", FIRST, private_to=[f"token-{name}"])
    first = await hasty.synced("acme/a", github_token="token-a")
    second = await hasty.synced("acme/b", github_token="token-b")
    hasty.github.limits.secondary("token-a", retry_after=30)
    answer = await hasty.http.post(f"/projects/{first['id']}/sync")
    assert answer.json()["code"] == "github_rate_limited"
    assert 25 <= int(answer.headers["retry-after"]) <= 30
    hasty.github.requests.reset()
    assert (await hasty.sync(first["id"], status=503))["code"] == "github_rate_limited"
    assert len(hasty.github.requests) == 0
    assert (await hasty.sync(second["id"]))["status"] == "unchanged"


async def test_an_empty_repository_recovers_with_its_first_commit(hasty: Service) -> None:
    repository = hasty.repository("acme/b")
    project = await hasty.project("acme/b")
    assert (await hasty.sync(project["id"], status=422))["code"] == "repository_empty"
    repository.commit(dict(FIRST), message="first")
    assert (await hasty.sync(project["id"]))["added"] == len(FIRST)


async def test_a_branch_which_returns_recovers_with_everything_kept(hasty: Service) -> None:
    repository = hasty.repository("acme/b", FIRST)
    main = repository.branches()[0][1]
    head = repository.commit({"config/more.yaml": b"m: 1\n"}, message="nightly", branch="nightly", parent=main)
    project = await hasty.synced("acme/b", branch="nightly")
    repository.delete_branch("nightly")
    assert (await hasty.sync(project["id"], status=422))["code"] == "branch_not_found"
    assert len(await hasty.files(project["id"])) == len(FIRST) + 1
    repository.reset_branch("nightly", head)
    assert (await hasty.sync(project["id"]))["status"] == "unchanged"
