"""Who asks: a token, an installation of a GitHub App, or nobody."""

import hashlib
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from typing import Literal

CredentialKind = Literal["token", "app", "anonymous"]
Authorize = Callable[[], Awaitable[str | None]]


def fingerprint_of(api_url: str, secret: str) -> str:
    """Short, not reversible, equal for equal credentials: what logs, answers and metrics may show."""
    return hashlib.sha256(f"{api_url}\n{secret}".encode()).hexdigest()[:12]


@dataclass(frozen=True, slots=True)
class Credential:
    """What GitHub counts limits by. Only `authorize` reaches the token, anew for each request."""

    api_url: str
    kind: CredentialKind
    fingerprint: str
    authorize: Authorize = field(repr=False, compare=False)
    #: Forgets a token which GitHub does not accept any more; whether there may be another.
    renew: Callable[[], bool] = field(default=lambda: False, repr=False, compare=False)

    @classmethod
    def of_token(cls, api_url: str, token: str | None) -> "Credential":
        """A token and the API base it may be sent to; None: anonymous requests."""

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
        """An installation of an App: its tokens change every hour, its limits are its own."""
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
