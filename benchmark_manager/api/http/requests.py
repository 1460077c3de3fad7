"""What all routes share of HTTP: pages, conditional requests and who sends them."""

import hashlib
import re
from collections.abc import AsyncIterator, Mapping, Sequence
from typing import Annotated, Any, Final, TypeVar
from urllib.parse import quote

from fastapi import Depends, Header, Query, Request, Response
from fastapi.exceptions import RequestValidationError
from fastapi.responses import StreamingResponse
from pydantic import AfterValidator, BaseModel, TypeAdapter
from pydantic_core import to_json

from benchmark_manager.api.http.shapes import without_nul
from benchmark_manager.domain.fields import LONGEST_CURSOR
from benchmark_manager.incoming import (
    OPEN,
    AnyPrincipal,
    ObjectReader,
    Reader,
    ServicesDependency,
    changes,
    requires,
)
from benchmark_manager.models.page import Page, PageRequest

# Handlers import everything about requests from here, also what pages share.
__all__ = [
    "OPEN",
    "AnyPrincipal",
    "IfMatchDependency",
    "ObjectReader",
    "PageDependency",
    "Reader",
    "SearchText",
    "ServicesDependency",
    "changes",
    "given_or",
    "json_list",
    "json_resource",
    "next_page",
    "raw_content",
    "requires",
    "streamed_content",
]

Body = TypeVar("Body", bound=BaseModel)

_JSON: Final = "application/json"
_TEXT: Final = "text/plain; charset=utf-8"
_ETAG: Final = re.compile(r'(?:W/)?"([^"]*)"')
#: The part before the dot of `"REVISION.HASH"`; none of ours is ever longer.
_REVISION: Final = re.compile(r"([0-9]{1,18})(?:\.|$)")


async def page_request(
    limit: Annotated[int, Query(ge=1, le=1000, description="Rows at most.")] = 100,
    cursor: Annotated[
        str | None,
        Query(
            max_length=LONGEST_CURSOR,
            description="Where to go on: taken from the Link header, opaque.",
        ),
    ] = None,
) -> PageRequest:
    return PageRequest(limit=limit, cursor=cursor)


PageDependency = Annotated[PageRequest, Depends(page_request)]


#: For `q`: text that no database can search for is refused here.
SearchText = Annotated[str | None, AfterValidator(without_nul)]


async def expected_revisions(
    if_match: Annotated[
        str | None,
        Header(
            description="An ETag that was read before: the change is refused (412) if there is a "
            "newer "
            "revision."
        ),
    ] = None,
) -> frozenset[int] | None:
    """Return the revisions that an If-Match header names; None where any is accepted.

    A tag that is not one of the service's own matches nothing.

    By RFC 9110, 13.1.1, weak tags never match, as their bytes may differ. Here only revisions are
    compared, and a proxy that compresses an answer makes its tag weak.
    """
    if if_match is None or if_match.strip() == "*":
        return None
    return frozenset(
        int(found[1]) for tag in _ETAG.findall(if_match) if (found := _REVISION.match(tag))
    )


IfMatchDependency = Annotated[frozenset[int] | None, Depends(expected_revisions)]


def given_or(request: Request, body: Body | None, default: Body) -> Body:
    """Return a body that may be left out, but not by a request that announces JSON."""
    if body is None and "json" in request.headers.get("content-type", "").lower():
        raise RequestValidationError(
            [{"type": "missing", "loc": ("body",), "msg": "Field required"}]
        )
    return default if body is None else body


def json_list(
    request: Request, page: Page[Any], rows: Sequence[object], adapter: TypeAdapter[Any]
) -> Response:
    """Return a plain array, with the total and a link to the next page in its headers."""
    headers = {"X-Total-Count": str(page.total), **next_page(request, page.next_cursor)}
    return Response(adapter.dump_json(list(rows)), media_type=_JSON, headers=headers)


def next_page(request: Request, cursor: str | None) -> dict[str, str]:
    """Return the Link header (RFC 8288) to the page at `cursor`; no header at the end."""
    if cursor is None:
        return {}
    return {"Link": f'<{request.url.include_query_params(cursor=cursor)}>; rel="next"'}


def json_resource(
    request: Request,
    answer: BaseModel | Mapping[str, object],
    *,
    revision: int | None = None,
    status_code: int = 200,
    location: str | None = None,
) -> Response:
    """Return one resource with its strong ETag, or 304 when the client has this answer."""
    body = to_json(answer)
    tag = hashlib.sha256(body).hexdigest()[:32]
    etag = f'"{tag}"' if revision is None else f'"{revision}.{tag}"'
    headers = {"ETag": etag, "Cache-Control": "no-cache"}
    if location is not None:
        headers["Location"] = location
    return _unless_known(
        request, Response(body, status_code=status_code, media_type=_JSON, headers=headers)
    )


def raw_content(
    request: Request, data: bytes, name: str, sha256: str | None = None, *, media_type: str = _TEXT
) -> Response:
    """Return the exact bytes of a file as no browser interprets them; `sha256` is theirs."""
    headers = {
        "ETag": f'"{sha256 or hashlib.sha256(data).hexdigest()}"',
        "Cache-Control": "no-cache",
        "Content-Disposition": _disposition(name),
    }
    return _unless_known(request, Response(data, media_type=media_type, headers=headers))


def streamed_content(
    request: Request, parts: AsyncIterator[bytes], name: str, sha256: str, size: int
) -> Response:
    """Return the exact bytes of a file part by part, as a download that no browser shows."""
    headers = {
        "ETag": f'"{sha256}"',
        "Cache-Control": "no-cache",
        "Content-Length": str(size),
        "Content-Disposition": _disposition(name, "attachment"),
        # Should a browser show it all the same, it runs nothing.
        "Content-Security-Policy": "sandbox; default-src 'none'",
    }
    response = StreamingResponse(parts, media_type="application/octet-stream", headers=headers)
    return _unless_known(request, response)


def _disposition(name: str, kind: str = "inline") -> str:
    """Return the header of RFC 6266: an ASCII name, and the exact one (RFC 8187)."""
    plain = re.sub(r'[^\x20-\x7e]|["\\%/]', "_", name)
    return f"{kind}; filename=\"{plain}\"; filename*=UTF-8''{quote(name, safe='')}"


def _unless_known(request: Request, response: Response) -> Response:
    """Return 304 instead where the client has it: RFC 9110, 13.1.2, compares tags weakly."""
    known = request.headers.get("if-none-match")
    if request.method != "GET" or known is None:
        return response
    etag = response.headers["etag"].strip('"')
    if known.strip() != "*" and etag not in _ETAG.findall(known):
        return response
    kept = {name: response.headers[name] for name in ("etag", "cache-control")}
    return Response(status_code=304, headers=kept)
