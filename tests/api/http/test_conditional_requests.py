"""ETag, If-None-Match and If-Match (RFC 9110, 8.8.3 and 13.1), and HEAD."""

import re
from collections.abc import AsyncIterator

import httpx2 as httpx
import pytest

from support.problems import assert_problem
from support.service import Json, Service
from support.unchanged_service import unchanged_service


@pytest.fixture
async def service(module_service: Service) -> AsyncIterator[Service]:
    """The service of all tests here, for each as it was at first."""
    async with unchanged_service(module_service) as running:
        yield running


@pytest.fixture
async def project(service: Service, files: dict[str, bytes]) -> Json:
    service.repository("acme/bench", files)
    return await service.synced("acme/bench")


@pytest.fixture
async def original(service: Service, project: Json) -> Json:
    return (await service.files(project["id"]))["config/a.yaml"]


@pytest.fixture
async def variant(service: Service, project: Json, original: Json) -> Json:
    return await service.variant(project["id"], original)


@pytest.fixture
def resources(project: Json, original: Json, variant: Json) -> list[str]:
    """Every address whose answers have an ETag."""
    file = f"/projects/{project['id']}/files/{original['id']}"
    there = f"/modified-files/{variant['id']}"
    return [f"/projects/{project['id']}", file, f"{file}/raw", there, f"{there}/raw"]


async def etag(service: Service, path: str) -> str:
    tag: str = (await service.http.get(path)).headers["etag"]
    return tag


def revision(tag: str) -> int:
    found = re.fullmatch(r'"(\d+)\.[0-9a-f]+"', tag)
    assert found, tag
    return int(found[1])


async def test_every_single_resource_has_a_strong_etag_which_lasts(
    service: Service, resources: list[str]
) -> None:
    for path in resources:
        tag = await etag(service, path)
        assert re.fullmatch(r'"[!#-~]+"', tag), path
        assert await etag(service, path) == tag
    assert len({await etag(service, path) for path in resources}) == 4, (
        "both raw files have the same bytes"
    )


async def test_a_client_that_has_the_answer_gets_a_304(
    service: Service, resources: list[str]
) -> None:
    for path in resources:
        tag = await etag(service, path)
        for known in (tag, f"W/{tag}", f'"other", {tag}', f'"other",W/{tag} , "more"', "*", " * "):
            answer = await service.http.get(path, headers={"If-None-Match": known})
            assert (answer.status_code, answer.content) == (304, b""), (path, known)
            assert answer.headers["etag"] == tag
            assert "content-type" not in answer.headers
        for other in ('"other"', 'W/"other"', tag.strip('"'), f'"{tag[1:5]}"', "", '"*"', tag[:-1]):
            answer = await service.http.get(path, headers={"If-None-Match": other})
            assert (answer.status_code, answer.headers["etag"]) == (200, tag), (path, other)


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


async def test_the_etag_of_a_project_and_of_a_variant_begins_with_its_revision(
    service: Service, project: Json, variant: Json
) -> None:
    there, here = f"/modified-files/{variant['id']}", f"/projects/{project['id']}"
    for number in range(1, 4):
        assert revision(await etag(service, there)) == revision(await etag(service, here)) == number
        answer = await service.http.put(there, json={"description": f"{number}"})
        assert revision(answer.headers["etag"]) == answer.json()["revision"] == number + 1
        answer = await service.http.put(here, json={"name": f"name {number}"})
        assert revision(answer.headers["etag"]) == number + 1


async def test_a_stale_save_is_refused_with_the_current_revision(
    service: Service, project: Json, variant: Json
) -> None:
    for path, body in (
        (f"/modified-files/{variant['id']}", {"description": "mine"}),
        (f"/projects/{project['id']}", {"name": "mine"}),
    ):
        seen = await etag(service, path)
        name = next(iter(body))
        theirs = await service.put(path, {name: "theirs"})
        refused = [await service.http.put(path, json=body, headers={"If-Match": seen})]
        refused.append(await service.http.delete(path, headers={"If-Match": seen}))
        for answer in refused:
            document = assert_problem(answer, 412, "stale")
            assert document["current_revision"] == 2
            assert "2" in document["detail"]
        assert await service.get(path) == theirs
        fresh = await etag(service, path)
        assert (
            await service.http.put(path, json=body, headers={"If-Match": fresh})
        ).status_code == 200
        assert (await service.http.delete(path, headers={"If-Match": fresh})).status_code == 412
        fresh = await etag(service, path)
        assert (await service.http.delete(path, headers={"If-Match": fresh})).status_code == 204


async def test_if_match_takes_any_of_its_tags(
    service: Service, project: Json, variant: Json
) -> None:
    """Weak ones too: a proxy that compresses makes tags weak, and only revisions are compared."""
    for path, name in (
        (f"/modified-files/{variant['id']}", "description"),
        (f"/projects/{project['id']}", "name"),
    ):
        matching = (
            "*",
            " * ",
            '"{0}.hash"',
            'W/"{0}.hash"',
            '"999.x", "{0}.x"',
            '"{0}.x", "999.x", "other"',
            '"{0}"',
        )
        for number, form in enumerate(matching, start=1):
            headers = {"If-Match": form.format(number)}
            answer = await service.http.put(path, json={name: f"text {number}"}, headers=headers)
            assert answer.status_code == 200, (form, answer.text)
        current = len(matching) + 1
        never = (
            '"other"',
            '"0.x"',
            '"-1.x"',
            f'"{current}x.x"',
            f'"{current}',
            str(current),
            "",
            '""',
            '"999.x"',
        )
        for form in (
            *never,
            '"' + "9" * 5000 + '.x"',
            f'"{current - 1}.x", "{current + 1}.x"',
            '"٣.x"',
        ):
            answer = await service.http.put(
                path, json={name: "never"}, headers={b"If-Match": form.encode()}
            )
            assert assert_problem(answer, 412, "stale")["current_revision"] == current, form


async def test_what_is_not_there_is_a_404_before_it_can_be_stale(service: Service) -> None:
    unknown = "65f0c0ffee65f0c0ffee65f0"
    for path, code in (
        (f"/projects/{unknown}", "project_not_found"),
        (f"/modified-files/{unknown}", "modified_file_not_found"),
    ):
        for tag in ('"1.x"', "*"):
            assert_problem(
                await service.http.put(path, json={}, headers={"If-Match": tag}), 404, code
            )
            assert_problem(await service.http.delete(path, headers={"If-Match": tag}), 404, code)


async def test_no_sync_makes_anybody_s_edit_of_a_project_stale(
    service: Service, project: Json
) -> None:
    """What a poll learns changes the answer, and so its hash, but not the revision."""
    path = f"/projects/{project['id']}"
    seen = await etag(service, path)
    service.github.hosting.remove("acme/bench")
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


async def test_head_is_get_without_its_body(
    service: Service, project: Json, resources: list[str]
) -> None:
    here = f"/projects/{project['id']}"
    lists = ["/projects", f"{here}/files?limit=1", f"{here}/modified-files", f"{here}/syncs"]
    for path in [
        *resources,
        *lists,
        "/openapi.json",
        "/docs",
        "/projects/nothing",
        "/nothing",
        f"{here}/files?limit=0",
    ]:
        get, head = await service.http.get(path), await service.http.head(path)
        assert (head.status_code, head.content) == (get.status_code, b""), path
        assert _told(head) == _told(get), path
    for path in resources:
        answer = await service.http.head(path, headers={"If-None-Match": await etag(service, path)})
        assert answer.status_code == 304
    assert (await service.http.head("/health")).status_code == 200


def _told(answer: httpx.Response) -> dict[str, str]:
    # The nonce of a Content-Security-Policy is another one with every answer.
    return {name: re.sub(r"'nonce-[^']*'", "", value) for name, value in answer.headers.items()}


async def test_a_creation_ignores_if_none_match(
    service: Service, project: Json, original: Json
) -> None:
    answer = await service.http.post(
        f"/projects/{project['id']}/modified-files",
        json={"original_file_id": original["id"]},
        headers={"If-None-Match": "*"},
    )
    assert answer.status_code == 201
    assert answer.json()["revision"] == 1
