"""Keeps the text of a form that is refused because its session has ended."""

from starlette.exceptions import HTTPException
from starlette.requests import ClientDisconnect, Request
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from benchmark_manager.incoming import own_path
from benchmark_manager.web.site.forms import UnreadableFormError, typed_text
from benchmark_manager.web.site.headers import is_page

_UNAUTHENTICATED = 401


class KeptTexts:
    """Middleware that reads the form of a request that nobody has read when it is refused.

    A request without an identity is refused before its form is read. The person may have typed for
    an hour: the page that asks them to sign in shows their text.
    """

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http" or scope["method"] != "POST" or not is_page(own_path(scope)):
            await self._app(scope, receive, send)
            return
        was_read = False

        async def noted() -> Message:
            nonlocal was_read
            was_read = True
            return await receive()

        async def send_after_reading(message: Message) -> None:
            if message.get("status") == _UNAUTHENTICATED and not was_read:
                request = Request(scope, receive)
                request.state.typed = await _typed(request)
            await send(message)

        await self._app(scope, noted, send_after_reading)


async def _typed(request: Request) -> str:
    try:
        return await typed_text(request)
    except (UnreadableFormError, HTTPException, ClientDisconnect):
        return ""
