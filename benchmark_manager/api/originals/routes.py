"""Original files: reading only."""

from typing import Annotated, Any, Final, Literal

from fastapi import APIRouter, Query, Request, Response
from pydantic import TypeAdapter

from benchmark_manager.api.http.json_bodies import BoundedBody
from benchmark_manager.api.http.problems import NOT_MODIFIED, documented
from benchmark_manager.api.http.requests import (
    PageDependency,
    Reader,
    SearchText,
    ServicesDependency,
    json_list,
    json_resource,
    next_page,
    raw_content,
)
from benchmark_manager.api.http.shapes import Answer
from benchmark_manager.api.originals.shapes import (
    OriginalFileAnswer,
    OriginalFileWithContent,
    original_answer,
    original_with_content,
)
from benchmark_manager.domain.fields import LONGEST_PATH_QUERY
from benchmark_manager.models.file_history import FileCommit
from benchmark_manager.models.original import FileType
from benchmark_manager.services.originals.originals import CONTENT_BUDGET

router = APIRouter(
    prefix="/projects/{project_id}/files",
    tags=["original files"],
    route_class=BoundedBody,
    strict_content_type=False,
)

_FILES: Final[TypeAdapter[Any]] = TypeAdapter(list[Answer])
_COMMITS: Final = TypeAdapter(tuple[FileCommit, ...])


@router.get(
    "",
    summary="A project's original files, by path",
    response_model=list[OriginalFileWithContent | OriginalFileAnswer],
    responses=documented("project_not_found", "invalid_cursor", "invalid_request"),
)
async def list_files(
    request: Request,
    services: ServicesDependency,
    _: Reader,
    project_id: str,
    page: PageDependency,
    file_type: Annotated[FileType | None, Query(description="Only these.")] = None,
    q: Annotated[
        SearchText,
        Query(max_length=LONGEST_PATH_QUERY, description="Part of a path, regardless of case."),
    ] = None,
    include: Annotated[
        Literal["content"] | None,
        Query(
            description="`content`: each file with its content. Pages end before 16 MiB of "
            "contents."
        ),
    ] = None,
    include_removed: Annotated[
        bool, Query(description="Also files that were removed upstream and have variants.")
    ] = False,
) -> Response:
    """List files without contents; `include=content` adds them, page by page."""
    found = await services.originals.page(
        project_id,
        page,
        file_type=file_type,
        query=q,
        include_removed=include_removed,
        content_budget=CONTENT_BUDGET if include == "content" else None,
    )
    if include != "content":
        return json_list(request, found, [original_answer(file) for file in found.rows], _FILES)
    contents = await services.originals.contents(found.rows)
    rows = [original_with_content(file, contents[file.sha]) for file in found.rows]
    return json_list(request, found, rows, _FILES)


@router.get(
    "/{file_id}",
    summary="One original file, whole",
    response_model=OriginalFileWithContent,
    responses={**NOT_MODIFIED, **documented("project_not_found", "file_not_found")},
)
async def get_file(
    request: Request, services: ServicesDependency, _: Reader, project_id: str, file_id: str
) -> Response:
    """Return its text, its commit, and the result of its validation."""
    file, data = await services.originals.with_content(project_id, file_id)
    return json_resource(request, original_with_content(file, data))


@router.get(
    "/{file_id}/raw",
    summary="The exact bytes of an original file",
    response_class=Response,
    responses={
        200: {"content": {"text/plain": {"schema": {"type": "string", "format": "binary"}}}},
        **NOT_MODIFIED,
        **documented("project_not_found", "file_not_found"),
    },
)
async def get_raw_file(
    request: Request, services: ServicesDependency, _: Reader, project_id: str, file_id: str
) -> Response:
    """Return the bytes as git has them, with line ends and byte order mark."""
    file, data = await services.originals.with_content(project_id, file_id)
    return raw_content(request, data, file.name)


@router.get(
    "/{file_id}/history",
    summary="The upstream commits which touched an original file",
    response_model=list[FileCommit],
    responses={
        200: {
            "headers": {
                "Link": {
                    "description": 'Where the next page is: `<…>; rel="next"`; absent at the end.',
                    "schema": {"type": "string"},
                }
            }
        },
        **documented(
            *(
                "project_not_found",
                "file_not_found",
                "not_synced",
                "invalid_cursor",
                "invalid_request",
            ),
            *("repository_not_found", "commit_not_found", "repository_empty"),
            *(
                "github_unauthorized",
                "github_forbidden",
                "token_unreadable",
                "github_url_not_allowed",
            ),
            *("github_unavailable", "github_rate_limited"),
        ),
    },
)
async def get_file_history(
    request: Request,
    services: ServicesDependency,
    _: Reader,
    project_id: str,
    file_id: str,
    page: PageDependency,
) -> Response:
    """List its commits, newest first, up to the one that was synced last.

    For a file that was removed upstream the list ends with the commit of its copy. The commits are
    read from GitHub with the project's token and cached. A page ends at each hundred commits, as
    GitHub's do, and GitHub does not report the total: follow the Link header. Renames are not
    followed: commits are found by the file's present path.
    """
    found = await services.file_history.commits(project_id, file_id, page)
    headers = next_page(request, found.next_cursor)
    return Response(
        _COMMITS.dump_json(found.commits), media_type="application/json", headers=headers
    )
