"""GET /metrics."""

from fastapi import APIRouter, Response

from benchmark_manager.api.http.problems import documented
from benchmark_manager.api.http.requests import ServicesDependency
from benchmark_manager.services.operations.metrics import CONTENT_TYPE

router = APIRouter(tags=["service"])


@router.get(
    "/metrics",
    summary="Figures for Prometheus",
    response_class=Response,
    responses={200: {"content": {"text/plain": {"schema": {"type": "string"}}}}, **documented()},
)
async def metrics(services: ServicesDependency) -> Response:
    """Return counters of this process, and gauges of all projects and files.

    The gauges are the same in every replica. Credentials are labelled by fingerprints, which
    GET /status has too.
    """
    totals = await services.status.totals()
    text = services.metrics.text(totals, services.status.governors())
    return Response(text, headers={"Content-Type": CONTENT_TYPE, "Cache-Control": "no-store"})
