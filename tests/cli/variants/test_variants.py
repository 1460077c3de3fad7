"""Commands about variants: a text is saved over the revision that was read, or kept in a file."""

import re
import shlex
import stat
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from github_test_server import Repository
from support.commands import ServiceCommands
from support.variant_texts import CONTENT, content


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
    cli: ServiceCommands, project: str, tmp_path: Path
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
    cli: ServiceCommands, project: str, variant: str, name: str
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
    cli: ServiceCommands, project: str, variant: str, name: str
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
    cli: ServiceCommands, variant: str, name: str, editor: Any, tmp_path: Path
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
    cli: ServiceCommands, variant: str, name: str, tmp_path: Path
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
    cli: ServiceCommands, variant: str, tmp_path: Path
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
    cli: ServiceCommands, variant: str, tmp_path: Path
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
    cli: ServiceCommands, variant: str, editor: Any
) -> None:
    done = await cli("variants", "edit", variant, code=1, **editor("typed: much\n", code=3))
    assert "ended with exit code 3; nothing was saved" in done.err
    kept = Path(re.findall(r"^Your text is kept in (.+)\.$", done.err, re.MULTILINE)[0])
    assert kept.read_text() == "typed: much\n"
    assert await content(cli, variant) == CONTENT.decode()
    missing = await cli("variants", "edit", variant, code=1, VISUAL="/no/such/editor")
    assert "cannot be started" in missing.err


async def test_renaming_deleting_and_restoring(
    cli: ServiceCommands, project: str, variant: str, name: str
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


async def test_history_and_restoring(cli: ServiceCommands, variant: str) -> None:
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
    cli: ServiceCommands, variant: str, tmp_path: Path
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


async def test_variants_are_compared_side_by_side(cli: ServiceCommands, project: str) -> None:
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
    cli: ServiceCommands, project: str, repository: Repository, by_keys: str
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
    cli: ServiceCommands, project: str, repository: Repository
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
    cli: ServiceCommands, stored: str, typed: str
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
    cli: ServiceCommands,
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
