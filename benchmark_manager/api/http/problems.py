"""Errors as RFC 9457 problem documents: one shape for every route, known or not."""

from collections.abc import Mapping
from datetime import UTC, datetime
from http import HTTPStatus
from typing import Any, Final

import structlog
from fastapi import FastAPI, Request, Response
from fastapi.exceptions import RequestValidationError
from pydantic import BaseModel, ConfigDict, Field
from starlette.exceptions import HTTPException
from starlette.routing import Match

from benchmark_manager.errors import (
    BenchmarkManagerError,
    GitHubRateLimitedError,
    InvalidContentError,
    InvalidInputError,
    MergeConflictError,
    NotFoundError,
    StaleError,
    StorageError,
)
from benchmark_manager.models.merge import MergeConflict
from benchmark_manager.models.problem import Problem
from benchmark_manager.models.sync import Sync
from benchmark_manager.stores.database.failures import described, driver_error

_log = structlog.get_logger(__name__)

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

#: Every code that an answer can carry, with its status and an example's detail.
CODES: Final[Mapping[str, tuple[int, str]]] = {
    "malformed_json": (400, "The body is not JSON; check its syntax near character 17."),
    "prefix_not_allowed": (
        400,
        "X-Forwarded-Prefix is no path such as /benchmarks; have the proxy set or remove it, or set ROOT_PATH.",
    ),
    "malformed_webhook": (400, "The webhook cannot be understood: its payload is no JSON object."),
    "bad_signature": (
        401,
        "X-Hub-Signature-256 is not this body's; give the webhook at GitHub the secret that WEBHOOK_SECRET has.",
    ),
    "origin_not_allowed": (
        403,
        "A page of another origin asked for this; PUBLIC_URL says which is the service's own, CORS_ORIGINS which may.",
    ),
    "route_not_found": (404, "There is nothing at this address; /docs lists what there is."),
    "project_not_found": (404, "There is no project '65f0c0ffee65f0c0ffee65f0'."),
    "file_not_found": (404, "There is no file '65f0c0ffee65f0c0ffee65f0'."),
    "sync_not_found": (404, "There is no sync '65f0c0ffee65f0c0ffee65f0'."),
    "revision_not_found": (404, "There is no revision '5'."),
    "reset_not_found": (404, "There is no reset '65f0c0ffee65f0c0ffee65f0'."),
    "release_not_found": (404, "There is no release 'sha256:3f786850e387'."),
    "release_file_not_found": (404, "There is no release file 'config/llama.yaml'."),
    "making_not_found": (404, "There is no making '7'."),
    "modified_file_not_found": (404, "There is no modified file '65f0c0ffee65f0c0ffee65f0'."),
    "method_not_allowed": (405, "This address does not take PATCH; it takes GET, PUT, DELETE."),
    "request_timeout": (408, "The body came too slowly; send it again."),
    "project_name_taken": (
        409,
        "There is a project named 'vLLM nightly' already; choose another name.",
    ),
    "not_synced": (
        409,
        "The project's repository has not been read yet; sync the project, then ask again.",
    ),
    "name_taken": (
        409,
        "The project has a modified file 'config/vllm.yaml' already; choose another modified_name.",
    ),
    "upstream_moved": (
        409,
        "The original 'config/llama.yaml' is not what was decided about any more; look at the merge again.",
    ),
    "upstream_removed": (
        409,
        "The original 'config/llama.yaml' is gone upstream, so there is nothing to merge with.",
    ),
    "merge_conflict": (
        409,
        "Upstream changed the same in 2 places; nothing was changed. Send `resolutions` for the `conflicts`.",
    ),
    "digest_ambiguous": (409, "Several releases begin with 3f786850e387; give more of the digest."),
    "release_file_ambiguous": (
        409,
        "The release has no '\u1e69.yaml' but 's\u0307\u0323.yaml', '\u1e61\u0323.yaml'; ask for one of them.",
    ),
    "stale": (412, "Somebody else changed this in the meantime; it is at revision 4 now."),
    "body_too_large": (413, "The body is too large; a request may have 4 MiB."),
    "unsupported_media_type": (
        415,
        "Send the body as application/json, and say so in Content-Type.",
    ),
    "host_not_allowed": (
        421,
        "The service does not answer to this host name; add the name to ALLOWED_HOSTS, or set PUBLIC_URL.",
    ),
    "invalid_request": (
        422,
        "2 fields are wrong: name: Field required; polling_interval: must be 0, or 10 to 604800.",
    ),
    "invalid_cursor": (422, "cursor is not one which this list gave; start again without it."),
    "invalid_github_url": (422, "Give the repository as https://github.com/OWNER/REPO."),
    "github_url_not_allowed": (422, "This service talks to https://api.github.com only."),
    "invalid_pattern": (422, "include: pattern 1 must not hold control characters."),
    "invalid_folder": (422, "config_folder must not leave the repository with `..`."),
    "invalid_branch": (422, "branch is no name that git accepts for a branch."),
    "invalid_ref": (
        422,
        "ref.name is only the beginning of a commit's id; give all 40 digits, which stay unambiguous.",
    ),
    "contradictory_ref": (422, "branch and ref say different things; give one of them."),
    "ambiguous_address": (
        422,
        "GitHub could not be asked where the branch's name ends in this address; give branch and folders apart.",
    ),
    "invalid_token": (
        422,
        "github_token must be 1 to 255 printable ASCII characters without spaces.",
    ),
    "invalid_name": (422, "modified_name must end in .yaml or .yml, as its original is YAML."),
    "invalid_content": (
        422,
        "The content does not parse; correct the places listed in `problems`.",
    ),
    "too_large": (422, "The content has 2000000 bytes; at most 1048576 are allowed."),
    "too_complex": (
        422,
        "This text takes too much time or memory to process; make it smaller, simpler, or several files.",
    ),
    "other_project": (
        422,
        "This original belongs to another project; choose one of the project of 'config/a.yaml'.",
    ),
    "other_format": (
        422,
        "The original 'config/a.json' is JSON, and 'config/b.yaml' is YAML; choose another one.",
    ),
    "original_removed": (
        422,
        "The original 'config/a.yaml' is gone upstream itself; choose one that is there.",
    ),
    "merge_unresolved": (
        422,
        "1 conflict has no decision yet; give one for every conflict of the merge.",
    ),
    "bad_resolution": (
        422,
        "The decision about 'spec.parallelism' cannot be taken: this is not in conflict.",
    ),
    "merge_impossible": (
        422,
        "These decisions cannot be written into upstream's text with certainty; send the whole content instead.",
    ),
    "nothing_to_release": (
        422,
        "The project has no such files; sync it first, or choose others with `include`.",
    ),
    "path_clash": (
        422,
        "'config/a.yaml' is a file, and 'config/a.yaml/b.yaml' needs a folder of that name.",
    ),
    "digest_too_short": (422, "Give at least 12 hex digits of the release's digest; these are 7."),
    "archive_path_unsafe": (
        422,
        "The release has a file '..\\\\a.yaml', which some who unpack would write elsewhere.",
    ),
    "configmap_too_large": (
        422,
        "The release has 2000000 bytes; a ConfigMap takes at most 1048576.",
    ),
    "configmap_key_invalid": (422, "The path 'config/größe.yaml' can be no key of a ConfigMap."),
    "configmap_key_clash": (
        422,
        "The paths 'a/b.yaml' and 'a__b.yaml' would have the same key 'a__b.yaml'.",
    ),
    "repository_not_found": (422, "GitHub shows no repository acme/benchmarks to this token."),
    "commit_not_found": (
        422,
        "The repository acme/benchmarks has no commit 3f786850e387550fdab836ed7e6dc881de23001b.",
    ),
    "branch_not_found": (422, "The repository acme/benchmarks has no branch 'nightly'."),
    "tag_not_found": (
        422,
        "The repository acme/benchmarks has no tag 'v1.2.0'; everything copied so far is kept.",
    ),
    "repository_empty": (422, "The repository acme/benchmarks has no commit yet."),
    "github_unauthorized": (422, "GitHub does not accept the token; enter a valid one."),
    "github_forbidden": (422, "GitHub denies access to acme/benchmarks."),
    "token_unreadable": (
        422,
        "The stored GitHub token was encrypted with another SECRET_KEY; enter it again.",
    ),
    "tree_too_large": (422, "GitHub cannot list the folder data completely, not even by itself."),
    "too_many_listeners": (
        429,
        "200 clients at this address listen to events already; close some.",
    ),
    "internal_error": (500, "The service made a mistake; its log says more."),
    "database_failed": (500, "The database failed; the service's log says how."),
    "github_unavailable": (502, "GitHub did not answer in time; tried 4 times."),
    "github_rate_limited": (
        503,
        "GitHub's rate limit for this token is used up until 2026-11-23 12:00:00 UTC.",
    ),
    "database_unavailable": (503, "The database does not answer; try again."),
    "database_overloaded": (
        503,
        "The database ran out of time or memory for this; nothing was changed.",
    ),
    "database_denied": (
        503,
        "The database does not allow this; give the user of MONGO_URL the role readWrite.",
    ),
    "changes_pending": (
        503,
        "A large sync of this project is being applied; ask again in a moment.",
    ),
    "change_too_large": (
        507,
        "This is more than the database takes in one change; nothing was changed.",
    ),
    "service_stopping": (
        503,
        "The service stops now and did not finish this; ask again in a moment.",
    ),
    "service_busy": (
        503,
        "Too many large bodies arrive at once, or this one too slowly; send it again.",
    ),
    "disk_full": (503, "The disk is nearly full; nothing was changed."),
}


class BodyTooLargeError(HTTPException):
    """A body over the `limit` of its route, bytes.

    An HTTPException, as FastAPI takes any other error that arises while a body is read for broken
    JSON.
    """

    def __init__(self, limit: int) -> None:
        super().__init__(413, f"The body is too large; a request may have {limit // 1024**2} MiB.")


class RefusedBodyError(HTTPException):
    """A body that is not read to its end, with the `code` of its answer; an HTTPException as `BodyTooLargeError`."""

    def __init__(self, code: str) -> None:
        status, detail = CODES[code]
        retry = _RETRY_AFTER.get(code)
        super().__init__(
            status, detail, headers=None if retry is None else {"Retry-After": str(retry)}
        )
        self.code = code


class FieldError(BaseModel):
    """What is wrong with one field of a request."""

    field: str = Field(examples=["polling_interval"])
    message: str = Field(examples=["must be 0, or 10 to 604800 seconds"])


class ProblemDocument(BaseModel):
    """RFC 9457, with a stable `code` beside it."""

    model_config = ConfigDict(json_schema_extra={"additionalProperties": True})

    type: str = "about:blank"
    title: str = Field(description="The status in words.")
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
        default=None, description="With `invalid_content`: where, and what."
    )
    conflicts: list[MergeConflict] | None = Field(
        default=None, description="With `merge_conflict`: where a person must decide."
    )
    sync: Sync | None = Field(default=None, description="Of a sync that failed: its record.")


def problem(
    code: str,
    detail: str,
    *,
    headers: Mapping[str, str] | None = None,
    status: int | None = None,
    **members: object,
) -> Response:
    """One problem document, with the members given besides."""
    number = CODES[code][0] if status is None else status
    document = ProblemDocument.model_validate(
        {
            "title": HTTPStatus(number).phrase,
            "status": number,
            "detail": detail,
            "code": code,
            **members,
        }
    )
    # Members that say nothing are left out; nulls inside a member are part of its shape.
    kept = {name for name in ProblemDocument.model_fields if getattr(document, name) is not None}
    return Response(
        document.model_dump_json(include=kept),
        status_code=number,
        # Here too, as faults are answered outside of the middleware.
        headers={**(headers or {}), "X-Content-Type-Options": "nosniff"},
        media_type=MEDIA_TYPE,
    )


def sync_problem(sync: Sync) -> Response:
    """What a manual sync that failed answers."""
    assert sync.error is not None  # noqa: S101 -- a failed sync has an error
    headers = {}
    if sync.error.code in _RETRY_AFTER:
        headers["Retry-After"] = str(_RETRY_AFTER[sync.error.code])
    if sync.error.code == "github_rate_limited" and sync.error.retry_at is not None:
        headers["Retry-After"] = str(_seconds_until(sync.error.retry_at))
    return problem(sync.error.code, sync.error.detail, headers=headers, sync=sync)


def _seconds_until(when: datetime) -> int:
    return max(1, round((when - datetime.now(UTC)).total_seconds()))


_EVERYWHERE: Final = (
    "internal_error",
    *(
        "database_failed",
        "database_unavailable",
        "database_overloaded",
        "database_denied",
        "change_too_large",
    ),
    # Of all that reads or writes files of a project.
    "changes_pending",
)


def documented(*codes: str) -> dict[int | str, dict[str, Any]]:
    """The `responses` of a route which can answer these codes; what every route can answer comes with them."""
    by_status: dict[int | str, dict[str, Any]] = {}
    of_bodies = ("request_timeout", "service_busy") if "body_too_large" in codes else ()
    for code in dict.fromkeys((*codes, *of_bodies, *_EVERYWHERE)):
        status, detail = CODES[code]
        entry = by_status.setdefault(
            status,
            {
                "model": ProblemDocument,
                "description": HTTPStatus(status).phrase,
                "content": {MEDIA_TYPE: {"schema": _PROBLEM_REFERENCE, "examples": {}}},
            },
        )
        entry["content"][MEDIA_TYPE]["examples"][code] = {
            "value": {
                "type": "about:blank",
                "title": HTTPStatus(status).phrase,
                "status": status,
                "detail": detail,
                "code": code,
            }
        }
    return by_status


#: The `responses` entry of a route whose answers have an ETag.
NOT_MODIFIED: Final[Mapping[int | str, dict[str, Any]]] = {
    304: {"description": "Not Modified: `If-None-Match` names the ETag of what is there."}
}

_PROBLEM_REFERENCE: Final = {"$ref": "#/components/schemas/ProblemDocument"}


def install_problem_handlers(app: FastAPI) -> None:
    """Turn every error of every route into a problem document."""
    app.exception_handler(BenchmarkManagerError)(_own_error)
    app.exception_handler(RequestValidationError)(_invalid_request)
    app.exception_handler(HTTPException)(_http_error)
    app.exception_handler(StorageError)(_storage_error)
    app.exception_handler(Exception)(_fault)


async def _own_error(_: Request, error: Exception) -> Response:
    assert isinstance(error, BenchmarkManagerError)  # noqa: S101 -- registered for it
    members: dict[str, Any] = {}
    headers = {}
    if isinstance(error, StaleError):
        members["current_revision"] = error.current_revision
    if isinstance(error, MergeConflictError):
        members["conflicts"] = error.conflicts
    if isinstance(error, InvalidContentError):
        members["problems"] = error.problems
    if isinstance(error, InvalidInputError) and error.field is not None:
        members["errors"] = [FieldError(field=error.field, message=error.detail)]
    if error.code in _RETRY_AFTER:
        headers["Retry-After"] = str(_RETRY_AFTER[error.code])
    if isinstance(error, GitHubRateLimitedError) and error.retry_at is not None:
        headers["Retry-After"] = str(_seconds_until(error.retry_at))
    status = 404 if isinstance(error, NotFoundError) else None
    return problem(error.code, error.detail, status=status, headers=headers, **members)


async def _invalid_request(_: Request, error: Exception) -> Response:
    assert isinstance(error, RequestValidationError)  # noqa: S101 -- registered for it
    found = error.errors()
    broken = next((e for e in found if e["type"] == "json_invalid"), None)
    if broken is not None:
        place = broken["loc"][-1]
        return problem(
            "malformed_json", f"The body is not JSON; check its syntax near character {place}."
        )
    # Never the input itself: it may be a token.
    errors = [
        FieldError(field=_field(e["loc"]), message=_message(e)) for e in found[:_ERRORS_LISTED]
    ]
    count = "1 field is" if len(found) == 1 else f"{len(found)} fields are"
    listed = "; ".join(f"{e.field}: {e.message}" for e in errors[:5])
    return problem("invalid_request", f"{count} wrong: {listed}.", errors=errors)


def _field(location: tuple[int | str, ...]) -> str:
    """The field's name; where it was found (body, query) is left out when a name follows."""
    parts = [str(part) for part in location]
    if parts[0] == "query":
        # Which of a repeated parameter's values it was says nothing.
        parts = parts[:2]
    return ".".join(parts[1:] if len(parts) > 1 else parts)[:_LONGEST_FIELD]


#: Fields at fault which are told: a repeated parameter of a query may be wrong thousands of times.
_ERRORS_LISTED: Final = 100

#: Characters of a field's name which are told: an unknown one may be as long as a body.
_LONGEST_FIELD: Final = 200


def _message(error: Mapping[str, Any]) -> str:
    if error["type"] == "extra_forbidden":
        return "there is no such field; check its spelling"
    return str(error["msg"]).removeprefix("Value error, ")


_BY_STATUS: Final = {
    400: "malformed_json",
    404: "route_not_found",
    405: "method_not_allowed",
    413: "body_too_large",
    415: "unsupported_media_type",
}


async def _http_error(request: Request, error: Exception) -> Response:
    assert isinstance(error, HTTPException)  # noqa: S101 -- registered for it
    if isinstance(error, RefusedBodyError):
        return problem(error.code, error.detail, headers=error.headers)
    code = _BY_STATUS.get(error.status_code)
    if code is None:
        return problem(
            "internal_error", str(error.detail), status=error.status_code, headers=error.headers
        )
    detail = error.detail if isinstance(error, BodyTooLargeError) else CODES[code][1]
    if code == "method_not_allowed":
        allowed = ", ".join(_methods_of(request))
        detail = f"This address does not take {request.method}; it takes {allowed}."
        return problem(code, detail, headers={"Allow": allowed})
    if code == "malformed_json":
        detail = "The body could not be read as JSON; send JSON in UTF-8."
    return problem(code, detail, headers=error.headers)


def _methods_of(request: Request) -> list[str]:
    """Every method which some route takes at this address; Starlette names only those of the first route."""
    routes = request.app.router.routes
    taken = [
        method
        for method in _METHODS
        if any(
            route.matches({**request.scope, "method": method})[0] is Match.FULL for route in routes
        )
    ]
    # A mounted folder of files looks at the method itself.
    return (
        ["GET", "HEAD"]
        if len(taken) == len(_METHODS)
        else ["HEAD", *taken]
        if "GET" in taken
        else taken
    )


_METHODS: Final = ("GET", "POST", "PUT", "PATCH", "DELETE")


async def _storage_error(request: Request, error: Exception) -> Response:
    assert isinstance(error, StorageError)  # noqa: S101 -- registered for it
    if driver_error(error) is not error:
        # A wrong call of the database is a fault of ours: the log needs its traceback.
        fault = error if error.code == "database_failed" else None
        _log.error("the database failed", code=error.code, error=described(error), exc_info=fault)
    return await _own_error(request, error)


def service_stopping() -> Response:
    """The answer to a request which the end of the service calls off."""
    return problem(
        "service_stopping",
        CODES["service_stopping"][1],
        headers={"Retry-After": str(_RETRY_AFTER["service_stopping"])},
    )


def database_unavailable() -> Response:
    """The answer while the database does not answer."""
    return problem(
        "database_unavailable",
        "The database does not answer; try again in a few seconds.",
        headers={"Retry-After": str(_RETRY_AFTER["database_unavailable"])},
    )


async def _fault(_: Request, error: Exception) -> Response:
    _log.error("a request failed unexpectedly", exc_info=error)
    return problem("internal_error", "The service made a mistake; its log says more.")
