"""A synced project with a release, and results that are uploaded for it."""

import json
from dataclasses import dataclass
from typing import Any, Final

import httpx2 as httpx

from support.service import Json, Service

NAME: Final = "acme/released"
FILES: Final = {"config/a.yaml": b"a: 1\n", "config/b.yaml": b"b: 1\n"}
PLAIN: Final = b'{"metrics": {"ttft_p99": 12.5, "output_throughput": 900}}'


@dataclass(frozen=True)
class ReleasedProject:
    """A synced project with a release."""

    service: Service
    id: str
    digest: str

    @property
    def home(self) -> str:
        return f"/projects/{self.id}"

    async def upload(self, data: bytes = PLAIN, **query: Any) -> httpx.Response:
        """Send a result as the whole body."""
        params = {"release": self.digest, **query}
        return await self.service.http.post("/results", params=params, content=data)

    async def form(
        self, data: bytes = PLAIN, name: str = "a.json", **fields: Any
    ) -> httpx.Response:
        """Send a result as a form."""
        return await self.service.http.post(
            "/results", data={"release": self.digest, **fields}, files={"file": (name, data)}
        )

    async def result(self, data: bytes = PLAIN, **query: Any) -> Json:
        """Upload a result that is new; labels may be an object."""
        if isinstance(query.get("labels"), dict):
            query["labels"] = json.dumps(query["labels"])
        answer = await self.upload(data, **query)
        assert answer.status_code == 201, answer.text
        found: Json = answer.json()
        return found

    async def listed(self, **params: Any) -> list[str]:
        """Return the ids of the results that pass filters."""
        return [row["id"] for row in await self.service.rows(f"{self.home}/results", **params)]

    async def other_release(self) -> str:
        """Make a release of other files."""
        body = {"include": "modified", "modified_file_ids": [await self._variant()]}
        digest: str = (await self.service.post(f"{self.home}/releases", body, 201))["digest"]
        return digest

    async def _variant(self) -> str:
        original = (await self.service.files(self.id))["config/a.yaml"]
        variant = await self.service.variant(self.id, original, content="a: 2\n")
        return str(variant["id"])


async def released_project(service: Service) -> ReleasedProject:
    """Return a new project."""
    service.repository(NAME, FILES)
    project = await service.synced(NAME)
    release = await service.post(f"/projects/{project['id']}/releases", {}, 201)
    return ReleasedProject(service, project["id"], release["digest"])
