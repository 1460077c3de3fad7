"""Sweeps through the API: previewed, made, read, changed, rebased and deleted."""

import asyncio
import hashlib
from typing import Any

import pytest

from support.problems import assert_problem
from support.swept import (
    DEFINITION,
    ENGINE,
    FILES,
    FLAG,
    JOB,
    NAME,
    SEQS,
    SweptProject,
    sizes,
)


async def test_a_cell_is_a_release_in_which_only_the_set_values_differ(
    on_either: SweptProject,
) -> None:
    sweep = await on_either.sweep()
    assert (sweep["cells_count"], sweep["generation"], sweep["drift"]) == (4, 1, "current")
    cell = (await on_either.cells(sweep))[3]
    assert cell["assignments"] == {"seqs": 256, "tp": "tp2"}
    texts = {
        **FILES,
        "config/engine.yaml": ENGINE.replace(b"128 ", b"256 ").replace(b"size: 1", b"size: 2"),
        "job/bench.yaml": JOB.replace(b'"1"', b'"2"'),
    }
    assert {path: await on_either.text(cell, path) for path in FILES} == texts
    sums = "".join(f"{hashlib.sha256(texts[path]).hexdigest()}  {path}\n" for path in sorted(texts))
    assert cell["digest"] == f"sha256:{hashlib.sha256(sums.encode()).hexdigest()}"
    release = await on_either.service.get(f"/releases/{cell['digest']}")
    edited = {file["path"]: file for file in release["files"] if file["source"] == "modified"}
    assert edited.keys() == {"config/engine.yaml", "job/bench.yaml"}
    assert {file["sweep_id"] for file in edited.values()} == {sweep["id"]}
    assert edited["job/bench.yaml"]["assignments"] == cell["assignments"]


async def test_a_cell_shows_its_changes_and_a_patch(project: SweptProject) -> None:
    sweep = await project.sweep()
    cell = await project.service.get(f"/sweeps/{sweep['id']}/cells/3")
    assert cell["changes"] == [
        {"file": "config/engine.yaml", "path": SEQS.partition(":")[2], "before": 128, "after": 256},
        {
            "file": "config/engine.yaml",
            "path": "engine.tensor_parallel_size",
            "before": 1,
            "after": 2,
        },
        {"file": "job/bench.yaml", "path": FLAG.partition(":")[2], "before": "1", "after": "2"},
    ]
    lines = cell["unified"].splitlines()
    assert [line for line in lines if line.startswith(("+++", "-  ", "+  "))] == [
        "+++ b/config/engine.yaml",
        "-  max_num_seqs: 128   # per GPU",
        "-  tensor_parallel_size: 1",
        "+  max_num_seqs: 256   # per GPU",
        "+  tensor_parallel_size: 2",
        "+++ b/job/bench.yaml",
        '-          args: ["--tensor-parallel-size", "1", "--seed=7"]',
        '+          args: ["--tensor-parallel-size", "2", "--seed=7"]',
    ]
    first = await project.service.get(f"/sweeps/{sweep['id']}/cells/0")
    assert (first["changes"], first["unified"]) == ([], "")


async def test_a_preview_is_what_would_be_made_and_stores_nothing(
    project: SweptProject,
) -> None:
    excluding = {**DEFINITION, "exclude": [{"seqs": 128, "tp": "tp2"}, {"seqs": 1, "tp": "tp1"}]}
    preview = await project.preview(excluding)
    assert await project.service.rows(f"{project.home}/sweeps") == []
    assert await project.service.rows(f"{project.home}/releases", cells=True) == []
    sweep = await project.sweep(excluding)
    cells = await project.cells(sweep)
    assert [{k: v for k, v in cell.items() if k != "changes"} for cell in preview["cells"]] == cells
    assert preview["cells"][1]["changes"][0]["after"] == 256
    facts = ("definition", "notes", "cells_count", "base_commit_sha", "name")
    assert {name: preview[name] for name in facts} == {name: sweep[name] for name in facts}
    assert preview["id"] is None
    assert [note["code"] for note in sweep["notes"]] == ["exclude_without_effect"]


async def test_a_preview_of_many_cells_shows_fifty_and_counts_all(
    shared_project: SweptProject,
) -> None:
    preview = await shared_project.preview(sizes(*range(51)))
    assert (len(preview["cells"]), preview["cells_count"]) == (50, 51)


async def test_combinations_with_equal_bytes_are_one_cell(project: SweptProject) -> None:
    # A flag is text: 1 and "1" make the same bytes.
    axis = {"name": "tp", "set": FLAG, "values": [1, 2, "1", 3]}
    definition = {"name": "same", "files": {"job": "job/bench.yaml"}, "axes": [axis]}
    sweep = await project.sweep(definition)
    cells = await project.cells(sweep)
    assert [(cell["assignments"], cell["also"]) for cell in cells] == [
        ({"tp": 1}, [{"tp": "1"}]),
        ({"tp": 2}, []),
        ({"tp": 3}, []),
    ]
    assert sweep["cells_count"] == (await project.preview(definition))["cells_count"] == 3
    assert await project.indexes(sweep, **{"axis.tp": '"1"'}) == [0]


async def test_a_sweep_is_extended_while_its_cells_keep_index_and_digest(
    on_either: SweptProject,
) -> None:
    sweep = await on_either.sweep(sizes(128, 256))
    first = await on_either.cells(sweep)
    changed = await on_either.change(sweep, sizes(256, 512, name="renamed"))
    assert (changed["name"], changed["revision"], changed["cells_count"]) == ("renamed", 2, 2)
    assert await on_either.indexes(sweep) == [1, 2]
    assert await on_either.cells(sweep, retired=True) == [{**first[0], "retired": True}]
    assert await on_either.text(first[0], "config/engine.yaml") == ENGINE
    await on_either.change(sweep, sizes(128, 256, 512))
    assert await on_either.indexes(sweep) == [0, 1, 2]
    assert (await on_either.cells(sweep))[:2] == first


async def test_the_same_assignments_with_other_bytes_are_another_cell(
    project: SweptProject,
) -> None:
    sweep = await project.sweep(sizes(1, 2))
    other = sizes(1, 2)
    other["axes"][0]["set"] = "engine:engine.tensor_parallel_size"
    await project.change(sweep, other)
    assert await project.indexes(sweep) == [2, 3]
    assert await project.indexes(sweep, retired=True) == [0, 1]
    retired = await project.service.get(f"/sweeps/{sweep['id']}/cells/1")
    assert [change["path"] for change in retired["changes"]] == ["engine.max_num_seqs"]


async def test_an_unchanged_definition_makes_no_revision(project: SweptProject) -> None:
    sweep = await project.sweep(sizes(1))
    assert (await project.change(sweep, sizes(1)))["revision"] == 1
    # The number is another one in the file, though Python takes them to be equal.
    assert (await project.change(sweep, sizes(1.0)))["revision"] == 2


async def test_a_definition_changes_on_the_files_of_its_generation(project: SweptProject) -> None:
    sweep = await project.sweep(sizes(256))
    await project.upstream({"config/engine.yaml": None, "config/other.json": b'{"a": 9}\n'})
    changed = await project.change(sweep, {**DEFINITION, "name": "two files"})
    assert changed["generation"] == 1
    cell = (await project.cells(sweep, **{"axis.seqs": 256}))[0]
    assert await project.text(cell, "config/other.json") == b'{"a": 1}\n'
    assert await project.text(cell, "config/engine.yaml") == ENGINE.replace(b"128 ", b"256 ")


async def test_a_rebase_makes_a_generation_of_the_files_as_they_are_now(
    project: SweptProject,
) -> None:
    sweep = await project.sweep(sizes(256, 512))
    assert await project.rebase(sweep) == sweep
    await project.upstream({"config/engine.yaml": ENGINE + b"seed: 1\n"})
    assert (await project.again(sweep))["drift"] == "behind"
    rebased = await project.rebase(sweep)
    assert (rebased["generation"], rebased["revision"], rebased["drift"]) == (2, 2, "current")
    assert rebased["base_commit_sha"] != sweep["base_commit_sha"]
    assert await project.indexes(sweep) == [2, 3]
    assert await project.indexes(sweep, retired=True) == [0, 1]
    cell = await project.service.get(f"/sweeps/{sweep['id']}/cells/2")
    assert [change["after"] for change in cell["changes"]] == [256]
    assert await project.text(cell, "config/engine.yaml") == (
        ENGINE.replace(b"128 ", b"256 ") + b"seed: 1\n"
    )


@pytest.mark.parametrize(
    ("upstream", "drift", "names"),
    [
        ({"config/engine.yaml": None}, "upstream_removed", "'config/engine.yaml'"),
        ({"config/engine.yaml": b"engine: {}\n"}, "conflict", SEQS.partition(":")[2]),
        ({"config/engine.yaml": b"a: {{ .b }}\n"}, "conflict", "'config/engine.yaml'"),
    ],
    ids=["removed", "path gone", "template"],
)
async def test_what_cannot_be_edited_any_more_refuses_a_rebase(
    project: SweptProject, upstream: dict[str, bytes | None], drift: str, names: str
) -> None:
    sweep = await project.sweep(sizes(256, 512))
    await project.upstream(upstream)
    assert (await project.again(sweep))["drift"] == drift
    answer = await project.service.http.post(f"/sweeps/{sweep['id']}/rebase")
    assert names.strip("'") in assert_problem(answer, 409, "sweep_conflict")["detail"]
    assert (await project.again(sweep))["revision"] == 1
    assert await project.text((await project.cells(sweep))[0], "config/engine.yaml") != b""


async def test_a_rebase_without_its_variant_names_the_variant(project: SweptProject) -> None:
    original = (await project.service.files(project.id))["config/engine.yaml"]
    body = {"original_file_id": original["id"], "modified_name": "mine.yaml"}
    variant = await project.service.post(f"{project.home}/modified-files", body, 201)
    sweep = await project.sweep(sizes(1, files={"engine": {"modified_file_id": variant["id"]}}))
    await project.service.http.delete(f"/modified-files/{variant['id']}")
    answer = await project.service.http.post(f"/sweeps/{sweep['id']}/rebase")
    named = f"config/engine.yaml (modified_file_id {variant['id']})"
    assert named in assert_problem(answer, 409, "sweep_conflict")["detail"]


async def test_a_sweep_is_behind_when_any_file_of_its_cells_changed(project: SweptProject) -> None:
    sweep = await project.sweep(sizes(256))
    await project.upstream({"config/other.json": b'{"a": 2}\n'})
    assert (await project.again(sweep))["drift"] == "behind"
    assert (await project.rebase(sweep))["generation"] == 2


async def test_a_change_of_values_that_all_cells_set_is_no_drift(project: SweptProject) -> None:
    sweep = await project.sweep(sizes(256, 512))
    await project.upstream({"config/engine.yaml": ENGINE.replace(b"128 ", b"192 ")})
    assert (await project.again(sweep))["drift"] == "current"


async def test_a_variant_is_swept_at_the_path_of_its_original(project: SweptProject) -> None:
    service = project.service
    original = (await service.files(project.id))["config/engine.yaml"]
    text = ENGINE.replace(b"auto", b"half")
    variant = await service.variant(
        project.id, original, modified_name="mine.yaml", content=text.decode()
    )
    definition = sizes(256, files={"engine": {"modified_file_id": variant["id"]}})
    sweep = await project.sweep(definition)
    [cell] = await project.cells(sweep)
    assert await project.text(cell, "config/engine.yaml") == text.replace(b"128 ", b"256 ")
    release = await service.get(f"/releases/{cell['digest']}")
    [edited] = [file for file in release["files"] if "sweep_id" in file]
    assert (edited["modified_file_id"], edited["revision"]) == (variant["id"], 1)
    assert "config/mine.yaml" not in {file["path"] for file in release["files"]}
    assert len(release["files"]) == len(FILES)
    await service.put(f"/modified-files/{variant['id']}", {"content": ENGINE.decode()})
    assert (await project.again(sweep))["drift"] == "behind"
    [listed] = await service.rows(f"{project.home}/sweeps")
    assert listed["drift"] == "behind"
    all_files = await project.sweep({**definition, "contents": "all"})
    assert (await project.again(all_files))["drift"] == "current"
    [cell] = await project.cells(all_files)
    assert await project.text(cell, "config/mine.yaml") == ENGINE
    await service.http.delete(f"/modified-files/{variant['id']}")
    assert (await project.again(sweep))["drift"] == "conflict"
    answer = await service.http.post(f"/sweeps/{sweep['id']}/rebase")
    assert_problem(answer, 409, "sweep_conflict")


async def test_a_cell_keeps_its_problems(project: SweptProject) -> None:
    policy = "job:spec.template.spec.restartPolicy"
    axis = {"name": "policy", "set": policy, "values": ["Never", "Always"]}
    definition = {"name": "policies", "files": {"job": "job/bench.yaml"}, "axes": [axis]}
    cells = await project.cells(await project.sweep(definition))
    assert [cell["validity"] for cell in cells] == ["valid", "valid"]
    found = [[(one["file"], one["code"]) for one in cell["problems"]] for cell in cells]
    assert found == [[], [("job/bench.yaml", "job_restart_policy")]]


async def test_cells_are_filtered_and_paged(project: SweptProject) -> None:
    sweep = await project.sweep(
        {
            **DEFINITION,
            "axes": [
                {"name": "seqs", "set": SEQS, "values": [1, 1.0, "1", True, None]},
                DEFINITION["axes"][1],
            ],
        }
    )
    found: dict[str, Any] = {
        value: await project.indexes(sweep, **{"axis.seqs": value})
        for value in ("1", "1.0", '"1"', "true", "null", "x")
    }
    assert found == {
        "1": [0, 1],
        "1.0": [2, 3],
        '"1"': [4, 5],
        "true": [6, 7],
        "null": [8, 9],
        "x": [],
    }
    both = {"axis.seqs": "true", "axis.tp": "tp2"}
    assert await project.indexes(sweep, **both) == [7]
    # Following the links of pages, filtered or not.
    assert await project.indexes(sweep, limit=3) == list(range(10))
    assert await project.indexes(sweep, limit=2, **{"axis.tp": "tp2"}) == [1, 3, 5, 7, 9]
    answer = await project.service.http.get(f"/sweeps/{sweep['id']}/cells?axis.tp=tp2&limit=2")
    assert answer.headers["x-total-count"] == "5"


async def test_a_change_of_a_revision_that_is_not_read_is_refused(project: SweptProject) -> None:
    sweep = await project.sweep(sizes(1))
    path = f"/sweeps/{sweep['id']}"
    tag = (await project.service.http.get(path)).headers["etag"]
    assert tag.startswith('"1.')
    headers = {"If-Match": tag}
    answer = await project.service.http.put(path, json=sizes(2), headers=headers)
    assert answer.json()["revision"] == 2
    answers = [
        await project.service.http.put(path, json=sizes(3), headers=headers),
        await project.service.http.post(f"{path}/rebase", headers=headers),
        await project.service.http.delete(path, headers=headers),
    ]
    stale = [assert_problem(answer, 412, "stale") for answer in answers]
    assert [problem["current_revision"] for problem in stale] == [2, 2, 2]


async def test_deleting_a_sweep_leaves_what_is_pinned_or_made_by_hand(
    on_either: SweptProject,
) -> None:
    service = on_either.service
    sweep = await on_either.sweep(sizes(128, 256, 512))
    original, pinned, dropped = [cell["digest"] for cell in await on_either.cells(sweep)]
    await service.put(f"/releases/{pinned}", {"pinned": True})
    # The first cell's bytes are the originals'.
    by_hand = await service.post(f"{on_either.home}/releases", {"name": "by hand"}, 200)
    assert by_hand["digest"] == original
    answer = await service.http.delete(f"/sweeps/{sweep['id']}")
    assert answer.status_code == 204
    assert_problem(await service.http.get(f"/sweeps/{sweep['id']}"), 404, "sweep_not_found")
    kept = [await service.get(f"/releases/{digest}") for digest in (original, pinned)]
    assert [release["files_count"] for release in kept] == [len(FILES), len(FILES)]
    assert_problem(await service.http.get(f"/releases/{dropped}"), 404, "release_not_found")


async def _with_result(project: SweptProject, digest: str) -> int:
    """Upload a result, and return the answer's status."""
    params = {"release": digest, "project_id": project.id}
    answer = await project.service.http.post("/results", params=params, content=b"{}")
    return answer.status_code


@pytest.mark.parametrize("made_by", ["sweep", "hand"])
async def test_a_project_keeps_cells_that_it_cites_or_pinned_though_others_made_them_too(
    project: SweptProject, made_by: str
) -> None:
    service = project.service
    other = await service.project("acme/other", github_repo_url=NAME)
    await service.sync(other["id"])
    sweep = await project.sweep(sizes(128, 256, 512))
    cited, pinned, left = [cell["digest"] for cell in await project.cells(sweep)]
    if made_by == "sweep":
        await service.post(f"/projects/{other['id']}/sweeps", sizes(128, 256, 512), 201)
    else:
        # The first cell's bytes are the originals'.
        await service.post(f"/projects/{other['id']}/releases", {"name": "by hand"}, 200)
    assert await _with_result(project, cited) == 201
    await service.put(f"/releases/{pinned}", {"pinned": True})
    answer = await service.http.delete(f"/sweeps/{sweep['id']}")
    assert answer.status_code == 204
    listed = await service.rows(f"{project.home}/releases")
    assert {release["digest"] for release in listed} == {cited, pinned}
    archives = [await service.http.get(f"/releases/{digest}/archive") for digest in (cited, pinned)]
    assert [answer.status_code for answer in archives] == [200, 200]
    if made_by == "sweep":
        theirs = await service.rows(f"/projects/{other['id']}/releases", cells="true")
        assert {release["digest"] for release in theirs} == {cited, pinned, left}


async def test_a_result_that_is_uploaded_while_its_sweep_is_deleted_has_its_release(
    on_either: SweptProject,
) -> None:
    service = on_either.service
    seen = []
    for number in range(1, 4):
        sweep = await on_either.sweep(sizes(number))
        [cell] = await on_either.cells(sweep)
        status, deletion = await asyncio.gather(
            _with_result(on_either, cell["digest"]), service.http.delete(f"/sweeps/{sweep['id']}")
        )
        release = await service.http.get(f"/releases/{cell['digest']}")
        seen.append((deletion.status_code, status, release.status_code))
    assert set(seen) <= {(204, 201, 200), (204, 404, 404)}


async def test_sweeps_are_gone_with_their_project_at_once(project: SweptProject) -> None:
    sweep = await project.sweep(sizes(1))
    assert (await project.service.http.delete(project.home)).status_code == 204
    path = f"/sweeps/{sweep['id']}"
    assert_problem(await project.service.http.get(path), 404, "sweep_not_found")
    assert_problem(await project.service.http.get(f"{path}/cells"), 404, "sweep_not_found")
    assert_problem(await project.service.http.get(f"{path}/cells/0"), 404, "sweep_not_found")
    answer = await project.service.http.get(f"{project.home}/sweeps")
    assert_problem(answer, 404, "project_not_found")


async def test_another_tools_sweep_is_imported_and_made(project: SweptProject) -> None:
    request = {
        "format": "hydra",
        "text": "engine.max_num_seqs=128,256 unknown=1,2",
        "files": {"engine": "config/engine.yaml"},
    }
    imported = await project.service.post(f"{project.home}/sweeps/import", request, 200)
    assert [axis["set"] for axis in imported["definition"]["axes"]] == [SEQS]
    assert {note["code"] for note in imported["notes"]} >= {"parameter_unknown"}
    assert (await project.sweep(imported["definition"]))["cells_count"] == 2
