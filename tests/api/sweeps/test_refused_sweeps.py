"""Sweeps that are refused: what cannot be carried out, and what cannot be read."""

import json

import pytest

from support.problems import assert_problem, fields_at_fault
from support.service import Json
from support.swept import DEFINITION, ENGINE, FLAG, SEQS, SweptProject, sizes

JSON = {"Content-Type": "application/json"}
REFUSED: dict[str, tuple[Json, str, str]] = {
    "path": (
        sizes(1, axes=[{"name": "x", "set": "engine:engine.max_num_seq", "values": [1]}]),
        "path_not_found",
        "the closest path is 'engine.max_num_seqs'. End the path in `?` to add it.",
    ),
    "item": (
        sizes(1, axes=[{"name": "x", "set": "engine:engine[9]?", "values": [1]}]),
        "path_not_found",
        "'engine[9]?' in 'config/engine.yaml' does not exist; the closest path is 'engine'.",
    ),
    "no flag": (
        {
            "name": "x",
            "files": {"job": "job/bench.yaml"},
            "axes": [{"name": "x", "set": FLAG.replace("tensor", "tensors"), "values": [1]}],
        },
        "path_not_found",
        "args[--tensors-parallel-size]' in 'job/bench.yaml' does not exist",
    ),
    "template": (
        sizes(1, files={"engine": "config/template.yaml"}),
        "not_editable",
        "'config/template.yaml' cannot be edited by path: it is a template.",
    ),
    "file": (
        sizes(1, files={"engine": "config/none.yaml"}),
        "file_not_found",
        "files.engine: the project has no original 'config/none.yaml' now.",
    ),
    "variant": (
        sizes(1, files={"engine": {"modified_file_id": "0" * 24}}),
        "file_not_found",
        "files.engine: the project has no variant",
    ),
    "contradiction": (
        sizes(
            1,
            axes=[
                {"name": "x", "set": SEQS, "values": [1]},
                {"name": "y", "set": SEQS, "values": [2]},
            ],
        ),
        "contradicting_axes",
        "The axes x, y set",
    ),
    "cells": (sizes(*range(1000), include=[{"seqs": 1000}]), "too_many_cells", "has 1001 cells"),
}


async def test_a_file_of_many_lines_is_refused_for_what_it_may_have(project: SweptProject) -> None:
    await project.upstream({"config/engine.yaml": ENGINE + b"# a comment\n" * 40_001})
    answer = await project.service.http.post(f"{project.home}/sweeps", json=sizes(1))
    detail = assert_problem(answer, 422, "not_editable")["detail"]
    assert "may have over 40,000 values, since it has more lines and commas" in detail


@pytest.mark.parametrize("dry_run", ["true", "false"])
@pytest.mark.parametrize("case", REFUSED)
async def test_a_definition_that_cannot_be_carried_out_is_refused(
    shared_project: SweptProject, case: str, dry_run: str
) -> None:
    definition, code, detail = REFUSED[case]
    answer = await shared_project.service.http.post(
        f"{shared_project.home}/sweeps", params={"dry_run": dry_run}, json=definition
    )
    assert detail in assert_problem(answer, 422, code)["detail"]
    assert await shared_project.service.rows(f"{shared_project.home}/sweeps") == []


@pytest.mark.parametrize(
    ("body", "field"),
    [
        ({}, "name"),
        ({**DEFINITION, "colour": "red"}, "colour"),
        (sizes(1, exclude=[{"size": 1}]), "exclude[0].size"),
        (sizes(1, axes=[{"name": "x", "set": "other:a", "values": [1]}]), "axes[0].set"),
        (sizes(1, repeats=0), "repeats"),
    ],
    ids=["empty", "unknown field", "unknown axis", "unknown alias", "repeats"],
)
async def test_a_refused_field_is_named(
    shared_project: SweptProject, body: Json, field: str
) -> None:
    answer = await shared_project.service.http.post(f"{shared_project.home}/sweeps", json=body)
    assert fields_at_fault(answer) == {field}


@pytest.mark.parametrize(
    ("path", "text"),
    [
        pytest.param("sweeps", '{"name": "a", "name": "b"}', id="field"),
        pytest.param(
            "sweeps", '{"axes": [{"points": [{"set": {"name": 7, "name": 8}}]}]}', id="set"
        ),
        pytest.param("sweeps/import", '{"files": {"name": "a", "name": "a"}}', id="import"),
        pytest.param(
            "sweeps/import",
            '{"format": "vllm", "text": "[{\\"name\\": 1, \\"name\\": 2}]",'
            ' "files": {"engine": "config/engine.yaml"}}',
            id="text of an import",
        ),
    ],
)
async def test_an_object_in_which_a_name_stands_twice_is_refused(
    shared_project: SweptProject, path: str, text: str
) -> None:
    answer = await shared_project.service.http.post(
        f"{shared_project.home}/{path}", content=text, headers=JSON
    )
    document = assert_problem(answer, 422, "invalid_request")
    assert "an object in which the name 'name' stands twice" in document["detail"]


async def test_a_name_that_stands_twice_in_a_change_is_refused(project: SweptProject) -> None:
    sweep = await project.sweep()
    answer = await project.service.http.put(
        f"/sweeps/{sweep['id']}", content='{"\\ud800": 1, "\\ud800": 2}', headers=JSON
    )
    assert fields_at_fault(answer) == {"body"}


@pytest.mark.parametrize(
    ("value", "status", "code", "said"),
    [
        pytest.param("[" * 5000 + "]" * 5000, 400, "malformed_json", "too deep", id="too deep"),
        pytest.param("[" * 100 + "]" * 100, 422, "invalid_request", "50 levels", id="deep"),
        pytest.param("[" * 500 + "]" * 500, 400, "malformed_json", "too deep", id="deeper"),
        pytest.param("9" * 5000, 400, "malformed_json", "more than 4300 digits", id="long number"),
        pytest.param("9" * 400, 422, "invalid_request", "over 300 digits", id="number"),
        pytest.param("NaN", 422, "invalid_request", "not finite", id="not finite"),
    ],
)
async def test_the_problem_says_why_a_value_cannot_be_read(
    shared_project: SweptProject, value: str, status: int, code: str, said: str
) -> None:
    axis = {"name": "x", "set": SEQS, "values": ["VALUE"]}
    text = json.dumps(sizes(1, axes=[axis])).replace('"VALUE"', value)
    answer = await shared_project.service.http.post(
        f"{shared_project.home}/sweeps", content=text, headers=JSON
    )
    assert said in assert_problem(answer, status, code)["detail"]
