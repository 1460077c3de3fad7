"""Contents of releases in the database: never swept, and never delivered when they are wrong."""

import pytest

from benchmark_manager.stores.contents.blobs import BlobStore
from support.problems import assert_problem
from support.released import files_of, make_release
from support.service import Json, Service


async def test_the_contents_of_releases_are_never_swept(
    service: Service, project: Json, release: Json, files: dict[str, bytes]
) -> None:
    service.github.hosting["acme/bench"].repository.commit(dict.fromkeys(files))
    await service.sync(project["id"])
    blobs = BlobStore(service.services.database)
    collection = service.services.database.collection("blobs")
    row = await collection.find_one({})
    assert row is not None
    long_ago = row["touched_at"].replace(year=2000)
    marks = {"touched_at": long_ago, "unreferred_at": long_ago}
    await collection.update_many({}, {"$set": marks})
    await blobs.put([b"nobody's"], None, long_ago)
    await collection.update_many({}, {"$set": marks})
    await service.services.housekeeping.run()
    assert await collection.count_documents({}) == len(files)
    assert await files_of(service, release) == files


@pytest.mark.parametrize("is_missing", [False, True], ids=["wrong", "missing"])
async def test_nothing_is_sent_where_a_content_is_missing_or_not_what_was_released(
    service: Service, release: Json, is_missing: bool
) -> None:
    collection = service.services.database.collection("blobs")
    sha = next(row["original_sha"] for row in release["files"] if row["path"] == "job/run.yaml")
    row = await collection.find_one({"_id": sha})
    assert row is not None
    if is_missing:
        await collection.delete_one({"_id": sha})
    else:
        await collection.update_one({"_id": sha}, {"$set": {"data": row["data"] + b" "}})
    path = f"/releases/{release['digest']}"
    routes = ("files/job/run.yaml", "configmap", "archive", "archive?format=zip")
    answers = [await service.http.get(f"{path}/{route}") for route in routes]
    problems = [assert_problem(answer, 500, "internal_error") for answer in answers]
    assert len(problems) == len(routes)
    assert (await service.http.get(f"{path}/files/config/a.yaml")).status_code == 200


async def test_an_interrupted_archive_is_shorter_than_its_announced_length(
    service: Service,
) -> None:
    """A content behind the first megabyte is not what was released."""
    service.repository(
        "acme/large", {f"config/{n}.yaml": b"# %d" % n + b"x" * 900_000 for n in range(3)}
    )
    release = await make_release(service, await service.synced("acme/large"))
    collection = service.services.database.collection("blobs")
    last = release["files"][-1]["original_sha"]
    await collection.update_one(
        {"_id": last}, {"$set": {"data": b"x" * release["files"][-1]["size"]}}
    )
    answer = await service.http.get(f"/releases/{release['digest']}/archive")
    assert answer.status_code == 200, "it had begun"
    assert 1_700_000 < len(answer.content) < int(answer.headers["content-length"]) - 900_000
