"""Files that moved and changed in one sync keep their ids, and their variants follow."""

import pytest

from benchmark_manager.factory import Externals, ServiceLimits
from benchmark_manager.stores.sync.staged_changes import StepSizes
from support.service import Json, Service


def lines(*changed: int, count: int = 40) -> bytes:
    return b"".join(
        b"key%d: %s\n" % (n, b"changed" if n in changed else b"%d" % n) for n in range(count)
    )


async def with_variant(
    service: Service, path: str, content: bytes | None = None
) -> tuple[Json, Json, Json]:
    """A synced project, one of its files, and a variant of that."""
    project = (await service.rows("/projects"))[0]
    file = (await service.files(project["id"]))[path]
    fields = {} if content is None else {"content": content.decode()}
    return project, file, await service.variant(project["id"], file, **fields)


@pytest.mark.parametrize("token", [None, "reader"])
@pytest.mark.parametrize(
    ("mine", "drift"),
    [
        (lines(5), "behind"),
        (lines(30), "conflict"),
        (lines(30).replace(b"changed", b"mine"), "conflict"),
    ],
)
async def test_a_file_that_moved_and_changed_keeps_its_id_and_its_variants(
    shared: Service, token: str | None, mine: bytes, drift: str
) -> None:
    repository = shared.repository(
        "acme/b", {"config/old/llama.yaml": lines()}, private_to=token and [token]
    )
    await shared.synced("acme/b", github_token=token)
    project, file, variant = await with_variant(shared, "config/old/llama.yaml", mine)
    after = lines(30).replace(b"changed", b"theirs")
    repository.commit({"config/old/llama.yaml": None, "config/new/llama.yaml": after})
    shared.github.requests.reset()
    sync = await shared.sync(project["id"])
    assert {name: sync[name] for name in ("added", "updated", "removed", "renamed")} == {
        "added": 0,
        "updated": 0,
        "removed": 0,
        "renamed": 1,
    }
    assert sync["changes"] == [
        {
            "path": "config/new/llama.yaml",
            "change": "renamed",
            "previous_path": "config/old/llama.yaml",
        }
    ]
    moved = (await shared.files(project["id"]))["config/new/llama.yaml"]
    assert (moved["id"], moved["commit_sha"]) == (file["id"], sync["commit_sha"])
    assert await shared.raw(project["id"], moved["id"]) == after
    moved = await shared.get(f"/modified-files/{variant['id']}")
    assert (moved["original_path"], moved["path"]) == (
        "config/new/llama.yaml",
        "config/new/llama.yaml",
    )
    assert (moved["drift"], moved["content"]) == (drift, mine.decode())


async def test_no_more_is_asked_of_github_for_it(shared: Service) -> None:
    files = {"config/a.yaml": lines(), "job/j.yaml": b"a: 1\n"}
    repository = shared.repository("acme/b", files, private_to=["reader"])
    project = await shared.synced("acme/b", github_token="reader")
    repository.commit({"config/a.yaml": lines(2)})
    shared.github.requests.reset()
    assert (await shared.sync(project["id"]))["updated"] == 1
    of_an_update = len(shared.github.requests)
    repository.commit({"config/a.yaml": None, "config/b.yaml": lines(2, 3)})
    shared.github.requests.reset()
    assert (await shared.sync(project["id"]))["renamed"] == 1
    assert len(shared.github.requests) <= of_an_update


async def test_another_type_or_format_is_no_rename(shared: Service) -> None:
    repository = shared.repository(
        "acme/b", {"config/a.yaml": lines(), "config/b.yaml": lines(1, count=30)}
    )
    project = await shared.synced("acme/b")
    repository.commit(
        {
            "config/a.yaml": None,
            "config/b.yaml": None,
            "job/a.yaml": lines(2),
            "config/b.json": lines(count=30),
        }
    )
    sync = await shared.sync(project["id"])
    assert (sync["renamed"], sync["removed"], sync["added"]) == (0, 2, 2)


async def test_a_changed_folder_whose_files_are_alike_keeps_their_variants(
    shared: Service,
) -> None:
    shared.repository("acme/b", {"config/a.yaml": lines(), "settings/a.yaml": lines(9)})
    await shared.synced("acme/b")
    project, file, variant = await with_variant(shared, "config/a.yaml")
    await shared.put(f"/projects/{project['id']}", {"config_folder": "settings"})
    assert (await shared.sync(project["id"]))["renamed"] == 1
    assert (await shared.files(project["id"]))["settings/a.yaml"]["id"] == file["id"]
    assert (await shared.get(f"/modified-files/{variant['id']}"))["drift"] == "behind"


async def test_a_variant_that_would_meet_another_one_stays(shared: Service) -> None:
    repository = shared.repository(
        "acme/b", {"config/a/x.yaml": lines(), "config/b/y.yaml": lines(count=5)}
    )
    await shared.synced("acme/b")
    project, _, variant = await with_variant(shared, "config/a/x.yaml")
    files = await shared.files(project["id"])
    await shared.variant(project["id"], files["config/b/y.yaml"], modified_name="x.yaml")
    repository.commit({"config/a/x.yaml": None, "config/b/x.yaml": lines(1)})
    sync = await shared.sync(project["id"])
    assert (sync["renamed"], sync["removed"], sync["added"]) == (0, 1, 1)
    assert (await shared.get(f"/modified-files/{variant['id']}"))["drift"] == "upstream_removed"


@pytest.mark.parametrize(
    "externals",
    [Externals(limits=ServiceLimits(steps=StepSizes(at_once=20, chunk=7)))],
    ids=["steps"],
)
async def test_renames_of_a_sync_that_is_applied_in_steps_count_too(service: Service) -> None:
    files = {f"config/old/{n}.yaml": lines(count=20) + b"n: %d\n" % n for n in range(30)}
    repository = service.repository("acme/b", files)
    await service.synced("acme/b")
    project, file, variant = await with_variant(service, "config/old/11.yaml")
    repository.commit(
        dict.fromkeys(files)
        | {path.replace("old", "new"): data + b"new: 1\n" for path, data in files.items()}
    )
    assert (await service.sync(project["id"]))["renamed"] == 30
    assert (await service.files(project["id"]))["config/new/11.yaml"]["id"] == file["id"]
    assert (await service.get(f"/modified-files/{variant['id']}"))["drift"] == "behind"
