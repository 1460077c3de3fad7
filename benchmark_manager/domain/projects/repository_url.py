"""Parse the forms in which people write the address of a repository."""

import re
from collections.abc import Collection, Sequence
from dataclasses import dataclass
from typing import Final
from urllib.parse import unquote, urlsplit

from benchmark_manager.domain.git.objects import is_object_id
from benchmark_manager.domain.projects.refs import ref_of
from benchmark_manager.errors import InvalidInputError
from benchmark_manager.models.project import Ref, RefKind, RepositoryAddress

_FIELD: Final = "address"
# GitHub: owners consist of letters, digits and single hyphens (those of enterprises may have an
# underscore); repositories may also have dots and underscores.
_OWNER: Final = re.compile(r"[A-Za-z0-9](?:[A-Za-z0-9_-]{0,98}[A-Za-z0-9_])?")
_NAME: Final = re.compile(r"[A-Za-z0-9._-]{1,100}")
# A number is a port in ssh://git@HOST:22/OWNER/REPO, and an owner in git@HOST:22/REPO. With SSH
# certificates the user is org-NUMBER.
_SSH: Final = re.compile(r"(ssh://)?(?:git|org-\d+)@([^:/@\s]+)(?(1)(?::\d+/|[:/])|[:/])([^:@\s]+)")
#: What no owner's name contains: a dot between other characters, a port, or a user's name.
_HOST: Final = re.compile(r"[^.]\.[^.]|[:@]")
#: The prefix that pip, npm and git write before an address.
_GIT_SCHEME: Final = re.compile(r"git\+(?=(?:https?|ssh)://)", re.IGNORECASE)
_DEFAULT_PORTS: Final = {"http": 80, "https": 443}
#: The port of an ssh address says nothing about that of the API.
_ANY_PORT: Final = -1
#: Prefixes of other hosts of the same GitHub: that of its pages, and that of ssh by port 443.
_OTHER_HOSTS: Final = ("www.", "ssh.")
#: What follows OWNER/REPO in the address of a page, and whether the page is a file's.
_PAGES: Final = {
    "tree": False,
    "commits": False,
    "blob": True,
    "raw": True,
    "edit": True,
    "blame": True,
}
_PREFIXES: Final[tuple[tuple[str, RefKind], ...]] = (
    ("refs/heads/", "branch"),
    ("refs/tags/", "tag"),
)
#: Segments of a path after `/tree/`.
_MOST_SEGMENTS: Final = 100
_LONGEST_TOKEN: Final = 255


@dataclass(frozen=True, slots=True)
class RefAndPath:
    """The part of an address after `/tree/` or `/blob/`: a ref's name, and perhaps a path.

    Names of branches and tags may contain slashes, so only GitHub knows where they end. `kinds` are
    the possible kinds of the ref; `is_file`: the path's last segment is a file.
    """

    text: str
    kinds: tuple[RefKind, ...]
    is_file: bool

    @property
    def first(self) -> str:
        """The first segment, with which every possible name of the ref begins."""
        return self.text.partition("/")[0]

    @property
    def may_have_path(self) -> bool:
        """Whether a path may follow the ref's name."""
        return "/" in self.text

    @property
    def may_have_folder(self) -> bool:
        """Whether a folder may follow the ref's name."""
        return self.text.count("/") > self.is_file

    def folder_after(self, name: str) -> str | None:
        """Return the folder after a ref of this name; None without one, or for another ref."""
        return (
            _folder(self.text[len(name) + 1 :], is_file=self.is_file)
            if self.begins_with(name)
            else None
        )

    def longest(self, names: Collection[str]) -> str | None:
        """Return the longest of the names with which the text may begin."""
        return max((name for name in names if self.begins_with(name)), key=len, default=None)

    def begins_with(self, name: str) -> bool:
        """Return whether a ref of this name may be what the text names."""
        return self.text == name or self.text.startswith(f"{name}/")


@dataclass(frozen=True, slots=True)
class ParsedRepositoryUrl:
    """The repository, ref and folder of an address.

    `ref` and `folder` are certain, and None where the address has none. `ref_and_path` has to be
    split with the help of GitHub.
    """

    repository: RepositoryAddress
    ref: Ref | None = None
    folder: str | None = None
    ref_and_path: RefAndPath | None = None


def parse_repository_url(text: str, api_urls: Sequence[str]) -> ParsedRepositoryUrl:
    """Parse an API, web, ssh or short address.

    Args:
        text: the address.
        api_urls: the allowed API bases, of which the first is the default.

    Raises:
        InvalidInputError: `invalid_github_url`, or `github_url_not_allowed` for a base that is
            not in `api_urls`. Neither repeats the address: people paste tokens into addresses.
    """
    text = _GIT_SCHEME.sub("", text.strip(), count=1)
    if ssh := _SSH.fullmatch(text):
        segments = ssh[3].strip("/").split("/")
        return ParsedRepositoryUrl(
            _repository(_base_for_host(ssh[2], _ANY_PORT, api_urls), segments)
        )
    if "://" in text:
        return _from_url(text, api_urls)
    if _begins_with_host(text, api_urls):
        plain = {urlsplit(base).netloc.lower() for base in api_urls if base.startswith("http:")}
        scheme = "http" if text.partition("/")[0].lower() in plain else "https"
        return _from_url(f"{scheme}://{text}", api_urls)
    return ParsedRepositoryUrl(_repository(api_urls[0], text.removesuffix("/").split("/")))


def _begins_with_host(text: str, api_urls: Sequence[str]) -> bool:
    """Return whether the text is an address without a scheme."""
    first, slash, rest = text.partition("/")
    if not slash:
        return False
    hosts = {urlsplit(base).hostname for base in api_urls}
    return _HOST.search(first) is not None or (first.lower() in hosts and "/" in rest.strip("/"))


def _from_url(text: str, api_urls: Sequence[str]) -> ParsedRepositoryUrl:
    try:
        parts = urlsplit(text)
        host = parts.hostname
        port = parts.port
    except ValueError:
        raise _invalid() from None
    if parts.scheme not in {"http", "https", "git"} or not host or any(c.isspace() for c in text):
        raise _invalid()
    if parts.username is not None or parts.password is not None:
        raise InvalidInputError("invalid_github_url", "credentials", field=_FIELD)
    for base in api_urls:
        prefix = f"{base}/repos/"
        if text.lower().startswith(prefix.lower()):
            segments = parts.path[len(urlsplit(prefix).path) :].strip("/").split("/")
            return ParsedRepositoryUrl(_repository(base, segments))
    base = _base_for_host(host, port, api_urls)
    if parts.path.startswith(("/repos/", "/api/")):
        raise _not_allowed(api_urls)
    return _from_page(base, parts.path.strip("/").split("/"))


def _base_for_host(host: str, port: int | None, api_urls: Sequence[str]) -> str:
    """Return the allowed API base of a web or ssh host; `port` is None where none is given."""
    host = host.lower()
    hosts = {host, *(host.removeprefix(other) for other in _OTHER_HOSTS)}
    wanted = hosts | {f"api.{name}" for name in hosts}
    for base in api_urls:
        parts = urlsplit(base)
        default = _DEFAULT_PORTS[parts.scheme]
        served = parts.port or default
        if parts.hostname in wanted and (
            port in {_ANY_PORT, served} or (port is None and served == default)
        ):
            return base
    raise _not_allowed(api_urls)


def _repository(base: str, segments: list[str]) -> RepositoryAddress:
    if len(segments) != 2:  # noqa: PLR2004 -- OWNER/REPO
        raise _invalid()
    owner, name = segments[0], segments[1].removesuffix(".git")
    if not _OWNER.fullmatch(owner) or not _NAME.fullmatch(name) or name in {".", ".."}:
        raise _invalid()
    return RepositoryAddress(api_url=base, owner=owner, name=name)


def _from_page(base: str, segments: list[str]) -> ParsedRepositoryUrl:
    """Return the repository of a page, and the ref, folder or file that the page shows."""
    repository = _repository(base, segments[:2])
    match segments[2:]:
        case []:
            return ParsedRepositoryUrl(repository)
        case ["commit", sha]:
            return ParsedRepositoryUrl(repository, _certain("commit", sha))
        case ["releases", "tag", *name] if name:
            return ParsedRepositoryUrl(repository, _certain("tag", unquote("/".join(name))))
        case [page, *rest] if page in _PAGES and rest and len(rest) <= _MOST_SEGMENTS:
            return _with_path(repository, unquote("/".join(rest)), is_file=_PAGES[page])
    raise _invalid()


def _with_path(repository: RepositoryAddress, text: str, *, is_file: bool) -> ParsedRepositoryUrl:
    first, _, path = text.partition("/")
    if is_object_id(first.lower()):
        return ParsedRepositoryUrl(
            repository, _certain("commit", first), _folder(path, is_file=is_file)
        )
    for prefix, kind in _PREFIXES:
        if text.startswith(prefix):
            return ParsedRepositoryUrl(
                repository, ref_and_path=RefAndPath(text.removeprefix(prefix), (kind,), is_file)
            )
    return ParsedRepositoryUrl(
        repository, ref_and_path=RefAndPath(text, ("branch", "tag"), is_file)
    )


def _folder(path: str, *, is_file: bool) -> str | None:
    """Return the folder of a path; None for a file at the root, or without a path."""
    return (path.rpartition("/")[0] if is_file else path.strip("/")) or None


def _certain(kind: RefKind, name: str) -> Ref:
    try:
        return ref_of(kind, name)
    except InvalidInputError as error:
        # The error itself names a field that was not given.
        reason = "commit" if kind == "commit" else "ref"
        raise InvalidInputError("invalid_github_url", reason, field=_FIELD, kind=kind) from error


def _invalid() -> InvalidInputError:
    return InvalidInputError("invalid_github_url", "form", field=_FIELD)


def _not_allowed(api_urls: Sequence[str]) -> InvalidInputError:
    return InvalidInputError("github_url_not_allowed", field=_FIELD, api_urls=tuple(api_urls))


def web_url(repository: RepositoryAddress) -> str:
    """Return the address of the repository's page.

    It is `https://HOST/OWNER/REPO` for the bases `https://api.HOST` and `https://HOST/api/v3`.
    """
    parts = urlsplit(repository.api_url)
    host = parts.netloc.removeprefix("api.")
    return f"{parts.scheme}://{host}/{repository.owner}/{repository.name}"


def check_token(token: str) -> None:
    """Accept a token that an Authorization header may contain; the error does not repeat it.

    Raises:
        InvalidInputError: `invalid_token`.
    """
    if not re.fullmatch(rf"[\x21-\x7e]{{1,{_LONGEST_TOKEN}}}", token):
        raise InvalidInputError("invalid_token", field="token", limit=_LONGEST_TOKEN)
