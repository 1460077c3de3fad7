"""Run every command of the guide, in order, and compare what it writes with what the guide shows.

In the guide `…` stands for any characters, and alone on a line for any lines; ids differ.
"""

import shlex
import subprocess
from pathlib import Path
from typing import Any, Final

import pytest
import pytest_asyncio

from benchmark_manager import demo
from benchmark_manager.domain.sweeps.yaml_values import read_yaml
from support.commands import ServiceCommands
from support.guides import commands_of, files_of, pattern, plain
from support.process import ROOT

GUIDE: Final = (ROOT / "docs/guides/sweeps.md").read_text("utf-8")


@pytest_asyncio.fixture(loop_scope="session")
async def demo_project(cli: ServiceCommands) -> None:
    """The demo's project and sweep, after its change upstream."""
    name = "acme/vllm-benchmarks"
    repository = cli.service.repository(name, demo.first_commit())
    project = await cli.service.synced(
        name, name="Sample: vLLM benchmarks", config_folder="config", job_folder="job"
    )
    definition: Any = read_yaml(demo.sample_sweep(), "sweep")
    await cli.service.post(f"/projects/{project['id']}/sweeps", definition, 201)
    repository.commit(demo.second_commit(), message="Tune for the new driver")
    await cli.service.sync(project["id"])


@pytest.mark.usefixtures("demo_project")
async def test_every_command_of_the_guide_writes_what_it_shows(
    cli: ServiceCommands, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    for name, text in files_of(GUIDE):
        Path(name).write_text(text)
    commands = commands_of(GUIDE)
    assert len(commands) > 20
    variables: dict[str, str] = {}
    different: dict[str, str] = {}
    for command, shown in commands:
        words = shlex.split(command)
        if words[0] == "export":
            variables |= dict(word.split("=") for word in words[1:])
            continue
        written = await _written(cli, words, variables)
        if not pattern(shown).fullmatch(plain(written)):
            different[command] = written
    assert different == {}


async def _written(cli: ServiceCommands, words: list[str], variables: dict[str, str]) -> str:
    """Run a command, and return what a terminal would show."""
    if words[0] != "benchmark-manager":
        return subprocess.run(words, check=True, capture_output=True, text=True).stdout
    words, target = (words[:-2], words[-1]) if words[-2] == ">" else (words, None)
    done = await cli(*words[1:], environment=variables)
    if target is None:
        return done.out + done.err
    Path(target).write_text(done.out)
    return done.err


def test_every_code_of_a_definition_is_in_the_guide() -> None:
    from benchmark_manager.messages.catalogue import sweep_edits, sweeps

    codes = {*sweep_edits.MESSAGES, *sweeps.MESSAGES} - {"sweep_not_found", "cell_not_found"}
    assert {code for code in codes if f"`{code}`" not in GUIDE} == set()
