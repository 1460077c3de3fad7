"""Pages of other sites cannot make a visitor's browser change anything."""

from pathlib import Path

import pytest

from github_test_server import GitHubTestServer
from support.problems import assert_problem
from support.service import Service, running_service

PATHS = ["/sync", "/pause", "/resume"]


async def test_a_request_without_a_body_from_another_site_is_refused_and_changes_nothing(service: Service) -> None:
    service.repository("acme/b", {"config/a.yaml": b"a: 1\n"})
    project = await service.project("acme/b")
    foreign = {"Sec-Fetch-Site": "cross-site", "Origin": "https://elsewhere.example"}
    for path in (*(f"/projects/{project['id']}{path}" for path in PATHS), "/projects/sync-all", "/nowhere"):
        assert_problem(await service.http.post(path, headers=foreign), 403, "cross_site")
    deletion = await service.http.delete(f"/projects/{project['id']}", headers=foreign)
    assert_problem(deletion, 403, "cross_site")
    assert await service.get(f"/projects/{project['id']}") == project


@pytest.mark.parametrize("site", ["same-origin", "same-site", "none", None])
async def test_our_own_pages_and_programs_are_served(service: Service, site: str | None) -> None:
    service.repository("acme/b", {"config/a.yaml": b"a: 1\n"})
    project = await service.project("acme/b")
    headers = {} if site is None else {"Sec-Fetch-Site": site}
    assert (await service.http.post(f"/projects/{project['id']}/sync", headers=headers)).status_code == 200


async def test_reading_is_not_refused(service: Service) -> None:
    assert (await service.http.get("/projects", headers={"Sec-Fetch-Site": "cross-site"})).status_code == 200


async def test_sites_which_are_allowed_may_ask(database_url: str, github: GitHubTestServer, tmp_path: Path) -> None:
    origin = "https://dashboard.example"
    async with running_service(database_url, github, tmp_path, cors_origins=origin) as service:
        headers = {"Sec-Fetch-Site": "cross-site", "Origin": origin}
        assert (await service.http.post("/projects/sync-all", headers=headers)).status_code == 202
        other = {**headers, "Origin": "https://elsewhere.example"}
        assert_problem(await service.http.post("/projects/sync-all", headers=other), 403, "cross_site")
