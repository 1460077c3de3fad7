"""Merging changes of originals into variants."""

from typing import Annotated

from fastapi import APIRouter, Request, Response

from benchmark_manager.api.http.json_bodies import BoundedBody
from benchmark_manager.api.http.problems import NOT_MODIFIED, documented
from benchmark_manager.api.http.requests import (
    IfMatchDependency,
    ObjectReader,
    ServicesDependency,
    changes,
    given_or,
    json_resource,
)
from benchmark_manager.api.variants.merge_shapes import (
    MergeAnswer,
    ReattachRequest,
    RebaseRequest,
    merge_answer,
)
from benchmark_manager.api.variants.routes import AllowInvalid
from benchmark_manager.api.variants.shapes import ModifiedFileWithContent, modified_with_content
from benchmark_manager.models.access.principal import Principal

router = APIRouter(
    prefix="/modified-files/{modified_file_id}",
    tags=["merging"],
    route_class=BoundedBody,
    strict_content_type=False,
)


@router.get(
    "/merge",
    summary="What a rebase would do",
    response_model=MergeAnswer,
    responses={
        **NOT_MODIFIED,
        **documented("modified_file_not_found", "upstream_removed", "service_busy"),
    },
)
async def preview_merge(
    request: Request, services: ServicesDependency, principal: ObjectReader, modified_file_id: str
) -> Response:
    """Merge the original that it was based on, the original now, and the variant.

    Nothing is changed.
    """
    preview = await services.merging.preview(principal, modified_file_id)
    return json_resource(request, merge_answer(preview), revision=preview.file.revision)


@router.post(
    "/rebase",
    summary="Merge the original's changes into a variant",
    response_model=ModifiedFileWithContent,
    responses=documented(
        *(
            "modified_file_not_found",
            "stale",
            "merge_conflict",
            "upstream_moved",
            "upstream_removed",
        ),
        *(
            "merge_unresolved",
            "bad_resolution",
            "merge_impossible",
            "invalid_content",
            "too_large",
            "disk_full",
        ),
        *("malformed_json", "body_too_large", "unsupported_media_type", "invalid_request"),
    ),
)
async def rebase(
    request: Request,
    services: ServicesDependency,
    modified_file_id: str,
    revisions: IfMatchDependency,
    principal: Annotated[Principal, changes("variant.rebase", "editor", "object")],
    body: RebaseRequest | None = None,
    allow_invalid: AllowInvalid = False,
) -> Response:
    """Base the variant on the original as it is now, as a new revision.

    Where a person must decide, the answer is 409 with the conflicts, and nothing is changed.
    """
    wanted = given_or(request, body, RebaseRequest())
    rebased = await services.merging.rebase(
        principal,
        modified_file_id,
        resolutions=[resolution.resolution() for resolution in wanted.resolutions],
        content=wanted.content,
        expected_original=wanted.theirs_sha,
        allow_invalid=allow_invalid,
        expected_revisions=revisions,
    )
    file = rebased.after
    answer = modified_with_content(file, await services.variants.content(file))
    return json_resource(request, answer, revision=file.revision)


@router.post(
    "/reattach",
    summary="Attach a variant to another original",
    response_model=ModifiedFileWithContent,
    responses=documented(
        *("modified_file_not_found", "file_not_found", "stale", "name_taken"),
        *("other_project", "other_format", "original_removed", "disk_full"),
        *("malformed_json", "body_too_large", "unsupported_media_type", "invalid_request"),
    ),
)
async def reattach(
    request: Request,
    services: ServicesDependency,
    modified_file_id: str,
    body: ReattachRequest,
    revisions: IfMatchDependency,
    principal: Annotated[Principal, changes("variant.reattach", "editor", "object")],
) -> Response:
    """Base the variant on another original's present text, as a new revision.

    Its own text stays as it is. It moves to the other original's folder, and its drift is
    `current`. This is meant for variants whose original was removed upstream, and works for all.
    Attaching a variant to its own original changes nothing. Restoring an earlier revision keeps the
    new original and the base of this revision.
    """
    file = await services.reattaching.reattach(
        principal, modified_file_id, body.original_file_id, expected_revisions=revisions
    )
    answer = modified_with_content(file, await services.variants.content(file))
    return json_resource(request, answer, revision=file.revision)
