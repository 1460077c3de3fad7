"""Results of a swept project, uploaded in the plain form."""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from support.service import Json
from support.swept import SweptProject

#: As many repeats as a verdict needs.
LOW = (10.0, 11.0, 12.0, 13.0)


@dataclass(frozen=True)
class Measured:
    """A swept project whose releases have results."""

    swept: SweptProject

    async def upload(
        self, release: str, metrics: Mapping[str, object], point: str = "", **labels: str
    ) -> str:
        """Upload a result with one point; return its id."""
        return await self.upload_file(
            release, json.dumps({"points": [{"point": point, "metrics": metrics}]}), **labels
        )

    async def upload_file(self, release: str, text: str, **labels: str) -> str:
        """Upload a result of these bytes; return its id."""
        answer = await self.swept.service.http.post(
            "/results",
            params={"release": release, "labels": json.dumps(labels), "file_name": "plain.json"},
            content=text.encode(),
            headers={"Content-Type": "application/octet-stream"},
        )
        assert answer.status_code == 201, answer.text
        found: str = answer.json()["id"]
        return found

    async def repeats(
        self, release: str, values: Sequence[float], name: str = "ttft_p99", **labels: str
    ) -> list[str]:
        """Upload a result for each of these values of a metric."""
        return [await self.upload(release, {name: value}, **labels) for value in values]

    async def release(self, name: str, files: Mapping[str, bytes | None]) -> str:
        """Sync these files, and make a release of them; return its digest."""
        await self.swept.upstream(dict(files))
        return await self.released(name)

    async def released(self, name: str) -> str:
        """Make a release of the project's files; return its digest."""
        body = {"name": name}
        made = await self.swept.service.post(f"{self.swept.home}/releases", body, 201)
        digest: str = made["digest"]
        return digest

    async def table(self, **params: Any) -> Json:
        """Return a table."""
        return await self.swept.service.get(f"{self.swept.home}/results/table", **params)
