"""The API's own description: complete, valid, and usable without internet access."""

import re
from collections.abc import Iterable, Iterator
from html.parser import HTMLParser
from http import HTTPStatus
from typing import Any
from urllib.parse import urljoin, urlsplit

import jsonschema_rs
import pytest

from benchmark_manager.messages import CATALOGUE
from support.problems import METHODS, DescribedRoute, description, routes_of
from support.service import Json, Service

#: https://spec.openapis.org/oas/v3.1.1.html#operation-object
OPERATION = {
    "tags",
    "summary",
    "description",
    "externalDocs",
    "operationId",
    "parameters",
    "requestBody",
    "responses",
    "callbacks",
    "deprecated",
    "security",
    "servers",
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


ROUTES = routes_of(description())


def labels(routes: Iterable[DescribedRoute]) -> list[str]:
    """Return what to call each route in a failure."""
    return [route.label for route in routes]


def test_every_route_has_what_the_specification_allows_and_nothing_else() -> None:
    unknown = {route.label: route.operation.keys() - OPERATION for route in ROUTES}
    assert {label: names for label, names in unknown.items() if names} == {}
    with_body = [route for route in ROUTES if route.takes_body]
    empty = [route for route in with_body if not route.operation["requestBody"]["content"]]
    assert labels(empty) == []


def test_every_route_has_a_summary_without_a_full_stop() -> None:
    summaries = {route.label: route.operation["summary"] for route in ROUTES}
    assert {
        label: text for label, text in summaries.items() if not text.strip() or text.endswith(".")
    } == {}


def test_every_answer_has_a_status_of_http_and_a_description() -> None:
    answers = {
        f"{route.label} {status}": (int(status), answer["description"])
        for route in ROUTES
        for status, answer in route.operation["responses"].items()
    }
    known = {each.value for each in HTTPStatus}
    assert [name for name, (status, _) in answers.items() if status not in known] == []
    assert [name for name, (_, text) in answers.items() if not text.strip()] == []


def parameters_of(route: DescribedRoute) -> list[Json]:
    found: list[Json] = route.operation.get("parameters", [])
    return found


def misdescribed(parameter: Json) -> bool:
    """Whether a parameter lacks what the specification, or a reader, needs of it."""
    return (
        parameter["in"] not in {"path", "query", "header", "cookie"}
        or ("schema" in parameter) == ("content" in parameter)
        or (parameter["in"] == "path" and parameter["required"] is not True)
        or (parameter["in"] != "path" and not parameter.get("description"))
    )


def test_every_parameter_is_described_and_none_twice() -> None:
    parameters = [(route.label, each) for route in ROUTES for each in parameters_of(route)]
    assert [(label, each) for label, each in parameters if misdescribed(each)] == []
    names = [(label, each["in"], each["name"].lower()) for label, each in parameters]
    assert sorted(set(names)) == sorted(names)


def test_the_parameters_in_a_path_are_those_that_are_described() -> None:
    described = {
        route.label: {each["name"] for each in parameters_of(route) if each["in"] == "path"}
        for route in ROUTES
    }
    assert described == {route.label: set(route.parameters) for route in ROUTES}


def test_there_are_at_least_20_routes_each_with_an_operation_id_of_its_own() -> None:
    ids = [route.operation["operationId"] for route in ROUTES]
    assert len(ids) >= 20
    assert len(set(ids)) == len(ids)


def test_the_document_is_of_openapi_3_1(document: Json) -> None:
    assert re.fullmatch(r"3\.1\.\d+", document["openapi"])
    assert {"title", "version"} <= document["info"].keys()


def test_every_path_is_absolute_and_holds_operations(document: Json) -> None:
    allowed = {*METHODS, "parameters", "summary", "description"}
    assert [path for path in document["paths"] if not path.startswith("/")] == []
    others = {path: item.keys() - allowed for path, item in document["paths"].items()}
    assert {path: found for path, found in others.items() if found} == {}


def test_every_reference_has_its_target_and_every_schema_a_use(document: Json) -> None:
    """Nothing is described that no route uses."""
    names = document["components"]["schemas"].keys()
    assert [name for name in names if not re.fullmatch(r"[a-zA-Z0-9._-]+", name)] == []
    used = {node["$ref"] for _, node in nodes(document) if isinstance(node.get("$ref"), str)}
    assert used == {f"#/components/schemas/{name}" for name in names}


def test_every_schema_has_a_type_of_json_schema_and_no_nullable(document: Json) -> None:
    """`nullable` is of OpenAPI 3.0."""
    types = {
        pointer: node["type"]
        for pointer, node in nodes(document)
        if "schema" in pointer
        and isinstance(node.get("type"), str)
        and "properties" not in pointer.rpartition("/")[2]
    }
    assert {pointer: kind for pointer, kind in types.items() if kind not in SCHEMA_TYPES} == {}
    assert [pointer for pointer, node in nodes(document) if "nullable" in node] == []


def test_an_openapi_validator_finds_no_error(document: Json) -> None:
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
        "GET /health",
        "GET /status",
        "POST /projects",
        "GET /projects",
        "POST /projects/sync-all",
        f"GET {project}",
        f"PUT {project}",
        f"DELETE {project}",
        f"POST {project}/sync",
        f"GET {project}/syncs",
        f"POST {project}/pause",
        f"POST {project}/resume",
        f"GET {project}/syncs/{{sync_id}}",
        f"GET {project}/files/{{file_id}}/history",
        f"GET {project}/files",
        f"GET {project}/files/{{file_id}}",
        f"GET {project}/files/{{file_id}}/raw",
        f"POST {project}/modified-files",
        f"GET {project}/modified-files",
        f"DELETE {project}/modified-files",
        f"GET {variant}",
        f"PUT {variant}",
        f"DELETE {variant}",
        f"GET {variant}/raw",
    }
    assert contract <= described


def errors_of(route: DescribedRoute) -> dict[int, Json]:
    """Return the contents of a route's described errors by their status."""
    return {
        int(status): response["content"]
        for status, response in route.operation["responses"].items()
        if int(status) >= 400 and route.path not in {"/health", "/readyz"}
    }


def test_every_error_is_a_problem_document_with_examples(document: Json) -> None:
    contents = [
        (f"{route.label} {status}", content)
        for route in routes_of(document)
        for status, content in errors_of(route).items()
    ]
    assert [name for name, content in contents if "application/json" in content] == []
    assert [
        name
        for name, content in contents
        if not content.get("application/problem+json", {}).get("examples")
    ] == []


def test_every_example_of_an_error_is_one_of_its_code_and_status(document: Json) -> None:
    examples = [
        (route.label, status, code, example["value"])
        for route in routes_of(document)
        for status, content in errors_of(route).items()
        for code, example in content["application/problem+json"]["examples"].items()
    ]
    assert [
        (label, value["code"], value["status"], value["title"]) for label, _, _, value in examples
    ] == [(label, code, status, HTTPStatus(status).phrase) for label, status, code, _ in examples]
    assert [each for each in examples if each[1] not in statuses_of(each[2])] == []
    assert [each for each in examples if not each[3]["detail"].endswith(".")] == []


def statuses_of(code: str) -> set[int]:
    """Return every status with which an error of this code may be answered."""
    return {CATALOGUE[code].status, *CATALOGUE[code].other_statuses.values()}


#: Nothing changes what these end, so it has no revision to compare.
UNCHANGING = {"DELETE /sessions/{session_id}", "DELETE /tokens/{token_id}"}


def test_every_route_that_needs_an_identity_names_its_proofs(document: Json) -> None:
    assert document["security"] == [{"bearer": []}, {"session": []}]
    assert document["components"]["securitySchemes"].keys() == {"bearer", "session"}
    routes = {r.label for r in routes_of(document) if r.operation.get("security") == []}
    assert routes == {
        "GET /health",
        "GET /livez",
        "GET /readyz",
        "POST /sessions",
        "POST /setup",
        "POST /webhooks/github",
        "GET /auth/oidc",
        "GET /auth/oidc/callback",
        "GET /auth/github",
        "GET /auth/github/callback",
    } & {route.label for route in routes_of(document)}


def test_every_route_that_needs_an_identity_describes_its_refusals(document: Json) -> None:
    probes = {"/health", "/livez", "/readyz"}
    codes = {401: "unauthenticated", 403: "forbidden", 429: "rate_limited"}
    missing = [
        f"{route.label}: {code}"
        for route in routes_of(document)
        for status, code in codes.items()
        if route.path not in probes and code not in route.codes(status)
    ]
    assert missing == []


def refusals_to_describe(route: DescribedRoute) -> set[str]:
    """Return the statuses which a route with ids or a body has to describe."""
    of_ids = {"404"} if route.parameters else set()
    return of_ids | ({"400", "413", "415", "422"} if route.takes_json else set())


def test_every_route_with_an_id_or_a_body_describes_what_it_refuses(document: Json) -> None:
    missing = {
        route.label: refusals_to_describe(route) - route.operation["responses"].keys()
        for route in routes_of(document)
    }
    assert {label: statuses for label, statuses in missing.items() if statuses} == {}


def test_every_route_that_changes_or_deletes_one_thing_takes_if_match(document: Json) -> None:
    changing = [
        route
        for route in routes_of(document)
        if route.method in {"put", "delete"}
        and "{" in route.path.rpartition("/")[2]
        and route.label not in UNCHANGING
    ]
    headers = {
        route.label: {
            each["name"].lower() for each in parameters_of(route) if each["in"] == "header"
        }
        for route in changing
    }
    assert [label for label, names in headers.items() if "if-match" not in names] == []
    assert labels(route for route in changing if "412" not in route.operation["responses"]) == []
    assert len(changing) >= 4


@pytest.mark.parametrize(
    "name", ["ProjectCreate", "ProjectUpdate", "ModifiedFileCreate", "ModifiedFileUpdate"]
)
def test_requests_are_closed_and_every_field_of_them_has_an_example_or_a_description(
    document: Json, name: str
) -> None:
    schema = document["components"]["schemas"][name]
    assert schema["additionalProperties"] is False
    fields = schema["properties"].items()
    bare = [
        name for name, field in fields if not (field.get("description") or field.get("examples"))
    ]
    assert bare == []


@pytest.mark.parametrize("name", ["ProjectCreate", "ProjectUpdate"])
def test_a_token_is_described_as_a_password(document: Json, name: str) -> None:
    fields = document["components"]["schemas"][name]["properties"]
    assert "password" in str(fields["github_token"])


@pytest.mark.parametrize("name", ["ProjectAnswer", "ProjectDetail"])
def test_no_answer_has_a_token(document: Json, name: str) -> None:
    assert "github_token" not in document["components"]["schemas"][name]["properties"]


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
    sheets = {url: (await service.http.get(url)).text for url in page.found if url.endswith(".css")}
    inner = {urljoin(url, each) for url, sheet in sheets.items() for each in addresses_in(sheet)}
    found = {*page.found, *inner, "/openapi.json"}
    assert [url for url in found if urlsplit(url).netloc] == [], "all are on this host"
    statuses = {url: (await service.http.get(url)).status_code for url in found}
    assert statuses == dict.fromkeys(found, 200)
    # Nothing on the page leads to another host, and the document is beside the page.
    assert re.findall(r"https?://[^\s'\"<>]+", answer.text) == []
    assert re.findall(r"url: ['\"]([^'\"]+)", answer.text) == ["openapi.json"]


def addresses_in(sheet: str) -> list[str]:
    """Return the addresses that a style sheet makes its browser fetch."""
    found = re.findall(r"url\(\s*['\"]?([^'\")]+)", sheet)
    found += re.findall(r"@import\s+['\"]([^'\"]+)", sheet)
    return [address for address in found if not address.startswith("data:")]


async def test_the_root_leads_to_the_page(service: Service) -> None:
    answer = await service.http.get("/", follow_redirects=True)
    assert answer.status_code == 200
    assert "text/html" in answer.headers["content-type"]
