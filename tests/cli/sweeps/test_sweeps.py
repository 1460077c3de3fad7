"""Commands for sweeps: from a definition in a file to pulled cells, and back."""

import json
import re
import subprocess
from collections.abc import Iterable
from pathlib import Path

import pytest
import pytest_asyncio

from support.commands import ServiceCommands
from support.hostile_server import head, hostile_server
from support.service import Json
from support.swept import DEFINITION, ENGINE, FILES, FLAG, SEQS, SweptProject, sizes

NAME = "batch and parallelism"
YAML = f"""\
# Two axes; one combination is left out.
name: {NAME}
files:
  engine: config/engine.yaml
  job: job/bench.yaml
axes:
  - name: seqs
    set: {SEQS}
    values: [128, 256]
  - name: tp
    points:
      - {{name: tp1, set: {{"engine:engine.tensor_parallel_size": 1, "{FLAG}": 1}}}}
      - {{name: tp2, set: {{"engine:engine.tensor_parallel_size": 2, "{FLAG}": 2}}}}
exclude: [{{seqs: 256, tp: tp1}}]
"""


@pytest_asyncio.fixture(scope="module", loop_scope="session")
async def project(cli: ServiceCommands) -> SweptProject:
    """A project of which no test changes the files."""
    return await _project(cli, "swept")


async def _project(cli: ServiceCommands, name: str) -> SweptProject:
    repository = cli.service.repository(f"acme/{name}", FILES)
    made = await cli.service.synced(f"acme/{name}", name=name)
    return SweptProject(cli.service, repository, made["id"])


def text_of(definition: Json) -> str:
    """A file that defines a sweep: JSON is YAML too."""
    return json.dumps(definition)


async def made(cli: ServiceCommands, project: SweptProject, definition: str = YAML) -> str:
    """Create a sweep, and return its id."""
    done = await cli("sweep", "create", "-", "--project", project.id, stdin=definition)
    return done.out.strip()


def named(name: str) -> str:
    """The definition under another name."""
    return YAML.replace(NAME, name)


async def test_a_definition_in_a_file_is_previewed_and_made(
    cli: ServiceCommands, project: SweptProject, tmp_path: Path
) -> None:
    file = tmp_path / "sweep.yaml"
    file.write_text(YAML)
    previewed = await cli("sweep", "preview", str(file), "--project", project.id)
    assert previewed.err == "3 cells.\n"
    rows = [line.split() for line in previewed.out.splitlines()]
    assert rows[0] == ["CELL", "seqs", "tp", "FILE", "KEY", "BEFORE", "AFTER"]
    assert rows[1] == ["0", "128", "tp1"]
    assert rows[2] == [
        *("1", "128", "tp2", "config/engine.yaml", "engine.tensor_parallel_size", "1", "2")
    ]
    assert [row[0] for row in rows[1:]] == ["0", "1", "1", "2", "2", "2"]
    before = (await cli("sweep", "list", project.id, "--json")).json
    created = await cli("sweep", "create", str(file), "-p", project.id)
    assert re.fullmatch("[0-9a-f]{24}\n", created.out)
    assert created.err.startswith("3 cells. To see them: benchmark-manager sweep cells ")
    listed = (await cli("sweep", "list", "--project", project.id, "--json")).json
    assert listed[1:] == before
    assert (listed[0]["id"], listed[0]["created_by"]) == (created.out.strip(), "jo")


async def test_a_definition_that_is_shown_makes_the_same_sweep_again(
    cli: ServiceCommands, project: SweptProject
) -> None:
    sweep = await made(cli, project, named("round trip"))
    shown = await cli("sweep", "show", sweep, "--yaml")
    again = await cli("sweep", "update", sweep, "-", stdin=shown.out)
    assert again.err == "round trip is defined so already.\n"
    whole = (await cli("sweep", "show", "ROUND", "--project", project.id)).out
    assert whole.endswith(f"\n\n{shown.out}")
    assert re.search("^cells +3$", whole, re.MULTILINE)
    assert (await cli("sweep", "show", sweep, "--json")).json["definition"]["repeats"] == 1


async def test_cells_are_listed_by_the_values_of_their_axes(
    cli: ServiceCommands, project: SweptProject
) -> None:
    axis = {"name": "a=b", "set": SEQS, "values": [128, 256, "256"]}
    sweep = await made(cli, project, text_of(sizes(axes=[axis])))

    async def indexes(*arguments: str) -> list[int]:
        cells = (await cli("sweep", "cells", sweep, *arguments, "--json")).json
        return [cell["index"] for cell in cells]

    expected = {
        (): [0, 1, 2],
        ("--axis", "a=b=256"): [1],
        ("--axis", 'a=b="256"'): [2],
        ("--axis", "a=b=no"): [],
        ("--retired",): [],
    }
    assert {arguments: await indexes(*arguments) for arguments in expected} == expected
    none = await cli("sweep", "cells", sweep, "--axis", "seqs=1")
    assert none.err == "No cell has these values. The axes are a=b.\n"
    rows = [line.split() for line in (await cli("sweep", "cells", sweep)).out.splitlines()]
    assert [row[:3] for row in rows] == [
        ["CELL", "a=b", "VALIDITY"],
        ["0", "128", "valid"],
        ["1", "256", "valid"],
        ["2", '"256"', "valid"],
    ]


async def test_the_patch_of_a_cell_makes_its_files(
    cli: ServiceCommands, project: SweptProject, tmp_path: Path
) -> None:
    sweep = await made(cli, project, named("patched"))
    patch = await cli("sweep", "diff", sweep, "2")
    for path, data in FILES.items():
        (tmp_path / path).parent.mkdir(exist_ok=True)
        (tmp_path / path).write_bytes(data)
    subprocess.run(["git", "apply"], cwd=tmp_path, input=patch.out.encode(), check=True)
    folder = tmp_path / "pulled"
    await cli("pull", "patched/2", "--project", project.id, "--to", str(folder))
    assert {path: (folder / path).read_bytes() for path in FILES} == {
        path: (tmp_path / path).read_bytes() for path in FILES
    }
    assert (folder / "config/engine.yaml").read_bytes() != ENGINE
    keys = (await cli("sweep", "diff", sweep, "2", "--keys")).out.splitlines()
    assert keys[1].split() == ["config/engine.yaml", "engine.max_num_seqs", "128", "256"]


async def test_a_release_does_not_differ_from_itself(
    cli: ServiceCommands, project: SweptProject
) -> None:
    sweep = await made(cli, project, named("same"))
    done = await cli("release", "diff", f"{sweep}/0", f"{sweep}/0")
    assert (done.out, done.err) == ("", "No differences.\n")


async def test_a_patch_has_colours_on_a_terminal_alone(
    cli: ServiceCommands, project: SweptProject
) -> None:
    sweep = await made(cli, project, text_of(sizes(256)))
    diff = ("sweep", "diff", sweep, "0")
    assert "\x1b" not in (await cli(*diff)).out
    shown = await cli.on_terminal(*diff, typed="", term="xterm")
    assert "\x1b[32m+  max_num_seqs: 256   # per GPU\x1b[0m" in shown.out
    plain = await cli.on_terminal(*diff, typed="", term="xterm", no_color="1")
    assert "\x1b[32m" not in plain.out


async def test_a_cell_stands_wherever_a_digest_does(
    cli: ServiceCommands, project: SweptProject, tmp_path: Path
) -> None:
    sweep = await made(cli, project, named("a/b"))
    cells = (await cli("sweep", "cells", sweep, "--json")).json
    shown = (await cli("release", "show", f"{sweep}/1", "--json")).json
    assert shown["digest"] == cells[1]["digest"]
    pulled = (await cli("pull", f"{sweep}/1", "--to", str(tmp_path / "one"), "--json")).json
    assert (pulled["digest"], pulled["files"]) == (cells[1]["digest"], len(FILES))
    differ = await cli("release", "diff", f"{sweep}/0", "a/b/1", "--project", project.id)
    assert [line.split()[:3] for line in differ.out.splitlines()[1:]] == [
        ["config/engine.yaml", "changed", "engine.tensor_parallel_size"],
        [
            "job/bench.yaml",
            "changed",
            FLAG.partition(":")[2].replace("[--tensor-parallel-size]", "[1]"),
        ],
    ]


async def test_all_cells_are_pulled_into_folders_by_their_indexes(
    cli: ServiceCommands, project: SweptProject, tmp_path: Path
) -> None:
    sweep = await made(cli, project)
    pull = ("pull", sweep, "--cells", "--to", str(tmp_path), "--json")
    pulled = (await cli(*pull)).json
    cells = (await cli("sweep", "cells", sweep, "--json")).json
    assert [one["digest"] for one in pulled] == [cell["digest"] for cell in cells]
    assert sorted(folder.name for folder in tmp_path.iterdir()) == ["0", "1", "2"]
    assert {one["outcome"] for one in (await cli(*pull)).json} == {"present"}


async def test_a_sweep_is_extended_rebased_and_deleted(cli: ServiceCommands) -> None:
    project = await _project(cli, "moving")
    sweep = await made(cli, project, text_of(sizes(128, 256)))
    more = text_of(sizes(256, 512))
    updated = await cli("sweep", "update", sweep, "-", "--revision", "1", stdin=more)
    assert updated.err == "Saved sizes as revision 2: 2 cells.\n"
    stale = await cli("sweep", "update", sweep, "-", "--revision", "1", stdin=more, code=1)
    assert stale.err.endswith("(stale)\n")
    assert [cell["index"] for cell in (await cli("sweep", "cells", sweep, "--json")).json] == [1, 2]
    retired = (await cli("sweep", "cells", sweep, "--retired", "--json")).json
    assert [cell["index"] for cell in retired] == [0]
    same = await cli("sweep", "rebase", sweep)
    assert same.err == "sizes is made from the newest files already.\n"
    await project.upstream({"config/engine.yaml": ENGINE.replace(b"auto", b"fp8")})
    assert (await cli("sweep", "show", sweep, "--json")).json["drift"] == "behind"
    rebased = await cli("sweep", "rebase", sweep)
    assert rebased.err == "Made generation 2 of sizes: 2 cells.\n"
    await project.upstream({"config/engine.yaml": None})
    refused = await cli("sweep", "rebase", sweep, code=1)
    assert "config/engine.yaml" in refused.err
    assert refused.err.endswith("(sweep_conflict)\n")
    assert "--yes" in (await cli("sweep", "delete", sweep, code=2)).err
    assert (await cli("sweep", "delete", sweep, "--yes")).err == "Deleted sizes.\n"
    assert (await cli("sweep", "show", sweep, code=1)).err.endswith("(sweep_not_found)\n")


async def test_a_preview_names_the_cells_that_have_problems(
    cli: ServiceCommands, project: SweptProject
) -> None:
    policy = "job:spec.template.spec.restartPolicy"
    axis = {"name": "policy", "set": policy, "values": ["Never", "Always"]}
    definition = {"name": "policy", "files": {"job": "job/bench.yaml"}, "axes": [axis]}
    done = await cli("sweep", "preview", "-", "--project", project.id, stdin=text_of(definition))
    assert re.match(
        r"job/bench\.yaml:7:\d+: warning job_restart_policy .*\(cell 1\)$", done.err, re.MULTILINE
    )
    assert done.err.endswith("\n2 cells.\n")


@pytest.mark.parametrize("as_json", [(), ("--json",)], ids=["table", "json"])
async def test_a_preview_with_invalid_cells_ends_with_1(
    cli: ServiceCommands, as_json: tuple[str, ...]
) -> None:
    """No edit is known to make a file invalid, so this service is made up."""
    cell = {
        "index": 0,
        "assignments": {},
        "also": [],
        "digest": f"sha256:{'0' * 64}",
        "validity": "invalid",
        "problems": [],
        "retired": False,
        "generation": 1,
        "results_count": 0,
        "changes": [],
    }
    preview = {
        "name": "x",
        "description": "",
        "definition": {},
        "notes": [],
        "cells_count": 2,
        "base_commit_sha": None,
        "cells": [cell, {**cell, "index": 1, "validity": "valid"}],
    }
    project = {
        "id": "0" * 24,
        "name": "x",
        "github_web_url": "",
        "resolved_branch": None,
        "ref": None,
        "sync_status": "ok",
        "paused": False,
        "last_sync": None,
    }

    def answer(path: str) -> Iterable[bytes]:
        body = json.dumps(preview if "dry_run" in path else project).encode()
        return [head(Content_Length=len(body)), body]

    preview_command = ("sweep", "preview", "-", "-p", "0" * 24, *as_json)
    with hostile_server(answer) as server:
        done = await cli(*preview_command, "--url", server.url, stdin="{}", code=1)
    assert done.err.endswith("error: 1 of 2 cells shown is not valid. (invalid_cells)\n")


@pytest.mark.parametrize(
    ("text", "code", "said"),
    [
        ("name: [", 1, "(invalid_yaml)"),
        ("name: a\nname: b\n", 1, "standard input:2:1: error duplicate_key"),
        ("name: 2026-11-30\n", 1, "(invalid_yaml)"),
        ("name: a\n", 1, "(invalid_request)"),
        (YAML.replace("max_num_seqs", "max_num_seq"), 1, "engine.max_num_seqs"),
        (YAML.replace("tp: tp1", "tp: tp3"), 1, "error: exclude[0].tp"),
        (b"\xff", 2, "standard input is not UTF-8"),
    ],
    ids=["syntax", "key twice", "date", "incomplete", "path", "point", "bytes"],
)
async def test_a_definition_that_is_refused_says_where(
    cli: ServiceCommands, project: SweptProject, text: str | bytes, code: int, said: str
) -> None:
    done = await cli("sweep", "create", "-", "--project", project.id, stdin=text, code=code)
    assert said in done.err
    assert done.out == ""


async def test_names_of_sweeps_are_found_in_their_project(
    cli: ServiceCommands, project: SweptProject
) -> None:
    for name in ("nightly a", "nightly b"):
        await made(cli, project, text_of({**DEFINITION, "name": name}))
    found = await cli("sweep", "show", "NIGHTLY B", "--project", project.id, "--json")
    assert found.json["name"] == "nightly b"
    several = await cli("sweep", "show", "nightly", "--project", project.id, code=1)
    assert several.err.splitlines()[0].endswith("(sweep_ambiguous)")
    assert "name its project with --project" in (await cli("sweep", "show", "x", code=2)).err
    assert "Missing option '--project'" in (await cli("sweep", "create", "x", code=2)).err
    missing = await cli("pull", "nightly a/9", "-p", project.id, "--to", "x", code=1)
    assert missing.err.endswith("(cell_not_found)\n")
