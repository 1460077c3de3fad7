"""Status and metrics count what may be read."""

import pytest
import pytest_asyncio

from benchmark_manager.models.access.principal import Principal
from benchmark_manager.models.project import Totals
from benchmark_manager.services.operations.metrics import gauges_text
from support.principals import account, open_principal, reader_of, stranger
from support.service import Json, Service

FILES = {"config/a.yaml": b"a: 1\n", "config/b.yaml": b"b: 1\n"}


@pytest_asyncio.fixture(scope="module", loop_scope="session")
async def projects(module_either: Service) -> dict[str, Json]:
    """Three projects: one with two originals and a variant, an empty and a paused one.

    Tests only read them.
    """
    either = module_either
    either.repository("acme/full", FILES, private_to=["secret"])
    found = {
        "full": await either.synced("acme/full", github_token="secret"),
        "empty": await either.project("acme/empty"),
        "paused": await either.project("acme/paused"),
    }
    files = await either.files(found["full"]["id"])
    await either.variant(found["full"]["id"], files["config/a.yaml"], modified_name="mine.yaml")
    await either.post(f"/projects/{found['paused']['id']}/pause", None, 200)
    return found


def counted(totals: Totals) -> tuple[int, int, int, int]:
    return (
        totals.projects,
        totals.original_files,
        totals.modified_files,
        totals.projects_paused,
    )


@pytest.mark.usefixtures("projects")
async def test_who_reads_all_counts_all(module_either: Service) -> None:
    totals = await module_either.services.status.totals(account(role="reader"))
    assert counted(totals) == (3, 2, 1, 1)


async def test_only_projects_that_may_be_read_count(
    module_either: Service, projects: dict[str, Json]
) -> None:
    principal = reader_of(projects["full"]["id"], projects["empty"]["id"], "0" * 24)
    totals = await module_either.services.status.totals(principal)
    assert counted(totals) == (2, 2, 1, 0)
    by_status = totals.projects_by_sync_status
    assert {name: count for name, count in by_status.items() if count} == {"ok": 1, "never": 1}


async def test_files_of_other_projects_do_not_count(
    module_either: Service, projects: dict[str, Json]
) -> None:
    totals = await module_either.services.status.totals(reader_of(projects["paused"]["id"]))
    assert counted(totals) == (1, 0, 0, 1)


@pytest.mark.usefixtures("projects")
async def test_who_may_read_nothing_counts_nothing(module_either: Service) -> None:
    totals = await module_either.services.status.totals(stranger())
    assert (counted(totals), totals.next_poll_at, totals.projects_due) == ((0, 0, 0, 0), None, 0)


@pytest.fixture
def principal(request: pytest.FixtureRequest, projects: dict[str, Json]) -> Principal:
    """One who may read the project of this name, or anybody."""
    name: str | None = request.param
    return open_principal("jo") if name is None else reader_of(projects[name]["id"])


@pytest.mark.parametrize(
    ("principal", "shown"),
    [("full", {"token"}), ("empty", set()), (None, {"token"})],
    indirect=["principal"],
    ids=["its project", "another project", "all"],
)
async def test_the_limits_of_a_projects_own_token_are_shown_to_its_readers(
    module_either: Service, principal: Principal, shown: set[str]
) -> None:
    governors = await module_either.services.status.governors(principal)
    assert {row.kind for row in governors if row.kind == "token"} == shown


async def test_a_reader_of_some_projects_gets_no_counters_of_all(
    module_either: Service, projects: dict[str, Json]
) -> None:
    totals = await module_either.services.status.totals(reader_of(projects["empty"]["id"]))
    text = gauges_text(totals, []).decode()
    assert 'benchmark_manager_projects{status="never"} 1.0' in text
    assert "_total" not in text
