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
    return GitHubRateLimitedError("token" if with_token else "no_token", retry_at=until)


def refusal(status: int, repository: RepositoryAddress, *, with_token: bool) -> Exception:
    """Return what a refused request (4xx, not a limit) means for the project."""
    name = f"{repository.owner}/{repository.name}"
    match status:
        case 401:
            return GitHubActionError("github_unauthorized", "token" if with_token else "no_token")
        case 403 | 451:
            return GitHubActionError("github_forbidden", "token", repository=name)
        case 404 | 410:
            return GitHubActionError("repository_not_found", repository=name)
        case 409:
            return GitHubActionError("repository_empty", repository=name)
        case _:
            return GitHubUnavailableError("unexpected_status", status=status)


def ref_not_found(
    repository: RepositoryAddress, ref: Ref | None, *, is_tag: bool = False
) -> GitHubActionError:
    """Return `branch_not_found`, `tag_not_found` or `commit_not_found`.

    `is_tag`: there is no branch of this name, but a tag.
    """
    name = f"{repository.owner}/{repository.name}"
    if ref is None:
        return GitHubActionError("branch_not_found", "default", repository=name)
    if is_tag:
        declared = json.dumps({"kind": "tag", "name": ref.name}, ensure_ascii=False)
        return GitHubActionError(
            "branch_not_found", "tag", repository=name, name=ref.name, declared=declared
        )
    return GitHubActionError(f"{ref.kind}_not_found", repository=name, name=ref.name)


def commit_not_found(repository: RepositoryAddress, sha: str) -> GitHubActionError:
    name = f"{repository.owner}/{repository.name}"
    return GitHubActionError("commit_not_found", "gone", repository=name, name=sha)
