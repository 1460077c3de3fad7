"""Pages of one release: its files and their sources, its name, and a comparison with another."""

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Annotated, Final
from urllib.parse import quote

from fastapi import APIRouter, Depends, Query, Request, Response

from benchmark_manager.domain.text.folding import fold
from benchmark_manager.errors import ConflictError, InvalidInputError, NotFoundError, StaleError
from benchmark_manager.factory import Services
from benchmark_manager.incoming import ServicesDependency
from benchmark_manager.models.page import PageRequest
from benchmark_manager.models.release import Making, Release, ReleaseFile
from benchmark_manager.services.releases.releases import Origins
from benchmark_manager.web import PREFIX
from benchmark_manager.web.releases.commands import commands_for
from benchmark_manager.web.releases.comparison import DrawnComparison
from benchmark_manager.web.releases.forms import ReleaseForm
from benchmark_manager.web.site.forms import FormDependency, protected_form
from benchmark_manager.web.site.pages import (
    ProjectView,
    SearchParameter,
    StartParameter,
    project_view,
    searched,
)
from benchmark_manager.web.site.reader import reader_of
from benchmark_manager.web.site.rendering import render, see_other
from benchmark_manager.web.texts.limits import NAME, fitting, window
from benchmark_manager.web.texts.visible import html_size

router = APIRouter(prefix=PREFIX, dependencies=[Depends(protected_form)], include_in_schema=False)

_UNPROCESSABLE: Final = 422
_STALE: Final = 412
#: Files on one page; the search finds others.
_FILES_SHOWN: Final = 500
_FILES_BYTES: Final = 1_000_000
_ROW_BYTES: Final = 800
#: Makings that the page of a release lists.
_MAKINGS_SHOWN: Final = 200
_MAKINGS_BYTES: Final = 300_000
#: Other releases that are offered for a comparison.
_OTHERS: Final = 50

MakingParameter = Annotated[int, Query(ge=1, le=1_000_000_000)]


@dataclass(frozen=True, slots=True)
class DrawnReleaseFile:
    """A file of a release, the page of its source (None if deleted), and its raw address."""

    file: ReleaseFile
    page: str | None
    raw: str


@router.get("/releases/{digest}")
async def show_release(
    request: Request,
    services: ServicesDependency,
    digest: str,
    q: SearchParameter = "",
    making: MakingParameter = 1,
    start: StartParameter = 0,
) -> Response:
    release = await services.releases.get(digest)
    form = ReleaseForm.of(release)
    return await _release_page(
        request, services, release, form, query=searched(q), number=making, start=start
    )


@router.post("/releases/{digest}")
async def save_release(
    request: Request, services: ServicesDependency, digest: str, form: FormDependency
) -> Response:
    """Save name, description and pin, or show what was typed again with the error."""
    release = await services.releases.get(digest)
    typed = ReleaseForm.typed(form, reader_of(request))
    status = _UNPROCESSABLE
    if not typed.errors:
        try:
            saved = await services.releases.update(
                release.digest,
                name=typed.name,
                description=typed.description,
                pinned=typed.pinned,
                expected_revisions=frozenset({typed.revision}),
            )
        except StaleError:
            release = await services.releases.get(release.digest)
            status, typed.revision = _STALE, release.revision
        else:
            return await _saved(services, saved, changed=saved.revision != typed.revision)
    return await _release_page(request, services, release, typed, status_code=status)


async def _saved(services: Services, release: Release, *, changed: bool) -> Response:
    """Redirect to the release, or to the projects: without pin and project, it was deleted."""
    try:
        await services.releases.get(release.digest)
    except NotFoundError:
        return see_other(PREFIX, "release_deleted")
    return see_other(f"{PREFIX}/releases/{release.digest}", "saved" if changed else "unchanged")


async def _release_page(
    request: Request,
    services: Services,
    release: Release,
    form: ReleaseForm,
    *,
    query: str = "",
    number: int = 1,
    start: int = 0,
    status_code: int = 200,
) -> Response:
    files = await services.releases.files(release, number)
    makings = await services.releases.makings(release)
    # For a making that is not listed, the project is unknown here, so files have no links.
    making = makings[number - 1] if number <= len(makings) else None
    view = await _view(services, making)
    # In a thread, because a hundred thousand files would block the event loop noticeably.
    found = await asyncio.to_thread(_found, files, query)
    shown = window(found, start, _FILES_SHOWN, _cost, _FILES_BYTES)
    origins = await services.releases.origins(view.project.id, shown.rows) if view else None
    return render(
        request,
        "releases/release.html",
        status_code=status_code,
        release=release,
        view=view,
        form=form,
        stale=status_code == _STALE,
        sources=[_source(release, file, view, origins) for file in shown.rows],
        shown=shown,
        count=len(found),
        listed_makings=fitting(makings[:_MAKINGS_SHOWN], _making_cost, _MAKINGS_BYTES),
        q=query,
        makings=makings,
        number=number,
        others=await _others(services, release, view),
        commands=await asyncio.to_thread(
            commands_for, release, files, str(request.base_url).rstrip("/")
        ),
    )


def _found(files: Sequence[ReleaseFile], query: str) -> list[ReleaseFile]:
    wanted = fold(query)
    return [file for file in files if wanted in fold(file.path)]


def _cost(file: ReleaseFile) -> int:
    """Return the bytes of HTML of a row: its tags, the path, and two addresses with it."""
    return _ROW_BYTES + html_size(file.path[:NAME]) + 6 * len(file.path.encode())


def _making_cost(making: Making) -> int:
    return _ROW_BYTES + html_size(making.name) + html_size(making.created_by)


async def _view(services: Services, making: Making | None) -> ProjectView | None:
    """Return the project of a making, or None if it was deleted."""
    if making is None:
        return None
    try:
        return await project_view(services, making.project_id)
    except NotFoundError:
        return None


def _source(
    release: Release, file: ReleaseFile, view: ProjectView | None, origins: Origins | None
) -> DrawnReleaseFile:
    page: str | None = None
    if view is not None and origins is not None:
        if file.source == "modified" and file.modified_file_id in origins.modified:
            page = f"{PREFIX}/modified-files/{file.modified_file_id}"
        elif file.source == "original" and file.path in origins.originals:
            page = f"{PREFIX}/projects/{view.project.id}/files/{origins.originals[file.path]}"
    return DrawnReleaseFile(file, page, f"/releases/{release.digest}/files/{quote(file.path)}")


async def _others(services: Services, release: Release, view: ProjectView | None) -> list[Release]:
    if view is None:
        return []
    page = await services.releases.page(view.project.id, PageRequest(limit=_OTHERS, cursor=None))
    return [other for other in page.rows if other.digest != release.digest]


@router.get("/releases/{digest}/compare")
async def compare_releases(
    request: Request,
    services: ServicesDependency,
    digest: str,
    other: Annotated[str, Query(alias="with", max_length=1000)] = "",
) -> Response:
    """Show what differs in another release; without one, the field for its digest."""
    release = await services.releases.get(digest)
    view = await _view(services, (await services.releases.makings(release))[0])
    beside: Release | None = None
    refusal: InvalidInputError | ConflictError | NotFoundError | None = None
    wanted = other.strip()
    if wanted:
        try:
            beside = await services.releases.get(wanted)
        except (InvalidInputError, ConflictError, NotFoundError) as error:
            refusal = error
    return render(
        request,
        "releases/release_compare.html",
        status_code=_UNPROCESSABLE if refusal else 200,
        release=release,
        other=beside,
        wanted=wanted,
        refusal=refusal,
        view=view,
        others=await _others(services, release, view),
        comparison=await _compared(services, release, beside) if beside else None,
    )


async def _compared(services: Services, release: Release, beside: Release) -> DrawnComparison:
    return await asyncio.to_thread(
        DrawnComparison.of, await services.release_delivery.compare(release, beside)
    )
