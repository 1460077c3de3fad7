"""Hostile texts through every route get an answer in time, and block no other request.

The fixture `module_service` checks in every test that no request blocks the event loop.
"""

from collections.abc import Awaitable
from dataclasses import dataclass

import pytest
import pytest_asyncio

from support.hostile.text import HostileText, sides
from support.hostile_texts import HOSTILE
from support.loop_calls import LoopCalls
from support.service import Service

SIZE = 8_000
#: Every twelfth, so that all sorts are among them; `benchmarks/hostile_texts.py` measures all.
SOME = HOSTILE[::12]
#: The size of those that a limit makes cheaper than they are at a tenth of it.
BEYOND_LIMITS = 150_000
LIMITED = ("yaml: many %TAG lines", "yaml: aliases", "yaml: NUL", "yaml: mappings", "json: whole")
#: A text for which, at its size, every operation makes over 200,000 calls, and most a million.
COUNTED = "yaml: line separators"
COUNTED_SIZE = 25_000
#: More than any request makes; drawing the page of a file makes 90,000.
MOST_CALLS = 140_000


@dataclass(frozen=True, slots=True)
class Saved:
    """A variant whose original has changed; `mine` is its text."""

    project: str
    path: str
    file: str
    address: str
    mine: str


def texts_of(hostile: HostileText) -> tuple[str, str, str]:
    if hostile.name == COUNTED:
        return sides(hostile.make(COUNTED_SIZE))
    return sides(hostile.make(BEYOND_LIMITS if hostile.name.startswith(LIMITED) else SIZE))


def encoded(text: str) -> bytes:
    return text.encode("utf-8", "surrogatepass")


@pytest_asyncio.fixture(scope="module", loop_scope="session")
async def saved(module_service: Service) -> dict[str, Saved]:
    """A saved text of each name, whose upstream text has moved."""
    service = module_service
    paths = {each.name: f"config/{n}.{each.format}" for n, each in enumerate(SOME)}
    texts = {paths[each.name]: texts_of(each) for each in SOME}
    base = {path: encoded(text) for path, (text, _, _) in texts.items()}
    repository = service.repository("acme/hostile", base)
    project = (await service.synced("acme/hostile"))["id"]
    files = await service.files(project)
    variants = {path: await service.variant(project, file) for path, file in files.items()}
    for path, (_, _, mine) in texts.items():
        address = f"/modified-files/{variants[path]['id']}?allow_invalid=true"
        await service.put(address, {"content": mine})
    moved = {path: encoded(theirs) for path, (_, theirs, _) in texts.items()}
    repository.commit(moved, message="upstream moves")
    await service.sync(project)
    return {
        name: Saved(
            project,
            path,
            f"/projects/{project}/files/{files[path]['id']}",
            f"/modified-files/{variants[path]['id']}",
            texts[path][2],
        )
        for name, path in paths.items()
    }


def ways(text: Saved) -> list[str]:
    """Return the addresses at which something reads the text."""
    return [
        f"{text.address}/diff?format=json",
        f"{text.address}/merge",
        f"{text.file}/variants",
        f"/ui{text.address}",
        f"/ui{text.address}/compare",
        f"/ui{text.address}/merge",
        f"/ui{text.file}",
        f"/ui{text.file}/variants",
    ]


@pytest.mark.parametrize("name", [hostile.name for hostile in SOME])
async def test_a_hostile_text_is_saved_compared_merged_and_shown(
    module_service: Service, saved: dict[str, Saved], name: str
) -> None:
    statuses = {way: (await module_service.http.get(way)).status_code for way in ways(saved[name])}
    assert set(statuses.values()) <= {200, 422}, statuses


async def calls_of(request: Awaitable[object]) -> int:
    with LoopCalls() as calls:
        await request
    return calls.count


async def test_no_request_works_on_a_text_in_the_event_loop(
    module_service: Service, saved: dict[str, Saved]
) -> None:
    service, text = module_service, saved[COUNTED]
    counts = {way: await calls_of(service.http.get(way)) for way in ways(text)}
    body = {"content": f"{text.mine}# another end\n"}
    counts["save"] = await calls_of(service.put(text.address, body))
    service.github.hosting["acme/hostile"].repository.commit(
        {text.path: encoded(text.mine)}, message="upstream moves again"
    )
    counts["sync"] = await calls_of(service.http.post(f"/projects/{text.project}/sync"))
    assert {way: count for way, count in counts.items() if count > MOST_CALLS} == {}
