"""Repositories that have no project yet."""

from typing import Annotated, Final

from fastapi import APIRouter, Depends, Header, Query, Request
from fastapi.exceptions import RequestValidationError
from pydantic import AfterValidator, BaseModel, Field, SecretStr

from benchmark_manager.api.http.json_bodies import BoundedBody
from benchmark_manager.api.http.problems import documented
from benchmark_manager.api.http.requests import ServicesDependency, requires
from benchmark_manager.api.http.shapes import RequestBody, without_nul
from benchmark_manager.api.projects.shapes import EXCLUDE, INCLUDE, Patterns, RefAnswer, RefGiven
from benchmark_manager.domain.fields import LONGEST_ADDRESS, LONGEST_FOLDER, LONGEST_REF_NAME
from benchmark_manager.domain.projects.repository_url import web_url
from benchmark_manager.models.access.principal import Principal
from benchmark_manager.models.preview import PreviewFolder, PreviewSelection, RepositoryPreview
from benchmark_manager.models.project import Ref, RefKind
from benchmark_manager.services.projects.previews import PreviewRequest

router = APIRouter(
    prefix="/repositories", tags=["projects"], route_class=BoundedBody, strict_content_type=False
)

_ERRORS: Final = (
    *(
        "invalid_request",
        "invalid_github_url",
        "github_url_not_allowed",
        "invalid_folder",
        "invalid_branch",
    ),
    *("invalid_ref", "contradictory_ref", "ambiguous_address", "invalid_token", "invalid_pattern"),
    *(
        "repository_not_found",
        "branch_not_found",
        "tag_not_found",
        "commit_not_found",
        "repository_empty",
    ),
    *("github_unauthorized", "github_forbidden", "github_unavailable", "github_rate_limited"),
)
#: The parameters of `GET /repositories/preview`.
_PARAMETERS: Final = frozenset(
    {
        "github_repo_url",
        "branch",
        "ref_kind",
        "ref_name",
        "config_folder",
        "job_folder",
        "include",
        "exclude",
    }
)
_ADDRESS: Final = "In every form that a project's address may have."
_FOLDER: Final = (
    "`selected` has what a project with this folder would contain; without it, that of the "
    "suggested "
    "folder."
)

_Text = Annotated[str | None, AfterValidator(without_nul)]


_Token = Annotated[
    SecretStr | None,
    Header(
        alias="X-GitHub-Token",
        description="Used for this request only. A token never belongs into an address.",
    ),
]


class PreviewBody(RequestBody):
    """A repository, with the fields that a project of it would have."""

    github_repo_url: str = Field(
        max_length=LONGEST_ADDRESS, description=_ADDRESS, examples=["acme/benchmarks"]
    )
    github_token: SecretStr | None = Field(
        default=None, description="Used for this request only, and not stored."
    )
    branch: str | None = Field(
        default=None, description="Else the default branch.", examples=["main"]
    )
    ref: RefGiven | None = Field(default=None, description="Instead of `branch`.")
    config_folder: str | None = Field(default=None, max_length=LONGEST_FOLDER, description=_FOLDER)
    job_folder: str | None = Field(default=None, max_length=LONGEST_FOLDER, description=_FOLDER)
    include: Patterns = Field(default_factory=list, description=INCLUDE)
    exclude: Patterns = Field(default_factory=list, description=EXCLUDE)


class PreviewAnswer(BaseModel):
    """What a repository contains.

    Contents are not read: binary files and pointers of Git LFS count as copied.
    """

    github_repo_url: str = Field(examples=["https://api.github.com/repos/acme/benchmarks"])
    github_web_url: str = Field(examples=["https://github.com/acme/benchmarks"])
    ref: RefAnswer | None = Field(description="What was read; null: the default branch.")
    default_branch: str | None
    commit_sha: str | None = Field(
        description="The ref's commit; null where the request was sent without a token."
    )
    branches: list[str] = Field(description="The first 100 by name.")
    more_branches: bool
    complete: bool = Field(
        description="false: GitHub cut the listing, and all numbers are minimums."
    )
    folders: list[PreviewFolder] = Field(
        description="Those with YAML or JSON in them or below, at most 200, those near the root "
        "first; "
        "deeper folders than 10, and paths over 200 characters, count for the folders above. "
        "`likely_jobs` is guessed from the names of files and folders."
    )
    more_folders: bool
    suggested: PreviewSelection = Field(description="The folders that a project of it might read.")
    selected: PreviewSelection = Field(
        description="The folders that were given, else the suggested ones."
    )


def _known_parameters_only(request: Request) -> None:
    """Refuse unknown parameters without repeating them: a token may be among them."""
    unknown = request.query_params.keys() - _PARAMETERS
    if "github_token" in unknown:
        raise _refused(
            "github_token",
            "a token never belongs into an address; send it as the header X-GitHub-Token",
        )
    if unknown:
        raise _refused(
            None,
            f"there are only {', '.join(sorted(_PARAMETERS))}; "
            "a token never belongs into an address",
        )


def _refused(name: str | None, message: str) -> RequestValidationError:
    location = ("query",) if name is None else ("query", name)
    return RequestValidationError([{"type": "value_error", "loc": location, "msg": message}])


@router.get(
    "/preview",
    summary="Preview a repository before adding it",
    responses=documented(*_ERRORS),
    dependencies=[Depends(_known_parameters_only)],
)
async def preview_repository(
    services: ServicesDependency,
    principal: Annotated[Principal, requires("maintainer", "anywhere")],
    github_repo_url: Annotated[
        str, Query(max_length=LONGEST_ADDRESS, description=_ADDRESS), AfterValidator(without_nul)
    ],
    branch: Annotated[
        _Text, Query(max_length=LONGEST_REF_NAME, description="Else the default branch.")
    ] = None,
    ref_kind: Annotated[
        RefKind | None, Query(description="With `ref_name`: instead of `branch`.")
    ] = None,
    ref_name: Annotated[
        _Text, Query(max_length=LONGEST_REF_NAME, description="With `ref_kind`.")
    ] = None,
    config_folder: Annotated[_Text, Query(max_length=LONGEST_FOLDER, description=_FOLDER)] = None,
    job_folder: Annotated[_Text, Query(max_length=LONGEST_FOLDER, description=_FOLDER)] = None,
    include: Annotated[Patterns, Query(description=INCLUDE)] = [],  # noqa: B006 -- it is read only
    exclude: Annotated[Patterns, Query(description=EXCLUDE)] = [],  # noqa: B006
    token: _Token = None,
) -> PreviewAnswer:
    """Return branches, and folders with the number of files that would be copied or skipped.

    Nothing is stored. The service sends two requests to GitHub, three without any token, and one
    more for a commit, with the credential and limits that a project of the repository would have.
    `POST` does the same and has all fields in a body.
    """
    ref = (
        None
        if ref_kind is None and ref_name is None
        else Ref(kind=ref_kind or "branch", name=ref_name or "")
    )
    return _answer(
        await services.previews.preview(
            principal,
            PreviewRequest(
                github_repo_url,
                _opened(token),
                branch,
                ref,
                config_folder,
                job_folder,
                include,
                exclude,
            ),
        )
    )


@router.post(
    "/preview",
    summary="Preview a repository before adding it, by a body",
    responses=documented("malformed_json", "body_too_large", "unsupported_media_type", *_ERRORS),
)
async def preview_by_body(
    services: ServicesDependency,
    principal: Annotated[Principal, requires("maintainer", "anywhere")],
    body: PreviewBody,
) -> PreviewAnswer:
    """Do the same as `GET`; nothing is stored."""
    ref = None if body.ref is None else Ref(kind=body.ref.kind, name=body.ref.name)
    request = PreviewRequest(
        body.github_repo_url,
        _opened(body.github_token),
        body.branch,
        ref,
        body.config_folder,
        body.job_folder,
        body.include,
        body.exclude,
    )
    return _answer(await services.previews.preview(principal, request))


def _opened(token: SecretStr | None) -> str | None:
    return None if token is None else token.get_secret_value()


def _answer(found: RepositoryPreview) -> PreviewAnswer:
    return PreviewAnswer(
        github_repo_url=found.repository.url,
        github_web_url=web_url(found.repository),
        ref=None if found.ref is None else RefAnswer(kind=found.ref.kind, name=found.ref.name),
        default_branch=found.default_branch,
        commit_sha=found.commit_sha,
        branches=list(found.branches),
        more_branches=found.more_branches,
        complete=found.complete,
        folders=list(found.folders),
        more_folders=found.more_folders,
        suggested=found.suggested,
        selected=found.selected,
    )
