"""GraphQL's queries and answers, without any network: names are never part of a query."""

from datetime import UTC, datetime
from functools import cache
from typing import Any

import pytest
from graphql import parse
from graphql.language import ast
from hypothesis import given
from hypothesis import strategies as st

from benchmark_manager.domain.git.objects import blob_id
from benchmark_manager.github.protocol import graphql
from benchmark_manager.github.protocol.answers import GarbledAnswerError, parse_json
from benchmark_manager.github.protocol.graphql import CommitQuestion, GraphQLAnswer
from benchmark_manager.models.commit import Commit, CommitAnswer, RepositoryNames
from benchmark_manager.models.project import Ref, RepositoryAddress
from github_test_server import Repository
from support.hub import Hub

TOKEN = "ghp_test"
NASTY = [
    'a"b',
    "a\\",
    "a}b{",
    "$v0",
    "#",
    "\n",
    '"""',
    "ünï/côde 🎉",
    "r0: repository",
    "",
    "\ud800",
    "a\0b",
]
COMMIT, TREE, FOLDER = "c" * 40, "d" * 40, "e" * 40


def address(owner: str = "octo", name: str = "demo") -> RepositoryAddress:
    return RepositoryAddress(api_url="https://api.github.com", owner=owner, name=name)


def texts(query: dict[str, object]) -> tuple[str, dict[str, str]]:
    text, variables = query["query"], query["variables"]
    assert isinstance(text, str)
    assert isinstance(variables, dict)
    return text, variables


@cache
def declared(text: str) -> set[str]:
    """The variables of a query, which has to parse."""
    (operation,) = parse(text).definitions
    assert isinstance(operation, ast.OperationDefinitionNode)
    return {definition.variable.name.value for definition in operation.variable_definitions}


def shape_of(query: dict[str, object]) -> str:
    """The query's text, checked to use all its variables and no others."""
    text, variables = texts(query)
    assert declared(text) == variables.keys()
    assert '"' not in text
    return text


@pytest.mark.parametrize("nasty", NASTY)
def test_whatever_a_name_a_branch_or_a_folder_holds_stays_a_value(nasty: str) -> None:
    plain = [CommitQuestion(address("o", "n"), "r", ("f", "g"), Ref.of_branch("b"))] * 2
    odd = [
        CommitQuestion(
            address(nasty, nasty), nasty, (nasty or "f", nasty + "g"), Ref.of_branch(nasty)
        )
    ] * 2
    assert shape_of(graphql.commits_query(odd)) == shape_of(graphql.commits_query(plain))
    values = set(texts(graphql.commits_query(odd))[1].values())
    assert values >= {nasty, f"{nasty}:{nasty}g", f"refs/heads/{nasty}", f"refs/tags/{nasty}"}
    assert shape_of(graphql.contents_query(address(nasty), [nasty])) == shape_of(
        graphql.contents_query(address(), [COMMIT])
    )


@given(
    owner=st.text(),
    name=st.text(),
    branch=st.none() | st.text(),
    folders=st.lists(st.text(min_size=1), max_size=3),
)
def test_any_question_is_a_query_which_parses_and_asks_for_as_much_as_a_plain_one(
    owner: str, name: str, branch: str | None, folders: list[str]
) -> None:
    odd_ref, plain_ref = (
        (None, None) if branch is None else (Ref.of_branch(branch), Ref.of_branch("main"))
    )
    odd = graphql.commits_query(
        [CommitQuestion(address(owner, name), "HEAD", tuple(folders), odd_ref)]
    )
    plain = graphql.commits_query(
        [CommitQuestion(address(), "HEAD", tuple(map(str, range(len(folders)))), plain_ref)]
    )
    assert shape_of(odd) == shape_of(plain)


@pytest.mark.parametrize(
    ("ref", "revision"),
    [
        (None, "HEAD"),
        (Ref.of_branch("v1"), "refs/heads/v1"),
        (Ref(kind="tag", name="v1"), "refs/tags/v1^{commit}"),
        (Ref(kind="commit", name="a" * 40), "a" * 40),
    ],
)
def test_a_revision_names_one_kind_of_ref_and_the_commit_of_an_annotated_tag(
    ref: Ref | None, revision: str
) -> None:
    assert graphql.head_revision(ref) == revision


async def test_odd_names_of_folders_and_branches_are_found_as_they_are(
    hub: Hub, repository: Repository
) -> None:
    folder = 'a "quoted" {folder} $v0 ü'
    commit = repository.commit({f"{folder}/x.yaml": b"x"}, branch='odd"{branch}')
    hub.server.hosting.add_token(TOKEN)
    answer = await hub.repository(TOKEN).commit_with_folders(
        commit, (folder, "nope", f"{folder}/x.yaml", "")
    )
    assert answer is not None
    trees = answer.commit.folder_trees
    assert trees is not None
    assert trees[folder] is not None
    # A file is no folder.
    assert (trees["nope"], trees[f"{folder}/x.yaml"], trees[""]) == (
        None,
        None,
        repository.find_tree(commit),
    )


@pytest.mark.parametrize(
    ("api_url", "expected"),
    [
        ("https://api.github.com", "https://api.github.com/graphql"),
        ("https://ghe.example/api/v3", "https://ghe.example/api/graphql"),
        ("http://h:8/v3", "http://h:8/v3/graphql"),
    ],
)
def test_the_endpoint_is_beside_an_enterprise_servers_rest(api_url: str, expected: str) -> None:
    assert graphql.endpoint(api_url) == expected


# Contents

BODY = "a: 1\n"
SHA = blob_id(BODY.encode())
BLOB = {"byteSize": 5, "isBinary": False, "isTruncated": False, "text": BODY}


def contents_of(data: Any) -> dict[str, bytes]:
    return graphql.parse_contents(GraphQLAnswer(data=data), [SHA])


def test_a_whole_text_is_its_bytes() -> None:
    assert contents_of({"r": {"b0": BLOB}}) == {SHA: BODY.encode()}


@pytest.mark.parametrize(
    "blob",
    [
        *(
            {**BLOB, "isBinary": True},
            {**BLOB, "isTruncated": True},
            {**BLOB, "text": None},
            {**BLOB, "text": 7},
        ),
        *({**BLOB, "text": "a: 2\n"}, {**BLOB, "text": "\ud800"}, {**BLOB, "text": "a: 1\r\n"}),
        *(None, {}, "b0", [], 7),
    ],
)
def test_contents_that_are_not_whole_and_exact_are_refused(blob: Any) -> None:
    assert contents_of({"r": {"b0": blob}}) == {}


@pytest.mark.parametrize("flag", ["isBinary", "isTruncated"])
def test_a_text_is_not_taken_against_what_github_says_of_it_although_its_id_fits(flag: str) -> None:
    assert contents_of({"r": {"b0": {**BLOB, flag: True}}}) == {}


@pytest.mark.parametrize(
    "data", [None, {}, {"r": None}, {"r": []}, {"r": "x"}, {"r": {}}, {"x": {"b0": BLOB}}]
)
def test_an_answer_of_another_shape_holds_no_contents(data: Any) -> None:
    assert contents_of(data) == {}


def test_a_blob_is_taken_only_for_the_id_that_was_asked_for_under_its_alias() -> None:
    other = blob_id(b"other")
    answer = GraphQLAnswer(data={"r": {"b0": BLOB, "b1": BLOB}})
    assert graphql.parse_contents(answer, [other, SHA]) == {SHA: BODY.encode()}


@pytest.mark.parametrize(
    "body", [b"", b"[]", b"null", b'{"data": []}', b'{"data": {"r"', b"<html>", b'{"errors": 7}']
)
def test_what_is_no_answer_of_graphqls_is_garbled(body: bytes) -> None:
    with pytest.raises(GarbledAnswerError):
        parse_json(body, GraphQLAnswer)


# Commits

HEAD = {"oid": COMMIT, "committedDate": "2026-05-01T12:00:00Z", "tree": {"oid": TREE}}
COMMIT_ALIAS = {
    "nameWithOwner": "octo/demo",
    "defaultBranchRef": {"name": "main"},
    "head": HEAD,
    "f0": {"__typename": "Tree", "oid": FOLDER},
    "f2": None,
}
FOLDERS = ("config", "", "job")


def answer_of(alias: Any, *errors: dict[str, Any]) -> CommitAnswer | None:
    body = {"data": {"r0": alias, "r1": COMMIT_ALIAS}, "errors": list(errors)}
    return graphql.parse_commit(GraphQLAnswer.model_validate(body), "r0", FOLDERS)


def test_an_answer_holds_the_commit_and_the_trees_of_the_folders() -> None:
    assert answer_of(COMMIT_ALIAS) == CommitAnswer(
        Commit(
            sha=COMMIT,
            tree_sha=TREE,
            committed_at=datetime(2026, 5, 1, 12, tzinfo=UTC),
            folder_trees={"config": FOLDER, "": TREE, "job": None},
        ),
        RepositoryNames(full_name="octo/demo", default_branch="main"),
    )


def test_a_file_at_a_folders_path_is_no_folder() -> None:
    found = answer_of({**COMMIT_ALIAS, "f0": {"__typename": "Blob", "oid": FOLDER}})
    assert found is not None
    assert found.commit.folder_trees is not None
    assert found.commit.folder_trees["config"] is None


@pytest.mark.parametrize(
    "alias",
    [None, {}, [], "r0", {**COMMIT_ALIAS, "head": None}, {**COMMIT_ALIAS, "head": {"oid": COMMIT}}],
)
def test_an_alias_without_a_commit_is_left_to_rest(alias: Any) -> None:
    assert answer_of(alias) is None


def test_an_error_concerns_its_own_alias_and_one_without_a_path_all() -> None:
    assert answer_of(
        COMMIT_ALIAS, {"type": "NOT_FOUND", "path": ["r1"], "message": "m"}
    ) == answer_of(COMMIT_ALIAS)
    # A folder that could not be read must not count as removed.
    assert (
        answer_of(COMMIT_ALIAS, {"type": "INTERNAL", "path": ["r0", "f2"], "message": "m"}) is None
    )
    assert answer_of(COMMIT_ALIAS, {"message": "something went wrong"}) is None


@pytest.mark.parametrize(
    "change",
    [
        *(
            {"head": {**HEAD, "oid": "main"}},
            {"head": {**HEAD, "oid": 7}},
            {"head": {**HEAD, "tree": None}},
        ),
        *(
            {"head": {**HEAD, "tree": {}}},
            {"head": {**HEAD, "committedDate": "soon"}},
            {"defaultBranchRef": 7},
        ),
        *(
            {"f0": {}},
            {"f0": "x"},
            {"f0": {"__typename": "Tree"}},
            {"f0": {"__typename": "Tree", "oid": "x"}},
        ),
        *({"f0": [1]}, {"f0": 7}),
    ],
)
def test_an_answer_of_another_shape_is_garbled_and_nothing_is_removed(
    change: dict[str, Any],
) -> None:
    with pytest.raises(GarbledAnswerError):
        answer_of({**COMMIT_ALIAS, **change})


@pytest.mark.parametrize("missing", ["f0", "f2", "nameWithOwner", "defaultBranchRef"])
def test_a_member_which_was_asked_for_and_is_not_there_is_garbled(missing: str) -> None:
    with pytest.raises(GarbledAnswerError):
        answer_of({name: value for name, value in COMMIT_ALIAS.items() if name != missing})


@pytest.mark.parametrize("kind", ["RATE_LIMITED", "RATE_LIMIT"])
def test_both_names_of_a_used_up_limit_are_known(kind: str) -> None:
    assert GraphQLAnswer.model_validate(
        {"errors": [{"type": kind, "message": "m"}]}
    ).is_rate_limited
    assert not GraphQLAnswer.model_validate(
        {"errors": [{"type": "NOT_FOUND", "message": "m"}]}
    ).is_rate_limited
