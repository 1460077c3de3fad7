"""What a push to GitHub means for the projects of its repository.

Source: https://docs.github.com/en/webhooks/webhook-events-and-payloads#push
"""

from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta
from typing import Annotated, Final, Literal, TypeVar

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from benchmark_manager.domain.git.objects import is_object_id
from benchmark_manager.domain.projects.repository_url import parse_repository_url
from benchmark_manager.errors import InvalidInputError
from benchmark_manager.models.project import Project, RepositoryAddress
from benchmark_manager.models.push import Push, PushedCommit
from benchmark_manager.models.sync import SyncTrigger

#: A pushed project falls due after this many seconds, so that the pushes of one moment make one
#: sync.
DEBOUNCE: Final = 1.0
#: A list of this many commits may be cut: today's limit is 2,048, that of older servers in use 20.
_COMMITS_MAY_BE_CUT: Final = 20
#: GitHub lists this many files of a commit at most.
_FILES_MAY_BE_CUT: Final = 3000
_ZEROS: Final = "0" * 40
_NO_COMMIT: Final = frozenset({_ZEROS, "0" * 64})

#: What a push means for a project. `due`: it has to be synced. `known`: it has the commit already.
#: `untouched`: neither folder changed. `elsewhere`: another branch or tag. `paused`: it is paused.
Meaning = Literal["due", "known", "untouched", "elsewhere", "paused"]

_CommitId = Annotated[str, Field(pattern=r"^(?:[0-9a-f]{40}|[0-9a-f]{64})$")]


#: The first wrong path is enough: errors do not say which it was.
_Paths = Annotated[list[str], Field(fail_fast=True)]


class _Payload(BaseModel):
    model_config = ConfigDict(extra="ignore", strict=True, hide_input_in_errors=True)


class _CommitPayload(_Payload):
    id: str | None = None
    added: _Paths | None = None
    modified: _Paths | None = None
    removed: _Paths | None = None


class _RepositoryPayload(_Payload):
    # The templates first: only they name the API's host. `url` is a web address in a push, but an
    # address of the API in other events.
    commits_url: str | None = None
    trees_url: str | None = None
    hooks_url: str | None = None
    url: str | None = None
    html_url: str | None = None
    clone_url: str | None = None
    default_branch: str | None = None


class _HeadCommitPayload(_Payload):
    id: str | None = None


class _PushPayload(_Payload):
    ref: str
    before: _CommitId
    after: _CommitId
    created: bool = False
    deleted: bool = False
    forced: bool = False
    commits: Annotated[list[_CommitPayload], Field(fail_fast=True)] | None = None
    head_commit: _HeadCommitPayload | None = None
    repository: _RepositoryPayload


class _CreatePayload(_Payload):
    """The event `create`; its `ref` is the short name.

    https://docs.github.com/en/webhooks/webhook-events-and-payloads#create
    """

    ref: str
    ref_type: str
    repository: _RepositoryPayload


#: The fields that hold a repository's address, with what follows the address there.
_ADDRESSES: Final[Mapping[str, str]] = {
    "commits_url": "/commits{/sha}",
    "trees_url": "/git/trees{/sha}",
    "hooks_url": "/hooks",
    "url": "",
    "html_url": "",
    "clone_url": "",
}


def parse_push(payload: Mapping[str, object]) -> Push:
    """Parse the push that a webhook's payload reports.

    Raises:
        InvalidInputError: `malformed_webhook`; it names the wrong fields and never their values.
    """
    parsed = _validated(payload, _PushPayload, "push")
    return Push(
        addresses=_addresses(parsed.repository),
        default_branch=parsed.repository.default_branch,
        ref=parsed.ref,
        before=parsed.before,
        after=_commit_after(parsed),
        created=parsed.created or parsed.before in _NO_COMMIT,
        deleted=parsed.deleted or parsed.after in _NO_COMMIT,
        forced=parsed.forced,
        commits=_commits(parsed.commits),
    )


def parse_created(payload: Mapping[str, object]) -> Push | None:
    """Parse the tag that an event `create` reports; None for a branch, whose push says more.

    Raises:
        InvalidInputError: as `parse_push`.
    """
    parsed = _validated(payload, _CreatePayload, "creation")
    if parsed.ref_type != "tag":
        return None
    return Push(
        addresses=_addresses(parsed.repository),
        default_branch=parsed.repository.default_branch,
        ref=f"refs/tags/{parsed.ref.removeprefix('refs/tags/')}",
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
        # Positions in lists do not help a reader of the payload, and there may be thousands.
        fields = sorted(
            {
                ".".join(str(part) for part in e["loc"] if isinstance(part, str))
                for e in error.errors()
            }
        )
        raise InvalidInputError(
            "malformed_webhook", "wrong_fields", event=event, names=tuple(fields)
        ) from None


def _addresses(repository: _RepositoryPayload) -> tuple[str, ...]:
    addresses = tuple(
        text.removesuffix(tail)
        for name, tail in _ADDRESSES.items()
        if (text := getattr(repository, name))
    )
    if not addresses:
        raise InvalidInputError("malformed_webhook", "no_address")
    return addresses


def _commit_after(parsed: _PushPayload) -> str:
    """Return the commit after the push; for an annotated tag, `after` is the tag object's id."""
    head = None if parsed.head_commit is None else parsed.head_commit.id
    return (
        head
        if head is not None and is_object_id(head) and parsed.ref.startswith("refs/tags/")
        else parsed.after
    )


def _commits(parsed: list[_CommitPayload] | None) -> tuple[PushedCommit, ...] | None:
    """Return the commits up to the number from which a list of them may be cut."""
    return (
        None
        if parsed is None
        else tuple(_commit(commit) for commit in parsed[:_COMMITS_MAY_BE_CUT])
    )


def _commit(parsed: _CommitPayload) -> PushedCommit:
    lists = (parsed.added, parsed.modified, parsed.removed)
    # So many may not be all of them, so there is no use in keeping them.
    is_cut = sum(len(listed or ()) for listed in lists) >= _FILES_MAY_BE_CUT
    paths = (
        None
        if is_cut or None in lists
        else frozenset(path for listed in lists for path in listed or ())
    )
    return PushedCommit(id=parsed.id, paths=paths)


def repository_of(push: Push, api_urls: Sequence[str]) -> RepositoryAddress | None:
    """Return the push's repository; None where it is at none of the API bases `api_urls`.

    The first address decides. A repository of the same name at another host is never taken for
    this one.
    """
    address = push.addresses[0]
    if "://" not in address:
        # A short address would mean the first base, whichever host sent it.
        return None
    try:
        return parse_repository_url(address, api_urls).repository
    except InvalidInputError:
        return None


def meaning_of(push: Push, project: Project, now: datetime) -> Meaning:
    """Return what a push to a project's repository means for the project.

    `now` is the database's time. In doubt it is `due`: an unneeded sync costs one request, but a
    missing one leaves old files.
    """
    state, source = project.state, project.source
    if push.ref not in _tracked(push, project):
        return "elsewhere"
    if project.paused:
        return "paused"
    if state.head_sha is None or (source.ref is None and push.branch != state.resolved_branch):
        # Nothing was read yet, or the default branch may be another one now: there is nothing to
        # compare with.
        return "due"
    healthy = state.status == "ok"
    running = project.lease_until is not None and project.lease_until > now
    # A sync under way may have read the commit before this one.
    if push.after == state.head_sha and healthy and not running:
        return "known"
    # For a moved tag, the commits in between are not listed.
    if push.is_of_tag or touches(push, source.config_folder, source.job_folder):
        return "due"
    # No poll finds what an unpolled project has missed: it must have all commits up to these.
    follows = healthy and push.before in {state.head_sha, project.pushed_sha}
    return "untouched" if project.polling_interval > 0 or follows else "due"


def _tracked(push: Push, project: Project) -> set[str]:
    """Return the full names of the refs whose pushes may concern the project."""
    if project.source.ref is not None:
        return {project.source.ref.full}
    return {
        f"refs/heads/{name}"
        for name in (project.state.resolved_branch, push.default_branch)
        if name is not None
    }


def touches(push: Push, *folders: str) -> bool:
    """Return whether the push may change something in one of these folders; "" is the root."""
    paths = changed_paths(push)
    return paths is None or any(_is_related(path, folder) for path in paths for folder in folders)


def _is_related(path: str, folder: str) -> bool:
    """Return whether the path is inside the folder, the folder itself, or above it.

    A folder may become a file, a link or a submodule, and the reverse.
    """
    return folder in {"", path} or path.startswith(f"{folder}/") or folder.startswith(f"{path}/")


def changed_paths(push: Push) -> frozenset[str] | None:
    """Return every path that the push changed; None where the payload may not list all of them."""
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
    """Return when a project is due after a push at `now`, and for which trigger.

    A push never postpones a sync: it joins the one that an earlier push, or a person, has queued.
    While a sync is running, the next one is due after `DEBOUNCE`.
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
