"""Contents of modified files: what does not parse or is too large is not saved unasked."""

import pytest
import pytest_asyncio

from support.problems import assert_problem, fields_at_fault
from support.service import Json, Service
from support.variant_requests import send_variant

MIB = 1024 * 1024
YAML, JSON_FILE, JOB = "config/a.yaml", "config/deep/b.json", "job/run.yaml"
#: Original, content, and the line of the first error; an empty text has none.
BROKEN = [
    pytest.param(YAML, "a: 1\n  b: 2\n", 2, id="indentation"),
    pytest.param(YAML, "a: 1\na: 2\n", 2, id="repeated key of YAML"),
    pytest.param(YAML, "a: *nowhere\n", 1, id="unknown anchor"),
    pytest.param(YAML, "a:\n\t- b\n", 2, id="tab"),
    pytest.param(JSON_FILE, '{"a": 1,}', 1, id="comma before a brace"),
    pytest.param(JSON_FILE, '{"a": 1, "a": 2}', 1, id="repeated key of JSON"),
    pytest.param(JSON_FILE, "{\n\n", 3, id="brace without its end"),
    pytest.param(JSON_FILE, "", None, id="empty JSON"),
    pytest.param(JOB, "kind: [Job\n", 2, id="bracket without its end"),
]


@pytest_asyncio.fixture(scope="module", loop_scope="session")
async def kept(module_service: Service, originals: dict[str, Json]) -> dict[str, Json]:
    """A variant of each original that is varied here, by the original's path."""
    return {
        path: await module_service.variant(
            original["project_id"], original, modified_name=f"kept.{original['format']}"
        )
        for path, original in originals.items()
        if path in {YAML, JSON_FILE, JOB}
    }


@pytest.mark.parametrize(("path", "content", "line"), BROKEN)
async def test_no_variant_is_created_of_what_does_not_parse(
    module_service: Service, originals: dict[str, Json], path: str, content: str, line: int | None
) -> None:
    original = originals[path]
    name = f"x.{original['format']}"
    answer = await send_variant(module_service, original, content=content, modified_name=name)
    document = assert_problem(answer, 422, "invalid_content")
    [first, *_] = [one for one in document["problems"] if one["severity"] == "error"]
    assert first.keys() == {"severity", "code", "message", "line", "column"}
    assert first["line"] == line
    assert [error["field"] for error in document["errors"]] == ["content"]


@pytest.mark.parametrize(
    ("path", "content"), [pytest.param(*case.values[:2], id=case.id) for case in BROKEN]
)
async def test_no_variant_is_changed_to_what_does_not_parse(
    module_service: Service, kept: dict[str, Json], path: str, content: str
) -> None:
    address = f"/modified-files/{kept[path]['id']}"
    answer = await module_service.http.put(address, json={"content": content})
    assert_problem(answer, 422, "invalid_content")
    assert await module_service.get(address) == kept[path]


async def test_a_content_over_the_limit_is_refused(
    service: Service, originals: dict[str, Json]
) -> None:
    original = originals["config/a.yaml"]
    exactly = "# " + "ü" * ((MIB - 2) // 2)
    assert len(exactly.encode()) == MIB
    variant = await service.variant(original["project_id"], original, content=exactly)
    assert variant["size"] == MIB
    answer = await send_variant(service, original, modified_name="b.yaml", content=exactly + "x")
    assert fields_at_fault(answer, "too_large") == {"content"}
    answer = await service.http.put(
        f"/modified-files/{variant['id']}", json={"content": exactly + "x"}
    )
    assert fields_at_fault(answer, "too_large") == {"content"}


async def test_what_does_not_parse_is_saved_if_the_request_says_so(
    service: Service, originals: dict[str, Json], project: Json
) -> None:
    path = f"/projects/{project['id']}/modified-files"
    body = {"original_file_id": originals["config/a.yaml"]["id"], "content": "a: [\n"}
    answer = await service.http.post(path, json=body, params={"allow_invalid": "true"})
    assert answer.status_code == 201
    assert (answer.json()["validity"], answer.json()["content"]) == ("invalid", "a: [\n")
    assert answer.json()["problems"]
    there = f"/modified-files/{answer.json()['id']}"
    assert_problem(
        await service.http.put(there, json={"content": "a: [[\n"}), 422, "invalid_content"
    )
    renamed = await service.put(there, {"modified_name": "c.yaml", "content": "a: [\n"})
    assert renamed["validity"] == "invalid", "what was accepted once is not asked about again"
    saved = await service.http.put(
        there, json={"content": "a: [[\n"}, params={"allow_invalid": "true"}
    )
    assert saved.json()["content"] == "a: [[\n"
    mended = await service.put(there, {"content": "a: []\n"})
    assert (mended["validity"], mended["problems"]) == ("valid", [])


async def test_a_variant_of_what_does_not_parse_need_not_parse(
    service: Service, originals: dict[str, Json]
) -> None:
    original = originals["config/broken.yaml"]
    variant = await service.variant(original["project_id"], original, content="a: [[\n")
    assert variant["validity"] == "invalid"
    changed = await service.put(f"/modified-files/{variant['id']}", {"content": "{{ x\n"})
    assert changed["content"] == "{{ x\n"


async def test_application_tags_and_warnings_do_not_stop_a_save(
    service: Service, originals: dict[str, Json]
) -> None:
    original = originals["config/a.yaml"]
    variant = await service.variant(
        original["project_id"], original, content="a: !include b.yaml\non: yes\n"
    )
    assert variant["validity"] == "valid"
    assert {problem["severity"] for problem in variant["problems"]} <= {"warning"}
