"""The application: each request's way from arrival through limits and handler to a recorded answer."""

from __future__ import annotations

import asyncio
import uuid
from collections.abc import AsyncIterator
from dataclasses import replace
from typing import TYPE_CHECKING

from starlette.applications import Starlette
from starlette.exceptions import HTTPException
from starlette.routing import Route

from github_test_server import handlers
from github_test_server.answers import (
    NOT_MODIFIED,
    RATE_LIMIT_DOCUMENTATION,
    Answer,
    MediaType,
    RefusalError,
    matches,
    weak_etag,
)
from github_test_server.calls import Call, Endpoint
from github_test_server.delivery import Delivery
from github_test_server.hosting import BadCredentialsError, Caller
from github_test_server.recording import RecordedRequest
from github_test_server.shapes import Urls

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable

    from starlette.requests import Request
    from starlette.responses import Response

    from github_test_server.state import State

_OK = 200
_UNKNOWN = Endpoint(handlers.unknown)
_USER_AGENT_REQUIRED = (
    "Request forbidden by administrative rules. Please make sure your request has a User-Agent header "
    "(https://docs.github.com/en/rest/overview/resources-in-the-rest-api#user-agent-required)."
)


def create_app(state: State) -> Starlette:
    """Build the ASGI application over a state, which may change while it is served."""
    pipeline = Pipeline(state)

    async def not_routed(request: Request, _: Exception) -> Response:
        return await pipeline.respond(request, _UNKNOWN)

    # GitHub answers 404 for a method that a path doesn't have, where Starlette would say 405.
    app = Starlette(routes=_routes(state.api_path, pipeline), exception_handlers={HTTPException: not_routed})
    app.router.redirect_slashes = False
    return app


def _routes(api_path: str, pipeline: Pipeline) -> list[Route]:
    bases = [f"{api_path}/repos/{{owner}}/{{repo}}", f"{api_path}/repositories/{{id:int}}"]
    table = {
        **{api_path + path: endpoint for path, endpoint in handlers.PLAIN_ROUTES.items()},
        **{base + path: endpoint for base in bases for path, endpoint in handlers.REPOSITORY_ROUTES.items()},
        **handlers.CODELOAD_ROUTES,
    }
    return [Route(path, pipeline.serving(endpoint)) for path, endpoint in table.items()]


class Pipeline:
    """What happens to every request, whichever route it takes."""

    def __init__(self, state: State) -> None:
        self._state = state

    def serving(self, endpoint: Endpoint) -> Callable[[Request], Awaitable[Response]]:
        async def serve(request: Request) -> Response:
            return await self.respond(request, endpoint)

        return serve

    async def respond(self, request: Request, endpoint: Endpoint) -> Response:
        record = _record(request, await request.body())
        self._state.requests.begin(record)
        try:
            faults = self._state.faults.striking(record)
            await asyncio.sleep(self._state.latency)
            answer = await self._answer(request, endpoint, record)
            for fault in faults:
                answer = fault.change(answer, await _whole(answer))
        except BaseException:
            self._state.requests.finish(record)
            raise
        return Delivery(answer, record, self._state.requests)

    async def _answer(self, request: Request, endpoint: Endpoint, record: RecordedRequest) -> Answer:
        request_id = uuid.uuid4().hex[:20].upper()
        caller, refusal = self._identify(request)
        if not endpoint.api:
            return await self._handle(request, endpoint, caller)
        if refusal is None:
            refusal = self._over_limit(caller, endpoint, record, request_id)
        answer = refusal.answer if refusal else await self._handle(request, endpoint, caller)
        answer = self._conditional(request, caller, answer)
        if answer.status == NOT_MODIFIED and (caller.token or self._state.limits.free_304_without_token):
            self._refund(caller, record)
        return answer.with_headers(self._headers(request, caller, request_id))

    def _identify(self, request: Request) -> tuple[Caller, RefusalError | None]:
        client = request.client.host if request.client else ""
        anonymous = Caller(client)
        if not request.headers.get("user-agent"):
            return anonymous, RefusalError(403, _USER_AGENT_REQUIRED)
        try:
            return self._state.hosting.identify(request.headers.get("authorization"), client), None
        except BadCredentialsError:
            return anonymous, RefusalError(401, "Bad credentials")

    def _over_limit(
        self, caller: Caller, endpoint: Endpoint, record: RecordedRequest, request_id: str
    ) -> RefusalError | None:
        if not endpoint.metered:
            return None
        if refusal := self._over_secondary_limit(caller, request_id):
            return refusal
        if self._state.limits.take(caller):
            record.cost = 1
            return None
        return RefusalError(403, _exceeded(caller, request_id), documentation=RATE_LIMIT_DOCUMENTATION)

    def _over_secondary_limit(self, caller: Caller, request_id: str) -> RefusalError | None:
        secondary = self._state.limits.secondary_for(caller)
        if secondary is None:
            return None
        wait = secondary.retry_after(self._state.limits.clock())
        return RefusalError(
            secondary.status,
            "You have exceeded a secondary rate limit. Please wait a few minutes before you try again. "
            f"If you reach out to GitHub Support for help, please include the request ID {request_id}.",
            documentation=f"{RATE_LIMIT_DOCUMENTATION}#about-secondary-rate-limits",
            headers={} if wait is None else {"Retry-After": str(wait)},
        )

    async def _handle(self, request: Request, endpoint: Endpoint, caller: Caller) -> Answer:
        # What the client takes for the server's address: links keep working through a port forwarded elsewhere.
        web = f"{request.url.scheme}://{request.headers['host']}"
        call = Call(request, self._state, caller, Urls(web, web + self._state.api_path))
        try:
            return await endpoint.handler(call)
        except RefusalError as refusal:
            return refusal.answer

    def _conditional(self, request: Request, caller: Caller, answer: Answer) -> Answer:
        """Add a validator to an answer of 200, and turn it into a 304 if the client has it already."""
        if answer.status != _OK or not isinstance(answer.body, bytes):
            return answer
        accept = MediaType.parse(request.headers.get("accept", "")).header
        etag = answer.headers.get("ETag") or weak_etag(answer.body, caller.token or "", accept)
        if matches(request.headers.get("if-none-match", ""), etag):
            return Answer(NOT_MODIFIED, b"", {"ETag": etag})
        return replace(answer, headers={**answer.headers, "ETag": etag})

    def _refund(self, caller: Caller, record: RecordedRequest) -> None:
        if record.cost:
            self._state.limits.give_back(caller)
            record.cost = 0

    def _headers(self, request: Request, caller: Caller, request_id: str) -> dict[str, str]:
        allowance = self._state.limits.of(caller.token, caller.client)
        scope = "private" if caller.token else "public"
        return {
            "Cache-Control": f"{scope}, max-age=60, s-maxage=60",
            "Vary": "Accept, Authorization, Cookie, X-GitHub-OTP, Accept-Encoding, X-Requested-With",
            "Server": "github-test-server",
            "X-Content-Type-Options": "nosniff",
            "X-GitHub-Media-Type": MediaType.parse(request.headers.get("accept", "")).header,
            "X-GitHub-Request-Id": request_id,
            "X-RateLimit-Limit": str(allowance.limit),
            "X-RateLimit-Remaining": str(allowance.remaining),
            "X-RateLimit-Reset": str(int(allowance.reset_at)),
            "X-RateLimit-Resource": "core",
            "X-RateLimit-Used": str(allowance.used),
        }


def _exceeded(caller: Caller, request_id: str) -> str:
    if caller.token is None:
        return (
            f"API rate limit exceeded for {caller.client}. (But here's the good news: Authenticated requests get a "
            "higher rate limit. Check out the documentation for more details.)"
        )
    return (
        f"API rate limit exceeded for user {caller.login}. "
        f"If you reach out to GitHub Support for help, please include the request ID {request_id}."
    )


def _record(request: Request, body: bytes) -> RecordedRequest:
    return RecordedRequest(
        method=request.method,
        path=request.url.path,
        query=request.url.query,
        headers={name: value for name, value in request.headers.items() if name != "authorization"},
        authorized="authorization" in request.headers,
        body=body,
    )


async def _whole(answer: Answer) -> bytes:
    if isinstance(answer.body, AsyncIterator):
        return b"".join([piece async for piece in answer.body])
    return answer.body
