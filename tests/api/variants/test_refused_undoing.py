"""Undeletions and undone resets that are refused."""

import pytest
import pytest_asyncio

from support.problems import assert_problem, fields_at_fault
from support.service import Json, Service

UNKNOWN = "65f0c0ffee65f0c0ffee65f0"


@pytest_asyncio.fixture(scope="module", loop_scope="session")
async def undelete(module_service: Service, originals: dict[str, Json]) -> str:
    """The address that undeletes a variant which is in the trash."""
    original = originals["config/a.yaml"]
    variant = await module_service.variant(original["project_id"], original)
    address = f"/modified-files/{variant['id']}"
    await module_service.http.delete(address)
    return f"{address}/undelete"


@pytest_asyncio.fixture(scope="module", loop_scope="session")
async def foreign_reset(module_service: Service, originals: dict[str, Json]) -> Json:
    """A reset of another project than that of the originals."""
    assert originals
    other = await module_service.synced("acme/bench", name="other")
    original = (await module_service.files(other["id"]))["config/a.yaml"]
    await module_service.variant(other["id"], original)
    answer = await module_service.http.delete(f"/projects/{other['id']}/modified-files")
    return {"project_id": other["id"], "reset_id": answer.json()["reset_id"]}


@pytest.mark.parametrize("name", ["", "v.json", "a/b.yaml", "v\0.yaml"])
async def test_an_undeletion_with_a_name_which_breaks_the_rules_is_refused(
    module_service: Service, undelete: str, name: str
) -> None:
    answer = await module_service.http.post(undelete, json={"modified_name": name})
    assert fields_at_fault(answer, "invalid_name") == {"modified_name"}


@pytest.mark.parametrize("content", [b"", b"null", b"[]"])
async def test_an_undeletion_with_json_that_is_no_object_is_refused(
    module_service: Service, undelete: str, content: bytes
) -> None:
    answer = await module_service.http.post(
        undelete, content=content, headers={"Content-Type": "application/json"}
    )
    assert fields_at_fault(answer) == {"body"}


@pytest.mark.parametrize("reset_id", [UNKNOWN, "x", "", "\0"])
async def test_a_reset_which_was_never_made_cannot_be_undone(
    module_service: Service, project: Json, reset_id: str
) -> None:
    answer = await module_service.http.post(
        f"/projects/{project['id']}/undo-reset", json={"reset_id": reset_id}
    )
    assert_problem(answer, 404, "reset_not_found")


async def test_a_reset_of_another_project_cannot_be_undone(
    module_service: Service, project: Json, foreign_reset: Json
) -> None:
    answer = await module_service.http.post(
        f"/projects/{project['id']}/undo-reset", json={"reset_id": foreign_reset["reset_id"]}
    )
    assert_problem(answer, 404, "reset_not_found")
    assert len(await module_service.rows(f"/projects/{foreign_reset['project_id']}/trash")) == 1
