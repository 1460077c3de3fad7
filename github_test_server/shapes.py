"""GitHub's JSON objects, made from git's; bytes that are not UTF-8 become U+FFFD, as there."""

from __future__ import annotations

import base64
from dataclasses import dataclass
from typing import TYPE_CHECKING
from urllib.parse import quote

if TYPE_CHECKING:
    from datetime import datetime

    from github_test_server.hosting import HostedRepository, Requester
    from github_test_server.limits import Allowance
    from github_test_server.objects import GitActor, GitObject, ParsedCommit, TreeRow
    from github_test_server.repositories import DiffEntry

Json = dict[str, object]

LARGEST_INLINE_CONTENT = 1_048_576
"""Bytes up to which the contents API puts a file into its JSON."""

_BASE64_LINE = 60
_CONTENT_TYPES = {"blob": "file", "tree": "dir", "commit": "submodule"}

# Suffixes of a repository's own URL: https://docs.github.com/en/rest/repos/repos#get-a-repository
_REPOSITORY_URLS = {
    "archive_url": "/{archive_format}{/ref}",
    "assignees_url": "/assignees{/user}",
    "blobs_url": "/git/blobs{/sha}",
    "branches_url": "/branches{/branch}",
    "collaborators_url": "/collaborators{/collaborator}",
    "comments_url": "/comments{/number}",
    "commits_url": "/commits{/sha}",
    "compare_url": "/compare/{base}...{head}",
    "contents_url": "/contents/{+path}",
    "contributors_url": "/contributors",
    "deployments_url": "/deployments",
    "downloads_url": "/downloads",
    "events_url": "/events",
    "forks_url": "/forks",
    "git_commits_url": "/git/commits{/sha}",
    "git_refs_url": "/git/refs{/sha}",
    "git_tags_url": "/git/tags{/sha}",
    "hooks_url": "/hooks",
    "issue_comment_url": "/issues/comments{/number}",
    "issue_events_url": "/issues/events{/number}",
    "issues_url": "/issues{/number}",
    "keys_url": "/keys{/key_id}",
    "labels_url": "/labels{/name}",
    "languages_url": "/languages",
    "merges_url": "/merges",
    "milestones_url": "/milestones{/number}",
    "notifications_url": "/notifications{?since,all,participating}",
    "pulls_url": "/pulls{/number}",
    "releases_url": "/releases{/id}",
    "stargazers_url": "/stargazers",
    "statuses_url": "/statuses/{sha}",
    "subscribers_url": "/subscribers",
    "subscription_url": "/subscription",
    "tags_url": "/tags",
    "teams_url": "/teams",
    "trees_url": "/git/trees{/sha}",
}
_USER_URLS = {
    "followers_url": "/followers",
    "following_url": "/following{/other_user}",
    "gists_url": "/gists{/gist_id}",
    "starred_url": "/starred{/owner}{/repo}",
    "subscriptions_url": "/subscriptions",
    "organizations_url": "/orgs",
    "repos_url": "/repos",
    "events_url": "/events{/privacy}",
    "received_events_url": "/received_events",
}
_ROOT_URLS = {
    "current_user_url": "/user",
    "emails_url": "/user/emails",
    "emojis_url": "/emojis",
    "events_url": "/events",
    "rate_limit_url": "/rate_limit",
    "repository_url": "/repos/{owner}/{repo}",
    "user_url": "/users/{user}",
}


@dataclass(frozen=True, slots=True)
class Urls:
    """The server's addresses as a client sees them: `web` is the origin, `api` the API's base."""

    web: str
    api: str

    def repository(self, hosted: HostedRepository) -> str:
        return f"{self.api}/repos/{hosted.full_name}"

    def page(self, hosted: HostedRepository) -> str:
        return f"{self.web}/{hosted.full_name}"


def readable(path: bytes) -> str:
    return path.decode(errors="replace")


def timestamp(date: datetime) -> str:
    return f"{date:%Y-%m-%dT%H:%M:%SZ}"


def base64_lines(content: bytes) -> str:
    text = base64.b64encode(content).decode()
    return "".join(f"{text[at : at + _BASE64_LINE]}\n" for at in range(0, len(text), _BASE64_LINE))


def node_id(kind: str, identifier: object) -> str:
    return base64.b64encode(f"0{len(kind)}:{kind}{identifier}".encode()).decode()


def user_id(login: str) -> int:
    return int.from_bytes(login.lower().encode()[:6], "big")


def user(login: str, urls: Urls) -> Json:
    identifier = user_id(login)
    url = f"{urls.api}/users/{login}"
    return {
        "login": login,
        "id": identifier,
        "node_id": node_id("User", identifier),
        "avatar_url": f"{urls.web}/avatars/{login}",
        "gravatar_id": "",
        "url": url,
        "html_url": f"{urls.web}/{login}",
        **{name: url + suffix for name, suffix in _USER_URLS.items()},
        "type": "User",
        "site_admin": False,
    }


def authenticated_user(caller: Requester, urls: Urls) -> Json:
    empty = dict.fromkeys(["name", "company", "location", "email", "hireable", "bio"])
    counts = dict.fromkeys(["public_repos", "public_gists", "followers", "following"], 0)
    dates = dict.fromkeys(["created_at", "updated_at"], "2011-01-25T18:44:36Z")
    shape = {**user(caller.login or "", urls), **empty, "blog": "", **counts, **dates}
    if caller.person is not None:
        shape["id"] = caller.person.id
        shape["node_id"] = node_id("User", caller.person.id)
    return shape


def root(urls: Urls) -> Json:
    return {name: urls.api + suffix for name, suffix in _ROOT_URLS.items()}


def repository(hosted: HostedRepository, urls: Urls, *, size: int, pushed_at: datetime) -> Json:
    """Make a full repository; `size` is in kilobytes."""
    url, page = urls.repository(hosted), urls.page(hosted)
    counts = ["forks", "stargazers", "watchers", "open_issues", "subscribers", "network"]
    return {
        "id": hosted.id,
        "node_id": node_id("Repository", hosted.id),
        "name": hosted.name,
        "full_name": hosted.full_name,
        "private": hosted.private,
        "owner": user(hosted.owner, urls),
        "html_url": page,
        "description": None,
        "fork": False,
        "url": url,
        **{name: url + suffix for name, suffix in _REPOSITORY_URLS.items()},
        **_clone_urls(hosted, page),
        **{f"{name}_count": 0 for name in counts},
        **dict.fromkeys(["forks", "open_issues", "watchers"], 0),
        **dict.fromkeys(["mirror_url", "homepage", "language", "license"]),
        **dict.fromkeys(["has_issues", "has_projects", "has_wiki", "has_downloads"], True),
        **dict.fromkeys(
            ["has_pages", "has_discussions", "archived", "disabled", "is_template"], False
        ),
        "size": size,
        "default_branch": hosted.repository.default_branch,
        "visibility": "private" if hosted.private else "public",
        "topics": [],
        "allow_forking": True,
        "created_at": timestamp(hosted.created_at),
        "updated_at": timestamp(pushed_at),
        "pushed_at": timestamp(pushed_at),
        "permissions": {
            "admin": False,
            "maintain": False,
            "push": False,
            "triage": False,
            "pull": True,
        },
    }


def _clone_urls(hosted: HostedRepository, page: str) -> Json:
    host = page.split("/")[2]
    return {
        "clone_url": f"{page}.git",
        "git_url": f"git://{host}/{hosted.full_name}.git",
        "ssh_url": f"git@{host}:{hosted.full_name}.git",
        "svn_url": page,
    }


def git_actor(actor: GitActor) -> Json:
    """Shape who wrote or made a commit, and when."""
    return {"name": actor.name, "email": actor.email, "date": timestamp(actor.date)}


_UNSIGNED: Json = {
    "verified": False,
    "reason": "unsigned",
    "signature": None,
    "payload": None,
    "verified_at": None,
}


def commit(commit: ParsedCommit, hosted: HostedRepository, urls: Urls) -> Json:
    """Make a commit as lists hold it. No author is matched to an account of GitHub's."""
    url, page = urls.repository(hosted), urls.page(hosted)
    return {
        "sha": commit.sha,
        "node_id": node_id("Commit", f"{hosted.id}:{commit.sha}"),
        "commit": {
            "author": git_actor(commit.author),
            "committer": git_actor(commit.committer),
            "message": commit.message,
            "tree": {"sha": commit.tree, "url": f"{url}/git/trees/{commit.tree}"},
            "url": f"{url}/git/commits/{commit.sha}",
            "comment_count": 0,
            "verification": _UNSIGNED,
        },
        "url": f"{url}/commits/{commit.sha}",
        "html_url": f"{page}/commit/{commit.sha}",
        "comments_url": f"{url}/commits/{commit.sha}/comments",
        "author": None,
        "committer": None,
        "parents": [
            {"sha": sha, "url": f"{url}/commits/{sha}", "html_url": f"{page}/commit/{sha}"}
            for sha in commit.parents
        ],
    }


def file_change(change: DiffEntry, sha: str, hosted: HostedRepository, urls: Urls) -> Json:
    """Make one of a commit's `files`, without its patch."""
    path, page = quote(change.path), urls.page(hosted)
    shape: Json = {
        "sha": change.sha,
        "filename": readable(change.path),
        "status": change.status,
        "additions": change.additions,
        "deletions": change.deletions,
        "changes": change.additions + change.deletions,
        "blob_url": f"{page}/blob/{sha}/{path}",
        "raw_url": f"{page}/raw/{sha}/{path}",
        "contents_url": f"{urls.repository(hosted)}/contents/{path}?ref={sha}",
    }
    if change.previous_path is not None:
        shape["previous_filename"] = readable(change.previous_path)
    return shape


def stats(changes: list[DiffEntry]) -> Json:
    additions = sum(change.additions for change in changes)
    deletions = sum(change.deletions for change in changes)
    return {"total": additions + deletions, "additions": additions, "deletions": deletions}


def git_commit(commit: ParsedCommit, hosted: HostedRepository, urls: Urls) -> Json:
    url, page = urls.repository(hosted), urls.page(hosted)
    return {
        "sha": commit.sha,
        "node_id": node_id("Commit", f"{hosted.id}:{commit.sha}"),
        "url": f"{url}/git/commits/{commit.sha}",
        "html_url": f"{page}/commit/{commit.sha}",
        "author": git_actor(commit.author),
        "committer": git_actor(commit.committer),
        "tree": {"sha": commit.tree, "url": f"{url}/git/trees/{commit.tree}"},
        "message": commit.message,
        "parents": [
            {"sha": sha, "url": f"{url}/git/commits/{sha}", "html_url": f"{page}/commit/{sha}"}
            for sha in commit.parents
        ],
        "verification": _UNSIGNED,
    }


def tree_entry(entry: TreeRow, repository_url: str) -> Json:
    shape: Json = {
        "path": readable(entry.path),
        "mode": entry.mode,
        "type": entry.type,
        "sha": entry.sha,
    }
    if entry.size is not None:
        shape["size"] = entry.size
    if entry.type != "commit":
        shape["url"] = f"{repository_url}/git/{entry.type}s/{entry.sha}"
    return shape


def blob(sha: str, content: bytes, hosted: HostedRepository, urls: Urls) -> Json:
    return {
        "sha": sha,
        "node_id": node_id("Blob", f"{hosted.id}:{sha}"),
        "size": len(content),
        "url": f"{urls.repository(hosted)}/git/blobs/{sha}",
        "content": base64_lines(content),
        "encoding": "base64",
    }


def branch(name: str, sha: str, hosted: HostedRepository, urls: Urls) -> Json:
    """Make a branch as lists hold it."""
    url = urls.repository(hosted)
    return {"name": name, "commit": {"sha": sha, "url": f"{url}/commits/{sha}"}, "protected": False}


def branch_details(name: str, head: ParsedCommit, hosted: HostedRepository, urls: Urls) -> Json:
    url = f"{urls.repository(hosted)}/branches/{name}"
    return {
        "name": name,
        "commit": commit(head, hosted, urls),
        "_links": {"self": url, "html": f"{urls.page(hosted)}/tree/{name}"},
        "protected": False,
        "protection": {
            "enabled": False,
            "required_status_checks": {"enforcement_level": "off", "contexts": [], "checks": []},
        },
        "protection_url": f"{url}/protection",
    }


def git_ref(name: str, target: GitObject, hosted: HostedRepository, urls: Urls) -> Json:
    """Make a ref; `name` is without "refs/"."""
    url = urls.repository(hosted)
    return {
        "ref": f"refs/{name}",
        "node_id": node_id("Ref", f"{hosted.id}:refs/{name}"),
        "url": f"{url}/git/refs/{name}",
        "object": {
            "sha": target.sha,
            "type": target.type,
            "url": f"{url}/git/{target.type}s/{target.sha}",
        },
    }


def content_entry(
    entry: TreeRow, path: str, ref: str, hosted: HostedRepository, urls: Urls
) -> Json:
    """Make an item of a folder as the contents API lists it; `path` is from the root."""
    url = f"{urls.repository(hosted)}/contents/{quote(path)}?ref={quote(ref)}"
    git_url = (
        None
        if entry.type == "commit"
        else f"{urls.repository(hosted)}/git/{entry.type}s/{entry.sha}"
    )
    html_url = f"{urls.page(hosted)}/{entry.type}/{quote(ref)}/{quote(path)}"
    raw_url = f"{urls.page(hosted)}/raw/{quote(ref)}/{quote(path)}"
    return {
        "name": path.rpartition("/")[2],
        "path": path,
        "sha": entry.sha,
        "size": entry.size or 0,
        "url": url,
        "html_url": html_url,
        "git_url": git_url,
        "download_url": raw_url if entry.type == "blob" else None,
        "type": "symlink" if entry.mode == "120000" else _CONTENT_TYPES[entry.type],
        "_links": {"self": url, "git": git_url, "html": html_url},
    }


def content_file(listed: Json, content: bytes) -> Json:
    """Complete a folder's item to a file; as on GitHub, a large one has no content."""
    fits = len(content) <= LARGEST_INLINE_CONTENT
    return {
        **listed,
        "content": base64_lines(content) if fits else "",
        "encoding": "base64" if fits else "none",
    }


def rate_limit(allowance: Allowance) -> Json:
    return {
        "limit": allowance.limit,
        "remaining": allowance.remaining,
        "reset": int(allowance.reset_at),
        "used": allowance.used,
    }
