"""Webhooks as GitHub sends them: payloads of real pushes, and the headers of a delivery.

https://docs.github.com/en/webhooks/webhook-events-and-payloads

    payload = webhooks.push(server.hosting["octo/demo"], before=old, after=new, urls=server.urls)
    body = webhooks.encode(payload)
    ...  # POST body with webhooks.headers("push", body, secret="s3cret")
"""

from __future__ import annotations

import hashlib
import hmac
import json
import uuid
from typing import TYPE_CHECKING, Final, Literal
from urllib.parse import quote, urlencode

from github_test_server import git, shapes

if TYPE_CHECKING:
    from datetime import datetime

    from github_test_server.hosting import HostedRepository
    from github_test_server.objects import ParsedCommit
    from github_test_server.repositories import Repository
    from github_test_server.shapes import Json

ContentType = Literal["json", "form"]

NO_COMMIT: Final = "0" * 40
"""`before` of a ref which is made, and `after` of one which is deleted."""

GITHUB: Final = shapes.Urls("https://github.com", "https://api.github.com")
MOST_COMMITS: Final = 20
_HOOK_ID = 412_345_678
_CONTENT_TYPES = {"json": "application/json", "form": "application/x-www-form-urlencoded"}
_COMPARED = 12
_USER_AGENT = "GitHub-Hookshot/044aadd"


def push(
    hosted: HostedRepository,
    *,
    before: str,
    after: str,
    ref: str = "refs/heads/main",
    forced: bool | None = None,
    pusher: str = "octocat",
    organization: str | None = None,
    most_commits: int = MOST_COMMITS,
    urls: shapes.Urls = GITHUB,
) -> Json:
    """Make the payload of a push.

    https://docs.github.com/en/webhooks/webhook-events-and-payloads#push

    Args:
        hosted: the repository of the commits. It must have them, but its refs may have moved on.
        before: the commit which the ref pointed to, or NO_COMMIT: it is new.
        after: the commit which it points to, or NO_COMMIT: it is deleted.
        ref: its full name.
        forced: whether commits were thrown away; found out if not given.
        pusher: a login.
        organization: the login of the owner, if it is one.
        most_commits: the newest ones that `commits` may hold; GitHub documents 2,048 today, and cut
            at 20 before.
        urls: GitHub's or the test server's.
    """
    repository = hosted.repository
    created, deleted = before == NO_COMMIT, after == NO_COMMIT
    head = None if deleted else _commit_at(repository, after)
    shas = [] if head is None else _pushed(repository, before, head.sha, ref)[-most_commits:]
    if forced is None:
        forced = not (created or deleted) and _loses(repository, before, after)
    return {
        "ref": ref,
        "before": before,
        "after": after,
        "repository": _pushed_repository(hosted, urls, head, organization),
        "pusher": {"name": pusher, "email": f"{pusher}@example.invalid"},
        **_about_owner(organization, urls),
        "sender": shapes.user(pusher, urls),
        "created": created,
        "deleted": deleted,
        "forced": forced,
        "base_ref": None,
        "compare": _compare(hosted, urls, ref, before, after),
        "commits": [_commit_shape(_commit_at(repository, sha), hosted, urls) for sha in shas],
        "head_commit": None if head is None else _commit_shape(head, hosted, urls),
    }


def ping(
    hosted: HostedRepository | None = None,
    *,
    organization: str | None = None,
    hook_url: str = "https://example.invalid/webhooks/github",
    content_type: ContentType = "json",
    events: tuple[str, ...] = ("push",),
    urls: shapes.Urls = GITHUB,
) -> Json:
    """Make the payload of a new webhook: a repository's, an organization's or an app's.

    https://docs.github.com/en/webhooks/webhook-events-and-payloads#ping
    """
    url = (
        f"{urls.repository(hosted)}/hooks/{_HOOK_ID}"
        if hosted
        else f"{urls.api}/orgs/{organization}/hooks/{_HOOK_ID}"
    )
    hook: Json = {
        "type": "Repository" if hosted else "Organization",
        "id": _HOOK_ID,
        "name": "web",
        "active": True,
        "events": list(events),
        "config": {
            "content_type": content_type,
            "insecure_ssl": "0",
            "secret": "********",
            "url": hook_url,
        },
        "updated_at": "2026-01-02T03:04:05Z",
        "created_at": "2026-01-02T03:04:05Z",
        "url": url,
        "test_url": f"{url}/test",
        "ping_url": f"{url}/pings",
        "deliveries_url": f"{url}/deliveries",
        "last_response": {"code": None, "status": "unused", "message": None},
    }
    payload: Json = {"zen": "Keep it logically awesome.", "hook_id": _HOOK_ID, "hook": hook}
    if hosted:
        payload["repository"] = _repository(hosted, urls)
    login = hosted.owner if hosted else organization or "octocat"
    return {**payload, **_about_owner(organization, urls), "sender": shapes.user(login, urls)}


def issues(
    hosted: HostedRepository,
    *,
    action: str = "opened",
    number: int = 1,
    sender: str = "octocat",
    urls: shapes.Urls = GITHUB,
) -> Json:
    """Make the payload of an event which a mirror has no use for, with the least of an issue.

    https://docs.github.com/en/webhooks/webhook-events-and-payloads#issues
    """
    url, page = f"{urls.repository(hosted)}/issues/{number}", f"{urls.page(hosted)}/issues/{number}"
    author = shapes.user(sender, urls)
    issue = {
        "id": number,
        "number": number,
        "title": "A question",
        "state": "open",
        "url": url,
        "html_url": page,
    }
    return {
        "action": action,
        "issue": {**issue, "user": author, "labels": [], "body": None},
        "repository": _repository(hosted, urls),
        "sender": author,
    }


def encode(payload: Json, *, content_type: ContentType = "json") -> bytes:
    """Return the signed body of a delivery: JSON, or a form with the JSON in `payload`."""
    text = json.dumps(payload, ensure_ascii=False, separators=(",", ":"))
    return text.encode() if content_type == "json" else urlencode({"payload": text}).encode()


def headers(
    event: str,
    body: bytes,
    *,
    secret: str | None = None,
    delivery: str | None = None,
    content_type: ContentType = "json",
    hook_id: int = _HOOK_ID,
) -> dict[str, str]:
    """Make a delivery's headers.

    https://docs.github.com/en/webhooks/webhook-events-and-payloads#delivery-headers

    Without `delivery` it gets an id of its own; GitHub sends the same one again only when asked to
    redeliver.
    """
    made = {
        "Accept": "*/*",
        "Content-Type": _CONTENT_TYPES[content_type],
        "User-Agent": _USER_AGENT,
        "X-GitHub-Delivery": delivery or str(uuid.uuid4()),
        "X-GitHub-Event": event,
        "X-GitHub-Hook-ID": str(hook_id),
        "X-GitHub-Hook-Installation-Target-ID": "1296269",
        "X-GitHub-Hook-Installation-Target-Type": "repository",
    }
    if secret is not None:
        made["X-Hub-Signature"] = f"sha1={_signature(secret, body, 'sha1')}"
        made["X-Hub-Signature-256"] = f"sha256={_signature(secret, body, 'sha256')}"
    return made


def _signature(secret: str, body: bytes, algorithm: str) -> str:
    """https://docs.github.com/en/webhooks/using-webhooks/validating-webhook-deliveries."""
    return hmac.new(secret.encode(), body, getattr(hashlib, algorithm)).hexdigest()


def _commit_at(repository: Repository, sha: str) -> ParsedCommit:
    found = repository.find_commit(sha)
    if found is None:
        raise ValueError(f"the repository holds no commit {sha}")
    return found


def _pushed(repository: Repository, before: str, after: str, ref: str) -> list[str]:
    """Return the commits of a push, oldest first: of a new ref, those that no other ref has."""
    known = [f"--exclude={ref}", "--all"] if before == NO_COMMIT else [before]
    return (
        git.run(repository.path, "rev-list", "--reverse", "--topo-order", after, "--not", *known)
        .decode()
        .split()
    )


def _loses(repository: Repository, before: str, after: str) -> bool:
    return bool(
        git.run(repository.path, "rev-list", "--max-count=1", before, "--not", after).strip()
    )


def _compare(hosted: HostedRepository, urls: shapes.Urls, ref: str, before: str, after: str) -> str:
    page = f"{urls.page(hosted)}/compare"
    if before == NO_COMMIT:
        return f"{page}/{quote(ref.removeprefix('refs/heads/').removeprefix('refs/tags/'))}"
    return f"{page}/{before[:_COMPARED]}...{after[:_COMPARED]}"


def _commit_shape(commit: ParsedCommit, hosted: HostedRepository, urls: shapes.Urls) -> Json:
    changed: dict[str, list[str]] = {"added": [], "removed": [], "modified": []}
    for change in hosted.repository.changes(commit):
        if change.status == "renamed" and change.previous_path is not None:
            changed["removed"].append(shapes.readable(change.previous_path))
        kind = "added" if change.status == "renamed" else change.status
        changed[kind].append(shapes.readable(change.path))
    return {
        "id": commit.sha,
        "tree_id": commit.tree,
        "distinct": True,
        "message": commit.message,
        "timestamp": shapes.timestamp(commit.committer.date),
        "url": f"{urls.page(hosted)}/commit/{commit.sha}",
        "author": shapes.git_actor(commit.author),
        "committer": shapes.git_actor(commit.committer),
        **changed,
    }


def _repository(
    hosted: HostedRepository, urls: shapes.Urls, pushed_at: datetime | None = None
) -> Json:
    full = shapes.repository(hosted, urls, size=0, pushed_at=pushed_at or hosted.created_at)
    return {
        name: value
        for name, value in full.items()
        if name not in {"permissions", "subscribers_count"}
    }


def _pushed_repository(
    hosted: HostedRepository, urls: shapes.Urls, head: ParsedCommit | None, organization: str | None
) -> Json:
    """Shape the repository of push events: `url` is the web page, two dates are numbers."""
    pushed_at = head.committer.date if head else hosted.created_at
    owner = {"name": hosted.owner, "email": None, **shapes.user(hosted.owner, urls)}
    if organization is not None:
        owner["type"] = "Organization"
    return {
        **_repository(hosted, urls, pushed_at),
        "owner": owner,
        "url": urls.page(hosted),
        "created_at": int(hosted.created_at.timestamp()),
        "pushed_at": int(pushed_at.timestamp()),
        "stargazers": 0,
        "master_branch": hosted.repository.default_branch,
        **({} if organization is None else {"organization": organization}),
    }


def _about_owner(organization: str | None, urls: shapes.Urls) -> Json:
    if organization is None:
        return {}
    url = f"{urls.api}/orgs/{organization}"
    identifier = shapes.user_id(organization)
    lists = ["repos", "events", "hooks", "issues"]
    return {
        "organization": {
            "login": organization,
            "id": identifier,
            "node_id": shapes.node_id("Organization", identifier),
            "url": url,
            **{f"{name}_url": f"{url}/{name}" for name in lists},
            "members_url": f"{url}/members{{/member}}",
            "public_members_url": f"{url}/public_members{{/member}}",
            "avatar_url": f"{urls.web}/avatars/{organization}",
            "description": "",
        }
    }
