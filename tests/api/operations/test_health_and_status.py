"""GET /health and GET /status: the numbers are those of what was made."""

import asyncio
import re
from pathlib import Path

import pytest

from benchmark_manager.factory import utc_now
from benchmark_manager.factory.stores import Stores
from benchmark_manager.services.operations.status import StatusService
from benchmark_manager.stores.database.watch import DatabaseWatch
from benchmark_manager.version import __version__
from github_test_server import GitHubTestServer
from support.database_commands import noted_commands
from support.events import listening
from support.replacements import replaced
from support.service import Json, Service, running_service, running_sync
from support.waiting import GENEROUS

NO_PROJECTS = {"never": 0, "running": 0, "ok": 0, "failing": 0, "unavailable": 0}


async def totals(service: Service) -> tuple[int, int, int]:
    """Projects, original files, modified files."""
    status = await service.get("/status")
    originals, modified = status["total_original_files"], status["total_modified_files"]
    assert status["total_files"] == originals + modified
    assert sum(status["projects_by_sync_status"].values()) == status["total_projects"]
    return status["total_projects"], originals, modified


async def test_a_healthy_service_reports_its_health(service: Service) -> None:
    answer = await service.http.get("/health")
    assert answer.status_code == 200
    assert answer.headers["content-type"] == "application/json"
    assert answer.headers["cache-control"] == "no-store"
    health = answer.json()
    assert health.keys() == {"status", "service", "timestamp", "version"}
    assert (health["status"], health["service"]) == ("healthy", "benchmark-manager")
    assert health["version"] == __version__
    assert re.fullmatch(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d+)?Z", health["timestamp"])


@pytest.mark.parametrize(("path", "status"), [("/livez", "alive"), ("/readyz", "ready")])
async def test_probes_report_that_the_process_runs_and_that_it_is_ready(
    service: Service, path: str, status: str
) -> None:
    answer = await service.http.get(path)
    assert (answer.status_code, answer.json()) == (200, {"status": status})
    assert (await service.http.head(path)).content == b""


@pytest.mark.parametrize(("path", "status"), [("/livez", 200), ("/readyz", 503), ("/health", 503)])
async def test_without_an_answer_of_its_database_a_service_is_alive_but_not_ready(
    service: Service, path: str, status: int
) -> None:
    class Hanging(DatabaseWatch):
        async def ask(self) -> bool:
            await asyncio.sleep(600)
            return True

    services = service.services
    watch, stores = Hanging(services.database), Stores.over(services.database)
    status_service = StatusService(
        services.database,
        watch,
        services.connection.governors,
        projects=stores.projects,
        originals=stores.originals,
        variants=stores.variants,
        clock=utc_now,
    )
    with replaced(service, database_watch=watch, status=status_service):
        async with asyncio.timeout(GENEROUS):
            answer = await service.http.get(path)
    assert answer.status_code == status


async def test_hundreds_of_requests_at_once_do_not_make_the_service_unhealthy(
    service: Service,
) -> None:
    for number in range(5):
        await service.project("acme/b", name=f"p{number}")
    async with listening(service.app) as http:
        crowd = asyncio.gather(*(http.get("/projects") for _ in range(200)))
        verdicts = set()
        while not crowd.done():
            for path in ("/health", "/readyz", "/livez"):
                verdicts.add((await http.get(path)).status_code)
        assert {answer.status_code for answer in await crowd} == {200}
        assert verdicts == {200}


async def test_an_empty_service_has_the_whole_shape(service: Service) -> None:
    status = await service.get("/status")
    assert status.keys() == {
        "service",
        "status",
        "version",
        "auth",
        "warning",
        "uptime_seconds",
        "database",
        "total_projects",
        "total_files",
        "total_original_files",
        "total_modified_files",
        "projects_by_sync_status",
        "projects_paused",
        "scheduler",
        "github",
    }
    assert (status["service"], status["status"], status["version"]) == (
        "benchmark-manager",
        "healthy",
        __version__,
    )
    assert status["uptime_seconds"] >= 0
    assert status["database"].keys() == {"kind", "version", "latency_ms"}
    assert status["database"]["kind"] == "mongodb"
    assert re.match(r"\d+\.\d+", status["database"]["version"])
    assert 0 < status["database"]["latency_ms"] < 2000
    assert status["scheduler"] == {"running": False, "next_poll_at": None, "projects_due": 0}
    assert (status["projects_by_sync_status"], status["github"]) == (NO_PROJECTS, [])
    assert await totals(service) == (0, 0, 0)


async def test_the_numbers_are_those_of_what_was_made(
    service: Service, files: dict[str, bytes]
) -> None:
    repository = service.repository("acme/bench", files)
    await service.project("acme/bench", name="never")
    first, second = (
        await service.synced("acme/bench", name="a"),
        await service.synced("acme/bench", name="b"),
    )
    assert await totals(service) == (3, 6, 0)
    originals = await service.files(first["id"])
    variant = await service.variant(first["id"], originals["config/a.yaml"])
    await service.variant(first["id"], originals["job/run.yaml"])
    await service.variant(second["id"], (await service.files(second["id"]))["config/a.yaml"])
    assert await totals(service) == (3, 6, 3)
    await service.http.delete(f"/modified-files/{variant['id']}")
    assert await totals(service) == (3, 6, 2)
    await service.http.delete(f"/projects/{first['id']}/modified-files")
    assert await totals(service) == (3, 6, 1)
    repository.commit({"config/a.yaml": None})
    await service.sync(first["id"])
    assert await totals(service) == (3, 5, 1)
    await service.sync(second["id"])
    assert await totals(service) == (3, 4, 1), (
        "an original which is gone upstream counts no more, its variant does"
    )
    await service.http.delete(f"/projects/{second['id']}")
    assert await totals(service) == (2, 2, 0), "at once, before anything is swept"
    await service.services.housekeeping.run()
    assert await totals(service) == (2, 2, 0)


async def test_projects_are_counted_by_the_result_of_their_last_sync(
    service: Service, files: dict[str, bytes]
) -> None:
    service.repository("acme/bench", files)
    await service.project("acme/bench", name="never")
    await service.synced("acme/bench", name="ok")
    failing = await service.project("acme/missing", name="failing")
    problem = await service.sync(failing["id"], 422)
    limited = await service.project("acme/bench", name="limited", github_token="ghp_limited")
    service.github.hosting.add_token("ghp_limited")
    service.github.limits.set("ghp_limited", remaining=0, reset_in=600)
    await service.sync(limited["id"], 503)
    status = await service.get("/status")
    assert status["projects_by_sync_status"] == {
        **NO_PROJECTS,
        "never": 1,
        "ok": 1,
        "failing": 1,
        "unavailable": 1,
    }
    shown = {row["name"]: row for row in await service.rows("/projects")}
    assert {name: row["sync_status"] for name, row in shown.items()} == {
        "never": "never",
        "ok": "ok",
        "failing": "failing",
        "limited": "unavailable",
    }
    assert shown["failing"]["error"]["code"] == problem["code"] == "repository_not_found"
    assert shown["failing"]["last_sync"]["status"] == "failed"
    assert shown["limited"]["error"]["code"] == "github_rate_limited"
    assert shown["limited"]["error"]["retry_at"] is not None
    service.repository("acme/missing", files)
    await service.sync(failing["id"])
    mended = await service.get(f"/projects/{failing['id']}")
    assert (mended["sync_status"], mended["error"]) == ("ok", None)


async def test_a_project_is_running_while_it_syncs(
    service: Service, files: dict[str, bytes]
) -> None:
    service.repository("acme/bench", files)
    project = await service.project("acme/bench")
    with service.github.held():
        sync = asyncio.create_task(service.sync(project["id"]))
        await running_sync(service, project)
        shown = await service.get(f"/projects/{project['id']}")
        rows, totals = await service.rows("/projects"), await service.get("/status")
    assert (shown["sync_status"], rows[0]["sync_status"]) == ("running", "running")
    assert totals["projects_by_sync_status"] == {**NO_PROJECTS, "running": 1}
    await sync
    assert (await service.get("/status"))["projects_by_sync_status"] == {**NO_PROJECTS, "ok": 1}


async def test_the_schedule_reports_what_is_due_and_when(
    service: Service, files: dict[str, bytes]
) -> None:
    service.repository("acme/bench", files)
    due = await service.project("acme/bench", name="due")
    polled = await service.synced("acme/bench", name="polled", polling_interval=600)
    await service.synced("acme/bench", name="by hand")

    async def scheduler() -> Json:
        found: Json = (await service.get("/status"))["scheduler"]
        return found

    assert await scheduler() == {
        "running": False,
        "next_poll_at": due["next_poll_at"],
        "projects_due": 1,
    }
    await service.sync(due["id"])
    assert await scheduler() == {
        "running": False,
        "next_poll_at": polled["next_poll_at"],
        "projects_due": 0,
    }
    answer = await service.http.post("/projects/sync-all")
    assert (answer.status_code, len(answer.json()["queued"])) == (202, 3)
    assert (await scheduler())["projects_due"] == 3


async def test_the_scheduler_runs_where_it_was_started(
    database_url: str, github: GitHubTestServer, tmp_path: Path
) -> None:
    async with running_service(database_url, github, tmp_path, polls=True) as polling:
        assert (await polling.get("/status"))["scheduler"]["running"] is True


async def test_github_s_limits_are_reported_per_credential_without_it(
    service: Service, files: dict[str, bytes]
) -> None:
    repository = service.repository("acme/bench", files)
    service.github.hosting.add_token("ghp_secret")
    service.github.limits.set("ghp_secret", limit=5000, remaining=1000, reset_in=600)
    project = await service.synced("acme/bench", github_token="ghp_secret")
    # A first sync needs no GraphQL.
    repository.commit({"config/new.yaml": b"a: 1\n"}, message="second")
    sync = await service.sync(project["id"])
    answer = await service.http.get("/status")
    assert "ghp_secret" not in answer.text
    [row] = answer.json()["github"]
    assert (row["api_url"], row["kind"], row["limit"]) == (service.github.url, "token", 5000)
    spent = {
        name: sum(request.cost for request in service.github.requests.select(resource=name))
        for name in ("core", "graphql")
    }
    assert row["remaining"] == row["resources"]["core"]["remaining"] == 1000 - spent["core"]
    assert row["resources"]["graphql"]["remaining"] == 5000 - spent["graphql"]
    asked = {name: service.github.requests.count(resource=name) for name in ("core", "graphql")}
    assert row["points_last_minute"] == asked
    assert (row["blocked_until"], row["requests_running"], row["requests_waiting"]) == (None, 0, 0)
    assert sync["status"] == "success"


async def test_the_status_costs_no_query_a_project(service: Service) -> None:
    """Twenty projects cost as many commands as one: it is computed by aggregation."""
    await service.project("acme/bench", name="first")
    with noted_commands() as for_one:
        assert (await totals(service))[0] == 1
    for number in range(19):
        await service.project("acme/bench", name=f"{number}")
    with noted_commands() as for_twenty:
        assert (await totals(service))[0] == 20
    assert sorted(for_twenty) == sorted(for_one)
