"""Rebasing many modified files with one request, over the API."""

import asyncio
from typing import Any

import pytest
import pytest_asyncio

from benchmark_manager.models.page import PageRequest
from benchmark_manager.services.variants.rebase_all import ChosenVariant, RebaseSelection
from github_test_server import Repository
from support.principals import open_principal
from support.problems import assert_problem
from support.service import Json, Service

BASE = b"# Serving\nmodel: llama\ntensor_parallel_size: 2  # GPUs\nmax_model_len: 4096\nseed: 1\n"
#: Upstream's change, which those variants that leave the seed alone can take.
THEIRS = BASE.replace(b"seed: 1", b"seed: 2")
PATH, OTHER = "config/serve.yaml", "config/other.yaml"
EMPTY: Json = {"rebased": [], "conflicts": [], "unchanged": [], "failed": []}


@pytest.fixture(scope="module")
def repository(module_service: Service) -> Repository:
    return module_service.repository("acme/b", {PATH: BASE, OTHER: BASE})


@pytest_asyncio.fixture(scope="module", loop_scope="session")
async def project(module_service: Service, repository: Repository) -> Json:
    assert repository.branches()
    return await module_service.synced("acme/b")


async def make(service: Service, project: Json, name: str, text: str, path: str = PATH) -> Json:
    original = (await service.files(project["id"]))[path]
    return await service.variant(project["id"], original, modified_name=name, content=text)


def clean(size: int) -> str:
    return BASE.decode().replace("size: 2", f"size: {size}")


CONFLICTING = BASE.decode().replace("seed: 1", "seed: 3")


async def upstream(
    service: Service, repository: Repository, project: Json, text: bytes = THEIRS
) -> None:
    repository.commit({PATH: text, OTHER: text}, message="upstream")
    await service.sync(project["id"])


async def rebase_all(service: Service, project: Json, status: int = 200, **body: Any) -> Json:
    return await service.post(f"/projects/{project['id']}/modified-files/rebase-all", body, status)


def outcomes(answer: Json) -> Json:
    return {name: answer[name] for name in EMPTY}


async def test_clean_variants_are_rebased_and_those_in_conflict_reported_and_left_as_they_are(
    service: Service, repository: Repository, project: Json
) -> None:
    first, second = [await make(service, project, f"tp{size}.yaml", clean(size)) for size in (4, 8)]
    stuck = await make(service, project, "seed3.yaml", CONFLICTING)
    await upstream(service, repository, project)
    answer = await service.http.post(
        f"/projects/{project['id']}/modified-files/rebase-all",
        json={"drift": "behind"},
        headers={"X-Actor": "kim"},
    )
    assert answer.status_code == 200
    report = answer.json()
    assert outcomes(report) == {
        **EMPTY,
        "rebased": [first["id"], second["id"]],
        "conflicts": [stuck["id"]],
    }
    assert (report["total"], report["next_cursor"], report["preview"]) == (3, None, None)
    paths = [f"/modified-files/{variant['id']}" for variant in (first, second)]
    rebased = [await service.get(path) for path in paths]
    contents = [clean(size).replace("seed: 1", "seed: 2") for size in (4, 8)]
    assert [each["content"] for each in rebased] == contents
    states = [(each["drift"], each["revision"], each["updated_by"]) for each in rebased]
    assert states == [("current", 2, "kim")] * 2
    histories = [await service.rows(f"{path}/revisions") for path in paths]
    assert [[(row["what"], row["created_by"]) for row in rows] for rows in histories] == [
        [("rebased", "kim"), ("created", "anonymous")]
    ] * 2
    now = await service.get(f"/modified-files/{stuck['id']}")
    assert (now["content"], now["drift"], now["revision"]) == (CONFLICTING, "conflict", 1)


async def test_a_repeated_rebase_of_all_changes_nothing_more(
    service: Service, repository: Repository, project: Json
) -> None:
    variant = await make(service, project, "tp4.yaml", clean(4))
    await upstream(service, repository, project)
    assert (await rebase_all(service, project))["rebased"] == [variant["id"]]
    assert outcomes(await rebase_all(service, project)) == EMPTY
    assert (await service.get(f"/modified-files/{variant['id']}"))["revision"] == 2


async def test_only_variants_of_the_named_original_are_rebased(
    service: Service, repository: Repository, project: Json
) -> None:
    mine = await make(service, project, "tp4.yaml", clean(4))
    other = await make(service, project, "tp8.yaml", clean(8), OTHER)
    await upstream(service, repository, project)
    report = await rebase_all(service, project, original_file_id=other["original_file_id"])
    assert (report["rebased"], report["total"]) == ([other["id"]], 1)
    assert (await service.get(f"/modified-files/{mine['id']}"))["drift"] == "behind"


async def test_a_dry_run_reports_each_outcome_and_changes_nothing(
    service: Service, repository: Repository, project: Json
) -> None:
    variant = await make(service, project, "tp4.yaml", clean(4))
    stuck = await make(service, project, "seed3.yaml", CONFLICTING)
    await upstream(service, repository, project)
    report = await rebase_all(service, project, dry_run=True)
    assert outcomes(report) == {**EMPTY, "rebased": [variant["id"]], "conflicts": [stuck["id"]]}
    by_path = {row["path"]: row for row in report["preview"]}
    taken = by_path["config/tp4.yaml"]
    assert (taken["outcome"], taken["revision"], taken["changes_count"]) == ("rebased", 1, 1)
    assert taken["changes"] == [{"path": "seed", "kind": "changed", "before": "1", "after": "2"}]
    left = by_path["config/seed3.yaml"]
    assert (left["outcome"], left["conflicts"], left["conflicts_count"]) == (
        "conflict",
        ["seed"],
        1,
    )
    now = await service.get(f"/modified-files/{variant['id']}")
    assert (now["drift"], now["revision"], now["content"]) == ("behind", 1, clean(4))


async def test_two_rebases_at_once_rebase_each_variant_once(
    service: Service, repository: Repository, project: Json
) -> None:
    variants = [
        await make(service, project, f"tp{size}.yaml", clean(size)) for size in range(4, 10)
    ]
    await upstream(service, repository, project)
    both = await asyncio.gather(*(rebase_all(service, project) for _ in range(2)))
    rebased = [file_id for report in both for file_id in report["rebased"]]
    assert sorted(rebased) == sorted(variant["id"] for variant in variants)
    assert [report["failed"] + report["conflicts"] for report in both] == [[], []]
    now = [await service.get(f"/modified-files/{variant['id']}") for variant in variants]
    assert [each["revision"] for each in now] == [2] * 6


async def test_one_failure_does_not_stop_the_others(
    service: Service, repository: Repository, project: Json
) -> None:
    gone = await make(service, project, "a.yaml", clean(4))
    kept = await make(service, project, "b.yaml", clean(8))
    await upstream(service, repository, project)
    seen = [
        {"id": row["id"], "revision": row["revision"], "theirs_sha": row["theirs_sha"]}
        for row in (await rebase_all(service, project, dry_run=True))["preview"]
    ]
    assert (await service.http.delete(f"/modified-files/{gone['id']}")).status_code == 204
    report = await rebase_all(service, project, variants=seen)
    assert (report["rebased"], [failed["id"] for failed in report["failed"]]) == (
        [kept["id"]],
        [gone["id"]],
    )
    assert report["failed"][0]["code"] == "modified_file_not_found"


async def test_a_variant_saved_since_the_preview_fails_as_stale(
    service: Service, repository: Repository, project: Json
) -> None:
    variant = await make(service, project, "tp4.yaml", clean(4))
    await upstream(service, repository, project)
    [row] = (await rebase_all(service, project, dry_run=True))["preview"]
    chosen = [{name: row[name] for name in ("id", "revision", "theirs_sha")}]
    await service.put(f"/modified-files/{variant['id']}", {"content": clean(16)})
    report = await rebase_all(service, project, variants=chosen)
    assert [(failed["id"], failed["code"]) for failed in report["failed"]] == [
        (variant["id"], "stale")
    ]
    assert (await service.get(f"/modified-files/{variant['id']}"))["content"] == clean(16)


async def test_a_variant_whose_original_changed_since_the_preview_fails_as_moved(
    service: Service, repository: Repository, project: Json
) -> None:
    await make(service, project, "tp4.yaml", clean(4))
    await upstream(service, repository, project)
    [row] = (await rebase_all(service, project, dry_run=True))["preview"]
    await upstream(service, repository, project, THEIRS.replace(b"4096", b"8192"))
    chosen = [{name: row[name] for name in ("id", "revision", "theirs_sha")}]
    report = await rebase_all(service, project, variants=chosen)
    assert [failed["code"] for failed in report["failed"]] == ["upstream_moved"]


async def test_pages_of_a_rebase_of_all_take_each_variant_once(
    service: Service, repository: Repository, project: Json
) -> None:
    variants = [await make(service, project, f"tp{size}.yaml", clean(size)) for size in range(4, 9)]
    stuck = await make(service, project, "seed3.yaml", CONFLICTING)
    await upstream(service, repository, project)
    reports: list[Json] = []
    cursor = None
    for _ in range(3):
        reports.append(await rebase_all(service, project, limit=2, cursor=cursor))
        cursor = reports[-1]["next_cursor"]
    assert [report["next_cursor"] is None for report in reports] == [False, False, True]
    rebased = [file_id for report in reports for file_id in report["rebased"]]
    assert sorted(rebased) == sorted(variant["id"] for variant in variants)
    assert [file_id for report in reports for file_id in report["conflicts"]] == [stuck["id"]]


async def test_variants_in_the_trash_and_of_removed_originals_are_not_rebased(
    service: Service, repository: Repository, project: Json
) -> None:
    trashed = await make(service, project, "tp4.yaml", clean(4))
    orphan = await make(service, project, "tp8.yaml", clean(8), OTHER)
    await service.http.delete(f"/modified-files/{trashed['id']}")
    repository.commit({PATH: THEIRS, OTHER: None}, message="upstream")
    await service.sync(project["id"])
    assert outcomes(await rebase_all(service, project)) == EMPTY
    assert (await service.get(f"/modified-files/{orphan['id']}"))["drift"] == "upstream_removed"


async def test_a_variant_of_another_project_is_not_found(
    service: Service, repository: Repository, project: Json
) -> None:
    variant = await make(service, project, "tp4.yaml", clean(4))
    await upstream(service, repository, project)
    [row] = (await rebase_all(service, project, dry_run=True))["preview"]
    service.repository("acme/c", {PATH: BASE})
    other = await service.synced("acme/c")
    chosen = [{name: row[name] for name in ("id", "revision", "theirs_sha")}]
    report = await rebase_all(service, other, variants=chosen)
    assert [failed["code"] for failed in report["failed"]] == ["modified_file_not_found"]
    assert (await service.get(f"/modified-files/{variant['id']}"))["revision"] == 1


async def test_chosen_variants_for_which_no_time_is_left_are_reported_as_left(
    service: Service, repository: Repository, project: Json
) -> None:
    for size in (4, 8, 16):
        await make(service, project, f"tp{size}.yaml", clean(size))
    await upstream(service, repository, project)
    previewed = await rebase_all(service, project, dry_run=True)
    assert previewed["left"] == []
    chosen = [
        ChosenVariant(row["id"], row["revision"], row["theirs_sha"]) for row in previewed["preview"]
    ]
    first, second, third = [variant.id for variant in chosen]
    reports = []
    for _ in range(3):
        report = await service.services.rebase_all.rebase(
            open_principal("kim"),
            project["id"],
            RebaseSelection(chosen=chosen),
            PageRequest(10),
            seconds=0,
        )
        outcomes = [variant.outcome for variant in report.variants]
        reports.append((outcomes, report.ids("rebased"), list(report.left)))
        chosen = [variant for variant in chosen if variant.id in report.left]
    assert reports == [
        (["rebased"], [first], [second, third]),
        (["rebased"], [second], [third]),
        (["rebased"], [third], []),
    ]


@pytest.mark.parametrize(
    ("body", "status", "code"),
    [
        ({"drift": "current"}, 422, "invalid_request"),
        ({"limit": 0}, 422, "invalid_request"),
        ({"limit": 1001}, 422, "invalid_request"),
        ({"cursor": "x"}, 422, "invalid_cursor"),
        ({"original_file_id": "65f0c0ffee65f0c0ffee65f0"}, 404, "file_not_found"),
        ({"original_file_id": "no id"}, 404, "file_not_found"),
        ({"variants": [], "cursor": "x"}, 422, "invalid_request"),
        ({"dryrun": True}, 422, "invalid_request"),
    ],
)
async def test_a_request_that_makes_no_sense_is_refused(
    service: Service, project: Json, body: Json, status: int, code: str
) -> None:
    answer = await service.http.post(
        f"/projects/{project['id']}/modified-files/rebase-all", json=body
    )
    assert_problem(answer, status, code)


async def test_a_rebase_of_all_of_an_unknown_project_is_refused(service: Service) -> None:
    answer = await service.http.post(
        "/projects/65f0c0ffee65f0c0ffee65f0/modified-files/rebase-all", json={}
    )
    assert_problem(answer, 404, "project_not_found")
