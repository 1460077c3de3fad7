"""The ways in which people write a repository's address."""

import re
from collections.abc import Collection, Sequence
from dataclasses import dataclass
from typing import Final
from urllib.parse import unquote, urlsplit

from benchmark_manager.domain.projects.refs import ref_of
from benchmark_manager.domain.sync.git_objects import is_object_id
from benchmark_manager.errors import InvalidInputError
from benchmark_manager.models.project import Ref, RefKind, RepositoryAddress

_FIELD: Final = "address"
# GitHub: owners are letters, digits and single hyphens (enterprise users may hold an underscore);
# repositories also hold dots and underscores.
_OWNER: Final = re.compile(r"[A-Za-z0-9](?:[A-Za-z0-9_-]{0,98}[A-Za-z0-9_])?")
_NAME: Final = re.compile(r"[A-Za-z0-9._-]{1,100}")
# A number is a port in ssh://git@HOST:22/OWNER/REPO, and an owner in git@HOST:22/REPO. With SSH
# certificates the user is org-NUMBER.
_SSH: Final = re.compile(r"(ssh://)?(?:git|org-\d+)@([^:/@\s]+)(?(1)(?::\d+/|[:/])|[:/])([^:@\s]+)")
#: What no owner's name holds: a dot between other characters, a port, or somebody's name.
_HOST: Final = re.compile(r"[^.]\.[^.]|[:@]")
#: What pip, npm and git itself write before an address.
_GIT_SCHEME: Final = re.compile(r"git\+(?=(?:https?|ssh)://)", re.IGNORECASE)
_DEFAULT_PORTS: Final = {"http": 80, "https": 443}
#: That of an ssh address says nothing about the API's.
_ANY_PORT: Final = -1
#: Hosts of one GitHub beside its own: that of its pages, and the one of ssh through port 443.
_OTHER_HOSTS: Final = ("www.", "ssh.")
#: What follows OWNER/REPO in the address of a page, and whether it is a file's.
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
#: Segments of a path behind `/tree/`.
_MOST_SEGMENTS: Final = 100
_LONGEST_TOKEN: Final = 255


@dataclass(frozen=True, slots=True)
class RefAndPath:
    """What follows `/tree/` or `/blob/` in an address: a ref's name, and perhaps a path.

    Names of branches and tags hold slashes too, so only GitHub knows where they end. `kinds` are
    those that it may be; `is_file`: the path's last segment is a file.
    """

    text: str
    kinds: tuple[RefKind, ...]
    is_file: bool

    @property
    def first(self) -> str:
        """The first segment, with which every possible name begins."""
        return self.text.partition("/")[0]

    @property
    def may_hold_path(self) -> bool:
        return "/" in self.text

    @property
    def may_hold_folder(self) -> bool:
        return self.text.count("/") > self.is_file

    def folder_behind(self, name: str) -> str | None:
        """The folder that is named behind a ref of this name; None where none is, or the text does not begin so."""
        return (
            _folder(self.text[len(name) + 1 :], is_file=self.is_file)
            if self.begins_with(name)
            else None
        )

    def longest(self, names: Collection[str]) -> str | None:
        """The longest of the names that the text may begin with."""
        return max((name for name in names if self.begins_with(name)), key=len, default=None)

    def begins_with(self, name: str) -> bool:
        """Return whether a ref of this name may be what the text names."""
        return self.text == name or self.text.startswith(f"{name}/")


@dataclass(frozen=True, slots=True)
class ParsedRepositoryUrl:
    """The repository, and what the address says of a ref and a folder.

    `ref` and `folder` are certain, and None where nothing is said; `ref_and_path` has to be taken
    apart.
    """

    repository: RepositoryAddress
    ref: Ref | None = None
    folder: str | None = None
    ref_and_path: RefAndPath | None = None


def parse_repository_url(text: str, api_urls: Sequence[str]) -> ParsedRepositoryUrl:
    """Understand an API, web, ssh or short address; `api_urls` are the allowed bases, the first being the default.

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
    """Whether it is an address without a scheme."""
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
    """The allowed base which serves a web or ssh host; `port` is None where a web address names none."""
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
    """What a page of a repository is about: the repository, a branch, a tag, a commit, a folder or a file."""
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
    """The folder that a path names; None where the address names a file at the root, or nothing."""
    return (path.rpartition("/")[0] if is_file else path.strip("/")) or None


def _certain(kind: RefKind, name: str) -> Ref:
    try:
        return ref_of(kind, name)
    except InvalidInputError as error:
        # Its own message speaks of a field that nobody gave.
        reason = "commit" if kind == "commit" else "ref"
        raise InvalidInputError("invalid_github_url", reason, field=_FIELD, kind=kind) from error


def _invalid() -> InvalidInputError:
    return InvalidInputError("invalid_github_url", "form", field=_FIELD)


def _not_allowed(api_urls: Sequence[str]) -> InvalidInputError:
    return InvalidInputError("github_url_not_allowed", field=_FIELD, api_urls=tuple(api_urls))


def web_url(repository: RepositoryAddress) -> str:
    """The repository's page: `https://HOST/OWNER/REPO` for `https://api.HOST` and `https://HOST/api/v3`."""
    parts = urlsplit(repository.api_url)
    host = parts.netloc.removeprefix("api.")
    return f"{parts.scheme}://{host}/{repository.owner}/{repository.name}"


def check_token(token: str) -> None:
    """Accept what may stand in an Authorization header; the message never repeats it.

    Raises:
        InvalidInputError: `invalid_token`.
    """
    if not re.fullmatch(rf"[\x21-\x7e]{{1,{_LONGEST_TOKEN}}}", token):
        raise InvalidInputError("invalid_token", field="token", limit=_LONGEST_TOKEN)
