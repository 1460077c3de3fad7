"""Which rule of federation a signed token matches, and which rules are safe to have.

A prefix of `sub` must end where a part of it ends, and name more than the first part. Otherwise
`repo:acme/bench` would let in `repo:acme/bench-of-somebody-else:…`, and `repo:` everybody who has
an account at GitHub. Parts end with `:` or `/`, at GitHub Actions, Kubernetes and GitLab alike. A
`*` is refused anywhere: here it would be an ordinary character, which is not what its author means.
"""

import re
from collections.abc import Collection, Iterable
from typing import Final, Literal

from benchmark_manager.errors import InvalidInputError
from benchmark_manager.models.access.credentials import FederationRule

LONGEST_SUBJECT: Final = 500
LONGEST_AUDIENCE: Final = 500

_PRINTABLE: Final = re.compile(r"[\x21-\x7e]+")
_PREFIX: Final = re.compile(r"[^:/]+[:/](?:[^:/]+[:/])+")


def check_audience(audience: str) -> str:
    """Return an audience that `aud` may have.

    Raises:
        InvalidInputError: `invalid_audience`.
    """
    reason = _problem(audience, LONGEST_AUDIENCE)
    if reason is not None:
        raise InvalidInputError(
            "invalid_audience", reason, field="audience", limit=LONGEST_AUDIENCE
        )
    return audience


def check_subject(subject: str, match: Literal["exact", "prefix"]) -> str:
    """Return a `sub`, or a prefix of one, that a rule may match.

    Raises:
        InvalidInputError: `invalid_subject`.
    """
    reason = _problem(subject, LONGEST_SUBJECT)
    if reason is None and "*" in subject:
        reason = "wildcard"
    if reason is None and match == "prefix":
        reason = _problem_of_prefix(subject)
    if reason is not None:
        raise InvalidInputError("invalid_subject", reason, field="subject", limit=LONGEST_SUBJECT)
    return subject


def matching_rule(
    rules: Iterable[FederationRule], *, issuer: str, audiences: Collection[str], subject: str
) -> FederationRule | None:
    """Return the rule that a token with these claims acts by; None lets it do nothing.

    Of several it is the most specific one: an exact one before a prefix, a longer prefix before a
    shorter one. So a narrow rule can give less than a wide one.
    """
    matching = [
        rule
        for rule in rules
        if rule.issuer == issuer and rule.audience in audiences and _is_subject_of(rule, subject)
    ]
    return max(matching, key=_specificity, default=None)


def _is_subject_of(rule: FederationRule, subject: str) -> bool:
    if rule.match == "exact":
        return rule.subject == subject
    # A stored rule may be of another version, or of a hand that edits the database.
    return _PREFIX.fullmatch(rule.subject) is not None and subject.startswith(rule.subject)


def _specificity(rule: FederationRule) -> tuple[bool, int, str]:
    return rule.match == "exact", len(rule.subject), rule.id


def _problem(text: str, longest: int) -> str | None:
    if not text:
        return "empty"
    if len(text) > longest:
        return "long"
    return "characters" if _PRINTABLE.fullmatch(text) is None else None


def _problem_of_prefix(subject: str) -> str | None:
    if not subject.endswith((":", "/")):
        return "boundary"
    return "wide" if _PREFIX.fullmatch(subject) is None else None
