"""Requests to the GitHub test server; the functions run in its process (`GitHubProcess.ask`)."""

import json
import re
from collections import defaultdict, deque
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Final

from github_test_server import GitHubTestServer, RecordedRequest

_REST: Final = re.compile(r"/repos/([^/]+/[^/]+)/")
_GRAPHQL: Final = re.compile(r"repository\(owner: \$(\w+), name: \$(\w+)\)")
_REFUSALS: Final = frozenset({401, 403, 429})
_MINUTE: Final = 60.0


@dataclass(frozen=True, slots=True)
class Cost:
    """The cost of requests.

    Attributes:
        requests: to the API and of git.
        downloads: from codeload, not counted in `requests`.
        points: of the rate limits.
        bytes: of all answers' bodies.
    """

    requests: int
    downloads: int
    points: int
    bytes: int


def cost(server: GitHubTestServer) -> Cost:
    """Return the cost of all requests since `forget_requests`."""
    records = list(server.requests)
    downloads = sum(record.path.startswith("/codeload/") for record in records)
    return Cost(
        requests=len(records) - downloads,
        downloads=downloads,
        points=sum(record.cost for record in records),
        bytes=sum(record.bytes_sent for record in records),
    )


@dataclass(frozen=True, slots=True)
class GitHubLoad:
    """The requests in some time; numbers for a minute are those of the account with most in one.

    `busiest_points` are those of the primary limits, of REST and GraphQL together.
    """

    requests: int
    queries: int
    points: int
    most_points_of_account: int
    busiest_points: int
    busiest_rest: int
    busiest_graphql: int
    most_at_once: int
    refused: int


def load(server: GitHubTestServer, begin: float, end: float) -> GitHubLoad:
    """Return the load that arrived from `begin` to `end`, in seconds since the epoch."""
    records = [record for record in server.requests if begin <= record.arrived < end]
    by_account = defaultdict[str, list[RecordedRequest]](list)
    for record in records:
        by_account[record.account].append(record)
    accounts = by_account.values()
    return GitHubLoad(
        requests=len(records),
        queries=sum(record.resource == "graphql" for record in records),
        points=sum(record.cost for record in records),
        most_points_of_account=max(
            (sum(record.cost for record in of_one) for of_one in accounts), default=0
        ),
        busiest_points=_busiest(
            [record for record in of_one if record.cost] for of_one in accounts
        ),
        busiest_rest=_busiest(
            [record for record in of_one if record.resource == "core"] for of_one in accounts
        ),
        busiest_graphql=_busiest(
            [record for record in of_one if record.resource == "graphql"] for of_one in accounts
        ),
        most_at_once=max((record.at_once for record in records), default=0),
        refused=sum(record.status in _REFUSALS for record in records),
    )


def _busiest(accounts: Iterable[list[RecordedRequest]]) -> int:
    return max((_most_in_a_minute(records) for records in accounts), default=0)


def _most_in_a_minute(records: list[RecordedRequest]) -> int:
    most, window = 0, deque[float]()
    for record in records:
        window.append(record.arrived)
        while window[0] <= record.arrived - _MINUTE:
            window.popleft()
        most = max(most, len(window))
    return most


def asked_for(server: GitHubTestServer) -> dict[str, list[float]]:
    """Return the times of requests for each repository, in lower case, since `forget_requests`."""
    arrivals = defaultdict[str, list[float]](list)
    for record in server.requests:
        for name in set(_repositories(record)):
            arrivals[name.lower()].append(record.arrived)
    return dict(arrivals)


def _repositories(record: RecordedRequest) -> Iterator[str]:
    if record.resource == "graphql":
        posted = json.loads(record.body)
        for owner, name in _GRAPHQL.findall(posted["query"]):
            yield f"{posted['variables'][owner]}/{posted['variables'][name]}"
    elif found := _REST.search(f"{record.path}/"):
        yield found[1]
