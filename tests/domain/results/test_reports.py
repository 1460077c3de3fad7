"""Results are exported as reports that llm-d's own package takes."""

import json
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Final

import pytest
from hypothesis import given
from hypothesis import strategies as st

from benchmark_manager.domain.results.metrics import LATENCIES, LENGTHS, OTHERS
from benchmark_manager.domain.results.parsing.parse import parse_result
from benchmark_manager.domain.results.reports import report_of, reports_of
from benchmark_manager.models.result import Metric, ParsedResult, Result, ResultPoint
from support.result_files import NAMES, file_bytes, values_of

_DIGEST: Final = "sha256:" + "ab" * 32
_KEPT: Final = [
    f"{family}_{statistic}"
    for family in ("ttft", "tpot", "ntpot", "itl", "e2el")
    for statistic in ("mean", "p50", "p99", "p99.9")
] + ["output_throughput", "request_throughput", "failed", "input_length_mean", "requested_rate"]


def result(parsed: ParsedResult) -> Result:
    return Result(
        id="r1",
        project_id="p1",
        release=_DIGEST,
        sweep_id="s1",
        parsed=parsed,
        file_name="file.json",
        size=1,
        sha256="0" * 64,
        labels={"gpu": "H100", "<b>": "ㄱ"},
        created_at=datetime(2026, 1, 2, tzinfo=UTC),
        created_by="mina",
    )


def load_benchmark_report(report: dict[str, Any]) -> Any:
    """Read a report by llm-d's own package."""
    # A fifth of a second, for whoever only collects this module.
    from llmd_benchmark_report import core

    return core.load_benchmark_report(report)


def reports(name: str) -> list[dict[str, Any]]:
    return list(reports_of(result(parse_result(file_bytes(name), Path(name).name))))


@pytest.mark.parametrize("name", NAMES)
def test_every_point_is_a_valid_report(name: str) -> None:
    found = reports(name)
    loaded = [load_benchmark_report(report).dump() for report in found]
    assert [each["run"]["uid"] for each in loaded] == [each["run"]["uid"] for each in found]


@pytest.mark.parametrize("seconds", [405.7668778110557, 3.0, 1e-7, 1e17])
def test_a_duration_keeps_all_of_its_digits(seconds: float) -> None:
    point = ResultPoint(metrics={"duration": Metric(value=seconds, unit="s")})
    report = report_of(result(ParsedResult(tool="plain")), point)
    load_benchmark_report(report)
    [again] = parse_result(json.dumps(report).encode(), "report.json").points
    assert again.metrics["duration"].value == seconds


def test_configuration_ids_are_the_digest() -> None:
    [report] = reports("inference-perf/stage_1_lifecycle_metrics.json")
    [component] = report["scenario"]["stack"]
    assert component["metadata"]["cfg_id"] == _DIGEST
    assert report["scenario"]["load"]["metadata"]["cfg_id"] == _DIGEST


def test_points_have_reports_of_their_own() -> None:
    uids = [report["run"]["uid"] for report in reports("vllm/serve-appended.json")]
    assert uids == ["r1", "r1-1", "r1-2"]


def test_who_and_where_are_named() -> None:
    [report] = reports("vllm/serve.json")
    assert report["run"] == {
        "uid": "r1",
        "eid": "s1",
        "time": {"duration": "PT2.5S"},
        "user": "mina",
        "description": "file.json",
        "keywords": ["<b>=ㄱ", "gpu=H100"],
    }


def test_a_report_that_is_read_again_says_the_same() -> None:
    name = "inference-perf/stage_1_lifecycle_metrics.json"
    parsed = parse_result(file_bytes(name), "x.json")
    report = load_benchmark_report(reports(name)[0]).get_json_str().encode()
    before, after = (values_of(each, "rate=10") for each in (parsed, parse_result(report, "x")))
    assert {key: after[key] for key in _KEPT} == pytest.approx({key: before[key] for key in _KEPT})


_METRICS: Final = st.dictionaries(
    st.one_of(
        st.sampled_from(sorted(OTHERS)),
        st.tuples(
            st.sampled_from(sorted({**LATENCIES, **LENGTHS})),
            st.sampled_from(["mean", "std", "min", "p50", "p99", "p99.9", "p42"]),
        ).map("_".join),
    ),
    st.floats(allow_nan=False, allow_infinity=False).map(lambda value: Metric(value=value)),
)


@given(metrics=_METRICS)
def test_any_metrics_make_a_valid_report(metrics: dict[str, Metric]) -> None:
    point = ResultPoint(point="x", metrics=metrics)
    report: dict[str, Any] = report_of(result(ParsedResult(tool="plain", points=(point,))), point)
    assert load_benchmark_report(report).dump()["run"]["uid"] == "r1"
