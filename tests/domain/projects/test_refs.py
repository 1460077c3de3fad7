"""Branches, tags and commits as people name them."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from benchmark_manager.domain.projects.refs import (
    check_branch,
    ref_of,
    ref_of_branch,
    ref_of_stored_branch,
)
from benchmark_manager.errors import InvalidInputError
from benchmark_manager.messages import detail
from benchmark_manager.models.project import Ref, RefKind

SHA = "3f786850e387550fdab836ed7e6dc881de23001b"
NAMES = st.from_regex(r"[a-z][a-z0-9-]{0,9}(/[a-z][a-z0-9-]{0,9}){0,2}", fullmatch=True).filter(
    lambda name: not name.startswith(("refs/", "heads/", "tags/"))
)


@given(NAMES)
def test_every_form_of_a_branch_is_its_name(name: str) -> None:
    assert (
        ref_of_branch(name) == ref_of_branch(f"heads/{name}") == ref_of_branch(f"refs/heads/{name}")
    )
    assert ref_of_branch(name) == ref_of("branch", name) == ref_of("branch", f"refs/heads/{name}")
    assert ref_of_branch(name) == ref_of_stored_branch(f"refs/heads/{name}") == Ref.of_branch(name)


@given(NAMES)
def test_every_form_of_a_tag_is_its_name(name: str) -> None:
    assert (
        ref_of("tag", name) == ref_of("tag", f"tags/{name}") == ref_of("tag", f"refs/tags/{name}")
    )
    assert ref_of("tag", name).full == f"refs/tags/{name}"


def test_a_branch_called_heads_x_is_given_by_its_full_name() -> None:
    """As in git, where `heads/x` is tried below `refs/` first."""
    assert ref_of_branch("refs/heads/heads/x").full == "refs/heads/heads/x"
    assert ref_of_branch("heads/x").full == "refs/heads/x"


@pytest.mark.parametrize(
    "text", [SHA, SHA.upper(), "refs/tags/v1", "refs/pull/1/head", "refs/heads/", "refs/heads"]
)
def test_what_can_be_no_branch_is_not_taken_for_one(text: str) -> None:
    with pytest.raises(InvalidInputError) as refused:
        ref_of_branch(text)
    assert (refused.value.code, refused.value.field) == ("invalid_branch", "branch")


@pytest.mark.parametrize("text", [SHA, "refs/tags/v1"])
def test_the_refusal_says_how_to_declare_it(text: str) -> None:
    with pytest.raises(InvalidInputError) as refused:
        ref_of_branch(text)
    assert 'ref: {"kind"' in detail(refused.value)


@pytest.mark.parametrize(
    ("kind", "name"),
    [
        *(
            ("commit", "3f78685"),
            ("commit", "main"),
            ("commit", ""),
            ("commit", SHA[:39]),
            ("commit", SHA + "0"),
        ),
        *(("tag", ""), ("tag", "a..b"), ("tag", "refs/heads/main"), ("tag", SHA), ("branch", SHA)),
        *(("branch", "refs/tags/v1"), ("branch", "a b"), ("tag", "-x"), ("tag", "refs/tags/")),
    ],
)
def test_a_name_that_its_kind_cannot_have_is_refused(kind: RefKind, name: str) -> None:
    with pytest.raises(InvalidInputError) as refused:
        ref_of(kind, name)
    assert (refused.value.code, refused.value.field) == ("invalid_ref", "ref")


def test_a_commit_is_named_by_its_whole_id_in_any_case() -> None:
    assert ref_of("commit", SHA.upper()) == Ref(kind="commit", name=SHA)


def test_the_beginning_of_an_id_is_refused_with_the_reason() -> None:
    with pytest.raises(InvalidInputError) as refused:
        ref_of("commit", "3f78685")
    assert "all 40 digits" in detail(refused.value)


@given(st.text(), st.sampled_from(["branch", "tag", "commit"]))
def test_any_name_is_taken_or_refused(text: str, kind: RefKind) -> None:
    try:
        taken = ref_of(kind, text)
    except InvalidInputError:
        return
    # What is returned names the same when it is given in full.
    assert ref_of(kind, taken.full) == taken


def test_a_commit_stored_as_a_branch_is_read_as_the_commit() -> None:
    assert ref_of_stored_branch(SHA) == Ref(kind="commit", name=SHA)


@pytest.mark.parametrize(
    "branch",
    [
        "main",
        "feature/a",
        "a.b",
        "ü",
        "a@b",
        "a-",
        "dependabot/npm_and_yarn/x-1.2.3",
        "1",
        "head",
        "a{b",
        "x" * 255,
    ],
)
def test_what_git_takes_for_a_branch_is_accepted(branch: str) -> None:
    check_branch(branch)


@pytest.mark.parametrize(
    "branch",
    [
        *(
            "",
            "@",
            "HEAD",
            "-a",
            "a.",
            "a..b",
            "a//b",
            "/a",
            "a/",
            ".a",
            "a/.b",
            "a.lock",
            "a.lock/b",
            "a b",
            "a~1",
            "a^",
        ),
        *("a:b", "a?", "a*", "a[", "a\\b", "a@{1}", "a\x00", "a\n", "a\x7f", "x" * 256, "é" * 128),
    ],
)
def test_what_git_refuses_for_a_branch_is_refused(branch: str) -> None:
    with pytest.raises(InvalidInputError) as refused:
        check_branch(branch)
    assert refused.value.code == "invalid_branch"
