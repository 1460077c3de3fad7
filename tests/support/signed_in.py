"""A service with AUTH=required, and its first administrator, who is signed in."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from benchmark_manager.models.access.audit import AuditFilter, AuditRecord
from benchmark_manager.models.page import PageRequest
from benchmark_manager.stores.access.audit import AuditStore
from github_test_server import GitHubTestServer
from support.service import Json, Service, running_service

ADMIN: Final = "ada"
PASSWORD: Final = "a violet giraffe sings"
#: What a browser sends of its own page.
ORIGIN: Final = {"Origin": "http://service"}


@dataclass(frozen=True)
class Guarded:
    """The service, whose client has the session of an administrator."""

    service: Service
    #: The administrator's account.
    account: Json

    async def records(self) -> list[AuditRecord]:
        """Return all records of the audit, newest first."""
        return await records_of(self.service)


async def records_of(service: Service) -> list[AuditRecord]:
    """Return all records of the audit, newest first."""
    store = AuditStore(service.services.database)
    return list((await store.page(AuditFilter(), PageRequest(limit=1000))).rows)


@asynccontextmanager
async def guarded_service(
    database_url: str, github: GitHubTestServer, folder: Path, **settings: Any
) -> AsyncIterator[Guarded]:
    """Run the service with AUTH=required, and sign its first administrator in."""
    async with running_service(database_url, github, folder, auth="required", **settings) as run:
        token = await run.services.access.sign_in.setup_secret()
        run.http.headers.update(ORIGIN)
        named = {"name": ADMIN, "password": PASSWORD}
        account = await run.post("/setup", {"token": token, **named}, 201)
        await run.post("/sessions", named, 201)
        yield Guarded(run, account)
