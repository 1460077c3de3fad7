"""Rebasing all variants of a project or an original: the preview, then the result."""

from collections.abc import Sequence
from typing import Annotated, Final

from fastapi import APIRouter, Depends, Query, Request, Response

from benchmark_manager.domain.fields import LONGEST_ID
from benchmark_manager.factory import ServiceLimits, Services
from benchmark_manager.incoming import Reader, ServicesDependency
from benchmark_manager.models.access.principal import Principal
from benchmark_manager.models.original import OriginalFile
from benchmark_manager.services.variants.rebase_all import ChosenVariant, RebaseSelection
from benchmark_manager.web import PREFIX
from benchmark_manager.web.site.forms import Form, FormDependency, protected_form
from benchmark_manager.web.site.pages import CursorParameter, next_url, project_view, rows_from
from benchmark_manager.web.site.person import page_changes
from benchmark_manager.web.site.rendering import render

router = APIRouter(prefix=PREFIX, dependencies=[Depends(protected_form)], include_in_schema=False)

#: For how long a page merges before it is drawn with what it has, seconds.
_PREVIEW_SECONDS: Final = 5.0
#: Variants of a page, each with its merge.
_ROWS: Final = 50
_PARTS_OF_A_CHOICE: Final = 3


@router.get("/projects/{project_id}/modified-files/rebase-all")
async def preview_all(
    request: Request,
    services: ServicesDependency,
    principal: Reader,
    project_id: str,
    original: Annotated[str, Query(max_length=LONGEST_ID)] = "",
    cursor: CursorParameter = None,
) -> Response:
    return await _preview_page(request, services, principal, project_id, original, cursor)


async def _preview_page(
    request: Request,
    services: Services,
    principal: Principal,
    project_id: str,
    original_id: str,
    cursor: str | None,
    *,
    nothing_chosen: bool = False,
) -> Response:
    view = await project_view(services, project_id)
    original = await _original(services, project_id, original_id)
    selection = RebaseSelection(original.id if original else None)
    page = rows_from(cursor, _ROWS)
    report = await services.rebase_all.preview(
        principal, project_id, selection, page, seconds=_PREVIEW_SECONDS
    )
    return render(
        request,
        "variants/rebase_all.html",
        view=view,
        original=original,
        report=report,
        cursor=cursor,
        nothing_chosen=nothing_chosen,
        next_url=next_url(request, report.next_cursor),
    )


async def _original(services: Services, project_id: str, original_id: str) -> OriginalFile | None:
    return await services.originals.get(project_id, original_id) if original_id else None


@router.post("/projects/{project_id}/modified-files/rebase-all")
async def rebase_all(
    request: Request,
    services: ServicesDependency,
    project_id: str,
    form: FormDependency,
    principal: Annotated[Principal, page_changes("variant.rebase", "editor")],
) -> Response:
    """Rebase the selected variants, each only if it is as the page showed it."""
    chosen = _chosen(form)
    original_id, cursor = form.line("original"), form.line("cursor") or None
    if not chosen:
        return await _preview_page(
            request, services, principal, project_id, original_id, cursor, nothing_chosen=True
        )
    original = await _original(services, project_id, original_id)
    limits: ServiceLimits = request.app.state.limits
    report = await services.rebase_all.rebase(
        principal,
        project_id,
        RebaseSelection(chosen=chosen),
        rows_from(None, _ROWS),
        seconds=limits.rebase_seconds,
    )
    return render(
        request,
        "variants/rebase_all_done.html",
        view=await project_view(services, project_id),
        original=original,
        report=report,
        next_cursor=form.line("next"),
        left=[choice for choice in chosen if choice.id in set(report.left)],
    )


def _chosen(form: Form) -> Sequence[ChosenVariant]:
    """Return the selected variants; values that are not `ID.REVISION.SHA` are ignored."""
    chosen = []
    for value in form.texts("variant")[:_ROWS]:
        parts = value.split(".")
        if len(parts) == _PARTS_OF_A_CHOICE and parts[1].isascii() and parts[1].isdecimal():
            chosen.append(ChosenVariant(parts[0], int(parts[1][:9]), parts[2]))
    return chosen
