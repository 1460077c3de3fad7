"""The table of a project's results: what was varied beside what came out."""

import asyncio
from typing import Final
from urllib.parse import quote

from fastapi import APIRouter, Depends, Request, Response

from benchmark_manager.errors import (
    BenchmarkManagerError,
    ConflictError,
    InvalidInputError,
    NotFoundError,
    WorkersBusyError,
)
from benchmark_manager.factory import Services
from benchmark_manager.incoming import Reader, ServicesDependency, root_path
from benchmark_manager.models.access.principal import Principal
from benchmark_manager.models.page import PageRequest
from benchmark_manager.models.result import ResultFilters
from benchmark_manager.models.result_table import ResultTable
from benchmark_manager.web import PREFIX
from benchmark_manager.web.results.first_steps import FirstSteps
from benchmark_manager.web.results.lists import sweep_name
from benchmark_manager.web.results.shown_table import ShownTable
from benchmark_manager.web.results.table_query import TableQuery
from benchmark_manager.web.site.forms import protected_form
from benchmark_manager.web.site.languages import N_
from benchmark_manager.web.site.pages import project_view, refusal_status
from benchmark_manager.web.site.reader import Reader as PageReader
from benchmark_manager.web.site.reader import reader_of
from benchmark_manager.web.site.rendering import render, see_other
from benchmark_manager.web.texts.visible import seen

router = APIRouter(prefix=PREFIX, dependencies=[Depends(protected_form)], include_in_schema=False)

_NOT_FOUND: Final = 404
#: Sweeps that the form offers, and characters of a name in it.
_SWEEPS: Final = 100
_NAME: Final = 80
_EVERYTHING: Final = N_("everything")
#: Ids of results are greater.
_NONE: Final = "0"


@router.get("/projects/{project_id}/results")
async def show_table(
    request: Request, services: ServicesDependency, principal: Reader, project_id: str
) -> Response:
    """Show the table that the address describes; what the form sends becomes such an address."""
    query = TableQuery.of(request.query_params)
    if "show" in request.query_params:
        address = query.address()
        return see_other(f"{PREFIX}/projects/{quote(project_id)}/results{address.rstrip('?')}")
    newest = await _newest(services, principal, project_id)
    table: ResultTable | None = None
    refusal: BenchmarkManagerError | None = None
    try:
        table = await services.result_tables.table(principal, project_id, query.selection)
    except (ConflictError, InvalidInputError, NotFoundError, WorkersBusyError) as error:
        refusal = error
    reader = reader_of(request)
    # In a thread, as charts of a thousand points take a tenth of a second to write.
    return await asyncio.to_thread(
        render,
        request,
        "results/results.html",
        status_code=200 if refusal is None else _status(refusal),
        view=await project_view(services, project_id),
        query=query,
        refusal=refusal,
        sweeps=await _sweeps(services, principal, project_id, query, reader),
        newest=newest,
        first_steps=await _first_steps(request, services, principal, project_id, table),
        shown=None
        if table is None
        else await asyncio.to_thread(
            ShownTable.of, table, query, project_id, root_path(request.scope), reader
        ),
    )


async def _newest(services: Services, principal: Principal, project_id: str) -> str:
    """Return the id of a project's newest result; `_NONE` if it has none.

    It is read before the table: what comes between the two is announced rather than left out.
    """
    page = await services.results.page(principal, project_id, ResultFilters(), PageRequest(limit=1))
    return page.rows[0].id if page.rows else _NONE


def _status(error: BenchmarkManagerError) -> int:
    return _NOT_FOUND if isinstance(error, NotFoundError) else refusal_status(error)


async def _sweeps(
    services: Services,
    principal: Principal,
    project_id: str,
    query: TableQuery,
    reader: PageReader,
) -> dict[str, str]:
    """Return what the form offers instead of everything: the newest sweeps by id, by name."""
    page = await services.sweeps.reader.page(principal, project_id, PageRequest(limit=_SWEEPS))
    found = {sweep.id: seen(sweep.name, _NAME) for sweep in page.rows}
    if query.sweep and query.sweep not in found:
        found[query.sweep] = await sweep_name(services, principal, query.sweep) or query.sweep
    return {"": reader.words(_EVERYTHING), **found}


async def _first_steps(
    request: Request,
    services: Services,
    principal: Principal,
    project_id: str,
    table: ResultTable | None,
) -> FirstSteps | None:
    """Return the first commands for a project without results; None if it has no release."""
    if table is None or table.rows:
        return None
    page = await services.releases.page(principal, project_id, PageRequest(limit=1), cells=True)
    if not page.rows:
        return None
    return FirstSteps.of(page.rows[0].digest, str(request.base_url).rstrip("/"))
