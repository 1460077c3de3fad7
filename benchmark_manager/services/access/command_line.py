"""Tokens for the command line, which a person confirms in a browser."""

import hmac
from collections.abc import Callable
from datetime import datetime, timedelta
from typing import Final

from cryptography.fernet import InvalidToken, MultiFernet
from pydantic import ValidationError

from benchmark_manager.domain.access.command_line import challenge_of
from benchmark_manager.domain.access.names import check_label
from benchmark_manager.errors import ForbiddenError, NotFoundError, SignInError
from benchmark_manager.models.access.command_line import ConfirmedToken, WantedToken
from benchmark_manager.models.access.principal import Principal
from benchmark_manager.services.access.accounts import AccountStores
from benchmark_manager.services.access.tokens import NewToken, TokenDraft, TokenService
from benchmark_manager.stores.database.database import Database

#: The command line shows the code at once.
_GOOD_FOR: Final = timedelta(minutes=1)


class CommandLineTokens:
    """Makes the token that a person confirmed, for the command line that asked for it.

    Until then nothing is stored: what was confirmed is in the code, encrypted, so that any replica
    can make the token. Afterwards it is known that the code was used.
    """

    def __init__(
        self,
        stores: AccountStores,
        tokens: TokenService,
        cipher: MultiFernet,
        *,
        clock: Callable[[], datetime],
    ) -> None:
        self._stores = stores
        self._tokens = tokens
        self._cipher = cipher
        self._clock = clock

    @staticmethod
    def check(principal: Principal, wanted: WantedToken) -> None:
        """Check that the principal may confirm this token.

        Raises:
            ForbiddenError: the principal is no person who signed in.
            NotFoundError: a project may not be read.
            InvalidInputError: `invalid_label`.
        """
        if principal.kind != "person" or not principal.id:
            raise ForbiddenError("reader", "session")
        check_label(wanted.name)
        for project_id in wanted.project_ids or ():
            principal.require("reader", project_id)

    def confirm(self, principal: Principal, wanted: WantedToken) -> str:
        """Return the code for a token; it is valid for a minute, with the verifier.

        Raises:
            ForbiddenError, NotFoundError, InvalidInputError: as `check` does.
        """
        self.check(principal, wanted)
        confirmed = ConfirmedToken(
            wanted=wanted,
            account_id=principal.id,
            token_id=Database.new_id(),
            session_id=principal.session_id,
            confirmed_at=self._clock(),
        )
        return self._cipher.encrypt(confirmed.model_dump_json().encode()).decode()

    async def redeem(self, code: str, verifier: str, *, address: str, request_id: str) -> NewToken:
        """Make the token of a code, once.

        Raises:
            SignInError: `sign_in_failed`: the code is unknown, used or too old, was confirmed for
                another command line, or in a session that has ended.
            NotFoundError: a project may not be read any more.
            InvalidInputError: `invalid_expiry`.
            ConflictError: `too_many_tokens`.
        """
        confirmed = self._confirmed(code)
        wanted, now = confirmed.wanted, self._clock()
        is_own = hmac.compare_digest(challenge_of(verifier), wanted.challenge)
        age = now - confirmed.confirmed_at
        if not is_own or not timedelta() <= age <= _GOOD_FOR:
            raise _expired()
        try:
            owner = await self._stores.accounts.with_grants(confirmed.account_id)
        except NotFoundError:
            raise _expired() from None
        account = owner.account
        if account.disabled or not await self._has_session(confirmed):
            raise _expired()
        person = Principal(
            kind="person",
            id=account.id,
            name=account.name,
            via="session",
            role=account.role,
            groups=account.groups,
            grants=owner.roles,
            address=address,
            request_id=request_id,
        )
        draft = TokenDraft(
            name=wanted.name,
            role=wanted.role,
            project_ids=wanted.project_ids,
            expires_at=now + timedelta(days=wanted.days),
            act_for_others=False,
        )
        return await self._tokens.create(person, draft, token_id=confirmed.token_id)

    def _confirmed(self, code: str) -> ConfirmedToken:
        try:
            return ConfirmedToken.model_validate_json(self._cipher.decrypt(code.encode()))
        except (InvalidToken, ValidationError):
            # It may be the cookie of a sign-in, which the same keys encrypt.
            raise _expired() from None

    async def _has_session(self, confirmed: ConfirmedToken) -> bool:
        """Return whether the session still exists in which the token was confirmed."""
        if confirmed.session_id is None:
            return True
        return await self._stores.sessions.exists(confirmed.account_id, confirmed.session_id)


def _expired() -> SignInError:
    return SignInError("sign_in_failed", "expired")
