"""Repositories in which a file has a history, and what is read of it from GitHub."""

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Final

from github_test_server import RecordedRequest, Repository
from support.service import Json, Service

NAME: Final = "acme/bench"
PATH: Final = "config/a.yaml"
BEGIN: Final = datetime(2026, 1, 1, tzinfo=UTC)


@dataclass(frozen=True)
class FileHistory:
    """A synced project, and a file's history."""

    repository: Repository
    project: Json
    #: The address of the history.
    path: str
    #: The commits which touched the file, oldest first.
    ids: list[str]


def commit(repository: Repository, *numbers: int, path: str = PATH) -> list[str]:
    """Commits which touch the file, an hour apart; their ids."""
    return [
        repository.commit(
            {path: f"n: {n}\n".encode()},
            message=f"Step {n}\n\nBecause of größe {n}.",
            date=BEGIN + timedelta(hours=n),
            author=(f"Ada {n}", "ada@example.com"),
        )
        for n in numbers
    ]


async def begun(service: Service, commits: int = 3, name: str = NAME) -> FileHistory:
    """Sync a project with so many commits which touch a file, and one which touches another."""
    repository = service.repository(name)
    ids = commit(repository, *range(commits))
    repository.commit({"config/other.yaml": b"other: 1\n"}, message="elsewhere")
    project = await service.synced(name)
    return FileHistory(repository, project, await address(service, project), ids)


async def address(service: Service, project: Json, path: str = PATH) -> str:
    """The address of a file's history."""
    file = (await service.files(project["id"], include_removed=True))[path]
    return f"/projects/{project['id']}/files/{file['id']}/history"


def requests_for_history(service: Service, name: str = NAME) -> list[RecordedRequest]:
    """The requests that were sent to GitHub for histories of a repository's files."""
    return [
        request
        for request in service.github.requests.select(rf"/{name}/commits$")
        if "path=" in request.query
    ]
