"""Projects that read a branch, tag or commit of a small repository."""

from typing import Any, Final

from github_test_server import Repository
from support.service import Json, Service

FIRST: Final = {
    "config/a.yaml": b"a: 1\n",
    "job/run.yaml": b"kind: Job\n",
    "README.md": b"x\n",
}
TAG: Final = {"kind": "tag", "name": "v1"}


def head(repository: Repository, name: str = "HEAD") -> str:
    """Return the id of the commit that a name of the repository means."""
    found = repository.find_commit(name)
    assert found is not None
    return found.sha


async def refused(service: Service, **fields: Any) -> Json:
    """Return the problem with which the creation of a project is refused."""
    body = {"name": "refused", "github_repo_url": "acme/bench", **fields}
    answer = await service.http.post("/projects", json=body)
    assert answer.status_code == 422, answer.text
    problem: Json = answer.json()
    return problem
