"""The ways on which listings and contents come from GitHub."""

from dataclasses import dataclass

from benchmark_manager.github.sending.requests import Connection
from github_test_server import RecordedRequest, Status
from support.service import Json, Service

TOKEN = "reader"


@dataclass(frozen=True, slots=True)
class Route:
    """One way: with or without a token, GraphQL, and archives.

    Without all of them, one request a blob.
    """

    name: str
    token: str | None = TOKEN
    graphql: bool = True
    archives: bool = True

    def __str__(self) -> str:
        return self.name

    def open(self, service: Service) -> Json:
        """Make it the only way for what is asked from now on.

        Returns the fields of projects which take it.
        """
        service.github.graphql = self.graphql
        if not self.archives:
            service.github.faults.add(Status(404), path="/tarball/", times=None)
        service.github.hosting.add_token(TOKEN)
        service.github.limits.set(self.token, limit=10**6, remaining=10**6)
        service.github.limits.set(self.token, limit=10**6, remaining=10**6, resource="graphql")
        return {} if self.token is None else {"github_token": self.token}

    @property
    def readers(self) -> list[str] | None:
        """To whom a repository on this way can be private; None: it is public."""
        return None if self.token is None else [self.token]


ROUTES = (
    Route("with a token"),
    Route("with a token, without archives", archives=False),
    Route("with a token, without GraphQL", graphql=False),
    Route("one request a blob", graphql=False, archives=False),
    Route("without a token", token=None),
)
BY_NAME = {route.name: route for route in ROUTES}


def connection_of(service: Service) -> Connection:
    return service.services.connection


def forget(service: Service) -> None:
    """Let the service forget what it learnt of GitHub's limits, and that there is no GraphQL."""
    connection_of(service).forget()


def forget_listings(service: Service) -> None:
    """As some seconds later, when the listings of the sync before are not kept any more."""
    service.services.lister.forget()


def blobs_asked_for(requests: list[RecordedRequest]) -> int:
    """How many contents were asked for by themselves: raw, or in queries."""
    raw = sum("/git/blobs/" in request.path for request in requests)
    return raw + sum(request.body.count(b"object(oid:") for request in requests)
