"""The application: takes each request through limits and its handler to a recorded answer."""

from __future__ import annotations

import asyncio
import base64
import uuid
from collections.abc import AsyncIterator
from dataclasses import replace
from typing import TYPE_CHECKING

from starlette.applications import Starlette
from starlette.exceptions import HTTPException
from starlette.routing import Route

from github_test_server import app_handlers, git_http, graphql_api, handlers, oauth_handlers
from github_test_server.answers import (
    NOT_MODIFIED,
    RATE_LIMIT_DOCUMENTATION,
    MediaType,
    RefusalError,
    ServedAnswer,
    matches,
    weak_etag,
)
from github_test_server.apps import SuspendedError
from github_test_server.calls import Call, Endpoint
from github_test_server.delivery import ServedDelivery
from github_test_server.hosting import BadCredentialsError, Requester
from github_test_server.recording import RecordedRequest
from github_test_server.shapes import Urls
from github_test_server.web_tokens import UNDECODABLE, WebToken

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable

    from starlette.requests import Request
    from starlette.responses import Response

    from github_test_server.limits import Resource, SecondaryLimit
    from github_test_server.state import State

_OK = 200
#: Between two checks of whether answers are still held back, seconds.
_HELD_PAUSE = 0.005
_READING = {"GET", "HEAD", "OPTIONS"}
_UNKNOWN = Endpoint(handlers.unknown)
_GRAPHQL = Endpoint(graphql_api.graphql, method="POST", resource="graphql", requires="token")
_USER_AGENT_REQUIRED = (
    "Request forbidden by administrative rules. "
    "Please make sure your request has a User-Agent header "
    "(https://docs.github.com/en/rest/overview/resources-in-the-rest-api#user-agent-required)."
)
_TOKEN_REQUIRED = "This endpoint requires you to be authenticated."  # noqa: S105 - a sentence
_TOKEN_DOCUMENTATION = (
    "https://docs.github.com/graphql/guides/forming-calls-with-graphql#authentication"  # noqa: S105
)


def create_app(state: State) -> Starlette:
    """Build the ASGI application over a state, which may change while it is served."""
    pipeline = Pipeline(state)

    async def not_routed(request: Request, _: Exception) -> Response:
        return await pipeline.respond(request, _UNKNOWN)

    # GitHub answers 404 for a method that a path doesn't have, where Starlette would say 405.
    app = Starlette(routes=_routes(state, pipeline), exception_handlers={HTTPException: not_routed})
    app.router.redirect_slashes = False
    return app


def _routes(state: State, pipeline: Pipeline) -> list[Route]:
    api_path = state.api_path
    bases = [f"{api_path}/repos/{{owner}}/{{repo}}", f"{api_path}/repositories/{{id:int}}"]
    plain = handlers.PLAIN_ROUTES | app_handlers.PLAIN_ROUTES | oauth_handlers.PLAIN_ROUTES
    table = {
        **{api_path + path: endpoint for path, endpoint in plain.items()},
        **{
            base + path: endpoint
            for base in bases
            for path, endpoint in handlers.REPOSITORY_ROUTES.items()
        },
        state.graphql_path: _GRAPHQL,
        **handlers.CODELOAD_ROUTES,
        **oauth_handlers.WEB_ROUTES,
        **git_http.ROUTES,
    }
    return [
        Route(path, pipeline.serving(endpoint), methods=[endpoint.method])
        for path, endpoint in table.items()
    ]


class Pipeline:
    """What happens to every request, whichever route it takes."""

    def __init__(self, state: State) -> None:
        self._state = state

    def serving(self, endpoint: Endpoint) -> Callable[[Request], Awaitable[Response]]:
        async def serve(request: Request) -> Response:
            return await self.respond(request, endpoint)

        return serve

    async def respond(self, request: Request, endpoint: Endpoint) -> Response:
        if endpoint is _GRAPHQL and not self._state.graphql:
            endpoint = _UNKNOWN
        caller, refusal = self._identify(request, endpoint)
        record = self._record(request, endpoint, caller, await request.body())
        self._state.requests.begin(record)
        try:
            faults = self._state.faults.striking(record)
            await asyncio.sleep(self._state.latency)
            while self._is_held(record):  # noqa: ASYNC110 -- another thread ends it
                await asyncio.sleep(_HELD_PAUSE)
            answer = await self._answer(request, endpoint, record, caller, refusal)
            for fault in faults:
                answer = fault.change(answer, await _whole(answer))
        except BaseException:
            self._state.requests.finish(record)
            raise
        return ServedDelivery(answer, record, self._state.requests)

    def _is_held(self, record: RecordedRequest) -> bool:
        held = self._state.held
        return held is not None and held.search(record.path) is not None

    async def _answer(
        self,
        request: Request,
        endpoint: Endpoint,
        record: RecordedRequest,
        caller: Requester,
        refusal: ServedAnswer | None,
    ) -> ServedAnswer:
        if not endpoint.api:
            return await self._handle(request, endpoint, caller)
        request_id = uuid.uuid4().hex[:20].upper()
        refusal = (
            refusal
            or self._lacking(caller, endpoint)
            or self._over_limit(caller, endpoint, record, request_id)
        )
        answer = refusal or await self._handle(request, endpoint, caller)
        answer = self._conditional(request, caller, answer)
        if answer.status == NOT_MODIFIED and (
            caller.token or self._state.limits.free_304_without_token
        ):
            self._refund(caller, record)
        return answer.with_headers(self._headers(request, caller, endpoint.resource, request_id))

    def _record(
        self, request: Request, endpoint: Endpoint, caller: Requester, body: bytes
    ) -> RecordedRequest:
        return RecordedRequest(
            method=request.method,
            path=request.url.path,
            query=request.url.query,
            headers={
                name: value for name, value in request.headers.items() if name != "authorization"
            },
            authorized="authorization" in request.headers,
            body=body,
            arrived=self._state.clock(),
            resource=endpoint.resource if endpoint.api and endpoint.metered else None,
            account=self._state.limits.account_digest(caller),
        )

    def _identify(
        self, request: Request, endpoint: Endpoint
    ) -> tuple[Requester, ServedAnswer | None]:
        client = request.client.host if request.client else ""
        anonymous = Requester(client)
        if not request.headers.get("user-agent"):
            return anonymous, RefusalError(403, _USER_AGENT_REQUIRED).answer
        authorization = request.headers.get("authorization")
        if endpoint.requires == "app" and not WebToken.is_one(
            (authorization or "").partition(" ")[2]
        ):
            return anonymous, RefusalError(401, UNDECODABLE).answer
        try:
            return self._state.hosting.identify(
                _bearer(authorization) if endpoint.basic else authorization, client
            ), None
        except BadCredentialsError as error:
            return anonymous, RefusalError(error.status, str(error)).answer
        except SuspendedError:
            return anonymous, RefusalError(403, app_handlers.SUSPENDED).answer

    @staticmethod
    def _lacking(caller: Requester, endpoint: Endpoint) -> ServedAnswer | None:
        if endpoint.requires != "app" and caller.app is not None:
            return RefusalError(401, "Bad credentials").answer
        if endpoint.requires == "token" and caller.token is None:
            return RefusalError(401, _TOKEN_REQUIRED, documentation=_TOKEN_DOCUMENTATION).answer
        return None

    def _over_limit(
        self, caller: Requester, endpoint: Endpoint, record: RecordedRequest, request_id: str
    ) -> ServedAnswer | None:
        if not endpoint.metered:
            return None
        limits = self._state.limits
        secondary = (
            limits.secondary_for(caller)
            or limits.too_many_at_once(record.at_once)
            or limits.spend_in_minute(caller, endpoint.resource, _points(record.method, endpoint))
        )
        if secondary is not None:
            return self._secondary(secondary, request_id)
        if limits.take(caller, endpoint.resource):
            record.cost = 1
            return None
        if endpoint.resource == "graphql":
            status, kind = limits.graphql_exhausted_status, limits.graphql_exhausted_type
            return graphql_api.exhausted(caller.login or "", status, kind)
        return RefusalError(
            403, _exceeded(caller, request_id), documentation=RATE_LIMIT_DOCUMENTATION
        ).answer

    def _secondary(self, secondary: SecondaryLimit, request_id: str) -> ServedAnswer:
        wait = secondary.retry_after(self._state.limits.clock())
        refusal = RefusalError(
            secondary.status,
            "You have exceeded a secondary rate limit. "
            "Please wait a few minutes before you try again. "
            "If you reach out to GitHub Support for help, "
            f"please include the request ID {request_id}.",
            documentation=f"{RATE_LIMIT_DOCUMENTATION}#about-secondary-rate-limits",
            headers={} if wait is None else {"Retry-After": str(wait)},
        )
        return refusal.answer

    async def _handle(
        self, request: Request, endpoint: Endpoint, caller: Requester
    ) -> ServedAnswer:
        # What the client takes for the server's address: links keep working through a port
        # forwarded elsewhere.
        web = f"{request.url.scheme}://{request.headers['host']}"
        call = Call(request, self._state, caller, Urls(web, web + self._state.api_path))
        try:
            return await endpoint.handler(call)
        except RefusalError as refusal:
            return refusal.answer

    def _conditional(
        self, request: Request, caller: Requester, answer: ServedAnswer
    ) -> ServedAnswer:
        """Add an ETag to an answer of 200, and make it a 304 if the client has it already."""
        if request.method == "POST" or answer.status != _OK or not isinstance(answer.body, bytes):
            return answer
        accept = MediaType.parse(request.headers.get("accept", "")).header
        etag = answer.headers.get("ETag") or weak_etag(answer.body, caller.token or "", accept)
        if matches(request.headers.get("if-none-match", ""), etag):
            return ServedAnswer(NOT_MODIFIED, b"", {"ETag": etag})
        return replace(answer, headers={**answer.headers, "ETag": etag})

    def _refund(self, caller: Requester, record: RecordedRequest) -> None:
        if record.cost:
            self._state.limits.give_back(caller, record.resource or "core")
            record.cost = 0

    def _headers(
        self, request: Request, caller: Requester, resource: Resource, request_id: str
    ) -> dict[str, str]:
        allowance = self._state.limits.of_caller(caller, resource)
        scope = "private" if caller.token else "public"
        return {
            "Cache-Control": f"{scope}, max-age=60, s-maxage=60",
            "Vary": "Accept, Authorization, Cookie, X-GitHub-OTP, "
            "Accept-Encoding, X-Requested-With",
            "Server": "github-test-server",
            "X-Content-Type-Options": "nosniff",
            "X-GitHub-Media-Type": MediaType.parse(request.headers.get("accept", "")).header,
            "X-GitHub-Request-Id": request_id,
            "X-RateLimit-Limit": str(allowance.limit),
            "X-RateLimit-Remaining": str(allowance.remaining),
            "X-RateLimit-Reset": str(int(allowance.reset_at)),
            "X-RateLimit-Resource": resource,
            "X-RateLimit-Used": str(allowance.used),
        }


def _exceeded(caller: Requester, request_id: str) -> str:
    if caller.token is None:
        return (
            f"API rate limit exceeded for {caller.client}. "
            "(But here's the good news: Authenticated requests get a "
            "higher rate limit. Check out the documentation for more details.)"
        )
    return (
        f"API rate limit exceeded for user {caller.login}. "
        f"If you reach out to GitHub Support for help, please include the request ID {request_id}."
    )


def _points(method: str, endpoint: Endpoint) -> int:
    """Return what a request counts for the secondary limit.

    https://docs.github.com/en/rest/using-the-rest-api/rate-limits-for-the-rest-api#calculating-points-for-the-secondary-rate-limit
    """
    return 1 if endpoint.resource == "graphql" or method in _READING else 5


def _bearer(authorization: str | None) -> str | None:
    """Turn Basic authentication into that with the token alone: any name will do with it.

    https://docs.github.com/en/authentication/keeping-your-account-and-data-secure/managing-your-personal-access-tokens#using-a-personal-access-token-on-the-command-line
    """
    scheme, _, encoded = (authorization or "").partition(" ")
    if scheme.lower() != "basic":
        return authorization
    try:
        return f"Bearer {base64.b64decode(encoded).decode().partition(':')[2]}"
    except ValueError:
        return authorization


async def _whole(answer: ServedAnswer) -> bytes:
    if isinstance(answer.body, AsyncIterator):
        return b"".join([piece async for piece in answer.body])
    return answer.body
