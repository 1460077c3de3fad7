"""Sends requests: connections, retries, redirects, and the governor's permission for each."""

import asyncio
import random as random_module
import socket
import time
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from http.cookiejar import CookieJar, DefaultCookiePolicy
from typing import Final, Literal, TypeVar

import httpx2 as httpx

from benchmark_manager.domain.http.content_codings import ACCEPTED
from benchmark_manager.errors import GitHubError, GitHubUnavailableError
from benchmark_manager.github.protocol.answers import GarbledAnswerError, parse_json
from benchmark_manager.github.protocol.graphql import GraphQLAnswer, Json, endpoint
from benchmark_manager.github.protocol.headers import ACCEPT_JSON, request_headers
from benchmark_manager.github.protocol.limits import (
    is_primary,
    limited_until,
    retry_after,
    wait_until,
)
from benchmark_manager.github.protocol.refusals import rate_limited
from benchmark_manager.github.protocol.urls import (
    REDIRECTS,
    check_download_address,
    download_target,
    host_and_port,
    redirect_target,
)
from benchmark_manager.github.sending.bodies import check_values, read_beginning, read_body
from benchmark_manager.github.sending.credentials import Credential
from benchmark_manager.github.sending.governor import Governor, Governors
from benchmark_manager.models.governor import LimitResource
from benchmark_manager.models.sync import GitHubUsage

#: Tries in all for failures that may be temporary.
TRIES: Final = 4
#: Upper bound of the first pause, seconds; it doubles with each try, and the pause is a random part
#: of it.
FIRST_PAUSE: Final = 0.5
#: The longest time that all pauses between tries can take.
_TRIES_LAST: Final = timedelta(seconds=FIRST_PAUSE * (2 ** (TRIES - 1) - 1))
#: The time for one request with its body, seconds. A server that sends a byte now and then must not
#: hold up a sync.
REQUEST_SECONDS: Final = 120.0
#: The time for one query, seconds; GitHub gives a query up after 10 s.
_QUERY_SECONDS: Final = 30.0
#: An API without GraphQL is asked again after this time, seconds.
_NO_GRAPHQL_SECONDS: Final = 3600.0
_TIMEOUT: Final = httpx.Timeout(30.0, connect=10.0)
#: Governors limit requests; one credential must not use up the pool of all.
_CONNECTIONS: Final = httpx.Limits(max_connections=2000, max_keepalive_connections=100)
_MAX_REDIRECTS: Final = 5
#: Bytes of an answer, decompressed, and values in its JSON. The largest have 50 contents of 2 MB in
#: all, each byte escaped as six.
MAX_JSON: Final = 16 * 1024 * 1024
MAX_VALUES: Final = 100_000
#: The same of a listing. GitHub cuts listings at 100,000 entries, each of which counts as 19
#: values.
MAX_LISTING: Final = 64 * 1024 * 1024
MAX_LISTING_VALUES: Final = 2_000_000
_SERVER_ERROR: Final = 500

#: What a request is for; metrics are labelled with it. `place` reads a commit and its folders.
RequestKind = Literal[
    "check", "place", "listing", "contents", "archive", "identity", "history", "app"
]

#: Client errors that may be temporary.
_PASSING: Final = frozenset({408, 421, 425})
#: There is no GraphQL at this API.
_NO_SUCH_ROUTE: Final = frozenset({404, 405, 410, *REDIRECTS})
#: Requests that follow a check of a changed ref; other checks come before them.
_BULK: Final[frozenset[RequestKind]] = frozenset({"place", "listing", "contents", "archive"})

T = TypeVar("T")


class PassingFailureError(Exception):
    """A failure that may be temporary: another try, smaller or later, may help.

    Its text can hold no token.
    """


class NoGraphQLError(Exception):
    """This API has no GraphQL, or not for this credential."""


class NoArchiveError(Exception):
    """This API has no archive of the commit, or not yet. Its text can hold no token."""


@dataclass(frozen=True, slots=True)
class RequestRecord:
    """One request that was sent.

    `status` is None where no answer arrived; `seconds` is its duration.
    """

    credential: Credential
    kind: RequestKind
    resource: LimitResource
    status: int | None
    points: int
    seconds: float


@dataclass(frozen=True, slots=True)
class Reply:
    """A whole answer; `redirected`: it came after a redirect."""

    status: int
    headers: Mapping[str, str]
    body: bytes
    redirected: bool = False


class Connection:
    """One pool of connections for all projects; its externals are passed in."""

    def __init__(
        self,
        governors: Governors,
        *,
        transport: httpx.AsyncBaseTransport | None = None,
        sleep: Callable[[float], Awaitable[None]] = asyncio.sleep,
        random: Callable[[], float] = random_module.random,
        clock: Callable[[], datetime] = lambda: datetime.now(UTC),
        request_seconds: float = REQUEST_SECONDS,
        observe: Callable[[RequestRecord], None] = lambda _: None,
    ) -> None:
        """Prepare the connections; `observe` is called with each request that was sent."""
        self.governors = governors
        self.sleep = sleep
        self.random = random
        self.clock = clock
        self.request_seconds = request_seconds
        self.observe = observe
        self._no_graphql: dict[str, float] = {}
        # A proxy is used; credentials of ~/.netrc are not, as they could go to other hosts.
        self.http = httpx.AsyncClient(
            transport=transport,
            timeout=_TIMEOUT,
            limits=_CONNECTIONS,
            follow_redirects=False,
            headers={"Accept-Encoding": ACCEPTED},
            # One client serves all credentials: a cookie set for one must not be sent for another.
            cookies=CookieJar(policy=DefaultCookiePolicy(allowed_domains=[])),
        )

    async def close(self) -> None:
        await self.http.aclose()

    def has_graphql(self, credential: Credential) -> bool:
        """Return whether there may be GraphQL: it needs a token, and not every server has it."""
        return (
            not credential.is_anonymous
            and self._no_graphql.get(credential.fingerprint, 0.0) <= time.monotonic()
        )

    def learn_no_graphql(
        self, credential: Credential, seconds: float = _NO_GRAPHQL_SECONDS
    ) -> None:
        """Send no GraphQL query with this credential for a while."""
        self._no_graphql[credential.fingerprint] = time.monotonic() + seconds

    def forget(self) -> None:
        """Forget what was learnt of limits, and of credentials without GraphQL."""
        self.governors.forget()
        self._no_graphql.clear()

    def requests(self, credential: Credential, *, urgent: bool) -> "Requests":
        """Return requests for one purpose, such as a sync; `urgent` ones may use the reserve."""
        return Requests(self, credential, self.governors.of(credential), urgent=urgent)

    async def pause(self, attempt: int) -> None:
        """Wait before retry number `attempt`, from 1: exponential backoff with full jitter."""
        await self.sleep(FIRST_PAUSE * 2 ** (attempt - 1) * self.random())


class Requests:
    """Requests with one credential for one purpose, and what they cost."""

    def __init__(
        self, connection: Connection, credential: Credential, governor: Governor, *, urgent: bool
    ) -> None:
        self.connection = connection
        self.credential = credential
        self.urgent = urgent
        self._governor = governor
        self._sent = 0
        self._points = 0
        self._resource: LimitResource = "core"
        self._avoids_graphql = False

    @property
    def usage(self) -> GitHubUsage:
        known = self._governor.limits.get(self._resource)
        return GitHubUsage(
            requests=self._sent,
            points_used=self._points,
            rate_limit_remaining=None if known is None else known.remaining,
        )

    @property
    def has_graphql(self) -> bool:
        return not self._avoids_graphql and self.connection.has_graphql(self.credential)

    @property
    def sharing_key(self) -> tuple[str, bool]:
        """The key of requests that may share an answer.

        Another credential may see other things, and a request of another urgency may be refused.
        """
        return self.credential.fingerprint, self.urgent

    def avoid_graphql(self) -> None:
        """Use REST from now on: GraphQL does not answer what this purpose needs."""
        self._avoids_graphql = True

    async def retrying(self, ask: Callable[[], Awaitable[T]]) -> T:
        """Ask up to four times.

        Raises:
            GitHubUnavailableError: each of them failed.
            GitHubError: anything that trying again does not help.
        """
        reason = ""
        for attempt in range(TRIES):
            if attempt:
                await self.connection.pause(attempt)
            try:
                return await self.once(ask)
            except PassingFailureError as error:
                reason = str(error)
        raise GitHubUnavailableError("tried", what=reason, tries=TRIES)

    async def once(self, ask: Callable[[], Awaitable[T]]) -> T:
        """Ask once.

        Raises:
            PassingFailureError: another try may help.
        """
        try:
            return await ask()
        except GarbledAnswerError as error:
            raise PassingFailureError(
                f"GitHub gave an answer which makes no sense: {error}"
            ) from None
        except (TimeoutError, httpx.TimeoutException):
            raise PassingFailureError("GitHub did not answer in time") from None
        except httpx.TransportError as error:
            # The exception's text can hold no token: it is only about sockets and the protocol.
            raise PassingFailureError(
                f"GitHub could not be reached ({type(error).__name__}: {error})"
            ) from None
        except httpx.InvalidURL:
            raise PassingFailureError(
                "GitHub redirected the request to what is no address"
            ) from None
        except httpx.DecodingError:
            raise PassingFailureError("GitHub's answer could not be decompressed") from None

    async def get(
        self,
        path: str,
        accept: str = ACCEPT_JSON,
        *,
        kind: RequestKind,
        if_none_match: str | None = None,
        max_bytes: int = MAX_JSON,
        max_values: int = MAX_VALUES,
        follow: bool = True,
    ) -> Reply:
        """Send a GET request below the API base, and `follow` its redirects.

        An answer with more than `max_bytes`, or more JSON values than `max_values`, is refused; a
        raw one has no values.
        """
        api_url = self.credential.api_url
        url = f"{api_url}/{path}"
        for hop in range(_MAX_REDIRECTS):
            headers = request_headers(accept, await self.credential.authorize(), if_none_match)
            reply = await self._send("GET", url, headers, max_bytes, max_values, kind=kind)
            if reply.status == httpx.codes.UNAUTHORIZED and self.credential.renew():
                continue
            if reply.status not in REDIRECTS or not follow:
                return Reply(reply.status, reply.headers, reply.body, redirected=hop > 0)
            url = redirect_target(reply.headers.get("location"), url, api_url)
        raise GitHubUnavailableError("redirected_in_circle")

    async def post(self, path: str, *, kind: RequestKind) -> Reply:
        """Send a POST request without a body below the API base; redirects are not followed."""
        headers = request_headers(ACCEPT_JSON, await self.credential.authorize())
        url = f"{self.credential.api_url}/{path}"
        return await self._send("POST", url, headers, MAX_JSON, MAX_VALUES, kind=kind)

    async def query(self, query: Json, *, kind: RequestKind) -> GraphQLAnswer:
        """Send one GraphQL query once; errors of single aliases are left to the caller.

        Raises:
            PassingFailureError: it failed as a whole: another try, or half of it, may help.
            NoGraphQLError: no query is sent again for a while.
            GitHubRateLimitedError
        """

        async def ask() -> GraphQLAnswer:
            headers = request_headers(ACCEPT_JSON, await self.credential.authorize())
            url = endpoint(self.credential.api_url)
            async with asyncio.timeout(_QUERY_SECONDS):
                reply = await self._send(
                    "POST", url, headers, MAX_JSON, MAX_VALUES, kind=kind, json=query
                )
            return self._answered(reply)

        return await self.once(ask)

    def _answered(self, reply: Reply) -> GraphQLAnswer:
        if reply.status != httpx.codes.OK:
            if reply.status in _PASSING:
                raise GarbledAnswerError(f"status {reply.status}")
            # REST may work, and says what is wrong if it does not.
            self.avoid_graphql()
            if reply.status in _NO_SUCH_ROUTE:
                self.connection.learn_no_graphql(self.credential)
            raise NoGraphQLError
        answer = parse_json(reply.body, GraphQLAnswer)
        if answer.is_rate_limited:
            known = self._governor.limits.get("graphql")
            reset = wait_until(None if known is None else known.reset_at, self.connection.clock())
            self._governor.exhaust("graphql", reset)
            raise rate_limited(reset, with_token=True)
        # A secondary limit may come with status 200 here.
        until = limited_until(403, reply.headers, reply.body, self.connection.clock())
        if answer.data is None and until is not None:
            self._governor.block(until)
            raise rate_limited(until, with_token=True)
        if answer.data is None:
            raise GarbledAnswerError(f"GraphQL failed: {answer.first_error}")
        return answer

    @asynccontextmanager
    async def download(self, path: str, *, kind: RequestKind) -> AsyncIterator[httpx.Response]:
        """Stream the body of an API route that redirects to another host, which gets no token.

        That host has a limit of its own; while it is used up, requests with a token use the API.

        Raises:
            NoArchiveError: the route has no archive.
            GitHubError, PassingFailureError
        """
        if self._governor.no_downloads_until > self.connection.clock():
            raise self._download_limited()
        reply = await self.get(path, kind=kind, follow=False)
        if reply.status not in REDIRECTS:
            raise NoArchiveError(f"GitHub has no archive of the commit (status {reply.status})")
        url = download_target(reply.headers.get("location"), self.credential.api_url)
        await _check_addresses(url, self.credential.api_url)
        async with self.connection.http.stream(
            "GET", url, headers=request_headers("*/*", None)
        ) as response:
            if response.status_code != httpx.codes.OK:
                # Its body is not needed.
                until = limited_until(
                    response.status_code, response.headers, b"", self.connection.clock()
                )
                if until is not None:
                    self._governor.no_downloads_until = until
                    raise self._download_limited()
                raise GarbledAnswerError(f"the archive's host answered {response.status_code}")
            yield response

    def _download_limited(self) -> GitHubError:
        until = self._governor.no_downloads_until
        if self.credential.is_anonymous:
            # Contents one by one would use up what is left of 60 requests an hour.
            return rate_limited(until, with_token=False)
        return GitHubUnavailableError("no_archives_before", until=until)

    async def _send(
        self,
        method: str,
        url: str,
        headers: dict[str, str],
        max_bytes: int,
        max_values: int,
        *,
        kind: RequestKind,
        json: object | None = None,
    ) -> Reply:
        resource: LimitResource = "core" if json is None else "graphql"
        async with self._governor.slot(resource, urgent=self.urgent, bulk=kind in _BULK):
            self._sent += 1
            begin = time.perf_counter()
            status: int | None = None
            points = 0
            try:
                async with (
                    asyncio.timeout(self.connection.request_seconds),
                    self.connection.http.stream(
                        method, url, headers=headers, json=json
                    ) as response,
                ):
                    status = response.status_code
                    if status != httpx.codes.UNAUTHORIZED:
                        # An answer that refuses a token reports the limit of anonymous requests.
                        self._governor.learn(resource, response.headers)
                    # Documented as free only for requests with valid credentials.
                    points = int(status != httpx.codes.NOT_MODIFIED or self.credential.is_anonymous)
                    if response.is_success:
                        body = await read_body(response, max_bytes)
                        await check_values(response, body, max_values)
                    else:
                        body = await read_beginning(response)
            finally:
                self._points += points
                self._resource = resource
                if kind == "check":
                    self._governor.charge_check(resource, points)
                seconds = time.perf_counter() - begin
                self.connection.observe(
                    RequestRecord(self.credential, kind, resource, status, points, seconds)
                )
        self._refuse_limits_and_failures(response.status_code, response.headers, body)
        return Reply(response.status_code, response.headers, body)

    def _refuse_limits_and_failures(
        self, status: int, headers: Mapping[str, str], body: bytes
    ) -> None:
        until = limited_until(status, headers, body, self.connection.clock())
        if until is not None:
            # The hour's limit was read from the headers already, for this resource alone.
            if not is_primary(headers):
                self._governor.block(until)
            raise rate_limited(until, with_token=not self.credential.is_anonymous)
        if status >= _SERVER_ERROR:
            self._refuse_for_long(status, headers)
            raise GarbledAnswerError(f"status {status}")

    def _refuse_for_long(self, status: int, headers: Mapping[str, str]) -> None:
        """Raise for a failure whose `Retry-After` is later than all tries would end."""
        now = self.connection.clock()
        retry_at = retry_after(headers, now)
        if retry_at is None or retry_at <= now + _TRIES_LAST:
            return
        until = wait_until(retry_at, now)
        raise GitHubUnavailableError("later", retry_at=until, status=status, until=until)


async def _check_addresses(url: str, api_url: str) -> None:
    """Check that a download's host names no address of this machine and no link-local one.

    Raises:
        GarbledAnswerError
    """
    host, port = host_and_port(url)
    try:
        found = await asyncio.get_running_loop().getaddrinfo(host, port, type=socket.SOCK_STREAM)
    except OSError:
        # A proxy may know the name; else connecting fails with the reason.
        return
    for *_, address in found:
        check_download_address(str(address[0]), api_url)
