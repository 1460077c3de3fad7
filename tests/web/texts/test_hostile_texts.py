"""Hostile texts through every route get an answer in time, and block no other request.

The fixture `service` checks in every test that no request blocks the event loop.
"""

import pytest

from support.hostile.text import HostileText, sides
from support.hostile_texts import HOSTILE
from support.service import Json, Service

SIZE = 150_000
#: Every twelfth, so that all sorts are among them; `benchmarks/hostile_texts.py` measures all.
SOME = HOSTILE[::12]
SMALL = {"yaml": b"a: 1\n", "json": b'{"a": 1}\n'}


async def variant_of(service: Service, hostile: HostileText, base: bytes) -> tuple[Json, Json]:
    path = f"config/a.{hostile.format}"
    repository = service.repository("acme/hostile", {path: base})
    project = await service.synced("acme/hostile")
    [original] = (await service.files(project["id"])).values()
    variant = await service.variant(project["id"], original)
    _, theirs, mine = sides(hostile.make(SIZE))
    await service.put(f"/modified-files/{variant['id']}?allow_invalid=true", {"content": mine})
    repository.commit({path: theirs.encode("utf-8", "surrogatepass")}, message="upstream moves")
    return project, variant


@pytest.mark.parametrize("hostile", SOME, ids=lambda hostile: hostile.name)
async def test_a_hostile_text_is_saved_compared_merged_and_shown(
    service: Service, hostile: HostileText
) -> None:
    base = sides(hostile.make(SIZE))[0].encode("utf-8", "surrogatepass")
    project, variant = await variant_of(service, hostile, base)
    await service.http.post(f"/projects/{project['id']}/sync")
    file, address = (
        f"/projects/{project['id']}/files/{variant['original_file_id']}",
        f"/modified-files/{variant['id']}",
    )
    ways = [
        f"{address}/diff?format=json",
        f"{address}/merge",
        f"{file}/variants",
        f"/ui{address}",
        f"/ui{address}/compare",
    ]
    ways += [f"/ui{address}/merge", f"/ui{file}", f"/ui{file}/variants"]
    statuses = {way: (await service.http.get(way)).status_code for way in ways}
    assert set(statuses.values()) <= {200, 422}, statuses
