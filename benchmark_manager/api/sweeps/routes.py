"""Sweeps: previewing, making, reading, changing, rebasing and deleting them."""

import asyncio
from typing import Annotated, Any, Final

from fastapi import APIRouter, Path, Query, Request, Response
from pydantic import TypeAdapter

from benchmark_manager.api.http.json_bodies import UniqueNamesBody
from benchmark_manager.api.http.problems import NOT_MODIFIED, OF_BODIES, documented
from benchmark_manager.api.http.requests import (
    IfMatchDependency,
    ObjectReader,
    PageDependency,
    Reader,
    ServicesDependency,
    changes,
    json_list,
    json_resource,
)
from benchmark_manager.api.sweeps.definition_schema import SweepDefinitionBody, SweepImportBody
from benchmark_manager.api.sweeps.shapes import (
    CellAnswer,
    CellDetailAnswer,
    ImportedAnswer,
    SweepAnswer,
    SweepPreviewAnswer,
    cell_answer,
    cell_detail_answer,
    imported_answer,
    preview_answer,
    sweep_answer,
)
from benchmark_manager.domain.sweeps.filters import read_filters
from benchmark_manager.domain.sweeps.limits import LARGEST_INDEX
from benchmark_manager.models.access.principal import Principal
from benchmark_manager.services.sweeps.sweeps import PREVIEWED

router = APIRouter(tags=["sweeps"], route_class=UniqueNamesBody, strict_content_type=False)

_SWEEPS: Final[TypeAdapter[Any]] = TypeAdapter(list[SweepAnswer])
_CELLS: Final[TypeAdapter[Any]] = TypeAdapter(list[CellAnswer])
#: What a definition may be refused for.
_DEFINITION: Final = (
    "file_not_found/swept",
    "path_not_found",
    "path_ambiguous",
    "edit_not_possible",
    "not_editable",
    "contradicting_axes",
    "too_many_cells",
    "cell_too_large",
    "sweep_too_large",
    "too_complex",
    "path_clash",
)


@router.post(
    "/projects/{project_id}/sweeps",
    status_code=201,
    summary="Make a sweep, or preview it",
    response_model=SweepAnswer,
    responses={
        200: {
            "model": SweepPreviewAnswer,
            "description": "With `dry_run=true`: what the sweep would be; nothing is stored.",
        },
        **documented("project_not_found", *OF_BODIES, *_DEFINITION),
    },
)
async def create_sweep(
    request: Request,
    services: ServicesDependency,
    project_id: str,
    body: SweepDefinitionBody,
    principal: Annotated[Principal, changes("sweep.create", "editor")],
    dry_run: Annotated[
        bool, Query(description=f"Store nothing, and return the first {PREVIEWED} cells.")
    ] = False,
) -> Response:
    """Make a release of the project for each combination of the axes' values.

    All files are those of one moment. Each cell is a release in which the edited files replace the
    originals: it can be read, pulled, compared and mounted by its digest like any other. Only the
    values that are set change; every other byte stays. Combinations that make the same bytes are
    one cell.

    A dry run makes all cells too, and refuses what a sweep would be refused for.
    """
    if dry_run:
        preview = await services.sweeps.sweeps.preview(principal, project_id, body.root)
        return json_resource(request, await asyncio.to_thread(preview_answer, project_id, preview))
    sweep = await services.sweeps.sweeps.create(principal, project_id, body.root)
    answer = await asyncio.to_thread(sweep_answer, sweep)
    return json_resource(
        request,
        answer,
        revision=sweep.revision,
        status_code=201,
        location=f"/sweeps/{sweep.id}",
    )


@router.get(
    "/projects/{project_id}/sweeps",
    summary="The sweeps of a project, newest first",
    response_model=list[SweepAnswer],
    responses=documented("project_not_found", "invalid_cursor", "invalid_request", "service_busy"),
)
async def list_sweeps(
    request: Request,
    services: ServicesDependency,
    principal: Reader,
    project_id: str,
    page: PageDependency,
) -> Response:
    """List sweeps with their definitions, and without their cells."""
    found = await services.sweeps.reader.page(principal, project_id, page)
    rows = await asyncio.to_thread(lambda: [sweep_answer(sweep) for sweep in found.rows])
    return json_list(request, found, rows, _SWEEPS)


@router.post(
    "/projects/{project_id}/sweeps/import",
    summary="Take over another tool's sweep as a definition",
    response_model=ImportedAnswer,
    responses=documented(
        *("project_not_found", *OF_BODIES, "file_not_found/swept", "invalid_yaml"),
        *("too_many_cells", "too_complex"),
    ),
)
async def import_sweep(
    request: Request,
    services: ServicesDependency,
    project_id: str,
    body: SweepImportBody,
    principal: Reader,
) -> Response:
    """Read the sweep of vLLM, llm-d-benchmark, Hydra or W&B; nothing is stored.

    What could not be taken over is in `notes`.
    """
    imported = await services.sweeps.imports.imported(principal, project_id, body.root)
    return json_resource(request, await asyncio.to_thread(imported_answer, imported))


@router.get(
    "/sweeps/{sweep_id}",
    summary="One sweep",
    response_model=SweepAnswer,
    responses={**NOT_MODIFIED, **documented("sweep_not_found", "service_busy")},
)
async def get_sweep(
    request: Request, services: ServicesDependency, principal: ObjectReader, sweep_id: str
) -> Response:
    """Return a sweep with its definition; its cells have a list of their own."""
    sweep = await services.sweeps.reader.get(principal, sweep_id)
    # In a thread, as a definition may have a hundred thousand values.
    answer = await asyncio.to_thread(sweep_answer, sweep)
    return json_resource(request, answer, revision=sweep.revision)


@router.put(
    "/sweeps/{sweep_id}",
    summary="Change a sweep's definition",
    response_model=SweepAnswer,
    responses=documented("sweep_not_found", "stale", *OF_BODIES, *_DEFINITION),
)
async def update_sweep(
    request: Request,
    services: ServicesDependency,
    principal: Annotated[Principal, changes("sweep.edit", "editor", "object")],
    sweep_id: str,
    body: SweepDefinitionBody,
    revisions: IfMatchDependency,
) -> Response:
    """Give the sweep another definition, on the files of its generation.

    Cells are known by their assignments: those that stay keep index and digest, new ones are
    appended, and those that are no longer defined are retired and stay readable. A cell whose bytes
    would change is retired, and a new one appended. `contents` cannot change.
    """
    sweep = await services.sweeps.sweeps.update(
        principal, sweep_id, body.root, expected_revisions=revisions
    )
    answer = await asyncio.to_thread(sweep_answer, sweep)
    return json_resource(request, answer, revision=sweep.revision)


@router.post(
    "/sweeps/{sweep_id}/rebase",
    summary="Make a sweep's cells again, from the files as they are now",
    response_model=SweepAnswer,
    responses=documented(
        *("sweep_not_found", "stale", "sweep_conflict", "path_clash", "invalid_request"),
        *("cell_too_large", "sweep_too_large", "too_complex", "disk_full"),
        *("body_too_large", "unsupported_media_type"),
    ),
)
async def rebase_sweep(
    request: Request,
    services: ServicesDependency,
    principal: Annotated[Principal, changes("sweep.rebase", "editor", "object")],
    sweep_id: str,
    revisions: IfMatchDependency,
) -> Response:
    """Make the same definition's cells as a new generation, whose indexes follow on.

    Older cells are retired and stay readable. Where every file is as it was, nothing changes. Where
    a file is gone, or cannot be edited as before, nothing changes either, and the answer names it.
    """
    sweep = await services.sweeps.sweeps.rebase(principal, sweep_id, expected_revisions=revisions)
    answer = await asyncio.to_thread(sweep_answer, sweep)
    return json_resource(request, answer, revision=sweep.revision)


@router.delete(
    "/sweeps/{sweep_id}",
    status_code=204,
    summary="Delete a sweep",
    responses=documented("sweep_not_found", "stale", "disk_full"),
)
async def delete_sweep(
    services: ServicesDependency,
    principal: Annotated[Principal, changes("sweep.delete", "editor", "object")],
    sweep_id: str,
    revisions: IfMatchDependency,
) -> None:
    """Delete it with its cells; those that are pinned, or cited, stay readable as releases."""
    await services.sweeps.sweeps.delete(principal, sweep_id, expected_revisions=revisions)


@router.get(
    "/sweeps/{sweep_id}/cells",
    summary="The cells of a sweep, by index",
    response_model=list[CellAnswer],
    responses=documented("sweep_not_found", "invalid_cursor", "invalid_request"),
)
async def list_cells(
    request: Request,
    services: ServicesDependency,
    principal: ObjectReader,
    sweep_id: str,
    page: PageDependency,
    retired: Annotated[
        bool, Query(description="List only the retired cells; else only the others.")
    ] = False,
) -> Response:
    """List cells: all, or those with given values.

    `axis.NAME=VALUE` leaves those in which the axis NAME has VALUE, which is JSON; text that is not
    JSON is a string. Several filters apply together.
    """
    found = await services.sweeps.reader.cells(
        principal,
        sweep_id,
        page,
        filters=read_filters(request.query_params.multi_items()),
        retired=retired,
    )
    rows = await asyncio.to_thread(lambda: [cell_answer(cell) for cell in found.rows])
    return json_list(request, found, rows, _CELLS)


@router.get(
    "/sweeps/{sweep_id}/cells/{index}",
    summary="One cell, and what it changes",
    response_model=CellDetailAnswer,
    responses={
        **NOT_MODIFIED,
        **documented("sweep_not_found", "cell_not_found", "invalid_request", "too_complex"),
    },
)
async def get_cell(
    request: Request,
    services: ServicesDependency,
    principal: ObjectReader,
    sweep_id: str,
    index: Annotated[int, Path(ge=0, le=LARGEST_INDEX)],
) -> Response:
    """Return a cell with the values that it changes, and a patch from its base's files."""
    detail = await services.sweeps.reader.cell(principal, sweep_id, index)
    return json_resource(request, await asyncio.to_thread(cell_detail_answer, detail))
