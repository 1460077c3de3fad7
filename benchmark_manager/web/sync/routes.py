"""Pages of a project's syncs: the timeline and one sync."""

from typing import Annotated, Final, Literal

from fastapi import APIRouter, Depends, Query, Request, Response

from benchmark_manager.incoming import Reader, ServicesDependency
from benchmark_manager.models.sync import FileChange, SkippedFile, SyncOutcome, SyncTrigger
from benchmark_manager.web import PREFIX
from benchmark_manager.web.site.forms import protected_form
from benchmark_manager.web.site.pages import (
    CursorParameter,
    StartParameter,
    next_url,
    project_view,
    rows_from,
)
from benchmark_manager.web.site.rendering import render
from benchmark_manager.web.sync import chart
from benchmark_manager.web.texts.limits import NAME, window
from benchmark_manager.web.texts.visible import html_size

router = APIRouter(prefix=PREFIX, dependencies=[Depends(protected_form)], include_in_schema=False)

_ROWS: Final = 30
#: Changes of each sync in the timeline, and the bytes of HTML that they take.
_CHANGES_SHOWN: Final = 50
_CHANGES_BYTES: Final = 30_000
#: Changes and skipped files on one page of a sync, and the bytes of HTML of each of the two lists.
_LISTED: Final = 1000
_LIST_BYTES: Final = 700_000
#: Bytes of HTML of a row without its paths.
_ROW_BYTES: Final = 150
#: Syncs in the chart of drift.
_DRIFTS_SHOWN: Final = 60


@router.get("/projects/{project_id}/syncs")
async def list_syncs(
    request: Request,
    services: ServicesDependency,
    _: Reader,
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
        "sync/syncs.html",
        view=view,
        syncs=page.rows,
        changes={
            sync.id: window(sync.changes[:_CHANGES_SHOWN], 0, _CHANGES_SHOWN, _cost, _CHANGES_BYTES)
            for sync in page.rows
        },
        total=page.total,
        cursor=cursor,
        next_url=next_url(request, page.next_cursor),
        durations=chart.durations(page.rows),
        requests=chart.requests(page.rows),
        drifts=chart.drifts(drifts, view.stats.modified_files_by_drift),
        status=status,
        trigger=trigger,
    )


@router.get("/projects/{project_id}/syncs/{sync_id}")
async def show_sync(
    request: Request,
    services: ServicesDependency,
    _: Reader,
    project_id: str,
    sync_id: str,
    start: StartParameter = 0,
    skipped: Annotated[int, Query(ge=0, le=1_000_000_000)] = 0,
) -> Response:
    """Show a sync with a page of its changes and a page of the files that it skipped."""
    view = await project_view(services, project_id)
    sync = await services.projects.sync(project_id, sync_id)
    return render(
        request,
        "sync/sync.html",
        view=view,
        sync=sync,
        changes=window(sync.changes, start, _LISTED, _cost, _LIST_BYTES),
        skipped=window(sync.skipped, skipped, _LISTED, _cost, _LIST_BYTES),
    )


def _cost(row: FileChange | SkippedFile) -> int:
    """Return the bytes of HTML of a row."""
    previous = row.previous_path or "" if isinstance(row, FileChange) else ""
    return _ROW_BYTES + html_size(row.path[:NAME]) + html_size(previous[:NAME])
