"""Attaching a modified file to another original, as when its own is gone upstream."""

from typing import Final

from fastapi import APIRouter, Depends, Request, Response

from benchmark_manager.errors import (
    BenchmarkManagerError,
    ConflictError,
    InvalidInputError,
    NotFoundError,
    StaleError,
)
from benchmark_manager.factory import Services
from benchmark_manager.incoming import ServicesDependency
from benchmark_manager.web import PREFIX
from benchmark_manager.web.site.forms import FormDependency, protected_form
from benchmark_manager.web.site.pages import SearchParameter, project_view, searched
from benchmark_manager.web.site.person import PersonDependency
from benchmark_manager.web.site.rendering import render, see_other

router = APIRouter(prefix=PREFIX, dependencies=[Depends(protected_form)], include_in_schema=False)

#: Originals that a page offers.
_OFFERED: Final = 20
_STALE: Final = 412
_UNPROCESSABLE: Final = 422


@router.get("/modified-files/{variant_id}/reattach")
async def choose_original(
    request: Request, services: ServicesDependency, variant_id: str, q: SearchParameter = ""
) -> Response:
    return await reattach_page(request, services, variant_id, q=q)


@router.post("/modified-files/{variant_id}/reattach")
async def reattach(
    request: Request,
    services: ServicesDependency,
    variant_id: str,
    form: FormDependency,
    actor: PersonDependency,
) -> Response:
    """Attach the revision that the person saw to the chosen original."""
    try:
        await services.reattaching.reattach(
            variant_id,
            form.line("original_file_id"),
            expected_revisions=frozenset({form.number("revision") or 0}),
            actor=actor,
        )
    except (StaleError, InvalidInputError, ConflictError) as error:
        return await reattach_page(request, services, variant_id, q=form.line("q"), error=error)
    except NotFoundError as error:
        if error.code != "file_not_found":
            raise
        return await reattach_page(request, services, variant_id, q=form.line("q"), error=error)
    return see_other(f"{PREFIX}/modified-files/{variant_id}", "reattached")


async def reattach_page(
    request: Request,
    services: Services,
    variant_id: str,
    *,
    q: str = "",
    error: BenchmarkManagerError | None = None,
) -> Response:
    """Draw the originals that the file may be attached to, the most similar ones first."""
    file = await services.variants.get(variant_id)
    query = searched(q)
    candidates, count = await services.reattaching.candidates(file, query, _OFFERED)
    return render(
        request,
        "variants/reattach.html",
        status_code=200
        if error is None
        else _STALE
        if isinstance(error, StaleError)
        else _UNPROCESSABLE,
        view=await project_view(services, file.project_id),
        file=file,
        candidates=candidates,
        count=count,
        q=query,
        error=error,
    )
