"""A service with something on every page, and a browser without scripts."""

import pytest

from support.browser import Browser
from support.service import Json, Service
from support.site import HOSTILE, HOSTILE_NAME, MOVED, VARIANTS, Site


@pytest.fixture
def browser(service: Service) -> Browser:
    return Browser(service.http)


@pytest.fixture
async def site(service: Service, browser: Browser) -> Site:
    repository = service.repository("acme/bench", HOSTILE)
    project = await service.synced("acme/bench", name=HOSTILE_NAME, config_folder="config", job_folder="job")
    files = await service.files(project["id"])
    modified = await _variant(service, project, files["config/closing.yaml"])
    deleted = await service.variant(project["id"], files["config/a.yaml"], modified_name="<u>.yaml")
    assert (await service.http.delete(f"/modified-files/{deleted['id']}")).status_code == 204
    moved = {drift: await _changed(service, project, files[path], drift) for drift, (path, _) in VARIANTS.items()}
    repository.commit(MOVED, message="second")
    await service.sync(project["id"])
    [sync, _] = await service.rows(f"/projects/{project['id']}/syncs")
    return Site(
        service,
        browser,
        project["id"],
        {path: file["id"] for path, file in files.items()},
        modified["id"],
        sync["id"],
        deleted["id"],
        moved,
        await _releases(service, project, modified),
    )


async def _releases(service: Service, project: Json, modified: Json) -> tuple[str, str]:
    """One of the originals and one of all, the first made twice; between them files are changed and added."""
    path = f"/projects/{project['id']}/releases"
    fields = {"name": HOSTILE_NAME, "description": "</textarea><img src=x onerror=alert(4)>", "include": "originals"}
    first = await service.post(path, fields, 201)
    await service.post(path, {"name": "again", "include": "originals", "pinned": True}, 200)
    await service.put(f"/modified-files/{modified['id']}", {"content": "a: '</script><i>'\nc: 1\n"})
    original = (await service.files(project["id"]))["config/a.yaml"]
    replaced = await service.variant(project["id"], original, content="model: '</code><script>alert(5)</script>'\n")
    second = await service.post(path, {}, 201)
    answer = await service.http.delete(f"/modified-files/{replaced['id']}", headers={"If-Match": "*"})
    assert answer.status_code == 204, answer.text
    return first["digest"], second["digest"]


async def _variant(service: Service, project: Json, file: Json) -> Json:
    description = "</textarea><img src=x onerror=alert(3)>"
    return await service.variant(project["id"], file, modified_name="<i>.yaml", description=description)


async def _changed(service: Service, project: Json, file: Json, drift: str) -> str:
    """A variant for which its original's move is this drift."""
    variant = await service.post(
        f"/projects/{project['id']}/modified-files?allow_invalid=true",
        {"original_file_id": file["id"], "modified_name": f"{drift}.yaml", "content": VARIANTS[drift][1]},
        201,
    )
    made: str = variant["id"]
    return made
