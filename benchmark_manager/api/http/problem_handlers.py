"""Turns every error of every route, known or not, into a problem document."""

from collections.abc import Mapping
from typing import Any, Final

import structlog
from fastapi import FastAPI, Request, Response
from fastapi.exceptions import RequestValidationError
from fastapi.routing import APIRoute
from starlette.exceptions import HTTPException
from starlette.routing import Match

from benchmark_manager.api.http.problems import FieldError, RefusedBodyError, problem
from benchmark_manager.domain.fields import LONGEST_ID
from benchmark_manager.errors import (
    BenchmarkManagerError,
    FaultError,
    ForbiddenError,
    RequestError,
    StorageError,
)
from benchmark_manager.incoming import kept_principal, need_of
from benchmark_manager.models.recorded_change import RefusedChange
from benchmark_manager.stores.database.failures import described, driver_error

_log = structlog.get_logger(__name__)

#: Fields at fault that an answer lists: a repeated parameter may be wrong thousands of times.
_ERRORS_LISTED: Final = 100
#: Of these, how many the sentence names.
_ERRORS_NAMED: Final = 5
#: Characters that are repeated of a field's name: an unknown one may be as long as a body.
_LONGEST_FIELD: Final = 200
#: Characters of an id on record; no object has a longer one, though a path may.
_LONGEST_OBJECT_ID: Final = 80
_METHODS: Final = ("GET", "POST", "PUT", "PATCH", "DELETE")


def install_problem_handlers(app: FastAPI) -> None:
    """Let the application answer every error with a problem document."""
    app.exception_handler(BenchmarkManagerError)(_own_error)
    app.exception_handler(ForbiddenError)(_forbidden)
    app.exception_handler(RequestValidationError)(_invalid_request)
    app.exception_handler(HTTPException)(_http_error)
    app.exception_handler(StorageError)(_storage_error)
    app.exception_handler(Exception)(_fault)


async def _own_error(_: Request, error: Exception) -> Response:
    assert isinstance(error, BenchmarkManagerError)  # noqa: S101 -- registered for it
    return problem(error)


async def _forbidden(request: Request, error: Exception) -> Response:
    """Record the refusal of a change: it changes nothing, so no transaction does."""
    assert isinstance(error, ForbiddenError)  # noqa: S101 -- registered for it
    refused = _refused_change(request, error.project_id)
    if refused is not None:
        try:
            await request.app.state.services.record_refusal(refused)
        except StorageError as failure:
            return await _storage_error(request, failure)
    return problem(error)


def _refused_change(request: Request, project_id: str | None) -> RefusedChange | None:
    """Return the change that the route would have made; None of a route that only reads.

    `project_id` is what the refusal names, for routes whose path names no project.
    """
    route, principal = request.scope.get("route"), kept_principal(request.scope)
    need = need_of(route) if isinstance(route, APIRoute) else None
    if need is None or need.action is None or principal is None:
        return None
    ids = dict(request.path_params)
    project_id = ids.pop("project_id", project_id)
    return RefusedChange(
        action=need.action,
        principal=principal,
        project_id=_at_most(LONGEST_ID, project_id),
        object_id=_at_most(_LONGEST_OBJECT_ID, next(iter(ids.values()), project_id)),
    )


def _at_most(length: int, value: str | None) -> str | None:
    """Return an id of the path; None of a longer one, which is nothing's."""
    return None if value is None or len(value) > length else value


async def _invalid_request(_: Request, error: Exception) -> Response:
    assert isinstance(error, RequestValidationError)  # noqa: S101 -- registered for it
    found = error.errors()
    broken = next((e for e in found if e["type"] == "json_invalid"), None)
    if broken is not None:
        return problem(RequestError("malformed_json", "syntax", position=broken["loc"][-1]))
    # Python parses more levels than Pydantic checks.
    if any(e["type"] == "recursion_depth_exceeded" for e in found):
        return problem(RequestError("malformed_json", "too_deep"))
    # Never the input itself: it may be a token.
    errors = [
        FieldError(field=_field(e["loc"]), message=_message(e)) for e in found[:_ERRORS_LISTED]
    ]
    listed = "; ".join(f"{e.field}: {e.message}" for e in errors[:_ERRORS_NAMED])
    refusal = RequestError("invalid_request", "fields", count=len(found), listed=listed)
    return problem(refusal, errors=errors)


def _field(location: tuple[int | str, ...]) -> str:
    """Return the field's name, without where it was found (body, query) unless nothing follows."""
    parts = [str(part) for part in location]
    if parts[0] == "query":
        # Which of a repeated parameter's values it was says nothing.
        parts = parts[:2]
    return ".".join(parts[1:] if len(parts) > 1 else parts)[:_LONGEST_FIELD]


def _message(error: Mapping[str, Any]) -> str:
    if error["type"] == "extra_forbidden":
        return "there is no such field; check its spelling"
    return str(error["msg"]).removeprefix("Value error, ")


async def _http_error(request: Request, error: Exception) -> Response:
    assert isinstance(error, HTTPException)  # noqa: S101 -- registered for it
    if isinstance(error, RefusedBodyError):
        return problem(error.error)
    match error.status_code:
        case 400:
            return problem(RequestError("malformed_json", "encoding"), headers=error.headers)
        case 404:
            return problem(RequestError("route_not_found"), headers=error.headers)
        case 405:
            return _method_not_allowed(request)
        case 415:
            return problem(RequestError("unsupported_media_type"), headers=error.headers)
        case status:
            refusal = RequestError("internal_error", "status", status=status)
            return problem(refusal, status=status, headers=error.headers)


def _method_not_allowed(request: Request) -> Response:
    allowed = _methods_of(request)
    error = RequestError("method_not_allowed", method=request.method, allowed=tuple(allowed))
    return problem(error, headers={"Allow": ", ".join(allowed)})


def _methods_of(request: Request) -> list[str]:
    """Return every method that some route accepts here; Starlette names only those of the first."""
    routes = request.app.router.routes
    accepted = [
        method
        for method in _METHODS
        if any(
            route.matches({**request.scope, "method": method})[0] is Match.FULL for route in routes
        )
    ]
    if len(accepted) == len(_METHODS):
        # A mounted folder of files checks the method itself.
        return ["GET", "HEAD"]
    return ["HEAD", *accepted] if "GET" in accepted else accepted


async def _storage_error(_: Request, error: Exception) -> Response:
    assert isinstance(error, StorageError)  # noqa: S101 -- registered for it
    if driver_error(error) is not error:
        # A wrong command is a fault of ours: the log needs its traceback.
        fault = error if error.code == "database_failed" else None
        _log.error("the database failed", code=error.code, error=described(error), exc_info=fault)
    return problem(error)


async def _fault(_: Request, error: Exception) -> Response:
    _log.error("a request failed unexpectedly", exc_info=error)
    return problem(FaultError())
