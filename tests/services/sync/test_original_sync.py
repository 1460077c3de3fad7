"""Which files a sync copies: folders, types, sizes, repositories, branches and listings."""

import gzip
from dataclasses import dataclass, replace
from datetime import UTC, datetime

import pytest

from benchmark_manager.domain.git.objects import blob_id
from benchmark_manager.services.texts.text_work import WantedFile, judge_files
from github_test_server import Entry, GitHubTestServer
from github_test_server.answers import ServedAnswer
from support.routes import ROUTES, Route, blobs_asked_for
from support.service import Service, running_service

CONFIG = b"model: llama\n"
JOB = b"apiVersion: batch/v1\nkind: Job\nmetadata: {name: a}\nspec: {template: {}}\n"


async def test_a_folder_which_the_branch_does_not_have_is_a_warning(service: Service) -> None:
    service.repository("acme/b", {"config/a.yaml": CONFIG})
    project = await service.project("acme/b", job_folder="jobs/nightly")
    sync = await service.sync(project["id"])
    assert (sync["status"], sync["synced_files"]) == ("success", 1)
    assert [w["code"] for w in sync["warnings"]] == ["folder_not_found"]


async def test_warnings_stay_while_nothing_changes_and_go_with_their_reason(
    shared: Service,
) -> None:
    repository = shared.repository("acme/b", {"config/a.yaml": CONFIG, "README.md": b"1"})
    project = await shared.project("acme/b")
    first = await shared.sync(project["id"])
    unchanged = await shared.sync(project["id"])
    repository.commit({"README.md": b"2"}, message="elsewhere")
    elsewhere = await shared.sync(project["id"])
    repository.commit({"job/j.yaml": JOB}, message="the folder comes")
    last = await shared.sync(project["id"])
    assert [w["code"] for w in first["warnings"]] == ["folder_not_found"]
    assert first["warnings"] == unchanged["warnings"] == elsewhere["warnings"]
    assert last["warnings"] == []


async def test_a_folder_which_went_upstream_removes_its_files(shared: Service) -> None:
    repository = shared.repository("acme/b", {"config/a.yaml": CONFIG, "job/j.yaml": JOB})
    project = await shared.synced("acme/b")
    repository.commit({"job": None}, message="no jobs any more")
    assert (await shared.sync(project["id"]))["removed"] == 1
    assert (await shared.files(project["id"])).keys() == {"config/a.yaml"}


@pytest.mark.parametrize("route", ROUTES, ids=str)
async def test_skipped_files_are_listed_with_reasons_and_fetched_once(
    shared: Service, route: Route
) -> None:
    fields = route.open(shared)
    repository = shared.repository(
        "acme/b",
        {
            "config/a.yaml": CONFIG,
            "config/nul.yaml": b"a\0b",
            "config/latin.yaml": b"a: \xe9\n",
            "config/big.json": b" " * 1_048_577,
            "config/pointer.json": b"version https://git-lfs.github.com/spec/v1\n"
            b"oid sha256:%s\nsize 5\n" % (b"a" * 64),
            "config/link.yaml": Entry.symlink("a.yaml"),
            "config/module.yaml": Entry.submodule("1" * 40),
        },
        private_to=route.readers,
    )
    project = await shared.project("acme/b", **fields)
    sync = await shared.sync(project["id"])
    assert {row["path"]: row["reason"] for row in sync["skipped"]} == {
        "config/nul.yaml": "binary",
        "config/latin.yaml": "not_utf8",
        "config/big.json": "too_large",
        "config/pointer.json": "lfs_pointer",
        "config/link.yaml": "symlink",
        "config/module.yaml": "submodule",
    }
    assert (await shared.files(project["id"])).keys() == {"config/a.yaml"}
    repository.commit({"config/b.yaml": b"b: 1\n"}, message="one more")
    shared.github.requests.reset()
    again = await shared.sync(project["id"])
    assert (len(again["skipped"]), again["added"]) == (6, 1)
    archives = shared.github.requests.count("/codeload/")
    assert blobs_asked_for(list(shared.github.requests)) == (0 if archives else 1)


async def test_another_size_limit_holds_from_the_next_sync_on_though_upstream_is_as_it_was(
    service: Service, database_url: str, github: GitHubTestServer
) -> None:
    service.repository(
        "acme/b", {"config/a.yaml": b"a: " + b"x" * 1_100_000, "config/b.yaml": CONFIG}
    )
    project = await service.project("acme/b")
    assert (await service.sync(project["id"]))["synced_files"] == 1
    async with running_service(
        database_url, github, service.folder, max_file_size=2_000_000
    ) as generous:
        assert (await generous.sync(project["id"]))["added"] == 1
        assert (await generous.sync(project["id"]))["status"] == "unchanged"
    lowered = await service.sync(project["id"])
    assert (lowered["removed"], [row["reason"] for row in lowered["skipped"]]) == (1, ["too_large"])


def test_one_content_at_many_paths_gets_one_verdict() -> None:
    text = b"apiVersion: batch/v1\nkind: Job\nmetadata: {name: a}\nspec: {parallelism: -1}\n"
    sha = blob_id(text)
    wanted = [WantedFile(f"config/{n}.yaml", sha, len(text), "config", "yaml") for n in range(9)]
    by_sha = {sha: [*wanted, WantedFile("job/j.yaml", sha, len(text), "job", "yaml")]}
    judged = judge_files({sha: text}, by_sha)
    assert len({id(judged[file.path, sha].verdict) for file in wanted}) == 1
    # As a Job, the same text is judged by other rules.
    assert judged["job/j.yaml", sha].verdict != judged["config/0.yaml", sha].verdict


async def test_the_same_folder_twice_is_sorted_by_content(shared: Service) -> None:
    repository = shared.repository(
        "acme/b", {"all/j.yaml": JOB, "all/c.yaml": CONFIG, "all/d.json": b"{}"}
    )
    project = await shared.synced("acme/b", config_folder="all", job_folder="/all/")
    files = await shared.files(project["id"])
    assert {p: f["file_type"] for p, f in files.items()} == {
        "all/j.yaml": "job", "all/c.yaml": "config", "all/d.json": "config"
    }  # fmt: skip
    repository.commit({"all/c.yaml": JOB + b"# now a job\n"}, message="c becomes a job")
    await shared.sync(project["id"])
    assert (await shared.files(project["id"]))["all/c.yaml"]["file_type"] == "job"


async def test_files_are_sorted_anew_when_the_folders_become_one(shared: Service) -> None:
    shared.repository("acme/b", {"all/j.yaml": JOB, "all/c.yaml": CONFIG}, private_to=["reader"])
    project = await shared.synced("acme/b", config_folder="all", github_token="reader")
    assert {f["file_type"] for f in (await shared.files(project["id"])).values()} == {"config"}
    shared.github.requests.reset()
    await shared.put(f"/projects/{project['id']}", {"job_folder": "all"})
    await shared.sync(project["id"])
    assert (await shared.files(project["id"]))["all/j.yaml"]["file_type"] == "job"
    assert blobs_asked_for(list(shared.github.requests)) == 0


async def test_another_folder_makes_the_project_due_and_reads_the_other_files(
    shared: Service,
) -> None:
    shared.repository("acme/b", {"config/a.yaml": CONFIG, "other/b.yaml": b"b: 1\n"})
    project = await shared.synced("acme/b")
    changed = await shared.put(f"/projects/{project['id']}", {"config_folder": "other"})
    assert changed["next_poll_at"] is not None
    sync = await shared.sync(project["id"])
    assert (sync["added"], sync["removed"]) == (1, 1)
    assert (await shared.files(project["id"])).keys() == {"other/b.yaml"}
    assert (await shared.get(f"/projects/{project['id']}"))["next_poll_at"] is None


async def test_contents_have_the_commit_with_which_they_were_first_seen(
    shared: Service,
) -> None:
    repository = shared.repository("acme/b", {"config/a.yaml": CONFIG, "config/b.yaml": b"b: 1\n"})
    project = await shared.synced("acme/b")
    first = (await shared.files(project["id"]))["config/a.yaml"]
    head = repository.commit(
        {"config/b.yaml": b"b: 2\n"}, message="b", date=datetime(2025, 1, 1, 18, 4, 5, tzinfo=UTC)
    )
    await shared.sync(project["id"])
    files = await shared.files(project["id"])
    assert files["config/a.yaml"]["commit_sha"] == first["commit_sha"]
    assert files["config/b.yaml"]["commit_sha"] == head
    assert files["config/b.yaml"]["last_modified"] == "2025-01-01T18:04:05Z"


async def test_commits_of_another_repository_say_nothing_about_the_same_contents_here(
    shared: Service,
) -> None:
    shared.repository("acme/one", {"config/a.yaml": CONFIG})
    two = shared.repository("acme/two", {"config/a.yaml": CONFIG, "README.md": b"another history"})
    project = await shared.synced("acme/one", name="project")
    await shared.put(f"/projects/{project['id']}", {"github_repo_url": "acme/two"})
    sync = await shared.sync(project["id"])
    assert (await shared.files(project["id"]))["config/a.yaml"]["commit_sha"] == sync["commit_sha"]
    assert two.find_commit(sync["commit_sha"]) is not None


async def test_a_renamed_repository_is_followed_and_its_new_address_kept(shared: Service) -> None:
    shared.repository("acme/old", {"config/a.yaml": CONFIG})
    project = await shared.synced("acme/old")
    shared.github.rename("acme/old", "acme/new")
    assert (await shared.sync(project["id"]))["status"] == "unchanged"
    now = await shared.get(f"/projects/{project['id']}")
    assert now["github_repo_url"] == f"{shared.github.url}/repos/acme/new"
    shared.github.requests.reset()
    await shared.sync(project["id"])
    assert [r.status for r in shared.github.requests] == [304]


@pytest.mark.parametrize("graphql", [True, False])
async def test_the_default_branch_is_named_once_known(shared: Service, graphql: bool) -> None:
    repository = shared.repository("acme/b", {"config/a.yaml": CONFIG}, private_to=["reader"])
    shared.github.graphql = graphql
    project = await shared.project("acme/b", github_token="reader")
    assert (project["branch"], project["resolved_branch"]) == (None, None)
    await shared.sync(project["id"])
    assert (await shared.get(f"/projects/{project['id']}"))["resolved_branch"] == "main"
    repository.commit({"config/a.yaml": b"a: 9\n"}, message="on trunk", branch="trunk", parent=None)
    repository.set_default_branch("trunk")
    await shared.sync(project["id"])
    assert (await shared.get(f"/projects/{project['id']}"))["resolved_branch"] == "trunk"


@pytest.mark.parametrize("graphql", [True, False])
async def test_a_renamed_default_branch_is_noticed_also_with_a_commit_which_only_removes(
    shared: Service, graphql: bool
) -> None:
    files = {"config/a.yaml": CONFIG, "config/b.yaml": b"b: 1\n"}
    repository = shared.repository("acme/b", files, private_to=["reader"])
    shared.github.graphql = graphql
    project = await shared.synced("acme/b", github_token="reader")
    head = repository.commit({"config/b.yaml": None}, message="gone")
    repository.reset_branch("trunk", head)
    repository.set_default_branch("trunk")
    repository.delete_branch("main")
    assert (await shared.sync(project["id"]))["removed"] == 1
    assert (await shared.get(f"/projects/{project['id']}"))["resolved_branch"] == "trunk"


@pytest.mark.parametrize("route", ROUTES, ids=str)
async def test_wrong_bytes_are_never_stored(shared: Service, route: Route) -> None:
    fields = route.open(shared)
    shared.repository("acme/b", {"config/a.yaml": CONFIG}, private_to=route.readers)
    project = await shared.project("acme/b", **fields)
    for path in ("/git/blobs/", "graphql$", "/codeload/"):
        shared.github.faults.add(ChangedFirstLetter(CONFIG), path=path, times=None)
    failed = await shared.sync(project["id"], status=502)
    assert failed["code"] == "github_unavailable"
    assert await shared.files(project["id"]) == {}


@dataclass(frozen=True, slots=True)
class ChangedFirstLetter:
    """A fault: the first letter of a text is another one, in archives too; the rest is right."""

    text: bytes

    def change(self, answer: ServedAnswer, body: bytes) -> ServedAnswer:
        packed = body.startswith(b"\x1f\x8b")
        plain = gzip.decompress(body) if packed else body
        start = self.text[:5]
        assert start in plain or b"tree" in plain
        wrong = plain.replace(start, start.swapcase())
        return replace(answer, body=gzip.compress(wrong) if packed else wrong)


async def test_a_large_listing_is_read_folder_by_folder(shared: Service) -> None:
    many = {f"data/{n % 7}/{n}.txt": b"x" for n in range(300)} | {
        f"config/{n}.yaml": b"n: %d\n" % n for n in range(9)
    }
    shared.repository("acme/b", many)
    shared.github.tree_limits.recursive_entries = 50
    project = await shared.project("acme/b")
    assert (await shared.sync(project["id"]))["added"] == 9


async def test_a_folder_that_cannot_be_listed_fails_and_removes_nothing(shared: Service) -> None:
    repository = shared.repository("acme/b", {f"config/{n}.yaml": b"n: %d\n" % n for n in range(9)})
    project = await shared.synced("acme/b")
    repository.commit(
        {f"config/{n}.yaml": b"n: %d\n" % n for n in range(9, 99)}, message="many more"
    )
    shared.github.tree_limits.recursive_entries = 50
    shared.github.tree_limits.folder_entries = 50
    assert (await shared.sync(project["id"], status=422))["code"] == "tree_too_large"
    assert len(await shared.files(project["id"])) == 9
    assert (await shared.get(f"/projects/{project['id']}"))["sync_status"] == "failing"


async def test_folders_without_files_are_a_success_once_and_unchanged_from_then_on(
    shared: Service,
) -> None:
    shared.repository("acme/b", {"README.md": b"nothing here\n"})
    project = await shared.project("acme/b")
    syncs = [await shared.sync(project["id"]) for _ in range(2)]
    assert [(s["status"], s["synced_files"], len(s["warnings"])) for s in syncs] == [
        ("success", 0, 2),
        ("unchanged", 0, 2),
    ]
