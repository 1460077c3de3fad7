"""The demo's toy benchmark: its engine follows the settings, and its metrics are right."""

import asyncio
import json
from pathlib import Path

import pytest

from benchmark_manager.demo import first_commit
from benchmark_manager.demo.measuring.engine import SHRINK, ToyEngine
from benchmark_manager.demo.measuring.load import MeasuredLoad, StreamReply
from benchmark_manager.demo.measuring.settings import EngineSettings
from benchmark_manager.demo.measuring.statistics import metrics_of, percentile
from benchmark_manager.domain.results.metrics import known_metric
from support.process import run_program

CONFIG = "config/vllm/llama-3.1-8b.yaml"
MEASURE = ("benchmark_manager.demo.measuring", "engine.yaml", "--output", "result.json")


def answer(sent: float, *tokens: float, is_complete: bool = True) -> StreamReply:
    return StreamReply(prompt_tokens=10, sent=sent, tokens=[*tokens], is_complete=is_complete)


def value(measured: MeasuredLoad, name: str) -> float | str:
    return metrics_of(measured)[name]["value"]


TWO_ANSWERS = MeasuredLoad([answer(0.0, 0.1, 0.2, 0.4), answer(1.0, 1.5, 1.6)], duration=2.0)


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("output_throughput", 2.5),
        ("total_throughput", 12.5),
        ("request_throughput", 1.0),
        ("completed", 2),
        ("failed", 0),
        ("duration", 2.0),
        ("ttft_mean", 300),
        ("ttft_p50", 300),
        ("tpot_mean", 125),
        ("itl_p50", 100),
        ("itl_p90", 180),
        ("e2el_p50", 500),
        ("e2el_p90", 580),
    ],
)
def test_metrics_are_computed_from_the_times_of_tokens(name: str, expected: float) -> None:
    assert value(TWO_ANSWERS, name) == pytest.approx(expected)


def test_every_metric_has_a_canonical_name_and_its_unit() -> None:
    metrics = metrics_of(TWO_ANSWERS)
    known = {name: known_metric(name) for name in metrics}
    units = {name: column.unit for name, column in known.items() if column is not None}
    assert units == {name: metric["unit"] for name, metric in metrics.items()}


def test_failed_requests_count_only_as_failed() -> None:
    measured = MeasuredLoad([answer(0.0, 0.1, 0.2), answer(0.0, is_complete=False)], duration=1.0)
    assert (value(measured, "failed"), value(measured, "output_throughput")) == (1, 2.0)


def test_without_answers_there_are_no_latencies() -> None:
    metrics = metrics_of(MeasuredLoad([answer(0.0, is_complete=False)], duration=1.0))
    assert not [name for name in metrics if name.endswith("_p50")]


def test_percentiles_are_interpolated_linearly() -> None:
    assert [percentile([4, 1, 2, 3], percent) for percent in (0, 50, 90, 100)] == [1, 2.5, 3.7, 4]


async def most_at_once(max_num_seqs: int) -> int:
    """The sequences that were begun and not ended at the same time, of six."""
    engine = ToyEngine(EngineSettings(max_num_seqs, 8192, 1))
    steps = asyncio.create_task(engine.run())
    begun, most = 0, 0

    async def ask() -> None:
        nonlocal begun, most
        async for token in engine.answer(prompt_tokens=1, max_tokens=2):
            begun += token
            most = max(most, begun)
            begun -= 1 - token

    async with asyncio.TaskGroup() as all_six:
        for _ in range(6):
            all_six.create_task(ask())
    steps.cancel()
    return most


@pytest.mark.parametrize("seats", [1, 3])
async def test_the_engine_answers_as_many_at_once_as_its_settings_say(seats: int) -> None:
    assert await most_at_once(seats * SHRINK) == seats


def test_a_file_of_the_sample_is_measured_to_a_result_file(tmp_path: Path) -> None:
    (tmp_path / "engine.yaml").write_bytes(first_commit()[CONFIG])
    done = run_program(
        tmp_path,
        (*MEASURE, "--requests", "6", "--concurrency", "3"),
    )
    assert done.returncode == 0, done.stdout + done.stderr
    written = json.loads((tmp_path / "result.json").read_text("utf-8"))
    assert written["engine"]["max_num_seqs"] == 256
    assert "toy" in written["about"]
    assert (written["metrics"]["completed"]["value"], written["metrics"]["failed"]["value"]) == (
        6,
        0,
    )


def test_a_file_without_settings_of_an_engine_is_refused(tmp_path: Path) -> None:
    (tmp_path / "engine.yaml").write_text("model: none\n", "utf-8")
    done = run_program(tmp_path, MEASURE)
    assert done.returncode == 1
    assert "The toy engine did not start with engine.yaml." in done.stderr
