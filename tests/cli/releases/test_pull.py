"""`benchmark-manager pull`: a folder has exactly the files of a digest, or stays as it was."""

import asyncio
import getpass
import gzip
import hashlib
import os
import pty
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Container, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path, PurePosixPath
from typing import Any

import httpx2 as httpx
import pytest
import pytest_asyncio
from hypothesis import given
from hypothesis import strategies as st

from benchmark_manager.cli.releases.destination import ReleaseFolder
from benchmark_manager.cli.releases.pull import cleanup_at_sigterm
from benchmark_manager.cli.terminal.failures import CommandError
from benchmark_manager.cli.terminal.retries import RetryBudget
from benchmark_manager.client import ClientError, UnreachableError
from benchmark_manager.client.client import actor
from benchmark_manager.client.errors import ReleaseContentError
from benchmark_manager.client.sha256sums import (
    digits_of,
    is_inside,
    read_sums,
    write_sums,
)
from benchmark_manager.domain.releases.digest import sums_text
from benchmark_manager.models.release import ReleaseFile
from benchmark_manager.stores.embedded.ports import free_port
from support.commands import CommandLine, Done
from support.process import ROOT, environment
from support.waiting import GENEROUS, eventually

FILES = {
    "config/llama.yaml": b"model: llama\n",
    "config/deep/größe 100%.json": b'{"model": "llama"}\n',
    "config/crlf.yaml": b"\xef\xbb\xbfa: 1\r\nb: 2",
    "config/back\\slash.yaml": b"a: 1\n",
    "config/large.yaml": b"# " + b"x" * 300_000 + b"\n",
    "job/run.yaml": b"apiVersion: batch/v1\nkind: Job\nmetadata:\n  name: run\n",
}
FEW = {"config/a.yaml": b"a: 1\n", "config/b.yaml": b"b: 2\n"}


@dataclass(frozen=True, slots=True)
class Released:
    """A release of these files."""

    digest: str
    files: dict[str, bytes]


async def released(cli: CommandLine, name: str, files: dict[str, bytes]) -> Released:
    cli.service.repository(f"acme/{name}", files)
    project = await cli.service.synced(f"acme/{name}")
    return Released(
        (await cli.service.post(f"/projects/{project['id']}/releases", {}, 201))["digest"], files
    )


@pytest_asyncio.fixture(scope="module", loop_scope="session")
async def many(cli: CommandLine) -> Released:
    """So many files that they are fetched as an archive."""
    return await released(cli, "many", FILES)


@pytest_asyncio.fixture(scope="module", loop_scope="session")
async def few(cli: CommandLine) -> Released:
    """So few that each is asked for."""
    return await released(cli, "few", FEW)


def held(folder: Path) -> dict[str, bytes]:
    return {
        str(path.relative_to(folder)): path.read_bytes()
        for path in folder.rglob("*")
        if path.is_file()
    }


@dataclass
class Interference:
    """A service between: what comes by is passed on, changed, cut short or refused."""

    target: str
    url: str = ""
    #: By the end of a path: what becomes of a body, and how often.
    changes: dict[str, Callable[[bytes], bytes]] = field(default_factory=dict)
    cuts: dict[str, int] = field(default_factory=dict)
    refusals: int = 0
    pause: float = 0
    asked: list[str] = field(default_factory=list)

    def answer(self, handler: BaseHTTPRequestHandler) -> None:
        self.asked.append(handler.path)
        if self.refusals:
            self.refusals -= 1
            handler.send_response(503)
            handler.send_header("content-length", "0")
            handler.end_headers()
            return
        found = httpx.get(
            self.target + handler.path,
            headers=dict(handler.headers),
            trust_env=False,
            timeout=GENEROUS,
        )
        ending = handler.path.rpartition("/")[2]
        body = self.changes.get(ending, bytes)(found.content)
        handler.send_response(200 if ending in self.changes else found.status_code)
        handler.send_header("content-type", found.headers["content-type"])
        handler.send_header("content-length", str(len(body)))
        handler.end_headers()
        time.sleep(self.pause)
        if self.cuts.get(ending, 0) > 0:
            self.cuts[ending] -= 1
            body = body[: len(body) // 2]
            handler.close_connection = True
        handler.wfile.write(body)


@contextmanager
def between(target: str, **interference: Any) -> Iterator[Interference]:
    one = Interference(target, **interference)

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def do_GET(self) -> None:
            one.answer(self)

        def log_message(self, *_: object) -> None:
            pass

    class Server(ThreadingHTTPServer):
        daemon_threads = True

        def handle_error(self, *_: object) -> None:
            """A client which went away is part of the test."""

    with Server(("127.0.0.1", 0), Handler) as server:
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02})
        thread.start()
        one.url = f"http://127.0.0.1:{server.server_address[1]}"
        try:
            yield one
        finally:
            server.shutdown()
            thread.join()


# What it does


async def test_the_bytes_are_exact_and_coreutils_agrees(
    cli: CommandLine, many: Released, tmp_path: Path
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
    cli: CommandLine, few: Released, tmp_path: Path
) -> None:
    before = os.umask(0o022)
    try:
        await cli.process("pull", few.digest, "--to", str(tmp_path / "r"))
    finally:
        os.umask(before)
    assert (tmp_path / "r").stat().st_mode & 0o777 == 0o755
    assert (tmp_path / "r/config/a.yaml").stat().st_mode & 0o777 == 0o644


async def test_a_folder_that_is_right_is_not_changed_and_needs_no_request(
    cli: CommandLine, few: Released, tmp_path: Path
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
    cli: CommandLine, few: Released, tmp_path: Path, spoil: str
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
    cli: CommandLine, few: Released, tmp_path: Path
) -> None:
    (tmp_path / "real").mkdir()
    (tmp_path / "link").symlink_to("real")
    await cli("pull", few.digest, "--to", str(tmp_path / "link"))
    assert (tmp_path / "link").is_symlink()
    assert held(tmp_path / "real") == few.files


# What is not what it should be


@pytest.mark.parametrize("what", ["archive", "file", "sums"])
async def test_wrong_bytes_end_with_3_and_leave_the_folder_as_it_was(
    cli: CommandLine, many: Released, few: Released, tmp_path: Path, what: str
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
    cli: CommandLine, tmp_path: Path, path: str
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


async def test_obstacles_are_reported(cli: CommandLine, few: Released, tmp_path: Path) -> None:
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
    cli: CommandLine, tmp_path: Path, digest: str, code: int, said: str
) -> None:
    assert said in (await cli("pull", digest, "--to", str(tmp_path / "r"), code=code)).err
    assert list(tmp_path.iterdir()) == []


# Networks


async def test_interrupted_downloads_are_continued(
    cli: CommandLine, many: Released, tmp_path: Path
) -> None:
    """Half of the archive arrives; the rest is requested file by file, and is interrupted too."""
    with between(cli.url, cuts={"archive": 9, "large.yaml": 2}, refusals=2) as there:
        done = await cli("pull", many.digest, "--to", str(tmp_path / "r"), "--url", there.url)
        assert "trying again for 60 s" in done.err
    assert held(tmp_path / "r") == many.files
    paths = [path.rpartition("/")[2] for path in there.asked]
    assert (paths.count("archive"), paths.count("large.yaml"), paths.count("SHA256SUMS")) == (
        1,
        3,
        3,
    )
    assert "crlf.yaml" not in paths, "what had arrived was fetched again"


async def test_a_service_that_stays_unreachable_ends_with_4(
    cli: CommandLine, tmp_path: Path
) -> None:
    url = f"http://127.0.0.1:{free_port()}"
    done = await cli(
        "pull", "0" * 64, "--to", str(tmp_path / "r"), "--url", url, "--patience", "0.3", code=4
    )
    assert f"{url} cannot be reached" in done.err
    assert list(tmp_path.iterdir()) == []


def test_retries_wait_longer_each_time_and_end() -> None:
    slept: list[float] = []
    said: list[str] = []
    retries = RetryBudget(60, say=said.append, sleep=slept.append, clock=lambda: sum(slept))

    def fail() -> None:
        raise UnreachableError("it is away")

    with pytest.raises(UnreachableError):
        retries.until_done(fail)
    assert 40 < sum(slept) <= 60
    assert max(slept) <= 8
    assert slept[5] > slept[0]
    assert said == ["it is away -- trying again for 60 s."]


def test_permanent_errors_are_not_retried() -> None:
    attempts: list[None] = []

    def fail() -> None:
        attempts.append(None)
        raise ClientError("no", "no")

    with pytest.raises(ClientError):
        RetryBudget(60, say=print).until_done(fail)
    assert len(attempts) == 1


async def test_a_stopped_container_leaves_no_incomplete_files(
    cli: CommandLine, many: Released, tmp_path: Path
) -> None:
    with between(cli.url, pause=0.6) as there:
        command = [
            sys.executable,
            "-m",
            "benchmark_manager",
            "pull",
            many.digest,
            "--to",
            str(tmp_path / "r"),
        ]
        pulling = subprocess.Popen(
            command, env=environment(pythonpath=ROOT, benchmark_manager_url=there.url)
        )

        async def begun() -> bool | None:
            return any(tmp_path.iterdir()) or None

        await eventually(begun, "it did not begin")
        pulling.send_signal(signal.SIGTERM)
        assert await asyncio.to_thread(pulling.wait, 10) == 128 + signal.SIGTERM
    assert list(tmp_path.iterdir()) == []


# A file which was opened a moment before is closed with a warning; the process ends anyway.
@pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning")
def test_a_signal_at_any_time_leaves_the_folder_whole_and_nothing_else(
    tmp_path: Path,
) -> None:
    target = ReleaseFolder(tmp_path / "r", force=True)

    def replace_for_ever(sender: threading.Thread) -> None:
        with cleanup_at_sigterm():
            sender.start()
            while True:
                with target.filled("") as folder:
                    (folder / "a").write_bytes(b"a")

    with target.filled("") as folder:
        (folder / "a").write_bytes(b"a")
    states: list[tuple[dict[str, bytes], list[Path]]] = []
    for number in range(100):
        with signals_to_this_process(0.0004 * (number % 10)) as sender, pytest.raises(SystemExit):
            replace_for_ever(sender)
        states.append((held(tmp_path), list(tmp_path.iterdir())))
    assert [state for state in states if state != ({"r/a": b"a"}, [tmp_path / "r"])] == []


@contextmanager
def signals_to_this_process(seconds: float) -> Iterator[threading.Thread]:
    """Send SIGTERM after this time, and again: Python drops one that comes in a destructor.

    The thread that sends is to be started where SIGTERM is handled, and is ended here: there a
    signal may come at any moment, and would keep it from being ended.
    """
    ended = threading.Event()

    def send() -> None:
        wait = seconds
        while not ended.wait(wait):
            os.kill(os.getpid(), signal.SIGTERM)
            wait = 5.0

    sender = threading.Thread(target=send)
    try:
        yield sender
    finally:
        ended.set()
        sender.join()


async def test_two_pulls_at_once_both_succeed(
    cli: CommandLine, many: Released, tmp_path: Path
) -> None:
    with between(cli.url, pause=0.1) as there:
        arguments = ("pull", many.digest, "--to", str(tmp_path / "r"), "--url", there.url)
        await asyncio.gather(cli.process(*arguments), cli.process(*arguments))
    assert (held(tmp_path / "r"), list(tmp_path.iterdir())) == (many.files, [tmp_path / "r"])


def test_a_folder_filled_by_another_pull_of_the_same_release_is_accepted(tmp_path: Path) -> None:
    (tmp_path / "a").write_bytes(b"a")
    target = ReleaseFolder(tmp_path, force=False)
    digits = target.held_digits()
    assert digits is not None
    target.check_free(digits[:12])
    with pytest.raises(CommandError, match="contains other files"):
        target.check_free("0" * 12)


async def test_a_bar_is_shown_only_on_a_terminal(
    cli: CommandLine, many: Released, tmp_path: Path
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


def test_without_a_user_s_name_no_actor_is_sent(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    def unknown() -> str:
        raise KeyError("getpwuid(): uid not found: 1000")

    monkeypatch.delenv("BENCHMARK_MANAGER_ACTOR", raising=False)
    monkeypatch.setattr(getpass, "getuser", unknown)
    assert actor() is None


# Checksums


def _needs_folder_at(path: str, files: Container[str]) -> bool:
    """Return whether one of `files` is a folder of the path, as in no release."""
    return any(str(folder) in files for folder in PurePosixPath(path).parents)


parts = st.text(
    st.characters(exclude_categories=["Cs"], exclude_characters="/\0"), min_size=1, max_size=8
).filter(lambda part: part not in {".", ".."})
paths = st.lists(parts, min_size=1, max_size=4).map("/".join)
sums_of = st.dictionaries(
    paths, st.binary(max_size=4).map(lambda data: hashlib.sha256(data).hexdigest()), max_size=8
).filter(lambda files: not any(_needs_folder_at(path, files) for path in files))


@given(sums_of)
def test_sums_are_written_as_the_service_writes_them_and_read_back(files: dict[str, str]) -> None:
    rows = [
        ReleaseFile(
            path=path,
            sha="",
            sha256=sha256,
            size=0,
            source="original",
            original_sha="",
            commit_sha="",
        )
        for path, sha256 in files.items()
    ]
    sums = write_sums(files)
    assert sums == sums_text(rows)
    assert read_sums(sums) == {
        path.encode(): bytes.fromhex(sha256) for path, sha256 in files.items()
    }


def test_sums_of_a_file_and_of_another_below_it_are_refused() -> None:
    digest = hashlib.sha256(b"").hexdigest()
    with pytest.raises(ReleaseContentError, match="needs a folder where a file is"):
        read_sums(write_sums({"0": digest, "0/0": digest}))


@given(st.binary(max_size=200) | st.text(alphabet="0a \\\n/.nrx*", max_size=200).map(str.encode))
def test_other_texts_are_refused_and_paths_stay_inside(data: bytes) -> None:
    line = hashlib.sha256(b"").hexdigest().encode() + b"  " + data + b"\n"
    files: list[bytes] = []
    for sums in (data, line, b"\\" + line):
        with suppress(ClientError):
            files += read_sums(sums)
    assert [path for path in files if os.path.normpath(b"/r/" + path) != b"/r/" + path] == []


@pytest.mark.parametrize(
    "path",
    [
        "a\\..\\..\\x",
        "C:x",
        "a.yaml:stream",
        "nul",
        "a/COM1.yaml",
        "aux .json",
        "a./b",
        "a /b",
        "a?b",
    ],
)
def test_on_windows_other_separators_drives_and_devices_are_refused(path: str) -> None:
    assert (is_inside(path, windows=True), is_inside(path, windows=False)) == (False, True)


@pytest.mark.parametrize("path", ["null.yaml", "com.yaml", "a b/c", ".a", "config/größe.yaml"])
def test_on_windows_other_paths_are_accepted(path: str) -> None:
    assert is_inside(path, windows=True)
