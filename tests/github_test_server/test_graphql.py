"""Repositories, commits, trees and blobs in GraphQL, against git's own answers."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from github_test_server import (
    Entry,
    GitHubTestServer,
    Repository,
)
from support.graphql import Ask, of_demo

Git = Callable[..., str]

pytestmark = pytest.mark.usefixtures("_token")


def test_a_repository_is_returned_with_its_head(
    ask: Ask, server: GitHubTestServer, git: Git
) -> None:
    fields = (
        "databaseId name nameWithOwner isPrivate isEmpty "
        "defaultBranchRef { name prefix target { oid __typename } }"
    )
    assert ask(of_demo(fields)).demo == {
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
    assert ask(of_demo(f'object(expression: "HEAD") {{ {fields} }}')).demo["object"] == {
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
    assert ask(of_demo('object(expression: "config") { oid }')).demo == {"object": {"oid": sha}}


def test_a_submodule_is_no_object_of_the_repository(ask: Ask, repository: Repository) -> None:
    repository.commit({"module": Entry.submodule("1" * 40)})
    assert ask(of_demo('object(expression: "main:module") { oid }')).demo == {"object": None}


def test_a_ref_is_found_by_its_full_and_its_short_name(ask: Ask, repository: Repository) -> None:
    sha = repository.commit({"x": b"1"}, branch="feature/x")
    repository.tag("v2", sha, message="Annotated")
    answer = ask(
        of_demo(
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
    entries = ask(of_demo(f'object(expression: "main:config") {{ {fields} }}')).demo["object"][
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
    assert ask(of_demo(query)).demo["object"] == expected


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
    assert ask(of_demo(f'object(oid: "{oid}") {{ oid }}')).demo == {"object": None}


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
    assert ask(of_demo("name"))["errors"][0]["type"] == "NOT_FOUND"
    server.hosting.make_private("octo/demo", ["secret"])
    assert ask(of_demo("isPrivate")).demo == {"isPrivate": True}


def test_a_renamed_repository_is_followed_by_default(ask: Ask, server: GitHubTestServer) -> None:
    server.rename("octo/demo", "octo/renamed")
    followed = ask(of_demo("nameWithOwner"))
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


def test_refs_come_in_pages_by_name(ask: Ask, repository: Repository, git: Git) -> None:
    for name in ("a", "b"):
        repository.reset_branch(name, git("rev-parse", "main"))
    page = "totalCount pageInfo {{ hasNextPage endCursor }} nodes {{ name }}"
    fields = f'refs(refPrefix: "refs/heads/", first: 2{{}}) {{{{ {page} }}}}'
    first = ask(of_demo(fields.format("")))["data"]["repository"]["refs"]
    assert (first["totalCount"], [node["name"] for node in first["nodes"]]) == (3, ["a", "b"])
    assert first["pageInfo"]["hasNextPage"] is True
    cursor = first["pageInfo"]["endCursor"]
    rest = ask(of_demo(fields.format(f', after: "{cursor}"')))["data"]["repository"]["refs"]
    assert ([node["name"] for node in rest["nodes"]], rest["pageInfo"]["hasNextPage"]) == (
        ["main"],
        False,
    )


def test_refs_without_a_bound_are_an_error(ask: Ask) -> None:
    answer = ask(of_demo('refs(refPrefix: "refs/heads/") { totalCount }'))
    assert answer["errors"][0]["type"] == "EXCESSIVE_PAGINATION"
