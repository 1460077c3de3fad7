"""Commands which make and show releases."""

import re

import pytest_asyncio

from support.commands import CommandLine

FILES = {"config/llama.yaml": b"model: llama\n", "config/gemma.yaml": b"model: gemma\n"}


@pytest_asyncio.fixture(scope="module", loop_scope="session")
async def project(cli: CommandLine) -> str:
    """A synced project named `frozen`, with two variants.

    One in its original's place, one beside it.
    """
    cli.service.repository("acme/frozen", FILES)
    project_id = str((await cli.service.synced("acme/frozen", name="frozen"))["id"])
    for arguments in (("llama.yaml", "-f", "-"), ("gemma.yaml", "-n", "gemma-2.yaml", "-f", "-")):
        await cli("variants", "new", project_id, *arguments, stdin="model: mine\n")
    return project_id


async def test_a_release_is_made_once_and_its_digest_is_the_result(
    cli: CommandLine, project: str
) -> None:
    first = await cli("release", "create", project, "--name", "nightly", "--pin")
    assert re.fullmatch("sha256:[0-9a-f]{64}\n", first.out)
    assert first.err == "3 files, 37 B.\n"
    again = await cli("release", "create", "frozen")
    assert again.out == first.out
    assert "were a release already" in again.err
    shown = (await cli("release", "show", first.out.strip()[7:19], "--json")).json
    assert shown == await cli.service.get(f"/releases/{first.out.strip()}")
    assert (shown["name"], shown["pinned"], shown["created_by"]) == ("nightly", True, "jo")


async def test_a_release_holds_what_was_chosen(cli: CommandLine, project: str) -> None:
    for arguments, paths in (
        (("--include", "originals"), ["config/gemma.yaml", "config/llama.yaml"]),
        (("--include", "modified"), ["config/gemma-2.yaml", "config/llama.yaml"]),
        (
            ("--variant", "gemma-2.yaml"),
            ["config/gemma-2.yaml", "config/gemma.yaml", "config/llama.yaml"],
        ),
        (("--include", "modified", "--variant", "gemma-2.yaml"), ["config/gemma-2.yaml"]),
    ):
        made = (await cli("release", "create", project, *arguments, "--json")).json
        assert [file["path"] for file in made["files"]] == paths, arguments
    assert (
        "(variant_not_found)"
        in (await cli("release", "create", project, "--variant", "no.yaml", code=1)).err
    )


async def test_releases_are_listed_by_digests_which_other_commands_take(
    cli: CommandLine, project: str
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


async def test_what_is_no_release_is_told(cli: CommandLine) -> None:
    assert (await cli("release", "show", "0" * 64, code=1)).err.endswith("(release_not_found)\n")
    for digest in ("abc", "../projects"):
        assert "at least 12 hex digits" in (await cli("release", "show", digest, code=2)).err
