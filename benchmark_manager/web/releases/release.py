"""Pages of one release: its files and their sources, its name, and a comparison with another."""

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Annotated, Final
from urllib.parse import quote

from fastapi import APIRouter, Depends, Query, Request, Response

from benchmark_manager.domain.text.folding import fold
from benchmark_manager.domain.text.json_line import json_line
from benchmark_manager.errors import ConflictError, InvalidInputError, NotFoundError, StaleError
from benchmark_manager.factory import Services
from benchmark_manager.incoming import ObjectReader, ServicesDependency
from benchmark_manager.models.access.principal import Principal
from benchmark_manager.models.page import PageRequest
from benchmark_manager.models.release import Making, Release, ReleaseFile
from benchmark_manager.services.releases.releases import Origins, may
from benchmark_manager.web import PREFIX
from benchmark_manager.web.releases.commands import commands_for
from benchmark_manager.web.releases.comparison import DrawnComparison
from benchmark_manager.web.releases.forms import ReleaseForm
from benchmark_manager.web.results.section import of_release
from benchmark_manager.web.site.forms import FormDependency, protected_form
from benchmark_manager.web.site.pages import (
    ProjectView,
    SearchParameter,
    StartParameter,
    project_view,
    searched,
)
from benchmark_manager.web.site.person import page_changes
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
    principal: ObjectReader,
    digest: str,
    q: SearchParameter = "",
    making: MakingParameter = 1,
    start: StartParameter = 0,
) -> Response:
    release = await services.releases.get(principal, digest)
    form = ReleaseForm.of(release)
    return await _release_page(
        request, services, principal, release, form, query=searched(q), number=making, start=start
    )


@router.post("/releases/{digest}")
async def save_release(
    request: Request,
    services: ServicesDependency,
    principal: Annotated[Principal, page_changes("release.edit", "editor", "object")],
    digest: str,
    form: FormDependency,
) -> Response:
    """Save name, description and pin, or show what was typed again with the error."""
    release = await services.releases.get(principal, digest, "editor")
    typed = ReleaseForm.typed(form, reader_of(request))
    status = _UNPROCESSABLE
    if not typed.errors:
        try:
            saved = await services.releases.update(
                principal,
                release.digest,
                name=typed.name,
                description=typed.description,
                # Whom the form offers no pin does not change it.
                pinned=typed.pinned if may(principal, "maintainer", release) else None,
                expected_revisions=frozenset({typed.revision}),
            )
        except StaleError:
            release = await services.releases.get(principal, release.digest)
            status, typed.revision = _STALE, release.revision
        else:
            return await _saved(
                services, principal, saved, changed=saved.revision != typed.revision
            )
    return await _release_page(request, services, principal, release, typed, status_code=status)


async def _saved(
    services: Services, principal: Principal, release: Release, *, changed: bool
) -> Response:
    """Redirect to the release, or to the projects: without pin and project, it was deleted."""
    try:
        await services.releases.get(principal, release.digest)
    except NotFoundError:
        return see_other(PREFIX, "release_deleted")
    return see_other(f"{PREFIX}/releases/{release.digest}", "saved" if changed else "unchanged")


async def _release_page(
    request: Request,
    services: Services,
    principal: Principal,
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
        may_edit=may(principal, "editor", release),
        may_pin=may(principal, "maintainer", release),
        stale=status_code == _STALE,
        sources=[_source(release, file, view, origins) for file in shown.rows],
        shown=shown,
        count=len(found),
        listed_makings=fitting(makings[:_MAKINGS_SHOWN], _making_cost, _MAKINGS_BYTES),
        q=query,
        makings=makings,
        number=number,
        section=await of_release(services, principal, release, view.project.id) if view else None,
        of_sweep=await _of_sweep(services, principal, release, files),
        others=await _others(services, principal, release, view),
        commands=await asyncio.to_thread(
            commands_for, release, files, str(request.base_url).rstrip("/")
        ),
    )


@dataclass(frozen=True, slots=True)
class DrawnCell:
    """The cell of a sweep that a release is: its values, and its page (None if it is gone)."""

    values: tuple[tuple[str, str], ...]
    name: str
    page: str | None


async def _of_sweep(
    services: Services, principal: Principal, release: Release, files: Sequence[ReleaseFile]
) -> DrawnCell | None:
    """Return the cell that a release is; None if it is that of no sweep."""
    edited = next((file for file in files if file.sweep_id and file.assignments), None)
    if edited is None or edited.sweep_id is None:
        return None
    assigned = (edited.assignments or {}).items()
    values = tuple((axis, json_line(value)) for axis, value in assigned)
    found = await services.sweeps.reader.cell_of_release(principal, edited.sweep_id, release.digest)
    if found is None:
        return DrawnCell(values, "", None)
    sweep, cell = found
    return DrawnCell(values, sweep.name, f"{PREFIX}/sweeps/{sweep.id}/cells/{cell.index}")


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


async def _others(
    services: Services, principal: Principal, release: Release, view: ProjectView | None
) -> list[Release]:
    if view is None:
        return []
    page = await services.releases.page(
        principal, view.project.id, PageRequest(limit=_OTHERS, cursor=None)
    )
    return [other for other in page.rows if other.digest != release.digest]


@router.get("/releases/{digest}/compare")
async def compare_releases(
    request: Request,
    services: ServicesDependency,
    principal: ObjectReader,
    digest: str,
    other: Annotated[str, Query(alias="with", max_length=1000)] = "",
) -> Response:
    """Show what differs in another release; without one, the field for its digest."""
    release = await services.releases.get(principal, digest)
    view = await _view(services, (await services.releases.makings(release))[0])
    beside: Release | None = None
    refusal: InvalidInputError | ConflictError | NotFoundError | None = None
    wanted = other.strip()
    if wanted:
        try:
            beside = await services.releases.get(principal, wanted)
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
        others=await _others(services, principal, release, view),
        comparison=await _compared(services, release, beside) if beside else None,
    )


async def _compared(services: Services, release: Release, beside: Release) -> DrawnComparison:
    return await asyncio.to_thread(
        DrawnComparison.of, await services.release_delivery.compare(release, beside)
    )
