"""What the fields of a project may hold, and what they become."""

from collections.abc import AsyncIterator
from typing import Any

import pytest
import pytest_asyncio

from benchmark_manager.api.projects.shapes import ProjectCreate
from github_test_server import GitHubTestServer
from support.problems import ObservedAnswers, assert_problem, fields_at_fault
from support.reused_database import reused_database
from support.service import Json, Service, running_service
from support.unchanged_service import unchanged_service

PUBLIC, ENTERPRISE = "https://api.github.com", "https://ghe.example.com/api/v3"
ADDRESS = f"{PUBLIC}/repos/acme/bench"
ENTERPRISE_ADDRESS = f"{ENTERPRISE}/repos/acme/bench"


@pytest_asyncio.fixture(scope="module", loop_scope="session")
async def shared_real_addresses(
    mongod: str, shared_github: GitHubTestServer, tmp_path_factory: pytest.TempPathFactory
) -> AsyncIterator[Service]:
    folder = tmp_path_factory.mktemp("real-addresses")
    settings: Json = {
        "github_api_urls": (PUBLIC, ENTERPRISE),
        "default_config_folder": "conf",
        "default_job_folder": "jobs",
        "default_polling_interval": 60,
    }
    async with (
        reused_database(mongod) as url,
        running_service(url, shared_github, folder, **settings) as running,
    ):
        observed = ObservedAnswers()
        running.http.event_hooks = {"request": [], "response": [observed.note]}
        yield running
        assert observed.undocumented == []


@pytest.fixture
async def real_addresses(shared_real_addresses: Service) -> AsyncIterator[Service]:
    """A service which may talk to github.com and an Enterprise Server; nothing here ever does."""
    async with unchanged_service(shared_real_addresses) as running:
        yield running


@pytest_asyncio.fixture(scope="module", loop_scope="session")
async def unchanged_project(shared_service: Service) -> Json:
    """A project whose changes are all refused."""
    return await shared_service.project("acme/unchanged")


async def refused_change(service: Service, project: Json, **fields: Any) -> set[str]:
    """Return which fields the answer to a change names, which has to be refused."""
    return fields_at_fault(await service.http.put(f"/projects/{project['id']}", json=fields))


async def create(service: Service, address: str = "acme/bench", **fields: Any) -> Json:
    return await service.post(
        "/projects", {"name": "project", "github_repo_url": address, **fields}, 201
    )


async def refusal(service: Service, **fields: Any) -> str:
    """Return the code with which a creation is refused; the answer must name the field at fault."""
    body = {"name": "refused", "github_repo_url": "acme/bench", **fields}
    answer = await service.http.post("/projects", json=body)
    assert answer.status_code == 422, (fields, answer.text)
    code: str = answer.json()["code"]
    assert fields_at_fault(answer, code) == set(fields)
    return code


# Addresses


@pytest.mark.parametrize(
    ("form", "expected"),
    [
        ("https://api.github.com/repos/acme/bench", ADDRESS),
        ("https://api.github.com/repos/acme/bench/", ADDRESS),
        ("HTTPS://API.GitHub.com/repos/acme/bench", ADDRESS),
        ("https://github.com/acme/bench", ADDRESS),
        ("https://github.com/acme/bench.git", ADDRESS),
        ("https://github.com/acme/bench/", ADDRESS),
        (" https://github.com/acme/bench ", ADDRESS),
        ("git@github.com:acme/bench.git", ADDRESS),
        ("git@github.com:acme/bench", ADDRESS),
        ("acme/bench", ADDRESS),
        ("acme/bench\n", ADDRESS),
        ("acme/.github", f"{PUBLIC}/repos/acme/.github"),
        ("https://ghe.example.com/api/v3/repos/acme/bench", ENTERPRISE_ADDRESS),
        ("ghe.example.com/acme/bench", ENTERPRISE_ADDRESS),
        ("www.github.com/acme/bench", ADDRESS),
        ("ssh://git@ssh.github.com:443/acme/bench.git", ADDRESS),
        ("git@ghe.example.com:acme/bench.git", ENTERPRISE_ADDRESS),
    ],
)
async def test_every_form_of_an_address_becomes_the_api_s(
    real_addresses: Service, form: str, expected: str
) -> None:
    project = await create(real_addresses, form)
    assert (project["github_repo_url"], project["branch"]) == (expected, None)
    web = "https://github.com" if expected.startswith(PUBLIC) else "https://ghe.example.com"
    assert project["github_web_url"] == f"{web}/{'/'.join(expected.split('/')[-2:])}"


@pytest.mark.parametrize(
    "address",
    [
        "https://gitlab.com/acme/bench",
        "https://api.github.com.evil.example/repos/acme/bench",
        "https://evil.example/repos/acme/bench",
        "https://evil.example/https://api.github.com/repos/acme/bench",
        "http://api.github.com/repos/acme/bench",
        "http://169.254.169.254/acme/bench",
        "http://localhost:27017/acme/bench",
        "git@evil.example:acme/bench.git",
        "https://ghe.example.com/api/v4/repos/acme/bench",
    ],
)
async def test_a_base_which_is_not_listed_is_refused(
    shared_real_addresses: Service, address: str
) -> None:
    code = await refusal(shared_real_addresses, github_repo_url=address)
    assert code == "github_url_not_allowed"
    assert await shared_real_addresses.rows("/projects") == []


@pytest.mark.parametrize(
    "address",
    [
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
        "ftp://github.com/acme/bench",
        "https://github.com/acme",
        "https://github.com/acme/bench/blob",
        "https://github.com",
        "https://[::1",
        "https://github.com/acme/%2e%2e",
        "javascript://github.com/a/b",
        "https://api.github.com/repos/acme/bench/contents/x",
        "ssh://github.com/acme/bench",
    ],
)
async def test_what_is_no_address_is_refused(shared_real_addresses: Service, address: str) -> None:
    code = await refusal(shared_real_addresses, github_repo_url=address)
    assert code == "invalid_github_url"


@pytest.mark.parametrize(
    "address",
    [
        "https://ghp_secret@github.com/acme/bench",
        "https://me:ghp_secret@api.github.com/repos/acme/bench",
    ],
)
async def test_an_address_with_a_user_or_token_is_refused_without_repeating_it(
    shared_real_addresses: Service, address: str
) -> None:
    answer = await shared_real_addresses.http.post(
        "/projects", json={"name": "x", "github_repo_url": address}
    )
    assert_problem(answer, 422, "invalid_github_url")
    assert "ghp_secret" not in answer.text


# Branches and folders


async def test_a_branch_which_is_given_goes_before_the_address_s(real_addresses: Service) -> None:
    project = await create(real_addresses, "https://github.com/acme/bench/tree/main", branch="dev")
    assert (project["branch"], project["resolved_branch"]) == ("dev", "dev")
    changed = await real_addresses.put(f"/projects/{project['id']}", {"branch": None})
    assert (changed["branch"], changed["resolved_branch"]) == (None, None)


@pytest.mark.parametrize(
    "branch",
    [
        *("main", "feature/tp-8", "v1.0", "#1"),
        pytest.param("käse", id="not ASCII"),
        pytest.param("a" * 255, id="255 characters"),
    ],
)
async def test_a_branch_is_what_git_accepts(real_addresses: Service, branch: str) -> None:
    assert (await create(real_addresses, branch=branch))["branch"] == branch


@pytest.mark.parametrize(
    "branch",
    [
        *("", " ", "a b", "a..b", "/a", "a/", "a//b", ".a", "a.lock", "-a", "@", "a~1", "a:b"),
        pytest.param("a\x7f", id="a control character"),
        pytest.param("ä" * 128, id="256 bytes"),
    ],
)
async def test_a_branch_that_git_does_not_accept_is_refused(
    shared_real_addresses: Service, branch: str
) -> None:
    assert await refusal(shared_real_addresses, branch=branch) == "invalid_branch"


@pytest.mark.parametrize(
    ("form", "expected"),
    [
        ("bench", "bench"),
        ("/bench/", "bench"),
        ("//a/b//", "a/b"),
        pytest.param("a b/ü", "a b/ü", id="not ASCII"),
        ("...", "..."),
        ("", ""),
        (".", ""),
        ("/", ""),
        ("/./", ""),
    ],
)
async def test_a_folder_is_a_path_inside_the_repository(
    real_addresses: Service, form: str, expected: str
) -> None:
    project = await create(real_addresses, config_folder=form, job_folder=form)
    assert (project["config_folder"], project["job_folder"]) == (expected, expected)


@pytest.mark.parametrize("field", ["config_folder", "job_folder"])
@pytest.mark.parametrize(
    "folder",
    [
        *("..", "../x", "a/../b", "a/..", "a\\b", "a//b", "a/./b"),
        pytest.param("a\tb", id="a tab"),
        pytest.param("a\x00", id="NUL"),
        pytest.param("a\x85b", id="a control character"),
        pytest.param("x" * 1025, id="1025 characters"),
    ],
)
async def test_what_is_no_path_inside_the_repository_is_refused(
    shared_real_addresses: Service, folder: str, field: str
) -> None:
    assert await refusal(shared_real_addresses, **{field: folder}) == "invalid_folder"


# Polling intervals

WRONG_INTERVALS = (9, 1, -1, -10, 604_801, 2**63, 10.5, "60", True, False, [60])


@pytest.mark.parametrize("interval", [0, 10, 11, 604_800])
async def test_a_polling_interval_is_0_or_10_seconds_to_a_week(
    real_addresses: Service, interval: int
) -> None:
    made = await create(real_addresses, polling_interval=interval)
    assert made["polling_interval"] == interval


@pytest.mark.parametrize("interval", WRONG_INTERVALS, ids=repr)
async def test_a_project_with_another_polling_interval_is_not_made(
    shared_real_addresses: Service, interval: object
) -> None:
    code = await refusal(shared_real_addresses, polling_interval=interval)
    assert code == "invalid_request"


@pytest.mark.parametrize("interval", [*WRONG_INTERVALS, None], ids=repr)
async def test_a_polling_interval_is_not_changed_to_another(
    shared_service: Service, unchanged_project: Json, interval: object
) -> None:
    named = await refused_change(shared_service, unchanged_project, polling_interval=interval)
    assert named == {"polling_interval"}


# Defaults


@pytest.mark.parametrize(
    "given",
    [
        {},
        dict.fromkeys(
            ("github_token", "branch", "config_folder", "job_folder", "polling_interval")
        ),
    ],
    ids=["absent", "null"],
)
async def test_fields_that_are_not_given_come_from_the_settings(
    real_addresses: Service, given: Json
) -> None:
    project = await create(real_addresses, **given)
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


# Names


@pytest.mark.parametrize(
    ("given", "kept"),
    [
        ("x", "x"),
        pytest.param("x" * 200, "x" * 200, id="200 characters"),
        pytest.param("🚀" * 200, "🚀" * 200, id="200 characters of four bytes"),
        pytest.param("Größe/ 1 <b>", "Größe/ 1 <b>", id="not ASCII"),
        ("  spaces around ", "spaces around"),
    ],
)
async def test_a_name_has_1_to_200_characters(service: Service, given: str, kept: str) -> None:
    assert (await service.project("acme/bench", name=given))["name"] == kept


@pytest.mark.parametrize(
    "name",
    [
        *("", "   ", None, 1, ["x"], "two\nlines", "bell\a"),
        pytest.param("x" * 201, id="201 characters"),
    ],
)
async def test_a_project_with_another_name_is_not_made(
    shared_service: Service, name: object
) -> None:
    assert await refusal(shared_service, name=name) == "invalid_request"


@pytest.mark.parametrize("name", ["", None, pytest.param("x" * 201, id="201 characters")])
async def test_a_project_is_not_renamed_to_another_name(
    shared_service: Service, unchanged_project: Json, name: object
) -> None:
    assert await refused_change(shared_service, unchanged_project, name=name) == {"name"}


# Tokens


async def test_a_token_has_at_most_255_characters(service: Service) -> None:
    project = await service.project("acme/bench", github_token="x" * 255)
    assert project["github_token_set"] is True


@pytest.mark.parametrize(
    "token",
    [
        *("", " ", "two words", "line\n"),
        pytest.param("ü", id="not ASCII"),
        pytest.param("x" * 256, id="256 characters"),
        pytest.param("\x00", id="NUL"),
    ],
)
async def test_a_token_that_is_not_printable_ascii_is_refused(
    shared_service: Service, token: str
) -> None:
    assert await refusal(shared_service, github_token=token) == "invalid_token"


async def test_a_token_is_removed_by_null_and_by_nothing_else(service: Service) -> None:
    project = await service.project("acme/bench", github_token="ghp_one")
    path = f"/projects/{project['id']}"
    assert (await service.put(path, {"name": "renamed"}))["github_token_set"] is True
    assert (await service.put(path, {"github_token": None}))["github_token_set"] is False
    assert (await service.put(path, {"github_token": "ghp_two"}))["github_token_set"] is True


# Which fields there are


async def test_the_required_fields_are_required(shared_service: Service) -> None:
    assert fields_at_fault(await shared_service.http.post("/projects", json={})) == {
        "name",
        "github_repo_url",
    }
    required = {name for name, info in ProjectCreate.model_fields.items() if info.is_required()}
    assert required == {"name", "github_repo_url"}


@pytest.mark.parametrize(
    "name",
    [
        *("id", "created_at", "sync_status", "github_token_set", "stats", "revision"),
        "resolved_branch",
    ],
)
async def test_a_field_of_the_answer_cannot_be_set(
    shared_service: Service, unchanged_project: Json, name: str
) -> None:
    assert await refused_change(shared_service, unchanged_project, **{name: None}) == {name}


async def test_several_wrong_fields_are_named_at_once(shared_service: Service) -> None:
    body = {"name": "", "github_repo_url": 5, "polling_interval": 3, "colour": "red"}
    assert fields_at_fault(await shared_service.http.post("/projects", json=body)) == set(body)
