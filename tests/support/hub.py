"""Clients of our GitHub, as one process of the service has them."""

from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import UTC, datetime

import httpx2 as httpx

from benchmark_manager.github.reading.client import RepositoryClient
from benchmark_manager.github.sending.credentials import Credential
from benchmark_manager.github.sending.governor import Governors
from benchmark_manager.github.sending.requests import Connection, RequestRecord
from benchmark_manager.models.project import RepositoryAddress
from github_test_server import GitHubTestServer


def utc_now() -> datetime:
    return datetime.now(UTC)


@dataclass
class Hub:
    """Clients of one process.

    `pauses` are the seconds that they would have slept, `sent` what they asked.
    """

    server: GitHubTestServer
    clock: Callable[[], datetime] = utc_now
    transport: httpx.AsyncBaseTransport | None = None
    pauses: list[float] = field(default_factory=list)
    sent: list[RequestRecord] = field(default_factory=list)
    connection: Connection = field(init=False)

    def __post_init__(self) -> None:
        async def sleep(seconds: float) -> None:
            self.pauses.append(seconds)

        self.connection = Connection(
            Governors(self.clock),
            transport=self.transport,
            sleep=sleep,
            random=lambda: 1.0,
            clock=self.clock,
            request_seconds=10.0,
            observe=self.sent.append,
        )

    def address(self, name: str = "demo", api_url: str | None = None) -> RepositoryAddress:
        return RepositoryAddress(api_url=api_url or self.server.url, owner="octo", name=name)

    def repository(
        self,
        token: str | None = None,
        *,
        name: str = "demo",
        api_url: str | None = None,
        urgent: bool = False,
    ) -> RepositoryClient:
        address = self.address(name, api_url)
        return RepositoryClient(
            self.connection, address, Credential.of_token(address.api_url, token), urgent=urgent
        )

    def kinds(self) -> list[str]:
        """What was asked for, in the order of the answers."""
        return [record.kind for record in self.sent]
