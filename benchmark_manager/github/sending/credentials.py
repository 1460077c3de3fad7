"""Credentials of requests: a token, an installation of a GitHub App, or none."""

import hashlib
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from typing import Literal

CredentialKind = Literal["token", "app", "anonymous"]
Authorize = Callable[[], Awaitable[str | None]]


def fingerprint_of(api_url: str, secret: str) -> str:
    """Return a short hash of a credential that logs, answers and metrics may show."""
    return hashlib.sha256(f"{api_url}\n{secret}".encode()).hexdigest()[:12]


@dataclass(frozen=True, slots=True)
class Credential:
    """A credential, by which GitHub counts limits. `authorize` returns its token for a request."""

    api_url: str
    kind: CredentialKind
    fingerprint: str
    authorize: Authorize = field(repr=False, compare=False)
    #: Forgets a token that GitHub no longer accepts; returns whether there may be another.
    renew: Callable[[], bool] = field(default=lambda: False, repr=False, compare=False)

    @classmethod
    def of_token(cls, api_url: str, token: str | None) -> "Credential":
        """Make the credential of a token for one API base; None: anonymous requests."""

        async def authorize() -> str | None:
            return token

        return cls(
            api_url,
            "anonymous" if token is None else "token",
            fingerprint_of(api_url, token or ""),
            authorize,
        )

    @classmethod
    def of_installation(
        cls,
        api_url: str,
        app_id: str,
        installation: int,
        authorize: Authorize,
        renew: Callable[[], bool],
    ) -> "Credential":
        """Make the credential of an App's installation, which has tokens and limits of its own."""
        return cls(
            api_url,
            "app",
            fingerprint_of(api_url, f"app {app_id} installation {installation}"),
            authorize,
            renew,
        )

    @property
    def is_anonymous(self) -> bool:
        return self.kind == "anonymous"
