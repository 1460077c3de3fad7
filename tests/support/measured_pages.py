"""Results of a sweep, and the pages that show them."""

import json
from collections.abc import Mapping
from dataclasses import dataclass

from support.service import Api, Json

#: Time to the first token of each repeat, by the index of the cell; the third was not measured.
MEASURED = {
    0: (30.0, 31.0, 32.0, 33.0),
    1: (20.0, 21.0, 22.0, 23.0),
    3: (40.0,),
}


def plain(ttft: float, **others: float) -> bytes:
    """Return a file in the plain form."""
    metrics: Mapping[str, object] = {
        "ttft_p99": {"value": ttft, "unit": "ms"},
        "output_throughput": {"value": 10_000 / ttft, "unit": "tok/s"},
        "failed": 0,
        **others,
    }
    return json.dumps({"metrics": metrics}).encode()


async def upload(service: Api, release: str, data: bytes, **query: str) -> Json:
    """Upload a result of a release."""
    answer = await service.http.post(
        "/results",
        params={"release": release, "file_name": "run.json", **query},
        content=data,
        headers={"Content-Type": "application/octet-stream"},
    )
    assert answer.status_code == 201, answer.text
    made: Json = answer.json()
    return made


@dataclass(frozen=True, slots=True)
class MeasuredPages:
    """The project, its sweep, the digests of its cells, and the ids of results by cell."""

    project: str
    sweep: str
    cells: list[str]
    results: dict[int, list[str]]

    @property
    def home(self) -> str:
        return f"/ui/projects/{self.project}/results"
