"""The form that uploads a result of a release."""

from typing import Annotated, Final

from fastapi import APIRouter, Depends, Request, Response

from benchmark_manager.errors import ConflictError, InvalidInputError
from benchmark_manager.factory import Services
from benchmark_manager.incoming import ServicesDependency, requires
from benchmark_manager.models.access.principal import Principal
from benchmark_manager.models.release import Release
from benchmark_manager.models.result import Result, ResultUpload
from benchmark_manager.web import PREFIX
from benchmark_manager.web.results.drafts import ResultDraft
from benchmark_manager.web.results.section import projects_for
from benchmark_manager.web.site.forms import Form, FormDependency, protected_form
from benchmark_manager.web.site.languages import N_
from benchmark_manager.web.site.pages import project_view, refusal_status
from benchmark_manager.web.site.person import page_changes
from benchmark_manager.web.site.reader import reader_of
from benchmark_manager.web.site.rendering import render, see_other

router = APIRouter(prefix=PREFIX, dependencies=[Depends(protected_form)], include_in_schema=False)

_UNPROCESSABLE: Final = 422
_NO_FILE: Final = N_("Choose a file.")


@router.get("/releases/{digest}/results/new")
async def new_result(
    request: Request,
    services: ServicesDependency,
    principal: Annotated[Principal, requires("editor", "object")],
    digest: str,
) -> Response:
    release = await services.releases.get(principal, digest, "editor")
    draft = ResultDraft(most=services.results.max_size)
    return await _upload_page(request, services, principal, release, draft)


@router.post("/releases/{digest}/results")
async def upload_result(
    request: Request,
    services: ServicesDependency,
    digest: str,
    form: FormDependency,
    principal: Annotated[Principal, page_changes("result.create", "editor", "object")],
) -> Response:
    """Store the file, or show the form again with what was typed and why it was refused."""
    release = await services.releases.get(principal, digest, "editor")
    reader = reader_of(request)
    draft = ResultDraft.typed(form, reader, services.results.max_size)
    data = form.file("file")
    status = _UNPROCESSABLE
    if data is None:
        draft.errors["file"] = reader.words(_NO_FILE)
    if data is not None and not draft.errors:
        try:
            result, new = await _upload(services, principal, release, form, draft, data)
        except (ConflictError, InvalidInputError) as error:
            draft.refuse(error, reader)
            status = refusal_status(error)
        else:
            note = "result_uploaded" if new else "result_known"
            return see_other(f"{PREFIX}/results/{result.id}", note)
    return await _upload_page(request, services, principal, release, draft, status_code=status)


async def _upload(
    services: Services,
    principal: Principal,
    release: Release,
    form: Form,
    draft: ResultDraft,
    data: bytes,
) -> tuple[Result, bool]:
    return await services.results.upload(
        principal,
        ResultUpload(
            release=release.digest,
            project_id=draft.project_id or None,
            file_name=form.file_name("file"),
            data=data,
            tool=draft.chosen_tool,
            labels=draft.read,
            note=draft.note,
        ),
    )


async def _upload_page(
    request: Request,
    services: Services,
    principal: Principal,
    release: Release,
    draft: ResultDraft,
    *,
    status_code: int = 200,
) -> Response:
    projects = await projects_for(services, principal, release)
    shown = draft.project_id if draft.project_id in projects else next(iter(projects), None)
    return render(
        request,
        "results/upload.html",
        status_code=status_code,
        view=await project_view(services, shown) if shown else None,
        release=release,
        draft=draft,
        projects=projects,
    )
