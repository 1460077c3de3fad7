"""What belongs to a project: folders and patterns; what does not is listed with its reason."""

from typing import Any

import pytest

from github_test_server import Entry, Status
from support.routes import forget_listings
from support.service import Json, Service

FILES: dict[str, bytes] = {
    "config/serving/a.yaml": b"a: 1\n",
    "config/serving/b.yaml": b"b: 1\n",
    "config/archive/old.yaml": b"old: 1\n",
    "config/top.json": b"{}\n",
    "job/run.yaml": b"kind: Job\n",
    "job/run.json": b'{"kind": "Job"}\n',
}


async def paths(service: Service, project: Json) -> set[str]:
    return set(await service.files(project["id"]))


def skipped(sync: Json) -> dict[str, str]:
    return {row["path"]: row["reason"] for row in sync["skipped"]}


async def test_json_in_the_job_folder_is_listed(shared: Service) -> None:
    shared.repository("acme/b", FILES)
    project = await shared.project("acme/b")
    assert skipped(await shared.sync(project["id"])) == {"job/run.json": "not_yaml"}


@pytest.mark.parametrize(
    ("patterns", "left"),
    [
        (
            {"include": ["config/serving/*.yaml"]},
            {"config/serving/a.yaml", "config/serving/b.yaml"},
        ),
        ({"exclude": ["archive/"]}, set(FILES) - {"config/archive/old.yaml", "job/run.json"}),
        ({"include": ["config", "job"], "exclude": ["b.yaml", "*.json"]},
         {"config/serving/a.yaml", "config/archive/old.yaml", "job/run.yaml"}),
        ({"include": ["nothing"]}, set()),
    ],
)  # fmt: skip
@pytest.mark.parametrize("token", [None, "reader"])
async def test_patterns_narrow_both_folders(
    shared: Service, patterns: dict[str, list[str]], left: set[str], token: str | None
) -> None:
    shared.repository("acme/b", FILES, private_to=token and [token])
    project = await shared.synced("acme/b", github_token=token, **patterns)
    assert await paths(shared, project) == left
    assert {name: project[name] for name in ("include", "exclude")} == {
        "include": [],
        "exclude": [],
        **patterns,
    }


@pytest.mark.parametrize("token", [None, "reader"])
async def test_changed_patterns_count_although_the_repository_did_not_change(
    shared: Service, token: str | None
) -> None:
    shared.repository("acme/b", FILES, private_to=token and [token])
    project = await shared.synced("acme/b", github_token=token)
    file = (await shared.files(project["id"]))["config/archive/old.yaml"]
    variant = await shared.variant(project["id"], file)
    changed = await shared.put(f"/projects/{project['id']}", {"exclude": ["archive/", "*.json"]})
    assert changed["next_poll_at"] is not None
    sync = await shared.sync(project["id"])
    assert (sync["removed"], skipped(sync)) == (2, {})
    assert (await shared.get(f"/modified-files/{variant['id']}"))["drift"] == "upstream_removed"
    await shared.put(f"/projects/{project['id']}", {"exclude": []})
    assert (await shared.sync(project["id"]))["added"] == 2
    assert (await shared.get(f"/modified-files/{variant['id']}"))["drift"] == "current"
    assert (await shared.sync(project["id"]))["status"] == "unchanged"


@pytest.mark.parametrize("field", ["include", "exclude"])
@pytest.mark.parametrize(
    ("patterns", "code"),
    [
        (["!a"], "invalid_pattern"),
        (["[a"], "invalid_pattern"),
        (["a" * 257], "invalid_pattern"),
        (["a"] * 51, "invalid_request"),
        ("a", "invalid_request"),
        ([1], "invalid_request"),
    ],
)
async def test_a_wrong_pattern_is_refused_with_its_field(
    module_service: Service, field: str, patterns: Any, code: str
) -> None:
    problem = await module_service.post(
        "/projects", {"name": "x", "github_repo_url": "acme/b", field: patterns}, 422
    )
    assert problem["code"] == code
    assert problem["errors"][0]["field"].startswith(field)


async def test_a_pattern_that_is_no_text_is_refused(module_service: Service) -> None:
    body = b'{"name": "x", "github_repo_url": "acme/b", "include": ["\\ud800"]}'
    answer = await module_service.http.post(
        "/projects", content=body, headers={"Content-Type": "application/json"}
    )
    assert (answer.status_code, answer.json()["code"]) == (422, "invalid_request")


LINKED: dict[str, bytes | Entry] = {
    "config": Entry.symlink("settings"),
    "above": Entry.symlink("deep/er"),
    "deep/er/config/b.yaml": b"b: 1\n",
    "settings/a.yaml": b"a: 1\n",
    "job/j.yaml": b"kind: Job\n",
    "outside": Entry.symlink("../../etc"),
    "module": Entry.submodule("1" * 40),
}
CASES = [
    ("config", "folder_is_symlink", "'settings' (set the folder to 'settings')"),
    ("outside", "folder_is_symlink", "'../../etc';"),
    ("module", "folder_is_submodule", "111111111111"),
    ("module/config", "folder_is_submodule", "'module', above the folder 'module/config'"),
    ("job/j.yaml", "folder_not_found", "'job/j.yaml'"),
    ("nowhere", "folder_not_found", "'nowhere'"),
    ("above/config", "folder_is_symlink", "'deep/er' (set the folder to 'deep/er/config')"),
]


@pytest.mark.parametrize("way", ["archive", "listing", "GraphQL", "folder by folder"])
async def test_a_folder_that_is_a_link_or_a_submodule_is_called_so(
    shared: Service, way: str
) -> None:
    token = "reader" if way == "GraphQL" else None
    if way == "folder by folder":
        shared.github.tree_limits.recursive_entries = 1
    if way in {"listing", "folder by folder"}:
        shared.github.faults.add(Status(404), path="/tarball/", times=None)
    shared.repository("acme/b", LINKED, private_to=token and [token])
    shared.github.limits.set(token, limit=10**6, remaining=10**6)
    folders = [*(folder for folder, *_ in CASES), "job"]
    warnings = []
    # Two of them a project, whose warnings are sorted by folder; of the last project one.
    for config, job in zip(folders[::2], folders[1::2], strict=True):
        project = await shared.project(
            "acme/b", name=config, config_folder=config, job_folder=job, github_token=token
        )
        forget_listings(shared)
        warnings += (await shared.sync(project["id"]))["warnings"]
    assert [
        (folder, warning)
        for (folder, code, said), warning in zip(CASES, warnings, strict=True)
        if warning["code"] != code or said not in warning["detail"]
    ] == []


@pytest.mark.parametrize("token", [None, "reader"])
async def test_a_missing_folder_that_becomes_a_link_is_called_so(
    shared: Service, token: str | None
) -> None:
    repository = shared.repository(
        "acme/b", {"job/j.yaml": b"kind: Job\n"}, private_to=token and [token]
    )
    project = await shared.synced("acme/b", github_token=token)
    repository.commit({"config": Entry.symlink("job")})
    shared.github.requests.reset()
    sync = await shared.sync(project["id"])
    assert [warning["code"] for warning in sync["warnings"]] == ["folder_is_symlink"]
    assert len(shared.github.requests) <= 3
    assert (await shared.sync(project["id"]))["warnings"] == sync["warnings"]


async def test_links_and_submodules_inside_are_listed(shared: Service) -> None:
    inside: dict[str, bytes | Entry] = {
        "config/link.yaml": Entry.symlink("../a.yaml"),
        "config/folder": Entry.symlink("../settings"),
        "config/README.md": Entry.symlink("../README.md"),
        "config/module": Entry.submodule("1" * 40),
        "elsewhere": Entry.symlink("settings"),
    }
    shared.repository("acme/b", inside)
    project = await shared.project("acme/b")
    assert skipped(await shared.sync(project["id"])) == {
        "config/link.yaml": "symlink",
        "config/folder": "symlink",
        "config/module": "submodule",
    }
