"""Sending requests: connections, retries, redirects, and the governor's leave for each."""

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

from benchmark_manager.domain.http.content_codings import ACCEPTED, is_readable
from benchmark_manager.domain.text.json_size import counted_values
from benchmark_manager.errors import GitHubError, GitHubUnavailableError
from benchmark_manager.github.protocol import rest as protocol
from benchmark_manager.github.protocol.graphql import GraphQLAnswer, Json, endpoint
from benchmark_manager.github.sending.credentials import Credential
from benchmark_manager.github.sending.governor import Governor, Governors
from benchmark_manager.models.governor import LimitResource
from benchmark_manager.models.sync import GitHubUsage

#: Tries in all for what may pass by itself.
TRIES: Final = 4
#: Upper bound of the first pause, seconds; it doubles with each try, and the pause is a random part
#: of it.
FIRST_PAUSE: Final = 0.5
#: So long the pauses between tries are at most.
_TRIES_LAST: Final = timedelta(seconds=FIRST_PAUSE * (2 ** (TRIES - 1) - 1))
#: One request, its body included, seconds. A server which sends a byte now and then must not hold a
#: sync.
REQUEST_SECONDS: Final = 120.0
#: GitHub gives a query up after 10 s, seconds.
_QUERY_SECONDS: Final = 30.0
#: An API which has no GraphQL is asked again after this time, seconds.
_NO_GRAPHQL_SECONDS: Final = 3600.0
_TIMEOUT: Final = httpx.Timeout(30.0, connect=10.0)
#: Governors bound them; a pool that is used up by one credential must not hold up another.
_CONNECTIONS: Final = httpx.Limits(max_connections=2000, max_keepalive_connections=100)
_MAX_REDIRECTS: Final = 5
#: Bytes of an answer, decompressed, and values in its JSON: 50 contents of 2 MB in all, each byte
#: escaped as six.
MAX_JSON: Final = 16 * 1024 * 1024
MAX_VALUES: Final = 100_000
#: The same of a listing: GitHub ends them at 100,000 entries, each with 19 values in this way of
#: counting.
MAX_LISTING: Final = 64 * 1024 * 1024
MAX_LISTING_VALUES: Final = 2_000_000
#: Of what comes with an error, only the beginning is read.
_MAX_ERROR: Final = 64 * 1024
_SERVER_ERROR: Final = 500

#: What a request is for.
RequestKind = Literal[
    "check", "place", "listing", "contents", "archive", "identity", "history", "app"
]

#: What may pass, although it is no failure of the server's.
_PASSING: Final = frozenset({408, 421, 425})
#: There is no GraphQL at this API.
_NO_SUCH_ROUTE: Final = frozenset({404, 405, 410, *protocol.REDIRECTS})
#: What follows a check that found something, and can wait for other checks.
_BULK: Final[frozenset[RequestKind]] = frozenset({"place", "listing", "contents", "archive"})

T = TypeVar("T")


class PassingFailureError(Exception):
    """A failure which may pass by itself: worth another try, smaller or later. Its text can hold no token."""


class NoGraphQLError(Exception):
    """This API has no GraphQL, or not for this credential."""


class NoArchiveError(Exception):
    """This API has no archive of the commit, or not yet. Its text can hold no token."""


@dataclass(frozen=True, slots=True)
class RequestRecord:
    """One request that was sent. `status` is None where no answer came; `seconds` is its duration."""

    credential: Credential
    kind: RequestKind
    resource: LimitResource
    status: int | None
    points: int
    seconds: float


@dataclass(frozen=True, slots=True)
class Reply:
    """A whole answer; `redirected`: from where a redirect led."""

    status: int
    headers: Mapping[str, str]
    body: bytes
    redirected: bool = False


class Connection:
    """One pool of connections for all projects; everything outside is passed in."""

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
        """`observe` hears of each request that was sent."""
        self.governors = governors
        self.sleep = sleep
        self.random = random
        self.clock = clock
        self.request_seconds = request_seconds
        self.observe = observe
        self._no_graphql: dict[str, float] = {}
        # A proxy is honoured; credentials of ~/.netrc are not, as they could go where no token may.
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
        """As far as is known: it asks for a token, and not every server has it."""
        return (
            not credential.is_anonymous
            and self._no_graphql.get(credential.fingerprint, 0.0) <= time.monotonic()
        )

    def learn_no_graphql(
        self, credential: Credential, seconds: float = _NO_GRAPHQL_SECONDS
    ) -> None:
        """Ask for none with this credential for a while."""
        self._no_graphql[credential.fingerprint] = time.monotonic() + seconds

    def forget(self) -> None:
        """Forget what was learnt of limits, and of credentials without GraphQL."""
        self.governors.forget()
        self._no_graphql.clear()

    def requests(self, credential: Credential, *, urgent: bool) -> "Requests":
        """For one purpose, such as a sync; `urgent` ones may use the limit's reserve."""
        return Requests(self, credential, self.governors.of(credential), urgent=urgent)

    async def pause(self, attempt: int) -> None:
        """Wait before another try, the first being number 1: exponential backoff with full jitter."""
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
        """Who may share an answer: another credential may see other things, and another urgency be refused it."""
        return self.credential.fingerprint, self.urgent

    def avoid_graphql(self) -> None:
        """It does not tell what this purpose needs; REST may."""
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
        raise unavailable(f"{reason}; tried {TRIES} times")

    async def once(self, ask: Callable[[], Awaitable[T]]) -> T:
        """Ask once.

        Raises:
            PassingFailureError: another try may help.
        """
        try:
            return await ask()
        except protocol.GarbledAnswerError as error:
            raise PassingFailureError(
                f"GitHub gave an answer which makes no sense: {error}"
            ) from None
        except (TimeoutError, httpx.TimeoutException):
            raise PassingFailureError("GitHub did not answer in time") from None
        except httpx.TransportError as error:
            # The exception's text can hold no token: it tells of sockets and protocol only.
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
        accept: str = protocol.ACCEPT_JSON,
        *,
        kind: RequestKind,
        if_none_match: str | None = None,
        max_bytes: int = MAX_JSON,
        max_values: int = MAX_VALUES,
        follow: bool = True,
    ) -> Reply:
        """One GET below the API base, and those to which it is redirected, unless not to `follow`.

        An answer with more bytes, or more JSON values, is no answer; a raw one has no values.
        """
        api_url = self.credential.api_url
        url = f"{api_url}/{path}"
        for hop in range(_MAX_REDIRECTS):
            headers = protocol.headers(accept, await self.credential.authorize(), if_none_match)
            reply = await self._send("GET", url, headers, max_bytes, max_values, kind=kind)
            if reply.status == httpx.codes.UNAUTHORIZED and self.credential.renew():
                continue
            if reply.status not in protocol.REDIRECTS or not follow:
                return Reply(reply.status, reply.headers, reply.body, redirected=hop > 0)
            url = protocol.redirect_target(reply.headers.get("location"), url, api_url)
        raise GitHubUnavailableError("GitHub redirected the request in a circle.")

    async def post(self, path: str, *, kind: RequestKind) -> Reply:
        """One POST without a body below the API base; never redirected."""
        headers = protocol.headers(protocol.ACCEPT_JSON, await self.credential.authorize())
        url = f"{self.credential.api_url}/{path}"
        return await self._send("POST", url, headers, MAX_JSON, MAX_VALUES, kind=kind)

    async def query(self, query: Json, *, kind: RequestKind) -> GraphQLAnswer:
        """One GraphQL query, tried once; errors of single aliases are left to the caller.

        Raises:
            PassingFailureError: it failed as a whole: worth another try, or half as much at once.
            NoGraphQLError: and it is not asked for again for a while.
            GitHubRateLimitedError
        """

        async def ask() -> GraphQLAnswer:
            headers = protocol.headers(protocol.ACCEPT_JSON, await self.credential.authorize())
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
                raise protocol.GarbledAnswerError(f"status {reply.status}")
            # REST goes on, and tells what is wrong if anything is.
            self.avoid_graphql()
            if reply.status in _NO_SUCH_ROUTE:
                self.connection.learn_no_graphql(self.credential)
            raise NoGraphQLError
        answer = protocol.parse_json(reply.body, GraphQLAnswer)
        if answer.is_rate_limited:
            known = self._governor.limits.get("graphql")
            reset = protocol.wait_until(
                None if known is None else known.reset_at, self.connection.clock()
            )
            self._governor.exhaust("graphql", reset)
            raise protocol.rate_limited(reset, with_token=True)
        # A secondary limit may come with status 200 here.
        until = protocol.limited_until(403, reply.headers, reply.body, self.connection.clock())
        if answer.data is None and until is not None:
            self._governor.block(until)
            raise protocol.rate_limited(until, with_token=True)
        if answer.data is None:
            raise protocol.GarbledAnswerError(f"GraphQL failed: {answer.complaint}")
        return answer

    @asynccontextmanager
    async def download(self, path: str, *, kind: RequestKind) -> AsyncIterator[httpx.Response]:
        """The body behind an API route which redirects to another host; the token does not go there.

        That host has a limit of its own; while it is used up, who has a token goes on by the API.

        Raises:
            NoArchiveError: there is nothing behind it.
            GitHubError, PassingFailureError
        """
        if self._governor.no_downloads_until > self.connection.clock():
            raise self._download_limited()
        reply = await self.get(path, kind=kind, follow=False)
        if reply.status not in protocol.REDIRECTS:
            raise NoArchiveError(f"GitHub has no archive of the commit (status {reply.status})")
        url = protocol.download_target(reply.headers.get("location"), self.credential.api_url)
        await _check_addresses(url, self.credential.api_url)
        async with self.connection.http.stream(
            "GET", url, headers=protocol.headers("*/*", None)
        ) as response:
            if response.status_code != httpx.codes.OK:
                # Of its body nothing is needed.
                until = protocol.limited_until(
                    response.status_code, response.headers, b"", self.connection.clock()
                )
                if until is not None:
                    self._governor.no_downloads_until = until
                    raise self._download_limited()
                raise protocol.GarbledAnswerError(
                    f"the archive's host answered {response.status_code}"
                )
            yield response

    def _download_limited(self) -> GitHubError:
        until = self._governor.no_downloads_until
        if self.credential.is_anonymous:
            # Contents one by one would use up what is left of 60 requests an hour.
            return protocol.rate_limited(until, with_token=False)
        return unavailable(f"GitHub gives no archives before {until:%H:%M:%S} UTC")

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
        async with self._governor.place(resource, urgent=self.urgent, bulk=kind in _BULK):
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
                        # What refuses a token tells the limit of those who have none.
                        self._governor.learn(resource, response.headers)
                    # Documented as free only for requests with valid credentials.
                    points = int(status != httpx.codes.NOT_MODIFIED or self.credential.is_anonymous)
                    if response.is_success:
                        body = await _read(response, max_bytes)
                        await _check_values(response, body, max_values)
                    else:
                        body = await _beginning(response)
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
        until = protocol.limited_until(status, headers, body, self.connection.clock())
        if until is not None:
            # The hour's limit was learnt from the headers already, for this resource alone.
            if not protocol.is_primary(headers):
                self._governor.block(until)
            raise protocol.rate_limited(until, with_token=not self.credential.is_anonymous)
        if status >= _SERVER_ERROR:
            self._refuse_for_long(status, headers)
            raise protocol.GarbledAnswerError(f"status {status}")

    def _refuse_for_long(self, status: int, headers: Mapping[str, str]) -> None:
        """A failure which asks for more patience than all tries have is not tried again before then."""
        now = self.connection.clock()
        told = protocol.retry_after(headers, now)
        if told is None or told <= now + _TRIES_LAST:
            return
        until = protocol.wait_until(told, now)
        raise GitHubUnavailableError(
            f"GitHub answered {status} and asks for patience until {until:%Y-%m-%d %H:%M:%S} UTC. "
            "What was copied before is unchanged.",
            retry_at=until,
        )


def unavailable(reason: str) -> GitHubUnavailableError:
    return GitHubUnavailableError(f"{reason}. What was copied before is unchanged.")


async def _read(response: httpx.Response, max_bytes: int) -> bytes:
    """The body, decompressed, as long as it keeps within `max_bytes`."""
    _check_coding(response)
    body = bytearray()
    async for piece in response.aiter_bytes():
        body += piece
        if len(body) > max_bytes:
            raise protocol.GarbledAnswerError(f"the answer is longer than {max_bytes} bytes")
        # What one packet unpacks to comes without any wait in between.
        await asyncio.sleep(0)
    return bytes(body)


async def _beginning(response: httpx.Response) -> bytes:
    """The beginning of an error's body; nothing where it is in a coding that was not asked for."""
    body = bytearray()
    if is_readable(response.headers.get_list("content-encoding", split_commas=True)):
        async for piece in response.aiter_bytes():
            body += piece
            if len(body) >= _MAX_ERROR:
                break
    return bytes(body[:_MAX_ERROR])


def _check_coding(response: httpx.Response) -> None:
    if not is_readable(response.headers.get_list("content-encoding", split_commas=True)):
        raise protocol.GarbledAnswerError(
            "the answer is in a content coding which was not asked for"
        )


async def _check_values(response: httpx.Response, body: bytes, max_values: int) -> None:
    """Pass where a body is raw, or has few enough JSON values: parsing holds the event loop."""
    if response.request.headers.get("accept") != protocol.ACCEPT_JSON:
        return
    for count in counted_values(body):
        if count.values > max_values:
            raise protocol.GarbledAnswerError(f"the answer has over {max_values} values")
        await asyncio.sleep(0)


async def _check_addresses(url: str, api_url: str) -> None:
    """Pass where a download's host is no name for this machine's own addresses, or for link-local ones.

    Raises:
        GarbledAnswerError
    """
    host, port = protocol.host_and_port(url)
    try:
        found = await asyncio.get_running_loop().getaddrinfo(host, port, type=socket.SOCK_STREAM)
    except OSError:
        # A proxy may know the name; else connecting fails, and says why.
        return
    for *_, address in found:
        protocol.check_download_address(str(address[0]), api_url)
