"""Files, sums, archives and ConfigMaps of releases: their bytes and headers."""

from pathlib import Path
from urllib.parse import quote

import httpx2 as httpx
import pytest
import pytest_asyncio
import yaml

from benchmark_manager.domain.git.objects import blob_id
from github_test_server import Repository
from support.problems import assert_problem, fields_at_fault
from support.real_repositories import blob_ids, real_repository
from support.released import (
    FOR_EVER,
    FORMATS,
    archive_of,
    checked_by_coreutils,
    file_of,
    files_of,
    make_release,
    unpacked,
)
from support.service import Json, Service

ODD = {
    "config/back\\slash.yaml": b"a: 1\n",
    "config/new\nline.yaml": b"a: 2\r\n",
    "config/größe 🚀.yaml": b"\xef\xbb\xbfa: 3",
    "config/per%cent%2F?#.yaml": b"",
    "config/" + "long/" * 60 + "a.yaml": b"a: \x01\n",
}
UNSAFE = {"config/..\\..\\a.yaml": b"a: 1\n"}
ROUTES = (
    "SHA256SUMS",
    "files/config/a.yaml",
    "archive",
    "archive?format=zip",
    "configmap",
    "configmap?name=x",
)
every_route = pytest.mark.parametrize("route", ROUTES)
each_format = pytest.mark.parametrize("archive_format", FORMATS)


@pytest_asyncio.fixture(scope="module", loop_scope="session")
async def odd(module_service: Service) -> Json:
    """A release of files with odd names."""
    module_service.repository("acme/odd", ODD)
    return await make_release(module_service, await module_service.synced("acme/odd"))


@pytest_asyncio.fixture(scope="module", loop_scope="session")
async def unsafe(module_service: Service) -> Json:
    """A release of a file whose name leaves its folder on Windows."""
    module_service.repository("acme/unsafe", UNSAFE)
    return await make_release(module_service, await module_service.synced("acme/unsafe"))


# Caching


@every_route
async def test_what_never_changes_may_be_cached_for_ever(
    module_service: Service, release: Json, route: str
) -> None:
    answer = await module_service.http.get(f"/releases/{release['digest']}/{route}")
    assert (answer.status_code, answer.headers["cache-control"]) == (200, FOR_EVER)
    tag = answer.headers["etag"]
    assert tag.startswith('"')
    known = await module_service.http.get(
        f"/releases/{release['digest']}/{route}", headers={"If-None-Match": f'"x", {tag}'}
    )
    assert (known.status_code, known.content, known.headers["etag"]) == (304, b"", tag)
    assert known.headers["cache-control"] == FOR_EVER


async def test_each_delivery_has_an_etag_of_its_own(module_service: Service, release: Json) -> None:
    answers = [
        await module_service.http.head(f"/releases/{release['digest']}/{route}") for route in ROUTES
    ]
    assert len({answer.headers["etag"] for answer in answers}) == len(ROUTES)


@every_route
async def test_a_head_request_is_answered_with_the_headers_of_a_delivery(
    module_service: Service, release: Json, route: str
) -> None:
    answer = await module_service.http.get(f"/releases/{release['digest']}/{route}")
    head = await module_service.http.head(f"/releases/{release['digest']}/{route}")
    assert (head.status_code, head.content) == (200, b"")
    assert head.headers["content-length"] == str(len(answer.content))
    same = ("etag", "content-type", "content-disposition")
    assert {name: head.headers[name] for name in same} == {
        name: answer.headers[name] for name in same
    }


@every_route
async def test_a_delivery_by_a_short_digest_is_the_same_and_checked_again(
    module_service: Service, release: Json, route: str
) -> None:
    """A short digest may become ambiguous."""
    answer = await module_service.http.get(f"/releases/{release['digest']}/{route}")
    short = await module_service.http.get(f"/releases/{release['digest'][:20]}/{route}")
    assert (short.content, short.headers["etag"]) == (answer.content, answer.headers["etag"])
    assert short.headers["cache-control"] == "no-cache"


# Kinds and names


@pytest.mark.parametrize(
    ("route", "kind", "name"),
    [
        ("SHA256SUMS", "text/plain; charset=utf-8", "SHA256SUMS"),
        ("files/config/deep/b.json", "text/plain; charset=utf-8", "b.json"),
        ("archive", "application/gzip", "release-{short}.tar.gz"),
        ("archive?format=zip", "application/zip", "release-{short}.zip"),
        ("configmap", "application/yaml", "release-{short}.yaml"),
        ("configmap?name=my.map", "application/yaml", "my.map.yaml"),
    ],
)
async def test_each_delivery_names_its_kind(
    module_service: Service, release: Json, route: str, kind: str, name: str
) -> None:
    answer = await module_service.http.get(f"/releases/{release['digest']}/{route}")
    short = release["digest"].removeprefix("sha256:")[:12]
    assert answer.headers["content-type"] == kind
    assert f'filename="{name.format(short=short)}"' in answer.headers["content-disposition"]
    assert answer.headers["x-content-type-options"] == "nosniff"


@pytest.mark.parametrize(
    "path",
    [
        "config",
        "config/",
        "a.yaml",
        "config/a.yaml/",
        "zzz",
        "\0",
        "Config/a.yaml",
        "",
        "/config/a.yaml",
    ],
    ids=ascii,
)
async def test_a_path_of_no_file_is_not_found(
    module_service: Service, release: Json, path: str
) -> None:
    answer = await module_service.http.get(f"/releases/{release['digest']}/files/{quote(path)}")
    assert_problem(answer, 404, "release_file_not_found")


async def test_files_with_odd_names_are_delivered_one_by_one(
    module_service: Service, odd: Json
) -> None:
    assert await files_of(module_service, odd) == ODD


@each_format
async def test_archives_hold_files_with_odd_names(
    module_service: Service, odd: Json, archive_format: str
) -> None:
    packed = await archive_of(module_service, odd["digest"], archive_format)
    assert unpacked(packed, archive_format) == ODD
    assert packed == await archive_of(module_service, odd["digest"][:20], archive_format)


async def test_coreutils_accept_sums_of_files_with_odd_names(
    module_service: Service, odd: Json, tmp_path: Path
) -> None:
    """`sha256sum -c` accepts each file that GNU tar unpacks."""
    assert await checked_by_coreutils(module_service, odd, tmp_path) == len(ODD)


async def test_a_real_repository_is_released_as_git_has_it(
    service: Service, shared_data: Path, tmp_path: Path
) -> None:
    real = real_repository(shared_data, "kubernetes-sigs__inference-perf")
    target = service.folder / "real.git"
    real.build(target, 1)
    service.github.add(real.full_name, Repository(target))
    folders = {name: real.manifest[name] for name in ("config_folder", "job_folder")}
    project = await service.synced(real.full_name, **folders)
    release = await make_release(service, project)
    out = tmp_path / "out"
    out.mkdir()
    count = project["stats"]["original_files"]
    assert await checked_by_coreutils(service, release, out) == count
    upstream = {
        path: sha
        for folder in set(folders.values())
        for path, sha in blob_ids(target, "main", folder).items()
    }
    released = {row["path"]: row["original_sha"] for row in release["files"]}
    assert released
    assert released == {path: upstream.get(path) for path in released}
    assert {path: blob_id((out / path).read_bytes()) for path in released} == released


@each_format
async def test_a_name_that_could_leave_its_folder_is_not_packed(
    module_service: Service, unsafe: Json, archive_format: str
) -> None:
    answer = await module_service.http.get(
        f"/releases/{unsafe['digest']}/archive", params={"format": archive_format}
    )
    assert_problem(answer, 422, "archive_path_unsafe")


async def test_a_file_whose_name_could_leave_its_folder_is_delivered_alone(
    module_service: Service, unsafe: Json
) -> None:
    assert await files_of(module_service, unsafe) == UNSAFE


async def test_an_unknown_format_of_archives_is_refused(
    module_service: Service, release: Json
) -> None:
    answer = await module_service.http.get(
        f"/releases/{release['digest']}/archive", params={"format": "rar"}
    )
    assert fields_at_fault(answer) == {"format"}


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
    release = await make_release(service, project)
    assert release["files_count"] == 453
    assert await file_of(service, release["digest"], f"{folder}/0377.yaml") == b"model: llama\n"
    assert await file_of(service, release["digest"], "job/run.yaml")
    packed = unpacked(await archive_of(service, release["digest"], "zip"), "zip")
    assert list(packed) == [row["path"] for row in release["files"]]
    assert len(set(packed.values())) == 3


# ConfigMaps


async def config_map_of(service: Service, release: Json, **params: str) -> httpx.Response:
    return await service.http.get(f"/releases/{release['digest']}/configmap", params=params)


async def test_a_config_map_holds_the_exact_texts(
    service: Service, project: Json, files: dict[str, bytes]
) -> None:
    texts = "\ufeffa: 1\r\nb: '\u2028'  \n\n\n"
    original = (await service.files(project["id"]))["config/a.yaml"]
    await service.variant(project["id"], original, modified_name="odd.yaml", content=texts)
    release = await make_release(service, project)
    manifest = yaml.safe_load((await config_map_of(service, release, name="bench-1")).content)
    assert (manifest["kind"], manifest["immutable"], manifest["metadata"]["name"]) == (
        "ConfigMap",
        True,
        "bench-1",
    )
    assert manifest["metadata"]["annotations"] == {"benchmark-manager/release": release["digest"]}
    held = {**files, "config/odd.yaml": texts.encode()}
    assert {key: text.encode() for key, text in manifest["data"].items()} == {
        path.replace("/", "__"): data for path, data in held.items()
    }


@pytest.mark.parametrize(
    "name",
    ["A", "a_b", "", "x" * 254, "-"],
    ids=["capital", "underscore", "empty", "254 characters", "dash"],
)
async def test_a_config_map_needs_a_name_that_kubernetes_takes(
    module_service: Service, release: Json, name: str
) -> None:
    answer = await config_map_of(module_service, release, name=name)
    assert fields_at_fault(answer, "invalid_name") == {"name"}


@pytest.mark.parametrize(
    ("files", "code"),
    [
        (
            {f"config/{n}.yaml": b"# " + b"x" * 700_000 for n in range(2)},
            "configmap_too_large",
        ),
        ({"config/größe.yaml": b"a: 1\n"}, "configmap_key_invalid"),
        (
            {"config/a/b.yaml": b"a: 1\n", "config/a__b.yaml": b"a: 1\n"},
            "configmap_key_clash",
        ),
    ],
    ids=["large", "key", "clash"],
)
async def test_what_no_config_map_can_hold_is_refused(
    service: Service, files: dict[str, bytes], code: str
) -> None:
    service.repository("acme/refused", files)
    release = await make_release(service, await service.synced("acme/refused"))
    assert_problem(await config_map_of(service, release), 422, code)
