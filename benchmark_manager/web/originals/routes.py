"""Pages of original files: the tree, one file, its variants, and its upstream history."""

import asyncio
from typing import Annotated, Final, Literal

from fastapi import APIRouter, Depends, Query, Request, Response

from benchmark_manager.domain.text.folding import fold
from benchmark_manager.domain.variants.table import TableExtent, VariantsTable
from benchmark_manager.errors import (
    BenchmarkManagerError,
    ConflictError,
    GitHubError,
    TokenUnreadableError,
    TooComplexError,
)
from benchmark_manager.incoming import Reader, ServicesDependency
from benchmark_manager.models.original import FileEntry, FileType
from benchmark_manager.models.page import PageRequest
from benchmark_manager.services.originals.file_history import FileCommits
from benchmark_manager.web import PREFIX
from benchmark_manager.web.originals.tree import TreePage, tree_page
from benchmark_manager.web.site.forms import protected_form
from benchmark_manager.web.site.pages import (
    CursorParameter,
    SearchParameter,
    StartParameter,
    project_view,
    rows_from,
    searched,
)
from benchmark_manager.web.site.rendering import editor_size, render
from benchmark_manager.web.texts.limits import NAME, READING_EDITOR, fitting
from benchmark_manager.web.texts.listing import LineParameter, PartParameter, listing_of
from benchmark_manager.web.texts.visible import html_size
from benchmark_manager.web.variants.table import DrawnTable

router = APIRouter(prefix=PREFIX, dependencies=[Depends(protected_form)], include_in_schema=False)

#: Paths that a search shows.
_FOUND_AT_MOST: Final = 500
#: Variants listed above the text, which has to begin on the first screen.
_VARIANTS_SHOWN: Final = 8
_COMMITS: Final = 30
#: Columns (variants) and rows (keys) of one table.
_COLUMNS: Final = 30
_KEYS: Final = 200
#: Bytes of the texts that one table compares.
_TABLE_BYTES: Final = 2 * 1024 * 1024

#: Bytes of HTML of a found path without its characters.
_ROW_BYTES: Final = 400

FolderParameter = Annotated[str, Query(max_length=16_384)]
Shown = Literal["all", "variants", "problems"]


@router.get("/projects/{project_id}")
async def list_files(
    request: Request,
    services: ServicesDependency,
    _: Reader,
    project_id: str,
    q: SearchParameter = "",
    file_type: Annotated[FileType | Literal["all"], Query(alias="type")] = "all",
    show: Shown = "all",
    folder: FolderParameter = "",
    start: StartParameter = 0,
) -> Response:
    """Show the tree of the matching files, or of one folder; with a search, a list of paths."""
    view = await project_view(services, project_id)
    query = searched(q)
    folder = folder.strip("/")
    entries = await services.originals.entries(project_id, "" if query else folder)
    # In a thread, because a hundred thousand files take a second.
    found, tree = await asyncio.to_thread(_drawn, entries, query, file_type, show, (folder, start))
    return render(
        request,
        "originals/files.html",
        view=view,
        tree=tree,
        found=fitting(found[:_FOUND_AT_MOST], _row_cost) if query else (),
        count=len(found),
        q=query,
        file_type=file_type,
        show=show,
    )


def _drawn(
    entries: list[FileEntry],
    query: str,
    file_type: FileType | Literal["all"],
    show: Shown,
    where: tuple[str, int],
) -> tuple[list[FileEntry], TreePage | None]:
    """Return the matching files and, without a search, the tree of a folder from a row on."""
    found = _fitting(entries, query, file_type, show)
    return found, None if query else tree_page(found, *where)


def _row_cost(entry: FileEntry) -> int:
    return _ROW_BYTES + html_size(entry.path[:NAME])


def _fitting(
    entries: list[FileEntry], query: str, file_type: FileType | Literal["all"], show: Shown
) -> list[FileEntry]:
    wanted = fold(query)
    return [
        entry
        for entry in entries
        if (file_type in {"all", entry.file_type})
        and (show != "variants" or entry.variants)
        and (show != "problems" or entry.errors or entry.warnings)
        and wanted in fold(entry.path)
    ]


@router.get("/projects/{project_id}/files/{file_id}")
async def show_file(
    request: Request,
    services: ServicesDependency,
    _: Reader,
    project_id: str,
    file_id: str,
    part: PartParameter = 1,
    line: LineParameter = "",
) -> Response:
    """Show the lines of a file in parts.

    Scripts replace them with an editor, unless the text is too long or a line is requested.
    """
    view = await project_view(services, project_id)
    file = await services.originals.get(project_id, file_id)
    text = (await services.originals.content(file)).decode()
    variants = await services.variants.page(
        project_id, PageRequest(limit=_VARIANTS_SHOWN), original_file_id=file_id
    )
    return render(
        request,
        "originals/original_file.html",
        view=view,
        file=file,
        text=text,
        lines=await listing_of(services, text, file.problems, part=part, line=line),
        variants=variants,
        with_editor=not line and editor_size(text) <= READING_EDITOR,
    )


@router.get("/projects/{project_id}/files/{file_id}/variants")
async def show_variants(
    request: Request,
    services: ServicesDependency,
    _: Reader,
    project_id: str,
    file_id: str,
    start: StartParameter = 0,
) -> Response:
    """Show variants side by side, by the keys in which any of them differs from the original."""
    view = await project_view(services, project_id)
    file = await services.originals.get(project_id, file_id)
    table: VariantsTable | None = None
    refusal: TooComplexError | None = None
    try:
        extent = TableExtent(
            variants=_COLUMNS, bytes=_TABLE_BYTES, start=start, rows=_KEYS, values=_COLUMNS * _KEYS
        )
        table = await services.comparing.variants(project_id, file_id, extent)
    except TooComplexError as error:
        refusal = error
    return render(
        request,
        "originals/file_variants.html",
        view=view,
        file=file,
        table=None if table is None else DrawnTable.of(table, start),
        refusal=refusal,
    )


@router.get("/projects/{project_id}/files/{file_id}/history")
async def show_history(
    request: Request,
    services: ServicesDependency,
    _: Reader,
    project_id: str,
    file_id: str,
    cursor: CursorParameter = None,
) -> Response:
    """Show the commits of a file; if GitHub fails, the page shows the reason instead."""
    view = await project_view(services, project_id)
    file = await services.originals.get(project_id, file_id)
    failure: BenchmarkManagerError | None = None
    history = FileCommits((), None)
    try:
        history = await services.file_history.commits(
            project_id, file_id, rows_from(cursor, _COMMITS)
        )
    except (GitHubError, ConflictError, TokenUnreadableError) as error:
        failure = error
    return render(
        request,
        "originals/file_history.html",
        view=view,
        file=file,
        history=history,
        failure=failure,
        cursor=cursor,
    )
