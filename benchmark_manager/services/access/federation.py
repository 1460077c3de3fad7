"""Federation: rules by which signed tokens of other issuers are accepted."""

from collections.abc import Callable, Collection
from dataclasses import dataclass
from datetime import datetime
from typing import Literal

import structlog

from benchmark_manager.domain.access.federation import (
    check_audience,
    check_subject,
    matching_rule,
)
from benchmark_manager.domain.access.issuers import check_issuer
from benchmark_manager.domain.access.names import check_label
from benchmark_manager.domain.revisions import expect_revision
from benchmark_manager.errors import SignedTokenError
from benchmark_manager.issuers.discovery import IssuerDirectory
from benchmark_manager.issuers.signed_tokens import audiences_of, checked_claims, unproved_issuer
from benchmark_manager.models.access.audit import AuditObject
from benchmark_manager.models.access.credentials import FederationRule
from benchmark_manager.models.access.principal import Principal, Role
from benchmark_manager.models.page import Page, PageRequest
from benchmark_manager.services.access.audit import AuditLog
from benchmark_manager.services.access.identities import IdentityService
from benchmark_manager.stores.access.federation_rules import FederationRuleStore
from benchmark_manager.stores.database.database import Database, Session, milliseconds

_log = structlog.get_logger(__name__)


@dataclass(frozen=True, slots=True)
class RuleDraft:
    """What an administrator says of a rule; `project_ids` None means all projects."""

    name: str
    issuer: str
    audience: str
    subject: str
    match: Literal["exact", "prefix"]
    role: Role
    project_ids: frozenset[str] | None


class SignedTokens:
    """Finds the principals of signed tokens."""

    def __init__(
        self,
        rules: FederationRuleStore,
        directory: IssuerDirectory,
        *,
        clock: Callable[[], datetime],
    ) -> None:
        self._rules = rules
        self._directory = directory
        self._clock = clock

    async def principal(self, token: str) -> Principal:
        """Return the principal that a rule gives to the token.

        Raises:
            SignedTokenError: it proves nothing, or no rule accepts it.
            IssuerError: the issuer's keys cannot be read.
        """
        try:
            return await self._proved(token)
        except SignedTokenError as error:
            _log.info(
                "a signed token was refused", reason=error.reason, issuer=unproved_issuer(token)
            )
            raise

    async def _proved(self, token: str) -> Principal:
        issuer = unproved_issuer(token)
        if issuer is None:
            raise SignedTokenError("credential")
        # Only issuers of rules are ever asked for their keys.
        rules = await self._rules.of_issuer(issuer)
        if not rules:
            raise SignedTokenError("rule")
        claims = await checked_claims(
            self._directory,
            token,
            issuer=issuer,
            audiences=frozenset(rule.audience for rule in rules),
            now=self._clock(),
        )
        rule = matching_rule(
            rules, issuer=issuer, audiences=audiences_of(claims), subject=claims["sub"]
        )
        if rule is None:
            raise SignedTokenError("rule")
        return Principal(
            kind="program",
            id=rule.id,
            name=f"{rule.name} ({claims['sub']})",
            via="federation",
            role=rule.role,
            bound=rule.bound,
        )


class FederationService:
    """Administrators make, change and delete rules."""

    def __init__(
        self,
        database: Database,
        rules: FederationRuleStore,
        audit: AuditLog,
        identities: IdentityService,
        *,
        clock: Callable[[], datetime],
    ) -> None:
        self._database = database
        self._rules = rules
        self._audit = audit
        self._identities = identities
        self._clock = clock

    async def page(self, principal: Principal, request: PageRequest) -> Page[FederationRule]:
        """Return a page of rules by name.

        Raises:
            ForbiddenError
        """
        principal.require_site_wide("admin")
        return await self._rules.page(request)

    async def get(self, principal: Principal, rule_id: str) -> FederationRule:
        """Return a rule.

        Raises:
            ForbiddenError, NotFoundError
        """
        principal.require_site_wide("admin")
        return await self._rules.get(rule_id)

    async def create(self, principal: Principal, draft: RuleDraft) -> FederationRule:
        """Make a rule.

        Raises:
            ForbiddenError
            InvalidInputError: `invalid_label`, `invalid_issuer`, `invalid_audience`,
                `invalid_subject`.
            ConflictError: `federation_rule_taken`.
        """
        principal.require_site_wide("admin")
        now = milliseconds(self._clock())
        rule = FederationRule(
            id=Database.new_id(), created_at=now, updated_at=now, **_checked(draft)
        )

        async def work(session: Session) -> None:
            await self._rules.insert(rule, session)
            await self._audit.done(
                principal, "federation.create", _object_of(rule), session=session, revision=1
            )

        await self._database.transaction(work)
        return rule

    async def replace(
        self,
        principal: Principal,
        rule_id: str,
        draft: RuleDraft,
        expected_revisions: Collection[int] | None = None,
    ) -> FederationRule:
        """Replace all fields of a rule.

        Raises:
            ForbiddenError, NotFoundError, StaleError
            InvalidInputError, ConflictError: as `create`.
        """
        principal.require_site_wide("admin")
        given = _checked(draft)

        async def work(session: Session) -> FederationRule:
            before = await self._rules.get(rule_id, session)
            expect_revision(before, expected_revisions)
            keys = tuple(name for name in given if given[name] != getattr(before, name))
            if not keys:
                return before
            after = before.model_copy(
                update={
                    **given,
                    "updated_at": milliseconds(self._clock()),
                    "revision": before.revision + 1,
                }
            )
            await self._rules.change(after, session)
            await self._audit.done(
                principal,
                "federation.edit",
                _object_of(after),
                session=session,
                keys=keys,
                revision=after.revision,
            )
            return after

        changed = await self._database.transaction(work)
        self._identities.forget()
        return changed

    async def delete(
        self, principal: Principal, rule_id: str, expected_revisions: Collection[int] | None = None
    ) -> None:
        """Delete a rule; its tokens are refused at every replica within 5 s.

        Raises:
            ForbiddenError, NotFoundError, StaleError
        """
        principal.require_site_wide("admin")

        async def work(session: Session) -> None:
            rule = await self._rules.get(rule_id, session)
            expect_revision(rule, expected_revisions)
            await self._rules.delete(rule_id, session)
            await self._audit.done(
                principal, "federation.delete", _object_of(rule), session=session
            )

        await self._database.transaction(work)
        self._identities.forget()


def _checked(draft: RuleDraft) -> dict[str, object]:
    return {
        "name": check_label(draft.name),
        "issuer": check_issuer(draft.issuer),
        "audience": check_audience(draft.audience),
        "subject": check_subject(draft.subject, draft.match),
        "match": draft.match,
        "role": draft.role,
        "project_ids": draft.project_ids,
    }


def _object_of(rule: FederationRule) -> AuditObject:
    return AuditObject(kind="federation", id=rule.id, name=rule.name)
