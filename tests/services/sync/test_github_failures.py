"""Failures of GitHub at any request: nothing is lost or half applied, and projects recover."""

from collections.abc import AsyncIterator, Iterator
from contextlib import contextmanager
from itertools import zip_longest
from typing import Any

import pytest
import pytest_asyncio

from benchmark_manager.factory import Externals
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
from github_test_server.faults import Fault, PlannedFault
from support.examples import ALL
from support.reused_database import reused_database
from support.routes import ROUTES, Route, forget
from support.service import Json, Service, no_sleep, running_service

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
#: Pairs of a fault that passes and of one that lasts. Of each sort: no answer, half of one,
#: nonsense, lies, a failure, and what is refused.
SORTS = [
    ("reset before the answer", "status 403"),
    ("reset in mid-body", "redirect to another host"),
    ("JSON cut short", "reset in mid-body"),
    ("wrong bytes", "wrong bytes"),
    ("status 502", "status 502"),
]
#: Faults with which a sync may succeed.
MAY_BE_APPLIED = {"slow", "wrong bytes"}
ELSEWHERE = [("reset in mid-body", "status 403"), ("wrong bytes", "wrong bytes")]
#: All that last, each with one that passes, as far as there are so many.
EVERY = list(zip_longest(TRANSIENT, [*TRANSIENT, *LASTING]))
USUAL = "with a token"
FIRST = {
    "config/keep.yaml": b"k: 1\n",
    "config/edit.yaml": b"e: 1\n",
    "config/gone.yaml": b"g: 1\n",
    "config/old.yaml": b"o: 1\n",
    "job/j.yaml": b"kind: Job\n",
}
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
        self,
        service: Service,
        repository: Repository,
        project: Json,
        variant: Json,
        requests: int,
    ) -> None:
        self.service = service
        self.repository = repository
        self.project = project
        self.variant = variant
        #: Those of each sync of a change.
        self.requests = requests
        #: What upstream has now, and what the service holds.
        self.new = dict(FIRST)
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
        story = cls(service, repository, project, variant, REQUESTS[route.name])
        # The first change finds out whether there is GraphQL.
        for _ in range(2):
            service.github.requests.reset()
            story.change()
            await story.sync()
            await story.check()
        assert len(service.github.requests) == story.requests
        return story

    def change(self) -> None:
        """Add, update, remove and rename."""
        self.round += 1
        n = self.round
        self.new = {
            "config/keep.yaml": FIRST["config/keep.yaml"],
            "config/edit.yaml": b"e: %d\n" % (n + 1),
            f"config/added-{n}.yaml": b"a: %d\n" % n,
            f"config/renamed-{n}.yaml": b"o: 1\n",
            "job/j.yaml": b"kind: Job\n# %d\n" % n,
        }
        self.repository.commit(dict(self.new), message=f"round {n}", replace_all=True)

    async def sync(self) -> None:
        """Sync successfully: afterwards all of upstream is held, which `check` shows."""
        assert (await self.service.sync(self.project["id"]))["status"] in {"success", "unchanged"}
        self.old = self.new

    async def passes(self, fault: Fault, nth: int) -> int:
        """Sync a change whose nth request fails twice, and succeed; how often the fault came."""
        self.change()
        with self._faulty(fault, nth, times=2) as handle:
            await self.sync()
        return handle.fired

    async def fails(self, fault: Fault, nth: int) -> bool:
        """Sync a change whose requests fail from the nth on; whether it was applied all the same.

        It is applied as a whole or not at all.
        """
        self.change()
        with self._faulty(fault, nth, times=None) as handle:
            answer = await self.service.http.post(f"/projects/{self.project['id']}/sync")
            assert answer.status_code in {200, 422, 502, 503}, answer.text
            assert handle.fired >= 1
            if answer.status_code == 200:
                self.old = self.new
            await self.check()
        return answer.status_code == 200

    async def check(self) -> None:
        """What is held is what it should be, and the variant is as it was."""
        assert await self.service.contents(self.project["id"]) == self.old
        now = await self.service.get(f"/modified-files/{self.variant['id']}")
        assert now == self.variant

    @contextmanager
    def _faulty(self, fault: Fault, nth: int, times: int | None) -> Iterator[PlannedFault]:
        handle = self.service.github.faults.add(fault, nth=nth, times=times)
        try:
            yield handle
        finally:
            self.service.github.faults.remove(handle)
            forget(self.service)


def on_every_way() -> list[Any]:
    """Faults of each sort on the usual way, some on the others; all with `make properties`.

    Those of one way run in one process, where its story goes on from case to case.
    """
    ways = [route for route in ROUTES if route.name in REQUESTS]
    return [
        pytest.param(
            route,
            passing,
            lasting,
            marks=pytest.mark.xdist_group(f"faults {route}"),
            id=f"{route}-{passing}-{lasting}",
        )
        for route in ways
        for passing, lasting in (EVERY if ALL else SORTS if route.name == USUAL else ELSEWHERE)
    ]


@pytest_asyncio.fixture(scope="module", loop_scope="session")
async def story(
    request: pytest.FixtureRequest, mongod: str, tmp_path_factory: pytest.TempPathFactory
) -> AsyncIterator[_Story]:
    """The story of one way, which goes on from case to case."""
    with GitHubTestServer() as github:
        async with (
            reused_database(mongod) as url,
            running_service(
                url, github, tmp_path_factory.mktemp("story"), externals=Externals(sleep=no_sleep)
            ) as service,
        ):
            yield await _Story.begin(service, request.param)


@pytest.mark.parametrize(("story", "passing", "lasting"), on_every_way(), indirect=["story"])
async def test_a_fault_at_any_request_of_a_sync_loses_and_half_applies_nothing(
    story: _Story, passing: str | None, lasting: str
) -> None:
    """One that passes does not even fail the sync; after one that lasts, the next sync succeeds."""
    requests = range(1, story.requests + 1)
    fired, applied = [], []
    for nth in requests:
        # A flipped byte in the head's id names another commit: all tries report that.
        if passing is None or (passing == "wrong bytes" and nth == 1):
            await story.sync()
        else:
            fired.append(await story.passes(TRANSIENT[passing], nth))
        if {passing, lasting} & MAY_BE_APPLIED:
            # Otherwise the check after the sync that fails shows the same.
            await story.check()
        applied.append(await story.fails({**LASTING, **TRANSIENT}[lasting], nth))
    await story.sync()
    await story.check()
    assert set(fired) <= {2} or passing == "slow"
    assert applied == [lasting == "slow" for _ in requests] or lasting == "wrong bytes"


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
async def test_a_failure_is_reported_by_status_code_and_the_projects_state(
    shared: Service, code: str
) -> None:
    repository = shared.repository("acme/b", FIRST, private_to=["reader"])
    repository.commit({"config/more.yaml": b"m: 1\n"}, message="nightly", branch="nightly")
    project = await shared.synced(
        "acme/b", github_token="reader", branch="nightly", polling_interval=600
    )
    before = await shared.files(project["id"])
    repository.commit({"config/more.yaml": b"m: 2\n"}, message="moves on", branch="nightly")
    _break(shared, repository, code)
    status, state = FAILURES[code]
    answer = await shared.http.post(f"/projects/{project['id']}/sync")
    problem = answer.json()
    assert (answer.status_code, problem["code"]) == (status, code)
    assert ("retry-after" in answer.headers) == (code == "github_rate_limited")
    assert (problem["sync"]["status"], problem["sync"]["error"]["code"]) == ("failed", code)
    now = await shared.get(f"/projects/{project['id']}")
    assert (now["sync_status"], now["error"]["code"]) == (state, code)
    assert now["last_success_at"] == project["last_success_at"]
    assert now["next_poll_at"] > project["created_at"]
    assert await shared.files(project["id"]) == before


async def test_a_used_up_limit_stops_its_own_credential_only_and_asks_nothing_more(
    shared: Service,
) -> None:
    for name in ("a", "b"):
        shared.repository(f"acme/{name}", FIRST, private_to=[f"token-{name}"])
    first = await shared.synced("acme/a", github_token="token-a")
    second = await shared.synced("acme/b", github_token="token-b")
    shared.github.limits.secondary("token-a", retry_after=30)
    answer = await shared.http.post(f"/projects/{first['id']}/sync")
    assert answer.json()["code"] == "github_rate_limited"
    assert 25 <= int(answer.headers["retry-after"]) <= 30
    shared.github.requests.reset()
    assert (await shared.sync(first["id"], status=503))["code"] == "github_rate_limited"
    assert len(shared.github.requests) == 0
    assert (await shared.sync(second["id"]))["status"] == "unchanged"


async def test_an_empty_repository_recovers_with_its_first_commit(shared: Service) -> None:
    repository = shared.repository("acme/b")
    project = await shared.project("acme/b")
    assert (await shared.sync(project["id"], status=422))["code"] == "repository_empty"
    repository.commit(dict(FIRST), message="first")
    assert (await shared.sync(project["id"]))["added"] == len(FIRST)


async def test_a_branch_which_returns_recovers_with_everything_kept(shared: Service) -> None:
    repository = shared.repository("acme/b", FIRST)
    main = repository.branches()[0][1]
    head = repository.commit(
        {"config/more.yaml": b"m: 1\n"}, message="nightly", branch="nightly", parent=main
    )
    project = await shared.synced("acme/b", branch="nightly")
    repository.delete_branch("nightly")
    assert (await shared.sync(project["id"], status=422))["code"] == "branch_not_found"
    assert len(await shared.files(project["id"])) == len(FIRST) + 1
    repository.reset_branch("nightly", head)
    assert (await shared.sync(project["id"]))["status"] == "unchanged"
