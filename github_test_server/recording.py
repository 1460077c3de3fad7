"""What the server was asked and what it sent, so that a test can count requests to the exact."""

from __future__ import annotations

import re
import threading
from collections import Counter, deque
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from github_test_server.limits import Resource


@dataclass(slots=True)
class RecordedRequest:
    """A request, from its arrival on. It never holds a token.

    Attributes:
        path: as asked for, percent-decoded, with the API base path.
        query: without its question mark.
        headers: names in lower case, without Authorization.
        authorized: whether there was an Authorization header.
        body: what was sent with a POST: a GraphQL query's JSON, for one.
        arrived: when, by the server's clock, in seconds since the epoch.
        resource: the allowance which it is charged to; None if it is not metered.
        status: None until it is answered, and for good if the connection is reset instead.
        cost: points of the primary rate limit: 0 or 1.
        bytes_sent: of the answer's body.
        at_once: how many metered requests of its account were under way when it came, this one
            among them.
        account: who asked, as a digest: the same for all requests that share an allowance.
    """

    method: str
    path: str
    query: str
    headers: Mapping[str, str]
    authorized: bool
    body: bytes = b""
    arrived: float = 0.0
    resource: Resource | None = None
    status: int | None = None
    cost: int = 0
    bytes_sent: int = 0
    at_once: int = 0
    account: str = ""
    finished: bool = field(default=False, repr=False)


class RequestLog:
    """All requests since the last reset(), in the order of their arrival, for any thread.

    A request is complete in it before its client has the last byte of the answer.
    """

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._records: list[RecordedRequest] = []
        self._open = 0
        self._open_of: Counter[str] = Counter()
        self.most_at_once = 0
        """The largest number of requests which were under way at the same time."""

    def reset(self) -> None:
        with self._lock:
            self._records = []
            self.most_at_once = self._open

    def count(
        self,
        path: str = "",
        *,
        method: str | None = None,
        status: int | None = None,
        resource: Resource | None = None,
    ) -> int:
        """Count the requests that match; `path` is a regular expression to find in the path."""
        return len(self.select(path, method=method, status=status, resource=resource))

    def select(
        self,
        path: str = "",
        *,
        method: str | None = None,
        status: int | None = None,
        resource: Resource | None = None,
    ) -> list[RecordedRequest]:
        return [
            record
            for record in self._snapshot()
            if re.search(path, record.path)
            and method in {None, record.method}
            and status in {None, record.status}
            and resource in {None, record.resource}
        ]

    def most_in_a_minute(
        self,
        path: str = "",
        *,
        method: str | None = None,
        status: int | None = None,
        resource: Resource | None = None,
        seconds: float = 60.0,
    ) -> int:
        """Return the largest number of matching requests within any period of `seconds`."""
        most, window = 0, deque[float]()
        for record in self.select(path, method=method, status=status, resource=resource):
            window.append(record.arrived)
            while window[0] <= record.arrived - seconds:
                window.popleft()
            most = max(most, len(window))
        return most

    @property
    def points(self) -> int:
        """Points of the primary rate limits which all requests cost, REST and GraphQL together."""
        return sum(record.cost for record in self._snapshot())

    def begin(self, record: RecordedRequest) -> None:
        with self._lock:
            self._records.append(record)
            self._open += 1
            self._open_of[record.account] += record.resource is not None
            record.at_once = self._open_of[record.account]
            self.most_at_once = max(self.most_at_once, self._open)

    def finish(self, record: RecordedRequest) -> None:
        """Count the request as under way no longer; doing so twice does no harm."""
        with self._lock:
            if record.finished:
                return
            self._open -= 1
            self._open_of[record.account] -= record.resource is not None
            record.finished = True

    def _snapshot(self) -> list[RecordedRequest]:
        with self._lock:
            return list(self._records)

    def __len__(self) -> int:
        return len(self._records)

    def __iter__(self) -> Iterator[RecordedRequest]:
        return iter(self._snapshot())

    def __getitem__(self, index: int) -> RecordedRequest:
        return self._records[index]
