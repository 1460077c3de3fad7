"""Sweeps of vLLM, llm-d-benchmark and Weights & Biases are read by their documented syntax."""

import json
from typing import Any

import pytest

from benchmark_manager.domain.sweeps.importing.llm_d import read_llm_d
from benchmark_manager.domain.sweeps.importing.tool_sweep import ToolSweep, ToolValues
from benchmark_manager.domain.sweeps.importing.vllm import read_vllm
from benchmark_manager.domain.sweeps.importing.wandb import read_wandb
from benchmark_manager.errors import InvalidInputError
from benchmark_manager.messages.notes import note_words


def axes_of(sweep: ToolSweep) -> dict[str, Any]:
    """The values of each axis, or its points with what they set."""
    return {
        axis.name: list(axis.values)
        if isinstance(axis, ToolValues)
        else {
            point.name: {setting.parameter: setting.value for setting in point.settings}
            for point in axis.points
        }
        for axis in sweep.axes
    }


def notes_of(sweep: ToolSweep) -> list[str]:
    return [note_words(note.code, note.facts) for note in sweep.notes]


def reason_of(read: Any, *texts: str) -> tuple[str, str | None]:
    with pytest.raises(InvalidInputError) as refused:
        read(*texts)
    return refused.value.reason, refused.value.field


# vllm-project/vllm, docs/benchmarking/sweeps.md, and the help of `vllm bench sweep serve`.


def test_vllm_combinations_without_names_are_named_by_their_values() -> None:
    text = json.dumps([{"max_num_seqs": 8, "block_size": 16}, {"max_num_seqs": 16}])
    assert axes_of(read_vllm(text)) == {
        "serve": {
            "max_num_seqs=8, block_size=16": {"max_num_seqs": 8, "block_size": 16},
            "max_num_seqs=16": {"max_num_seqs": 16},
        }
    }


def test_vllm_combinations_of_one_parameter_are_an_axis_of_its_values() -> None:
    text = json.dumps([{"max_num_seqs": 8}, {"max_num_seqs": 16}])
    assert axes_of(read_vllm(text)) == {"max_num_seqs": [8, 16]}


def test_vllm_combinations_may_have_names() -> None:
    named = json.dumps({"small": {"a": 1}, "large": {"a": 2}})
    listed = json.dumps(
        [{"_benchmark_name": "small", "a": 1}, {"_benchmark_name": "large", "a": 2}]
    )
    points = {"small": {"a": 1}, "large": {"a": 2}}
    assert axes_of(read_vllm(named)) == axes_of(read_vllm(listed)) == {"serve": points}


def test_vllm_serve_and_bench_parameters_are_multiplied() -> None:
    sweep = read_vllm('[{"a": 1}, {"a": 2}]', '[{"b": 3, "c": 4}, {}]')
    assert list(axes_of(sweep)) == ["a", "bench"]
    assert list(axes_of(sweep)["bench"]) == ["b=3, c=4", "bench"]
    assert sweep.exclude == ()


def test_vllm_bench_parameters_may_stand_alone() -> None:
    assert axes_of(read_vllm("", '[{"b": 3}]')) == {"b": [3]}


def test_vllm_linked_variables_keep_pairs_with_equal_values() -> None:
    serve = '[{"seqs": 8}, {"seqs": 16}, {"seqs": 32}]'
    bench = '{"x": {"conc": 8.0, "len": 1}, "y": {"conc": 16}, "z": {"len": 1}}'
    sweep = read_vllm(serve, bench, "seqs=conc")
    assert list(sweep.exclude) == [
        {"seqs": 8, "bench": "y"},
        {"seqs": 16, "bench": "x"},
        {"seqs": 32},
        {"bench": "z"},
    ]


def test_vllm_linked_variables_of_many_pairs_make_one_axis() -> None:
    combinations = json.dumps([{"n": number} for number in range(100)])
    sweep = read_vllm(combinations, combinations, "n=n")
    ((name, points),) = axes_of(sweep).items()
    assert (name, len(points), sweep.exclude) == ("n and n #2", 100, ())
    assert [point.name for axis in sweep.axes for point in getattr(axis, "points", ())][:2] == [
        "n=0; n=0",
        "n=1; n=1",
    ]


@pytest.mark.parametrize(
    ("bench", "sentence"),
    [
        (
            '[{"b": 2}]',
            "a=b links variables that are equal in no combination; nothing is left.",
        ),
        (
            "",
            (
                "a=b links variables, for which both serve and bench parameters are needed; it "
                "was ignored."
            ),
        ),
    ],
)
def test_vllm_links_without_an_effect_are_noted(bench: str, sentence: str) -> None:
    assert notes_of(read_vllm('[{"a": 1}]', bench, "a=b")) == [sentence]


@pytest.mark.parametrize(
    ("texts", "reason", "field"),
    [
        (("{",), "json_expected", "text"),
        (('[{"a": 1, "a": 2}]',), "member_twice", "text"),
        (('[{"a": NaN}]',), "not_json", "text"),
        (('[{"a": %s}]' % ("9" * 5000),), "not_json", "text"),
        (("[" * 100_000,), "too_deep", "text"),
        (("[" * 60 + "1" + "]" * 60,), "too_deep", "text"),
        (("[[1]]",), "object_expected", "text[0]"),
        (('{"a": 1}',), "object_expected", "text.a"),
        (("3",), "list_expected", "text"),
        (("[]", '["x"]'), "object_expected", "bench_text[0]"),
        ((json.dumps([{}] * 1001),), "too_many_entries", "text"),
        (("[]", "[]", "a"), "link_vars_expected", "link_vars"),
    ],
)
def test_vllm_texts_of_another_form_are_refused(
    texts: tuple[str, ...], reason: str, field: str
) -> None:
    assert reason_of(read_vllm, *texts) == (reason, field)


# llm-d/llm-d-benchmark, docs/doe.md.

FACTORS = """\
setup:
  factors: [METHOD, REPLICAS]
  levels: {METHOD: "pooled,single", REPLICAS: "1,2"}
  treatments:
    - "pooled,2"
    - "single,NA"
    - ["pooled", 1]
    - "pooled"
run:
  factors: [max-concurrency, streaming]
  levels: {max-concurrency: "1,8", streaming: [true]}
"""


def test_llm_d_treatments_list_a_level_for_each_factor() -> None:
    sweep = read_llm_d(FACTORS)
    assert axes_of(sweep) == {
        "setup": {
            "pooled,2": {"METHOD": "pooled", "REPLICAS": 2},
            "single,NA": {"METHOD": "single"},
            "pooled,1": {"METHOD": "pooled", "REPLICAS": 1},
        },
        "max-concurrency": [1, 8],
        "streaming": [True],
    }
    (sentence,) = notes_of(sweep)
    assert sentence.startswith("The treatment pooled was left out: the number of its levels is 1,")


# llm-d/llm-d-benchmark, llmdbenchmark/experiment/README.md.

FLAT = """\
experiment:
  name: load curve
  description: How latency grows.
  harness: inference-perf
design:
  run: {factors: [{name: level, key: load.level, levels: [2, 16]}]}
setup:
  constants: {model.maxModelLen: 4096}
  treatments:
    - {name: tp2, decode.parallelism.tensor: 2}
    - {name: tp4, decode.parallelism.tensor: 4, model.maxModelLen: 8192}
treatments:
  - {name: low, load.stages.0.level: 2}
  - {load.stages.0.level: 16, profile: other.yaml}
reset_caches: true
"""


def test_llm_d_flat_treatments_have_values_by_dotted_keys() -> None:
    sweep = read_llm_d(FLAT)
    assert (sweep.name, sweep.description) == ("load curve", "How latency grows.")
    assert axes_of(sweep) == {
        "setup": {
            "tp2": {"model.maxModelLen": 4096, "decode.parallelism.tensor": 2},
            "tp4": {"model.maxModelLen": 8192, "decode.parallelism.tensor": 4},
        },
        "run": {
            "low": {"load.stages.0.level": 2},
            "load.stages.0.level=16": {"load.stages.0.level": 16},
        },
    }
    ignored = ["reset_caches", "experiment.harness", "run: profile"]
    assert notes_of(sweep) == [
        f"{name} was ignored: it is not about values of the files." for name in ignored
    ]


@pytest.mark.parametrize(
    "text",
    [
        "treatments: [{name: low, level: 2}, {name: low, level: 4}]",
        "run: [{name: low, level: 2}, {name: low, level: 4}]",
        "run: {treatments: [{name: low, level: 2}, {name: low, level: 4}]}",
        "[{name: low, level: 2}, {name: low, level: 4}]",
    ],
)
def test_llm_d_run_treatments_stand_at_several_paths(text: str) -> None:
    assert axes_of(read_llm_d(text)) == {"run": {"low": {"level": 2}, "low #2": {"level": 4}}}


def test_an_llm_d_design_counts_where_there_are_no_treatments() -> None:
    design = (
        "design:\n  setup:\n    factors: [{name: n, key: a.b, levels: [1, 2]}, {levels: [1]}]\n"
    )
    sweep = read_llm_d(design + "    constants: [{key: c, value: 5}, {key: c}]\n")
    assert axes_of(sweep) == {"c": [5], "a.b": [1, 2]}
    assert [(note.code, note.facts["name"]) for note in sweep.notes] == [
        ("unreadable", "text.design.setup.factors[1]"),
        ("unreadable", "text.design.setup.constants[1]"),
    ]


# docs.wandb.ai, "Sweep configuration options", and "Define a sweep configuration".

GRID = """\
program: train.py
name: grid of rates
description: every rate
method: grid
metric: {name: loss, goal: minimize}
parameters:
  batch: {values: [16, 32]}
  seed: {value: 7}
  kind: {distribution: categorical, values: [a, b]}
  rate: {distribution: log_uniform_values, min: 1.0e-4, max: 1.0e-1}
  noise: {min: 0, max: 1}
  odd: 5
  optimizer:
    parameters:
      lr: {values: [0.1, 0.01], probabilities: [0.5, 0.5]}
"""


def test_a_grid_of_wandb_has_an_axis_for_each_list_of_values() -> None:
    sweep = read_wandb(GRID)
    assert (sweep.name, sweep.description) == ("grid of rates", "every rate")
    assert axes_of(sweep) == {
        "batch": [16, 32],
        "seed": [7],
        "kind": ["a", "b"],
        "optimizer.lr": [0.1, 0.01],
    }
    assert notes_of(sweep) == [
        "program was ignored: it is not about values of the files.",
        "metric was ignored: it is not about values of the files.",
        "rate was left out: log_uniform_values is no list of values.",
        "noise was left out: min, max is no list of values.",
        "odd was left out: it does not follow the tool's syntax.",
        "optimizer.lr.probabilities was ignored: it is not about values of the files.",
    ]


@pytest.mark.parametrize(
    ("text", "reason", "field"),
    [
        ("method: bayes\nparameters: {}\n", "not_grid", "text.method"),
        ("method: random\nparameters: {}\n", "not_grid", "text.method"),
        ("parameters: {}\n", "not_grid", "text.method"),
        ("method: grid\n", "field_missing", "text.parameters"),
        ("[]", "object_expected", "text"),
        (
            "method: grid\nparameters: {a: {values: 1}}\n",
            "list_expected",
            "text.parameters.a.values",
        ),
    ],
)
def test_sweeps_of_wandb_that_are_no_grid_are_refused(text: str, reason: str, field: str) -> None:
    assert reason_of(read_wandb, text) == (reason, field)
