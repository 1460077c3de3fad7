"""A GitHub App: which of its installations may read a repository, and tokens for it.

Source: GitHub's documentation, "Authenticating as a GitHub App installation": a JSON web token
    signed with the App's key buys installation tokens, which end after an hour.
"""

import asyncio
from collections import defaultdict
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Annotated, Final, Literal

import httpx2 as httpx
from gidgethub.apps import get_jwt
from pydantic import AwareDatetime, BaseModel, ConfigDict, StringConstraints

from benchmark_manager.errors import GitHubActionError
from benchmark_manager.github.protocol.answers import AnswerT, parse_json
from benchmark_manager.github.protocol.urls import repository_path
from benchmark_manager.github.sending.credentials import Credential, fingerprint_of
from benchmark_manager.github.sending.requests import Connection, Reply
from benchmark_manager.models.project import RepositoryAddress

#: A token is renewed this long before it ends: longer than any single request lasts.
_RENEWED_BEFORE: Final = timedelta(minutes=5)
#: How long it is remembered that the App is installed for a repository, and that it is not.
_INSTALLED: Final = timedelta(hours=1)
_NOT_INSTALLED: Final = timedelta(minutes=10)


class _Installation(BaseModel):
    model_config = ConfigDict(extra="ignore")

    id: int
    repository_selection: Literal["all", "selected"] = "selected"


class _Token(BaseModel):
    model_config = ConfigDict(extra="ignore")

    token: Annotated[str, StringConstraints(pattern=r"^[\x21-\x7e]{1,2000}$")]
    expires_at: AwareDatetime


@dataclass(frozen=True, slots=True)
class _RememberedInstallation:
    installation: int | None
    until: datetime


class GitHubApp:
    """One App at one API base; its installations are remembered for all projects."""

    def __init__(
        self,
        connection: Connection,
        api_url: str,
        app_id: str,
        private_key: str,
        clock: Callable[[], datetime],
    ) -> None:
        self.api_url = api_url
        self._app_id = app_id
        self._private_key = private_key
        self._clock = clock
        self._connection = connection
        self._itself = Credential(
            api_url, "app", fingerprint_of(api_url, f"app {app_id}"), self._signed
        )
        #: By repository, and by owner where the installation covers all that the owner has.
        self._known: dict[str, _RememberedInstallation] = {}
        self._tokens: dict[int, _Token] = {}
        self._locks: dict[str | int, asyncio.Lock] = defaultdict(asyncio.Lock)

    async def credential(self, repository: RepositoryAddress, *, urgent: bool) -> Credential | None:
        """Return the installation that may read a repository; None: the App is not installed.

        Raises:
            GitHubError: GitHub did not say, or does not accept the App.
        """
        async with self._locks[repository.key]:
            known = self._remembered(repository)
            if known is None:
                known = await self._ask(repository, urgent=urgent)
        if known.installation is None:
            return None
        installation = known.installation

        async def authorize() -> str:
            return await self._token(installation, urgent=urgent)

        def renew() -> bool:
            return self._tokens.pop(installation, None) is not None

        return Credential.of_installation(
            self.api_url, self._app_id, installation, authorize, renew
        )

    def _remembered(self, repository: RepositoryAddress) -> _RememberedInstallation | None:
        for key in (repository.owner.lower(), repository.key):
            known = self._known.get(key)
            if known is not None and known.until > self._clock():
                return known
        return None

    async def _ask(self, repository: RepositoryAddress, *, urgent: bool) -> _RememberedInstallation:
        requests = self._connection.requests(self._itself, urgent=urgent)
        path = repository_path(repository, "installation")

        async def ask() -> _Installation | None:
            reply = await requests.get(path, kind="app")
            return (
                None if reply.status == httpx.codes.NOT_FOUND else _accepted(reply, _Installation)
            )

        found = await requests.retrying(ask)
        now = self._clock()
        known = (
            _RememberedInstallation(None, now + _NOT_INSTALLED)
            if found is None
            else _RememberedInstallation(found.id, now + _INSTALLED)
        )
        everything = found is not None and found.repository_selection == "all"
        self._known[repository.owner.lower() if everything else repository.key] = known
        return known

    async def _token(self, installation: int, *, urgent: bool) -> str:
        async with self._locks[installation]:
            token = self._tokens.get(installation)
            if token is None or token.expires_at <= self._clock() + _RENEWED_BEFORE:
                token = self._tokens[installation] = await self._mint(installation, urgent=urgent)
            return token.token

    async def _mint(self, installation: int, *, urgent: bool) -> _Token:
        requests = self._connection.requests(self._itself, urgent=urgent)

        async def ask() -> _Token:
            return _accepted(
                await requests.post(f"app/installations/{installation}/access_tokens", kind="app"),
                _Token,
            )

        try:
            return await requests.retrying(ask)
        except GitHubActionError:
            # It may have been uninstalled: the next sync asks again.
            self._known = {
                key: known
                for key, known in self._known.items()
                if known.installation != installation
            }
            raise

    async def _signed(self) -> str:
        return await asyncio.to_thread(
            get_jwt, app_id=self._app_id, private_key=self._private_key, expiration=540
        )


def _accepted(reply: Reply, shape: type[AnswerT]) -> AnswerT:
    if reply.status in {200, 201}:
        return parse_json(reply.body, shape)
    if reply.status == httpx.codes.UNAUTHORIZED:
        raise GitHubActionError("github_unauthorized", "app")
    raise GitHubActionError("github_forbidden", "app", status=reply.status)
