"""Another tool's sweep becomes a definition; what could not be taken over is noted."""

import json
from typing import Any

import pytest

from benchmark_manager.domain.sweeps.cells import planned_cells
from benchmark_manager.domain.sweeps.definition import definition_json
from benchmark_manager.domain.sweeps.importing.conversion import Imported, imported_sweep
from benchmark_manager.domain.sweeps.importing.request import read_import
from benchmark_manager.errors import InvalidInputError
from benchmark_manager.messages.notes import note_words

FILES = {"engine": "engine.yaml", "job": {"modified_file_id": "1"}}
#: Paths as differences report them.
PATHS = {
    "engine": [
        "engine.max_num_seqs",
        "engine.tensor_parallel_size",
        "load.stages[0].rate",
        "load.stages[1].rate",
        'labels."a.b/c"',
        "prefill.replicas",
        "decode.replicas",
    ],
    "job": [
        "Job/bench spec.parallelism",
        "Job/bench spec.template.spec.containers[name=main].args[--max-model-len]",
        "Job/bench spec.template.spec.containers[name=main].args[--override.config]",
        "Job/bench spec.template.spec.containers[name=main].env[name=SEED].value",
        "Job/bench spec.template.spec.containers[name=main].command[0]",
        "Job/bench spec.replicas",
    ],
}


def imported(text: str, tool: str = "hydra", **more: Any) -> Imported:
    value: dict[str, Any] = {"format": tool, "text": text, "files": FILES, **more}
    request = read_import(value)
    return imported_sweep(request, PATHS)


def axes_of(found: Imported) -> Any:
    return definition_json(found.definition)["axes"]


def notes_of(found: Imported) -> list[str]:
    return [note_words(note.code, note.facts) for note in found.notes]


@pytest.mark.parametrize(
    ("parameter", "target"),
    [
        ("max_num_seqs", "engine:engine.max_num_seqs"),
        ("max-num-seqs", "engine:engine.max_num_seqs"),
        ("vllm.max_num_seqs", "engine:engine.max_num_seqs"),
        ("decode.replicas", "engine:decode.replicas"),
        ("load.stages.1.rate", "engine:load.stages[1].rate"),
        ("parallelism", "job:Job/bench spec.parallelism"),
        ("max_model_len", f"job:{PATHS['job'][1]}"),
        ("override.config", f"job:{PATHS['job'][2]}"),
        ("SEED", f"job:{PATHS['job'][3]}"),
    ],
)
def test_a_parameter_is_guessed_by_its_last_keys_where_they_are_unique(
    parameter: str, target: str
) -> None:
    found = imported(f"{parameter}=1,2")
    assert axes_of(found) == [{"name": parameter, "set": target, "values": [1, 2]}]
    assert found.notes == ()


@pytest.mark.parametrize(
    ("parameter", "sentence"),
    [
        (
            "max_seqs",
            "max_seqs was left out: no value of the files has this name. Name its target.",
        ),
        (
            "replicas",
            (
                "replicas was left out: 3 values of the files could be meant, such as "
                "engine:prefill.replicas, engine:decode.replicas, job:Job/bench spec.replicas. "
                "Name its target."
            ),
        ),
        ("command", "command was left out: no value of the files has this name. Name its target."),
    ],
)
def test_a_parameter_without_a_clear_target_is_left_out(parameter: str, sentence: str) -> None:
    found = imported(f"{parameter}=1,2 SEED=1")
    assert [axis["name"] for axis in axes_of(found)] == ["SEED"]
    assert notes_of(found) == [
        sentence,
        f"{parameter} was left out: nothing that it sets has a known target.",
    ]


def test_named_targets_count_more_than_a_guess() -> None:
    targets = {"max-num-seqs": ["engine:a", "job:b"], "other": "job:c"}
    found = imported("max_num_seqs=1,2", targets=targets)
    assert axes_of(found)[0]["set"] == ["engine:a", "job:b"]
    assert notes_of(found) == ["There is a target for other, but no such parameter."]


def test_a_value_that_hydra_appends_may_be_absent() -> None:
    assert axes_of(imported("+SEED=1"))[0]["set"] == f"job:{PATHS['job'][3]}?"


def test_objects_are_json_where_they_are_texts_of_flags() -> None:
    text = json.dumps([{"override.config": {"a": [1]}, "SEED": [2]}])
    (point,) = axes_of(imported(text, "vllm"))[0]["points"]
    assert list(point["set"].values()) == ['{"a": [1]}', [2]]


def test_two_parameters_of_a_combination_do_not_set_one_path() -> None:
    text = json.dumps([{"SEED": 1, "seed": 2}, {"seed": 3}])
    found = imported(text, "vllm", targets={"seed": f"job:{PATHS['job'][3]}?"})
    points = axes_of(found)[0]["points"]
    assert [list(point["set"].values()) for point in points] == [[1], [3]]
    assert notes_of(found) == [
        f"seed was left out: another parameter sets job:{PATHS['job'][3]}? already."
    ]


def test_linked_combinations_are_the_planned_cells() -> None:
    serve = '[{"max_num_seqs": 8}, {"max_num_seqs": 16}, {"max_num_seqs": 32}]'
    bench = '[{"parallelism": 8, "SEED": 1}, {"parallelism": 8, "SEED": 2}, {"parallelism": 16}]'
    found = imported(serve, "vllm", bench_text=bench, link_vars="max_num_seqs=parallelism")
    values = [
        [setting.value for setting in cell.settings]
        for cell in planned_cells(found.definition).cells
    ]
    assert values == [[8, 8, 1], [8, 8, 2], [16, 16]]


def test_a_sweep_of_which_nothing_is_known_has_no_axes() -> None:
    found = imported("method: grid\nname: my grid\nparameters: {x: {values: [1]}}\n", "wandb")
    assert (found.definition.name, found.definition.axes) == ("my grid", ())
    assert len(found.notes) == 2


def test_notes_are_counted_beyond_a_limit() -> None:
    found = imported(" ".join(f"x{number}=1" for number in range(600)))
    assert (len(found.notes), notes_of(found)[-1]) == (501, "There are 700 more notes.")


def test_an_experiment_is_taken_over() -> None:
    text = "[{name: low, load.stages.0.rate: 1}, {name: high, load.stages.0.rate: 9}]"
    assert axes_of(imported(text, "llm-d")) == [
        {
            "name": "run",
            "points": [
                {"name": "low", "set": {"engine:load.stages[0].rate": 1}},
                {"name": "high", "set": {"engine:load.stages[0].rate": 9}},
            ],
        }
    ]


@pytest.mark.parametrize(
    ("change", "reason", "field"),
    [
        ({"format": "slurm"}, "word_expected", "format"),
        ({"text": 1}, "text_expected", "text"),
        ({"text": "x" * 200_001}, "text_too_long", "text"),
        ({"files": {}}, "empty", "files"),
        ({"targets": {"a": "b:c"}}, "unknown_alias", "targets.a"),
        ({"targets": {"a": ["engine"]}}, "target_expected", "targets.a[0]"),
        ({"shell": "sh"}, "unknown_field", "shell"),
        ({"link_vars": 1}, "text_expected", "link_vars"),
    ],
)
def test_requests_of_another_form_are_refused(
    change: dict[str, Any], reason: str, field: str
) -> None:
    value = {"format": "hydra", "text": "a=1", "files": FILES, **change}
    with pytest.raises(InvalidInputError) as refused:
        read_import(value)
    assert (refused.value.reason, refused.value.field) == (reason, field)
