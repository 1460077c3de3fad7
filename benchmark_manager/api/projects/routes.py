"""Projects and their syncs."""

from typing import Annotated, Any, Final

from fastapi import APIRouter, Query, Request, Response
from pydantic import SecretStr, TypeAdapter

from benchmark_manager.api.http.json_bodies import BoundedBody
from benchmark_manager.api.http.problems import NOT_MODIFIED, OF_BODIES, documented, sync_problem
from benchmark_manager.api.http.requests import (
    AnyPrincipal,
    IfMatchDependency,
    PageDependency,
    Reader,
    SearchText,
    ServicesDependency,
    changes,
    json_list,
    json_resource,
)
from benchmark_manager.api.projects.shapes import (
    ProjectAnswer,
    ProjectCreate,
    ProjectDetail,
    ProjectUpdate,
    QueuedAnswer,
    RefGiven,
    project_answer,
    project_detail,
)
from benchmark_manager.domain.fields import LONGEST_NAME_QUERY
from benchmark_manager.domain.projects.settings import ProjectChanges, ProjectSettings
from benchmark_manager.domain.unset import UNSET
from benchmark_manager.factory import Services
from benchmark_manager.models.access.principal import Principal
from benchmark_manager.models.project import Project, ProjectStats, Ref, Standing
from benchmark_manager.models.sync import Sync, SyncOutcome, SyncProgress, SyncTrigger

router = APIRouter(
    prefix="/projects", tags=["projects"], route_class=BoundedBody, strict_content_type=False
)

_PROJECTS: Final = TypeAdapter(list[ProjectAnswer])
_SYNCS: Final = TypeAdapter(list[Sync])
#: Answers to a body of a route that needs none.
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
    responses=documented(*OF_BODIES, *_FIELDS, "branch_not_found"),
)
async def create_project(
    request: Request,
    services: ServicesDependency,
    principal: Annotated[Principal, changes("project.create", "maintainer", "site")],
    body: ProjectCreate,
) -> Response:
    """Register a repository; its first sync starts within a second.

    `POST …/sync` waits for it.
    """
    given = {
        name: value for name in body.model_fields_set if (value := getattr(body, name)) is not None
    }
    project = await services.projects.create(
        principal, body.name, body.github_repo_url, _settings(given)
    )
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
    principal: AnyPrincipal,
    page: PageDependency,
    q: Annotated[
        SearchText,
        Query(max_length=LONGEST_NAME_QUERY, description="Part of a name, regardless of case."),
    ] = None,
    standing: Annotated[
        Standing | None,
        Query(description="Only those whose last sync ended so, or that are paused."),
    ] = None,
) -> Response:
    """List projects without counts of files. No answer has a token, only whether one is set."""
    found = await services.projects.page(principal, page, q, standing)
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
async def sync_all(
    services: ServicesDependency,
    principal: Annotated[Principal, changes("project.sync", "editor", "anywhere")],
) -> QueuedAnswer:
    """Queue the syncs, of which a bounded number runs at once; `last_sync` has each result."""
    return QueuedAnswer(queued=await services.projects.make_all_due(principal))


@router.get(
    "/{project_id}",
    summary="One project",
    response_model=ProjectDetail,
    responses={**NOT_MODIFIED, **documented("project_not_found")},
)
async def get_project(
    request: Request, services: ServicesDependency, _: Reader, project_id: str
) -> Response:
    """Return its last sync, when the next poll is due, and the counts of files and variants."""
    return await _detail(request, services, await services.projects.get(project_id))


@router.put(
    "/{project_id}",
    summary="Change a project",
    response_model=ProjectDetail,
    responses=documented("project_not_found", "stale", *OF_BODIES, *_FIELDS, "branch_not_found"),
)
async def update_project(
    request: Request,
    services: ServicesDependency,
    principal: Annotated[Principal, changes("project.edit", "maintainer")],
    project_id: str,
    body: ProjectUpdate,
    revisions: IfMatchDependency,
) -> Response:
    """Change only the given fields.

    Another repository, branch, folder or pattern makes the project due at once.
    """
    given = {name: getattr(body, name) for name in body.model_fields_set}
    changes = ProjectChanges(
        name=given.get("name", UNSET),
        github_repo_url=given.get("github_repo_url", UNSET),
        settings=_settings(given),
    )
    return await _detail(
        request, services, await services.projects.update(principal, project_id, changes, revisions)
    )


@router.post(
    "/{project_id}/pause",
    summary="Pause a project",
    response_model=ProjectDetail,
    responses=documented("project_not_found", "stale", "invalid_request", "disk_full", *_NO_BODY),
)
async def pause_project(
    request: Request,
    services: ServicesDependency,
    principal: Annotated[Principal, changes("project.pause", "maintainer")],
    project_id: str,
    revisions: IfMatchDependency,
) -> Response:
    """Stop polls and webhooks from syncing it; `POST …/sync` and sync-all still do.

    Its files stay as they are and readable. Pausing a paused project changes nothing.
    """
    return await _detail(
        request, services, await services.projects.pause(principal, project_id, revisions)
    )


@router.post(
    "/{project_id}/resume",
    summary="Resume a paused project",
    response_model=ProjectDetail,
    responses=documented("project_not_found", "stale", "invalid_request", "disk_full", *_NO_BODY),
)
async def resume_project(
    request: Request,
    services: ServicesDependency,
    principal: Annotated[Principal, changes("project.resume", "maintainer")],
    project_id: str,
    revisions: IfMatchDependency,
) -> Response:
    """Make it due at once, and only once, however many polls and pushes were missed.

    Resuming a project that is not paused changes nothing.
    """
    return await _detail(
        request, services, await services.projects.resume(principal, project_id, revisions)
    )


@router.delete(
    "/{project_id}",
    status_code=204,
    summary="Delete a project and all that belongs to it",
    responses=documented("project_not_found", "stale", "disk_full"),
)
async def delete_project(
    services: ServicesDependency,
    principal: Annotated[Principal, changes("project.delete", "maintainer")],
    project_id: str,
    revisions: IfMatchDependency,
) -> None:
    """Delete it with its originals, variants and history; nothing changes at GitHub."""
    await services.projects.delete(principal, project_id, revisions)


@router.post(
    "/{project_id}/sync",
    summary="Sync now",
    response_model=Sync,
    responses={
        202: {
            "model": SyncProgress,
            "description": "With `wait=false`: it runs, and `Location` reports its progress.",
        },
        **documented("project_not_found", "invalid_request", *_SYNC_FAILURES, *_NO_BODY),
    },
)
async def sync_project(
    services: ServicesDependency,
    principal: Annotated[Principal, changes("project.sync", "editor")],
    project_id: str,
    wait: Annotated[
        bool, Query(description="`false`: answer at once with 202 and the address of the progress.")
    ] = True,
) -> Response:
    """Sync, and answer when it is done; while a sync runs, wait for that one.

    A failure leaves everything as it was before; the problem document has the Sync as `sync`.
    """
    if not wait:
        progress = await services.sync.start(principal, project_id, "manual")
        headers = {"Location": f"/projects/{project_id}/sync"}
        return Response(
            progress.model_dump_json(),
            status_code=202,
            media_type="application/json",
            headers=headers,
        )
    sync = await services.sync.sync(principal, project_id, "manual")
    if sync.status == "failed":
        return sync_problem(sync)
    return Response(sync.model_dump_json(), media_type="application/json")


@router.get(
    "/{project_id}/sync",
    summary="The progress of a project's sync",
    responses=documented("project_not_found"),
)
async def sync_progress(services: ServicesDependency, _: Reader, project_id: str) -> SyncProgress:
    """Return the progress of the running sync, in any replica; else `idle` and the last result."""
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
    _: Reader,
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
    """List syncs; unchanged polls in a row are one record, which `repeated` counts.

    Old records are deleted.
    """
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
    request: Request, services: ServicesDependency, _: Reader, project_id: str, sync_id: str
) -> Response:
    """Return it with up to 1,000 changed and skipped files each, and its cost at GitHub."""
    return json_resource(request, await services.projects.sync(project_id, sync_id))


async def _detail(
    request: Request, services: Services, project: Project, *, status_code: int = 200
) -> Response:
    is_new = status_code == 201  # noqa: PLR2004 -- Created
    # A new project has no files yet.
    stats = ProjectStats() if is_new else await services.projects.stats(project.id)
    answer = project_detail(project, stats, services.status.now())
    location = f"/projects/{project.id}" if is_new else None
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
