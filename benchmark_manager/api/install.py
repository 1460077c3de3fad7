"""Adds the JSON routes to the application."""

from typing import Final

from fastapi import FastAPI

from benchmark_manager.api.events.routes import router as events
from benchmark_manager.api.operations.health import router as health
from benchmark_manager.api.operations.metrics import router as metrics
from benchmark_manager.api.originals.routes import router as originals
from benchmark_manager.api.projects.repositories import router as repositories
from benchmark_manager.api.projects.routes import router as projects
from benchmark_manager.api.releases.routes import router as releases
from benchmark_manager.api.search.routes import router as search
from benchmark_manager.api.validation.routes import router as validation
from benchmark_manager.api.variants.comparing import router as comparing
from benchmark_manager.api.variants.merging import router as merging
from benchmark_manager.api.variants.rebase_all import router as rebase_all
from benchmark_manager.api.variants.revisions import router as revisions
from benchmark_manager.api.variants.routes import router as variants
from benchmark_manager.api.variants.trash import router as trash
from benchmark_manager.api.webhooks.routes import router as webhooks

#: The most used first: each request tries the routes in this order.
_ROUTERS: Final = (
    originals,
    variants,
    projects,
    health,
    metrics,
    revisions,
    trash,
    merging,
    rebase_all,
    comparing,
    releases,
    validation,
    webhooks,
    events,
    search,
    repositories,
)


def install_routes(app: FastAPI) -> None:
    """Add every route of the API."""
    for router in _ROUTERS:
        # Not included: FastAPI would build every included route anew for each application, at its
        # first request.
        app.router.routes += router.routes
