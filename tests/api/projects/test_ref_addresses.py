"""Addresses of pages at GitHub, which name a branch, tag or commit and perhaps a folder."""

import asyncio
import json

import pytest

from github_test_server import Repository
from support.problems import assert_problem, fields_at_fault
from support.project_refs import FIRST, TAG, head, refused
from support.service import Json, Service


@pytest.fixture
def branches(service: Service) -> Repository:
    """A repository with branches and tags whose names hold slashes."""
    repository = service.repository("acme/bench", FIRST)
    for name in ("feature/tp", "feature/tp-8", "release"):
        repository.commit({f"{name}.md": b"x"}, branch=name, parent=head(repository))
    repository.tag("v1", head(repository))
    repository.tag("sub/v2", head(repository), message="annotated")
    return repository


@pytest.mark.usefixtures("branches")
@pytest.mark.parametrize(
    ("path", "ref", "folder"),
    [
        ("tree/main", ("branch", "main"), "config"),
        ("tree/main/data/a", ("branch", "main"), "data/a"),
        ("tree/feature/tp/data/a", ("branch", "feature/tp"), "data/a"),
        ("tree/feature/tp-8", ("branch", "feature/tp-8"), "config"),
        ("tree/feature%2Ftp-8/data", ("branch", "feature/tp-8"), "data"),
        ("tree/refs/heads/feature/tp/data", ("branch", "feature/tp"), "data"),
        ("tree/v1", ("tag", "v1"), "config"),
        ("tree/sub/v2/data", ("tag", "sub/v2"), "data"),
        ("blob/main/data/a/b.yaml", ("branch", "main"), "data/a"),
        ("blob/main/b.yaml", ("branch", "main"), "config"),
        ("releases/tag/sub%2Fv2", ("tag", "sub/v2"), "config"),
        ("tree/" + "a" * 40 + "/data", ("commit", "a" * 40), "data"),
        ("tree/nope", ("branch", "nope"), "config"),
    ],
)
async def test_github_decides_where_the_refs_name_ends_in_an_address(
    service: Service, path: str, ref: tuple[str, str], folder: str
) -> None:
    body = {"name": "x", "github_repo_url": f"{service.github.url}/acme/bench/{path}"}
    project = await service.post("/projects", body, 201)
    assert (project["ref"], project["config_folder"]) == ({"kind": ref[0], "name": ref[1]}, folder)
    assert len(service.github.requests) <= 2


@pytest.mark.usefixtures("branches")
async def test_what_is_given_beside_the_address_counts_more(service: Service) -> None:
    address = f"{service.github.url}/acme/bench/tree/feature/tp/data"
    given = {"name": "x", "github_repo_url": address, "config_folder": "other"}
    assert (await service.post("/projects", given, 201))["config_folder"] == "other"
    given = {"name": "y", "github_repo_url": address, "branch": "feature"}
    project = await service.post("/projects", given, 201)
    assert (project["branch"], project["config_folder"]) == ("feature", "tp/data")


@pytest.mark.usefixtures("branches")
@pytest.mark.parametrize(
    "beside", [{"branch": None}, {"ref": None}, {"branch": "main"}, {"ref": TAG}]
)
async def test_a_folder_behind_another_ref_is_refused_unless_a_folder_is_given(
    service: Service, beside: Json
) -> None:
    project = await service.project("acme/bench", branch="dev")
    path = f"/projects/{project['id']}"
    change = {"github_repo_url": f"{service.github.url}/acme/bench/tree/feature/tp/data", **beside}
    assert_problem(await service.http.put(path, json=change), 422, "contradictory_ref")
    if None not in beside.values():
        assert (await refused(service, **change))["code"] == "contradictory_ref"
    changed = await service.put(path, {**change, "config_folder": "mine"})
    assert (changed["branch"], changed["config_folder"]) == (beside.get("branch"), "mine")


@pytest.mark.parametrize("page", ["tree/x", "blob/x/README.md"])
async def test_null_counts_more_than_the_branch_of_an_address_without_a_folder(
    service: Service, page: str
) -> None:
    project = await service.project("acme/bench", branch="dev")
    change = {"github_repo_url": f"{service.github.url}/acme/bench/{page}", "branch": None}
    assert (await service.put(f"/projects/{project['id']}", change))["ref"] is None


@pytest.mark.usefixtures("branches")
async def test_an_address_is_asked_about_once_while_others_change_the_project(
    service: Service,
) -> None:
    project = await service.project("acme/bench", branch="main", polling_interval=0)
    path = f"/projects/{project['id']}"
    address = f"{service.github.url}/acme/bench/tree/feature/tp/data"
    changes = [{"github_repo_url": address, "job_folder": f"job-{number}"} for number in range(8)]
    service.github.requests.reset()
    await asyncio.gather(*(service.put(path, change) for change in changes))
    asked = [request for request in service.github.requests if "matching-refs" in request.path]
    assert len(asked) == len(changes)


@pytest.mark.usefixtures("branches")
async def test_a_changed_address_is_taken_apart_too(service: Service) -> None:
    project = await service.project("acme/bench")
    changed = await service.put(
        f"/projects/{project['id']}",
        {"github_repo_url": f"{service.github.url}/acme/bench/tree/feature/tp/data"},
    )
    assert (changed["branch"], changed["config_folder"]) == ("feature/tp", "data")


@pytest.mark.usefixtures("branches")
async def test_an_address_that_goes_on_with_no_ref_is_refused(service: Service) -> None:
    problem = await refused(
        service, github_repo_url=f"{service.github.url}/acme/bench/tree/nope/data"
    )
    assert problem["code"] == "branch_not_found"


async def test_where_github_does_not_decide_a_path_is_refused_and_a_name_alone_is_a_branch(
    service: Service,
) -> None:
    answer = await service.http.post(
        "/projects",
        json={"name": "x", "github_repo_url": f"{service.github.url}/acme/none/tree/a/b"},
    )
    assert_problem(answer, 422, "ambiguous_address")
    assert fields_at_fault(answer, "ambiguous_address") == {"github_repo_url"}
    body = {"name": "x", "github_repo_url": f"{service.github.url}/acme/none/tree/a"}
    assert (await service.post("/projects", body, 201))["branch"] == "a"


@pytest.mark.usefixtures("branches")
async def test_a_private_repository_s_address_is_taken_apart_by_the_token_given(
    service: Service,
) -> None:
    service.github.hosting.make_private("acme/bench", ["reader"])
    address = f"{service.github.url}/acme/bench/tree/feature/tp/data"
    assert (await refused(service, github_repo_url=address))["code"] == "ambiguous_address"
    project = await service.post(
        "/projects", {"name": "x", "github_repo_url": address, "github_token": "reader"}, 201
    )
    assert (project["branch"], project["config_folder"]) == ("feature/tp", "data")
    assert "reader" not in json.dumps(project)
