"""Which tokens of other issuers a rule accepts."""

from datetime import UTC, datetime
from typing import Literal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from benchmark_manager.domain.access.federation import (
    check_audience,
    check_subject,
    matching_rule,
)
from benchmark_manager.errors import InvalidInputError
from benchmark_manager.models.access.credentials import FederationRule

NOW = datetime(2026, 11, 30, tzinfo=UTC)
GITHUB = "https://token.actions.githubusercontent.com"
AUDIENCE = "https://bench.example.com"
SUBJECT = "repo:acme/bench:ref:refs/heads/main"


def a_rule(
    subject: str = SUBJECT,
    match: Literal["exact", "prefix"] = "exact",
    *,
    rule_id: str = "1",
    issuer: str = GITHUB,
    audience: str = AUDIENCE,
) -> FederationRule:
    return FederationRule(
        id=rule_id,
        name="ci",
        issuer=issuer,
        audience=audience,
        subject=subject,
        match=match,
        role="editor",
        project_ids=None,
        created_at=NOW,
        updated_at=NOW,
    )


def matched(*rules: FederationRule, subject: str = SUBJECT) -> str | None:
    rule = matching_rule(rules, issuer=GITHUB, audiences=[AUDIENCE, "other"], subject=subject)
    return None if rule is None else rule.id


@pytest.mark.parametrize(
    ("rule", "matches"),
    [
        (a_rule(), True),
        (a_rule("repo:acme/bench:", "prefix"), True),
        (a_rule("repo:acme/", "prefix"), True),
        (a_rule("repo:acme/bench:"), False),
        (a_rule(SUBJECT.upper()), False),
        (a_rule("repo:acme/ben:", "prefix"), False),
        (a_rule(issuer=f"{GITHUB}/"), False),
        (a_rule(audience="https://bench.example.com/"), False),
        (a_rule("repo:acme/bench", "prefix"), False),
        (a_rule("", "prefix"), False),
        (a_rule("repo:", "prefix"), False),
    ],
    ids=[
        *("exact", "prefix", "owner", "no prefix", "case", "other", "issuer", "audience"),
        *("stored without an end", "stored empty", "stored too wide"),
    ],
)
def test_a_rule_matches(rule: FederationRule, matches: bool) -> None:
    assert (matched(rule) is not None) is matches


@pytest.mark.parametrize(
    "subject",
    ["repo:acme/bench-evil:ref:refs/heads/main", "repo:acme/bench", "x", "", "repo:Acme/bench:a"],
)
def test_a_neighbour_of_a_prefix_is_not_matched(subject: str) -> None:
    assert matched(a_rule("repo:acme/bench:", "prefix"), subject=subject) is None


def test_nobody_is_matched_without_an_audience() -> None:
    assert matching_rule([a_rule()], issuer=GITHUB, audiences=[], subject=SUBJECT) is None


@pytest.mark.parametrize("order", [1, -1], ids=["in order", "reversed"])
def test_the_most_specific_rule_counts(order: int) -> None:
    rules = [
        a_rule("repo:acme/", "prefix", rule_id="owner"),
        a_rule(SUBJECT, rule_id="exact"),
        a_rule("repo:acme/bench:ref:refs/heads/main/", "prefix", rule_id="longer"),
    ]
    assert matched(*rules[::order]) == "exact"


def test_a_longer_prefix_counts_before_a_shorter_one() -> None:
    assert (
        matched(
            a_rule("repo:acme/bench:", "prefix", rule_id="long"),
            a_rule("repo:acme/", "prefix", rule_id="short"),
        )
        == "long"
    )


@pytest.mark.parametrize(
    "subject",
    [
        *("repo:acme/", "repo:acme/bench:", "repo:acme@123/bench@456:", "project_path:group/"),
        *("system:serviceaccount:benchmarks:", "repo:acme/bench:ref:refs/heads/"),
    ],
)
def test_a_prefix_that_ends_with_a_part_is_accepted(subject: str) -> None:
    assert check_subject(subject, "prefix") == subject


@pytest.mark.parametrize(
    ("subject", "match", "reason"),
    [
        ("", "exact", "empty"),
        ("", "prefix", "empty"),
        ("a" * 501, "exact", "long"),
        ("repo: acme", "exact", "characters"),
        ("repo:acm\u00e9/x", "exact", "characters"),
        ("repo:acme/*", "exact", "wildcard"),
        ("repo:acme/*", "prefix", "wildcard"),
        ("repo:*/bench:", "prefix", "wildcard"),
        ("repo:acme/bench", "prefix", "boundary"),
        ("repo:acme@", "prefix", "boundary"),
        ("repo:", "prefix", "wide"),
        ("repo::", "prefix", "wide"),
        ("::::", "prefix", "wide"),
        ("/", "prefix", "wide"),
    ],
)
def test_a_subject_is_refused(subject: str, match: Literal["exact", "prefix"], reason: str) -> None:
    with pytest.raises(InvalidInputError) as refused:
        check_subject(subject, match)
    assert (refused.value.code, refused.value.reason) == ("invalid_subject", reason)


@pytest.mark.parametrize(
    ("audience", "reason"), [("", "empty"), ("a" * 501, "long"), ("a b", "characters")]
)
def test_an_audience_is_refused(audience: str, reason: str) -> None:
    with pytest.raises(InvalidInputError) as refused:
        check_audience(audience)
    assert (refused.value.code, refused.value.reason) == ("invalid_audience", reason)


def test_an_audience_is_kept() -> None:
    assert check_audience(AUDIENCE) == AUDIENCE


PARTS = st.lists(st.text("abc-1", min_size=1, max_size=3), min_size=2, max_size=5)


@given(PARTS, PARTS)
def test_a_prefix_matches_whole_parts_only(prefix: list[str], subject: list[str]) -> None:
    rule = a_rule("".join(f"{part}:" for part in prefix), "prefix")
    matches = subject[: len(prefix)] == prefix and len(subject) > len(prefix)
    assert (matched(rule, subject=":".join(subject)) is not None) is matches
