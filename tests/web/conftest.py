"""A service with something on every page, and a browser without scripts."""

import pytest

from support.browser import Browser
from support.service import Json, Service
from support.site import HOSTILE, HOSTILE_NAME, Site


@pytest.fixture
def browser(service: Service) -> Browser:
    return Browser(service.http)


@pytest.fixture
async def site(service: Service, browser: Browser) -> Site:
    service.repository("acme/bench", HOSTILE)
    project = await service.synced("acme/bench", name=HOSTILE_NAME, config_folder="config", job_folder="job")
    files = await service.files(project["id"])
    modified = await _variant(service, project, files["config/closing.yaml"])
    [sync] = await service.rows(f"/projects/{project['id']}/syncs")
    return Site(
        service,
        browser,
        project["id"],
        {path: file["id"] for path, file in files.items()},
        modified["id"],
        sync["id"],
    )


async def _variant(service: Service, project: Json, file: Json) -> Json:
    description = "</textarea><img src=x onerror=alert(3)>"
    return await service.variant(project["id"], file, modified_name="<i>.yaml", description=description)
