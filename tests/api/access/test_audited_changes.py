"""Every route that changes something writes one record, which names what it changed."""

from collections.abc import AsyncIterator, Callable, Sequence
from dataclasses import replace
from typing import Final

import httpx2 as httpx
import pytest
import pytest_asyncio
from pydantic import SecretStr

from benchmark_manager.factory import Services
from benchmark_manager.models.access.audit import AuditRecord
from benchmark_manager.stores.access.audit import AuditStore
from benchmark_manager.stores.database.database import Session
from benchmark_manager.stores.database.indexes import INDEXES
from github_test_server import GitHubTestServer
from support.audited_changes import FILES, SCENARIOS, AuditedChange, AuditedProject
from support.problems import described_routes
from support.replacements import beside
from support.reused_database import reused_database
from support.signed_in import ADMIN, guarded_service
from support.unchanged_database import Stored, stored_documents, unchanged
from support.waiting import eventually

#: Without a token, GitHub allows 60 requests an hour.
TOKEN: Final = "token-of-the-service"
#: Changes nothing but when a project is synced, or nothing at all; and what can be done only once,
#: which a test of its own covers.
NOT_TRIED: Final = frozenset(
    {
        *("POST /validate", "POST /repositories/preview", "POST /webhooks/github", "POST /setup"),
        "POST /projects/{project_id}/sweeps/import",
    }
)


@pytest_asyncio.fixture(scope="module", loop_scope="session")
async def made(
    mongod: str, tmp_path_factory: pytest.TempPathFactory
) -> AsyncIterator[AuditedProject]:
    folder = tmp_path_factory.mktemp("changes")
    with GitHubTestServer() as github:
        github.hosting.add_token(TOKEN)
        async with (
            reused_database(mongod) as url,
            guarded_service(url, github, folder, github_token=SecretStr(TOKEN)) as guarded,
        ):
            service = guarded.service
            repository = service.repository("acme/bench", FILES)
            project = await service.synced("acme/bench")
            originals = await service.files(project["id"])
            variant = await service.variant(
                project["id"],
                originals["config/a.yaml"],
                modified_name="v.yaml",
                content="y: 0\na: 1\n",
            )
            yield AuditedProject(guarded, repository, project, originals, variant)


@pytest.fixture
async def audited(made: AuditedProject) -> AsyncIterator[AuditedProject]:
    """The same for each test, whatever the tests before changed."""
    service = made.service
    cookies = httpx.Cookies(service.http.cookies)
    async with unchanged(service.services.database):
        yield made
        await eventually(lambda: not service.services.sync.running or None, "a sync runs on")
    service.http.cookies = cookies


def change_routes() -> set[str]:
    return {route.label for route in described_routes() if route.method != "get"}


def test_every_route_that_changes_something_is_tried_here() -> None:
    assert change_routes() - NOT_TRIED == SCENARIOS.keys()


class AuditStoreWithoutInserts(AuditStore):
    """Fails to write a record."""

    async def insert(
        self,
        records: Sequence[AuditRecord],
        session: Session | None = None,
        *,
        stored: Callable[[], None] = lambda: None,
    ) -> None:
        del records, session, stored
        raise RuntimeError("the record cannot be written")


#: What requests change: the other collections hold contents that nothing refers to yet, or what
#: ends by itself.
CHANGED: Final = (
    *("projects", "files", "modified_files", "revisions", "trash", "releases", "syncs"),
    *("sweeps", "sweep_versions", "sweep_cells", "release_makings", "receipts"),
    *("results", "parsed_results"),
    *("accounts", "grants", "sessions", "api_tokens", "federation_rules", "audit"),
)


async def stored(audited: AuditedProject) -> Stored:
    """Return all documents that requests change."""
    assert set(CHANGED) <= INDEXES.keys()
    found = await stored_documents(audited.service.services.database)
    return {name: documents for name, documents in found.items() if name in CHANGED}


@pytest.fixture(scope="module")
def without_records(made: AuditedProject) -> Services:
    """Services that write no record."""
    own = made.service.services
    failing = beside(made.service, audit=AuditStoreWithoutInserts(own.database))
    return replace(failing, identities=own.identities)


async def sent(audited: AuditedProject, route: str, change: AuditedChange) -> httpx.Response:
    return await audited.service.http.request(
        route.partition(" ")[0], change.path, json=change.body, params=dict(change.params)
    )


@pytest.mark.parametrize("route", sorted(SCENARIOS))
async def test_a_change_is_made_with_its_one_record_or_not_at_all(
    audited: AuditedProject, without_records: Services, route: str
) -> None:
    action, prepare = SCENARIOS[route]
    change = await prepare(audited)
    own, before = audited.service.services, await stored(audited)
    audited.service.app.state.services = without_records
    answer = await sent(audited, route, change)
    audited.service.app.state.services = own
    # Rebasing all variants reports each failure in its answer.
    assert answer.status_code == 500 or route.endswith("/rebase-all")
    assert await stored(audited) == before
    earlier = await audited.guarded.records()
    answer = await sent(audited, route, change)
    assert answer.is_success, answer.text
    [record, *others] = await audited.guarded.records()
    assert others == earlier
    found = (record.action, record.outcome, record.actor.name, record.keys)
    assert found == (action, "done", ADMIN, change.keys)
    assert record.object is not None
    assert record.object.name == change.name
    assert (record.address, record.request_id) != ("", "")


async def test_the_first_administrator_has_a_record(audited: AuditedProject) -> None:
    first = (await audited.guarded.records())[-1]
    assert (first.action, first.object and first.object.name) == ("account.create", ADMIN)
