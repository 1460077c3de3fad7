"""GraphQL queries as GitHub accepts, refuses, counts and fails them."""

from __future__ import annotations

import json
import sys
import time
from collections.abc import Callable

import httpx2
import pytest

from github_test_server import (
    CutBody,
    Delay,
    GitHubTestServer,
    GraphQLError,
    HtmlPage,
    Repository,
    ResetMidBody,
    Status,
)
from support.graphql import SECRET, Ask, of_demo
from support.waiting import GENEROUS

Git = Callable[..., str]

pytestmark = pytest.mark.usefixtures("_token")


@pytest.mark.parametrize(
    "query", ["{", "{ nothing }", "{ viewer }", '{ repository(owner: "octo") { name } }']
)
def test_a_wrong_query_is_answered_with_200_and_no_data(ask: Ask, query: str) -> None:
    answer = ask(query)
    assert answer.response.status_code == 200
    assert set(answer) == {"errors"}
    assert set(answer["errors"][0]) == {"message", "locations"}


def test_one_alias_for_two_fields_is_refused(ask: Ask) -> None:
    query = """{ a: repository(owner: "octo", name: "demo") { name }
        a: repository(owner: "o", name: "x") { id } }"""
    assert "conflict" in ask(query)["errors"][0]["message"]


def test_errors_are_located_in_the_query_that_was_sent(ask: Ask) -> None:
    """Queries which differ in their strings alone are parsed once."""
    template = (
        '{{ a: repository(owner: "{0}", name: "none") {{ id }} '
        'b: repository(owner: "o", name: "n") {{ id }} }}'
    )
    queries = [template.format(owner) for owner in ("x", "a-longer-one", "y")]
    assert [
        [error["locations"][0]["column"] for error in ask(query)["errors"]] for query in queries
    ] == [[query.index("a:") + 1, query.index("b:") + 1] for query in queries]


def test_strings_of_a_query_are_its_own(ask: Ask) -> None:
    def folders_of(path: str) -> set[str]:
        fields = f'object(expression: "main:{path}") {{ ... on Tree {{ entries {{ path }} }} }}'
        entries = ask(of_demo(fields)).demo["object"]["entries"]
        return {entry["path"].rpartition("/")[0] for entry in entries}

    paths = ["config", "job", "config/deep"] * 2
    assert [folders_of(path) for path in paths] == [{path} for path in paths]


def test_strings_with_escapes_and_comments_are_read_as_graphql_does(
    ask: Ask, repository: Repository
) -> None:
    repository.commit({'odd"name': b"1", "back\\slash": b"2"})
    answer = ask(
        of_demo(
            r"""# a comment with a " in it
            a: object(expression: "main:odd\"name") { ... on Blob { text } }
            b: object(expression: "main:back\\slash") { ... on Blob { text } }
            c: object(expression: "main:config\u002Fa.yaml") { ... on Blob { text } }
            d: object(expression: "") { oid }"""
        )
    )
    assert answer.demo == {
        "a": {"text": "1"},
        "b": {"text": "2"},
        "c": {"text": "a: 1\n"},
        "d": None,
    }


@pytest.mark.parametrize(
    "body",
    [b"{", b"[]", b"{}", b'{"query": 1}', b'{"query": "{viewer{login}}", "variables": 1}', b"\xff"],
)
def test_a_malformed_body_is_400(server: GitHubTestServer, body: bytes) -> None:
    answer = httpx2.post(server.graphql_url, content=body, headers=SECRET, timeout=GENEROUS)
    assert answer.status_code == 400
    assert answer.json()["documentation_url"].startswith("https://docs.github.com/graphql")


def test_a_query_without_a_token_is_refused(server: GitHubTestServer) -> None:
    query = {"query": "{ viewer { login } }"}
    answer = httpx2.post(server.graphql_url, json=query, timeout=GENEROUS)
    wrong = httpx2.post(
        server.graphql_url, json=query, headers={"Authorization": "Bearer wrong"}, timeout=GENEROUS
    )
    assert (answer.status_code, answer.json()["message"]) == (
        401,
        "This endpoint requires you to be authenticated.",
    )
    assert (wrong.status_code, wrong.json()["message"]) == (401, "Bad credentials")
    assert server.requests.points == 0


def test_variables_operations_and_fragments_work(server: GitHubTestServer, git: Git) -> None:
    posted = {
        "query": """query Other { viewer { login } }
            query Heads($name: String!) { repository(owner: "octo", name: $name) { ...Head } }
            fragment Head on Repository { object(expression: "HEAD") { oid } }""",
        "variables": {"name": "demo"},
        "operationName": "Heads",
    }
    answer = httpx2.post(server.graphql_url, json=posted, headers=SECRET, timeout=GENEROUS)
    assert answer.json() == {"data": {"repository": {"object": {"oid": git("rev-parse", "HEAD")}}}}


def test_a_query_costs_a_point_of_its_own_allowance(ask: Ask, server: GitHubTestServer) -> None:
    server.limits.set("secret", limit=100, remaining=10, resource="graphql")
    answer = ask("{ rateLimit { limit cost remaining used } viewer { login } }")
    assert answer["data"] == {
        "rateLimit": {"limit": 100, "cost": 1, "remaining": 9, "used": 91},
        "viewer": {"login": "mona"},
    }
    reported = {
        name: answer.response.headers[f"x-ratelimit-{name}"]
        for name in ["limit", "remaining", "used", "resource"]
    }
    assert reported == {"limit": "100", "remaining": "9", "used": "91", "resource": "graphql"}
    assert server.limits.of("secret").used == 0
    assert (server.requests[0].resource, server.requests[0].cost, server.requests.points) == (
        "graphql",
        1,
        1,
    )


def test_the_rate_limit_reports_both_resources(ask: Ask, server: GitHubTestServer) -> None:
    ask("{ viewer { login } }")
    answer = httpx2.get(f"{server.url}/rate_limit", headers=SECRET, timeout=GENEROUS).json()
    assert {name: answer["resources"][name]["used"] for name in ["core", "graphql"]} == {
        "core": 0,
        "graphql": 1,
    }
    assert (
        httpx2.get(f"{server.url}/rate_limit", timeout=GENEROUS).json()["resources"]["graphql"][
            "limit"
        ]
        == 0
    )


@pytest.mark.parametrize(
    ("status", "kind"), [(200, "RATE_LIMITED"), (200, "RATE_LIMIT"), (403, None)]
)
def test_an_exhausted_limit_is_reported_in_an_error(
    ask: Ask, server: GitHubTestServer, status: int, kind: str | None
) -> None:
    server.limits.set("secret", remaining=0, resource="graphql")
    server.limits.graphql_exhausted_status = status
    server.limits.graphql_exhausted_type = kind or ""
    answer = ask("{ viewer { login } }")
    reported = answer["errors"][0] if status == 200 else answer
    assert answer.response.status_code == status
    assert reported["message"].startswith("API rate limit exceeded for user ID ")
    assert "data" not in answer
    assert reported.get("type") == kind
    assert answer.response.headers["x-ratelimit-remaining"] == "0"
    assert (
        httpx2.get(f"{server.url}/repos/octo/demo", headers=SECRET, timeout=GENEROUS).status_code
        == 200
    )


def test_graphql_can_be_missing(ask: Ask, server: GitHubTestServer) -> None:
    server.graphql = False
    assert ask("{ viewer { login } }").response.status_code == 404
    assert httpx2.post(server.graphql_url, json={}, timeout=GENEROUS).status_code == 404
    server.reset()
    assert ask("{ viewer { login } }").response.status_code == 200


def test_without_its_engine_graphql_is_missing(
    ask: Ask, server: GitHubTestServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(sys.modules, "graphql", None)
    assert ask("{ viewer { login } }").response.status_code == 404
    assert (
        httpx2.get(f"{server.url}/repos/octo/demo", headers=SECRET, timeout=GENEROUS).status_code
        == 200
    )


@pytest.mark.parametrize(
    ("api_path", "path"),
    [("", "/graphql"), ("/api/v3", "/api/graphql"), ("/github", "/github/graphql")],
)
def test_graphql_stands_beside_the_rest_api(
    repository: Repository, api_path: str, path: str
) -> None:
    with GitHubTestServer(api_path=api_path) as server:
        server.add("octo/demo", repository, private_to=["secret"])
        assert server.graphql_url == f"{server.origin}{path}"
        answer = httpx2.post(
            server.graphql_url, json={"query": of_demo("name")}, headers=SECRET, timeout=GENEROUS
        )
        assert answer.json() == {"data": {"repository": {"name": "demo"}}}


def test_a_fault_nulls_one_alias(ask: Ask, server: GitHubTestServer) -> None:
    server.faults.add(GraphQLError("b", "FORBIDDEN", "Resource not accessible"), path="graphql$")
    server.faults.add(GraphQLError("a.head", "INTERNAL"), path="graphql$")
    server.faults.add(GraphQLError("none"), path="graphql$")
    query = """{
        a: repository(owner: "octo", name: "demo") { name head: object(expression: "HEAD") { oid } }
        b: repository(owner: "octo", name: "demo") { name } }"""
    first, second = ask(query), ask(query)
    assert first["data"] == {"a": {"name": "demo", "head": None}, "b": None}
    assert [(error["type"], error["path"]) for error in first["errors"]] == [
        ("FORBIDDEN", ["b"]),
        ("INTERNAL", ["a", "head"]),
    ]
    assert set(second) == {"data"}


def test_every_other_fault_strikes_graphql_too(ask: Ask, server: GitHubTestServer) -> None:
    query = of_demo('object(expression: "main:config/a.yaml") { oid }')
    server.faults.add(Status(502, {"message": "Something went wrong"}), path="graphql$")
    assert ask(query).response.status_code == 502
    server.faults.add(CutBody(), path="graphql$")
    with pytest.raises(json.JSONDecodeError):
        ask(query)
    server.faults.add(HtmlPage(), path="graphql$")
    server.faults.add(GraphQLError("repository"), path="graphql$")
    with pytest.raises(json.JSONDecodeError):
        ask(query)
    server.faults.add(ResetMidBody(), path="graphql$")
    with pytest.raises(httpx2.ReadError):
        ask(query)
    server.faults.add(
        Delay(0.1), path="graphql$", where=lambda request: b"config/a.yaml" in request.body
    )
    started = time.perf_counter()
    assert "errors" not in ask(query)
    assert time.perf_counter() - started >= 0.1
    assert json.loads(server.requests[0].body)["query"] == query
