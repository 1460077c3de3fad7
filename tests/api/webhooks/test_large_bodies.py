"""How large bodies of deliveries may be, and clients that send them slowly or leave."""

import asyncio
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest

from benchmark_manager.factory import Externals, ServiceLimits
from github_test_server import GitHubTestServer
from support.hooked import (
    HookedService,
    assert_refused,
    documents,
    hooked_service,
    polled_project,
    push_to,
    queued,
)
from support.problems import assert_problem
from support.service import Json, Service
from support.webhooks import FORM, PATH, encoded, headers

MIB = 1024 * 1024
LIMIT = 25 * MIB


@pytest.mark.parametrize("is_signed", [True, False], ids=["signed", "forged"])
async def test_a_body_over_25_mib_is_a_413(shared: HookedService, is_signed: bool) -> None:
    body = b" " * (LIMIT + 1)
    sent = headers(body if is_signed else b"")
    document = await assert_refused(shared.service, body, sent, 413, "body_too_large")
    assert "25 MiB" in document["detail"]


@pytest.mark.parametrize("is_signed", [True, False], ids=["signed", "forged"])
async def test_a_body_over_25_mib_is_a_413_without_its_length(
    shared: HookedService, is_signed: bool
) -> None:
    async def pieces() -> AsyncIterator[bytes]:
        for _ in range(26):
            yield b" " * MIB

    before = await documents(shared.service)
    sent = headers(b" " * 26 * MIB if is_signed else b"")
    answer = await shared.service.http.post(PATH, content=pieces(), headers=sent)
    assert "25 MiB" in assert_problem(answer, 413, "body_too_large")["detail"]
    assert await documents(shared.service) == before


async def test_a_body_of_25_mib_is_read(hooked: Service, project: Json) -> None:
    body = encoded(push_to(project, hooked)).ljust(LIMIT)
    answer = await hooked.http.post(PATH, content=body, headers=headers(body))
    assert answer.json()["projects"] == [project["id"]]


async def test_other_routes_still_take_4_mib(shared: HookedService) -> None:
    answer = await shared.service.http.post(
        "/projects", content=b" " * (4 * MIB + 1), headers={"Content-Type": "application/json"}
    )
    assert "4 MiB" in assert_problem(answer, 413, "body_too_large")["detail"]


async def test_other_routes_still_take_json_alone(shared: HookedService) -> None:
    answer = await shared.service.http.post(
        "/projects", content=b"a=1", headers={"Content-Type": FORM}
    )
    assert_problem(answer, 415, "unsupported_media_type")


async def test_large_bodies_wait_for_a_slot_and_small_ones_do_not(
    database_url: str, github: GitHubTestServer, tmp_path: Path, files: dict[str, bytes]
) -> None:
    """Four large bodies without an end use all slots: a fifth is refused, a push is received."""
    externals = Externals(limits=ServiceLimits(webhook_seconds=2.0), wake=lambda _: None)
    async with hooked_service(database_url, github, tmp_path, externals) as hooked:
        await large_bodies_wait(hooked, await polled_project(hooked, files))


async def large_bodies_wait(hooked: Service, project: Json) -> None:
    taken = asyncio.Semaphore(0)

    async def endless() -> AsyncIterator[bytes]:
        yield b" " * (2 * MIB)
        taken.release()
        await asyncio.sleep(60)

    slow = [
        asyncio.create_task(hooked.http.post(PATH, content=endless(), headers=headers(b"")))
        for _ in range(5)
    ]
    for _ in range(4):
        await taken.acquire()
    assert await queued(hooked, push_to(project, hooked)) == [project["id"]]
    assert taken.locked()
    answers = await asyncio.gather(*slow)
    problems = [assert_problem(answer, 503, "service_busy") for answer in answers]
    assert len(problems) == 5
    assert [answer.headers["retry-after"] for answer in answers] == ["10"] * 5
    # The slots are free again.
    body = encoded(push_to(project, hooked)).ljust(2 * MIB)
    assert (await hooked.http.post(PATH, content=body, headers=headers(body))).status_code == 202


async def test_a_client_that_leaves_in_the_middle_is_no_fault(
    shared: HookedService, caplog: pytest.LogCaptureFixture
) -> None:
    sent: list[Any] = []

    async def send(message: Any) -> None:
        sent.append(message)

    messages = iter(
        [{"type": "http.request", "body": b"{", "more_body": True}, {"type": "http.disconnect"}]
    )

    async def receive() -> Any:
        return next(messages)

    scope = {
        "type": "http", "method": "POST", "path": PATH, "raw_path": PATH.encode(),
        "query_string": b"", "headers": [],
        "scheme": "http", "server": ("service.test", 80), "client": ("127.0.0.1", 1),
        "root_path": "",
        "http_version": "1.1", "asgi": {"version": "3.0"},
    }  # fmt: skip
    await shared.service.app(scope, receive, send)
    assert sent[0]["status"] == 400
    assert "unexpectedly" not in caplog.text
