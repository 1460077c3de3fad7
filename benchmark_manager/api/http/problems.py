"""Problem documents (RFC 9457), the one shape of every error of every route."""

from collections.abc import Mapping
from datetime import UTC, datetime
from http import HTTPStatus
from typing import Any, Final

from fastapi import Response
from pydantic import BaseModel, ConfigDict, Field
from starlette.exceptions import HTTPException
from starlette.types import Receive, Scope, Send

from benchmark_manager.errors import (
    BenchmarkManagerError,
    ForbiddenError,
    GitHubRateLimitedError,
    InvalidContentError,
    InvalidInputError,
    MergeConflictError,
    RequestError,
    StaleError,
    UnauthenticatedError,
)
from benchmark_manager.incoming import keep_error
from benchmark_manager.messages import CATALOGUE, detail
from benchmark_manager.messages.examples import example_detail
from benchmark_manager.messages.fields import wire_name
from benchmark_manager.messages.titles import http_title
from benchmark_manager.models.merge import MergeConflict
from benchmark_manager.models.problem import Problem
from benchmark_manager.models.sync import Sync

MEDIA_TYPE: Final = "application/problem+json"
#: Seconds after which a client may try again.
_RETRY_AFTER: Final = {
    "disk_full": 60,
    "service_stopping": 10,
    "service_busy": 10,
    "too_many_listeners": 10,
    "database_unavailable": 5,
    "database_overloaded": 30,
    "changes_pending": 5,
}
#: Codes whose errors say themselves after how many `seconds` a client may try again.
_WAITING: Final = frozenset({"rate_limited", "sign_in_paused"})
#: How a request proves who makes it (RFC 6750, 3): every 401 has to say so (RFC 9110, 15.5.2).
_CHALLENGE: Final = "Bearer"
#: Codes that every route can answer; the last one of all that read or write files of a project.
_EVERYWHERE: Final = (
    "unauthenticated",
    "signed_token_refused",
    "issuer_failed",
    "forbidden",
    "rate_limited",
    "internal_error",
    "database_failed",
    "database_unavailable",
    "database_overloaded",
    "database_denied",
    "change_too_large",
    "changes_pending",
)


class RefusedBodyError(HTTPException):
    """A body that is not read to its end, or is no JSON, with the `error` of its answer.

    An HTTPException, as FastAPI takes any other error that arises while a body is read for broken
    JSON.
    """

    def __init__(self, error: BenchmarkManagerError) -> None:
        super().__init__(CATALOGUE[error.code].status_of(error.reason))
        self.error = error


def body_too_large(limit: int) -> RequestError:
    """Return the error of a body over the `limit` of its route, bytes."""
    return RequestError("body_too_large", limit=limit // 1024**2)


def upload_too_large(limit: int) -> RequestError:
    """Return the error of a body that cannot be a result of at most `limit` bytes."""
    return RequestError("too_large", "upload", limit=limit)


class FieldError(BaseModel):
    """What is wrong with one field of a request."""

    field: str = Field(examples=["polling_interval"])
    message: str = Field(examples=["must be 0, or 10 to 604800 seconds"])


class ProblemDocument(BaseModel):
    """An error as RFC 9457 says, with a stable `code`."""

    model_config = ConfigDict(json_schema_extra={"additionalProperties": True})

    type: str = "about:blank"
    title: str = Field(description="The status in the words of HTTP.")
    status: int
    detail: str = Field(description="One sentence which says what to do.")
    code: str = Field(description="Stable, snake_case: what programs decide by.")
    errors: list[FieldError] | None = Field(
        default=None, description="For input errors: the fields at fault, at most 100."
    )
    current_revision: int | None = Field(
        default=None, description="With `stale`: what is stored now."
    )
    problems: list[Problem] | None = Field(
        default=None,
        description="With `invalid_content` and `invalid_yaml`: what is wrong, and where.",
    )
    conflicts: list[MergeConflict] | None = Field(
        default=None, description="With `merge_conflict`: where a person must decide."
    )
    role_needed: str | None = Field(
        default=None, description="With `forbidden`: the least role that may do this."
    )
    sync: Sync | None = Field(default=None, description="Of a sync that failed: its record.")


class ProblemResponse(Response):
    """A problem document; it keeps its error in the request's scope, for pages to show."""

    media_type = MEDIA_TYPE

    def __init__(
        self,
        document: ProblemDocument,
        headers: Mapping[str, str],
        error: BenchmarkManagerError | None = None,
    ) -> None:
        # Members that say nothing are left out; nulls inside a member are part of its shape.
        kept = {
            name for name in ProblemDocument.model_fields if getattr(document, name) is not None
        }
        super().__init__(
            document.model_dump_json(include=kept),
            status_code=document.status,
            # Here too, as answers to faults do not pass the middleware.
            headers={**headers, "X-Content-Type-Options": "nosniff"},
        )
        self._error = error

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if self._error is not None:
            keep_error(scope, self._error)
        await super().__call__(scope, receive, send)


def problem(
    error: BenchmarkManagerError,
    *,
    status: int | None = None,
    headers: Mapping[str, str] | None = None,
    **members: object,
) -> Response:
    """Return the problem document of an error, with its headers and members."""
    number = CATALOGUE[error.code].status_of(error.reason) if status is None else status
    sentence = detail(error)
    retry_at = error.retry_at if isinstance(error, GitHubRateLimitedError) else None
    document = _document(error.code, number, sentence, {**_members(error, sentence), **members})
    own = _retry_after(error.code, retry_at)
    if error.code in _WAITING:
        own["Retry-After"] = str(error.facts["seconds"])
    if number == HTTPStatus.UNAUTHORIZED:
        own["WWW-Authenticate"] = _challenge(error)
    return ProblemResponse(document, {**own, **(headers or {})}, error)


def _challenge(error: BenchmarkManagerError) -> str:
    """Return how to prove who makes the request, and whether what it carried is of no use."""
    refused = error.code == "signed_token_refused" or (
        isinstance(error, UnauthenticatedError) and error.reason == "token"
    )
    return f'{_CHALLENGE} error="invalid_token"' if refused else _CHALLENGE


def sync_problem(sync: Sync) -> Response:
    """Return the answer to a manual sync that failed: its record has the code and the sentence."""
    assert sync.error is not None  # noqa: S101 -- a failed sync has an error
    code, retry_at = sync.error.code, sync.error.retry_at
    headers = _retry_after(code, retry_at if code == "github_rate_limited" else None)
    document = _document(code, CATALOGUE[code].status, sync.error.detail, {"sync": sync})
    return ProblemResponse(document, headers)


def _document(
    code: str, status: int, sentence: str, members: Mapping[str, object]
) -> ProblemDocument:
    return ProblemDocument.model_validate(
        {"title": http_title(status), "status": status, "detail": sentence, "code": code, **members}
    )


def _members(error: BenchmarkManagerError, sentence: str) -> dict[str, object]:
    members: dict[str, object] = {}
    if isinstance(error, StaleError):
        members["current_revision"] = error.current_revision
    if isinstance(error, ForbiddenError):
        members["role_needed"] = error.role_needed
    if isinstance(error, MergeConflictError):
        members["conflicts"] = error.conflicts
    if isinstance(error, InvalidContentError):
        members["problems"] = error.problems
    if isinstance(error, InvalidInputError) and error.field is not None:
        members["errors"] = [FieldError(field=wire_name(error.field), message=sentence)]
    return members


def _retry_after(code: str, retry_at: datetime | None) -> dict[str, str]:
    if retry_at is not None:
        return {"Retry-After": str(max(1, round((retry_at - datetime.now(UTC)).total_seconds())))}
    return {"Retry-After": str(_RETRY_AFTER[code])} if code in _RETRY_AFTER else {}


#: What a route that reads a JSON body and writes may answer for it.
OF_BODIES: Final = (
    "malformed_json",
    "body_too_large",
    "unsupported_media_type",
    "invalid_request",
    "disk_full",
)


def documented(*codes: str) -> dict[int | str, dict[str, Any]]:
    """Return the `responses` of a route for these codes and for those of every route.

    A code whose status depends on its reason is given as `CODE/REASON`.
    """
    by_status: dict[int | str, dict[str, Any]] = {}
    of_bodies = ("request_timeout", "service_busy") if "body_too_large" in codes else ()
    # A text that may be too complex is read by a worker process, and none may be free in time.
    of_texts = ("service_busy",) if "too_complex" in codes else ()
    for given in dict.fromkeys((*codes, *of_bodies, *of_texts, *_EVERYWHERE)):
        code, _, reason = given.partition("/")
        status = CATALOGUE[code].status_of(reason)
        entry = by_status.setdefault(
            status,
            {
                "model": ProblemDocument,
                "description": http_title(status),
                "content": {MEDIA_TYPE: {"schema": _PROBLEM_REFERENCE, "examples": {}}},
            },
        )
        example = {
            "type": "about:blank",
            "title": http_title(status),
            "status": status,
            "detail": example_detail(code, reason or None),
            "code": code,
        }
        entry["content"][MEDIA_TYPE]["examples"][code] = {"value": example}
    return by_status


#: The `responses` entry of a route whose answers have an ETag.
NOT_MODIFIED: Final[Mapping[int | str, dict[str, Any]]] = {
    304: {"description": "Not Modified: `If-None-Match` names the ETag of what is there."}
}

_PROBLEM_REFERENCE: Final = {"$ref": "#/components/schemas/ProblemDocument"}
