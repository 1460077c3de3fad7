"""The upstream history of a file: read from GitHub on demand, and cached by commit."""

from datetime import timedelta
from pathlib import Path
from urllib.parse import parse_qs

import pytest

from benchmark_manager.factory import Externals, utc_now
from benchmark_manager.models.file_history import FileCommit, HistoryKey, HistoryPage
from benchmark_manager.stores.originals.file_histories import FileHistoryStore
from github_test_server import GitHubTestServer
from support.file_histories import (
    BEGIN,
    NAME,
    PATH,
    address,
    begun,
    commit,
    requests_for_history,
)
from support.problems import assert_problem
from support.service import Service, running_service


async def test_the_commits_which_touched_the_file_come_newest_first(service: Service) -> None:
    history = await begun(service)
    ids = history.ids
    rows = await service.rows(history.path)
    assert [row["sha"] for row in rows] == ids[::-1]
    assert rows[0] == {
        "sha": ids[2],
        "author": "Ada 2",
        "date": "2026-01-01T02:00:00Z",
        "message": "Step 2\n\nBecause of größe 2.",
        "link": f"{service.github.url}/{NAME}/commit/{ids[2]}",
    }


async def test_github_is_read_once_and_only_on_request(service: Service) -> None:
    history = await begun(service)
    repository, project, path = history.repository, history.project, history.path
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


async def test_after_a_sync_of_another_commit_it_is_read_anew(service: Service) -> None:
    history = await begun(service)
    repository, project, path = history.repository, history.project, history.path
    await service.rows(path)
    new = commit(repository, 7)
    assert [row["sha"] for row in await service.rows(path)] == history.ids[::-1], (
        "as of the commit that is held"
    )
    await service.sync(project["id"])
    assert [row["sha"] for row in await service.rows(path)] == [*new, *history.ids[::-1]]
    assert len(requests_for_history(service)) == 2


async def test_a_file_gone_upstream_has_the_history_of_its_copy(service: Service) -> None:
    history = await begun(service)
    repository, project, path = history.repository, history.project, history.path
    file = (await service.files(project["id"]))[PATH]
    await service.variant(project["id"], file)
    repository.commit({PATH: None}, message="gone")
    await service.sync(project["id"])
    assert (await service.files(project["id"])).keys() == {"config/other.yaml"}
    assert [row["sha"] for row in await service.rows(path)] == history.ids[::-1]


@pytest.mark.parametrize(
    "name", ["config/a b+c&d=e#f?.yaml", "config/größe/über.yaml", "config/[x]*.yaml"]
)
async def test_a_path_of_any_characters_is_requested_exactly(service: Service, name: str) -> None:
    repository = service.repository(NAME)
    ids = commit(repository, 1, 2, path=name)
    commit(repository, 3)
    project = await service.synced(NAME)
    assert [row["sha"] for row in await service.rows(await address(service, project, name))] == ids[
        ::-1
    ]
    assert parse_qs(requests_for_history(service)[0].query)["path"] == [name]


async def test_a_project_without_a_sync_has_no_file_history(service: Service) -> None:
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


async def test_a_private_repository_is_read_with_the_project_s_own_token(service: Service) -> None:
    repository = service.repository(NAME, private_to=["ghp_reader"])
    ids = commit(repository, 1, 2)
    project = await service.synced(NAME, github_token="ghp_reader")
    path = await address(service, project)
    await service.put(f"/projects/{project['id']}", {"github_token": None})
    assert_problem(await service.http.get(path), 422, "repository_not_found")
    await service.put(f"/projects/{project['id']}", {"github_token": "ghp_reader"})
    assert [row["sha"] for row in await service.rows(path)] == ids[::-1]


async def test_a_short_page_with_a_successor_loses_nothing(service: Service) -> None:
    """GitHub may leave rows out of a page: the next one begins where its numbers say."""
    history = await begun(service)
    repository, project, path = history.repository, history.project, history.path
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


async def test_stored_histories_are_deleted_after_a_week_and_with_the_project(
    database_url: str, github: GitHubTestServer, tmp_path: Path
) -> None:
    now = [utc_now()]
    async with running_service(
        database_url, github, tmp_path, externals=Externals(clock=lambda: now[0])
    ) as service:
        history = await begun(service)
        project, path = history.project, history.path
        histories = service.services.database.collection("file_histories")
        remembered = []
        for _ in range(2):
            await service.rows(path)
            await service.services.housekeeping.run()
            remembered.append(await histories.count_documents({}))
            now[0] += timedelta(days=8)
            await service.services.housekeeping.run()
            remembered.append(await histories.count_documents({}))
        assert remembered == [1, 0, 1, 0]
        await service.rows(path)
        await service.http.delete(f"/projects/{project['id']}")
        assert_problem(await service.http.get(path), 404, "project_not_found")
        await service.services.housekeeping.sweep_deleted_projects()
        assert await histories.count_documents({}) == 0
