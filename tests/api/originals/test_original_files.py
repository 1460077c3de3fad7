"""The originals' routes: reading only."""

import hashlib
from datetime import UTC, datetime, timedelta

import pytest
import pytest_asyncio

from github_test_server import Entry
from support.problems import assert_problem
from support.service import Json, Service

MEMBERS = {
    "id",
    "project_id",
    "name",
    "path",
    "file_type",
    "format",
    "sha",
    "size",
    "commit_sha",
    "last_modified",
    "synced_at",
    "removed_at",
    "validity",
    "problems",
    "modified_files_count",
}


def blob_id(data: bytes) -> str:
    return hashlib.sha1(b"blob %d\0%b" % (len(data), data), usedforsecurity=False).hexdigest()


async def listed(service: Service, project: Json, **params: str) -> list[str]:
    answer = await service.http.get(f"/projects/{project['id']}/files", params=params)
    assert answer.status_code == 200, answer.text
    assert answer.headers["x-total-count"] == str(len(answer.json()))
    return [row["path"] for row in answer.json()]


async def test_an_original_is_returned_with_its_content(
    service: Service, files: dict[str, bytes]
) -> None:
    when = datetime(2026, 3, 1, 12, 30, tzinfo=UTC)
    commit = service.repository("acme/bench").commit(dict(files), date=when)
    project = await service.synced("acme/bench")
    rows = await service.files(project["id"])
    assert list(rows) == ["config/a.yaml", "config/deep/b.json", "job/run.yaml"]
    kinds = {path: (row["name"], row["file_type"], row["format"]) for path, row in rows.items()}
    assert kinds == {
        "config/a.yaml": ("a.yaml", "config", "yaml"),
        "config/deep/b.json": ("b.json", "config", "json"),
        "job/run.yaml": ("run.yaml", "job", "yaml"),
    }
    assert {path: row.keys() for path, row in rows.items()} == dict.fromkeys(files, MEMBERS)
    assert rows == {
        path: {
            **rows[path],
            "sha": blob_id(data),
            "size": len(data),
            "commit_sha": commit,
            "last_modified": "2026-03-01T12:30:00Z",
            "removed_at": None,
            "validity": "valid",
            "modified_files_count": 0,
        }
        for path, data in files.items()
    }
    at = f"/projects/{project['id']}/files"
    whole = {path: await service.get(f"{at}/{row['id']}") for path, row in rows.items()}
    assert whole == {path: {**row, "content": files[path].decode()} for path, row in rows.items()}


async def test_last_modified_is_that_of_the_commit_with_the_content(
    service: Service,
) -> None:
    repository = service.repository("acme/bench")
    january, february = datetime(2026, 1, 1, tzinfo=UTC), datetime(2026, 2, 1, tzinfo=UTC)
    first = repository.commit(
        {"config/a.yaml": b"a: 1\n", "config/b.yaml": b"b: 1\n"}, date=january
    )
    project = await service.synced("acme/bench")
    second = repository.commit({"config/b.yaml": b"b: 2\n"}, date=february)
    await service.sync(project["id"])
    rows = await service.files(project["id"])
    seen = {path: (row["commit_sha"], row["last_modified"]) for path, row in rows.items()}
    assert seen == {
        "config/a.yaml": (first, "2026-01-01T00:00:00Z"),
        "config/b.yaml": (second, "2026-02-01T00:00:00Z"),
    }


NAMES = [
    "config/A.yaml",
    "config/a(1).yaml",
    "config/vllm/b.json",
    "config/ü.yml",
    "job/a.yaml",
    "job/x/B.YML",
]


@pytest_asyncio.fixture(scope="module", loop_scope="session")
async def filtered(module_service: Service) -> Json:
    """A project with these originals."""
    module_service.repository("acme/filtered", dict.fromkeys(NAMES, b"{}"))
    return await module_service.synced("acme/filtered")


@pytest.mark.parametrize(
    ("params", "found"),
    [
        ({}, NAMES),
        ({"file_type": "job"}, ["job/a.yaml", "job/x/B.YML"]),
        ({"file_type": "config"}, NAMES[:4]),
        ({"q": "VLLM/"}, ["config/vllm/b.json"]),
        ({"q": "/a"}, ["config/A.yaml", "config/a(1).yaml", "job/a.yaml"]),
        ({"q": "/a", "file_type": "job"}, ["job/a.yaml"]),
        ({"q": "a(1)"}, ["config/a(1).yaml"]),
        ({"q": "Ü"}, ["config/ü.yml"]),
        ({"q": "^config"}, []),
        ({"q": ".*"}, []),
        ({"q": "a.yaml$"}, []),
        ({"q": "["}, []),
        ({"q": "nothing"}, []),
        ({"q": "config a"}, []),
        ({"q": ""}, NAMES),
    ],
    ids=lambda value: str(value) if isinstance(value, dict) else f"{len(value)} found",
)
async def test_the_list_is_filtered_by_type_and_path(
    module_service: Service, filtered: Json, params: dict[str, str], found: list[str]
) -> None:
    assert await listed(module_service, filtered, **params) == found


async def test_contents_come_with_a_list_on_demand(
    service: Service, files: dict[str, bytes]
) -> None:
    service.repository("acme/bench", files)
    project = await service.synced("acme/bench")
    rows = await service.files(project["id"], include="content")
    assert {path: row["content"].encode() for path, row in rows.items()} == files
    assert all(row.keys() == MEMBERS | {"content"} for row in rows.values())
    job = await service.files(project["id"], include="content", file_type="job", q="run")
    assert list(job) == ["job/run.yaml"]


async def test_a_removed_original_is_listed_on_demand_while_a_variant_refers_to_it(
    service: Service, files: dict[str, bytes]
) -> None:
    repository = service.repository("acme/bench", files)
    project = await service.synced("acme/bench")
    originals = await service.files(project["id"])
    used, unused = originals["config/a.yaml"], originals["job/run.yaml"]
    variant = await service.variant(project["id"], used, content="model: mine\n")
    repository.commit({"config/a.yaml": None, "job/run.yaml": None})
    await service.sync(project["id"])
    assert await listed(service, project) == ["config/deep/b.json"]
    assert await listed(service, project, include_removed="true") == [
        "config/a.yaml",
        "config/deep/b.json",
    ]
    row = await service.get(f"/projects/{project['id']}/files/{used['id']}")
    assert row["removed_at"] is not None
    assert row["content"].encode() == files["config/a.yaml"]
    assert await service.raw(project["id"], used["id"]) == files["config/a.yaml"]
    gone = await service.http.get(f"/projects/{project['id']}/files/{unused['id']}")
    assert_problem(gone, 404, "file_not_found")
    assert (await service.http.delete(f"/modified-files/{variant['id']}")).status_code == 204
    await service.services.trash.purge(datetime.now(UTC) + timedelta(days=31))
    gone = await service.http.get(f"/projects/{project['id']}/files/{used['id']}")
    assert_problem(gone, 404, "file_not_found")
    assert await listed(service, project, include_removed="true") == ["config/deep/b.json"]


async def test_variants_are_counted(service: Service, files: dict[str, bytes]) -> None:
    service.repository("acme/bench", files)
    project = await service.synced("acme/bench")
    file = (await service.files(project["id"]))["config/a.yaml"]
    variant = await service.variant(project["id"], file)
    await service.variant(project["id"], file, modified_name="b.yaml")

    async def counts() -> list[int]:
        row = await service.get(f"/projects/{project['id']}/files/{file['id']}")
        rows = await service.files(project["id"])
        return [row["modified_files_count"], rows["config/a.yaml"]["modified_files_count"]]

    assert await counts() == [2, 2]
    await service.http.delete(f"/modified-files/{variant['id']}")
    assert await counts() == [1, 1]
    await service.http.delete(f"/projects/{project['id']}/modified-files")
    assert await counts() == [0, 0]


async def test_what_does_not_parse_is_an_original_with_its_problems(service: Service) -> None:
    contents = {
        "config/broken.json": b'{"a": }',
        "config/broken.yaml": b"a: 1\n b: 2\n",
        "config/double.yaml": b"a: 1\na: 2\n",
        "config/template.yaml": b"a: {{ value }}\n{% if x %}\n",
        "config/empty.yaml": b"",
    }
    service.repository("acme/bench", contents)
    project = await service.synced("acme/bench")
    rows = await service.files(project["id"], include="content")
    assert {path: row["content"].encode() for path, row in rows.items()} == contents
    verdicts = {path.split("/")[1]: row["validity"] for path, row in rows.items()}
    assert (
        verdicts["broken.json"] == verdicts["broken.yaml"] == verdicts["double.yaml"] == "invalid"
    )
    assert verdicts["template.yaml"] == "template"
    [problem] = [p for p in rows["config/double.yaml"]["problems"] if p["code"] == "duplicate_key"]
    assert (problem["severity"], problem["line"], problem["column"]) == ("error", 2, 1)
    members = {"severity", "code", "message", "line", "column"}
    problems = [problem for row in rows.values() for problem in row["problems"]]
    assert [problem for problem in problems if problem.keys() != members] == []


async def test_what_is_skipped_is_no_original(service: Service) -> None:
    files: dict[str, bytes | Entry] = {
        "config/a.yaml": b"a: 1\n",
        "config/binary.yaml": b"a\0b",
        "config/latin.yaml": b"\xe4",
        "config/link.yaml": Entry.symlink("a.yaml"),
        "config/notes.txt": b"x",
        "elsewhere/b.yaml": b"b: 1\n",
    }
    service.repository("acme/bench", files)
    project = await service.synced("acme/bench")
    assert await listed(service, project) == ["config/a.yaml"]


@pytest_asyncio.fixture(scope="module", loop_scope="session")
async def original(module_service: Service, filtered: Json) -> Json:
    return (await module_service.files(filtered["id"]))["config/A.yaml"]


@pytest.mark.parametrize("method", ["PUT", "PATCH", "POST", "DELETE"])
@pytest.mark.parametrize("rest", ["/{id}", "/{id}/raw", ""])
async def test_an_original_cannot_be_edited(
    module_service: Service, original: Json, method: str, rest: str
) -> None:
    path = f"/projects/{original['project_id']}/files{rest.format_map(original)}"
    answer = await module_service.http.request(method, path, json={"content": "mine"})
    assert_problem(answer, 405, "method_not_allowed")
    assert await module_service.raw(original["project_id"], original["id"]) == b"{}"


async def test_no_verb_of_a_variant_touches_an_original(
    service: Service, files: dict[str, bytes]
) -> None:
    service.repository("acme/bench", files)
    project = await service.synced("acme/bench")
    before = await service.files(project["id"], include="content")
    variant = await service.variant(project["id"], before["config/a.yaml"], content="model: mine\n")
    await service.variant(project["id"], before["job/run.yaml"])
    await service.put(
        f"/modified-files/{variant['id']}", {"content": "model: other\n", "modified_name": "c.yaml"}
    )
    await service.http.delete(f"/modified-files/{variant['id']}")
    await service.http.delete(f"/projects/{project['id']}/modified-files")
    await service.services.housekeeping.run()
    assert await service.files(project["id"], include="content") == before
