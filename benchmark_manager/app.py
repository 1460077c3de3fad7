"""The ASGI application: lifespan, routers and error mapping."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, nullcontext
from typing import Final

from fastapi import FastAPI
from starlette.middleware import Middleware
from starlette.middleware.cors import CORSMiddleware

from benchmark_manager.api.http.docs import install_docs
from benchmark_manager.api.http.identification import Identification
from benchmark_manager.api.http.middleware import Edge, Gate
from benchmark_manager.api.http.problem_handlers import install_problem_handlers
from benchmark_manager.api.http.silence import AnswersInSilence
from benchmark_manager.api.install import install_routes
from benchmark_manager.api.webhooks.routes import LargeBodies
from benchmark_manager.config import Settings
from benchmark_manager.factory import Externals, ServiceLimits, Services, open_services
from benchmark_manager.incoming import check_declarations
from benchmark_manager.scheduler import running_scheduler
from benchmark_manager.services.access.announcing import announce
from benchmark_manager.version import __version__
from benchmark_manager.web import MAX_FORM, PREFIX
from benchmark_manager.web.install import MIDDLEWARE as PAGE_MIDDLEWARE
from benchmark_manager.web.install import install_pages
from benchmark_manager.web.site.kept_texts import KeptTexts
from benchmark_manager.web.site.rendering import compile_shared_templates

_DESCRIPTION: Final = """\
Exact copies of benchmark configuration and Kubernetes Jobs from GitHub, and variants of them that
people make, kept separate.

- **Projects** name a repository, a branch and two folders. They are polled, or synced on demand.
- **Original files** are exact copies; only a sync writes them. No failure of GitHub removes them.
- **Modified files** are variants with their own names and a permanent link to their originals.

Lists are plain arrays: `limit` is at most 1,000, `cursor` and the `Link` header lead to the next
page, `X-Total-Count` is the number of all rows. Errors are RFC 9457 problem documents with a stable
`code`. Times are UTC. `ETag`, `If-None-Match` and `If-Match` work as HTTP defines them; the ETag of
a project and of a variant is `"REVISION.HASH"`, and `If-Match` compares REVISION alone.
"""


def create_app(
    settings: Settings,
    *,
    services: Services | None = None,
    externals: Externals | None = None,
    polls: bool = True,
    address: str | None = None,
) -> FastAPI:
    """Create the application; it opens and closes its services itself unless they are given.

    `address` is where it listens; None: as the settings say. Without `polls` it syncs only on
    request, for tests.

    Raises (at its start): StartError.
    """

    @asynccontextmanager
    async def lifespan(app: FastAPI) -> AsyncIterator[None]:
        opening = open_services(settings, externals) if services is None else nullcontext(services)
        async with opening as opened, _serving(app, opened, polls=polls):
            sign_in, proxies = opened.access.sign_in, settings.trusted_proxies
            await announce(sign_in, settings.auth, own_address, proxies)
            yield

    limits = (externals or Externals()).limits
    listening = address or f"http://{settings.host}:{settings.port}"
    own_address = (settings.public_url or listening) + (settings.root_path or "")
    app = FastAPI(
        title="Benchmark Manager",
        version=__version__,
        description=_DESCRIPTION,
        lifespan=lifespan,
        openapi_url=None,
        docs_url=None,
        redoc_url=None,
        telemetry={"tracing": False, "metrics": False, "logs": False},
        middleware=_middleware(settings, limits),
    )
    install_routes(app)
    app.state.large_bodies = LargeBodies(limits.webhook_seconds)
    app.state.limits = limits
    app.state.auth = settings.auth
    install_docs(app)
    install_pages(app)
    install_problem_handlers(app)
    check_declarations(app)
    return app


@asynccontextmanager
async def _serving(app: FastAPI, services: Services, *, polls: bool) -> AsyncIterator[None]:
    await asyncio.to_thread(compile_shared_templates)
    async with running_scheduler(services, start=polls) as scheduler:
        app.state.services = services
        app.state.scheduler_running = lambda: scheduler.running
        yield


def _middleware(settings: Settings, limits: ServiceLimits) -> list[Middleware]:
    """Return the middleware, the outermost first."""
    return [
        Middleware(
            Edge,
            allowed_hosts=settings.allowed_hosts,
            public_url=settings.public_url,
            root_path=settings.root_path or "",
            proxies=settings.trusted_proxies,
            identity_headers=(settings.proxy_user_header, settings.proxy_groups_header),
        ),
        *_cors(settings),
        *(Middleware(part) for part in PAGE_MIDDLEWARE),
        Middleware(
            Gate,
            forms=f"{PREFIX}/",
            max_form=MAX_FORM,
            max_result=settings.max_result_size,
            origins=settings.cors_origins,
            public_url=settings.public_url,
            body_seconds=limits.body_seconds,
            identity_header=settings.proxy_user_header if settings.auth == "proxy" else None,
            needs_identity=settings.auth != "open",
        ),
        # Its answer passes all of the above and may become a page.
        Middleware(AnswersInSilence),
        Middleware(KeptTexts),
        # Innermost, as it reads the database.
        Middleware(
            Identification,
            user_header=settings.proxy_user_header,
            groups_header=settings.proxy_groups_header,
            metrics_open=settings.metrics_open,
        ),
    ]


def _cors(settings: Settings) -> list[Middleware]:
    if not settings.cors_origins:
        return []
    return [
        Middleware(
            CORSMiddleware,
            allow_origins=list(settings.cors_origins),
            allow_methods=["*"],
            allow_headers=["*"],
            # A wildcard with credentials would let any page act as its visitor.
            allow_credentials="*" not in settings.cors_origins,
            expose_headers=[
                "ETag",
                "Link",
                "Location",
                "Retry-After",
                "X-Search-Incomplete",
                "X-Total-Count",
            ],
        )
    ]
