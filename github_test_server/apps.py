"""GitHub Apps: where they are installed, and the tokens made for their installations.

https://docs.github.com/en/apps/creating-github-apps/authenticating-with-a-github-app
"""

from __future__ import annotations

import itertools
import secrets
import threading
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Literal

from github_test_server.web_tokens import WebToken, WebTokenError

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

TOKEN_SECONDS = 3600
PERMISSIONS = {"contents": "read", "metadata": "read"}
_FIRST_INSTALLATION = 41_000_001


class SuspendedError(Exception):
    """The installation is there, and may do nothing."""


@dataclass(frozen=True, slots=True)
class App:
    """A registered app. `client_id` may stand for the id in a JSON web token."""

    id: int
    public_key_pem: bytes = field(repr=False)
    slug: str
    owner: str
    created_at: datetime

    @property
    def client_id(self) -> str:
        return f"Iv1.{self.id:016x}"


@dataclass(slots=True, eq=False)
class Installation:
    """An app at an owner; a test may change it at any time.

    Attributes:
        account: the owner's login.
        selected: ids of the repositories which it may see; None: all of the owner, later ones too.
        suspended: whether every use answers 403.
        token_seconds: how long tokens live that are made from now on.
    """

    id: int
    app: App
    account: str
    created_at: datetime
    selected: set[int] | None = None
    suspended: bool = False
    token_seconds: float = TOKEN_SECONDS

    @property
    def repository_selection(self) -> Literal["all", "selected"]:
        return "all" if self.selected is None else "selected"

    def covers(self, owner: str, repository_id: int) -> bool:
        return owner.lower() == self.account.lower() and (
            self.selected is None or repository_id in self.selected
        )


@dataclass(frozen=True, slots=True)
class InstallationToken:
    """A token of an installation, for all of its repositories or for those of `only`."""

    value: str = field(repr=False)
    installation: Installation
    expires_at: float
    only: frozenset[int] | None = None

    def covers(self, owner: str, repository_id: int) -> bool:
        fits = self.only is None or repository_id in self.only
        return fits and self.installation.covers(owner, repository_id)


class Apps:
    """Apps, installations and their tokens; any thread may change them while the server runs."""

    def __init__(self, *, clock: Callable[[], float]) -> None:
        self._clock = clock
        self._lock = threading.Lock()
        self._ids = itertools.count(_FIRST_INSTALLATION)
        self._apps: dict[int, App] = {}
        self._installations: dict[int, Installation] = {}
        self._tokens: dict[str, InstallationToken] = {}

    def add(self, app_id: int, public_key_pem: bytes | str, *, slug: str, owner: str) -> App:
        pem = public_key_pem.encode() if isinstance(public_key_pem, str) else public_key_pem
        app = self._apps[app_id] = App(app_id, pem, slug, owner, self._now())
        return app

    def install(self, app_id: int, account: str, selected: Iterable[int] | None) -> Installation:
        with self._lock:
            chosen = None if selected is None else set(selected)
            made = Installation(next(self._ids), self._apps[app_id], account, self._now(), chosen)
            self._installations[made.id] = made
        return made

    def uninstall(self, installation: Installation) -> None:
        with self._lock:
            del self._installations[installation.id]
            self._tokens = {
                value: token
                for value, token in self._tokens.items()
                if token.installation is not installation
            }

    def expire_tokens(self, installation: Installation) -> None:
        with self._lock:
            self._tokens = {
                value: token
                for value, token in self._tokens.items()
                if token.installation is not installation
            }

    def installations_of(self, app: App) -> list[Installation]:
        with self._lock:
            return [each for each in self._installations.values() if each.app is app]

    def installation(self, app: App, installation_id: int) -> Installation | None:
        found = self._installations.get(installation_id)
        return found if found and found.app is app else None

    def installation_at(self, app: App, owner: str, repository_id: int) -> Installation | None:
        """Return the app's installation which covers a repository."""
        return next(
            (each for each in self.installations_of(app) if each.covers(owner, repository_id)), None
        )

    def mint(self, installation: Installation, only: frozenset[int] | None) -> InstallationToken:
        if installation.suspended:
            raise SuspendedError
        expires_at = self._clock() + installation.token_seconds
        token = InstallationToken(f"ghs_{secrets.token_hex(18)}", installation, expires_at, only)
        with self._lock:
            self._tokens[token.value] = token
        return token

    def known(self, token: str) -> InstallationToken | None:
        """Return an installation's token, valid or not."""
        return self._tokens.get(token)

    def valid(self, token: str) -> InstallationToken | None:
        """Return a token which is valid now; SuspendedError if its installation is suspended."""
        found = self._tokens.get(token)
        if found is None or found.expires_at <= self._clock():
            return None
        if found.installation.suspended:
            raise SuspendedError
        return found

    def authenticate(self, token: str) -> App:
        """Return the app that signed a JSON web token.

        Raises:
            WebTokenError: no app did, or the token is not valid now.
        """
        parsed = WebToken.parse(token)
        app = next(
            (
                each
                for each in self._apps.values()
                if parsed.issuer in {str(each.id), each.client_id}
            ),
            None,
        )
        if app is None:
            raise WebTokenError("Integration not found", 404)
        parsed.check(app.public_key_pem, self._clock())
        return app

    def _now(self) -> datetime:
        return datetime.fromtimestamp(self._clock(), UTC)
