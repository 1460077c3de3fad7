"""Pages of projects: the list, adding one, its settings, and actions such as a sync."""

from typing import Annotated, Final, Literal

from fastapi import APIRouter, Depends, Query, Request, Response

from benchmark_manager.domain.fields import LONGEST_ADDRESS
from benchmark_manager.errors import ConflictError, GitHubError, InvalidInputError, StaleError
from benchmark_manager.factory import Services
from benchmark_manager.incoming import AnyPrincipal, ServicesDependency, requires
from benchmark_manager.models.access.principal import Principal
from benchmark_manager.models.preview import RepositoryPreview
from benchmark_manager.models.project import Standing
from benchmark_manager.services.projects.previews import PreviewRequest
from benchmark_manager.web import PREFIX
from benchmark_manager.web.projects.forms import ProjectForm, patterns_of
from benchmark_manager.web.site.forms import Form, FormDependency, protected_form
from benchmark_manager.web.site.pages import (
    CursorParameter,
    ProjectView,
    SearchParameter,
    next_url,
    project_view,
    rows_from,
    searched,
    view_of,
    webhook_url,
)
from benchmark_manager.web.site.person import page_changes
from benchmark_manager.web.site.reader import reader_of
from benchmark_manager.web.site.rendering import render, see_other
from benchmark_manager.web.site.words import error_words

router = APIRouter(prefix=PREFIX, dependencies=[Depends(protected_form)], include_in_schema=False)

Maintainer = Annotated[Principal, requires("maintainer")]

_UNPROCESSABLE: Final = 422
_STALE: Final = 412


@router.get("")
async def list_projects(
    request: Request,
    services: ServicesDependency,
    principal: AnyPrincipal,
    q: SearchParameter = "",
    standing: Standing | Literal["all"] = "all",
    cursor: CursorParameter = None,
) -> Response:
    query = searched(q)
    page = await services.projects.page(
        principal, rows_from(cursor), query or None, None if standing == "all" else standing
    )
    stats = await services.projects.stats_of(page.rows)
    now = services.status.now()
    views = [view_of(project, stats[project.id], now) for project in page.rows]
    return render(
        request,
        "projects/projects.html",
        views=views,
        total=page.total,
        q=query,
        standing=standing,
        standings=await services.projects.standings(principal),
        may_sync=principal.may_somewhere("editor"),
        cursor=cursor,
        next_url=next_url(request, page.next_cursor),
    )


@router.post("/sync-all")
async def sync_all(
    services: ServicesDependency,
    principal: Annotated[Principal, page_changes("project.sync", "editor", "anywhere")],
) -> Response:
    await services.projects.make_all_due(principal)
    return see_other(PREFIX, "all_queued")


@router.get("/projects/new")
async def new_project(
    request: Request,
    services: ServicesDependency,
    _: Annotated[Principal, requires("maintainer", "site")],
    repository: Annotated[str, Query(max_length=LONGEST_ADDRESS)] = "",
) -> Response:
    form = ProjectForm.blank(services.projects.defaults)
    form.github_repo_url = repository
    return _new_page(request, form)


@router.post("/projects/new/preview")
async def preview_repository(
    request: Request,
    services: ServicesDependency,
    principal: Annotated[Principal, requires("maintainer", "anywhere")],
    form: FormDependency,
) -> Response:
    """Show the form again with the repository's branches and folders; nothing is stored."""
    reader = reader_of(request)
    typed = ProjectForm.typed(form, reader)
    typed.errors = {
        field: text for field, text in typed.errors.items() if field == "github_repo_url"
    }
    for name in ("config_folder", "job_folder"):
        if used := form.line(f"use_{name}"):
            typed.choose_folder(name, used.strip("/"))
    if typed.errors:
        return _new_page(request, typed, error=typed.errors["github_repo_url"])
    try:
        first = await services.previews.preview(principal, _preview_request(typed, form))
    except InvalidInputError as error:
        typed.refuse(error, reader)
        return _new_page(request, typed, error=next(iter(typed.errors.values())))
    except GitHubError as error:
        return _new_page(request, typed, error=error_words(reader, error))
    typed.offer(first)
    return _new_page(request, typed, first)


def _preview_request(typed: ProjectForm, form: Form) -> PreviewRequest:
    """Leave out untouched fields, so that the address or the repository may fill them."""
    is_branch = typed.ref_kind == "branch"
    ref = None if typed.is_ref_untouched else typed.ref
    return PreviewRequest(
        typed.github_repo_url,
        form.line("github_token") or None,
        branch=ref.name if ref is not None and is_branch else None,
        ref=None if is_branch else ref,
        config_folder=None if typed.is_untouched("config_folder") else typed.config_folder,
        job_folder=None if typed.is_untouched("job_folder") else typed.job_folder,
        include=patterns_of(typed.include),
        exclude=patterns_of(typed.exclude),
    )


def _new_page(
    request: Request,
    form: ProjectForm,
    preview: RepositoryPreview | None = None,
    *,
    error: str | None = None,
    status_code: int = 200,
) -> Response:
    return render(
        request,
        "projects/project_new.html",
        status_code=status_code,
        form=form,
        preview=preview,
        preview_error=error,
    )


@router.post("/projects/new")
async def add_project(
    request: Request,
    services: ServicesDependency,
    principal: Annotated[Principal, page_changes("project.create", "maintainer", "site")],
    form: FormDependency,
) -> Response:
    reader = reader_of(request)
    typed = ProjectForm.typed(form, reader)
    if not typed.errors:
        try:
            project = await services.projects.create(
                principal,
                typed.name,
                typed.github_repo_url,
                typed.settings(
                    form, default_config_folder=services.projects.defaults.config_folder
                ),
            )
        except (InvalidInputError, ConflictError) as error:
            typed.refuse(error, reader)
        else:
            return see_other(f"{PREFIX}/projects/{project.id}", "project_created")
    return _new_page(request, typed, status_code=_UNPROCESSABLE)


@router.get("/projects/{project_id}/settings")
async def show_settings(
    request: Request, services: ServicesDependency, _: Maintainer, project_id: str
) -> Response:
    view = await project_view(services, project_id)
    return _settings_page(request, services, view, ProjectForm.of(view.project))


@router.post("/projects/{project_id}/settings")
async def save_settings(
    request: Request,
    services: ServicesDependency,
    principal: Annotated[Principal, page_changes("project.edit", "maintainer")],
    project_id: str,
    form: FormDependency,
) -> Response:
    """Save the settings, or show what was typed again with the error or the newer settings."""
    reader = reader_of(request)
    project = await services.projects.get(project_id)
    typed = ProjectForm.typed(form, reader)
    status = _UNPROCESSABLE
    if not typed.errors:
        try:
            revisions = frozenset({typed.revision or 0})
            saved = await services.projects.update(
                principal, project_id, typed.changes(form, project), revisions
            )
        except (InvalidInputError, ConflictError) as error:
            typed.refuse(error, reader)
        except StaleError as error:
            status, typed.revision = _STALE, error.current_revision
            # When the form is saved again, all its fields replace what is stored.
            typed.drawn = {}
        else:
            note = "unchanged" if saved.revision == typed.revision else "saved"
            return see_other(f"{PREFIX}/projects/{project_id}/settings", note)
    view = await project_view(services, project_id)
    typed.token_set = view.project.source.encrypted_token is not None
    return _settings_page(request, services, view, typed, status_code=status)


def _settings_page(
    request: Request,
    services: Services,
    view: ProjectView,
    form: ProjectForm,
    *,
    status_code: int = 200,
) -> Response:
    return render(
        request,
        "projects/project_settings.html",
        status_code=status_code,
        view=view,
        form=form,
        stale=status_code == _STALE,
        webhooks=services.webhooks.enabled,
        webhook_url=webhook_url(request),
    )


@router.post("/projects/{project_id}/sync")
async def sync_now(
    services: ServicesDependency,
    principal: Annotated[Principal, page_changes("project.sync", "editor")],
    project_id: str,
) -> Response:
    await services.sync.start(principal, project_id, "manual")
    return see_other(f"{PREFIX}/projects/{project_id}", "sync_started")


@router.post("/projects/{project_id}/pause")
async def pause(
    services: ServicesDependency,
    principal: Annotated[Principal, page_changes("project.pause", "maintainer")],
    project_id: str,
) -> Response:
    await services.projects.pause(principal, project_id, None)
    return see_other(f"{PREFIX}/projects/{project_id}/settings", "paused")


@router.post("/projects/{project_id}/resume")
async def resume(
    services: ServicesDependency,
    principal: Annotated[Principal, page_changes("project.resume", "maintainer")],
    project_id: str,
) -> Response:
    await services.projects.resume(principal, project_id, None)
    return see_other(f"{PREFIX}/projects/{project_id}/settings", "resumed")


@router.get("/projects/{project_id}/delete")
async def confirm_deletion(
    request: Request, services: ServicesDependency, _: Maintainer, project_id: str
) -> Response:
    return render(
        request, "projects/project_delete.html", view=await project_view(services, project_id)
    )


@router.post("/projects/{project_id}/delete")
async def delete_project(
    services: ServicesDependency,
    principal: Annotated[Principal, page_changes("project.delete", "maintainer")],
    project_id: str,
    form: FormDependency,
) -> Response:
    """Delete the project, if it has not changed since the person saw it."""
    await services.projects.delete(principal, project_id, frozenset({form.number("revision") or 0}))
    return see_other(PREFIX, "project_deleted")
