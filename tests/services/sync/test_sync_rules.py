"""Rules of checks, of limits, and of the ways in which contents are read."""

import asyncio
import json
import re
from collections.abc import AsyncIterator
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from benchmark_manager.factory import Externals
from github_test_server import FlippedByte, GitHubTestServer, GraphQLError, Repository, Status
from github_test_server.answers import ServedAnswer
from support.clocks import Clock
from support.principals import open_principal
from support.routes import ROUTES, Route, connection_of, forget_listings
from support.service import Service, running_service

FILES = {
    "config/a.yaml": b"model: llama\n",
    "config/b.yaml": b"b: 1\n",
    "job/j.yaml": b"kind: Job\n",
}


async def polled(service: Service) -> list[tuple[str, str]]:
    """Sync all that is due, as a tick does; (trigger, status) of each project's last sync."""
    await service.services.polling.run_due()
    await asyncio.gather(*service.services.sync.running.values())
    ids = [row["id"] for row in await service.rows("/projects")]
    lasts = [
        (await service.services.project_store.get(project_id)).state.last_sync for project_id in ids
    ]
    return sorted((last.trigger, last.status) for last in lasts if last is not None)


async def make_due(service: Service) -> None:
    """As if the planned time of every poll had come."""
    database = service.services.database
    # Not earlier: of an answer that came since then a poll would not ask again.
    await database.collection("projects").update_many(
        {}, {"$set": {"next_poll_at": await database.now()}}
    )


def files_asked_of(service: Service) -> int:
    return sum("/git/" in r.path or "tarball" in r.path for r in service.github.requests)


# The check


@pytest.fixture
async def batching(
    database_url: str, github: GitHubTestServer, tmp_path: Path
) -> AsyncIterator[Service]:
    """A service which asks for many projects at once as soon as two of a credential fall due."""
    async with running_service(database_url, github, tmp_path, github_batch_threshold=2) as running:
        github.hosting.add_token("reader")
        yield running


async def test_polls_of_many_projects_of_one_credential_are_one_query_and_a_moved_one_is_read(
    batching: Service,
) -> None:
    repositories = [
        batching.repository(f"acme/{n}", FILES, private_to=["reader"]) for n in range(6)
    ]
    projects = [
        await batching.synced(f"acme/{n}", github_token="reader", polling_interval=60)
        for n in range(6)
    ]
    head = repositories[3].commit({"config/a.yaml": b"model: other\n"}, message="moves")
    repositories[4].commit({"README.md": b"elsewhere"}, message="moves, but not its folders")
    await make_due(batching)
    batching.github.requests.reset()
    assert await polled(batching) == [("poll", "success")] + [("poll", "unchanged")] * 5
    checks = batching.github.requests.select("graphql$")
    # One query for all checks, one for those which moved (their folders at that very commit), one
    # for the contents; a listing of each folder of the one whose folders moved.
    assert [r.body.count(b"repository(") for r in checks] == [6, 2, 1]
    assert len(batching.github.requests) == 5
    now = await batching.get(f"/projects/{projects[3]['id']}")
    assert now["last_sync"]["commit_sha"] == head


async def test_below_the_threshold_polls_are_conditional_requests_which_cost_nothing(
    shared: Service,
) -> None:
    for n in range(3):
        shared.repository(f"acme/{n}", FILES, private_to=["reader"])
        await shared.synced(f"acme/{n}", github_token="reader", polling_interval=60)
    await make_due(shared)
    shared.github.requests.reset()
    assert await polled(shared) == [("poll", "unchanged")] * 3
    assert [(r.status, r.cost) for r in shared.github.requests] == [(304, 0)] * 3


async def test_projects_which_share_a_question_hear_of_their_own_folders_only(
    batching: Service,
) -> None:
    repository = batching.repository(
        "acme/b", {**FILES, "other/o.yaml": b"o: 1\n"}, private_to=["reader"]
    )
    first = await batching.synced(
        "acme/b", name="first", github_token="reader", polling_interval=60
    )
    second = await batching.synced(
        "acme/b",
        name="second",
        github_token="reader",
        polling_interval=60,
        config_folder="other",
        job_folder="nope",
    )
    repository.commit({"config/a.yaml": b"a: 2\n", "other/o.yaml": b"o: 2\n"}, message="both")
    await make_due(batching)
    assert await polled(batching) == [("poll", "success")] * 2
    shown = [
        (await batching.rows(f"/projects/{project['id']}/syncs"))[0]["warnings"]
        for project in (first, second)
    ]
    assert [[row["detail"].count("'nope'") for row in rows] for rows in shown] == [[], [1]]
    assert (await batching.files(second["id"])).keys() == {"other/o.yaml"}


@pytest.mark.parametrize("alias", ["r0.f0", "r0.f1", "r0.head", "r0"])
async def test_a_folder_which_a_query_could_not_read_is_not_taken_for_gone(
    shared: Service, alias: str
) -> None:
    repository = shared.repository("acme/b", FILES, private_to=["reader"])
    project = await shared.synced("acme/b", github_token="reader")
    repository.commit({"config/a.yaml": b"model: other\n"}, message="moves")
    shared.github.faults.add(GraphQLError(alias), path="graphql$", times=1)
    sync = await shared.sync(project["id"])
    assert (sync["updated"], sync["removed"], sync["warnings"]) == (1, 0, [])
    assert (await shared.files(project["id"])).keys() == FILES.keys()


async def test_equal_folders_end_a_sync_however_the_branch_came_there(shared: Service) -> None:
    """Neither dates nor ancestry count, only the folders' object ids."""
    repository = shared.repository("acme/b", FILES, private_to=["reader"])
    project = await shared.synced("acme/b", github_token="reader")
    old = datetime(2001, 1, 1, tzinfo=UTC)
    repository.commit(
        dict(FILES), message="another history", branch="other", replace_all=True, date=old
    )
    other = repository.find_commit("other")
    assert other is not None
    repository.reset_branch("main", other.sha)
    forget_listings(shared)
    shared.github.requests.reset()
    assert (await shared.sync(project["id"]))["status"] == "unchanged"
    assert files_asked_of(shared) == 0


# Limits


async def test_the_last_tenth_of_a_limit_is_for_what_people_ask_for(shared: Service) -> None:
    repository = shared.repository("acme/b", FILES, private_to=["reader"])
    project = await shared.synced("acme/b", github_token="reader", polling_interval=60)
    shared.github.limits.set("reader", limit=1000, remaining=100)
    await shared.sync(project["id"])
    repository.commit({"config/a.yaml": b"a: 2\n"}, message="moves")
    await make_due(shared)
    shared.github.requests.reset()
    assert await polled(shared) == [("poll", "failed")]
    assert len(shared.github.requests) == 0
    assert (await shared.sync(project["id"]))["status"] == "success"


@pytest.mark.parametrize("status", [200, 403])
async def test_a_used_up_limit_of_graphql_does_not_hold_up_checks(
    shared: Service, status: int
) -> None:
    shared.github.limits.graphql_exhausted_status = status
    repository = shared.repository("acme/b", FILES, private_to=["reader"])
    project = await shared.synced("acme/b", github_token="reader")
    shared.github.limits.set("reader", limit=5000, remaining=0, reset_in=600, resource="graphql")
    repository.commit({"config/a.yaml": b"a: 2\n"}, message="moves")
    assert (await shared.sync(project["id"], status=503))["code"] == "github_rate_limited"
    repository.reset_branch("main", project["last_sync"]["commit_sha"])
    assert (await shared.sync(project["id"]))["status"] == "unchanged"


@pytest.mark.parametrize("limit", ["secondary", "primary"])
async def test_what_github_said_of_limits_holds_after_a_restart_too(
    database_url: str, github: GitHubTestServer, tmp_path: Path, limit: str
) -> None:
    async with running_service(database_url, github, tmp_path) as service:
        service.repository("acme/b", FILES, private_to=["reader"])
        project = await service.synced("acme/b", github_token="reader")
        if limit == "secondary":
            github.limits.secondary("reader", retry_after=300)
        else:
            github.limits.set("reader", limit=5000, remaining=0, reset_in=300)
        await service.sync(project["id"], status=503)
    github.requests.reset()
    clock = Clock()
    externals = Externals(clock=clock)
    async with running_service(
        database_url, github, service.folder, externals=externals, secret_key=service.secret_key
    ) as later:
        assert (await later.sync(project["id"], status=503))["code"] == "github_rate_limited"
        assert len(github.requests) == 0
        github.limits.clear()
        clock.forward(seconds=301)
        assert (await later.sync(project["id"]))["status"] == "unchanged"


def asked_of_the_api(github: GitHubTestServer) -> int:
    """Requests; downloads are none of the API's."""
    return len(github.requests) - github.requests.count("/codeload/")


async def test_two_replicas_count_each_others_points(
    service: Service, database_url: str, github: GitHubTestServer
) -> None:
    service.repository("acme/b", FILES, private_to=["reader"])
    await service.synced("acme/b", github_token="reader")
    async with running_service(
        database_url, github, service.folder, secret_key=service.secret_key
    ) as other:
        await service.services.limits.run()
        await other.services.limits.run()
        # A replica also gets the states of credentials that it has not used yet.
        spent = [
            status.points_last_minute for status in connection_of(service).governors.statuses()
        ]
        assert sum(spent[0].values()) == asked_of_the_api(github)
        project = (await other.rows("/projects"))[0]
        await other.sync(project["id"])
        shown = [status.points_last_minute for status in connection_of(other).governors.statuses()]
        assert sum(shown[0].values()) == asked_of_the_api(github)


@pytest.mark.parametrize("status", [Status(429, headers={"Retry-After": "120"}), Status(429)])
async def test_the_host_of_archives_is_not_asked_again_before_it_wants_to_be(
    database_url: str, github: GitHubTestServer, tmp_path: Path, status: Status
) -> None:
    clock = Clock()
    async with running_service(
        database_url, github, tmp_path, externals=Externals(clock=clock)
    ) as service:
        service.repository("acme/b", FILES)
        service.repository(
            "acme/many",
            {f"config/{n}.yaml": b"n: %d\n" % n for n in range(60)},
            private_to=["reader"],
        )
        github.faults.add(status, path="/codeload/", times=1)
        anonymous = await service.project("acme/b")
        problem = await service.sync(anonymous["id"], status=503)
        assert problem["code"] == "github_rate_limited"
        github.requests.reset()
        await service.sync(anonymous["id"], status=503)
        assert github.requests.count("tarball|codeload") == 0
        clock.forward(seconds=121)
        assert (await service.sync(anonymous["id"]))["added"] == 3
        # With a token there is another way at once.
        github.faults.add(status, path="/codeload/", times=1)
        project = await service.project("acme/many", github_token="reader")
        assert (await service.sync(project["id"]))["added"] == 60
        assert github.requests.count("/git/blobs/") == 0


async def test_where_graphql_alone_fails_rest_goes_on(shared: Service) -> None:
    shared.repository("acme/b", FILES, private_to=["reader"])
    shared.github.faults.add(Status(502), path="graphql$", times=None)
    project = await shared.project("acme/b", github_token="reader")
    assert (await shared.sync(project["id"]))["added"] == 3


# Contents


@pytest.mark.parametrize("byte", [0, 300, -1])
async def test_a_damaged_archive_is_no_reason_to_fail(shared: Service, byte: int) -> None:
    files = {f"config/{n}.yaml": (f"n: {n}\n" * 400).encode() for n in range(12)}
    shared.repository("acme/b", files)
    shared.github.limits.set(None, limit=1000)
    shared.github.faults.add(FlippedByte(byte), path="/codeload/", times=None)
    project = await shared.project("acme/b")
    assert (await shared.sync(project["id"]))["added"] == 12
    assert await shared.contents(project["id"]) == files


@pytest.mark.parametrize("branch", [None, "main"])
async def test_a_server_which_lists_no_commits_is_read_without_a_token_too(
    shared: Service, branch: str | None
) -> None:
    shared.repository("acme/b", FILES)
    shared.github.faults.add(Status(404), path="/commits$", times=None)
    project = await shared.project("acme/b", branch=branch)
    assert (await shared.sync(project["id"]))["added"] == 3


@pytest.mark.parametrize(("token", "costs"), [(None, (1, 3)), ("reader", (2, 4))])
async def test_the_archive_which_counts_is_the_heads_whatever_is_pushed_meanwhile(
    shared: Service, token: str | None, costs: tuple[int, int]
) -> None:
    """With a token it is requested by the branch, then once more by the commit's id."""
    repository = shared.repository("acme/b", FILES, private_to=token and [token])
    old = repository.branches()[0][1]
    repository.commit(
        {"config/a.yaml": b"model: new\n", "config/c.yaml": b"c: 1\n"}, message="pushed"
    )
    # The head's answer is the one from before the push.
    shared.github.faults.add(HeadOf(repository, old), path="/commits$", times=1)
    project = await shared.project("acme/b", github_token=token)
    sync = await shared.sync(project["id"])
    assert (sync["commit_sha"], sync["added"]) == (old, len(FILES))
    assert await shared.contents(project["id"]) == FILES
    assert (shared.github.requests.count("/tarball/"), shared.github.requests.points) == costs
    assert (await shared.sync(project["id"]))["added"] == 1


@dataclass(frozen=True, slots=True)
class HeadOf:
    """A fault: the list of commits begins with an older one."""

    repository: Repository
    sha: str

    def change(self, answer: ServedAnswer, _body: bytes) -> ServedAnswer:
        tree = self.repository.find_tree(self.sha)
        date = "2026-01-01T00:00:00Z"
        commit = {"sha": self.sha, "commit": {"tree": {"sha": tree}, "committer": {"date": date}}}
        return replace(answer, body=json.dumps([commit]).encode())


async def test_without_archives_a_repository_is_read_without_a_token_too(shared: Service) -> None:
    shared.repository("acme/b", FILES)
    shared.github.faults.add(Status(404), path="/tarball/", times=None)
    project = await shared.project("acme/b")
    assert (await shared.sync(project["id"]))["added"] == 3
    assert shared.github.requests.count("/git/blobs/") == 3


@pytest.mark.parametrize("route", ROUTES, ids=str)
async def test_every_way_copies_the_same_files(shared: Service, route: Route) -> None:
    fields = route.open(shared)
    odd = {
        "config/latin.yaml": b"a: \xe9\n",
        "config/nul.yaml": b"a\0b",
        "config/empty.yaml": b"",
        "config/big.json": b'"' + b"x" * 600_000 + b'"',
        "config/crlf.yaml": b"\xef\xbb\xbfa: 1\r\n",
    }
    shared.repository("acme/b", {**FILES, **odd}, private_to=route.readers)
    project = await shared.project("acme/b", **fields)
    sync = await shared.sync(project["id"])
    assert {row["path"]: row["reason"] for row in sync["skipped"]} == {
        "config/latin.yaml": "not_utf8",
        "config/nul.yaml": "binary",
    }
    files = await shared.files(project["id"])
    expected = {
        path: data for path, data in {**FILES, **odd}.items() if not re.search("latin|nul", path)
    }
    assert {
        path: await shared.raw(project["id"], file["id"]) for path, file in files.items()
    } == expected


async def test_a_person_who_joins_a_poll_does_not_inherit_that_it_may_not_use_the_reserve(
    shared: Service,
) -> None:
    shared.repository("acme/b", FILES, private_to=["reader"])
    project = await shared.synced("acme/b", github_token="reader", polling_interval=60)
    shared.github.limits.set("reader", remaining=300)
    await shared.sync(project["id"])
    await make_due(shared)
    [started] = await shared.services.sync.start_due(1, (), ())
    joined = await shared.services.sync.sync(open_principal("jo"), project["id"], "manual")
    assert ((await started.task).status, joined.status, joined.trigger) == (
        "failed",
        "unchanged",
        "manual",
    )


async def test_those_which_one_check_serves_share_it(shared: Service) -> None:
    shared.repository("acme/b", FILES, private_to=["reader"])
    for name in ("one", "two", "three"):
        await shared.synced("acme/b", name=name, github_token="reader", polling_interval=60)
    database = shared.services.database
    collection = database.collection("projects")
    soon = await database.now() + timedelta(seconds=30)
    await collection.update_many({}, {"$set": {"next_poll_at": soon}})
    await collection.update_one({"name": "one"}, {"$set": {"next_poll_at": await database.now()}})
    shared.github.requests.reset()
    assert await polled(shared) == [("poll", "unchanged")] * 3
    assert shared.github.requests.count("/commits/") == len(shared.github.requests) == 1
