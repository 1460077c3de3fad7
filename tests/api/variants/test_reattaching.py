"""Attaching modified files to other originals, over the API."""

import asyncio
from typing import Any

import pytest
import pytest_asyncio

from github_test_server import Repository
from support.problems import assert_problem
from support.service import Json, Service

OLD, NEW, JOB, JSON_FILE = (
    "config/serve.yaml",
    "config/v2/serving.yaml",
    "job/run.yaml",
    "config/a.json",
)
BASE = b"model: llama\nseed: 1\nmax_model_len: 4096\n"
MINE = "model: llama\nseed: 7\nmax_model_len: 4096\n"
OTHER = b"engine:\n  model: llama\n  seed: 1\n"
MANIFEST = (
    b"apiVersion: batch/v1\nkind: Job\nmetadata: {name: a}\n"
    b"spec: {template: {spec: {restartPolicy: Never}}}\n"
)


@pytest.fixture(scope="module")
def repository(module_service: Service) -> Repository:
    return module_service.repository(
        "acme/b", {OLD: BASE, NEW: OTHER, JOB: MANIFEST, JSON_FILE: b'{"a": 1}\n'}
    )


@pytest_asyncio.fixture(scope="module", loop_scope="session")
async def project(module_service: Service, repository: Repository) -> Json:
    assert repository.branches()
    return await module_service.synced("acme/b")


@pytest_asyncio.fixture(scope="module", loop_scope="session")
async def orphan(module_service: Service, repository: Repository, project: Json) -> Json:
    """A variant whose original is gone."""
    original = (await module_service.files(project["id"]))[OLD]
    variant = await module_service.variant(
        project["id"], original, modified_name="seed7.yaml", content=MINE
    )
    repository.commit({OLD: None}, message="gone")
    await module_service.sync(project["id"])
    gone = await module_service.get(f"/modified-files/{variant['id']}")
    assert gone["drift"] == "upstream_removed"
    return gone


async def reattach(
    service: Service,
    variant: Json,
    original_file_id: str,
    status: int = 200,
    headers: dict[str, str] | None = None,
) -> Json:
    path = f"/modified-files/{variant['id']}/reattach"
    answer = await service.http.post(
        path, json={"original_file_id": original_file_id}, headers=headers
    )
    assert answer.status_code == status, answer.text
    found: Json = answer.json()
    return found


async def original(service: Service, project: Json, path: str = NEW) -> Json:
    return (await service.files(project["id"]))[path]


async def test_the_new_originals_present_text_is_the_base_and_the_variants_text_stays(
    service: Service, project: Json, orphan: Json
) -> None:
    new = await original(service, project)
    now = await reattach(service, orphan, new["id"], headers={"X-Actor": "kim"})
    assert (now["original_file_id"], now["original_path"], now["path"]) == (
        new["id"],
        NEW,
        "config/v2/seed7.yaml",
    )
    assert (now["base_sha"], now["base_commit_sha"]) == (new["sha"], new["commit_sha"])
    assert (now["content"], now["drift"], now["revision"]) == (MINE, "current", 2)
    newest, _ = await service.rows(f"/modified-files/{orphan['id']}/revisions")
    assert (newest["what"], newest["created_by"], newest["base_sha"]) == (
        "reattached",
        "kim",
        new["sha"],
    )


async def test_upstreams_next_change_is_merged_from_the_new_base(
    service: Service, repository: Repository, project: Json, orphan: Json
) -> None:
    await reattach(service, orphan, (await original(service, project))["id"])
    repository.commit({NEW: OTHER.replace(b"seed: 1", b"seed: 2")}, message="moved")
    await service.sync(project["id"])
    now = await service.get(f"/modified-files/{orphan['id']}")
    merge = await service.get(f"/modified-files/{orphan['id']}/merge")
    assert (now["drift"], merge["outcome"]) == ("conflict", "conflict")
    assert (merge["base"], merge["mine"]) == (OTHER.decode(), MINE)


async def test_the_comparison_with_the_base_is_with_the_new_original(
    service: Service, project: Json, orphan: Json
) -> None:
    await reattach(service, orphan, (await original(service, project))["id"])
    diff = await service.get(f"/modified-files/{orphan['id']}/diff", against="base", format="json")
    assert diff["before_path"] == NEW
    assert {change["path"] for change in diff["changes"]} == {
        "engine",
        "model",
        "seed",
        "max_model_len",
    }


async def test_a_release_names_the_new_original_as_what_the_variant_came_from(
    service: Service, project: Json, orphan: Json
) -> None:
    new = await original(service, project)
    await reattach(service, orphan, new["id"])
    release = await service.post(
        f"/projects/{project['id']}/releases", {"include": "modified"}, 201
    )
    [file] = release["files"]
    assert (file["path"], file["original_sha"], file["revision"]) == (
        "config/v2/seed7.yaml",
        new["sha"],
        2,
    )


async def test_restoring_a_revision_from_before_keeps_the_new_original_and_its_base(
    service: Service, project: Json, orphan: Json
) -> None:
    edited = await service.put(
        f"/modified-files/{orphan['id']}", {"content": MINE.replace("7", "8")}
    )
    assert edited["revision"] == 2
    new = await original(service, project)
    await reattach(service, orphan, new["id"])
    now = await service.post(f"/modified-files/{orphan['id']}/restore", {"revision": 1}, 200)
    assert (now["content"], now["revision"], now["original_file_id"]) == (MINE, 4, new["id"])
    assert (now["base_sha"], now["base_commit_sha"], now["drift"]) == (
        new["sha"],
        new["commit_sha"],
        "current",
    )


async def test_a_restored_earlier_revision_is_behind_what_upstream_changed_since_the_attachment(
    service: Service, repository: Repository, project: Json, orphan: Json
) -> None:
    """With the newest base, a variant would seem to have undone what upstream changed since."""
    mine = OTHER.decode() + "note: mine\n"
    await service.put(f"/modified-files/{orphan['id']}", {"content": mine})
    attached = await reattach(service, orphan, (await original(service, project))["id"])
    repository.commit({NEW: OTHER.replace(b"seed: 1", b"seed: 2")}, message="moved")
    await service.sync(project["id"])
    await service.post(f"/modified-files/{orphan['id']}/rebase", {}, 200)
    now = await service.post(f"/modified-files/{orphan['id']}/restore", {"revision": 2}, 200)
    assert (now["content"], now["base_sha"], now["drift"]) == (mine, attached["base_sha"], "behind")


async def test_attaching_it_to_the_original_that_it_has_changes_nothing(
    service: Service, project: Json, orphan: Json
) -> None:
    new = await original(service, project)
    once = await reattach(service, orphan, new["id"])
    assert await reattach(service, orphan, new["id"].upper()) == once


async def test_a_removed_original_is_deleted_when_its_last_variant_is_reattached(
    service: Service, project: Json, orphan: Json
) -> None:
    assert OLD in await service.files(project["id"], include_removed="true")
    await reattach(service, orphan, (await original(service, project))["id"])
    assert OLD not in await service.files(project["id"], include_removed="true")


async def test_a_variant_of_a_configuration_is_judged_as_a_manifest_from_then_on(
    service: Service, project: Json, orphan: Json
) -> None:
    wrong = "kind: Job\napiVersion: batch/v1\nmetadata: {name: a}\nspec: {parallelism: -1}\n"
    variant = await service.put(f"/modified-files/{orphan['id']}", {"content": wrong})
    assert variant["problems"] == []
    now = await reattach(service, orphan, (await original(service, project, JOB))["id"])
    assert (now["file_type"], now["path"]) == ("job", "job/seed7.yaml")
    assert "negative_number" in {problem["code"] for problem in now["problems"]}


async def test_an_undeleted_variant_has_its_new_original(
    service: Service, project: Json, orphan: Json
) -> None:
    new = await original(service, project)
    await reattach(service, orphan, new["id"])
    await service.http.delete(f"/modified-files/{orphan['id']}")
    back = await service.post(f"/modified-files/{orphan['id']}/undelete", None, 200)
    assert (back["original_file_id"], back["base_sha"], back["drift"]) == (
        new["id"],
        new["sha"],
        "current",
    )


async def test_a_taken_name_is_refused_and_nothing_changes(
    service: Service, project: Json, orphan: Json
) -> None:
    new = await original(service, project)
    await service.variant(project["id"], new, modified_name="seed7.yaml")
    refused = await reattach(service, orphan, new["id"], 409)
    assert refused["code"] == "name_taken"
    assert await service.get(f"/modified-files/{orphan['id']}") == orphan


async def test_a_stale_request_is_refused(service: Service, project: Json, orphan: Json) -> None:
    new = await original(service, project)
    await service.put(f"/modified-files/{orphan['id']}", {"description": "newer"})
    refused = await reattach(service, orphan, new["id"], 412, headers={"If-Match": '"1.x"'})
    assert (refused["code"], refused["current_revision"]) == ("stale", 2)


async def test_an_original_of_another_format_is_refused(
    service: Service, project: Json, orphan: Json
) -> None:
    refused = await reattach(
        service, orphan, (await original(service, project, JSON_FILE))["id"], 422
    )
    assert (refused["code"], refused["errors"][0]["field"]) == ("other_format", "original_file_id")


async def test_an_original_of_another_project_is_refused(service: Service, orphan: Json) -> None:
    service.repository("acme/c", {NEW: OTHER})
    other = await service.synced("acme/c")
    refused = await reattach(service, orphan, (await original(service, other))["id"], 422)
    assert refused["code"] == "other_project"


async def test_a_removed_original_is_refused(
    service: Service, repository: Repository, project: Json, orphan: Json
) -> None:
    new = await original(service, project)
    await service.variant(project["id"], new, modified_name="kept.yaml")
    repository.commit({NEW: None}, message="gone too")
    await service.sync(project["id"])
    assert (await reattach(service, orphan, new["id"], 422))["code"] == "original_removed"


@pytest.mark.parametrize("file_id", ["65f0c0ffee65f0c0ffee65f0", "no id"])
async def test_an_original_that_is_not_there_is_not_found(
    service: Service, orphan: Json, file_id: str
) -> None:
    assert (await reattach(service, orphan, file_id, 404))["code"] == "file_not_found"


@pytest.mark.parametrize(
    "body", [{}, {"original_file_id": 1}, {"original_file_id": "a", "force": True}]
)
async def test_another_body_is_refused(service: Service, orphan: Json, body: Any) -> None:
    answer = await service.http.post(f"/modified-files/{orphan['id']}/reattach", json=body)
    assert_problem(answer, 422, "invalid_request")


async def test_reattaching_and_rebasing_at_once_leave_one_consistent_state(
    service: Service,
) -> None:
    """The base is always that of the original which the variant has in the end."""
    repository = service.repository("acme/race", {OLD: BASE, NEW: OTHER})
    project = await service.synced("acme/race")
    old, new = [await original(service, project, path) for path in (OLD, NEW)]
    variant = await service.variant(project["id"], old, modified_name="v.yaml", content=MINE)
    repository.commit({OLD: BASE.replace(b"4096", b"8192")}, message="moved")
    await service.sync(project["id"])
    attached, rebased = await asyncio.gather(
        service.http.post(
            f"/modified-files/{variant['id']}/reattach", json={"original_file_id": new["id"]}
        ),
        service.http.post(f"/modified-files/{variant['id']}/rebase", json={}),
    )
    assert attached.status_code == rebased.status_code == 200
    now = await service.get(f"/modified-files/{variant['id']}")
    assert (now["original_file_id"], now["base_sha"], now["drift"]) == (
        new["id"],
        new["sha"],
        "current",
    )
    assert now["content"] in {MINE, MINE.replace("4096", "8192")}
