"""accounts: by the service, and directly in the database."""

import shutil
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import httpx2 as httpx

from benchmark_manager.models.access.audit import AuditFilter
from benchmark_manager.models.page import PageRequest
from benchmark_manager.stores.access.audit import AuditStore
from github_test_server import GitHubTestServer
from support.commands import Done
from support.databases import connected
from support.guarded import ORIGIN, PASSWORD
from support.guarded_commands import GuardedCommands
from support.process import run_main, service_process
from support.service import running_service

ANOTHER = "seven quiet lanterns"


async def test_an_administrator_makes_changes_and_deletes_accounts(
    guarded: GuardedCommands,
) -> None:
    token = await guarded.admin.token()

    async def run(*arguments: str, code: int = 0, stdin: str | None = None) -> Done:
        return await guarded.run("accounts", *arguments, code=code, stdin=stdin, token=token)

    made = await run("create", "noa", "--role", "editor", "--password-file", "-", stdin=PASSWORD)
    await guarded.service.visitor().sign_in("noa")
    await run("set-password", "NOA", "--password-file", "-", stdin=ANOTHER)
    await guarded.service.visitor().sign_in("noa", ANOTHER)
    await run("update", "NOA", "--role", "reader", "--disable")
    [row] = (await run("list", "--query", "noa", "--json")).json
    assert (row["id"], row["role"], row["disabled"]) == (made.out.strip(), "reader", True)
    assert "reader" in (await run("list", "-q", "noa")).out
    nothing = await run("update", "noa", code=2)
    assert "--disable" in nothing.err
    asked = await run("delete", "noa", code=2)
    assert "--yes" in asked.err
    await run("delete", row["id"], "--yes")
    gone = await run("delete", "noa", "--yes", code=1)
    assert "(account_not_found)" in gone.err


async def test_a_reader_is_told_the_role_that_is_needed(guarded: GuardedCommands) -> None:
    mia = await guarded.service.person("mia")
    refused = await guarded.run("accounts", "list", code=1, token=await mia.token("reader"))
    assert refused.err == "error: This needs the role admin in all projects. (forbidden)\n"


@asynccontextmanager
async def serving(
    mongo_url: str, github: GitHubTestServer, folder: Path
) -> AsyncIterator[tuple[httpx.AsyncClient, str, Callable[[], str]]]:
    """A client of a service that runs, its origin, and what it wrote.

    It is a process where the database is its own, which the command reaches by the folder alone.
    """
    if mongo_url:
        async with running_service(mongo_url, github, folder, auth="required") as running:
            yield running.http, ORIGIN, str
        return
    async with (
        service_process(folder, auth="required", data_dir=folder / "data") as process,
        process.client() as http,
    ):
        yield http, process.url, lambda: process.output


async def test_the_first_administrator_is_made_beside_a_running_service(
    mongo_url: str, github: GitHubTestServer, used_folder: Path, tmp_path: Path
) -> None:
    settings: dict[str, Any] = {"data_dir": tmp_path / "data"}
    if mongo_url:
        settings["mongo_url"] = mongo_url
    else:
        shutil.copytree(used_folder, tmp_path / "data")
    secret = tmp_path / "password"
    secret.write_text(f"{PASSWORD}\n")
    arguments = ("accounts", "create", "eve", "--role", "admin", "--password-file", str(secret))
    async with serving(mongo_url, github, tmp_path) as (http, origin, output):
        made = run_main(tmp_path, *arguments, **settings)
        assert made.returncode == 0, made.stderr
        body = {"name": "eve", "password": PASSWORD}
        answer = await http.post("/sessions", json=body, headers={"Origin": origin})
        assert answer.status_code == httpx.codes.CREATED, answer.text
        assert (await http.get("/me")).json()["role"] == "admin"
        secret.write_text(ANOTHER)
        forgotten = ("accounts", "set-password", "EVE", "--password-file", str(secret))
        reset = run_main(tmp_path, *forgotten, **settings)
        assert reset.returncode == 0, reset.stderr
        body["password"] = ANOTHER
        answer = await http.post("/sessions", json=body, headers={"Origin": origin})
        assert answer.status_code == httpx.codes.CREATED, answer.text
        again = run_main(tmp_path, *arguments, **settings)
        assert again.returncode == 1
        assert again.stderr.endswith("(account_name_taken)\n")
        assert PASSWORD not in output() + made.stdout + made.stderr


async def test_a_password_that_is_refused_is_one_line(tmp_path: Path, database_url: str) -> None:
    secret = tmp_path / "password"
    secret.write_text("12345")
    refused = run_main(
        tmp_path,
        *("accounts", "create", "eve", "--password-file", str(secret)),
        data_dir=tmp_path / "data",
        mongo_url=database_url,
    )
    assert refused.returncode == 1
    assert refused.stderr.endswith("(password_refused)\n")
    assert "12345" not in refused.stderr


async def test_what_the_command_makes_is_on_record(tmp_path: Path, database_url: str) -> None:
    secret = tmp_path / "password"
    secret.write_text(PASSWORD)
    made = run_main(
        tmp_path,
        *("accounts", "create", "eve", "--role", "admin", "--password-file", str(secret)),
        data_dir=tmp_path / "data",
        mongo_url=database_url,
    )
    assert made.returncode == 0, made.stderr
    async with connected(database_url) as database:
        [record] = (await AuditStore(database).page(AuditFilter(), PageRequest(limit=10))).rows
    assert (record.action, record.actor.kind, record.actor.name) == (
        "account.create",
        "service",
        "command",
    )
    assert record.object is not None
    assert (record.object.id, record.object.name) == (made.stdout.strip(), "eve")
