"""Rebasing many modified files with one request."""

from typing import Final

from fastapi import APIRouter, Request

from benchmark_manager.api.http.json_bodies import BoundedBody
from benchmark_manager.api.http.problems import documented
from benchmark_manager.api.http.requests import ActorDependency, ServicesDependency, given_or
from benchmark_manager.api.variants.rebase_all_shapes import (
    RebaseAllAnswer,
    RebaseAllRequest,
    rebase_all_answer,
)

router = APIRouter(tags=["merging"], route_class=BoundedBody, strict_content_type=False)

#: No variant is begun after this time: below what proxies wait for an answer, which is 60 s for
#: most.
_SECONDS: Final = 20.0


@router.post(
    "/projects/{project_id}/modified-files/rebase-all",
    summary="Merge upstream's changes into all modified files that merge cleanly",
    responses=documented(
        *("project_not_found", "file_not_found", "invalid_cursor", "disk_full"),
        *("malformed_json", "body_too_large", "unsupported_media_type", "invalid_request"),
    ),
)
async def rebase_all(
    request: Request,
    services: ServicesDependency,
    project_id: str,
    actor: ActorDependency,
    body: RebaseAllRequest | None = None,
) -> RebaseAllAnswer:
    """Rebase every modified file whose original moved and whose merge is clean, each in a transaction of its own.

    One failure never stops the others, and repeating a call is harmless. With `dry_run` nothing is
    changed, and `preview` says what would become of each. What someone saves meanwhile is judged
    anew; with `variants`, which repeat what a preview reported, it fails with `stale` or
    `upstream_moved` instead.

    A call deals with at most `limit` modified files, and begins none after 20 seconds. Where some
    are left, `next_cursor` is not null: send it as `cursor` to go on. With `variants`, send those
    again whose ids are in `left`.
    """
    wanted = given_or(request, body, RebaseAllRequest())
    selection, page = wanted.selection(), wanted.page()
    if wanted.dry_run:
        report = await services.rebase_all.preview(project_id, selection, page, seconds=_SECONDS)
    else:
        report = await services.rebase_all.rebase(
            project_id, selection, page, seconds=_SECONDS, actor=actor
        )
    return rebase_all_answer(report, dry_run=wanted.dry_run)
