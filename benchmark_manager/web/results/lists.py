"""The list of a project's results, and its trash."""

import itertools
from collections.abc import Iterable
from typing import Final

from fastapi import APIRouter, Depends, Request, Response

from benchmark_manager.errors import NotFoundError
from benchmark_manager.factory import Services
from benchmark_manager.incoming import Reader, ServicesDependency
from benchmark_manager.models.access.principal import Principal
from benchmark_manager.models.result import Result
from benchmark_manager.web import PREFIX
from benchmark_manager.web.results.list_query import ListQuery
from benchmark_manager.web.site.forms import protected_form
from benchmark_manager.web.site.languages import N_
from benchmark_manager.web.site.pages import CursorParameter, next_url, project_view, rows_from
from benchmark_manager.web.site.reader import Reader as PageReader
from benchmark_manager.web.site.reader import reader_of
from benchmark_manager.web.site.rendering import render
from benchmark_manager.web.site.words import TOOL

router = APIRouter(prefix=PREFIX, dependencies=[Depends(protected_form)], include_in_schema=False)

#: Sweeps of a page of results that are named.
_NAMED_SWEEPS: Final = 20
_ANY: Final = N_("any")


@router.get("/projects/{project_id}/results/list")
async def list_results(
    request: Request,
    services: ServicesDependency,
    principal: Reader,
    project_id: str,
    cursor: CursorParameter = None,
) -> Response:
    reader = reader_of(request)
    query = ListQuery.of(request.query_params)
    filters, label_error = query.filters(reader)
    page = await services.results.listed(principal, project_id, filters, rows_from(cursor))
    return render(
        request,
        "results/list.html",
        view=await project_view(services, project_id),
        results=page.rows,
        sweep_names=await sweep_names(services, principal, page.rows),
        total=page.total,
        has_newer=any(result.id > query.after for result in page.rows[:1]),
        query=query,
        label_error=label_error,
        tools=_tools(reader),
        sweep_name=await sweep_name(services, principal, query.sweep),
        retention=services.trash.retention,
        cursor=cursor,
        next_url=next_url(request, page.next_cursor),
    )


def _tools(reader: PageReader) -> dict[str, str]:
    """Return what the filter offers, in words by value."""
    words: dict[str, str] = {name: reader.words(word) for name, word in TOOL.items()}
    return {"": reader.words(_ANY), **words}


async def sweep_names(
    services: Services, principal: Principal, results: Iterable[Result]
) -> dict[str, str]:
    """Return the names of the sweeps whose cells were measured, of a few, by their ids."""
    found = dict.fromkeys(result.sweep_id for result in results if result.sweep_id)
    some = itertools.islice(found, _NAMED_SWEEPS)
    return {key: await sweep_name(services, principal, key) for key in some}


async def sweep_name(services: Services, principal: Principal, sweep_id: str | None) -> str:
    """Return the name of a sweep; "" without one, or if it was deleted."""
    if not sweep_id:
        return ""
    try:
        return (await services.sweeps.reader.stored(principal, sweep_id)).name
    except NotFoundError:
        return ""
