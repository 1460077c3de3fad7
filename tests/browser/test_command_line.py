"""A person who signs in the command line, at a browser that keeps to the pages' policies."""

import asyncio
import json
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any, Final

import pytest
import pytest_asyncio
from playwright.async_api import expect

from support.guarded import PASSWORD
from support.process import ServiceProcess, run_main, service_process
from support.reused_database import reused_database
from support.visitors import Contexts, visiting
from support.waiting_commands import waiting_command

NAME: Final = "ada"


@pytest_asyncio.fixture(scope="module", loop_scope="session")
async def guarded(
    mongod: str, tmp_path_factory: pytest.TempPathFactory
) -> AsyncIterator[ServiceProcess]:
    """A service with AUTH=required, and an administrator whom the command line made."""
    folder = tmp_path_factory.mktemp("guarded")
    password = folder / "password"
    password.write_text(PASSWORD)
    async with reused_database(mongod) as url:
        settings: dict[str, Any] = {"mongo_url": url, "data_dir": folder / "data"}
        async with service_process(folder, auth="required", **settings) as process:
            made = run_main(
                folder,
                *("accounts", "create", NAME, "--role", "admin"),
                *("--password-file", str(password)),
                **settings,
            )
            assert made.returncode == 0, made.stderr
            yield process


@pytest.mark.parametrize("scripts", [True, False], ids=["scripts", "no scripts"])
async def test_one_signs_in_confirms_and_goes_on_in_the_terminal(
    guarded: ServiceProcess, contexts: Contexts, tmp_path: Path, scripts: bool
) -> None:
    async with (
        waiting_command(guarded.url, tmp_path, "login") as login,
        visiting(contexts, guarded.url) as visitors,
    ):
        visitors.allow(r"left the service: http://127\.0\.0\.1:\d+/\?code=")
        page = await visitors.page(scripts=scripts)
        await page.goto(login.page)
        await page.get_by_label("Name").fill(NAME)
        await page.get_by_label("Password").fill(PASSWORD)
        await page.get_by_role("button", name="Sign in").click()
        await expect(page.get_by_text(login.check)).to_be_visible()
        await page.get_by_role("button", name="Confirm").click()
        await expect(page.get_by_role("heading", name="Continue in the terminal")).to_be_visible()
        assert page.url == f"{guarded.url}/ui/command-line/done"
        code, _, err = await login.ended()
        assert (code, err) == (
            0,
            f"Signed in at {guarded.url} as {NAME} (role everywhere: admin).\n",
        )
    [file] = await asyncio.to_thread(lambda: list(tmp_path.rglob("*.json")))
    assert json.loads(file.read_text())["address"] == guarded.url
