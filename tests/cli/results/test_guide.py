"""Run what the guide shows as it is written, and check the files that it gives to copy."""

import asyncio
import os
import re
import shlex
import subprocess
from collections.abc import Iterator
from functools import cache
from pathlib import Path
from typing import Any, Final

import pytest
import pytest_asyncio
import typer.main
import yaml

from benchmark_manager import demo
from benchmark_manager.cli.commands import app
from benchmark_manager.domain.sweeps.yaml_values import read_yaml
from support.commands import ServiceCommands
from support.guides import blocks_of, commands_of, pattern, plain
from support.process import ROOT
from support.shell_commands import forking_python

GUIDE: Final = (ROOT / "docs/guides/results.md").read_text("utf-8")
JOB, WORKFLOW = blocks_of(GUIDE, "yaml")
LOOP: Final = blocks_of(GUIDE, "sh")[0]
SCRIPT: Final = blocks_of(GUIDE, "python")[0]
STEPS: Final = [
    step
    for job in yaml.safe_load(WORKFLOW)["jobs"].values()
    for step in job["steps"]
    if "run" in step
]


@pytest_asyncio.fixture(loop_scope="session")
async def demo_project(cli: ServiceCommands) -> None:
    """The demo's project and sweep."""
    name = "acme/vllm-benchmarks"
    cli.service.repository(name, demo.first_commit())
    project = await cli.service.synced(
        name, name="Sample: vLLM benchmarks", config_folder="config", job_folder="job"
    )
    definition: Any = read_yaml(demo.sample_sweep(), "sweep")
    await cli.service.post(f"/projects/{project['id']}/sweeps", definition, 201)


@pytest.fixture
def shell(cli: ServiceCommands, tmp_path: Path) -> Iterator[dict[str, str]]:
    """The environment of a shell that has the command, in a folder with the guide's files."""
    (tmp_path / "measure.sh").write_text(LOOP)
    (tmp_path / "bench.py").write_text(SCRIPT)
    command = tmp_path / "bin" / "benchmark-manager"
    command.parent.mkdir()
    programs = tmp_path / "programs"
    programs.mkdir()
    with forking_python(programs) as python:
        command.write_text(f'#!/bin/sh\nexec "{python}" -m benchmark_manager "$@"\n')
        command.chmod(0o755)
        yield {
            "PATH": f"{command.parent}{os.pathsep}{os.environ['PATH']}",
            "PYTHONPATH": str(ROOT),
            "HOME": str(tmp_path),
            "BENCHMARK_MANAGER_URL": cli.url,
        }


@pytest.mark.usefixtures("demo_project")
async def test_the_loop_of_the_guide_measures_uploads_and_compares(
    shell: dict[str, str], tmp_path: Path
) -> None:
    different: dict[str, str] = {}
    for command, shown in commands_of(GUIDE):
        if command.startswith("export "):
            shell |= dict(word.split("=") for word in shlex.split(command)[1:])
            continue
        written = await asyncio.to_thread(_written, command, shell, tmp_path)
        if not pattern(shown).fullmatch(plain(written)):
            different[command] = written
    assert different == {}


def _written(command: str, environment: dict[str, str], folder: Path) -> str:
    ran = subprocess.run(
        ["/bin/sh", "-c", f"{{ {command}\n}} 2>&1"],
        cwd=folder,
        env=environment,
        capture_output=True,
        text=True,
        check=False,
        timeout=100,
    )
    return f"{ran.stdout}{ran.stderr}" if ran.returncode == 0 else f"{ran.returncode}: {ran.stdout}"


async def test_the_job_of_the_guide_is_valid(cli: ServiceCommands, tmp_path: Path) -> None:
    (tmp_path / "job.yaml").write_text(JOB)
    found = await cli("validate", str(tmp_path / "job.yaml"), "--json")
    [file] = found.json
    assert (file["validity"], file["problems"]) == ("valid", [])


def test_the_workflow_of_the_guide_may_sign_in_and_nothing_else() -> None:
    workflow = yaml.safe_load(WORKFLOW)
    # YAML 1.1 takes `on` for true.
    assert set(workflow) == {"name", True, "permissions", "jobs"}
    assert workflow["permissions"] == {"id-token": "write", "contents": "read"}


@pytest.mark.parametrize("step", STEPS, ids=lambda step: str(step["name"]))
def test_a_step_of_the_workflow_is_a_script_without_values_from_outside(
    step: dict[str, str],
) -> None:
    checked = subprocess.run(["bash", "-n"], input=step["run"], text=True, check=False)
    assert checked.returncode == 0
    assert "${{" not in step["run"]


@cache
def commands() -> dict[str, Any]:
    root: Any = typer.main.get_command(app)
    return {
        **root.commands,
        **{f"result {name}": one for name, one in root.commands["result"].commands.items()},
        **{f"sweep {name}": one for name, one in root.commands["sweep"].commands.items()},
    }


def calls() -> list[str]:
    """Return every call of the command in the guide's code, with continued lines."""
    blocks = blocks_of(GUIDE, "sh", "console")
    steps = [step["run"] for step in STEPS]
    pod = yaml.safe_load(JOB)["spec"]["template"]["spec"]
    text = "\n".join([*blocks, *steps, pod["containers"][0]["args"][0]])
    text = text.replace("\\\n", " ").replace("$(hostname)", "node-7")
    args = " ".join(pod["initContainers"][0]["args"])
    return [*re.findall(r"benchmark-manager ([^|>)\n]+)", text), args]


@pytest.mark.parametrize("call", calls())
def test_a_call_in_the_guide_has_options_that_exist(call: str) -> None:
    words = shlex.split(call)
    name = next(name for name in (" ".join(words[:2]), words[0]) if name in commands())
    known = {option for parameter in commands()[name].params for option in parameter.opts}
    given = {word.partition("=")[0] for word in words if word.startswith("--")}
    assert given - known == set()


def test_every_code_of_a_receipt_is_in_the_guide() -> None:
    from benchmark_manager.messages.catalogue import receipts

    assert {code for code in receipts.MESSAGES if f"`{code}`" not in GUIDE} == set()
