"""The commands of the README, from a repository to a table, run as they are written."""

import asyncio
import re
import shutil
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

from benchmark_manager import demo
from support.commands import ServiceCommands
from support.process import ROOT, environment
from support.shell_commands import forking_python

_COMMANDS = re.compile(r"^```sh\n(benchmark-manager\(\).*?)^```", re.MULTILINE | re.DOTALL)


def commands(readme: str) -> str:
    [found] = _COMMANDS.findall((ROOT / readme).read_text("utf-8"))
    text: str = found
    return text


def quick(text: str) -> str:
    """The same with one repeat of a small load."""
    assert "in 1 2 3 4;" in text
    return text.replace("in 1 2 3 4;", "in 1;").replace("--seed", "--requests 4 --seed")


@pytest.fixture
def checkout(tmp_path: Path) -> Iterator[Path]:
    """The package with an environment, and nothing else."""
    folder = tmp_path / "checkout"
    programs = folder / ".venv/bin"
    programs.mkdir(parents=True)
    (folder / "benchmark_manager").symlink_to(ROOT / "benchmark_manager")
    with forking_python(programs):
        yield folder


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
    cli: ServiceCommands, checkout: Path, tmp_path: Path
) -> None:
    cli.service.repository("acme/vllm-benchmarks", demo.first_commit())
    text = quick(commands("README.md"))
    done = await asyncio.to_thread(run, text, checkout, home=tmp_path, url=cli.url)
    assert done.returncode == 0, done.stdout + done.stderr
    assert re.search(r"128 +", done.stdout)
    assert "too few" in done.stdout
    assert {path.name for path in checkout.iterdir()} == {".venv", "benchmark_manager"}
