"""How many commands of the database a read takes, and that fewer of them return the truth."""

import pytest
import pytest_asyncio

from benchmark_manager.api.originals.shapes import OriginalFileAnswer, OriginalFileWithContent
from benchmark_manager.api.variants.shapes import ModifiedFileAnswer, ModifiedFileWithContent
from support.database_commands import noted_commands
from support.service import Json, Service

DOUBTFUL = b"a: yes\na: no\n"


@pytest_asyncio.fixture(scope="module", loop_scope="session")
async def with_a_variant(module_service: Service, files: dict[str, bytes]) -> tuple[Json, Json]:
    """A synced project, one of whose files has problems, and a variant of another."""
    service = module_service
    service.repository("acme/read", {**files, "config/doubtful.yaml": DOUBTFUL})
    project = await service.synced("acme/read")
    originals = await service.files(project["id"])
    assert originals["config/doubtful.yaml"]["problems"]
    return project, await service.variant(project["id"], originals["config/a.yaml"])


async def commands(service: Service, path: str, **params: str) -> list[str]:
    with noted_commands() as noted:
        answer = await service.http.get(path, params=params)
    assert answer.status_code == 200, answer.text
    return noted


@pytest.mark.parametrize("file", ["config/a.yaml", "config/doubtful.yaml"])
@pytest.mark.parametrize("suffix", ["", "/raw"])
async def test_one_original_is_one_command(
    module_service: Service, with_a_variant: tuple[Json, Json], file: str, suffix: str
) -> None:
    project, _ = with_a_variant
    found = (await module_service.files(project["id"]))[file]
    path = f"/projects/{project['id']}/files/{found['id']}{suffix}"
    assert await commands(module_service, path) == ["aggregate"]


@pytest.mark.parametrize("suffix", ["", "/raw"])
async def test_one_variant_is_one_command(
    module_service: Service, with_a_variant: tuple[Json, Json], suffix: str
) -> None:
    _, variant = with_a_variant
    assert await commands(module_service, f"/modified-files/{variant['id']}{suffix}") == [
        "aggregate"
    ]


@pytest.mark.parametrize(
    "params", [{"limit": "1"}, {"file_type": "config", "limit": "2"}, {"q": "a.yaml"}]
)
async def test_a_list_of_originals_is_one_command(
    module_service: Service, with_a_variant: tuple[Json, Json], params: dict[str, str]
) -> None:
    project, _ = with_a_variant
    assert await commands(module_service, f"/projects/{project['id']}/files", **params) == [
        "aggregate"
    ]


async def test_problems_of_a_list_are_one_command_more(
    module_service: Service, with_a_variant: tuple[Json, Json]
) -> None:
    project, _ = with_a_variant
    assert await commands(module_service, f"/projects/{project['id']}/files") == [
        "aggregate",
        "find",
    ]


async def test_a_list_of_variants_is_one_command(
    module_service: Service, with_a_variant: tuple[Json, Json]
) -> None:
    project, _ = with_a_variant
    assert await commands(module_service, f"/projects/{project['id']}/modified-files") == [
        "aggregate"
    ]


async def test_answers_have_the_fields_of_their_shapes_in_order(
    module_service: Service, with_a_variant: tuple[Json, Json]
) -> None:
    project, variant = with_a_variant
    at = f"/projects/{project['id']}"
    originals = await module_service.rows(f"{at}/files")
    assert list(originals[0]) == list(OriginalFileAnswer.model_fields)
    assert list(await module_service.get(f"{at}/files/{originals[0]['id']}")) == list(
        OriginalFileWithContent.model_fields
    )
    assert list((await module_service.rows(f"{at}/modified-files"))[0]) == list(
        ModifiedFileAnswer.model_fields
    )
    assert list(await module_service.get(f"/modified-files/{variant['id']}")) == list(
        ModifiedFileWithContent.model_fields
    )


#: Parameters of lists by what they select.
FILTERS = {
    "all": {},
    "config": {"file_type": "config"},
    "job": {"file_type": "job"},
    "a": {"q": "a.yaml"},
    "removed too": {"include_removed": "true"},
}


async def totals(service: Service, project: Json) -> dict[str, int]:
    """What lists say that they have in all, by the filter, checked against their rows."""
    path = f"/projects/{project['id']}/files"
    answers = {
        name: await service.http.get(path, params=params) for name, params in FILTERS.items()
    }
    found = {name: int(answer.headers["x-total-count"]) for name, answer in answers.items()}
    assert found == {name: len(answer.json()) for name, answer in answers.items()}
    return found


@pytest.fixture(params=["service", "embedded_service"])
def on_each_database(request: pytest.FixtureRequest) -> Service:
    found: Service = request.getfixturevalue(request.param)
    return found


async def test_totals_are_those_of_the_last_sync(
    on_each_database: Service, files: dict[str, bytes]
) -> None:
    service = on_each_database
    repository = service.repository("acme/bench", files)
    project = await service.project("acme/bench")
    assert await totals(service, project) == dict.fromkeys(FILTERS, 0)
    await service.sync(project["id"])
    first = {"all": 3, "config": 2, "job": 1, "a": 1, "removed too": 3}
    assert await totals(service, project) == first
    await service.variant(project["id"], (await service.files(project["id"]))["config/a.yaml"])
    repository.commit({"config/a.yaml": None, "job/b.yaml": b"b: 1\n", "job/c.yaml": b"c: 1\n"})
    await service.sync(project["id"])
    second = {"all": 4, "config": 1, "job": 3, "a": 0, "removed too": 5}
    assert await totals(service, project) == second
    await service.sync(project["id"])
    assert (await totals(service, project))["all"] == 4
    await service.put(f"/projects/{project['id']}", {"config_folder": "elsewhere"})
    assert (await totals(service, project))["all"] == 4
    await service.sync(project["id"])
    assert (await totals(service, project))["all"] == 3


async def test_originals_are_counted_where_no_sync_has_left_their_number(
    service: Service, files: dict[str, bytes]
) -> None:
    service.repository("acme/bench", files)
    project = await service.synced("acme/bench")
    # As an earlier version left it.
    changed = await service.services.database.collection("projects").update_many(
        {"name": "acme/bench"}, {"$unset": {"state.originals": 1}}
    )
    assert changed.modified_count == 1
    assert await totals(service, project) == {
        "all": 3,
        "config": 2,
        "job": 1,
        "a": 1,
        "removed too": 3,
    }
    assert (await service.sync(project["id"]))["unchanged"] is not None
    assert (await totals(service, project))["all"] == 3
