"""What a sync makes of upstream's changes, seen through the API."""

import asyncio
import gzip
import math
import os
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta

import pytest
from bson import ObjectId

from benchmark_manager.domain.git.objects import blob_id
from benchmark_manager.factory import Externals, ServiceLimits, utc_now
from benchmark_manager.services.sync.reading.archive_reader import ArchiveSizes
from benchmark_manager.services.texts.text_work import WantedFile, judge_files
from github_test_server import Entry, GitHubTestServer, RecordedRequest, Status
from github_test_server.answers import ServedAnswer
from support.routes import BY_NAME, ROUTES, Route, blobs_asked_for, forget_listings
from support.service import Service, running_service, running_sync

CONFIG = b"model: llama\n"
JOB = b"apiVersion: batch/v1\nkind: Job\nmetadata: {name: a}\nspec: {template: {}}\n"


@pytest.mark.parametrize(
    "externals",
    [
        Externals(
            limits=ServiceLimits(archives=ArchiveSizes(small=20_000, instead_of_batches=5_500_000))
        )
    ],
    ids=["smaller archives"],
)
@pytest.mark.parametrize(
    ("why", "files", "branch"),
    [
        *(
            ("there is no archive", files, branch)
            for files in (1, 50, 120)
            for branch in (None, "main")
        ),
        ("it is large", 1, "main"),
        ("it is large", 120, None),
        ("it is large, and so is the listing", 1, None),
        ("it is large, and so is the listing", 120, "main"),
    ],
)
async def test_a_first_sync_without_the_archive_costs_one_request_for_fifty_files_and_four_more(
    service: Service, files: int, branch: str | None, why: str
) -> None:
    contents = {f"config/{n}.yaml": b"n: %d\n" % n for n in range(files - 1)} | {"job/j.yaml": JOB}
    if why == "there is no archive":
        service.github.faults.add(Status(404), path="/tarball/", times=None)
    else:
        # It comes before what is wanted, and takes longer than the listing that is requested
        # beside it.
        contents["a/big.bin"] = os.urandom(6_000_000)
    # Where not even the whole listing is to be had, each folder's is.
    more = 0
    if why == "it is large, and so is the listing":
        service.github.tree_limits.recursive_entries = files
        more = 2 + (files > 1)
    service.repository("acme/b", contents, private_to=["reader"])
    project = await service.project("acme/b", github_token="reader", branch=branch)
    sync = await service.sync(project["id"])
    assert (sync["status"], sync["added"], sync["synced_files"]) == ("success", files, files)
    asked = service.github.requests.points
    assert asked <= 4 + more + math.ceil(files / 50) - (branch is not None)
    assert sync["github"]["points_used"] == asked == sync["github"]["requests"]
    assert blobs_asked_for(list(service.github.requests)) == files


@pytest.mark.parametrize("files", [1, 120])
@pytest.mark.parametrize("token", [None, "reader"])
@pytest.mark.parametrize(("branch", "requests"), [(None, 3), ("main", 2)])
async def test_a_first_sync_costs_three_requests_whatever_it_holds(
    service: Service, files: int, branch: str | None, requests: int, token: str | None
) -> None:
    contents = {f"config/{n}.yaml": b"n: %d\n" % n for n in range(files - 1)} | {"job/j.yaml": JOB}
    service.repository("acme/b", contents, private_to=token and [token])
    project = await service.project("acme/b", branch=branch, github_token=token)
    sync = await service.sync(project["id"])
    assert (sync["status"], sync["added"]) == ("success", files)
    assert service.github.requests.points == sync["github"]["requests"] == requests
    # Its download is no request of the API's.
    assert service.github.requests.count("/codeload/") == 1
    assert len(service.github.requests) == requests + 1


async def test_an_unchanged_sync_is_one_request_answered_304_and_free(service: Service) -> None:
    service.repository("acme/b", {"config/a.yaml": CONFIG}, private_to=["reader"])
    project = await service.synced("acme/b", github_token="reader")
    service.github.requests.reset()
    sync = await service.sync(project["id"])
    assert sync["status"] == "unchanged"
    assert [(r.status, r.cost) for r in service.github.requests] == [(304, 0)]
    assert (sync["github"]["requests"], sync["github"]["points_used"]) == (1, 0)


@pytest.mark.parametrize("route", ROUTES, ids=str)
@pytest.mark.parametrize("branch", [None, "main"])
async def test_a_commit_which_touches_neither_folder_costs_at_most_two_more_requests(
    service: Service, route: Route, branch: str | None
) -> None:
    fields = route.open(service)
    repository = service.repository(
        "acme/b", {"config/a.yaml": CONFIG, "README.md": b"1"}, private_to=route.readers
    )
    project = await service.synced("acme/b", branch=branch, **fields)
    head = repository.commit({"README.md": b"2"}, message="elsewhere")
    forget_listings(service)
    service.github.requests.reset()
    sync = await service.sync(project["id"])
    assert (sync["status"], sync["commit_sha"], sync["unchanged"]) == ("unchanged", head, 1)
    # An API may be asked in vain whether it has GraphQL.
    assert len(service.github.requests) in (
        {2, 3} if route.token is not None and not route.graphql else {2}
    )


async def test_changes_are_reported_by_kind_and_applied_at_once(service: Service) -> None:
    repository = service.repository(
        "acme/b",
        {
            "config/keep.yaml": b"k: 1\n",
            "config/old.yaml": b"o: 1\n",
            "config/gone.yaml": b"g: 1\n",
            "config/edit.yaml": b"e: 1\n",
        },
    )
    project = await service.synced("acme/b")
    before = await service.files(project["id"])
    repository.commit(
        {"config/old.yaml": None, "config/sub/new.yaml": b"o: 1\n", "config/gone.yaml": None,
         "config/edit.yaml": b"e: 2\n", "job/added.yaml": JOB}, message="many"
    )  # fmt: skip
    sync = await service.sync(project["id"])
    assert [sync[k] for k in ("added", "updated", "removed", "renamed", "unchanged")] == [
        1,
        1,
        1,
        1,
        1,
    ]
    assert sync["changes"] == [
        {"path": "config/edit.yaml", "change": "updated", "previous_path": None},
        {"path": "config/gone.yaml", "change": "removed", "previous_path": None},
        {"path": "config/sub/new.yaml", "change": "renamed", "previous_path": "config/old.yaml"},
        {"path": "job/added.yaml", "change": "added", "previous_path": None},
    ]
    after = await service.files(project["id"])
    assert after.keys() == {
        "config/keep.yaml",
        "config/sub/new.yaml",
        "config/edit.yaml",
        "job/added.yaml",
    }
    assert after["config/sub/new.yaml"]["id"] == before["config/old.yaml"]["id"]
    assert after["config/edit.yaml"]["id"] == before["config/edit.yaml"]["id"]


async def test_a_rename_keeps_the_variants_and_moves_their_folder(service: Service) -> None:
    repository = service.repository("acme/b", {"config/a.yaml": CONFIG})
    project = await service.synced("acme/b")
    file = (await service.files(project["id"]))["config/a.yaml"]
    variant = await service.variant(
        project["id"], file, modified_name="mine.yaml", content="model: mine\n"
    )
    repository.commit({"config/a.yaml": None, "config/deep/b.yaml": CONFIG}, message="move")
    await service.sync(project["id"])
    moved = await service.get(f"/modified-files/{variant['id']}")
    assert (moved["original_file_id"], moved["original_path"]) == (file["id"], "config/deep/b.yaml")
    assert (moved["path"], moved["drift"], moved["revision"]) == (
        "config/deep/mine.yaml",
        "current",
        1,
    )


async def test_a_rename_within_a_folder_keeps_the_variants_where_they_are(service: Service) -> None:
    repository = service.repository("acme/b", {"config/a.yaml": CONFIG})
    project = await service.synced("acme/b")
    file = (await service.files(project["id"]))["config/a.yaml"]
    variant = await service.variant(
        project["id"], file, modified_name="mine.yaml", content="model: mine\n"
    )
    repository.commit({"config/a.yaml": None, "config/b.yaml": CONFIG}, message="rename")
    assert (await service.sync(project["id"]))["renamed"] == 1
    now = await service.get(f"/modified-files/{variant['id']}")
    assert (now["path"], now["original_path"], now["drift"]) == (
        "config/mine.yaml",
        "config/b.yaml",
        "current",
    )


async def test_a_rename_that_would_give_two_variants_one_path_keeps_both(
    service: Service,
) -> None:
    repository = service.repository(
        "acme/b", {"config/a/x.yaml": b"x: 1\n", "config/b/y.yaml": b"y: 1\n"}
    )
    project = await service.synced("acme/b")
    files = await service.files(project["id"])
    of_x = await service.variant(project["id"], files["config/a/x.yaml"], modified_name="v.yaml")
    of_y = await service.variant(project["id"], files["config/b/y.yaml"], modified_name="v.yaml")
    repository.commit(
        {"config/a/x.yaml": None, "config/b/x.yaml": b"x: 1\n"}, message="move x beside y"
    )
    sync = await service.sync(project["id"])
    assert (sync["renamed"], sync["removed"], sync["added"]) == (0, 1, 1)
    assert (await service.get(f"/modified-files/{of_x['id']}"))["drift"] == "upstream_removed"
    assert (await service.get(f"/modified-files/{of_x['id']}"))["path"] == "config/a/v.yaml"
    assert (await service.get(f"/modified-files/{of_y['id']}"))["path"] == "config/b/v.yaml"


async def test_a_removed_file_keeps_its_record_while_a_variant_refers_to_it_and_is_revived(
    service: Service,
) -> None:
    repository = service.repository("acme/b", {"config/a.yaml": CONFIG, "config/b.yaml": b"b: 1\n"})
    project = await service.synced("acme/b")
    files = await service.files(project["id"])
    variant = await service.variant(project["id"], files["config/a.yaml"], modified_name="v.yaml")
    repository.commit({"config/a.yaml": None, "config/b.yaml": None}, message="both gone")
    await service.sync(project["id"])
    assert await service.files(project["id"]) == {}
    kept = await service.files(project["id"], include_removed=True)
    assert kept.keys() == {"config/a.yaml"}
    assert kept["config/a.yaml"]["removed_at"] is not None
    assert await service.raw(project["id"], files["config/a.yaml"]["id"]) == CONFIG
    assert (await service.get(f"/projects/{project['id']}"))["stats"]["removed_files"] == 1
    repository.commit({"config/a.yaml": b"model: other\n"}, message="back again")
    await service.sync(project["id"])
    revived = (await service.files(project["id"]))["config/a.yaml"]
    assert (revived["id"], revived["removed_at"]) == (files["config/a.yaml"]["id"], None)
    assert (await service.get(f"/modified-files/{variant['id']}"))["drift"] == "behind"


async def test_a_file_that_returns_as_another_type_changes_its_variants_type(
    service: Service,
) -> None:
    repository = service.repository("acme/b", {"all/c.yaml": CONFIG})
    project = await service.synced("acme/b", config_folder="all", job_folder="all")
    file = (await service.files(project["id"]))["all/c.yaml"]
    variant = await service.variant(project["id"], file, modified_name="v.yaml")
    repository.commit({"all/c.yaml": None, "all/x.yaml": b"x: 1\n"}, message="gone")
    await service.sync(project["id"])
    repository.commit({"all/c.yaml": JOB}, message="back as a job")
    await service.sync(project["id"])
    assert (await service.files(project["id"]))["all/c.yaml"]["file_type"] == "job"
    now = await service.get(f"/modified-files/{variant['id']}")
    assert (now["file_type"], now["drift"]) == ("job", "behind")


async def test_the_record_of_a_removed_file_goes_when_its_last_variant_is_gone_for_good(
    service: Service,
) -> None:
    repository = service.repository("acme/b", {"config/a.yaml": CONFIG})
    project = await service.synced("acme/b")
    file = (await service.files(project["id"]))["config/a.yaml"]
    variant = await service.variant(project["id"], file)
    repository.commit({"config/a.yaml": None}, message="gone")
    await service.sync(project["id"])
    assert (await service.http.delete(f"/modified-files/{variant['id']}")).status_code == 204
    await service.services.trash.purge(datetime.now(UTC))
    assert (await service.files(project["id"], include_removed=True)).keys() == {"config/a.yaml"}
    await service.services.trash.purge(datetime.now(UTC) + timedelta(days=31))
    assert await service.files(project["id"], include_removed=True) == {}


async def test_drift_follows_upstream_there_and_back(service: Service) -> None:
    repository = service.repository("acme/b", {"config/a.yaml": CONFIG})
    project = await service.synced("acme/b")
    file = (await service.files(project["id"]))["config/a.yaml"]
    variant = await service.variant(project["id"], file, content="model: mine\n")
    seen = []
    for content in (b"model: new\n", b"# why\n" + CONFIG, CONFIG):
        repository.commit({"config/a.yaml": content}, message="change")
        await service.sync(project["id"])
        now = await service.get(f"/modified-files/{variant['id']}")
        seen.append((now["drift"], now["content"], now["revision"]))
    assert seen == [(drift, "model: mine\n", 1) for drift in ("conflict", "behind", "current")]


async def test_a_force_push_is_a_change_like_any_other(service: Service) -> None:
    repository = service.repository("acme/b", {"config/a.yaml": b"a: 1\n"})
    first = repository.branches()[0][1]
    repository.commit({"config/a.yaml": b"a: 2\n"}, message="second")
    project = await service.synced("acme/b")
    repository.reset_branch("main", first)
    sync = await service.sync(project["id"])
    assert (sync["updated"], sync["commit_sha"]) == (1, first)


async def test_a_folder_which_the_branch_does_not_have_is_a_warning(service: Service) -> None:
    service.repository("acme/b", {"config/a.yaml": CONFIG})
    project = await service.project("acme/b", job_folder="jobs/nightly")
    sync = await service.sync(project["id"])
    assert (sync["status"], sync["synced_files"]) == ("success", 1)
    assert [w["code"] for w in sync["warnings"]] == ["folder_not_found"]


async def test_warnings_stay_while_nothing_changes_and_go_with_their_reason(
    service: Service,
) -> None:
    repository = service.repository("acme/b", {"config/a.yaml": CONFIG, "README.md": b"1"})
    project = await service.project("acme/b")
    first = await service.sync(project["id"])
    unchanged = await service.sync(project["id"])
    repository.commit({"README.md": b"2"}, message="elsewhere")
    elsewhere = await service.sync(project["id"])
    repository.commit({"job/j.yaml": JOB}, message="the folder comes")
    last = await service.sync(project["id"])
    assert [w["code"] for w in first["warnings"]] == ["folder_not_found"]
    assert first["warnings"] == unchanged["warnings"] == elsewhere["warnings"]
    assert last["warnings"] == []


async def test_a_folder_which_went_upstream_removes_its_files(service: Service) -> None:
    repository = service.repository("acme/b", {"config/a.yaml": CONFIG, "job/j.yaml": JOB})
    project = await service.synced("acme/b")
    repository.commit({"job": None}, message="no jobs any more")
    assert (await service.sync(project["id"]))["removed"] == 1
    assert (await service.files(project["id"])).keys() == {"config/a.yaml"}


@pytest.mark.parametrize("route", ROUTES, ids=str)
async def test_skipped_files_are_listed_with_reasons_and_fetched_once(
    service: Service, route: Route
) -> None:
    fields = route.open(service)
    repository = service.repository(
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
    project = await service.project("acme/b", **fields)
    sync = await service.sync(project["id"])
    assert {row["path"]: row["reason"] for row in sync["skipped"]} == {
        "config/nul.yaml": "binary",
        "config/latin.yaml": "not_utf8",
        "config/big.json": "too_large",
        "config/pointer.json": "lfs_pointer",
        "config/link.yaml": "symlink",
        "config/module.yaml": "submodule",
    }
    assert (await service.files(project["id"])).keys() == {"config/a.yaml"}
    repository.commit({"config/b.yaml": b"b: 1\n"}, message="one more")
    service.github.requests.reset()
    again = await service.sync(project["id"])
    assert (len(again["skipped"]), again["added"]) == (6, 1)
    archives = service.github.requests.count("/codeload/")
    assert blobs_asked_for(list(service.github.requests)) == (0 if archives else 1)


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


async def test_the_same_folder_twice_is_sorted_by_content(service: Service) -> None:
    repository = service.repository(
        "acme/b", {"all/j.yaml": JOB, "all/c.yaml": CONFIG, "all/d.json": b"{}"}
    )
    project = await service.synced("acme/b", config_folder="all", job_folder="/all/")
    files = await service.files(project["id"])
    assert {p: f["file_type"] for p, f in files.items()} == {
        "all/j.yaml": "job", "all/c.yaml": "config", "all/d.json": "config"
    }  # fmt: skip
    repository.commit({"all/c.yaml": JOB + b"# now a job\n"}, message="c becomes a job")
    await service.sync(project["id"])
    assert (await service.files(project["id"]))["all/c.yaml"]["file_type"] == "job"


async def test_files_are_sorted_anew_when_the_folders_become_one(service: Service) -> None:
    service.repository("acme/b", {"all/j.yaml": JOB, "all/c.yaml": CONFIG}, private_to=["reader"])
    project = await service.synced("acme/b", config_folder="all", github_token="reader")
    assert {f["file_type"] for f in (await service.files(project["id"])).values()} == {"config"}
    service.github.requests.reset()
    await service.put(f"/projects/{project['id']}", {"job_folder": "all"})
    await service.sync(project["id"])
    assert (await service.files(project["id"]))["all/j.yaml"]["file_type"] == "job"
    assert blobs_asked_for(list(service.github.requests)) == 0


async def test_another_folder_makes_the_project_due_and_reads_the_other_files(
    service: Service,
) -> None:
    service.repository("acme/b", {"config/a.yaml": CONFIG, "other/b.yaml": b"b: 1\n"})
    project = await service.synced("acme/b")
    changed = await service.put(f"/projects/{project['id']}", {"config_folder": "other"})
    assert changed["next_poll_at"] is not None
    sync = await service.sync(project["id"])
    assert (sync["added"], sync["removed"]) == (1, 1)
    assert (await service.files(project["id"])).keys() == {"other/b.yaml"}
    assert (await service.get(f"/projects/{project['id']}"))["next_poll_at"] is None


async def test_contents_have_the_commit_with_which_they_were_first_seen(
    service: Service,
) -> None:
    repository = service.repository("acme/b", {"config/a.yaml": CONFIG, "config/b.yaml": b"b: 1\n"})
    project = await service.synced("acme/b")
    first = (await service.files(project["id"]))["config/a.yaml"]
    head = repository.commit(
        {"config/b.yaml": b"b: 2\n"}, message="b", date=datetime(2025, 1, 1, 18, 4, 5, tzinfo=UTC)
    )
    await service.sync(project["id"])
    files = await service.files(project["id"])
    assert files["config/a.yaml"]["commit_sha"] == first["commit_sha"]
    assert files["config/b.yaml"]["commit_sha"] == head
    assert files["config/b.yaml"]["last_modified"] == "2025-01-01T18:04:05Z"


async def test_commits_of_another_repository_say_nothing_about_the_same_contents_here(
    service: Service,
) -> None:
    service.repository("acme/one", {"config/a.yaml": CONFIG})
    two = service.repository("acme/two", {"config/a.yaml": CONFIG, "README.md": b"another history"})
    project = await service.synced("acme/one", name="project")
    await service.put(f"/projects/{project['id']}", {"github_repo_url": "acme/two"})
    sync = await service.sync(project["id"])
    assert (await service.files(project["id"]))["config/a.yaml"]["commit_sha"] == sync["commit_sha"]
    assert two.find_commit(sync["commit_sha"]) is not None


async def test_a_renamed_repository_is_followed_and_its_new_address_kept(service: Service) -> None:
    service.repository("acme/old", {"config/a.yaml": CONFIG})
    project = await service.synced("acme/old")
    service.github.rename("acme/old", "acme/new")
    assert (await service.sync(project["id"]))["status"] == "unchanged"
    now = await service.get(f"/projects/{project['id']}")
    assert now["github_repo_url"] == f"{service.github.url}/repos/acme/new"
    service.github.requests.reset()
    await service.sync(project["id"])
    assert [r.status for r in service.github.requests] == [304]


@pytest.mark.parametrize("graphql", [True, False])
async def test_the_default_branch_is_named_once_known(service: Service, graphql: bool) -> None:
    repository = service.repository("acme/b", {"config/a.yaml": CONFIG}, private_to=["reader"])
    service.github.graphql = graphql
    project = await service.project("acme/b", github_token="reader")
    assert (project["branch"], project["resolved_branch"]) == (None, None)
    await service.sync(project["id"])
    assert (await service.get(f"/projects/{project['id']}"))["resolved_branch"] == "main"
    repository.commit({"config/a.yaml": b"a: 9\n"}, message="on trunk", branch="trunk", parent=None)
    repository.set_default_branch("trunk")
    await service.sync(project["id"])
    assert (await service.get(f"/projects/{project['id']}"))["resolved_branch"] == "trunk"


@pytest.mark.parametrize("graphql", [True, False])
async def test_a_renamed_default_branch_is_noticed_also_with_a_commit_which_only_removes(
    service: Service, graphql: bool
) -> None:
    files = {"config/a.yaml": CONFIG, "config/b.yaml": b"b: 1\n"}
    repository = service.repository("acme/b", files, private_to=["reader"])
    service.github.graphql = graphql
    project = await service.synced("acme/b", github_token="reader")
    head = repository.commit({"config/b.yaml": None}, message="gone")
    repository.reset_branch("trunk", head)
    repository.set_default_branch("trunk")
    repository.delete_branch("main")
    assert (await service.sync(project["id"]))["removed"] == 1
    assert (await service.get(f"/projects/{project['id']}"))["resolved_branch"] == "trunk"


@pytest.mark.parametrize("route", ["with a token, without archives", "one request a blob"])
async def test_two_projects_of_one_repository_share_contents_but_strangers_do_not(
    service: Service, route: str
) -> None:
    files = {"config/a.yaml": CONFIG}
    fields = BY_NAME[route].open(service)
    service.repository("acme/one", files, private_to=["reader"])
    service.repository("acme/two", files, private_to=["reader"])
    await service.synced("acme/one", name="first", **fields)
    service.github.requests.reset()
    await service.synced("acme/one", name="second", **fields)
    assert blobs_asked_for(list(service.github.requests)) == 0
    await service.synced("acme/two", name="stranger", **fields)
    assert blobs_asked_for(list(service.github.requests)) == 1


async def test_a_second_call_joins_the_running_sync(service: Service) -> None:
    service.repository("acme/b", {"config/a.yaml": CONFIG})
    project = await service.project("acme/b")
    service.github.latency = 0.1
    one, two, three = await asyncio.gather(*(service.sync(project["id"]) for _ in range(3)))
    assert one == two == three
    assert service.github.requests.count("/commits$") == 1
    # Who comes while it runs asks GitHub nothing.
    service.github.requests.reset()
    with service.github.held():
        first = asyncio.create_task(service.sync(project["id"]))
        await running_sync(service, project)
        second = asyncio.create_task(service.sync(project["id"]))
        await service.get(f"/projects/{project['id']}")
    assert await second == await first
    assert len(service.github.requests) == 1
    assert len(await service.rows(f"/projects/{project['id']}/syncs")) == 2


async def test_a_sync_under_way_in_another_replica_is_joined(
    service: Service, database_url: str, github: GitHubTestServer
) -> None:
    service.repository("acme/b", {"config/a.yaml": CONFIG})
    project = await service.project("acme/b")
    github.latency = 0.2
    async with running_service(database_url, github, service.folder) as other:
        here, there = await asyncio.gather(service.sync(project["id"]), other.sync(project["id"]))
    assert here == there
    assert github.requests.count("/commits$") == 1


async def test_a_project_shows_running_while_it_is_synced(service: Service) -> None:
    service.repository("acme/b", {"config/a.yaml": CONFIG})
    project = await service.project("acme/b")
    assert project["sync_status"] == "never"
    with service.github.held():
        task = asyncio.create_task(service.sync(project["id"]))
        await running_sync(service, project)
        assert (await service.get(f"/projects/{project['id']}"))["sync_status"] == "running"
        assert (await service.get("/status"))["projects_by_sync_status"]["running"] == 1
    await task
    assert (await service.get(f"/projects/{project['id']}"))["sync_status"] == "ok"


async def test_changing_the_folders_during_a_sync_makes_it_start_again(service: Service) -> None:
    service.repository("acme/b", {"config/a.yaml": CONFIG, "other/b.yaml": b"b: 1\n"})
    project = await service.project("acme/b")
    with service.github.held():
        task = asyncio.create_task(service.sync(project["id"]))
        await running_sync(service, project)
        await service.put(f"/projects/{project['id']}", {"config_folder": "other"})
    assert (await task)["status"] == "success"
    assert (await service.files(project["id"])).keys() == {"other/b.yaml"}


async def test_deleting_the_project_during_a_sync_leaves_nothing(service: Service) -> None:
    service.repository("acme/b", {"config/a.yaml": CONFIG})
    project = await service.project("acme/b")
    with service.github.held():
        task = asyncio.create_task(service.sync(project["id"], status=404))
        await running_sync(service, project)
        assert (await service.http.delete(f"/projects/{project['id']}")).status_code == 204
    assert (await task)["code"] == "project_not_found"
    totals = await service.get("/status")
    assert (totals["total_projects"], totals["total_files"]) == (0, 0)


async def test_a_worker_which_lost_its_lease_commits_nothing(service: Service) -> None:
    service.repository("acme/b", {"config/a.yaml": CONFIG})
    project = await service.project("acme/b")
    database = service.services.database
    with service.github.held():
        task = asyncio.create_task(service.sync(project["id"]))
        running = await running_sync(service, project)
        await database.collection("projects").update_one(
            {"_id": ObjectId(project["id"])},
            {"$set": {"lease_owner": "another"}, "$inc": {"fence": 1}},
        )
    await asyncio.wait({running})
    assert await service.files(project["id"]) == {}
    # The other replica dies: its lease runs out, and the sync which was asked for is done after
    # all.
    await database.collection("projects").update_one(
        {"_id": ObjectId(project["id"])}, {"$set": {"lease_until": utc_now()}}
    )
    assert (await task)["synced_files"] == 1


@pytest.mark.parametrize(
    ("route", "count", "failing", "most"),
    [
        # Of the three queries the first is answered, of the raw requests three quarters.
        ("with a token, without archives", 120, 2, 80),
        ("one request a blob", 60, 46, 25),
    ],
)
async def test_what_arrived_before_a_failure_is_not_fetched_again(
    hasty: Service, route: str, count: int, failing: int, most: int
) -> None:
    fields = BY_NAME[route].open(hasty)
    hasty.repository(
        "acme/b", {f"config/{n}.yaml": b"n: %d\n" % n for n in range(count)}, private_to=["reader"]
    )
    project = await hasty.project("acme/b", **fields)

    def is_contents(request: RecordedRequest) -> bool:
        return blobs_asked_for([request]) > 0

    fault = hasty.github.faults.add(Status(500), where=is_contents, nth=failing, times=None)
    await hasty.sync(project["id"], status=502)
    assert await hasty.files(project["id"]) == {}
    hasty.github.faults.remove(fault)
    hasty.github.requests.reset()
    assert (await hasty.sync(project["id"]))["added"] == count
    assert blobs_asked_for(list(hasty.github.requests)) <= most


@pytest.mark.parametrize("route", ROUTES, ids=str)
async def test_wrong_bytes_are_never_stored(hasty: Service, route: Route) -> None:
    fields = route.open(hasty)
    hasty.repository("acme/b", {"config/a.yaml": CONFIG}, private_to=route.readers)
    project = await hasty.project("acme/b", **fields)
    for path in ("/git/blobs/", "graphql$", "/codeload/"):
        hasty.github.faults.add(OtherText(CONFIG), path=path, times=None)
    failed = await hasty.sync(project["id"], status=502)
    assert failed["code"] == "github_unavailable"
    assert await hasty.files(project["id"]) == {}


@dataclass(frozen=True, slots=True)
class OtherText:
    """A fault: the first letter of a text is another one, in archives too; the rest is right."""

    text: bytes

    def change(self, answer: ServedAnswer, body: bytes) -> ServedAnswer:
        packed = body.startswith(b"\x1f\x8b")
        plain = gzip.decompress(body) if packed else body
        start = self.text[:5]
        assert start in plain or b"tree" in plain
        wrong = plain.replace(start, start.swapcase())
        return replace(answer, body=gzip.compress(wrong) if packed else wrong)


@pytest.mark.parametrize("clock_error", [-7200, 7200])
async def test_a_replica_with_a_wrong_clock_takes_no_lease_away(
    service: Service, database_url: str, github: GitHubTestServer, clock_error: int
) -> None:
    service.repository("acme/b", {"config/a.yaml": CONFIG})
    project = await service.project("acme/b")
    github.latency = 0.2
    externals = Externals(clock=lambda: utc_now() + timedelta(seconds=clock_error))
    async with running_service(database_url, github, service.folder, externals=externals) as other:
        here, there = await asyncio.gather(service.sync(project["id"]), other.sync(project["id"]))
    assert here == there
    assert github.requests.count("/commits$") == 1


async def test_a_large_listing_is_read_folder_by_folder(service: Service) -> None:
    many = {f"data/{n % 7}/{n}.txt": b"x" for n in range(300)} | {
        f"config/{n}.yaml": b"n: %d\n" % n for n in range(9)
    }
    service.repository("acme/b", many)
    service.github.tree_limits.recursive_entries = 50
    project = await service.project("acme/b")
    assert (await service.sync(project["id"]))["added"] == 9


async def test_a_folder_that_cannot_be_listed_fails_and_removes_nothing(service: Service) -> None:
    repository = service.repository(
        "acme/b", {f"config/{n}.yaml": b"n: %d\n" % n for n in range(9)}
    )
    project = await service.synced("acme/b")
    repository.commit(
        {f"config/{n}.yaml": b"n: %d\n" % n for n in range(9, 99)}, message="many more"
    )
    service.github.tree_limits.recursive_entries = 50
    service.github.tree_limits.folder_entries = 50
    assert (await service.sync(project["id"], status=422))["code"] == "tree_too_large"
    assert len(await service.files(project["id"])) == 9
    assert (await service.get(f"/projects/{project['id']}"))["sync_status"] == "failing"


async def test_folders_without_files_are_a_success_once_and_unchanged_from_then_on(
    service: Service,
) -> None:
    service.repository("acme/b", {"README.md": b"nothing here\n"})
    project = await service.project("acme/b")
    syncs = [await service.sync(project["id"]) for _ in range(2)]
    assert [(s["status"], s["synced_files"], len(s["warnings"])) for s in syncs] == [
        ("success", 0, 2),
        ("unchanged", 0, 2),
    ]
