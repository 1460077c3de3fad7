"""Uploads of results that are refused, of which nothing is kept."""

import json

import pytest

from support.problems import assert_problem, fields_at_fault
from support.service import Json
from support.uploading import PLAIN, ReleasedProject

WRONG_FIELDS: dict[str, tuple[Json, str, str]] = {
    "no release": ({"release": ""}, "invalid_request", "release"),
    "an unknown field": ({"colour": "red"}, "invalid_request", "colour"),
    "an unknown tool": ({"tool": "hammer"}, "invalid_request", "tool"),
    "the tool unknown": ({"tool": "unknown"}, "invalid_request", "tool"),
    "labels that are no JSON": ({"labels": "gpu=H100"}, "invalid_labels", "labels"),
    "a list of labels": ({"labels": '["gpu"]'}, "invalid_labels", "labels"),
    "a number as a label": ({"labels": '{"gpu": 1}'}, "invalid_labels", "labels"),
    "nested labels": ({"labels": '{"a": ' * 5000}, "invalid_labels", "labels"),
    "a label without a name": ({"labels": '{"": "x"}'}, "invalid_labels", "labels"),
    "a blank name": ({"labels": '{" ": "x"}'}, "invalid_labels", "labels"),
    "a name twice": ({"labels": '{"a": "1", "a": "2"}'}, "invalid_labels", "labels"),
    "a name of 101 characters": (
        {"labels": json.dumps({"x" * 101: ""})},
        "invalid_labels",
        "labels",
    ),
    "a control character": ({"labels": '{"a": "\\u0007"}'}, "invalid_labels", "labels"),
    "half a surrogate pair": ({"labels": '{"a": "\\ud800"}'}, "invalid_labels", "labels"),
    "a value of 501 characters": (
        {"labels": json.dumps({"a": "x" * 501})},
        "invalid_labels",
        "labels",
    ),
    "51 labels": (
        {"labels": json.dumps({str(n): "" for n in range(51)})},
        "invalid_labels",
        "labels",
    ),
    "a long note": ({"note": "x" * 10_001}, "invalid_note", "note"),
    "NUL in a note": ({"note": "a\0b"}, "invalid_note", "note"),
    "a long file name": ({"file_name": "x" * 256}, "invalid_file_name", "file_name"),
    "no file name in a path": ({"file_name": "a/.."}, "invalid_file_name", "file_name"),
    "two lines as a file name": ({"file_name": "a\nb"}, "invalid_file_name", "file_name"),
}


@pytest.mark.parametrize("name", WRONG_FIELDS)
async def test_a_wrong_field_is_named_and_nothing_is_kept(
    shared_project: ReleasedProject, name: str
) -> None:
    fields, code, field = WRONG_FIELDS[name]
    assert fields_at_fault(await shared_project.form(**fields), code) == {field}
    assert await shared_project.listed() == []


async def test_what_is_named_has_to_exist(shared_project: ReleasedProject) -> None:
    nothing = "0" * 24
    found = [
        (await shared_project.upload(PLAIN, **{name: value})).json()["code"]
        for name, value in {
            "release": "f" * 64,
            "run": nothing,
            "project_id": nothing,
            "receipt": nothing,
        }.items()
    ]
    assert found == [
        *("release_not_found", "run_not_found", "project_mismatch", "receipt_not_found"),
    ]
    assert await shared_project.listed() == []


async def test_a_refused_project_is_named_in_short(shared_project: ReleasedProject) -> None:
    answer = await shared_project.form(project_id="x" * 400_000)
    assert_problem(answer, 422, "project_mismatch")
    assert len(answer.content) < 2000


async def test_an_empty_file_is_refused(shared_project: ReleasedProject) -> None:
    assert fields_at_fault(await shared_project.upload(b"")) == {"file"}
    assert fields_at_fault(await shared_project.form(b"")) == {"file"}


@pytest.mark.parametrize(
    ("content_type", "body"),
    [
        ("multipart/form-data", b"--x--\r\n"),
        ("multipart/form-data; boundary=x", b"no form"),
        (
            "multipart/form-data; boundary=x",
            b"--x\r\nContent-Disposition: form-data\r\n\r\na\r\n--x--",
        ),
        (
            "multipart/form-data; boundary=x",
            b'--x\r\nContent-Disposition: form-data; name="file"; filename="a"\r\n\r\nab',
        ),
        (
            "multipart/form-data; boundary=x; charset=undefined",
            b'--x\r\nContent-Disposition: form-data; name="a"\r\n\r\na\r\n--x--\r\n',
        ),
        # Half a minute to decode.
        (
            "multipart/form-data; boundary=x; charset=punycode",
            b'--x\r\nContent-Disposition: form-data; name="note"\r\n\r\n-%b\r\n--x--\r\n'
            % (b"a" * 300_000),
        ),
    ],
    ids=["no boundary", "no form", "no name", "cut", "no character set", "a slow character set"],
)
async def test_a_form_that_cannot_be_read_is_refused(
    shared_project: ReleasedProject, content_type: str, body: bytes
) -> None:
    answer = await shared_project.service.http.post(
        "/results",
        params={"release": shared_project.digest},
        content=body,
        headers={"Content-Type": content_type},
    )
    assert_problem(answer, 400, "malformed_form")
    assert await shared_project.listed() == []


@pytest.mark.parametrize("as_form", [False, True], ids=["body", "form"])
async def test_a_result_that_is_too_large_is_refused(
    shared_project: ReleasedProject, as_form: bool
) -> None:
    limit = shared_project.service.services.results.max_size
    data = b"x" * (limit + 1)
    answer = await (shared_project.form(data) if as_form else shared_project.upload(data))
    assert_problem(answer, 413, "too_large")
    assert await shared_project.listed() == []


async def test_a_body_that_says_that_it_is_too_large_is_not_read(
    shared_project: ReleasedProject,
) -> None:
    headers = {"Content-Length": str(10**12)}
    answer = await shared_project.service.http.post("/results", content=b"", headers=headers)
    assert_problem(answer, 413, "too_large")
