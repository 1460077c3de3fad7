"""Which branch, tag or commit a project reads: how it is given, followed and shown."""

import asyncio
import json
from collections.abc import AsyncIterator
from typing import Any

import pytest
import pytest_asyncio
from bson import ObjectId
from pydantic import SecretStr

from github_test_server import GitHubTestServer, Repository
from support.problems import assert_problem, fields_at_fault
from support.reused_database import reused_database
from support.service import Json, Service, running_service
from support.unchanged_service import unchanged_service
from support.webhooks import NO_COMMIT, SECRET, deliver, push

FIRST = {"config/a.yaml": b"a: 1\n", "job/run.yaml": b"kind: Job\n", "README.md": b"x\n"}
TAG = {"kind": "tag", "name": "v1"}


@pytest_asyncio.fixture(scope="module", loop_scope="session")
async def shared_hooked(
    mongod: str, shared_github: GitHubTestServer, tmp_path_factory: pytest.TempPathFactory
) -> AsyncIterator[Service]:
    folder = tmp_path_factory.mktemp("hooked")
    settings: Json = {"webhook_secret": SecretStr(SECRET), "github_token": SecretStr("reader")}
    async with (
        reused_database(mongod) as url,
        running_service(url, shared_github, folder, **settings) as running,
    ):
        yield running


@pytest.fixture
async def hooked(shared_hooked: Service) -> AsyncIterator[Service]:
    """The service with a webhook's secret and a token; it polls nothing by itself."""
    async with unchanged_service(shared_hooked) as running:
        yield running


def head(repository: Repository, name: str = "HEAD") -> str:
    found = repository.find_commit(name)
    assert found is not None
    return found.sha


async def refused(service: Service, **fields: Any) -> Json:
    body = {"name": "refused", "github_repo_url": "acme/bench", **fields}
    answer = await service.http.post("/projects", json=body)
    assert answer.status_code == 422, answer.text
    problem: Json = answer.json()
    return problem


async def content(service: Service, project: Json, path: str = "config/a.yaml") -> bytes:
    return await service.raw(project["id"], (await service.files(project["id"]))[path]["id"])


# Branches


@pytest.mark.parametrize("given", ["main", "heads/main", "refs/heads/main"])
async def test_a_branch_in_any_form_is_stored_by_its_name_syncs_and_follows_pushes(
    hooked: Service, given: str
) -> None:
    hooked.repository("acme/bench", FIRST)
    project = await hooked.synced("acme/bench", branch=given)
    assert (project["branch"], project["ref"]) == ("main", {"kind": "branch", "name": "main"})
    answer = await deliver(hooked, push("acme/bench", hooked.github.url))
    assert (answer.status_code, answer.json()["outcome"]) == (202, "queued")


async def test_a_branch_that_an_older_version_stored_by_its_full_name_follows_pushes(
    hooked: Service,
) -> None:
    hooked.repository("acme/bench", FIRST)
    project = await hooked.synced("acme/bench", branch="main")
    stored = {"$set": {"source.branch": "refs/heads/main"}, "$unset": {"source.ref": ""}}
    projects = hooked.services.database.collection("projects")
    await projects.update_one({"_id": ObjectId(project["id"])}, stored)
    assert (await hooked.get(f"/projects/{project['id']}"))["branch"] == "main"
    assert (await deliver(hooked, push("acme/bench", hooked.github.url))).json()[
        "outcome"
    ] == "queued"


async def test_a_branch_that_an_older_version_sets_counts_more_than_the_tag_beside_it(
    hooked: Service,
) -> None:
    repository = hooked.repository("acme/bench", FIRST)
    repository.tag("v1", head(repository))
    project = await hooked.project("acme/bench", ref=TAG)
    projects = hooked.services.database.collection("projects")
    stored = await projects.find_one({"_id": ObjectId(project["id"])})
    assert stored is not None
    # What such a version hands to GitHub is the same tag.
    assert stored["source"]["branch"] == "tags/v1"
    await projects.update_one({"_id": ObjectId(project["id"])}, {"$set": {"source.branch": "dev"}})
    assert (await hooked.get(f"/projects/{project['id']}"))["ref"] == {
        "kind": "branch",
        "name": "dev",
    }


@pytest.mark.parametrize("annotated", [False, True])
@pytest.mark.parametrize("token", [None, "reader"])
async def test_a_tag_is_not_taken_for_a_branch_and_the_error_says_how_to_declare_it(
    service: Service, token: str | None, *, annotated: bool
) -> None:
    repository = service.repository("acme/bench", FIRST)
    repository.tag("v1", head(repository), message="one" if annotated else None)
    project = await service.project(
        "acme/bench", branch="v1", **({} if token is None else {"github_token": token})
    )
    problem = await service.sync(project["id"], status=422)
    assert problem["code"] == "branch_not_found"
    assert 'ref: {"kind": "tag", "name": "v1"}' in problem["detail"]


async def test_a_missing_branch_says_nothing_of_tags(service: Service) -> None:
    service.repository("acme/bench", FIRST)
    project = await service.project("acme/bench", branch="nope")
    problem = await service.sync(project["id"], status=422)
    assert (problem["code"], "tag" in problem["detail"]) == ("branch_not_found", False)


async def test_a_commit_id_is_not_taken_for_a_branch(service: Service) -> None:
    problem = await refused(service, branch="3f786850e387550fdab836ed7e6dc881de23001b")
    assert (problem["code"], [e["field"] for e in problem["errors"]]) == (
        "invalid_branch",
        ["branch"],
    )
    assert '"kind": "commit"' in problem["detail"]


# Declared


async def test_ref_and_branch_that_contradict_each_other_are_refused(service: Service) -> None:
    for fields in (
        {"branch": "main", "ref": TAG},
        {"branch": "main", "ref": {"kind": "branch", "name": "dev"}},
    ):
        assert (await refused(service, **fields))["code"] == "contradictory_ref"
    agreeing = {"branch": "refs/heads/main", "ref": {"kind": "branch", "name": "main"}}
    assert (await service.project("acme/bench", **agreeing))["branch"] == "main"


@pytest.mark.parametrize(
    "ref",
    [
        *(
            {"kind": "commit", "name": "3f78685"},
            {"kind": "commit", "name": "main"},
            {"kind": "tag", "name": "a..b"},
        ),
        *({"kind": "tag", "name": ""}, {"kind": "branch", "name": "refs/tags/v1"}),
    ],
)
async def test_a_name_that_its_kind_cannot_have_is_refused(service: Service, ref: Json) -> None:
    assert (await refused(service, ref=ref))["code"] == "invalid_ref"


@pytest.mark.parametrize(
    "ref", [{"kind": "head", "name": "x"}, {"kind": "tag"}, "v1", {**TAG, "sha": "1"}]
)
async def test_another_shape_of_ref_is_an_invalid_request(service: Service, ref: Any) -> None:
    assert (await refused(service, ref=ref))["code"] == "invalid_request"


@pytest.mark.parametrize(
    "fields",
    [
        {},
        {"branch": "dev"},
        {"branch": "refs/heads/heads/x"},
        {"ref": TAG},
        {"ref": {"kind": "commit", "name": "a" * 40}},
    ],
)
async def test_what_is_answered_can_be_sent_back_and_changes_nothing(
    service: Service, fields: Json
) -> None:
    project = await service.project("acme/bench", **fields)
    for names in (
        ("branch", "ref"),
        ("branch",) if project["ref"] is None or project["branch"] else ("ref",),
    ):
        again = await service.put(
            f"/projects/{project['id']}", {name: project[name] for name in names}
        )
        assert again == project


async def test_a_branch_alone_replaces_a_tag_and_null_the_default_branch(service: Service) -> None:
    project = await service.project("acme/bench", ref=TAG)
    path = f"/projects/{project['id']}"
    assert (await service.put(path, {"branch": "dev"}))["ref"] == {"kind": "branch", "name": "dev"}
    assert (await service.put(path, {"ref": TAG}))["branch"] is None
    assert (await service.put(path, {"branch": None}))["ref"] is None
    assert (await service.put(path, {"ref": TAG}))["ref"] == TAG
    assert (await service.put(path, {"ref": None}))["ref"] is None


# Tags


@pytest.mark.parametrize("annotated", [False, True])
@pytest.mark.parametrize("token", [None, "reader"])
async def test_a_tag_is_followed_when_it_moves(
    service: Service, token: str | None, *, annotated: bool
) -> None:
    message = "annotated" if annotated else None
    repository = service.repository("acme/bench", FIRST)
    repository.tag("v1", head(repository), message=message)
    repository.commit({"config/a.yaml": b"a: 2\n"})
    project = await service.synced(
        "acme/bench", ref=TAG, **({} if token is None else {"github_token": token})
    )
    assert (project["ref"], project["branch"], project["resolved_branch"]) == (TAG, None, None)
    assert await content(service, project) == b"a: 1\n"
    assert (await service.sync(project["id"]))["status"] == "unchanged"
    repository.tag("v1", head(repository), message=message)
    sync = await service.sync(project["id"])
    assert (sync["updated"], sync["commit_sha"]) == (1, head(repository))
    assert await content(service, project) == b"a: 2\n"


async def test_a_tag_that_is_gone_keeps_everything_and_recovers_when_it_returns(
    service: Service,
) -> None:
    repository = service.repository("acme/bench", FIRST)
    repository.tag("v1", head(repository))
    project = await service.synced("acme/bench", ref=TAG)
    before = await service.files(project["id"])
    repository.delete_tag("v1")
    assert (await service.sync(project["id"], status=422))["code"] == "tag_not_found"
    assert (await service.get(f"/projects/{project['id']}"))["sync_status"] == "failing"
    assert await service.files(project["id"]) == before
    repository.tag("v1", head(repository))
    assert (await service.sync(project["id"]))["status"] == "unchanged"


async def test_a_tag_is_not_the_branch_of_its_name(service: Service) -> None:
    repository = service.repository("acme/bench", FIRST)
    repository.tag("main", head(repository))
    repository.commit({"config/a.yaml": b"a: 2\n"})
    tagged = await service.synced("acme/bench", name="tag", ref={"kind": "tag", "name": "main"})
    branch = await service.synced("acme/bench", name="branch", branch="main")
    assert (await content(service, tagged), await content(service, branch)) == (
        b"a: 1\n",
        b"a: 2\n",
    )


# Names that are short for others


@pytest.mark.parametrize("token", [None, "reader"])
async def test_a_branch_is_read_and_followed_beside_a_tag_called_heads_and_its_name(
    service: Service, token: str | None
) -> None:
    repository = service.repository("acme/bench", FIRST)
    repository.tag("heads/main", head(repository))
    repository.commit({"config/a.yaml": b"a: 2\n"})
    fields = {"branch": "main", **({} if token is None else {"github_token": token})}
    project = await service.synced("acme/bench", **fields)
    assert await content(service, project) == b"a: 2\n"
    # Were the check about the tag, it would say from now on that nothing changed.
    repository.tag("heads/main", head(repository))
    repository.commit({"config/a.yaml": b"a: 3\n", "config/b.yaml": b"b: 1\n"})
    assert (await service.sync(project["id"]))["updated"] == 1
    assert await content(service, project) == b"a: 3\n"
    preview = await service.http.post(
        "/repositories/preview", json={"github_repo_url": "acme/bench", **fields}
    )
    assert preview.json()["selected"]["config_files"] == 2


@pytest.mark.parametrize("token", [None, "reader"])
async def test_a_tag_is_read_beside_a_branch_called_tags_and_its_name(
    service: Service, token: str | None
) -> None:
    repository = service.repository("acme/bench", FIRST)
    repository.tag("v1", head(repository))
    repository.commit({"config/a.yaml": b"a: 2\n"}, branch="tags/v1")
    fields = {"ref": TAG, **({} if token is None else {"github_token": token})}
    project = await service.synced("acme/bench", **fields)
    assert await content(service, project) == b"a: 1\n"
    repository.delete_tag("v1")
    assert (await service.sync(project["id"], status=422))["code"] == "tag_not_found"


def tag_push(service: Service, after: str, **more: Any) -> Json:
    return push(
        "acme/bench", service.github.url, ref="refs/tags/v1", after=after, commits=[], **more
    )


def created(service: Service, name: str, ref_type: str) -> Json:
    repository = push("acme/bench", service.github.url)["repository"]
    return {"ref": name, "ref_type": ref_type, "master_branch": "main", "repository": repository}


async def test_a_push_of_its_tag_makes_a_project_due_and_that_of_another_does_not(
    hooked: Service,
) -> None:
    repository = hooked.repository("acme/bench", FIRST)
    first = head(repository)
    repository.tag("v1", first)
    project = await hooked.synced("acme/bench", ref=TAG)
    known = await deliver(hooked, tag_push(hooked, first))
    assert known.json()["outcome"] == "ignored"
    of_branch = await deliver(hooked, push("acme/bench", hooked.github.url, branch="v1"))
    assert of_branch.json()["outcome"] == "ignored"
    moved = await deliver(hooked, tag_push(hooked, "b" * 40))
    assert moved.json()["projects"] == [project["id"]]


async def test_of_an_annotated_tag_the_push_s_commit_counts(hooked: Service) -> None:
    repository = hooked.repository("acme/bench", FIRST)
    repository.tag("v1", head(repository), message="one")
    await hooked.synced("acme/bench", ref=TAG)
    told = tag_push(hooked, "c" * 40, head_commit={"id": head(repository)})
    assert (await deliver(hooked, told)).json()["outcome"] == "ignored"


async def test_a_deleted_tag_makes_its_project_due(hooked: Service) -> None:
    repository = hooked.repository("acme/bench", FIRST)
    repository.tag("v1", head(repository))
    await hooked.synced("acme/bench", ref=TAG)
    gone = tag_push(hooked, NO_COMMIT, deleted=True, head_commit=None)
    assert (await deliver(hooked, gone)).json()["outcome"] == "queued"


@pytest.mark.parametrize(
    ("name", "ref_type", "outcome"),
    [("v1", "tag", "queued"), ("v2", "tag", "ignored"), ("v1", "branch", "ignored")],
)
async def test_the_creation_of_its_tag_makes_a_project_due(
    hooked: Service, name: str, ref_type: str, outcome: str
) -> None:
    hooked.repository("acme/bench", FIRST)
    await hooked.project("acme/bench", ref=TAG)
    answer = await deliver(hooked, created(hooked, name, ref_type), event="create")
    assert (answer.status_code, answer.json()["outcome"]) == (202, outcome)


async def test_a_creation_without_a_ref_is_malformed(hooked: Service) -> None:
    body = created(hooked, "v1", "tag")
    del body["ref"]
    assert_problem(await deliver(hooked, body, event="create"), 400, "malformed_webhook")


# Commits


@pytest.mark.parametrize("token", [None, "reader"])
async def test_a_commit_is_read_once_and_then_nothing_is_asked(
    service: Service, token: str | None
) -> None:
    repository = service.repository("acme/bench", FIRST)
    first = head(repository)
    repository.commit({"config/a.yaml": b"a: 2\n"})
    ref = {"kind": "commit", "name": first.upper()}
    fields = {} if token is None else {"github_token": token}
    project = await service.synced("acme/bench", ref=ref, polling_interval=60, **fields)
    assert (project["ref"], project["branch"]) == ({"kind": "commit", "name": first}, None)
    assert project["next_poll_at"] is None
    assert await content(service, project) == b"a: 1\n"
    service.github.requests.reset()
    sync = await service.sync(project["id"])
    assert (sync["status"], len(service.github.requests)) == ("unchanged", 0)
    # Another folder has to be read, of the same commit.
    await service.put(f"/projects/{project['id']}", {"config_folder": "job"})
    assert (await service.sync(project["id"]))["commit_sha"] == first
    assert (await service.get(f"/projects/{project['id']}"))["next_poll_at"] is None


async def test_a_commit_that_the_repository_does_not_have_is_not_found(service: Service) -> None:
    service.repository("acme/bench", FIRST)
    project = await service.project("acme/bench", ref={"kind": "commit", "name": "a" * 40})
    assert (await service.sync(project["id"], status=422))["code"] == "commit_not_found"


async def test_an_annotated_tag_s_own_id_is_no_commit(service: Service) -> None:
    repository = service.repository("acme/bench", FIRST)
    repository.tag("v1", head(repository), message="one")
    tag = repository.find_ref("tags/v1")
    assert tag is not None
    project = await service.project("acme/bench", ref={"kind": "commit", "name": tag.sha})
    assert (await service.sync(project["id"], status=422))["code"] == "commit_not_found"


async def test_pushes_leave_a_project_of_a_commit_alone(hooked: Service) -> None:
    repository = hooked.repository("acme/bench", FIRST)
    await hooked.synced("acme/bench", ref={"kind": "commit", "name": head(repository)})
    for told in (push("acme/bench", hooked.github.url), tag_push(hooked, "b" * 40)):
        assert (await deliver(hooked, told)).json()["outcome"] == "ignored"


# Addresses


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
async def test_github_tells_where_the_refs_name_ends_in_an_address(
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


async def test_where_github_does_not_tell_a_path_is_refused_and_a_name_alone_is_a_branch(
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
