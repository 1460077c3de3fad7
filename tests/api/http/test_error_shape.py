"""One error shape, RFC 9457, over every route that the service describes."""

import json
import re
from collections.abc import AsyncIterator
from typing import Any

import httpx2 as httpx
import pytest
import pytest_asyncio

from benchmark_manager.messages import CATALOGUE
from support.outcomes import JSON, UNKNOWN, answers_of, ask, filled, outcome, outcomes
from support.problems import (
    ANYWHERE,
    METHODS,
    assert_problem,
    described_routes,
    fields_at_fault,
)
from support.service import Json, Service
from support.unchanged_service import unchanged_service

FOUR_MIB = 4 * 1024 * 1024

ROUTES = described_routes()
WITH_IDS = [route for route in ROUTES if route.parameters]
WITH_BODY = [route for route in ROUTES if route.takes_json]
WITH_PAGES = [
    route
    for route in ROUTES
    if {"limit", "cursor"} <= {p["name"] for p in route.operation.get("parameters", [])}
]
BODY_LABELS = [route.label for route in WITH_BODY]

DEFINITION = {
    "name": "seeds",
    "files": {"a": "config/a.yaml"},
    "axes": [{"name": "seed", "set": "a:seed?", "values": [1]}],
}
#: Requests to routes with ids in which only the ids are wrong; other routes take no body or `{}`.
REQUESTS: dict[str, dict[str, Any]] = {
    "PUT /projects/{project_id}": {"json": {"name": "renamed"}},
    "POST /projects/{project_id}/modified-files": {"json": {"original_file_id": UNKNOWN}},
    "PUT /modified-files/{modified_file_id}": {"json": {"description": "why"}},
    "POST /modified-files/{modified_file_id}/restore": {"json": {"revision": 1}},
    "POST /modified-files/{modified_file_id}/reattach": {"json": {"original_file_id": UNKNOWN}},
    "POST /projects/{project_id}/undo-reset": {"json": {"reset_id": UNKNOWN}},
    "POST /projects/{project_id}/sweeps": {"json": DEFINITION},
    "POST /projects/{project_id}/sweeps/import": {
        "json": {"format": "hydra", "text": "a=1,2", "files": {"a": "config/a.yaml"}}
    },
    "PUT /accounts/{account_id}/password": {"json": {"new_password": "a violet giraffe sings"}},
    "PUT /projects/{project_id}/grants": {
        "json": {"id": UNKNOWN, "kind": "account", "role": "reader"}
    },
    "DELETE /projects/{project_id}/grants": {"params": {"id": UNKNOWN, "kind": "account"}},
    "PUT /federation/{rule_id}": {
        "json": {
            "name": "ci",
            "issuer": "https://issuer.example",
            "audience": "bench",
            "subject": "repo:acme/bench:ref:refs/heads/main",
        }
    },
    "GET /projects/{project_id}/results/report": {"params": {"format": "brv02"}},
    "GET /projects/{project_id}/search": {"params": {"q": "llama"}},
}


@pytest_asyncio.fixture(scope="module", loop_scope="session", autouse=True)
async def project(module_service: Service, files: dict[str, bytes]) -> Json:
    """The only project at the start of each test."""
    module_service.repository("acme/bench", files)
    return await module_service.synced("acme/bench")


@pytest.fixture
async def service(module_service: Service) -> AsyncIterator[Service]:
    """The service of all tests here, for each as it was at first.

    Tests whose requests are all refused use `module_service`, which they leave as it is.
    """
    async with unchanged_service(module_service) as running:
        yield running


async def with_every_id(service: Service, value: str) -> dict[str, httpx.Response]:
    """Return the answers of all routes with ids where each of them is `value`."""
    return {
        route.label: await ask(
            service,
            route,
            filled(route, value, index="0"),
            **REQUESTS.get(route.label, {"json": {}} if route.takes_json else {}),
        )
        for route in WITH_IDS
    }


def not_a_404(answers: dict[str, httpx.Response]) -> dict[str, str]:
    """Return the outcomes other than that what an id names is not found."""
    return {
        label: found
        for label, found in outcomes(answers).items()
        if not (found.startswith("404 ") and found.endswith("_not_found"))
    }


async def test_an_unknown_id_is_a_404_on_every_route(module_service: Service) -> None:
    answers = await with_every_id(module_service, UNKNOWN)
    assert not_a_404(answers) == {}
    details = {label: answer.json()["detail"] for label, answer in answers.items()}
    assert {label: detail for label, detail in details.items() if UNKNOWN not in detail} == {}


@pytest.mark.parametrize(
    "text",
    [
        pytest.param("x" * 24, id="no hexadecimal digits"),
        pytest.param(UNKNOWN[:23], id="too short"),
        pytest.param(f"{UNKNOWN}0", id="too long"),
        pytest.param("65 f0 c0 ff ee 65 f0 c0 ", id="with spaces"),
        pytest.param("ü" * 12, id="not ASCII"),
        pytest.param("\0", id="zero byte"),
        pytest.param("%2F", id="encoded slash"),
        pytest.param("null", id="null"),
        pytest.param("-1", id="negative"),
        pytest.param("9" * 500, id="500 digits"),
    ],
)
async def test_an_id_of_any_other_form_is_a_404_too_and_not_repeated_whole(
    module_service: Service, text: str
) -> None:
    answers = await with_every_id(module_service, text)
    assert not_a_404(answers) == {}
    assert [label for label, answer in answers.items() if len(answer.text) >= 1000] == []


async def test_one_digit_is_a_404_too_but_of_a_release_too_little_of_its_digest(
    module_service: Service,
) -> None:
    """A release may be named by the first digits of its digest."""
    answers = await with_every_id(module_service, "0")
    releases = [label for label in answers if " /releases/{digest}" in label]
    assert not_a_404(answers) == dict.fromkeys(releases, "422 digest_too_short: digest")
    assert [label for label, answer in answers.items() if len(answer.text) >= 1000] == []


async def test_a_file_of_another_project_is_not_found(service: Service, project: Json) -> None:
    file = (await service.files(project["id"]))["config/a.yaml"]
    there = f"/projects/{(await service.project('acme/bench', name='other'))['id']}"
    answers = [
        await service.http.get(f"{there}/files/{file['id']}"),
        await service.http.get(f"{there}/files/{file['id']}/raw"),
        await service.http.post(f"{there}/modified-files", json={"original_file_id": file["id"]}),
    ]
    assert [outcome(answer) for answer in answers] == ["404 file_not_found"] * 3


async def test_a_missing_project_is_reported_before_a_missing_file(
    service: Service, project: Json
) -> None:
    file = (await service.files(project["id"]))["config/a.yaml"]
    assert_problem(
        await service.http.get(f"/projects/{UNKNOWN}/files/{file['id']}"), 404, "project_not_found"
    )
    assert_problem(
        await service.http.get(f"/projects/{project['id']}/files/{UNKNOWN}"), 404, "file_not_found"
    )


@pytest.mark.parametrize(
    "body",
    [
        pytest.param(b"{", id="cut"),
        pytest.param(b'{"name": }', id="without a value"),
        pytest.param(b"{'name': 'x'}", id="apostrophes"),
        pytest.param(b"\xff\xfe\x00", id="cut UTF-16"),
        pytest.param(b'"\xff"', id="not UTF-8"),
        pytest.param(b"[" * 40_000, id="too deep"),
        pytest.param(b"1" * 5000, id="number too long"),
    ],
)
async def test_what_is_not_json_is_a_400(module_service: Service, body: bytes) -> None:
    answers = await answers_of(module_service, WITH_BODY, content=body, headers=JSON)
    assert outcomes(answers) == dict.fromkeys(BODY_LABELS, "400 malformed_json")


@pytest.mark.parametrize(
    "kind",
    [
        "text/plain",
        "application/x-www-form-urlencoded",
        "multipart/form-data; boundary=x",
        "text/json",
    ],
)
async def test_another_content_type_is_a_415(module_service: Service, kind: str) -> None:
    answers = await answers_of(
        module_service, WITH_BODY, content=b"{}", headers={"Content-Type": kind}
    )
    assert outcomes(answers) == dict.fromkeys(BODY_LABELS, "415 unsupported_media_type")


@pytest.mark.parametrize(
    "kind",
    ["application/json; charset=utf-8", "APPLICATION/JSON", "application/merge-patch+json"],
)
async def test_json_is_accepted_under_each_of_its_media_types(service: Service, kind: str) -> None:
    body = json.dumps({"name": kind, "github_repo_url": "acme/bench"}).encode()
    answer = await service.http.post("/projects", content=body, headers={"Content-Type": kind})
    assert answer.status_code == 201, answer.text


async def test_an_empty_form_is_no_body(service: Service, project: Json) -> None:
    """`curl -X POST -d ''` names a form's type; it must be able to sync."""
    kind = {"Content-Type": "application/x-www-form-urlencoded"}
    answer = await service.http.post(f"/projects/{project['id']}/sync", content=b"", headers=kind)
    assert answer.status_code == 200, answer.text


@pytest.mark.parametrize(
    ("method", "path", "body"),
    [
        ("POST", "/projects", {"name": "another", "github_repo_url": "acme/bench"}),
        ("PUT", "/projects/{project_id}", {"name": "renamed"}),
        ("POST", "/projects/{project_id}/modified-files", {"original_file_id": UNKNOWN}),
        ("PUT", f"/modified-files/{UNKNOWN}", {"description": "why"}),
    ],
    ids=["new project", "project", "new variant", "variant"],
)
async def test_only_an_unknown_field_is_at_fault_in_a_body_that_is_valid_otherwise(
    module_service: Service, project: Json, method: str, path: str, body: Json
) -> None:
    answer = await module_service.http.request(
        method, path.format(project_id=project["id"]), json={**body, "brnach": "main"}
    )
    assert fields_at_fault(answer) == {"brnach"}


async def test_no_route_takes_an_unknown_field(service: Service, project: Json) -> None:
    # A sweep is found before its definition is read.
    sweep = await service.post(f"/projects/{project['id']}/sweeps", DEFINITION, 201)
    fields = {
        route.label: fields_at_fault(
            await ask(
                service, route, filled(route, sweep_id=sweep["id"]), json={"no_such_field": 1}
            )
        )
        for route in WITH_BODY
    }
    assert {label: found for label, found in fields.items() if "no_such_field" not in found} == {}


@pytest.mark.parametrize("body", [b"null", b"[]", b"1", b'"text"', b""])
async def test_a_body_which_is_no_object_is_refused(module_service: Service, body: bytes) -> None:
    answers = await answers_of(module_service, WITH_BODY, content=body, headers=JSON)
    assert outcomes(answers) == dict.fromkeys(BODY_LABELS, "422 invalid_request: body")


@pytest_asyncio.fixture(scope="module", loop_scope="session")
async def ids(module_service: Service, project: Json) -> dict[str, str]:
    """The ids of the project, of one of its files, and of a variant of that."""
    file = (await module_service.files(project["id"]))["config/a.yaml"]
    variant = await module_service.variant(project["id"], file)
    return {"project": project["id"], "file": file["id"], "variant": variant["id"]}


#: Half of a surrogate pair: JSON can say it, but it is no character.
HALF = "half \ud800"


def with_half(body: Json, field: str) -> bytes:
    # httpx writes texts as UTF-8, which has no half of a pair.
    return json.dumps({**body, field: HALF}).encode()


@pytest.mark.parametrize("field", ["name", "github_repo_url", "branch", "config_folder"])
async def test_half_a_surrogate_pair_is_refused_in_each_text_of_a_new_project(
    module_service: Service, field: str
) -> None:
    content = with_half({"name": "x", "github_repo_url": "acme/bench"}, field)
    answer = await module_service.http.post("/projects", content=content, headers=JSON)
    assert fields_at_fault(answer) == {field}


@pytest.mark.parametrize("field", ["name", "branch", "job_folder"])
async def test_half_a_surrogate_pair_is_refused_in_each_text_of_a_project(
    module_service: Service, project: Json, field: str
) -> None:
    path = f"/projects/{project['id']}"
    answer = await module_service.http.put(path, content=with_half({}, field), headers=JSON)
    assert fields_at_fault(answer) == {field}


async def test_half_a_surrogate_pair_is_refused_in_a_token(
    module_service: Service, project: Json
) -> None:
    path, content = f"/projects/{project['id']}", json.dumps({"github_token": "\ud800"}).encode()
    answer = await module_service.http.put(path, content=content, headers=JSON)
    assert answer.status_code == 422


@pytest.mark.parametrize("field", ["original_file_id", "modified_name", "content", "description"])
async def test_half_a_surrogate_pair_is_refused_in_each_text_of_a_new_variant(
    module_service: Service, ids: dict[str, str], field: str
) -> None:
    path = f"/projects/{ids['project']}/modified-files"
    content = with_half({"original_file_id": ids["file"]}, field)
    answer = await module_service.http.post(path, content=content, headers=JSON)
    assert fields_at_fault(answer) == {field}


@pytest.mark.parametrize("field", ["modified_name", "content", "description"])
async def test_half_a_surrogate_pair_is_refused_in_each_text_of_a_variant(
    module_service: Service, ids: dict[str, str], field: str
) -> None:
    path = f"/modified-files/{ids['variant']}"
    answer = await module_service.http.put(path, content=with_half({}, field), headers=JSON)
    assert fields_at_fault(answer) == {field}


async def test_half_a_surrogate_pair_is_refused_in_the_name_of_a_field(
    module_service: Service,
) -> None:
    answer = await module_service.http.post("/projects", content=b'{"\\udfff": 1}', headers=JSON)
    assert fields_at_fault(answer) == {"body"}


@pytest.mark.parametrize(
    "path",
    [
        "/nothing",
        "/projects/x/y/z",
        "/modified-files",
        "/docs/assets/nothing.js",
        "/projects//files",
    ],
)
async def test_what_no_route_has_is_a_404(module_service: Service, path: str) -> None:
    answer = await module_service.http.get(path, follow_redirects=True)
    assert_problem(answer, 404, "route_not_found")


def methods_by_path() -> dict[str, set[str]]:
    """Return the methods that each path of the API takes, without HEAD."""
    by_path: dict[str, set[str]] = {}
    for route in ROUTES:
        by_path.setdefault(route.path, set()).add(route.method.upper())
    # What GET /projects/{project_id} takes, its literal neighbour takes as well.
    by_path["/projects/sync-all"] |= by_path["/projects/{project_id}"]
    return by_path


@pytest.mark.parametrize("method", [method.upper() for method in METHODS])
async def test_another_method_is_a_405_which_names_all_that_are_taken(
    module_service: Service, method: str
) -> None:
    others = {path: taken for path, taken in methods_by_path().items() if method not in taken}
    answers = {
        path: await module_service.http.request(
            method, re.sub(r"{\w+}", UNKNOWN, path), headers=JSON
        )
        for path in others
    }
    assert outcomes(answers) == dict.fromkeys(others, "405 method_not_allowed")
    assert {path: set(answer.headers["allow"].split(", ")) for path, answer in answers.items()} == {
        path: taken | ({"HEAD"} if "GET" in taken else set()) for path, taken in others.items()
    }
    details = {path: answer.json()["detail"] for path, answer in answers.items()}
    assert {path: detail for path, detail in details.items() if method not in detail} == {}


async def test_a_body_over_4_mib_is_a_413(module_service: Service) -> None:
    body = b" " * (FOUR_MIB + 1)
    answers = await answers_of(module_service, WITH_BODY, content=body, headers=JSON)
    assert outcomes(answers) == dict.fromkeys(BODY_LABELS, "413 body_too_large")


async def test_a_body_over_4_mib_is_a_413_also_without_a_length(module_service: Service) -> None:
    async def pieces() -> AsyncIterator[bytes]:
        for _ in range(5):
            yield b" " * (FOUR_MIB // 4)

    answers = {
        route.label: await ask(module_service, route, filled(route), content=pieces(), headers=JSON)
        for route in WITH_BODY
    }
    assert outcomes(answers) == dict.fromkeys(BODY_LABELS, "413 body_too_large")


async def test_a_body_of_exactly_4_mib_is_read(service: Service) -> None:
    body = json.dumps({"name": "x", "github_repo_url": "acme/bench"}).encode()
    answer = await service.http.post("/projects", content=body.ljust(FOUR_MIB), headers=JSON)
    assert answer.status_code == 201, answer.text


async def test_a_content_length_of_400_digits_is_a_413(module_service: Service) -> None:
    """The length that the request states counts, though its body is short."""
    headers = {**JSON, "Content-Length": "9" * 400}
    answer = await module_service.http.post("/projects", content=b"{}", headers=headers)
    assert_problem(answer, 413, "body_too_large")


def test_there_are_at_least_four_lists_with_pages() -> None:
    assert len(WITH_PAGES) >= 4


@pytest.mark.parametrize(
    "limit",
    ["0", "1001", "-1", "x", "1.5", "", pytest.param("9" * 5000, id="5000 digits")],
)
async def test_every_list_refuses_a_wrong_limit_by_its_name(
    module_service: Service, project: Json, limit: str
) -> None:
    answers = {
        route.label: await module_service.http.get(
            filled(route, project_id=project["id"]), params={"limit": limit, "q": "x"}
        )
        for route in WITH_PAGES
    }
    assert outcomes(answers) == dict.fromkeys(answers, "422 invalid_request: limit")


@pytest.mark.parametrize(
    ("path", "query"),
    [
        ("/projects/{id}/files", "file_type=jobs"),
        ("/projects/{id}/files", "include=contents"),
        ("/projects/{id}/files", "include_removed=perhaps"),
        pytest.param("/projects/{id}/files", "q=" + "x" * 1001, id="q of 1001 letters"),
        ("/projects/{id}/files", "q=%00"),
        ("/projects/{id}/modified-files", "file_type=jobs"),
        ("/projects/{id}/modified-files", "drift=new"),
        ("/projects/{id}/modified-files", "q=%00"),
        ("/projects", "q=%00"),
    ],
)
async def test_a_wrong_query_names_its_parameter(
    module_service: Service, project: Json, path: str, query: str
) -> None:
    answer = await module_service.http.get(f"{path.format(id=project['id'])}?{query}")
    assert fields_at_fault(answer) == {query.partition("=")[0]}


async def test_the_actor_must_be_printable(service: Service, project: Json) -> None:
    file = (await service.files(project["id"]))["config/a.yaml"]
    answer = await service.http.post(
        f"/projects/{project['id']}/modified-files",
        json={"original_file_id": file["id"]},
        headers={b"X-Actor": b"e\x85ve"},
    )
    assert fields_at_fault(answer) == {"x-actor"}


async def test_a_fault_of_the_service_is_a_500_without_its_cause(
    service: Service, project: Json, caplog: pytest.LogCaptureFixture
) -> None:
    """A real one: the database holds a document which no version of the service has written."""
    await service.services.database.collection("projects").update_one({}, {"$unset": {"source": 1}})
    document = assert_problem(
        await service.http.get(f"/projects/{project['id']}"), 500, "internal_error"
    )
    assert "source" not in document["detail"]
    assert any(
        "KeyError" in (record.exc_text or str(record.exc_info) + str(record.msg))
        for record in caplog.records
    )
    assert (await service.http.get("/health")).status_code == 200


async def test_every_code_is_documented_by_some_route() -> None:
    documented = {
        code
        for route in ROUTES
        for status in route.operation["responses"]
        for code in route.codes(int(status))
    }
    known = {code for code, message in CATALOGUE.items() if message.readers == "api"}
    assert documented <= known <= documented | ANYWHERE


@pytest.mark.parametrize(
    ("path", "body"),
    [
        ("/validate", {f"field{n}": n for n in range(50_000)}),
        ("/validate", {"f" * 500_000: 1}),
        ("/projects/{id}/releases", {"modified_file_ids": [0] * 50_000}),
        ("/modified-files/{id}/rebase", {"resolutions": [0] * 5_000}),
    ],
)
async def test_a_body_with_everything_wrong_gets_a_short_answer(
    service: Service, path: str, body: Json
) -> None:
    answer = await service.http.post(path.format(id=UNKNOWN), json=body)
    assert fields_at_fault(answer)
    assert len(answer.content) < 5_000
