"""Adds the pages to the application."""

from typing import Final

from fastapi import FastAPI
from starlette.middleware.gzip import GZipMiddleware

from benchmark_manager.web import (
    PREFIX,
    comparing,
    merging,
    modified_files,
    original_files,
    person,
    projects,
    reattaching,
    rebase_all,
    release,
    releases,
    revisions,
    search,
    start,
    status,
    syncs,
    trash,
)
from benchmark_manager.web.site.assets import Assets
from benchmark_manager.web.site.error_pages import ErrorPages, install_error_pages
from benchmark_manager.web.site.headers import PageHeaders

#: Outermost first.
MIDDLEWARE: Final = (PageHeaders, ErrorPages)
_ROUTERS: Final = (
    *(start, projects, original_files, modified_files, comparing, revisions, merging, trash, syncs),
    *(releases, release, search, status, person, rebase_all, reattaching),
)


def install_pages(app: FastAPI) -> None:
    """Every page is outside of the API's description."""
    for part in _ROUTERS:
        app.router.routes += part.router.routes
    # Pages themselves are left alone: compressed, their length would tell of the token beside what somebody searched.
    app.mount(f"{PREFIX}/static", GZipMiddleware(Assets()), name="pages-assets")
    install_error_pages(app)
