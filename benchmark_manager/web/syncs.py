"""The time line of a project's syncs."""

from typing import Final, Literal

from fastapi import APIRouter, Depends, Request, Response

from benchmark_manager.incoming import ServicesDependency
from benchmark_manager.models.sync import SyncOutcome, SyncTrigger
from benchmark_manager.web import PREFIX, chart
from benchmark_manager.web.forms import protected_form
from benchmark_manager.web.pages import CursorParameter, next_url, project_view, rows_from
from benchmark_manager.web.rendering import render

router = APIRouter(prefix=PREFIX, dependencies=[Depends(protected_form)])

_ROWS: Final = 30
#: Of each sync's changes, which may be a thousand.
_CHANGES_SHOWN: Final = 100
#: Syncs in the chart of drift.
_DRIFTS_SHOWN: Final = 60


@router.get("/projects/{project_id}/syncs")
async def list_syncs(
    request: Request,
    services: ServicesDependency,
    project_id: str,
    status: SyncOutcome | Literal["all"] = "all",
    trigger: SyncTrigger | Literal["all"] = "all",
    cursor: CursorParameter = None,
) -> Response:
    view = await project_view(services, project_id)
    page = await services.projects.history(
        project_id,
        rows_from(cursor, _ROWS),
        outcomes=() if status == "all" else (status,),
        triggers=() if trigger == "all" else (trigger,),
    )
    drifts = await services.projects.drifts(project_id, _DRIFTS_SHOWN)
    return render(
        request,
        "syncs.html",
        view=view,
        syncs=page.rows,
        total=page.total,
        cursor=cursor,
        next_url=next_url(request, page.next_cursor),
        durations=chart.durations(page.rows),
        requests=chart.requests(page.rows),
        drifts=chart.drifts(drifts, view.stats.modified_files_by_drift),
        status=status,
        trigger=trigger,
        shown=_CHANGES_SHOWN,
    )


@router.get("/projects/{project_id}/syncs/{sync_id}")
async def show_sync(request: Request, services: ServicesDependency, project_id: str, sync_id: str) -> Response:
    view = await project_view(services, project_id)
    return render(request, "sync.html", view=view, sync=await services.projects.sync(project_id, sync_id))
