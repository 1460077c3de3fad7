"""Answers of GitHub's REST API: their shapes, and how they are parsed.

Source: the reference of the commits, git database and repositories endpoints.
"""

from typing import Annotated, Final, TypeVar

from pydantic import (
    AwareDatetime,
    BaseModel,
    ConfigDict,
    Field,
    StringConstraints,
    TypeAdapter,
    ValidationError,
)

from benchmark_manager.domain.git.objects import is_object_id
from benchmark_manager.models.commit import Commit

ObjectId = Annotated[str, StringConstraints(pattern=r"^[0-9a-f]{40}$")]


class GitHubAnswer(BaseModel):
    """Part of an answer; GitHub may add members at any time."""

    model_config = ConfigDict(frozen=True, extra="ignore", strict=True)


class _ObjectRef(GitHubAnswer):
    sha: ObjectId


class _Signature(BaseModel):
    model_config = ConfigDict(frozen=True, extra="ignore")

    date: AwareDatetime


class CommitObject(GitHubAnswer):
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


class _Author(GitHubAnswer):
    name: str | None = None


class _CommitDetails(GitHubAnswer):
    """The member `commit` of a listed commit; GitHub's own schema lets the author be null."""

    author: _Author | None = None
    committer: _Person
    message: str


class CommitInfo(GitHubAnswer):
    """A commit in a list; `html_url` is its page."""

    sha: ObjectId
    html_url: str
    commit: _CommitDetails


class _ListedCommitDetails(GitHubAnswer):
    tree: _ObjectRef
    committer: _Signature


class _ListedCommit(GitHubAnswer):
    """What a sync needs of a commit in a list."""

    sha: ObjectId
    commit: _ListedCommitDetails

    def as_commit(self) -> Commit:
        return Commit(self.sha, self.commit.tree.sha, self.commit.committer.date)


class RepositoryInfo(GitHubAnswer):
    """A repository's current name and default branch."""

    full_name: Annotated[str, StringConstraints(pattern=r"^[A-Za-z0-9._-]+/[A-Za-z0-9._-]+$")]
    default_branch: str


class _Branch(GitHubAnswer):
    name: str


class _NamedRef(GitHubAnswer):
    """A ref in a list, by its full name."""

    ref: str


_COMMITS: Final = TypeAdapter(Annotated[tuple[CommitInfo, ...], Field(fail_fast=True)])


_LISTED: Final = TypeAdapter(Annotated[tuple[_ListedCommit, ...], Field(fail_fast=True)])


_BRANCHES: Final = TypeAdapter(Annotated[tuple[_Branch, ...], Field(fail_fast=True)])


_REFS: Final = TypeAdapter(Annotated[tuple[_NamedRef, ...], Field(fail_fast=True)])


AnswerT = TypeVar("AnswerT", bound=BaseModel)


class GarbledAnswerError(Exception):
    """An answer that GitHub never gives: HTML, truncated JSON, another shape.

    Another try may help.
    """


def parse_json(body: bytes, shape: type[AnswerT]) -> AnswerT:
    """Parse an answer as `shape`.

    Raises:
        GarbledAnswerError: it is no JSON, or of another shape.
    """
    try:
        return shape.model_validate_json(body)
    except ValidationError as error:
        first = error.errors(include_input=False, include_url=False)[0]
        field = ".".join(map(str, first["loc"])) or "the body"
        raise GarbledAnswerError(f"{field}: {first['msg']}") from None


def parse_commits(body: bytes) -> tuple[CommitInfo, ...]:
    """Parse a page of a list of commits.

    Raises:
        GarbledAnswerError: it is none.
    """
    try:
        return _COMMITS.validate_json(body)
    except ValidationError:
        raise GarbledAnswerError("the answer is no list of commits") from None


def parse_branches(body: bytes) -> tuple[str, ...]:
    """Parse the names of a list of branches.

    Raises:
        GarbledAnswerError: it is none.
    """
    try:
        return tuple(found.name for found in _BRANCHES.validate_json(body))
    except ValidationError:
        raise GarbledAnswerError("the answer is no list of branches") from None


def parse_refs(body: bytes) -> list[str]:
    """Parse the full names of a list of refs.

    Raises:
        GarbledAnswerError: it is none.
    """
    try:
        return [found.ref for found in _REFS.validate_json(body)]
    except ValidationError:
        raise GarbledAnswerError("the answer is no list of refs") from None


def parse_first_commit(body: bytes) -> Commit:
    """Parse the first of a list of commits.

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
    """Parse the commit id of the sha media type, or of the commit as JSON.

    Some servers do not know the sha media type.

    Raises:
        GarbledAnswerError: it is none.
    """
    if body.lstrip().startswith(b"{"):
        return parse_json(body, _ObjectRef).sha
    text = body.decode("ascii", "replace").strip()
    if not is_object_id(text):
        raise GarbledAnswerError("the answer is no commit id")
    return text
