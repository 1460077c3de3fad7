"""The page of one cell: its values, what it changes, and how it is used."""

import asyncio
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Annotated, Final

from fastapi import APIRouter, Depends, Path, Request, Response
from markupsafe import Markup

from benchmark_manager.domain.sweeps.limits import LARGEST_INDEX
from benchmark_manager.factory import Services
from benchmark_manager.incoming import ObjectReader, ServicesDependency
from benchmark_manager.models.release import Release
from benchmark_manager.models.sweep import Assignments, CellProblem, SweepCell
from benchmark_manager.web import PREFIX
from benchmark_manager.web.releases.commands import ReleaseCommands, commands_for
from benchmark_manager.web.results.section import of_release
from benchmark_manager.web.site.forms import protected_form
from benchmark_manager.web.site.pages import project_view
from benchmark_manager.web.site.rendering import render
from benchmark_manager.web.sweeps.cells import DrawnCellChange, shown_value
from benchmark_manager.web.texts.limits import CHANGES, fitting
from benchmark_manager.web.texts.problems import listed
from benchmark_manager.web.texts.visible import raw, visible

router = APIRouter(prefix=PREFIX, dependencies=[Depends(protected_form)], include_in_schema=False)

#: Other combinations that a page lists.
_ALSO: Final = 50
#: Lines of a patch, and characters of them, that a page shows.
_LINES: Final = 1000
_CHARACTERS: Final = 40_000
_CLASSES: Final = {"+": "added", "-": "removed", "@": "note", "\\": "note"}


@dataclass(frozen=True, slots=True)
class DrawnPatch:
    """The beginning of a patch as HTML; `is_cut` says that it goes on."""

    html: Markup
    is_cut: bool

    @classmethod
    def of(cls, patch: str) -> "DrawnPatch":
        shown = patch[:_CHARACTERS].split("\n")
        lines = shown[:_LINES]
        is_cut = len(patch) > _CHARACTERS or len(shown) > _LINES
        return cls(raw("".join(_patch_lines(lines if is_cut else lines[:-1]))), is_cut)


def _patch_lines(lines: Iterable[str]) -> Iterable[str]:
    for line in lines:
        css = "note" if line.startswith(("--- ", "+++ ")) else _CLASSES.get(line[:1], "")
        yield f'<span class="{css}">{visible(line)}\n</span>'


@router.get("/sweeps/{sweep_id}/cells/{index}")
async def show_cell(
    request: Request,
    services: ServicesDependency,
    principal: ObjectReader,
    sweep_id: str,
    index: Annotated[int, Path(ge=0, le=LARGEST_INDEX)],
) -> Response:
    sweep = await services.sweeps.reader.get(principal, sweep_id)
    detail = await services.sweeps.reader.cell(principal, sweep_id, index)
    cell = detail.listed.cell
    changes = [DrawnCellChange.of(change) for change in detail.changes]
    release = await services.releases.get(principal, cell.digest)
    return render(
        request,
        "sweeps/cell.html",
        view=await project_view(services, sweep.project_id),
        sweep=sweep,
        cell=cell,
        assigned=_assigned(cell),
        also=[_combination(made) for made in cell.also[:_ALSO]],
        problems=_problems(detail.listed.problems),
        problems_count=len(detail.listed.problems),
        changes=fitting(changes, lambda change: change.cost, CHANGES),
        changes_count=len(changes),
        patch=None if detail.unified is None else DrawnPatch.of(detail.unified),
        has_next=await services.sweeps.reader.has_cell(principal, sweep_id, index + 1),
        release=release,
        section=await of_release(services, principal, release, sweep.project_id),
        commands=await _commands(request, services, release),
    )


def _problems(problems: Sequence[CellProblem]) -> list[CellProblem]:
    """Return the problems that fit on a page, with their files."""
    shown = listed([found.problem for found in problems]).problems
    return [
        CellProblem(file=found.file, problem=problem)
        for found, problem in zip(problems, shown, strict=False)
    ]


def _assigned(cell: SweepCell) -> Sequence[tuple[str, str]]:
    return [(axis, shown_value(cell.assignments, axis)) for axis in cell.assignments]


def _combination(made: Assignments) -> str:
    return ", ".join(f"{axis}={shown_value(made, axis)}" for axis in made)


async def _commands(request: Request, services: Services, release: Release) -> ReleaseCommands:
    files = await services.releases.files(release, 1)
    url = str(request.base_url).rstrip("/")
    return await asyncio.to_thread(commands_for, release, files, url)
