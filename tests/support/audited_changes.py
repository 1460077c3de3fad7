"""One change by every route that changes something, and what its record must say."""

from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, field
from typing import Final

from github_test_server import Repository
from support.service import Json, Service
from support.signed_in import ADMIN, PASSWORD, Guarded

FILES: Final = {"config/a.yaml": b"a: 1\n", "config/b.yaml": b"b: 1\n"}
ANOTHER: Final = "seven quiet lanterns"


@dataclass(frozen=True)
class AuditedChange:
    """A request that changes something, and the facts that its record must have."""

    path: str
    #: What the record calls its object.
    name: str = ""
    body: Json | None = None
    keys: tuple[str, ...] = ()
    params: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True)
class AuditedProject:
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

Prepare = Callable[[AuditedProject], Awaitable[AuditedChange]]
SCENARIOS: Final[dict[str, tuple[str, Prepare]]] = {}


def changing(route: str, action: str) -> Callable[[Prepare], Prepare]:
    """Register what is done before a change by this route, whose record has this action."""

    def registered(prepare: Prepare) -> Prepare:
        SCENARIOS[route] = (action, prepare)
        return prepare

    return registered


@changing("POST /projects", "project.create")
async def create_project(audited: AuditedProject) -> AuditedChange:
    if audited.service.github.hosting.get("acme/more") is None:
        audited.service.repository("acme/more", FILES)
    return AuditedChange("/projects", "more", {"name": "more", "github_repo_url": "acme/more"})


@changing("PUT /projects/{project_id}", "project.edit")
async def edit_project(audited: AuditedProject) -> AuditedChange:
    return AuditedChange(audited.home, "renamed", {"name": "renamed"}, ("name",))


@changing("DELETE /projects/{project_id}", "project.delete")
async def delete_project(audited: AuditedProject) -> AuditedChange:
    return AuditedChange(audited.home, "acme/bench")


@changing("POST /projects/{project_id}/pause", "project.pause")
async def pause(audited: AuditedProject) -> AuditedChange:
    return AuditedChange(f"{audited.home}/pause", "acme/bench", keys=("paused",))


@changing("POST /projects/{project_id}/resume", "project.resume")
async def resume(audited: AuditedProject) -> AuditedChange:
    await audited.service.post(f"{audited.home}/pause", None, 200)
    return AuditedChange(f"{audited.home}/resume", "acme/bench", keys=("paused",))


@changing("POST /projects/{project_id}/sync", "project.sync")
async def sync(audited: AuditedProject) -> AuditedChange:
    return AuditedChange(f"{audited.home}/sync", "acme/bench")


@changing("POST /projects/sync-all", "project.sync")
async def sync_all(audited: AuditedProject) -> AuditedChange:
    del audited
    return AuditedChange("/projects/sync-all")


@changing("POST /projects/{project_id}/modified-files", "variant.create")
async def create_variant(audited: AuditedProject) -> AuditedChange:
    body = {
        "original_file_id": audited.originals["config/b.yaml"]["id"],
        "modified_name": "mine.yaml",
    }
    return AuditedChange(f"{audited.home}/modified-files", "config/mine.yaml", body)


@changing("PUT /modified-files/{modified_file_id}", "variant.edit")
async def edit_variant(audited: AuditedProject) -> AuditedChange:
    body = {"content": "a: 3\n", "description": "three"}
    return AuditedChange(audited.variant_path, "config/v.yaml", body, ("description", "content"))


@changing("DELETE /modified-files/{modified_file_id}", "variant.delete")
async def delete_variant(audited: AuditedProject) -> AuditedChange:
    return AuditedChange(audited.variant_path, "config/v.yaml")


@changing("DELETE /projects/{project_id}/modified-files", "project.reset")
async def reset(audited: AuditedProject) -> AuditedChange:
    return AuditedChange(f"{audited.home}/modified-files", "acme/bench")


@changing("POST /projects/{project_id}/undo-reset", "variant.undelete")
async def undo_reset(audited: AuditedProject) -> AuditedChange:
    answer = await audited.service.http.delete(f"{audited.home}/modified-files")
    # Which also converts the trash to the form that single variants are restored from.
    await audited.service.rows(f"{audited.home}/trash")
    body = {"reset_id": answer.json()["reset_id"]}
    return AuditedChange(f"{audited.home}/undo-reset", "config/v.yaml", body)


@changing("POST /modified-files/{modified_file_id}/undelete", "variant.undelete")
async def undelete(audited: AuditedProject) -> AuditedChange:
    await audited.deleted()
    return AuditedChange(f"{audited.variant_path}/undelete", "config/v.yaml")


@changing("POST /modified-files/{modified_file_id}/restore", "variant.restore")
async def restore(audited: AuditedProject) -> AuditedChange:
    await audited.service.put(audited.variant_path, {"content": "a: 4\n"})
    return AuditedChange(
        f"{audited.variant_path}/restore", "config/v.yaml", {"revision": 1}, ("content",)
    )


@changing("POST /modified-files/{modified_file_id}/rebase", "variant.rebase")
async def rebase(audited: AuditedProject) -> AuditedChange:
    await audited.upstream_changed()
    return AuditedChange(f"{audited.variant_path}/rebase", "config/v.yaml", {}, ("content", "base"))


@changing("POST /projects/{project_id}/modified-files/rebase-all", "variant.rebase")
async def rebase_all(audited: AuditedProject) -> AuditedChange:
    await audited.upstream_changed()
    path = f"{audited.home}/modified-files/rebase-all"
    return AuditedChange(path, "config/v.yaml", None, ("content", "base"))


@changing("POST /modified-files/{modified_file_id}/reattach", "variant.reattach")
async def reattach(audited: AuditedProject) -> AuditedChange:
    body = {"original_file_id": audited.originals["config/b.yaml"]["id"]}
    return AuditedChange(
        f"{audited.variant_path}/reattach", "config/v.yaml", body, ("base", "original_file_id")
    )


@changing("POST /projects/{project_id}/releases", "release.create")
async def make_release(audited: AuditedProject) -> AuditedChange:
    return AuditedChange(f"{audited.home}/releases", "nightly", {"name": "nightly"})


@changing("PUT /releases/{digest}", "release.edit")
async def edit_release(audited: AuditedProject) -> AuditedChange:
    digest = (await audited.release())["digest"]
    return AuditedChange(
        f"/releases/{digest}", "best", {"name": "best", "pinned": True}, ("name", "pinned")
    )


@changing("POST /releases/{digest}/receipts", "receipt.create")
async def make_receipt(audited: AuditedProject) -> AuditedChange:
    digest = (await audited.release())["digest"]
    return AuditedChange(f"/releases/{digest}/receipts", body={"node": "gpu-1"})


@changing("POST /results", "result.create")
async def upload_result(audited: AuditedProject) -> AuditedChange:
    params = {"release": (await audited.release())["digest"], "file_name": "a.json"}
    return AuditedChange("/results", "a.json", {"metrics": {}}, params=params)


@changing("PUT /results/{result_id}", "result.edit")
async def edit_result(audited: AuditedProject) -> AuditedChange:
    body = {"labels": {"gpu": "H100"}, "note": "second"}
    return AuditedChange(await audited.result_path(), "a.json", body, ("labels", "note"))


@changing("DELETE /results/{result_id}", "result.delete")
async def delete_result(audited: AuditedProject) -> AuditedChange:
    return AuditedChange(await audited.result_path(), "a.json")


@changing("POST /results/{result_id}/undelete", "result.undelete")
async def undelete_result(audited: AuditedProject) -> AuditedChange:
    path = await audited.result_path()
    assert (await audited.service.http.delete(path)).status_code == 204
    return AuditedChange(f"{path}/undelete", "a.json")


@changing("POST /projects/{project_id}/sweeps", "sweep.create")
async def make_sweep(audited: AuditedProject) -> AuditedChange:
    return AuditedChange(f"{audited.home}/sweeps", "sizes", definition())


@changing("PUT /sweeps/{sweep_id}", "sweep.edit")
async def edit_sweep(audited: AuditedProject) -> AuditedChange:
    path = await audited.sweep_path()
    return AuditedChange(path, "more sizes", definition("more sizes", 1, 2), ("name", "axes"))


@changing("POST /sweeps/{sweep_id}/rebase", "sweep.rebase")
async def rebase_sweep(audited: AuditedProject) -> AuditedChange:
    path = await audited.sweep_path()
    await audited.upstream_changed()
    return AuditedChange(f"{path}/rebase", "sizes", keys=("base",))


@changing("DELETE /sweeps/{sweep_id}", "sweep.delete")
async def delete_sweep(audited: AuditedProject) -> AuditedChange:
    return AuditedChange(await audited.sweep_path(), "sizes")


@changing("PUT /me/password", "account.password")
async def change_password(audited: AuditedProject) -> AuditedChange:
    del audited
    return AuditedChange(
        "/me/password", ADMIN, {"current_password": PASSWORD, "new_password": ANOTHER}
    )


@changing("PUT /accounts/{account_id}/password", "account.password")
async def set_password(audited: AuditedProject) -> AuditedChange:
    account = await audited.another_account()
    return AuditedChange(
        f"/accounts/{account['id']}/password", "lee", {"new_password": f"{ANOTHER}!"}
    )


@changing("POST /sessions", "sign_in")
async def sign_in(audited: AuditedProject) -> AuditedChange:
    # The browser's session would end, which has a record of its own.
    audited.service.http.cookies.clear()
    return AuditedChange("/sessions", body={"name": ADMIN, "password": PASSWORD})


@changing("DELETE /sessions", "session.delete_all")
async def end_sessions(audited: AuditedProject) -> AuditedChange:
    del audited
    return AuditedChange("/sessions", ADMIN)


@changing("DELETE /sessions/{session_id}", "sign_out")
async def sign_out(audited: AuditedProject) -> AuditedChange:
    del audited
    return AuditedChange("/sessions/current")


@changing("POST /accounts", "account.create")
async def create_account(audited: AuditedProject) -> AuditedChange:
    del audited
    return AuditedChange("/accounts", "lee", {"name": "lee", "password": ANOTHER})


@changing("PUT /accounts/{account_id}", "account.edit")
async def edit_account(audited: AuditedProject) -> AuditedChange:
    account = await audited.another_account()
    return AuditedChange(f"/accounts/{account['id']}", "lee", {"role": "editor"}, ("role",))


@changing("DELETE /accounts/{account_id}", "account.delete")
async def delete_account(audited: AuditedProject) -> AuditedChange:
    account = await audited.another_account()
    return AuditedChange(f"/accounts/{account['id']}", "lee")


@changing("POST /tokens", "token.create")
async def create_token(audited: AuditedProject) -> AuditedChange:
    del audited
    return AuditedChange("/tokens", "nightly", {"name": "nightly"})


@changing("DELETE /tokens/{token_id}", "token.delete")
async def revoke_token(audited: AuditedProject) -> AuditedChange:
    token = await audited.service.post("/tokens", {"name": "nightly"}, 201)
    return AuditedChange(f"/tokens/{token['id']}", "nightly")


@changing("PUT /projects/{project_id}/grants", "grant.put")
async def put_grant(audited: AuditedProject) -> AuditedChange:
    account = await audited.another_account()
    body = {"kind": "account", "id": account["id"], "role": "editor"}
    return AuditedChange(f"{audited.home}/grants", "lee", body, ("role",))


@changing("DELETE /projects/{project_id}/grants", "grant.delete")
async def delete_grant(audited: AuditedProject) -> AuditedChange:
    account = await audited.another_account()
    body = {"kind": "account", "id": account["id"], "role": "editor"}
    await audited.service.put(f"{audited.home}/grants", body)
    params = {"kind": "account", "id": account["id"]}
    return AuditedChange(f"{audited.home}/grants", "lee", params=params)


@changing("POST /federation", "federation.create")
async def create_rule(audited: AuditedProject) -> AuditedChange:
    del audited
    return AuditedChange("/federation", "ci", RULE)


@changing("PUT /federation/{rule_id}", "federation.edit")
async def edit_rule(audited: AuditedProject) -> AuditedChange:
    rule = await audited.rule()
    return AuditedChange(f"/federation/{rule['id']}", "ci", {**RULE, "role": "editor"}, ("role",))


@changing("DELETE /federation/{rule_id}", "federation.delete")
async def delete_rule(audited: AuditedProject) -> AuditedChange:
    rule = await audited.rule()
    return AuditedChange(f"/federation/{rule['id']}", "ci")
