"""What a refused request means for a project."""

import json
from datetime import datetime

from benchmark_manager.errors import (
    GitHubActionError,
    GitHubRateLimitedError,
    GitHubUnavailableError,
)
from benchmark_manager.models.project import Ref, RepositoryAddress


def rate_limited(until: datetime, *, with_token: bool) -> GitHubRateLimitedError:
    """Return the error of a limit that is used up until then."""
    subject = (
        "this token"
        if with_token
        else "requests without a token (give the project one: it allows 5,000 an hour)"
    )
    return GitHubRateLimitedError(
        f"GitHub's rate limit for {subject} is used up until {until:%Y-%m-%d %H:%M:%S} UTC; "
        "it is tried again then.",
        retry_at=until,
    )


def refusal(status: int, repository: RepositoryAddress, *, with_token: bool) -> Exception:
    """Return what a refused request (4xx, not a limit) means for the project."""
    name = f"{repository.owner}/{repository.name}"
    match status:
        case 401:
            hint = "enter a valid one" if with_token else "the repository asks for a token"
            return GitHubActionError(
                "github_unauthorized", f"GitHub does not accept the token; {hint}."
            )
        case 403 | 451:
            return GitHubActionError(
                "github_forbidden",
                f"GitHub denies access to {name}; "
                "give the token read access to the repository's contents.",
            )
        case 404 | 410:
            return GitHubActionError(
                "repository_not_found",
                f"GitHub shows no repository {name} to this token; check the address, "
                "and that the token may read the repository.",
            )
        case 409:
            return GitHubActionError(
                "repository_empty", f"The repository {name} has no commit yet."
            )
        case _:
            return GitHubUnavailableError(f"GitHub answered {status}, which it never should here.")


def ref_not_found(
    repository: RepositoryAddress, ref: Ref | None, *, is_tag: bool = False
) -> GitHubActionError:
    """Return `branch_not_found`, `tag_not_found` or `commit_not_found`.

    `is_tag`: there is no branch of this name, but a tag.
    """
    which = f"{ref.kind} {ref.name!r}" if ref is not None else "default branch"
    detail = (
        f"The repository {repository.owner}/{repository.name} has no {which}; "
        "everything copied so far is kept."
    )
    if is_tag and ref is not None:
        declared = f'{{"kind": "tag", "name": {json.dumps(ref.name, ensure_ascii=False)}}}'
        detail = (
            f"{detail} There is a tag of this name: to follow it, give the project ref: {declared}."
        )
    return GitHubActionError("branch_not_found" if ref is None else f"{ref.kind}_not_found", detail)


def commit_not_found(repository: RepositoryAddress, sha: str) -> GitHubActionError:
    return GitHubActionError(
        "commit_not_found",
        f"The repository {repository.owner}/{repository.name} has no commit {sha} any more; "
        "sync the project, then ask again.",
    )
