"""Commands about variants: a text is saved over the revision that was read, or kept in a file."""

import itertools
import json
import re
import shlex
import stat
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
import pytest_asyncio

from benchmark_manager.cli.variants.rebase import _set, _taken
from github_test_server import Repository
from support.commands import CommandLine

CONTENT = b"# benchmark\nmodel: llama\ntensor_parallel_size: 2\nmax_model_len: 4096\n"
FILES = {
    "config/llama.yaml": CONTENT,
    "config/gemma.yaml": b"model: gemma\n",
    "config/broken.yaml": b"a: [\n",
}


@pytest_asyncio.fixture(scope="module", loop_scope="session")
async def repository(cli: CommandLine) -> Repository:
    return cli.service.repository("acme/variants", FILES)


@pytest_asyncio.fixture(scope="module", loop_scope="session")
async def project(cli: CommandLine, repository: Repository) -> str:  # noqa: ARG001 -- hosted first
    """A synced project named `variants`."""
    synced = await cli.service.synced("acme/variants", name="variants")
    return str(synced["id"])


NUMBERS = itertools.count(1)


@pytest.fixture
def name() -> str:
    """A variant's name which no other test has."""
    return f"variant-{next(NUMBERS)}.yaml"


@pytest_asyncio.fixture(loop_scope="session")
async def variant(cli: CommandLine, project: str, name: str) -> str:
    """The id of a variant of config/llama.yaml."""
    return (await cli("variants", "new", project, "config/llama.yaml", "-n", name)).out.strip()


async def content(cli: CommandLine, variant: str) -> str:
    return str((await cli.service.get(f"/modified-files/{variant}"))["content"])


@pytest.fixture
def editor(tmp_path: Path) -> Any:
    """An editor which puts `text` into the file, and notes which file it was given."""

    def make(text: str, *, code: int = 0) -> dict[str, str]:
        script = tmp_path / "editor"
        (tmp_path / "text").write_text(text)
        script.write_text(
            f'#!/bin/sh\necho "$2" > {tmp_path}/given\ncp {tmp_path}/text "$2"\nexit {code}\n'
        )
        script.chmod(script.stat().st_mode | stat.S_IXUSR)
        return {
            "VISUAL": f"{shlex.quote(str(script))} --wait",
            "EDITOR": "false",
            "TMPDIR": str(tmp_path),
        }

    return make


async def test_a_new_variant_has_its_original_s_text_or_that_of_a_file(
    cli: CommandLine, project: str, tmp_path: Path
) -> None:
    plain = await cli(
        "variants", "new", "variants", "llama.yaml", "-n", "plain.yaml", "-d", "as it is", "--json"
    )
    assert (plain.json["content"], plain.json["description"]) == (CONTENT.decode(), "as it is")
    text = b"a: 1\r\nb: 2"
    (tmp_path / "x.yaml").write_bytes(text)

    async def shown(name: str, source: str, given: bytes | None) -> bytes:
        made = await cli("variants", "new", project, "gemma", "-n", name, "-f", source, stdin=given)
        return (await cli("variants", "show", made.out.strip())).out.encode()

    assert await shown("file.yaml", str(tmp_path / "x.yaml"), None) == text
    assert await shown("stdin.yaml", "-", text) == text
    (tmp_path / "x.yaml").write_bytes(b"\xff")
    done = await cli("variants", "new", project, "gemma", "-f", str(tmp_path / "x.yaml"), code=2)
    assert "is not UTF-8" in done.err


async def test_variants_are_found_by_id_path_or_name(
    cli: CommandLine, project: str, variant: str, name: str
) -> None:
    references = (variant, f"config/{name}", name, name.upper(), name[:-5])
    found = {
        reference: await cli("variants", "show", reference, "--project", "variants", "--json")
        for reference in references
    }
    assert {reference: done.json["id"] for reference, done in found.items()} == dict.fromkeys(
        references, variant
    )
    assert (await cli("variants", "show", name, "--json", BENCHMARK_MANAGER_PROJECT=project)).json[
        "id"
    ] == variant
    assert "name its project with --project" in (await cli("variants", "show", name, code=2)).err
    assert (
        "(variant_not_found)" in (await cli("variants", "show", "none", "-p", project, code=1)).err
    )


async def test_variants_are_listed_and_filtered(
    cli: CommandLine, project: str, variant: str, name: str
) -> None:
    rows = (
        await cli("variants", "list", "variants", "-q", name, "--original", "llama.yaml", "--json")
    ).json
    assert rows == [
        row
        for row in await cli.service.rows(f"/projects/{project}/modified-files")
        if row["id"] == variant
    ]
    assert (
        await cli("variants", "list", project, "-q", name, "--drift", "conflict", "--json")
    ).json == []
    table = (await cli("variants", "list", project, "-q", name)).out.splitlines()
    assert [line.split()[0] for line in table] == ["PATH", f"config/{name}"]


async def test_an_editor_s_text_is_saved(
    cli: CommandLine, variant: str, name: str, editor: Any, tmp_path: Path
) -> None:
    done = await cli("variants", "edit", variant, **editor("model: qwen\n"))
    assert f"Saved config/{name} as revision 2." in done.err
    assert await content(cli, variant) == "model: qwen\n"
    given = Path((tmp_path / "given").read_text().strip())
    assert given.name == name
    assert not given.parent.exists()
    again = await cli("variants", "edit", variant, **editor("model: qwen\n"))
    assert "Nothing was changed." in again.err
    assert (await cli("variants", "edit", variant, "-d", "of Qwen", "--json")).json[
        "description"
    ] == "of Qwen"


async def test_a_stale_text_is_kept_and_commands_are_suggested(
    cli: CommandLine, variant: str, name: str, tmp_path: Path
) -> None:
    """Someone else saves while the editor is open; the suggested commands then work."""
    other = tmp_path / "other"
    other.write_text(
        f"#!{sys.executable}\nimport pathlib, sys, httpx2\n"
        f"answer = httpx2.put('{cli.url}/modified-files/{variant}',"
        " json={'content': 'model: theirs\\n'})\nanswer.raise_for_status()\n"
        "pathlib.Path(sys.argv[1]).write_text('model: mine\\n')\n"
    )
    other.chmod(0o755)
    done = await cli("variants", "edit", variant, code=1, VISUAL=str(other))
    assert re.match(
        r"error: Another person changed this .+ revision 2 now\..+ \(stale\)\n", done.err
    )
    assert await content(cli, variant) == "model: theirs\n"
    kept = Path(re.findall(r"^Your text is kept in (.+)\.$", done.err, re.MULTILINE)[0])
    assert (kept.name, kept.read_text()) == (name, "model: mine\n")
    commands = re.findall(r": benchmark-manager (.+)$", done.err, re.MULTILINE)
    assert [shlex.split(command)[1] for command in commands] == ["show", "diff", "edit"]
    ran = [await cli(*shlex.split(command)) for command in commands]
    assert ran[0].out == "model: theirs\n"
    assert "+model: theirs" in ran[1].out
    assert await content(cli, variant) == "model: mine\n"
    kept.unlink()
    kept.parent.rmdir()


async def test_an_invalid_text_is_kept_and_its_problems_shown(
    cli: CommandLine, variant: str, tmp_path: Path
) -> None:
    file = tmp_path / "mine.yaml"
    file.write_text("a: 1\na: 2\n")
    done = await cli("variants", "edit", variant, "--file", str(file), code=1)
    assert f"{file}:2:1: error duplicate_key " in done.err
    assert f"Your text is kept in {file}." in done.err
    as_json = await cli("variants", "edit", variant, "--file", str(file), "--json", code=1)
    assert (as_json.json["code"], as_json.json["problems"][0]["line"]) == ("invalid_content", 2)
    assert await content(cli, variant) == CONTENT.decode()
    saved = await cli("variants", "edit", variant, "--file", str(file), "--allow-invalid")
    assert "config/" in saved.err
    assert await content(cli, variant) == "a: 1\na: 2\n"


async def test_an_invalid_text_can_be_opened_again_on_a_terminal(
    cli: CommandLine, variant: str, tmp_path: Path
) -> None:
    """The editor finds what was typed, and mends it at the second time."""
    script = tmp_path / "editor"
    script.write_text(
        """#!/bin/sh\ngrep -q '^a: \\[$' "$1" && echo 'a: []' > "$1" || echo 'a: [' > "$1"\n"""
    )
    script.chmod(0o755)
    done = await cli.on_terminal("variants", "edit", variant, typed="y\n", visual=str(script))
    assert "Open it again? [Y/n]" in done.out
    assert await content(cli, variant) == "a: []\n"


async def test_a_failing_editor_saves_nothing_and_loses_nothing(
    cli: CommandLine, variant: str, editor: Any
) -> None:
    done = await cli("variants", "edit", variant, code=1, **editor("typed: much\n", code=3))
    assert "ended with exit code 3; nothing was saved" in done.err
    kept = Path(re.findall(r"^Your text is kept in (.+)\.$", done.err, re.MULTILINE)[0])
    assert kept.read_text() == "typed: much\n"
    assert await content(cli, variant) == CONTENT.decode()
    missing = await cli("variants", "edit", variant, code=1, VISUAL="/no/such/editor")
    assert "cannot be started" in missing.err


async def test_renaming_deleting_and_restoring(
    cli: CommandLine, project: str, variant: str, name: str
) -> None:
    await cli("variants", "rename", variant, f"new-{name}")
    await cli("variants", "delete", f"new-{name}", "-p", project)
    assert "(variant_not_found)" in (await cli("variants", "show", variant, code=1)).err
    assert variant in (await cli("variants", "trash", project)).out
    back = await cli("variants", "undelete", f"new-{name}", "-p", project, "--json")
    assert (back.json["id"], back.json["path"]) == (variant, f"config/new-{name}")
    await cli("variants", "delete", variant)
    assert (
        f"Restored config/{name}."
        in (await cli("variants", "undelete", variant, "--name", name)).err
    )


async def test_history_and_restoring(cli: CommandLine, variant: str) -> None:
    await cli("variants", "edit", variant, "-f", "-", stdin="model: qwen\n")
    history = (await cli("variants", "history", variant)).out.splitlines()
    assert [line.split()[:2] for line in history] == [
        ["REV", "WHAT"],
        ["2", "edited"],
        ["1", "created"],
    ]
    assert (await cli("variants", "restore", variant, "1", "--json")).json[
        "content"
    ] == CONTENT.decode()
    assert "(revision_not_found)" in (await cli("variants", "restore", variant, "9", code=1)).err


async def test_a_diff_is_a_patch_or_a_table_of_keys(
    cli: CommandLine, variant: str, tmp_path: Path
) -> None:
    changed = (
        CONTENT.replace(b"size: 2", b"size: 8").replace(b"max_model_len: 4096\n", b"")
        + b"seed: null\n"
    )
    await cli("variants", "edit", variant, "-f", "-", stdin=changed)
    patch = (await cli("variants", "diff", variant)).out
    (tmp_path / "config").mkdir()
    (tmp_path / "config" / "llama.yaml").write_bytes(CONTENT)
    subprocess.run(
        ["git", "apply", "-p1"], cwd=tmp_path, input=patch.encode(), capture_output=True, check=True
    )
    assert [
        path.read_bytes() for path in (tmp_path / "config").iterdir() if path.suffix == ".yaml"
    ] == [changed]
    table = [
        line.split() for line in (await cli("variants", "diff", variant, "--keys")).out.splitlines()
    ]
    assert sorted(table[1:]) == [
        ["max_model_len", "removed", "4096"],
        ["seed", "added", "null"],
        ["tensor_parallel_size", "changed", "2", "8"],
    ]
    assert (await cli("variants", "diff", variant, "--json", "--against", "revision:1")).json[
        "against"
    ] == "revision:1"
    assert (await cli("variants", "diff", variant, "--against", "original")).out == patch
    await cli("variants", "edit", variant, "-f", "-", "--allow-invalid", stdin="a: [\n")
    assert "(no_keys)" in (await cli("variants", "diff", variant, "--keys", code=1)).err


async def test_variants_are_compared_side_by_side(cli: CommandLine, project: str) -> None:
    for number in (4, 8):
        await cli(
            "variants",
            "new",
            project,
            "gemma.yaml",
            "-n",
            f"side-{number}.yaml",
            "-f",
            "-",
            stdin=f"size: {number}\n",
        )
    lines = (await cli("variants", "compare", project, "gemma.yaml")).out.splitlines()
    assert {"KEY", "ORIGINAL", "side-4.yaml", "side-8.yaml"} <= set(lines[0].split())
    model, size = (
        next(line for line in lines if line.startswith(key)) for key in ("model", "size")
    )
    assert '"gemma"' in model
    assert {"4", "8"} <= set(size.split())
    assert "(no_keys)" in (await cli("variants", "compare", project, "broken.yaml", code=1)).err


@pytest.mark.parametrize("by_keys", ["diff", "compare"])
async def test_where_no_key_differs_a_sentence_says_so_and_no_table(
    cli: CommandLine, project: str, repository: Repository, by_keys: str
) -> None:
    path = f"same-{by_keys}.yaml"
    repository.commit({f"config/{path}": b"model: gemma\n"})
    await cli.service.sync(project)
    made = ("variants", "new", project, path, "-n", f"own-{path}", "-f", "-")
    variant = (await cli(*made, stdin="model: gemma  # ours\n")).out.strip()
    arguments = {"diff": (variant, "--keys"), "compare": (project, f"config/{path}")}[by_keys]
    done = await cli("variants", by_keys, *arguments)
    assert (done.out, done.err) == ("", "No differences in keys.\n")


async def test_a_comparison_marks_who_changed_a_value(
    cli: CommandLine, project: str, repository: Repository
) -> None:
    repository.commit({"config/compared.yaml": b"model: gemma\n"})
    await cli.service.sync(project)
    for name, text in (("lags.yaml", "model: gemma\n"), ("own.yaml", "model: qwen\n")):
        await cli("variants", "new", project, "compared.yaml", "-n", name, "-f", "-", stdin=text)
    repository.commit({"config/compared.yaml": b"model: llama\n"})
    await cli.service.sync(project)
    found = await cli("variants", "compare", project, "compared.yaml")
    line = next(line for line in found.out.splitlines() if line.startswith("model"))
    assert re.split(r"  +", line.strip())[1:] == [
        '"llama"',
        '"gemma" (changed upstream since)',
        '"qwen" (both)',
    ]
    assert [line for line in found.err.splitlines() if line.startswith("(")] == [
        "(changed upstream since): the original has a new value; the variant still has its base's.",
        "(both): the variant and the original both have other values than the base.",
    ]


async def test_a_rebase_applies_upstream_s_changes_and_shows_conflicts(
    cli: CommandLine, project: str, repository: Repository
) -> None:
    async def new(name: str, text: bytes) -> str:
        made = await cli(
            "variants", "new", project, "moving.yaml", "-n", name, "-f", "-", stdin=text
        )
        return made.out.strip()

    repository.commit({**FILES, "config/moving.yaml": CONTENT}, message="one that moves")
    await cli.service.sync(project)
    clean = await new("clean.yaml", CONTENT.replace(b"4096", b"8192"))
    ours = [await new(f"clash-{n}.yaml", CONTENT.replace(b"size: 2", b"size: 8")) for n in range(4)]
    assert "is already based on the newest original" in (await cli("variants", "rebase", clean)).err
    repository.commit(
        {**FILES, "config/moving.yaml": CONTENT.replace(b"size: 2", b"size: 4")}, message="moved"
    )
    await cli.service.sync(project)

    preview = await cli("variants", "rebase", clean, "--preview")
    assert "tensor_parallel_size: 4\nmax_model_len: 8192\n" in preview.out
    assert "as revision 2" in (await cli("variants", "rebase", clean)).err
    assert await content(cli, clean) == preview.out

    done = await cli("variants", "rebase", ours[0], code=1)
    assert done.out.splitlines()[1].split() == ["tensor_parallel_size", "3", "2", "4", "8"]
    assert "(merge_conflict)" in done.err
    assert f"variants rebase {ours[0]} --take tensor_parallel_size=theirs," in done.err
    as_json = await cli("variants", "rebase", ours[0], "--json", code=1)
    assert (
        as_json.json["conflicts"]
        == (await cli("variants", "rebase", ours[0], "--preview", "--json")).json["conflicts"]
    )

    decisions = (
        ("--take", "tensor_parallel_size=theirs"),
        ("--take", "tensor_parallel_size=mine"),
        ("--set", "tensor_parallel_size=16"),
        ("--file", "-"),
    )
    text = CONTENT.replace(b"size: 2", b"size: 32")
    for file, decision in zip(ours, decisions, strict=True):
        await cli("variants", "rebase", file, *decision, stdin=text)
    sizes = [
        re.findall(r"^tensor_parallel_size: (\d+)$", await content(cli, file), re.MULTILINE)
        for file in ours
    ]
    assert sizes == [["4"], ["8"], ["16"], ["32"]]


async def moved_variants(
    cli: CommandLine, project: str, repository: Repository, path: str
) -> tuple[str, str]:
    """A variant of `path` that merges cleanly and one in conflict."""
    repository.commit({path: CONTENT}, message="one that moves")
    await cli.service.sync(project)
    clean, clash = [
        (
            await cli(
                "variants",
                "new",
                project,
                path,
                "-n",
                name,
                "-f",
                "-",
                stdin=CONTENT.replace(*change),
            )
        ).out.strip()
        for name, change in (
            (f"a-{path[-10:]}", (b"4096", b"8192")),
            (f"b-{path[-10:]}", (b"size: 2", b"size: 8")),
        )
    ]
    repository.commit({path: CONTENT.replace(b"size: 2", b"size: 4")}, message="moved")
    await cli.service.sync(project)
    return clean, clash


async def test_rebase_all_shows_each_result_and_rebases_the_clean_ones(
    cli: CommandLine, project: str, repository: Repository
) -> None:
    path = "config/all-0.yaml"
    clean, clash = await moved_variants(cli, project, repository, path)
    before = await content(cli, clean)
    shown = await cli("variants", "rebase-all", "variants", "--original", path, "--dry-run")
    rows = [line.split(maxsplit=1) for line in shown.out.splitlines()[1:]]
    assert [(name, " ".join(rest.split())) for name, rest in rows] == [
        ("config/a-all-0.yaml", "merges cleanly tensor_parallel_size: 2 becomes 4"),
        ("config/b-all-0.yaml", "needs a decision both sides changed: tensor_parallel_size"),
    ]
    assert "1 of 2 variants" in shown.err
    assert await content(cli, clean) == before
    done = await cli("variants", "rebase-all", project, "--original", path, "--yes")
    assert "Rebased 1 variant." in done.err
    assert f"variants rebase {clash}" in done.err
    assert "tensor_parallel_size: 4\nmax_model_len: 8192\n" in await content(cli, clean)


async def test_rebase_all_writes_the_apis_lists_as_json(
    cli: CommandLine, project: str, repository: Repository
) -> None:
    path = "config/all-1.yaml"
    clean, clash = await moved_variants(cli, project, repository, path)
    previewed = (
        await cli("variants", "rebase-all", project, "--original", path, "--dry-run", "--json")
    ).json
    assert [row["id"] for row in previewed["preview"]] == [clean, clash]
    expected = (await cli("variants", "rebase-all", project, "--original", path, "--json")).json
    assert {name: expected[name] for name in ("rebased", "conflicts", "unchanged", "failed")} == {
        "rebased": [clean],
        "conflicts": [clash],
        "unchanged": [],
        "failed": [],
    }


async def test_a_variant_is_attached_to_another_original(
    cli: CommandLine, project: str, repository: Repository
) -> None:
    clean, _ = await moved_variants(cli, project, repository, "config/all-2.yaml")
    # Too little alike to be a rename.
    new = b"".join(b"other%d: %d\n" % (n, n) for n in range(50))
    repository.commit({"config/all-2.yaml": None, "config/v2/all.yaml": new}, message="gone")
    await cli.service.sync(project)
    text = await content(cli, clean)
    done = await cli("variants", "reattach", clean, "config/v2/all.yaml")
    assert "Attached config/v2/a-all-2.yaml to config/v2/all.yaml." in done.err
    assert await content(cli, clean) == text
    assert "already" in (await cli("variants", "reattach", clean, "v2/all.yaml")).err
    assert "(file_not_found)" in (await cli("variants", "reattach", clean, "nothing", code=1)).err


@pytest.mark.parametrize(
    ("arguments", "expected"),
    [
        (("--take", "a.b"), "write KEY=theirs or KEY=mine"),
        (("--take", "a=yours"), "write KEY=theirs or KEY=mine"),
        (("--set", "a=llama"), "texts in double quotes"),
        (("--set", 'a={"b": 1, "b": 2}'), "write KEY=JSON"),
        (("--set", "a=NaN"), "write KEY=JSON"),
        (("--take", "theirs", "--file", "-"), "so --take and --set cannot be used"),
        (("--preview", "--take", "theirs"), "--preview cannot be combined"),
    ],
)
async def test_impossible_decisions_are_refused(
    cli: CommandLine, variant: str, arguments: tuple[str, ...], expected: str
) -> None:
    done = await cli("variants", "rebase", variant, *arguments, code=2, stdin="")
    assert expected in done.err


def test_a_key_may_contain_an_equals_sign() -> None:
    assert _taken("spec.containers[name=main].image=mine") == {
        "path": "spec.containers[name=main].image",
        "take": "mine",
    }
    assert _taken("theirs") == {"path": None, "take": "theirs"}
    assert _set('c[name=main].image="a=1"') == {
        "path": "c[name=main].image",
        "take": "value",
        "value": "a=1",
    }
    assert json.dumps(_set("a=null")["value"]) == "null"


@pytest.mark.parametrize(
    ("stored", "typed"),
    [
        ("\u1109\u1165\u11af\u110c\u1165\u11bc", "설정"),
        ("분석", "\u1107\u116e\u11ab\u1109\u1165\u11a8"),
        ("Größe", "GRÖSSE"),
    ],
    ids=["stored decomposed", "typed decomposed", "another case"],
)
async def test_an_original_is_found_by_its_path_in_another_form(
    cli: CommandLine, stored: str, typed: str
) -> None:
    repository = f"acme/named-{ord(stored[0])}"
    cli.service.repository(
        repository, {f"config/{stored}.yaml": b"a: 1\n", f"config/{stored}-2.yaml": b"a: 1\n"}
    )
    project = await cli.service.synced(repository)
    made = await cli("variants", "new", project["id"], f"config/{typed}.yaml")
    variant = await cli.service.get(f"/modified-files/{made.out.strip()}")
    assert variant["original_path"] == f"config/{stored}.yaml"


async def test_two_paths_that_differ_in_their_form_alone_are_listed_unless_one_is_exact(
    cli: CommandLine,
) -> None:
    composed, decomposed = "config/é.yaml", "config/e\u0301.yaml"
    cli.service.repository("acme/twins", {composed: b"a: 1\n", decomposed: b"a: 1\n"})
    project = await cli.service.synced("acme/twins")
    made = await cli("variants", "new", project["id"], decomposed)
    assert (await cli.service.get(f"/modified-files/{made.out.strip()}"))[
        "original_path"
    ] == decomposed
    refused = await cli("variants", "new", project["id"], "config/É.yaml", code=1)
    assert "may mean any of 2 files" in refused.err
    assert refused.err.count(".yaml") >= 3
