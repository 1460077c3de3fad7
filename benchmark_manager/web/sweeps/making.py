"""Pages that make a sweep, and give one another definition."""

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass, replace
from typing import Annotated, Final

from fastapi import APIRouter, Depends, Query, Request, Response
from pydantic import JsonValue

from benchmark_manager.domain.fields import LONGEST_ID
from benchmark_manager.domain.sweeps.definition import definition_json
from benchmark_manager.domain.sweeps.limits import MOST_AXES
from benchmark_manager.domain.sweeps.yaml_form import definition_yaml
from benchmark_manager.errors import (
    InvalidInputError,
    NotFoundError,
    StaleError,
    WorkersBusyError,
)
from benchmark_manager.factory import Services
from benchmark_manager.incoming import ServicesDependency, requires
from benchmark_manager.models.access.principal import Principal
from benchmark_manager.models.page import PageRequest
from benchmark_manager.models.sweep import Sweep, SweptBase, SweptFile
from benchmark_manager.services.sweeps.sweeps import SweepPreview
from benchmark_manager.web import PREFIX
from benchmark_manager.web.site.forms import FormDependency, protected_form
from benchmark_manager.web.site.pages import ProjectView, project_view, refusal_status
from benchmark_manager.web.site.person import page_changes
from benchmark_manager.web.site.reader import Reader, reader_of
from benchmark_manager.web.site.rendering import editor_size, render, see_other
from benchmark_manager.web.sweeps.actions import DraftActions
from benchmark_manager.web.sweeps.cells import DrawnPreview
from benchmark_manager.web.sweeps.drafts import MOST_FIELDS, SweepDraft
from benchmark_manager.web.sweeps.picking import DrawnPicks, drawn_picks
from benchmark_manager.web.sweeps.reading import DraftReader, refuse
from benchmark_manager.web.texts.limits import NAME, fitting
from benchmark_manager.web.texts.visible import html_size

router = APIRouter(prefix=PREFIX, dependencies=[Depends(protected_form)], include_in_schema=False)

_UNPROCESSABLE: Final = 422
_NOT_FOUND: Final = 404
_STALE: Final = 412
#: Bytes of HTML of a definition's YAML, and of what it was before.
_YAML_BYTES: Final = 900_000
#: Paths that are offered for another file.
_OFFERED: Final = 200
_OFFERED_BYTES: Final = 100_000
_ROW_BYTES: Final = 40

IdParameter = Annotated[str, Query(max_length=LONGEST_ID)]


@dataclass(frozen=True, slots=True)
class SweepFormContext:
    """Who fills in the form of a sweep, and what previews it; `sweep` is the one to change."""

    services: Services
    principal: Principal
    view: ProjectView
    reader: Reader
    preview: Callable[[JsonValue], Awaitable[SweepPreview]]
    sweep: Sweep | None = None

    @property
    def bases(self) -> Sequence[SweptBase]:
        return () if self.sweep is None else self.sweep.bases

    @property
    def actions(self) -> DraftActions:
        return DraftActions(
            self.services, self.principal, self.view.project.id, self.reader, self.bases
        )

    async def value(self, draft: SweepDraft) -> JsonValue:
        """Return what a draft means, for the service to check; None if a field is refused.

        Raises:
            InvalidInputError, WorkersBusyError
        """
        if draft.mode == "yaml":
            return await self.services.sweeps.drafting.value_of_yaml(draft.yaml)
        reading = DraftReader(draft, self.reader)
        if reading.without_targets():
            return None
        # In a thread: axes may have a thousand values at each of many targets.
        definition = await asyncio.to_thread(reading.definition)
        return None if definition is None else await asyncio.to_thread(definition_json, definition)


@router.get("/projects/{project_id}/sweeps/new")
async def new_sweep(
    request: Request,
    services: ServicesDependency,
    principal: Annotated[Principal, requires("editor")],
    project_id: str,
    file: IdParameter = "",
    variant: IdParameter = "",
    axis: Annotated[list[str], Query(max_length=MOST_AXES)] = [],  # noqa: B006 -- FastAPI copies it
) -> Response:
    """Show the form; a file, and values in it, may be chosen already."""
    context = await new_form_context(request, services, principal, project_id)
    draft = SweepDraft()
    if file or variant:
        swept, path = await _chosen(context, file, variant)
        context.actions.start(draft, swept, path)
        draft.name = path.rpartition("/")[2].rpartition(".")[0]
    for target in axis:
        await context.actions.pick(draft, target)
    return await form_page(request, context, draft)


async def _chosen(context: SweepFormContext, file: str, variant: str) -> tuple[SweptFile, str]:
    """Return the original or the variant with an id, and its path.

    Raises:
        NotFoundError
    """
    project_id = context.view.project.id
    if variant:
        found = await context.services.sweeps.drafting.variant(
            context.principal, project_id, variant
        )
        if found is None:
            raise NotFoundError("modified file", variant)
        return SweptFile(alias="", variant_id=found.id), found.path
    original = await context.services.originals.get(project_id, file)
    return SweptFile(alias="", path=original.path), original.path


@router.post("/projects/{project_id}/sweeps/new")
async def make_sweep(
    request: Request,
    services: ServicesDependency,
    project_id: str,
    form: FormDependency,
    principal: Annotated[Principal, page_changes("sweep.create", "editor")],
) -> Response:
    """Make the sweep, or do what another button of the form says."""
    context = await new_form_context(request, services, principal, project_id)

    async def make(value: JsonValue, _: SweepDraft) -> str:
        return (await services.sweeps.sweeps.create(principal, project_id, value)).id

    return await _answer(request, context, form, make, "sweep_created")


@router.get("/sweeps/{sweep_id}/edit")
async def edit_sweep(
    request: Request,
    services: ServicesDependency,
    principal: Annotated[Principal, requires("editor", "object")],
    sweep_id: str,
) -> Response:
    sweep = await services.sweeps.reader.stored(principal, sweep_id, "editor")
    context = await _edit_form_context(request, services, principal, sweep)
    return await form_page(request, context, await _stored(context, sweep))


@router.post("/sweeps/{sweep_id}/edit")
async def save_sweep(
    request: Request,
    services: ServicesDependency,
    sweep_id: str,
    form: FormDependency,
    principal: Annotated[Principal, page_changes("sweep.edit", "editor", "object")],
) -> Response:
    """Save the definition, or do what another button of the form says."""
    try:
        sweep = await services.sweeps.reader.stored(principal, sweep_id, "editor")
    except NotFoundError as error:
        return await _deleted(request, services, principal, form, error)
    context = await _edit_form_context(request, services, principal, sweep)

    async def save(value: JsonValue, draft: SweepDraft) -> str:
        revisions = frozenset({draft.revision})
        await services.sweeps.sweeps.update(
            principal, sweep_id, value, expected_revisions=revisions
        )
        return sweep_id

    return await _answer(request, context, form, save, "saved")


async def _deleted(
    request: Request,
    services: Services,
    principal: Principal,
    form: FormDependency,
    error: NotFoundError,
) -> Response:
    """Show what was typed about a sweep that is gone as the form of a new one.

    Raises:
        NotFoundError: the person may not make sweeps in the project of the form.
    """
    project_id = form.text("project")
    if not principal.may("editor", project_id):
        raise error
    context = await new_form_context(request, services, principal, project_id)
    draft = SweepDraft.typed(form)
    return await form_page(request, context, draft, status_code=_NOT_FOUND)


async def new_form_context(
    request: Request, services: Services, principal: Principal, project_id: str
) -> SweepFormContext:
    """Return the context of the form of a new sweep.

    Raises:
        NotFoundError
    """
    view = await project_view(services, project_id)

    async def preview(value: JsonValue) -> SweepPreview:
        return await services.sweeps.sweeps.preview(principal, project_id, value, whole=False)

    return SweepFormContext(services, principal, view, reader_of(request), preview)


async def _edit_form_context(
    request: Request, services: Services, principal: Principal, sweep: Sweep
) -> SweepFormContext:
    view = await project_view(services, sweep.project_id)

    async def preview(value: JsonValue) -> SweepPreview:
        return await services.sweeps.sweeps.preview_update(principal, sweep.id, value, whole=False)

    return SweepFormContext(services, principal, view, reader_of(request), preview, sweep)


async def _stored(context: SweepFormContext, sweep: Sweep) -> SweepDraft:
    """Return the draft of the stored definition: as fields, unless they would be too many."""
    paths = await context.actions.paths_of(sweep.definition)
    draft = SweepDraft.of(sweep.definition, paths, sweep.revision)
    draft.shown = draft.files[0].alias
    if draft.size > MOST_FIELDS:
        text = definition_yaml(sweep.definition)
        return SweepDraft(mode="yaml", yaml=text, revision=sweep.revision)
    return draft


async def _answer(
    request: Request,
    context: SweepFormContext,
    form: FormDependency,
    store: Callable[[JsonValue, SweepDraft], Awaitable[str]],
    note: str,
) -> Response:
    draft = SweepDraft.typed(form)
    draft.settle()
    do = form.text("do")
    if do != "store":
        await context.actions.carry_out(draft, do)
        return await form_page(request, context, draft, checks=do in {"", "preview", "enter"})
    status = _UNPROCESSABLE
    try:
        value = None if context.actions.leaves_file(draft) else await context.value(draft)
        if value is not None:
            return see_other(f"{PREFIX}/sweeps/{await store(value, draft)}", note)
    except StaleError as error:
        draft.revision, status = error.current_revision, _STALE
    except (InvalidInputError, WorkersBusyError) as error:
        refuse(draft, error, context.reader)
        status = refusal_status(error)
    draft.focus = draft.first_error
    return await form_page(request, context, draft, status_code=status)


async def form_page(
    request: Request,
    context: SweepFormContext,
    draft: SweepDraft,
    *,
    checks: bool = False,
    notes: Sequence[str] = (),
    status_code: int = 200,
) -> Response:
    """Show a draft; with `checks`, what the preview refuses stands beside its field.

    Raises:
        InvalidInputError: the fields are too long for a page.
    """
    if draft.size > MOST_FIELDS:
        raise InvalidInputError(
            "invalid_request", "text_too_long", field="definition", limit=MOST_FIELDS
        )
    preview = await _preview(context, draft, checks=checks)
    return render(
        request,
        "sweeps/sweep_form.html",
        status_code=status_code,
        view=context.view,
        sweep=context.sweep,
        draft=draft,
        preview=preview,
        notes=notes,
        picks=None if draft.mode == "yaml" else await _picks(context, draft),
        offered=await _offered(context),
        yaml_fits=editor_size(draft.yaml) + editor_size(draft.kept_yaml) <= _YAML_BYTES,
        refused=status_code == _UNPROCESSABLE,
        stale=status_code == _STALE,
        deleted=status_code == _NOT_FOUND,
    )


async def _preview(
    context: SweepFormContext, draft: SweepDraft, *, checks: bool
) -> DrawnPreview | None:
    """Return what a draft would make, or why it would be refused; None while it has no axis."""
    if draft.mode == "form" and not draft.axes:
        return None
    if draft.errors:
        return DrawnPreview.refused(next(iter(draft.errors.values())))
    checked = draft if checks else replace(draft, errors={})
    try:
        value = await context.value(checked)
        if value is not None:
            return DrawnPreview.of(await context.preview(value), context.reader)
    except (InvalidInputError, WorkersBusyError) as error:
        refuse(checked, error, context.reader)
    return DrawnPreview.refused(next(iter(checked.errors.values())))


async def _picks(context: SweepFormContext, draft: SweepDraft) -> DrawnPicks | None:
    """Return the lines of the file that is shown; None if there is none."""
    file = next((each for each in draft.files if each.alias == draft.shown), None)
    if file is None:
        return None
    project_id = context.view.project.id
    text = await context.services.sweeps.drafting.text_of(
        context.principal, project_id, file.swept, context.bases
    )
    if text is None:
        return None
    return await drawn_picks(context.services, file.alias, text, draft.part, draft.targets)


async def _offered(context: SweepFormContext) -> list[str]:
    """Return the first paths of originals and variants, which can be added."""
    project_id = context.view.project.id
    request = PageRequest(limit=_OFFERED)
    originals = await context.services.originals.page(
        project_id,
        request,
        file_type=None,
        query=None,
        include_removed=False,
        content_budget=None,
    )
    variants = await context.services.variants.page(project_id, request)
    paths = [file.path for file in originals.rows] + [file.path for file in variants.rows]
    return list(fitting([path for path in paths if len(path) <= NAME], _cost, _OFFERED_BYTES))


def _cost(path: str) -> int:
    return _ROW_BYTES + html_size(path)
