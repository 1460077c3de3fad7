"""The status page: database, polling, GitHub's limits and webhooks."""

from fastapi import APIRouter, Request, Response

from benchmark_manager.incoming import AnyPrincipal, ServicesDependency
from benchmark_manager.web import PREFIX
from benchmark_manager.web.site.pages import webhook_url
from benchmark_manager.web.site.rendering import render

router = APIRouter(prefix=PREFIX, include_in_schema=False)


@router.get("/status")
async def show_status(
    request: Request, services: ServicesDependency, principal: AnyPrincipal
) -> Response:
    status = await services.status.status(principal)
    return render(
        request,
        "operations/status.html",
        status=status,
        limits=[
            (row, resource, limit)
            for row in status.github
            for resource, limit in row.limits.items()
        ],
        blocked=[row for row in status.github if row.blocked_until],
        scheduler_running=request.app.state.scheduler_running(),
        webhooks=services.webhooks.enabled,
        webhook_url=webhook_url(request),
    )
