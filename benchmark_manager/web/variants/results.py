"""The results of releases that contain a variant as it is now."""

from fastapi import APIRouter, Depends, Request, Response

from benchmark_manager.incoming import ObjectReader, ServicesDependency
from benchmark_manager.web import PREFIX
from benchmark_manager.web.site.forms import protected_form
from benchmark_manager.web.site.pages import ROWS, project_view
from benchmark_manager.web.site.rendering import render

router = APIRouter(prefix=PREFIX, dependencies=[Depends(protected_form)], include_in_schema=False)


@router.get("/modified-files/{variant_id}/results")
async def show_results(
    request: Request, services: ServicesDependency, principal: ObjectReader, variant_id: str
) -> Response:
    file = await services.variants.get(principal, variant_id)
    return render(
        request,
        "variants/variant_results.html",
        view=await project_view(services, file.project_id),
        file=file,
        found=await services.variant_results.of(principal, file, ROWS),
    )
