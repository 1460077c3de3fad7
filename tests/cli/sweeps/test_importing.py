"""Sweeps of other tools: imported, previewed and made, as `sweep import … > s.yaml` allows."""

import re
from typing import Final

import pytest
import pytest_asyncio

from support.commands import ServiceCommands
from support.process import ROOT

_GUIDE: Final = (ROOT / "docs/guides/sweep-imports.md").read_text("utf-8")
EXAMPLES: Final = re.findall(r"^```\w+\n(.*?)^```", _GUIDE, re.MULTILINE | re.DOTALL)
#: For each example of the guide, a file that its parameters are in.
FILES: Final = [
    b"max_num_seqs: 1\nmax_num_batched_tokens: 1\n",
    b"args: [--routing=x, --max-concurrency=1]\nreplicas: 1\n",
    b"model: {maxModelLen: 1}\ndecode: {parallelism: {tensor: 1}}\nload: {stages: [{rate: 1}]}\n",
    b"engine:\n  max_num_seqs: 1\n  seed: 1\n",
    b"max_num_seqs: 1\nseed: 1\noptimizer: {rate: 1}\n",
]
LAST_CELLS: Final = [
    b"max_num_seqs: 128\nmax_num_batched_tokens: 4096\n",
    b"args: [--routing=prefix, --max-concurrency=32]\nreplicas: 4\n",
    FILES[2]
    .replace(b"Len: 1", b"Len: 16000")
    .replace(b"sor: 1", b"sor: 4")
    .replace(b": 1}]", b": 50}]"),
    b"engine:\n  max_num_seqs: 128\n  seed: 2\n  kind: safe\n",
    b"max_num_seqs: 128\nseed: 7\noptimizer: {rate: 0.01}\n",
]


@pytest_asyncio.fixture(scope="module", loop_scope="session")
async def project(cli: ServiceCommands) -> str:
    files = {f"config/{number}.yaml": data for number, data in enumerate(FILES)}
    cli.service.repository("acme/imported", files)
    return str((await cli.service.synced("acme/imported"))["id"])


@pytest.mark.parametrize(
    ("number", "tool", "cells"),
    [(0, "vllm", 2), (1, "llm-d", 6), (2, "llm-d", 4), (3, "hydra", 12), (4, "wandb", 4)],
)
async def test_an_example_of_the_guide_becomes_cells(
    cli: ServiceCommands, project: str, number: int, tool: str, cells: int
) -> None:
    arguments = ("--format", tool, "-p", project, "--file", f"a={number}.yaml", "--name", "x")
    # A key that the file does not have cannot be guessed.
    added = ("--target", "engine.kind=a:engine.kind") if tool == "hydra" else ()
    imported = await cli("sweep", "import", "-", *arguments, *added, stdin=EXAMPLES[number])
    assert imported.err == ""
    previewed = await cli("sweep", "preview", "-", "-p", project, stdin=imported.out)
    assert previewed.err == f"{cells} cells.\n"
    made = await cli("sweep", "create", "-", "-p", project, stdin=imported.out)
    cell = f"{made.out.strip()}/{cells - 1}"
    digest = (await cli("release", "show", cell, "--json")).json["digest"]
    answer = await cli.service.http.get(f"/releases/{digest}/files/config/{number}.yaml")
    assert answer.content == LAST_CELLS[number]


async def test_what_is_not_taken_over_is_named(cli: ServiceCommands, project: str) -> None:
    arguments = ("sweep", "import", "--format", "hydra", "-", "-p", project, "--file", "a=3.yaml")
    some = await cli(*arguments, "--json", stdin="engine.seed=1,2 engine.sed=1,2")
    assert [axis["name"] for axis in some.json["definition"]["axes"]] == ["engine.seed"]
    assert re.match(r"note: engine\.sed .*\(\w+\)\n", some.err)
    assert [note["code"] for note in some.json["notes"]] == re.findall(r"\((\w+)\)\n", some.err)
    none = await cli(*arguments, stdin="engine.sed=1,2", code=1)
    assert (none.out, none.err.splitlines()[-1].endswith("(nothing_imported)")) == ("", True)
    placed = await cli(*arguments, "--target", "engine.sed=a:engine.seed", stdin="engine.sed=1,2")
    assert "set: a:engine.seed\n" in placed.out


@pytest.mark.parametrize(
    ("option", "form"),
    [
        ("--file", "ALIAS=FILE"),
        ("--variant", "ALIAS=VARIANT"),
        ("--target", "NAME=ALIAS:PATH"),
    ],
)
async def test_a_pair_without_its_sign_is_wrong_usage(
    cli: ServiceCommands, project: str, option: str, form: str
) -> None:
    arguments = ("sweep", "import", "--format", "wandb", "-", "-p", project, option, "x")
    done = await cli(*arguments, stdin="{}", code=2)
    assert f"{option} x: write {form}." in done.err
