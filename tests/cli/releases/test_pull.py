"""`benchmark-manager pull`: a folder has exactly the files of a digest, or stays as it was."""

import asyncio
import gzip
import hashlib
import os
import pty
import shutil
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from benchmark_manager.client.sha256sums import (
    digits_of,
)
from benchmark_manager.stores.embedded.ports import free_port
from support.commands import Done, ServiceCommands
from support.interference import between
from support.process import ROOT, environment
from support.pulled_releases import FEW, Released, held


async def test_the_bytes_are_exact_and_coreutils_agrees(
    cli: ServiceCommands, many: Released, tmp_path: Path
) -> None:
    folder = tmp_path / "new" / "release"
    done = await cli.process("pull", many.digest, "--to", str(folder))
    assert (done.out, held(folder)) == ("", many.files)
    assert f"holds {many.digest} now: 6 files." in done.err
    assert list(folder.parent.iterdir()) == [folder]
    sums = (await cli.service.http.get(f"/releases/{many.digest}/SHA256SUMS")).content
    checked = subprocess.run(
        ["sha256sum", "-c", "--quiet"], cwd=folder, input=sums, capture_output=True, check=False
    )
    assert (checked.returncode, checked.stdout, checked.stderr) == (0, b"", b"")
    assert f"sha256:{hashlib.sha256(sums).hexdigest()}" == many.digest


async def test_other_users_can_read_a_pulled_release(
    cli: ServiceCommands, few: Released, tmp_path: Path
) -> None:
    before = os.umask(0o022)
    try:
        await cli.process("pull", few.digest, "--to", str(tmp_path / "r"))
    finally:
        os.umask(before)
    assert (tmp_path / "r").stat().st_mode & 0o777 == 0o755
    assert (tmp_path / "r/config/a.yaml").stat().st_mode & 0o777 == 0o644


async def test_a_folder_that_is_right_is_not_changed_and_needs_no_request(
    cli: ServiceCommands, few: Released, tmp_path: Path
) -> None:
    await cli("pull", few.digest, "--to", str(tmp_path / "r"))
    before = identity(tmp_path / "r")
    unused = f"http://127.0.0.1:{free_port()}"
    done = await cli("pull", few.digest, "--to", str(tmp_path / "r"), "--url", unused, "--json")
    assert done.json == {
        "digest": few.digest,
        "directory": str(tmp_path / "r"),
        "outcome": "present",
        "files": None,
    }
    by_prefix = await cli(
        "pull", few.digest[:19].upper().replace("SHA", "sha"), "--to", str(tmp_path / "r")
    )
    assert "already" in by_prefix.err
    assert identity(tmp_path / "r") == before


def identity(folder: Path) -> tuple[int, int, int]:
    """What another folder, or a change, would make different; reading changes its `st_atime`."""
    found = folder.stat()
    return found.st_ino, found.st_mtime_ns, found.st_ctime_ns


@pytest.mark.parametrize("spoil", ["changed", "more", "less", "link", "empty"])
async def test_a_folder_with_other_files_is_refused_unless_forced(
    cli: ServiceCommands, few: Released, tmp_path: Path, spoil: str
) -> None:
    folder = tmp_path / "r"
    for path, data in FEW.items():
        (folder / path).parent.mkdir(parents=True, exist_ok=True)
        (folder / path).write_bytes(data)
    file = folder / "config/a.yaml"
    spoiling: dict[str, Callable[[], object]] = {
        "changed": lambda: file.write_bytes(b"a: 2\n"),
        "more": lambda: (folder / "x").write_bytes(b""),
        "less": file.unlink,
        "link": lambda: (folder / "x").symlink_to("config"),
        "empty": (folder / "x").mkdir,
    }
    spoiling[spoil]()
    before = held(folder)
    done = await cli("pull", few.digest, "--to", str(folder), code=1)
    assert "(folder_not_empty)" in done.err
    assert held(folder) == before
    if spoil in {"changed", "more"}:
        await cli("pull", few.digest, "--to", str(folder), "--force")
        assert (held(folder), list(tmp_path.iterdir())) == (few.files, [folder])


async def test_an_empty_folder_and_the_target_of_a_link_are_filled(
    cli: ServiceCommands, few: Released, tmp_path: Path
) -> None:
    (tmp_path / "real").mkdir()
    (tmp_path / "link").symlink_to("real")
    await cli("pull", few.digest, "--to", str(tmp_path / "link"))
    assert (tmp_path / "link").is_symlink()
    assert held(tmp_path / "real") == few.files


@pytest.mark.parametrize("what", ["archive", "file", "sums"])
async def test_wrong_bytes_end_with_3_and_leave_the_folder_as_it_was(
    cli: ServiceCommands, many: Released, few: Released, tmp_path: Path, what: str
) -> None:
    release = many if what == "archive" else few
    change: dict[str, Callable[[bytes], bytes]] = {
        "archive": lambda body: gzip.compress(
            gzip.decompress(body).replace(b"model: llama", b"model: gemma")
        ),
        "a.yaml": lambda _: b"a: 2\n",
    }
    if what == "sums":
        change = {"SHA256SUMS": lambda body: body.replace(b"a.yaml", b"c.yaml")}
    (tmp_path / "r").mkdir()
    (tmp_path / "r/mine").write_bytes(b"kept")
    with between(cli.url, changes=change) as there:
        arguments = ("pull", release.digest, "--force", "--url", there.url)
        errors = [
            (await cli(*arguments, "--to", str(tmp_path / to), code=3)).err for to in ("r", "new")
        ]
    end = "(digest_mismatch)\nNothing was changed here.\n"
    assert [error for error in errors if not error.endswith(end)] == []
    assert held(tmp_path) == {"r/mine": b"kept"}
    assert list(tmp_path.iterdir()) == [tmp_path / "r"]


@pytest.mark.parametrize("path", ["../x", "/x", "a/../../x", "a//x", "./x", "a/.", "x\\n/../../y"])
async def test_a_path_out_of_the_folder_is_refused(
    cli: ServiceCommands, tmp_path: Path, path: str
) -> None:
    """Even if the digest is right, since the release may have been made so on purpose."""
    mark = "\\" if "\\" in path else ""
    sums = f"{mark}{hashlib.sha256(b'').hexdigest()}  {path}\n".encode()
    with between(cli.url, changes={"SHA256SUMS": lambda _: sums}) as there:
        done = await cli(
            "pull", digits_of(sums), "--to", str(tmp_path / "r"), "--url", there.url, code=1
        )
    assert "(path_unsafe)" in done.err
    assert list(tmp_path.iterdir()) == []


async def test_obstacles_are_reported(cli: ServiceCommands, few: Released, tmp_path: Path) -> None:
    (tmp_path / "file").write_bytes(b"")

    async def code(to: str) -> str:
        done = await cli("pull", few.digest, "--to", str(tmp_path / to), "--force", code=1)
        return done.err.splitlines()[0].rpartition("(")[2].removesuffix(")")

    expected = {"file": "not_a_folder", "/proc": "mount_point", "file/below": "cannot_write"}
    assert {to: await code(to) for to in expected} == expected
    assert held(tmp_path) == {"file": b""}


@pytest.mark.parametrize(
    ("digest", "code", "said"),
    [
        ("0" * 64, 1, "(release_not_found)"),
        ("0" * 11, 2, "at least 12 hex digits"),
        ("../projects", 2, "at least 12 hex digits"),
    ],
)
async def test_a_reference_that_is_not_a_release_is_reported(
    cli: ServiceCommands, tmp_path: Path, digest: str, code: int, said: str
) -> None:
    assert said in (await cli("pull", digest, "--to", str(tmp_path / "r"), code=code)).err
    assert list(tmp_path.iterdir()) == []


async def test_a_bar_is_shown_only_on_a_terminal(
    cli: ServiceCommands, many: Released, tmp_path: Path
) -> None:
    quiet = await cli.process("pull", many.digest, "--to", str(tmp_path / "quiet"))
    assert "fetching" not in quiet.err
    reader, writer = pty.openpty()
    command = [
        sys.executable,
        "-m",
        "benchmark_manager",
        "pull",
        many.digest,
        "--to",
        str(tmp_path / "r"),
        "--json",
    ]
    settings = environment(pythonpath=ROOT, benchmark_manager_url=cli.url, term="xterm")
    pulling = subprocess.Popen(
        command, env=settings, stdout=subprocess.PIPE, stderr=writer, text=True
    )
    out, _ = await asyncio.to_thread(pulling.communicate, timeout=60)
    shown = os.read(reader, 100_000)
    os.close(reader)
    os.close(writer)
    assert b"fetching" in shown
    assert Done(pulling.returncode, out, "").json["outcome"] == "pulled"


#: Runs a program as a user id that has no name, as many containers do.
NAMELESS = ("unshare", "--user", "--map-user=54321")
ACTORS = """
import os
from benchmark_manager.client.client import actor
print(actor())
os.environ["USER"] = "jo"
print(actor())
"""


def may_be_nameless() -> bool:
    if shutil.which(NAMELESS[0]) is None:
        return False
    return subprocess.run([*NAMELESS, "true"], capture_output=True, check=False).returncode == 0


def test_without_a_user_s_name_no_actor_is_sent() -> None:
    if not may_be_nameless():
        pytest.skip("this machine allows no user namespaces")
    done = subprocess.run(
        [*NAMELESS, sys.executable, "-c", ACTORS],
        env={"PATH": os.environ["PATH"], "PYTHONPATH": str(ROOT)},
        capture_output=True,
        check=True,
        text=True,
    )
    assert done.stdout.splitlines() == ["None", "jo"]
