"""The modified files' routes: variants with names of their own, apart from the originals."""

import asyncio
import hashlib
from typing import Any

import httpx2 as httpx
import pytest_asyncio

from benchmark_manager.stores.contents.blobs import BlobStore
from support.problems import assert_problem, fields_at_fault
from support.replacements import beside, replaced
from support.service import Json, Service

MEMBERS = {
    *(
        "id",
        "project_id",
        "original_file_id",
        "original_path",
        "modified_name",
        "path",
        "file_type",
        "format",
    ),
    *(
        "description",
        "base_sha",
        "base_commit_sha",
        "content_sha256",
        "size",
        "revision",
        "drift",
        "validity",
    ),
    *("problems", "created_at", "updated_at", "created_by", "updated_by"),
}
UNKNOWN = "65f0c0ffee65f0c0ffee65f0"
MIB = 1024 * 1024


@pytest_asyncio.fixture(scope="module", loop_scope="session")
async def project(module_service: Service, files: dict[str, bytes]) -> Json:
    module_service.repository(
        "acme/bench", {**files, "config/broken.yaml": b"a: [\n", "config/[x].yaml": b"x: 1\n"}
    )
    return await module_service.synced("acme/bench")


@pytest_asyncio.fixture(scope="module", loop_scope="session")
async def originals(module_service: Service, project: Json) -> dict[str, Json]:
    return await module_service.files(project["id"])


async def attempt(service: Service, original: Json, **fields: Any) -> httpx.Response:
    path = f"/projects/{original['project_id']}/modified-files"
    return await service.http.post(path, json={"original_file_id": original["id"], **fields})


async def test_a_variant_begins_as_its_original(
    service: Service, originals: dict[str, Json], files: dict[str, bytes]
) -> None:
    original = originals["config/deep/b.json"]
    answer = await attempt(service, original)
    assert answer.status_code == 201
    variant = answer.json()
    assert variant.keys() == MEMBERS | {"content"}
    assert answer.headers["location"] == f"/modified-files/{variant['id']}"
    data = files["config/deep/b.json"]
    assert variant["content"].encode() == data
    assert variant["content_sha256"] == hashlib.sha256(data).hexdigest()
    expected = {
        "project_id": original["project_id"],
        "original_file_id": original["id"],
        "modified_name": "b.json",
        "original_path": "config/deep/b.json",
        "path": "config/deep/b.json",
        "file_type": "config",
        "format": "json",
        "description": "",
        "base_sha": original["sha"],
        "size": len(data),
        "revision": 1,
        "base_commit_sha": original["commit_sha"],
        "drift": "current",
        "validity": "valid",
        "problems": [],
        "created_by": "anonymous",
        "updated_by": "anonymous",
        "updated_at": variant["created_at"],
    }
    assert variant.items() >= expected.items()
    read = await service.http.get(answer.headers["location"])
    assert (read.json(), read.headers["etag"]) == (variant, answer.headers["etag"])
    [row] = await service.rows(f"/projects/{original['project_id']}/modified-files")
    assert row == {name: value for name, value in variant.items() if name != "content"}


async def test_a_variant_may_say_everything_itself(
    service: Service, originals: dict[str, Json]
) -> None:
    text = "\ufeffmodel: größer\r\n\u2028x: '🚀'"
    original = originals["config/a.yaml"]
    variant = await service.variant(
        original["project_id"],
        original,
        modified_name="TP 8.YML",
        content=text,
        description="tensor parallelism",
    )
    assert (variant["modified_name"], variant["path"]) == ("TP 8.YML", "config/TP 8.YML")
    assert (variant["content"], variant["description"]) == (text, "tensor parallelism")
    assert variant["size"] == len(text.encode())
    assert (await service.get(f"/modified-files/{variant['id']}"))["content"] == text


async def test_only_the_fields_given_change_and_each_save_counts(
    service: Service, originals: dict[str, Json]
) -> None:
    original = originals["config/a.yaml"]
    before = await service.variant(original["project_id"], original, description="first")
    path = f"/modified-files/{before['id']}"
    steps: list[tuple[Json, set[str]]] = [
        ({"description": "second"}, {"description"}),
        ({"modified_name": "b.yml"}, {"modified_name", "path"}),
        ({"content": "model: other\n"}, {"content", "content_sha256", "size"}),
        (
            {"content": "", "description": ""},
            {"content", "content_sha256", "size", "description", "problems"},
        ),
    ]
    for body, told in steps:
        after = await service.put(path, body)
        changed = {name for name in after if after[name] != before[name]}
        assert changed - {"updated_at"} <= told | {"revision"}, body
        assert after.items() >= body.items()
        assert after["revision"] == before["revision"] + 1
        assert after["updated_at"] >= before["updated_at"]
        assert await service.get(path) == after
        before = after


async def test_a_save_without_a_change_makes_no_revision(
    service: Service, originals: dict[str, Json]
) -> None:
    original = originals["config/a.yaml"]
    variant = await service.variant(original["project_id"], original, description="x")
    same = {name: variant[name] for name in ("modified_name", "content", "description")}
    for body in ({}, same, dict.fromkeys(same)):
        assert await service.put(f"/modified-files/{variant['id']}", body) == variant


async def test_who_saved_is_recorded(service: Service, originals: dict[str, Json]) -> None:
    original = originals["config/a.yaml"]
    path = f"/projects/{original['project_id']}/modified-files"
    made = await service.http.post(
        path, json={"original_file_id": original["id"]}, headers={"X-Actor": " ada "}
    )
    there = f"/modified-files/{made.json()['id']}"
    assert (made.json()["created_by"], made.json()["updated_by"]) == ("ada", "ada")
    changed = await service.http.put(there, json={"description": "x"}, headers={"X-Actor": "grace"})
    assert (changed.json()["created_by"], changed.json()["updated_by"]) == ("ada", "grace")


async def test_a_name_is_a_file_name_which_fits_the_format(
    service: Service, originals: dict[str, Json]
) -> None:
    yaml, json_file = originals["config/a.yaml"], originals["config/deep/b.json"]
    variant = await service.variant(yaml["project_id"], yaml, modified_name="taken.yaml")
    good = (
        "b.yaml",
        "b.yml",
        "B.YAML",
        "ü 🚀.yml",
        "x" * 250 + ".yaml",
        "..yaml",
        "-.yml",
        ".yaml",
        "a:b*?.yaml",
    )
    for name in good:
        assert (await attempt(service, yaml, modified_name=name)).status_code == 201, name
    assert (await attempt(service, json_file, modified_name="B.JSON")).status_code == 201
    bad = (
        "",
        ".",
        "..",
        "b",
        "b.json",
        "b.yaml.txt",
        "a/b.yaml",
        "/b.yaml",
        "a\\b.yaml",
        "../b.yaml",
        "b.yaml/",
    )
    odd = (
        "a\nb.yaml",
        "a\x00.yaml",
        "a\x7f.yaml",
        "a\x9f.yaml",
        "x" * 251 + ".yaml",
        "ü" * 126 + ".yaml",
        " b.yaml ",
    )
    for name in (*bad, *odd):
        answer = await attempt(service, yaml, modified_name=name)
        assert fields_at_fault(answer, "invalid_name") == {"modified_name"}, name
        answer = await service.http.put(
            f"/modified-files/{variant['id']}", json={"modified_name": name}
        )
        assert fields_at_fault(answer, "invalid_name") == {"modified_name"}, name
    for name in ("b.yaml", "b.yml", "json"):
        answer = await attempt(service, json_file, modified_name=name)
        assert fields_at_fault(answer, "invalid_name") == {"modified_name"}, name


async def test_an_original_whose_own_name_breaks_the_rules_needs_one_given(
    service: Service,
) -> None:
    service.repository(
        "acme/odd", {"config/a\\b.yaml": b"a: 1\n", "config/tab\there.yaml": b"a: 2\n"}
    )
    project = await service.synced("acme/odd")
    for original in (await service.files(project["id"])).values():
        assert fields_at_fault(await attempt(service, original), "invalid_name") == {
            "modified_name"
        }
        assert (
            await attempt(
                service, original, modified_name=f"{original['size']}{original['id']}.yaml"
            )
        ).status_code == 201


async def test_a_folder_and_name_are_taken_once_in_a_project(
    service: Service, originals: dict[str, Json], project: Json
) -> None:
    original = originals["config/a.yaml"]
    first = await service.variant(project["id"], original)
    second = await service.variant(project["id"], original, modified_name="b.yaml")
    assert_problem(await attempt(service, original), 409, "name_taken")
    assert_problem(
        await attempt(service, originals["config/[x].yaml"], modified_name="b.yaml"),
        409,
        "name_taken",
    )
    answer = await service.http.put(
        f"/modified-files/{second['id']}", json={"modified_name": "a.yaml"}
    )
    assert_problem(answer, 409, "name_taken")
    assert await service.get(f"/modified-files/{second['id']}") == second
    assert (
        await attempt(service, originals["job/run.yaml"], modified_name="b.yaml")
    ).status_code == 201
    await service.http.delete(f"/modified-files/{first['id']}")
    assert (await attempt(service, original)).status_code == 201
    other = await service.synced("acme/bench", name="other")
    assert (
        await attempt(service, (await service.files(other["id"]))["config/a.yaml"])
    ).status_code == 201


async def test_a_content_over_the_limit_is_refused(
    service: Service, originals: dict[str, Json]
) -> None:
    original = originals["config/a.yaml"]
    exactly = "# " + "ü" * ((MIB - 2) // 2)
    assert len(exactly.encode()) == MIB
    variant = await service.variant(original["project_id"], original, content=exactly)
    assert variant["size"] == MIB
    answer = await attempt(service, original, modified_name="b.yaml", content=exactly + "x")
    assert fields_at_fault(answer, "too_large") == {"content"}
    answer = await service.http.put(
        f"/modified-files/{variant['id']}", json={"content": exactly + "x"}
    )
    assert fields_at_fault(answer, "too_large") == {"content"}


async def test_what_does_not_parse_is_refused_with_its_places(
    service: Service, originals: dict[str, Json], project: Json
) -> None:
    cases: dict[str, dict[str, int | None]] = {
        "config/a.yaml": {
            "a: 1\n  b: 2\n": 2,
            "a: 1\na: 2\n": 2,
            "a: *nowhere\n": 1,
            "a:\n\t- b\n": 2,
        },
        "config/deep/b.json": {'{"a": 1,}': 1, '{"a": 1, "a": 2}': 1, "{\n\n": None, "": None},
        "job/run.yaml": {"kind: [Job\n": None},
    }
    for path, contents in cases.items():
        variant = await service.variant(project["id"], originals[path])
        for content, line in contents.items():
            answer = await attempt(
                service, originals[path], content=content, modified_name=f"x.{path.rsplit('.')[-1]}"
            )
            document = assert_problem(answer, 422, "invalid_content")
            errors = [problem for problem in document["problems"] if problem["severity"] == "error"]
            assert errors, content
            assert errors[0].keys() == {"severity", "code", "message", "line", "column"}
            assert line is None or line == errors[0]["line"], (content, errors)
            assert [error["field"] for error in document["errors"]] == ["content"]
            answer = await service.http.put(
                f"/modified-files/{variant['id']}", json={"content": content}
            )
            assert_problem(answer, 422, "invalid_content")
        assert await service.get(f"/modified-files/{variant['id']}") == variant


async def test_what_does_not_parse_is_saved_if_the_request_says_so(
    service: Service, originals: dict[str, Json], project: Json
) -> None:
    path = f"/projects/{project['id']}/modified-files"
    body = {"original_file_id": originals["config/a.yaml"]["id"], "content": "a: [\n"}
    answer = await service.http.post(path, json=body, params={"allow_invalid": "true"})
    assert answer.status_code == 201
    assert (answer.json()["validity"], answer.json()["content"]) == ("invalid", "a: [\n")
    assert answer.json()["problems"]
    there = f"/modified-files/{answer.json()['id']}"
    assert_problem(
        await service.http.put(there, json={"content": "a: [[\n"}), 422, "invalid_content"
    )
    renamed = await service.put(there, {"modified_name": "c.yaml", "content": "a: [\n"})
    assert renamed["validity"] == "invalid", "what was accepted once is not asked about again"
    saved = await service.http.put(
        there, json={"content": "a: [[\n"}, params={"allow_invalid": "true"}
    )
    assert saved.json()["content"] == "a: [[\n"
    mended = await service.put(there, {"content": "a: []\n"})
    assert (mended["validity"], mended["problems"]) == ("valid", [])


async def test_a_variant_of_what_does_not_parse_need_not_parse(
    service: Service, originals: dict[str, Json]
) -> None:
    original = originals["config/broken.yaml"]
    variant = await service.variant(original["project_id"], original, content="a: [[\n")
    assert variant["validity"] == "invalid"
    changed = await service.put(f"/modified-files/{variant['id']}", {"content": "{{ x\n"})
    assert changed["content"] == "{{ x\n"


async def test_application_tags_and_warnings_do_not_stop_a_save(
    service: Service, originals: dict[str, Json]
) -> None:
    original = originals["config/a.yaml"]
    variant = await service.variant(
        original["project_id"], original, content="a: !include b.yaml\non: yes\n"
    )
    assert variant["validity"] == "valid"
    assert {problem["severity"] for problem in variant["problems"]} <= {"warning"}


async def test_the_list_is_by_path_and_filtered(
    service: Service, originals: dict[str, Json], project: Json
) -> None:
    a, b, run = (
        originals["config/a.yaml"],
        originals["config/deep/b.json"],
        originals["job/run.yaml"],
    )
    for original, names in (
        (a, ("z.yaml", "Tp8.yaml", "[1].yaml")),
        (b, ("b.json",)),
        (run, ("tp8.yml",)),
    ):
        for name in names:
            await service.variant(project["id"], original, modified_name=name)

    async def paths(**params: str) -> list[str]:
        answer = await service.http.get(f"/projects/{project['id']}/modified-files", params=params)
        rows = answer.json()
        assert answer.headers["x-total-count"] == str(len(rows))
        assert all(row.keys() == MEMBERS for row in rows)
        return [row["path"] for row in rows]

    everything = [
        "config/Tp8.yaml",
        "config/[1].yaml",
        "config/deep/b.json",
        "config/z.yaml",
        "job/tp8.yml",
    ]
    assert await paths() == everything
    assert await paths(q="TP8") == ["config/Tp8.yaml", "job/tp8.yml"]
    assert await paths(q="[1]") == ["config/[1].yaml"]
    assert await paths(q=".*") == []
    assert await paths(file_type="job") == ["job/tp8.yml"]
    assert await paths(original_file_id=a["id"]) == [
        "config/Tp8.yaml",
        "config/[1].yaml",
        "config/z.yaml",
    ]
    assert await paths(original_file_id=a["id"], q="tp8", file_type="config") == ["config/Tp8.yaml"]
    assert await paths(original_file_id=UNKNOWN) == []
    assert await paths(drift="current") == everything
    assert await paths(drift="conflict") == []
    answer = await service.http.get(
        f"/projects/{project['id']}/modified-files", params={"original_file_id": "x"}
    )
    assert_problem(answer, 404, "file_not_found")


async def test_a_deleted_variant_is_gone(service: Service, originals: dict[str, Json]) -> None:
    original = originals["config/a.yaml"]
    variant = await service.variant(original["project_id"], original)
    path = f"/modified-files/{variant['id']}"
    answer = await service.http.delete(path)
    assert (answer.status_code, answer.content) == (204, b"")
    answers = [
        await service.http.get(path),
        await service.http.get(f"{path}/raw"),
        await service.http.delete(path),
    ]
    answers += [await service.http.get(f"{path}/revisions{rest}") for rest in ("", "/1")]
    answers.append(await service.http.post(f"{path}/restore", json={"revision": 1}))
    for answer in (*answers, await service.http.put(path, json={})):
        assert_problem(answer, 404, "modified_file_not_found")


async def test_a_reset_deletes_a_project_s_variants_and_no_others(
    service: Service, originals: dict[str, Json], project: Json
) -> None:
    other = await service.synced("acme/bench", name="other")
    kept = await service.variant(other["id"], (await service.files(other["id"]))["config/a.yaml"])
    for number in range(3):
        await service.variant(
            project["id"], originals["config/a.yaml"], modified_name=f"{number}.yaml"
        )
    path = f"/projects/{project['id']}/modified-files"
    answer = await service.http.delete(path)
    assert (answer.status_code, answer.json()["deleted_count"]) == (200, 3)
    assert await service.rows(path) == []
    assert (await service.http.delete(path)).json() == {"deleted_count": 0, "reset_id": None}
    assert await service.get(f"/modified-files/{kept['id']}") == kept
    assert list(await service.files(project["id"])) == list(originals)


async def test_a_name_which_was_asked_for_is_there_though_somebody_renamed_the_file_meanwhile(
    service: Service, originals: dict[str, Json]
) -> None:
    original = originals["config/a.yaml"]
    variant = await service.variant(original["project_id"], original, modified_name="mine.yaml")
    path = f"/modified-files/{variant['id']}"

    class RenamedMeanwhile(BlobStore):
        """Before this store writes a content, another client renames the variant."""

        async def put(self, *arguments: Any) -> list[str]:
            with replaced(service, variants=own):
                await service.put(path, {"modified_name": "theirs.yaml"})
            return await super().put(*arguments)

    own = service.services.variants
    late = beside(service, blobs=RenamedMeanwhile(service.services.database))
    with replaced(service, variants=late.variants):
        saved = await service.put(path, {"modified_name": "mine.yaml", "content": "mine: 1\n"})
    assert (saved["modified_name"], saved["content"], saved["revision"]) == (
        "mine.yaml",
        "mine: 1\n",
        3,
    )
    assert await service.get(path) == saved


async def test_of_concurrent_saves_none_that_was_acknowledged_is_lost(
    service: Service, originals: dict[str, Json]
) -> None:
    """Different fields, each without If-Match: all are taken, and each is a revision."""
    original = originals["config/a.yaml"]
    variant = await service.variant(original["project_id"], original)
    path = f"/modified-files/{variant['id']}"
    stored: Json = {}
    for number in range(10):
        bodies: list[Json] = [
            {"modified_name": f"{number}.yaml"},
            {"content": f"number: {number}\n"},
            {"description": f"description {number}"},
        ]
        answers = await asyncio.gather(*(service.http.put(path, json=body) for body in bodies))
        assert [answer.status_code for answer in answers] == [200, 200, 200]
        stored = await service.get(path)
        for body in bodies:
            assert stored.items() >= body.items()
    assert stored["revision"] == 31


async def test_of_concurrent_creations_with_one_name_exactly_one_wins(
    service: Service, originals: dict[str, Json], project: Json
) -> None:
    for number in range(3):
        tries = [
            attempt(
                service,
                originals[path],
                modified_name=f"{number}.yaml",
                content=f"writer: {writer}\n",
            )
            for path in ("config/a.yaml", "config/[x].yaml")
            for writer in range(5)
        ]
        answers = await asyncio.gather(*tries)
        assert sorted(answer.status_code for answer in answers) == [201] + [409] * 9
        [winner] = [answer.json() for answer in answers if answer.status_code == 201]
        for answer in answers:
            if answer.status_code != 201:
                assert_problem(answer, 409, "name_taken")
        assert await service.get(f"/modified-files/{winner['id']}") == winner
    assert len(await service.rows(f"/projects/{project['id']}/modified-files")) == 3


async def test_a_variant_made_while_its_project_is_deleted_leaves_nothing_behind(
    service: Service, project: Json
) -> None:
    await service.http.delete(f"/projects/{project['id']}")
    for number in range(5):
        project = await service.synced("acme/bench")
        original = (await service.files(project["id"]))["config/a.yaml"]
        tries = [attempt(service, original, modified_name=f"{n}.yaml") for n in range(6)]
        tries.insert(number, service.http.delete(f"/projects/{project['id']}"))
        *_, gone = sorted(
            await asyncio.gather(*tries), key=lambda answer: answer.status_code == 204
        )
        assert gone.status_code == 204
        assert (await service.get("/status"))["total_modified_files"] == 0
    await service.services.housekeeping.sweep_deleted_projects()
    database = service.services.database
    for name in (
        "files",
        "modified_files",
        "revisions",
        "trash",
        "resets",
        "syncs",
        "skipped_files",
        "projects",
    ):
        assert await database.collection(name).count_documents({}) == 0, name


async def test_a_reset_amid_creations_deletes_whole_variants_only(
    service: Service, originals: dict[str, Json], project: Json
) -> None:
    """Each variant was created before the reset and is deleted, or after it and is whole.

    The counts add up.
    """
    path = f"/projects/{project['id']}/modified-files"
    for number in range(4):
        names = [f"{number}-{n}.yaml" for n in range(8)]
        tries = [attempt(service, originals["config/a.yaml"], modified_name=name) for name in names]
        tries.insert(2 * number, service.http.delete(path))
        answers = await asyncio.gather(*tries)
        [reset] = [answer for answer in answers if answer.status_code == 200]
        made = [answer.json() for answer in answers if answer.status_code == 201]
        assert len(made) == len(names)
        left = await service.rows(path)
        assert reset.json()["deleted_count"] + len(left) == len(made)
        for row in left:
            assert (await service.get(f"/modified-files/{row['id']}"))["content"]
        await service.http.delete(path)
