"""POST /webhooks/github: GitHub reports pushes.

Source: https://docs.github.com/en/webhooks/webhook-events-and-payloads
"""

import asyncio
import re
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from typing import Any, Final

from fastapi import APIRouter, Request, Response
from starlette.exceptions import HTTPException
from starlette.requests import ClientDisconnect

from benchmark_manager.api.http.problems import documented
from benchmark_manager.api.http.requests import OPEN, ServicesDependency
from benchmark_manager.api.webhooks.shapes import WebhookAnswer
from benchmark_manager.domain.webhooks.signature import PATH, SIGNATURE_HEADER
from benchmark_manager.errors import InvalidInputError, RequestError

router = APIRouter(tags=["webhooks"])


#: A body of up to so many bytes is read at once; a larger one waits for a slot.
_SMALL: Final = 1024 * 1024
_LARGE_AT_ONCE: Final = 4
_FORM: Final = "application/x-www-form-urlencoded"
_EVENT: Final = re.compile(r"[a-z0-9_]{1,100}")
#: GitHub sends UUIDs; any short text without spaces is accepted.
_DELIVERY: Final = re.compile(r"[\x21-\x7e]{1,100}")


class LargeBodies:
    """Reads bodies, a few large ones at once: the signature is known only at their end."""

    def __init__(self, seconds: float) -> None:
        """`seconds`: GitHub waits no longer for the answer to a body."""
        self._seconds = seconds
        self._slots = asyncio.Semaphore(_LARGE_AT_ONCE)

    @asynccontextmanager
    async def reading(self, pieces: AsyncIterator[bytes]) -> AsyncIterator[bytearray]:
        """Return the whole body; a large one keeps its slot until the context ends.

        Raises:
            RequestError: `service_busy`, no slot or not the whole body in time.
        """
        async with AsyncExitStack() as slot:
            try:
                async with asyncio.timeout(self._seconds):
                    body = await self._whole(pieces, slot)
            except TimeoutError:
                raise RequestError(
                    "service_busy", "slow_body", seconds=round(self._seconds)
                ) from None
            yield body

    async def _whole(self, pieces: AsyncIterator[bytes], slot: AsyncExitStack) -> bytearray:
        body = bytearray()
        has_slot = False
        async for piece in pieces:
            if not has_slot and len(body) + len(piece) > _SMALL:
                await slot.enter_async_context(self._slots)
                has_slot = True
            body += piece
        return body


def _header(name: str, description: str, example: str) -> dict[str, Any]:
    return {
        "name": name,
        "in": "header",
        "required": True,
        "description": description,
        "schema": {"type": "string"},
        "example": example,
    }


_EXAMPLE_PUSH: Final = {
    "ref": "refs/heads/main",
    "before": "3f786850e387550fdab836ed7e6dc881de23001b",
    "after": "89e6c98d92887913cadf06b2adb97f26cde4849b",
    "repository": {
        "full_name": "acme/benchmarks",
        "default_branch": "main",
        "commits_url": "https://api.github.com/repos/acme/benchmarks/commits{/sha}",
    },
    "created": False,
    "deleted": False,
    "forced": False,
    "commits": [
        {
            "id": "89e6c98d92887913cadf06b2adb97f26cde4849b",
            "added": ["config/vllm/mistral.yaml"],
            "removed": [],
            "modified": ["README.md"],
        }
    ],
}

#: Not parameters of the handler: FastAPI would check them before the signature, with a 422.
_REQUEST: Final[dict[str, Any]] = {
    "parameters": [
        _header(
            SIGNATURE_HEADER,
            "`sha256=` and the HMAC-SHA-256 of the body's bytes with `WEBHOOK_SECRET`, in "
            "lower-case "
            "hexadecimal digits.",
            "sha256=757107ea0eb2509fc211221cce984b8a37570b6d7586c22c46f4379c8b043e17",
        ),
        _header(
            "X-GitHub-Event",
            "`push`, `create` and `ping` have an effect, every other event is ignored.",
            "push",
        ),
        _header(
            "X-GitHub-Delivery",
            "The delivery's id, remembered for a day: a repeated one does nothing.",
            "72d3162e-cc78-11e3-81ab-4c9367dc0958",
        ),
    ],
    "requestBody": {
        "required": True,
        "description": "At most 25 MiB.",
        "content": {
            "application/json": {"schema": {"type": "object"}, "example": _EXAMPLE_PUSH},
            _FORM: {
                "schema": {
                    "type": "object",
                    "required": ["payload"],
                    "properties": {
                        "payload": {"type": "string", "description": "The same as JSON."}
                    },
                }
            },
        },
    },
}


def _example(event: str, outcome: str, detail: str, *projects: str) -> dict[str, Any]:
    return {"value": {"event": event, "outcome": outcome, "projects": projects, "detail": detail}}


_ANSWERS: Final[dict[int | str, dict[str, Any]]] = {
    200: {
        "model": WebhookAnswer,
        "description": "A ping was answered.",
        "content": {
            "application/json": {
                "examples": {
                    "pong": _example(
                        "ping",
                        "pong",
                        "The service takes webhooks, and the secret is the right one.",
                    )
                }
            }
        },
    },
    202: {
        "description": "The delivery was accepted; `outcome` says what it did.",
        "content": {
            "application/json": {
                "examples": {
                    "queued": _example(
                        "push",
                        "queued",
                        "1 project is synced in a moment.",
                        "65f0c0ffee65f0c0ffee65f0",
                    ),
                    "ignored": _example("push", "ignored", "No project reads this branch or tag."),
                    "repeated": _example(
                        "push", "repeated", "This delivery was taken before; nothing was done."
                    ),
                }
            }
        },
    },
}


@router.post(
    PATH,
    status_code=202,
    summary="Receive a webhook from GitHub",
    dependencies=[OPEN],
    response_model=WebhookAnswer,
    responses={
        **_ANSWERS,
        **documented(
            "malformed_webhook",
            "bad_signature",
            "route_not_found",
            "body_too_large",
            "unsupported_media_type",
            "service_busy",
            "too_complex",
            "disk_full",
        ),
    },
    openapi_extra=_REQUEST,
)
async def github_webhook(request: Request, services: ServicesDependency) -> Response:
    """Receive a webhook of a repository or an organisation.

    Without `WEBHOOK_SECRET` there is nothing at this address. A push to a branch that projects read
    makes these due in a second; further pushes until then join the same sync. A push that certainly
    changes nothing in the folders of a project does not make it due. An error changes nothing.
    """
    if not services.webhooks.enabled:
        raise HTTPException(404)
    bodies: LargeBodies = request.app.state.large_bodies
    try:
        async with bodies.reading(request.stream()) as body:
            # 25 MB take 0.1 s.
            signature = request.headers.get(SIGNATURE_HEADER)
            await asyncio.to_thread(services.webhooks.check_signature, body, signature)
            event = _token(request, "X-GitHub-Event", _EVENT)
            delivery_id = _token(request, "X-GitHub-Delivery", _DELIVERY)
            is_form = _is_form(request.headers.get("content-type", ""))
            reception = await services.webhooks.receive(
                event, delivery_id, bytes(body), is_form=is_form
            )
    except ClientDisconnect:
        raise InvalidInputError("malformed_webhook", "ended_early") from None
    answer = WebhookAnswer(
        event=event,
        outcome=reception.outcome,
        projects=list(reception.project_ids),
        detail=reception.detail,
    )
    status = 200 if reception.outcome == "pong" else 202
    return Response(answer.model_dump_json(), status_code=status, media_type="application/json")


def _token(request: Request, header: str, form: re.Pattern[str]) -> str:
    """Return the header's value.

    Raises:
        InvalidInputError: `malformed_webhook`, it is missing, or GitHub would not send it.
    """
    value = request.headers.get(header, "")
    if not form.fullmatch(value):
        raise InvalidInputError("malformed_webhook", "wrong_header", header=header)
    return value


def _is_form(content_type: str) -> bool:
    """Return whether the body is a form; else it is JSON.

    Raises:
        RequestError: `unsupported_media_type`.
    """
    media_type = content_type.partition(";")[0].strip().lower()
    if media_type not in {"", "application/json", _FORM}:
        raise RequestError("unsupported_media_type", "webhook", form=_FORM)
    return media_type == _FORM
