"""GET /metrics."""

from fastapi import APIRouter, Response

from benchmark_manager.api.http.problems import documented
from benchmark_manager.api.http.requests import AnyPrincipal, ServicesDependency
from benchmark_manager.services.operations.metrics import CONTENT_TYPE, gauges_text

router = APIRouter(tags=["service"])


@router.get(
    "/metrics",
    summary="Figures for Prometheus",
    response_class=Response,
    responses={200: {"content": {"text/plain": {"schema": {"type": "string"}}}}, **documented()},
)
async def metrics(services: ServicesDependency, principal: AnyPrincipal) -> Response:
    """Return counters of this process, and gauges of all projects and files.

    The gauges are the same in every replica. Credentials are labelled by fingerprints, which
    GET /status has too.
    """
    principal.require_somewhere("reader")
    totals = await services.status.totals(principal)
    governors = await services.status.governors(principal)
    everything = principal.readable() is None
    text = (
        services.metrics.text(totals, governors) if everything else gauges_text(totals, governors)
    )
    return Response(text, headers={"Content-Type": CONTENT_TYPE, "Cache-Control": "no-store"})
