"""People who sign in elsewhere with GitHub: OAuth Apps, codes and the people's organisations.

https://docs.github.com/en/apps/oauth-apps/building-oauth-apps/authorizing-oauth-apps
"""

from __future__ import annotations

import base64
import hashlib
import hmac
import secrets
import threading
from dataclasses import dataclass, field
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

CODE_SECONDS = 600


@dataclass(frozen=True, slots=True)
class OAuthApp:
    """A registered OAuth App; browsers are sent back to `callback_url` or below it only."""

    client_id: str
    client_secret: str = field(repr=False)
    callback_url: str

    def accepts(self, redirect_uri: str) -> bool:
        """Return whether an address is the callback, or a folder below it.

        https://docs.github.com/en/apps/oauth-apps/building-oauth-apps/authorizing-oauth-apps#redirect-urls
        """
        own, asked = urlsplit(self.callback_url), urlsplit(redirect_uri)
        if (own.scheme, own.netloc) != (asked.scheme, asked.netloc) or ".." in asked.path:
            return False
        return f"{asked.path}/".startswith(f"{own.path.rstrip('/')}/")


@dataclass(slots=True, eq=False)
class Person:
    """Someone with an account; a test may change it at any time.

    Attributes:
        id: the number that stays when the login changes.
        teams: "ORG/TEAM", by slugs.
        denies: whether the person answers "Cancel" when asked to authorise an App.
    """

    id: int
    login: str
    organisations: Sequence[str] = ()
    teams: Sequence[str] = ()
    denies: bool = False


@dataclass(frozen=True, slots=True)
class _Code:
    client_id: str
    person: Person
    redirect_uri: str
    scopes: frozenset[str]
    challenge: str | None
    until: float


class ExchangeError(Exception):
    """A code that gives no token; `error` and `description` are GitHub's."""

    def __init__(self, error: str, description: str) -> None:
        super().__init__(error)
        self.error = error
        self.description = description


class SignIns:
    """OAuth Apps, people, and the codes and tokens of those who signed in.

    Everything may be changed while the server runs, from any thread.
    """

    def __init__(self, *, clock: Callable[[], float]) -> None:
        self._clock = clock
        self._lock = threading.RLock()
        self._apps: dict[str, OAuthApp] = {}
        self._codes: dict[str, _Code] = {}
        self._tokens: dict[str, tuple[Person, frozenset[str]]] = {}
        self.browser: Person | None = None
        """Who is signed in at GitHub in the browser that comes; None: nobody."""

    def add_app(self, client_id: str, client_secret: str, callback_url: str) -> OAuthApp:
        """Register an OAuth App."""
        with self._lock:
            app = self._apps[client_id] = OAuthApp(client_id, client_secret, callback_url)
        return app

    def app(self, client_id: str | None) -> OAuthApp | None:
        """Return the App with this client id."""
        return self._apps.get(client_id or "")

    def authorize(
        self, app: OAuthApp, person: Person, query: Mapping[str, str], redirect_uri: str
    ) -> str:
        """Return a code, good once within ten minutes."""
        code = secrets.token_hex(10)
        challenge = query.get("code_challenge")
        with self._lock:
            self._codes[code] = _Code(
                client_id=app.client_id,
                person=person,
                redirect_uri=redirect_uri,
                scopes=frozenset(query.get("scope", "").replace(",", " ").split()),
                challenge=challenge if query.get("code_challenge_method") == "S256" else None,
                until=self._clock() + CODE_SECONDS,
            )
        return code

    def exchange(self, form: Mapping[str, str]) -> tuple[str, frozenset[str]]:
        """Return a token and its scopes for a code.

        Raises:
            ExchangeError
        """
        app = self.app(form.get("client_id"))
        secret = form.get("client_secret", "")
        if app is None or not hmac.compare_digest(secret.encode(), app.client_secret.encode()):
            raise ExchangeError(
                "incorrect_client_credentials",
                "The client_id and/or client_secret passed are incorrect.",
            )
        with self._lock:
            code = self._codes.pop(form.get("code", ""), None)
        if (
            code is None
            or code.client_id != app.client_id
            or code.until <= self._clock()
            or not _is_verifier(form.get("code_verifier"), code.challenge)
        ):
            raise ExchangeError("bad_verification_code", "The code passed is incorrect or expired.")
        if form.get("redirect_uri", code.redirect_uri) != code.redirect_uri:
            raise ExchangeError(
                "redirect_uri_mismatch",
                "The redirect_uri MUST match the registered callback URL for this application.",
            )
        token = f"gho_{secrets.token_hex(18)}"
        with self._lock:
            self._tokens[token] = code.person, code.scopes
        return token, code.scopes

    def of_token(self, token: str | None) -> tuple[Person, frozenset[str]] | None:
        """Return whose token it is, and its scopes; None for any other token."""
        return self._tokens.get(token or "")


def _is_verifier(verifier: str | None, challenge: str | None) -> bool:
    if challenge is None:
        return True
    digest = hashlib.sha256((verifier or "").encode()).digest()
    return base64.urlsafe_b64encode(digest).rstrip(b"=").decode() == challenge
