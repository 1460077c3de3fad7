"""Results as reports in the forms of other tools."""

from collections.abc import AsyncIterator, Iterable, Iterator
from functools import partial
from typing import Annotated, Any, Final, Literal

from fastapi import APIRouter, Query, Response
from fastapi.responses import StreamingResponse
from pydantic import JsonValue, TypeAdapter

from benchmark_manager.api.http.json_bodies import BoundedBody
from benchmark_manager.api.http.problems import documented
from benchmark_manager.api.http.requests import Reader, ServicesDependency
from benchmark_manager.api.results.pieces import in_json
from benchmark_manager.api.results.table_routes import SELECTION_CODES, SelectionDependency
from benchmark_manager.domain.results.reports import report_of
from benchmark_manager.factory import Services
from benchmark_manager.models.access.principal import Principal
from benchmark_manager.models.page import PageRequest
from benchmark_manager.models.result import Result, ResultFilters

router = APIRouter(tags=["results"], route_class=BoundedBody, strict_content_type=False)

#: Results whose metrics are read at once where they are few.
_PAGE: Final = 1_000
_REPORT: Final[TypeAdapter[Any]] = TypeAdapter(dict[str, JsonValue])


@router.get(
    "/projects/{project_id}/results/report",
    summary="Results as llm-d Benchmark Reports",
    response_model=list[dict[str, JsonValue]],
    responses=documented(*SELECTION_CODES),
)
async def result_report(
    services: ServicesDependency,
    principal: Reader,
    project_id: str,
    selection: SelectionDependency,
    format: Annotated[  # noqa: A002, ARG001 -- the parameter's name, which has one value
        Literal["brv02"], Query(description="`brv02`: llm-d Benchmark Reports, version 0.2.")
    ],
) -> Response:
    """Export the results that a table of this selection shows: a report for each point.

    The configuration ids (`cfg_id`) in them are the digests of our releases. Metrics for which
    version 0.2 has no place are left out, and so are the table's own parameters.
    """
    releases = await services.result_tables.selected(principal, project_id, selection)
    results = _results(services, principal, project_id, ResultFilters(releases=releases))
    parts = in_json(results, partial(_reports, point=selection.point))
    return StreamingResponse(parts, media_type="application/json")


async def _results(
    services: Services, principal: Principal, project_id: str, filters: ResultFilters
) -> AsyncIterator[list[Result]]:
    """Yield all results that the filters leave, in pieces."""
    request = PageRequest(limit=_PAGE)
    while True:
        page = await services.results.page(principal, project_id, filters, request)
        async for piece in services.results.in_pieces(page.rows):
            yield piece
        if page.next_cursor is None:
            return
        request = PageRequest(limit=_PAGE, cursor=page.next_cursor)


def _reports(results: Iterable[Result], point: str | None) -> Iterator[bytes]:
    return (
        _REPORT.dump_json(report_of(result, each, number))
        for result in results
        for number, each in enumerate(result.parsed.points)
        if point is None or each.point == point
    )
