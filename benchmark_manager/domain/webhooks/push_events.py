"""What a push to GitHub means for the projects of its repository.

Source: https://docs.github.com/en/webhooks/webhook-events-and-payloads#push
"""

from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta
from typing import Annotated, Final, Literal, TypeVar

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from benchmark_manager.domain.projects.repository_url import parse_repository_url
from benchmark_manager.domain.sync.git_objects import is_object_id
from benchmark_manager.errors import InvalidInputError
from benchmark_manager.models.project import Project, RepositoryAddress
from benchmark_manager.models.push import Push, PushedCommit
from benchmark_manager.models.sync import SyncTrigger

#: A pushed project falls due after this many seconds, so that the pushes of one moment make one
#: sync.
DEBOUNCE: Final = 1.0
#: From this many commits on their list may be cut: at 2,048 today, at 20 by servers that are still
#: in use.
_COMMITS_MAY_BE_CUT: Final = 20
#: GitHub lists this many files of a commit at most.
_FILES_MAY_BE_CUT: Final = 3000
_ZEROS: Final = "0" * 40
_NO_COMMIT: Final = frozenset({_ZEROS, "0" * 64})

#: What a push is to a project. `due`: it has to be synced. `known`: the commit is the one it has.
#: `untouched`: neither folder changed. `elsewhere`: another branch or tag. `paused`: somebody wants
#: it left alone.
Meaning = Literal["due", "known", "untouched", "elsewhere", "paused"]

_CommitId = Annotated[str, Field(pattern=r"^(?:[0-9a-f]{40}|[0-9a-f]{64})$")]


#: The first wrong one is enough: their places are not told.
_Paths = Annotated[list[str], Field(fail_fast=True)]


class _Payload(BaseModel):
    model_config = ConfigDict(extra="ignore", strict=True, hide_input_in_errors=True)


class _Commit(_Payload):
    id: str | None = None
    added: _Paths | None = None
    modified: _Paths | None = None
    removed: _Paths | None = None


class _Repository(_Payload):
    # The templates first: only they name the API's host. `url` is a web address in a push, but the
    # API's elsewhere.
    commits_url: str | None = None
    trees_url: str | None = None
    hooks_url: str | None = None
    url: str | None = None
    html_url: str | None = None
    clone_url: str | None = None
    default_branch: str | None = None


class _HeadCommit(_Payload):
    id: str | None = None


class _PushPayload(_Payload):
    ref: str
    before: _CommitId
    after: _CommitId
    created: bool = False
    deleted: bool = False
    forced: bool = False
    commits: Annotated[list[_Commit], Field(fail_fast=True)] | None = None
    head_commit: _HeadCommit | None = None
    repository: _Repository


class _CreatePayload(_Payload):
    """https://docs.github.com/en/webhooks/webhook-events-and-payloads#create: `ref` is the short name."""

    ref: str
    ref_type: str
    repository: _Repository


#: Where a repository's address is read, with what follows it there.
_ADDRESSES: Final[Mapping[str, str]] = {
    "commits_url": "/commits{/sha}",
    "trees_url": "/git/trees{/sha}",
    "hooks_url": "/hooks",
    "url": "",
    "html_url": "",
    "clone_url": "",
}


def parse_push(payload: Mapping[str, object]) -> Push:
    """The push that a webhook's payload tells of.

    Raises:
        InvalidInputError: `malformed_webhook`, naming the fields at fault and never their values.
    """
    told = _validated(payload, _PushPayload, "push")
    return Push(
        addresses=_addresses(told.repository),
        default_branch=told.repository.default_branch,
        ref=told.ref,
        before=told.before,
        after=_commit_after(told),
        created=told.created or told.before in _NO_COMMIT,
        deleted=told.deleted or told.after in _NO_COMMIT,
        forced=told.forced,
        commits=_commits(told.commits),
    )


def parse_created(payload: Mapping[str, object]) -> Push | None:
    """The tag that an event `create` tells of; None of a branch, whose push tells more.

    Raises:
        InvalidInputError: as `parse_push`.
    """
    told = _validated(payload, _CreatePayload, "creation")
    if told.ref_type != "tag":
        return None
    return Push(
        addresses=_addresses(told.repository),
        default_branch=told.repository.default_branch,
        ref=f"refs/tags/{told.ref.removeprefix('refs/tags/')}",
        before=_ZEROS,
        after=None,
        created=True,
        deleted=False,
        forced=False,
        commits=None,
    )


_PayloadT = TypeVar("_PayloadT", bound=_Payload)


def _validated(payload: Mapping[str, object], shape: type[_PayloadT], event: str) -> _PayloadT:
    try:
        return shape.model_validate(payload)
    except ValidationError as error:
        # Where in a list it is says nothing to whoever looks at the payload, and may be thousands
        # of places.
        places = sorted(
            {
                ".".join(str(part) for part in e["loc"] if isinstance(part, str))
                for e in error.errors()
            }
        )
        raise InvalidInputError(
            "malformed_webhook", "wrong_fields", event=event, names=tuple(places)
        ) from None


def _addresses(repository: _Repository) -> tuple[str, ...]:
    addresses = tuple(
        text.removesuffix(tail)
        for name, tail in _ADDRESSES.items()
        if (text := getattr(repository, name))
    )
    if not addresses:
        raise InvalidInputError("malformed_webhook", "no_address")
    return addresses


def _commit_after(told: _PushPayload) -> str:
    """The commit behind the push; of an annotated tag, `after` is the tag object's id."""
    head = None if told.head_commit is None else told.head_commit.id
    return (
        head
        if head is not None and is_object_id(head) and told.ref.startswith("refs/tags/")
        else told.after
    )


def _commits(told: list[_Commit] | None) -> tuple[PushedCommit, ...] | None:
    """The commits; without those beyond the number from which no list of them is believed."""
    return None if told is None else tuple(_commit(commit) for commit in told[:_COMMITS_MAY_BE_CUT])


def _commit(told: _Commit) -> PushedCommit:
    lists = (told.added, told.modified, told.removed)
    # So many are not believed to be all; there is no use in keeping them.
    is_cut = sum(len(listed or ()) for listed in lists) >= _FILES_MAY_BE_CUT
    paths = (
        None
        if is_cut or None in lists
        else frozenset(path for listed in lists for path in listed or ())
    )
    return PushedCommit(id=told.id, paths=paths)


def repository_of(push: Push, api_urls: Sequence[str]) -> RepositoryAddress | None:
    """The repository behind one of the API bases `api_urls`; None when it is none of theirs.

    The first address decides. A repository of the same name at another host never passes for this
    one.
    """
    address = push.addresses[0]
    if "://" not in address:
        # A short address would mean the first base, whatever host sent it.
        return None
    try:
        return parse_repository_url(address, api_urls).repository
    except InvalidInputError:
        return None


def meaning_of(push: Push, project: Project, now: datetime) -> Meaning:
    """What a push to the project's repository is to the project at `now`, by the database's clock.

    Where in doubt it is `due`: a sync too many costs one request, and one too few leaves old files.
    """
    state, source = project.state, project.source
    if push.ref not in _tracked(push, project):
        return "elsewhere"
    if project.paused:
        return "paused"
    if state.head_sha is None or (source.ref is None and push.branch != state.resolved_branch):
        # Nothing was read yet, or the default branch is another one now: there is nothing to
        # compare with.
        return "due"
    healthy = state.status == "ok"
    running = project.lease_until is not None and project.lease_until > now
    # A sync under way may have read the commit before this one.
    if push.after == state.head_sha and healthy and not running:
        return "known"
    # Of a tag that moved, the commits in between are not listed.
    if push.is_of_tag or touches(push, source.config_folder, source.job_folder):
        return "due"
    # No poll repairs what an unpolled project misses: all commits up to these must be known to be
    # dealt with.
    follows = healthy and push.before in {state.head_sha, project.pushed_sha}
    return "untouched" if project.polling_interval > 0 or follows else "due"


def _tracked(push: Push, project: Project) -> set[str]:
    """The full names of the refs whose pushes may concern the project."""
    if project.source.ref is not None:
        return {project.source.ref.full}
    return {
        f"refs/heads/{name}"
        for name in (project.state.resolved_branch, push.default_branch)
        if name is not None
    }


def touches(push: Push, *folders: str) -> bool:
    """Whether the push changes, or may change, something in one of these folders; "" is the root."""
    paths = changed_paths(push)
    return paths is None or any(_is_related(path, folder) for path in paths for folder in folders)


def _is_related(path: str, folder: str) -> bool:
    """Inside, the folder itself, or above it: a folder may become a file, a link or a submodule, or be none again."""
    return folder in {"", path} or path.startswith(f"{folder}/") or folder.startswith(f"{path}/")


def changed_paths(push: Push) -> frozenset[str] | None:
    """Every path that the push changed; None where the payload does not tell all of them for sure."""
    if (
        push.created
        or push.deleted
        or push.forced
        or not push.commits
        or len(push.commits) >= _COMMITS_MAY_BE_CUT
    ):
        return None
    listed = [commit.paths for commit in push.commits]
    # A commit without files may be a merge, whose own changes are not listed.
    if not all(listed) or push.commits[-1].id != push.after:
        return None
    if sum(len(paths or ()) for paths in listed) >= _FILES_MAY_BE_CUT:
        return None
    return frozenset[str]().union(*(paths or () for paths in listed))


def due_after_push(project: Project, now: datetime) -> tuple[datetime, SyncTrigger]:
    """When a project is due behind a push at `now`, and by what.

    It is never put off: a later push joins the sync that an earlier one, or a person, has queued.
    Only where a sync is under way, its own time stays behind, and the next is `DEBOUNCE` away.
    """
    soon = now + timedelta(seconds=DEBOUNCE)
    planned = project.next_poll_at
    wished = project.due_trigger == "manual"
    if planned is None or planned > soon:
        return soon, "webhook"
    running = project.lease_until is not None and project.lease_until > now
    if running and planned <= now and not wished:
        return soon, "webhook"
    return planned, "manual" if wished else "webhook"
