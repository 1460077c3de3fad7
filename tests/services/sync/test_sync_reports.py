"""What is reported of syncs: the progress while they run, and figures."""

import asyncio
from collections import Counter

from prometheus_client.parser import text_string_to_metric_families

from benchmark_manager.domain.git.objects import blob_id
from github_test_server import GitHubTestServer
from support.routes import BY_NAME
from support.service import Json, Service, running_service
from support.waiting import eventually

FILES = {
    "config/a.yaml": b"model: llama\n",
    "config/b.yaml": b"b: 1\n",
    "job/j.yaml": b"kind: Job\n",
}


async def test_the_progress_of_a_sync_is_reported_in_every_replica_and_is_idle_afterwards(
    service: Service, database_url: str, github: GitHubTestServer
) -> None:
    fields = BY_NAME["one request a blob"].open(service)
    service.repository(
        "acme/b", {f"config/{n}.yaml": b"n: %d\n" % n for n in range(60)}, private_to=["reader"]
    )
    project = await service.project("acme/b", **fields)
    path = f"/projects/{project['id']}/sync"
    assert (await service.get(path))["status"] == "idle"

    async def fetching(asked: Service) -> Json | None:
        shown = await asked.get(path)
        return shown if shown["phase"] == "fetching" and shown["files_fetched"] > 0 else None

    async with running_service(database_url, github, service.folder) as other:
        with github.held(blob_id(b"n: 59\n")):
            running = asyncio.create_task(service.sync(project["id"]))
            here = await eventually(lambda: fetching(service), "no progress here")
            there = await eventually(lambda: fetching(other), "no progress in the other replica")
        sync = await running
    assert here is not None
    assert there is not None
    size = sum(len(b"n: %d\n" % n) for n in range(60))
    facts = ("status", "trigger", "files_total", "bytes_total")
    assert [[shown[fact] for fact in facts] for shown in (here, there)] == [
        ["running", "manual", 60, size]
    ] * 2
    assert max(here["files_fetched"], there["files_fetched"]) <= 60
    assert here["sync_id"] == there["sync_id"] == sync["id"]
    after = await service.get(path)
    assert (after["status"], after["phase"], after["last_sync"]["id"]) == ("idle", None, sync["id"])


async def test_a_sync_can_be_started_without_waiting_for_it(service: Service) -> None:
    service.repository("acme/b", FILES)
    project = await service.project("acme/b")
    service.github.latency = 0.1
    path = f"/projects/{project['id']}/sync"
    answer = await service.http.post(path, params={"wait": "false"})
    assert (answer.status_code, answer.headers["location"], answer.json()["status"]) == (
        202,
        path,
        "running",
    )
    again = await service.http.post(path, params={"wait": "false"})
    assert again.json()["sync_id"] == answer.json()["sync_id"]

    async def idle() -> Json | None:
        shown = await service.get(answer.headers["location"])
        return shown if shown["status"] == "idle" else None

    shown = await eventually(idle, "the sync does not end")
    assert shown is not None
    assert (shown["last_sync"]["id"], shown["last_sync"]["status"]) == (
        answer.json()["sync_id"],
        "success",
    )


def samples(text: str) -> dict[tuple[str, tuple[tuple[str, str], ...]], float]:
    return {
        (sample.name, tuple(sorted(sample.labels.items()))): sample.value
        for family in text_string_to_metric_families(text)
        for sample in family.samples
    }


async def test_figures_are_as_prometheus_reads_them_count_what_was_asked_and_hold_no_token(
    service: Service,
) -> None:
    service.repository("acme/b", FILES, private_to=["reader-secret"])
    project = await service.synced("acme/b", github_token="reader-secret")
    await service.sync(project["id"])
    service.github.hosting.make_private("acme/b", [])
    await service.sync(project["id"], status=422)
    answer = await service.http.get("/metrics")
    assert answer.headers["content-type"].startswith("text/plain; version=")
    assert "reader-secret" not in answer.text
    found = samples(answer.text)

    def total(name: str, **labels: str) -> float:
        return sum(
            value
            for (sample, shown), value in found.items()
            if sample == f"benchmark_manager_{name}" and labels.items() <= dict(shown).items()
        )

    assert total("syncs_total", trigger="manual") == 3
    assert [total("syncs_total", outcome=each) for each in ("success", "unchanged", "failed")] == [
        1,
        1,
        1,
    ]
    assert total("file_changes_total", change="added") == 3
    # Downloads are no requests of the API's.
    asked_for = [request for request in service.github.requests if "/codeload/" not in request.path]
    assert total("github_requests_total") == len(asked_for)
    assert total("github_points_total") == service.github.requests.points
    asked = Counter(request.resource for request in asked_for)
    assert {name: total("github_requests_total", resource=name or "") for name in asked} == asked
    assert (total("files", kind="original"), total("projects")) == (3, 1)
