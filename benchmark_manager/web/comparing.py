"""What a variant changed: against its base, its original, and its own past."""

from typing import Annotated, Final

from fastapi import APIRouter, Depends, Query, Request, Response

from benchmark_manager.incoming import ServicesDependency
from benchmark_manager.models.page import PageRequest
from benchmark_manager.web import PREFIX
from benchmark_manager.web.forms import protected_form
from benchmark_manager.web.pages import project_view
from benchmark_manager.web.rendering import render
from benchmark_manager.web.text_diff import diff_rows

router = APIRouter(prefix=PREFIX, dependencies=[Depends(protected_form)])

#: Revisions that one can choose from; the list of revisions leads to every one.
_REVISIONS: Final = 100
_CHANGES_AT_MOST: Final = 1000
#: Texts which scripts put side by side, characters together; of larger ones the patch is enough to load.
_BESIDE_AT_MOST: Final = 1024 * 1024


@router.get("/modified-files/{modified_file_id}/compare")
async def compare(
    request: Request,
    services: ServicesDependency,
    modified_file_id: str,
    against: Annotated[str, Query(max_length=100)] = "base",
) -> Response:
    file = await services.modified_files.get(modified_file_id)
    found = await services.comparing.diff(modified_file_id, against)
    revisions = await services.revisions.page(modified_file_id, PageRequest(limit=_REVISIONS))
    return render(
        request,
        "modified_file_compare.html",
        view=await project_view(services, file.project_id),
        file=file,
        against=against,
        revisions=revisions.rows,
        found=found,
        changes=None if found.changes is None else found.changes[:_CHANGES_AT_MOST],
        diff=diff_rows(found.unified),
        beside=len(found.before) + len(found.after) <= _BESIDE_AT_MOST,
    )
