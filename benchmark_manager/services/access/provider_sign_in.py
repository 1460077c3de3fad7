"""Sign-in at an identity provider: from the button to the session."""

import secrets
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final, Literal, assert_never

from cryptography.fernet import InvalidToken, MultiFernet
from pydantic import ValidationError

from benchmark_manager.domain.access.random_secrets import new_secret
from benchmark_manager.errors import NotFoundError, SignedTokenError
from benchmark_manager.issuers.github import GitHubSignIn
from benchmark_manager.issuers.sign_in import OidcSignIn
from benchmark_manager.models.access.principal import Principal
from benchmark_manager.models.access.sign_in import SignInAttempt
from benchmark_manager.services.access.audit import AuditLog
from benchmark_manager.services.access.sign_in import NewSession, SignInService

ProviderKind = Literal["oidc", "github"]

#: How long a person may take at the provider.
ATTEMPT_SECONDS: Final = 600
_GOOD_FOR: Final = timedelta(seconds=ATTEMPT_SECONDS)


@dataclass(frozen=True, slots=True)
class Providers:
    """The identity providers of the settings, and the name of the OIDC one's button."""

    oidc: OidcSignIn | None
    oidc_name: str
    github: GitHubSignIn | None


class ProviderSignIn:
    """Sends browsers to a provider and takes them back.

    What must come back is in an encrypted cookie of the browser, so any replica can finish a
    sign-in, and nobody can fill the database with some that never end.
    """

    def __init__(
        self,
        providers: Providers,
        sign_in: SignInService,
        audit: AuditLog,
        cipher: MultiFernet,
        *,
        clock: Callable[[], datetime],
        random: Callable[[int], bytes] = secrets.token_bytes,
    ) -> None:
        self.providers = providers
        self._sign_in = sign_in
        self._audit = audit
        self._cipher = cipher
        self._clock = clock
        self._random = random

    async def begin(self, kind: ProviderKind, next_path: str, redirect_uri: str) -> tuple[str, str]:
        """Return the address to which the browser is sent, and the cookie that it keeps.

        Raises:
            NotFoundError: the provider is not configured.
            IssuerError
        """
        attempt = SignInAttempt(
            provider=kind,
            state=new_secret(self._random),
            nonce=new_secret(self._random),
            verifier=new_secret(self._random),
            next=next_path,
            began_at=self._clock(),
        )
        cookie = self._cipher.encrypt(attempt.model_dump_json().encode()).decode()
        match kind:
            case "oidc":
                return await self._oidc().address(attempt, redirect_uri), cookie
            case "github":
                return self._github().address(attempt, redirect_uri), cookie
            case _:
                assert_never(kind)

    async def finish(
        self,
        kind: ProviderKind,
        cookie: str,
        answer: Mapping[str, str],
        redirect_uri: str,
        *,
        address: str,
        request_id: str,
        earlier: str | None = None,
    ) -> tuple[NewSession, str]:
        """Return the session of who came back, and where the browser goes.

        `earlier` is the secret that the browser had, whose session ends.

        Raises:
            NotFoundError: the provider is not configured.
            SignedTokenError: what came back proves nobody.
            SignInError: the account is disabled.
            IssuerError
        """
        provider = self._oidc() if kind == "oidc" else self._github()
        attempt = self._attempt(kind, cookie)
        try:
            person = await provider.person(attempt, answer, redirect_uri)
        except SignedTokenError:
            # One without an attempt is not recorded: anybody could fill the audit with those.
            nobody = Principal(
                kind="anonymous",
                id="",
                name="anonymous",
                via="open",
                role=None,
                address=address,
                request_id=request_id,
            )
            await self._audit.refused(nobody, "sign_in")
            raise
        began = await self._sign_in.with_proof(
            person, address=address, request_id=request_id, earlier=earlier
        )
        return began, attempt.next

    def next_path(self, cookie: str) -> str | None:
        """Return where a browser wanted to go when it left, however long ago; None: unknown."""
        attempt = self._opened(cookie)
        return None if attempt is None else attempt.next

    def _opened(self, cookie: str) -> SignInAttempt | None:
        try:
            return SignInAttempt.model_validate_json(self._cipher.decrypt(cookie.encode()))
        except (InvalidToken, ValidationError):
            return None

    def _attempt(self, kind: ProviderKind, cookie: str) -> SignInAttempt:
        attempt = self._opened(cookie)
        if attempt is None:
            raise SignedTokenError("state")
        if attempt.provider != kind or self._clock() - attempt.began_at > _GOOD_FOR:
            raise SignedTokenError("state")
        return attempt

    def _oidc(self) -> OidcSignIn:
        if self.providers.oidc is None:
            raise NotFoundError("route", "oidc")
        return self.providers.oidc

    def _github(self) -> GitHubSignIn:
        if self.providers.github is None:
            raise NotFoundError("route", "github")
        return self.providers.github
