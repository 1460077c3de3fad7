"""Drift, previews of merges and rebases, over the API."""

import asyncio
from typing import Any

import pytest
import pytest_asyncio

from github_test_server import Repository
from support.problems import assert_problem
from support.service import Json, Service

BASE = b"# Serving\nmodel: llama\ntensor_parallel_size: 2  # GPUs\nmax_model_len: 4096\nseed: 1\n"
MINE = "# Serving\nmodel: llama\ntensor_parallel_size: 8  # GPUs\nmax_model_len: 4096\nseed: 1\n"
PATH = "config/serve.yaml"
#: Outcome of the preview, and the drift of such a variant.
DRIFTS = {
    ("nothing", "current"),
    ("text", "behind"),
    ("keys", "behind"),
    ("conflict", "conflict"),
}


@pytest.fixture(scope="module")
def repository(module_service: Service) -> Repository:
    return module_service.repository("acme/b", {PATH: BASE, "config/other.yaml": b"a: 1\n"})


@pytest_asyncio.fixture(scope="module", loop_scope="session")
async def project(module_service: Service, repository: Repository) -> Json:
    assert repository.branches()
    return await module_service.synced("acme/b")


@pytest_asyncio.fixture(scope="module", loop_scope="session")
async def variant(module_service: Service, project: Json) -> Json:
    original = (await module_service.files(project["id"]))[PATH]
    return await module_service.variant(
        project["id"], original, modified_name="tp8.yaml", content=MINE
    )


async def upstream(service: Service, repository: Repository, project: Json, text: bytes) -> str:
    head = repository.commit({PATH: text}, message="upstream")
    await service.sync(project["id"])
    return head


async def now(service: Service, variant: Json) -> Json:
    return await service.get(f"/modified-files/{variant['id']}")


async def rebase(service: Service, variant: Json, status: int = 200, **body: Any) -> Json:
    return await service.post(f"/modified-files/{variant['id']}/rebase", body, status)


async def test_with_an_unchanged_original_there_is_nothing_to_merge_and_no_revision(
    service: Service, variant: Json
) -> None:
    preview = await service.get(f"/modified-files/{variant['id']}/merge")
    assert (preview["outcome"], preview["content"], preview["conflicts"]) == ("nothing", MINE, [])
    assert (preview["base"], preview["theirs"], preview["mine"]) == (
        BASE.decode(),
        BASE.decode(),
        MINE,
    )
    assert (await rebase(service, variant))["revision"] == 1
    answer = await service.http.post(f"/modified-files/{variant['id']}/rebase")
    assert (answer.status_code, answer.json()["revision"]) == (200, 1)


async def test_a_clean_merge_makes_a_revision_based_on_the_present_original(
    service: Service, repository: Repository, project: Json, variant: Json
) -> None:
    theirs = BASE.replace(b"seed: 1", b"seed: 2")
    head = await upstream(service, repository, project, theirs)
    assert (await now(service, variant))["drift"] == "behind"
    preview = await service.get(f"/modified-files/{variant['id']}/merge")
    merged = MINE.replace("seed: 1", "seed: 2")
    assert (preview["outcome"], preview["content"], preview["theirs_commit_sha"]) == (
        "text",
        merged,
        head,
    )
    answer = await service.http.post(
        f"/modified-files/{variant['id']}/rebase", json={}, headers={"X-Actor": "kim"}
    )
    rebased = answer.json()
    assert answer.status_code == 200
    assert (rebased["content"], rebased["revision"], rebased["drift"]) == (merged, 2, "current")
    assert (rebased["base_sha"], rebased["base_commit_sha"]) == (preview["theirs_sha"], head)
    newest, first = await service.rows(f"/modified-files/{variant['id']}/revisions")
    assert (newest["what"], newest["created_by"], newest["base_sha"]) == (
        "rebased",
        "kim",
        preview["theirs_sha"],
    )
    assert first["base_sha"] == variant["base_sha"]


async def test_adjacent_changes_are_merged_by_keys_into_upstreams_text(
    service: Service, repository: Repository, project: Json, variant: Json
) -> None:
    await upstream(
        service,
        repository,
        project,
        BASE.replace(b"max_model_len: 4096", b"max_model_len: 8192  # long"),
    )
    preview = await service.get(f"/modified-files/{variant['id']}/merge")
    assert preview["outcome"] == "keys"
    assert preview["content"] == MINE.replace("max_model_len: 4096", "max_model_len: 8192  # long")
    assert (await rebase(service, variant))["content"] == preview["content"]


async def test_a_value_that_both_changed_is_a_conflict_which_a_person_decides(
    service: Service, repository: Repository, project: Json, variant: Json
) -> None:
    theirs = BASE.replace(b"size: 2", b"size: 4")
    await upstream(service, repository, project, theirs)
    assert (await now(service, variant))["drift"] == "conflict"
    assert (await service.get(f"/projects/{project['id']}"))["stats"]["modified_files_by_drift"][
        "conflict"
    ] == 1
    listed = await service.rows(f"/projects/{project['id']}/modified-files", drift="conflict")
    assert [row["id"] for row in listed] == [variant["id"]]
    conflict = {
        "path": "tensor_parallel_size",
        "base": 2,
        "theirs": 4,
        "mine": 8,
        "absent": [],
        "line": 3,
    }
    refused = assert_problem(
        await service.http.post(f"/modified-files/{variant['id']}/rebase", json={}),
        409,
        "merge_conflict",
    )
    assert refused["conflicts"] == [conflict]
    assert (await service.get(f"/modified-files/{variant['id']}/merge"))["conflicts"] == [conflict]
    assert (await now(service, variant))["revision"] == 1
    decided = await rebase(
        service,
        variant,
        resolutions=[{"path": "tensor_parallel_size", "take": "value", "value": 16}],
    )
    assert decided["content"] == theirs.decode().replace("size: 4", "size: 16")
    assert (decided["drift"], decided["revision"]) == ("current", 2)


async def test_decisions_about_an_earlier_content_of_the_original_are_refused(
    service: Service, repository: Repository, project: Json, variant: Json
) -> None:
    await upstream(service, repository, project, BASE.replace(b"size: 2", b"size: 4"))
    seen = (await service.get(f"/modified-files/{variant['id']}/merge"))["theirs_sha"]
    newest = BASE.replace(b"size: 2", b"size: 4").replace(b"seed: 1", b"seed: 2")
    await upstream(service, repository, project, newest)
    path = f"/modified-files/{variant['id']}/rebase"
    decisions: Json = {"resolutions": [{"path": "tensor_parallel_size", "take": "mine"}]}
    by_path = await service.http.post(path, json={**decisions, "theirs_sha": seen})
    assert_problem(by_path, 409, "upstream_moved")
    whole = await service.http.post(path, json={"content": MINE, "theirs_sha": seen})
    assert_problem(whole, 409, "upstream_moved")
    assert (await now(service, variant))["drift"] == "conflict"
    seen = (await service.get(f"/modified-files/{variant['id']}/merge"))["theirs_sha"]
    assert (await rebase(service, variant, **decisions, theirs_sha=seen))["content"].endswith(
        "seed: 2\n"
    )


@pytest.mark.parametrize(("take", "size"), [("theirs", 4), ("mine", 8)])
async def test_a_decision_takes_one_side(
    service: Service, repository: Repository, project: Json, variant: Json, take: str, size: int
) -> None:
    await upstream(service, repository, project, BASE.replace(b"size: 2", b"size: 4"))
    decided = await rebase(
        service, variant, resolutions=[{"path": "tensor_parallel_size", "take": take}]
    )
    assert decided["content"] == BASE.decode().replace("size: 2", f"size: {size}")


@pytest_asyncio.fixture(scope="module", loop_scope="session")
async def undecided(module_service: Service) -> str:
    """The address of a variant in conflict with its original."""
    repository = module_service.repository("acme/undecided", {PATH: BASE})
    project = await module_service.synced("acme/undecided")
    original = (await module_service.files(project["id"]))[PATH]
    variant = await module_service.variant(project["id"], original, content=MINE)
    theirs = BASE.replace(b"size: 2", b"size: 4").replace(b"llama", b"qwen")
    await upstream(module_service, repository, project, theirs)
    return f"/modified-files/{variant['id']}"


SIZE = {"path": "tensor_parallel_size", "take": "mine"}


@pytest.mark.parametrize(
    ("body", "code"),
    [
        ({"resolutions": [{"path": "nowhere", "take": "mine"}]}, "bad_resolution"),
        ({"resolutions": [SIZE, SIZE]}, "bad_resolution"),
        ({"resolutions": [{**SIZE, "take": "value"}]}, "invalid_request"),
        ({"resolutions": [{**SIZE, "value": 1}]}, "invalid_request"),
        ({"resolutions": [SIZE], "content": "a: 1\n"}, "invalid_request"),
        ({"content": "a: [\n"}, "invalid_content"),
        ({"contents": "a: 1\n"}, "invalid_request"),
    ],
    ids=[
        "of no conflict",
        "twice",
        "without its value",
        "with a needless value",
        "and a whole text",
        "of what does not parse",
        "of an unknown field",
    ],
)
async def test_decisions_which_cannot_be_taken_are_refused_and_change_nothing(
    module_service: Service, undecided: str, body: Json, code: str
) -> None:
    answer = await module_service.http.post(f"{undecided}/rebase", json=body)
    assert_problem(answer, 422, code)
    assert (await module_service.get(undecided))["revision"] == 1


async def test_a_person_may_give_the_merged_text_and_only_what_parses_is_taken(
    service: Service, repository: Repository, project: Json, variant: Json
) -> None:
    await upstream(service, repository, project, BASE.replace(b"size: 2", b"size: 4"))
    broken = {"content": "a: [\n"}
    answer = await service.http.post(
        f"/modified-files/{variant['id']}/rebase", json=broken, params={"allow_invalid": "true"}
    )
    assert (answer.status_code, answer.json()["validity"]) == (200, "invalid")
    assert (await rebase(service, variant, content="tensor_parallel_size: 5\n"))[
        "drift"
    ] == "current"


async def test_a_stale_rebase_changes_nothing(
    service: Service, repository: Repository, project: Json, variant: Json
) -> None:
    path = f"/modified-files/{variant['id']}"
    etag = (await service.http.get(path)).headers["etag"]
    await service.put(path, {"description": "somebody else"})
    await upstream(service, repository, project, BASE.replace(b"seed: 1", b"seed: 2"))
    stale = await service.http.post(f"{path}/rebase", json={}, headers={"If-Match": etag})
    assert assert_problem(stale, 412, "stale")["current_revision"] == 2
    fresh = (await service.http.get(path)).headers["etag"]
    assert (
        await service.http.post(f"{path}/rebase", json={}, headers={"If-Match": fresh})
    ).status_code == 200


async def test_a_removed_original_cannot_be_merged(
    service: Service, repository: Repository, project: Json, variant: Json
) -> None:
    repository.commit({PATH: None}, message="gone")
    await service.sync(project["id"])
    assert (await now(service, variant))["drift"] == "upstream_removed"
    path = f"/modified-files/{variant['id']}"
    assert_problem(await service.http.get(f"{path}/merge"), 409, "upstream_removed")
    assert_problem(await service.http.post(f"{path}/rebase", json={}), 409, "upstream_removed")


async def test_an_edit_can_end_a_conflict_and_begin_one(
    service: Service, repository: Repository, project: Json, variant: Json
) -> None:
    await upstream(service, repository, project, BASE.replace(b"size: 2", b"size: 4"))
    path = f"/modified-files/{variant['id']}"
    assert (await service.put(path, {"content": MINE.replace("size: 8", "size: 4")}))[
        "drift"
    ] == "behind"
    assert (await service.put(path, {"content": MINE.replace("seed: 1", "seed: 7")}))[
        "drift"
    ] == "conflict"
    assert (await service.put(path, {"content": BASE.decode()}))["drift"] == "behind"


async def test_templates_are_merged_by_lines_and_their_conflicts_have_no_path(
    service: Service,
) -> None:
    base = "a: {{ x }}\nb: 1\nc: 2\nd: 3\ne: 4\n"
    repository = service.repository("acme/t", {PATH: base.encode()})
    project = await service.synced("acme/t")
    original = (await service.files(project["id"]))[PATH]
    mine = base.replace("b: 1", "b: mine")
    variant = await service.variant(project["id"], original, content=mine)
    await upstream(service, repository, project, base.replace("e: 4", "e: theirs").encode())
    preview = await service.get(f"/modified-files/{variant['id']}/merge")
    assert (preview["outcome"], preview["content"]) == ("text", mine.replace("e: 4", "e: theirs"))
    await upstream(service, repository, project, base.replace("b: 1", "b: theirs").encode())
    (conflict,) = (await service.get(f"/modified-files/{variant['id']}/merge"))["conflicts"]
    assert (conflict["path"], conflict["theirs"], conflict["mine"]) == (
        None,
        "b: theirs\n",
        "b: mine\n",
    )
    decided = await rebase(service, variant, resolutions=[{"path": None, "take": "theirs"}])
    assert decided["content"] == base.replace("b: 1", "b: theirs")


async def test_every_sync_judges_the_drift_of_each_variant_anew(service: Service) -> None:
    # More than are judged at once.
    numbers = range(12)
    base = "".join(f"k{n}: {n}\n" for n in numbers)
    repository = service.repository("acme/many", {PATH: base.encode()})
    project = await service.synced("acme/many")
    original = (await service.files(project["id"]))[PATH]
    for n in numbers:
        await service.variant(
            project["id"],
            original,
            modified_name=f"v{n:02}.yaml",
            content=base.replace(f"k{n}: {n}\n", f"k{n}: x\n"),
        )
    moved = "".join(f"k{n}: {n + 1 if n % 4 == 0 else n}\n" for n in numbers)
    await upstream(service, repository, project, moved.encode())
    drifts = [
        row["drift"] for row in await service.rows(f"/projects/{project['id']}/modified-files")
    ]
    assert drifts == ["conflict" if n % 4 == 0 else "behind" for n in numbers]
    await upstream(service, repository, project, base.encode())
    stats = (await service.get(f"/projects/{project['id']}"))["stats"]
    assert stats["modified_files_by_drift"] == {
        "current": len(numbers),
        "behind": 0,
        "conflict": 0,
        "upstream_removed": 0,
    }


async def test_a_sync_touches_no_content_and_no_revision(
    service: Service, repository: Repository, project: Json, variant: Json
) -> None:
    before = await now(service, variant)
    await upstream(service, repository, project, BASE.replace(b"size: 2", b"size: 4"))
    assert await now(service, variant) == {**before, "drift": "conflict"}
    assert len(await service.rows(f"/modified-files/{variant['id']}/revisions")) == 1


async def test_rebases_edits_and_syncs_at_once_leave_each_text_whole_and_each_drift_right(
    service: Service, repository: Repository, project: Json, variant: Json
) -> None:
    path = f"/modified-files/{variant['id']}"
    seen: list[tuple[str, str]] = []
    for turn in range(5):
        repository.commit(
            {PATH: BASE.replace(b"seed: 1", b"seed: %d" % (turn + 2))}, message="upstream"
        )
        edits = (
            MINE.replace("size: 8", f"size: {10 + turn}"),
            MINE.replace("llama", f"model-{turn}"),
        )
        await asyncio.gather(
            service.sync(project["id"]),
            *(service.http.put(path, json={"content": text}) for text in edits),
            *(service.http.post(f"{path}/rebase", json={}) for _ in range(2)),
        )
        found, preview = await now(service, variant), await service.get(f"{path}/merge")
        seen.append((preview["outcome"], found["drift"]))
    assert [pair for pair in seen if pair not in DRIFTS] == []
    revisions = await service.rows(f"{path}/revisions")
    assert [row["number"] for row in revisions] == list(range(len(revisions), 0, -1))


async def test_a_conflict_of_comments_is_shown_and_decided_by_its_path(
    service: Service, repository: Repository, project: Json, variant: Json
) -> None:
    mine = MINE.replace("# GPUs", "# one node, 4 run out of memory")
    await service.put(f"/modified-files/{variant['id']}", {"content": mine})
    await upstream(service, repository, project, BASE.replace(b"# GPUs", b"# GPUs of a node"))
    assert (await now(service, variant))["drift"] == "conflict"
    (conflict,) = (await rebase(service, variant, 409))["conflicts"]
    path = "tensor_parallel_size (comment)"
    assert conflict == {
        "path": path,
        "base": "# GPUs",
        "theirs": "# GPUs of a node",
        "mine": "# one node, 4 run out of memory",
        "absent": [],
        "line": 3,
    }
    await rebase(service, variant, resolutions=[{"path": path, "take": "mine"}])
    assert (await now(service, variant))["content"] == mine
