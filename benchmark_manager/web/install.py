"""Adds the pages to the application."""

from typing import Final

from fastapi import FastAPI
from starlette.middleware.gzip import GZipMiddleware

from benchmark_manager.web import PREFIX
from benchmark_manager.web.access.audit import router as audit
from benchmark_manager.web.access.command_line import router as command_line
from benchmark_manager.web.access.federation import router as federation
from benchmark_manager.web.access.grants import router as grants
from benchmark_manager.web.access.people import router as people
from benchmark_manager.web.access.signing_in import router as signing_in
from benchmark_manager.web.access.tokens import router as tokens
from benchmark_manager.web.access.you import router as you
from benchmark_manager.web.operations.status import router as status
from benchmark_manager.web.originals.routes import router as originals
from benchmark_manager.web.projects.routes import router as projects
from benchmark_manager.web.releases.release import router as release
from benchmark_manager.web.releases.routes import router as releases
from benchmark_manager.web.results.lists import router as result_list
from benchmark_manager.web.results.result import router as result
from benchmark_manager.web.results.table import router as result_table
from benchmark_manager.web.results.uploading import router as result_upload
from benchmark_manager.web.search.routes import router as search
from benchmark_manager.web.site.assets import Assets
from benchmark_manager.web.site.error_pages import ErrorPages, install_error_pages
from benchmark_manager.web.site.headers import PageHeaders
from benchmark_manager.web.site.start import router as start
from benchmark_manager.web.sweeps.cell import router as cell
from benchmark_manager.web.sweeps.importing import router as sweep_import
from benchmark_manager.web.sweeps.making import router as sweep_form
from benchmark_manager.web.sweeps.routes import router as sweeps
from benchmark_manager.web.sync.routes import router as syncs
from benchmark_manager.web.variants.comparing import router as comparing
from benchmark_manager.web.variants.merging import router as merging
from benchmark_manager.web.variants.reattaching import router as reattaching
from benchmark_manager.web.variants.rebase_all import router as rebase_all
from benchmark_manager.web.variants.results import router as variant_results
from benchmark_manager.web.variants.revisions import router as revisions
from benchmark_manager.web.variants.routes import router as variants
from benchmark_manager.web.variants.trash import router as trash

#: Outermost first.
MIDDLEWARE: Final = (PageHeaders, ErrorPages)
_ROUTERS: Final = (
    start,
    projects,
    originals,
    variants,
    comparing,
    revisions,
    variant_results,
    merging,
    trash,
    syncs,
    releases,
    release,
    sweep_form,
    sweep_import,
    sweeps,
    cell,
    result_table,
    result_list,
    result,
    result_upload,
    search,
    status,
    signing_in,
    you,
    tokens,
    federation,
    people,
    grants,
    command_line,
    rebase_all,
    reattaching,
    audit,
)


def install_pages(app: FastAPI) -> None:
    """Add the pages, which are not part of the API's description, and their static files."""
    for router in _ROUTERS:
        app.router.routes += router.routes
    # Pages are not compressed: the compressed length would reveal parts of the CSRF token
    # to an attacker who can choose a search term of the same page (BREACH).
    app.mount(f"{PREFIX}/static", GZipMiddleware(Assets()), name="pages-assets")
    install_error_pages(app)
