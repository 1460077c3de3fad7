"""Bodies of requests: how many values one may have.

Parsing JSON blocks the event loop, and validation may report as many problems as there are values.
So the values are counted first, in steps between which other requests are served.
"""

import asyncio
from collections.abc import Callable, Coroutine
from typing import Any, Final

from fastapi import Request, Response
from fastapi.exceptions import RequestValidationError
from fastapi.routing import APIRoute
from starlette.exceptions import HTTPException
from starlette.requests import ClientDisconnect

from benchmark_manager.domain.text.json_size import counted_values

#: A release of 100,000 chosen files counts as 200,000 values, more than any other body.
MAX_VALUES: Final = 250_000
#: Lists and objects, which cost more where they are nested.
MAX_CONTAINERS: Final = 50_000


class BoundedBody(APIRoute):
    """A route whose body, if it takes one, is counted before it is parsed."""

    def get_route_handler(self) -> Callable[[Request], Coroutine[Any, Any, Response]]:
        """Return the handler with the check before it."""
        handler = super().get_route_handler()
        if self.body_field is None:
            return handler

        async def checked(request: Request) -> Response:
            try:
                body = await request.body()
            except ClientDisconnect:
                # The client has left and reads no answer.
                raise HTTPException(400) from None
            await _check_values(body)
            return await handler(request)

        return checked


async def _check_values(body: bytes) -> None:
    """Accept a body with few enough values.

    Raises:
        RequestValidationError
    """
    for count in counted_values(body):
        if count.values > MAX_VALUES or count.containers > MAX_CONTAINERS:
            limits = f"{MAX_VALUES} values, nor {MAX_CONTAINERS} lists and objects"
            message = f"must not have more than {limits}"
            raise RequestValidationError(
                [{"type": "too_many_values", "loc": ("body",), "msg": message}]
            )
        await asyncio.sleep(0)
