"""The main journeys on the embedded database, which runs when no MONGO_URL is set."""

import asyncio

from support.problems import assert_problem, fields_at_fault
from support.service import Service


async def test_a_repository_becomes_files_and_variants(
    embedded_service: Service, files: dict[str, bytes]
) -> None:
    service = embedded_service
    service.repository("acme/bench", files)
    project = await service.synced("acme/bench")
    assert project["sync_status"] == "ok"
    assert (project["stats"]["config_files"], project["stats"]["job_files"]) == (2, 1)
    originals = await service.files(project["id"], include="content")
    assert {path: row["content"].encode() for path, row in originals.items()} == files
    variant = await service.variant(
        project["id"], originals["config/a.yaml"], modified_name="ü.yaml"
    )
    path = f"/modified-files/{variant['id']}"
    changed = await service.put(path, {"content": "model: größer\r\n", "description": "why"})
    assert (changed["revision"], changed["path"]) == (2, "config/ü.yaml")
    assert (await service.http.get(f"{path}/raw")).content == "model: größer\r\n".encode()
    assert await service.get(path) == changed
    reset = await service.http.delete(f"/projects/{project['id']}/modified-files")
    assert reset.json()["deleted_count"] == 1
    assert_problem(await service.http.get(path), 404, "modified_file_not_found")


async def test_an_upstream_change_becomes_drift(
    embedded_service: Service, files: dict[str, bytes]
) -> None:
    service = embedded_service
    repository = service.repository("acme/bench", files)
    project = await service.synced("acme/bench")
    originals = await service.files(project["id"])
    edited = await service.variant(
        project["id"], originals["config/a.yaml"], content="model: mine\n"
    )
    kept = await service.variant(project["id"], originals["job/run.yaml"])
    seen = (await service.http.get(f"/modified-files/{edited['id']}")).headers["etag"]
    repository.commit(
        {"config/a.yaml": b"model: theirs\n", "job/run.yaml": None, "config/new.yaml": b"x: 1\n"}
    )
    sync = await service.sync(project["id"])
    assert (sync["added"], sync["updated"], sync["removed"]) == (1, 1, 1)
    drifts = [(await service.get(f"/modified-files/{v['id']}"))["drift"] for v in (edited, kept)]
    assert drifts[0] in {"behind", "conflict"}
    assert drifts[1] == "upstream_removed"
    answer = await service.http.put(
        f"/modified-files/{edited['id']}", json={"description": "mine"}, headers={"If-Match": seen}
    )
    assert answer.status_code == 200
    stats = (await service.get(f"/projects/{project['id']}"))["stats"]
    assert (stats["original_files"], stats["removed_files"], stats["modified_files"]) == (3, 1, 2)


async def test_lists_are_paged_and_searched(embedded_service: Service) -> None:
    service = embedded_service
    service.repository("acme/bench", {f"config/{n:02}[x].yaml": b"a: 1\n" for n in range(25)})
    project = await service.synced("acme/bench")
    path = f"/projects/{project['id']}/files"
    assert list(await service.files(project["id"], limit=4)) == [
        f"config/{n:02}[x].yaml" for n in range(25)
    ]
    answer = await service.http.get(path, params={"q": "1[X]", "limit": 2})
    assert [row["name"] for row in answer.json()] == ["01[x].yaml", "11[x].yaml"]
    assert answer.headers["x-total-count"] == "3"
    assert fields_at_fault(
        await service.http.get(path, params={"cursor": "x"}), "invalid_cursor"
    ) == {"cursor"}
    assert fields_at_fault(await service.http.get(path, params={"q": "\0"})) == {"q"}
    for name in ("Beta", "alpha", "BETA 2"):
        await service.project("acme/bench", name=name)
    assert [row["name"] for row in await service.rows("/projects", q="beta")] == ["Beta", "BETA 2"]


async def test_names_are_taken_once(embedded_service: Service, files: dict[str, bytes]) -> None:
    service = embedded_service
    service.repository("acme/bench", files)
    project = await service.synced("acme/bench", name="Nightly")
    original = (await service.files(project["id"]))["config/a.yaml"]
    bodies = [
        {"name": name, "github_repo_url": "acme/bench"}
        for name in ("NIGHTLY", "other", "Other", "OTHER")
    ]
    answers = await asyncio.gather(*(service.http.post("/projects", json=body) for body in bodies))
    assert sorted(answer.status_code for answer in answers) == [201, 409, 409, 409]
    body = {"original_file_id": original["id"], "modified_name": "b.yaml"}
    path = f"/projects/{project['id']}/modified-files"
    answers = await asyncio.gather(*(service.http.post(path, json=body) for _ in range(6)))
    assert sorted(answer.status_code for answer in answers) == [201] + [409] * 5
    refused = [answer for answer in answers if answer.status_code == 409]
    codes = [assert_problem(answer, 409, "name_taken")["code"] for answer in refused]
    assert codes == ["name_taken"] * 5


async def test_of_writers_at_once_no_field_is_lost(
    embedded_service: Service, files: dict[str, bytes]
) -> None:
    service = embedded_service
    service.repository("acme/bench", files)
    project = await service.synced("acme/bench")
    variant = await service.variant(
        project["id"], (await service.files(project["id"]))["config/a.yaml"]
    )
    path = f"/modified-files/{variant['id']}"
    bodies = [{"modified_name": "z.yaml"}, {"content": "z: 1\n"}, {"description": "z"}]
    answers = await asyncio.gather(*(service.http.put(path, json=body) for body in bodies))
    assert [answer.status_code for answer in answers] == [200, 200, 200]
    stored = await service.get(path)
    assert stored.items() >= {**bodies[0], **bodies[1], **bodies[2], "revision": 4}.items()


async def test_a_deleted_project_leaves_nothing_and_the_status_adds_up(
    embedded_service: Service, files: dict[str, bytes]
) -> None:
    service = embedded_service
    service.repository("acme/bench", files)
    gone, kept = (
        await service.synced("acme/bench", name="a"),
        await service.synced("acme/bench", name="b"),
    )
    original = (await service.files(gone["id"]))["config/a.yaml"]
    variant = await service.variant(gone["id"], original)
    assert (await service.http.delete(f"/projects/{gone['id']}")).status_code == 204
    assert_problem(
        await service.http.get(f"/modified-files/{variant['id']}"), 404, "modified_file_not_found"
    )
    status = await service.get("/status")
    assert (status["total_projects"], status["total_files"], status["database"]["kind"]) == (
        1,
        3,
        "embedded",
    )
    await service.services.housekeeping.run()
    assert await service.files(kept["id"], include="content")
    assert (await service.get("/status"))["total_files"] == 3
    assert (await service.http.get("/health")).status_code == 200
