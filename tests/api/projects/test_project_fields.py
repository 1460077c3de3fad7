"""What the fields of a project may hold, and what they become."""

from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest

from benchmark_manager.api.projects.shapes import ProjectCreate
from github_test_server import GitHubTestServer
from support.problems import assert_problem, fields_at_fault
from support.service import Json, Service, running_service

PUBLIC, ENTERPRISE = "https://api.github.com", "https://ghe.example.com/api/v3"
ADDRESS = f"{PUBLIC}/repos/acme/bench"


@pytest.fixture
async def real_addresses(
    database_url: str, github: GitHubTestServer, tmp_path: Path
) -> AsyncIterator[Service]:
    """A service which may talk to github.com and an Enterprise Server; nothing here ever does."""
    settings: Json = {
        "github_api_urls": (PUBLIC, ENTERPRISE),
        "default_config_folder": "conf",
        "default_job_folder": "jobs",
        "default_polling_interval": 60,
    }
    async with running_service(database_url, github, tmp_path, **settings) as running:
        yield running


async def create(service: Service, address: str, **fields: Any) -> Json:
    name = f"project {len(await service.rows('/projects'))}"
    return await service.post(
        "/projects", {"name": name, "github_repo_url": address, **fields}, 201
    )


async def refusal(service: Service, **fields: Any) -> str:
    """The code with which a creation is refused; the field at fault must be named."""
    body = {"name": "refused", "github_repo_url": "acme/bench", **fields}
    answer = await service.http.post("/projects", json=body)
    assert answer.status_code == 422, (fields, answer.text)
    code: str = answer.json()["code"]
    assert fields_at_fault(answer, code) == set(fields)
    return code


async def test_every_form_of_an_address_becomes_the_api_s(real_addresses: Service) -> None:
    enterprise = f"{ENTERPRISE}/repos/acme/bench"
    forms = {
        "https://api.github.com/repos/acme/bench": (ADDRESS, None),
        "https://api.github.com/repos/acme/bench/": (ADDRESS, None),
        "HTTPS://API.GitHub.com/repos/acme/bench": (ADDRESS, None),
        "https://github.com/acme/bench": (ADDRESS, None),
        "https://github.com/acme/bench.git": (ADDRESS, None),
        "https://github.com/acme/bench/": (ADDRESS, None),
        " https://github.com/acme/bench ": (ADDRESS, None),
        "git@github.com:acme/bench.git": (ADDRESS, None),
        "git@github.com:acme/bench": (ADDRESS, None),
        "acme/bench": (ADDRESS, None),
        "acme/.github": (f"{PUBLIC}/repos/acme/.github", None),
        "https://ghe.example.com/api/v3/repos/acme/bench": (enterprise, None),
        "ghe.example.com/acme/bench": (enterprise, None),
        "www.github.com/acme/bench": (ADDRESS, None),
        "ssh://git@ssh.github.com:443/acme/bench.git": (ADDRESS, None),
        "git@ghe.example.com:acme/bench.git": (enterprise, None),
    }
    for form, (expected, branch) in forms.items():
        project = await create(real_addresses, form)
        assert (project["github_repo_url"], project["branch"]) == (expected, branch), form
        web = "https://github.com" if expected.startswith(PUBLIC) else "https://ghe.example.com"
        assert project["github_web_url"] == f"{web}/{'/'.join(expected.split('/')[-2:])}"


async def test_a_base_which_is_not_listed_is_refused(real_addresses: Service) -> None:
    for address in (
        "https://gitlab.com/acme/bench",
        "https://api.github.com.evil.example/repos/acme/bench",
        "https://evil.example/repos/acme/bench",
        "https://evil.example/https://api.github.com/repos/acme/bench",
        "http://api.github.com/repos/acme/bench",
        "http://169.254.169.254/acme/bench",
        "http://localhost:27017/acme/bench",
        "git@evil.example:acme/bench.git",
        "https://ghe.example.com/api/v4/repos/acme/bench",
    ):
        assert await refusal(real_addresses, github_repo_url=address) == "github_url_not_allowed", (
            address
        )
    assert await real_addresses.rows("/projects") == []


async def test_what_is_no_address_is_refused(real_addresses: Service) -> None:
    for address in (
        *(
            "",
            " ",
            "acme",
            "acme/",
            "/bench",
            "acme/bench/x",
            "acme/..",
            "../bench",
            "a b/c",
            "acme/b?x",
            "-a/b",
        ),
        *(
            "ftp://github.com/acme/bench",
            "https://github.com/acme",
            "https://github.com/acme/bench/blob",
        ),
        *(
            "https://github.com",
            "https://[::1",
            "https://github.com/acme/%2e%2e",
            "javascript://github.com/a/b",
        ),
        *(
            "acme/bench\n",
            "https://api.github.com/repos/acme/bench/contents/x",
            "ssh://github.com/acme/bench",
        ),
    ):
        if address.strip() != address and address.strip():
            continue
        assert await refusal(real_addresses, github_repo_url=address) == "invalid_github_url", (
            address
        )


async def test_an_address_with_a_user_or_token_is_refused_without_repeating_it(
    real_addresses: Service,
) -> None:
    for address in (
        "https://ghp_secret@github.com/acme/bench",
        "https://me:ghp_secret@api.github.com/repos/acme/bench",
    ):
        answer = await real_addresses.http.post(
            "/projects", json={"name": "x", "github_repo_url": address}
        )
        assert_problem(answer, 422, "invalid_github_url")
        assert "ghp_secret" not in answer.text


async def test_a_branch_which_is_given_goes_before_the_address_s(real_addresses: Service) -> None:
    project = await create(real_addresses, "https://github.com/acme/bench/tree/main", branch="dev")
    assert (project["branch"], project["resolved_branch"]) == ("dev", "dev")
    changed = await real_addresses.put(f"/projects/{project['id']}", {"branch": None})
    assert (changed["branch"], changed["resolved_branch"]) == (None, None)


async def test_a_branch_is_what_git_accepts(real_addresses: Service) -> None:
    for branch in ("main", "feature/tp-8", "käse", "v1.0", "a" * 255, "#1"):
        assert (await create(real_addresses, "acme/bench", branch=branch))["branch"] == branch
    for branch in (
        "",
        " ",
        "a b",
        "a..b",
        "/a",
        "a/",
        "a//b",
        ".a",
        "a.lock",
        "-a",
        "@",
        "a~1",
        "a:b",
        "a\x7f",
        "ä" * 128,
    ):
        assert await refusal(real_addresses, branch=branch) == "invalid_branch", branch


async def test_a_folder_is_a_path_inside_the_repository(real_addresses: Service) -> None:
    forms = {
        "bench": "bench",
        "/bench/": "bench",
        "//a/b//": "a/b",
        "a b/ü": "a b/ü",
        "...": "...",
        "": "",
        ".": "",
        "/": "",
        "/./": "",
    }
    for form, expected in forms.items():
        project = await create(real_addresses, "acme/bench", config_folder=form, job_folder=form)
        assert (project["config_folder"], project["job_folder"]) == (expected, expected), form
    for folder in (
        "..",
        "../x",
        "a/../b",
        "a/..",
        "a\\b",
        "a\tb",
        "a\x00",
        "a\x85b",
        "a//b",
        "a/./b",
        "x" * 1025,
    ):
        assert await refusal(real_addresses, config_folder=folder) == "invalid_folder", folder
        assert await refusal(real_addresses, job_folder=folder) == "invalid_folder", folder


async def test_a_polling_interval_is_0_or_10_seconds_to_a_week(real_addresses: Service) -> None:
    project = await create(real_addresses, "acme/bench")
    for interval in (0, 10, 11, 604_800):
        made = await create(real_addresses, "acme/bench", polling_interval=interval)
        assert made["polling_interval"] == interval
    for wrong in (9, 1, -1, -10, 604_801, 2**63, 10.5, "60", True, False, [60]):
        assert await refusal(real_addresses, polling_interval=wrong) == "invalid_request", wrong
        answer = await real_addresses.http.put(
            f"/projects/{project['id']}", json={"polling_interval": wrong}
        )
        assert fields_at_fault(answer) == {"polling_interval"}
    answer = await real_addresses.http.put(
        f"/projects/{project['id']}", json={"polling_interval": None}
    )
    assert fields_at_fault(answer) == {"polling_interval"}


async def test_what_a_project_does_not_say_comes_from_the_settings(real_addresses: Service) -> None:
    nulls = dict.fromkeys(
        ("github_token", "branch", "config_folder", "job_folder", "polling_interval")
    )
    for given in ({}, nulls):
        project = await create(real_addresses, "acme/bench", **given)
        assert (project["config_folder"], project["job_folder"]) == ("conf", "jobs")
        assert (project["polling_interval"], project["branch"], project["github_token_set"]) == (
            60,
            None,
            False,
        )


async def test_the_contract_s_defaults_hold_without_settings(service: Service) -> None:
    project = await service.post("/projects", {"name": "x", "github_repo_url": "acme/bench"}, 201)
    assert (project["config_folder"], project["job_folder"], project["polling_interval"]) == (
        "config",
        "job",
        180,
    )


async def test_a_name_has_1_to_200_characters(service: Service) -> None:
    for name in ("x", "x" * 200, "🚀" * 200, "Größe/ 1 <b>"):
        assert (await service.project("acme/bench", name=name))["name"] == name
    assert (await service.project("acme/bench", name="  spaces around "))["name"] == "spaces around"
    for wrong in ("", "   ", "x" * 201, None, 1, ["x"], "two\nlines", "bell\a"):
        assert await refusal(service, name=wrong) == "invalid_request", wrong
    project = (await service.rows("/projects"))[0]
    for wrong in ("", "x" * 201, None):
        assert fields_at_fault(
            await service.http.put(f"/projects/{project['id']}", json={"name": wrong})
        ) == {"name"}


async def test_a_token_is_printable_ascii(service: Service) -> None:
    for token in ("", " ", "two words", "ü", "line\n", "x" * 256, "\x00"):
        assert await refusal(service, github_token=token) == "invalid_token", token
    project = await service.project("acme/bench", github_token="x" * 255)
    assert project["github_token_set"] is True


async def test_a_token_is_removed_by_null_and_by_nothing_else(service: Service) -> None:
    project = await service.project("acme/bench", github_token="ghp_one")
    path = f"/projects/{project['id']}"
    assert (await service.put(path, {"name": "renamed"}))["github_token_set"] is True
    assert (await service.put(path, {"github_token": None}))["github_token_set"] is False
    assert (await service.put(path, {"github_token": "ghp_two"}))["github_token_set"] is True


async def test_the_required_fields_are_required(service: Service) -> None:
    assert fields_at_fault(await service.http.post("/projects", json={})) == {
        "name",
        "github_repo_url",
    }
    required = {name for name, info in ProjectCreate.model_fields.items() if info.is_required()}
    assert required == {"name", "github_repo_url"}


async def test_fields_of_the_answer_cannot_be_set(service: Service) -> None:
    project = await service.project("acme/bench")
    for name in (
        "id",
        "created_at",
        "sync_status",
        "github_token_set",
        "stats",
        "revision",
        "resolved_branch",
    ):
        assert fields_at_fault(
            await service.http.put(f"/projects/{project['id']}", json={name: None})
        ) == {name}


async def test_several_wrong_fields_are_told_at_once(service: Service) -> None:
    body = {"name": "", "github_repo_url": 5, "polling_interval": 3, "colour": "red"}
    assert fields_at_fault(await service.http.post("/projects", json=body)) == set(body)
