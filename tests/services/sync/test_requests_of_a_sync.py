"""How many requests a sync sends, and what it fetches again."""

import math
import os

import pytest

from benchmark_manager.factory import Externals, ServiceLimits
from benchmark_manager.services.sync.reading.archive_reader import ArchiveSizes
from github_test_server import RecordedRequest, Stall, Status
from support.routes import BY_NAME, ROUTES, Route, blobs_asked_for, forget_listings
from support.service import Service
from support.waiting import GENEROUS

CONFIG = b"model: llama\n"
JOB = b"apiVersion: batch/v1\nkind: Job\nmetadata: {name: a}\nspec: {template: {}}\n"


@pytest.mark.parametrize(
    "externals",
    [
        Externals(
            limits=ServiceLimits(archives=ArchiveSizes(small=20_000, instead_of_batches=500_000))
        )
    ],
    ids=["smaller archives"],
)
@pytest.mark.parametrize(
    ("why", "files", "branch"),
    [
        *(
            ("there is no archive", files, branch)
            for files in (1, 50, 120)
            for branch in (None, "main")
        ),
        ("it is large", 1, "main"),
        ("it is large", 120, None),
        ("it is large, and so is the listing", 1, None),
        ("it is large, and so is the listing", 120, "main"),
    ],
)
async def test_a_first_sync_without_the_archive_costs_one_request_for_fifty_files_and_four_more(
    service: Service, files: int, branch: str | None, why: str
) -> None:
    contents = {f"config/{n}.yaml": b"n: %d\n" % n for n in range(files - 1)} | {"job/j.yaml": JOB}
    if why == "there is no archive":
        service.github.faults.add(Status(404), path="/tarball/", times=None)
    else:
        # It comes before what is wanted, and its end after the listing that is requested beside it.
        contents["a/big.bin"] = os.urandom(300_000)
        service.github.faults.add(Stall(GENEROUS, at=0.9), path="/codeload/")
    # Where not even the whole listing is to be had, each folder's is.
    more = 0
    if why == "it is large, and so is the listing":
        service.github.tree_limits.recursive_entries = files
        more = 2 + (files > 1)
    service.repository("acme/b", contents, private_to=["reader"])
    project = await service.project("acme/b", github_token="reader", branch=branch)
    sync = await service.sync(project["id"])
    assert (sync["status"], sync["added"], sync["synced_files"]) == ("success", files, files)
    asked = service.github.requests.points
    assert asked <= 4 + more + math.ceil(files / 50) - (branch is not None)
    assert sync["github"]["points_used"] == asked == sync["github"]["requests"]
    assert blobs_asked_for(list(service.github.requests)) == files


@pytest.mark.parametrize("files", [1, 120])
@pytest.mark.parametrize("token", [None, "reader"])
@pytest.mark.parametrize(("branch", "requests"), [(None, 3), ("main", 2)])
async def test_a_first_sync_costs_three_requests_whatever_it_holds(
    shared: Service, files: int, branch: str | None, requests: int, token: str | None
) -> None:
    contents = {f"config/{n}.yaml": b"n: %d\n" % n for n in range(files - 1)} | {"job/j.yaml": JOB}
    shared.repository("acme/b", contents, private_to=token and [token])
    project = await shared.project("acme/b", branch=branch, github_token=token)
    sync = await shared.sync(project["id"])
    assert (sync["status"], sync["added"]) == ("success", files)
    assert shared.github.requests.points == sync["github"]["requests"] == requests
    # Its download is no request of the API's.
    assert shared.github.requests.count("/codeload/") == 1
    assert len(shared.github.requests) == requests + 1


async def test_an_unchanged_sync_is_one_request_answered_304_and_free(shared: Service) -> None:
    shared.repository("acme/b", {"config/a.yaml": CONFIG}, private_to=["reader"])
    project = await shared.synced("acme/b", github_token="reader")
    shared.github.requests.reset()
    sync = await shared.sync(project["id"])
    assert sync["status"] == "unchanged"
    assert [(r.status, r.cost) for r in shared.github.requests] == [(304, 0)]
    assert (sync["github"]["requests"], sync["github"]["points_used"]) == (1, 0)


@pytest.mark.parametrize("route", ROUTES, ids=str)
@pytest.mark.parametrize("branch", [None, "main"])
async def test_a_commit_which_touches_neither_folder_costs_at_most_two_more_requests(
    shared: Service, route: Route, branch: str | None
) -> None:
    fields = route.open(shared)
    repository = shared.repository(
        "acme/b", {"config/a.yaml": CONFIG, "README.md": b"1"}, private_to=route.readers
    )
    project = await shared.synced("acme/b", branch=branch, **fields)
    head = repository.commit({"README.md": b"2"}, message="elsewhere")
    forget_listings(shared)
    shared.github.requests.reset()
    sync = await shared.sync(project["id"])
    assert (sync["status"], sync["commit_sha"], sync["unchanged"]) == ("unchanged", head, 1)
    # An API may be asked in vain whether it has GraphQL.
    assert len(shared.github.requests) in (
        {2, 3} if route.token is not None and not route.graphql else {2}
    )


@pytest.mark.parametrize("route", ["with a token, without archives", "one request a blob"])
async def test_two_projects_of_one_repository_share_contents_but_strangers_do_not(
    shared: Service, route: str
) -> None:
    files = {"config/a.yaml": CONFIG}
    fields = BY_NAME[route].open(shared)
    shared.repository("acme/one", files, private_to=["reader"])
    shared.repository("acme/two", files, private_to=["reader"])
    await shared.synced("acme/one", name="first", **fields)
    shared.github.requests.reset()
    await shared.synced("acme/one", name="second", **fields)
    assert blobs_asked_for(list(shared.github.requests)) == 0
    await shared.synced("acme/two", name="stranger", **fields)
    assert blobs_asked_for(list(shared.github.requests)) == 1


@pytest.mark.parametrize(
    ("route", "count", "failing", "most"),
    [
        # Of the three queries the first is answered, of the raw requests three quarters.
        ("with a token, without archives", 120, 2, 80),
        ("one request a blob", 60, 46, 25),
    ],
)
async def test_what_arrived_before_a_failure_is_not_fetched_again(
    shared: Service, route: str, count: int, failing: int, most: int
) -> None:
    fields = BY_NAME[route].open(shared)
    shared.repository(
        "acme/b", {f"config/{n}.yaml": b"n: %d\n" % n for n in range(count)}, private_to=["reader"]
    )
    project = await shared.project("acme/b", **fields)

    def is_contents(request: RecordedRequest) -> bool:
        return blobs_asked_for([request]) > 0

    fault = shared.github.faults.add(Status(500), where=is_contents, nth=failing, times=None)
    await shared.sync(project["id"], status=502)
    assert await shared.files(project["id"]) == {}
    shared.github.faults.remove(fault)
    shared.github.requests.reset()
    assert (await shared.sync(project["id"]))["added"] == count
    assert blobs_asked_for(list(shared.github.requests)) <= most
