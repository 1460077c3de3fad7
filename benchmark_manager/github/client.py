"""Asking GitHub: connections, retries, redirects and limits."""

import asyncio
import random as random_module
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from http.cookiejar import CookieJar, DefaultCookiePolicy
from typing import Final, TypeVar

import httpx2 as httpx

from benchmark_manager.domain.git_objects import blob_id
from benchmark_manager.errors import GitHubUnavailableError
from benchmark_manager.github import protocol
from benchmark_manager.github.limits import Credential, CredentialLimits, LimitRegistry
from benchmark_manager.models.project import RepositoryAddress
from benchmark_manager.models.sync import GitHubUsage

#: Tries in all for what may pass by itself.
TRIES: Final = 4
#: Upper bound of the first pause, seconds; it doubles with each try, and the pause is a random part of it.
FIRST_PAUSE: Final = 0.5
#: One request, its body included, seconds. A server which sends a byte now and then must not hold a sync.
REQUEST_SECONDS: Final = 120.0
_TIMEOUT: Final = httpx.Timeout(30.0, connect=10.0)
_CONNECTIONS: Final = httpx.Limits(max_connections=200, max_keepalive_connections=40)
_MAX_REDIRECTS: Final = 5
#: GitHub ends listings at 7 MB; no other JSON that is asked for comes near.
_MAX_JSON: Final = 64 * 1024 * 1024
_SERVER_ERROR: Final = 500

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class _Reply:
    status: int
    headers: Mapping[str, str]
    body: bytes
    redirected: bool


class GitHubClient:
    """One pool of connections for all projects; everything outside is passed in."""

    def __init__(
        self,
        limits: LimitRegistry,
        *,
        transport: httpx.AsyncBaseTransport | None = None,
        sleep: Callable[[float], Awaitable[None]] = asyncio.sleep,
        random: Callable[[], float] = random_module.random,
        clock: Callable[[], datetime] = lambda: datetime.now(UTC),
        request_seconds: float = REQUEST_SECONDS,
    ) -> None:
        self.limits = limits
        self.sleep = sleep
        self.random = random
        self.clock = clock
        self.request_seconds = request_seconds
        # A proxy is honoured; credentials of ~/.netrc are not, as they could go where no token may.
        self.http = httpx.AsyncClient(
            transport=transport,
            timeout=_TIMEOUT,
            limits=_CONNECTIONS,
            follow_redirects=False,
            # One client serves all credentials: a cookie set for one must not be sent for another.
            cookies=CookieJar(policy=DefaultCookiePolicy(allowed_domains=[])),
        )

    async def close(self) -> None:
        await self.http.aclose()

    def repository(self, repository: RepositoryAddress, token: str | None, *, urgent: bool) -> "RepositoryClient":
        """A client for one sync of one repository; `urgent` ones may use the limit's reserve."""
        credential = Credential(repository.api_url, token)
        return RepositoryClient(self, repository, self.limits.of(credential), urgent=urgent)


class RepositoryClient:
    """Everything a sync asks of one repository, and what that cost.

    Every method raises `GitHubActionError`, `GitHubRateLimitedError` or `GitHubUnavailableError`.
    """

    def __init__(
        self, client: GitHubClient, repository: RepositoryAddress, limits: CredentialLimits, *, urgent: bool
    ) -> None:
        self.repository = repository
        self.was_renamed = False
        self._client = client
        self._limits = limits
        self._urgent = urgent
        self._requests = 0
        self._points = 0

    @property
    def usage(self) -> GitHubUsage:
        status = self._limits.status
        return GitHubUsage(
            requests=self._requests,
            points_used=self._points,
            rate_limit_remaining=None if status is None else status.remaining,
        )

    async def head(self, branch: str | None, known: str | None) -> str | None:
        """The head commit of `branch` (None: of the default branch), or None when it still is `known`.

        Documented: the sha media type's ETag is the commit's sha, and a 304 costs nothing.
        """
        path = protocol.repository_path(self.repository, "commits", branch or "HEAD")

        async def ask() -> str | None:
            reply = await self._get(path, protocol.ACCEPT_SHA, if_none_match=known)
            if reply.redirected:
                self.was_renamed = True
            if reply.status == httpx.codes.NOT_MODIFIED and known is not None:
                return None
            if reply.status in {404, 422} and branch is not None:
                await self._tell_missing_branch(branch)
            if reply.status == httpx.codes.UNPROCESSABLE_CONTENT:
                raise protocol.branch_not_found(self.repository, branch)
            sha = protocol.parse_sha(self._accepted(reply).body)
            return None if sha == known else sha

        return await self._retrying(ask)

    async def _tell_missing_branch(self, branch: str) -> None:
        """A missing branch and a missing repository look alike; only the repository can tell."""
        await self.info()
        raise protocol.branch_not_found(self.repository, branch)

    async def info(self) -> protocol.RepositoryInfo:
        """The repository's current name and default branch."""
        path = protocol.repository_path(self.repository)

        async def ask() -> protocol.RepositoryInfo:
            reply = self._accepted(await self._get(path))
            return protocol.parse_json(reply.body, protocol.RepositoryInfo)

        return await self._retrying(ask)

    async def commit(self, sha: str) -> protocol.GitCommit:
        path = protocol.repository_path(self.repository, "git", "commits", sha)

        async def ask() -> protocol.GitCommit:
            commit = protocol.parse_json(self._found(await self._get(path)).body, protocol.GitCommit)
            if commit.sha != sha:
                raise protocol.GarbledAnswerError("the answer tells of another commit")
            return commit

        return await self._retrying(ask)

    async def tree(self, sha: str, *, recursive: bool) -> protocol.Tree:
        """The listing of one tree; a recursive one may be truncated."""
        path = protocol.repository_path(self.repository, "git", "trees", sha) + ("?recursive=1" if recursive else "")

        async def ask() -> protocol.Tree:
            tree = protocol.parse_json(self._found(await self._get(path)).body, protocol.Tree)
            if tree.sha != sha:
                raise protocol.GarbledAnswerError("the answer lists another tree")
            return tree

        return await self._retrying(ask)

    async def blob(self, sha: str, size: int) -> bytes:
        """The bytes whose git object id is `sha`; bytes of any other id are never returned."""
        path = protocol.repository_path(self.repository, "git", "blobs", sha)

        async def ask() -> bytes:
            reply = self._found(await self._get(path, protocol.ACCEPT_RAW, max_bytes=size))
            if blob_id(reply.body) != sha:
                raise protocol.GarbledAnswerError("the bytes are not those of the blob asked for")
            return reply.body

        return await self._retrying(ask)

    def _accepted(self, reply: _Reply) -> _Reply:
        if reply.status != httpx.codes.OK:
            raise protocol.refusal(reply.status, self.repository, with_token=self._limits.credential.token is not None)
        return reply

    def _found(self, reply: _Reply) -> _Reply:
        """An object of a commit which GitHub has just named must be there; replicas may lag behind a push."""
        if reply.status in {404, 409, 422}:
            raise protocol.GarbledAnswerError(f"an object of the commit is not there ({reply.status})")
        return self._accepted(reply)

    async def _retrying(self, ask: Callable[[], Awaitable[T]]) -> T:
        reason = ""
        for attempt in range(TRIES):
            if attempt:
                await self._client.sleep(FIRST_PAUSE * 2 ** (attempt - 1) * self._client.random())
            try:
                return await ask()
            except protocol.GarbledAnswerError as error:
                reason = f"GitHub gave an answer which makes no sense: {error}"
            except (TimeoutError, httpx.TimeoutException):
                reason = "GitHub did not answer in time"
            except httpx.TransportError as error:
                # The exception's text can hold no token: it tells of sockets and protocol only.
                reason = f"GitHub could not be reached ({type(error).__name__}: {error})"
            except httpx.InvalidURL:
                reason = "GitHub redirected the request to what is no address"
            except httpx.DecodingError:
                reason = "GitHub's answer could not be decompressed"
        raise GitHubUnavailableError(f"{reason}; tried {TRIES} times. What was copied before is unchanged.")

    async def _get(
        self,
        path: str,
        accept: str = protocol.ACCEPT_JSON,
        *,
        if_none_match: str | None = None,
        max_bytes: int = _MAX_JSON,
    ) -> _Reply:
        """One request, and those to which it is redirected."""
        url = f"{self.repository.api_url}/{path}"
        headers = protocol.headers(accept, self._limits.credential.token, if_none_match)
        for hop in range(_MAX_REDIRECTS):
            reply = await self._send(url, headers, max_bytes, redirected=hop > 0)
            if reply.status not in {301, 302, 307, 308}:
                return reply
            url = protocol.redirect_target(reply.headers.get("location"), url, self.repository.api_url)
        raise GitHubUnavailableError("GitHub redirected the request in a circle.")

    async def _send(self, url: str, headers: dict[str, str], max_bytes: int, *, redirected: bool) -> _Reply:
        async with self._limits.places:
            self._limits.check(urgent=self._urgent)
            self._requests += 1
            async with (
                asyncio.timeout(self._client.request_seconds),
                self._client.http.stream("GET", url, headers=headers) as response,
            ):
                self._limits.learn(response.headers)
                # Documented as free only for requests with valid credentials.
                if response.status_code != httpx.codes.NOT_MODIFIED or self._limits.credential.token is None:
                    self._points += 1
                body = await _read(response, max_bytes if response.status_code == httpx.codes.OK else _MAX_JSON)
        reply = _Reply(response.status_code, response.headers, body, redirected)
        self._refuse_limits_and_failures(reply)
        return reply

    def _refuse_limits_and_failures(self, reply: _Reply) -> None:
        until = protocol.limited_until(reply.status, reply.headers, reply.body, self._client.clock())
        if until is not None:
            self._limits.block(until)
            raise protocol.rate_limited(until, with_token=self._limits.credential.token is not None)
        if reply.status >= _SERVER_ERROR:
            raise protocol.GarbledAnswerError(f"status {reply.status}")


async def _read(response: httpx.Response, max_bytes: int) -> bytes:
    """The body, decompressed, as long as it keeps within `max_bytes`."""
    body = bytearray()
    async for chunk in response.aiter_bytes():
        body += chunk
        if len(body) > max_bytes:
            raise protocol.GarbledAnswerError(f"the answer is longer than {max_bytes} bytes")
    return bytes(body)
