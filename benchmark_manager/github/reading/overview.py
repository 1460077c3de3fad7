"""A repository at a glance: its branches, and all that one commit holds, in two or three requests."""

import asyncio
from dataclasses import dataclass
from typing import Final

from benchmark_manager.errors import GitHubUnavailableError
from benchmark_manager.github.protocol import graphql
from benchmark_manager.github.protocol.rest import Tree
from benchmark_manager.github.reading.client import RepositoryClient
from benchmark_manager.github.sending.requests import NoGraphQLError
from benchmark_manager.models.project import Ref

#: Branches that are told, the most of one answer.
MOST_BRANCHES: Final = 100


@dataclass(frozen=True, slots=True)
class Overview:
    """The first branches by name, and the commit of the ref that was asked for; None where it was not told."""

    default_branch: str | None
    commit_sha: str | None
    branches: tuple[str, ...]
    more_branches: bool


async def read_overview(client: RepositoryClient, ref: Ref | None) -> tuple[Overview, Tree]:
    """Read the branches and the recursive listing of `ref` (None: of the default branch), which may be truncated.

    With a token that is one GraphQL query and one listing. Without one it is three requests of the
    REST API at once, and of a commit one more.

    Raises:
        GitHubError: also `branch_not_found` and the like.
    """
    told = await _by_graphql(client, ref) if client.requests.has_graphql else None
    if told is not None:
        overview, root_tree = told
        return overview, await client.tree(root_tree, recursive=True)
    info_asked = asyncio.create_task(client.info())
    if not client.requests.credential.is_anonymous:
        # GraphQL did not tell: where the token is wrong, more requests with it look like an attack.
        await info_asked
    asked = (
        info_asked,
        asyncio.create_task(client.branches(MOST_BRANCHES)),
        asyncio.create_task(client.tree_of_ref(ref)),
        asyncio.create_task(_checked_commit(client, ref)),
    )
    try:
        # In this order: a repository which is not there explains why its branches are not.
        info = await asked[0]
        branches, more = await asked[1]
        commit_sha = await asked[3]
        tree = await asked[2]
    finally:
        for task in asked:
            task.cancel()
        await asyncio.gather(*asked, return_exceptions=True)
    return Overview(info.default_branch, commit_sha, branches, more), tree


async def _checked_commit(client: RepositoryClient, ref: Ref | None) -> str | None:
    """The id that a commit was declared by, if it is a commit's: a listing is had by a tag's or a tree's id too."""
    return (await client.head_commit(ref)).sha if ref is not None and ref.kind == "commit" else None


async def _by_graphql(client: RepositoryClient, ref: Ref | None) -> tuple[Overview, str] | None:
    """The branches, and the id of the ref's tree; None where REST has to tell, or knows better what is wrong."""
    query = graphql.overview_query(client.repository, graphql.head_revision(ref), MOST_BRANCHES)

    async def ask() -> graphql.RepositoryOverview | None:
        return graphql.parse_overview(await client.requests.query(query, kind="identity"))

    try:
        found = await client.requests.retrying(ask)
    except (NoGraphQLError, GitHubUnavailableError):
        return None
    if found is None or (ref is not None and ref.kind == "commit" and found.commit_sha != ref.name):
        return None
    overview = Overview(found.default_branch, found.commit_sha, found.branches, found.more_branches)
    return overview, found.root_tree_sha
