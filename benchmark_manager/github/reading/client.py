"""The requests that a sync sends about one repository."""

import asyncio
from collections.abc import Sequence
from functools import partial
from typing import Final

import httpx2 as httpx

from benchmark_manager.domain.git.objects import TreeMember, blob_id
from benchmark_manager.domain.sync.obstacles import Obstacle, paths_to
from benchmark_manager.errors import GitHubError, GitHubUnavailableError
from benchmark_manager.github.protocol import graphql
from benchmark_manager.github.protocol.answers import (
    CommitInfo,
    CommitObject,
    GarbledAnswerError,
    RepositoryInfo,
    parse_branches,
    parse_commit,
    parse_commits,
    parse_first_commit,
    parse_json,
    parse_refs,
    parse_sha,
)
from benchmark_manager.github.protocol.graphql import CommitQuestion, NamedRefs
from benchmark_manager.github.protocol.headers import ACCEPT_RAW, ACCEPT_SHA, has_next_page
from benchmark_manager.github.protocol.listings import TreeListing, parse_tree
from benchmark_manager.github.protocol.refusals import commit_not_found, ref_not_found, refusal
from benchmark_manager.github.protocol.urls import repository_path, with_query
from benchmark_manager.github.sending.credentials import Credential
from benchmark_manager.github.sending.requests import (
    MAX_LISTING,
    MAX_LISTING_VALUES,
    Connection,
    NoGraphQLError,
    PassingFailureError,
    Reply,
    RequestKind,
    Requests,
)
from benchmark_manager.models.commit import Commit, CommitAnswer
from benchmark_manager.models.project import Ref, RefKind, RepositoryAddress
from benchmark_manager.models.sync import GitHubUsage

_MISSING: Final = frozenset({404, 409, 422})
#: Paths of one query for what is in the way of missing folders.
_MOST_PATHS: Final = 20


class RepositoryClient:
    """Sends the requests about one repository for one purpose, and counts what they cost.

    Every method raises `GitHubActionError`, `GitHubRateLimitedError` or `GitHubUnavailableError`.
    """

    def __init__(
        self,
        connection: Connection,
        repository: RepositoryAddress,
        credential: Credential,
        *,
        urgent: bool,
    ) -> None:
        """`urgent`: what a person waits for, which may use the limit's reserve."""
        self.repository = repository
        self.requests: Final[Requests] = connection.requests(credential, urgent=urgent)
        self.was_renamed = False

    @property
    def usage(self) -> GitHubUsage:
        return self.requests.usage

    async def head(self, ref: Ref | None, known: str | None) -> str | None:
        """Return the id of the commit of `ref` (None: of the default branch).

        None while it is `known`.

        Documented: the sha media type's ETag is the commit's sha, and a 304 costs nothing.
        """
        path = repository_path(self.repository, "commits", _name(ref))

        async def ask() -> str | None:
            kind: RequestKind = "place" if known is None else "check"
            reply = await self.requests.get(path, ACCEPT_SHA, kind=kind, if_none_match=known)
            if reply.status == httpx.codes.NOT_MODIFIED and known is not None:
                self.was_renamed |= reply.redirected
                return None
            reply = await self._of_ref(reply, ref)
            sha = self._checked(parse_sha(reply.body), ref)
            return None if sha == known else sha

        return await self.requests.retrying(ask)

    async def head_commit(self, ref: Ref | None) -> Commit:
        """Read the commit of `ref` (None: of the default branch) with its tree, in one request."""
        query = {"per_page": "1"} if ref is None else {"sha": ref.full, "per_page": "1"}
        path = with_query(repository_path(self.repository, "commits"), query)

        async def ask() -> Commit:
            reply = await self.requests.get(path, kind="place")
            if reply.status == httpx.codes.NOT_FOUND:
                commit = await self._single_commit(ref)
            else:
                commit = parse_first_commit((await self._of_ref(reply, ref)).body)
            self._checked(commit.sha, ref)
            return commit

        return await self.requests.retrying(ask)

    async def _single_commit(self, ref: Ref | None) -> Commit:
        """Read it from a server that lists no commits; this answer includes the changes."""
        path = repository_path(self.repository, "commits", _name(ref))
        reply = await self._of_ref(await self.requests.get(path, kind="place"), ref)
        return parse_commit(reply.body)

    async def _of_ref(self, reply: Reply, ref: Ref | None) -> Reply:
        self.was_renamed |= reply.redirected
        if reply.status in ({422} if ref is None else {404, 422}):
            # A missing ref and a missing repository are answered alike; this distinguishes them.
            await self.info()
            is_tag = ref is not None and ref.kind == "branch" and await self._has_tag(ref.name)
            raise ref_not_found(self.repository, ref, is_tag=is_tag)
        return self._accepted(reply)

    def _checked(self, sha: str, ref: Ref | None) -> str:
        """Return the id, unless a commit was asked for by another id, such as a tag object's."""
        if ref is not None and ref.kind == "commit" and sha != ref.name:
            raise ref_not_found(self.repository, ref)
        return sha

    async def _has_tag(self, name: str) -> bool:
        """Return whether there is a tag of this name; False also where GitHub does not answer."""
        path = repository_path(self.repository, "git", "ref", Ref(kind="tag", name=name).short)
        try:
            return (await self.requests.get(path, kind="identity")).status == httpx.codes.OK
        except (GitHubError, GarbledAnswerError, PassingFailureError):
            return False

    async def branches(self, count: int) -> tuple[tuple[str, ...], bool]:
        """Return the names of the first branches, at most 100, and whether there are more."""
        path = repository_path(self.repository, "branches")
        url = with_query(path, {"per_page": str(count)})

        async def ask() -> tuple[tuple[str, ...], bool]:
            reply = self._accepted(await self.requests.get(url, kind="identity"))
            return parse_branches(reply.body), has_next_page(reply.headers)

        return await self.requests.retrying(ask)

    async def tree_of_ref(self, ref: Ref | None) -> TreeListing:
        """Return the recursive listing of a ref's commit (None: of the default branch's).

        It may be truncated.
        """

        async def ask() -> TreeListing:
            reply = await self._of_ref(await self._tree_reply(_name(ref), recursive=True), ref)
            return await _parsed_tree(reply.body)

        return await self.requests.retrying(ask)

    async def matching_refs(self, kind: RefKind, beginning: str) -> list[str]:
        """Return the names of all branches or tags that begin with this.

        https://docs.github.com/en/rest/git/refs#list-matching-references
        """
        ref = Ref(kind=kind, name=beginning)
        path = repository_path(self.repository, "git", "matching-refs", ref.short)

        async def ask() -> list[str]:
            reply = self._accepted(await self.requests.get(path, kind="identity"))
            prefix = Ref(kind=kind, name="").full
            return [
                name.removeprefix(prefix)
                for name in parse_refs(reply.body)
                if name.startswith(prefix)
            ]

        return await self.requests.retrying(ask)

    async def info(self) -> RepositoryInfo:
        """Return the repository's current name and default branch."""
        path = repository_path(self.repository)

        async def ask() -> RepositoryInfo:
            reply = self._accepted(await self.requests.get(path, kind="identity"))
            return parse_json(reply.body, RepositoryInfo)

        return await self.requests.retrying(ask)

    async def commit_with_folders(
        self, commit_sha: str, folders: tuple[str, ...], ref: Ref | None = None
    ) -> CommitAnswer | None:
        """Read one commit with the trees of these folders, in one query.

        Args:
            commit_sha: the commit's id.
            folders: paths from the root; "" is the root.
            ref: whose commit this is, as REST says. Where it points to another commit by now, that
                one is returned, so this is right also of a server that takes full names for short
                ones.

        Returns:
            None where GraphQL does not answer.

        Raises:
            GitHubActionError: also `branch_not_found`, where there is only a tag of that name.
        """
        if not self.requests.has_graphql:
            return None
        try:
            answer, named = await self._query_commit(commit_sha, folders, ref)
            if named.ref not in {None, commit_sha}:
                answer, _ = await self._query_commit(str(named.ref), folders, None)
        except (NoGraphQLError, GitHubUnavailableError):
            # REST may work, and says what is wrong if it does not.
            answer, named = None, NamedRefs()
        if named.ref is None and named.tag is not None:
            raise ref_not_found(self.repository, ref, is_tag=True)
        if answer is None:
            # A token may read a repository by REST only; then GraphQL returns no contents either.
            self.requests.avoid_graphql()
        return answer

    async def _query_commit(
        self, commit_sha: str, folders: tuple[str, ...], ref: Ref | None
    ) -> tuple[CommitAnswer | None, NamedRefs]:
        query = graphql.commits_query([CommitQuestion(self.repository, commit_sha, folders, ref)])

        async def ask() -> tuple[CommitAnswer | None, NamedRefs]:
            reply = await self.requests.query(query, kind="place")
            answer = graphql.parse_commit(reply, "r0", folders)
            if answer is None:
                return None, NamedRefs()
            if answer.commit.sha != commit_sha:
                raise GarbledAnswerError("the answer is about another commit")
            return answer, graphql.parse_named(reply, "r0")

        return await self.requests.retrying(ask)

    async def commit(self, commit_sha: str) -> Commit:
        """Read a commit by its id, with its tree and time."""
        path = repository_path(self.repository, "git", "commits", commit_sha)

        async def ask() -> Commit:
            reply = self._found(await self.requests.get(path, kind="place"))
            commit = parse_json(reply.body, CommitObject).as_commit()
            if commit.sha != commit_sha:
                raise GarbledAnswerError("the answer is about another commit")
            return commit

        return await self.requests.retrying(ask)

    async def tree(self, sha: str, *, recursive: bool) -> TreeListing:
        """Return the listing of one tree; a recursive one may be truncated."""

        async def ask() -> TreeListing:
            reply = self._found(await self._tree_reply(sha, recursive=recursive))
            tree = await _parsed_tree(reply.body)
            if tree.sha != sha:
                raise GarbledAnswerError("the answer lists another tree")
            return tree

        return await self.requests.retrying(ask)

    async def tree_of_commit(self, commit_sha: str) -> TreeListing | None:
        """Return the recursive listing of a commit's root tree, named by the commit.

        Its `sha` may be the commit's. None where the server wants the tree's own id.
        """

        async def ask() -> TreeListing | None:
            reply = await self._tree_reply(commit_sha, recursive=True)
            return (
                None if reply.status in _MISSING else await _parsed_tree(self._accepted(reply).body)
            )

        return await self.requests.retrying(ask)

    async def _tree_reply(self, sha: str, *, recursive: bool) -> Reply:
        path = repository_path(self.repository, "git", "trees", sha) + (
            "?recursive=1" if recursive else ""
        )
        return await self.requests.get(
            path, kind="listing", max_bytes=MAX_LISTING, max_values=MAX_LISTING_VALUES
        )

    async def tree_members(self, tree_ids: Sequence[str]) -> dict[str, tuple[TreeMember, ...]]:
        """Return the entries of trees by GraphQL, which reports the bytes of names.

        Without GraphQL there are none.
        """
        found: dict[str, tuple[TreeMember, ...]] = {}
        for start in range(0, len(tree_ids), graphql.AT_MOST):
            some = tree_ids[start : start + graphql.AT_MOST]
            query = graphql.members_query(self.repository, some)
            if not self.requests.has_graphql:
                break
            try:
                answer = await self.requests.retrying(
                    partial(self.requests.query, query, kind="listing")
                )
            except NoGraphQLError:
                break
            found |= graphql.parse_members(answer, some)
        return found

    async def obstacles(self, commit_sha: str, folders: Sequence[str]) -> dict[str, Obstacle]:
        """Return what is in the way of folders that the commit does not have, by one query.

        Without GraphQL nothing is found.
        """
        paths = list(dict.fromkeys(path for folder in folders for path in paths_to(folder)))[
            :_MOST_PATHS
        ]
        if not paths or not self.requests.has_graphql:
            return {}
        query = graphql.obstacles_query(self.repository, commit_sha, paths)
        try:
            answer = await self.requests.retrying(
                lambda: self.requests.query(query, kind="listing")
            )
        except NoGraphQLError:
            return {}
        found = {obstacle.path: obstacle for obstacle in graphql.parse_obstacles(answer, paths)}
        first = {
            folder: next((found[path] for path in paths_to(folder) if path in found), None)
            for folder in folders
        }
        return {folder: obstacle for folder, obstacle in first.items() if obstacle is not None}

    async def blob(self, sha: str, size: int) -> bytes:
        """Return the bytes whose git object id is `sha`, and never those of another id."""
        path = repository_path(self.repository, "git", "blobs", sha)

        async def ask() -> bytes:
            reply = self._found(
                await self.requests.get(path, ACCEPT_RAW, kind="contents", max_bytes=size)
            )
            if blob_id(reply.body) != sha:
                raise GarbledAnswerError("the bytes are not those of the blob asked for")
            return reply.body

        return await self.requests.retrying(ask)

    async def blobs(self, shas: list[str]) -> dict[str, bytes]:
        """Return those blobs that one GraphQL query answers exactly as git holds them; tried once.

        Raises:
            PassingFailureError: the query failed as a whole; half of it may not.
            NoGraphQLError
        """
        query = graphql.contents_query(self.repository, shas)
        return graphql.parse_contents(await self.requests.query(query, kind="contents"), shas)

    async def file_commits(
        self, path: str, commit_sha: str, *, page: int, per_page: int
    ) -> tuple[tuple[CommitInfo, ...], bool]:
        """Return the commits from `commit_sha` backwards that touched a file, newest first.

        Also return whether a further page has more. Pages count from 1 and have at most 100 rows.
        Renames are not followed.

        Raises:
            GitHubActionError: also `commit_not_found`, where the repository is there but not the
                commit.
        """
        query = {"sha": commit_sha, "path": path, "per_page": str(per_page), "page": str(page)}
        url = with_query(repository_path(self.repository, "commits"), query)

        async def ask() -> tuple[tuple[CommitInfo, ...], bool]:
            reply = await self.requests.get(url, kind="history")
            if reply.status == httpx.codes.NOT_FOUND:
                # A missing commit and a missing repository get the same answer; this
                # distinguishes them.
                await self.info()
                raise commit_not_found(self.repository, commit_sha)
            reply = self._accepted(reply)
            return parse_commits(reply.body), has_next_page(reply.headers)

        return await self.requests.retrying(ask)

    def _accepted(self, reply: Reply) -> Reply:
        if reply.status != httpx.codes.OK:
            anonymous = self.requests.credential.is_anonymous
            raise refusal(reply.status, self.repository, with_token=not anonymous)
        return reply

    def _found(self, reply: Reply) -> Reply:
        """Return the answer about an object of a commit that GitHub has just named.

        The object must exist, but replicas of GitHub's may lag behind a push.
        """
        if reply.status in _MISSING:
            raise GarbledAnswerError(f"an object of the commit is not there ({reply.status})")
        return self._accepted(reply)


def _name(ref: Ref | None) -> str:
    """Return the ref's full name for a path: of a short name, a tag comes before a branch."""
    return "HEAD" if ref is None else ref.full


async def _parsed_tree(body: bytes) -> TreeListing:
    """Parse the listing in an answer; other tasks run between its steps."""
    steps = parse_tree(body)
    while True:
        try:
            next(steps)
        except StopIteration as done:
            found: TreeListing = done.value
            return found
        await asyncio.sleep(0)
