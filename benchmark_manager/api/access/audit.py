"""The audit: who changed what, who signed in, and what was refused."""

from collections.abc import AsyncGenerator, AsyncIterator
from datetime import UTC, datetime
from typing import Annotated, Any, Final, Literal

from fastapi import APIRouter, Query, Request, Response
from fastapi.responses import StreamingResponse
from pydantic import AfterValidator, AwareDatetime, TypeAdapter

from benchmark_manager.api.access.shapes import AuditAnswer
from benchmark_manager.api.http.json_bodies import BoundedBody
from benchmark_manager.api.http.problems import documented
from benchmark_manager.api.http.requests import (
    PageDependency,
    SearchText,
    ServicesDependency,
    json_list,
)
from benchmark_manager.domain.fields import LONGEST_ID, LONGEST_NAME, LONGEST_PATH
from benchmark_manager.incoming import requires
from benchmark_manager.models.access.audit import AuditFilter, AuditRecord, Outcome
from benchmark_manager.models.access.principal import Principal

router = APIRouter(tags=["access"], route_class=BoundedBody, strict_content_type=False)

_RECORDS: Final[TypeAdapter[Any]] = TypeAdapter(list[AuditAnswer])
#: One JSON document a line.
_LINES: Final = "application/x-ndjson"
#: Lines that are sent together.
_TOGETHER: Final = 100


def _in_utc(when: datetime) -> datetime:
    try:
        return when.astimezone(UTC)
    except OverflowError:
        raise ValueError("must be a time between the years 1 and 9999") from None


_Moment = Annotated[AwareDatetime, AfterValidator(_in_utc)]
_Actor = Annotated[
    SearchText,
    Query(
        max_length=LONGEST_NAME,
        description="The id of an account, or its name at that time, regardless of case.",
    ),
]
_Action = Annotated[
    SearchText,
    Query(
        max_length=LONGEST_ID,
        description="What was done or refused.",
        examples=["variant.edit"],
    ),
]
_Object = Annotated[
    SearchText,
    Query(
        alias="object",
        max_length=LONGEST_PATH,
        description="What was changed: its id, or its name at that time, regardless of case.",
    ),
]
_ProjectId = Annotated[
    SearchText, Query(max_length=LONGEST_ID, description="Also of a deleted project.")
]
_Outcome = Annotated[Outcome | None, Query(description="`refused`: what was tried.")]
_Since = Annotated[_Moment | None, Query(description="The first moment that counts.")]
_Until = Annotated[
    _Moment | None, Query(description="The first moment after it that does not count.")
]
_Format = Annotated[
    Literal["json", "jsonl"],
    Query(
        alias="format",
        description="`jsonl`: all records that the filters leave, one a line, whatever `limit` "
        "and `cursor` say.",
    ),
]


@router.get(
    "/audit",
    summary="Who changed what, newest first",
    response_model=list[AuditAnswer],
    responses={
        200: {
            "content": {
                _LINES: {
                    "schema": {"type": "string"},
                    "example": '{"id": …, "action": "variant.edit", …}\n',
                }
            }
        },
        **documented("forbidden", "project_not_found", "invalid_cursor", "invalid_request"),
    },
)
async def list_records(
    request: Request,
    services: ServicesDependency,
    principal: Annotated[Principal, requires("maintainer", "anywhere")],
    page: PageDependency,
    actor: _Actor = None,
    action: _Action = None,
    object_: _Object = None,
    project_id: _ProjectId = None,
    outcome: _Outcome = None,
    since: _Since = None,
    until: _Until = None,
    format_: _Format = "json",
) -> Response:
    """List the records of changes, sign-ins and refusals; no record has a value or a secret.

    Administrators read all of them, maintainers those of their projects. Nothing changes a record;
    `AUDIT_RETENTION_DAYS` says how long they are kept.
    """
    wanted = AuditFilter(
        actor=actor,
        action=action,
        object=object_,
        project_ids=None if project_id is None else frozenset({project_id}),
        outcome=outcome,
        since=since,
        until=until,
    )
    if format_ == "jsonl":
        return await _lines(services.access.audit.every(principal, wanted))
    found = await services.access.audit.page(principal, wanted, page)
    return json_list(request, found, found.rows, _RECORDS)


async def _lines(records: AsyncGenerator[AuditRecord]) -> Response:
    # Read before the answer begins: a failure of the database must not be an answer that is cut.
    first = await anext(records, None)
    headers = {"Cache-Control": "no-store"}
    return StreamingResponse(_written(first, records), media_type=_LINES, headers=headers)


async def _written(
    first: AuditRecord | None, others: AsyncGenerator[AuditRecord]
) -> AsyncIterator[str]:
    lines = [] if first is None else [_line(first)]
    async for record in others:
        lines.append(_line(record))
        if len(lines) >= _TOGETHER:
            yield "".join(lines)
            lines = []
    yield "".join(lines)


def _line(record: AuditRecord) -> str:
    return record.model_dump_json() + "\n"
