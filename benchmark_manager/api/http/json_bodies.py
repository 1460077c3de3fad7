"""Bodies of requests: how many values one may have, and what is wrong with one that is no JSON.

Parsing JSON blocks the event loop, and validation may report as many problems as there are values.
So the values are counted first, in steps between which other requests are served.
"""

import asyncio
import json
import sys
from collections.abc import Callable, Coroutine
from typing import Any, ClassVar, Final

from fastapi import Request, Response
from fastapi.exceptions import RequestValidationError
from fastapi.routing import APIRoute
from starlette.exceptions import HTTPException
from starlette.requests import ClientDisconnect

from benchmark_manager.api.http.problems import RefusedBodyError
from benchmark_manager.domain.text.characters import shown
from benchmark_manager.domain.text.json_size import counted_values
from benchmark_manager.domain.text.strict_json import RepeatedNameError, unique_members
from benchmark_manager.errors import InvalidInputError, RequestError

#: A release of 100,000 chosen files counts as 200,000 values, more than any other body.
MAX_VALUES: Final = 250_000
#: Lists and objects, which cost more where they are nested.
MAX_CONTAINERS: Final = 50_000


class JsonRequest(Request):
    """A request that says what is wrong with a body that is no JSON."""

    async def json(self) -> Any:  # noqa: ANN401 -- as of Starlette, whose method it is
        """Return the value of the body.

        Raises:
            json.JSONDecodeError: its syntax is wrong; FastAPI makes an answer of it.
            RefusedBodyError: `malformed_json`, or `invalid_request` for a name that stands twice.
        """
        try:
            return self.parsed(await self.body())
        except json.JSONDecodeError:
            raise
        except RepeatedNameError as error:
            name = shown(error.name)
            refusal = InvalidInputError("invalid_request", "member_twice", field="body", name=name)
            raise RefusedBodyError(refusal) from None
        except UnicodeDecodeError:
            raise RefusedBodyError(RequestError("malformed_json", "encoding")) from None
        except RecursionError:
            raise RefusedBodyError(RequestError("malformed_json", "too_deep")) from None
        except ValueError:
            # Python converts no more digits, as that takes quadratic time.
            limit = sys.get_int_max_str_digits()
            refused = RequestError("malformed_json", "long_number", limit=limit)
            raise RefusedBodyError(refused) from None

    def parsed(self, body: bytes) -> Any:  # noqa: ANN401 -- any value of JSON
        """Parse the body as Python does: of a name that stands twice, the last value counts."""
        return json.loads(body)


class _UniqueNamesRequest(JsonRequest):
    """A request with a body in which no object has a name twice."""

    def parsed(self, body: bytes) -> Any:  # noqa: ANN401 -- any value of JSON
        return json.loads(body, object_pairs_hook=unique_members)


class BoundedBody(APIRoute):
    """A route whose body, if it takes one, is counted before it is parsed."""

    request_class: ClassVar[type[JsonRequest]] = JsonRequest

    def get_route_handler(self) -> Callable[[Request], Coroutine[Any, Any, Response]]:
        """Return the handler with the check before it."""
        handler = super().get_route_handler()
        if self.body_field is None:
            return handler

        async def checked(received: Request) -> Response:
            request = self.request_class(received.scope, received.receive)
            try:
                body = await request.body()
            except ClientDisconnect:
                # The client has left and reads no answer.
                raise HTTPException(400) from None
            await _check_values(body)
            return await handler(request)

        return checked


class UniqueNamesBody(BoundedBody):
    """A route that also refuses a body in which an object has a name twice.

    For objects whose names the clients choose: of those that a schema names, it is of less use.
    """

    request_class = _UniqueNamesRequest


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
