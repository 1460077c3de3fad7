"""Commands which make and show releases."""

import re

import pytest_asyncio

from support.commands import ServiceCommands

FILES = {"config/llama.yaml": b"model: llama\n", "config/gemma.yaml": b"model: gemma\n"}


@pytest_asyncio.fixture(scope="module", loop_scope="session")
async def project(cli: ServiceCommands) -> str:
    """A synced project `frozen` with two variants: with the original's name, and with another."""
    cli.service.repository("acme/frozen", FILES)
    project_id = str((await cli.service.synced("acme/frozen", name="frozen"))["id"])
    for arguments in (("llama.yaml", "-f", "-"), ("gemma.yaml", "-n", "gemma-2.yaml", "-f", "-")):
        await cli("variants", "new", project_id, *arguments, stdin="model: mine\n")
    return project_id


async def test_a_release_is_made_once_and_its_digest_is_the_result(cli: ServiceCommands) -> None:
    cli.service.repository("acme/once", {"config/a.yaml": b"once: 1\n", "job/b.yaml": b"once: 2\n"})
    await cli.service.synced("acme/once", name="once")
    first = await cli("release", "create", "once", "--name", "nightly", "--pin")
    assert re.fullmatch("sha256:[0-9a-f]{64}\n", first.out)
    assert first.err == "2 files, 16 B.\n"
    again = await cli("release", "create", "once")
    assert again.out == first.out
    assert "were a release already" in again.err
    shown = (await cli("release", "show", first.out.strip()[7:19], "--json")).json
    assert shown == await cli.service.get(f"/releases/{first.out.strip()}")
    assert (shown["name"], shown["pinned"], shown["created_by"]) == ("nightly", True, "jo")


async def test_a_release_holds_what_was_chosen(cli: ServiceCommands, project: str) -> None:

    async def paths(*arguments: str) -> list[str]:
        made = (await cli("release", "create", project, *arguments, "--json")).json
        return [file["path"] for file in made["files"]]

    variant = ("--variant", "gemma-2.yaml")
    expected = {
        ("--include", "originals"): ["config/gemma.yaml", "config/llama.yaml"],
        ("--include", "modified"): ["config/gemma-2.yaml", "config/llama.yaml"],
        variant: ["config/gemma-2.yaml", "config/gemma.yaml", "config/llama.yaml"],
        ("--include", "modified", *variant): ["config/gemma-2.yaml"],
    }
    assert {arguments: await paths(*arguments) for arguments in expected} == expected
    assert (
        "(variant_not_found)"
        in (await cli("release", "create", project, "--variant", "no.yaml", code=1)).err
    )


async def test_a_variant_is_used_in_place_of_its_original(
    cli: ServiceCommands, project: str
) -> None:
    arguments = ("release", "create", project, "--include", "originals", "--json")
    made = (await cli(*arguments, "--use", "gemma-2.yaml")).json
    assert [(file["path"], file["source"]) for file in made["files"]] == [
        ("config/gemma.yaml", "modified"),
        ("config/llama.yaml", "original"),
    ]
    await cli(
        "variants",
        "new",
        project,
        "gemma.yaml",
        "-n",
        "gemma-3.yaml",
        "-f",
        "-",
        stdin="model: b\n",
    )
    both = ("--use", "gemma-2.yaml", "--use", "gemma-3.yaml")
    refused = await cli(*arguments[:-1], *both, code=2)
    assert "cannot both stand in its place" in refused.err
    await cli("variants", "delete", "gemma-3.yaml", "--project", project)


async def test_releases_are_listed_by_digests_which_other_commands_take(
    cli: ServiceCommands, project: str
) -> None:
    made = (await cli("release", "create", project, "--name", "listed")).out.strip()
    lines = (await cli("release", "list", project)).out.splitlines()
    short = next(line.split()[0] for line in lines if made.startswith(line.split()[0]))
    shown = (await cli("release", "show", short)).out
    assert re.search(f"^digest +{made}$", shown, re.MULTILINE)
    assert re.search(
        r"^config/gemma-2\.yaml +12 B +modified +[0-9a-f]{12} +[0-9a-f]{24} +1 +[0-9a-f]{64}$",
        shown,
        re.MULTILINE,
    )
    assert (await cli("release", "list", project, "--json")).json == await cli.service.rows(
        f"/projects/{project}/releases"
    )


async def test_a_reference_that_is_not_a_release_is_reported(cli: ServiceCommands) -> None:
    assert (await cli("release", "show", "0" * 64, code=1)).err.endswith("(release_not_found)\n")
    errors = [(await cli("release", "show", name, code=2)).err for name in ("abc", "../projects")]
    assert [error for error in errors if "at least 12 hex digits" not in error] == []
