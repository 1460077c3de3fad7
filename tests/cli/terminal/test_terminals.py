"""Commands as processes, with several locales, encodings of terminals, and readers of pipes."""

import asyncio
import json
import os
import subprocess
from pathlib import Path
from tempfile import TemporaryFile
from typing import Any

import pytest
import pytest_asyncio

from support.commands import ServiceCommands
from support.prefix_proxy import Offered, prefix_proxy
from support.process import start_program

NAME = "한글 프로젝트"
PATHS = ["config/🎉 시험.yaml", "config/ascii.yaml", "config/\x1b[31mred.yaml", "config/é.yaml"]
#: Python's UTF-8 mode off, as some launchers have it: then arguments are ASCII, and other bytes
#: surrogates.
ASCII_ONLY: dict[str, Any] = {"LC_ALL": "C", "PYTHONUTF8": "0"}


@pytest_asyncio.fixture(scope="module", loop_scope="session")
async def project(cli: ServiceCommands) -> str:
    cli.service.repository("acme/hangul", dict.fromkeys(PATHS, b"a: 1\n"))
    return str((await cli.service.synced("acme/hangul", name=NAME))["id"])


async def run(
    cli: ServiceCommands,
    *arguments: str | bytes,
    stdout: int | None = None,
    **variables: Any,
) -> subprocess.CompletedProcess[bytes]:
    """Run a command with these variables; none ever ends with a traceback.

    Python reads some variables at its start only, for which `new_python` is given too.
    """
    with TemporaryFile() as out, TemporaryFile() as err, Path(os.devnull).open("rb") as nothing:
        process = start_program(
            cli.folder,
            ("benchmark_manager", *arguments),
            streams=(nothing.fileno(), out.fileno() if stdout is None else stdout, err.fileno()),
            benchmark_manager_url=cli.url,
            benchmark_manager_actor="jo",
            **variables,
        )
        code = await asyncio.to_thread(process.wait, 60)
        out.seek(0)
        err.seek(0)
        done = subprocess.CompletedProcess(arguments, code, out.read(), err.read())
    assert b"Traceback" not in done.stderr, done.stderr.decode(errors="replace")
    assert b"\x1b" not in done.stdout + done.stderr
    return done


@pytest.mark.parametrize(
    ("encoding", "shown"),
    [
        ("euc-kr", "config/? 시험.yaml".encode("euc-kr")),
        ("ascii", b"config/? ??.yaml"),
        ("latin-1", "config/é.yaml".encode("latin-1")),
    ],
)
async def test_characters_that_a_terminal_cannot_show_are_replaced(
    cli: ServiceCommands, project: str, encoding: str, shown: bytes
) -> None:
    done = await run(cli, "files", project, pythonioencoding=encoding)
    assert done.returncode == 0
    assert shown in done.stdout
    assert b"config/ascii.yaml" in done.stdout
    assert len(done.stdout.splitlines()) == 1 + len(PATHS)


async def test_json_is_utf8_whatever_the_terminal_is(cli: ServiceCommands, project: str) -> None:
    done = await run(cli, "files", project, "--json", pythonioencoding="ascii")
    assert [file["path"] for file in json.loads(done.stdout.decode())] == sorted(
        PATHS, key=str.encode
    )


@pytest.mark.usefixtures("project")
@pytest.mark.parametrize("locale", [ASCII_ONLY, {"LC_ALL": "POSIX"}], ids=["ascii", "posix"])
async def test_names_and_queries_of_any_language_are_understood_in_the_c_locale(
    cli: ServiceCommands, locale: dict[str, Any]
) -> None:
    done = await run(cli, "files", NAME, "--query", "시험", "--json", new_python=True, **locale)
    assert [file["path"] for file in json.loads(done.stdout.decode())] == [PATHS[0]]


async def test_files_of_any_name_are_read_in_the_c_locale(
    cli: ServiceCommands, tmp_path: Path
) -> None:
    (tmp_path / "시험.yaml").write_text("a: 1\na: 2\n")
    done = await run(cli, "validate", str(tmp_path), new_python=True, **ASCII_ONLY)
    assert done.returncode == 1
    assert "시험.yaml:2:1: error duplicate_key ".encode() in done.stdout


@pytest.mark.parametrize(
    "arguments", [("files", b"\xc7\xd1"), ("projects", "add", b"\xc7\xd1", "acme/x")]
)
async def test_a_text_that_is_not_utf8_is_wrong_usage(
    cli: ServiceCommands, arguments: tuple[str | bytes, ...]
) -> None:
    done = await run(cli, *arguments)
    assert (done.returncode, done.stdout) == (2, b"")
    assert b"is not UTF-8" in done.stderr


async def test_a_reader_that_leaves_is_not_an_error(cli: ServiceCommands, project: str) -> None:
    reader, writer = os.pipe()
    os.close(reader)
    try:
        ended = [
            await run(cli, *arguments, stdout=writer, new_python=arguments == ("version",))
            for arguments in (("files", project), ("files", project, "--json"), ("version",))
        ]
    finally:
        os.close(writer)
    assert [(done.returncode, done.stderr) for done in ended] == [(141, b"")] * 3


async def test_a_full_disk_is_one_line(cli: ServiceCommands) -> None:
    with Path("/dev/full").open("wb") as full:
        done = await run(cli, "version", stdout=full.fileno())
    assert done.returncode == 1
    assert (
        done.stderr == b"benchmark-manager: output cannot be written (No space left on device).\n"
    )


@pytest.mark.parametrize("path", ["/lab/bench", "/lab/bench/"])
async def test_commands_accept_an_address_with_a_path(
    cli: ServiceCommands, project: str, tmp_path: Path, path: str
) -> None:
    """They request only paths below it, as the proxy records."""
    async with prefix_proxy({"/lab/bench": Offered(cli.url)}) as proxy:
        url = proxy.address(path)
        listed = await cli("files", project, "--url", url, "--json")
        assert len(listed.json) == len(PATHS)
        made = await cli("release", "create", NAME, "--url", url)
        await cli("pull", made.out.strip(), "--to", str(tmp_path / "r"), "--url", url)
        assert (tmp_path / "r" / PATHS[1]).read_bytes() == b"a: 1\n"
        refused = await cli("webhook", "test", "--url", url, code=1, WEBHOOK_SECRET="s" * 16)
        assert f"{proxy.address('/lab/bench')}/webhooks/github: it answers 404" in refused.err
