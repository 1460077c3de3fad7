"""ETag, If-None-Match and If-Match (RFC 9110, 8.8.3 and 13.1), and HEAD."""

import re
from collections.abc import AsyncIterator

import httpx2 as httpx
import pytest
import pytest_asyncio

from support.outcomes import UNKNOWN, outcome
from support.problems import assert_problem
from support.service import Json, Service
from support.unchanged_service import unchanged_service


@pytest.fixture
async def service(module_service: Service) -> AsyncIterator[Service]:
    """The service of all tests here, for each as it was at first.

    Tests which only read use `module_service`.
    """
    async with unchanged_service(module_service) as running:
        yield running


@pytest_asyncio.fixture(scope="module", loop_scope="session")
async def project(module_service: Service, files: dict[str, bytes]) -> Json:
    module_service.repository("acme/bench", files)
    return await module_service.synced("acme/bench")


@pytest_asyncio.fixture(scope="module", loop_scope="session")
async def original(module_service: Service, project: Json) -> Json:
    return (await module_service.files(project["id"]))["config/a.yaml"]


@pytest_asyncio.fixture(scope="module", loop_scope="session")
async def variant(module_service: Service, project: Json, original: Json) -> Json:
    return await module_service.variant(project["id"], original)


@pytest.fixture(scope="module")
def resources(project: Json, original: Json, variant: Json) -> dict[str, str]:
    """Every address whose answers have an ETag."""
    file = f"/projects/{project['id']}/files/{original['id']}"
    there = f"/modified-files/{variant['id']}"
    return {
        "project": f"/projects/{project['id']}",
        "file": file,
        "raw file": f"{file}/raw",
        "variant": there,
        "raw variant": f"{there}/raw",
    }


RESOURCES = ("project", "file", "raw file", "variant", "raw variant")


async def etag(service: Service, path: str) -> str:
    tag: str = (await service.http.get(path)).headers["etag"]
    return tag


def revision(tag: str) -> int:
    found = re.fullmatch(r'"(\d+)\.[0-9a-f]+"', tag)
    assert found, tag
    return int(found[1])


@pytest.mark.parametrize("name", RESOURCES)
async def test_every_single_resource_has_a_strong_etag_which_lasts(
    module_service: Service, resources: dict[str, str], name: str
) -> None:
    tag = await etag(module_service, resources[name])
    assert re.fullmatch(r'"[!#-~]+"', tag)
    assert await etag(module_service, resources[name]) == tag


async def test_only_files_with_the_same_bytes_share_an_etag(
    module_service: Service, resources: dict[str, str]
) -> None:
    tags = {name: await etag(module_service, path) for name, path in resources.items()}
    assert tags["raw file"] == tags["raw variant"]
    assert len(set(tags.values())) == len(tags) - 1


@pytest.mark.parametrize("name", RESOURCES)
async def test_a_client_that_has_the_answer_gets_a_304(
    module_service: Service, resources: dict[str, str], name: str
) -> None:
    tag = await etag(module_service, resources[name])
    known = (tag, f"W/{tag}", f'"other", {tag}', f'"other",W/{tag} , "more"', "*", " * ")
    answers = {given: await get_unless(module_service, resources[name], given) for given in known}
    assert {
        given: (
            answer.status_code,
            answer.content,
            answer.headers["etag"],
            "content-type" in answer.headers,
        )
        for given, answer in answers.items()
    } == dict.fromkeys(known, (304, b"", tag, False))


@pytest.mark.parametrize("name", RESOURCES)
async def test_a_client_that_has_another_answer_gets_this_one(
    module_service: Service, resources: dict[str, str], name: str
) -> None:
    tag = await etag(module_service, resources[name])
    others = ('"other"', 'W/"other"', tag.strip('"'), f'"{tag[1:5]}"', "", '"*"', tag[:-1])
    answers = {given: await get_unless(module_service, resources[name], given) for given in others}
    assert {
        given: (answer.status_code, answer.headers["etag"]) for given, answer in answers.items()
    } == dict.fromkeys(others, (200, tag))


async def get_unless(service: Service, path: str, tags: str) -> httpx.Response:
    """Ask for an address unless its answer has one of these ETags."""
    return await service.http.get(path, headers={"If-None-Match": tags})


async def test_the_etag_is_over_the_whole_answer(
    service: Service, project: Json, original: Json, variant: Json
) -> None:
    """A counted variant changes an original's answer, and its own drift a variant's."""
    paths = [f"/projects/{project['id']}", f"/projects/{project['id']}/files/{original['id']}"]
    before = [await etag(service, path) for path in paths]
    await service.variant(project["id"], original, modified_name="b.yaml")
    after = [await etag(service, path) for path in paths]
    assert all(old != new for old, new in zip(before, after, strict=True))
    raw = f"/modified-files/{variant['id']}/raw"
    tag = await etag(service, raw)
    await service.put(f"/modified-files/{variant['id']}", {"description": "other"})
    assert await etag(service, raw) == tag, "the bytes are the same"
    await service.put(f"/modified-files/{variant['id']}", {"content": "model: other\n"})
    assert await etag(service, raw) != tag


@pytest.fixture
def address(request: pytest.FixtureRequest, resources: dict[str, str]) -> str:
    """The address of what has a revision: the project or its variant."""
    return resources[request.param]


#: What has a revision, and a text of it that may be changed.
with_revision = pytest.mark.parametrize(
    ("address", "text"),
    [
        pytest.param("project", "name", id="project"),
        pytest.param("variant", "description", id="variant"),
    ],
    indirect=["address"],
)


@with_revision
async def test_an_etag_begins_with_the_revision(service: Service, address: str, text: str) -> None:
    read, changed = [revision(await etag(service, address))], []
    for number in range(3):
        answer = await service.http.put(address, json={text: f"text {number}"})
        changed.append(revision(answer.headers["etag"]))
        read.append(revision(await etag(service, address)))
    assert (read, changed) == ([1, 2, 3, 4], [2, 3, 4])


async def test_a_changed_variant_has_the_revision_of_its_etag(
    service: Service, resources: dict[str, str]
) -> None:
    answer = await service.http.put(resources["variant"], json={"description": "other"})
    assert revision(answer.headers["etag"]) == answer.json()["revision"] == 2


@with_revision
async def test_a_stale_save_is_refused_with_the_current_revision(
    service: Service, address: str, text: str
) -> None:
    stale = {"If-Match": await etag(service, address)}
    theirs = await service.put(address, {text: "theirs"})
    refused = [
        await service.http.put(address, json={text: "mine"}, headers=stale),
        await service.http.delete(address, headers=stale),
    ]
    documents = [assert_problem(answer, 412, "stale") for answer in refused]
    assert [document["current_revision"] for document in documents] == [2, 2]
    assert ["2" in document["detail"] for document in documents] == [True, True]
    assert await service.get(address) == theirs


@with_revision
async def test_only_the_current_etag_lets_a_save_or_a_deletion_through(
    service: Service, address: str, text: str
) -> None:
    await service.put(address, {text: "theirs"})
    seen = {"If-Match": await etag(service, address)}
    saved = await service.http.put(address, json={text: "mine"}, headers=seen)
    stale = await service.http.delete(address, headers=seen)
    fresh = {"If-Match": await etag(service, address)}
    deleted = await service.http.delete(address, headers=fresh)
    assert [answer.status_code for answer in (saved, stale, deleted)] == [200, 412, 204]


@with_revision
@pytest.mark.parametrize(
    "tags",
    ["*", " * ", '"1.hash"', 'W/"1.hash"', '"999.x", "1.x"', '"1.x", "999.x", "other"', '"1"'],
)
async def test_if_match_takes_any_of_its_tags(
    service: Service, address: str, text: str, tags: str
) -> None:
    """Weak ones too: a proxy that compresses makes tags weak, and only revisions are compared."""
    answer = await service.http.put(address, json={text: "text"}, headers={"If-Match": tags})
    assert answer.status_code == 200, answer.text


NEVER = (
    '"other"',
    '"0.x"',
    '"-1.x"',
    '"2x.x"',
    '"2',
    "2",
    "",
    '""',
    '"999.x"',
    '"' + "9" * 5000 + '.x"',
    '"1.x", "3.x"',
    # The digit two in another script.
    '"٢.x"',
)


@with_revision
async def test_if_match_takes_no_tag_without_the_current_revision(
    service: Service, address: str, text: str
) -> None:
    await service.put(address, {text: "second"})
    answers = {
        tags: await service.http.put(
            address, json={text: "never"}, headers={b"If-Match": tags.encode()}
        )
        for tags in NEVER
    }
    assert {
        tags: (outcome(answer), answer.json().get("current_revision"))
        for tags, answer in answers.items()
    } == dict.fromkeys(NEVER, ("412 stale", 2))


@pytest.mark.parametrize("tag", ['"1.x"', "*"])
@pytest.mark.parametrize(
    ("path", "code"),
    [
        (f"/projects/{UNKNOWN}", "project_not_found"),
        (f"/modified-files/{UNKNOWN}", "modified_file_not_found"),
    ],
    ids=["project", "variant"],
)
async def test_what_is_not_there_is_a_404_before_it_can_be_stale(
    module_service: Service, path: str, code: str, tag: str
) -> None:
    headers = {"If-Match": tag}
    saved = await module_service.http.put(path, json={}, headers=headers)
    assert_problem(saved, 404, code)
    assert_problem(await module_service.http.delete(path, headers=headers), 404, code)


async def test_no_sync_makes_anybody_s_edit_of_a_project_stale(
    service: Service, files: dict[str, bytes]
) -> None:
    """What a poll learns changes the answer, and so its hash, but not the revision."""
    # Not the module's repository: one that is removed is not put back.
    service.repository("acme/removed", files)
    project = await service.synced("acme/removed")
    path = f"/projects/{project['id']}"
    seen = await etag(service, path)
    service.github.hosting.remove("acme/removed")
    await service.sync(project["id"], 422)
    assert await etag(service, path) != seen
    answer = await service.http.put(path, json={"name": "mine"}, headers={"If-Match": seen})
    assert (answer.status_code, answer.json()["sync_status"]) == (200, "failing")


@pytest.mark.parametrize("content", [b"model: theirs\n", None], ids=["behind", "upstream_removed"])
async def test_no_drift_makes_anybody_s_edit_of_a_variant_stale(
    service: Service, project: Json, variant: Json, content: bytes | None, files: dict[str, bytes]
) -> None:
    path = f"/modified-files/{variant['id']}"
    seen = await etag(service, path)
    service.github.hosting["acme/bench"].repository.commit({"config/a.yaml": content})
    await service.sync(project["id"])
    drifted = await service.http.get(path, headers={"If-None-Match": seen})
    assert drifted.status_code == 200, "the reader learns of the drift"
    assert drifted.json()["drift"] == ("upstream_removed" if content is None else "behind")
    assert (drifted.json()["content"].encode(), drifted.json()["revision"]) == (
        files["config/a.yaml"],
        1,
    )
    answer = await service.http.put(
        path, json={"content": "model: mine\n"}, headers={"If-Match": seen}
    )
    assert (answer.status_code, answer.json()["revision"]) == (200, 2)


async def test_a_changed_original_makes_no_edit_of_its_variant_stale(
    service: Service, project: Json, variant: Json
) -> None:
    path = f"/modified-files/{variant['id']}"
    seen = await etag(service, path)
    repository = service.github.hosting["acme/bench"].repository
    repository.commit({"config/a.yaml": None, "config/vllm/a.yaml": b"model: llama\n"})
    await service.sync(project["id"])
    answer = await service.http.put(path, json={"description": "mine"}, headers={"If-Match": seen})
    assert answer.status_code == 200
    assert (answer.json()["path"], answer.json()["original_path"]) == (
        "config/vllm/a.yaml",
        "config/vllm/a.yaml",
    )


@pytest.mark.parametrize(
    "address",
    [
        *(f"{{{name}}}" for name in RESOURCES),
        "/projects",
        "{project}/files?limit=1",
        "{project}/modified-files",
        "{project}/syncs",
        "/openapi.json",
        "/docs",
        "/projects/nothing",
        "/nothing",
        "{project}/files?limit=0",
    ],
)
async def test_head_is_get_without_its_body(
    module_service: Service, resources: dict[str, str], address: str
) -> None:
    path = address.format_map(resources)
    get, head = await module_service.http.get(path), await module_service.http.head(path)
    assert (head.status_code, head.content) == (get.status_code, b"")
    assert _lasting_headers(head) == _lasting_headers(get)


def _lasting_headers(answer: httpx.Response) -> dict[str, str]:
    # The nonce of a Content-Security-Policy is another one with every answer.
    return {name: re.sub(r"'nonce-[^']*'", "", value) for name, value in answer.headers.items()}


@pytest.mark.parametrize("name", RESOURCES)
async def test_head_gives_a_client_that_has_the_answer_a_304(
    module_service: Service, resources: dict[str, str], name: str
) -> None:
    headers = {"If-None-Match": await etag(module_service, resources[name])}
    answer = await module_service.http.head(resources[name], headers=headers)
    assert answer.status_code == 304


async def test_head_of_the_health_is_answered(module_service: Service) -> None:
    assert (await module_service.http.head("/health")).status_code == 200


async def test_a_creation_ignores_if_none_match(
    service: Service, project: Json, original: Json
) -> None:
    answer = await service.http.post(
        f"/projects/{project['id']}/modified-files",
        json={"original_file_id": original["id"], "modified_name": "b.yaml"},
        headers={"If-None-Match": "*"},
    )
    assert answer.status_code == 201
    assert answer.json()["revision"] == 1
