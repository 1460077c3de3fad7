"""The modified files' routes: variants with names of their own, apart from the originals."""

import hashlib
from collections.abc import Callable

import pytest
import pytest_asyncio

from support.problems import assert_problem
from support.service import Json, Service
from support.variant_requests import send_variant

MEMBERS = {
    "id",
    "project_id",
    "original_file_id",
    "original_path",
    "modified_name",
    "path",
    "file_type",
    "format",
    "description",
    "base_sha",
    "base_commit_sha",
    "content_sha256",
    "size",
    "revision",
    "drift",
    "validity",
    "problems",
    "created_at",
    "updated_at",
    "created_by",
    "updated_by",
}
UNKNOWN = "65f0c0ffee65f0c0ffee65f0"


async def test_a_variant_begins_as_its_original(
    service: Service, originals: dict[str, Json], files: dict[str, bytes]
) -> None:
    original = originals["config/deep/b.json"]
    answer = await send_variant(service, original)
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


async def test_a_variant_may_have_a_name_content_and_description_of_its_own(
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


@pytest.mark.parametrize(
    ("body", "changes"),
    [
        ({"description": "second"}, {"description"}),
        ({"modified_name": "b.yml"}, {"modified_name", "path"}),
        ({"content": "model: different\n"}, {"content", "content_sha256", "size"}),
        (
            {"content": "", "description": ""},
            {"content", "content_sha256", "size", "description", "problems"},
        ),
    ],
    ids=["description", "name", "content", "two fields emptied"],
)
async def test_only_the_fields_given_change(
    service: Service, originals: dict[str, Json], body: Json, changes: set[str]
) -> None:
    original = originals["config/a.yaml"]
    before = await service.variant(original["project_id"], original, description="first")
    path = f"/modified-files/{before['id']}"
    after = await service.put(path, body)
    changed = {name for name in after if after[name] != before[name]}
    assert changed - {"updated_at"} == changes | {"revision"}
    assert after.items() >= body.items()
    assert after["updated_at"] >= before["updated_at"]
    assert await service.get(path) == after


async def test_each_save_counts(service: Service, originals: dict[str, Json]) -> None:
    original = originals["config/a.yaml"]
    variant = await service.variant(original["project_id"], original)
    bodies: list[Json] = [
        {"description": "second"},
        {"modified_name": "b.yml"},
        {"content": "model: other\n"},
        {"content": "", "description": ""},
    ]
    saved = [await service.put(f"/modified-files/{variant['id']}", body) for body in bodies]
    assert [each["revision"] for each in saved] == [2, 3, 4, 5]
    times = [each["updated_at"] for each in (variant, *saved)]
    assert times == sorted(times)


@pytest.mark.parametrize(
    "fields",
    [
        pytest.param(lambda _: {}, id="no field"),
        pytest.param(lambda same: same, id="the same values"),
        pytest.param(dict.fromkeys, id="null for each field"),
    ],
)
async def test_a_save_without_a_change_makes_no_revision(
    service: Service, originals: dict[str, Json], fields: Callable[[Json], Json]
) -> None:
    original = originals["config/a.yaml"]
    variant = await service.variant(original["project_id"], original, description="x")
    same = {name: variant[name] for name in ("modified_name", "content", "description")}
    assert await service.put(f"/modified-files/{variant['id']}", fields(same)) == variant


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


async def test_the_list_is_sorted_by_path_and_filtered(
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


async def test_a_deletion_is_answered_without_content(
    service: Service, originals: dict[str, Json]
) -> None:
    original = originals["config/a.yaml"]
    variant = await service.variant(original["project_id"], original)
    answer = await service.http.delete(f"/modified-files/{variant['id']}")
    assert (answer.status_code, answer.content) == (204, b"")


@pytest_asyncio.fixture(scope="module", loop_scope="session")
async def deleted(module_service: Service, originals: dict[str, Json]) -> str:
    """The address of a variant that was deleted."""
    original = originals["config/a.yaml"]
    variant = await module_service.variant(
        original["project_id"], original, modified_name="deleted.yaml"
    )
    address = f"/modified-files/{variant['id']}"
    await module_service.http.delete(address)
    return address


@pytest.mark.parametrize(
    ("method", "rest", "body"),
    [
        ("GET", "", None),
        ("GET", "/raw", None),
        ("DELETE", "", None),
        ("GET", "/revisions", None),
        ("GET", "/revisions/1", None),
        ("POST", "/restore", {"revision": 1}),
        ("PUT", "", {}),
    ],
)
async def test_a_deleted_variant_is_gone(
    module_service: Service, deleted: str, method: str, rest: str, body: Json | None
) -> None:
    answer = await module_service.http.request(method, f"{deleted}{rest}", json=body)
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
