"""Signed tokens of other issuers: a rule gives each a principal, or none does."""

from collections.abc import AsyncIterator

import pytest

from benchmark_manager.errors import IssuerError, SignedTokenError
from benchmark_manager.issuers.discovery import IssuerDirectory
from benchmark_manager.issuers.fetching import IssuerClient
from benchmark_manager.models.access.credentials import FederationRule
from benchmark_manager.models.access.principal import Principal
from benchmark_manager.services.access.federation import SignedTokens
from benchmark_manager.stores.access.federation_rules import FederationRuleStore
from support.access import a_rule, an_id
from support.bad_issuer import (
    DISCOVERY,
    BadIssuer,
    IssuerClock,
    IssuerReply,
    bad_issuer,
    rsa_key,
    signed,
)
from support.reused_database import lent_database

WORKFLOW = "repo:acme/bench:ref:refs/heads/main"
RUNNER = "system:serviceaccount:bench:runner"


@pytest.fixture
async def issuer() -> AsyncIterator[BadIssuer]:
    async with bad_issuer() as issuer:
        yield issuer


@pytest.fixture
def clock() -> IssuerClock:
    return IssuerClock()


@pytest.fixture
async def rules(either_url: str) -> AsyncIterator[FederationRuleStore]:
    async with lent_database(either_url) as database:
        yield FederationRuleStore(database)


@pytest.fixture
async def tokens(rules: FederationRuleStore, clock: IssuerClock) -> AsyncIterator[SignedTokens]:
    http = IssuerClient()
    yield SignedTokens(rules, IssuerDirectory(http, clock=clock), clock=clock)
    await http.close()


async def rule(rules: FederationRuleStore, issuer: BadIssuer, **changes: object) -> FederationRule:
    """A stored rule of the issuer, with other fields where they are given."""
    values = {"issuer": issuer.url, "subject": WORKFLOW, **changes}
    stored = a_rule().model_copy(update=values)
    await rules.insert(stored)
    return stored


async def refusal(tokens: SignedTokens, token: str) -> str:
    with pytest.raises(SignedTokenError) as caught:
        await tokens.principal(token)
    return caught.value.reason


async def test_a_rule_gives_a_program_its_role_in_its_projects(
    tokens: SignedTokens, rules: FederationRuleStore, issuer: BadIssuer
) -> None:
    own, other = an_id(), an_id()
    stored = await rule(rules, issuer, role="editor", project_ids=frozenset({own}))
    principal = await tokens.principal(issuer.token(sub=WORKFLOW))
    assert principal == Principal(
        kind="program",
        id=stored.id,
        name=f"ci ({WORKFLOW})",
        via="federation",
        role="editor",
        bound=stored.bound,
    )
    assert (principal.role_in(own), principal.role_in(other)) == ("editor", None)
    assert (principal.site_role, principal.readable()) == (None, frozenset({own}))


async def test_a_rule_for_all_projects_gives_its_role_everywhere(
    tokens: SignedTokens, rules: FederationRuleStore, issuer: BadIssuer
) -> None:
    await rule(rules, issuer, role="reader", project_ids=None)
    principal = await tokens.principal(issuer.token(sub=WORKFLOW))
    assert (principal.site_role, principal.readable()) == ("reader", None)


@pytest.mark.parametrize(
    ("subject", "accepted"),
    [
        ("system:serviceaccount:bench:runner", True),
        ("system:serviceaccount:bench:", True),
        ("system:serviceaccount:bench", False),
        ("system:serviceaccount:bench-of-others:runner", False),
        ("SYSTEM:serviceaccount:bench:runner", False),
    ],
)
async def test_a_prefix_matches_whole_parts(
    tokens: SignedTokens,
    rules: FederationRuleStore,
    issuer: BadIssuer,
    subject: str,
    accepted: bool,
) -> None:
    await rule(rules, issuer, match="prefix", subject="system:serviceaccount:bench:")
    token = issuer.token(sub=subject)
    if accepted:
        assert (await tokens.principal(token)).kind == "program"
    else:
        assert await refusal(tokens, token) == "rule"


async def test_the_most_specific_rule_counts(
    tokens: SignedTokens, rules: FederationRuleStore, issuer: BadIssuer
) -> None:
    await rule(rules, issuer, match="prefix", subject="repo:acme/", role="maintainer")
    await rule(rules, issuer, role="reader")
    assert (await tokens.principal(issuer.token(sub=WORKFLOW))).role == "reader"


async def test_audience_and_subject_must_be_of_one_rule(
    tokens: SignedTokens, rules: FederationRuleStore, issuer: BadIssuer
) -> None:
    await rule(rules, issuer, audience="bench", subject=WORKFLOW)
    await rule(rules, issuer, audience="other", subject=RUNNER)
    assert await refusal(tokens, issuer.token("bench", sub=RUNNER)) == "rule"


@pytest.mark.parametrize(
    ("claims", "reason"),
    [
        ({"aud": "other"}, "audience"),
        ({"sub": "repo:acme/bench:ref:refs/heads/other"}, "rule"),
        ({"exp": 1}, "expired"),
        ({"iss": "https://token.actions.githubusercontent.com"}, "rule"),
        ({"iss": {"$gt": ""}}, "credential"),
        ({"iss": "https://\ud800"}, "credential"),
    ],
    ids=lambda value: str(value).encode("ascii", "backslashreplace").decode(),
)
async def test_a_token_that_no_rule_accepts_is_refused(
    tokens: SignedTokens,
    rules: FederationRuleStore,
    issuer: BadIssuer,
    claims: dict[str, object],
    reason: str,
) -> None:
    await rule(rules, issuer)
    assert await refusal(tokens, issuer.token(**{"sub": WORKFLOW, **claims})) == reason


async def test_a_token_of_another_key_is_refused(
    tokens: SignedTokens, rules: FederationRuleStore, issuer: BadIssuer
) -> None:
    await rule(rules, issuer)
    forged = signed(issuer.claims_for("bench", sub=WORKFLOW), rsa_key("thief"), kid="one")
    assert await refusal(tokens, forged) == "signature"


async def test_an_issuer_without_rules_is_never_asked(
    tokens: SignedTokens, issuer: BadIssuer
) -> None:
    assert await refusal(tokens, issuer.token(sub=WORKFLOW)) == "rule"
    assert issuer.asked == []


async def test_a_token_ends_with_its_rule(
    tokens: SignedTokens, rules: FederationRuleStore, issuer: BadIssuer
) -> None:
    stored = await rule(rules, issuer)
    token = issuer.token(sub=WORKFLOW)
    await tokens.principal(token)
    await rules.delete(stored.id)
    assert await refusal(tokens, token) == "rule"


async def test_an_issuer_that_is_away_is_no_refusal(
    tokens: SignedTokens, rules: FederationRuleStore, issuer: BadIssuer
) -> None:
    await rule(rules, issuer)
    issuer.replies[DISCOVERY] = IssuerReply.of({}, 503)
    with pytest.raises(IssuerError):
        await tokens.principal(issuer.token(sub=WORKFLOW))


async def test_the_log_says_why_and_has_no_token(
    tokens: SignedTokens, issuer: BadIssuer, caplog: pytest.LogCaptureFixture
) -> None:
    token = issuer.token(sub=WORKFLOW)
    await refusal(tokens, token)
    assert issuer.url in caplog.text
    assert [part for part in token.split(".") if part in caplog.text] == []
