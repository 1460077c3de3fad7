"""Variants: making, changing, deleting and resetting them."""

from typing import Annotated, Any, Final

from fastapi import APIRouter, Query, Request, Response
from pydantic import TypeAdapter

from benchmark_manager.api.http.json_bodies import BoundedBody
from benchmark_manager.api.http.problems import NOT_MODIFIED, documented
from benchmark_manager.api.http.requests import (
    IfMatchDependency,
    ObjectReader,
    PageDependency,
    Reader,
    SearchText,
    ServicesDependency,
    changes,
    json_list,
    json_resource,
    raw_content,
)
from benchmark_manager.api.http.shapes import Answer
from benchmark_manager.api.variants.shapes import (
    ModifiedFileAnswer,
    ModifiedFileCreate,
    ModifiedFileUpdate,
    ModifiedFileWithContent,
    ResetAnswer,
    modified_answer,
    modified_with_content,
)
from benchmark_manager.domain.fields import LONGEST_ID, LONGEST_PATH_QUERY
from benchmark_manager.factory import Services
from benchmark_manager.models.access.principal import Principal
from benchmark_manager.models.original import FileType
from benchmark_manager.models.variant import Drift, Variant

router = APIRouter(tags=["modified files"], route_class=BoundedBody, strict_content_type=False)

_FILES: Final[TypeAdapter[Any]] = TypeAdapter(list[Answer])
_BODY: Final = (
    "malformed_json",
    "body_too_large",
    "unsupported_media_type",
    "invalid_request",
    "invalid_name",
    "invalid_content",
    "too_large",
    "name_taken",
    "disk_full",
)

AllowInvalid = Annotated[bool, Query(description="Save content although it does not parse.")]


@router.post(
    "/projects/{project_id}/modified-files",
    status_code=201,
    summary="Make a variant of an original file",
    response_model=ModifiedFileWithContent,
    responses=documented("project_not_found", "file_not_found", *_BODY),
)
async def create_modified_file(
    request: Request,
    services: ServicesDependency,
    project_id: str,
    body: ModifiedFileCreate,
    principal: Annotated[Principal, changes("variant.create", "editor")],
    allow_invalid: AllowInvalid = False,
) -> Response:
    """Make a variant; name and content are the original's unless they are given."""
    file = await services.variants.create(
        principal,
        project_id,
        body.original_file_id,
        modified_name=body.modified_name,
        content=body.content,
        description=body.description or "",
        allow_invalid=allow_invalid,
    )
    answer = await _with_content(services, file, body.content)
    location = f"/modified-files/{file.id}"
    return json_resource(
        request, answer, revision=file.revision, status_code=201, location=location
    )


@router.get(
    "/projects/{project_id}/modified-files",
    summary="A project's variants, by path",
    response_model=list[ModifiedFileAnswer],
    responses=documented(
        "project_not_found", "file_not_found", "invalid_cursor", "invalid_request"
    ),
)
async def list_modified_files(
    request: Request,
    services: ServicesDependency,
    _: Reader,
    project_id: str,
    page: PageDependency,
    original_file_id: Annotated[
        str | None, Query(max_length=LONGEST_ID, description="Only variants of this one.")
    ] = None,
    file_type: Annotated[FileType | None, Query(description="Only these.")] = None,
    drift: Annotated[
        Drift | None, Query(description="Only those whose originals did this.")
    ] = None,
    q: Annotated[
        SearchText,
        Query(max_length=LONGEST_PATH_QUERY, description="Part of a path, regardless of case."),
    ] = None,
) -> Response:
    """List variants without contents; `drift` is how the original changed since."""
    found = await services.variants.page(
        project_id,
        page,
        original_file_id=original_file_id,
        file_type=file_type,
        drift=drift,
        query=q,
    )
    return json_list(request, found, [modified_answer(file) for file in found.rows], _FILES)


@router.delete(
    "/projects/{project_id}/modified-files",
    summary="Reset: delete all variants of a project",
    responses=documented("project_not_found", "invalid_request", "disk_full"),
)
async def reset_modified_files(
    services: ServicesDependency,
    project_id: str,
    principal: Annotated[Principal, changes("project.reset", "maintainer")],
) -> ResetAnswer:
    """Delete all variants; `POST /projects/{project_id}/undo-reset` restores them."""
    deleted_count, reset_id = await services.trash.reset(principal, project_id)
    return ResetAnswer(deleted_count=deleted_count, reset_id=reset_id)


@router.get(
    "/modified-files/{modified_file_id}",
    summary="One variant with its content",
    response_model=ModifiedFileWithContent,
    responses={**NOT_MODIFIED, **documented("modified_file_not_found")},
)
async def get_modified_file(
    request: Request, services: ServicesDependency, principal: ObjectReader, modified_file_id: str
) -> Response:
    """Return its text and drift; its ETag is for the `If-Match` of requests that change it."""
    file, data = await services.variants.with_content(principal, modified_file_id)
    answer = modified_with_content(file, data)
    return json_resource(request, answer, revision=file.revision)


@router.put(
    "/modified-files/{modified_file_id}",
    summary="Change a variant",
    response_model=ModifiedFileWithContent,
    responses=documented("modified_file_not_found", "stale", *_BODY),
)
async def update_modified_file(
    request: Request,
    services: ServicesDependency,
    modified_file_id: str,
    body: ModifiedFileUpdate,
    revisions: IfMatchDependency,
    principal: Annotated[Principal, changes("variant.edit", "editor", "object")],
    allow_invalid: AllowInvalid = False,
) -> Response:
    """Change only the given fields; a save without a change makes no revision."""
    file = await services.variants.update(
        principal,
        modified_file_id,
        modified_name=body.modified_name,
        content=body.content,
        description=body.description,
        allow_invalid=allow_invalid,
        expected_revisions=revisions,
    )
    answer = await _with_content(services, file, body.content)
    return json_resource(request, answer, revision=file.revision)


@router.delete(
    "/modified-files/{modified_file_id}",
    status_code=204,
    summary="Delete a variant",
    responses=documented("modified_file_not_found", "stale", "invalid_request", "disk_full"),
)
async def delete_modified_file(
    services: ServicesDependency,
    modified_file_id: str,
    revisions: IfMatchDependency,
    principal: Annotated[Principal, changes("variant.delete", "editor", "object")],
) -> None:
    """Delete it; its name is free at once, and its original stays as it is.

    `POST /modified-files/{modified_file_id}/undelete` undoes it.
    """
    await services.trash.delete(principal, modified_file_id, revisions)


@router.get(
    "/modified-files/{modified_file_id}/raw",
    summary="The exact bytes of a variant",
    response_class=Response,
    responses={
        200: {"content": {"text/plain": {"schema": {"type": "string", "format": "binary"}}}},
        **NOT_MODIFIED,
        **documented("modified_file_not_found"),
    },
)
async def get_raw_modified_file(
    request: Request, services: ServicesDependency, principal: ObjectReader, modified_file_id: str
) -> Response:
    """Return the bytes exactly as they were saved."""
    file, data = await services.variants.with_content(principal, modified_file_id)
    return raw_content(request, data, file.modified_name, file.content_sha256)


async def _with_content(services: Services, file: Variant, given: str | None) -> Answer:
    """Return a variant as it was saved, with the content that was `given`, or else is stored."""
    data = await services.variants.content(file) if given is None else given.encode()
    return modified_with_content(file, data)
