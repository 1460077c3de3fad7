"""One error shape, RFC 9457, over every route that the service describes."""

import asyncio
import json
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any
from urllib.parse import quote

import httpx2 as httpx
import pytest
import pytest_asyncio

from benchmark_manager.messages import CATALOGUE
from github_test_server import GitHubTestServer
from support.mongod import ReplicaSet, find_mongod
from support.problems import (
    ANYWHERE,
    METHODS,
    ObservedAnswers,
    Route,
    assert_problem,
    described_routes,
    fields_at_fault,
)
from support.service import Json, Service, running_service
from support.unchanged_service import unchanged_service
from support.waiting import GENEROUS, eventually

UNKNOWN = "65f0c0ffee65f0c0ffee65f0"
MALFORMED = (
    *(
        "0",
        "x" * 24,
        UNKNOWN[:23],
        f"{UNKNOWN}0",
        "65 f0 c0 ff ee 65 f0 c0 ",
        "ü" * 12,
        "\0",
        "%2F",
        "null",
        "-1",
    ),
    "9" * 500,
)
JSON = {"Content-Type": "application/json"}
FOUR_MIB = 4 * 1024 * 1024

ROUTES = described_routes()
WITH_IDS = [route for route in ROUTES if route.parameters]
WITH_BODY = [route for route in ROUTES if route.takes_json]
WITH_PAGES = [
    route
    for route in ROUTES
    if {"limit", "cursor"} <= {p["name"] for p in route.operation.get("parameters", [])}
]


def filled(route: Route, **ids: str) -> str:
    """The route's path with these ids, percent-encoded; those not given are unknown ones."""
    return route.path.format(
        **{name: quote(ids.get(name, UNKNOWN), safe="") for name in route.parameters}
    )


@pytest_asyncio.fixture(scope="module", loop_scope="session", autouse=True)
async def project(module_service: Service, files: dict[str, bytes]) -> Json:
    """The only project at the start of each test."""
    module_service.repository("acme/bench", files)
    return await module_service.synced("acme/bench")


@pytest.fixture
async def service(module_service: Service) -> AsyncIterator[Service]:
    """The service of all tests here, for each as it was at first."""
    async with unchanged_service(module_service) as running:
        yield running


async def ask(service: Service, route: Route, path: str, **request: Any) -> httpx.Response:
    return await service.http.request(route.method.upper(), path, **request)


@pytest.fixture
def valid_bodies(project: Json) -> dict[str, Json]:
    """For each route with a body, one which only the ids in the path can make fail."""
    return {
        "POST /projects": {"name": "another", "github_repo_url": "acme/bench"},
        "PUT /projects/{project_id}": {"name": "renamed"},
        "POST /projects/{project_id}/modified-files": {"original_file_id": UNKNOWN},
        "PUT /modified-files/{modified_file_id}": {"description": "why"},
        "project": project,
    }


async def test_an_unknown_id_is_a_404_on_every_route(
    service: Service, valid_bodies: dict[str, Json]
) -> None:
    for route in WITH_IDS:
        answer = await ask(service, route, filled(route), json=valid_bodies.get(route.label, {}))
        if answer.status_code == 422 and route.label not in valid_bodies:
            continue  # a body that this list does not know comes first
        document = assert_problem(answer, 404, answer.json()["code"])
        assert document["code"].endswith("_not_found"), route.label
        assert UNKNOWN in document["detail"], route.label


async def test_an_id_of_any_other_form_is_a_404_too(
    service: Service, valid_bodies: dict[str, Json]
) -> None:
    for route in WITH_IDS:
        for text in MALFORMED:
            path = filled(route, **dict.fromkeys(route.parameters, text))
            answer = await ask(service, route, path, json=valid_bodies.get(route.label, {}))
            if answer.status_code == 422 and route.label not in valid_bodies:
                continue
            assert answer.status_code == 404, (route.label, text, answer.text)
            assert_problem(answer, 404, answer.json()["code"])
            assert len(answer.text) < 1000, "a long id is not repeated whole"


async def test_a_file_of_another_project_is_not_found(service: Service, project: Json) -> None:
    file = (await service.files(project["id"]))["config/a.yaml"]
    other = await service.project("acme/bench", name="other")
    for path in (
        f"/projects/{other['id']}/files/{file['id']}",
        f"/projects/{other['id']}/files/{file['id']}/raw",
    ):
        assert_problem(await service.http.get(path), 404, "file_not_found")
    body = {"original_file_id": file["id"]}
    answer = await service.http.post(f"/projects/{other['id']}/modified-files", json=body)
    assert_problem(answer, 404, "file_not_found")


async def test_a_project_s_absence_goes_before_the_file_s(service: Service, project: Json) -> None:
    file = (await service.files(project["id"]))["config/a.yaml"]
    assert_problem(
        await service.http.get(f"/projects/{UNKNOWN}/files/{file['id']}"), 404, "project_not_found"
    )
    assert_problem(
        await service.http.get(f"/projects/{project['id']}/files/{UNKNOWN}"), 404, "file_not_found"
    )


async def test_what_is_not_json_is_a_400(service: Service) -> None:
    """Cut, without a value, apostrophes, cut UTF-16, not UTF-8, too deep, a number too long."""
    bodies = (
        b"{",
        b'{"name": }',
        b"{'name': 'x'}",
        b"\xff\xfe\x00",
        b'"\xff"',
        b"[" * 40_000,
        b"1" * 5000,
    )
    for route in WITH_BODY:
        for body in bodies:
            answer = await ask(service, route, filled(route), content=body, headers=JSON)
            assert_problem(answer, 400, "malformed_json")


async def test_another_content_type_is_a_415(service: Service) -> None:
    for route in WITH_BODY:
        for kind in (
            "text/plain",
            "application/x-www-form-urlencoded",
            "multipart/form-data; boundary=x",
            "text/json",
        ):
            answer = await ask(
                service, route, filled(route), content=b"{}", headers={"Content-Type": kind}
            )
            assert_problem(answer, 415, "unsupported_media_type")


async def test_json_by_any_of_its_names_is_taken(service: Service) -> None:
    for kind in (
        "application/json; charset=utf-8",
        "APPLICATION/JSON",
        "application/merge-patch+json",
    ):
        body = json.dumps({"name": kind, "github_repo_url": "acme/bench"}).encode()
        answer = await service.http.post("/projects", content=body, headers={"Content-Type": kind})
        assert answer.status_code == 201, answer.text


async def test_an_empty_form_is_no_body(service: Service, project: Json) -> None:
    """`curl -X POST -d ''` names a form's type; it must be able to sync."""
    kind = {"Content-Type": "application/x-www-form-urlencoded"}
    answer = await service.http.post(f"/projects/{project['id']}/sync", content=b"", headers=kind)
    assert answer.status_code == 200, answer.text


async def test_an_unknown_field_is_refused_by_its_name(
    service: Service, valid_bodies: dict[str, Json]
) -> None:
    known = [route for route in WITH_BODY if route.label in valid_bodies]
    assert len(known) == 4
    for route in known:
        body = {**valid_bodies[route.label], "brnach": "main"}
        path = filled(route, project_id=valid_bodies["project"]["id"])
        assert fields_at_fault(await ask(service, route, path, json=body)) == {"brnach"}, (
            route.label
        )


async def test_no_route_takes_an_unknown_field(service: Service, project: Json) -> None:
    definition = {
        "name": "seeds",
        "files": {"a": "config/a.yaml"},
        "axes": [{"name": "seed", "set": "a:seed?", "values": [1]}],
    }
    # A sweep is found before its definition is read.
    sweep = await service.post(f"/projects/{project['id']}/sweeps", definition, 201)
    for route in WITH_BODY:
        path = filled(route, sweep_id=sweep["id"])
        answer = await ask(service, route, path, json={"no_such_field": 1})
        assert "no_such_field" in fields_at_fault(answer), route.label


async def test_a_body_which_is_no_object_is_refused(service: Service) -> None:
    for route in WITH_BODY:
        for body in (b"null", b"[]", b"1", b'"text"', b""):
            assert fields_at_fault(
                await ask(service, route, filled(route), content=body, headers=JSON)
            ) == {"body"}


async def test_half_of_a_surrogate_pair_is_refused_in_every_text(
    service: Service, project: Json
) -> None:
    """JSON can say it, but it is no character."""
    file = (await service.files(project["id"]))["config/a.yaml"]
    variant = await service.variant(project["id"], file)
    create = {"name": "x", "github_repo_url": "acme/bench"}
    variants = f"/projects/{project['id']}/modified-files"
    cases = [
        *(
            ("POST", "/projects", create, name)
            for name in ("name", "github_repo_url", "branch", "config_folder")
        ),
        *(
            ("PUT", f"/projects/{project['id']}", {}, name)
            for name in ("name", "branch", "job_folder")
        ),
        *(
            ("POST", variants, {"original_file_id": file["id"]}, name)
            for name in ("original_file_id", "modified_name", "content", "description")
        ),
        *(
            ("PUT", f"/modified-files/{variant['id']}", {}, name)
            for name in ("modified_name", "content", "description")
        ),
    ]
    for method, path, body, name in cases:
        text = json.dumps({**body, name: "half \ud800"})
        answer = await service.http.request(method, path, content=text.encode(), headers=JSON)
        assert fields_at_fault(answer) == {name}
    text = json.dumps({"github_token": "\ud800"})
    answer = await service.http.put(
        f"/projects/{project['id']}", content=text.encode(), headers=JSON
    )
    assert answer.status_code == 422
    answer = await service.http.post("/projects", content=b'{"\\udfff": 1}', headers=JSON)
    assert fields_at_fault(answer) == {"body"}


async def test_what_no_route_has_is_a_404(service: Service) -> None:
    for path in (
        "/nothing",
        "/projects/x/y/z",
        "/modified-files",
        "/docs/assets/nothing.js",
        "/projects//files",
    ):
        assert_problem(await service.http.get(path, follow_redirects=True), 404, "route_not_found")


async def test_another_method_is_a_405_which_names_all_that_are_taken(service: Service) -> None:
    by_path: dict[str, set[str]] = {}
    for route in ROUTES:
        by_path.setdefault(route.path, set()).add(route.method.upper())
    # What GET /projects/{project_id} takes, its literal neighbour takes as well.
    by_path["/projects/sync-all"] |= by_path["/projects/{project_id}"]
    for path, taken in by_path.items():
        expected = taken | ({"HEAD"} if "GET" in taken else set())
        for method in {m.upper() for m in METHODS} - taken:
            answer = await service.http.request(method, path.format_map(_Unknown()), headers=JSON)
            document = assert_problem(answer, 405, "method_not_allowed")
            assert set(answer.headers["allow"].split(", ")) == expected, path
            assert method in document["detail"]


class _Unknown(dict[str, str]):
    def __missing__(self, key: str) -> str:
        return UNKNOWN


async def test_a_body_over_4_mib_is_a_413(service: Service) -> None:
    for route in WITH_BODY:
        answer = await ask(
            service, route, filled(route), content=b" " * (FOUR_MIB + 1), headers=JSON
        )
        assert_problem(answer, 413, "body_too_large")


async def test_a_body_over_4_mib_is_a_413_also_without_a_length(service: Service) -> None:
    async def pieces() -> AsyncIterator[bytes]:
        for _ in range(5):
            yield b" " * (FOUR_MIB // 4)

    for route in WITH_BODY:
        answer = await ask(service, route, filled(route), content=pieces(), headers=JSON)
        assert_problem(answer, 413, "body_too_large")


async def test_a_body_of_exactly_4_mib_is_read(service: Service) -> None:
    body = json.dumps({"name": "x", "github_repo_url": "acme/bench"}).encode()
    answer = await service.http.post("/projects", content=body.ljust(FOUR_MIB), headers=JSON)
    assert answer.status_code == 201, answer.text


async def test_a_length_which_is_a_lie_is_a_413(service: Service) -> None:
    headers = {**JSON, "Content-Length": "9" * 400}
    assert_problem(
        await service.http.post("/projects", content=b"{}", headers=headers), 413, "body_too_large"
    )


async def test_a_wrong_query_names_its_parameter(service: Service, project: Json) -> None:
    assert len(WITH_PAGES) >= 4
    for route in WITH_PAGES:
        path = filled(route, project_id=project["id"])
        for limit in ("0", "1001", "-1", "x", "1.5", "", "9" * 5000):
            answer = await service.http.get(path, params={"limit": limit, "q": "x"})
            assert fields_at_fault(answer) == {"limit"}, (route.label, limit)
    files = f"/projects/{project['id']}/files"
    for query in (
        "file_type=jobs",
        "include=contents",
        "include_removed=perhaps",
        "q=" + "x" * 1001,
        "q=%00",
    ):
        assert fields_at_fault(await service.http.get(f"{files}?{query}")) == {
            query.partition("=")[0]
        }
    variants = f"/projects/{project['id']}/modified-files"
    for query in ("file_type=jobs", "drift=new", "q=%00"):
        assert fields_at_fault(await service.http.get(f"{variants}?{query}")) == {
            query.partition("=")[0]
        }
    assert fields_at_fault(await service.http.get("/projects?q=%00")) == {"q"}


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


@pytest.mark.skipif(find_mongod() is None, reason="no mongod on this machine")
async def test_without_its_database_the_service_answers_503(
    github: GitHubTestServer, tmp_path: Path, files: dict[str, bytes]
) -> None:
    """On every kind of route, with Retry-After; it works again when the database does."""
    async with (
        await ReplicaSet.start(tmp_path / "set") as replica_set,
        running_service(
            f"{replica_set.url}&serverSelectionTimeoutMS=2500", github, tmp_path
        ) as own,
    ):
        observed = ObservedAnswers()
        own.http.event_hooks = {"request": [], "response": [observed.note]}
        own.repository("acme/bench", files)
        project = await own.synced("acme/bench")
        file = (await own.files(project["id"]))["config/a.yaml"]
        variant = await own.variant(project["id"], file)
        await replica_set.kill(0)
        here, there = f"/projects/{project['id']}", f"/modified-files/{variant['id']}"
        second = {"original_file_id": file["id"], "modified_name": "b.yaml"}
        calls = [
            own.http.get("/status"),
            own.http.get("/projects"),
            own.http.post("/projects", json={"name": "new", "github_repo_url": "acme/bench"}),
            own.http.get(here),
            own.http.put(here, json={"name": "renamed"}),
            own.http.post(f"{here}/sync"),
            own.http.get(f"{here}/files"),
            own.http.get(f"{here}/files/{file['id']}/raw"),
            own.http.post(f"{here}/modified-files", json=second),
            own.http.get(f"{here}/modified-files"),
            own.http.get(there),
            own.http.put(there, json={"description": "why"}),
            own.http.delete(there),
            own.http.delete(here),
        ]
        async with asyncio.timeout(GENEROUS):
            health, *answers = await asyncio.gather(own.http.get("/health"), *calls)
        for answer in answers:
            assert_problem(answer, 503, "database_unavailable")
            assert int(answer.headers["retry-after"]) >= 1
        assert (health.status_code, health.json()["status"]) == (503, "unhealthy")
        await replica_set.restart(0)
        await replica_set.wait_for_primary()

        async def is_back() -> bool:
            return (await own.http.get(here)).is_success

        # The service may learn of it a moment later.
        await eventually(is_back, "the service does not recover")
        assert (await own.get(here))["name"] == "acme/bench"
        assert observed.undocumented == []


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
