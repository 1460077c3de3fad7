"""Reads a repository's branches and the files of one commit, in two or three requests."""

import asyncio
from typing import Final

from benchmark_manager.errors import GitHubUnavailableError
from benchmark_manager.github.protocol import graphql
from benchmark_manager.github.protocol.graphql import RepositoryOverview
from benchmark_manager.github.protocol.listings import TreeListing
from benchmark_manager.github.reading.client import RepositoryClient
from benchmark_manager.github.sending.requests import NoGraphQLError
from benchmark_manager.models.commit import Commit
from benchmark_manager.models.project import Ref

#: Branches that are reported, the most of one answer.
MOST_BRANCHES: Final = 100


async def read_overview(
    client: RepositoryClient, ref: Ref | None
) -> tuple[RepositoryOverview, TreeListing]:
    """Read the branches and the recursive listing of `ref` (None: of the default branch).

    The listing may be truncated. With a token that is one GraphQL query and one listing; without
    one it is three requests of the REST API at once, and of a commit one more.

    Raises:
        GitHubError: also `branch_not_found` and the like.
    """
    found = await _by_graphql(client, ref) if client.requests.has_graphql else None
    if found is not None and found.commit is not None:
        return found, await client.tree(found.commit.known_tree_sha, recursive=True)
    info_asked = asyncio.create_task(client.info())
    if not client.requests.credential.is_anonymous:
        # GraphQL did not answer: if the token is wrong, many requests with it look like an
        # attack.
        await info_asked
    asked = (
        info_asked,
        asyncio.create_task(client.branches(MOST_BRANCHES)),
        asyncio.create_task(client.tree_of_ref(ref)),
        asyncio.create_task(_checked_commit(client, ref)),
    )
    try:
        # In this order: a missing repository is the reason why its branches are missing.
        info = await asked[0]
        branches, more = await asked[1]
        commit = await asked[3]
        tree = await asked[2]
    finally:
        for task in asked:
            task.cancel()
        await asyncio.gather(*asked, return_exceptions=True)
    return RepositoryOverview(info.default_branch, commit, branches, more), tree


async def _checked_commit(client: RepositoryClient, ref: Ref | None) -> Commit | None:
    """Return the commit that a ref names by id: a listing accepts a tag's or tree's id as well."""
    return await client.head_commit(ref) if ref is not None and ref.kind == "commit" else None


async def _by_graphql(client: RepositoryClient, ref: Ref | None) -> RepositoryOverview | None:
    """Return the branches and the ref's commit; None where REST has to answer."""
    query = graphql.overview_query(client.repository, graphql.head_revision(ref), MOST_BRANCHES)

    async def ask() -> RepositoryOverview | None:
        return graphql.parse_overview(await client.requests.query(query, kind="identity"))

    try:
        found = await client.requests.retrying(ask)
    except (NoGraphQLError, GitHubUnavailableError):
        return None
    if ref is None or ref.kind != "commit" or found is None:
        return found
    return found if found.commit is not None and found.commit.sha == ref.name else None
