"""Pages of a project's sweeps, of one, and of what would change it."""

import asyncio
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Annotated, Final

from fastapi import APIRouter, Depends, Query, Request, Response

from benchmark_manager.domain.fields import LONGEST_CURSOR
from benchmark_manager.domain.sweeps.definition import definition_json
from benchmark_manager.domain.sweeps.filters import PREFIX as FILTER
from benchmark_manager.domain.sweeps.filters import read_filters
from benchmark_manager.domain.sweeps.limits import MOST_AXES, MOST_CELLS
from benchmark_manager.domain.sweeps.yaml_form import definition_yaml
from benchmark_manager.errors import (
    BenchmarkManagerError,
    ConflictError,
    InvalidInputError,
    StaleError,
    WorkersBusyError,
)
from benchmark_manager.factory import Services
from benchmark_manager.incoming import ObjectReader, Reader, ServicesDependency, requires
from benchmark_manager.models.access.principal import Principal
from benchmark_manager.models.page import PageRequest
from benchmark_manager.models.sweep import Sweep
from benchmark_manager.services.sweeps.reading import ListedCell
from benchmark_manager.services.sweeps.upstream import ChangedSweptFile
from benchmark_manager.web import PREFIX
from benchmark_manager.web.site.forms import FormDependency, protected_form
from benchmark_manager.web.site.pages import (
    CursorParameter,
    next_url,
    project_view,
    refusal_status,
    rows_from,
)
from benchmark_manager.web.site.person import page_changes
from benchmark_manager.web.site.pull_commands import pull_cells_command, pull_command
from benchmark_manager.web.site.reader import reader_of
from benchmark_manager.web.site.rendering import editor_size, render, see_other
from benchmark_manager.web.sweeps.cells import (
    DrawnPreview,
    filters_of,
    grid_of,
    has_grid,
    sentences,
    shown_value,
)
from benchmark_manager.web.texts.limits import NAME, READING_EDITOR, window
from benchmark_manager.web.texts.text_diff import DrawnDifferences, differences
from benchmark_manager.web.texts.visible import html_size

router = APIRouter(prefix=PREFIX, dependencies=[Depends(protected_form)], include_in_schema=False)

_STALE: Final = 412
_CONFLICT: Final = 409
#: Axes from which on a page has fewer rows, and that number of rows.
_MANY_AXES: Final = 12
_FEW_ROWS: Final = 20
#: Edited files whose differences the page of a rebase shows, and other paths that it lists.
_COMPARED: Final = 4
_PATHS: Final = 200
_PATHS_BYTES: Final = 200_000
_ROW_BYTES: Final = 150


@router.get("/projects/{project_id}/sweeps")
async def list_sweeps(
    request: Request,
    services: ServicesDependency,
    principal: Reader,
    project_id: str,
    cursor: CursorParameter = None,
) -> Response:
    view = await project_view(services, project_id)
    page = await services.sweeps.reader.page(principal, project_id, rows_from(cursor))
    return render(
        request,
        "sweeps/sweeps.html",
        view=view,
        sweeps=page.rows,
        cursor=cursor,
        next_url=next_url(request, page.next_cursor),
    )


@dataclass(frozen=True, slots=True)
class _Row:
    """A cell, the values of its axes on one line, and the command that downloads it."""

    listed: ListedCell
    values: tuple[str, ...]
    pull: str


@router.get("/sweeps/{sweep_id}")
async def show_sweep(
    request: Request,
    services: ServicesDependency,
    principal: ObjectReader,
    sweep_id: str,
    cursor: CursorParameter = None,
    retired: Annotated[bool, Query()] = False,
) -> Response:
    """Show a page of a sweep's cells; all as a grid where there are two axes."""
    sweep = await services.sweeps.reader.get(principal, sweep_id)
    chosen = _chosen(request)
    axes = tuple(axis.name for axis in sweep.definition.axes)
    page = await services.sweeps.reader.cells(
        principal,
        sweep_id,
        rows_from(cursor, _FEW_ROWS) if len(axes) > _MANY_AXES else rows_from(cursor),
        filters=read_filters(chosen.items()),
        retired=retired,
    )
    columns = _columns(axes, page.rows)
    shows_grid = has_grid(sweep.definition) and not (chosen or retired or cursor)
    return render(
        request,
        "sweeps/sweep.html",
        view=await project_view(services, sweep.project_id),
        sweep=sweep,
        axes=columns,
        rows=_rows(request, page.rows, columns),
        total=page.total,
        filters=filters_of(sweep.definition, chosen),
        chosen=chosen,
        retired=retired,
        grid=await _grid(services, principal, sweep) if shows_grid else None,
        notes=sentences(sweep.notes, reader_of(request), axes),
        pull_cells=pull_cells_command(sweep.id, _service_url(request)),
        cursor=cursor,
        next_url=next_url(request, page.next_cursor),
    )


def _chosen(request: Request) -> Mapping[str, str]:
    """Return the filters of a request; one that is not filled in filters nothing."""
    return {
        name: value
        for name, value in request.query_params.items()
        if name.startswith(FILTER) and value and len(name) <= LONGEST_CURSOR
    }


def _service_url(request: Request) -> str:
    return str(request.base_url).rstrip("/")


def _rows(request: Request, cells: Sequence[ListedCell], axes: Sequence[str]) -> list[_Row]:
    url = _service_url(request)
    return [
        _Row(
            listed,
            tuple(shown_value(listed.cell.assignments, axis) for axis in axes),
            pull_command(listed.cell.digest, url),
        )
        for listed in cells
    ]


def _columns(axes: Sequence[str], cells: Sequence[ListedCell]) -> list[str]:
    """Return the axes of a table: those of the sweep, and others that retired cells have."""
    others = [axis for listed in cells for axis in listed.cell.assignments]
    return list(dict.fromkeys([*axes, *others]))[:MOST_AXES]


async def _grid(services: Services, principal: Principal, sweep: Sweep) -> object:
    every = await services.sweeps.reader.cells(
        principal, sweep.id, PageRequest(limit=MOST_CELLS), retired=False
    )
    return grid_of(sweep.definition, [listed.cell for listed in every.rows])


@router.get("/sweeps/{sweep_id}/definition")
async def show_definition(
    request: Request, services: ServicesDependency, principal: ObjectReader, sweep_id: str
) -> Response:
    sweep = await services.sweeps.reader.get(principal, sweep_id)
    text = await asyncio.to_thread(definition_yaml, sweep.definition)
    return render(
        request,
        "sweeps/sweep_definition.html",
        view=await project_view(services, sweep.project_id),
        sweep=sweep,
        text=text,
        fits=editor_size(text) <= READING_EDITOR,
    )


@router.get("/sweeps/{sweep_id}/rebase")
async def show_rebase(
    request: Request, services: ServicesDependency, principal: ObjectReader, sweep_id: str
) -> Response:
    """Show what changed since the cells were made, and what a rebase would make of them."""
    sweep = await services.sweeps.reader.get(principal, sweep_id)
    return await _rebase_page(request, services, principal, sweep)


@router.post("/sweeps/{sweep_id}/rebase")
async def rebase(
    request: Request,
    services: ServicesDependency,
    sweep_id: str,
    form: FormDependency,
    principal: Annotated[Principal, page_changes("sweep.rebase", "editor", "object")],
) -> Response:
    revision = form.number("revision") or 0
    try:
        rebased = await services.sweeps.sweeps.rebase(
            principal, sweep_id, expected_revisions=frozenset({revision})
        )
    except (ConflictError, InvalidInputError, StaleError, WorkersBusyError) as error:
        sweep = await services.sweeps.reader.get(principal, sweep_id)
        status = {ConflictError: _CONFLICT, StaleError: _STALE}.get(
            type(error), refusal_status(error)
        )
        return await _rebase_page(
            request, services, principal, sweep, error=error, status_code=status
        )
    note = "sweep_rebased" if rebased.revision != revision else "sweep_current"
    return see_other(f"{PREFIX}/sweeps/{sweep_id}", note)


@dataclass(frozen=True, slots=True)
class _Compared:
    """An edited file that changed, and its differences; None where it is gone."""

    path: str
    diff: DrawnDifferences | None


async def _rebase_page(
    request: Request,
    services: Services,
    principal: Principal,
    sweep: Sweep,
    *,
    error: BenchmarkManagerError | None = None,
    status_code: int = 200,
) -> Response:
    changes = await services.sweeps.changes.since_made(principal, sweep.id)
    preview: DrawnPreview | None = None
    conflict: BenchmarkManagerError | None = None
    if principal.may("editor", sweep.project_id) and sweep.drift != "current":
        try:
            found = await services.sweeps.sweeps.preview(
                principal, sweep.project_id, definition_json(sweep.definition), whole=False
            )
            preview = DrawnPreview.of(found, reader_of(request))
        except (InvalidInputError, WorkersBusyError) as refusal:
            conflict = refusal
    return render(
        request,
        "sweeps/sweep_rebase.html",
        status_code=status_code,
        view=await project_view(services, sweep.project_id),
        sweep=sweep,
        compared=[await _compared(services, base) for base in changes.edited[:_COMPARED]],
        changes=changes,
        others=window(changes.others, 0, _PATHS, _path_cost, _PATHS_BYTES),
        preview=preview,
        conflict=conflict,
        error=error,
    )


async def _compared(services: Services, base: ChangedSweptFile) -> _Compared:
    if base.after is None:
        return _Compared(base.path, None)
    names = (base.path, base.path)
    return _Compared(base.path, await differences(services, base.before, base.after, names))


def _path_cost(path: str) -> int:
    return _ROW_BYTES + html_size(path[:NAME])


@router.get("/sweeps/{sweep_id}/delete")
async def confirm_delete(
    request: Request,
    services: ServicesDependency,
    principal: Annotated[Principal, requires("editor", "object")],
    sweep_id: str,
) -> Response:
    sweep = await services.sweeps.reader.stored(principal, sweep_id, "editor")
    return await _delete_page(request, services, sweep)


@router.post("/sweeps/{sweep_id}/delete")
async def delete_sweep(
    request: Request,
    services: ServicesDependency,
    sweep_id: str,
    form: FormDependency,
    principal: Annotated[Principal, page_changes("sweep.delete", "editor", "object")],
) -> Response:
    sweep = await services.sweeps.reader.stored(principal, sweep_id, "editor")
    revisions = frozenset({form.number("revision") or 0})
    try:
        await services.sweeps.sweeps.delete(principal, sweep_id, expected_revisions=revisions)
    except StaleError:
        current = await services.sweeps.reader.stored(principal, sweep_id, "editor")
        return await _delete_page(request, services, current, status_code=_STALE)
    return see_other(f"{PREFIX}/projects/{sweep.project_id}/sweeps", "sweep_deleted")


async def _delete_page(
    request: Request, services: Services, sweep: Sweep, *, status_code: int = 200
) -> Response:
    return render(
        request,
        "sweeps/sweep_delete.html",
        status_code=status_code,
        view=await project_view(services, sweep.project_id),
        sweep=sweep,
        stale=status_code == _STALE,
    )
