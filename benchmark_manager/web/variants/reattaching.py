"""The page that attaches a variant to another original, for instance if its own was removed."""

from typing import Annotated, Final

from fastapi import APIRouter, Depends, Request, Response

from benchmark_manager.errors import (
    BenchmarkManagerError,
    ConflictError,
    InvalidInputError,
    NotFoundError,
    StaleError,
)
from benchmark_manager.factory import Services
from benchmark_manager.incoming import ServicesDependency, requires
from benchmark_manager.models.access.principal import Principal
from benchmark_manager.web import PREFIX
from benchmark_manager.web.site.forms import FormDependency, protected_form
from benchmark_manager.web.site.pages import SearchParameter, project_view, searched
from benchmark_manager.web.site.person import page_changes
from benchmark_manager.web.site.rendering import render, see_other

router = APIRouter(prefix=PREFIX, dependencies=[Depends(protected_form)], include_in_schema=False)

#: Originals that a page offers.
_OFFERED: Final = 20
_STALE: Final = 412
_UNPROCESSABLE: Final = 422


@router.get("/modified-files/{variant_id}/reattach")
async def choose_original(
    request: Request,
    services: ServicesDependency,
    principal: Annotated[Principal, requires("editor", "object")],
    variant_id: str,
    q: SearchParameter = "",
) -> Response:
    return await reattach_page(request, services, principal, variant_id, q=q)


@router.post("/modified-files/{variant_id}/reattach")
async def reattach(
    request: Request,
    services: ServicesDependency,
    variant_id: str,
    form: FormDependency,
    principal: Annotated[Principal, page_changes("variant.reattach", "editor", "object")],
) -> Response:
    """Attach the variant to the chosen original, if it has not changed since the person saw it."""
    chosen = form.line("original_file_id")
    try:
        await services.reattaching.reattach(
            principal,
            variant_id,
            chosen,
            expected_revisions=frozenset({form.number("revision") or 0}),
        )
    except (StaleError, InvalidInputError, ConflictError, NotFoundError) as error:
        if isinstance(error, NotFoundError) and error.code != "file_not_found":
            raise
        return await reattach_page(
            request, services, principal, variant_id, q=form.line("q"), refused=(chosen, error)
        )
    return see_other(f"{PREFIX}/modified-files/{variant_id}", "reattached")


async def reattach_page(
    request: Request,
    services: Services,
    principal: Principal,
    variant_id: str,
    *,
    q: str = "",
    refused: tuple[str, BenchmarkManagerError | None] = ("", None),
) -> Response:
    """Show the originals that the variant may be attached to, the most similar ones first.

    `refused` is the id of the original that was chosen before, and why it was not accepted.
    """
    chosen, error = refused
    file = await services.variants.get(principal, variant_id, "editor")
    query = searched(q)
    candidates, count = await services.reattaching.candidates(file, query, _OFFERED)
    return render(
        request,
        "variants/reattach.html",
        status_code=_status(error),
        view=await project_view(services, file.project_id),
        file=file,
        candidates=candidates,
        count=count,
        q=query,
        chosen=chosen,
        error=error,
    )


def _status(error: BenchmarkManagerError | None) -> int:
    if error is None:
        return 200
    return _STALE if isinstance(error, StaleError) else _UNPROCESSABLE
