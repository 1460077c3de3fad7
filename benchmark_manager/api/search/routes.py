"""Searching inside files."""

from typing import Annotated, Final

from fastapi import APIRouter, Query, Request, Response
from pydantic import BaseModel, Field, TypeAdapter

from benchmark_manager.api.http.json_bodies import BoundedBody
from benchmark_manager.api.http.problems import documented
from benchmark_manager.api.http.requests import (
    PageDependency,
    Reader,
    ServicesDependency,
    next_page,
)
from benchmark_manager.models.original import FileType
from benchmark_manager.models.search import (
    LONGEST_QUERY,
    FileKind,
    FoundFile,
    SearchIn,
    SearchScope,
)

router = APIRouter(
    prefix="/projects/{project_id}/search",
    tags=["search"],
    route_class=BoundedBody,
    strict_content_type=False,
)


class MatchedFileAnswer(BaseModel):
    """A file with matches."""

    id: str = Field(examples=["65f0c0ffee65f0c0ffee65f0"])
    path: str = Field(examples=["job/llama.yaml"])
    kind: FileKind


class MatchAnswer(BaseModel):
    """One match in a file's text."""

    line: int = Field(description="From 1; LF, CR and CRLF end a line.", examples=[7])
    column: int = Field(
        description="From 1, in characters; a byte order mark is not counted.", examples=[3]
    )
    key: str | None = Field(
        description="The path of the key there; null without one, or if the file does not parse.",
        examples=["spec.parallelism"],
    )
    excerpt: str = Field(
        description="The line, or about 200 characters of a longer one, cut at `…`; control "
        "characters are U+FFFD.",
        examples=["  parallelism: 4"],
    )


class FoundFileAnswer(BaseModel):
    """A file and its matches, by position."""

    file: MatchedFileAnswer
    matches: list[MatchAnswer]


_Query = Annotated[
    str,
    Query(
        max_length=LONGEST_QUERY,
        description="Plain text in one line, compared after Unicode NFKC and case folding.",
        examples=["parallelism"],
    ),
]
_Where = Annotated[
    SearchIn,
    Query(
        alias="in",
        description="`text`: anywhere, comments included; each line is one match. `keys`: in "
        "a key, "
        "or in its path up to the end of the key, such as `spec.parallelism`. `values`: in a "
        "scalar "
        "that is no key.",
    ),
]

_ROWS: Final = TypeAdapter(list[FoundFileAnswer])


@router.get(
    "",
    summary="Search inside a project's files",
    response_model=list[FoundFileAnswer],
    responses={
        200: {
            "headers": {
                "Link": {
                    "description": 'Where the next page is: `<…>; rel="next"`; absent at the end.',
                    "schema": {"type": "string"},
                },
                "X-Total-Count": {
                    "description": "How many files match, where one page holds all of them.",
                    "schema": {"type": "integer"},
                },
                "X-Search-Incomplete": {
                    "description": "How many files of this page took too long to search, and "
                    "may have more matches; absent if none.",
                    "schema": {"type": "integer"},
                },
            }
        },
        **documented(
            "project_not_found",
            "invalid_cursor",
            "invalid_request",
            "service_busy",
            "changes_pending",
        ),
    },
)
async def search(
    request: Request,
    services: ServicesDependency,
    _: Reader,
    project_id: str,
    page: PageDependency,
    q: _Query,
    where: _Where = "text",
    file_type: Annotated[FileType | None, Query(description="Only these.")] = None,
    scope: Annotated[
        SearchScope,
        Query(
            description="`originals`: those that are upstream now. `variants`: those not in the "
            "trash. "
            "`all`: both."
        ),
    ] = "originals",
) -> Response:
    """Return files that match, by path, each with its matches.

    `limit` counts matches, not files: a file with more of them continues on the next page. A page
    may also end early, even empty, where the search takes long; follow the Link header until there
    is none. Files that do not parse, and templates, are searched by text alone. A file that takes
    too long to search is left out and counted in `X-Search-Incomplete`; a search by text still
    finds it, without keys.
    """
    found = await services.search.search(
        project_id, q, where, page, file_type=file_type, scope=scope
    )
    headers = {} if found.total is None else {"X-Total-Count": str(found.total)}
    if found.missed:
        headers["X-Search-Incomplete"] = str(found.missed)
    headers |= next_page(request, found.next_cursor)
    body = _ROWS.dump_json([_answer(row) for row in found.rows])
    return Response(body, media_type="application/json", headers=headers)


def _answer(found: FoundFile) -> FoundFileAnswer:
    file = found.file
    return FoundFileAnswer(
        file=MatchedFileAnswer(id=file.id, path=file.path, kind=file.kind),
        matches=[
            MatchAnswer(line=match.line, column=match.column, key=match.key, excerpt=match.excerpt)
            for match in found.matches
        ],
    )
