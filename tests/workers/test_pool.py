"""The pool of worker processes: limits, fairness, and processes which end."""

import asyncio
import contextlib
import os
import signal
import time
from collections.abc import AsyncIterator, Callable
from pathlib import Path

import pytest

from benchmark_manager.errors import (
    InvalidInputError,
    StaleError,
    TooComplexError,
    WorkersBusyError,
)
from benchmark_manager.workers.caller import Caller, calling_as
from benchmark_manager.workers.pool import Limits, WorkerPool
from support.tasks import (
    busy_for,
    busy_for_ever,
    busy_in_c,
    doubled,
    ends_itself,
    environment,
    holding,
    huge_answer,
    marked,
    process_id,
    refusing,
    stale,
    writes_to_its_output,
)
from support.waiting import eventually

MEGABYTE = 1024 * 1024
QUICK = Limits(base_seconds=0.3, most_seconds=0.3, wait=30)
#: For tasks that reach their limit.
SHORT = Limits(base_seconds=0.1, most_seconds=0.1, wait=30)


@pytest.fixture(scope="module")
async def pool() -> AsyncIterator[WorkerPool]:
    """Two processes whose tasks have 0.3 s of CPU time."""
    pool = WorkerPool(2, limits=QUICK)
    yield pool
    await pool.close()


async def test_a_task_is_carried_out_in_another_process(pool: WorkerPool) -> None:
    assert await pool.run(doubled, 21) == 42
    assert await pool.run(process_id) != os.getpid()


async def test_a_process_serves_one_task_after_the_other(pool: WorkerPool) -> None:
    assert len({await pool.run(process_id) for _ in range(5)}) == 1


async def test_a_process_that_does_not_start_says_nothing_about_the_text() -> None:
    pool = WorkerPool(2, warm_up="support.tasks:there_is_no_such_function", limits=QUICK)
    with pytest.raises(WorkersBusyError):
        await pool.run(doubled, 21)
    await pool.close()


async def test_an_error_of_a_task_reaches_its_caller_with_its_facts(pool: WorkerPool) -> None:
    with pytest.raises(InvalidInputError) as refused:
        await pool.run(refusing, "modified_name")
    assert (refused.value.code, refused.value.field) == ("invalid_name", "modified_name")
    with pytest.raises(StaleError) as stale_error:
        await pool.run(stale)
    assert stale_error.value.current_revision == 7


@pytest.mark.parametrize("task", [busy_for_ever, busy_in_c])
async def test_a_task_over_its_cpu_time_is_too_complex(task: Callable[[], int]) -> None:
    pool = WorkerPool(2, limits=SHORT)
    with pytest.raises(TooComplexError):
        await pool.run(task)
    assert await pool.run(doubled, 1) == 2
    await pool.close()


async def test_a_task_over_its_memory_is_too_complex(pool: WorkerPool) -> None:
    assert await pool.run(holding, 64 * MEGABYTE) == 64 * MEGABYTE
    with pytest.raises(TooComplexError):
        await pool.run(holding, 512 * MEGABYTE)
    assert await pool.run(doubled, 1) == 2


async def test_an_answer_which_would_hold_the_event_loop_is_too_complex(pool: WorkerPool) -> None:
    with pytest.raises(TooComplexError):
        await pool.run(huge_answer)


async def test_a_process_that_a_library_ends_means_that_the_text_is_too_complex(
    pool: WorkerPool,
) -> None:
    with pytest.raises(TooComplexError):
        await pool.run(ends_itself, 134)
    assert await pool.run(doubled, 1) == 2


async def test_what_a_task_prints_is_no_answer(pool: WorkerPool) -> None:
    assert await pool.run(writes_to_its_output) == "an answer"


async def test_an_idle_process_that_was_killed_is_replaced(pool: WorkerPool) -> None:
    os.kill(await pool.run(process_id), signal.SIGKILL)
    assert await pool.run(doubled, 3) == 6


async def test_a_task_whose_process_was_killed_is_carried_out_by_another(pool: WorkerPool) -> None:
    worker = await pool.run(process_id)
    running = asyncio.create_task(pool.run(busy_for, 0.2))
    await asyncio.sleep(0.05)
    os.kill(worker, signal.SIGKILL)
    assert await running == "done"


async def test_a_process_which_does_not_answer_is_ended() -> None:
    pool = WorkerPool(2, limits=Limits(wait=30, background_wait=1))
    with pytest.raises(WorkersBusyError):
        await pool.run(time.sleep, 600)
    assert await pool.run(doubled, 1) == 2
    await pool.close()


async def test_who_waits_hears_in_time_that_no_process_is_free() -> None:
    pool = WorkerPool(2, limits=Limits(wait=0.3))
    await pool.start()
    with pytest.raises(WorkersBusyError):
        await pool.run(time.sleep, 600)
    await pool.close()


async def test_all_tasks_of_one_request_wait_as_long_as_one_alone() -> None:
    now = 0.0
    pool = WorkerPool(2, limits=QUICK, monotonic=lambda: now)
    await pool.start()
    with calling_as(Caller("somebody", request=True)):
        first = asyncio.create_task(pool.run(doubled, 1))
        await asyncio.sleep(0)
        now += QUICK.wait - 0.2
        assert await first == 2
        with pytest.raises(WorkersBusyError):
            await pool.run(time.sleep, 600)
    assert await pool.run(doubled, 2) == 4
    await pool.close()


async def test_what_a_request_waits_for_besides_its_tasks_does_not_count() -> None:
    """As a save waits for a large sync, and only then has a merge judged."""
    now = 0.0
    pool = WorkerPool(2, limits=QUICK, monotonic=lambda: now)
    with calling_as(Caller("somebody", request=True)):
        assert await pool.run(doubled, 1) == 2
        now += 2 * QUICK.wait
        assert await pool.run(doubled, 2) == 4
    await pool.close()


async def test_a_caller_with_a_full_queue_is_refused_at_once() -> None:
    pool = WorkerPool(2, limits=Limits(wait=30, queue=3))
    waiting = [asyncio.create_task(pool.run(time.sleep, 0.5)) for _ in range(5)]
    await asyncio.sleep(0)
    with pytest.raises(WorkersBusyError):
        await pool.run(doubled, 1)
    with calling_as(Caller("somebody else")):
        assert await pool.run(doubled, 1) == 2
    await asyncio.gather(*waiting)
    await pool.close()


async def test_who_used_little_goes_before_who_used_much(tmp_path: Path) -> None:
    pool = WorkerPool(2, limits=Limits(wait=60))
    path = str(tmp_path / "order")

    def tasks(name: str, count: int) -> list[asyncio.Task[None]]:
        with calling_as(Caller(name)):
            return [asyncio.create_task(pool.run(marked, path, name)) for _ in range(count)]

    with calling_as(Caller("greedy")):
        await pool.run(busy_for, 0.05)
        # One process stays occupied, as two could overtake each other.
        blocking, occupying = (
            asyncio.create_task(pool.run(time.sleep, seconds)) for seconds in (0.5, 600)
        )
    await asyncio.sleep(0)
    greedy = tasks("greedy", 4)
    await asyncio.sleep(0)
    modest = tasks("modest", 2)
    await asyncio.gather(blocking, *greedy, *modest)
    assert (tmp_path / "order").read_text().split() == ["modest"] * 2 + ["greedy"] * 4
    occupying.cancel()
    await asyncio.gather(occupying, return_exceptions=True)
    await pool.close()


async def test_the_background_leaves_a_process_to_those_who_wait() -> None:
    pool = WorkerPool(2, limits=Limits(wait=60))
    with calling_as(Caller("project:1", background=True)):
        longest = asyncio.create_task(pool.run(time.sleep, 600))
        others = [asyncio.create_task(pool.run(doubled, number)) for number in range(2)]
    await asyncio.sleep(0)
    assert await pool.run(doubled, 4) == 8
    assert not any(other.done() for other in others)
    longest.cancel()
    assert await asyncio.gather(*others) == [0, 2]
    await pool.close()


async def test_a_cancelled_task_gives_its_process_to_the_next(pool: WorkerPool) -> None:
    running = [asyncio.create_task(pool.run(time.sleep, 600)) for _ in range(2)]
    await asyncio.sleep(0.05)
    waiting = asyncio.create_task(pool.run(time.sleep, 600))
    await asyncio.sleep(0)
    for task in (waiting, *running):
        task.cancel()
    await asyncio.gather(waiting, *running, return_exceptions=True)
    assert await pool.run(doubled, 5) == 10
    assert pool.figures.waiting == 0


async def test_a_process_that_starts_longer_than_a_caller_waits_serves_the_next() -> None:
    pool = WorkerPool(2, warm_up="support.tasks:start_slowly", limits=Limits(wait=0.5))

    async def answer() -> int | None:
        with contextlib.suppress(WorkersBusyError):
            return await pool.run(doubled, 21)
        return None

    assert await eventually(answer, "no process ever serves anybody") == 42
    await pool.close()


async def test_a_closed_pool_leaves_no_process_that_is_starting() -> None:
    pool = WorkerPool(2, warm_up="support.tasks:start_slowly", limits=Limits(wait=0.1))
    with pytest.raises(WorkersBusyError):
        await pool.run(doubled, 21)
    await pool.close()
    assert pool.process_ids == []


async def test_processes_see_no_settings_of_the_service(
    pool: WorkerPool, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("GITHUB_TOKEN", "ghp_not_for_workers")
    assert "ghp_not_for_workers" not in str(await pool.run(environment))


async def test_a_closed_pool_leaves_no_process_and_takes_no_task() -> None:
    pool = WorkerPool(2)
    worker = await pool.run(process_id)
    running = asyncio.create_task(pool.run(time.sleep, 600))
    await asyncio.sleep(0.05)
    await pool.close()
    with pytest.raises((WorkersBusyError, TooComplexError)):
        await running
    with pytest.raises(ProcessLookupError):
        os.kill(worker, 0)
    with pytest.raises(WorkersBusyError):
        await pool.run(doubled, 1)


async def test_figures_say_what_became_of_tasks() -> None:
    pool = WorkerPool(2, limits=SHORT)
    await pool.run(doubled, 1)
    with pytest.raises(TooComplexError):
        await pool.run(busy_in_c)
    assert (pool.figures.answered, pool.figures.too_complex, pool.figures.replaced) == (1, 1, 1)
    await pool.close()
