"""Pages of the trash: deleting one or all variants of a project, and restoring them."""

from typing import Annotated, Final

from fastapi import APIRouter, Depends, Request, Response

from benchmark_manager.errors import BenchmarkManagerError, ConflictError, InvalidInputError
from benchmark_manager.factory import Services
from benchmark_manager.incoming import Reader, ServicesDependency, requires
from benchmark_manager.models.access.principal import Principal
from benchmark_manager.models.variant import TrashedVariant
from benchmark_manager.web import PREFIX
from benchmark_manager.web.site.field_rules import refused_field
from benchmark_manager.web.site.forms import FormDependency, protected_form
from benchmark_manager.web.site.pages import CursorParameter, next_url, project_view, rows_from
from benchmark_manager.web.site.person import page_changes
from benchmark_manager.web.site.reader import reader_of
from benchmark_manager.web.site.rendering import render, see_other
from benchmark_manager.web.site.words import error_words

router = APIRouter(prefix=PREFIX, dependencies=[Depends(protected_form)], include_in_schema=False)

_UNPROCESSABLE: Final = 422


@router.get("/modified-files/{variant_id}/delete")
async def confirm_deletion(
    request: Request,
    services: ServicesDependency,
    principal: Annotated[Principal, requires("editor", "object")],
    variant_id: str,
) -> Response:
    file = await services.variants.get(principal, variant_id, "editor")
    view = await project_view(services, file.project_id)
    return render(
        request,
        "variants/variant_delete.html",
        view=view,
        file=file,
        days=services.trash.retention.days,
    )


@router.post("/modified-files/{variant_id}/delete")
async def delete_variant(
    services: ServicesDependency,
    variant_id: str,
    form: FormDependency,
    principal: Annotated[Principal, page_changes("variant.delete", "editor", "object")],
) -> Response:
    """Delete the variant, if it has not changed since the person saw it."""
    file = await services.variants.get(principal, variant_id, "editor")
    await services.trash.delete(principal, variant_id, frozenset({form.number("revision") or 0}))
    return see_other(f"{PREFIX}/projects/{file.project_id}/modified-files", "deleted", file.id)


@router.get("/projects/{project_id}/reset")
async def confirm_reset(
    request: Request,
    services: ServicesDependency,
    _: Annotated[Principal, requires("maintainer")],
    project_id: str,
) -> Response:
    view = await project_view(services, project_id)
    return render(
        request, "projects/project_reset.html", view=view, days=services.trash.retention.days
    )


@router.post("/projects/{project_id}/reset")
async def reset_project(
    services: ServicesDependency,
    project_id: str,
    principal: Annotated[Principal, page_changes("project.reset", "maintainer")],
) -> Response:
    _, reset_id = await services.trash.reset(principal, project_id)
    list_url = f"{PREFIX}/projects/{project_id}/modified-files"
    return (
        see_other(list_url, "nothing_reset")
        if reset_id is None
        else see_other(list_url, "reset", project_id, reset_id)
    )


@router.post("/projects/{project_id}/undo-reset")
async def undo_reset(
    services: ServicesDependency,
    project_id: str,
    form: FormDependency,
    principal: Annotated[Principal, page_changes("variant.undelete", "maintainer")],
) -> Response:
    undone = await services.trash.undo_reset(principal, project_id, form.line("id"))
    if undone.left:
        return see_other(f"{PREFIX}/projects/{project_id}/trash", "reset_undone_partly")
    return see_other(f"{PREFIX}/projects/{project_id}/modified-files", "reset_undone")


@router.get("/projects/{project_id}/trash")
async def list_trash(
    request: Request,
    services: ServicesDependency,
    _: Reader,
    project_id: str,
    cursor: CursorParameter = None,
) -> Response:
    view = await project_view(services, project_id)
    page = await services.trash.page(project_id, rows_from(cursor))
    return render(
        request,
        "variants/trash.html",
        view=view,
        rows=page.rows,
        resets={row.reset_id: row for row in reversed(page.rows) if row.reset_id is not None},
        retention=services.trash.retention,
        cursor=cursor,
        next_url=next_url(request, page.next_cursor),
    )


@router.get("/trash/{variant_id}")
async def choose_name(
    request: Request,
    services: ServicesDependency,
    principal: Annotated[Principal, requires("editor", "object")],
    variant_id: str,
) -> Response:
    trashed = await services.trash.get(principal, variant_id, "editor")
    return await _name_page(request, services, trashed, trashed.file.modified_name)


@router.post("/trash/{variant_id}")
async def undelete(
    request: Request,
    services: ServicesDependency,
    variant_id: str,
    form: FormDependency,
    principal: Annotated[Principal, page_changes("variant.undelete", "editor", "object")],
) -> Response:
    """Restore a variant under its old name, or under the one in the form."""
    trashed = await services.trash.get(principal, variant_id, "editor")
    name = form.line("modified_name") if form.ticked("modified_name") else None
    try:
        file = await services.trash.undelete(principal, variant_id, modified_name=name)
    except (InvalidInputError, ConflictError) as error:
        typed = trashed.file.modified_name if name is None else name
        return await _name_page(request, services, trashed, typed, error)
    return see_other(f"{PREFIX}/modified-files/{file.id}", "undeleted")


async def _name_page(
    request: Request,
    services: Services,
    trashed: TrashedVariant,
    name: str,
    refusal: BenchmarkManagerError | None = None,
) -> Response:
    errors = {}
    if refusal is not None:
        field = refused_field(refusal, ("modified_name",), "modified_name")
        errors[field] = error_words(reader_of(request), refusal)
    return render(
        request,
        "variants/trash_name.html",
        status_code=_UNPROCESSABLE if errors else 200,
        view=await project_view(services, trashed.file.project_id),
        trashed=trashed,
        name=name,
        errors=errors,
    )
