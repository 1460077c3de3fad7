"""GitHub's REST protocol without I/O: what to send, and what an answer means.

Sources: GitHub's documentation "Best practices for using the REST API", "Rate limits for the
REST API" and the reference of the commits, git database and repositories endpoints.
"""

import json
import re
from collections.abc import Generator, Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from email.utils import parsedate_to_datetime
from ipaddress import ip_address
from typing import Annotated, Final, Literal, TypeVar
from urllib.parse import quote, unquote, urlencode, urljoin, urlsplit

from gidgethub import sansio
from pydantic import (
    AwareDatetime,
    BaseModel,
    ConfigDict,
    Field,
    StringConstraints,
    TypeAdapter,
    ValidationError,
)

from benchmark_manager.domain.sync.git_objects import is_object_id
from benchmark_manager.errors import (
    GitHubActionError,
    GitHubRateLimitedError,
    GitHubUnavailableError,
)
from benchmark_manager.models.commit import Commit
from benchmark_manager.models.project import Ref, RepositoryAddress
from benchmark_manager.version import __version__

#: GitHub refuses requests without a User-Agent.
REQUESTER: Final = f"benchmark-manager/{__version__}"
ACCEPT_JSON: Final = "application/vnd.github+json"
ACCEPT_SHA: Final = "application/vnd.github.sha"
ACCEPT_RAW: Final = "application/vnd.github.raw+json"

#: Secondary limits without a Retry-After: "wait for at least one minute before retrying".
_SECONDARY_WAIT: Final = timedelta(seconds=60)
#: Clocks differ: a reset which seems to be past already is waited for this long.
_SHORTEST_WAIT: Final = timedelta(seconds=1)
#: No limit of GitHub's lasts longer than its hour; a wilder date in an answer must not stop a
#: project.
LONGEST_WAIT: Final = timedelta(hours=2)

#: Points an hour: a database keeps numbers of 64 bits only.
_LARGEST_LIMIT: Final = 10**9

#: Secondary limits were called abuse detection before, and still are by older servers.
_SAYS_LIMITED: Final = re.compile(rb"rate limit|abuse detection", re.IGNORECASE)

REDIRECTS: Final = frozenset({301, 302, 307, 308})

ObjectId = Annotated[str, StringConstraints(pattern=r"^[0-9a-f]{40}$")]


class _Answer(BaseModel):
    """Part of an answer; GitHub adds members at any time."""

    model_config = ConfigDict(frozen=True, extra="ignore", strict=True)


@dataclass(frozen=True, slots=True)
class TreeEntry:
    """One entry; `path` is relative to the tree asked for, `size` is given for blobs only.

    No model: a listing may have 100,000 of them.
    """

    path: str
    mode: str
    type: Literal["blob", "tree", "commit"]
    sha: ObjectId
    size: int | None = None


class Tree(_Answer):
    """A listing; `truncated` tells that it is not complete."""

    sha: ObjectId
    # What is wrong with the first is enough: a complaint about each of two million takes seconds
    # and gigabytes.
    tree: Annotated[tuple[TreeEntry, ...], Field(fail_fast=True)]
    truncated: bool

    model_config = ConfigDict(frozen=True, extra="ignore")


class _ObjectRef(_Answer):
    sha: ObjectId


class _Signature(BaseModel):
    model_config = ConfigDict(frozen=True, extra="ignore")

    date: AwareDatetime


class CommitObject(_Answer):
    """A commit as git's own objects are reported."""

    sha: ObjectId
    tree: _ObjectRef
    committer: _Signature

    def as_commit(self) -> Commit:
        return Commit(self.sha, self.tree.sha, self.committer.date)


class _Person(BaseModel):
    model_config = ConfigDict(frozen=True, extra="ignore")

    name: str
    date: AwareDatetime


class _Author(_Answer):
    name: str | None = None


class _CommitDetails(_Answer):
    """`commit` of a commit as lists hold it; GitHub's own schema lets the author be null."""

    author: _Author | None = None
    committer: _Person
    message: str


class CommitInfo(_Answer):
    """A commit as lists hold it; `html_url` is its page."""

    sha: ObjectId
    html_url: str
    commit: _CommitDetails


class _ListedCommitDetails(_Answer):
    tree: _ObjectRef
    committer: _Signature


class _ListedCommit(_Answer):
    """What a sync needs of a commit in a list."""

    sha: ObjectId
    commit: _ListedCommitDetails

    def as_commit(self) -> Commit:
        return Commit(self.sha, self.commit.tree.sha, self.commit.committer.date)


class RepositoryInfo(_Answer):
    """A repository's current name and default branch."""

    full_name: Annotated[str, StringConstraints(pattern=r"^[A-Za-z0-9._-]+/[A-Za-z0-9._-]+$")]
    default_branch: str


class _Branch(_Answer):
    name: str


class _NamedRef(_Answer):
    """A ref as lists hold it, by its full name."""

    ref: str


_COMMITS: Final = TypeAdapter(Annotated[tuple[CommitInfo, ...], Field(fail_fast=True)])
_LISTED: Final = TypeAdapter(Annotated[tuple[_ListedCommit, ...], Field(fail_fast=True)])

_BRANCHES: Final = TypeAdapter(Annotated[tuple[_Branch, ...], Field(fail_fast=True)])
_REFS: Final = TypeAdapter(Annotated[tuple[_NamedRef, ...], Field(fail_fast=True)])

_ENTRIES: Final = TypeAdapter(Annotated[tuple[TreeEntry, ...], Field(fail_fast=True)])

AnswerT = TypeVar("AnswerT", bound=BaseModel)

#: Where the list of a listing begins, and one of its entries with what follows it.
_TREE: Final = re.compile(rb'"tree"\s*+:\s*+\[')
_ENTRY: Final = re.compile(
    rb'\s*+(\{[^{}\[\]"]*+(?:"[^"\\]*+(?:\\.[^"\\]*+)*+"[^{}\[\]"]*+)*+\})\s*+([,\]])', re.DOTALL
)
#: A shorter listing is parsed at once, bytes; a longer one so many entries at once.
_SHORT_LISTING: Final = 1024 * 1024
_ENTRIES_AT_ONCE: Final = 2000
#: Stands for the entries while the rest is parsed: if it is all of the tree, they are the tree's.
_MARK: Final = b'{"path":"","mode":"mark","type":"tree","sha":"%b"}' % (b"0" * 40)


class GarbledAnswerError(Exception):
    """An answer which GitHub never gives: HTML, JSON cut short, another shape. Worth another try."""


def headers(accept: str, token: str | None, if_none_match: str | None = None) -> dict[str, str]:
    built = sansio.create_headers(REQUESTER, accept=accept)
    if token is not None:
        # The form that GitHub documents today, for all kinds of tokens.
        built["authorization"] = f"Bearer {token}"
    if if_none_match is not None:
        built["if-none-match"] = f'"{if_none_match}"'
    return built


def repository_path(repository: RepositoryAddress, *segments: str) -> str:
    """The path of a route below a repository; a segment's own slashes stay, all else is escaped."""
    parts = ["repos", repository.owner, repository.name, *segments]
    return "/".join(quote(part, safe="/") for part in parts)


def with_query(path: str, query: Mapping[str, str]) -> str:
    return f"{path}?{urlencode(query)}"


def parse_json(body: bytes, shape: type[AnswerT]) -> AnswerT:
    """The answer as `shape`.

    Raises:
        GarbledAnswerError: it is no JSON, or of another shape.
    """
    try:
        return shape.model_validate_json(body)
    except ValidationError as error:
        first = error.errors(include_input=False, include_url=False)[0]
        place = ".".join(map(str, first["loc"])) or "the body"
        raise GarbledAnswerError(f"{place}: {first['msg']}") from None


def parse_tree(body: bytes) -> Generator[None, None, Tree]:
    """Return a listing, in steps: 100,000 entries at once would hold the event loop for 0.2 s.

    Raises:
        GarbledAnswerError: it is none.
    """
    found = _TREE.search(body) if len(body) > _SHORT_LISTING else None
    if found is None:
        return parse_json(body, Tree)
    entries: list[TreeEntry] = []
    end = found.end()
    for batch, last in _batches(body, found.end()):
        try:
            entries += _ENTRIES.validate_json(b"[%b]" % b",".join(batch))
        except ValidationError:
            raise GarbledAnswerError("an entry of the tree has another shape") from None
        end = last
        yield
    if not entries or body[end - 1 : end] != b"]":
        # There are none, or they hold more than GitHub's do.
        return parse_json(body, Tree)
    rest = parse_json(b"%b%b]%b" % (body[: found.end()], _MARK, body[end:]), Tree)
    if len(rest.tree) != 1 or rest.tree[0].mode != "mark":
        # The list was another member's.
        return parse_json(body, Tree)
    return rest.model_copy(update={"tree": tuple(entries)})


def _batches(body: bytes, start: int) -> Iterator[tuple[list[bytes], int]]:
    """Texts of entries from `start` on, and where what follows the last one begins."""
    batch: list[bytes] = []
    at = start
    while (entry := _ENTRY.match(body, at)) is not None:
        batch.append(entry[1])
        at = entry.end()
        if entry[2] == b"]":
            break
        if len(batch) >= _ENTRIES_AT_ONCE:
            yield batch, at
            batch = []
    if batch:
        yield batch, at


def parse_commits(body: bytes) -> tuple[CommitInfo, ...]:
    """A page of a list of commits.

    Raises:
        GarbledAnswerError: it is none.
    """
    try:
        return _COMMITS.validate_json(body)
    except ValidationError:
        raise GarbledAnswerError("the answer is no list of commits") from None


def parse_branches(body: bytes) -> tuple[str, ...]:
    """The names of a list of branches.

    Raises:
        GarbledAnswerError: it is none.
    """
    try:
        return tuple(found.name for found in _BRANCHES.validate_json(body))
    except ValidationError:
        raise GarbledAnswerError("the answer is no list of branches") from None


def parse_refs(body: bytes) -> list[str]:
    """The full names of a list of refs.

    Raises:
        GarbledAnswerError: it is none.
    """
    try:
        return [found.ref for found in _REFS.validate_json(body)]
    except ValidationError:
        raise GarbledAnswerError("the answer is no list of refs") from None


def parse_first_commit(body: bytes) -> Commit:
    """The first of a list of commits.

    Raises:
        GarbledAnswerError: there is none.
    """
    try:
        first = next(iter(_LISTED.validate_json(body)), None)
    except ValidationError:
        first = None
    if first is None:
        raise GarbledAnswerError("the answer is no list of commits, or an empty one")
    return first.as_commit()


def parse_commit(body: bytes) -> Commit:
    """Parse a single commit of the repositories' routes, not of the git database's.

    Raises:
        GarbledAnswerError: it is none.
    """
    return parse_json(body, _ListedCommit).as_commit()


def parse_sha(body: bytes) -> str:
    """The commit id of the sha media type, or that of the commit as JSON, where a server knows no other.

    Raises:
        GarbledAnswerError: it is none.
    """
    if body.lstrip().startswith(b"{"):
        return parse_json(body, _ObjectRef).sha
    text = body.decode("ascii", "replace").strip()
    if not is_object_id(text):
        raise GarbledAnswerError("the answer is no commit id")
    return text


def redirect_target(location: str | None, current: str, api_url: str) -> str:
    """Where a redirect leads, as long as that is below the same API base.

    Raises:
        GitHubUnavailableError: it leads elsewhere; the token must not go there.
    """
    try:
        target = urljoin(current, location or "")
        within = _is_within(target, api_url)
    except ValueError:
        raise GitHubUnavailableError(
            "GitHub redirected the request to what is no address."
        ) from None
    if not location or not within:
        raise GitHubUnavailableError(
            f"GitHub redirected the request away from {api_url}; this service follows redirects within it only."
        )
    return target


def download_target(location: str | None, api_url: str) -> str:
    """Where a download leads: to another host, and never from https to http.

    Raises:
        GarbledAnswerError: it leads nowhere.
    """
    try:
        parts = urlsplit(location or "")
    except ValueError:
        raise GarbledAnswerError("the download leads to what is no address") from None
    allowed = {"https"} if api_url.startswith("https:") else {"http", "https"}
    if location is None or parts.scheme not in allowed or not parts.hostname:
        raise GarbledAnswerError("the download leads to what is no address")
    return location


def host_and_port(url: str) -> tuple[str, int]:
    """The host of a URL, and the port that is connected to.

    Raises:
        GarbledAnswerError: the port is none.
    """
    parts = urlsplit(url)
    try:
        port = parts.port
    except ValueError:
        raise GarbledAnswerError("the download leads to what is no address") from None
    return parts.hostname or "", port or (443 if parts.scheme == "https" else 80)


def check_download_address(address: str, api_url: str) -> None:
    """Pass where a download may come from this IP address.

    No server has to lead this machine to itself, or to what answers at link-local addresses, such
    as a cloud's metadata; unless the API itself is on this machine.

    Raises:
        GarbledAnswerError
    """
    found = ip_address(address.partition("%")[0])
    mapped = getattr(found, "ipv4_mapped", None)
    found = found if mapped is None else mapped
    own = found.is_loopback or found.is_unspecified
    if found.is_link_local or (own and not _is_loopback(host_and_port(api_url)[0])):
        raise GarbledAnswerError("the download leads to an address of this machine or its link")


def _is_loopback(host: str) -> bool:
    try:
        return ip_address(host).is_loopback
    except ValueError:
        return host == "localhost" or host.endswith(".localhost")


def _is_within(url: str, api_url: str) -> bool:
    base, goal = urlsplit(api_url), urlsplit(url)
    if (base.scheme, base.netloc.lower()) != (goal.scheme, goal.netloc.lower()):
        return False
    # Dots which urljoin leaves in a whole address lead out of the base when it is asked for.
    segments = unquote(goal.path).replace("\\", "/").split("/")
    return f"{goal.path}/".startswith(f"{base.path}/") and not {".", ".."} & set(segments)


def rate_limit(response_headers: Mapping[str, str]) -> sansio.RateLimit | None:
    """The limit that an answer tells, or None where it tells none that makes sense."""
    try:
        limit = sansio.RateLimit.from_http(response_headers)
    except (ValueError, OverflowError, OSError):
        return None
    if limit is None or not (
        0 <= limit.limit <= _LARGEST_LIMIT and 0 <= limit.remaining <= _LARGEST_LIMIT
    ):
        return None
    return limit


def limited_until(
    status: int, response_headers: Mapping[str, str], body: bytes, now: datetime
) -> datetime | None:
    """When a refused request may be repeated, if it was refused for a primary or secondary limit; else None."""
    if status not in {403, 429}:
        return None
    until = retry_after(response_headers, now)
    limit = rate_limit(response_headers)
    if until is None and limit is not None and limit.remaining == 0:
        until = limit.reset_datetime
    if until is None and status != 429 and not _SAYS_LIMITED.search(body[:2000]):  # noqa: PLR2004 -- Too Many Requests
        return None
    return wait_until(until, now)


def wait_until(told: datetime | None, now: datetime) -> datetime:
    """When to ask again after a refusal for a limit, whatever time GitHub told, or none."""
    until = now + _SECONDARY_WAIT if told is None else told
    return min(max(until, now + _SHORTEST_WAIT), now + LONGEST_WAIT)


def is_primary(response_headers: Mapping[str, str]) -> bool:
    """Whether a refusal is for the hour's limit, which GitHub counts apart for REST and GraphQL."""
    limit = rate_limit(response_headers)
    return limit is not None and limit.remaining == 0 and "retry-after" not in response_headers


def retry_after(response_headers: Mapping[str, str], now: datetime) -> datetime | None:
    """When to ask again, if an answer tells: a number of seconds or an HTTP date (RFC 9110, section 10.2.3)."""
    text = response_headers.get("retry-after", "").strip()
    if re.fullmatch(r"\d{1,9}", text):
        return now + timedelta(seconds=int(text))
    try:
        when = parsedate_to_datetime(text)
    except (TypeError, ValueError, OverflowError, IndexError):
        return None
    return when if when.tzinfo is not None else when.replace(tzinfo=UTC)


def rate_limited(until: datetime, *, with_token: bool) -> GitHubRateLimitedError:
    whose = (
        "this token"
        if with_token
        else "requests without a token (give the project one: it allows 5,000 an hour)"
    )
    return GitHubRateLimitedError(
        f"GitHub's rate limit for {whose} is used up until {until:%Y-%m-%d %H:%M:%S} UTC; it is tried again then.",
        retry_at=until,
    )


def refusal(status: int, repository: RepositoryAddress, *, with_token: bool) -> Exception:
    """What a refused request (4xx, not a limit) means for the project, wherever it happens in a sync."""
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
                f"GitHub denies access to {name}; give the token read access to the repository's contents.",
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
    """`branch_not_found`, `tag_not_found` or `commit_not_found`; `is_tag`: of a branch, the name is a tag's."""
    which = f"{ref.kind} {ref.name!r}" if ref is not None else "default branch"
    detail = f"The repository {repository.owner}/{repository.name} has no {which}; everything copied so far is kept."
    if is_tag and ref is not None:
        declared = f'{{"kind": "tag", "name": {json.dumps(ref.name, ensure_ascii=False)}}}'
        detail = (
            f"{detail} There is a tag of this name: to follow it, give the project ref: {declared}."
        )
    return GitHubActionError("branch_not_found" if ref is None else f"{ref.kind}_not_found", detail)


def has_next_page(response_headers: Mapping[str, str]) -> bool:
    """Whether the Link header names a next page (GitHub's documentation "Using pagination in the REST API")."""
    return re.search(r';\s*rel="next"', response_headers.get("link", "")) is not None


def commit_not_found(repository: RepositoryAddress, sha: str) -> GitHubActionError:
    return GitHubActionError(
        "commit_not_found",
        f"The repository {repository.owner}/{repository.name} has no commit {sha} any more; "
        "sync the project, then ask again.",
    )
