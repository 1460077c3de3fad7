"""The routes of releases: what was frozen is given back to the byte, for ever, and only once."""

import asyncio
import hashlib
import inspect
import io
import json
import subprocess
import sys
import tarfile
import threading
import zipfile
from collections.abc import AsyncIterator, Collection, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from pathlib import Path
from types import FrameType
from typing import Any
from urllib.parse import quote

import pytest
import pytest_asyncio
import yaml

from benchmark_manager.domain.git.objects import blob_id
from benchmark_manager.factory import Externals, ServiceLimits
from benchmark_manager.stores.contents.blobs import BlobStore
from benchmark_manager.stores.releases.releases import ReleaseStore
from github_test_server import GitHubTestServer, Repository
from support.cells import cell, draft, made_by_sweep
from support.problems import ObservedAnswers, assert_problem, fields_at_fault
from support.real_repositories import blob_ids, real_repository
from support.service import Json, Service, running_service
from support.unchanged_service import unchanged_service

ORDINARY = {"digest", "name", "description", "pinned", "project_id", "created_at", "created_by"}
MEMBERS = ORDINARY | {"files_count", "size", "makings_count"}
FILE_MEMBERS = {
    "path",
    "sha256",
    "size",
    "source",
    "original_sha",
    "commit_sha",
    "modified_file_id",
    "revision",
}
FOR_EVER = "max-age=31536000, immutable"
UNKNOWN = "65f0c0ffee65f0c0ffee65f0"
ODD = {
    "config/back\\slash.yaml": b"a: 1\n",
    "config/new\nline.yaml": b"a: 2\r\n",
    "config/größe 🚀.yaml": b"\xef\xbb\xbfa: 3",
    "config/per%cent%2F?#.yaml": b"",
    "config/" + "long/" * 60 + "a.yaml": b"a: \x01\n",
}


@pytest_asyncio.fixture(scope="module", loop_scope="session")
async def project(module_service: Service, files: dict[str, bytes]) -> Json:
    module_service.repository("acme/bench", files)
    return await module_service.synced("acme/bench")


@pytest.fixture
async def service(module_service: Service) -> AsyncIterator[Service]:
    """The service of all tests of this module, without what the tests before made."""
    async with unchanged_service(module_service) as service:
        yield service


@pytest.fixture
async def limited(
    database_url: str, github: GitHubTestServer, tmp_path: Path
) -> AsyncIterator[Service]:
    """A service that compares 60 bytes, and stages the files of a release of more than 100."""
    externals = Externals(limits=ServiceLimits(compared_bytes=60, release_files=100))
    async with running_service(database_url, github, tmp_path, externals=externals) as running:
        observed = ObservedAnswers()
        running.http.event_hooks = {"request": [], "response": [observed.note]}
        yield running
        assert observed.undocumented == []


async def make(service: Service, project: Json, status: int = 201, **fields: Any) -> Json:
    return await service.post(f"/projects/{project['id']}/releases", fields, status)


def sums_of(files: dict[str, bytes]) -> bytes:
    ordered = sorted(files.items(), key=lambda item: item[0].encode())
    return "".join(
        f"{hashlib.sha256(data).hexdigest()}  {path}\n" for path, data in ordered
    ).encode()


async def fetched(service: Service, release: Json) -> dict[str, bytes]:
    """Every file of a release, one by one."""
    return {
        row["path"]: await file_of(service, release["digest"], row["path"])
        for row in release["files"]
    }


async def file_of(service: Service, digest: str, path: str) -> bytes:
    answer = await service.http.get(f"/releases/{digest}/files/{quote(path)}")
    assert answer.status_code == 200, answer.text
    return answer.content


async def archive_of(service: Service, digest: str, archive_format: str = "tar.gz") -> bytes:
    answer = await service.http.get(
        f"/releases/{digest}/archive", params={"format": archive_format}
    )
    assert answer.status_code == 200, answer.text
    assert answer.headers["content-length"] == str(len(answer.content))
    return answer.content


def unpacked(data: bytes, archive_format: str) -> dict[str, bytes]:
    if archive_format == "zip":
        with zipfile.ZipFile(io.BytesIO(data)) as archive:
            return {name: archive.read(name) for name in archive.namelist()}
    with tarfile.open(fileobj=io.BytesIO(data), mode="r:gz") as tar:
        return {member.name: tar.extractfile(member).read() for member in tar}  # type: ignore[union-attr]


async def test_a_release_tells_what_it_holds_and_whence(
    service: Service, project: Json, files: dict[str, bytes]
) -> None:
    originals = await service.files(project["id"])
    replaced = await service.variant(
        project["id"], originals["config/a.yaml"], content="model: mine\n"
    )
    beside = await service.variant(
        project["id"], originals["config/a.yaml"], modified_name="b.yaml"
    )
    beside = await service.put(f"/modified-files/{beside['id']}", {"content": "model: other\n"})
    answer = await service.http.post(
        f"/projects/{project['id']}/releases",
        json={"name": " nightly ", "description": "why", "pinned": True},
        headers={"X-Actor": "ada"},
    )
    assert answer.status_code == 201, answer.text
    release = answer.json()
    held = {**files, "config/a.yaml": b"model: mine\n", "config/b.yaml": b"model: other\n"}
    assert release.keys() == MEMBERS | {"files", "makings"}
    digest = "sha256:" + hashlib.sha256(sums_of(held)).hexdigest()
    expected = {
        "digest": digest,
        "name": "nightly",
        "description": "why",
        "pinned": True,
        "created_by": "ada",
    }
    counts = {"files_count": 4, "size": sum(map(len, held.values())), "makings_count": 1}
    assert release.items() >= {**counts, "project_id": project["id"]}.items()
    assert release.items() >= expected.items()
    assert answer.headers["location"] == f"/releases/{digest}"
    rows = {row["path"]: row for row in release["files"]}
    assert list(rows) == sorted(held)
    for path, row in rows.items():
        assert row.keys() == FILE_MEMBERS
        assert (row["sha256"], row["size"]) == (
            hashlib.sha256(held[path]).hexdigest(),
            len(held[path]),
        )
        original = originals.get(path, originals["config/a.yaml"])
        assert (row["original_sha"], row["commit_sha"]) == (original["sha"], original["commit_sha"])
    origins = {
        path: (row["source"], row["modified_file_id"], row["revision"])
        for path, row in rows.items()
    }
    assert origins == {
        "config/a.yaml": ("modified", replaced["id"], 1),
        "config/b.yaml": ("modified", beside["id"], 2),
        "config/deep/b.json": ("original", None, None),
        "job/run.yaml": ("original", None, None),
    }
    [making] = release["makings"]
    shared = ("project_id", "name", "description", "created_at", "created_by")
    assert making == {"number": 1, **{name: release[name] for name in shared}}
    assert await service.get(answer.headers["location"]) == release
    assert await fetched(service, release) == held


async def test_what_goes_in_can_be_chosen(
    service: Service, project: Json, files: dict[str, bytes]
) -> None:
    originals = await service.files(project["id"])
    await service.variant(project["id"], originals["config/a.yaml"], content="model: mine\n")
    beside = await service.variant(
        project["id"], originals["config/a.yaml"], modified_name="b.yaml"
    )
    a, b = {"config/a.yaml": b"model: mine\n"}, {"config/b.yaml": b"model: llama\n"}
    cases: list[tuple[Json, dict[str, bytes]]] = [
        ({"include": "originals"}, files),
        ({"include": "modified"}, {**a, **b}),
        ({"include": "all"}, {**files, **a, **b}),
        ({}, {**files, **a, **b}),
        ({"modified_file_ids": None}, {**files, **a, **b}),
        ({"modified_file_ids": [beside["id"], beside["id"]]}, {**files, **b}),
        ({"modified_file_ids": []}, files),
        ({"include": "modified", "modified_file_ids": [beside["id"]]}, b),
    ]
    for body, held in cases:
        answer = await service.http.post(f"/projects/{project['id']}/releases", json=body)
        assert answer.json()["digest"] == "sha256:" + hashlib.sha256(sums_of(held)).hexdigest(), (
            body
        )
        assert await fetched(service, answer.json()) == held


async def test_a_variant_stands_in_place_of_its_original(
    either: Service, files: dict[str, bytes]
) -> None:
    either.repository("acme/bench", files)
    project = await either.synced("acme/bench")
    here, originals = f"/projects/{project['id']}", await either.files(project["id"])
    mine = await either.variant(
        project["id"], originals["config/a.yaml"], modified_name="=.yaml", content="model: mine\n"
    )
    substitute = {"config/a.yaml": mine["id"]}
    release = await make(either, project, include="originals", substitute=substitute)
    assert await fetched(either, release) == {**files, "config/a.yaml": b"model: mine\n"}
    [row] = [row for row in release["files"] if row["source"] == "modified"]
    assert (row["modified_file_id"], row["revision"]) == (mine["id"], 1)
    pair = f"config/a.yaml={mine['id']}"
    effective = await either.get(f"{here}/effective", substitute=pair)
    assert (effective["digest"], effective["files"]) == (release["digest"], release["files"])
    for pair, status, code in (
        (f"config/none.yaml={mine['id']}", 404, "file_not_found"),
        (f"config/a.yaml={UNKNOWN}", 404, "modified_file_not_found"),
        (f"job/run.yaml={mine['id']}", 422, "substitute_mismatch"),
        ("config/a.yaml", 422, "invalid_request"),
    ):
        answer = await either.http.get(f"{here}/effective", params={"substitute": pair})
        assert_problem(answer, status, code)
        path, _, variant_id = pair.partition("=")
        answer = await either.http.post(
            f"{here}/releases", json={"substitute": {path: variant_id or None}}
        )
        assert_problem(answer, status, code)


async def test_what_a_sweep_made_is_listed_and_shown_as_such(
    service: Service, project: Json
) -> None:
    """`sweep_id` and `assignments` are there only where they say something."""
    database = service.services.database
    store = ReleaseStore(database)
    made = await make(service, project)
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


async def test_what_cannot_be_made_is_refused(service: Service, project: Json) -> None:
    path = f"/projects/{project['id']}/releases"
    other = await service.synced("acme/bench", name="other")
    foreign = await service.variant(
        other["id"], next(iter((await service.files(other["id"])).values()))
    )
    for unknown in (UNKNOWN, "x", "", foreign["id"]):
        answer = await service.http.post(path, json={"modified_file_ids": [unknown]})
        assert_problem(answer, 404, "modified_file_not_found")
    surrogate = b'{"modified_file_ids": ["\\ud800"]}'
    answer = await service.http.post(
        path, content=surrogate, headers={"Content-Type": "application/json"}
    )
    assert answer.status_code in {404, 422}, answer.text
    answer = await service.http.post(path, json={"include": "originals", "modified_file_ids": []})
    assert fields_at_fault(answer) == {"modified_file_ids"}
    for choice in ("{}", '{"modified_file_ids": []}'):
        answer = await service.http.post(path, json={"include": "modified", **json.loads(choice)})
        assert_problem(answer, 422, "nothing_to_release")
    for wrong, field in (
        *(
            ({"pinned": "yes"}, "pinned"),
            ({"pinned": 1}, "pinned"),
            ({"include": "both"}, "include"),
        ),
        *(({"name": "a\nb"}, "name"), ({"name": "x" * 201}, "name"), ({"nmae": "x"}, "nmae")),
    ):
        assert fields_at_fault(await service.http.post(path, json=wrong)) == {field}
    empty = await service.project("acme/bench", name="never synced")
    answer = await service.http.post(f"/projects/{empty['id']}/releases", json={})
    assert_problem(answer, 422, "nothing_to_release")
    assert await service.rows(path) == []


async def test_equal_content_is_one_release_whoever_makes_it(
    service: Service, project: Json
) -> None:
    first = await make(service, project, name="first", description="one")
    repository = service.github.hosting.repositories()[0].repository
    repository.commit({"README.md": b"more"}, message="nothing of ours changes")
    other = await service.synced("acme/bench", name="other")
    second = await make(service, other, 200, name="second", pinned=True)
    assert second["digest"] == first["digest"]
    kept = ("name", "description", "project_id", "created_at", "created_by", "files")
    assert {name: second[name] for name in kept} == {name: first[name] for name in kept}
    assert (second["pinned"], second["makings_count"]) == (True, 2)
    assert [(m["number"], m["name"], m["project_id"]) for m in second["makings"]] == [
        (1, "first", project["id"]),
        (2, "second", other["id"]),
    ]
    path = f"/releases/{first['digest']}"
    origins = (await service.get(path, making=2))["files"]
    assert [row["path"] for row in origins] == [row["path"] for row in first["files"]]
    upstream = {row["commit_sha"] for row in (await service.files(other["id"])).values()}
    assert {row["commit_sha"] for row in origins} == upstream
    assert {row["commit_sha"] for row in first["files"]}.isdisjoint(upstream)
    assert_problem(await service.http.get(path, params={"making": 3}), 404, "making_not_found")
    for making in ("0", "x", "9" * 30):
        assert fields_at_fault(await service.http.get(path, params={"making": making})) == {
            "making"
        }
    for owner in (project, other):
        [row] = await service.rows(f"/projects/{owner['id']}/releases")
        assert row == {name: second[name] for name in MEMBERS}


async def test_twenty_who_make_it_at_once_make_one_release(service: Service, project: Json) -> None:
    path = f"/projects/{project['id']}/releases"
    answers = await asyncio.gather(
        *(service.http.post(path, json={"name": f"{n}"}) for n in range(20))
    )
    assert sorted(answer.status_code for answer in answers) == [200] * 19 + [201]
    assert len({answer.json()["digest"] for answer in answers}) == 1
    release = await service.get(f"/releases/{answers[0].json()['digest']}")
    assert [making["number"] for making in release["makings"]] == list(range(1, 21))
    assert {making["name"] for making in release["makings"]} == {f"{n}" for n in range(20)}
    [first] = [answer.json() for answer in answers if answer.status_code == 201]
    assert (release["name"], release["makings_count"]) == (first["name"], 20)
    assert len(await service.rows(path)) == 1


async def make_eight_at_once(service: Service, project: Json) -> None:
    """Different releases which share contents; each content is counted once for each of them."""
    original = (await service.files(project["id"]))["config/a.yaml"]
    variants = [
        await service.variant(project["id"], original, modified_name=f"{n}.yaml") for n in range(8)
    ]
    path = f"/projects/{project['id']}/releases"
    bodies = [{"modified_file_ids": [variant["id"]]} for variant in variants]
    answers = await asyncio.gather(*(service.http.post(path, json=body) for body in bodies))
    assert [answer.status_code for answer in answers] == [201] * 8, [
        answer.text for answer in answers
    ]
    assert len({answer.json()["digest"] for answer in answers}) == 8
    held = service.services.database.collection("release_blobs")
    assert [row["releases"] async for row in held.find({})] == [8, 8, 8]


async def test_releases_which_share_contents_can_be_made_at_once(
    service: Service, project: Json
) -> None:
    await make_eight_at_once(service, project)


async def test_a_sync_makes_another_release_and_leaves_the_first_as_it_is(
    service: Service, project: Json, files: dict[str, bytes]
) -> None:
    before = await make(service, project)
    packed = await archive_of(service, before["digest"])
    repository = service.github.hosting.repositories()[0].repository
    repository.commit(
        {"config/a.yaml": b"model: new\n", "job/run.yaml": None, "config/new.yaml": b"x: 1\n"}
    )
    await service.sync(project["id"])
    after = await make(service, project)
    assert after["digest"] != before["digest"]
    assert await fetched(service, before) == files
    assert await archive_of(service, before["digest"]) == packed
    assert [row["digest"] for row in await service.rows(f"/projects/{project['id']}/releases")] == [
        after["digest"],
        before["digest"],
    ]
    compared = await service.get(f"/releases/{before['digest']}/compare/{after['digest']}")
    assert (compared["added"], compared["removed"]) == (["config/new.yaml"], ["job/run.yaml"])
    change = {"path": "model", "kind": "changed", "before": "llama", "after": "new"}
    assert compared["changed"] == [{"path": "config/a.yaml", "changes": [change]}]
    assert compared["complete"] is True
    back = await service.get(f"/releases/{after['digest'][:20]}/compare/{before['digest']}")
    assert (back["added"], back["removed"]) == (compared["removed"], compared["added"])
    same = await service.get(f"/releases/{after['digest']}/compare/{after['digest']}")
    assert (same["added"], same["removed"], same["changed"]) == ([], [], [])
    for other, kept in ((after["digest"], FOR_EVER), (after["digest"][:20], "no-cache")):
        answer = await service.http.get(f"/releases/{before['digest']}/compare/{other}")
        assert answer.headers["cache-control"] == kept


async def test_what_cannot_be_compared_by_key_is_reported(limited: Service) -> None:
    """Texts which do not parse, others which mean the same, and more than can be compared."""
    service = limited
    before = {"config/a.yaml": b"a: 1\n", "config/b.yaml": b"b: [\n", "config/c.yaml": b"x" * 60}
    before["config/d.yaml"] = b"d: 1\n"
    repository = service.repository("acme/bench", before)
    project = await service.synced("acme/bench")
    old = await make(service, project)
    repository.commit(
        {"config/a.yaml": b"a:   1 # same\n", "config/b.yaml": b"b: 2\n", "config/c.yaml": b"x"}
    )
    repository.commit({"config/d.yaml": b"d: 2\n"})
    await service.sync(project["id"])
    new = await make(service, project)
    compared = await service.get(f"/releases/{old['digest']}/compare/{new['digest']}")
    rows = [(row["path"], row["changes"]) for row in compared["changed"]]
    assert rows[:3] == [("config/a.yaml", []), ("config/b.yaml", None), ("config/c.yaml", None)]
    # What is too large does not stand in the way of what comes behind it.
    [(path, [change])] = rows[3:]
    assert (path, change["path"], change["before"], change["after"]) == ("config/d.yaml", "d", 1, 2)
    assert compared["complete"] is False


async def test_no_release_holds_half_a_sync(service: Service) -> None:
    """Every file carries the number of its commit; releases are made while syncs apply them."""
    paths = [f"config/{n:03}.yaml" for n in range(120)]
    repository = service.repository("acme/numbered", dict.fromkeys(paths, b"commit: 0\n"))
    project = await service.synced("acme/numbered")
    stop = asyncio.Event()

    async def sync_all() -> None:
        for number in range(1, 6):
            repository.commit(dict.fromkeys(paths, b"commit: %d\n" % number))
            await service.sync(project["id"])
        stop.set()

    async def release_all() -> int:
        made = 0
        while not stop.is_set():
            answer = await service.http.post(f"/projects/{project['id']}/releases", json={})
            assert answer.status_code in {200, 201}, answer.text
            files = answer.json()["files"]
            assert len(files) == len(paths)
            assert (
                len({row["sha256"] for row in files})
                == len({row["commit_sha"] for row in files})
                == 1
            )
            made += 1
        return made

    _, *made = await asyncio.gather(sync_all(), release_all(), release_all())
    assert min(made) > 1


async def test_what_would_be_released_now_is_told_and_not_stored(
    service: Service, project: Json
) -> None:
    path = f"/projects/{project['id']}/effective"
    answer = await service.http.get(path)
    effective = answer.json()
    assert_problem(
        await service.http.get(f"/releases/{effective['digest']}"), 404, "release_not_found"
    )
    again = await service.http.get(path, headers={"If-None-Match": answer.headers["etag"]})
    assert again.status_code == 304
    release = await make(service, project)
    assert effective.keys() == release.keys()
    for name in ("digest", "files", "files_count", "size", "project_id"):
        assert effective[name] == release[name]
    assert (effective["created_at"], effective["makings"], effective["makings_count"]) == (
        None,
        [],
        0,
    )
    empty = await service.project("acme/bench", name="never synced")
    nothing = await service.get(f"/projects/{empty['id']}/effective")
    assert (nothing["files"], nothing["digest"]) == (
        [],
        "sha256:" + hashlib.sha256(b"").hexdigest(),
    )


async def test_name_description_and_pin_may_change(service: Service, project: Json) -> None:
    release = await make(service, project, name="first")
    path = f"/releases/{release['digest']}"
    seen = (await service.http.get(path)).headers["etag"]
    assert seen.startswith('"1.')
    changed = await service.put(path, {"name": "second", "pinned": True}, 200, **{"If-Match": seen})
    assert changed == {**release, "name": "second", "pinned": True}
    answer = await service.http.put(path, json={"name": "third"}, headers={"If-Match": seen})
    assert assert_problem(answer, 412, "stale")["current_revision"] == 2
    assert await service.put(path, {}) == changed
    assert await service.put(path, {"name": None, "description": None, "pinned": None}) == changed
    answer = await service.http.put(path, json={"description": "why"})
    assert answer.headers["etag"].startswith('"3.')
    assert answer.json() == {**changed, "description": "why"}
    assert (await service.put(path[:30], {"name": ""}))["name"] == ""
    wrong: tuple[Json, ...] = ({"files": []}, {"digest": "x"}, {"pinned": "no"})
    for body in wrong:
        assert fields_at_fault(await service.http.put(path, json=body)) == set(body)
    assert (await service.get(path))["files"] == release["files"]


async def test_a_making_changes_the_etag_but_makes_no_edit_stale(
    service: Service, project: Json
) -> None:
    path = f"/releases/{(await make(service, project))['digest']}"
    seen = (await service.http.get(path)).headers["etag"]
    assert (await service.http.get(path, headers={"If-None-Match": seen})).status_code == 304
    await make(service, project, 200)
    answer = await service.http.get(path, headers={"If-None-Match": seen})
    assert (answer.status_code, answer.headers["cache-control"]) == (200, "no-cache")
    assert (
        await service.http.put(path, json={"name": "x"}, headers={"If-Match": seen})
    ).status_code == 200


async def test_twelve_digits_suffice_where_they_are_unique(service: Service, project: Json) -> None:
    release = await make(service, project)
    digits = release["digest"].removeprefix("sha256:")
    for reference in (digits, digits[:12], f"sha256:{digits[:12]}", digits[:40].upper()):
        assert (await service.get(f"/releases/{reference}"))["digest"] == release["digest"]
    for reference in ("0", digits[:11], "sha256:" + digits[:11]):
        for route in (
            "",
            "/SHA256SUMS",
            "/archive",
            "/configmap",
            "/files/a",
            f"/compare/{digits}",
        ):
            assert fields_at_fault(
                await service.http.get(f"/releases/{reference}{route}"), "digest_too_short"
            )
    absent = "0" * 64 if digits[0] != "0" else "1" * 64
    for reference in (absent, absent[:12], f"{digits}0", "latest", "sha256:", digits[:12] + "g"):
        for route in (
            "",
            "/SHA256SUMS",
            "/archive",
            "/configmap",
            "/files/a",
            f"/compare/{digits}",
        ):
            answer = await service.http.get(f"/releases/{reference}{route}")
            assert_problem(answer, 404, "release_not_found")
    twin = digits[:12] + "0" * 52
    releases = service.services.database.collection("releases")
    [row] = await releases.find({"digest": digits}).to_list()
    del row["_id"]
    await releases.insert_one({**row, "digest": twin})
    assert_problem(await service.http.get(f"/releases/{digits[:12]}"), 409, "digest_ambiguous")
    assert_problem(
        await service.http.put(f"/releases/{digits[:12]}", json={}), 409, "digest_ambiguous"
    )
    assert (await service.get(f"/releases/{digits[:20]}"))["digest"] == release["digest"]


async def test_odd_names_survive_every_delivery(service: Service, tmp_path: Path) -> None:
    """What GNU tar unpacks, `sha256sum -c` accepts file by file."""
    service.repository("acme/odd", ODD)
    release = await make(service, await service.synced("acme/odd"))
    assert await fetched(service, release) == ODD
    for archive_format in ("tar.gz", "zip"):
        packed = await archive_of(service, release["digest"], archive_format)
        assert unpacked(packed, archive_format) == ODD
        assert packed == await archive_of(service, release["digest"][:20], archive_format)
    assert await checked_by_coreutils(service, release, tmp_path) == len(ODD)


async def checked_by_coreutils(service: Service, release: Json, folder: Path) -> int:
    """How many files of the unpacked archive `sha256sum -c` finds to be as SHA256SUMS says."""
    sums = (await service.http.get(f"/releases/{release['digest']}/SHA256SUMS")).content
    assert "sha256:" + hashlib.sha256(sums).hexdigest() == release["digest"]
    packed = await archive_of(service, release["digest"])
    subprocess.run(["tar", "-xz"], cwd=folder, input=packed, check=True)
    command = ["sha256sum", "-c", "--strict", "-"]
    checked = subprocess.run(command, cwd=folder, input=sums, capture_output=True, check=False)
    assert checked.returncode == 0, checked.stderr
    return checked.stdout.count(b": OK")


async def test_a_real_repository_is_released_as_git_has_it(
    service: Service, shared_data: Path, tmp_path: Path
) -> None:
    real = real_repository(shared_data, "kubernetes-sigs__inference-perf")
    target = service.folder / "real.git"
    real.build(target, 1)
    service.github.add(real.full_name, Repository(target))
    folders = {name: real.manifest[name] for name in ("config_folder", "job_folder")}
    project = await service.synced(real.full_name, **folders)
    release = await make(service, project)
    (tmp_path / "out").mkdir()
    assert (
        await checked_by_coreutils(service, release, tmp_path / "out")
        == project["stats"]["original_files"]
    )
    upstream = {
        path: sha
        for folder in set(folders.values())
        for path, sha in blob_ids(target, "main", folder).items()
    }
    assert release["files"]
    for row in release["files"]:
        assert row["original_sha"] == upstream[row["path"]]
        assert blob_id((tmp_path / "out" / row["path"]).read_bytes()) == upstream[row["path"]]


async def test_a_name_that_could_leave_its_folder_is_not_packed(service: Service) -> None:
    files = {"config/..\\..\\a.yaml": b"a: 1\n"}
    service.repository("acme/odd", files)
    release = await make(service, await service.synced("acme/odd"))
    for archive_format in ("tar.gz", "zip"):
        answer = await service.http.get(
            f"/releases/{release['digest']}/archive", params={"format": archive_format}
        )
        assert_problem(answer, 422, "archive_path_unsafe")
    assert await fetched(service, release) == files
    answer = await service.http.get(
        f"/releases/{release['digest']}/archive", params={"format": "rar"}
    )
    assert fields_at_fault(answer) == {"format"}


async def test_what_never_changes_may_be_kept_for_ever(service: Service, project: Json) -> None:
    digest = (await make(service, project))["digest"]
    routes = (
        "SHA256SUMS",
        "files/config/a.yaml",
        "archive",
        "archive?format=zip",
        "configmap",
        "configmap?name=x",
    )
    tags = set()
    for route in routes:
        answer = await service.http.get(f"/releases/{digest}/{route}")
        assert (answer.status_code, answer.headers["cache-control"]) == (200, FOR_EVER), route
        tag = answer.headers["etag"]
        assert tag.startswith('"')
        tags.add(tag)
        known = await service.http.get(
            f"/releases/{digest}/{route}", headers={"If-None-Match": f'"x", {tag}'}
        )
        assert (known.status_code, known.content, known.headers["etag"]) == (304, b"", tag)
        assert known.headers["cache-control"] == FOR_EVER
        head = await service.http.head(f"/releases/{digest}/{route}")
        assert (head.status_code, head.content) == (200, b"")
        assert head.headers["content-length"] == str(len(answer.content))
        assert {
            name: head.headers[name] for name in ("etag", "content-type", "content-disposition")
        } == {
            name: answer.headers[name] for name in ("etag", "content-type", "content-disposition")
        }
        short = await service.http.get(f"/releases/{digest[:20]}/{route}")
        assert (short.content, short.headers["etag"]) == (answer.content, tag)
        assert short.headers["cache-control"] == "no-cache", "shorter digests may get ambiguous"
    assert len(tags) == len(routes)


async def test_each_delivery_names_its_kind(service: Service, project: Json) -> None:
    digest = (await make(service, project))["digest"]
    short = digest.removeprefix("sha256:")[:12]
    for route, kind, name in (
        ("SHA256SUMS", "text/plain; charset=utf-8", "SHA256SUMS"),
        ("files/config/deep/b.json", "text/plain; charset=utf-8", "b.json"),
        ("archive", "application/gzip", f"release-{short}.tar.gz"),
        ("archive?format=zip", "application/zip", f"release-{short}.zip"),
        ("configmap", "application/yaml", f"release-{short}.yaml"),
        ("configmap?name=my.map", "application/yaml", "my.map.yaml"),
    ):
        answer = await service.http.get(f"/releases/{digest}/{route}")
        assert answer.headers["content-type"] == kind
        assert f'filename="{name}"' in answer.headers["content-disposition"]
        assert answer.headers["x-content-type-options"] == "nosniff"
    for path in (
        "config",
        "config/",
        "a.yaml",
        "config/a.yaml/",
        "zzz",
        "\0",
        "Config/a.yaml",
        "",
        "/config/a.yaml",
    ):
        answer = await service.http.get(f"/releases/{digest}/files/{quote(path)}")
        assert_problem(answer, 404, "release_file_not_found")


async def test_a_config_map_holds_the_very_texts(
    service: Service, project: Json, files: dict[str, bytes]
) -> None:
    texts = "\ufeffa: 1\r\nb: '\u2028'  \n\n\n"
    original = (await service.files(project["id"]))["config/a.yaml"]
    await service.variant(project["id"], original, modified_name="odd.yaml", content=texts)
    digest = (await make(service, project))["digest"]
    answer = await service.http.get(f"/releases/{digest}/configmap", params={"name": "bench-1"})
    manifest = yaml.safe_load(answer.content)
    assert (manifest["kind"], manifest["immutable"], manifest["metadata"]["name"]) == (
        "ConfigMap",
        True,
        "bench-1",
    )
    assert manifest["metadata"]["annotations"] == {"benchmark-manager/release": digest}
    held = {**files, "config/odd.yaml": texts.encode()}
    assert {key: text.encode() for key, text in manifest["data"].items()} == {
        path.replace("/", "__"): data for path, data in held.items()
    }
    for name in ("A", "a_b", "", "x" * 254, "-"):
        answer = await service.http.get(f"/releases/{digest}/configmap", params={"name": name})
        assert fields_at_fault(answer, "invalid_name") == {"name"}


async def test_what_no_config_map_can_hold_is_refused(service: Service) -> None:
    for name, files, code in (
        (
            "large",
            {f"config/{n}.yaml": b"# " + b"x" * 700_000 for n in range(2)},
            "configmap_too_large",
        ),
        ("key", {"config/größe.yaml": b"a: 1\n"}, "configmap_key_invalid"),
        (
            "clash",
            {"config/a/b.yaml": b"a: 1\n", "config/a__b.yaml": b"a: 1\n"},
            "configmap_key_clash",
        ),
    ):
        service.repository(f"acme/{name}", files)
        release = await make(service, await service.synced(f"acme/{name}"))
        assert_problem(
            await service.http.get(f"/releases/{release['digest']}/configmap"), 422, code
        )


async def test_of_a_deleted_project_only_what_is_pinned_stays(
    service: Service, project: Json, files: dict[str, bytes]
) -> None:
    original = (await service.files(project["id"]))["config/a.yaml"]
    loose = await make(service, project, include="originals")
    await service.variant(project["id"], original, content="model: mine\n")
    pinned = await make(service, project, pinned=True)
    shared = await make(service, project, include="modified")
    other = await service.synced("acme/bench", name="other")
    await service.variant(
        other["id"], (await service.files(other["id"]))["config/a.yaml"], content="model: mine\n"
    )
    await make(service, other, 200, include="modified")
    assert (await service.http.delete(f"/projects/{project['id']}")).status_code == 204

    async def check() -> None:
        for route in ("", "/SHA256SUMS", "/archive", "/files/config/a.yaml"):
            assert_problem(
                await service.http.get(f"/releases/{loose['digest']}{route}"),
                404,
                "release_not_found",
            )
        assert await fetched(service, await service.get(f"/releases/{pinned['digest']}")) == {
            **files,
            "config/a.yaml": b"model: mine\n",
        }
        assert (await service.get(f"/releases/{shared['digest']}"))["makings_count"] == 2
        assert len(unpacked(await archive_of(service, pinned["digest"]), "tar.gz")) == 3

    await check()
    await service.services.housekeeping.sweep_deleted_projects()
    await check()
    collection = service.services.database.collection
    written = [collection(name) for name in ("releases", "release_makings", "release_files")]
    for each in written:
        assert len(await each.distinct("digest")) == 2
    held = collection("release_blobs")
    assert {row["_id"]: row["releases"] async for row in held.find({})} == {
        blob_id(data): 2 if data == b"model: mine\n" else 1
        for data in (b"model: mine\n", files["config/deep/b.json"], files["job/run.yaml"])
    }
    assert_problem(
        await service.http.get(f"/projects/{project['id']}/releases"), 404, "project_not_found"
    )
    await service.http.delete(f"/projects/{other['id']}")
    await service.services.housekeeping.sweep_deleted_projects()
    assert_problem(
        await service.http.get(f"/releases/{shared['digest']}"), 404, "release_not_found"
    )
    assert (await service.put(f"/releases/{pinned['digest']}", {"name": "kept"}))["name"] == "kept"
    assert (await service.put(f"/releases/{pinned['digest']}", {"pinned": False}))[
        "pinned"
    ] is False
    assert_problem(
        await service.http.get(f"/releases/{pinned['digest']}"), 404, "release_not_found"
    )
    assert [await each.count_documents({}) for each in (*written, held)] == [0] * 4


async def test_what_a_deleted_project_said_is_not_read_again(
    service: Service, project: Json
) -> None:
    """Not even when the same release is made by another project before the sweep."""
    digest = (await make(service, project, name="secret"))["digest"]
    await service.http.delete(f"/projects/{project['id']}")
    other = await service.synced("acme/bench", name="other")
    release = await make(service, other, name="mine")
    assert (release["digest"], release["name"], release["project_id"]) == (
        digest,
        "mine",
        other["id"],
    )
    assert [making["project_id"] for making in release["makings"]] == [other["id"]]
    await service.services.housekeeping.sweep_deleted_projects()
    assert await service.get(f"/releases/{digest}") == release


async def test_the_contents_of_releases_are_never_swept(
    service: Service, project: Json, files: dict[str, bytes]
) -> None:
    release = await make(service, project)
    service.github.hosting.repositories()[0].repository.commit(dict.fromkeys(files))
    await service.sync(project["id"])
    blobs = BlobStore(service.services.database)
    collection = service.services.database.collection("blobs")
    long_ago = (await collection.find_one({}))["touched_at"].replace(year=2000)  # type: ignore[index]
    marks = {"touched_at": long_ago, "unreferred_at": long_ago}
    await collection.update_many({}, {"$set": marks})
    await blobs.put([b"nobody's"], None, long_ago)
    await collection.update_many({}, {"$set": marks})
    await service.services.housekeeping.run()
    assert await collection.count_documents({}) == len(files)
    assert await fetched(service, release) == files


@contextmanager
def threads_of(names: Collection[str]) -> Iterator[dict[str, set[int]]]:
    """Record in which threads functions with these names are called, on an own executor."""
    threads: dict[str, set[int]] = {}

    def note(frame: FrameType, event: str, _: object) -> None:
        name = frame.f_code.co_name
        coroutine = frame.f_code.co_flags & inspect.CO_COROUTINE
        if event == "call" and name in names and not coroutine:
            threads.setdefault(name, set()).add(threading.get_ident())

    # Threads are profiled that begin from now on.
    asyncio.get_running_loop().set_default_executor(ThreadPoolExecutor())
    threading.setprofile(note)
    sys.setprofile(note)
    try:
        yield threads
    finally:
        sys.setprofile(None)
        threading.setprofile(None)


async def test_what_takes_long_for_many_files_keeps_nobody_else_waiting(
    service: Service, project: Json
) -> None:
    """It runs in other threads than the one which answers requests."""
    making = ("chosen", "with_sums", "release_digest", "provenance_id")
    delivering = ("sums_text", "archive_length", "config_map", "compared")
    answering = ("release_detail", "effective_answer", "comparison_answer")
    with threads_of({*making, *delivering, *answering}) as threads:
        first = await make(service, project)
        original = (await service.files(project["id"]))["config/a.yaml"]
        await service.variant(project["id"], original, content="mine: 1\n")
        second = await make(service, project)
        address = f"/releases/{first['digest']}"
        await service.get(f"/projects/{project['id']}/effective")
        await service.get(f"{address}/compare/{second['digest']}")
        for route in ("SHA256SUMS", "archive", "configmap"):
            assert (await service.http.get(f"{address}/{route}")).status_code == 200
    assert threads.keys() == {*making, *delivering, *answering}
    assert threading.get_ident() not in set().union(*threads.values())


async def test_nothing_is_sent_where_a_content_is_missing_or_not_what_was_released(
    service: Service, project: Json
) -> None:
    release = await make(service, project)
    collection = service.services.database.collection("blobs")
    path = f"/releases/{release['digest']}"
    sha = next(row["original_sha"] for row in release["files"] if row["path"] == "job/run.yaml")
    row = await collection.find_one({"_id": sha})
    assert row is not None
    routes = ("files/job/run.yaml", "configmap", "archive", "archive?format=zip")
    await collection.update_one({"_id": sha}, {"$set": {"data": row["data"] + b" "}})
    for route in routes:
        assert_problem(await service.http.get(f"{path}/{route}"), 500, "internal_error")
    await collection.delete_one({"_id": sha})
    for route in routes:
        assert_problem(await service.http.get(f"{path}/{route}"), 500, "internal_error")
    assert (await service.http.get(f"{path}/files/config/a.yaml")).status_code == 200


async def test_an_archive_which_breaks_off_does_not_look_whole(service: Service) -> None:
    """A content behind the first megabyte is not what was released."""
    service.repository(
        "acme/large", {f"config/{n}.yaml": b"# %d" % n + b"x" * 900_000 for n in range(3)}
    )
    release = await make(service, await service.synced("acme/large"))
    collection = service.services.database.collection("blobs")
    last = release["files"][-1]["original_sha"]
    await collection.update_one(
        {"_id": last}, {"$set": {"data": b"x" * release["files"][-1]["size"]}}
    )
    answer = await service.http.get(f"/releases/{release['digest']}/archive")
    assert answer.status_code == 200, "it had begun"
    assert 1_700_000 < len(answer.content) < int(answer.headers["content-length"]) - 900_000


async def test_contents_of_an_older_version_are_hashed_when_first_released(
    service: Service, project: Json, files: dict[str, bytes]
) -> None:
    collection = service.services.database.collection("blobs")
    await collection.update_many({}, {"$unset": {"sha256": 1}})
    release = await make(service, project)
    assert release["digest"] == "sha256:" + hashlib.sha256(sums_of(files)).hexdigest()
    kept = {row["sha256"] async for row in collection.find({})}
    assert kept == {hashlib.sha256(data).hexdigest() for data in files.values()}


async def test_a_release_may_be_larger_than_a_document(
    limited: Service, files: dict[str, bytes]
) -> None:
    """Their paths alone are more than a document of MongoDB can hold."""
    service = limited
    service.repository("acme/bench", files)
    project = await service.synced("acme/bench")
    collection = service.services.database.collection("files")
    [row] = await collection.find({"path": "config/a.yaml"}).to_list()
    folder = "config/" + "x" * 40_000
    rows = [
        {**{k: v for k, v in row.items() if k != "_id"}, "path": f"{folder}/{n:04}.yaml"}
        for n in range(450)
    ]
    await collection.insert_many(rows)
    release = await make(service, project)
    assert release["files_count"] == 453
    assert await file_of(service, release["digest"], f"{folder}/0377.yaml") == b"model: llama\n"
    assert await file_of(service, release["digest"], "job/run.yaml")
    packed = unpacked(await archive_of(service, release["digest"], "zip"), "zip")
    assert list(packed) == [row["path"] for row in release["files"]]
    assert len(set(packed.values())) == 3


async def test_releases_are_paged_newest_first(service: Service, project: Json) -> None:
    original = (await service.files(project["id"]))["config/a.yaml"]
    digests = []
    for number in range(7):
        await service.variant(project["id"], original, modified_name=f"{number}.yaml")
        digests.append((await make(service, project))["digest"])
    path = f"/projects/{project['id']}/releases"
    rows = await service.rows(path, limit=3)
    assert [row["digest"] for row in rows] == digests[::-1]
    assert all(row.keys() == MEMBERS for row in rows)
    answer = await service.http.get(path, params={"limit": 3})
    assert (answer.headers["x-total-count"], len(answer.json())) == ("7", 3)
    assert fields_at_fault(
        await service.http.get(path, params={"cursor": "x"}), "invalid_cursor"
    ) == {"cursor"}


async def test_releases_work_on_the_embedded_database(
    embedded_service: Service, files: dict[str, bytes]
) -> None:
    service = embedded_service
    repository = service.repository("acme/bench", files)
    project = await service.synced("acme/bench")
    path = f"/projects/{project['id']}/releases"
    await make_eight_at_once(service, await service.synced("acme/bench", name="other"))
    answers = await asyncio.gather(*(service.http.post(path, json={}) for _ in range(5)))
    assert sorted(answer.status_code for answer in answers) == [200] * 4 + [201], [
        a.text for a in answers
    ]
    release = await service.get(f"/releases/{answers[0].json()['digest'][:19]}")
    assert [making["number"] for making in release["makings"]] == list(range(1, 6))
    assert await fetched(service, release) == files
    for archive_format in ("tar.gz", "zip"):
        assert (
            unpacked(await archive_of(service, release["digest"], archive_format), archive_format)
            == files
        )
    repository.commit({"config/a.yaml": b"model: new\n"})
    await service.sync(project["id"])
    newer = await make(service, project, pinned=True)
    assert [row["digest"] for row in await service.rows(path, limit=1)] == [
        newer["digest"],
        release["digest"],
    ]
    assert (await service.put(f"/releases/{release['digest']}", {"name": "x"}))["name"] == "x"
    await service.services.housekeeping.run()
    await service.http.delete(f"/projects/{project['id']}")
    await service.services.housekeeping.run()
    assert_problem(
        await service.http.get(f"/releases/{release['digest']}"), 404, "release_not_found"
    )
    assert (await fetched(service, newer))["config/a.yaml"] == b"model: new\n"
