"""Receipts through the API: which files of a release machines say that they have."""

import hashlib
import json
from collections.abc import AsyncIterator
from typing import Any, Final

import pytest
import pytest_asyncio

from support.problems import assert_problem, fields_at_fault
from support.service import Json, Service
from support.swept import FILES, NAME, SweptProject, swept_project
from support.unchanged_service import unchanged_service

SUMS: Final = {path: hashlib.sha256(data).hexdigest() for path, data in FILES.items()}
OTHER: Final = "0" * 64
UNKNOWN: Final = "f" * 24


@pytest_asyncio.fixture(scope="module", loop_scope="session")
async def shared_project(module_service: Service) -> SweptProject:
    return await swept_project(module_service)


@pytest.fixture
async def project(shared_project: SweptProject) -> AsyncIterator[SweptProject]:
    async with unchanged_service(shared_project.service):
        yield shared_project


@pytest_asyncio.fixture(scope="module", loop_scope="session")
async def shared_on_either(module_either: Service) -> SweptProject:
    return await swept_project(module_either)


@pytest.fixture
async def on_either(shared_on_either: SweptProject) -> AsyncIterator[SweptProject]:
    async with unchanged_service(shared_on_either.service):
        yield shared_on_either


@pytest_asyncio.fixture(scope="module", loop_scope="session")
async def release(shared_project: SweptProject) -> Json:
    return await shared_project.service.post(f"{shared_project.home}/releases", {}, 201)


async def receipt(project: SweptProject, release: Json, **body: Any) -> Json:
    path = f"/releases/{release['digest']}/receipts"
    return await project.service.post(path, body, 201)


async def test_a_receipt_says_what_a_machine_had(on_either: SweptProject) -> None:
    project = on_either
    release = await project.service.post(f"{project.home}/releases", {}, 201)
    machine = {
        "node": "gpu-node-7",
        "image_id": "docker.io/vllm/vllm-openai@sha256:" + OTHER,
        "gpus": ["NVIDIA H100 80GB HBM3"] * 2,
        "driver": "570.124.06",
    }
    made = await receipt(project, release, files=SUMS, **machine)
    assert {name: made[name] for name in machine} == machine
    assert (made["status"], made["files"], made["differing"]) == ("verified", len(FILES), [])
    assert (made["release"], made["project_id"]) == (release["digest"], project.id)
    assert await project.service.get(f"/receipts/{made['id']}") == made


async def test_a_receipt_names_changed_missing_and_additional_files(
    project: SweptProject, release: Json
) -> None:
    files = {**SUMS, "config/engine.yaml": OTHER, "config/a new\nfile": OTHER}
    del files["job/bench.yaml"]
    made = await receipt(project, release, files=files)
    assert made["status"] == "differs"
    assert made["differing"] == ["config/a new\nfile", "config/engine.yaml", "job/bench.yaml"]
    assert made["differing_count"] == 3


async def test_the_digest_of_the_files_replaces_their_list(
    project: SweptProject, release: Json
) -> None:
    made = await receipt(project, release, digest=release["digest"])
    assert (made["status"], made["differing"], made["files"]) == ("verified", [], len(FILES))


async def test_another_digest_differs_without_paths(project: SweptProject, release: Json) -> None:
    made = await receipt(project, release, digest=f"sha256:{OTHER}")
    assert (made["status"], made["differing"], made["differing_count"]) == ("differs", [], 0)


async def test_a_receipt_of_a_machine_alone_verifies_nothing(
    project: SweptProject, release: Json
) -> None:
    made = await receipt(project, release, node="gpu-node-7", driver="", gpus=[])
    assert (made["status"], made["node"], made["driver"]) == ("not_verified", "gpu-node-7", None)


async def test_a_receipt_keeps_a_bounded_number_of_paths(
    project: SweptProject, release: Json
) -> None:
    files = {f"config/{number:05}.yaml": OTHER for number in range(1500)}
    made = await receipt(project, release, files=files)
    assert (len(made["differing"]), made["differing_count"]) == (1000, 1500 + len(FILES))


async def test_a_receipt_keeps_a_bounded_length_of_paths(
    project: SweptProject, release: Json
) -> None:
    files = {f"{number:04096}": OTHER for number in range(200)}
    made = await receipt(project, release, files=files)
    assert 0 < len(made["differing"]) < 100
    assert made["differing_count"] == 200 + len(FILES)


async def test_a_cell_has_receipts_as_any_release(project: SweptProject) -> None:
    sweep = await project.sweep()
    cell = (await project.cells(sweep))[1]
    texts = {path: await project.text(cell, path) for path in FILES}
    sums = {path: hashlib.sha256(text).hexdigest() for path, text in texts.items()}
    assert (await receipt(project, cell, files=sums))["status"] == "verified"


async def test_a_release_of_several_projects_needs_the_project_of_a_receipt(
    project: SweptProject, release: Json
) -> None:
    other = await project.service.synced(NAME, name="the same again")
    await project.service.post(f"/projects/{other['id']}/releases", {}, 200)
    path = f"/releases/{release['digest']}/receipts"
    answer = await project.service.http.post(path, json={})
    assert fields_at_fault(answer, "project_required") == {"project_id"}
    made = await receipt(project, release, project_id=other["id"])
    assert made["project_id"] == other["id"]


async def test_a_project_that_has_not_made_the_release_gets_no_receipt(
    project: SweptProject, release: Json
) -> None:
    other = await project.service.project(NAME, name="without releases")
    path = f"/releases/{release['digest']}/receipts"
    answer = await project.service.http.post(path, json={"project_id": other["id"]})
    assert fields_at_fault(answer, "project_mismatch") == {"project_id"}


async def test_an_unknown_receipt_is_not_found(shared_project: SweptProject) -> None:
    answer = await shared_project.service.http.get(f"/receipts/{UNKNOWN}")
    assert_problem(answer, 404, "receipt_not_found")


async def test_receipts_of_a_deleted_project_are_gone(on_either: SweptProject) -> None:
    project = on_either
    release = await project.service.post(f"{project.home}/releases", {}, 201)
    made = await receipt(project, release, files=SUMS)
    answer = await project.service.http.delete(project.home)
    assert answer.status_code == 204
    await project.service.services.housekeeping.sweep_deleted_projects()
    answer = await project.service.http.get(f"/receipts/{made['id']}")
    assert_problem(answer, 404, "receipt_not_found")


@pytest.mark.parametrize(
    ("body", "field"),
    [
        ({"files": {"a": "x"}}, "files.a"),
        ({"files": {"a": 1}}, "files.a"),
        ({"files": [{"path": "a", "sha256": OTHER}]}, "files"),
        ({"files": {"a" * 5000: OTHER}}, "files"),
        ({"files": {"\ud800": OTHER}}, "files"),
        ({"digest": OTHER}, "digest"),
        ({"digest": f"sha256:{OTHER}", "files": SUMS}, "body"),
        ({"node": "two\nlines"}, "node"),
        ({"node": "n" * 256}, "node"),
        ({"image_id": "i" * 501}, "image_id"),
        ({"gpus": ["H100"] * 65}, "gpus"),
        ({"gpus": ["<b>\x1b[31m"]}, "gpus.0"),
        ({"gpus": "H100"}, "gpus"),
        ({"driver": "1" * 101}, "driver"),
        ({"status": "verified"}, "status"),
    ],
    ids=[
        *("no checksum", "a number", "a list", "long path", "surrogate", "no prefix", "both"),
        *("two lines", "long node", "long image", "many gpus", "control", "one gpu"),
        *("long driver", "unknown field"),
    ],
)
async def test_what_a_receipt_cannot_hold_is_refused(
    shared_project: SweptProject, release: Json, body: Json, field: str
) -> None:
    answer = await shared_project.service.http.post(
        f"/releases/{release['digest']}/receipts",
        content=json.dumps(body),
        headers={"Content-Type": "application/json"},
    )
    assert any(one.startswith(field) for one in fields_at_fault(answer))
