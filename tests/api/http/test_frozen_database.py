"""A database that accepts connections and answers nothing: every request gets an answer."""

import asyncio
import re
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
import pytest_asyncio
from fastapi.routing import APIRoute

from benchmark_manager.stores.database.database import Database
from benchmark_manager.stores.database.starting import start as start_database
from benchmark_manager.stores.database.watch import DatabaseWatch
from github_test_server import GitHubTestServer
from support.databases import fresh_database
from support.mongod import ReplicaSet, find_mongod, frozen
from support.service import running_service
from support.site import all_routes
from support.stopwatch import Stopwatch
from support.waiting import eventually

pytestmark = pytest.mark.skipif(find_mongod() is None, reason="there is no mongod on this machine")

#: What an answer may take, seconds, and what the test's own process may add to it on a busy
#: machine.
ANSWER, BUSY = 5.0, 1.0
SOME_ID = "0123456789abcdef01234567"


@pytest_asyncio.fixture(scope="module", loop_scope="session")
async def replica_set(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[ReplicaSet]:
    """One for this module, which may be frozen."""
    async with await ReplicaSet.start(tmp_path_factory.mktemp("mongod")) as started:
        yield started


# PyMongo leaves a socket to the garbage collector where it is interrupted while it connects.
@pytest.mark.filterwarnings("ignore:unclosed <socket:ResourceWarning")
async def test_every_route_and_page_answers_within_five_seconds_and_the_service_recovers(
    replica_set: ReplicaSet, github: GitHubTestServer, tmp_path: Path
) -> None:
    async with (
        fresh_database(replica_set.url, "frozen") as url,
        running_service(url, github, tmp_path) as service,
    ):
        service.repository("acme/b", {"config/a.yaml": b"a: 1\n"})
        project = await service.synced("acme/b")
        routes = all_routes(service)
        requests = {
            (method, _path(route, project["id"]))
            for route in routes
            for method in route.methods or ()
        }

        async def ask(method: str, path: str) -> tuple[str, int, float]:
            begin = watch.seconds
            answer = await service.http.request(
                method, path, headers={"Accept": "text/html, application/json"}
            )
            return f"{method} {path}", answer.status_code, watch.seconds - begin

        with frozen(replica_set), Stopwatch() as watch:
            asking: list[asyncio.Task[tuple[str, int, float]]] = []
            for method, path in requests:
                asking.append(asyncio.create_task(ask(method, path)))
                await asyncio.sleep(0.01)  # all at once they would keep the loop to themselves
            answers = await asyncio.gather(*asking)
            # One that comes during the silence waits less.
            name, status, seconds = await ask("GET", f"/projects/{project['id']}")
            assert (status, seconds < ANSWER / 2 + BUSY) == (503, True), name
        assert [answer for answer in answers if answer[2] > ANSWER + BUSY] == []
        assert {status for _, status, _ in answers if status >= 500} == {503}
        unavailable = {name.split("?")[0] for name, status, _ in answers if status == 503}
        assert {"GET /health", "GET /projects", "GET /status", "GET /ui/status"} <= unavailable
        assert len([name for name in unavailable if " /ui/" in name]) > 20

        async def is_well() -> bool:
            return (await service.http.get(f"/projects/{project['id']}")).is_success

        await eventually(is_well, "the service does not recover")
        assert (await service.sync(project["id"]))["status"] == "unchanged"


def _path(route: APIRoute, project_id: str) -> str:
    path = route.path.replace("{project_id}", project_id)
    return re.sub(r"\{\w+(:\w+)?\}", SOME_ID, path)


async def test_a_database_that_takes_long_over_one_answer_is_not_silent(
    replica_set: ReplicaSet,
) -> None:
    """A sync's large transaction may take longer than the silence that ends requests."""
    database = Database(replica_set.url, "app", "mongodb")
    await start_database(database)
    watch = DatabaseWatch(database)
    watching = asyncio.create_task(watch.run())
    silent = watch.until_silent()
    try:
        slow = database.collection("start_check").find_one({"$where": "sleep(4000) || true"})
        assert await slow is not None
        assert not silent.done()
        with frozen(replica_set):
            with Stopwatch() as time_taken:
                await silent
            assert watch.silent
            assert time_taken.seconds < ANSWER + BUSY
    finally:
        watching.cancel()
        await asyncio.gather(watching, return_exceptions=True)
        await database.close()
