"""The search in the contents of a project's files."""

from dataclasses import dataclass
from typing import Annotated, Final, Literal

from fastapi import APIRouter, Depends, Query, Request, Response

from benchmark_manager.errors import InvalidInputError
from benchmark_manager.incoming import Reader, ServicesDependency
from benchmark_manager.models.original import FileType
from benchmark_manager.models.page import PageRequest
from benchmark_manager.models.search import (
    ContentMatch,
    FoundFile,
    SearchedFile,
    SearchIn,
    SearchPage,
    SearchScope,
)
from benchmark_manager.web import PREFIX
from benchmark_manager.web.site.forms import protected_form
from benchmark_manager.web.site.pages import (
    CursorParameter,
    SearchParameter,
    next_url,
    project_view,
    searched,
)
from benchmark_manager.web.site.reader import reader_of
from benchmark_manager.web.site.rendering import render
from benchmark_manager.web.site.words import error_words

router = APIRouter(prefix=PREFIX, dependencies=[Depends(protected_form)], include_in_schema=False)

#: Matches on one page.
_MATCHES: Final = 100
_UNPROCESSABLE: Final = 422


@dataclass(frozen=True, slots=True)
class DrawnMatch:
    """A match, the address of its line, and its excerpt split at the found text."""

    match: ContentMatch
    url: str
    before: str
    found: str
    behind: str

    @classmethod
    def of(cls, match: ContentMatch, file_url: str) -> "DrawnMatch":
        begin, end = match.highlight
        text = match.excerpt
        # An excerpt of a long line begins with its indentation, which is of no use.
        before = text[:begin].lstrip(" \t")
        url = f"{file_url}?line={match.line}#L{match.line}"
        return cls(match, url, before, text[begin:end], text[end:])


@dataclass(frozen=True, slots=True)
class DrawnFoundFile:
    """A file with the address of its page and its matches."""

    file: SearchedFile
    url: str
    matches: tuple[DrawnMatch, ...]

    @classmethod
    def of(cls, row: FoundFile, project_id: str) -> "DrawnFoundFile":
        file = row.file
        if file.kind == "original":
            url = lines = f"{PREFIX}/projects/{project_id}/files/{file.id}"
        else:
            url = f"{PREFIX}/modified-files/{file.id}"
            # Lines of the editor have no addresses, those of a revision do.
            lines = f"{url}/revisions/{file.revision}"
        return cls(file, url, tuple(DrawnMatch.of(match, lines) for match in row.matches))


@router.get("/projects/{project_id}/search")
async def search_files(
    request: Request,
    services: ServicesDependency,
    _: Reader,
    project_id: str,
    q: SearchParameter = "",
    where: Annotated[SearchIn, Query(alias="in")] = "text",
    file_type: Annotated[FileType | Literal["all"], Query(alias="type")] = "all",
    scope: SearchScope = "all",
    cursor: CursorParameter = None,
) -> Response:
    """Show the files that contain the search term, each with its lines."""
    view = await project_view(services, project_id)
    query = searched(q)
    page = SearchPage((), 0, None)
    refusal: str | None = None
    if query:
        try:
            page = await services.search.search(
                project_id,
                query,
                where,
                PageRequest(limit=_MATCHES, cursor=cursor),
                file_type=None if file_type == "all" else file_type,
                scope=scope,
            )
        except InvalidInputError as error:
            if error.field != "query":
                raise
            refusal = error_words(reader_of(request), error)
    return render(
        request,
        "search/search.html",
        status_code=200 if refusal is None else _UNPROCESSABLE,
        view=view,
        rows=[DrawnFoundFile.of(row, project_id) for row in page.rows],
        total=page.total,
        missed=page.missed,
        refusal=refusal,
        q=query,
        where=where,
        file_type=file_type,
        scope=scope,
        cursor=cursor,
        next_url=next_url(request, page.next_cursor),
    )
