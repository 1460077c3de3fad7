"""GET /health, GET /livez, GET /readyz and GET /status."""

from typing import Literal

from fastapi import APIRouter, Request, Response
from pydantic import BaseModel

from benchmark_manager.api.http.problems import documented
from benchmark_manager.api.http.requests import OPEN, AnyPrincipal, ServicesDependency
from benchmark_manager.api.operations.shapes import (
    DatabaseAnswer,
    HealthAnswer,
    SchedulerAnswer,
    StatusAnswer,
    rate_limit_answer,
)
from benchmark_manager.services.access.announcing import OPEN_WARNING
from benchmark_manager.version import __version__

router = APIRouter(tags=["service"])


@router.get(
    "/health",
    summary="Whether the service serves",
    dependencies=[OPEN],
    response_model=HealthAnswer,
    responses={
        503: {"model": HealthAnswer, "description": "The database does not answer within 2 s."}
    },
)
async def health(services: ServicesDependency) -> Response:
    """Answer 200 when the service is ready.

    It reads from the database, as one that hangs may still answer pings.
    """
    healthy = await services.status.database_answers()
    answer = HealthAnswer(
        status="healthy" if healthy else "unhealthy",
        timestamp=services.status.now(),
        version=__version__,
    )
    return Response(
        answer.model_dump_json(),
        status_code=200 if healthy else 503,
        media_type="application/json",
        headers={"Cache-Control": "no-store"},
    )


class ProbeAnswer(BaseModel):
    """What a probe of an orchestrator learns."""

    status: Literal["alive", "ready", "unavailable"]


@router.get("/livez", summary="Whether the process runs", dependencies=[OPEN])
async def livez() -> ProbeAnswer:
    """Answer liveness probes as long as the event loop runs; a restart helps when it does not."""
    return ProbeAnswer(status="alive")


@router.get(
    "/readyz",
    summary="Whether the database answers",
    dependencies=[OPEN],
    response_model=ProbeAnswer,
    responses={
        503: {"model": ProbeAnswer, "description": "The database does not answer within 2 s."}
    },
)
async def readyz(services: ServicesDependency) -> Response:
    """For readiness probes: 503 takes the service from traffic until the database answers again."""
    ready = await services.status.database_answers()
    answer = ProbeAnswer(status="ready" if ready else "unavailable")
    return Response(
        answer.model_dump_json(),
        status_code=200 if ready else 503,
        media_type="application/json",
        headers={"Cache-Control": "no-store"},
    )


@router.get("/status", summary="The service at a glance", responses=documented())
async def status(
    request: Request, services: ServicesDependency, principal: AnyPrincipal
) -> StatusAnswer:
    """Counts over all projects, what is due, and how much of GitHub's rate limits is left."""
    found = await services.status.status(principal)
    totals = found.totals
    auth = request.app.state.auth
    return StatusAnswer(
        version=__version__,
        auth=auth,
        warning=OPEN_WARNING if auth == "open" else None,
        uptime_seconds=found.uptime_seconds,
        database=DatabaseAnswer(**dict(found.database)),
        total_projects=totals.projects,
        total_files=totals.original_files + totals.modified_files,
        total_original_files=totals.original_files,
        total_modified_files=totals.modified_files,
        projects_by_sync_status=totals.projects_by_sync_status,
        projects_paused=totals.projects_paused,
        scheduler=SchedulerAnswer(
            running=request.app.state.scheduler_running(),
            next_poll_at=totals.next_poll_at,
            projects_due=totals.projects_due,
        ),
        github=[rate_limit_answer(row) for row in found.github if row.limits or row.blocked_until],
    )
