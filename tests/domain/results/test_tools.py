"""Files that benchmark tools write are recognised, and their metrics read."""

import json

import pytest

from benchmark_manager.domain.results.parsing.parse import parse_result
from support.result_files import NAMES, codes_of, file_bytes, parsed_file, values_of

#: All latencies of a stage, and throughput.
_COMPARED = [
    f"{family}_{statistic}"
    for family in ("ttft", "tpot", "ntpot", "itl", "e2el")
    for statistic in ("mean", "min", "p50", "p90", "p99", "p99.9", "max")
] + ["output_throughput", "total_throughput", "request_throughput", "output_length_mean", "failed"]


@pytest.mark.parametrize("name", NAMES)
def test_the_tool_is_recognised(name: str) -> None:
    assert parsed_file(name).tool == name.partition("/")[0]


@pytest.mark.parametrize("name", NAMES)
def test_nothing_is_left_out(name: str) -> None:
    assert codes_of(parsed_file(name)) == []


@pytest.mark.parametrize("name", NAMES)
def test_latencies_are_in_milliseconds(name: str) -> None:
    units = {
        metric.unit
        for point in parsed_file(name).points
        for key, metric in point.metrics.items()
        if key.startswith(("ttft_", "tpot_", "ntpot_", "itl_", "e2el_"))
    }
    assert units <= {"ms"}


@pytest.mark.parametrize("name", NAMES)
def test_the_name_of_the_file_decides_nothing(name: str) -> None:
    parsed = parse_result(file_bytes(name), "x.txt")
    assert parsed.tool == name.partition("/")[0]


@pytest.mark.parametrize("name", NAMES)
def test_the_tool_may_be_said(name: str) -> None:
    tool = parsed_file(name).tool
    said = parse_result(file_bytes(name), name.rpartition("/")[2], tool)
    assert said == parsed_file(name)


def test_nothing_is_read_of_a_file_that_is_said_to_be_unknown() -> None:
    assert parse_result(file_bytes("vllm/serve.json"), "serve.json", "unknown").points == ()


def test_vllm_serve() -> None:
    found = values_of(parsed_file("vllm/serve.json"))
    assert found["ttft_p99"] == 47.75
    assert found["ttft_p50"] == 40.25
    assert found["tpot_mean"] == 9.25
    assert found["itl_std"] == 1.25
    assert found["output_throughput"] == 102.4
    assert found["total_throughput"] == 307.2
    assert found["completed"] == 4
    assert found["failed"] == 0
    assert found["duration"] == 2.5
    assert "goodput" not in found


def test_vllm_serve_with_details() -> None:
    found = values_of(parsed_file("vllm/serve-detailed.json"))
    assert found["goodput"] == 1.2
    assert found["e2el_p99.9"] == 66.3
    assert found["spec_decode_acceptance_rate"] == 62.5
    assert found["probe_median_e2el_ms"] == 12.5
    assert "ttfts" not in found


def test_what_the_tool_calls_a_metric_is_kept() -> None:
    assert parsed_file("vllm/serve.json").points[0].metrics["ttft_p50"].called == "median_ttft_ms"


def test_one_result_of_vllm_at_a_rate_is_a_point_of_that_rate() -> None:
    value = json.loads(file_bytes("vllm/serve.json")) | {"request_rate": 16.0}
    parsed = parse_result(json.dumps(value).encode(), "serve.json")
    assert [point.point for point in parsed.points] == ["rate=16"]


def test_appended_results_of_vllm_are_points_by_their_rate() -> None:
    parsed = parsed_file("vllm/serve-appended.json")
    assert [point.point for point in parsed.points] == ["rate=1", "rate=4", "rate=16"]
    assert values_of(parsed, "rate=16")["ttft_mean"] == 96.25


@pytest.mark.parametrize("rate", [1000000.4, 1234567.0, 1234568.0, 0.1234567, 1e22])
def test_different_rates_are_different_points(rate: float) -> None:
    value = json.loads(file_bytes("vllm/serve.json")) | {"request_rate": rate}
    parsed = parse_result(json.dumps(value).encode(), "serve.json")
    assert [float(point.point.removeprefix("rate=")) for point in parsed.points] == [rate]


def appended(*changes: dict[str, object]) -> list[str]:
    """Return the points of results of vLLM that were appended to one file."""
    value = json.loads(file_bytes("vllm/serve.json"))
    lines = [json.dumps(value | change) for change in changes]
    return [point.point for point in parse_result("\n".join(lines).encode(), "x.json").points]


@pytest.mark.parametrize(
    ("name", "one", "other"),
    [
        ("model_id", "a/small", "a/large"),
        ("tp", "1", "2"),
        ("num_prompts", 100, 1000),
        ("random_input_len", 128, 1024),
    ],
)
def test_results_of_other_settings_in_one_file_are_no_repeats(
    name: str, one: object, other: object
) -> None:
    assert appended({name: one}, {name: other}) == [f"{name}={one}", f"{name}={other}"]


@pytest.mark.parametrize("value", ["long" * 50, "two\nlines", "\ud800"])
def test_settings_of_any_length_keep_results_apart(value: str) -> None:
    points = appended({"note": value}, {"note": value + "!"})
    assert len(set(points)) == 2
    assert max(map(len, points)) < 200


def test_results_in_one_file_that_differ_in_what_they_measured_are_repeats() -> None:
    first = {"date": "20261130-101500", "mean_ttft_ms": 41.0, "duration": 2.5}
    second = {"date": "20261130-101700", "mean_ttft_ms": 43.0, "duration": 2.75}
    assert appended(first, second) == ["", ""]


def test_times_of_vllm_are_left_out_where_no_request_completed() -> None:
    value = json.loads(file_bytes("vllm/serve.json"))
    times = {name: 0.0 for name in value if name.endswith("_ms")}
    parsed = parse_result(json.dumps(value | times | {"completed": 0}).encode(), "serve.json")
    assert codes_of(parsed) == ["not_measured"]
    assert [name for name in values_of(parsed) if name.startswith(("ttft", "tpot", "itl"))] == []
    assert values_of(parsed)["completed"] == 0


def test_times_for_each_token_are_left_out_where_outputs_have_one_token() -> None:
    value = json.loads(file_bytes("vllm/serve.json"))
    times = {name: 0.0 for name in value if name.endswith(("_tpot_ms", "_itl_ms"))}
    found = values_of(parse_result(json.dumps(value | times).encode(), "serve.json"))
    assert found["ttft_p99"] == 47.75
    assert [name for name in found if name.startswith(("tpot", "itl"))] == []


def test_the_hundredth_percentile_is_the_largest_value() -> None:
    value = json.loads(file_bytes("vllm/serve.json")) | {"p100_ttft_ms": 48.5}
    assert values_of(parse_result(json.dumps(value).encode(), "serve.json"))["ttft_max"] == 48.5


def test_sglang_is_not_taken_for_vllm() -> None:
    parsed = parsed_file("sglang/serving.jsonl")
    found = values_of(parsed, "rate=4")
    assert parsed.tool == "sglang"
    assert (found["e2el_mean"], found["e2el_p99"]) == (310.5, 402.25)
    assert (found["input_throughput"], found["total_throughput"]) == (512.0, 768.0)
    assert parsed.points[0].metrics["e2el_mean"].direction == "lower"


def test_a_list_of_vllm_results_is_read_like_appended_ones() -> None:
    lines = file_bytes("vllm/serve-appended.json").splitlines()
    listed = parse_result(b"[" + b",".join(lines) + b"]", "summary.json")
    assert listed == parsed_file("vllm/serve-appended.json")


def test_vllm_throughput() -> None:
    found = values_of(parsed_file("vllm/throughput.json"))
    assert found["total_throughput"] == 6400
    assert found["request_throughput"] == 12.5


def test_vllm_latency_is_converted_from_seconds() -> None:
    found = values_of(parsed_file("vllm/latency.json"))
    assert found["e2el_mean"] == 1250
    assert found["e2el_p99"] == 1299


def test_lm_eval_names_metrics_by_task() -> None:
    found = values_of(parsed_file("lm-eval/results.json"))
    assert found["toy_choice.acc,none"] == pytest.approx(1 / 3)
    assert found["toy_answer.exact_match,flexible"] == 0
    assert found["toy.acc,none"] == pytest.approx(1 / 3)
    assert found["toy_choice.samples"] == 6


def test_lm_eval_keeps_standard_errors_without_a_direction() -> None:
    metrics = parsed_file("lm-eval/results.json").points[0].metrics
    assert metrics["toy_choice.acc,none"].direction == "higher"
    assert metrics["toy_choice.acc_stderr,none"].direction is None


def test_lm_eval_says_its_version() -> None:
    assert parsed_file("lm-eval/results.json").tool_version == "0.4.13"


def test_lower_may_be_better_in_lm_eval() -> None:
    data = b"""{"results": {"wiki": {"alias": "wiki", "word_perplexity,none": 12.5,
        "word_perplexity_stderr,none": "N/A"}}, "configs": {}, "versions": {"wiki": 2},
        "higher_is_better": {"wiki": {"word_perplexity": false}}}"""
    parsed = parse_result(data, "results.json")
    assert parsed.points[0].metrics["wiki.word_perplexity,none"].direction == "lower"
    assert codes_of(parsed) == []


def test_a_stage_of_inference_perf_is_labelled_with_its_rate() -> None:
    parsed = parsed_file("inference-perf/stage_1_lifecycle_metrics.json")
    assert [point.point for point in parsed.points] == ["rate=10"]


def test_a_summary_of_inference_perf_has_no_label() -> None:
    parsed = parsed_file("inference-perf/summary_lifecycle_metrics.json")
    assert [point.point for point in parsed.points] == [""]


def test_a_stage_without_a_rate_is_labelled_with_its_number() -> None:
    data = file_bytes("inference-perf/summary_lifecycle_metrics.json")
    parsed = parse_result(data, "stage_12_lifecycle_metrics.json")
    assert [point.point for point in parsed.points] == ["stage=12"]


def test_inference_perf_is_converted_from_seconds() -> None:
    parsed = parsed_file("inference-perf/stage_1_lifecycle_metrics.json")
    assert values_of(parsed, "rate=10")["ttft_mean"] == pytest.approx(108.36882660005358)


def test_what_a_server_measured_has_names_of_its_own() -> None:
    data = b"""{"benchmark_time_seconds": 0.0, "load_summary": {}, "failures": {}, "successes":
        {"count": 7, "time_to_first_token": {"mean": 0.5}, "queue_len": {"mean": 2}}}"""
    parsed = parse_result(data, "stage_0_prometheus_metrics.json")
    assert values_of(parsed, "stage=0") == {
        "server.count": 7,
        "server.ttft_mean": 0.5,
        "server.queue_len_mean": 2,
    }


@pytest.mark.parametrize(
    ("name", "point"),
    [
        ("llm-d/inference-perf.partial.stage_1.yaml", "stage=1"),
        ("llm-d/report-v0.1.yaml", "stage=1"),
        ("llm-d/report-v0.2.json", "rate=10"),
        ("llm-d/report-v0.2-in-yaml.json", "rate=10"),
    ],
)
def test_reports_of_one_run_say_the_same_in_all_forms(name: str, point: str) -> None:
    run = values_of(parsed_file("inference-perf/stage_1_lifecycle_metrics.json"), "rate=10")
    report = values_of(parsed_file(name), point)
    assert {key: report[key] for key in _COMPARED} == pytest.approx(
        {key: run[key] for key in _COMPARED}
    )


def test_benchmarks_of_guidellm_are_points_by_their_rate() -> None:
    parsed = parsed_file("guidellm/benchmarks.json")
    assert [point.point for point in parsed.points] == ["rate=4", "rate=8"]


def test_guidellm_says_its_version() -> None:
    assert parsed_file("guidellm/benchmarks.json").tool_version == "0.8.1"


def test_guidellm_counts_the_first_token_in_its_time_per_token() -> None:
    found = values_of(parsed_file("guidellm/benchmarks.json"), "rate=4")
    assert found["ntpot_mean"] * found["output_length_mean"] == pytest.approx(
        found["e2el_mean"], rel=0.1
    )


def test_benchmarks_of_older_guidellm_are_labelled_by_their_strategy() -> None:
    parsed = parsed_file("guidellm/benchmarks-0.2.json")
    labels = [point.point for point in parsed.points]
    assert labels == ["synchronous", "throughput", "concurrency=8", "rate=2.5"]


@pytest.mark.parametrize(
    ("strategy", "label"),
    [
        ({"type_": "throughput"}, "throughput concurrency=64"),
        ({"type_": "throughput", "rate": None}, "throughput concurrency=64"),
        ({"type_": "constant", "rate": 4.0}, "rate=4 concurrency=64"),
        ({"type_": "concurrent", "streams": 8}, "concurrency=8"),
    ],
)
def test_benchmarks_of_guidellm_at_other_limits_are_no_repeats(
    strategy: dict[str, object], label: str
) -> None:
    value = json.loads(file_bytes("guidellm/benchmarks.json"))
    config = value["benchmarks"][0]["config"]
    config["strategy"] = {"max_concurrency": 64, **strategy}
    config["profile"]["max_concurrency"] = 64
    parsed = parse_result(json.dumps(value).encode(), "benchmarks.json")
    assert [point.point for point in parsed.points] == [label, "rate=8"]
    limit = strategy.get("streams", 64)
    assert values_of(parsed, label)["max_concurrency"] == limit


def test_older_guidellm_is_read_like_newer() -> None:
    found = values_of(parsed_file("guidellm/benchmarks-0.2.json"), "rate=2.5")
    assert found["ttft_mean"] == 41.5
    assert found["ttft_p99.9"] == 55.25
    assert found["e2el_mean"] == 2250
    assert found["completed"] == 10
    assert found["duration"] == 5


def report_v01(load: dict[str, object]) -> bytes:
    latency = {"request_latency": {"units": "s", "mean": 1.5}}
    metrics = {"requests": {"total": 4}, "latency": latency, "throughput": {}}
    return json.dumps({"version": "0.1", "metrics": metrics, "scenario": {"load": load}}).encode()


STAGES = {"load": {"stages": [{"rate": 3.0}, {"rate": None, "concurrency_level": 8}]}}


@pytest.mark.parametrize(
    ("load", "point"),
    [
        ({"args": STAGES, "metadata": {"stage": 0}}, "rate=3"),
        ({"args": STAGES, "metadata": {"stage": 1}}, "concurrency=8"),
        ({"args": STAGES, "metadata": {"stage": 2}}, "stage=2"),
        ({"args": {"request_rate": 16, "max_concurrency": 32}}, "rate=16 concurrency=32"),
        ({"args": {"request_rate": "inf"}}, ""),
    ],
)
def test_stages_of_llm_d_in_version_1_are_no_repeats(load: dict[str, object], point: str) -> None:
    parsed = parse_result(report_v01(load), "benchmark_report.yaml")
    assert [each.point for each in parsed.points] == [point]


def test_llm_d_says_the_version_of_the_report() -> None:
    assert parsed_file("llm-d/report-v0.1.yaml").tool_version == "0.1"


def test_other_distributions_of_llm_d_are_named_by_their_path() -> None:
    found = parsed_file("llm-d/report-v0.2.json").points[0].metrics
    assert found["requests.request_size_mean"].unit == "bytes"


def test_observability_of_llm_d_is_named_by_component() -> None:
    data = b"""{"version": "0.2", "run": {"uid": "u"}, "results": {"observability": {"components": [
        {"component_label": "vllm-0", "aggregate": {"gpu_utilization": {"units": "percent",
        "mean": 76.0, "p99": 94.1}}, "time_series": {"x": {"units": "percent", "mean": 1}}}]}}}"""
    metrics = parse_result(data, "report.json").points[0].metrics
    name = "observability.components.vllm-0.aggregate.gpu_utilization"
    assert {key: metric.unit for key, metric in metrics.items()} == {
        f"{name}_mean": "%",
        f"{name}_p99": "%",
    }


def test_plain_metrics_are_converted_to_the_canonical_unit() -> None:
    parsed = parsed_file("plain/metrics.json")
    metric = parsed.points[0].metrics["ttft_p99"]
    assert (metric.value, metric.unit, metric.direction) == (125.0, "ms", "lower")
    assert parsed.tool_version == "1.4.0"


def test_plain_metrics_of_other_names_are_as_given() -> None:
    metric = parsed_file("plain/metrics.json").points[0].metrics["watts"]
    assert (metric.value, metric.unit, metric.direction) == (310, "W", "lower")


def test_plain_points_keep_their_labels() -> None:
    assert [point.point for point in parsed_file("plain/points.json").points] == [
        "rate=4",
        "rate=8",
    ]


def test_plain_lines_are_points() -> None:
    data = b'{"point": "a", "metrics": {"x": 1}}\n{"point": "b", "metrics": {"x": 2}}\n'
    assert values_of(parse_result(data, "x.jsonl"), "b") == {"x": 2}
