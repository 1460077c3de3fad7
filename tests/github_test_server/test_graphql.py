"""GraphQL as GitHub answers it, against git's own answers."""

from __future__ import annotations

import json
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import httpx2
import pytest

from github_test_server import (
    CutBody,
    Delay,
    Entry,
    GitHubTestServer,
    GraphQLError,
    HtmlPage,
    Repository,
    ResetMidBody,
    Status,
)
from support.waiting import GENEROUS

Git = Callable[..., str]
Ask = Callable[..., "Answers"]

SECRET = {"Authorization": "Bearer secret"}


class Answers(dict[str, Any]):
    """What an answer's JSON holds, beside the response it came in."""

    def __init__(self, response: httpx2.Response) -> None:
        super().__init__(response.json())
        self.response = response

    @property
    def demo(self) -> dict[str, Any]:
        found: dict[str, Any] = self["data"]["repository"]
        return found


@pytest.fixture(autouse=True)
def _token(server: GitHubTestServer) -> None:
    server.hosting.add_token("secret", login="mona")


@pytest.fixture
def ask(server: GitHubTestServer) -> Ask:
    def run(query: str, **variables: object) -> Answers:
        posted = {"query": query, "variables": variables}
        return Answers(
            httpx2.post(server.graphql_url, json=posted, headers=SECRET, timeout=GENEROUS)
        )

    return run


def _of_demo(fields: str) -> str:
    return f'query {{ repository(owner: "octo", name: "demo") {{ {fields} }} }}'


def test_a_repository_is_returned_with_its_head(
    ask: Ask, server: GitHubTestServer, git: Git
) -> None:
    fields = (
        "databaseId name nameWithOwner isPrivate isEmpty "
        "defaultBranchRef { name prefix target { oid __typename } }"
    )
    assert ask(_of_demo(fields)).demo == {
        "databaseId": server.hosting["octo/demo"].id,
        "name": "demo",
        "nameWithOwner": "octo/demo",
        "isPrivate": False,
        "isEmpty": False,
        "defaultBranchRef": {
            "name": "main",
            "prefix": "refs/heads/",
            "target": {"oid": git("rev-parse", "main"), "__typename": "Commit"},
        },
    }


def test_a_commit_is_returned_with_its_dates_message_and_tree(ask: Ask, git: Git) -> None:
    fields = (
        "oid abbreviatedOid ... on Commit "
        "{ committedDate authoredDate message messageHeadline tree { oid } }"
    )
    assert ask(_of_demo(f'object(expression: "HEAD") {{ {fields} }}')).demo["object"] == {
        "oid": git("rev-parse", "HEAD"),
        "abbreviatedOid": git("rev-parse", "HEAD")[:7],
        "committedDate": "2026-03-04T05:06:07Z",
        "authoredDate": "2026-03-04T05:06:07Z",
        "message": "First\n\nWith a body.",
        "messageHeadline": "First",
        "tree": {"oid": git("rev-parse", "HEAD^{tree}")},
    }


@pytest.mark.parametrize(
    "expression",
    [
        "main",
        "HEAD",
        "refs/heads/main",
        "{sha}",
        "{sha}:",
        "{sha}:config/a.yaml",
        "refs/heads/main:config",
        "main:job/run me.yaml",
        "HEAD:config/deep",
        "main^{{tree}}",
        "v1",
    ],
)
def test_an_expression_means_what_it_means_to_git(
    ask: Ask, repository: Repository, git: Git, expression: str
) -> None:
    repository.tag("v1", git("rev-parse", "HEAD"))
    expression = expression.format(sha=git("rev-parse", "HEAD"))
    query = (
        'query($e: String) { repository(owner: "octo", name: "demo") '
        "{ object(expression: $e) { oid } } }"
    )
    assert ask(query, e=expression).demo["object"] == {"oid": git("rev-parse", expression)}


@pytest.mark.parametrize(
    "expression",
    [
        "gone",
        "main:none",
        "main:config/a.yaml/x",
        "",
        ":config",
        "main:a blob",
        "x\ny",
        "main:job\n",
        "0" * 40,
    ],
)
def test_what_is_not_there_is_null_without_an_error(ask: Ask, expression: str) -> None:
    query = (
        'query($e: String) { repository(owner: "octo", name: "demo") '
        "{ object(expression: $e) { oid } } }"
    )
    answer = ask(query, e=expression)
    assert answer == {"data": {"repository": {"object": None}}}


def test_a_branch_whose_name_is_a_file_of_git_is_found(ask: Ask, repository: Repository) -> None:
    sha = repository.commit({"x": b"1"}, branch="config")
    assert ask(_of_demo('object(expression: "config") { oid }')).demo == {"object": {"oid": sha}}


def test_a_submodule_is_no_object_of_the_repository(ask: Ask, repository: Repository) -> None:
    repository.commit({"module": Entry.submodule("1" * 40)})
    assert ask(_of_demo('object(expression: "main:module") { oid }')).demo == {"object": None}


def test_a_ref_is_found_by_its_full_and_its_short_name(ask: Ask, repository: Repository) -> None:
    sha = repository.commit({"x": b"1"}, branch="feature/x")
    repository.tag("v2", sha, message="Annotated")
    answer = ask(
        _of_demo(
            """a: ref(qualifiedName: "refs/heads/feature/x") { name target { oid } }
            b: ref(qualifiedName: "feature/x") { name target { oid } }
            c: ref(qualifiedName: "refs/heads/none") { name }
            d: ref(qualifiedName: "refs/tags/v2")
                { prefix target { ... on Tag { name target { oid } } } }"""
        )
    )
    branch = {"name": "feature/x", "target": {"oid": sha}}
    tag = {"prefix": "refs/tags/", "target": {"name": "v2", "target": {"oid": sha}}}
    assert answer.demo == {"a": branch, "b": branch, "c": None, "d": tag}


def test_a_tree_lists_what_git_lists(ask: Ask, repository: Repository, git: Git) -> None:
    repository.commit({"config/run": Entry.executable(b"#!"), "config/link": Entry.symlink("run")})
    fields = "... on Tree { entries { name path mode type oid size object { __typename oid } } }"
    entries = ask(_of_demo(f'object(expression: "main:config") {{ {fields} }}')).demo["object"][
        "entries"
    ]
    listed = [
        f"{entry['mode']:06o} {entry['type']} {entry['oid']}\t{entry['name']}" for entry in entries
    ]
    assert listed == git("ls-tree", "main:config").splitlines()
    assert [(entry["path"], entry["size"]) for entry in entries] == [
        ("config/a.yaml", 5),
        ("config/deep", 0),
        ("config/link", 3),
        ("config/run", 2),
    ]
    assert [entry["object"]["oid"] for entry in entries] == [entry["oid"] for entry in entries]


@pytest.mark.parametrize(
    ("content", "expected"),
    [
        (b"a: 1\r\n", {"isBinary": False, "isTruncated": False, "byteSize": 6, "text": "a: 1\r\n"}),
        (b"", {"isBinary": False, "isTruncated": False, "byteSize": 0, "text": ""}),
        (b"\x89PNG\0", {"isBinary": True, "isTruncated": False, "byteSize": 5, "text": None}),
        (
            b"\xe9t\xe9",
            {"isBinary": False, "isTruncated": False, "byteSize": 3, "text": "\ufffdt\ufffd"},
        ),
        (
            b"\xef\xbb\xbfa",
            {"isBinary": False, "isTruncated": False, "byteSize": 4, "text": "\ufeffa"},
        ),
        (
            b"x" * 512_000,
            {"isBinary": False, "isTruncated": False, "byteSize": 512_000, "text": "x" * 512_000},
        ),
        (
            b"x" * 512_001,
            {"isBinary": False, "isTruncated": True, "byteSize": 512_001, "text": "x" * 512_000},
        ),
    ],
    ids=["text", "empty", "binary", "latin-1", "byte order mark", "largest", "too large"],
)
def test_a_blob_comes_as_text_as_far_as_it_is_one(
    ask: Ask, repository: Repository, content: bytes, expected: dict[str, object]
) -> None:
    repository.commit({"file": content})
    query = 'object(expression: "main:file") { ... on Blob { isBinary isTruncated byteSize text } }'
    assert ask(_of_demo(query)).demo["object"] == expected


def test_a_blob_is_found_by_its_id(ask: Ask, git: Git) -> None:
    oid = git("rev-parse", "main:config/a.yaml")
    query = """query($oid: GitObjectID) { repository(owner: "octo", name: "demo") {
        object(oid: $oid) { __typename oid ... on Blob { text } } } }"""
    assert ask(query, oid=oid).demo["object"] == {
        "__typename": "Blob",
        "oid": oid,
        "text": "a: 1\n",
    }


@pytest.mark.parametrize("oid", ["0" * 40, "main", "HEAD", ""])
def test_only_a_full_id_is_an_id(ask: Ask, oid: str) -> None:
    assert ask(_of_demo(f'object(oid: "{oid}") {{ oid }}')).demo == {"object": None}


def test_a_repository_which_is_missing_spares_its_neighbours(ask: Ask) -> None:
    answer = ask(
        """{
  r1: repository(owner: "octo", name: "none") { name }
  r2: repository(owner: "octo", name: "demo") { name }
}"""
    )
    assert answer.response.status_code == 200
    assert answer == {
        "data": {"r1": None, "r2": {"name": "demo"}},
        "errors": [
            {
                "type": "NOT_FOUND",
                "path": ["r1"],
                "locations": [{"line": 2, "column": 3}],
                "message": "Could not resolve to a Repository with the name 'octo/none'.",
            }
        ],
    }


def test_a_private_repository_is_there_only_for_its_tokens(
    ask: Ask, server: GitHubTestServer
) -> None:
    server.hosting.make_private("octo/demo", ["other"])
    assert ask(_of_demo("name"))["errors"][0]["type"] == "NOT_FOUND"
    server.hosting.make_private("octo/demo", ["secret"])
    assert ask(_of_demo("isPrivate")).demo == {"isPrivate": True}


def test_a_renamed_repository_is_followed_by_default(ask: Ask, server: GitHubTestServer) -> None:
    server.rename("octo/demo", "octo/renamed")
    followed = ask(_of_demo("nameWithOwner"))
    strict = ask('{ repository(owner: "octo", name: "demo", followRenames: false) { name } }')
    server.rename("octo/renamed", "octo/demo")
    assert followed.demo == {"nameWithOwner": "octo/renamed"}
    assert (strict["data"], strict["errors"][0]["type"]) == ({"repository": None}, "NOT_FOUND")


def test_an_empty_repository_has_no_branch(
    ask: Ask, server: GitHubTestServer, tmp_path: Path
) -> None:
    with Repository.init(tmp_path / "empty.git") as empty:
        server.add("octo/empty", empty)
        fields = 'isEmpty defaultBranchRef { name } object(expression: "HEAD") { oid }'
        answer = ask(f'{{ repository(owner: "octo", name: "empty") {{ {fields} }} }}')
        server.hosting.remove("octo/empty")
    assert answer.demo == {"isEmpty": True, "defaultBranchRef": None, "object": None}


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
        entries = ask(_of_demo(fields)).demo["object"]["entries"]
        return {entry["path"].rpartition("/")[0] for entry in entries}

    paths = ["config", "job", "config/deep"] * 2
    assert [folders_of(path) for path in paths] == [{path} for path in paths]


def test_strings_with_escapes_and_comments_are_read_as_graphql_does(
    ask: Ask, repository: Repository
) -> None:
    repository.commit({'odd"name': b"1", "back\\slash": b"2"})
    answer = ask(
        _of_demo(
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
            server.graphql_url, json={"query": _of_demo("name")}, headers=SECRET, timeout=GENEROUS
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
    query = _of_demo('object(expression: "main:config/a.yaml") { oid }')
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


def test_refs_come_in_pages_by_name(ask: Ask, repository: Repository, git: Git) -> None:
    for name in ("a", "b"):
        repository.reset_branch(name, git("rev-parse", "main"))
    page = "totalCount pageInfo {{ hasNextPage endCursor }} nodes {{ name }}"
    fields = f'refs(refPrefix: "refs/heads/", first: 2{{}}) {{{{ {page} }}}}'
    first = ask(_of_demo(fields.format("")))["data"]["repository"]["refs"]
    assert (first["totalCount"], [node["name"] for node in first["nodes"]]) == (3, ["a", "b"])
    assert first["pageInfo"]["hasNextPage"] is True
    cursor = first["pageInfo"]["endCursor"]
    rest = ask(_of_demo(fields.format(f', after: "{cursor}"')))["data"]["repository"]["refs"]
    assert ([node["name"] for node in rest["nodes"]], rest["pageInfo"]["hasNextPage"]) == (
        ["main"],
        False,
    )


def test_refs_without_a_bound_are_an_error(ask: Ask) -> None:
    answer = ask(_of_demo('refs(refPrefix: "refs/heads/") { totalCount }'))
    assert answer["errors"][0]["type"] == "EXCESSIVE_PAGINATION"
