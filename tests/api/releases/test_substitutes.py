"""Variants that a release holds at the paths of their originals."""

from dataclasses import dataclass

import pytest
import pytest_asyncio

from support.problems import assert_problem
from support.released import files_of, make_release
from support.service import Json, Service

UNKNOWN = "65f0c0ffee65f0c0ffee65f0"


@dataclass(frozen=True)
class Substituted:
    service: Service
    project: Json
    #: Of `config/a.yaml`.
    variant: Json


@pytest_asyncio.fixture(scope="module", loop_scope="session")
async def substituted(module_service: Service, files: dict[str, bytes]) -> Substituted:
    module_service.repository("acme/bench", files)
    project = await module_service.synced("acme/bench")
    original = (await module_service.files(project["id"]))["config/a.yaml"]
    variant = await module_service.variant(
        project["id"], original, modified_name="=.yaml", content="model: mine\n"
    )
    return Substituted(module_service, project, variant)


async def test_a_variant_substitutes_its_original(
    substituted: Substituted, files: dict[str, bytes]
) -> None:
    service, variant = substituted.service, substituted.variant
    release = await make_release(
        service,
        substituted.project,
        include="originals",
        substitute={"config/a.yaml": variant["id"]},
    )
    assert await files_of(service, release) == {**files, "config/a.yaml": b"model: mine\n"}
    [row] = [row for row in release["files"] if row["source"] == "modified"]
    assert (row["modified_file_id"], row["revision"]) == (variant["id"], 1)
    effective = await service.get(
        f"/projects/{substituted.project['id']}/effective",
        substitute=f"config/a.yaml={variant['id']}",
    )
    assert (effective["digest"], effective["files"]) == (release["digest"], release["files"])


wrong_substitutes = pytest.mark.parametrize(
    ("path", "variant_id", "status", "code"),
    [
        ("config/none.yaml", None, 404, "file_not_found"),
        ("config/a.yaml", UNKNOWN, 404, "modified_file_not_found"),
        ("job/run.yaml", None, 422, "substitute_mismatch"),
        ("config/a.yaml", "", 422, "invalid_request"),
    ],
    ids=["absent path", "absent variant", "another original", "no variant"],
)


@wrong_substitutes
async def test_a_wrong_substitute_is_not_shown(
    substituted: Substituted, path: str, variant_id: str | None, status: int, code: str
) -> None:
    given = substituted.variant["id"] if variant_id is None else variant_id
    answer = await substituted.service.http.get(
        f"/projects/{substituted.project['id']}/effective",
        params={"substitute": f"{path}={given}" if given else path},
    )
    assert_problem(answer, status, code)


@wrong_substitutes
async def test_a_wrong_substitute_is_not_released(
    substituted: Substituted, path: str, variant_id: str | None, status: int, code: str
) -> None:
    given = substituted.variant["id"] if variant_id is None else variant_id
    answer = await substituted.service.http.post(
        f"/projects/{substituted.project['id']}/releases",
        json={"substitute": {path: given or None}},
    )
    assert_problem(answer, status, code)
