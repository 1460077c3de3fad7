"""Pages of a variant's revisions: the list, one revision, and restoring it."""

from typing import Annotated, Final

from fastapi import APIRouter, Depends, Request, Response

from benchmark_manager.errors import BenchmarkManagerError, ConflictError, StaleError
from benchmark_manager.factory import Services
from benchmark_manager.incoming import ObjectReader, ServicesDependency, root_path
from benchmark_manager.models.access.principal import Principal
from benchmark_manager.models.revision import Revision
from benchmark_manager.web import PREFIX
from benchmark_manager.web.site.forms import FormDependency, protected_form
from benchmark_manager.web.site.pages import CursorParameter, next_url, project_view, rows_from
from benchmark_manager.web.site.person import page_changes
from benchmark_manager.web.site.rendering import render, see_other
from benchmark_manager.web.texts.listing import LineParameter, PartParameter, listing_of

router = APIRouter(prefix=PREFIX, dependencies=[Depends(protected_form)], include_in_schema=False)

_CONFLICT: Final = 409
_STALE: Final = 412


@router.get("/modified-files/{variant_id}/revisions")
async def list_revisions(
    request: Request,
    services: ServicesDependency,
    principal: ObjectReader,
    variant_id: str,
    cursor: CursorParameter = None,
) -> Response:
    file = await services.variants.get(principal, variant_id)
    page = await services.revisions.page(principal, variant_id, rows_from(cursor))
    return render(
        request,
        "variants/revisions.html",
        view=await project_view(services, file.project_id),
        file=file,
        revisions=page.rows,
        cursor=cursor,
        next_url=next_url(request, page.next_cursor),
    )


@router.get("/modified-files/{variant_id}/revisions/{number}")
async def show_revision(
    request: Request,
    services: ServicesDependency,
    principal: ObjectReader,
    variant_id: str,
    number: str,
    part: PartParameter = 1,
    line: LineParameter = "",
) -> Response:
    """Show the text of a revision in parts, with a button that restores it."""
    return await _revision_page(
        request, services, principal, variant_id, number, part=part, line=line
    )


@router.post("/modified-files/{variant_id}/revisions/{number}/restore")
async def restore_revision(
    request: Request,
    services: ServicesDependency,
    variant_id: str,
    number: str,
    form: FormDependency,
    principal: Annotated[Principal, page_changes("variant.restore", "editor", "object")],
) -> Response:
    """Restore a revision, if the variant has not changed since the person saw it."""
    revision = await services.revisions.get(principal, variant_id, number)
    seen = form.number("revision") or 0
    try:
        restored = await services.revisions.restore(
            principal, variant_id, revision.number, expected_revisions=frozenset({seen})
        )
    except StaleError as error:
        return await _revision_page(
            request, services, principal, variant_id, number, status_code=_STALE, refusal=error
        )
    except ConflictError as error:
        return await _revision_page(
            request, services, principal, variant_id, number, status_code=_CONFLICT, refusal=error
        )
    note = "unchanged" if restored.revision == seen else "restored"
    return see_other(f"{PREFIX}/modified-files/{variant_id}", note)


async def _revision_page(
    request: Request,
    services: Services,
    principal: Principal,
    variant_id: str,
    number: str,
    *,
    part: int = 1,
    line: str = "",
    status_code: int = 200,
    refusal: BenchmarkManagerError | None = None,
) -> Response:
    file = await services.variants.get(principal, variant_id)
    revision = await services.revisions.get(principal, variant_id, number)
    text = (await services.revisions.content(revision)).decode()
    return render(
        request,
        "variants/revision.html",
        status_code=status_code,
        view=await project_view(services, file.project_id),
        file=file,
        revision=revision,
        lines=await listing_of(
            services,
            text,
            (),
            part=part,
            line=line,
            address=f"{root_path(request.scope)}{_url(revision)}?part=",
        ),
        refusal=refusal,
    )


def _url(revision: Revision) -> str:
    return f"{PREFIX}/modified-files/{revision.modified_file_id}/revisions/{revision.number}"
