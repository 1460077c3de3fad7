"""What holds for every answer, whatever route gave it."""

from collections.abc import Collection, Mapping
from typing import Final

from starlette.datastructures import Headers, MutableHeaders
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from benchmark_manager.api.github_webhook import MAX_PAYLOAD
from benchmark_manager.api.problems import CODES, BodyTooLargeError, problem
from benchmark_manager.domain.webhook_signature import PATH as WEBHOOK_PATH
from benchmark_manager.workers.caller import Caller, calling_as

#: Bytes of a request's body.
MAX_BODY: Final = 4 * 1024 * 1024
#: Bytes of the bodies which certain paths take.
_OWN_LIMITS: Final[Mapping[str, int]] = {WEBHOOK_PATH: MAX_PAYLOAD}
#: Paths whose routes judge the media type themselves: a webhook's signature goes before it.
_ANY_MEDIA_TYPE: Final = frozenset({WEBHOOK_PATH})
_SAFE_METHODS: Final = frozenset({"GET", "HEAD", "OPTIONS", "TRACE"})
#: Set in the scope of a HEAD request: for routes whose bodies have no end.
HEAD_ONLY: Final = "benchmark_manager.head_only"
_BODY_METHODS: Final = frozenset({"POST", "PUT", "PATCH"})


class HeadRequests:
    """Answer HEAD as GET without its body (RFC 9110, 9.3.2)."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http" or scope["method"] != "HEAD":
            await self._app(scope, receive, send)
            return

        async def send_head(message: Message) -> None:
            if message["type"] == "http.response.body":
                message = {**message, "body": b""}
            await send(message)

        await self._app({**scope, "method": "GET", HEAD_ONLY: True}, receive, send_head)


class NoSniffing:
    """A browser must not guess what a file's content is."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        async def send_marked(message: Message) -> None:
            if message["type"] == "http.response.start":
                MutableHeaders(scope=message)["X-Content-Type-Options"] = "nosniff"
            await send(message)

        await self._app(scope, receive, send_marked)


class Callers:
    """Account the work of a request to the address which sent it."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        client = scope.get("client")
        with calling_as(Caller(f"address:{client[0]}" if client else "address:unknown")):
            await self._app(scope, receive, send)


class OwnSites:
    """Refuse changes which a page of another site makes a browser ask for.

    A request without a body needs no leave of ours: any page may send it, and the browser says only where from
    (https://www.w3.org/TR/fetch-metadata/). Programs do not say, and are asked nothing.
    """

    def __init__(self, app: ASGIApp, origins: Collection[str]) -> None:
        """`origins`: whose pages may call the API, or `*`."""
        self._app = app
        self._origins = frozenset(origins)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "http" and scope["method"] not in _SAFE_METHODS and self._is_foreign(Headers(scope=scope)):
            await problem("cross_site", CODES["cross_site"][1])(scope, receive, send)
            return
        await self._app(scope, receive, send)

    def _is_foreign(self, headers: Headers) -> bool:
        allowed = "*" in self._origins or headers.get("origin") in self._origins
        return headers.get("sec-fetch-site") == "cross-site" and not allowed


class LimitedBodies:
    """Refuse bodies over `MAX_BODY`, or their path's own limit: at once by the length told, else once they exceed it.

    FastAPI's own `max_body_size` answers the first case in plain text, before any handler of ours.
    """

    def __init__(self, app: ASGIApp, forms: str, max_form: int) -> None:
        """Below the path `forms` a body may have `max_form` bytes."""
        self._app = app
        self._forms = forms
        self._max_form = max_form

    def _limit(self, path: str) -> int:
        return self._max_form if path.startswith(self._forms) else _OWN_LIMITS.get(path, MAX_BODY)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        limit = self._limit(scope["path"])
        told = Headers(scope=scope).get("content-length", "")
        if told.isdecimal() and (len(told) > len(str(limit)) or int(told) > limit):
            await problem("body_too_large", BodyTooLargeError(limit).detail)(scope, receive, send)
            return
        received = 0

        async def receive_limited() -> Message:
            nonlocal received
            message = await receive()
            received += len(message.get("body", b""))
            if received > limit:
                raise BodyTooLargeError(limit)
            return message

        await self._app(scope, receive_limited, send)


class JsonBodies:
    """Refuse bodies which say that they are something else than JSON, before they are misread."""

    def __init__(self, app: ASGIApp, forms: str) -> None:
        """Below the path `forms` a body is a form, and protected by its own token."""
        self._app = app
        self._forms = forms

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if (
            scope["type"] == "http"
            and scope["method"] in _BODY_METHODS
            and scope["path"] not in _ANY_MEDIA_TYPE
            and not scope["path"].startswith(self._forms)
            and not _is_json(Headers(scope=scope))
        ):
            refusal = problem("unsupported_media_type", CODES["unsupported_media_type"][1])
            await refusal(scope, receive, send)
            return
        await self._app(scope, receive, send)


def _is_json(headers: Headers) -> bool:
    if headers.get("content-length") == "0":
        # `curl -d ''` names the type of a form although there is none.
        return True
    media_type = headers.get("content-type", "").partition(";")[0].strip().lower()
    return media_type in {"", "application/json"} or (
        media_type.startswith("application/") and media_type.endswith("+json")
    )
