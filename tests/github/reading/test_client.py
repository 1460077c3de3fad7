"""Asking our GitHub: what it costs, what is tried again, and what every refusal means."""

import asyncio
import contextlib
import time
from collections.abc import AsyncIterator, Awaitable, Callable
from pathlib import Path
from typing import Any

import pytest

from benchmark_manager.domain.git.objects import blob_id
from benchmark_manager.errors import (
    GitHubActionError,
    GitHubError,
    GitHubRateLimitedError,
    GitHubUnavailableError,
)
from benchmark_manager.github.protocol.answers import RepositoryInfo
from benchmark_manager.github.reading.client import RepositoryClient
from benchmark_manager.github.reading.contents import MemoryBudget, fetch_blobs
from benchmark_manager.github.reading.ref_checks import CheckTiming, RefChecker
from benchmark_manager.github.sending.governor import CONCURRENCY
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
    Redirect,
    Repository,
    ResetBefore,
    ResetMidBody,
    Stall,
    Status,
)
from support.hub import Hub
from support.waiting import eventually

MAIN = Ref.of_branch("main")

CONTENT = b"model: llama\nbatch: 8\n"
BLOB = blob_id(CONTENT)
TOKEN = "ghp_test"

Question = Callable[[RepositoryClient], Awaitable[Any]]


@pytest.fixture
def commit(repository: Repository) -> str:
    return repository.commit({"config/a.yaml": CONTENT, "job/b.yaml": b"kind: Job\n"})


@pytest.fixture
def tree(repository: Repository, commit: str) -> str:
    found = repository.find_tree(commit)
    assert found is not None
    return found


async def refused(asking: Awaitable[Any]) -> GitHubError:
    with pytest.raises(GitHubError) as error:
        await asking
    return error.value


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


# What a refusal means


@pytest.mark.usefixtures("commit")
@pytest.mark.parametrize(
    ("status", "code"),
    [
        *((401, "github_unauthorized"), (403, "github_forbidden"), (451, "github_forbidden")),
        *((404, "repository_not_found"), (409, "repository_empty"), (422, "branch_not_found")),
    ],
)
@pytest.mark.parametrize("branch", [None, "main"])
async def test_refusals_are_reported_at_once_by_their_code(
    hub: Hub, status: int, code: str, branch: str | None
) -> None:
    hub.server.faults.add(Status(status), times=None)
    if branch is not None and status == 422:
        hub.server.faults.clear()
        hub.server.faults.add(Status(status), path="/commits/", times=None)
    error = await refused(
        hub.repository().head(None if branch is None else Ref.of_branch(branch), None)
    )
    assert isinstance(error, GitHubActionError)
    assert error.code == code
    assert hub.pauses == []


async def test_an_empty_repository_says_so(hub: Hub, repository: Repository) -> None:
    assert repository.is_empty()
    assert (await refused(hub.repository().head(None, None))).code == "repository_empty"
    assert (await refused(hub.repository().head(MAIN, None))).code == "repository_empty"


@pytest.mark.usefixtures("commit")
async def test_a_missing_branch_is_not_a_missing_repository(hub: Hub) -> None:
    assert (
        await refused(hub.repository().head(Ref.of_branch("nope"), None))
    ).code == "branch_not_found"
    assert (
        await refused(hub.repository(name="nope").head(MAIN, None))
    ).code == "repository_not_found"
    assert (
        await refused(hub.repository(name="nope").head(None, None))
    ).code == "repository_not_found"


@pytest.mark.usefixtures("commit")
async def test_a_private_repository_is_not_found_without_its_token(hub: Hub) -> None:
    hub.server.hosting.make_private("octo/demo", [TOKEN])
    hub.server.hosting.add_token("ghp_other")
    assert (await refused(hub.repository().head(None, None))).code == "repository_not_found"
    assert (
        await refused(hub.repository("ghp_other").head(None, None))
    ).code == "repository_not_found"
    assert (
        await refused(hub.repository("ghp_unknown").head(None, None))
    ).code == "github_unauthorized"
    assert await hub.repository(TOKEN).head(None, None) is not None


@pytest.mark.parametrize("status", [301, 401, 403, 404, 418, 429, 500])
@pytest.mark.usefixtures("commit")
async def test_no_error_repeats_the_token(hub: Hub, status: int) -> None:
    hub.server.faults.add(
        Status(status, {"message": "rate limit ghp_secret"}, {"Location": "//x"}), times=None
    )
    error = await refused(hub.repository("ghp_secret").head(MAIN, None))
    assert "ghp_secret" not in f"{error!r} {detail(error)} {error.__cause__!r}"


# Redirects


@pytest.mark.parametrize("known", [True, False])
async def test_a_renamed_repository_is_followed_with_its_token(
    hub: Hub, commit: str, known: bool
) -> None:
    hub.server.hosting.make_private("octo/demo", [TOKEN])
    hub.server.rename("octo/demo", "octo/renamed")
    client = hub.repository(TOKEN)
    assert await client.head(MAIN, commit if known else None) == (None if known else commit)
    assert client.was_renamed
    assert (await client.info()).full_name == "octo/renamed"
    assert await client.blob(BLOB, len(CONTENT)) == CONTENT
    assert [r.status for r in hub.server.requests] == [
        301,
        304 if known else 200,
        301,
        200,
        301,
        200,
    ]
    assert all(r.authorized for r in hub.server.requests)


@pytest.mark.usefixtures("commit")
@pytest.mark.parametrize("status", [301, 302, 307, 308])
async def test_neither_request_nor_token_follow_a_redirect_to_another_host(
    hub: Hub, status: int
) -> None:
    with GitHubTestServer() as other:
        hub.server.hosting.add_token(TOKEN)
        hub.server.faults.add(
            Redirect(f"{other.url}/repos/octo/demo/commits/HEAD", status), times=None
        )
        errors = [await refused(hub.repository(token).head(None, None)) for token in (TOKEN, None)]
        assert [type(error) for error in errors] == [GitHubUnavailableError] * 2
        assert len(other.requests) == 0
    assert (len(hub.server.requests), hub.pauses) == (2, [])


@pytest.mark.usefixtures("commit")
@pytest.mark.parametrize(
    "location", ["/repos/octo/demo/commits/HEAD", "http://[", "/" + "x" * 70_000, ""]
)
async def test_a_redirect_in_a_circle_or_to_nowhere_is_github_unavailable(
    hub: Hub, location: str
) -> None:
    hub.server.faults.add(Redirect(location), times=None)
    assert (await refused(hub.repository().head(None, None))).code == "github_unavailable"
    assert len(hub.server.requests) <= 5


async def test_a_redirect_out_of_the_api_of_an_enterprise_server_is_refused(
    hub: Hub, repository: Repository
) -> None:
    repository.commit({"a": b""})
    with GitHubTestServer(api_path="/api/v3") as enterprise:
        enterprise.add("octo/demo", repository)
        client = hub.repository(api_url=enterprise.url)
        assert await client.head(None, None) is not None
        enterprise.faults.add(Redirect(f"{enterprise.origin}/api/v3/../../login"), times=None)
        assert (await refused(client.head(None, None))).code == "github_unavailable"
        assert enterprise.requests.count("login") == 0


@pytest.mark.usefixtures("commit")
async def test_a_netrc_file_gives_no_credentials(
    hub: Hub, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "netrc").write_text("machine 127.0.0.1 login octocat password hunter2\n")
    (tmp_path / "netrc").chmod(0o600)
    monkeypatch.setenv("NETRC", str(tmp_path / "netrc"))
    await hub.repository().head(None, None)
    assert [r.authorized for r in hub.server.requests] == [False]


# Limits


@pytest.mark.usefixtures("commit")
async def test_a_used_up_limit_is_reported_with_its_end_and_no_more_is_sent(hub: Hub) -> None:
    hub.server.limits.set(None, remaining=0, reset_in=600)
    error = await refused(hub.repository(urgent=True).head(None, None))
    assert isinstance(error, GitHubRateLimitedError)
    reset = hub.server.limits.of(None).reset_at
    assert error.retry_at is not None
    assert abs(error.retry_at.timestamp() - reset) < 2
    assert (
        await refused(hub.repository(urgent=True).head(None, None))
    ).code == "github_rate_limited"
    assert (len(hub.server.requests), hub.pauses) == (1, [])


@pytest.mark.usefixtures("commit")
@pytest.mark.parametrize("status", [403, 429])
@pytest.mark.parametrize("tells_when", [True, False])
async def test_a_secondary_limit_stops_this_credential_and_no_other(
    hub: Hub, status: int, tells_when: bool
) -> None:
    for token in (TOKEN, "ghp_other"):
        hub.server.hosting.add_token(token)
    hub.server.limits.secondary(TOKEN, retry_after=30, status=status, tells_when=tells_when)
    first = await refused(hub.repository(TOKEN).head(None, None))
    second = await refused(hub.repository(TOKEN, urgent=True).head(None, None))
    assert first.code == second.code == "github_rate_limited"
    assert first.retry_at == second.retry_at is not None
    assert len(hub.server.requests) == 1
    assert await hub.repository("ghp_other").head(None, None) is not None
    assert await hub.repository().head(None, None) is not None


@pytest.mark.usefixtures("commit")
async def test_the_last_tenth_is_for_urgent_syncs_only(hub: Hub) -> None:
    hub.server.hosting.add_token(TOKEN)
    hub.server.limits.set(TOKEN, limit=100, remaining=11)
    assert await hub.repository(TOKEN).head(None, None) is not None
    assert (await refused(hub.repository(TOKEN).head(None, None))).code == "github_rate_limited"
    assert len(hub.server.requests) == 1
    assert await hub.repository(TOKEN, urgent=True).head(None, None) is not None


# At once


async def many_blobs(repository: Repository, count: int) -> list[tuple[str, int]]:
    contents = [f"n: {number}\n".encode() for number in range(count)]
    repository.commit({f"config/{number}.yaml": content for number, content in enumerate(contents)})
    return [(blob_id(content), len(content)) for content in contents]


async def under_way(hub: Hub, count: int) -> None:
    """Wait until a server that answers nothing was asked so often."""
    await eventually(lambda: len(hub.server.requests) >= count, "too few requests are sent")


async def test_a_credential_has_at_most_20_requests_under_way(
    own_hub: Hub, repository: Repository
) -> None:
    blobs = await many_blobs(repository, 60)
    own_hub.server.hosting.add_token(TOKEN)
    # Clients of two repositories share their credential's slots.
    clients = [own_hub.repository(TOKEN), own_hub.repository(TOKEN)]
    with own_hub.server.held():
        crowd = [
            asyncio.create_task(clients[n % 2].blob(*wanted)) for n, wanted in enumerate(blobs)
        ]
        await under_way(own_hub, CONCURRENCY)
    await asyncio.gather(*crowd)
    assert own_hub.server.requests.most_at_once == CONCURRENCY == 20


async def test_another_credential_has_slots_of_its_own(
    own_hub: Hub, repository: Repository
) -> None:
    blobs = await many_blobs(repository, 30)
    own_hub.server.hosting.add_token(TOKEN)
    with own_hub.server.held():
        crowd = [asyncio.create_task(own_hub.repository(TOKEN).blob(*wanted)) for wanted in blobs]
        await under_way(own_hub, CONCURRENCY)
        other = asyncio.create_task(own_hub.repository().blob(*blobs[0]))
        await under_way(own_hub, CONCURRENCY + 1)
    assert await other is not None
    await asyncio.gather(*crowd)
    assert own_hub.server.requests.most_at_once == CONCURRENCY + 1


@contextlib.asynccontextmanager
async def forwarder(port: int) -> AsyncIterator[tuple[str, list[int]]]:
    """An address that leads to the port, and a list which grows with each connection."""
    connections: list[int] = []
    pumps: set[asyncio.Task[None]] = set()

    async def pump(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            while data := await reader.read(65536):
                writer.write(data)
        finally:
            writer.close()

    async def accept(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        connections.append(port)
        back_reader, back_writer = await asyncio.open_connection("127.0.0.1", port)
        for pair in ((reader, back_writer), (back_reader, writer)):
            pumps.add(asyncio.create_task(pump(*pair)))

    server = await asyncio.start_server(accept, "127.0.0.1", 0)
    async with server:
        yield f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}", connections
        for task in pumps:
            task.cancel()
        await asyncio.gather(*pumps, return_exceptions=True)


async def test_connections_are_reused(hub: Hub, repository: Repository) -> None:
    blobs = await many_blobs(repository, 100)
    hub.server.hosting.add_token(TOKEN)
    async with forwarder(hub.server.port) as (url, connections):
        client = hub.repository(TOKEN, api_url=url)
        client.requests.connection.learn_no_graphql(client.requests.credential)
        assert (
            sum([len(found) async for found in fetch_blobs(client, blobs, MemoryBudget())]) == 100
        )
        assert await client.head(None, None) is not None
        assert client.usage.requests == 101
        assert 1 <= len(connections) <= 16


async def test_a_secondary_limit_that_graphql_reports_with_status_200_stops_the_credential(
    hub: Hub, repository: Repository
) -> None:
    sha = repository.commit({"config/a.yaml": b"a: 1\n"})
    hub.server.hosting.add_token(TOKEN)
    refusal = {"errors": [{"message": "You have exceeded a secondary rate limit."}]}
    hub.server.faults.add(Status(200, refusal, {"Retry-After": "30"}), path="graphql$")
    with pytest.raises(GitHubRateLimitedError):
        await hub.repository(TOKEN).commit_with_folders(sha, ("config",))
    asked = len(hub.server.requests)
    with pytest.raises(GitHubRateLimitedError):
        await hub.repository(TOKEN, urgent=True).head(None, None)
    assert len(hub.server.requests) == asked == 1


@pytest.mark.parametrize("known", [True, False])
async def test_a_query_which_is_refused_for_the_limit_is_not_asked_again_by_others(
    hub: Hub, *, known: bool
) -> None:
    """Some servers refuse it with status 200, an error and no header."""
    hub.server.hosting.add_token(TOKEN)
    sha = "a" * 40
    if known:
        await hub.repository(TOKEN).commit_with_folders(sha, ())
    refusal = {
        "data": None,
        "errors": [{"type": "RATE_LIMITED", "message": "API rate limit exceeded"}],
    }
    silent = {"x-ratelimit-limit": "", "x-ratelimit-remaining": "", "x-ratelimit-reset": ""}
    hub.server.faults.add(Status(200, refusal, silent), path="graphql$", times=None)
    hub.server.requests.reset()
    for _ in range(2):
        with pytest.raises(GitHubRateLimitedError):
            await hub.repository(TOKEN).commit_with_folders(sha, ())
    assert len(hub.server.requests) == 1
