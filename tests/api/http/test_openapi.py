"""The API's own description: complete, valid, and usable without internet access."""

import re
from collections.abc import Iterator
from html.parser import HTMLParser
from http import HTTPStatus
from typing import Any
from urllib.parse import urljoin, urlsplit

import jsonschema_rs
import pytest

from benchmark_manager.messages import CATALOGUE
from support.problems import METHODS, Route, description, routes_of
from support.service import Json, Service

#: https://spec.openapis.org/oas/v3.1.1.html#operation-object
OPERATION = {
    *(
        "tags",
        "summary",
        "description",
        "externalDocs",
        "operationId",
        "parameters",
        "requestBody",
        "responses",
    ),
    *("callbacks", "deprecated", "security", "servers"),
}
SCHEMA_TYPES = {"null", "boolean", "object", "array", "number", "string", "integer"}


@pytest.fixture
def document() -> Json:
    return description()


async def test_the_document_is_served(service: Service) -> None:
    assert await service.get("/openapi.json") == description()


def nodes(value: Any, pointer: str = "#") -> Iterator[tuple[str, Json]]:
    """Every object of the document with its pointer."""
    if isinstance(value, dict):
        yield pointer, value
        for name, inner in value.items():
            yield from nodes(inner, f"{pointer}/{name}")
    elif isinstance(value, list):
        for number, inner in enumerate(value):
            yield from nodes(inner, f"{pointer}/{number}")


def check_operation(route: Route, seen: set[str]) -> None:
    operation = route.operation
    assert operation.keys() <= OPERATION | {"x-"}, route.label
    assert operation["summary"].strip(), route.label
    assert not operation["summary"].endswith("."), route.label
    assert operation["operationId"] not in seen, route.label
    seen.add(operation["operationId"])
    parameters = operation.get("parameters", [])
    assert {p["name"] for p in parameters if p["in"] == "path"} == set(route.parameters), (
        route.label
    )
    assert len({(p["name"].lower(), p["in"]) for p in parameters}) == len(parameters), route.label
    for parameter in parameters:
        assert parameter["in"] in {"path", "query", "header", "cookie"}
        assert ("schema" in parameter) != ("content" in parameter)
        assert parameter["in"] != "path" or parameter["required"] is True
        assert parameter["in"] == "path" or parameter.get("description"), (
            f"{route.label}: {parameter['name']}"
        )
    if "requestBody" in operation:
        assert operation["requestBody"]["content"]
    for status, response in operation["responses"].items():
        assert int(status) in {each.value for each in HTTPStatus}
        assert response["description"].strip()


def test_the_document_is_valid_openapi_3_1(document: Json) -> None:
    """Each object has what the specification requires, and every reference has its target."""
    assert re.fullmatch(r"3\.1\.\d+", document["openapi"])
    assert {"title", "version"} <= document["info"].keys()
    seen: set[str] = set()
    routes = routes_of(document)
    assert len(routes) >= 20
    for path, item in document["paths"].items():
        assert path.startswith("/")
        assert item.keys() <= {*METHODS, "parameters", "summary", "description"}
    for route in routes:
        check_operation(route, seen)
    names = document["components"]["schemas"]
    assert all(re.fullmatch(r"[a-zA-Z0-9._-]+", name) for name in names)
    used = set()
    for pointer, node in nodes(document):
        if isinstance(node.get("$ref"), str):
            assert node["$ref"].startswith("#/components/schemas/"), pointer
            used.add(node["$ref"].removeprefix("#/components/schemas/"))
        if (
            "schema" in pointer
            and isinstance(node.get("type"), str)
            and "properties" not in pointer.rpartition("/")[2]
        ):
            assert node["type"] in SCHEMA_TYPES, pointer
        assert "nullable" not in node, f"{pointer}: that is OpenAPI 3.0"
    assert used <= names.keys()
    assert names.keys() <= used, "nothing is described that no route uses"


def test_an_openapi_validator_has_nothing_to_say(document: Json) -> None:
    # Its import takes two seconds, which each worker would spend when it collects the tests.
    from openapi_spec_validator import OpenAPIV31SpecValidator

    found = [
        f"{list(error.absolute_path)}: {error.message}"
        for error in OpenAPIV31SpecValidator(document).iter_errors()
    ]
    assert found == []


def described_values(document: Json) -> Iterator[tuple[str, Json, Any]]:
    """Every default and every example with its pointer and its schema."""
    for pointer, node in nodes(document):
        if isinstance(node.get("schema"), dict):
            examples = node["examples"].values() if isinstance(node.get("examples"), dict) else ()
            values = [each["value"] for each in examples] + [
                node[name] for name in ("example",) if name in node
            ]
            yield from ((pointer, node["schema"], value) for value in values)
        elif isinstance(node.get("examples"), list) or "default" in node:
            values = [
                *node.get("examples", ()),
                *(node[name] for name in ("default",) if name in node),
            ]
            yield from ((pointer, node, value) for value in values)


def test_every_default_and_example_fits_its_own_schema(document: Json) -> None:
    found = list(described_values(document))
    assert len(found) > 200
    # One validator for all values: each one compiles all components.
    validator = jsonschema_rs.Draft202012Validator(
        {
            "prefixItems": [schema for _, schema, _ in found],
            "components": document["components"],
        }
    )
    errors = validator.iter_errors([value for _, _, value in found])
    assert [(found[int(error.instance_path[0])][0], error.message) for error in errors] == []


def test_a_field_which_stays_as_it_is_when_it_is_not_given_has_no_default(document: Json) -> None:
    fields = document["components"]["schemas"]["ProjectUpdate"]["properties"]
    assert len(fields) >= 7
    assert [name for name, schema in fields.items() if "default" in schema] == []


def test_every_route_of_the_contract_is_described(document: Json) -> None:
    described = {route.label for route in routes_of(document)}
    project, variant = "/projects/{project_id}", "/modified-files/{modified_file_id}"
    contract = {
        *(
            "GET /health",
            "GET /status",
            "POST /projects",
            "GET /projects",
            "POST /projects/sync-all",
        ),
        *(
            f"GET {project}",
            f"PUT {project}",
            f"DELETE {project}",
            f"POST {project}/sync",
            f"GET {project}/syncs",
        ),
        *(f"POST {project}/pause", f"POST {project}/resume", f"GET {project}/syncs/{{sync_id}}"),
        f"GET {project}/files/{{file_id}}/history",
        *(
            f"GET {project}/files",
            f"GET {project}/files/{{file_id}}",
            f"GET {project}/files/{{file_id}}/raw",
        ),
        *(
            f"POST {project}/modified-files",
            f"GET {project}/modified-files",
            f"DELETE {project}/modified-files",
        ),
        *(f"GET {variant}", f"PUT {variant}", f"DELETE {variant}", f"GET {variant}/raw"),
    }
    assert contract <= described


def test_every_error_is_described_with_an_example_of_its_code(document: Json) -> None:
    for route in routes_of(document):
        for text, response in route.operation["responses"].items():
            status = int(text)
            if status < 400 or route.path in {"/health", "/readyz"}:
                continue
            content = response["content"]
            assert "application/problem+json" in content, f"{route.label} {status}"
            assert "application/json" not in content, (
                f"{route.label} {status}: errors are problem documents only"
            )
            examples = content["application/problem+json"]["examples"]
            assert examples, f"{route.label} {status}"
            for code, example in examples.items():
                message = CATALOGUE[code]
                allowed = {message.status, *message.other_statuses.values()}
                assert status in allowed, f"{route.label}: {code}"
                value = example["value"]
                assert (value["code"], value["status"]) == (code, status)
                assert value["title"] == HTTPStatus(status).phrase
                assert value["detail"].endswith(".")


#: Nothing changes what these end, so it has no revision to compare.
UNCHANGING = {"DELETE /sessions/{session_id}", "DELETE /tokens/{token_id}"}


def test_what_needs_an_identity_says_by_what_it_is_proved(document: Json) -> None:
    assert document["security"] == [{"bearer": []}, {"session": []}]
    assert document["components"]["securitySchemes"].keys() == {"bearer", "session"}
    routes = {r.label for r in routes_of(document) if r.operation.get("security") == []}
    assert routes == {
        *("GET /health", "GET /livez", "GET /readyz", "POST /sessions", "POST /setup"),
        *("POST /webhooks/github", "GET /auth/oidc", "GET /auth/oidc/callback"),
        *("GET /auth/github", "GET /auth/github/callback"),
    } & {route.label for route in routes_of(document)}


def test_what_needs_an_identity_says_how_it_is_refused(document: Json) -> None:
    probes = {"/health", "/livez", "/readyz"}
    codes = {401: "unauthenticated", 403: "forbidden", 429: "rate_limited"}
    missing = [
        f"{route.label}: {code}"
        for route in routes_of(document)
        for status, code in codes.items()
        if route.path not in probes and code not in route.codes(status)
    ]
    assert missing == []


def test_every_route_with_an_id_or_a_body_describes_what_it_refuses(document: Json) -> None:
    for route in routes_of(document):
        responses = route.operation["responses"].keys()
        if route.parameters:
            assert "404" in responses, route.label
        if route.takes_json:
            assert {"400", "413", "415", "422"} <= responses, route.label
        headers = {
            p["name"].lower() for p in route.operation.get("parameters", []) if p["in"] == "header"
        }
        names_one = "{" in route.path.rpartition("/")[2] and route.label not in UNCHANGING
        if route.method in {"put", "delete"} and names_one:
            assert "if-match" in headers, route.label
            assert "412" in responses, route.label


def test_requests_are_closed_and_every_field_of_them_has_an_example_or_a_description(
    document: Json,
) -> None:
    for name in ("ProjectCreate", "ProjectUpdate", "ModifiedFileCreate", "ModifiedFileUpdate"):
        schema = document["components"]["schemas"][name]
        assert schema["additionalProperties"] is False
        for field, inner in schema["properties"].items():
            assert inner.get("description") or inner.get("examples"), f"{name}.{field}"


def test_a_token_is_described_as_write_only(document: Json) -> None:
    schemas = document["components"]["schemas"]
    for name in ("ProjectCreate", "ProjectUpdate"):
        assert "password" in str(schemas[name]["properties"]["github_token"])
    for name in ("ProjectAnswer", "ProjectDetail"):
        assert "github_token" not in schemas[name]["properties"]


#: Routes whose answer waits for a worker process.
OF_TEXTS = [
    "/modified-files/{modified_file_id}/diff",
    "/modified-files/{modified_file_id}/merge",
    "/projects/{project_id}/files/{file_id}/variants",
    "/projects/{project_id}/search",
    "/releases/{digest}/compare/{other}",
]


@pytest.mark.parametrize("path", OF_TEXTS)
async def test_a_route_that_waits_for_a_worker_documents_that_none_may_be_free(
    service: Service, path: str
) -> None:
    document = (await service.http.get("/openapi.json")).json()
    answer = document["paths"][path]["get"]["responses"]["503"]
    assert "service_busy" in answer["content"]["application/problem+json"]["examples"]


class _Assets(HTMLParser):
    """Addresses which a page makes its browser fetch."""

    def __init__(self) -> None:
        super().__init__()
        self.found: list[str] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        for name, value in attrs:
            if value and (name == "src" or (name == "href" and tag in {"link", "script"})):
                self.found.append(value)


async def test_the_page_needs_no_internet(service: Service) -> None:
    answer = await service.http.get("/docs")
    assert (answer.status_code, answer.headers["content-type"]) == (200, "text/html; charset=utf-8")
    page = _Assets()
    page.feed(answer.text)
    assert len(page.found) >= 3
    found = {*page.found, "/openapi.json"}
    for url in page.found:
        if url.endswith(".css"):
            sheet = (await service.http.get(url)).text
            inner = re.findall(r"url\(\s*['\"]?([^'\")]+)", sheet) + re.findall(
                r"@import\s+['\"]([^'\"]+)", sheet
            )
            found |= {urljoin(url, each) for each in inner if not each.startswith("data:")}
    for url in found:
        assert urlsplit(url).netloc == "", f"{url} is somewhere else"
        assert (await service.http.get(url)).status_code == 200, url
    addresses = set(re.findall(r"https?://[^\s'\"<>]+", answer.text))
    assert addresses == set(), "nothing on the page leads elsewhere"
    assert re.findall(r"url: ['\"]([^'\"]+)", answer.text) == ["openapi.json"], (
        "beside the page, wherever that is"
    )


async def test_the_root_leads_to_the_page(service: Service) -> None:
    answer = await service.http.get("/", follow_redirects=True)
    assert answer.status_code == 200
    assert "text/html" in answer.headers["content-type"]
