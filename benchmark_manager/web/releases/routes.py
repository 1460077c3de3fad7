"""A project's releases: the list, the files of a release made now, and making one."""

from typing import Annotated, Final

from fastapi import APIRouter, Depends, Query, Request, Response

from benchmark_manager.errors import InvalidInputError, NotFoundError
from benchmark_manager.factory import Services
from benchmark_manager.incoming import Reader, ServicesDependency
from benchmark_manager.models.access.principal import Principal
from benchmark_manager.models.page import PageRequest
from benchmark_manager.models.release import Release, ReleaseFile
from benchmark_manager.models.variant import Variant
from benchmark_manager.web import PREFIX
from benchmark_manager.web.releases.forms import ReleaseForm
from benchmark_manager.web.site.forms import FormDependency, protected_form
from benchmark_manager.web.site.pages import CursorParameter, next_url, project_view, rows_from
from benchmark_manager.web.site.person import page_changes
from benchmark_manager.web.site.reader import reader_of
from benchmark_manager.web.site.rendering import render, see_other
from benchmark_manager.web.texts.limits import NAME, fitting
from benchmark_manager.web.texts.visible import html_size

router = APIRouter(prefix=PREFIX, dependencies=[Depends(protected_form)], include_in_schema=False)

_UNPROCESSABLE: Final = 422
#: Listed files of a release made now; the API lists all.
_FILES_SHOWN: Final = 200
#: The most originals for which the page lists the files of a release made now.
_FILES_SUMMED: Final = 20_000
#: Variants that the form offers for selection.
_CHOICES: Final = 500
#: Bytes of HTML of these two lists, and of a row without its path.
_FILES_BYTES: Final = 300_000
_CHOICES_BYTES: Final = 600_000
_ROW_BYTES: Final = 500


@router.get("/projects/{project_id}/releases")
async def list_releases(
    request: Request,
    services: ServicesDependency,
    principal: Reader,
    project_id: str,
    cursor: CursorParameter = None,
    cells: Annotated[bool, Query()] = False,
) -> Response:
    return await _list_page(
        request, services, principal, project_id, ReleaseForm(), cursor=cursor, cells=cells
    )


@router.post("/projects/{project_id}/releases")
async def make_release(
    request: Request,
    services: ServicesDependency,
    project_id: str,
    form: FormDependency,
    principal: Annotated[Principal, page_changes("release.create", "editor")],
) -> Response:
    reader = reader_of(request)
    typed = ReleaseForm.typed(form, reader)
    if not typed.errors:
        try:
            release, new = await services.releases.make(
                principal,
                project_id,
                name=typed.name,
                description=typed.description,
                pinned=typed.pinned,
                contents=typed.include,
                variant_ids=typed.variant_ids or None,
                substitutes=await services.releases.substitutes_for(
                    project_id, typed.substitute_ids
                ),
            )
        except (InvalidInputError, NotFoundError) as error:
            # Fails if the project itself was deleted in the meantime.
            await services.projects.get(project_id)
            typed.refuse(error, reader)
        else:
            if new:
                return see_other(f"{PREFIX}/releases/{release.digest}", "released")
            # The page of this making links to this project, and not to the one that made it first.
            return see_other(
                f"{PREFIX}/releases/{release.digest}?making={release.makings_count}",
                "released_again",
            )
    return await _list_page(
        request, services, principal, project_id, typed, status_code=_UNPROCESSABLE
    )


async def _list_page(
    request: Request,
    services: Services,
    principal: Principal,
    project_id: str,
    form: ReleaseForm,
    *,
    cursor: str | None = None,
    cells: bool = False,
    status_code: int = 200,
) -> Response:
    """Show the releases that people made; with `cells`, those of sweeps too."""
    view = await project_view(services, project_id)
    page = await services.releases.page(principal, project_id, rows_from(cursor), cells=cells)
    choices = await services.variants.page(project_id, PageRequest(limit=_CHOICES))
    clash: InvalidInputError | None = None
    digest = ""
    files: list[ReleaseFile] = []
    too_many = view.stats.original_files > _FILES_SUMMED
    try:
        # Digests of very many files take seconds, and most visitors of the page do not need them.
        digest, files = ("", []) if too_many else await services.releases.effective(project_id)
    except InvalidInputError as error:
        clash = error
    return render(
        request,
        "releases/releases.html",
        status_code=status_code,
        view=view,
        form=form,
        may_pin=principal.may("maintainer", project_id),
        releases=page.rows,
        cells=cells,
        cursor=cursor,
        next_url=next_url(request, page.next_cursor),
        variants=fitting(choices.rows, _choice_cost, _CHOICES_BYTES),
        digest=digest,
        files=files,
        size=sum(file.size for file in files),
        clash=clash,
        too_many=too_many,
        made=await _made(services, principal, digest) if files else None,
        shown=fitting(files[:_FILES_SHOWN], _cost, _FILES_BYTES),
    )


def _cost(file: ReleaseFile | Variant) -> int:
    return _ROW_BYTES + html_size(file.path[:NAME])


def _choice_cost(file: Variant) -> int:
    return _cost(file) + _ROW_BYTES + html_size(file.original_path[:NAME])


async def _made(services: Services, principal: Principal, digest: str) -> Release | None:
    """Return the release that has these files already, or None."""
    try:
        return await services.releases.get(principal, digest)
    except NotFoundError:
        return None
