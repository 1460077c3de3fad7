"""A second way into a running service, which knows principals by bearer tokens of the test."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field, replace
from typing import Any

import httpx2 as httpx
from fastapi import FastAPI

from benchmark_manager.app import create_app
from benchmark_manager.config import Settings
from benchmark_manager.errors import UnauthenticatedError
from benchmark_manager.models.access.principal import Principal
from benchmark_manager.models.recorded_change import RefusedChange
from benchmark_manager.services.access.identities import Credentials
from support.service import Service


@dataclass
class KnownPrincipals:
    """Stands in for the identities: a bearer token is a principal's name in `known`."""

    known: dict[str, Principal]
    is_required: bool = True
    refusals: list[RefusedChange] = field(default_factory=list)

    async def identify(self, credentials: Credentials) -> Principal | None:
        if credentials.bearer is None:
            return None
        if credentials.bearer not in self.known:
            raise UnauthenticatedError
        return self.known[credentials.bearer]

    def forget(self) -> None:
        """Do nothing: nothing is remembered."""

    async def record(self, refusal: RefusedChange) -> None:
        self.refusals.append(refusal)


def app_for(service: Service, principals: KnownPrincipals) -> FastAPI:
    """Return another application over the same services, which requires an identity."""
    app = create_app(Settings(_env_file=None))
    app.router.routes = service.app.router.routes
    app.state.services = replace(
        service.services, identities=principals, record_refusal=principals.record
    )
    app.state.scheduler_running = lambda: False
    return app


@dataclass(frozen=True)
class Callers:
    """Clients of one service, by the name of the principal who uses each."""

    http: httpx.AsyncClient
    principals: KnownPrincipals

    async def ask(self, name: str | None, method: str, path: str, **options: Any) -> httpx.Response:
        """Send a request as the principal of this name; None has none."""
        headers = {} if name is None else {"Authorization": f"Bearer {name}"}
        headers |= options.pop("headers", {})
        return await self.http.request(method, path, headers=headers, **options)


@asynccontextmanager
async def callers_of(service: Service, **known: Principal) -> AsyncIterator[Callers]:
    """Open a service to these principals, and to nobody else."""
    principals = KnownPrincipals(dict(known))
    transport = httpx.ASGITransport(app=app_for(service, principals), raise_app_exceptions=False)
    async with httpx.AsyncClient(transport=transport, base_url="http://service") as http:
        yield Callers(http, principals)
