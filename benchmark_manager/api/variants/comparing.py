"""Comparing variants: one with its original, and all of an original with each other."""

import asyncio
from typing import Annotated, Final, Literal

from fastapi import APIRouter, Query, Request, Response

from benchmark_manager.api.http.json_bodies import BoundedBody
from benchmark_manager.api.http.problems import NOT_MODIFIED, documented
from benchmark_manager.api.http.requests import (
    ObjectReader,
    Reader,
    ServicesDependency,
    json_resource,
    raw_content,
)
from benchmark_manager.api.variants.merge_shapes import DiffAnswer, diff_answer
from benchmark_manager.api.variants.table_shapes import VariantsAnswer, variants_answer
from benchmark_manager.domain.variants.table import TableExtent

#: Limits of one answer of the table of variants: variants, bytes of their texts, and values.
_MOST_VARIANTS: Final = 1_000
_MOST_BYTES: Final = 64_000_000
_MOST_VALUES: Final = 50_000

router = APIRouter(tags=["comparing"], route_class=BoundedBody, strict_content_type=False)


@router.get(
    "/modified-files/{modified_file_id}/diff",
    summary="The differences of a variant",
    response_model=DiffAnswer,
    responses={
        200: {"content": {"text/x-diff": {"schema": {"type": "string"}}}},
        **NOT_MODIFIED,
        **documented(
            "modified_file_not_found",
            "revision_not_found",
            "file_not_found",
            "invalid_request",
            "too_complex",
        ),
    },
)
async def diff(
    request: Request,
    services: ServicesDependency,
    principal: ObjectReader,
    modified_file_id: str,
    against: Annotated[
        str,
        Query(
            max_length=30,
            description="`base`: the original that it was based on. `original`: the original "
            "now. `revision:N`: the variant at that revision.",
            examples=["base", "revision:3"],
        ),
    ] = "base",
    format: Annotated[  # noqa: A002 -- the parameter's name in the address
        Literal["unified", "json"],
        Query(
            description="`unified`: a patch for `git apply` and `patch -p1`. `json`: the same and "
            "changes by key."
        ),
    ] = "unified",
) -> Response:
    """Return the differences from the named text to the variant as it is now."""
    found = await services.comparing.diff(
        principal, modified_file_id, against, by_key=format == "json"
    )
    if format == "json":
        return json_resource(request, diff_answer(against, found))
    name = f"{found.after_path.rpartition('/')[2]}.diff"
    return raw_content(
        request, found.unified.encode(), name, media_type="text/x-diff; charset=utf-8"
    )


@router.get(
    "/projects/{project_id}/files/{file_id}/variants",
    summary="The variants of an original side by side",
    response_model=VariantsAnswer,
    responses={
        **NOT_MODIFIED,
        **documented("project_not_found", "file_not_found", "invalid_request", "too_complex"),
    },
)
async def variants(
    request: Request,
    services: ServicesDependency,
    _: Reader,
    project_id: str,
    file_id: str,
    from_row: Annotated[
        int, Query(ge=0, le=10**6, description="The first row, from 0; the Link header leads on.")
    ] = 0,
) -> Response:
    """Return the keys in which any variant differs from the original, with every value.

    `kinds` says of each who changed it since the variant was based on the original: the variant,
    upstream, or both. A variant that only lags behind has no `mine` and no `both`.

    An answer has at most some 50,000 values; the `Link` header leads on to further rows,
    `X-Total-Count` counts all. The first 1,000 variants are compared, as far as their texts have 64
    MB together.
    """
    extent = TableExtent(
        variants=_MOST_VARIANTS,
        bytes=_MOST_BYTES,
        start=from_row,
        rows=_MOST_VALUES,
        values=_MOST_VALUES,
    )
    table = await services.comparing.variants(project_id, file_id, extent)
    found = await asyncio.to_thread(variants_answer, table, is_first=from_row == 0)
    answer = json_resource(request, found)
    end = from_row + len(found.rows or ())
    answer.headers["X-Total-Count"] = str(table.rows_total)
    if end < table.rows_total:
        answer.headers["Link"] = f'<{request.url.include_query_params(from_row=end)}>; rel="next"'
    return answer
