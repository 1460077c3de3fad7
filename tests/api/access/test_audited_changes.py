"""Every route that changes something writes one record, which names what it changed."""

from collections.abc import AsyncIterator, Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Final

import httpx2 as httpx
import pytest
import pytest_asyncio
from pydantic import SecretStr

from benchmark_manager.models.access.audit import AuditRecord
from benchmark_manager.stores.access.audit import AuditStore
from benchmark_manager.stores.database.database import Session
from benchmark_manager.stores.database.indexes import INDEXES
from github_test_server import GitHubTestServer, Repository
from support.problems import described_routes
from support.replacements import beside
from support.reused_database import reused_database
from support.service import Json, Service
from support.signed_in import ADMIN, PASSWORD, Guarded, guarded_service
from support.unchanged_database import Stored, stored_documents, unchanged
from support.waiting import eventually

#: Without a token, GitHub allows 60 requests an hour.
TOKEN: Final = "token-of-the-service"
FILES: Final = {"config/a.yaml": b"a: 1\n", "config/b.yaml": b"b: 1\n"}
ANOTHER: Final = "seven quiet lanterns"
#: Changes nothing but when a project is synced, or nothing at all; and what can be done only once,
#: which a test of its own covers.
NOT_TRIED: Final = frozenset(
    {
        *("POST /validate", "POST /repositories/preview", "POST /webhooks/github", "POST /setup"),
        "POST /projects/{project_id}/sweeps/import",
    }
)


@dataclass(frozen=True)
class Change:
    """A request that changes something, and the facts that its record must have."""

    path: str
    #: What the record calls its object.
    name: str = ""
    body: Json | None = None
    keys: tuple[str, ...] = ()
    params: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True)
class World:
    """A service with a synced project and a variant in it."""

    guarded: Guarded
    repository: Repository
    project: Json
    originals: dict[str, Json]
    variant: Json

    @property
    def service(self) -> Service:
        return self.guarded.service

    @property
    def home(self) -> str:
        return f"/projects/{self.project['id']}"

    @property
    def variant_path(self) -> str:
        return f"/modified-files/{self.variant['id']}"

    async def release(self) -> Json:
        return await self.service.post(f"{self.home}/releases", {"name": "first"}, 201)

    async def sweep_path(self) -> str:
        sweep = await self.service.post(f"{self.home}/sweeps", definition(), 201)
        return f"/sweeps/{sweep['id']}"

    async def result_path(self) -> str:
        params = {"release": (await self.release())["digest"], "file_name": "a.json"}
        answer = await self.service.http.post("/results", params=params, content=b"{}")
        return f"/results/{answer.json()['id']}"

    async def another_account(self) -> Json:
        body = {"name": "lee", "password": ANOTHER, "role": "reader"}
        return await self.service.post("/accounts", body, 201)

    async def rule(self) -> Json:
        return await self.service.post("/federation", RULE, 201)

    async def upstream_changed(self) -> None:
        """Sync a change of the variant's original that merges without a conflict."""
        self.repository.commit({"config/a.yaml": b"a: 1\nz: 2\n"}, message="second")
        await self.service.sync(self.project["id"])

    async def deleted(self) -> None:
        answer = await self.service.http.delete(self.variant_path)
        assert answer.status_code == 204, answer.text


def definition(name: str = "sizes", *values: int) -> Json:
    """Return a sweep that sets `a` in one file."""
    axis = {"name": "x", "set": "a:a", "values": values or [1]}
    return {"name": name, "files": {"a": "config/a.yaml"}, "axes": [axis]}


RULE: Final[Json] = {
    "name": "ci",
    "issuer": "https://issuer.example.com",
    "audience": "bench",
    "subject": "repo:acme/bench",
}

Prepare = Callable[[World], Awaitable[Change]]
SCENARIOS: Final[dict[str, tuple[str, Prepare]]] = {}


def changing(route: str, action: str) -> Callable[[Prepare], Prepare]:
    """Register what is done before a change by this route, whose record has this action."""

    def registered(prepare: Prepare) -> Prepare:
        SCENARIOS[route] = (action, prepare)
        return prepare

    return registered


@changing("POST /projects", "project.create")
async def create_project(world: World) -> Change:
    if world.service.github.hosting.get("acme/more") is None:
        world.service.repository("acme/more", FILES)
    return Change("/projects", "more", {"name": "more", "github_repo_url": "acme/more"})


@changing("PUT /projects/{project_id}", "project.edit")
async def edit_project(world: World) -> Change:
    return Change(world.home, "renamed", {"name": "renamed"}, ("name",))


@changing("DELETE /projects/{project_id}", "project.delete")
async def delete_project(world: World) -> Change:
    return Change(world.home, "acme/bench")


@changing("POST /projects/{project_id}/pause", "project.pause")
async def pause(world: World) -> Change:
    return Change(f"{world.home}/pause", "acme/bench", keys=("paused",))


@changing("POST /projects/{project_id}/resume", "project.resume")
async def resume(world: World) -> Change:
    await world.service.post(f"{world.home}/pause", None, 200)
    return Change(f"{world.home}/resume", "acme/bench", keys=("paused",))


@changing("POST /projects/{project_id}/sync", "project.sync")
async def sync(world: World) -> Change:
    return Change(f"{world.home}/sync", "acme/bench")


@changing("POST /projects/sync-all", "project.sync")
async def sync_all(world: World) -> Change:
    del world
    return Change("/projects/sync-all")


@changing("POST /projects/{project_id}/modified-files", "variant.create")
async def create_variant(world: World) -> Change:
    body = {
        "original_file_id": world.originals["config/b.yaml"]["id"],
        "modified_name": "mine.yaml",
    }
    return Change(f"{world.home}/modified-files", "config/mine.yaml", body)


@changing("PUT /modified-files/{modified_file_id}", "variant.edit")
async def edit_variant(world: World) -> Change:
    body = {"content": "a: 3\n", "description": "three"}
    return Change(world.variant_path, "config/v.yaml", body, ("description", "content"))


@changing("DELETE /modified-files/{modified_file_id}", "variant.delete")
async def delete_variant(world: World) -> Change:
    return Change(world.variant_path, "config/v.yaml")


@changing("DELETE /projects/{project_id}/modified-files", "project.reset")
async def reset(world: World) -> Change:
    return Change(f"{world.home}/modified-files", "acme/bench")


@changing("POST /projects/{project_id}/undo-reset", "variant.undelete")
async def undo_reset(world: World) -> Change:
    answer = await world.service.http.delete(f"{world.home}/modified-files")
    # Which also brings the trash into the form that single variants are restored from.
    await world.service.rows(f"{world.home}/trash")
    body = {"reset_id": answer.json()["reset_id"]}
    return Change(f"{world.home}/undo-reset", "config/v.yaml", body)


@changing("POST /modified-files/{modified_file_id}/undelete", "variant.undelete")
async def undelete(world: World) -> Change:
    await world.deleted()
    return Change(f"{world.variant_path}/undelete", "config/v.yaml")


@changing("POST /modified-files/{modified_file_id}/restore", "variant.restore")
async def restore(world: World) -> Change:
    await world.service.put(world.variant_path, {"content": "a: 4\n"})
    return Change(f"{world.variant_path}/restore", "config/v.yaml", {"revision": 1}, ("content",))


@changing("POST /modified-files/{modified_file_id}/rebase", "variant.rebase")
async def rebase(world: World) -> Change:
    await world.upstream_changed()
    return Change(f"{world.variant_path}/rebase", "config/v.yaml", {}, ("content", "base"))


@changing("POST /projects/{project_id}/modified-files/rebase-all", "variant.rebase")
async def rebase_all(world: World) -> Change:
    await world.upstream_changed()
    path = f"{world.home}/modified-files/rebase-all"
    return Change(path, "config/v.yaml", None, ("content", "base"))


@changing("POST /modified-files/{modified_file_id}/reattach", "variant.reattach")
async def reattach(world: World) -> Change:
    body = {"original_file_id": world.originals["config/b.yaml"]["id"]}
    return Change(
        f"{world.variant_path}/reattach", "config/v.yaml", body, ("base", "original_file_id")
    )


@changing("POST /projects/{project_id}/releases", "release.create")
async def make_release(world: World) -> Change:
    return Change(f"{world.home}/releases", "nightly", {"name": "nightly"})


@changing("PUT /releases/{digest}", "release.edit")
async def edit_release(world: World) -> Change:
    digest = (await world.release())["digest"]
    return Change(
        f"/releases/{digest}", "best", {"name": "best", "pinned": True}, ("name", "pinned")
    )


@changing("POST /releases/{digest}/receipts", "receipt.create")
async def make_receipt(world: World) -> Change:
    digest = (await world.release())["digest"]
    return Change(f"/releases/{digest}/receipts", body={"node": "gpu-1"})


@changing("POST /results", "result.create")
async def upload_result(world: World) -> Change:
    params = {"release": (await world.release())["digest"], "file_name": "a.json"}
    return Change("/results", "a.json", {"metrics": {}}, params=params)


@changing("PUT /results/{result_id}", "result.edit")
async def edit_result(world: World) -> Change:
    body = {"labels": {"gpu": "H100"}, "note": "second"}
    return Change(await world.result_path(), "a.json", body, ("labels", "note"))


@changing("DELETE /results/{result_id}", "result.delete")
async def delete_result(world: World) -> Change:
    return Change(await world.result_path(), "a.json")


@changing("POST /results/{result_id}/undelete", "result.undelete")
async def undelete_result(world: World) -> Change:
    path = await world.result_path()
    assert (await world.service.http.delete(path)).status_code == 204
    return Change(f"{path}/undelete", "a.json")


@changing("POST /projects/{project_id}/sweeps", "sweep.create")
async def make_sweep(world: World) -> Change:
    return Change(f"{world.home}/sweeps", "sizes", definition())


@changing("PUT /sweeps/{sweep_id}", "sweep.edit")
async def edit_sweep(world: World) -> Change:
    path = await world.sweep_path()
    return Change(path, "more sizes", definition("more sizes", 1, 2), ("name", "axes"))


@changing("POST /sweeps/{sweep_id}/rebase", "sweep.rebase")
async def rebase_sweep(world: World) -> Change:
    path = await world.sweep_path()
    await world.upstream_changed()
    return Change(f"{path}/rebase", "sizes", keys=("base",))


@changing("DELETE /sweeps/{sweep_id}", "sweep.delete")
async def delete_sweep(world: World) -> Change:
    return Change(await world.sweep_path(), "sizes")


@changing("PUT /me/password", "account.password")
async def change_password(world: World) -> Change:
    del world
    return Change("/me/password", ADMIN, {"current_password": PASSWORD, "new_password": ANOTHER})


@changing("PUT /accounts/{account_id}/password", "account.password")
async def set_password(world: World) -> Change:
    account = await world.another_account()
    return Change(f"/accounts/{account['id']}/password", "lee", {"new_password": f"{ANOTHER}!"})


@changing("POST /sessions", "sign_in")
async def sign_in(world: World) -> Change:
    # The browser's session would end, which has a record of its own.
    world.service.http.cookies.clear()
    return Change("/sessions", body={"name": ADMIN, "password": PASSWORD})


@changing("DELETE /sessions", "session.delete_all")
async def end_sessions(world: World) -> Change:
    del world
    return Change("/sessions", ADMIN)


@changing("DELETE /sessions/{session_id}", "sign_out")
async def sign_out(world: World) -> Change:
    del world
    return Change("/sessions/current")


@changing("POST /accounts", "account.create")
async def create_account(world: World) -> Change:
    del world
    return Change("/accounts", "lee", {"name": "lee", "password": ANOTHER})


@changing("PUT /accounts/{account_id}", "account.edit")
async def edit_account(world: World) -> Change:
    account = await world.another_account()
    return Change(f"/accounts/{account['id']}", "lee", {"role": "editor"}, ("role",))


@changing("DELETE /accounts/{account_id}", "account.delete")
async def delete_account(world: World) -> Change:
    account = await world.another_account()
    return Change(f"/accounts/{account['id']}", "lee")


@changing("POST /tokens", "token.create")
async def create_token(world: World) -> Change:
    del world
    return Change("/tokens", "nightly", {"name": "nightly"})


@changing("DELETE /tokens/{token_id}", "token.delete")
async def revoke_token(world: World) -> Change:
    token = await world.service.post("/tokens", {"name": "nightly"}, 201)
    return Change(f"/tokens/{token['id']}", "nightly")


@changing("PUT /projects/{project_id}/grants", "grant.put")
async def put_grant(world: World) -> Change:
    account = await world.another_account()
    body = {"kind": "account", "id": account["id"], "role": "editor"}
    return Change(f"{world.home}/grants", "lee", body, ("role",))


@changing("DELETE /projects/{project_id}/grants", "grant.delete")
async def delete_grant(world: World) -> Change:
    account = await world.another_account()
    body = {"kind": "account", "id": account["id"], "role": "editor"}
    await world.service.put(f"{world.home}/grants", body)
    params = {"kind": "account", "id": account["id"]}
    return Change(f"{world.home}/grants", "lee", params=params)


@changing("POST /federation", "federation.create")
async def create_rule(world: World) -> Change:
    del world
    return Change("/federation", "ci", RULE)


@changing("PUT /federation/{rule_id}", "federation.edit")
async def edit_rule(world: World) -> Change:
    rule = await world.rule()
    return Change(f"/federation/{rule['id']}", "ci", {**RULE, "role": "editor"}, ("role",))


@changing("DELETE /federation/{rule_id}", "federation.delete")
async def delete_rule(world: World) -> Change:
    rule = await world.rule()
    return Change(f"/federation/{rule['id']}", "ci")


@pytest_asyncio.fixture(scope="module", loop_scope="session")
async def made(mongod: str, tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[World]:
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
            yield World(guarded, repository, project, originals, variant)


@pytest.fixture
async def world(made: World) -> AsyncIterator[World]:
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


@pytest.mark.parametrize("route", sorted(SCENARIOS))
async def test_a_change_has_one_record(world: World, route: str) -> None:
    action, prepare = SCENARIOS[route]
    change = await prepare(world)
    before = await world.guarded.records()
    answer = await world.service.http.request(
        route.partition(" ")[0], change.path, json=change.body, params=dict(change.params)
    )
    assert answer.is_success, answer.text
    [record, *others] = await world.guarded.records()
    assert others == before
    found = (record.action, record.outcome, record.actor.name, record.keys)
    assert found == (action, "done", ADMIN, change.keys)
    assert record.object is not None
    assert record.object.name == change.name
    assert (record.address, record.request_id) != ("", "")


class FailingStore(AuditStore):
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


async def stored(world: World) -> Stored:
    """Return all documents that requests change."""
    assert set(CHANGED) <= INDEXES.keys()
    found = await stored_documents(world.service.services.database)
    return {name: documents for name, documents in found.items() if name in CHANGED}


@pytest.mark.parametrize("route", sorted(SCENARIOS))
async def test_a_change_whose_record_cannot_be_written_is_not_made(
    world: World, route: str
) -> None:
    change = await SCENARIOS[route][1](world)
    own = world.service.services
    failing = beside(world.service, audit=FailingStore(own.database))
    before = await stored(world)
    world.service.app.state.services = replace(failing, identities=own.identities)
    answer = await world.service.http.request(
        route.partition(" ")[0], change.path, json=change.body, params=dict(change.params)
    )
    world.service.app.state.services = own
    # Rebasing all variants reports each failure in its answer.
    assert answer.status_code == 500 or route.endswith("/rebase-all")
    assert await stored(world) == before


async def test_the_first_administrator_has_a_record(world: World) -> None:
    first = (await world.guarded.records())[-1]
    assert (first.action, first.object and first.object.name) == ("account.create", ADMIN)
