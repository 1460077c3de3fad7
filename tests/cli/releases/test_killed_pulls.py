"""Pulls that are killed: the folder stays whole, and the next pull removes what they left."""

import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Final

from benchmark_manager.cli.releases.destination import ReleaseFolder
from benchmark_manager.client.sha256sums import digits_of
from support.forked_commands import ForkedCommands
from support.hostile_releases import FILES, archive_of, release_server, sums_of
from support.hostile_server import head, hostile_server
from support.process import ROOT, environment
from support.waiting import GENEROUS, eventually


def kill(number: int) -> None:
    os.kill(number, signal.SIGKILL)


async def test_what_a_killed_pull_leaves_is_removed_by_the_next(
    run: ForkedCommands, tmp_path: Path
) -> None:
    begun, go_on = threading.Event(), threading.Event()

    def held_up() -> Iterator[bytes]:
        packed = archive_of(FILES)
        yield head(Content_Length=len(packed))
        yield packed[:3000]
        begun.set()
        go_on.wait(GENEROUS)

    arguments = ("pull", digits_of(sums_of(FILES)), "--to", str(tmp_path / "r"), "--url")
    with hostile_server(release_server(archive=held_up())) as server:
        pulling = run.start(*arguments, server.url)
        assert begun.wait(GENEROUS)
        await eventually(
            lambda: any(tmp_path.glob(".r.*.partial/config/*")), "the pull writes no file"
        )
        kill(pulling.number)
        go_on.set()
        assert pulling.wait().code == -signal.SIGKILL
    assert [path.name.endswith(".partial") for path in tmp_path.iterdir()] == [True]
    with hostile_server(release_server()) as server:
        assert run(*arguments, server.url).code == 0
        assert list(tmp_path.iterdir()) == [tmp_path / "r"]
        # What another pull left is removed also where the folder is right.
        (tmp_path / ".r.00000000.partial").mkdir()
        assert run(*arguments, server.url).code == 0
    assert list(tmp_path.iterdir()) == [tmp_path / "r"]


def test_a_running_pull_s_files_are_not_removed_by_another(tmp_path: Path) -> None:
    target = ReleaseFolder(tmp_path / "r", force=False)
    kept = [
        tmp_path / ".r.0123456.partial",
        tmp_path / ".s.01234567.partial",
        tmp_path / ".r.01234567.new",
    ]
    for folder in kept:
        folder.mkdir()
    (tmp_path / ".r.01234567.partial").symlink_to(tmp_path)
    with target.filled("") as folder:
        (folder / "a").write_bytes(b"a")
        ReleaseFolder(tmp_path / "r", force=False).clear_leftovers()
        assert (folder / "a").exists()
    assert (tmp_path / "r/a").read_bytes() == b"a"
    assert all(folder.is_dir() for folder in kept)
    assert (tmp_path / ".r.01234567.partial").is_symlink()


def test_a_folder_that_a_killed_pull_moved_away_is_restored(tmp_path: Path) -> None:
    """If the file system cannot exchange folders, the path has no folder for a moment."""
    old = tmp_path / ".r.01234567.old"
    old.mkdir()
    (old / "a").write_bytes(b"a")
    ReleaseFolder(tmp_path / "r", force=True).clear_leftovers()
    assert (tmp_path / "r/a").read_bytes() == b"a"
    old.mkdir()
    ReleaseFolder(tmp_path / "r", force=True).clear_leftovers()
    assert list(tmp_path.iterdir()) == [tmp_path / "r"]


REPLACE: Final = """
import os, sys
from pathlib import Path
from benchmark_manager.cli.releases.destination import ReleaseFolder

def replace_forever(directory):
    target = ReleaseFolder(directory, force=True)
    number = 0
    while True:
        target.clear_leftovers()
        with target.filled("") as folder:
            for name in "ab":
                (folder / name).write_text(str(number))
        number += 1

for line in sys.stdin:
    child = os.fork()
    if child == 0:
        replace_forever(Path(line.strip()))
    print(child, flush=True)
    os.waitpid(child, 0)
    print("ended", flush=True)
"""


def test_whenever_a_pull_is_killed_the_folder_is_whole(tmp_path: Path) -> None:
    folder = tmp_path / "r"
    with ReleaseFolder(folder, force=True).filled("") as filled:
        for name in "ab":
            (filled / name).write_text("0")
    with subprocess.Popen(
        [sys.executable, "-c", REPLACE],
        env=environment(pythonpath=ROOT),
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    ) as forking:
        assert forking.stdin is not None
        assert forking.stdout is not None
        contents: list[dict[str, str]] = []
        endings: list[str] = []
        for number in range(25):
            print(folder, file=forking.stdin, flush=True)
            child = int(forking.stdout.readline())
            time.sleep(0.004 + 0.0008 * number)
            kill(child)
            endings.append(forking.stdout.readline())
            contents.append({path.name: path.read_text() for path in folder.iterdir()})
        forking.stdin.close()
    assert endings == ["ended\n"] * 25
    assert [each for each in contents if each != dict.fromkeys("ab", each.get("a"))] == []
    ReleaseFolder(folder, force=True).clear_leftovers()
    assert list(tmp_path.iterdir()) == [folder]
