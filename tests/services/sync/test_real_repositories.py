"""Real histories, synced version by version: every byte is git's, and no variant moves."""

import hashlib
import math
from pathlib import Path
from typing import Any

import pytest

from github_test_server import Repository
from support.real_repositories import RealRepository, blob_ids, real_repository
from support.routes import blobs_asked_for
from support.service import Json, Service

SMALL = ["ThakiCloud__vllm-eval-public", "kubernetes-sigs__inference-perf"]
LARGE = "EleutherAI__lm-evaluation-harness"


def _expected(real: RealRepository, target: Path) -> dict[str, str]:
    """Path -> blob id of what belongs to the project, by the contract's rule on endings."""
    config = blob_ids(target, "main", real.manifest["config_folder"])
    job = blob_ids(target, "main", real.manifest["job_folder"])
    wanted = {p: sha for p, sha in config.items() if p.lower().endswith((".yaml", ".yml", ".json"))}
    return wanted | {p: sha for p, sha in job.items() if p.lower().endswith((".yaml", ".yml"))}


async def _assert_exact(
    service: Service, project_id: str, expected: dict[str, str]
) -> dict[str, Json]:
    """Every stored content, read back over HTTP, has the blob id that git has at that path."""
    rows = await service.rows(f"/projects/{project_id}/files", include="content")
    assert {row["path"]: row["sha"] for row in rows} == expected
    assert {row["path"]: _git_id(row["content"].encode()) for row in rows} == expected
    return {row["path"]: row for row in rows}


def _git_id(data: bytes) -> str:
    return hashlib.sha1(b"blob %d\0" % len(data) + data, usedforsecurity=False).hexdigest()


async def _walk_history(service: Service, real: RealRepository, first: int = 1) -> None:
    """From its version `first` to the last."""
    target = service.folder / "real.git"
    real.build(target, len(real.manifest["versions"]))
    repository = Repository(target)
    service.github.add(real.full_name, repository, private_to=["reader"])
    folders = {name: real.manifest[name] for name in ("config_folder", "job_folder")}
    project = await service.project(real.full_name, github_token="reader", **folders)
    variants: dict[str, Json] = {}
    before: dict[str, str] = {}
    for number, version in enumerate(real.manifest["versions"][first - 1 :], start=first):
        commit = repository.find_commit(version["name"])
        assert commit is not None
        repository.reset_branch("main", commit.sha)
        service.github.requests.reset()
        sync = await service.sync(project["id"])
        expected = _expected(real, target)
        _assert_counts(sync, before, expected)
        assert sync["synced_files"] == len(expected)
        assert sync["github"]["requests"] == len(service.github.requests.select(r"^(?!/codeload/)"))
        requests = list(service.github.requests)
        files = await _assert_exact(service, project["id"], expected)
        fetched = {
            row["sha"]: row["size"] for row in files.values() if row["sha"] not in before.values()
        }
        # What GraphQL does not answer exactly is requested once more, by itself.
        raw = service.github.requests.count("/git/blobs/")
        assert blobs_asked_for(requests) <= len(fetched) + raw
        queries = max(math.ceil(len(fetched) / 50), math.ceil(sum(fetched.values()) / 2_000_000))
        assert len(requests) <= 4 + queries + raw
        assert raw <= 1 + len(fetched) // 100
        await _assert_variants_untouched(service, project["id"], variants, files)
        await _more_variants(service, project["id"], files, f"v{number}", len(variants))
        variants = await _variants(service, project["id"])
        before = expected
        assert len(expected) == version["config_files"] + version["job_files"]
    service.github.requests.reset()
    assert (await service.sync(project["id"]))["status"] == "unchanged"
    assert [(r.status, r.cost) for r in service.github.requests] == [(304, 0)]


def _assert_counts(sync: Json, before: dict[str, str], after: dict[str, str]) -> None:
    """The counts are those of the two trees; a rename stands for one path gone and one come."""
    come, gone = after.keys() - before.keys(), before.keys() - after.keys()
    changed = {p for p in after.keys() & before.keys() if after[p] != before[p]}
    assert sync["added"] + sync["renamed"] == len(come)
    assert sync["removed"] + sync["renamed"] == len(gone)
    assert sync["updated"] == len(changed)
    assert sync["unchanged"] == len(after.keys() & before.keys()) - len(changed)
    assert sync["skipped"] == []


async def _more_variants(
    service: Service, project_id: str, files: dict[str, Json], label: str, number: int
) -> None:
    """Make a variant of some files, at most 5 a version, with a content of its own."""
    paths = sorted(files)
    url = f"/projects/{project_id}/modified-files?allow_invalid=true"
    for path in paths[:: max(1, len(paths) // 5)][:5]:
        file = files[path]
        ending = "." + path.rpartition(".")[2]
        fields: dict[str, Any] = {
            "modified_name": f"variant-{label}-{number}{ending}",
            "content": file["content"] + "\n# mine\n"
            if file["format"] == "yaml"
            else file["content"] + " \n",
        }
        await service.post(url, {"original_file_id": file["id"], **fields}, 201)
        number += 1


async def _variants(service: Service, project_id: str) -> dict[str, Json]:
    rows = await service.rows(f"/projects/{project_id}/modified-files", include="content")
    return {row["id"]: row for row in rows}


async def _assert_variants_untouched(
    service: Service, project_id: str, variants: dict[str, Json], files: dict[str, Json]
) -> None:
    now = await _variants(service, project_id)
    assert {variant_id: _unmoved(row) for variant_id, row in now.items()} == {
        variant_id: _unmoved(row) for variant_id, row in variants.items()
    }
    paths = {row["id"]: row["path"] for row in files.values()}
    kept = [row for row in now.values() if row["original_file_id"] in paths]
    assert [row["original_path"] for row in kept] == [
        paths[row["original_file_id"]] for row in kept
    ]
    assert {variant_id: row["drift"] for variant_id, row in now.items()} == {
        variant_id: await _true_drift(service, row, paths) for variant_id, row in now.items()
    }


def _unmoved(variant: Json) -> Json:
    """Return the fields that no change upstream may change."""
    moving = {"drift", "original_path", "path", "file_type"}
    return {name: value for name, value in variant.items() if name not in moving}


async def _true_drift(service: Service, variant: Json, paths: dict[str, str]) -> str:
    """Return the drift that follows from a variant's merge, or from its original's removal."""
    original_id = variant["original_file_id"]
    if original_id not in paths:
        gone = await service.get(f"/projects/{variant['project_id']}/files/{original_id}")
        return "upstream_removed" if gone["removed_at"] is not None else "not even removed"
    preview = await service.get(f"/modified-files/{variant['id']}/merge")
    outcomes = {"nothing": "current", "text": "behind", "keys": "behind", "conflict": "conflict"}
    return outcomes[preview["outcome"]]


@pytest.mark.parametrize("name", SMALL)
async def test_every_version_of_a_real_repository_is_copied_exactly_on_mongod(
    service: Service, shared_data: Path, name: str
) -> None:
    await _walk_history(service, real_repository(shared_data, name))


async def test_every_version_of_a_real_repository_is_copied_exactly_on_the_embedded_database(
    embedded_service: Service, shared_data: Path
) -> None:
    await _walk_history(embedded_service, real_repository(shared_data, SMALL[1]))


async def test_a_repository_of_thousands_of_files_is_copied_exactly_on_mongod(
    service: Service, shared_data: Path
) -> None:
    await _walk_history(service, real_repository(shared_data, LARGE), first=2)


@pytest.mark.soak
async def test_a_repository_of_thousands_of_files_is_copied_exactly_on_the_embedded_database(
    embedded_service: Service, shared_data: Path
) -> None:
    await _walk_history(embedded_service, real_repository(shared_data, LARGE), first=2)
