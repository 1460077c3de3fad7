"""Error pages, in the layout of all other pages."""

import json
from typing import Final

import structlog
from fastapi import FastAPI, Request, Response
from starlette.datastructures import Headers
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from benchmark_manager.errors import UnauthenticatedError
from benchmark_manager.incoming import kept_error, own_path
from benchmark_manager.messages.titles import page_title
from benchmark_manager.web.site.forms import ForgedFormError, UnreadableFormError
from benchmark_manager.web.site.headers import is_page, is_sign_in
from benchmark_manager.web.site.languages import N_
from benchmark_manager.web.site.reader import reader_of
from benchmark_manager.web.site.rendering import PageTooLongError, editor_size, render
from benchmark_manager.web.site.sign_in_page import PATH as SIGN_IN
from benchmark_manager.web.site.sign_in_page import session_ended_page, to_sign_in
from benchmark_manager.web.site.words import error_words
from benchmark_manager.web.texts.limits import TYPED

_log = structlog.get_logger(__name__)

_PROBLEM: Final = "application/problem+json"
_FORGED: Final = N_(
    "The form's token is missing or old. Open the page again and send the form once more; "
    "your browser must accept cookies."
)
_UNREADABLE: Final = N_("The form could not be read. Open the page again and send it once more.")
_TOO_LONG: Final = N_(
    "This page would be larger than 2 MB, so it is not shown. "
    "Narrow your request or use the API; see /docs."
)
_SIGN_IN: Final = N_("Signing in failed")
_FAULT: Final = N_("See the service's log for details. Try again; saved data is not affected.")


def error_page(
    request: Request, status: int, detail: str, headers: dict[str, str] | None = None
) -> Response:
    """Render an error; `detail` is shown unchanged, in the reader's language."""
    typed = getattr(request.state, "typed", "")
    signs_in = is_sign_in(own_path(request.scope))
    return render(
        request,
        "site/error.html",
        status_code=status,
        headers=headers,
        title=_SIGN_IN if signs_in else page_title(status, reader_of(request).language),
        status=status,
        detail=detail,
        signs_in=signs_in,
        typed=typed,
        is_typed_shown=editor_size(typed) <= TYPED,
    )


def install_error_pages(app: FastAPI) -> None:
    """Handle the pages' own errors; all others reach `ErrorPages` as problem documents."""

    @app.exception_handler(ForgedFormError)
    async def forged(request: Request, _: Exception) -> Response:
        return error_page(request, 403, reader_of(request).words(_FORGED))

    @app.exception_handler(UnreadableFormError)
    async def unreadable(request: Request, _: Exception) -> Response:
        return error_page(request, 400, reader_of(request).words(_UNREADABLE))

    @app.exception_handler(PageTooLongError)
    async def too_long(request: Request, _: Exception) -> Response:
        return error_page(request, 422, reader_of(request).words(_TOO_LONG))


class ErrorPages:
    """Middleware that turns problem documents into pages for clients that read HTML.

    It does so below `/ui`, and where browsers come back from an identity provider.
    """

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if (
            scope["type"] != "http"
            or not _has_pages(own_path(scope))
            or not _reads_html(Headers(scope=scope))
        ):
            await self._app(scope, receive, send)
            return
        request = Request(scope, receive)
        request.state.typed = ""  # creates the state that the form's reader shares
        held = _HeldResponse(send)
        try:
            await self._app(scope, receive, held.send)
        except Exception as error:
            if held.began:
                raise
            _log.exception("a page failed unexpectedly", exc_info=error)
            await error_page(request, 500, reader_of(request).words(_FAULT))(scope, receive, send)
            return
        if held.start is not None:
            await _page_of(request, held)(scope, receive, send)


def _has_pages(path: str) -> bool:
    return is_page(path) or is_sign_in(path)


def _reads_html(headers: Headers) -> bool:
    return "text/html" in headers.get("accept", "")


class _HeldResponse:
    """Passes a response on, but holds back a problem document."""

    def __init__(self, send: Send) -> None:
        self._send = send
        self.began = False
        self.start: Message | None = None
        self.body = b""

    async def send(self, message: Message) -> None:
        if message["type"] == "http.response.start":
            if Headers(raw=message["headers"]).get("content-type") == _PROBLEM:
                self.start = message
                return
            self.began = True
        elif self.start is not None:
            self.body += message.get("body", b"")
            return
        await self._send(message)


def _page_of(request: Request, held: _HeldResponse) -> Response:
    error = kept_error(request.scope)
    # Other reasons are about a token that this client sends with every request.
    has_no_session = isinstance(error, UnauthenticatedError) and error.reason in {"", "session"}
    if not has_no_session or own_path(request.scope) == SIGN_IN:
        return _error_page_of(request, held)
    return to_sign_in(request) if request.method == "GET" else session_ended_page(request)


def _error_page_of(request: Request, held: _HeldResponse) -> Response:
    assert held.start is not None  # noqa: S101 -- the caller checked it
    kept = {
        name: value for name, value in Headers(raw=held.start["headers"]).items() if name in _KEPT
    }
    error = kept_error(request.scope)
    words = (
        json.loads(held.body)["detail"] if error is None else error_words(reader_of(request), error)
    )
    return error_page(request, held.start["status"], words, kept)


#: Headers of a problem document that its page keeps.
_KEPT: Final = frozenset({"retry-after", "allow", "cache-control", "set-cookie"})
