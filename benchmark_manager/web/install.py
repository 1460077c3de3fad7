"""Adds the pages to the application."""

from typing import Final

from fastapi import FastAPI
from starlette.middleware.gzip import GZipMiddleware

from benchmark_manager.web import PREFIX
from benchmark_manager.web.operations.status import router as status
from benchmark_manager.web.originals.routes import router as originals
from benchmark_manager.web.projects.routes import router as projects
from benchmark_manager.web.releases.release import router as release
from benchmark_manager.web.releases.routes import router as releases
from benchmark_manager.web.search.routes import router as search
from benchmark_manager.web.site.assets import Assets
from benchmark_manager.web.site.error_pages import ErrorPages, install_error_pages
from benchmark_manager.web.site.headers import PageHeaders
from benchmark_manager.web.site.person import router as person
from benchmark_manager.web.site.start import router as start
from benchmark_manager.web.sync.routes import router as syncs
from benchmark_manager.web.variants.comparing import router as comparing
from benchmark_manager.web.variants.merging import router as merging
from benchmark_manager.web.variants.reattaching import router as reattaching
from benchmark_manager.web.variants.rebase_all import router as rebase_all
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
    merging,
    trash,
    syncs,
    releases,
    release,
    search,
    status,
    person,
    rebase_all,
    reattaching,
)


def install_pages(app: FastAPI) -> None:
    """Add the pages, which are not part of the API's description, and their static files."""
    for router in _ROUTERS:
        app.router.routes += router.routes
    # Pages are not compressed: the compressed length would reveal parts of the CSRF token
    # to an attacker who can choose a search term of the same page (BREACH).
    app.mount(f"{PREFIX}/static", GZipMiddleware(Assets()), name="pages-assets")
    install_error_pages(app)
