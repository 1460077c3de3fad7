"""GET /events: every client receives what any replica changes, or learns that events were lost."""

import asyncio
import base64
import re
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import httpx2 as httpx
import pytest
import pytest_asyncio

from benchmark_manager.factory import Externals, ServiceLimits
from benchmark_manager.models.change import Change
from benchmark_manager.models.sync import SyncProgress
from benchmark_manager.services.events.events import EventLimits
from benchmark_manager.stores.sync.progress import SyncProgressStore
from github_test_server import GitHubTestServer
from support.events import Stream, events_of, listening
from support.mongod import ReplicaSet, find_mongod
from support.problems import assert_problem
from support.service import Service, running_service
from support.stopwatch import Stopwatch
from support.waiting import GENEROUS, eventually


def limited(**limits: Any) -> Externals:
    """Return externals with these limits of events."""
    return Externals(limits=ServiceLimits(events=EventLimits(**limits)))


SWEEP = {
    "name": "one",
    "files": {"a": "config/a.yaml"},
    "axes": [{"name": "x", "set": "a:model", "values": ["secretive 1", "secretive 2"]}],
}
SECRET = "ghp_neverSeenInAnyEvent0123456789"


@pytest.fixture
async def http(service: Service) -> AsyncIterator[httpx.AsyncClient]:
    async with listening(service.app) as client:
        yield client


async def work(
    service: Service, files: dict[str, bytes], stream: Stream
) -> list[tuple[str, Any, Any]]:
    """Do everything that people and syncs do; return the events that have to report it."""
    repository = service.repository("acme/b", files, private_to=[SECRET])
    project = await service.project("acme/b", github_token=SECRET)
    sync = await service.sync(project["id"])
    original = (await service.files(project["id"]))["config/a.yaml"]
    variant = await service.variant(
        project["id"], original, content="model: secretive\n", modified_name="mine.yaml"
    )
    other = await service.variant(project["id"], original, modified_name="other.yaml")
    release = await service.post(f"/projects/{project['id']}/releases", {"name": "one"}, 201)
    sweep = await service.post(f"/projects/{project['id']}/sweeps", SWEEP, 201)
    # Changes at the same moment are sent as one event.
    await stream.until(("release", release["digest"], "created"), ("sweep", sweep["id"], "created"))
    await service.put(f"/sweeps/{sweep['id']}", {**SWEEP, "name": "two"})
    await stream.until(("sweep", sweep["id"], "changed"))
    assert (await service.http.delete(f"/sweeps/{sweep['id']}")).status_code == 204
    params = {"release": release["digest"]}
    uploaded = await service.http.post("/results", params=params, content=b"secretive")
    result = uploaded.json()["id"]
    await stream.until(("result", result, "created"))
    await service.put(f"/results/{result}", {"note": "hush"})
    await stream.until(("result", result, "changed"))
    assert (await service.http.delete(f"/results/{result}")).status_code == 204
    await stream.until(("result", result, "deleted"))
    await service.post(f"/results/{result}/undelete", None, 200)
    await service.put(f"/modified-files/{variant['id']}", {"description": "hush"})
    assert (await service.http.delete(f"/modified-files/{other['id']}")).status_code == 204
    await service.put(f"/releases/{release['digest']}", {"name": "two"})
    repository.commit({"config/a.yaml": b"model: new\n"}, message="second")
    again = await service.sync(project["id"])
    await service.put(f"/projects/{project['id']}", {"polling_interval": 3600})
    await stream.heard(lambda: stream.events[-1].what == ("project", project["id"], "changed"))
    assert (await service.http.delete(f"/projects/{project['id']}")).status_code == 204
    return [
        *(("project", project["id"], what) for what in ("created", "changed", "deleted")),
        *(("sync", each["id"], "finished") for each in (sync, again)),
        ("files", None, "changed"),
        *(("modified_file", variant["id"], what) for what in ("created", "changed")),
        *(("modified_file", other["id"], what) for what in ("created", "deleted")),
        *(("release", release["digest"], what) for what in ("created", "changed")),
        *(("sweep", sweep["id"], what) for what in ("created", "changed", "deleted")),
        *(("result", result, what) for what in ("created", "changed", "deleted", "restored")),
    ]


async def test_whatever_is_done_is_received_and_nothing_of_what_it_holds(
    either: Service, files: dict[str, bytes]
) -> None:
    """On both databases; the data are three fields, all of them ids or words."""
    async with listening(either.app) as http, events_of(http) as stream:
        received = await stream.until(*await work(either, files, stream))
        assert stream.answer.headers["content-type"] == "text/event-stream; charset=utf-8"
        assert stream.answer.headers["x-content-type-options"] == "nosniff"
        assert stream.answer.headers["cache-control"] == "no-store"
        members = {"project_id", "id", "what"}
        assert [event for event in received if event.data.keys() != members] == []
        # Ids are sealed, and any short word may be in them by chance.
        readable = re.sub(r"^id: .*$", "", stream.text, flags=re.MULTILINE)
        assert not re.search(
            f"{SECRET}|token|secretive|hush|mine|model|config/|acme|one|two", readable
        )


async def test_an_event_comes_within_a_second_from_another_replica(
    http: httpx.AsyncClient, database_url: str, github: GitHubTestServer, tmp_path: Path
) -> None:
    async with (
        running_service(database_url, github, tmp_path / "other") as replica,
        events_of(http) as stream,
    ):
        with Stopwatch() as watch:
            project = await replica.project("acme/elsewhere")
            await stream.until(("project", project["id"], "created"))
        assert watch.seconds < 1


async def test_a_filter_leaves_only_its_projects(service: Service, http: httpx.AsyncClient) -> None:
    one, two, three = [await service.project(f"acme/{name}") for name in ("one", "two", "three")]
    async with events_of(http, one["id"], two["id"]) as stream:
        for project in (three, two, one):
            await service.post(f"/projects/{project['id']}/pause", None, 200)
        await stream.until(*(("project", each["id"], "changed") for each in (one, two)))
        assert {event.data["project_id"] for event in stream.events} == {one["id"], two["id"]}
    answer = await service.http.get("/events", params={"project_id": "x"})
    assert assert_problem(answer, 422, "invalid_request")["errors"][0]["field"] == "project_id"


@pytest.mark.parametrize("externals", [limited(listed=1)], ids=["one of a kind"])
async def test_many_at_once_are_one_event(either: Service) -> None:
    """A sync of many files, and many variants that are restored together."""
    either.repository("acme/b", {f"config/{n}.yaml": b"n: %d\n" % n for n in range(60)})
    project = await either.project("acme/b")
    address = f"/projects/{project['id']}"
    async with listening(either.app) as http, events_of(http) as stream:
        sync = await either.sync(project["id"])
        await stream.until(("sync", sync["id"], "finished"), ("files", None, "changed"))
        assert sorted(
            event.name for event in stream.events if event.data["what"] != "progress"
        ) == ["files", "sync"]
        [original, *_] = (await either.files(project["id"])).values()
        for n in range(12):
            await either.variant(project["id"], original, modified_name=f"v{n}.yaml")
        await either.put(address, {"polling_interval": 3600})
        # On a busy machine, each of the variants may be an event of its own.
        await stream.until(("project", project["id"], "changed"))
        reset = (await either.http.delete(f"{address}/modified-files")).json()["reset_id"]
        await stream.until(("modified_file", None, "deleted"))
        before = len(stream.events)
        await either.post(f"{address}/undo-reset", {"reset_id": reset}, 200)
        await stream.heard(lambda: stream.events[-1].what == ("modified_file", None, "changed"))
        assert len(stream.events) - before <= 2


async def test_progress_is_received_and_polls_that_find_the_same_are_not(
    service: Service, http: httpx.AsyncClient, files: dict[str, bytes]
) -> None:
    service.repository("acme/b", files)
    project = await service.synced("acme/b")
    await _poll(service, project["id"])
    async with events_of(http) as stream:
        await _poll(service, project["id"])
        progress = SyncProgress(status="running", sync_id="5" * 24, phase="fetching")
        await SyncProgressStore(service.services.database).put(project["id"], 7, progress)
        await stream.until(("sync", "5" * 24, "progress"))
        assert len(stream.events) == 1


async def _poll(service: Service, project_id: str) -> None:
    """Let a poll of the project happen now."""
    database = service.services.database
    due = {"next_poll_at": await database.now(), "due_trigger": "poll"}
    await database.collection("projects").update_one({}, {"$set": due})
    before = (await service.get(f"/projects/{project_id}"))["last_sync"]
    await service.services.polling.run_due()

    async def was_polled() -> bool:
        return bool((await service.get(f"/projects/{project_id}"))["last_sync"] != before)

    await eventually(was_polled, "no poll")


async def test_a_client_that_returns_receives_what_it_missed(either: Service) -> None:
    """By the last id, also at a replica without a listener."""
    async with listening(either.app) as http:
        async with events_of(http) as stream:
            last = stream.last_id
        missed = [await either.project(f"acme/{n}") for n in range(3)]
        either.services.events.stop_watching()
        later = await either.project("acme/later")
        async with events_of(http, after=last) as stream:
            received = await stream.until(
                *(("project", each["id"], "created") for each in (*missed, later))
            )
            assert {event.name for event in received} == {"project"}
            newer = await either.project("acme/newer")
            await stream.until(("project", newer["id"], "created"))
        async with events_of(http, after=stream.last_id) as stream:
            assert stream.events == []


@pytest_asyncio.fixture(scope="module", loop_scope="session")
async def later_http(module_either: Service) -> AsyncIterator[httpx.AsyncClient]:
    """A client of a service that has sent events before."""
    await module_either.project("acme/before")
    async with listening(module_either.app) as client:
        yield client


@pytest.mark.parametrize(
    "unknown",
    ["x", "0", "82", "00" * 20, "ä", "a" * 5000, "826924f0a0"],
    ids=["text", "a digit", "two digits", "zeros", "no ASCII", "5000 characters", "cut"],
)
async def test_a_client_that_returns_with_an_unknown_id_has_to_reload(
    later_http: httpx.AsyncClient, unknown: str
) -> None:
    """A browser may send such an id."""
    headers = [(b"last-event-id", unknown.encode())]
    async with later_http.stream("GET", "/events", headers=headers) as answer:
        first = await anext(answer.aiter_text())
        assert 'event: reset\ndata: {"reason":"lost"}\nid: ' in first


async def test_another_making_of_a_release_is_reported_to_its_project_alone(
    service: Service,
) -> None:
    service.repository("acme/a", {"config/a.yaml": b"a: 1\n"})
    one = await service.synced("acme/a")
    other = await service.synced("acme/a", name="other", github_repo_url="acme/a")
    release = await service.post(f"/projects/{one['id']}/releases", {}, 201)
    async with listening(service.app) as http, events_of(http) as stream:
        await service.post(f"/projects/{other['id']}/releases", {}, 200)
        await stream.until(("release", release["digest"], "changed"))
        await service.http.put(f"/projects/{one['id']}", json={"name": "last"})
        await stream.until(("project", one["id"], "changed"))
        releases = [event for event in stream.events if event.name == "release"]
    assert {event.data["project_id"] for event in releases} == {other["id"]}


async def test_an_id_does_not_say_what_changed(either: Service) -> None:
    """A client may not read everything that positions of databases name."""
    async with listening(either.app) as http, events_of(http) as stream:
        project = await either.project("acme/secret")
        await stream.until(("project", project["id"], "created"))
        given = stream.last_id
    assert given
    readable = given.encode() + base64.urlsafe_b64decode(given)
    named = project["id"].encode()
    assert named not in readable.lower()
    assert bytes.fromhex(project["id"]) not in readable
    assert b"projects" not in readable


async def test_two_hundred_clients_receive_an_event_from_one_watcher(
    service: Service, http: httpx.AsyncClient
) -> None:
    async with asyncio.TaskGroup() as group:
        ready = asyncio.Semaphore(0)
        received = asyncio.Semaphore(0)

        async def client() -> None:
            async with events_of(http) as stream:
                ready.release()
                await stream.heard(lambda: stream.events)
                received.release()

        for _ in range(200):
            group.create_task(client())
        for _ in range(200):
            await ready.acquire()
        assert service.services.events.listeners == 200
        openings = service.services.events.openings
        with Stopwatch() as watch:
            await service.project("acme/b")
            for _ in range(200):
                await received.acquire()
    assert watch.seconds < 2
    assert service.services.events.openings == openings


@pytest.mark.parametrize("externals", [limited(waiting=50)], ids=["50 changes"])
async def test_a_slow_client_has_to_reload_and_costs_no_memory(
    service: Service, http: httpx.AsyncClient
) -> None:
    """It stops reading: the queue of its events stays bounded, and its last event is a reset."""
    reader, writer = await asyncio.open_connection(
        http.base_url.host, http.base_url.port, limit=1024
    )
    writer.write(b"GET /events HTTP/1.1\r\nHost: x\r\n\r\n")
    first = await reader.readuntil(b"\n\n")
    assert b"retry: " in first
    [listener] = service.services.events.clients
    change = Change(noun="project", project_id="0" * 24, id="1" * 24, what="changed")
    while listener.reset_reason is None and listener.waiting <= 50:
        # As the watcher does it; 4 MB or so fill the buffers of the sockets.
        listener.offer([change] * 40)
        await asyncio.sleep(0)
    assert listener.waiting <= 50
    listener.offer([change])
    text = b""
    async with asyncio.timeout(GENEROUS):
        while b"event: reset" not in text:
            text += await reader.read(65536)
    assert b'data: {"reason":"slow"}' in text
    writer.close()
    await eventually(lambda: service.services.events.listeners == 0, "a client is left")


@pytest.mark.parametrize("externals", [limited(keep_alive=0.3)], ids=["0.3 s"])
async def test_keep_alives_carry_newer_ids(service: Service, http: httpx.AsyncClient) -> None:
    """A client that received no event for long can still resume."""
    one, two = [await service.project(f"acme/{name}") for name in ("one", "two")]
    async with events_of(http, one["id"]) as stream:
        begin = stream.last_id
        await service.post(f"/projects/{two['id']}/pause", None, 200)
        position = service.services.events.positions.opened
        await stream.heard(lambda: position(stream.last_id) > position(begin))
        assert stream.events == []
        assert ": keep-alive\n" in stream.text


@pytest.mark.parametrize(
    ("externals", "status", "code"),
    [
        (limited(clients=1), 503, "service_busy"),
        (limited(clients_of_an_address=1), 429, "too_many_listeners"),
    ],
    ids=["of the service", "of an address"],
)
async def test_a_client_that_leaves_frees_its_slot_for_others(
    service: Service, http: httpx.AsyncClient, status: int, code: str
) -> None:
    """As does a HEAD request, at once."""
    async with events_of(http):
        refused = await http.get("/events")
        assert_problem(refused, status, code)
        assert refused.headers["retry-after"] == "10"
    await eventually(lambda: service.services.events.listeners == 0, "a client is left")
    answer = await http.head("/events")
    assert (answer.status_code, answer.content) == (200, b"")
    assert answer.headers["content-type"].startswith("text/event-stream")
    await eventually(lambda: service.services.events.listeners == 0, "a client is left")


@pytest.mark.skipif(find_mongod() is None, reason="no mongod on this machine")
async def test_an_election_makes_no_gap(github: GitHubTestServer, tmp_path: Path) -> None:
    """The primary steps down, which ends streams and writes; later changes are still sent."""
    async with (
        await ReplicaSet.start(tmp_path / "set") as replica_set,
        running_service(replica_set.url, github, tmp_path) as service,
        listening(service.app) as http,
        events_of(http) as stream,
    ):
        before = await service.project("acme/before")
        await stream.until(("project", before["id"], "created"))
        [node] = replica_set.nodes
        await node.client.admin.command("replSetStepDown", 1, force=True)
        body = {"name": "after", "github_repo_url": "acme/after", "polling_interval": 0}

        async def made() -> str | None:
            answer = await service.http.post("/projects", json=body)
            return str(answer.json()["id"]) if answer.status_code == 201 else None

        project_id = await eventually(made, "no primary takes writes")
        await stream.until(("project", project_id, "created"))
        assert {event.name for event in stream.events} == {"project"}


async def test_a_lost_history_is_received_as_a_reset(
    service: Service, http: httpx.AsyncClient
) -> None:
    """The database is replaced under the stream, which it cannot be resumed from."""
    async with events_of(http) as stream:
        database = service.services.database.collection("projects").database
        await service.project("acme/before")
        await database.client.drop_database(database.name)
        await stream.heard(lambda: any(event.name == "reset" for event in stream.events))
        after = await service.project("acme/after")
        await stream.until(("project", after["id"], "created"))
