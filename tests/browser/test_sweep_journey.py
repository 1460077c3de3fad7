"""The journey of a sweep: from a file to axes, a preview, cells, and the bytes that are pulled."""

import asyncio
import os
import stat
import sys
from pathlib import Path

import pytest
from playwright.async_api import expect

from benchmark_manager import demo
from support.person import BrowserPerson
from support.process import ROOT
from support.service import Api
from support.visitors import Visitors

FILE = "config/vllm/llama-3.1-8b.yaml"
TEXT = demo.first_commit()[FILE].decode()


async def choose(person: BrowserPerson, value: str, axis: int, typed: str) -> None:
    """Click a value in the file, and type what its axis sets it to."""
    await person.page.locator(".picks").get_by_role("button", name=value, exact=True).click()
    field = person.page.locator(f"#axis-{axis}-values")
    await expect(field).to_be_focused()
    await field.fill(typed)


async def counts(person: BrowserPerson, count: int) -> None:
    """Wait for the number of cells: it comes of itself where scripts run."""
    if not person.scripts:
        await person.send("Preview")
    await expect(person.page.locator("#count")).to_contain_text(str(count))


async def pull(command: str, folder: Path) -> None:
    """Run a command of a page as a person's shell does."""
    program = folder / "bin" / "benchmark-manager"
    program.parent.mkdir()
    call = "from benchmark_manager.cli import main; main()"
    program.write_text(f"#!/bin/sh\nexec '{sys.executable}' -c '{call}' \"$@\"\n")
    program.chmod(program.stat().st_mode | stat.S_IXUSR)
    path = f"{program.parent}{os.pathsep}{os.environ['PATH']}"
    process = await asyncio.create_subprocess_exec(
        *("sh", "-c", command),
        cwd=folder,
        env={**os.environ, "PATH": path, "PYTHONPATH": str(ROOT)},
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.STDOUT,
    )
    output, _ = await process.communicate()
    assert process.returncode == 0, output.decode()


@pytest.mark.parametrize(("language", "scripts"), [("en", True), ("ko", False)])
async def test_the_whole_way_of_a_sweep(
    visitors: Visitors, api: Api, tmp_path: Path, language: str, scripts: bool
) -> None:
    """In the demo's repository, in both languages, and without JavaScript."""
    name = f"sweep-{language}"
    api.repository(f"acme/{name}", demo.first_commit())
    project = await api.synced(f"acme/{name}", name=name, config_folder="config", job_folder="job")
    file = (await api.files(project["id"]))[FILE]
    page = await visitors.page(language=language, scripts=scripts)
    person = BrowserPerson(page, language, scripts)
    await page.goto(f"/ui/projects/{project['id']}/files/{file['id']}")
    await person.link("Make a sweep").click()
    await person.stay()
    await choose(person, "engine.max_num_seqs: 256", 0, "128, 256, 512")
    await counts(person, 3)
    await choose(person, "engine.tensor_parallel_size: 1", 1, "1, 2")
    await counts(person, 6)
    await expect(page.locator("#preview")).to_contain_text("engine.tensor_parallel_size")
    assert not scripts or await person.stayed()
    await person.send("Make the sweep")
    await person.sees("The sweep was made.")
    row = page.locator(".cell-grid").get_by_role("row").filter(has_text="512")
    await row.get_by_role("link").last.click()
    changed = page.get_by_role("row", name="engine.max_num_seqs")
    await expect(changed).to_contain_text("512")
    await expect(page.locator(".diff")).to_contain_text("+  tensor_parallel_size: 2")
    await pull(await page.locator(".command pre").first.inner_text(), tmp_path)
    swept = TEXT.replace("max_num_seqs: 256", "max_num_seqs: 512")
    swept = swept.replace("tensor_parallel_size: 1", "tensor_parallel_size: 2")
    assert (tmp_path / "files" / FILE).read_text() == swept
