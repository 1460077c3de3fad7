"""Names of modified files: which are allowed, and that each is taken once."""

from typing import Any

import pytest
import pytest_asyncio

from benchmark_manager.stores.contents.blobs import BlobStore
from support.problems import assert_problem, fields_at_fault
from support.replacements import beside, replaced
from support.service import Json, Service
from support.variant_requests import send_variant

YAML, JSON_FILE = "config/a.yaml", "config/deep/b.json"
ALLOWED = [
    (YAML, "b.yaml"),
    (YAML, "b.yml"),
    (YAML, "B.YAML"),
    (YAML, "ü 🚀.yml"),
    pytest.param(YAML, "x" * 250 + ".yaml", id="255 bytes"),
    (YAML, "..yaml"),
    (YAML, "-.yml"),
    (YAML, ".yaml"),
    (YAML, "a:b*?.yaml"),
    (JSON_FILE, "B.JSON"),
]
FORBIDDEN = [
    pytest.param("", id="empty"),
    ".",
    "..",
    "b",
    "b.json",
    "b.yaml.txt",
    "a/b.yaml",
    "/b.yaml",
    "a\\b.yaml",
    "../b.yaml",
    "b.yaml/",
    "a\nb.yaml",
    "a\x00.yaml",
    "a\x7f.yaml",
    "a\x9f.yaml",
    pytest.param("x" * 251 + ".yaml", id="256 bytes of ASCII"),
    pytest.param("ü" * 126 + ".yaml", id="257 bytes of UTF-8"),
    " b.yaml ",
]
ODD = {"config/a\\b.yaml": b"a: 1\n", "config/tab\there.yaml": b"a: 2\n"}


@pytest_asyncio.fixture(scope="module", loop_scope="session")
async def named(module_service: Service, originals: dict[str, Json]) -> Json:
    """A variant that is never renamed."""
    original = originals[YAML]
    return await module_service.variant(
        original["project_id"], original, modified_name="named.yaml"
    )


@pytest_asyncio.fixture(scope="module", loop_scope="session")
async def odd_originals(module_service: Service) -> dict[str, Json]:
    """Originals whose own names variants may not have."""
    module_service.repository("acme/odd", ODD)
    project = await module_service.synced("acme/odd")
    return await module_service.files(project["id"])


@pytest.mark.parametrize(("path", "name"), ALLOWED)
async def test_a_file_name_which_fits_the_format_is_allowed(
    service: Service, originals: dict[str, Json], path: str, name: str
) -> None:
    answer = await send_variant(service, originals[path], modified_name=name)
    assert (answer.status_code, answer.json()["modified_name"]) == (201, name)


@pytest.mark.parametrize("name", FORBIDDEN)
async def test_no_variant_is_created_with_a_forbidden_name(
    module_service: Service, originals: dict[str, Json], name: str
) -> None:
    answer = await send_variant(module_service, originals[YAML], modified_name=name)
    assert fields_at_fault(answer, "invalid_name") == {"modified_name"}


@pytest.mark.parametrize("name", ["b.yaml", "b.yml", "json"])
async def test_no_variant_of_a_json_file_has_a_name_of_another_format(
    module_service: Service, originals: dict[str, Json], name: str
) -> None:
    answer = await send_variant(module_service, originals[JSON_FILE], modified_name=name)
    assert fields_at_fault(answer, "invalid_name") == {"modified_name"}


@pytest.mark.parametrize("name", FORBIDDEN)
async def test_no_variant_is_renamed_to_a_forbidden_name(
    module_service: Service, named: Json, name: str
) -> None:
    answer = await module_service.http.put(
        f"/modified-files/{named['id']}", json={"modified_name": name}
    )
    assert fields_at_fault(answer, "invalid_name") == {"modified_name"}


@pytest.mark.parametrize("path", ODD)
async def test_an_original_whose_own_name_breaks_the_rules_needs_one_given(
    service: Service, odd_originals: dict[str, Json], path: str
) -> None:
    refused = await send_variant(service, odd_originals[path])
    assert fields_at_fault(refused, "invalid_name") == {"modified_name"}
    made = await send_variant(service, odd_originals[path], modified_name="given.yaml")
    assert made.status_code == 201


async def test_a_folder_and_name_are_taken_once_in_a_project(
    service: Service, originals: dict[str, Json], project: Json
) -> None:
    original = originals["config/a.yaml"]
    first = await service.variant(project["id"], original)
    second = await service.variant(project["id"], original, modified_name="b.yaml")
    assert_problem(await send_variant(service, original), 409, "name_taken")
    assert_problem(
        await send_variant(service, originals["config/[x].yaml"], modified_name="b.yaml"),
        409,
        "name_taken",
    )
    answer = await service.http.put(
        f"/modified-files/{second['id']}", json={"modified_name": "a.yaml"}
    )
    assert_problem(answer, 409, "name_taken")
    assert await service.get(f"/modified-files/{second['id']}") == second
    assert (
        await send_variant(service, originals["job/run.yaml"], modified_name="b.yaml")
    ).status_code == 201
    await service.http.delete(f"/modified-files/{first['id']}")
    assert (await send_variant(service, original)).status_code == 201
    other = await service.synced("acme/bench", name="other")
    assert (
        await send_variant(service, (await service.files(other["id"]))["config/a.yaml"])
    ).status_code == 201


async def test_a_save_sets_its_name_though_another_client_renamed_the_file_meanwhile(
    service: Service, originals: dict[str, Json]
) -> None:
    original = originals["config/a.yaml"]
    variant = await service.variant(original["project_id"], original, modified_name="mine.yaml")
    path = f"/modified-files/{variant['id']}"

    class RenamedMeanwhile(BlobStore):
        """Before this store writes a content, another client renames the variant."""

        async def put(self, *arguments: Any) -> list[str]:
            with replaced(service, variants=own):
                await service.put(path, {"modified_name": "theirs.yaml"})
            return await super().put(*arguments)

    own = service.services.variants
    late = beside(service, blobs=RenamedMeanwhile(service.services.database))
    with replaced(service, variants=late.variants):
        saved = await service.put(path, {"modified_name": "mine.yaml", "content": "mine: 1\n"})
    assert (saved["modified_name"], saved["content"], saved["revision"]) == (
        "mine.yaml",
        "mine: 1\n",
        3,
    )
    assert await service.get(path) == saved
