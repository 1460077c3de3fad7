"""The projects' routes."""

import asyncio
import re

import pytest
import pytest_asyncio

from support.problems import assert_problem
from support.service import Service

MEMBERS = {
    *("id", "name", "github_repo_url", "github_web_url", "branch", "ref", "resolved_branch"),
    *("config_folder", "job_folder", "include", "exclude", "polling_interval"),
    *("github_token_set", "created_at", "updated_at", "sync_status", "error", "last_sync"),
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
    times = {name: project[name] for name in ("created_at", "updated_at", "next_poll_at")}
    assert {name: time for name, time in times.items() if not TIME.fullmatch(time)} == {}
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


async def test_a_synced_project_shows_its_last_sync_and_counts(
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


NAMES = ["Alpha", "beta 1.0", "BETA 100", "gamma*", "straße"]


@pytest_asyncio.fixture(scope="module", loop_scope="session")
async def listing(module_service: Service) -> Service:
    """A service with five projects, for tests that only read."""
    for name in ("beta 1.0", "Alpha", "gamma*", "BETA 100", "straße"):
        await module_service.project("acme/bench", name=name)
    return module_service


async def test_the_list_is_by_name_regardless_of_case(listing: Service) -> None:
    rows = await listing.rows("/projects")
    assert [row["name"] for row in rows] == NAMES
    assert rows[0].keys() == MEMBERS


@pytest.mark.parametrize(
    ("query", "expected"),
    [
        ("beta", ["beta 1.0", "BETA 100"]),
        ("BeTa 1.", ["beta 1.0"]),
        ("*", ["gamma*"]),
        (".*", []),
        ("^a", []),
        ("STRASSE", ["straße"]),
        ("", NAMES),
        ("zeta", []),
        (" ", ["beta 1.0", "BETA 100"]),
        ("(", []),
        ("\\", []),
    ],
    ids=[
        *("word", "two words in another case", "star", "dot and star", "caret", "sharp s"),
        *("nothing", "no match", "space", "bracket", "backslash"),
    ],
)
async def test_the_list_is_searched_for_a_text_regardless_of_case(
    listing: Service, query: str, expected: list[str]
) -> None:
    answer = await listing.http.get("/projects", params={"q": query})
    assert [row["name"] for row in answer.json()] == expected
    assert answer.headers["x-total-count"] == str(len(expected))


async def code_of_a_problem(service: Service, method: str, path: str) -> str:
    """Return the code of the 404 that a request is answered with; a PUT sends a description."""
    body = {"description": "x"} if method == "PUT" else None
    answer = await service.http.request(method, path, json=body)
    code: str = answer.json()["code"]
    assert_problem(answer, 404, code)
    return code


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
    file_path, there = f"{path}/files/{file['id']}", f"/modified-files/{variant['id']}"
    codes = {
        f"{method} {gone}": await code_of_a_problem(service, method, gone)
        for method, gone in (
            *(("GET", path), ("GET", f"{path}/files"), ("GET", file_path)),
            *(("GET", f"{file_path}/raw"), ("GET", f"{path}/modified-files")),
            *(("GET", f"{path}/syncs"), ("POST", f"{path}/sync"), ("DELETE", path)),
            *(("GET", there), ("GET", f"{there}/raw"), ("DELETE", there), ("PUT", there)),
        )
    }
    assert codes == {
        request: "modified_file_not_found" if there in request else "project_not_found"
        for request in codes
    }
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
    refused = [answer for answer in answers if answer.status_code == 409]
    problems = [assert_problem(answer, 409, "project_name_taken") for answer in refused]
    assert len(problems) == 17
    assert len(await service.rows("/projects")) == 1
