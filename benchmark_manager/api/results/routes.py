"""Results: uploading, reading, changing and deleting them."""

import asyncio
from collections.abc import Iterator, Sequence
from typing import Annotated, Any, Final

from fastapi import APIRouter, Query, Request, Response
from fastapi.responses import StreamingResponse
from pydantic_core import to_json

from benchmark_manager.api.http.json_bodies import UniqueNamesBody
from benchmark_manager.api.http.problems import NOT_MODIFIED, OF_BODIES, documented
from benchmark_manager.api.http.requests import (
    IfMatchDependency,
    ObjectReader,
    PageDependency,
    Reader,
    ServicesDependency,
    changes,
    json_resource,
    next_page,
    streamed_content,
)
from benchmark_manager.api.results.bodies import read_upload
from benchmark_manager.api.results.pieces import in_json
from benchmark_manager.api.results.shapes import ResultAnswer, ResultUpdate, result_answer
from benchmark_manager.api.results.upload_schema import UPLOAD_REQUEST
from benchmark_manager.domain.fields import LONGEST_ACTOR, LONGEST_ID
from benchmark_manager.domain.results.fields import label_filters
from benchmark_manager.domain.results.paths import UPLOADS
from benchmark_manager.domain.sweeps.limits import LARGEST_INDEX
from benchmark_manager.models.access.principal import Principal
from benchmark_manager.models.result import Result, ResultFilters, ToolName

router = APIRouter(tags=["results"], route_class=UniqueNamesBody, strict_content_type=False)

_BYTES: Final[dict[int | str, dict[str, Any]]] = {
    200: {
        "content": {"application/octet-stream": {"schema": {"type": "string", "format": "binary"}}}
    },
    **NOT_MODIFIED,
}
_SAID: Final = ("invalid_labels", "invalid_note")


@router.post(
    UPLOADS,
    status_code=201,
    summary="Upload a result",
    response_model=ResultAnswer,
    responses={
        200: {
            "model": ResultAnswer,
            "description": "These bytes are a result of this release already; it stays as it is, "
            "but gets the receipt of this upload where it has none. In the trash, it is restored, "
            "with the tool, name, labels and note of this upload.",
        },
        **documented(
            *("malformed_form", "release_not_found", "run_not_found", "receipt_not_found"),
            *("project_not_found", "digest_ambiguous", "too_large/result", "invalid_request"),
            *("digest_too_short", "project_required", "project_mismatch", "receipt_mismatch"),
            *(*_SAID, "invalid_file_name", "request_timeout", "service_busy", "disk_full"),
        ),
    },
    openapi_extra=UPLOAD_REQUEST,
)
async def upload_result(
    request: Request,
    services: ServicesDependency,
    principal: Annotated[Principal, changes("result.create", "editor", "object")],
) -> Response:
    """Keep a file that a benchmark tool wrote, bound to the release that it ran on.

    The body is a form with `file` and the other fields, or the file itself with all other fields in
    the query. The bytes are kept exactly. A format that no parser knows is kept too, without
    metrics. The setting MAX_RESULT_SIZE limits the file. An upload may be repeated: the same bytes
    for the same release are one result.
    """
    upload = await read_upload(request)
    result, new = await services.results.upload(principal, upload)
    return json_resource(
        request,
        await asyncio.to_thread(result_answer, result),
        revision=result.revision,
        status_code=201 if new else 200,
        location=f"/results/{result.id}",
    )


@router.get(
    "/projects/{project_id}/results",
    summary="The results of a project, newest first",
    response_model=list[ResultAnswer],
    responses=documented(
        *("project_not_found", "release_not_found", "sweep_not_found", "cell_not_found"),
        *("digest_ambiguous", "digest_too_short", "invalid_cursor", "invalid_request"),
        "invalid_labels",
    ),
)
async def list_results(
    request: Request,
    services: ServicesDependency,
    principal: Reader,
    project_id: str,
    page: PageDependency,
    release: Annotated[
        str | None,
        Query(max_length=LONGEST_ID, description="A release's digest, or its first digits."),
    ] = None,
    sweep: Annotated[
        str | None, Query(max_length=LONGEST_ID, description="A sweep's id: results of its cells.")
    ] = None,
    cell: Annotated[
        int | None, Query(ge=0, le=LARGEST_INDEX, description="A cell's index; needs `sweep`.")
    ] = None,
    tool: Annotated[ToolName | None, Query(description="The tool that wrote the file.")] = None,
    created_by: Annotated[
        str | None, Query(max_length=LONGEST_ACTOR, description="Who uploaded it.")
    ] = None,
    deleted: Annotated[bool, Query(description="Those in the trash, not the others.")] = False,
) -> Response:
    """List results: all, or those that pass every filter.

    `label.NAME=VALUE` leaves those whose label NAME is VALUE.
    """
    filters = ResultFilters(
        release=release,
        sweep_id=sweep,
        cell_index=cell,
        tool=tool,
        labels=label_filters(request.query_params.multi_items()),
        created_by=created_by,
        deleted=deleted,
    )
    found = await services.results.page(principal, project_id, filters, page)
    headers = {"X-Total-Count": str(found.total), **next_page(request, found.next_cursor)}
    parts = in_json(services.results.in_pieces(found.rows), _answers)
    return StreamingResponse(parts, media_type="application/json", headers=headers)


def _answers(results: Sequence[Result]) -> Iterator[bytes]:
    return (to_json(result_answer(result)) for result in results)


@router.get(
    "/results/{result_id}",
    summary="One result",
    response_model=ResultAnswer,
    responses={**NOT_MODIFIED, **documented("result_not_found")},
)
async def get_result(
    request: Request, services: ServicesDependency, principal: ObjectReader, result_id: str
) -> Response:
    """Return a result with its metrics; one that is in the trash is not found."""
    result = await services.results.get(principal, result_id)
    answer = await asyncio.to_thread(result_answer, result)
    return json_resource(request, answer, revision=result.revision)


@router.get(
    "/results/{result_id}/raw",
    summary="The exact bytes of a result",
    response_class=StreamingResponse,
    responses={**_BYTES, **documented("result_not_found")},
)
async def get_result_bytes(
    request: Request, services: ServicesDependency, principal: ObjectReader, result_id: str
) -> Response:
    """Return the file as it was uploaded, as an attachment."""
    result, parts = await services.results.raw(principal, result_id)
    return streamed_content(request, parts, result.file_name, result.sha256, result.size)


@router.put(
    "/results/{result_id}",
    summary="Change a result's labels, note and tool",
    response_model=ResultAnswer,
    responses=documented("result_not_found", "stale", *OF_BODIES, *_SAID),
)
async def update_result(
    request: Request,
    services: ServicesDependency,
    principal: Annotated[Principal, changes("result.edit", "editor", "object")],
    result_id: str,
    body: ResultUpdate,
    revisions: IfMatchDependency,
) -> Response:
    """Change what is given. The bytes never change; they are read again for another tool.

    A label that stands twice is refused.
    """
    result = await services.results.edit(principal, result_id, body.changes, revisions)
    answer = await asyncio.to_thread(result_answer, result)
    return json_resource(request, answer, revision=result.revision)


@router.delete(
    "/results/{result_id}",
    status_code=204,
    summary="Delete a result",
    responses=documented("result_not_found", "stale", "disk_full"),
)
async def delete_result(
    services: ServicesDependency,
    principal: Annotated[Principal, changes("result.delete", "editor", "object")],
    result_id: str,
    revisions: IfMatchDependency,
) -> None:
    """Move it to the trash. The setting TRASH_RETENTION_DAYS is how long it is kept there."""
    await services.results.delete(principal, result_id, revisions)


@router.post(
    "/results/{result_id}/undelete",
    summary="Restore a deleted result",
    response_model=ResultAnswer,
    responses=documented(
        *("result_not_found", "disk_full", "body_too_large", "unsupported_media_type"),
    ),
)
async def undelete_result(
    request: Request,
    services: ServicesDependency,
    principal: Annotated[Principal, changes("result.undelete", "editor", "object")],
    result_id: str,
) -> Response:
    """Take a result out of the trash, with its id."""
    result = await services.results.undelete(principal, result_id)
    answer = await asyncio.to_thread(result_answer, result)
    return json_resource(request, answer, revision=result.revision)
