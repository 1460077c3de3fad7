"""Each route against git's own answer."""

from __future__ import annotations

import base64
import io
import re
import shutil
import tarfile
from collections.abc import Callable
from typing import TYPE_CHECKING

import httpx2
import pytest

from github_test_server import Entry, GitHubTestServer, Repository
from support.waiting import GENEROUS

if TYPE_CHECKING:
    from pathlib import Path

Git = Callable[..., str]

SHA = {"Accept": "application/vnd.github.sha"}
RAW = {"Accept": "application/vnd.github.raw+json"}
DEMO = "/repos/octo/demo"


async def test_the_head_is_returned_as_a_bare_sha(client: httpx2.AsyncClient, git: Git) -> None:
    answer = await client.get(f"{DEMO}/commits/HEAD", headers=SHA)
    sha = git("rev-parse", "HEAD")
    assert (answer.status_code, answer.text, answer.headers["etag"]) == (200, sha, f'"{sha}"')
    assert answer.headers["content-type"] == "application/vnd.github.sha; charset=utf-8"


@pytest.mark.parametrize("validator", ['"{}"', 'W/"{}"', '"other", "{}"'])
async def test_the_sha_we_hold_is_a_validator(
    client: httpx2.AsyncClient, git: Git, validator: str
) -> None:
    held = {"If-None-Match": validator.format(git("rev-parse", "HEAD"))}
    answer = await client.get(f"{DEMO}/commits/main", headers=SHA | held)
    assert (answer.status_code, answer.content) == (304, b"")


@pytest.mark.parametrize(
    "path",
    ["", "/commits/HEAD", "/commits", "/git/trees/main", "/tarball/HEAD"],
)
async def test_a_repository_whose_folder_is_gone_is_not_found(
    client: httpx2.AsyncClient, repository: Repository, path: str
) -> None:
    shutil.rmtree(repository.path)
    assert (await client.get(f"{DEMO}{path}")).status_code == 404


async def test_a_moved_branch_is_seen_at_once(
    client: httpx2.AsyncClient, repository: Repository, git: Git
) -> None:
    held = {"If-None-Match": f'"{git("rev-parse", "HEAD")}"'}
    moved = repository.commit({"config/a.yaml": b"a: 2\n"})
    answer = await client.get(f"{DEMO}/commits/main", headers=SHA | held)
    assert (answer.status_code, answer.text) == (200, moved)


@pytest.mark.parametrize(
    "ref",
    [
        "feature/x",
        "heads/feature/x",
        "refs/heads/feature/x",
        "v1",
        "tags/v1",
        "v2",
        "{sha}",
        "{short}",
    ],
)
async def test_a_commit_has_many_names(
    client: httpx2.AsyncClient, repository: Repository, ref: str
) -> None:
    sha = repository.commit({"x": b"1"}, branch="feature/x")
    repository.tag("v1", sha)
    repository.tag("v2", sha, message="Annotated")
    answer = await client.get(f"{DEMO}/commits/{ref.format(sha=sha, short=sha[:9])}", headers=SHA)
    assert answer.text == sha


async def test_a_commit_has_its_tree_date_and_files(
    client: httpx2.AsyncClient, repository: Repository, git: Git
) -> None:
    first = git("rev-parse", "HEAD")
    repository.commit(
        {
            "config/a.yaml": b"a: 2\nb: 3\n",
            "README.md": None,
            "job/run me.yaml": None,
            "job/run.yaml": b"kind: Job\n",
        }
    )
    commit = (await client.get(f"{DEMO}/commits/HEAD")).json()
    assert commit["sha"] == git("rev-parse", "HEAD")
    assert commit["commit"]["tree"]["sha"] == git("rev-parse", "HEAD^{tree}")
    assert commit["commit"]["committer"]["date"].endswith("Z")
    assert [parent["sha"] for parent in commit["parents"]] == [first]
    assert commit["stats"] == {"total": 4, "additions": 2, "deletions": 2}
    assert {
        file["filename"]: (file["status"], file["additions"], file["deletions"])
        for file in commit["files"]
    } == {
        "README.md": ("removed", 0, 1),
        "config/a.yaml": ("modified", 2, 1),
        "job/run.yaml": ("renamed", 0, 0),
    }


async def test_a_commit_keeps_its_message_and_date(client: httpx2.AsyncClient) -> None:
    commit = (await client.get(f"{DEMO}/commits/HEAD")).json()["commit"]
    assert (commit["message"], commit["committer"]["date"]) == (
        "First\n\nWith a body.",
        "2026-03-04T05:06:07Z",
    )


async def test_an_unknown_ref_is_422(client: httpx2.AsyncClient) -> None:
    answer = await client.get(f"{DEMO}/commits/gone", headers=SHA)
    assert (answer.status_code, answer.json()["message"]) == (422, "No commit found for SHA: gone")
    assert answer.json()["status"] == "422"


@pytest.mark.parametrize(
    "path", ["commits/HEAD", "commits", "git/trees/main", f"git/blobs/{'0' * 40}", "tarball"]
)
async def test_an_empty_repository_is_409(
    client: httpx2.AsyncClient, server: GitHubTestServer, tmp_path: Path, path: str
) -> None:
    with Repository.init(tmp_path / "empty.git") as empty:
        server.add("octo/empty", empty)
        answer = await client.get(f"/repos/octo/empty/{path}")
        server.hosting.remove("octo/empty")
    assert (answer.status_code, answer.json()["message"]) == (409, "Git Repository is empty.")


@pytest.mark.parametrize(
    "path", ["/repos/octo/none", "/repositories/1", "/nothing", f"{DEMO}/nothing", f"{DEMO}/"]
)
async def test_whatever_is_not_there_is_a_404_in_json(
    client: httpx2.AsyncClient, path: str
) -> None:
    answer = await client.get(path)
    assert (answer.status_code, answer.json()["message"]) == (404, "Not Found")


async def test_a_method_which_is_not_served_is_a_404(client: httpx2.AsyncClient) -> None:
    assert (await client.post(DEMO, json={})).status_code == 404
    assert (await client.get("/graphql")).status_code == 404


async def test_a_tree_lists_what_git_lists(
    client: httpx2.AsyncClient, repository: Repository, git: Git
) -> None:
    head = repository.commit({"link": Entry.symlink("README.md")})
    repository.commit({"module": Entry.submodule(head)})
    tree = git("rev-parse", "HEAD^{tree}")
    answer = (await client.get(f"{DEMO}/git/trees/{tree}", params={"recursive": "1"})).json()
    listed = [
        f"{entry['mode']} {entry['type']} {entry['sha']} {entry.get('size', '-')}\t{entry['path']}"
        for entry in answer["tree"]
    ]
    expected = git("ls-tree", "-r", "-t", "--long", tree).splitlines()
    assert listed == [re.sub(r" +", " ", line, count=3) for line in expected]
    assert (answer["sha"], answer["truncated"]) == (tree, False)


async def test_a_tree_is_flat_unless_asked(client: httpx2.AsyncClient) -> None:
    answer = (await client.get(f"{DEMO}/git/trees/main")).json()
    assert [(entry["path"], entry["mode"]) for entry in answer["tree"]] == [
        ("README.md", "100644"),
        ("config", "040000"),
        ("job", "040000"),
    ]


async def test_a_path_which_is_not_utf8_gets_replacement_characters(
    client: httpx2.AsyncClient, repository: Repository
) -> None:
    repository.commit({b"\xffx\xfe.yaml": b"1"})
    answer = (await client.get(f"{DEMO}/git/trees/main")).json()
    assert "\ufffdx\ufffd.yaml" in [entry["path"] for entry in answer["tree"]]


async def test_a_large_recursive_listing_is_cut_short(
    client: httpx2.AsyncClient, server: GitHubTestServer
) -> None:
    server.tree_limits.recursive_entries = 2
    cut = (await client.get(f"{DEMO}/git/trees/main?recursive=1")).json()
    flat = (await client.get(f"{DEMO}/git/trees/main")).json()
    assert ([entry["path"] for entry in cut["tree"]], cut["truncated"]) == (
        ["README.md", "config"],
        True,
    )
    assert (len(flat["tree"]), flat["truncated"]) == (3, False)


async def test_a_listing_is_cut_by_its_bytes_too(
    client: httpx2.AsyncClient, server: GitHubTestServer
) -> None:
    server.tree_limits.recursive_bytes = 500
    cut = (await client.get(f"{DEMO}/git/trees/main?recursive=1")).json()
    assert (len(cut["tree"]), cut["truncated"]) == (2, True)


async def test_a_folder_alone_can_be_too_large(
    client: httpx2.AsyncClient, server: GitHubTestServer
) -> None:
    server.tree_limits.folder_entries = 1
    cut = (await client.get(f"{DEMO}/git/trees/main")).json()
    assert (len(cut["tree"]), cut["truncated"]) == (1, True)


async def test_a_blob_comes_as_the_bytes_it_is(
    client: httpx2.AsyncClient, repository: Repository, git: Git
) -> None:
    content = bytes(range(256)) * 100
    repository.commit({"all": content})
    answer = await client.get(f"{DEMO}/git/blobs/{git('rev-parse', 'HEAD:all')}", headers=RAW)
    assert answer.content == content
    assert answer.headers["content-type"] == "application/vnd.github.raw+json; charset=utf-8"


async def test_a_blob_comes_in_lines_of_base64(
    client: httpx2.AsyncClient, repository: Repository, git: Git
) -> None:
    repository.commit({"all": bytes(range(256))})
    blob = (await client.get(f"{DEMO}/git/blobs/{git('rev-parse', 'HEAD:all')}")).json()
    assert {len(line) for line in blob["content"].splitlines()[:-1]} == {60}
    assert base64.b64decode(blob["content"]) == bytes(range(256))
    assert (blob["encoding"], blob["size"]) == ("base64", 256)


@pytest.mark.parametrize(("sha", "status"), [("0" * 40, 404), ("xyz", 422), ("A" * 40, 422)])
async def test_a_blob_which_cannot_be(client: httpx2.AsyncClient, sha: str, status: int) -> None:
    assert (await client.get(f"{DEMO}/git/blobs/{sha}")).status_code == status


async def test_a_tree_is_no_blob(client: httpx2.AsyncClient, git: Git) -> None:
    assert (
        await client.get(f"{DEMO}/git/blobs/{git('rev-parse', 'HEAD^{tree}')}")
    ).status_code == 404


async def test_the_history_comes_in_pages(
    client: httpx2.AsyncClient, repository: Repository, git: Git
) -> None:
    for number in range(4):
        repository.commit({"config/a.yaml": b"%d" % number})
    answer = await client.get(f"{DEMO}/commits", params={"per_page": 2, "page": 2})
    assert [commit["sha"] for commit in answer.json()] == git("rev-list", "main").split()[2:4]
    assert answer.links["next"]["url"].endswith("/commits?per_page=2&page=3")
    assert set(answer.links) == {"prev", "next", "last", "first"}
    following = await client.get(answer.links["next"]["url"])
    assert [commit["sha"] for commit in following.json()] == git("rev-list", "main").split()[4:]


async def test_the_history_of_a_path_leaves_others_out(
    client: httpx2.AsyncClient, repository: Repository, git: Git
) -> None:
    first = git("rev-parse", "HEAD")
    repository.commit({"README.md": b"x"})
    answer = await client.get(f"{DEMO}/commits", params={"path": "config", "sha": "main"})
    assert [commit["sha"] for commit in answer.json()] == [first]


async def test_branches_and_refs_have_their_commits(
    client: httpx2.AsyncClient, repository: Repository, git: Git
) -> None:
    other = repository.commit({"x": b"1"}, branch="feature/x")
    listed = (await client.get(f"{DEMO}/branches")).json()
    branch = (await client.get(f"{DEMO}/branches/feature/x")).json()
    ref = (await client.get(f"{DEMO}/git/ref/heads/feature/x")).json()
    assert {each["name"]: each["commit"]["sha"] for each in listed} == {
        "feature/x": other,
        "main": git("rev-parse", "main"),
    }
    assert branch["commit"]["sha"] == other
    assert ref["object"]["sha"] == other


async def test_a_deleted_branch_is_gone(client: httpx2.AsyncClient, repository: Repository) -> None:
    repository.commit({"x": b"1"}, branch="old")
    repository.delete_branch("old")
    branch = await client.get(f"{DEMO}/branches/old")
    assert (branch.status_code, branch.json()["message"]) == (404, "Branch not found")
    assert (await client.get(f"{DEMO}/git/ref/heads/old")).status_code == 404
    assert (await client.get(f"{DEMO}/commits/old", headers=SHA)).status_code == 422


async def test_matching_refs_begin_with_what_is_asked_for(
    client: httpx2.AsyncClient, repository: Repository, git: Git
) -> None:
    other = repository.commit({"x": b"1"}, branch="feature/x")
    repository.reset_branch("featured", other)
    repository.tag("feature-1", other, message="annotated")
    branches = (await client.get(f"{DEMO}/git/matching-refs/heads/feature")).json()
    tags = (await client.get(f"{DEMO}/git/matching-refs/tags/feature")).json()
    assert [found["ref"] for found in branches] == ["refs/heads/feature/x", "refs/heads/featured"]
    assert [(found["ref"], found["object"]["sha"]) for found in tags] == [
        ("refs/tags/feature-1", git("rev-parse", "refs/tags/feature-1"))
    ]
    assert (await client.get(f"{DEMO}/git/matching-refs/heads/nope")).json() == []


async def test_contents_give_files_folders_and_bytes(client: httpx2.AsyncClient) -> None:
    folder = (await client.get(f"{DEMO}/contents/config")).json()
    file = (await client.get(f"{DEMO}/contents/job/run%20me.yaml", params={"ref": "main"})).json()
    raw = await client.get(f"{DEMO}/contents/config/deep/b.json", headers=RAW)
    assert [(entry["path"], entry["type"]) for entry in folder] == [
        ("config/a.yaml", "file"),
        ("config/deep", "dir"),
    ]
    assert base64.b64decode(file["content"]) == b"kind: Job\n"
    assert raw.content == b'{"b": 2}\n'


@pytest.mark.parametrize(
    "path", ["contents/none", "contents/README.md/x", "contents/config?ref=gone"]
)
async def test_contents_which_are_not_there_are_404(client: httpx2.AsyncClient, path: str) -> None:
    assert (await client.get(f"{DEMO}/{path}")).status_code == 404


async def test_a_tarball_holds_the_files_in_one_folder(
    client: httpx2.AsyncClient, git: Git
) -> None:
    redirect = await client.get(f"{DEMO}/tarball/main")
    assert redirect.status_code == 302
    answer = await client.get(redirect.headers["location"])
    top = f"octo-demo-{git('rev-parse', 'HEAD')[:7]}"
    with tarfile.open(fileobj=io.BytesIO(answer.content)) as archive:
        names = {member.name for member in archive if member.isfile()}
        content = archive.extractfile(f"{top}/config/a.yaml")
        assert content is not None
        assert content.read() == b"a: 1\n"
    assert names == {
        f"{top}/{name}" for name in git("ls-tree", "-r", "--name-only", "HEAD").splitlines()
    }


async def test_a_private_tarball_opens_with_its_address_alone(
    client: httpx2.AsyncClient, server: GitHubTestServer
) -> None:
    server.hosting.make_private("octo/demo", ["secret"])
    redirect = await client.get(f"{DEMO}/tarball/main", headers={"Authorization": "Bearer secret"})
    address = httpx2.URL(redirect.headers["location"])
    assert (await client.get(address)).status_code == 200
    assert (await client.get(address.copy_with(query=None))).status_code == 404


async def test_the_api_can_stand_under_a_base_path(repository: Repository) -> None:
    async with (
        GitHubTestServer(api_path="/api/v3") as server,
        httpx2.AsyncClient(timeout=GENEROUS) as client,
    ):
        server.add("octo/demo", repository)
        demo = (await client.get(f"{server.url}/repos/octo/demo")).json()
        redirect = await client.get(f"{server.url}/repos/octo/demo/tarball")
        assert server.url.endswith("/api/v3")
        assert demo["url"] == f"{server.url}/repos/octo/demo"
        assert demo["html_url"] == f"{server.origin}/octo/demo"
        assert (await client.get(redirect.headers["location"])).status_code == 200
        assert (await client.get(f"{server.origin}/repos/octo/demo")).status_code == 404
