"""How many requests are under way at once, and over how many connections."""

import asyncio
import contextlib
from collections.abc import AsyncIterator

from benchmark_manager.domain.git.objects import blob_id
from benchmark_manager.github.reading.contents import MemoryBudget, fetch_blobs
from benchmark_manager.github.sending.governor import CONCURRENCY
from github_test_server import (
    Repository,
)
from support.hub import Hub
from support.small_repository import TOKEN
from support.waiting import eventually


async def many_blobs(repository: Repository, count: int) -> list[tuple[str, int]]:
    contents = [f"n: {number}\n".encode() for number in range(count)]
    repository.commit({f"config/{number}.yaml": content for number, content in enumerate(contents)})
    return [(blob_id(content), len(content)) for content in contents]


async def under_way(hub: Hub, count: int) -> None:
    """Wait until a server that answers nothing was asked so often."""
    await eventually(lambda: len(hub.server.requests) >= count, "too few requests are sent")


async def test_a_credential_has_at_most_20_requests_under_way(
    own_hub: Hub, repository: Repository
) -> None:
    blobs = await many_blobs(repository, 60)
    own_hub.server.hosting.add_token(TOKEN)
    # Clients of two repositories share their credential's slots.
    clients = [own_hub.repository(TOKEN), own_hub.repository(TOKEN)]
    with own_hub.server.held():
        crowd = [
            asyncio.create_task(clients[n % 2].blob(*wanted)) for n, wanted in enumerate(blobs)
        ]
        await under_way(own_hub, CONCURRENCY)
    await asyncio.gather(*crowd)
    assert own_hub.server.requests.most_at_once == CONCURRENCY == 20


async def test_another_credential_has_slots_of_its_own(
    own_hub: Hub, repository: Repository
) -> None:
    blobs = await many_blobs(repository, 30)
    own_hub.server.hosting.add_token(TOKEN)
    with own_hub.server.held():
        crowd = [asyncio.create_task(own_hub.repository(TOKEN).blob(*wanted)) for wanted in blobs]
        await under_way(own_hub, CONCURRENCY)
        other = asyncio.create_task(own_hub.repository().blob(*blobs[0]))
        await under_way(own_hub, CONCURRENCY + 1)
    assert await other is not None
    await asyncio.gather(*crowd)
    assert own_hub.server.requests.most_at_once == CONCURRENCY + 1


@contextlib.asynccontextmanager
async def forwarder(port: int) -> AsyncIterator[tuple[str, list[int]]]:
    """An address that leads to the port, and a list which grows with each connection."""
    connections: list[int] = []
    pumps: set[asyncio.Task[None]] = set()

    async def pump(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            while data := await reader.read(65536):
                writer.write(data)
        finally:
            writer.close()

    async def accept(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        connections.append(port)
        back_reader, back_writer = await asyncio.open_connection("127.0.0.1", port)
        for pair in ((reader, back_writer), (back_reader, writer)):
            pumps.add(asyncio.create_task(pump(*pair)))

    server = await asyncio.start_server(accept, "127.0.0.1", 0)
    async with server:
        yield f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}", connections
        for task in pumps:
            task.cancel()
        await asyncio.gather(*pumps, return_exceptions=True)


async def test_connections_are_reused(hub: Hub, repository: Repository) -> None:
    blobs = await many_blobs(repository, 100)
    hub.server.hosting.add_token(TOKEN)
    async with forwarder(hub.server.port) as (url, connections):
        client = hub.repository(TOKEN, api_url=url)
        client.requests.connection.learn_no_graphql(client.requests.credential)
        assert (
            sum([len(found) async for found in fetch_blobs(client, blobs, MemoryBudget())]) == 100
        )
        assert await client.head(None, None) is not None
        assert client.usage.requests == 101
        assert 1 <= len(connections) <= 16
