"""API tokens of programs."""

import secrets
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime
from typing import Final

from benchmark_manager.domain.access.api_tokens import (
    SECRET_BYTES,
    api_token_hash,
    new_api_token,
)
from benchmark_manager.domain.access.lifetimes import token_expiry
from benchmark_manager.domain.access.names import check_label
from benchmark_manager.errors import ConflictError, ForbiddenError, NotFoundError
from benchmark_manager.models.access.audit import AuditObject
from benchmark_manager.models.access.credentials import ApiToken
from benchmark_manager.models.access.principal import Principal, Role, includes
from benchmark_manager.models.page import Page, PageRequest
from benchmark_manager.services.access.accounts import AccountStores
from benchmark_manager.services.access.audit import AuditLog
from benchmark_manager.services.access.identities import IdentityService
from benchmark_manager.stores.database.database import Database, Session, milliseconds

#: Tokens of an account, with those that have expired and are still listed.
_MOST_TOKENS: Final = 100


@dataclass(frozen=True, slots=True)
class NewToken:
    """A token that was just made, and its text, which is shown this once."""

    token: ApiToken
    text: str = field(repr=False)


@dataclass(frozen=True, slots=True)
class TokenDraft:
    """What a person says of a new token; `project_ids` None means all projects."""

    name: str
    role: Role
    project_ids: frozenset[str] | None
    expires_at: datetime | None
    act_for_others: bool


class TokenService:
    """People make and revoke their own tokens; administrators revoke any."""

    def __init__(
        self,
        stores: AccountStores,
        audit: AuditLog,
        identities: IdentityService,
        *,
        clock: Callable[[], datetime],
        random: Callable[[int], bytes] = secrets.token_bytes,
    ) -> None:
        self._stores = stores
        self._audit = audit
        self._identities = identities
        self._clock = clock
        self._random = random

    async def create(
        self, principal: Principal, draft: TokenDraft, *, token_id: str | None = None
    ) -> NewToken:
        """Make a token of the principal's account.

        `token_id` is the id of one that a code gives, once.

        Raises:
            ForbiddenError: the principal is no person who signed in, or may not give so much.
            NotFoundError: a project may not be read.
            InvalidInputError: `invalid_label`, `invalid_expiry`.
            ConflictError: `too_many_tokens`.
            SignInError: `sign_in_failed`: the code was used before.
        """
        _check_may_create(principal, draft)
        now = milliseconds(self._clock())
        is_admin = includes(principal.site_role, "admin")
        token = ApiToken(
            id=token_id or Database.new_id(),
            name=check_label(draft.name),
            account_id=principal.id,
            role=draft.role,
            project_ids=draft.project_ids,
            act_for_others=draft.act_for_others,
            created_at=now,
            expires_at=token_expiry(draft.expires_at, now, may_be_longer=is_admin),
        )
        text = new_api_token(token.id, self._random(SECRET_BYTES))

        async def work(session: Session) -> None:
            account = await self._stores.accounts.count_on(principal.id, session)
            if account.disabled:
                raise NotFoundError("account", account.id)
            if token_id is not None:
                await self._stores.used_codes.use(token_id, now, session)
            # The account's document is written, so that no two requests count the same tokens.
            if await self._stores.tokens.count(principal.id, session) >= _MOST_TOKENS:
                raise ConflictError("too_many_tokens", limit=_MOST_TOKENS)
            await self._stores.tokens.insert(token, api_token_hash(text), session)
            await self._audit.done(
                principal, "token.create", _object_of_token(token), session=session
            )

        await self._stores.database.transaction(work)
        return NewToken(token, text)

    async def page(
        self, principal: Principal, request: PageRequest, *, everybody: bool
    ) -> Page[ApiToken]:
        """Return a page of the principal's tokens, or of all, newest first.

        A token sees itself alone, unless it may see all.

        Raises:
            ForbiddenError
        """
        if everybody:
            principal.require_site_wide("admin")
        elif not principal.id:
            # Where everybody is served, nobody has an account.
            return Page((), 0, None)
        account_id = None if everybody else principal.id
        if account_id is None or _may_all_of_account(principal):
            return await self._stores.tokens.page(request, account_id)
        if principal.token_id is None:
            return Page((), 0, None)
        return await self._stores.tokens.page(request, account_id, principal.token_id)

    async def revoke(self, principal: Principal, token_id: str) -> None:
        """Delete a token: one's own, or for administrators any; a token deletes itself alone.

        Raises:
            NotFoundError
        """

        async def work(session: Session) -> None:
            token = await self._stores.tokens.get(token_id, session)
            if not _may_revoke(principal, token):
                raise NotFoundError("token", token_id)
            await self._stores.tokens.delete(token_id, session)
            await self._audit.done(
                principal, "token.delete", _object_of_token(token), session=session
            )

        await self._stores.database.transaction(work)
        self._identities.forget()


def _check_may_create(principal: Principal, draft: TokenDraft) -> None:
    # A token must not be able to make another one that outlives it.
    if principal.kind != "person" or not principal.id:
        raise ForbiddenError("reader", "session")
    if draft.act_for_others:
        principal.require_site_wide("admin")
    for project_id in sorted(draft.project_ids or ()):
        principal.require("reader", project_id)


def _may_all_of_account(principal: Principal) -> bool:
    """Return whether all tokens of the account are the principal's: a token is less than that."""
    return principal.kind == "person" or includes(principal.site_role, "admin")


def _may_revoke(principal: Principal, token: ApiToken) -> bool:
    if includes(principal.site_role, "admin"):
        return True
    is_own = token.account_id == principal.id
    return is_own and (_may_all_of_account(principal) or token.id == principal.token_id)


def _object_of_token(token: ApiToken) -> AuditObject:
    return AuditObject(kind="token", id=token.id, name=token.name)
