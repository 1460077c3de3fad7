"""The check: alone and conditional, or fifty repositories in one query."""

import asyncio
import time
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path

import pytest

from benchmark_manager.errors import GitHubActionError, GitHubError
from benchmark_manager.github.reading.client import RepositoryClient
from benchmark_manager.github.reading.ref_checks import CheckTiming, RefChecker
from benchmark_manager.models.commit import Commit, CommitAnswer
from benchmark_manager.models.project import Ref
from github_test_server import Delay, GraphQLError, RecordedRequest, Repository, ResetBefore, Status
from support.hub import Hub

MAIN = Ref.of_branch("main")

TOKEN = "ghp_test"
FOLDERS = ("config", "job")


@pytest.fixture
def commit(repository: Repository) -> str:
    return repository.commit(
        {"config/a.yaml": b"a: 1\n", "job/j.yaml": b"kind: Job\n", "other/x": b"x"}
    )


@pytest.fixture
def checker(hub: Hub) -> RefChecker:
    hub.server.hosting.add_token(TOKEN)
    return RefChecker(hub.connection)


def hosted(hub: Hub, repository: Repository, count: int) -> list[RepositoryClient]:
    """As many repositories on GitHub, all with the same history."""
    for number in range(count):
        hub.server.add(f"octo/r{number}", repository)
    return [hub.repository(TOKEN, name=f"r{number}") for number in range(count)]


def timing(linger: float | None = None) -> CheckTiming:
    return CheckTiming(time.monotonic(), linger)


async def checked(
    checker: RefChecker,
    clients: Iterable[RepositoryClient],
    linger: float = 0.3,
    known: str | None = None,
) -> list[CommitAnswer | BaseException]:
    """All at once."""
    return await asyncio.gather(
        *(checker.check(client, None, FOLDERS, known, timing(linger)) for client in clients),
        return_exceptions=True,
    )


def tree(repository: Repository, commit: str, folder: str) -> str:
    found = repository.resolve(f"{commit}:{folder}")
    assert found is not None
    return found.sha


def heads(found: Sequence[CommitAnswer | BaseException]) -> list[str]:
    return [head.commit.sha if isinstance(head, CommitAnswer) else repr(head) for head in found]


def trees_of(answer: CommitAnswer) -> Mapping[str, str | None]:
    assert answer.commit.folder_trees is not None
    return answer.commit.folder_trees


# Alone


async def test_alone_a_check_is_one_conditional_request_which_costs_nothing_while_nothing_moved(
    hub: Hub, checker: RefChecker, repository: Repository, commit: str
) -> None:
    client = hub.repository(TOKEN)
    assert await checker.check(client, None, FOLDERS, commit, timing()) == CommitAnswer(
        Commit(commit)
    )
    moved = repository.commit({"config/a.yaml": b"a: 2\n"})
    assert (await checker.check(client, MAIN, FOLDERS, commit, timing())).commit.sha == moved
    assert [(r.status, r.cost, r.resource) for r in hub.server.requests][:2] == [
        (304, 0, "core"),
        (200, 1, "core"),
    ]


async def test_a_ref_that_moved_is_answered_with_its_folders_for_one_request_more(
    hub: Hub, checker: RefChecker, repository: Repository, commit: str
) -> None:
    client = hub.repository(TOKEN)
    moved = repository.commit({"config/a.yaml": b"a: 2\n", "other/x": b"x"})
    head = await checker.check(client, MAIN, FOLDERS, commit, timing())
    assert len(hub.server.requests) == 2
    assert head == await client.commit_with_folders(moved, FOLDERS)


@pytest.mark.parametrize("annotated", [False, True])
async def test_a_tag_is_never_taken_for_the_branch_of_its_name(
    hub: Hub, checker: RefChecker, repository: Repository, commit: str, *, annotated: bool
) -> None:
    tagged = repository.commit({"config/of-the-tag.yaml": b"t: 1\n"}, branch="other")
    repository.tag("main", tagged, message="t" if annotated else None)
    client = hub.repository(TOKEN)
    answer = await client.commit_with_folders(commit, FOLDERS)
    assert await checker.check(client, MAIN, FOLDERS, None, timing()) == answer
    # GitHub's REST may prefer the tag.
    assert await client.commit_with_folders(tagged, FOLDERS, MAIN) == answer
    # As long as the branch stays where it was, nothing moved.
    assert (await checker.check(client, MAIN, FOLDERS, commit, timing())).commit.sha == commit
    repository.delete_branch("main")
    with pytest.raises(GitHubActionError) as raised:
        await checker.check(client, MAIN, FOLDERS, commit, timing())
    assert raised.value.code == "branch_not_found"


async def test_checks_of_one_branch_at_once_are_one_request_but_those_of_others_are_not(
    hub: Hub, checker: RefChecker, commit: str
) -> None:
    shared = timing()
    hub.server.hosting.add_token("ghp_other")
    same = [
        checker.check(hub.repository(TOKEN), None, folders, commit, shared)
        for folders in (FOLDERS, ("x",))
    ]
    others = [
        checker.check(hub.repository(TOKEN), MAIN, FOLDERS, commit, shared),
        checker.check(hub.repository(TOKEN), None, FOLDERS, "0" * 40, shared),
        checker.check(hub.repository("ghp_other"), None, FOLDERS, commit, shared),
    ]
    assert [head.commit.sha for head in await asyncio.gather(*same, *others)] == [commit] * 5
    assert hub.server.requests.count("/commits/") == 4


async def test_a_check_from_before_the_question_is_not_taken_for_an_answer(
    hub: Hub, checker: RefChecker, repository: Repository, commit: str
) -> None:
    client = hub.repository(TOKEN)
    assert (await checker.check(client, None, FOLDERS, commit, timing())).commit.sha == commit
    moved = repository.commit({"config/a.yaml": b"a: 2\n"})
    assert (await checker.check(client, None, FOLDERS, commit, timing())).commit.sha == moved


# In batches


@pytest.mark.parametrize(("count", "queries"), [(1, 1), (50, 1), (51, 2), (101, 3)])
async def test_fifty_repositories_are_one_query_and_one_point(
    hub: Hub, checker: RefChecker, repository: Repository, commit: str, count: int, queries: int
) -> None:
    found = await checked(checker, hosted(hub, repository, count), known=commit)
    assert heads(found) == [commit] * count
    assert len(hub.server.requests) == hub.server.requests.points == queries
    assert all(r.resource == "graphql" for r in hub.server.requests)


async def test_a_full_batch_does_not_wait_and_another_waits_for_its_shortest_linger(
    hub: Hub, checker: RefChecker, repository: Repository, commit: str
) -> None:
    clients = hosted(hub, repository, 51)
    # Nobody would wait for a minute.
    assert heads(await checked(checker, clients[:50], linger=60, known=commit)) == [commit] * 50
    lingering = asyncio.create_task(checker.check(clients[0], None, FOLDERS, commit, timing(60)))
    await asyncio.sleep(0.05)
    assert not lingering.done()
    assert (
        await checker.check(clients[1], None, FOLDERS, commit, timing(0.01))
    ).commit.sha == commit
    assert (await lingering).commit.sha == commit
    assert len(hub.server.requests) == 2


async def test_refs_that_moved_share_one_more_query_for_their_folders(
    hub: Hub, checker: RefChecker, repository: Repository, commit: str
) -> None:
    clients = hosted(hub, repository, 10)
    trees = {folder: tree(repository, commit, folder) for folder in FOLDERS}
    found = await checked(checker, clients, known="0" * 40)
    assert len(hub.server.requests) == hub.server.requests.points == 2
    answers = [answer for answer in found if isinstance(answer, CommitAnswer)]
    assert [(answer.commit.sha, answer.commit.folder_trees) for answer in answers] == [
        (commit, trees)
    ] * 10
    assert [answer.repository and answer.repository.full_name for answer in answers] == [
        f"octo/{client.repository.name}" for client in clients
    ]


async def test_the_trees_of_a_batch_are_those_of_its_commit_whatever_is_pushed_meanwhile(
    hub: Hub, checker: RefChecker, repository: Repository, commit: str
) -> None:
    queries: list[RecordedRequest] = []

    def push(request: RecordedRequest) -> bool:
        queries.append(request)
        if len(queries) > 1:
            repository.commit(
                {"config/a.yaml": b"a: 2\n", "job/j.yaml": b"kind: Job\n", "other/x": b"x"}
            )
        return False

    hub.server.faults.add(Delay(0), path="graphql$", where=push)
    head = await checker.check(hub.repository(TOKEN), MAIN, FOLDERS, "0" * 40, timing(0))
    assert head.commit.sha == commit
    assert trees_of(head)["config"] == tree(repository, commit, "config")


async def test_checks_of_other_folders_share_an_alias_and_get_only_their_own_folders(
    hub: Hub, checker: RefChecker, commit: str
) -> None:
    client = hub.repository(TOKEN)
    wanted: list[tuple[str, ...]] = [FOLDERS, ("config", "nope"), ("other", ""), FOLDERS]
    found = await asyncio.gather(
        *(checker.check(client, None, folders, None, timing(0.1)) for folders in wanted)
    )
    assert [request.body.count(b"repository(") for request in hub.server.requests] == [1, 1]
    assert heads(found) == [commit] * 4
    assert [tuple(trees_of(head)) for head in found] == list(wanted)
    assert found[0] == found[3]
    assert trees_of(found[1])["nope"] is None


async def test_one_missing_repository_does_not_fail_its_neighbours_and_gets_rests_error(
    hub: Hub, checker: RefChecker, repository: Repository, commit: str
) -> None:
    clients = [
        *hosted(hub, repository, 48),
        hub.repository(TOKEN, name="missing"),
        hub.repository(TOKEN, name="empty"),
    ]
    empty = Repository.init(Path(repository.path).parent / "empty.git")
    hub.server.add("octo/empty", empty)
    found = await checked(checker, clients, known=commit)
    assert heads(found[:48]) == [commit] * 48
    assert [getattr(error, "code", None) for error in found[48:]] == [
        "repository_not_found",
        "repository_empty",
    ]
    assert hub.server.requests.count("graphql$") == 1
    assert hub.server.requests.count("/repos/") == 2
    empty.close()


@pytest.mark.parametrize("alias", ["r3", "r3.head", "r3.defaultBranchRef"])
async def test_an_error_of_one_alias_asks_rest_for_that_one_alone(
    hub: Hub, checker: RefChecker, repository: Repository, commit: str, alias: str
) -> None:
    hub.server.faults.add(GraphQLError(alias), path="graphql$", times=None)
    found = await checked(checker, hosted(hub, repository, 6), known=commit)
    assert heads(found) == [commit] * 6
    assert [r.path for r in hub.server.requests.select("/repos/")] == [
        "/repos/octo/r3/commits/HEAD"
    ]


@pytest.mark.parametrize("alias", ["r0", "r0.head", "r0.f0"])
async def test_a_folder_that_could_not_be_read_is_not_taken_for_removed(
    hub: Hub, checker: RefChecker, commit: str, alias: str
) -> None:
    hub.server.faults.add(
        GraphQLError(alias), path="graphql$", where=lambda r: b":config" in r.body, times=None
    )
    head = await checker.check(hub.repository(TOKEN), None, FOLDERS, "0" * 40, timing(0))
    assert head == CommitAnswer(Commit(commit))


async def test_a_query_that_is_too_much_is_halved_down_to_the_repository_which_is_why(
    hub: Hub, checker: RefChecker, repository: Repository, commit: str
) -> None:
    hub.server.faults.add(
        Status(502), path="graphql$", where=lambda r: b'"r13"' in r.body, times=None
    )
    assert heads(await checked(checker, hosted(hub, repository, 50), known=commit)) == [commit] * 50
    assert [r.path for r in hub.server.requests.select("/repos/")] == [
        "/repos/octo/r13/commits/HEAD"
    ]
    assert hub.server.requests.count("graphql$") <= 13


async def test_where_no_query_is_answered_their_number_is_bounded_and_rest_is_not_used(
    hub: Hub, checker: RefChecker, repository: Repository
) -> None:
    clients = hosted(hub, repository, 50)
    hub.server.faults.add(ResetBefore(), times=None)
    found = await checked(checker, clients)
    assert {getattr(error, "code", None) for error in found} == {"github_unavailable"}
    assert len(hub.server.requests) == 8


async def test_where_graphql_alone_fails_the_next_checks_go_on_by_rest(
    hub: Hub, checker: RefChecker, repository: Repository, commit: str
) -> None:
    clients = hosted(hub, repository, 50)
    hub.server.faults.add(Status(502), path="graphql$", times=None)
    await checked(checker, clients, known=commit)
    hub.server.requests.reset()
    assert heads(await checked(checker, clients, known=commit)) == [commit] * 50
    assert [r.status for r in hub.server.requests] == [304] * 50


async def test_where_there_is_no_graphql_each_is_asked_for_alone_from_then_on(
    hub: Hub, checker: RefChecker, repository: Repository, commit: str
) -> None:
    clients = hosted(hub, repository, 3)
    hub.server.graphql = False
    found = [await checked(checker, clients, linger=0.05, known=commit) for _ in range(2)]
    assert [heads(answers) for answers in found] == [[commit] * 3] * 2
    assert hub.server.requests.count("graphql$") == 1
    assert hub.server.requests.count("/commits/HEAD") == 6


async def test_without_a_token_there_are_no_batches(
    hub: Hub, checker: RefChecker, commit: str
) -> None:
    head = await checker.check(hub.repository(), None, FOLDERS, commit, timing(60))
    assert head == CommitAnswer(Commit(commit))
    assert hub.server.requests.count("graphql$") == 0


async def test_a_renamed_repository_is_noticed(hub: Hub, checker: RefChecker, commit: str) -> None:
    hub.server.rename("octo/demo", "octo/renamed")
    head = await checker.check(hub.repository(TOKEN), None, FOLDERS, commit, timing(0))
    assert head.repository is not None
    assert (head.commit.sha, head.repository.full_name) == (commit, "octo/renamed")


async def test_a_used_up_limit_fails_all_waiting_checks_and_stops_no_other_credential(
    hub: Hub, checker: RefChecker, repository: Repository, commit: str
) -> None:
    clients = hosted(hub, repository, 3)
    hub.server.hosting.add_token("ghp_other")
    hub.server.limits.set(TOKEN, limit=5000, remaining=0, reset_in=600, resource="graphql")
    twice = [await checked(checker, clients, linger=0.02) for _ in range(2)]
    errors = [error for found in twice for error in found if isinstance(error, GitHubError)]
    assert len(errors) == 6
    assert [error for error in errors if error.retry_at is None] == []
    assert len(hub.server.requests) == 1
    other = hub.repository("ghp_other", name="r0")
    assert (await checker.check(other, None, FOLDERS, commit, timing(0))).commit.sha == commit


async def test_a_cancelled_check_does_not_cancel_the_answer_of_others(
    hub: Hub, checker: RefChecker, repository: Repository, commit: str
) -> None:
    clients = hosted(hub, repository, 2)
    first = asyncio.create_task(checker.check(clients[0], None, FOLDERS, commit, timing(0.1)))
    second = asyncio.create_task(checker.check(clients[0], None, FOLDERS, commit, timing(0.1)))
    third = asyncio.create_task(checker.check(clients[1], None, FOLDERS, commit, timing(0.1)))
    await asyncio.sleep(0)
    first.cancel()
    assert [(await second).commit.sha, (await third).commit.sha] == [commit] * 2


async def test_other_credentials_have_batches_of_their_own(
    hub: Hub, checker: RefChecker, commit: str
) -> None:
    hub.server.hosting.add_token("ghp_other")
    hub.server.hosting.make_private("octo/demo", [TOKEN])
    mine = checker.check(hub.repository(TOKEN), None, FOLDERS, commit, timing(0.05))
    theirs = checker.check(hub.repository("ghp_other"), None, FOLDERS, commit, timing(0.05))
    found = await asyncio.gather(mine, theirs, return_exceptions=True)
    assert isinstance(found[0], CommitAnswer)
    assert getattr(found[1], "code", None) == "repository_not_found"
    accounts = {request.account for request in hub.server.requests.select("graphql$")}
    assert len(accounts) == hub.server.requests.count("graphql$") == 2


async def test_two_repositories_which_no_query_survives_do_not_fail_the_others(
    hub: Hub, checker: RefChecker, repository: Repository, commit: str
) -> None:
    clients = hosted(hub, repository, 40)
    bad = {b'"r3"', b'"r37"'}
    hub.server.faults.add(
        Status(502),
        path="graphql$",
        times=None,
        where=lambda request: any(name in request.body for name in bad),
    )
    assert heads(await checked(checker, clients, known=commit)) == [commit] * 40
    assert hub.server.requests.count("/commits/") == 2


async def test_a_status_that_may_pass_does_not_end_batches_for_an_hour(
    hub: Hub, checker: RefChecker, repository: Repository, commit: str
) -> None:
    clients = hosted(hub, repository, 3)
    hub.server.faults.add(Status(408), path="graphql$")
    assert heads(await checked(checker, clients, known=commit)) == [commit] * 3
    hub.server.requests.reset()
    assert heads(await checked(checker, clients, known=commit)) == [commit] * 3
    assert hub.server.requests.count("graphql$") == len(hub.server.requests) == 1


@pytest.mark.parametrize("message", [None, "annotated"])
async def test_a_batch_finds_the_commit_of_a_tag(
    hub: Hub, checker: RefChecker, repository: Repository, commit: str, message: str | None
) -> None:
    repository.tag("v1", commit, message=message)
    moved = repository.commit({"config/a.yaml": b"a: 2\n"})
    tag = Ref(kind="tag", name="v1")
    assert (
        await checker.check(hub.repository(TOKEN), tag, FOLDERS, commit, timing(0))
    ).commit.sha == commit
    repository.tag("v1", moved, message=message)
    head = await checker.check(hub.repository(TOKEN), tag, FOLDERS, commit, timing(0))
    assert (head.commit.sha, head.repository is not None) == (moved, True)
    assert {request.resource for request in hub.server.requests} == {"graphql"}
