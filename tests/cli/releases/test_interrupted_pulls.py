"""Pulls over bad networks, pulls that are stopped, and two at once."""

import asyncio
import os
import signal
import subprocess
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from benchmark_manager.cli.releases.destination import ReleaseFolder
from benchmark_manager.cli.releases.pull import cleanup_at_sigterm
from benchmark_manager.cli.terminal.failures import CommandError
from benchmark_manager.cli.terminal.retries import RetryBudget
from benchmark_manager.client import ClientError, UnreachableError
from benchmark_manager.stores.embedded.ports import free_port
from support.commands import ServiceCommands
from support.interference import between
from support.process import ROOT, environment
from support.pulled_releases import Released, held
from support.waiting import eventually


async def test_interrupted_downloads_are_continued(
    cli: ServiceCommands, many: Released, tmp_path: Path
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
    cli: ServiceCommands, tmp_path: Path
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
    cli: ServiceCommands, many: Released, tmp_path: Path
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
    cli: ServiceCommands, many: Released, tmp_path: Path
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
