"""Refused changes, as maintainers of their projects find them on record."""

from support.guarded import GuardedService
from support.problems import assert_problem


async def test_a_refused_change_of_a_variant_is_on_record_in_its_project(
    guarded: GuardedService,
) -> None:
    admin = guarded.admin
    guarded.service.repository("acme/own", {"config/a.yaml": b"a: 1\n"})
    body = {"name": "own", "github_repo_url": "acme/own", "polling_interval": 0}
    project = (await admin.post("/projects", body))["id"]
    await admin.ask("POST", f"/projects/{project}/sync", 200)
    [file] = await admin.get(f"/projects/{project}/files")
    variant = await admin.post(
        f"/projects/{project}/modified-files",
        {"original_file_id": file["id"], "modified_name": "b.yaml"},
    )
    kim = await guarded.person("kim", "none", grants={project: "reader"})
    refused = await kim.ask("DELETE", f"/modified-files/{variant['id']}")
    assert_problem(refused, 403, "forbidden")
    [record] = await admin.get("/audit", outcome="refused", project_id=project)
    assert record["object"]["id"] == variant["id"]
