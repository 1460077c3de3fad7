"""Revisions of variants: reading and restoring them."""

from typing import Annotated, Any, Final

from fastapi import APIRouter, Request, Response
from pydantic import TypeAdapter

from benchmark_manager.api.http.json_bodies import BoundedBody
from benchmark_manager.api.http.problems import NOT_MODIFIED, documented
from benchmark_manager.api.http.requests import (
    IfMatchDependency,
    ObjectReader,
    PageDependency,
    ServicesDependency,
    changes,
    json_list,
    json_resource,
)
from benchmark_manager.api.variants.revision_shapes import (
    RestoreRequest,
    RevisionAnswer,
    RevisionWithContent,
    revision_answer,
    revision_with_content,
)
from benchmark_manager.api.variants.shapes import ModifiedFileWithContent, modified_with_content
from benchmark_manager.models.access.principal import Principal

router = APIRouter(
    prefix="/modified-files/{modified_file_id}",
    tags=["revisions"],
    route_class=BoundedBody,
    strict_content_type=False,
)

_REVISIONS: Final[TypeAdapter[Any]] = TypeAdapter(list[RevisionAnswer])


@router.get(
    "/revisions",
    summary="A variant's revisions, newest first",
    response_model=list[RevisionAnswer],
    responses=documented("modified_file_not_found", "invalid_cursor", "invalid_request"),
)
async def list_revisions(
    request: Request,
    services: ServicesDependency,
    principal: ObjectReader,
    modified_file_id: str,
    page: PageDependency,
) -> Response:
    """List its revisions: every change made one.

    A variant from before revisions existed begins with its state at its next change.
    """
    found = await services.revisions.page(principal, modified_file_id, page)
    return json_list(
        request, found, [revision_answer(revision) for revision in found.rows], _REVISIONS
    )


@router.get(
    "/revisions/{number}",
    summary="One revision, whole",
    response_model=RevisionWithContent,
    responses={**NOT_MODIFIED, **documented("modified_file_not_found", "revision_not_found")},
)
async def get_revision(
    request: Request,
    services: ServicesDependency,
    principal: ObjectReader,
    modified_file_id: str,
    number: str,
) -> Response:
    """Return a revision, which never changes."""
    revision = await services.revisions.get(principal, modified_file_id, number)
    return json_resource(
        request, revision_with_content(revision, await services.revisions.content(revision))
    )


@router.post(
    "/restore",
    summary="Restore a variant as it was at a revision",
    response_model=ModifiedFileWithContent,
    responses=documented(
        *("modified_file_not_found", "revision_not_found", "stale", "name_taken", "disk_full"),
        *("malformed_json", "body_too_large", "unsupported_media_type", "invalid_request"),
    ),
)
async def restore_revision(
    request: Request,
    services: ServicesDependency,
    modified_file_id: str,
    body: RestoreRequest,
    revisions: IfMatchDependency,
    principal: Annotated[Principal, changes("variant.restore", "editor", "object")],
) -> Response:
    """Restore name, description, content and base, as a new revision if anything changes.

    What was saved once is taken again as it was, also where it does not parse.
    """
    file = await services.revisions.restore(
        principal, modified_file_id, body.revision, expected_revisions=revisions
    )
    answer = modified_with_content(file, await services.variants.content(file))
    return json_resource(request, answer, revision=file.revision)
