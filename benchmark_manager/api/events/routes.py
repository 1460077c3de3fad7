"""GET /events: server-sent events.

https://html.spec.whatwg.org/multipage/server-sent-events.html
"""

import asyncio
import contextlib
import json
from functools import partial
from typing import Annotated, Final

from fastapi import APIRouter, Header, Query, Request, Response
from starlette.types import Message, Receive, Scope, Send

from benchmark_manager.api.http.hosts import caller_of
from benchmark_manager.api.http.middleware import HEAD_ONLY
from benchmark_manager.api.http.problems import documented
from benchmark_manager.api.http.requests import AnyPrincipal, ServicesDependency
from benchmark_manager.incoming import kept_credentials
from benchmark_manager.models.change import Change
from benchmark_manager.services.events.events import Delivery, EventService, Listener

router = APIRouter(tags=["events"])

_MEDIA_TYPE: Final = "text/event-stream"
#: Milliseconds after which a browser connects again.
_RETRY: Final = 2000
#: Seconds after which a client whose connection accepts nothing counts as gone.
_STALLED: Final = 60.0
#: Seconds that a stream may take to end when the service stops.
_ENDING_SECONDS: Final = 0.5
_EXAMPLE: Final = """\
retry: 2000
id: gAAAAABqHn1Zb2x4c3l0…

event: sync
data: {"project_id":"65f0c0ffee65f0c0ffee65f0","id":"65f0c0ffee65f0c0ffee65f1","what":"finished"}

event: files
data: {"project_id":"65f0c0ffee65f0c0ffee65f0","id":null,"what":"changed"}
id: gAAAAABqHn1aY3V2d2Jk…

: keep-alive

"""

#: Projects that one client may name.
_MOST_PROJECTS: Final = 100

ProjectIds = Annotated[
    list[Annotated[str, Query(pattern="^[0-9a-f]{24}$")]],
    Query(
        max_length=_MOST_PROJECTS,
        description="Only of these projects; repeat it for several. Without it: of all.",
    ),
]


@router.get(
    "/events",
    summary="Stream changes as they happen",
    response_class=Response,
    responses={
        200: {
            "description": "An endless stream of server-sent events.",
            "content": {_MEDIA_TYPE: {"schema": {"type": "string"}, "example": _EXAMPLE}},
        },
        **documented("invalid_request", "too_many_listeners", "service_busy", "service_stopping"),
    },
)
async def events(
    request: Request,
    services: ServicesDependency,
    principal: AnyPrincipal,
    project_id: ProjectIds = [],  # noqa: B006 -- FastAPI's way to say that there may be none
    last_event_id: Annotated[
        str | None,
        Header(description="The last `id` received: what changed since comes first, or `reset`."),
    ] = None,
) -> Response:
    """Stream what any replica changes, as server-sent events, within a second.

    They are `project`, `sync`, `files` (a project's originals), `modified_file`, `release` and
    `sweep`, each with `{project_id, id, what}` as its data, and never with contents. `what` is
    `created`, `changed`, `restored` or `deleted`; of a sync `progress` or `finished`. A null `id`
    stands for several at once. `reset` says that events were lost, and that everything shown has to
    be read again. Polls that find nothing new send no event.
    """
    listener = await services.events.listen(
        principal,
        project_id,
        services.events.positions.opened(last_event_id) if last_event_id else None,
        caller_of(request.scope),
        identify=partial(services.identities.identify, kept_credentials(request.scope)),
    )
    return EventStream(services.events, listener)


class EventStream(Response):
    """Sends a listener's changes until the client leaves or stalls, or the service stops."""

    def __init__(self, service: EventService, listener: Listener) -> None:
        super().__init__(
            media_type=_MEDIA_TYPE,
            # nginx would collect events until they fill a buffer.
            headers={"Cache-Control": "no-store", "X-Accel-Buffering": "no"},
        )
        del self.headers["content-length"]
        self._service = service
        self._listener = listener

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        try:
            await send({"type": "http.response.start", "status": 200, "headers": self.raw_headers})
            if HEAD_ONLY in scope:
                await send(_body(b"", more=False))
            else:
                await self._send_until_the_end(receive, send)
        finally:
            self._service.leave(self._listener)

    async def _send_until_the_end(self, receive: Receive, send: Send) -> None:
        sending = asyncio.create_task(self._send_changes(send))
        ends = {
            sending,
            asyncio.create_task(_gone(receive)),
            asyncio.create_task(self._listener.ended.wait()),
        }
        try:
            await asyncio.wait(ends, return_when=asyncio.FIRST_COMPLETED)
            if self._listener.ended.is_set():
                await asyncio.wait({sending}, timeout=_ENDING_SECONDS)
        finally:
            for task in ends:
                task.cancel()
            await asyncio.gather(*ends, return_exceptions=True)
        if not sending.cancelled():
            sending.result()

    async def _send_changes(self, send: Send) -> None:
        with contextlib.suppress(TimeoutError):
            text = f"retry: {_RETRY}\n"
            batch = await self._listener.next(0)
            while batch is not None:
                async with asyncio.timeout(_STALLED):
                    event_id = self._service.positions.sealed(batch.position)
                    await send(_body((text + _text(batch, event_id)).encode()))
                text = ""
                batch = await self._listener.next(self._service.limits.keep_alive)
            await send(_body(b"", more=False))


async def _gone(receive: Receive) -> None:
    """Return when the client has left; a body that it sends is ignored."""
    while (await receive())["type"] != "http.disconnect":
        pass


def _body(data: bytes, *, more: bool = True) -> Message:
    return {"type": "http.response.body", "body": data, "more_body": more}


def _text(batch: Delivery, event_id: str) -> str:
    """Return the events with the id last: a client that received a part asks for all again."""
    blocks = [] if batch.reset is None else [f'event: reset\ndata: {{"reason":"{batch.reset}"}}\n']
    blocks += [_block(change) for change in batch.changes]
    # A block without data is no event, but its id counts.
    last = blocks.pop() if blocks else ": keep-alive\n"
    return "\n".join([*blocks, f"{last}id: {event_id}\n\n"])


def _block(change: Change) -> str:
    data = json.dumps(change.model_dump(exclude={"noun"}), separators=(",", ":"))
    return f"event: {change.noun}\ndata: {data}\n"
