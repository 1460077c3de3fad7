"""Releases: making, reading, changing and delivering them."""

import asyncio
from hashlib import sha256
from typing import Annotated, Any, Final

from fastapi import APIRouter, Query, Request, Response
from fastapi.responses import StreamingResponse
from pydantic import TypeAdapter
from starlette.convertors import Convertor, register_url_convertor

from benchmark_manager.api.http.json_bodies import BoundedBody
from benchmark_manager.api.http.problems import NOT_MODIFIED, OF_BODIES, documented
from benchmark_manager.api.http.requests import (
    IfMatchDependency,
    ObjectReader,
    PageDependency,
    Reader,
    ServicesDependency,
    changes,
    json_list,
    json_resource,
    raw_content,
)
from benchmark_manager.api.releases.shapes import (
    ComparisonAnswer,
    EffectiveAnswer,
    ReleaseAnswer,
    ReleaseCreate,
    ReleaseDetail,
    ReleaseUpdate,
    comparison_answer,
    effective_answer,
    release_answer,
    release_detail,
)
from benchmark_manager.domain.releases.archive import ARCHIVE_EDITION, MEDIA_TYPES
from benchmark_manager.domain.releases.digest import is_whole
from benchmark_manager.domain.releases.substitutes import substitutes_of
from benchmark_manager.models.access.principal import Principal
from benchmark_manager.models.release import ArchiveFormat, Release


class _AnyPath(Convertor[str]):
    """The rest of an address with its line breaks: Starlette's own `path` ends at one."""

    regex = r"[\s\S]*"

    def convert(self, value: str) -> str:
        return value

    def to_string(self, value: str) -> str:
        return value


register_url_convertor("any_path", _AnyPath())

router = APIRouter(tags=["releases"], route_class=BoundedBody, strict_content_type=False)

_RELEASES: Final[TypeAdapter[Any]] = TypeAdapter(list[ReleaseAnswer])
_FOUND: Final = ("release_not_found", "digest_too_short", "digest_ambiguous")
#: What a whole digest names never changes: RFC 9111, 5.2.2.1, and RFC 8246.
_FOR_EVER: Final = "max-age=31536000, immutable"
_YAML: Final = "application/yaml"


def _bytes_as(*media_types: str) -> dict[int | str, dict[str, Any]]:
    content = {kind: {"schema": {"type": "string", "format": "binary"}} for kind in media_types}
    return {200: {"content": content}, **NOT_MODIFIED}


@router.post(
    "/projects/{project_id}/releases",
    status_code=201,
    summary="Freeze a project's files into a release",
    response_model=ReleaseDetail,
    responses={
        200: {
            "model": ReleaseDetail,
            "description": "These files are a release already; this making was added to it.",
        },
        **documented(
            *(
                "project_not_found",
                "modified_file_not_found",
                "file_not_found",
                "nothing_to_release",
                "path_clash",
                "substitute_mismatch",
                *OF_BODIES,
            ),
        ),
    },
)
async def create_release(
    request: Request,
    services: ServicesDependency,
    project_id: str,
    body: ReleaseCreate,
    principal: Annotated[Principal, changes("release.create", "editor")],
) -> Response:
    """Make a release of the files at one moment: never a part of a sync.

    Equal content is one release, also in another project: a later making is added to `makings`, and
    changes neither name nor description. `pinned` pins the release.
    """
    release, new = await services.releases.make(
        principal,
        project_id,
        name=body.name,
        description=body.description,
        pinned=body.pinned,
        contents=body.include,
        variant_ids=body.modified_file_ids,
        substitutes=body.substitute,
    )
    location = f"/releases/{release.digest}"
    status = 201 if new else 200
    answer = await _detail(services, release)
    return json_resource(
        request, answer, revision=release.revision, status_code=status, location=location
    )


async def _detail(services: ServicesDependency, release: Release, making: int = 1) -> ReleaseDetail:
    files = await services.releases.files(release, making)
    makings = await services.releases.makings(release)
    # In a thread: a release may have tens of thousands of files, and others are served meanwhile.
    return await asyncio.to_thread(release_detail, release, files, makings)


@router.get(
    "/projects/{project_id}/releases",
    summary="The releases of a project, newest first",
    response_model=list[ReleaseAnswer],
    responses=documented("project_not_found", "invalid_cursor", "invalid_request"),
)
async def list_releases(
    request: Request,
    services: ServicesDependency,
    principal: Reader,
    project_id: str,
    page: PageDependency,
    cells: Annotated[
        bool, Query(description="Also releases that only sweeps made: their cells.")
    ] = False,
) -> Response:
    """List releases by their first makings, with counts instead of files and makings."""
    found = await services.releases.page(principal, project_id, page, cells=cells)
    return json_list(request, found, [release_answer(release) for release in found.rows], _RELEASES)


@router.get(
    "/projects/{project_id}/effective",
    summary="What a release of all files would hold now",
    response_model=EffectiveAnswer,
    responses={
        **NOT_MODIFIED,
        **documented(
            *("project_not_found", "modified_file_not_found", "file_not_found", "path_clash"),
            *("substitute_mismatch", "invalid_request"),
        ),
    },
)
async def get_effective(
    request: Request,
    services: ServicesDependency,
    _: Reader,
    project_id: str,
    substitute: Annotated[
        list[str],
        Query(
            description="`PATH=ID`: the variant with this id stands at the path of its original, "
            "and not at its own. May be repeated; the last `=` separates the two.",
        ),
    ] = [],  # noqa: B006 -- it is read only
) -> Response:
    """Return what a release made now would be, with its digest; nothing is stored."""
    digest, files = await services.releases.effective(project_id, substitutes_of(substitute))
    return json_resource(
        request, await asyncio.to_thread(effective_answer, project_id, digest, files)
    )


@router.get(
    "/releases/{digest}",
    summary="One release, whole",
    response_model=ReleaseDetail,
    responses={**NOT_MODIFIED, **documented(*_FOUND, "making_not_found", "invalid_request")},
)
async def get_release(
    request: Request,
    services: ServicesDependency,
    principal: ObjectReader,
    digest: str,
    making: Annotated[
        int,
        Query(
            ge=1, le=1_000_000_000, description="Show the files' origins as this making knew them."
        ),
    ] = 1,
) -> Response:
    """Find it by its digest, with or without `sha256:`, or by at least 12 of its first digits.

    Its files never change, but name, description, pin and makings may: caches must check the answer
    again.
    """
    release = await services.releases.get(principal, digest)
    return json_resource(
        request, await _detail(services, release, making), revision=release.revision
    )


@router.put(
    "/releases/{digest}",
    summary="Rename, describe or pin a release",
    response_model=ReleaseDetail,
    responses=documented(*_FOUND, "stale", *OF_BODIES),
)
async def update_release(
    request: Request,
    services: ServicesDependency,
    principal: Annotated[Principal, changes("release.edit", "editor", "object")],
    digest: str,
    body: ReleaseUpdate,
    revisions: IfMatchDependency,
) -> Response:
    """Change only the given fields; the content of a release never changes.

    Removing the pin of a release whose projects are all deleted deletes the release.
    """
    release = await services.releases.get(principal, digest)
    files, makings = (
        await services.releases.files(release),
        await services.releases.makings(release),
    )
    release = await services.releases.update(
        principal,
        release.digest,
        name=body.name,
        description=body.description,
        pinned=body.pinned,
        expected_revisions=revisions,
    )
    answer = await asyncio.to_thread(release_detail, release, files, makings)
    return json_resource(request, answer, revision=release.revision)


@router.get(
    "/releases/{digest}/SHA256SUMS",
    summary="The checksums by which `sha256sum -c` checks a release's files",
    response_class=Response,
    responses={**_bytes_as("text/plain"), **documented(*_FOUND)},
)
async def get_sums(
    request: Request, services: ServicesDependency, principal: ObjectReader, digest: str
) -> Response:
    """Return the checksums; their own SHA-256 is the release's digest."""
    release = await services.releases.get(principal, digest)
    sums = await services.release_delivery.sums(release)
    return _lasting(principal, raw_content(request, sums, "SHA256SUMS", _digits(release)), digest)


@router.get(
    "/releases/{digest}/files/{path:any_path}",
    summary="The exact bytes of a release's file",
    response_class=Response,
    responses={
        **_bytes_as("text/plain"),
        **documented(*_FOUND, "release_file_not_found", "release_file_ambiguous"),
    },
)
async def get_release_file(
    request: Request, services: ServicesDependency, principal: ObjectReader, digest: str, path: str
) -> Response:
    """Return a file by its URL-encoded path; slashes need no encoding.

    Without a file of this very path, the one whose path differs only in Unicode form is returned.
    """
    file, data = await services.release_delivery.file(
        await services.releases.get(principal, digest), path
    )
    return _lasting(
        principal, raw_content(request, data, file.path.rpartition("/")[2], file.sha256), digest
    )


@router.get(
    "/releases/{digest}/archive",
    summary="All files of a release as an archive",
    response_class=Response,
    responses={
        **_bytes_as(*MEDIA_TYPES.values()),
        **documented(*_FOUND, "archive_path_unsafe", "invalid_request"),
    },
)
async def get_archive(
    request: Request,
    services: ServicesDependency,
    principal: ObjectReader,
    digest: str,
    archive_format: Annotated[
        ArchiveFormat, Query(alias="format", description="`tar.gz` or `zip`.")
    ] = "tar.gz",
) -> Response:
    """Return the same bytes every time: sorted names, fixed times and modes, no compression."""
    release = await services.releases.get(principal, digest)
    name = f"release-{_digits(release)[:12]}.{archive_format}"
    tag = f"{_digits(release)}.{archive_format}.{ARCHIVE_EDITION}"
    answer = _lasting(principal, raw_content(request, b"", name, tag), digest)
    if answer.status_code == 304:  # noqa: PLR2004 -- Not Modified
        return answer
    archive = await services.release_delivery.archive(release, archive_format)
    headers = {
        name: answer.headers[name] for name in ("etag", "cache-control", "content-disposition")
    }
    return StreamingResponse(
        archive.chunks,
        media_type=MEDIA_TYPES[archive_format],
        headers={**headers, "Content-Length": str(archive.length)},
    )


@router.get(
    "/releases/{digest}/configmap",
    summary="A release as an immutable Kubernetes ConfigMap",
    response_class=Response,
    responses={
        **_bytes_as(_YAML),
        **documented(
            *(*_FOUND, "invalid_name", "invalid_request"),
            *("configmap_too_large", "configmap_key_invalid", "configmap_key_clash"),
        ),
    },
)
async def get_config_map(
    request: Request,
    services: ServicesDependency,
    principal: ObjectReader,
    digest: str,
    name: Annotated[
        str | None,
        Query(
            max_length=1000,
            description="The ConfigMap's; else `release-` and 12 digits of the digest.",
        ),
    ] = None,
) -> Response:
    """Return a manifest for `kubectl create -f -`, with the exact texts.

    Keys are the paths with `__` for each `/`.
    """
    release = await services.releases.get(principal, digest)
    name, manifest = await services.release_delivery.config_map(release, name)
    answer = raw_content(request, manifest, f"{name}.yaml", sha256(manifest).hexdigest())
    if answer.status_code == 200:  # noqa: PLR2004 -- OK
        answer.headers["Content-Type"] = _YAML
    return _lasting(principal, answer, digest)


@router.get(
    "/releases/{digest}/compare/{other}",
    summary="The differences to another release",
    response_model=ComparisonAnswer,
    responses={**NOT_MODIFIED, **documented(*_FOUND, "service_busy")},
)
async def compare_releases(
    request: Request, services: ServicesDependency, principal: ObjectReader, digest: str, other: str
) -> Response:
    """Return what was added, removed and changed, by key where both texts parse."""
    before, after = (
        await services.releases.get(principal, digest),
        await services.releases.get(principal, other),
    )
    comparison = await services.release_delivery.compare(before, after)
    answer = json_resource(request, await asyncio.to_thread(comparison_answer, comparison))
    return _lasting(principal, answer, digest, other) if comparison.complete else answer


def _digits(release: Release) -> str:
    return release.digest.partition(":")[2]


def _lasting(principal: Principal, answer: Response, *references: str) -> Response:
    """Let caches keep an answer to whole digests for ever; shorter ones may become ambiguous."""
    if all(map(is_whole, references)):
        # Caches that several people share check no right.
        shared = principal.via == "open"
        answer.headers["Cache-Control"] = _FOR_EVER if shared else f"private, {_FOR_EVER}"
    return answer
