"""The ways in which people write a repository's address."""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final
from urllib.parse import unquote, urlsplit

from benchmark_manager.errors import InvalidInputError
from benchmark_manager.models.project import RepositoryAddress

_FIELD: Final = "github_repo_url"
# GitHub: owners are letters, digits and single hyphens (enterprise users may hold an underscore);
# repositories also hold dots and underscores.
_OWNER: Final = re.compile(r"[A-Za-z0-9](?:[A-Za-z0-9_-]{0,98}[A-Za-z0-9_])?")
_NAME: Final = re.compile(r"[A-Za-z0-9._-]{1,100}")
# A number is a port in ssh://git@HOST:22/OWNER/REPO, and an owner in git@HOST:22/REPO.
_SSH: Final = re.compile(r"(ssh://)?git@([^:/@\s]+)(?(1)(?::\d+/|[:/])|[:/])([^:@\s]+)")
_TREE: Final = 3
_DEFAULT_PORTS: Final = {"http": 80, "https": 443}
#: That of an ssh address says nothing about the API's.
_ANY_PORT: Final = -1


@dataclass(frozen=True, slots=True)
class ParsedRepositoryUrl:
    """The repository, and the branch which a `/tree/BRANCH` address names."""

    repository: RepositoryAddress
    branch: str | None = None


def parse_repository_url(text: str, api_urls: Sequence[str]) -> ParsedRepositoryUrl:
    """Understand an API, web, ssh or short address; `api_urls` are the allowed bases, the first being the default.

    Raises:
        InvalidInputError: `invalid_github_url`, or `github_url_not_allowed` for a base that is
            not in `api_urls`. Neither repeats the address: people paste tokens into addresses.
    """
    text = text.strip()
    if ssh := _SSH.fullmatch(text):
        return _from_path(_base_for_host(ssh[2], _ANY_PORT, api_urls), ssh[3].strip("/").split("/"), short=True)
    if "://" in text:
        return _from_url(text, api_urls)
    return _from_path(api_urls[0], text.split("/"), short=True)


def _from_url(text: str, api_urls: Sequence[str]) -> ParsedRepositoryUrl:
    try:
        parts = urlsplit(text)
        host = parts.hostname
        port = parts.port
    except ValueError:
        raise _invalid() from None
    if parts.scheme not in {"http", "https"} or not host or any(c.isspace() for c in text):
        raise _invalid()
    if parts.username is not None or parts.password is not None:
        raise InvalidInputError(
            "invalid_github_url",
            "The address must hold no user name or token; give the token as github_token.",
            field=_FIELD,
        )
    for base in api_urls:
        prefix = f"{base}/repos/"
        if text.lower().startswith(prefix.lower()):
            return _from_path(base, parts.path[len(urlsplit(prefix).path) :].strip("/").split("/"), short=True)
    base = _base_for_host(host, port, api_urls)
    if parts.path.startswith(("/repos/", "/api/")):
        raise _not_allowed(api_urls)
    return _from_path(base, parts.path.strip("/").split("/"), short=False)


def _base_for_host(host: str, port: int | None, api_urls: Sequence[str]) -> str:
    """The allowed base which serves a web or ssh host; `port` is None where a web address names none."""
    wanted = {host.lower(), f"api.{host.lower()}"}
    for base in api_urls:
        parts = urlsplit(base)
        default = _DEFAULT_PORTS[parts.scheme]
        served = parts.port or default
        if parts.hostname in wanted and (port in {_ANY_PORT, served} or (port is None and served == default)):
            return base
    raise _not_allowed(api_urls)


def _from_path(base: str, segments: list[str], *, short: bool) -> ParsedRepositoryUrl:
    branch = None
    if not short and len(segments) > _TREE and segments[2] == "tree":
        branch = unquote("/".join(segments[_TREE:]))
        segments = segments[:2]
    if len(segments) != 2:  # noqa: PLR2004 -- OWNER/REPO
        raise _invalid()
    owner, name = segments[0], segments[1].removesuffix(".git")
    if not _OWNER.fullmatch(owner) or not _NAME.fullmatch(name) or name in {".", ".."}:
        raise _invalid()
    return ParsedRepositoryUrl(RepositoryAddress(api_url=base, owner=owner, name=name), branch)


def _invalid() -> InvalidInputError:
    return InvalidInputError(
        "invalid_github_url",
        "Give the repository as https://github.com/OWNER/REPO, its API address, git@github.com:OWNER/REPO.git "
        "or OWNER/REPO.",
        field=_FIELD,
    )


def _not_allowed(api_urls: Sequence[str]) -> InvalidInputError:
    return InvalidInputError(
        "github_url_not_allowed",
        f"This service talks to {', '.join(api_urls)} only; add the address's API base to GITHUB_API_URLS.",
        field=_FIELD,
    )


def web_url(repository: RepositoryAddress) -> str:
    """The repository's page: `https://HOST/OWNER/REPO` for `https://api.HOST` and `https://HOST/api/v3`."""
    parts = urlsplit(repository.api_url)
    host = parts.netloc.removeprefix("api.")
    return f"{parts.scheme}://{host}/{repository.owner}/{repository.name}"


def check_branch(branch: str) -> None:
    """Accept what git accepts as a branch name.

    Source: git-check-ref-format(1).

    Raises:
        InvalidInputError: `invalid_branch`.
    """
    forbidden = re.search(r"[\x00-\x20\x7f~^:?*\[\\]|\.\.|@\{|//", branch)
    segments = branch.split("/")
    if (
        not branch
        or forbidden
        or branch in {"@", "HEAD"}
        or branch.endswith(".")
        or branch.startswith("-")
        or any(s == "" or s.startswith(".") or s.endswith(".lock") for s in segments)
        or len(branch.encode("utf-8", "replace")) > 255  # noqa: PLR2004 -- GitHub's limit, in bytes
    ):
        raise InvalidInputError("invalid_branch", "branch is no name that git accepts for a branch.", field="branch")


def check_token(token: str) -> None:
    """Accept what may stand in an Authorization header; the message never repeats it.

    Raises:
        InvalidInputError: `invalid_token`.
    """
    if not re.fullmatch(r"[\x21-\x7e]{1,255}", token):
        raise InvalidInputError(
            "invalid_token",
            "github_token must be 1 to 255 printable ASCII characters without spaces.",
            field="github_token",
        )
