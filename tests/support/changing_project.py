"""A project that changes while a test does something else with its database."""

import asyncio
import itertools
import re
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from github_test_server import Repository
from support.service import Json, Service

_FILES = 15
_VARIANTS = 4


class ChangingProject:
    """Fifteen files that each commit changes alike, and four variants that are saved often.

    `saved` has the number which the last answered request wrote into a variant, by its id.
    """

    def __init__(self, service: Service, repository: Repository, project_id: str) -> None:
        self.id = project_id
        self.path = f"/projects/{project_id}"
        self.saved: dict[str, int] = {}
        self._service = service
        self._repository = repository
        self._busy = asyncio.Event()
        self._stop = asyncio.Event()

    @asynccontextmanager
    async def changing(self) -> AsyncIterator[None]:
        """Save and sync until the block ends; it begins once each variant was saved twice."""
        changes = [asyncio.create_task(self._save(file_id)) for file_id in self.saved]
        changes.append(asyncio.create_task(self._sync()))
        await self._busy.wait()
        try:
            yield
        finally:
            self._stop.set()
            await asyncio.gather(*changes)

    async def _save(self, file_id: str) -> None:
        for number in itertools.count(1):
            content = f"saved: {number}\n"
            await self._service.put(f"/modified-files/{file_id}", {"content": content})
            self.saved[file_id] = number
            if min(self.saved.values()) >= 2:
                self._busy.set()
            if self._stop.is_set():
                return
            await asyncio.sleep(0.05)

    async def _sync(self) -> None:
        for version in (1, 2):
            self._repository.commit(dict(_files(version)), message="next")
            await self._service.sync(self.id)


async def changing_project(service: Service) -> ChangingProject:
    """Make the project, in its first version."""
    repository = service.repository("acme/b", _files(0))
    project = ChangingProject(service, repository, (await service.synced("acme/b"))["id"])
    originals = await service.files(project.id)
    for number in range(_VARIANTS):
        original = originals[f"config/{number}.yaml"]
        row = await service.variant(project.id, original, modified_name=f"mine-{number}.yaml")
        project.saved[row["id"]] = 0
    return project


def saved_number(variant: Json) -> int:
    """Return the number which a save wrote into a variant."""
    found = re.fullmatch(r"saved: (\d+)\n", variant["content"])
    assert found is not None
    return int(found[1])


def _files(version: int) -> dict[str, bytes]:
    return {f"config/{number}.yaml": b"version: %d\n" % version for number in range(_FILES)}
