"""The projects' routes."""

import asyncio
import re
from pathlib import Path

import pytest

from github_test_server import GitHubTestServer
from support.problems import assert_problem
from support.service import Json, Service, running_service

MEMBERS = {
    *(
        "id",
        "name",
        "github_repo_url",
        "github_web_url",
        "branch",
        "ref",
        "resolved_branch",
        "config_folder",
        "job_folder",
        "include",
        "exclude",
    ),
    *(
        "polling_interval",
        "github_token_set",
        "created_at",
        "updated_at",
        "sync_status",
        "error",
        "last_sync",
    ),
    *("last_success_at", "next_poll_at", "paused"),
}
TIME = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d+)?Z")

DRIFTS = ("current", "behind", "conflict", "upstream_removed")


async def test_a_new_project_is_answered_whole(service: Service) -> None:
    body = {
        "name": "nightly",
        "github_repo_url": "acme/bench",
        "branch": "dev",
        "config_folder": "/c/",
    }
    answer = await service.http.post("/projects", json=body)
    assert answer.status_code == 201
    project = answer.json()
    assert project.keys() == MEMBERS | {"stats"}
    assert re.fullmatch("[0-9a-f]{24}", project["id"])
    assert answer.headers["location"] == f"/projects/{project['id']}"
    assert project["name"] == "nightly"
    assert project["github_repo_url"] == f"{service.github.url}/repos/acme/bench"
    assert project["github_web_url"] == f"{service.github.url}/acme/bench"
    assert project["sync_status"] == "never"
    assert (project["branch"], project["resolved_branch"], project["config_folder"]) == (
        "dev",
        "dev",
        "c",
    )
    assert (project["error"], project["last_sync"], project["last_success_at"]) == (
        None,
        None,
        None,
    )
    for name in ("created_at", "updated_at", "next_poll_at"):
        assert TIME.fullmatch(project[name]), name
    assert project["created_at"] == project["updated_at"]
    assert (await service.get("/status"))["scheduler"]["projects_due"] == 1
    assert set(project["stats"]) == {
        *(
            "original_files",
            "config_files",
            "job_files",
            "modified_files",
            "modified_files_by_drift",
            "removed_files",
        )
    }


async def test_what_creation_and_change_answer_is_what_is_read_next(service: Service) -> None:
    made = await service.http.post("/projects", json={"name": "x", "github_repo_url": "acme/bench"})
    path = f"/projects/{made.json()['id']}"
    read = await service.http.get(path)
    assert (read.json(), read.headers["etag"]) == (made.json(), made.headers["etag"])
    changed = await service.http.put(path, json={"name": "y", "polling_interval": 60})
    read = await service.http.get(path)
    assert (read.json(), read.headers["etag"]) == (changed.json(), changed.headers["etag"])


async def test_a_synced_project_tells_its_last_sync_and_counts(
    service: Service, files: dict[str, bytes]
) -> None:
    service.repository("acme/bench", files)
    project = await service.project("acme/bench")
    sync = await service.sync(project["id"])
    project = await service.get(f"/projects/{project['id']}")
    assert (project["sync_status"], project["error"], project["resolved_branch"]) == (
        "ok",
        None,
        "main",
    )
    assert project["last_sync"].items() <= sync.items()
    assert project["last_success_at"] == sync["finished_at"]
    assert project["next_poll_at"] is None
    counts = {"original_files": 3, "config_files": 2, "job_files": 1, "removed_files": 0}
    assert project["stats"] == {
        **counts,
        "modified_files": 0,
        "modified_files_by_drift": dict.fromkeys(DRIFTS, 0),
    }


async def test_stats_count_variants_by_drift_and_removed_files(
    service: Service, files: dict[str, bytes]
) -> None:
    repository = service.repository("acme/bench", files)
    project = await service.synced("acme/bench")
    originals = await service.files(project["id"])
    await service.variant(project["id"], originals["config/a.yaml"])
    await service.variant(project["id"], originals["config/a.yaml"], modified_name="b.yaml")
    await service.variant(project["id"], originals["job/run.yaml"])
    repository.commit({"config/a.yaml": None})
    await service.sync(project["id"])
    stats = (await service.get(f"/projects/{project['id']}"))["stats"]
    assert stats["modified_files_by_drift"] == {
        "current": 1,
        "behind": 0,
        "conflict": 0,
        "upstream_removed": 2,
    }
    assert (stats["modified_files"], stats["original_files"], stats["removed_files"]) == (3, 2, 1)


async def test_a_name_is_unique_regardless_of_case(service: Service) -> None:
    await service.project("acme/bench", name="Große Nightly")
    body = {"name": "GROSSE nightly", "github_repo_url": "acme/other"}
    assert_problem(await service.http.post("/projects", json=body), 409, "project_name_taken")
    other = await service.project("acme/bench", name="other")
    answer = await service.http.put(f"/projects/{other['id']}", json={"name": "große nightly"})
    assert_problem(answer, 409, "project_name_taken")
    assert (await service.get(f"/projects/{other['id']}"))["name"] == "other"


async def test_a_name_may_change_its_own_case(service: Service) -> None:
    project = await service.project("acme/bench", name="nightly")
    assert (await service.put(f"/projects/{project['id']}", {"name": "Nightly"}))[
        "name"
    ] == "Nightly"


async def test_one_repository_may_have_several_projects(service: Service) -> None:
    await service.project("acme/bench", name="a")
    await service.project("acme/bench", name="b")
    assert [row["name"] for row in await service.rows("/projects")] == ["a", "b"]


async def test_the_list_is_by_name_and_searched_regardless_of_case(service: Service) -> None:
    for name in ("beta 1.0", "Alpha", "gamma*", "BETA 100", "straße"):
        await service.project("acme/bench", name=name)
    names = [row["name"] for row in await service.rows("/projects")]
    assert names == ["Alpha", "beta 1.0", "BETA 100", "gamma*", "straße"]
    for query, expected in {
        "beta": ["beta 1.0", "BETA 100"],
        "BeTa 1.": ["beta 1.0"],
        "*": ["gamma*"],
        ".*": [],
        "^a": [],
        "STRASSE": ["straße"],
        "": names,
        "zeta": [],
        " ": ["beta 1.0", "BETA 100"],
        "(": [],
        "\\": [],
    }.items():
        answer = await service.http.get("/projects", params={"q": query})
        assert [row["name"] for row in answer.json()] == expected, query
        assert answer.headers["x-total-count"] == str(len(expected))
    assert (await service.rows("/projects"))[0].keys() == MEMBERS


async def test_only_the_fields_given_change(service: Service, files: dict[str, bytes]) -> None:
    service.repository("acme/bench", files)
    service.github.hosting.add_token("ghp_x")
    before = await service.synced(
        "acme/bench", github_token="ghp_x", branch="main", polling_interval=60
    )
    path = f"/projects/{before['id']}"
    changes: list[Json] = [
        {"name": "renamed"},
        {"polling_interval": 3600},
        {"config_folder": "other"},
        {"job_folder": ""},
        {"branch": "dev"},
        {"github_repo_url": "acme/elsewhere", "github_token": "ghp_x"},
    ]
    for change in changes:
        after = await service.put(path, change)
        told = {
            "ref",
            "updated_at",
            "next_poll_at",
            "resolved_branch",
            "github_web_url",
            "github_token",
            *change,
        }
        assert {k: v for k, v in after.items() if k not in told} == {
            k: v for k, v in before.items() if k not in told
        }
        name, value = next(iter(change.items()))
        expected = f"{service.github.url}/repos/{value}" if name == "github_repo_url" else value
        assert after[name] == expected
        assert after["updated_at"] > before["updated_at"]
        before = after


async def test_a_change_without_a_change_makes_no_revision(service: Service) -> None:
    project = await service.project("acme/bench", branch="main")
    path = f"/projects/{project['id']}"
    before = (await service.http.get(path)).headers["etag"]
    for body in (
        {},
        {"name": "acme/bench"},
        {"branch": "main", "config_folder": "/config/", "polling_interval": 0},
    ):
        assert (await service.http.put(path, json=body)).headers["etag"] == before


async def test_another_place_makes_a_project_due_at_once(
    service: Service, files: dict[str, bytes]
) -> None:
    """Also without polling; after that only a person starts a sync."""
    service.repository("acme/bench", files).commit({"config/a.yaml": b"a: 2\n"}, branch="dev")
    service.repository("acme/other", files).commit({"config/a.yaml": b"a: 2\n"}, branch="dev")
    project = await service.synced("acme/bench")
    path = f"/projects/{project['id']}"
    assert project["next_poll_at"] is None
    assert (await service.put(path, {"name": "renamed"}))["next_poll_at"] is None
    changes = (
        {"branch": "dev"},
        {"config_folder": "job"},
        {"job_folder": "x"},
        {"github_repo_url": "acme/other"},
    )
    for change in changes:
        changed = await service.put(path, change)
        assert changed["next_poll_at"] is not None, change
        assert (await service.get("/status"))["scheduler"]["projects_due"] == 1
        await service.sync(project["id"])
        assert (await service.get(path))["next_poll_at"] is None


async def test_the_same_repository_by_another_address_is_no_change(
    service: Service, files: dict[str, bytes]
) -> None:
    service.repository("acme/bench", files)
    project = await service.synced("acme/bench")
    address = f"{service.github.url}/repos/ACME/bench"
    changed = await service.put(f"/projects/{project['id']}", {"github_repo_url": address})
    assert changed == project


async def test_a_deleted_project_takes_everything_with_it_at_once(
    service: Service, files: dict[str, bytes]
) -> None:
    service.repository("acme/bench", files)
    project = await service.synced("acme/bench")
    file = (await service.files(project["id"]))["config/a.yaml"]
    variant = await service.variant(project["id"], file)
    path = f"/projects/{project['id']}"
    answer = await service.http.delete(path)
    assert (answer.status_code, answer.content) == (204, b"")
    for gone in (
        path,
        f"{path}/files",
        f"{path}/files/{file['id']}",
        f"{path}/files/{file['id']}/raw",
    ):
        assert_problem(await service.http.get(gone), 404, "project_not_found")
    for gone in (f"{path}/modified-files", f"{path}/syncs"):
        assert_problem(await service.http.get(gone), 404, "project_not_found")
    assert_problem(await service.http.post(f"{path}/sync"), 404, "project_not_found")
    assert_problem(await service.http.delete(path), 404, "project_not_found")
    there = f"/modified-files/{variant['id']}"
    for method, gone in (("GET", there), ("GET", f"{there}/raw"), ("DELETE", there)):
        assert_problem(await service.http.request(method, gone), 404, "modified_file_not_found")
    assert_problem(
        await service.http.put(there, json={"description": "x"}), 404, "modified_file_not_found"
    )
    assert await service.rows("/projects") == []
    again = await service.synced("acme/bench")
    assert again["stats"]["modified_files"] == 0, (
        "the name is free, and the new project begins empty"
    )


async def test_of_two_projects_only_the_deleted_one_goes(
    service: Service, files: dict[str, bytes]
) -> None:
    service.repository("acme/bench", files)
    gone, kept = (
        await service.synced("acme/bench", name="a"),
        await service.synced("acme/bench", name="b"),
    )
    originals = await service.files(kept["id"])
    variant = await service.variant(kept["id"], originals["config/a.yaml"])
    await service.http.delete(f"/projects/{gone['id']}")
    await service.services.housekeeping.run()
    assert await service.raw(kept["id"], originals["config/a.yaml"]["id"]) == files["config/a.yaml"]
    assert (await service.get(f"/modified-files/{variant['id']}"))["content"] == files[
        "config/a.yaml"
    ].decode()


async def test_of_creations_with_one_name_exactly_one_wins(service: Service) -> None:
    names = ["Nightly", "nightly", "NIGHTLY"] * 6
    body = {"github_repo_url": "acme/bench"}
    answers = await asyncio.gather(
        *(service.http.post("/projects", json={**body, "name": name}) for name in names)
    )
    assert sorted(answer.status_code for answer in answers) == [201] + [409] * 17
    for answer in answers:
        if answer.status_code == 409:
            assert_problem(answer, 409, "project_name_taken")
    assert len(await service.rows("/projects")) == 1


async def test_of_concurrent_changes_none_that_was_acknowledged_is_lost(service: Service) -> None:
    """Different fields, each without If-Match: all are taken, whoever came first."""
    project = await service.project("acme/bench")
    path = f"/projects/{project['id']}"
    for number in range(3):
        changes: list[Json] = [
            {"name": f"name {number}"},
            {"branch": f"b{number}"},
            {"config_folder": f"c{number}"},
            {"job_folder": f"j{number}"},
            {"polling_interval": 60 + number},
            {"github_repo_url": f"acme/r{number}", "github_token": None if number % 2 else "ghp_x"},
        ]
        answers = await asyncio.gather(*(service.http.put(path, json=change) for change in changes))
        assert [answer.status_code for answer in answers] == [200] * len(changes)
        stored = await service.get(path)
        for change in changes[:5]:
            assert stored.items() >= change.items()
        assert stored["github_repo_url"].endswith(f"/r{number}")
        assert stored["github_token_set"] is (number % 2 == 0)


@pytest.mark.parametrize("token", ["none given", None, "ghp_other"])
@pytest.mark.parametrize("moved", ["acme/other", "https://ghe.example/api/v3/repos/acme/b"])
async def test_another_repository_drops_the_stored_token_unless_one_is_given(
    database_url: str, github: GitHubTestServer, tmp_path: Path, moved: str, token: str | None
) -> None:
    urls = (github.url, "https://ghe.example/api/v3")
    async with running_service(database_url, github, tmp_path, github_api_urls=urls) as service:
        project = await service.project("acme/b", github_token="ghp_secret")
        given = {} if token == "none given" else {"github_token": token}
        changed = await service.put(
            f"/projects/{project['id']}", {"github_repo_url": moved, **given}
        )
        assert changed["github_token_set"] is (token == "ghp_other")


async def test_the_same_repository_written_otherwise_keeps_the_token(service: Service) -> None:
    project = await service.project("acme/b", github_token="ghp_secret")
    for same in ("ACME/B", f"{service.github.url}/repos/acme/b"):
        changed = await service.put(
            f"/projects/{project['id']}", {"github_repo_url": same, "name": same}
        )
        assert changed["github_token_set"] is True
