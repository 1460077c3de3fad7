"""Receipts: which files of a release machines had."""

import asyncio
from typing import Annotated

from fastapi import APIRouter, Request, Response

from benchmark_manager.api.http.json_bodies import BoundedBody
from benchmark_manager.api.http.problems import NOT_MODIFIED, OF_BODIES, documented
from benchmark_manager.api.http.requests import (
    ObjectReader,
    ServicesDependency,
    changes,
    json_resource,
)
from benchmark_manager.api.results.receipt_shapes import (
    ReceiptAnswer,
    ReceiptCreate,
    receipt_answer,
)
from benchmark_manager.models.access.principal import Principal

router = APIRouter(tags=["results"], route_class=BoundedBody, strict_content_type=False)


@router.post(
    "/releases/{digest}/receipts",
    status_code=201,
    summary="Record which files of a release a machine has",
    response_model=ReceiptAnswer,
    responses=documented(
        *("release_not_found", "digest_too_short", "digest_ambiguous", "project_not_found"),
        *("project_required", "project_mismatch", *OF_BODIES),
    ),
)
async def create_receipt(
    request: Request,
    services: ServicesDependency,
    digest: str,
    body: ReceiptCreate,
    principal: Annotated[Principal, changes("receipt.create", "editor", "object")],
) -> Response:
    """Compare files that a machine read back with those of the release, and keep the outcome.

    Results of the release that the same API token uploads within a week, and results that name
    this receipt, show it.
    """
    # In a thread, as there may be tens of thousands of files.
    draft = await asyncio.to_thread(body.draft)
    receipt = await services.receipts.create(principal, digest, body.project_id, draft)
    return json_resource(
        request, receipt_answer(receipt), status_code=201, location=f"/receipts/{receipt.id}"
    )


@router.get(
    "/receipts/{receipt_id}",
    summary="One receipt",
    response_model=ReceiptAnswer,
    responses={**NOT_MODIFIED, **documented("receipt_not_found")},
)
async def get_receipt(
    request: Request, services: ServicesDependency, principal: ObjectReader, receipt_id: str
) -> Response:
    """Return a receipt; it never changes."""
    receipt = await services.receipts.get(principal, receipt_id)
    return json_resource(request, receipt_answer(receipt))
