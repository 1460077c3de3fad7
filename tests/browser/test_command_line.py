"""A person who signs in the command line, at a browser that keeps to the pages' policies."""

import asyncio
import json
from pathlib import Path

import pytest
from playwright.async_api import expect

from support.administered import NAME, PASSWORD
from support.process import ServiceProcess
from support.visitors import Contexts, visiting
from support.waiting_commands import waiting_command


@pytest.mark.parametrize("scripts", [True, False], ids=["scripts", "no scripts"])
async def test_one_signs_in_confirms_and_goes_on_in_the_terminal(
    administered: ServiceProcess, contexts: Contexts, tmp_path: Path, scripts: bool
) -> None:
    async with (
        waiting_command(administered.url, tmp_path, "login") as login,
        visiting(contexts, administered.url) as visitors,
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
        assert page.url == f"{administered.url}/ui/command-line/done"
        code, _, err = await login.ended()
        assert (code, err) == (
            0,
            f"Signed in at {administered.url} as {NAME} (role everywhere: admin).\n",
        )
    [file] = await asyncio.to_thread(lambda: list(tmp_path.rglob("*.json")))
    assert json.loads(file.read_text())["address"] == administered.url
