"""What counts as work of a process which does not answer."""

import subprocess
import sys

import pytest

from benchmark_manager.stores.embedded.progress import Sample, Silence, sample
from support.suspension import suspend

IDLE, WORKING = Sample(1.0, has_working_thread=False), Sample(1.0, has_working_thread=True)
linux_only = pytest.mark.skipif(not sys.platform.startswith("linux"), reason="only Linux has /proc")


def silence(*samples: Sample | None, elapsed: float = 0.25) -> Silence:
    """A silence of 4 samples' window, after these samples."""
    found = Silence(0.25, 1.0)
    for one in samples:
        found.add(one, elapsed)
    return found


@pytest.mark.parametrize(
    ("samples", "hangs"),
    [
        ([IDLE] * 3, False),
        ([IDLE] * 4, True),
        ([WORKING] * 20, False),
        ([WORKING] * 20 + [IDLE] * 4, True),
        ([IDLE, IDLE, WORKING, IDLE], False),
        ([None] * 20, False),
    ],
)
def test_a_process_hangs_that_did_no_work_in_the_last_window(
    samples: list[Sample | None], hangs: bool
) -> None:
    assert silence(*samples).hangs is hangs


@pytest.mark.parametrize(("share", "hangs"), [(0.0, True), (0.02, True), (0.5, False)])
def test_processor_time_between_samples_is_work_but_for_the_little_that_waiting_takes(
    share: float, hangs: bool
) -> None:
    used = [Sample(number * 0.25 * share, has_working_thread=False) for number in range(10)]
    assert silence(*used).hangs is hangs


def test_time_in_which_the_asker_itself_stood_still_counts_little() -> None:
    """It could not have read an answer."""
    assert silence(IDLE, elapsed=60.0).waited == 0.5


@linux_only
def test_a_busy_process_works_and_a_stopped_one_does_not() -> None:
    with subprocess.Popen([sys.executable, "-c", "while True: pass"]) as process:
        try:
            before = sample(process.pid)
            assert before is not None
            assert before.has_working_thread
            suspend(process.pid)
            stopped = sample(process.pid)
            assert stopped is not None
            assert not stopped.has_working_thread
        finally:
            process.kill()


@linux_only
def test_nothing_is_known_of_a_process_that_is_gone() -> None:
    with subprocess.Popen(["true"]) as process:
        process.wait()
        assert sample(process.pid) is None
