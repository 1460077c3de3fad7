"""The server's part of GitHub's REST API; each route names its page of the documentation."""

from __future__ import annotations

import asyncio
import json
from typing import TYPE_CHECKING
from urllib.parse import quote

from github_test_server import shapes
from github_test_server.answers import (
    RefusalError,
    ResultPage,
    ServedAnswer,
    json_answer,
    not_found,
)
from github_test_server.calls import Call, Endpoint
from github_test_server.repositories import FULL_SHA

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Generator, Iterator

    from github_test_server.hosting import HostedRepository
    from github_test_server.objects import ParsedCommit, TreeRow
    from github_test_server.repositories import Repository

_FILES_OF_A_COMMIT = 300
_SYMLINK = "120000"
_MALFORMED_SHA = "The sha parameter must be exactly 40 characters and contain only [0-9a-f]."


async def unknown(_: Call) -> ServedAnswer:
    raise not_found()


async def root(call: Call) -> ServedAnswer:
    return json_answer(shapes.root(call.urls))


async def authenticated_user(call: Call) -> ServedAnswer:
    """https://docs.github.com/en/rest/users/users#get-the-authenticated-user."""
    if call.caller.token is None:
        raise RefusalError(401, "Requires authentication")
    return json_answer(shapes.authenticated_user(call.caller, call.urls))


async def rate_limit(call: Call) -> ServedAnswer:
    """https://docs.github.com/en/rest/rate-limit/rate-limit."""
    limits, caller = call.state.limits, call.caller
    core = shapes.rate_limit(limits.of_caller(caller))
    graphql = shapes.rate_limit(limits.of_caller(caller, "graphql"))
    return json_answer(
        {"resources": {"core": core, "search": core, "graphql": graphql}, "rate": core}
    )


async def repository(call: Call) -> ServedAnswer:
    """https://docs.github.com/en/rest/repos/repos#get-a-repository."""
    hosted = call.hosted()
    head = hosted.repository.find_commit("HEAD")
    size = await asyncio.to_thread(hosted.repository.disk_usage)
    pushed_at = head.committer.date if head else hosted.created_at
    return json_answer(shapes.repository(hosted, call.urls, size=size // 1024, pushed_at=pushed_at))


async def commit(call: Call) -> ServedAnswer:
    """https://docs.github.com/en/rest/commits/commits#get-a-commit.

    The sha itself is the ETag of the sha media type, the same for every token.
    """
    hosted = call.hosted()
    found = _commit_of(hosted.repository, call.parameter("ref"))
    if call.media.param == "sha":
        headers = {"Content-Type": call.media.content_type, "ETag": f'"{found.sha}"'}
        return ServedAnswer(200, found.sha.encode(), headers)
    changes = await asyncio.to_thread(hosted.repository.changes, found)
    files = [
        shapes.file_change(change, found.sha, hosted, call.urls)
        for change in changes[:_FILES_OF_A_COMMIT]
    ]
    shape = shapes.commit(found, hosted, call.urls)
    return json_answer({**shape, "stats": shapes.stats(changes), "files": files})


def _commit_of(repository: Repository, ref: str) -> ParsedCommit:
    found = repository.find_commit(ref)
    if found is None:
        _refuse_if_empty(repository)
        raise RefusalError(422, f"No commit found for SHA: {ref}")
    return found


def _refuse_if_empty(repository: Repository) -> None:
    if repository.is_empty():
        raise RefusalError(409, "Git Repository is empty.")


async def commits(call: Call) -> ServedAnswer:
    """Take `sha`, `path`, `page` and `per_page`.

    https://docs.github.com/en/rest/commits/commits#list-commits
    """
    hosted = call.hosted()
    start = call.query("sha") or "HEAD"
    head = hosted.repository.find_commit(start)
    if head is None:
        _refuse_if_empty(hosted.repository)
        raise not_found()
    page = ResultPage.parse(call.request.query_params)
    found, total = await asyncio.to_thread(
        hosted.repository.history,
        head.sha,
        path=call.query("path"),
        skip=page.skip,
        count=page.size,
    )
    links = page.links(call.url, call.request.url.query, total)
    return json_answer([shapes.commit(each, hosted, call.urls) for each in found], headers=links)


async def git_commit(call: Call) -> ServedAnswer:
    """https://docs.github.com/en/rest/git/commits#get-a-commit-object."""
    hosted = call.hosted()
    sha = _well_formed(call.parameter("sha"))
    found = hosted.repository.find_commit(sha)
    if found is None or found.sha != sha:
        _refuse_if_empty(hosted.repository)
        raise not_found()
    return json_answer(shapes.git_commit(found, hosted, call.urls))


def _well_formed(sha: str) -> str:
    if not FULL_SHA.fullmatch(sha):
        raise RefusalError(422, _MALFORMED_SHA)
    return sha


async def git_tree(call: Call) -> ServedAnswer:
    """Any value of `recursive` turns it on.

    https://docs.github.com/en/rest/git/trees#get-a-tree
    """
    hosted = call.hosted()
    sha = hosted.repository.find_tree(call.parameter("sha"))
    if sha is None:
        _refuse_if_empty(hosted.repository)
        raise not_found()
    recursive = "recursive" in call.request.query_params
    entries = await asyncio.to_thread(hosted.repository.list_tree, sha, recursive=recursive)
    url = call.urls.repository(hosted)
    tree, truncated = _cut(entries, url, call, recursive=recursive)
    return json_answer(
        {"sha": sha, "url": f"{url}/git/trees/{sha}", "tree": tree, "truncated": truncated}
    )


def _cut(
    entries: list[TreeRow], repository_url: str, call: Call, *, recursive: bool
) -> tuple[list[shapes.Json], bool]:
    limits = call.state.tree_limits
    most = limits.recursive_entries if recursive else limits.folder_entries
    tree = [shapes.tree_entry(entry, repository_url) for entry in entries[:most]]
    if recursive:
        tree = list(_first_bytes(tree, limits.recursive_bytes))
    return tree, len(tree) < len(entries)


def _first_bytes(tree: list[shapes.Json], most: int) -> Iterator[shapes.Json]:
    for entry in tree:
        most -= len(json.dumps(entry, ensure_ascii=False))
        if most < 0:
            return
        yield entry


async def git_blob(call: Call) -> ServedAnswer:
    """https://docs.github.com/en/rest/git/blobs#get-a-blob."""
    hosted = call.hosted()
    sha = _well_formed(call.parameter("sha"))
    content = hosted.repository.read_blob(sha)
    if content is None:
        _refuse_if_empty(hosted.repository)
        raise not_found()
    if call.media.param == "raw":
        return ServedAnswer(200, content, {"Content-Type": call.media.content_type})
    return json_answer(shapes.blob(sha, content, hosted, call.urls))


async def branches(call: Call) -> ServedAnswer:
    """https://docs.github.com/en/rest/branches/branches#list-branches."""
    hosted = call.hosted()
    page = ResultPage.parse(call.request.query_params)
    found = await asyncio.to_thread(hosted.repository.branches)
    links = page.links(call.url, call.request.url.query, len(found))
    shown = found[page.skip : page.skip + page.size]
    return json_answer(
        [shapes.branch(name, sha, hosted, call.urls) for name, sha in shown], headers=links
    )


async def branch(call: Call) -> ServedAnswer:
    """https://docs.github.com/en/rest/branches/branches#get-a-branch."""
    hosted = call.hosted()
    name = call.parameter("branch")
    head = hosted.repository.find_commit(f"refs/heads/{name}")
    if head is None:
        raise RefusalError(404, "Branch not found")
    return json_answer(shapes.branch_details(name, head, hosted, call.urls))


async def git_ref(call: Call) -> ServedAnswer:
    """https://docs.github.com/en/rest/git/refs#get-a-reference."""
    hosted = call.hosted()
    name = call.parameter("ref")
    target = hosted.repository.find_ref(name)
    if target is None:
        _refuse_if_empty(hosted.repository)
        raise not_found()
    return json_answer(shapes.git_ref(name, target, hosted, call.urls))


async def matching_refs(call: Call) -> ServedAnswer:
    """https://docs.github.com/en/rest/git/refs#list-matching-references."""
    hosted = call.hosted()
    _refuse_if_empty(hosted.repository)
    found = await asyncio.to_thread(hosted.repository.refs, call.parameter("ref"))
    return json_answer([shapes.git_ref(name, target, hosted, call.urls) for name, target in found])


async def contents(call: Call) -> ServedAnswer:
    """https://docs.github.com/en/rest/repos/contents#get-repository-content."""
    hosted = call.hosted()
    ref = call.query("ref") or hosted.repository.default_branch
    tree = hosted.repository.find_tree(ref)
    if tree is None:
        if hosted.repository.is_empty():
            raise RefusalError(404, "This repository is empty.")
        raise RefusalError(404, f"No commit found for the ref {ref}")
    path = str(call.request.path_params.get("path", "")).strip("/")
    return await asyncio.to_thread(_content, call, hosted, ref, tree, path)


def _content(call: Call, hosted: HostedRepository, ref: str, tree: str, path: str) -> ServedAnswer:
    if not path:
        return _folder(call, hosted, ref, tree, path)
    entry = hosted.repository.find_entry(tree, path.encode())
    if entry is None:
        raise not_found()
    if entry.type == "tree":
        return _folder(call, hosted, ref, entry.sha, path)
    return _leaf(call, hosted, ref, entry, path)


def _folder(call: Call, hosted: HostedRepository, ref: str, tree: str, path: str) -> ServedAnswer:
    prefix = f"{path}/" if path else ""
    return json_answer(
        [
            shapes.content_entry(
                entry, prefix + shapes.readable(entry.path), ref, hosted, call.urls
            )
            for entry in hosted.repository.list_tree(tree, recursive=False)
        ]
    )


def _leaf(
    call: Call, hosted: HostedRepository, ref: str, entry: TreeRow, path: str
) -> ServedAnswer:
    listed = shapes.content_entry(entry, path, ref, hosted, call.urls)
    content = hosted.repository.read_blob(entry.sha)
    if content is None:
        return json_answer({**listed, "submodule_git_url": f"{listed['html_url']}.git"})
    if call.media.param == "raw":
        return ServedAnswer(200, content, {"Content-Type": call.media.content_type})
    if entry.mode == _SYMLINK:
        return json_answer({**listed, "target": content.decode(errors="replace")})
    return json_answer(shapes.content_file(listed, content))


async def tarball(call: Call) -> ServedAnswer:
    """https://docs.github.com/en/rest/repos/contents#download-a-repository-archive-tar.

    A private repository's address carries a key of its own, for it may be on another host.
    """
    hosted = call.hosted()
    ref = str(call.request.path_params.get("ref", "")) or hosted.repository.default_branch
    if hosted.repository.find_commit(ref) is None:
        _refuse_if_empty(hosted.repository)
        raise not_found()
    key = f"?token={call.state.hosting.make_download_key(hosted)}" if hosted.private else ""
    origin = call.state.codeload_url or call.urls.web
    location = f"{origin}/codeload/{hosted.full_name}/legacy.tar.gz/{quote(ref)}{key}"
    return ServedAnswer(
        302, b"", {"Content-Type": "text/html; charset=utf-8", "Location": location}
    )


async def archive(call: Call) -> ServedAnswer:
    """Stream the archive that tarball() redirects to; this host has limits of its own."""
    hosted = call.state.hosting.get(f"{call.parameter('owner')}/{call.parameter('repo')}")
    if hosted is None:
        raise not_found()
    if not hosted.visible_to(call.caller) and not call.state.hosting.opens_download(
        call.query("token"), hosted
    ):
        raise not_found()
    found = hosted.repository.find_commit(call.parameter("ref"))
    if found is None:
        raise not_found()
    name = f"{hosted.owner}-{hosted.name}-{found.sha[:7]}"
    headers = {
        "Content-Type": "application/x-gzip",
        "Content-Disposition": f"attachment; filename={name}.tar.gz",
    }
    return ServedAnswer(
        200, _in_thread(hosted.repository.archive(found.sha, prefix=f"{name}/")), headers
    )


async def _in_thread(pieces: Generator[bytes, None, None]) -> AsyncIterator[bytes]:
    try:
        while piece := await asyncio.to_thread(next, pieces, b""):
            yield piece
    finally:
        pieces.close()


PLAIN_ROUTES: dict[str, Endpoint] = {
    "/": Endpoint(root),
    "/rate_limit": Endpoint(rate_limit, metered=False),
    "/user": Endpoint(authenticated_user),
}

REPOSITORY_ROUTES: dict[str, Endpoint] = {
    "": Endpoint(repository),
    "/commits": Endpoint(commits),
    "/commits/{ref:path}": Endpoint(commit),
    "/git/commits/{sha}": Endpoint(git_commit),
    "/git/trees/{sha:path}": Endpoint(git_tree),
    "/git/blobs/{sha}": Endpoint(git_blob),
    "/git/ref/{ref:path}": Endpoint(git_ref),
    "/git/matching-refs/{ref:path}": Endpoint(matching_refs),
    "/branches": Endpoint(branches),
    "/branches/{branch:path}": Endpoint(branch),
    "/contents": Endpoint(contents),
    "/contents/{path:path}": Endpoint(contents),
    "/tarball": Endpoint(tarball),
    "/tarball/{ref:path}": Endpoint(tarball),
}
"""Below /repos/{owner}/{repo} and /repositories/{id}."""

CODELOAD_ROUTES: dict[str, Endpoint] = {
    "/codeload/{owner}/{repo}/legacy.tar.gz/{ref:path}": Endpoint(
        archive, metered=False, api=False
    ),
}
"""At the server's root, whatever the API's base path is."""
