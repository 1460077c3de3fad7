"""Adds the JSON routes to the application."""

from typing import Final

from fastapi import FastAPI

from benchmark_manager.api.access.accounts import router as accounts
from benchmark_manager.api.access.audit import router as audit
from benchmark_manager.api.access.command_line import router as command_line
from benchmark_manager.api.access.grants import router as grants
from benchmark_manager.api.access.providers import router as providers
from benchmark_manager.api.access.signing_in import router as signing_in
from benchmark_manager.api.events.routes import router as events
from benchmark_manager.api.operations.health import router as health
from benchmark_manager.api.operations.metrics import router as metrics
from benchmark_manager.api.originals.routes import router as originals
from benchmark_manager.api.projects.repositories import router as repositories
from benchmark_manager.api.projects.routes import router as projects
from benchmark_manager.api.releases.routes import router as releases
from benchmark_manager.api.results.receipt_routes import router as receipts
from benchmark_manager.api.results.report_routes import router as result_reports
from benchmark_manager.api.results.routes import router as results
from benchmark_manager.api.results.table_routes import router as result_tables
from benchmark_manager.api.search.routes import router as search
from benchmark_manager.api.sweeps.routes import router as sweeps
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
    sweeps,
    results,
    receipts,
    result_tables,
    result_reports,
    validation,
    webhooks,
    events,
    search,
    repositories,
    signing_in,
    providers,
    accounts,
    grants,
    audit,
    command_line,
)


def install_routes(app: FastAPI) -> None:
    """Add every route of the API."""
    for router in _ROUTERS:
        # Not included: FastAPI would build every included route anew for each application, at its
        # first request.
        app.router.routes += router.routes
