"""Lists and comparisons of releases, and what would be released now."""

import hashlib

from benchmark_manager.stores.releases.releases import ReleaseStore
from support.cells import cell, draft, made_by_sweep
from support.problems import assert_problem, fields_at_fault
from support.released import (
    FILE_MEMBERS,
    FOR_EVER,
    MEMBERS,
    archive_of,
    files_of,
    make_release,
)
from support.service import Json, Service


async def test_releases_are_paged_newest_first(service: Service, project: Json) -> None:
    original = (await service.files(project["id"]))["config/a.yaml"]
    digests = []
    for number in range(7):
        await service.variant(project["id"], original, modified_name=f"{number}.yaml")
        digests.append((await make_release(service, project))["digest"])
    path = f"/projects/{project['id']}/releases"
    rows = await service.rows(path, limit=3)
    assert [row["digest"] for row in rows] == digests[::-1]
    assert [row for row in rows if row.keys() != MEMBERS] == []
    answer = await service.http.get(path, params={"limit": 3})
    assert (answer.headers["x-total-count"], len(answer.json())) == ("7", 3)


async def test_a_wrong_cursor_of_releases_is_refused(service: Service, project: Json) -> None:
    path = f"/projects/{project['id']}/releases"
    answer = await service.http.get(path, params={"cursor": "x"})
    assert fields_at_fault(answer, "invalid_cursor") == {"cursor"}


async def test_what_a_sweep_made_is_listed_and_shown_as_such(
    service: Service, project: Json
) -> None:
    """Only files and makings of a sweep have `sweep_id`, and only its files `assignments`."""
    database = service.services.database
    store = ReleaseStore(database)
    made = await make_release(service, project)
    base = await store.files(await store.find(made["digest"], None))
    one = cell(base, 1, "a sweep", ["config/a.yaml"])
    await made_by_sweep(store, database, draft(project["id"]), base, [one])
    here = f"/projects/{project['id']}/releases"
    assert [row["digest"] for row in await service.rows(here)] == [made["digest"]]
    every = {row["digest"] for row in await service.rows(here, cells=True)}
    assert every == {made["digest"], one.digest}
    release = await service.get(f"/releases/{one.digest}")
    [row] = [row for row in release["files"] if row.keys() != FILE_MEMBERS]
    assert (row["path"], row["sweep_id"], row["assignments"]) == (
        "config/a.yaml",
        "a sweep",
        {"n": 1},
    )
    assert [making["sweep_id"] for making in release["makings"]] == ["a sweep"]


async def test_what_would_be_released_now_is_shown_and_not_stored(
    service: Service, project: Json
) -> None:
    path = f"/projects/{project['id']}/effective"
    answer = await service.http.get(path)
    effective = answer.json()
    absent = await service.http.get(f"/releases/{effective['digest']}")
    assert_problem(absent, 404, "release_not_found")
    again = await service.http.get(path, headers={"If-None-Match": answer.headers["etag"]})
    assert again.status_code == 304
    release = await make_release(service, project)
    assert effective.keys() == release.keys()
    same = ("digest", "files", "files_count", "size", "project_id")
    assert {name: effective[name] for name in same} == {name: release[name] for name in same}
    assert (effective["created_at"], effective["makings"], effective["makings_count"]) == (
        None,
        [],
        0,
    )


async def test_nothing_would_be_released_of_a_project_that_was_never_synced(
    service: Service, project: Json
) -> None:
    del project
    empty = await service.project("acme/bench", name="never synced")
    nothing = await service.get(f"/projects/{empty['id']}/effective")
    assert (nothing["files"], nothing["digest"]) == (
        [],
        "sha256:" + hashlib.sha256(b"").hexdigest(),
    )


async def test_a_sync_makes_another_release_and_leaves_the_first_as_it_is(
    service: Service, project: Json, files: dict[str, bytes]
) -> None:
    before = await make_release(service, project)
    packed = await archive_of(service, before["digest"])
    repository = service.github.hosting["acme/bench"].repository
    repository.commit(
        {"config/a.yaml": b"model: new\n", "job/run.yaml": None, "config/new.yaml": b"x: 1\n"}
    )
    await service.sync(project["id"])
    after = await make_release(service, project)
    assert after["digest"] != before["digest"]
    assert await files_of(service, before) == files
    assert await archive_of(service, before["digest"]) == packed
    rows = await service.rows(f"/projects/{project['id']}/releases")
    assert [row["digest"] for row in rows] == [after["digest"], before["digest"]]
    compared = await service.get(f"/releases/{before['digest']}/compare/{after['digest']}")
    assert (compared["added"], compared["removed"]) == (["config/new.yaml"], ["job/run.yaml"])
    change = {"path": "model", "kind": "changed", "before": "llama", "after": "new"}
    assert compared["changed"] == [{"path": "config/a.yaml", "changes": [change]}]
    assert compared["complete"] is True
    back = await service.get(f"/releases/{after['digest'][:20]}/compare/{before['digest']}")
    assert (back["added"], back["removed"]) == (compared["removed"], compared["added"])


async def test_a_release_equals_itself(service: Service, project: Json) -> None:
    digest = (await make_release(service, project))["digest"]
    same = await service.get(f"/releases/{digest}/compare/{digest}")
    assert (same["added"], same["removed"], same["changed"]) == ([], [], [])


async def test_a_comparison_may_be_cached_for_ever_by_whole_digests_alone(
    service: Service, project: Json
) -> None:
    digest = (await make_release(service, project))["digest"]
    whole = await service.http.get(f"/releases/{digest}/compare/{digest}")
    short = await service.http.get(f"/releases/{digest}/compare/{digest[:20]}")
    assert [answer.headers["cache-control"] for answer in (whole, short)] == [FOR_EVER, "no-cache"]


async def test_what_cannot_be_compared_by_key_is_reported(limited: Service) -> None:
    """Texts which do not parse, others which mean the same, and more than can be compared."""
    service = limited
    before = {"config/a.yaml": b"a: 1\n", "config/b.yaml": b"b: [\n", "config/c.yaml": b"x" * 60}
    before["config/d.yaml"] = b"d: 1\n"
    repository = service.repository("acme/bench", before)
    project = await service.synced("acme/bench")
    old = await make_release(service, project)
    repository.commit(
        {"config/a.yaml": b"a:   1 # same\n", "config/b.yaml": b"b: 2\n", "config/c.yaml": b"x"}
    )
    repository.commit({"config/d.yaml": b"d: 2\n"})
    await service.sync(project["id"])
    new = await make_release(service, project)
    compared = await service.get(f"/releases/{old['digest']}/compare/{new['digest']}")
    rows = [(row["path"], row["changes"]) for row in compared["changed"]]
    assert rows[:3] == [("config/a.yaml", []), ("config/b.yaml", None), ("config/c.yaml", None)]
    # Files behind one that is too large are compared as well.
    [(path, [change])] = rows[3:]
    assert (path, change["path"], change["before"], change["after"]) == ("config/d.yaml", "d", 1, 2)
    assert compared["complete"] is False
