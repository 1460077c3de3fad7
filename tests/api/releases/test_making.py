"""POST /projects/{id}/releases: what a release holds, and what cannot be released."""

from dataclasses import dataclass
from typing import Any

import pytest
import pytest_asyncio

from benchmark_manager.domain.git.objects import blob_id
from support.problems import assert_problem, fields_at_fault
from support.released import (
    FILE_MEMBERS,
    MEMBERS,
    digest_of,
    files_of,
    make_release,
    sha256_of,
)
from support.service import Json, Service

UNKNOWN = "65f0c0ffee65f0c0ffee65f0"
REPLACED = {"config/a.yaml": b"model: mine\n"}
CHANGED = {"config/b.yaml": b"model: other\n"}
COPIED = {"config/c.yaml": b"model: llama\n"}


@dataclass(frozen=True)
class ProjectWithVariants:
    id: str
    originals: dict[str, Json]
    #: Replaces its original.
    replaced: Json
    #: Beside its original, in its second revision.
    changed: Json
    #: Beside its original, with the same content.
    copied: Json


@pytest_asyncio.fixture(scope="module", loop_scope="session")
async def mixed(module_service: Service, project: Json) -> ProjectWithVariants:
    originals = await module_service.files(project["id"])

    async def variant(**fields: str) -> Json:
        original = originals["config/a.yaml"]
        return await module_service.variant(project["id"], original, **fields)

    replaced = await variant(content="model: mine\n")
    changed = await variant(modified_name="b.yaml")
    copied = await variant(modified_name="c.yaml")
    changed = await module_service.put(
        f"/modified-files/{changed['id']}", {"content": "model: other\n"}
    )
    return ProjectWithVariants(project["id"], originals, replaced, changed, copied)


@pytest_asyncio.fixture(scope="module", loop_scope="session")
async def bare(module_service: Service, project: Json) -> Json:
    """Another project of the same repository, without variants."""
    del project
    return await module_service.synced("acme/bench", name="bare")


async def test_a_release_reports_what_it_holds(
    service: Service, mixed: ProjectWithVariants, files: dict[str, bytes]
) -> None:
    answer = await service.http.post(
        f"/projects/{mixed.id}/releases",
        json={"name": " nightly ", "description": "why", "pinned": True},
        headers={"X-Actor": "ada"},
    )
    assert answer.status_code == 201, answer.text
    release = answer.json()
    held = {**files, **REPLACED, **CHANGED, **COPIED}
    assert release.keys() == MEMBERS | {"files", "makings"}
    expected = {
        "digest": digest_of(held),
        "name": "nightly",
        "description": "why",
        "pinned": True,
        "project_id": mixed.id,
        "created_by": "ada",
        "files_count": 5,
        "size": sum(map(len, held.values())),
        "makings_count": 1,
    }
    assert {name: release[name] for name in expected} == expected
    shared = ("project_id", "name", "description", "created_at", "created_by")
    assert release["makings"] == [{"number": 1, **{name: release[name] for name in shared}}]
    assert answer.headers["location"] == f"/releases/{digest_of(held)}"
    assert await service.get(answer.headers["location"]) == release
    assert await files_of(service, release) == held


async def test_a_release_reports_the_origin_of_each_file(
    service: Service, mixed: ProjectWithVariants, files: dict[str, bytes]
) -> None:
    release = await make_release(service, {"id": mixed.id})
    assert [row for row in release["files"] if row.keys() != FILE_MEMBERS] == []
    held = {**files, **REPLACED, **CHANGED, **COPIED}
    assert [(row["path"], row["sha256"], row["size"]) for row in release["files"]] == [
        (path, sha256_of(data), len(data)) for path, data in sorted(held.items())
    ]
    of = {path: mixed.originals.get(path, mixed.originals["config/a.yaml"]) for path in held}
    assert {row["path"]: (row["original_sha"], row["commit_sha"]) for row in release["files"]} == {
        path: (original["sha"], original["commit_sha"]) for path, original in of.items()
    }
    assert {
        row["path"]: (row["source"], row["modified_file_id"], row["revision"])
        for row in release["files"]
    } == {
        "config/a.yaml": ("modified", mixed.replaced["id"], 1),
        "config/b.yaml": ("modified", mixed.changed["id"], 2),
        "config/c.yaml": ("modified", mixed.copied["id"], 1),
        "config/deep/b.json": ("original", None, None),
        "job/run.yaml": ("original", None, None),
    }


@pytest.mark.parametrize(
    ("body", "chosen"),
    [
        ({}, {**REPLACED, **CHANGED, **COPIED}),
        ({"include": "all"}, {**REPLACED, **CHANGED, **COPIED}),
        ({"modified_file_ids": None}, {**REPLACED, **CHANGED, **COPIED}),
        ({"include": "originals"}, {}),
        ({"modified_file_ids": []}, {}),
    ],
    ids=["nothing chosen", "all", "no list", "originals", "an empty list"],
)
async def test_a_release_holds_originals_and_the_chosen_variants(
    service: Service,
    mixed: ProjectWithVariants,
    files: dict[str, bytes],
    body: Json,
    chosen: dict[str, bytes],
) -> None:
    answer = await service.http.post(f"/projects/{mixed.id}/releases", json=body)
    held = {**files, **chosen}
    assert answer.json()["digest"] == digest_of(held)
    assert await files_of(service, answer.json()) == held


async def test_a_release_may_hold_variants_alone(
    service: Service, mixed: ProjectWithVariants
) -> None:
    release = await make_release(service, {"id": mixed.id}, include="modified")
    held = {**REPLACED, **CHANGED, **COPIED}
    assert release["digest"] == digest_of(held)
    assert await files_of(service, release) == held


async def test_variants_are_chosen_by_their_ids(
    service: Service, mixed: ProjectWithVariants, files: dict[str, bytes]
) -> None:
    """An id that is given twice counts once."""
    ids = [mixed.changed["id"], mixed.changed["id"]]
    release = await make_release(service, {"id": mixed.id}, modified_file_ids=ids)
    held = {**files, **CHANGED}
    assert release["digest"] == digest_of(held)
    assert await files_of(service, release) == held


async def test_chosen_variants_may_be_released_alone(
    service: Service, mixed: ProjectWithVariants
) -> None:
    ids = [mixed.copied["id"]]
    release = await make_release(
        service, {"id": mixed.id}, include="modified", modified_file_ids=ids
    )
    assert release["digest"] == digest_of(COPIED)
    assert await files_of(service, release) == COPIED


async def assert_nothing_released(service: Service, project: Json) -> None:
    assert await service.rows(f"/projects/{project['id']}/releases") == []


@pytest.mark.parametrize("unknown", [UNKNOWN, "x", ""], ids=["absent", "no id", "empty"])
async def test_an_unknown_variant_is_not_released(
    module_service: Service, bare: Json, unknown: str
) -> None:
    path = f"/projects/{bare['id']}/releases"
    answer = await module_service.http.post(path, json={"modified_file_ids": [unknown]})
    assert_problem(answer, 404, "modified_file_not_found")
    await assert_nothing_released(module_service, bare)


async def test_a_variant_of_another_project_is_not_released(
    module_service: Service, bare: Json, mixed: ProjectWithVariants
) -> None:
    path = f"/projects/{bare['id']}/releases"
    answer = await module_service.http.post(path, json={"modified_file_ids": [mixed.copied["id"]]})
    assert_problem(answer, 404, "modified_file_not_found")
    await assert_nothing_released(module_service, bare)


async def test_a_surrogate_is_the_id_of_no_variant(module_service: Service, bare: Json) -> None:
    answer = await module_service.http.post(
        f"/projects/{bare['id']}/releases",
        content=b'{"modified_file_ids": ["\\ud800"]}',
        headers={"Content-Type": "application/json"},
    )
    assert answer.status_code in {404, 422}, answer.text
    await assert_nothing_released(module_service, bare)


@pytest.mark.parametrize(
    "body",
    [{"include": "modified"}, {"include": "modified", "modified_file_ids": []}],
    ids=["no variant", "no chosen variant"],
)
async def test_a_release_without_files_is_refused(
    module_service: Service, bare: Json, body: Json
) -> None:
    answer = await module_service.http.post(f"/projects/{bare['id']}/releases", json=body)
    assert_problem(answer, 422, "nothing_to_release")
    await assert_nothing_released(module_service, bare)


async def test_a_project_that_was_never_synced_is_not_released(
    service: Service, project: Json
) -> None:
    del project
    empty = await service.project("acme/bench", name="never synced")
    answer = await service.http.post(f"/projects/{empty['id']}/releases", json={})
    assert_problem(answer, 422, "nothing_to_release")
    await assert_nothing_released(service, empty)


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("pinned", "yes"),
        ("pinned", 1),
        ("include", "both"),
        ("name", "a\nb"),
        ("name", "x" * 201),
        ("nmae", "x"),
    ],
    ids=["text", "number", "no choice", "two lines", "201 characters", "unknown field"],
)
async def test_a_wrong_field_is_named(
    module_service: Service, bare: Json, field: str, value: Any
) -> None:
    answer = await module_service.http.post(f"/projects/{bare['id']}/releases", json={field: value})
    assert fields_at_fault(answer) == {field}
    await assert_nothing_released(module_service, bare)


async def test_originals_alone_and_chosen_variants_exclude_each_other(
    module_service: Service, bare: Json
) -> None:
    body = {"include": "originals", "modified_file_ids": []}
    answer = await module_service.http.post(f"/projects/{bare['id']}/releases", json=body)
    assert fields_at_fault(answer) == {"modified_file_ids"}
    await assert_nothing_released(module_service, bare)


async def test_contents_of_an_older_version_are_hashed_when_first_released(
    service: Service, bare: Json, files: dict[str, bytes]
) -> None:
    collection = service.services.database.collection("blobs")
    await collection.update_many({}, {"$unset": {"sha256": 1}})
    release = await make_release(service, bare)
    assert release["digest"] == digest_of(files)
    expected = {blob_id(data): sha256_of(data) for data in files.values()}
    rows = collection.find({"_id": {"$in": [*expected]}})
    assert {row["_id"]: row.get("sha256") async for row in rows} == expected
