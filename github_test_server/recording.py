"""What the server was asked and what it sent, so that a test can count requests to the exact."""

from __future__ import annotations

import re
import threading
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping


@dataclass(slots=True)
class RecordedRequest:
    """A request, from its arrival on. It never holds a token.

    Attributes:
        path: as asked for, percent-decoded, with the API base path.
        query: without its question mark.
        headers: names in lower case, without Authorization.
        authorized: whether there was an Authorization header.
        body: what was sent with a POST.
        status: None until it is answered, and for good if the connection is reset instead.
        cost: points of the primary rate limit: 0 or 1.
        bytes_sent: of the answer's body.
    """

    method: str
    path: str
    query: str
    headers: Mapping[str, str]
    authorized: bool
    body: bytes = b""
    status: int | None = None
    cost: int = 0
    bytes_sent: int = 0
    finished: bool = field(default=False, repr=False)


class RequestLog:
    """All requests since the last reset(), in the order of their arrival; safe to read from any thread.

    A request is complete in it before its client has the last byte of the answer.
    """

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._records: list[RecordedRequest] = []
        self._open = 0
        self.most_at_once = 0
        """The largest number of requests which were under way at the same time."""

    def reset(self) -> None:
        with self._lock:
            self._records = []
            self.most_at_once = self._open

    def count(self, path: str = "", *, method: str | None = None, status: int | None = None) -> int:
        """Count the requests which match: `path` is a regular expression to be found in the path."""
        return len(self.select(path, method=method, status=status))

    def select(self, path: str = "", *, method: str | None = None, status: int | None = None) -> list[RecordedRequest]:
        return [
            record
            for record in self._snapshot()
            if re.search(path, record.path) and method in {None, record.method} and status in {None, record.status}
        ]

    @property
    def points(self) -> int:
        """Points of the primary rate limit which all requests cost."""
        return sum(record.cost for record in self._snapshot())

    def begin(self, record: RecordedRequest) -> None:
        with self._lock:
            self._records.append(record)
            self._open += 1
            self.most_at_once = max(self.most_at_once, self._open)

    def finish(self, record: RecordedRequest) -> None:
        """Count the request as under way no longer; doing so twice does no harm."""
        with self._lock:
            self._open -= not record.finished
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
