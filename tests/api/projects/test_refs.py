"""Which branch, tag or commit a project reads: how it is given, followed and shown."""

from collections.abc import AsyncIterator
from typing import Any

import pytest
import pytest_asyncio
from bson import ObjectId
from pydantic import SecretStr

from github_test_server import GitHubTestServer
from support.problems import assert_problem
from support.project_refs import FIRST, TAG, head, refused
from support.reused_database import reused_database
from support.service import Json, Service, running_service
from support.unchanged_service import unchanged_service
from support.webhooks import NO_COMMIT, SECRET, deliver, push


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


@pytest.mark.parametrize(
    "ref", [TAG, {"kind": "branch", "name": "dev"}], ids=["a tag", "another branch"]
)
async def test_ref_and_branch_that_contradict_each_other_are_refused(
    shared_service: Service, ref: Json
) -> None:
    problem = await refused(shared_service, branch="main", ref=ref)
    assert problem["code"] == "contradictory_ref"


async def test_ref_and_branch_that_agree_are_accepted(service: Service) -> None:
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
    both = {name: project[name] for name in ("branch", "ref")}
    given = "branch" if project["ref"] is None or project["branch"] else "ref"
    path = f"/projects/{project['id']}"
    assert await service.put(path, both) == project
    assert await service.put(path, {given: project[given]}) == project


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
    of_commit = tag_push(hooked, "c" * 40, head_commit={"id": head(repository)})
    assert (await deliver(hooked, of_commit)).json()["outcome"] == "ignored"


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
    of_branch = await deliver(hooked, push("acme/bench", hooked.github.url))
    of_tag = await deliver(hooked, tag_push(hooked, "b" * 40))
    assert (of_branch.json()["outcome"], of_tag.json()["outcome"]) == ("ignored", "ignored")
