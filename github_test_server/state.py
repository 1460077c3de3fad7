"""What the server's parts share, and what a test may change while it runs."""

from __future__ import annotations

import time
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from github_test_server.faults import Faults
from github_test_server.hosting import Hosting
from github_test_server.limits import AccountLimits
from github_test_server.recording import RequestLog

if TYPE_CHECKING:
    import re
    from collections.abc import Callable


@dataclass(slots=True)
class TreeLimits:
    """When a listing of a tree is cut short, with `truncated: true`.

    GitHub's limits are 100,000 entries and 7 MB (of JSON) of a recursive listing:
    https://docs.github.com/en/rest/git/trees#get-a-tree
    """

    recursive_entries: int = 100_000
    recursive_bytes: int = 7 * 1024 * 1024
    folder_entries: int = 100_000


@dataclass(slots=True)
class State:
    """Attributes: `api_path` is "" or such as "/api/v3", `latency` seconds before every answer.

    While `held` is set no request whose path it is found in is answered.

    `codeload_url` is the origin of archives; None: the server's own. `graphql`: whether that API is
    there.
    """

    api_path: str = ""
    clock: Callable[[], float] = time.time
    codeload_url: str | None = None
    latency: float = 0.0
    held: re.Pattern[str] | None = None
    graphql: bool = True
    tree_limits: TreeLimits = field(default_factory=TreeLimits)
    requests: RequestLog = field(default_factory=RequestLog)
    faults: Faults = field(default_factory=Faults)
    hosting: Hosting = field(init=False)
    limits: AccountLimits = field(init=False)

    @property
    def graphql_path(self) -> str:
        """Where GraphQL is: beside "/api/v3" on GitHub Enterprise Server.

        https://docs.github.com/en/enterprise-server@latest/graphql/guides/forming-calls-with-graphql#the-graphql-endpoint
        """
        enterprise = self.api_path.endswith("/api/v3")
        base = self.api_path.removesuffix("/v3") if enterprise else self.api_path
        return f"{base}/graphql"

    def __post_init__(self) -> None:
        self.hosting = Hosting(clock=self.clock)
        self.limits = AccountLimits(clock=self.clock, account_of=self.hosting.account_of)
