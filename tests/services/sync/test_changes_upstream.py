"""What becomes of originals and their variants as files change upstream."""

from datetime import UTC, datetime, timedelta

from support.service import Service

CONFIG = b"model: llama\n"
JOB = b"apiVersion: batch/v1\nkind: Job\nmetadata: {name: a}\nspec: {template: {}}\n"


async def test_changes_are_reported_by_kind_and_applied_at_once(shared: Service) -> None:
    repository = shared.repository(
        "acme/b",
        {
            "config/keep.yaml": b"k: 1\n",
            "config/old.yaml": b"o: 1\n",
            "config/gone.yaml": b"g: 1\n",
            "config/edit.yaml": b"e: 1\n",
        },
    )
    project = await shared.synced("acme/b")
    before = await shared.files(project["id"])
    repository.commit(
        {"config/old.yaml": None, "config/sub/new.yaml": b"o: 1\n", "config/gone.yaml": None,
         "config/edit.yaml": b"e: 2\n", "job/added.yaml": JOB}, message="many"
    )  # fmt: skip
    sync = await shared.sync(project["id"])
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
    after = await shared.files(project["id"])
    assert after.keys() == {
        "config/keep.yaml",
        "config/sub/new.yaml",
        "config/edit.yaml",
        "job/added.yaml",
    }
    assert after["config/sub/new.yaml"]["id"] == before["config/old.yaml"]["id"]
    assert after["config/edit.yaml"]["id"] == before["config/edit.yaml"]["id"]


async def test_a_rename_keeps_the_variants_and_moves_their_folder(shared: Service) -> None:
    repository = shared.repository("acme/b", {"config/a.yaml": CONFIG})
    project = await shared.synced("acme/b")
    file = (await shared.files(project["id"]))["config/a.yaml"]
    variant = await shared.variant(
        project["id"], file, modified_name="mine.yaml", content="model: mine\n"
    )
    repository.commit({"config/a.yaml": None, "config/deep/b.yaml": CONFIG}, message="move")
    await shared.sync(project["id"])
    moved = await shared.get(f"/modified-files/{variant['id']}")
    assert (moved["original_file_id"], moved["original_path"]) == (file["id"], "config/deep/b.yaml")
    assert (moved["path"], moved["drift"], moved["revision"]) == (
        "config/deep/mine.yaml",
        "current",
        1,
    )


async def test_a_rename_within_a_folder_keeps_the_variants_where_they_are(shared: Service) -> None:
    repository = shared.repository("acme/b", {"config/a.yaml": CONFIG})
    project = await shared.synced("acme/b")
    file = (await shared.files(project["id"]))["config/a.yaml"]
    variant = await shared.variant(
        project["id"], file, modified_name="mine.yaml", content="model: mine\n"
    )
    repository.commit({"config/a.yaml": None, "config/b.yaml": CONFIG}, message="rename")
    assert (await shared.sync(project["id"]))["renamed"] == 1
    now = await shared.get(f"/modified-files/{variant['id']}")
    assert (now["path"], now["original_path"], now["drift"]) == (
        "config/mine.yaml",
        "config/b.yaml",
        "current",
    )


async def test_a_rename_that_would_give_two_variants_one_path_keeps_both(
    shared: Service,
) -> None:
    repository = shared.repository(
        "acme/b", {"config/a/x.yaml": b"x: 1\n", "config/b/y.yaml": b"y: 1\n"}
    )
    project = await shared.synced("acme/b")
    files = await shared.files(project["id"])
    of_x = await shared.variant(project["id"], files["config/a/x.yaml"], modified_name="v.yaml")
    of_y = await shared.variant(project["id"], files["config/b/y.yaml"], modified_name="v.yaml")
    repository.commit(
        {"config/a/x.yaml": None, "config/b/x.yaml": b"x: 1\n"}, message="move x beside y"
    )
    sync = await shared.sync(project["id"])
    assert (sync["renamed"], sync["removed"], sync["added"]) == (0, 1, 1)
    assert (await shared.get(f"/modified-files/{of_x['id']}"))["drift"] == "upstream_removed"
    assert (await shared.get(f"/modified-files/{of_x['id']}"))["path"] == "config/a/v.yaml"
    assert (await shared.get(f"/modified-files/{of_y['id']}"))["path"] == "config/b/v.yaml"


async def test_a_removed_file_keeps_its_record_while_a_variant_refers_to_it_and_is_revived(
    shared: Service,
) -> None:
    repository = shared.repository("acme/b", {"config/a.yaml": CONFIG, "config/b.yaml": b"b: 1\n"})
    project = await shared.synced("acme/b")
    files = await shared.files(project["id"])
    variant = await shared.variant(project["id"], files["config/a.yaml"], modified_name="v.yaml")
    repository.commit({"config/a.yaml": None, "config/b.yaml": None}, message="both gone")
    await shared.sync(project["id"])
    assert await shared.files(project["id"]) == {}
    kept = await shared.files(project["id"], include_removed=True)
    assert kept.keys() == {"config/a.yaml"}
    assert kept["config/a.yaml"]["removed_at"] is not None
    assert await shared.raw(project["id"], files["config/a.yaml"]["id"]) == CONFIG
    assert (await shared.get(f"/projects/{project['id']}"))["stats"]["removed_files"] == 1
    repository.commit({"config/a.yaml": b"model: other\n"}, message="back again")
    await shared.sync(project["id"])
    revived = (await shared.files(project["id"]))["config/a.yaml"]
    assert (revived["id"], revived["removed_at"]) == (files["config/a.yaml"]["id"], None)
    assert (await shared.get(f"/modified-files/{variant['id']}"))["drift"] == "behind"


async def test_a_file_that_returns_as_another_type_changes_its_variants_type(
    shared: Service,
) -> None:
    repository = shared.repository("acme/b", {"all/c.yaml": CONFIG})
    project = await shared.synced("acme/b", config_folder="all", job_folder="all")
    file = (await shared.files(project["id"]))["all/c.yaml"]
    variant = await shared.variant(project["id"], file, modified_name="v.yaml")
    repository.commit({"all/c.yaml": None, "all/x.yaml": b"x: 1\n"}, message="gone")
    await shared.sync(project["id"])
    repository.commit({"all/c.yaml": JOB}, message="back as a job")
    await shared.sync(project["id"])
    assert (await shared.files(project["id"]))["all/c.yaml"]["file_type"] == "job"
    now = await shared.get(f"/modified-files/{variant['id']}")
    assert (now["file_type"], now["drift"]) == ("job", "behind")


async def test_the_record_of_a_removed_file_goes_when_its_last_variant_is_gone_for_good(
    shared: Service,
) -> None:
    repository = shared.repository("acme/b", {"config/a.yaml": CONFIG})
    project = await shared.synced("acme/b")
    file = (await shared.files(project["id"]))["config/a.yaml"]
    variant = await shared.variant(project["id"], file)
    repository.commit({"config/a.yaml": None}, message="gone")
    await shared.sync(project["id"])
    assert (await shared.http.delete(f"/modified-files/{variant['id']}")).status_code == 204
    await shared.services.trash.purge(datetime.now(UTC))
    assert (await shared.files(project["id"], include_removed=True)).keys() == {"config/a.yaml"}
    await shared.services.trash.purge(datetime.now(UTC) + timedelta(days=31))
    assert await shared.files(project["id"], include_removed=True) == {}


async def test_drift_follows_upstream_there_and_back(shared: Service) -> None:
    repository = shared.repository("acme/b", {"config/a.yaml": CONFIG})
    project = await shared.synced("acme/b")
    file = (await shared.files(project["id"]))["config/a.yaml"]
    variant = await shared.variant(project["id"], file, content="model: mine\n")
    seen = []
    for content in (b"model: new\n", b"# why\n" + CONFIG, CONFIG):
        repository.commit({"config/a.yaml": content}, message="change")
        await shared.sync(project["id"])
        now = await shared.get(f"/modified-files/{variant['id']}")
        seen.append((now["drift"], now["content"], now["revision"]))
    assert seen == [(drift, "model: mine\n", 1) for drift in ("conflict", "behind", "current")]


async def test_a_force_push_is_a_change_like_any_other(shared: Service) -> None:
    repository = shared.repository("acme/b", {"config/a.yaml": b"a: 1\n"})
    first = repository.branches()[0][1]
    repository.commit({"config/a.yaml": b"a: 2\n"}, message="second")
    project = await shared.synced("acme/b")
    repository.reset_branch("main", first)
    sync = await shared.sync(project["id"])
    assert (sync["updated"], sync["commit_sha"]) == (1, first)
