"""What the server hosts: repositories under names and ids, and the tokens which may see them."""

from __future__ import annotations

import itertools
import secrets
import threading
import time
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import TYPE_CHECKING

from github_test_server.apps import App, Apps, Installation, InstallationToken
from github_test_server.oauth import Person, SignIns
from github_test_server.web_tokens import WebToken, WebTokenError

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from github_test_server.repositories import Repository

_FIRST_ID = 1_296_269
_DOWNLOAD_LINK_SECONDS = 300


@dataclass(frozen=True, slots=True)
class Requester:
    """Who asks; `person` is who signed in with an OAuth App. No representation shows the token."""

    client: str
    token: str | None = field(default=None, repr=False)
    login: str | None = None
    app: App | None = None
    installation_token: InstallationToken | None = field(default=None, repr=False)
    person: Person | None = None

    @property
    def account(self) -> str | None:
        """The account whose limit it uses: an installation's tokens share one. None: no token."""
        if self.app is not None:
            return f"app {self.app.id}"
        return _account(self.installation_token) if self.installation_token else self.token


def _account(token: InstallationToken) -> str:
    return f"installation {token.installation.id}"


class BadCredentialsError(Exception):
    """The Authorization header holds no token that the server knows.

    Status and message are GitHub's.
    """

    def __init__(self, message: str = "Bad credentials", status: int = 401) -> None:
        super().__init__(message)
        self.status = status


@dataclass(slots=True, eq=False)
class HostedRepository:
    """A repository under an owner and a name. `tokens` may see it; None: it is public."""

    id: int
    owner: str
    name: str
    repository: Repository = field(repr=False)
    tokens: set[str] | None = field(default=None, repr=False)
    created_at: datetime = field(default_factory=lambda: datetime.now(UTC))

    @property
    def full_name(self) -> str:
        return f"{self.owner}/{self.name}"

    @property
    def private(self) -> bool:
        return self.tokens is not None

    def visible_to(self, caller: Requester) -> bool:
        """Return whether a caller may read it: it is public, or the token or installation may.

        No caller may once its folder is gone, as when the test that made it has ended.
        """
        if not self.repository.path.exists():
            return False
        if self.tokens is None or caller.token in self.tokens:
            return True
        return caller.installation_token is not None and caller.installation_token.covers(
            self.owner, self.id
        )


class Hosting:
    """Repositories by name (regardless of case) and id, the names they had before, and tokens.

    Everything may be changed while the server runs, from any thread.
    """

    def __init__(self, *, clock: Callable[[], float] = time.time) -> None:
        self._clock = clock
        self._lock = threading.RLock()
        self._ids = itertools.count(_FIRST_ID)
        self._by_id: dict[int, HostedRepository] = {}
        self._by_name: dict[str, HostedRepository] = {}
        self._moved: dict[str, HostedRepository] = {}
        self._logins: dict[str, str] = {}
        self._downloads: dict[str, tuple[int, float]] = {}
        self.apps = Apps(clock=clock)
        """GitHub Apps and the tokens of their installations."""
        self.sign_ins = SignIns(clock=clock)
        """OAuth Apps, and people who sign in with them."""

    def add(
        self, full_name: str, repository: Repository, *, private_to: Iterable[str] | None = None
    ) -> HostedRepository:
        """Host a repository as `owner/name`: public, or for the given tokens, which are added."""
        owner, _, name = full_name.partition("/")
        with self._lock:
            if full_name.lower() in self._by_name:
                raise ValueError(f"{full_name} is hosted already")
            hosted = HostedRepository(next(self._ids), owner, name, repository)
            self._by_id[hosted.id] = hosted
            self._by_name[full_name.lower()] = hosted
            if private_to is not None:
                self.make_private(full_name, private_to)
        return hosted

    def remove(self, full_name: str) -> None:
        """Answer 404 for a repository from now on, also by its id and former names."""
        with self._lock:
            gone = self._by_name.pop(full_name.lower())
            del self._by_id[gone.id]
            self._moved = {
                name: hosted for name, hosted in self._moved.items() if hosted is not gone
            }

    def rename(self, old: str, new: str) -> None:
        """Rename or transfer a repository; its old name answers 301 until it is used again."""
        with self._lock:
            if new.lower() in self._by_name and new.lower() != old.lower():
                raise ValueError(f"{new} is hosted already")
            hosted = self._by_name.pop(old.lower())
            hosted.owner, _, hosted.name = new.partition("/")
            self._moved[old.lower()] = hosted
            self._by_name[new.lower()] = hosted

    def make_private(self, full_name: str, tokens: Iterable[str]) -> None:
        """Let only these tokens see the repository."""
        allowed = set(tokens)
        for token in allowed:
            self.add_token(token)
        self[full_name].tokens = allowed

    def make_public(self, full_name: str) -> None:
        self[full_name].tokens = None

    def add_token(self, token: str, *, login: str | None = None) -> None:
        """Add a token of `login`; without one it keeps its login, or gets "octocat"."""
        with self._lock:
            self._logins[token] = login or self._logins.get(token, "octocat")

    def revoke_token(self, token: str) -> None:
        """Answer 401 to the token from now on."""
        self._logins.pop(token, None)

    def add_app(
        self, app_id: int, public_key_pem: bytes | str, *, slug: str = "mirror", owner: str = "octo"
    ) -> App:
        """Register a GitHub App with the public key of its JSON web tokens."""
        return self.apps.add(app_id, public_key_pem, slug=slug, owner=owner)

    def install(
        self, app_id: int, owner: str, repositories: Iterable[str] | None = None
    ) -> Installation:
        """Install an app at an owner: for the named repositories (`owner/name`), or for all.

        What it returns can be suspended, and has the lifetime of its tokens: `suspended`,
        `token_seconds`.
        """
        selected = (
            None if repositories is None else [self[full_name].id for full_name in repositories]
        )
        return self.apps.install(app_id, owner, selected)

    def uninstall(self, installation: Installation) -> None:
        """Remove an installation: its tokens answer 401, and asking for others 404."""
        self.apps.uninstall(installation)

    def expire_tokens(self, installation: Installation) -> None:
        """Let all tokens which the installation has so far answer 401 from now on."""
        self.apps.expire_tokens(installation)

    def account_of(self, token: str) -> str:
        """Return whose allowance a token draws on, as Requester.account does."""
        found = self.apps.known(token)
        return _account(found) if found else token

    def __getitem__(self, full_name: str) -> HostedRepository:
        return self._by_name[full_name.lower()]

    def get(self, full_name: str) -> HostedRepository | None:
        return self._by_name.get(full_name.lower())

    def get_moved(self, full_name: str) -> HostedRepository | None:
        """Return the repository which had this name before."""
        return self._moved.get(full_name.lower())

    def get_by_id(self, identifier: int) -> HostedRepository | None:
        return self._by_id.get(identifier)

    def repositories(self) -> list[HostedRepository]:
        with self._lock:
            return list(self._by_id.values())

    def identify(self, authorization: str | None, client: str) -> Requester:
        """Identify the sender of this Authorization header (`Bearer X` or `token X`).

        BadCredentialsError for others; SuspendedError if it is a suspended installation of an
        app.
        """
        if authorization is None:
            return Requester(client)
        scheme, _, token = authorization.partition(" ")
        if scheme.lower() not in {"bearer", "token"}:
            raise BadCredentialsError
        if WebToken.is_one(token):
            return self._identify_app(token, client)
        if found := self.apps.valid(token):
            return Requester(
                client, token, f"{found.installation.app.slug}[bot]", installation_token=found
            )
        if signed_in := self.sign_ins.of_token(token):
            person, _ = signed_in
            return Requester(client, token, person.login, person=person)
        if token not in self._logins:
            raise BadCredentialsError
        return Requester(client, token, self._logins[token])

    def _identify_app(self, token: str, client: str) -> Requester:
        try:
            app = self.apps.authenticate(token)
        except WebTokenError as error:
            raise BadCredentialsError(str(error), error.status) from None
        return Requester(client, token, app.slug, app=app)

    def make_download_key(self, hosted: HostedRepository) -> str:
        """Make a key which lets a private repository's archive be fetched for five minutes."""
        key = secrets.token_hex(16)
        self._downloads[key] = (hosted.id, self._clock() + _DOWNLOAD_LINK_SECONDS)
        return key

    def opens_download(self, key: str | None, hosted: HostedRepository) -> bool:
        identifier, until = self._downloads.get(key or "", (0, 0.0))
        return identifier == hosted.id and self._clock() < until
