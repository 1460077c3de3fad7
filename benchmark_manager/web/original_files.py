"""Original files: the tree, one file, its history upstream."""

from typing import Annotated, Final, Literal

from fastapi import APIRouter, Depends, Query, Request, Response

from benchmark_manager.errors import BenchmarkManagerError, ConflictError, GitHubError, TokenUnreadableError
from benchmark_manager.incoming import ServicesDependency
from benchmark_manager.models.original_file import FileEntry, FileType
from benchmark_manager.models.page import PageRequest
from benchmark_manager.services.file_history import FileCommits
from benchmark_manager.web import PREFIX
from benchmark_manager.web.forms import protected_form
from benchmark_manager.web.listing import numbered
from benchmark_manager.web.pages import CursorParameter, SearchParameter, project_view, rows_from, searched
from benchmark_manager.web.rendering import render
from benchmark_manager.web.tree import rows_of, tree_of

router = APIRouter(prefix=PREFIX, dependencies=[Depends(protected_form)])

#: Paths that a search shows; more is no answer to read.
_FOUND_AT_MOST: Final = 500
#: A larger text is shown as plain lines only, bytes: an editor with it would be slow, and the page twice as long.
_EDITOR_AT_MOST: Final = 512 * 1024
#: Above the text, which must not begin below the page.
_VARIANTS_SHOWN: Final = 8
_COMMITS: Final = 30
#: Variants beside each other, and keys, in one table.
_COLUMNS: Final = 50
_KEYS: Final = 500

Shown = Literal["all", "variants", "problems"]


@router.get("/projects/{project_id}")
async def list_files(
    request: Request,
    services: ServicesDependency,
    project_id: str,
    q: SearchParameter = "",
    file_type: Annotated[FileType | Literal["all"], Query(alias="type")] = "all",
    show: Shown = "all",
) -> Response:
    """The tree of all files that fit; with a search, their paths."""
    view = await project_view(services, project_id)
    query = searched(q)
    fitting = _fitting(await services.original_files.entries(project_id), query, file_type, show)
    return render(
        request,
        "files.html",
        view=view,
        rows=() if query else rows_of(tree_of(fitting)),
        found=fitting[:_FOUND_AT_MOST] if query else (),
        count=len(fitting),
        q=query,
        file_type=file_type,
        show=show,
    )


def _fitting(
    entries: list[FileEntry], query: str, file_type: FileType | Literal["all"], show: Shown
) -> list[FileEntry]:
    wanted = query.casefold()
    return [
        entry
        for entry in entries
        if (file_type in {"all", entry.file_type})
        and (show != "variants" or entry.variants)
        and (show != "problems" or entry.errors or entry.warnings)
        and wanted in entry.path.casefold()
    ]


@router.get("/projects/{project_id}/files/{file_id}")
async def show_file(request: Request, services: ServicesDependency, project_id: str, file_id: str) -> Response:
    view = await project_view(services, project_id)
    file = await services.original_files.get(project_id, file_id)
    text = (await services.original_files.content(file)).decode()
    variants = await services.modified_files.page(
        project_id, PageRequest(limit=_VARIANTS_SHOWN), original_file_id=file_id
    )
    return render(
        request,
        "original_file.html",
        view=view,
        file=file,
        text=text,
        lines=numbered(text, file.problems),
        variants=variants,
        with_editor=file.size <= _EDITOR_AT_MOST,
    )


@router.get("/projects/{project_id}/files/{file_id}/variants")
async def show_variants(request: Request, services: ServicesDependency, project_id: str, file_id: str) -> Response:
    """Side by side, by the keys in which any of them differs from the original."""
    view = await project_view(services, project_id)
    file = await services.original_files.get(project_id, file_id)
    table = await services.comparing.variants(project_id, file_id)
    return render(
        request,
        "file_variants.html",
        view=view,
        file=file,
        table=table,
        columns=table.columns[:_COLUMNS],
        rows=None if table.rows is None else table.rows[:_KEYS],
    )


@router.get("/projects/{project_id}/files/{file_id}/history")
async def show_history(
    request: Request, services: ServicesDependency, project_id: str, file_id: str, cursor: CursorParameter = None
) -> Response:
    """What GitHub cannot tell now, the page says; the file is there all the same."""
    view = await project_view(services, project_id)
    file = await services.original_files.get(project_id, file_id)
    failure: BenchmarkManagerError | None = None
    history = FileCommits((), None)
    try:
        history = await services.file_history.commits(project_id, file_id, rows_from(cursor, _COMMITS))
    except (GitHubError, ConflictError, TokenUnreadableError) as error:
        failure = error
    return render(request, "file_history.html", view=view, file=file, history=history, failure=failure, cursor=cursor)
