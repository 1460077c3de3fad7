"""Previews: branches and folders of a repository before there is a project of it."""

from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import httpx2 as httpx
import pytest
import pytest_asyncio
from pydantic import SecretStr

from github_test_server import Entry, GitHubTestServer, Repository
from support.problems import assert_problem
from support.project_refs import head
from support.reused_database import reused_database
from support.service import Json, Service, running_service
from support.unchanged_service import unchanged_service

FILES: dict[str, bytes | Entry] = {
    "README.md": b"x",
    "config/a.yaml": b"a: 1\n",
    "config/deep/b.json": b"{}",
    "config/large.yaml": b"#" * 2000,
    "config/link.yaml": Entry(b"a.yaml", "120000"),
    "job/run.yaml": b"kind: Job\n",
    "job/notes.json": b"{}",
    "k8s/bench-job.yml": b"kind: Job\n",
    ".github/workflows/ci.yml": b"on: push\n",
}


@pytest.fixture(scope="module")
def fixed(shared_service: Service) -> Repository:
    """The repository `fixed/bench`, beside an empty and a private one, which no test changes."""
    repository = shared_service.repository("fixed/bench", FILES)
    repository.tag("v1", head(repository))
    repository.tag("annotated", head(repository), message="annotated")
    shared_service.repository("fixed/empty")
    shared_service.repository("fixed/private", FILES, private_to=["other"])
    return repository


@pytest_asyncio.fixture(scope="module", loop_scope="session")
async def shared_tokened(
    mongod: str, shared_github: GitHubTestServer, tmp_path_factory: pytest.TempPathFactory
) -> AsyncIterator[Service]:
    folder = tmp_path_factory.mktemp("tokened")
    settings: Json = {"github_token": SecretStr("reader"), "max_file_size": 1000}
    async with (
        reused_database(mongod) as url,
        running_service(url, shared_github, folder, **settings) as running,
    ):
        yield running


@pytest.fixture
async def tokened(shared_tokened: Service) -> AsyncIterator[Service]:
    """A service with a token of its own, and a small limit of file sizes."""
    async with unchanged_service(shared_tokened) as running:
        yield running


async def preview(
    service: Service, address: str = "acme/bench", status: int = 200, **fields: Any
) -> Json:
    """By GET and by POST, which answer the same."""
    headers = {}
    body = {"github_repo_url": address, **fields}
    query = dict(body)
    if (token := query.pop("github_token", None)) is not None:
        headers["X-GitHub-Token"] = token
    if (ref := query.pop("ref", None)) is not None:
        query |= {"ref_kind": ref["kind"], "ref_name": ref["name"]}
    got = await service.http.get("/repositories/preview", params=query, headers=headers)
    posted = await service.http.post("/repositories/preview", json=body)
    assert (got.status_code, posted.status_code) == (status, status), got.text
    assert got.json() == posted.json()
    answer: Json = got.json()
    return answer


def counts(answer: Json) -> dict[str, tuple[int, ...]]:
    """YAML, JSON, likely Jobs; copied and skipped as config folder; the same as job folder."""
    return {
        row["path"]: (
            *(row["yaml_files"], row["json_files"], row["likely_jobs"]),
            *(row["as_config"]["copied"], row["as_config"]["skipped"]),
            *(row["as_job"]["copied"], row["as_job"]["skipped"]),
        )
        for row in answer["folders"]
    }


async def test_a_preview_shows_branches_and_folders_with_what_each_would_give(
    tokened: Service,
) -> None:
    repository = tokened.repository("acme/bench", FILES)
    repository.commit({"x.md": b"x"}, branch="dev")
    answer = await preview(tokened)
    assert (answer["default_branch"], answer["branches"], answer["more_branches"]) == (
        "main",
        ["dev", "main"],
        False,
    )
    assert (answer["ref"], answer["complete"], answer["more_folders"]) == (None, True, False)
    assert answer["commit_sha"] == head(repository)
    assert counts(answer) == {
        "": (4, 2, 2, 6, 2, 4, 4),
        ".github": (1, 0, 0, 1, 0, 1, 0),
        ".github/workflows": (1, 0, 0, 1, 0, 1, 0),
        "config": (1, 1, 0, 2, 2, 1, 3),
        "config/deep": (0, 1, 0, 1, 0, 0, 1),
        "job": (1, 1, 1, 2, 0, 1, 1),
        "k8s": (1, 0, 1, 1, 0, 1, 0),
    }
    assert answer["suggested"] == answer["selected"]
    assert answer["suggested"] == {
        "config_folder": "config",
        "job_folder": "job",
        "config_files": 2,
        "job_files": 1,
        "files_by_content": 0,
        # The JSON in the job folder is listed as skipped too.
        "skipped_files": 3,
    }


async def test_patterns_narrow_what_is_counted(tokened: Service) -> None:
    tokened.repository("acme/bench", FILES)
    answer = await preview(tokened, include=["config/", "job/"], exclude=["deep"])
    assert set(counts(answer)) == {"", "config", "job"}
    assert answer["selected"]["config_files"] == 1


async def asked(service: Service, address: str = "acme/bench") -> httpx.Response:
    """Ask for a preview once, by GET."""
    return await service.http.get("/repositories/preview", params={"github_repo_url": address})


async def test_a_preview_costs_two_requests_with_a_token(tokened: Service) -> None:
    tokened.repository("acme/bench", FILES)
    assert (await asked(tokened)).json()["branches"] == ["main"]
    assert len(tokened.github.requests) == 2


async def test_a_preview_costs_three_requests_without_a_token(service: Service) -> None:
    service.repository("acme/bench", FILES)
    assert (await asked(service)).json()["branches"] == ["main"]
    assert len(service.github.requests) == 3


async def test_nothing_is_stored(tokened: Service) -> None:
    tokened.repository("acme/bench", FILES)
    await preview(tokened)
    status = await tokened.get("/status")
    assert (status["total_projects"], status["total_files"]) == (0, 0)


@pytest.mark.usefixtures("fixed")
@pytest.mark.parametrize(
    ("config", "job"),
    [("config", "job"), ("", "job"), ("config", "k8s"), ("", ""), ("config", "config/deep")],
    ids=["two folders", "all and one", "another folder", "all for both", "one inside the other"],
)
async def test_a_sync_copies_the_files_that_its_preview_counts(
    tokened: Service, config: str, job: str
) -> None:
    folders: Json = {"config_folder": config, "job_folder": job}
    selected = (await preview(tokened, "fixed/bench", **folders))["selected"]
    stats = (await tokened.synced("fixed/bench", **folders))["stats"]
    files = selected["config_files"] + selected["job_files"] + selected["files_by_content"]
    assert stats["original_files"] == files
    # Of one folder for both, the contents decide, which a preview does not read.
    types = ("config_files", "job_files") if config != job else ()
    assert [stats[name] for name in types] == [selected[name] for name in types]


@pytest.mark.parametrize("fields", [{}, {"github_token": "reader"}])
@pytest.mark.parametrize(
    "ref",
    [
        {"kind": "branch", "name": "dev"},
        {"kind": "tag", "name": "v1"},
        {"kind": "tag", "name": "annotated"},
    ],
)
async def test_a_preview_of_any_ref_is_of_that_ref(
    service: Service, ref: Json, fields: Json
) -> None:
    repository = service.repository("acme/bench", {"config/a.yaml": b"a: 1\n"})
    dev = repository.commit({"only-dev/a.yaml": b"a: 1\n"}, branch="dev")
    repository.tag("v1", dev)
    repository.tag("annotated", dev, message="annotated")
    answer = await preview(service, ref=ref, **fields)
    assert (answer["ref"], "only-dev" in counts(answer)) == (ref, True)
    assert "only-dev" not in counts(await preview(service, **fields))
    assert "only-dev" in counts(
        await preview(service, ref={"kind": "commit", "name": dev}, **fields)
    )


async def test_an_address_with_a_branch_and_a_folder_suggests_them(tokened: Service) -> None:
    repository = tokened.repository("acme/bench", FILES)
    repository.commit({"data/a.yaml": b"a: 1\n"}, branch="feature/tp")
    answer = await preview(tokened, f"{tokened.github.url}/acme/bench/tree/feature/tp/data")
    assert answer["ref"] == {"kind": "branch", "name": "feature/tp"}
    # Nothing suggests a folder of Jobs, so it is the same, and contents decide.
    suggested = answer["suggested"]
    assert (suggested["config_folder"], suggested["job_folder"], suggested["files_by_content"]) == (
        "data",
        "data",
        1,
    )


@pytest.mark.usefixtures("fixed")
@pytest.mark.parametrize("fields", [{}, {"github_token": "reader"}], ids=["no token", "token"])
@pytest.mark.parametrize(
    ("address", "ref", "code"),
    [
        ("fixed/none", {}, "repository_not_found"),
        ("fixed/private", {}, "repository_not_found"),
        ("fixed/empty", {}, "repository_empty"),
        ("fixed/bench", {"branch": "nope"}, "branch_not_found"),
        ("fixed/bench", {"branch": "v1"}, "branch_not_found"),
        ("fixed/bench", {"ref": {"kind": "tag", "name": "nope"}}, "tag_not_found"),
        ("fixed/bench", {"ref": {"kind": "commit", "name": "a" * 40}}, "commit_not_found"),
    ],
    ids=["none", "private", "empty", "branch", "tag as a branch", "tag", "commit"],
)
async def test_errors_are_those_of_a_sync(
    service: Service, address: str, ref: Json, code: str, fields: Json
) -> None:
    assert (await preview(service, address, 422, **ref, **fields))["code"] == code


@pytest.mark.usefixtures("fixed")
async def test_an_unknown_token_is_unauthorized(service: Service) -> None:
    """However often it is tried, and however little is left to those without a token."""
    problem = await preview(service, "fixed/bench", 422, github_token="unknown")
    assert problem["code"] == "github_unauthorized"


async def test_a_used_up_limit_is_reported_with_when_to_try_again(
    database_url: str, github: GitHubTestServer, tmp_path: Path
) -> None:
    github.hosting.add_token("reader")
    settings: Json = {"github_token": SecretStr("reader")}
    async with running_service(database_url, github, tmp_path, **settings) as service:
        service.repository("acme/bench", FILES)
        github.limits.set("reader", limit=5000, remaining=0, reset_in=600)
        await preview(service, status=503)
        answer = await asked(service)
    assert_problem(answer, 503, "github_rate_limited")
    assert 500 < int(answer.headers["retry-after"]) <= 600


async def test_a_token_opens_a_private_repository_and_is_never_repeated(service: Service) -> None:
    service.repository("acme/private", FILES, private_to=["secret-token"])
    answer = await service.http.post(
        "/repositories/preview",
        json={"github_repo_url": "acme/private", "github_token": "secret-token"},
    )
    assert answer.status_code == 200
    assert "secret-token" not in answer.text
    # It was for that request only.
    await preview(service, "acme/private", 422)


async def test_the_service_s_token_is_used_for_the_owners_that_it_is_for(
    database_url: str, github: GitHubTestServer, tmp_path: Path
) -> None:
    settings: Json = {"github_token": SecretStr("reader"), "github_owners": ("acme",)}
    async with running_service(database_url, github, tmp_path, **settings) as service:
        for owner in ("acme", "other"):
            service.repository(f"{owner}/private", FILES, private_to=["reader"])
        assert (await preview(service, "acme/private"))["branches"] == ["main"]
        assert (await preview(service, "other/private", 422))["code"] == "repository_not_found"


@pytest.mark.parametrize(
    ("address", "code"),
    [
        ("https://gitlab.com/acme/bench", "github_url_not_allowed"),
        ("http://169.254.169.254/acme/bench", "github_url_not_allowed"),
        ("https://u:ghp_Secret@github.com/acme/bench", "invalid_github_url"),
        ("acme", "invalid_github_url"),
    ],
)
async def test_hostile_addresses_are_refused_and_nothing_is_asked(
    service: Service, address: str, code: str
) -> None:
    problem = await preview(service, address, 422)
    assert (problem["code"], "Secret" in str(problem)) == (code, False)
    assert len(service.github.requests) == 0


async def test_a_page_of_another_site_starts_no_preview(tokened: Service) -> None:
    tokened.repository("acme/bench", FILES)
    answer = await tokened.http.get(
        "/repositories/preview",
        params={"github_repo_url": "acme/bench"},
        headers={"Sec-Fetch-Site": "cross-site"},
    )
    assert_problem(answer, 403, "origin_not_allowed")
    assert len(tokened.github.requests) == 0


async def test_unknown_fields_and_a_token_in_the_address_are_refused(service: Service) -> None:
    answer = await service.http.post(
        "/repositories/preview", json={"github_repo_url": "a/b", "token": "x"}
    )
    assert_problem(answer, 422, "invalid_request")


@pytest.mark.parametrize("name", ["github_token", "token", "ghp_Secret"])
async def test_an_unknown_parameter_is_refused_and_not_repeated(
    service: Service, name: str
) -> None:
    query = {"github_repo_url": "acme/bench", name: "ghp_Secret"}
    problem = assert_problem(
        await service.http.get("/repositories/preview", params=query), 422, "invalid_request"
    )
    assert "a token never belongs into an address" in problem["detail"]
    assert "Secret" not in str(problem)
    assert len(service.github.requests) == 0


@pytest.mark.parametrize("path", ["..%2F..", "a/../b", "a%2F%2Fb"])
async def test_a_folder_of_an_address_is_checked_like_any_other(
    service: Service, path: str
) -> None:
    service.repository("acme/bench", FILES)
    problem = await preview(service, f"{service.github.url}/acme/bench/tree/main/{path}", 422)
    assert problem["code"] == "invalid_folder"


@pytest.mark.parametrize("kind", ["tag", "tree"])
@pytest.mark.parametrize("fields", [{}, {"github_token": "reader"}], ids=["no token", "token"])
async def test_an_object_that_is_no_commit_is_not_previewed_as_one(
    service: Service, fixed: Repository, fields: Json, kind: str
) -> None:
    tag = fixed.find_ref("tags/annotated")
    assert tag is not None
    sha = tag.sha if kind == "tag" else fixed.find_tree(head(fixed))
    ref = {"kind": "commit", "name": sha}
    assert (await preview(service, "fixed/bench", 422, ref=ref, **fields))["code"] == (
        "commit_not_found"
    )


async def test_a_listing_that_github_cuts_is_reported_as_incomplete(tokened: Service) -> None:
    tokened.repository("acme/bench", FILES)
    tokened.github.tree_limits.recursive_entries = 3
    answer = await preview(tokened)
    assert answer["complete"] is False
    assert len(answer["folders"]) > 0


async def test_of_many_branches_the_first_hundred_are_shown(
    tokened: Service, service: Service
) -> None:
    repository = tokened.repository("acme/bench", FILES)
    _many_branches(repository, head(repository), 101)
    answers = [(await asked(running)).json() for running in (tokened, service)]
    assert [(len(answer["branches"]), answer["more_branches"]) for answer in answers] == [
        (100, True),
        (100, True),
    ]


def _many_branches(repository: Repository, sha: str, count: int) -> None:
    for number in range(count):
        repository.reset_branch(f"b{number:03}", sha)
