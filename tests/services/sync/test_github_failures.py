"""Whatever GitHub does, at whichever request.

Nothing is lost, nothing is half applied, and the project recovers.
"""

from collections.abc import Iterable

import pytest

from github_test_server import (
    CutBody,
    Delay,
    EmptyBody,
    FlippedByte,
    HtmlPage,
    Redirect,
    Repository,
    ResetBefore,
    ResetMidBody,
    Status,
)
from github_test_server.faults import Fault
from support.examples import ALL
from support.routes import ROUTES, Route, forget
from support.service import Json, Service

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
    **{
        f"status {status}": Status(status)
        for status in (400, 401, 403, 404, 409, 410, 418, 422, 429, 451)
    },
    "redirect to another host": Redirect("http://127.0.0.1:1/repos/acme/b"),
}
#: One of each sort: no answer, half of one, nonsense, lies, a failure, and what is refused.
SORTS = {"reset before the answer", "reset in mid-body", "JSON cut short", "wrong bytes", "status 502", "status 403",
         "redirect to another host"}  # fmt: skip
ELSEWHERE = {"reset in mid-body", "wrong bytes", "status 403"}
USUAL = "with a token"
FIRST = {"config/keep.yaml": b"k: 1\n", "config/edit.yaml": b"e: 1\n", "config/gone.yaml": b"g: 1\n",
         "config/old.yaml": b"o: 1\n", "job/j.yaml": b"kind: Job\n"}  # fmt: skip
#: Requests of a sync of the change below, on each way that differs in them. With a token: the
#: check, both folders' trees, a listing of each, one query for the contents. Without GraphQL: a
#: listing of the commit, its archive, the archive's download, and the default branch's name.
#: Without archives too: a try for one, three contents, the commit's time.
REQUESTS = {
    "with a token": 5,
    "with a token, without GraphQL": 5,
    "one request a blob": 8,
    "without a token": 4,
}


class _Story:
    """A synced project with a variant, and an upstream that changes each round."""

    def __init__(
        self, service: Service, repository: Repository, project: Json, variant: Json
    ) -> None:
        self.service = service
        self.repository = repository
        self.project = project
        self.variant = variant
        self.old = dict(FIRST)
        self.round = 0

    @classmethod
    async def begin(cls, service: Service, route: Route) -> "_Story":
        fields = route.open(service)
        repository = service.repository("acme/b", FIRST, private_to=route.readers)
        project = await service.synced("acme/b", **fields)
        file = (await service.files(project["id"]))["config/keep.yaml"]
        variant = await service.variant(
            project["id"], file, modified_name="mine.yaml", content="mine: true\n"
        )
        story = cls(service, repository, project, variant)
        # The first change finds out whether there is GraphQL.
        for _ in range(2):
            service.github.requests.reset()
            story.old = story.change()
            await service.sync(project["id"])
        assert len(service.github.requests) == REQUESTS[route.name]
        return story

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


def on_every_way(kinds: Iterable[str]) -> list[tuple[Route, str]]:
    """One kind of each sort on the usual way, and some on the others.

    With `make properties` all of them.
    """
    ways = [route for route in ROUTES if route.name in REQUESTS]
    usual, others = (set(kinds), SORTS) if ALL else (SORTS, ELSEWHERE)
    return [
        (route, kind)
        for route in ways
        for kind in kinds
        if kind in (usual if route.name == USUAL else others)
    ]


@pytest.mark.parametrize(("route", "kind"), on_every_way([*TRANSIENT, *LASTING]), ids=str)
async def test_a_fault_at_any_request_of_a_sync_loses_and_half_applies_nothing(
    hasty: Service, kind: str, route: Route
) -> None:
    story = await _Story.begin(hasty, route)
    fault = {**LASTING, **TRANSIENT}[kind]
    applied = []
    for nth in range(1, REQUESTS[route.name] + 1):
        new = story.change()
        handle = hasty.github.faults.add(fault, nth=nth, times=None)
        answer = await hasty.http.post(f"/projects/{story.project['id']}/sync")
        assert answer.status_code in {200, 422, 502, 503}, answer.text
        assert handle.fired >= 1
        held = await story.held()
        assert held == (new if answer.status_code == 200 else story.old), f"request {nth}"
        applied.append(answer.status_code == 200)
        await story.check_variant()
        hasty.github.faults.remove(handle)
        forget(hasty)
        assert (await hasty.sync(story.project["id"]))["status"] in {"success", "unchanged"}
        assert await story.held() == new
        story.old = new
    harmless = kind == "slow"
    assert applied == [harmless] * REQUESTS[route.name] or kind == "wrong bytes"


@pytest.mark.parametrize(("route", "kind"), on_every_way(TRANSIENT), ids=str)
async def test_a_passing_fault_at_any_request_does_not_fail_the_sync(
    hasty: Service, kind: str, route: Route
) -> None:
    story = await _Story.begin(hasty, route)
    # A flipped byte in the head's id names another commit: that is told by all tries, and tested
    # above.
    for nth in range(2 if kind == "wrong bytes" else 1, REQUESTS[route.name] + 1):
        new = story.change()
        handle = hasty.github.faults.add(TRANSIENT[kind], nth=nth, times=2)
        assert (await hasty.sync(story.project["id"]))["status"] == "success"
        assert handle.fired == 2 or kind == "slow"
        hasty.github.faults.remove(handle)
        forget(hasty)
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
async def test_a_failure_is_told_by_status_code_and_the_projects_state(
    hasty: Service, code: str
) -> None:
    repository = hasty.repository("acme/b", FIRST, private_to=["reader"])
    repository.commit({"config/more.yaml": b"m: 1\n"}, message="nightly", branch="nightly")
    project = await hasty.synced(
        "acme/b", github_token="reader", branch="nightly", polling_interval=600
    )
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


async def test_a_used_up_limit_stops_its_own_credential_only_and_asks_nothing_more(
    hasty: Service,
) -> None:
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
    head = repository.commit(
        {"config/more.yaml": b"m: 1\n"}, message="nightly", branch="nightly", parent=main
    )
    project = await hasty.synced("acme/b", branch="nightly")
    repository.delete_branch("nightly")
    assert (await hasty.sync(project["id"], status=422))["code"] == "branch_not_found"
    assert len(await hasty.files(project["id"])) == len(FIRST) + 1
    repository.reset_branch("nightly", head)
    assert (await hasty.sync(project["id"]))["status"] == "unchanged"
