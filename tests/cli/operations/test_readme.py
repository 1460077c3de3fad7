"""The commands of the README, from a repository to a table, run as they are written."""

import asyncio
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from benchmark_manager import demo
from support.commands import ServiceCommands
from support.process import ROOT, environment

_COMMANDS = re.compile(r"^```sh\n(benchmark-manager\(\).*?)^```", re.MULTILINE | re.DOTALL)


def commands(readme: str) -> str:
    [found] = _COMMANDS.findall((ROOT / readme).read_text("utf-8"))
    text: str = found
    return text


def quick(text: str) -> str:
    """The same with one repeat of a small load."""
    assert "in 1 2 3 4;" in text
    return text.replace("in 1 2 3 4;", "in 1;").replace("--seed", "--requests 4 --seed")


def checkout(folder: Path) -> Path:
    """The package with an environment, and nothing else."""
    python = folder / ".venv/bin/python"
    python.parent.mkdir(parents=True)
    python.write_text(f'#!/bin/sh\nexec "{sys.executable}" "$@"\n')
    python.chmod(0o755)
    (folder / "benchmark_manager").symlink_to(ROOT / "benchmark_manager")
    return folder


def run(text: str, folder: Path, *, home: Path, url: str) -> "subprocess.CompletedProcess[str]":
    return subprocess.run(
        ["bash", "-e", "-c", text],
        cwd=folder,
        env=environment(benchmark_manager_url=url, home=home),
        capture_output=True,
        text=True,
        check=False,
    )


def test_both_readmes_have_the_same_commands() -> None:
    assert commands("README.md") == commands("README.ko.md")


@pytest.mark.skipif(shutil.which("bash") is None, reason="there is no bash")
async def test_a_newcomer_gets_from_a_repository_to_a_table(
    cli: ServiceCommands, tmp_path: Path
) -> None:
    cli.service.repository("acme/vllm-benchmarks", demo.first_commit())
    folder = checkout(tmp_path / "checkout")
    text = quick(commands("README.md"))
    done = await asyncio.to_thread(run, text, folder, home=tmp_path, url=cli.url)
    assert done.returncode == 0, done.stdout + done.stderr
    assert re.search(r"128 +", done.stdout)
    assert "too few" in done.stdout
    assert {path.name for path in folder.iterdir()} == {".venv", "benchmark_manager"}
