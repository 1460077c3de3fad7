"""githubkit's typed models, generated from GitHub's own description, accept every answer."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest
from githubkit_schemas.latest import models
from pydantic import BaseModel, TypeAdapter

from github_test_server import Entry, GitHubTestServer, Repository

if TYPE_CHECKING:
    import httpx2

DEMO = "/repos/octo/demo"


@pytest.fixture(autouse=True)
def history(repository: Repository, server: GitHubTestServer) -> str:
    """A second commit with a rename, an executable, a symlink and a submodule; returns its sha."""
    server.hosting.add_token("secret")
    sha = repository.commit(
        {"README.md": None, "READ.me": b"# Demo\n", "run": Entry.executable(b"#!/bin/sh\n")}
    )
    return repository.commit({"link": Entry.symlink("READ.me"), "module": Entry.submodule(sha)})


@pytest.mark.parametrize(
    ("path", "model"),
    [
        ("/rate_limit", models.RateLimitOverview),
        ("/user", models.PublicUser),
        (DEMO, models.FullRepository),
        (f"{DEMO}/commits/main", models.Commit),
        (f"{DEMO}/commits/main~", models.ValidationError),
        (f"{DEMO}/commits", list[models.Commit]),
        (f"{DEMO}/git/commits/{{commit}}", models.GitCommit),
        (f"{DEMO}/git/trees/main", models.GitTree),
        (f"{DEMO}/git/trees/main?recursive=1", models.GitTree),
        (f"{DEMO}/git/blobs/{{blob}}", models.Blob),
        (f"{DEMO}/git/ref/heads/main", models.GitRef),
        (f"{DEMO}/branches", list[models.ShortBranch]),
        (f"{DEMO}/branches/main", models.BranchWithProtection),
        (f"{DEMO}/contents/READ.me", models.ContentFile),
        (f"{DEMO}/contents/link", models.ContentSymlink),
        (f"{DEMO}/contents/module", models.ContentSubmodule),
        (f"{DEMO}/contents", list[models.ContentDirectoryItems]),
        (f"{DEMO}/nothing", models.BasicError),
    ],
)
async def test_a_typed_model_accepts_the_answer(
    client: httpx2.AsyncClient,
    repository: Repository,
    history: str,
    path: str,
    model: type[BaseModel],
) -> None:
    tree = repository.find_tree(history)
    assert tree is not None
    entry = repository.find_entry(tree, b"run")
    assert entry is not None
    answer = await client.get(
        path.format(commit=history, blob=entry.sha), headers={"Authorization": "Bearer secret"}
    )
    parsed: Any = TypeAdapter(model).validate_python(answer.json())
    assert parsed
