"""People and programs of a running service that serves only those it knows."""

from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any, Final

import httpx2 as httpx

from benchmark_manager.factory import Externals
from github_test_server import GitHubTestServer
from support.service import Json, Service, running_service
from support.unchanged_service import unchanged_service
from support.waiting import eventually

PASSWORD: Final = "four brown foxes jump"
ORIGIN: Final = "http://service"


@dataclass(frozen=True)
class Visitor:
    """A client of a service at an address: a browser with cookies, or a program with a token."""

    http: httpx.AsyncClient

    async def ask(
        self, method: str, path: str, status: int | None = None, **options: Any
    ) -> httpx.Response:
        """Send a request; check the answer's status where one is expected."""
        answer = await self.http.request(method, path, **options)
        assert status in {None, answer.status_code}, answer.text
        return answer

    async def get(self, path: str, status: int = 200, **params: Any) -> Any:
        return (await self.ask("GET", path, status, params=params)).json()

    async def post(self, path: str, body: Json | None = None, status: int = 201) -> Any:
        return (await self.ask("POST", path, status, json=body)).json()

    async def sign_in(self, name: str, password: str = PASSWORD) -> Json:
        """Sign in with a password; the browser keeps the cookie."""
        found: Json = await self.post("/sessions", {"name": name, "password": password})
        return found

    @property
    def cookie(self) -> str:
        """The secret of the session."""
        return str(self.http.cookies["bm_session"])


@dataclass(frozen=True)
class SignedInPerson(Visitor):
    """A person who signed in at a browser."""

    id: str
    name: str

    async def token(self, role: str = "admin", **fields: Any) -> str:
        """Make a token of the person's account, and return its text."""
        made = await self.post("/tokens", {"name": "program", "role": role, **fields})
        return str(made["token"])


@dataclass(frozen=True)
class GuardedService:
    """A service with AUTH=required, or `proxy`, and its first administrator."""

    service: Service
    admin: SignedInPerson
    database_url: str
    #: Of all who say no other.
    address: str = "127.0.0.1"
    _clients: list[httpx.AsyncClient] = field(default_factory=list, repr=False)

    def visitor(self, *, address: str | None = None, **headers: str) -> Visitor:
        """Somebody who has not signed in, at a browser."""
        return Visitor(self.client({"Origin": ORIGIN, **headers}, address))

    def program(self, token: str) -> Visitor:
        """A program with a token."""
        return Visitor(self.client({"Authorization": f"Bearer {token}"}))

    def client(self, headers: Mapping[str, str], address: str | None = None) -> httpx.AsyncClient:
        client = client_of(self.service, headers, address or self.address)
        self._clients.append(client)
        return client

    async def account(self, name: str, role: str = "reader") -> Json:
        """A local account."""
        found: Json = await self.admin.post(
            "/accounts", {"name": name, "password": PASSWORD, "role": role}
        )
        return found

    async def person(
        self, name: str, role: str = "reader", *, grants: Mapping[str, str] | None = None
    ) -> SignedInPerson:
        """Somebody with a site-wide role, and roles by project, who has signed in."""
        account = await self.account(name, role)
        for project_id, granted in (grants or {}).items():
            body = {"kind": "account", "id": account["id"], "role": granted}
            await self.admin.ask("PUT", f"/projects/{project_id}/grants", 200, json=body)
        return await self.signed_in(name, account["id"])

    async def signed_in(self, name: str, account_id: str) -> SignedInPerson:
        """The person of an account, at one more browser."""
        visitor = self.visitor()
        await visitor.sign_in(name)
        return SignedInPerson(visitor.http, account_id, name)

    @asynccontextmanager
    async def unchanged(self, address: str) -> "AsyncIterator[GuardedService]":
        """Put back what the block changes; it begins with nobody but the administrator.

        Sign-ins of each address are limited, so that each block has one of its own.
        """
        services = self.service.services
        cookies = httpx.Cookies(self.admin.http.cookies)
        async with unchanged_service(self.service):
            clients: list[httpx.AsyncClient] = []
            yield replace(self, address=address, _clients=clients)
            for client in clients:
                await client.aclose()
            await services.access.uses.finish()
            await eventually(lambda: not services.sync.running or None, "a sync runs on")
        self.admin.http.cookies = cookies
        services.identities.forget()

    async def close(self) -> None:
        for client in (self.admin.http, *self._clients):
            await client.aclose()


def client_of(
    service: Service, headers: Mapping[str, str], address: str = "127.0.0.1"
) -> httpx.AsyncClient:
    """Return another client of a service, at an address."""
    transport = httpx.ASGITransport(
        app=service.app, raise_app_exceptions=False, client=(address, 4711)
    )
    return httpx.AsyncClient(
        transport=transport, base_url=ORIGIN, timeout=60, headers=dict(headers)
    )


async def first_administrator(service: Service, name: str = "ada") -> SignedInPerson:
    """The administrator whom a set-up link makes, signed in."""
    secret = await service.services.access.sign_in.setup_secret()
    visitor = Visitor(client_of(service, {"Origin": ORIGIN}))
    body = {"token": secret, "name": name, "password": PASSWORD}
    account = await visitor.post("/setup", body)
    await visitor.sign_in(name)
    return SignedInPerson(visitor.http, account["id"], name)


@asynccontextmanager
async def guarded_service(
    database_url: str,
    github: GitHubTestServer,
    folder: Path,
    *,
    externals: Externals | None = None,
    auth: str = "required",
    **settings: Any,
) -> AsyncIterator[GuardedService]:
    """A service that serves only those it knows, and its first administrator."""
    async with running_service(
        database_url, github, folder, externals=externals, auth=auth, **settings
    ) as service:
        guarded = GuardedService(service, await first_administrator(service), database_url)
        try:
            yield guarded
        finally:
            await guarded.close()


@asynccontextmanager
async def replica_of(
    guarded: GuardedService, *, externals: Externals | None = None
) -> AsyncIterator[GuardedService]:
    """Another service on the same database, for the same people."""
    service = guarded.service
    async with running_service(
        guarded.database_url,
        service.github,
        service.folder,
        externals=externals,
        auth="required",
        secret_key=service.secret_key,
    ) as other:
        admin = guarded.admin
        client = client_of(other, {"Origin": ORIGIN})
        client.cookies.set("bm_session", admin.cookie)
        person = SignedInPerson(client, admin.id, admin.name)
        replica = GuardedService(other, person, guarded.database_url)
        try:
            yield replica
        finally:
            await replica.close()
