"""Results through the API: uploaded, read, found, changed, deleted and restored."""

import asyncio
import hashlib
import json
from collections.abc import Callable

import pytest

from benchmark_manager.api.http.middleware import MAX_BODY
from support.problems import assert_problem, fields_at_fault
from support.service import Json, Service
from support.swept import swept_project
from support.unchanged_service import unchanged_service
from support.uploading import PLAIN, ReleasedProject

HOSTILE = "<script>alert(1)<script> 김; a=b.json"


async def test_a_result_is_kept_to_the_byte_and_read(on_either: ReleasedProject) -> None:
    # Of several parts, and no text.
    data = bytes(range(256)) * 10_000
    result = await on_either.result(data, file_name="run.bin", labels={"gpu": "H100"}, note="one")
    known: Json = {
        "project_id": on_either.id,
        "release": on_either.digest,
        "tool": "unknown",
        "file_name": "run.bin",
        "size": len(data),
        "sha256": hashlib.sha256(data).hexdigest(),
        "labels": {"gpu": "H100"},
        "note": "one",
        "points": [],
        "revision": 1,
        "created_by": "anonymous",
        **dict.fromkeys(("run_id", "sweep_id", "cell_index", "receipt", "deleted_at")),
    }
    assert {name: result[name] for name in known} == known
    assert await on_either.service.get(f"/results/{result['id']}") == result
    answer = await on_either.service.http.get(f"/results/{result['id']}/raw")
    assert answer.content == data


async def test_the_same_bytes_for_the_same_release_are_one_result(
    on_either: ReleasedProject,
) -> None:
    answers = await asyncio.gather(*(on_either.upload() for _ in range(6)))
    assert sorted(answer.status_code for answer in answers) == [*[200] * 5, 201]
    [found] = await on_either.listed()
    assert {answer.json()["id"] for answer in answers} == {found}


async def test_a_later_upload_of_the_same_bytes_changes_nothing(project: ReleasedProject) -> None:
    result = await project.result(labels={"gpu": "H100"}, note="first")
    answer = await project.form(labels='{"gpu": "A100"}', note="second")
    assert (answer.status_code, answer.json()) == (200, result)


async def test_the_same_bytes_for_another_release_are_another_result(
    project: ReleasedProject,
) -> None:
    first = await project.result()
    second = await project.result(release=await project.other_release())
    assert first["id"] != second["id"]
    assert await project.listed() == [second["id"], first["id"]]


async def test_a_form_has_the_same_fields_as_a_query(project: ReleasedProject) -> None:
    labels = {"gpu": "H100", "engine version": "0.11 rc"}
    answer = await project.form(
        name=HOSTILE, labels=json.dumps(labels), note="two\nlines", tool="plain"
    )
    assert answer.status_code == 201, answer.text
    result = answer.json()
    found = [result[name] for name in ("file_name", "labels", "note")]
    assert found == [HOSTILE, labels, "two\nlines"]


async def test_the_bytes_are_a_download_that_no_browser_shows(project: ReleasedProject) -> None:
    answer = await project.form(b"<script>alert(1)</script>", name=HOSTILE)
    path = f"/results/{answer.json()['id']}/raw"
    raw = await project.service.http.get(path)
    assert raw.headers["content-type"] == "application/octet-stream"
    assert raw.headers["content-disposition"].startswith("attachment; ")
    assert "<script>" in raw.headers["content-disposition"]
    assert raw.headers["x-content-type-options"] == "nosniff"
    assert raw.headers["content-security-policy"] == "sandbox; default-src 'none'"
    sha256 = hashlib.sha256(raw.content).hexdigest()
    assert raw.headers["etag"] == f'"{sha256}"'
    again = await project.service.http.get(path, headers={"If-None-Match": f'"{sha256}"'})
    assert (again.status_code, again.content) == (304, b"")


async def test_labels_may_be_as_many_and_as_long_as_the_limits_say(
    project: ReleasedProject,
) -> None:
    labels = {f"{n} ".ljust(99, "é") + "x": "é" * 500 for n in range(50)}
    # Every character escaped.
    answer = await project.form(labels=json.dumps(labels))
    assert answer.status_code == 201, answer.text
    assert answer.json()["labels"] == labels


async def test_an_upload_names_one_of_several_projects(project: ReleasedProject) -> None:
    service = project.service
    service.repository("acme/twin", {"config/a.yaml": b"a: 1\n", "config/b.yaml": b"b: 1\n"})
    twin = (await service.synced("acme/twin"))["id"]
    again = await service.http.post(f"/projects/{twin}/releases", json={})
    assert again.json()["digest"] == project.digest
    assert_problem(await project.upload(), 422, "project_required")
    results = [await project.result(project_id=each) for each in (project.id, twin)]
    assert [result["project_id"] for result in results] == [project.id, twin]
    assert await project.listed() == [results[0]["id"]]


async def test_a_result_may_be_larger_than_other_bodies(project: ReleasedProject) -> None:
    data = b"x" * (MAX_BODY + 1)
    result = await project.result(data)
    assert result["size"] == len(data)


async def test_filters_leave_what_passes_all_of_them(on_either: ReleasedProject) -> None:
    first = await on_either.result(b"1", labels={"gpu": "H100", "a.b": "x=y"})
    second = await on_either.result(b"2", labels={"gpu": "A100"})
    other = await on_either.other_release()
    third = await on_either.result(b"3", release=other, labels={"gpu": "H100"})
    filters: dict[str, tuple[Json, list[Json]]] = {
        "all": ({}, [third, second, first]),
        "release": ({"release": other}, [third]),
        "label": ({"label.gpu": "H100"}, [third, first]),
        "labels": ({"label.gpu": "H100", "label.a.b": "x=y"}, [first]),
        "another value": ({"label.gpu": "h100"}, []),
        "tool": ({"tool": "unknown"}, [third, second, first]),
        "another tool": ({"tool": "vllm"}, []),
        "person": ({"created_by": "anonymous"}, [third, second, first]),
        "another person": ({"created_by": "ada"}, []),
        "trash": ({"deleted": True}, []),
    }
    found = {name: await on_either.listed(**params) for name, (params, _) in filters.items()}
    assert found == {
        name: [result["id"] for result in expected] for name, (_, expected) in filters.items()
    }


async def test_results_come_in_pages_newest_first(project: ReleasedProject) -> None:
    made = [(await project.result(str(n).encode()))["id"] for n in range(5)]
    assert await project.listed(limit=2) == made[::-1]


@pytest.mark.parametrize(
    ("params", "status", "code"),
    [
        ({"sweep": "0" * 24}, 404, "sweep_not_found"),
        ({"tool": "hammer"}, 422, "invalid_request"),
        ({"label.": "x"}, 422, "invalid_labels"),
        ({"cursor": "x"}, 422, "invalid_cursor"),
        ({"release": "f" * 64}, 404, "release_not_found"),
        ({"release": "f" * 12}, 404, "release_not_found"),
        ({"release": "no digest"}, 404, "release_not_found"),
        ({"release": "f" * 11}, 422, "digest_too_short"),
    ],
    ids=["sweep", "tool", "label", "cursor", "whole", "beginning", "none", "short"],
)
async def test_a_filter_that_is_wrong_is_refused(
    shared_project: ReleasedProject, params: Json, status: int, code: str
) -> None:
    answer = await shared_project.service.http.get(f"{shared_project.home}/results", params=params)
    assert_problem(answer, status, code)


async def test_a_cell_is_one_of_a_sweep_that_is_named(shared_project: ReleasedProject) -> None:
    answer = await shared_project.service.http.get(
        f"{shared_project.home}/results", params={"cell": 3}
    )
    assert_problem(answer, 422, "invalid_request")
    assert fields_at_fault(answer, "invalid_request") == {"sweep"}


@pytest.mark.parametrize(
    "write",
    [
        lambda digest: digest,
        lambda digest: digest.removeprefix("sha256:"),
        lambda digest: digest.removeprefix("sha256:").upper(),
        lambda digest: digest[:19],
        lambda digest: digest[7:19],
        lambda digest: digest[7:19].upper(),
    ],
    ids=["whole", "digits", "upper case", "beginning", "first digits", "upper first digits"],
)
async def test_a_release_is_named_by_its_digest_or_by_the_beginning(
    project: ReleasedProject, write: Callable[[str], str]
) -> None:
    result = await project.result()
    await project.result(release=await project.other_release())
    assert await project.listed(release=write(project.digest)) == [result["id"]]


async def test_the_beginning_of_two_digests_names_none(project: ReleasedProject) -> None:
    digits = project.digest.removeprefix("sha256:")
    releases = project.service.services.database.collection("releases")
    row = await releases.find_one({"digest": digits}, {"_id": 0})
    assert row is not None
    other = digits[:-1] + ("0" if digits[-1] != "0" else "1")
    await releases.insert_one({**row, "digest": other})
    answer = await project.service.http.get(
        f"{project.home}/results", params={"release": digits[:12]}
    )
    assert_problem(answer, 409, "digest_ambiguous")


async def test_a_release_and_a_sweep_without_it_leave_nothing(module_service: Service) -> None:
    async with unchanged_service(module_service):
        swept = await swept_project(module_service)
        sweep = await swept.sweep()
        cells = await swept.cells(sweep)
        project = ReleasedProject(module_service, swept.id, cells[0]["digest"])
        result = await project.result()
        found = [
            await project.listed(sweep=sweep["id"], cell=index, release=cells[0]["digest"][:19])
            for index in (0, 1)
        ]
        assert found == [[result["id"]], []]


async def test_a_label_that_a_change_names_twice_is_refused(project: ReleasedProject) -> None:
    result = await project.result()
    answer = await project.service.http.put(
        f"/results/{result['id']}",
        content='{"labels": {"gpu": "A100", "gpu": "H100"}}',
        headers={"Content-Type": "application/json"},
    )
    assert fields_at_fault(answer) == {"body"}


async def test_labels_and_note_change_and_nothing_else(project: ReleasedProject) -> None:
    result = await project.result(labels={"gpu": "H100", "driver": "1"}, note="first")
    path = f"/results/{result['id']}"
    changed = await project.service.put(path, {"labels": {"gpu": "A100"}})
    expected = {**result, "labels": {"gpu": "A100"}, "revision": 2}
    assert changed == expected
    assert await project.service.put(path, {"note": "first"}) == expected
    cleared = await project.service.put(path, {"labels": {}, "note": ""})
    assert cleared == {**result, "labels": {}, "note": "", "revision": 3}


async def test_another_tool_reads_the_file_again(project: ReleasedProject) -> None:
    wrong = await project.result(tool="vllm")
    path = f"/results/{wrong['id']}"
    changed = await project.service.put(path, {"tool": "plain"})
    assert (wrong["points"], changed["tool"], changed["revision"]) == ([], "plain", 2)
    assert [*changed["points"][0]["metrics"]] == ["ttft_p99", "output_throughput"]
    assert await project.service.get(path) == changed
    assert await project.listed(tool="plain") == [wrong["id"]]


async def test_without_a_tool_the_content_of_a_file_decides(project: ReleasedProject) -> None:
    wrong = await project.result(tool="vllm")
    changed = await project.service.put(f"/results/{wrong['id']}", {"tool": None})
    assert (changed["tool"], changed["problems"], changed["revision"]) == ("plain", [], 2)


@pytest.mark.parametrize(
    "body", [{"tool": "vllm"}, {"note": ""}, {}], ids=["same", "none", "empty"]
)
async def test_a_change_that_keeps_the_tool_reads_nothing_again(
    project: ReleasedProject, body: Json
) -> None:
    wrong = await project.result(tool="vllm")
    assert await project.service.put(f"/results/{wrong['id']}", body) == wrong


async def test_another_tool_for_an_older_revision_is_refused(project: ReleasedProject) -> None:
    wrong = await project.result(tool="vllm")
    path = f"/results/{wrong['id']}"
    headers = {"If-Match": '"7"'}
    answer = await project.service.http.put(path, json={"tool": "plain"}, headers=headers)
    assert_problem(answer, 412, "stale")
    assert await project.service.get(path) == wrong


async def test_a_change_of_an_older_revision_is_refused(project: ReleasedProject) -> None:
    result = await project.result()
    path = f"/results/{result['id']}"
    etag = (await project.service.http.get(path)).headers["etag"]
    await project.service.put(path, {"note": "mine"})
    headers = {"If-Match": etag}
    changed = await project.service.http.put(path, json={"note": "theirs"}, headers=headers)
    assert assert_problem(changed, 412, "stale")["current_revision"] == 2
    deleted = await project.service.http.delete(path, headers=headers)
    assert assert_problem(deleted, 412, "stale")["current_revision"] == 2
    assert (await project.service.get(path))["note"] == "mine"


@pytest.mark.parametrize(
    ("body", "code"),
    [
        ({"labels": {"a": "b\n"}}, "invalid_labels"),
        ({"note": "x" * 10_001}, "invalid_note"),
        ({"file_name": "b.json"}, "invalid_request"),
        ({"labels": {"a": None}}, "invalid_request"),
        ({"tool": "unknown"}, "invalid_request"),
    ],
    ids=["label", "note", "another field", "no text", "no tool"],
)
async def test_a_wrong_change_is_refused(project: ReleasedProject, body: Json, code: str) -> None:
    result = await project.result()
    answer = await project.service.http.put(f"/results/{result['id']}", json=body)
    assert_problem(answer, 422, code)
    assert await project.service.get(f"/results/{result['id']}") == result


async def test_a_deleted_result_is_in_the_trash_until_it_is_restored(
    on_either: ReleasedProject,
) -> None:
    service, result = on_either.service, await on_either.result()
    path = f"/results/{result['id']}"
    assert (await service.http.delete(path)).status_code == 204
    assert_problem(await service.http.get(path), 404, "result_not_found")
    assert_problem(await service.http.get(f"{path}/raw"), 404, "result_not_found")
    assert_problem(await service.http.delete(path), 404, "result_not_found")
    assert await on_either.listed() == []
    [trashed] = await service.rows(f"{on_either.home}/results", deleted=True)
    assert (trashed["id"], trashed["deleted_by"]) == (result["id"], "anonymous")
    restored = await service.post(f"{path}/undelete", None, 200)
    assert restored == {**result, "revision": 3}
    assert_problem(await service.http.post(f"{path}/undelete"), 404, "result_not_found")


async def test_uploading_what_is_in_the_trash_restores_it_as_it_is_uploaded_now(
    project: ReleasedProject,
) -> None:
    wrong = await project.result(labels={"gpu": "H100"}, note="first", tool="vllm")
    assert (await project.service.http.delete(f"/results/{wrong['id']}")).status_code == 204
    answer = await project.form(labels='{"gpu": "A100"}', name="b.json")
    right = await project.result(b" " + PLAIN, labels={"gpu": "A100"}, file_name="b.json")
    taken = ("tool", "points", "problems", "labels", "note", "file_name")
    expected = {**wrong, **{name: right[name] for name in taken}, "revision": 3}
    assert (answer.status_code, answer.json()) == (200, expected)
    assert await project.service.get(f"/results/{wrong['id']}") == expected
    assert await project.listed(tool="plain") == [right["id"], wrong["id"]]


async def test_a_result_names_the_newest_cell_that_it_measured(module_either: Service) -> None:
    async with unchanged_service(module_either):
        swept = await swept_project(module_either)
        older, newer = await swept.sweep(), await swept.sweep()
        cell = (await swept.cells(newer))[2]
        project = ReleasedProject(module_either, swept.id, cell["digest"])
        result = await project.result()
        assert (result["sweep_id"], result["cell_index"]) == (newer["id"], 2)
        counts = [row["results_count"] for row in await swept.cells(older)]
        assert counts == [0, 0, 1, 0]
        found = {
            "sweep": await project.listed(sweep=older["id"]),
            "cell": await project.listed(sweep=older["id"], cell=2),
            "another cell": await project.listed(sweep=older["id"], cell=1),
        }
        assert found == {"sweep": [result["id"]], "cell": [result["id"]], "another cell": []}
        deletions = [
            await module_either.http.delete(f"/sweeps/{sweep['id']}") for sweep in (newer, older)
        ]
        assert [answer.status_code for answer in deletions] == [204, 204]
        alone = await module_either.get(f"/results/{result['id']}")
        assert (alone["sweep_id"], alone["cell_index"]) == (None, None)
        releases = await module_either.rows(f"/projects/{swept.id}/releases")
        assert [release["digest"] for release in releases] == [cell["digest"]]


async def test_results_end_with_their_project(on_either: ReleasedProject) -> None:
    service, result = on_either.service, await on_either.result()
    assert (await service.http.delete(on_either.home)).status_code == 204
    path = f"/results/{result['id']}"
    assert_problem(await service.http.get(path), 404, "result_not_found")
    assert_problem(await service.http.get(f"{path}/raw"), 404, "result_not_found")
    assert_problem(await on_either.upload(), 404, "release_not_found")
    await service.services.housekeeping.sweep_deleted_projects()
    database = service.services.database
    assert await database.collection("results").count_documents({}) == 0
    assert await database.collection("parsed_results").count_documents({}) == 0


async def test_what_a_plain_file_says_is_in_the_result(project: ReleasedProject) -> None:
    result = await project.result(PLAIN)
    values = {
        name: (metric["value"], metric["unit"], metric["direction"])
        for name, metric in result["points"][0]["metrics"].items()
    }
    assert (result["tool"], values) == (
        "plain",
        {"ttft_p99": (12.5, "ms", "lower"), "output_throughput": (900, "tok/s", "higher")},
    )
