"""Rebasing many variants with one request."""

from typing import Annotated, Final

from fastapi import APIRouter, Request

from benchmark_manager.api.http.json_bodies import BoundedBody
from benchmark_manager.api.http.problems import documented
from benchmark_manager.api.http.requests import ServicesDependency, changes, given_or
from benchmark_manager.api.variants.rebase_all_shapes import (
    RebaseAllAnswer,
    RebaseAllRequest,
    rebase_all_answer,
)
from benchmark_manager.models.access.principal import Principal

router = APIRouter(tags=["merging"], route_class=BoundedBody, strict_content_type=False)

#: Seconds after which no variant is begun: most proxies wait 60 s for an answer.
_SECONDS: Final = 20.0


@router.post(
    "/projects/{project_id}/modified-files/rebase-all",
    summary="Merge the originals' changes into all variants that merge cleanly",
    responses=documented(
        *("project_not_found", "file_not_found", "invalid_cursor", "disk_full"),
        *("malformed_json", "body_too_large", "unsupported_media_type", "invalid_request"),
    ),
)
async def rebase_all(
    request: Request,
    services: ServicesDependency,
    project_id: str,
    principal: Annotated[Principal, changes("variant.rebase", "editor")],
    body: RebaseAllRequest | None = None,
) -> RebaseAllAnswer:
    """Rebase every variant whose original changed and whose merge is clean.

    Each has its own transaction: one failure does not stop the others, and repeating a call is
    harmless. With `dry_run` nothing is changed, and `preview` reports the result for each. A
    variant that is saved meanwhile is merged as it is then; with `variants`, which repeat a
    preview, it fails with `stale` or `upstream_moved` instead.

    A call rebases at most `limit` variants, and begins none after 20 seconds. If some are left,
    `next_cursor` is not null: send it as `cursor` to continue. With `variants`, send those again
    whose ids are in `left`.
    """
    wanted = given_or(request, body, RebaseAllRequest())
    selection, page = wanted.selection(), wanted.page()
    if wanted.dry_run:
        report = await services.rebase_all.preview(
            principal, project_id, selection, page, seconds=_SECONDS
        )
    else:
        report = await services.rebase_all.rebase(
            principal, project_id, selection, page, seconds=_SECONDS
        )
    return rebase_all_answer(report, dry_run=wanted.dry_run)
