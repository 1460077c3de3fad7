"""What requests to GitHub cost, and which of them are tried again."""

import time
from collections.abc import Awaitable, Callable
from typing import Any

import pytest

from benchmark_manager.domain.git.objects import blob_id
from benchmark_manager.errors import (
    GitHubUnavailableError,
)
from benchmark_manager.github.protocol.answers import RepositoryInfo
from benchmark_manager.github.reading.client import RepositoryClient
from benchmark_manager.github.reading.ref_checks import CheckTiming, RefChecker
from benchmark_manager.github.sending.requests import FIRST_PAUSE
from benchmark_manager.messages import detail
from benchmark_manager.models.commit import Commit, CommitAnswer
from benchmark_manager.models.project import Ref
from github_test_server import (
    CutBody,
    EmptyBody,
    FlippedByte,
    GitHubTestServer,
    HtmlPage,
    Repository,
    ResetBefore,
    ResetMidBody,
    Stall,
    Status,
)
from support.hub import Hub
from support.small_repository import BLOB, CONTENT, TOKEN, refused

MAIN = Ref.of_branch("main")

Question = Callable[[RepositoryClient], Awaitable[Any]]


# What it costs


async def test_an_unchanged_head_is_one_request_answered_304_and_free(
    hub: Hub, commit: str
) -> None:
    hub.server.hosting.add_token(TOKEN)
    client = hub.repository(TOKEN)
    assert await client.head(None, commit) is None
    assert [(r.path, r.status, r.cost) for r in hub.server.requests] == [
        ("/repos/octo/demo/commits/HEAD", 304, 0)
    ]
    assert (client.usage.requests, client.usage.points_used, client.usage.rate_limit_remaining) == (
        1,
        0,
        5000,
    )


async def test_without_a_token_even_a_304_costs_a_point(hub: Hub, commit: str) -> None:
    client = hub.repository()
    assert await client.head(None, commit) is None
    assert (client.usage.requests, client.usage.points_used, hub.server.requests.points) == (
        1,
        1,
        1,
    )


@pytest.mark.parametrize("known", [None, "b" * 40])
async def test_a_moved_head_is_one_request(hub: Hub, commit: str, known: str | None) -> None:
    assert await hub.repository().head(MAIN, known) == commit
    assert len(hub.server.requests) == 1


async def test_a_branch_with_slashes_and_odd_characters_is_found(
    hub: Hub, repository: Repository, commit: str
) -> None:
    moved = repository.commit({"x": b"1"}, branch="feature/ä+b#1%", parent=commit)
    assert await hub.repository().head(Ref.of_branch("feature/ä+b#1%"), commit) == moved


async def test_a_200_with_the_known_commit_is_no_change(hub: Hub, commit: str) -> None:
    hub.server.faults.add(Status(200, commit))
    assert await hub.repository().head(None, commit) is None


async def test_commit_tree_blob_and_info_are_what_git_has(hub: Hub, commit: str, tree: str) -> None:
    client = hub.repository()
    received = await client.commit(commit)
    assert (received.sha, received.tree_sha) == (commit, tree)
    listing = await client.tree(tree, recursive=True)
    assert {e.path for e in listing.tree} == {"config", "config/a.yaml", "job", "job/b.yaml"}
    assert {e.path for e in (await client.tree(tree, recursive=False)).tree} == {"config", "job"}
    assert await client.blob(BLOB, len(CONTENT)) == CONTENT
    assert await client.info() == RepositoryInfo(full_name="octo/demo", default_branch="main")
    assert client.usage.requests == client.usage.points_used == len(hub.server.requests) == 5


async def test_an_empty_blob_is_a_blob(hub: Hub, repository: Repository) -> None:
    repository.commit({"config/empty.yaml": b""})
    assert await hub.repository().blob(blob_id(b""), 0) == b""


# What is tried again

#: Seconds after which an answer that stalls is given up here.
SOON = 1.0
TRANSIENT = [
    *(ResetBefore(), ResetMidBody(), CutBody(), HtmlPage(), HtmlPage(503), EmptyBody(), Stall(5)),
    *(Status(status) for status in (500, 502, 503, 504)),
]
NAMES = [
    *("reset before", "reset in mid body", "cut", "html", "html 503", "empty", "stall"),
    "500",
    "502",
    "503",
    "504",
]
QUESTIONS: dict[str, Question] = {
    "head": lambda client: client.head(None, "0" * 40),
    "info": lambda client: client.info(),
    "blob": lambda client: client.blob(BLOB, len(CONTENT)),
}


@pytest.mark.usefixtures("commit")
@pytest.mark.parametrize("question", QUESTIONS)
@pytest.mark.parametrize("fault", TRANSIENT, ids=NAMES)
async def test_what_passes_by_itself_is_tried_four_times_in_all(
    hub: Hub, fault: Any, question: str
) -> None:
    if isinstance(fault, Stall):
        hub.connection.request_seconds = SOON
    hub.server.faults.add(fault, times=3)
    client = hub.repository()
    assert await QUESTIONS[question](client) is not None
    assert client.usage.requests == len(hub.server.requests) == 4
    assert hub.pauses == [FIRST_PAUSE, FIRST_PAUSE * 2, FIRST_PAUSE * 4]


@pytest.mark.usefixtures("commit")
async def test_a_pause_is_any_part_of_its_bound_so_that_clients_do_not_come_back_together(
    hub: Hub,
) -> None:
    parts = iter((0.0, 0.25, 0.75))
    hub.connection.random = lambda: next(parts)
    hub.server.faults.add(ResetBefore(), times=3)
    await hub.repository().head(None, None)
    assert hub.pauses == [0.0, FIRST_PAUSE * 2 * 0.25, FIRST_PAUSE * 4 * 0.75]


@pytest.mark.usefixtures("commit")
@pytest.mark.parametrize("fault", TRANSIENT, ids=NAMES)
async def test_what_does_not_pass_is_github_unavailable(hub: Hub, fault: Any) -> None:
    if isinstance(fault, Stall):
        hub.connection.request_seconds = SOON
    hub.server.faults.add(fault, times=None)
    error = await refused(hub.repository().head(None, None))
    assert isinstance(error, GitHubUnavailableError)
    assert (error.code, len(hub.server.requests)) == ("github_unavailable", 4)
    assert "4 times" in detail(error)
    assert "\n" not in detail(error)


@pytest.mark.usefixtures("commit")
async def test_a_failure_with_a_late_retry_after_is_not_tried_again_before(hub: Hub) -> None:
    hub.server.faults.add(Status(503, headers={"Retry-After": "120"}), times=None)
    error = await refused(hub.repository().head(None, None))
    assert (error.code, len(hub.server.requests)) == ("github_unavailable", 1)
    assert error.retry_at is not None
    assert 110 < (error.retry_at - hub.clock()).total_seconds() <= 120
    hub.server.faults.clear()
    hub.server.faults.add(Status(503, headers={"Retry-After": "1"}), times=1)
    assert await hub.repository().head(None, None) is not None


async def test_a_closed_port_is_github_unavailable(hub: Hub) -> None:
    with GitHubTestServer() as gone:
        url = gone.url
    error = await refused(hub.repository(api_url=url).head(None, None))
    assert (error.code, len(hub.pauses)) == ("github_unavailable", 3)


async def test_a_body_which_cannot_be_decompressed_is_github_unavailable(
    hub: Hub, commit: str
) -> None:
    hub.server.faults.add(Status(200, commit, {"Content-Encoding": "gzip"}), times=None)
    assert (await refused(hub.repository().head(None, None))).code == "github_unavailable"


@pytest.mark.usefixtures("commit")
@pytest.mark.parametrize("index", [0, 7, -1])
async def test_a_wrong_byte_is_never_returned(hub: Hub, index: int) -> None:
    hub.server.faults.add(FlippedByte(index), path="/git/blobs/", times=3)
    assert await hub.repository().blob(BLOB, len(CONTENT)) == CONTENT
    hub.server.faults.add(FlippedByte(index), path="/git/blobs/", times=None)
    assert (await refused(hub.repository().blob(BLOB, len(CONTENT)))).code == "github_unavailable"


@pytest.mark.usefixtures("commit")
async def test_a_blob_longer_than_the_tree_said_is_not_read_to_its_end(hub: Hub) -> None:
    hub.server.faults.add(Status(200, b"x" * 50_000_000), path="/git/blobs/", times=None)
    error = await refused(hub.repository().blob(BLOB, len(CONTENT)))
    assert error.code == "github_unavailable"
    assert f"longer than {len(CONTENT)} bytes" in detail(error)


async def test_an_answer_about_another_object_is_not_taken(
    hub: Hub, repository: Repository, commit: str
) -> None:
    client = hub.repository()
    other = repository.commit({"config/a.yaml": b"other"})
    received = hub.server.requests
    assert (await client.commit(other)).sha == other
    for path in ("commits", "trees"):
        hub.server.faults.add(
            Status(200, {"sha": "c" * 40, "tree": [], "truncated": False}), path=path, times=None
        )
    assert (await refused(client.commit(commit))).code == "github_unavailable"
    assert (await refused(client.tree("d" * 40, recursive=True))).code == "github_unavailable"
    assert len(received) == 9


@pytest.mark.parametrize("linger", [None, 0.0])
async def test_an_answer_about_another_commit_is_refused(
    hub: Hub, commit: str, linger: float | None
) -> None:
    hub.server.hosting.add_token(TOKEN)
    other = {
        "nameWithOwner": "octo/demo",
        "defaultBranchRef": None,
        "head": {
            "oid": "c" * 40,
            "committedDate": "2026-05-01T12:00:00Z",
            "tree": {"oid": "d" * 40},
        },
    }
    answer = Status(200, {"data": {"r0": other}})
    hub.server.faults.add(
        answer, path="graphql$", where=lambda request: commit.encode() in request.body, times=None
    )
    timing = CheckTiming(time.monotonic(), linger)
    head = await RefChecker(hub.connection).check(
        hub.repository(TOKEN), MAIN, ("",), "e" * 40, timing
    )
    assert head == CommitAnswer(Commit(commit))


@pytest.mark.usefixtures("commit")
@pytest.mark.parametrize("question", ["commit", "tree", "blob"])
async def test_an_object_which_a_replica_of_githubs_lacks_yet_is_asked_for_again(
    hub: Hub, commit: str, tree: str, question: str
) -> None:
    client = hub.repository()
    asking: dict[str, Question] = {
        "commit": lambda client: client.commit(commit),
        "tree": lambda client: client.tree(tree, recursive=True),
        "blob": lambda client: client.blob(BLOB, len(CONTENT)),
    }
    hub.server.faults.add(Status(404), path="/git/", times=2)
    await asking[question](client)
    assert len(hub.server.requests) == 3
    hub.server.faults.add(Status(404), path="/git/", times=None)
    assert (await refused(asking[question](client))).code == "github_unavailable"
