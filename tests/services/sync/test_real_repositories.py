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
    files: dict[str, Json] = {}
    for row in await service.rows(f"/projects/{project_id}/files", include="content"):
        data = row["content"].encode()
        own_id = hashlib.sha1(b"blob %d\0" % len(data) + data, usedforsecurity=False).hexdigest()
        assert own_id == expected[row["path"]]
        assert row["sha"] == expected[row["path"]]
        files[row["path"]] = row
    assert files.keys() == expected.keys()
    return files


async def _walk_history(service: Service, real: RealRepository, first: int = 1) -> None:
    """From its version `first` to the last."""
    target = service.folder / "real.git"
    real.build(target, first)
    service.github.add(real.full_name, Repository(target), private_to=["reader"])
    project = await service.project(
        real.full_name,
        github_token="reader",
        config_folder=real.manifest["config_folder"],
        job_folder=real.manifest["job_folder"],
    )
    variants: dict[str, Json] = {}
    before: dict[str, str] = {}
    for number, version in enumerate(real.manifest["versions"][first - 1 :], start=first):
        real.build(target, number)
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
        await _assert_variants_untouched(service, variants, files)
        variants |= await _more_variants(service, project["id"], files, f"v{number}", variants)
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
    service: Service, project_id: str, files: dict[str, Json], label: str, have: dict[str, Json]
) -> dict[str, Json]:
    """A variant of each tenth file or so, at most 12 a version, with a content of its own."""
    paths = sorted(files)
    made: dict[str, Json] = {}
    for path in paths[:: max(1, len(paths) // 12)][:12]:
        file = files[path]
        ending = "." + path.rpartition(".")[2]
        fields: dict[str, Any] = {
            "modified_name": f"variant-{label}-{len(have) + len(made)}{ending}",
            "content": file["content"] + "\n# mine\n"
            if file["format"] == "yaml"
            else file["content"] + " \n",
        }
        url = f"/projects/{project_id}/modified-files?allow_invalid=true"
        variant = await service.post(url, {"original_file_id": file["id"], **fields}, 201)
        made[variant["id"]] = variant
    return made


async def _assert_variants_untouched(
    service: Service, variants: dict[str, Json], files: dict[str, Json]
) -> None:
    by_id = {row["id"]: row for row in files.values()}
    for variant_id, variant in variants.items():
        now = await service.get(f"/modified-files/{variant_id}")
        moving = {"drift", "original_path", "path", "file_type"}
        assert {k: v for k, v in now.items() if k not in moving} == {
            k: v for k, v in variant.items() if k not in moving
        }
        original = by_id.get(variant["original_file_id"])
        if original is None:
            assert now["drift"] == "upstream_removed"
            gone = await service.get(
                f"/projects/{variant['project_id']}/files/{variant['original_file_id']}"
            )
            assert gone["removed_at"] is not None
        else:
            assert now["original_path"] == original["path"]
            preview = await service.get(f"/modified-files/{variant_id}/merge")
            outcomes = {
                "nothing": "current",
                "text": "behind",
                "keys": "behind",
                "conflict": "conflict",
            }
            assert now["drift"] == outcomes[preview["outcome"]]


@pytest.mark.parametrize("name", SMALL)
async def test_every_version_of_a_real_repository_is_copied_exactly_on_mongod(
    service: Service, shared_data: Path, name: str
) -> None:
    await _walk_history(service, real_repository(shared_data, name))


@pytest.mark.parametrize("name", SMALL)
async def test_every_version_of_a_real_repository_is_copied_exactly_on_the_embedded_database(
    embedded_service: Service, shared_data: Path, name: str
) -> None:
    await _walk_history(embedded_service, real_repository(shared_data, name))


async def test_a_repository_of_thousands_of_files_is_copied_exactly_on_mongod(
    service: Service, shared_data: Path
) -> None:
    await _walk_history(service, real_repository(shared_data, LARGE), first=2)


@pytest.mark.soak
async def test_a_repository_of_thousands_of_files_is_copied_exactly_on_the_embedded_database(
    embedded_service: Service, shared_data: Path
) -> None:
    await _walk_history(embedded_service, real_repository(shared_data, LARGE), first=2)
