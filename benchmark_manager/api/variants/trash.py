"""The trash: deleted variants, and restoring them."""

from typing import Annotated, Any, Final

from fastapi import APIRouter, Request, Response
from pydantic import TypeAdapter

from benchmark_manager.api.http.json_bodies import BoundedBody
from benchmark_manager.api.http.problems import documented
from benchmark_manager.api.http.requests import (
    PageDependency,
    Reader,
    ServicesDependency,
    changes,
    given_or,
    json_list,
    json_resource,
)
from benchmark_manager.api.variants.revision_shapes import (
    TrashedFileAnswer,
    UndeleteRequest,
    UndoResetAnswer,
    UndoResetRequest,
    trashed_answer,
    undo_reset_answer,
)
from benchmark_manager.api.variants.shapes import ModifiedFileWithContent, modified_with_content
from benchmark_manager.models.access.principal import Principal

router = APIRouter(tags=["trash"], route_class=BoundedBody, strict_content_type=False)

_TRASH: Final[TypeAdapter[Any]] = TypeAdapter(list[TrashedFileAnswer])
_BODY: Final = ("malformed_json", "body_too_large", "unsupported_media_type", "invalid_request")


@router.get(
    "/projects/{project_id}/trash",
    summary="A project's deleted variants, last deleted first",
    response_model=list[TrashedFileAnswer],
    responses=documented("project_not_found", "invalid_cursor", "invalid_request", "disk_full"),
)
async def list_trash(
    request: Request, services: ServicesDependency, _: Reader, project_id: str, page: PageDependency
) -> Response:
    """List variants as they were when they were deleted.

    The setting TRASH_RETENTION_DAYS is how long they are kept. The folder and drift of a restored
    variant follow from its original as it is then.
    """
    found = await services.trash.page(project_id, page)
    rows = [trashed_answer(row, services.trash.retention) for row in found.rows]
    return json_list(request, found, rows, _TRASH)


@router.post(
    "/modified-files/{modified_file_id}/undelete",
    summary="Restore a deleted variant",
    response_model=ModifiedFileWithContent,
    responses=documented(
        "modified_file_not_found",
        "file_not_found",
        "name_taken",
        "invalid_name",
        "disk_full",
        *_BODY,
    ),
)
async def undelete_modified_file(
    request: Request,
    services: ServicesDependency,
    modified_file_id: str,
    principal: Annotated[Principal, changes("variant.undelete", "editor", "object")],
    body: UndeleteRequest | None = None,
) -> Response:
    """Restore it with all its revisions, as a new one.

    Its folder and drift follow from its original as it is now.
    """
    name = given_or(request, body, UndeleteRequest()).modified_name
    file = await services.trash.undelete(principal, modified_file_id, modified_name=name)
    answer = modified_with_content(file, await services.variants.content(file))
    return json_resource(request, answer, revision=file.revision)


@router.post(
    "/projects/{project_id}/undo-reset",
    summary="Restore what a reset deleted",
    responses=documented("project_not_found", "reset_not_found", "name_taken", "disk_full", *_BODY),
)
async def undo_reset(
    services: ServicesDependency,
    project_id: str,
    body: UndoResetRequest,
    principal: Annotated[Principal, changes("variant.undelete", "maintainer")],
) -> UndoResetAnswer:
    """Restore the variants; repeating this is harmless.

    Those whose names are taken meanwhile stay in the trash and are reported. The answer is
    `name_taken` only if a name is taken during the request: then repeat it for the rest.
    """
    return undo_reset_answer(await services.trash.undo_reset(principal, project_id, body.reset_id))
