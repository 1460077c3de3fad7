"""Projects and their syncs."""

from typing import Annotated, Any, Final

from fastapi import APIRouter, Query, Request, Response
from pydantic import SecretStr, TypeAdapter

from benchmark_manager.api.http.json_bodies import BoundedBody
from benchmark_manager.api.http.problems import NOT_MODIFIED, documented, sync_problem
from benchmark_manager.api.http.requests import (
    IfMatchDependency,
    PageDependency,
    SearchText,
    ServicesDependency,
    json_list,
    json_resource,
)
from benchmark_manager.api.shapes import (
    ProjectAnswer,
    ProjectCreate,
    ProjectDetail,
    ProjectUpdate,
    QueuedAnswer,
    RefGiven,
    project_answer,
    project_detail,
)
from benchmark_manager.domain.projects.settings import UNSET, ProjectChanges, ProjectSettings
from benchmark_manager.factory import Services
from benchmark_manager.models.project import Project, Ref, Standing
from benchmark_manager.models.sync import Sync, SyncOutcome, SyncProgress, SyncTrigger

router = APIRouter(
    prefix="/projects", tags=["projects"], route_class=BoundedBody, strict_content_type=False
)

_PROJECTS: Final = TypeAdapter(list[ProjectAnswer])
_SYNCS: Final = TypeAdapter(list[Sync])
_BODY: Final = (
    "malformed_json",
    "body_too_large",
    "unsupported_media_type",
    "invalid_request",
    "disk_full",
)
#: What a body gets which a route has no use for.
_NO_BODY: Final = ("body_too_large", "unsupported_media_type")
_FIELDS: Final = (
    "invalid_github_url",
    "github_url_not_allowed",
    "invalid_folder",
    "invalid_pattern",
    "invalid_branch",
    "invalid_ref",
    "contradictory_ref",
    "ambiguous_address",
    "invalid_token",
    "project_name_taken",
)
_SYNC_FAILURES: Final = (
    "repository_not_found",
    "branch_not_found",
    "tag_not_found",
    "commit_not_found",
    "repository_empty",
    "github_unauthorized",
    "github_forbidden",
    "token_unreadable",
    "github_url_not_allowed",
    "tree_too_large",
    "github_unavailable",
    "github_rate_limited",
    "service_stopping",
    "disk_full",
)


@router.post(
    "",
    status_code=201,
    summary="Register a repository",
    response_model=ProjectDetail,
    responses=documented(*_BODY, *_FIELDS, "branch_not_found"),
)
async def create_project(
    request: Request, services: ServicesDependency, body: ProjectCreate
) -> Response:
    """Its first sync starts within a second; `POST …/sync` waits for it, or starts it."""
    given = {
        name: value for name in body.model_fields_set if (value := getattr(body, name)) is not None
    }
    project = await services.projects.create(body.name, body.github_repo_url, _settings(given))
    return await _detail(request, services, project, status_code=201)


@router.get(
    "",
    summary="All projects, by name",
    response_model=list[ProjectAnswer],
    responses=documented("invalid_cursor", "invalid_request"),
)
async def list_projects(
    request: Request,
    services: ServicesDependency,
    page: PageDependency,
    q: Annotated[
        SearchText, Query(max_length=200, description="Part of a name, regardless of case.")
    ] = None,
    standing: Annotated[
        Standing | None,
        Query(description="Only those whose last sync ended so, or which are paused."),
    ] = None,
) -> Response:
    """Without counts of files, which one project has. No answer holds a token, only whether one is set."""
    found = await services.projects.page(page, q, standing)
    now = services.status.now()
    return json_list(
        request, found, [project_answer(project, now) for project in found.rows], _PROJECTS
    )


@router.post(
    "/sync-all",
    status_code=202,
    summary="Queue a sync of every project",
    responses=documented("disk_full", *_NO_BODY),
)
async def sync_all(services: ServicesDependency) -> QueuedAnswer:
    """The syncs run in the background, a bounded number at once; each project's `last_sync` tells the result."""
    return QueuedAnswer(queued=await services.projects.make_all_due())


@router.get(
    "/{project_id}",
    summary="One project",
    response_model=ProjectDetail,
    responses={**NOT_MODIFIED, **documented("project_not_found")},
)
async def get_project(request: Request, services: ServicesDependency, project_id: str) -> Response:
    """How its last sync ended, when the next poll is due, and how many files and variants it has."""
    return await _detail(request, services, await services.projects.get(project_id))


@router.put(
    "/{project_id}",
    summary="Change a project",
    response_model=ProjectDetail,
    responses=documented("project_not_found", "stale", *_BODY, *_FIELDS, "branch_not_found"),
)
async def update_project(
    request: Request,
    services: ServicesDependency,
    project_id: str,
    body: ProjectUpdate,
    revisions: IfMatchDependency,
) -> Response:
    """Only the fields given change. Another repository, branch, folder or pattern makes the project due at once."""
    given = {name: getattr(body, name) for name in body.model_fields_set}
    changes = ProjectChanges(
        name=given.get("name", UNSET),
        github_repo_url=given.get("github_repo_url", UNSET),
        settings=_settings(given),
    )
    return await _detail(
        request, services, await services.projects.update(project_id, changes, revisions)
    )


@router.post(
    "/{project_id}/pause",
    summary="Pause a project",
    response_model=ProjectDetail,
    responses=documented("project_not_found", "stale", "invalid_request", "disk_full", *_NO_BODY),
)
async def pause_project(
    request: Request, services: ServicesDependency, project_id: str, revisions: IfMatchDependency
) -> Response:
    """Until it is resumed, neither polls nor webhooks sync it; `POST …/sync` and sync-all do.

    Its files stay as they are and readable. Pausing a paused project changes nothing.
    """
    return await _detail(request, services, await services.projects.pause(project_id, revisions))


@router.post(
    "/{project_id}/resume",
    summary="Resume a paused project",
    response_model=ProjectDetail,
    responses=documented("project_not_found", "stale", "invalid_request", "disk_full", *_NO_BODY),
)
async def resume_project(
    request: Request, services: ServicesDependency, project_id: str, revisions: IfMatchDependency
) -> Response:
    """It is due at once, and once, however many polls and pushes were missed.

    Resuming a project which is not paused changes nothing.
    """
    return await _detail(request, services, await services.projects.resume(project_id, revisions))


@router.delete(
    "/{project_id}",
    status_code=204,
    summary="Delete a project and all that belongs to it",
    responses=documented("project_not_found", "stale", "disk_full"),
)
async def delete_project(
    services: ServicesDependency, project_id: str, revisions: IfMatchDependency
) -> None:
    """Its originals, modified files and history are gone for every reader at once. GitHub is not touched."""
    await services.projects.delete(project_id, revisions)


@router.post(
    "/{project_id}/sync",
    summary="Sync now",
    response_model=Sync,
    responses={
        202: {
            "model": SyncProgress,
            "description": "With `wait=false`: it runs, and `Location` tells how far it is.",
        },
        **documented("project_not_found", "invalid_request", *_SYNC_FAILURES, *_NO_BODY),
    },
)
async def sync_project(
    services: ServicesDependency,
    project_id: str,
    wait: Annotated[
        bool, Query(description="`false`: answer at once with 202 and a place to look.")
    ] = True,
) -> Response:
    """Answers when the sync is done. While one runs, this joins it and gets the same result.

    A failure leaves everything as it was before; the problem document holds the Sync as `sync`.
    """
    if not wait:
        progress = await services.sync.start(project_id, "manual")
        headers = {"Location": f"/projects/{project_id}/sync"}
        return Response(
            progress.model_dump_json(),
            status_code=202,
            media_type="application/json",
            headers=headers,
        )
    sync = await services.sync.sync(project_id, "manual")
    if sync.status == "failed":
        return sync_problem(sync)
    return Response(sync.model_dump_json(), media_type="application/json")


@router.get(
    "/{project_id}/sync",
    summary="How far a project's sync is",
    responses=documented("project_not_found"),
)
async def sync_progress(services: ServicesDependency, project_id: str) -> SyncProgress:
    """Of the sync under way, in whichever replica; `idle` with the last one's result where none is."""
    return await services.sync.progress(project_id)


@router.get(
    "/{project_id}/syncs",
    summary="A project's syncs, newest first",
    response_model=list[Sync],
    responses=documented("project_not_found", "invalid_cursor", "invalid_request"),
)
async def list_syncs(
    request: Request,
    services: ServicesDependency,
    project_id: str,
    page: PageDependency,
    status: Annotated[
        list[SyncOutcome] | None,
        Query(description="Only these; may be repeated: `status=failed&status=success`."),
    ] = None,
    trigger: Annotated[
        list[SyncTrigger] | None, Query(description="Only these; may be repeated.")
    ] = None,
) -> Response:
    """Unchanged polls in a row are one record, which `repeated` counts. Old records are deleted in time."""
    found = await services.projects.history(
        project_id, page, outcomes=status or (), triggers=trigger or ()
    )
    return json_list(request, found, found.rows, _SYNCS)


@router.get(
    "/{project_id}/syncs/{sync_id}",
    summary="One sync",
    response_model=Sync,
    responses={**NOT_MODIFIED, **documented("project_not_found", "sync_not_found")},
)
async def get_sync(
    request: Request, services: ServicesDependency, project_id: str, sync_id: str
) -> Response:
    """With the files that it changed or skipped, up to a thousand of each, and what it cost at GitHub."""
    return json_resource(request, await services.projects.sync(project_id, sync_id))


async def _detail(
    request: Request, services: Services, project: Project, *, status_code: int = 200
) -> Response:
    answer = project_detail(
        project, await services.projects.stats(project.id), services.status.now()
    )
    location = f"/projects/{project.id}" if status_code == 201 else None  # noqa: PLR2004 -- Created
    return json_resource(
        request, answer, revision=project.revision, status_code=status_code, location=location
    )


def _settings(given: dict[str, object]) -> ProjectSettings:
    """Return the settings that the request gives, with the token's plain text."""
    plain = {
        name: v.get_secret_value() if isinstance(v, SecretStr) else v for name, v in given.items()
    }
    if isinstance(declared := plain.get("ref"), RefGiven):
        plain["ref"] = Ref(kind=declared.kind, name=declared.name)
    settings: dict[str, Any] = {
        name: plain.get(name, UNSET) for name in ProjectSettings.__dataclass_fields__
    }
    return ProjectSettings(**settings)
