"""A service that tests share, put back as it was behind each of them, with its GitHub."""

import shutil
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from github_test_server import GitHubTestServer
from support.service import Service
from support.unchanged_database import unchanged

#: The heads of a repository's branches, by repository and branch.
_Heads = dict[str, dict[str, str]]


@asynccontextmanager
async def unchanged_service(service: Service) -> AsyncIterator[Service]:
    """Put back every document and branch that the block changes, deletes or adds."""
    before = _heads(service.github)
    async with unchanged(service.services.database):
        yield service
    _put_back(service.github, before)
    service.github.reset()
    # A limit that GitHub has forgotten would still hold up the tests that follow.
    service.services.connection.forget()
    service.http.cookies.clear()


def _heads(github: GitHubTestServer) -> _Heads:
    return {
        hosted.full_name: dict(hosted.repository.branches())
        for hosted in github.hosting.repositories()
    }


def _put_back(github: GitHubTestServer, before: _Heads) -> None:
    for name, heads in _heads(github).items():
        repository = github.hosting[name].repository
        if name not in before:
            github.hosting.remove(name)
            repository.close()
            shutil.rmtree(repository.path)
            continue
        for branch in heads.keys() - before[name].keys():
            repository.delete_branch(branch)
        for branch, head in before[name].items():
            if heads.get(branch) != head:
                repository.reset_branch(branch, head)
