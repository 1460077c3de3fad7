"""The upstream history of a file: read from GitHub on demand, and cached by commit."""

import asyncio
import base64
import json
from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from urllib.parse import parse_qs

import pytest

from benchmark_manager.factory import Externals, utc_now
from benchmark_manager.models.file_history import FileCommit, HistoryKey, HistoryPage
from benchmark_manager.stores.originals.file_histories import FileHistoryStore
from github_test_server import GitHubTestServer, HtmlPage, RecordedRequest, Repository, Status
from support.problems import ObservedAnswers, assert_problem, fields_at_fault
from support.service import Json, Service, running_service

NAME = "acme/bench"
PATH = "config/a.yaml"
BEGIN = datetime(2026, 1, 1, tzinfo=UTC)


async def _no_sleep(_: float) -> None:
    await asyncio.sleep(0)


@pytest.fixture
async def hasty(
    database_url: str, github: GitHubTestServer, tmp_path: Path
) -> AsyncIterator[Service]:
    """The service, without pauses between its tries of GitHub."""
    externals = Externals(sleep=_no_sleep)
    async with running_service(database_url, github, tmp_path, externals=externals) as running:
        observed = ObservedAnswers()
        running.http.event_hooks = {"request": [], "response": [observed.note]}
        yield running
        assert observed.undocumented == []


def commit(repository: Repository, *numbers: int, path: str = PATH) -> list[str]:
    """Commits which touch the file, an hour apart; their ids."""
    return [
        repository.commit(
            {path: f"n: {n}\n".encode()},
            message=f"Step {n}\n\nBecause of größe {n}.",
            date=BEGIN + timedelta(hours=n),
            author=(f"Ada {n}", "ada@example.com"),
        )
        for n in numbers
    ]


async def begun(service: Service, commits: int = 3) -> tuple[Repository, Json, str, list[str]]:
    """A synced project, the address of a file's history, and the commits' ids, oldest first."""
    repository = service.repository(NAME)
    ids = commit(repository, *range(commits))
    repository.commit({"config/other.yaml": b"other: 1\n"}, message="elsewhere")
    project = await service.synced(NAME)
    return repository, project, await address(service, project), ids


async def address(service: Service, project: Json, path: str = PATH) -> str:
    file = (await service.files(project["id"], include_removed=True))[path]
    return f"/projects/{project['id']}/files/{file['id']}/history"


def requests_for_history(service: Service) -> list[RecordedRequest]:
    """The requests that were sent to GitHub for histories."""
    return [
        request
        for request in service.github.requests.select(r"/commits$")
        if "path=" in request.query
    ]


async def test_the_commits_which_touched_the_file_come_newest_first(service: Service) -> None:
    _, _, path, ids = await begun(service)
    rows = await service.rows(path)
    assert [row["sha"] for row in rows] == ids[::-1]
    assert rows[0] == {
        "sha": ids[2],
        "author": "Ada 2",
        "date": "2026-01-01T02:00:00Z",
        "message": "Step 2\n\nBecause of größe 2.",
        "link": f"{service.github.url}/{NAME}/commit/{ids[2]}",
    }


async def test_github_is_read_once_and_only_on_request(service: Service) -> None:
    repository, project, path, _ = await begun(service)
    assert requests_for_history(service) == []
    first = await service.rows(path)
    assert await service.rows(path) == first
    assert (await service.http.get(path, params={"limit": 1})).json() == first[:1]
    [request] = requests_for_history(service)
    head = repository.find_commit("HEAD")
    assert head is not None
    assert parse_qs(request.query) == {
        "path": [PATH],
        "sha": [head.sha],
        "per_page": ["100"],
        "page": ["1"],
    }
    await service.sync(project["id"])
    assert await service.rows(path) == first
    assert len(requests_for_history(service)) == 1, "the same commit has the same history"


async def test_after_a_sync_which_brought_another_commit_it_is_asked_anew(service: Service) -> None:
    repository, project, path, ids = await begun(service)
    await service.rows(path)
    new = commit(repository, 7)
    assert [row["sha"] for row in await service.rows(path)] == ids[::-1], (
        "as of the commit that is held"
    )
    await service.sync(project["id"])
    assert [row["sha"] for row in await service.rows(path)] == [*new, *ids[::-1]]
    assert len(requests_for_history(service)) == 2


async def test_a_long_history_is_paged_and_each_page_asked_once(service: Service) -> None:
    _, _, path, ids = await begun(service, 230)
    for limit, pages in ((100, 3), (1000, 3), (40, 7), (99, 5)):
        found: list[str] = []
        url, count = f"{path}?limit={limit}", 0
        while url:
            answer = await service.http.get(url)
            assert answer.status_code == 200, answer.text
            assert 0 < len(answer.json()) <= min(limit, 100)
            assert "x-total-count" not in answer.headers, "GitHub does not report it"
            found += [row["sha"] for row in answer.json()]
            url, count = answer.links.get("next", {}).get("url", ""), count + 1
        assert found == ids[::-1]
        assert count == pages
    assert [parse_qs(request.query)["page"] for request in requests_for_history(service)] == [
        ["1"],
        ["2"],
        ["3"],
    ]


async def test_a_cursor_stays_with_the_commit_that_its_list_began_at(service: Service) -> None:
    repository, project, path, ids = await begun(service, 120)
    first = await service.http.get(path)
    commit(repository, 500)
    await service.sync(project["id"])
    second = await service.http.get(first.links["next"]["url"])
    assert [row["sha"] for row in (*first.json(), *second.json())] == ids[::-1]


async def test_a_cursor_which_no_list_gave_is_refused(service: Service) -> None:
    repository, project, path, ids = await begun(service, 120)
    link = (await service.http.get(path)).links["next"]["url"]
    other = await address(service, project, "config/other.yaml")
    commit(repository, 500)
    await service.sync(project["id"])
    cursor = link.partition("cursor=")[2]
    assert fields_at_fault(
        await service.http.get(f"{other}?cursor={cursor}"), "invalid_cursor"
    ) == {"cursor"}
    made_up = [
        "x",
        "W10",
        "eyJhIjogMX0",
        "\0",
        "WyJ4IiwgMF0",
        "WzEsIDJd",
        "bnVsbA",
        "ü",
        "A" * 16_000,
    ]
    for wrong in made_up:
        answer = await service.http.get(path, params={"cursor": wrong})
        assert fields_at_fault(answer, "invalid_cursor") == {"cursor"}, wrong
    for values in (
        [ids[0], 0],
        [ids[0], -1],
        [ids[0], True],
        [ids[0], 10**30],
        [ids[0], 1.5],
        [ids[0]],
    ):
        text = base64.urlsafe_b64encode(json.dumps(values).encode()).decode().rstrip("=")
        answer = await service.http.get(path, params={"cursor": text})
        assert fields_at_fault(answer, "invalid_cursor") == {"cursor"}, values


async def test_a_file_gone_upstream_has_the_history_of_its_copy(service: Service) -> None:
    repository, project, path, ids = await begun(service)
    file = (await service.files(project["id"]))[PATH]
    await service.variant(project["id"], file)
    repository.commit({PATH: None}, message="gone")
    await service.sync(project["id"])
    assert (await service.files(project["id"])).keys() == {"config/other.yaml"}
    assert [row["sha"] for row in await service.rows(path)] == ids[::-1]


@pytest.mark.parametrize(
    "name", ["config/a b+c&d=e#f?.yaml", "config/größe/über.yaml", "config/[x]*.yaml"]
)
async def test_a_path_of_any_characters_is_asked_for_exactly(service: Service, name: str) -> None:
    repository = service.repository(NAME)
    ids = commit(repository, 1, 2, path=name)
    commit(repository, 3)
    project = await service.synced(NAME)
    assert [row["sha"] for row in await service.rows(await address(service, project, name))] == ids[
        ::-1
    ]
    assert parse_qs(requests_for_history(service)[0].query)["path"] == [name]


async def test_a_project_without_a_sync_has_none(service: Service) -> None:
    service.repository(NAME, {PATH: b"a: 1\n"})
    project = await service.project(NAME)
    answer = await service.http.get(
        f"/projects/{project['id']}/files/65f0c0ffee65f0c0ffee65f0/history"
    )
    assert_problem(answer, 409, "not_synced")
    await service.sync(project["id"])
    path = await address(service, project)
    await service.put(f"/projects/{project['id']}", {"branch": "dev"})
    assert_problem(await service.http.get(path), 409, "not_synced")
    assert requests_for_history(service) == []


async def test_a_private_repository_is_asked_with_the_project_s_own_token(service: Service) -> None:
    repository = service.repository(NAME, private_to=["ghp_reader"])
    ids = commit(repository, 1, 2)
    project = await service.synced(NAME, github_token="ghp_reader")
    path = await address(service, project)
    await service.put(f"/projects/{project['id']}", {"github_token": None})
    assert_problem(await service.http.get(path), 422, "repository_not_found")
    await service.put(f"/projects/{project['id']}", {"github_token": "ghp_reader"})
    assert [row["sha"] for row in await service.rows(path)] == ids[::-1]


async def test_github_s_failures_are_those_of_a_sync(hasty: Service) -> None:
    _, project, path, ids = await begun(hasty)
    faults = hasty.github.faults
    for fault, status, code in (
        (Status(500), 502, "github_unavailable"),
        (HtmlPage(), 502, "github_unavailable"),
        (Status(401), 422, "github_unauthorized"),
        (Status(403), 422, "github_forbidden"),
    ):
        added = faults.add(fault, path="/commits$", times=None)
        assert_problem(await hasty.http.get(path), status, code)
        faults.remove(added)
    assert (await hasty.get(f"/projects/{project['id']}"))["sync_status"] == "ok", (
        "nothing was synced"
    )
    assert [row["sha"] for row in await hasty.rows(path)] == ids[::-1], "no failure is remembered"


async def test_a_missing_commit_and_a_missing_repository_have_their_codes(hasty: Service) -> None:
    _, _, path, _ = await begun(hasty)
    added = hasty.github.faults.add(Status(404), path="/commits$", times=None)
    assert_problem(await hasty.http.get(path), 422, "commit_not_found")
    hasty.github.faults.remove(added)
    hasty.github.hosting.remove(NAME)
    assert_problem(await hasty.http.get(path), 422, "repository_not_found")


async def test_a_used_up_limit_says_when_to_retry(hasty: Service) -> None:
    _, _, path, _ = await begun(hasty)
    added = hasty.github.faults.add(
        Status(429, headers={"Retry-After": "90"}), path="/commits$", times=None
    )
    answer = await hasty.http.get(path)
    assert_problem(answer, 503, "github_rate_limited")
    assert 80 <= int(answer.headers["retry-after"]) <= 90
    hasty.github.faults.remove(added)


async def test_a_short_page_with_a_successor_loses_nothing(service: Service) -> None:
    """GitHub may leave rows out of a page: the next one begins where its numbers say."""
    repository, project, path, _ = await begun(service)
    head = repository.find_commit("HEAD")
    assert head is not None
    stored = await service.services.project_store.get(project["id"])
    store = FileHistoryStore(service.services.database)
    for number, (size, more) in enumerate([(2, True), (0, True), (1, False)], 1):
        key = HistoryKey(
            project_id=project["id"],
            repository_key=stored.source.repository.key,
            path=PATH,
            head_sha=head.sha,
            page=number,
        )
        rows = [
            FileCommit(sha=f"{number}{n}", author="", date=BEGIN, message="", link="")
            for n in range(size)
        ]
        await store.keep(key, HistoryPage(commits=tuple(rows), more=more), utc_now())
    assert [row["sha"] for row in await service.rows(path)] == ["10", "11", "30"]
    assert [row["sha"] for row in await service.rows(path, limit=1)] == ["10", "11", "30"]


async def test_what_is_remembered_goes_with_time_and_with_the_project(
    database_url: str, github: GitHubTestServer, tmp_path: Path
) -> None:
    now = [utc_now()]
    async with running_service(
        database_url, github, tmp_path, externals=Externals(clock=lambda: now[0])
    ) as service:
        _, project, path, _ = await begun(service)
        histories = service.services.database.collection("file_histories")
        for _ in range(2):
            await service.rows(path)
            await service.services.housekeeping.run()
            assert await histories.count_documents({}) == 1
            now[0] += timedelta(days=8)
            await service.services.housekeeping.run()
            assert await histories.count_documents({}) == 0
        await service.rows(path)
        await service.http.delete(f"/projects/{project['id']}")
        assert_problem(await service.http.get(path), 404, "project_not_found")
        await service.services.housekeeping.sweep_deleted_projects()
        assert await histories.count_documents({}) == 0


async def test_on_the_embedded_database(embedded_service: Service) -> None:
    _, _, path, ids = await begun(embedded_service, 105)
    for _ in range(2):
        assert [row["sha"] for row in await embedded_service.rows(path, limit=60)] == ids[::-1]
    assert len(requests_for_history(embedded_service)) == 2
