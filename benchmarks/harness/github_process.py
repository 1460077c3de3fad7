"""The GitHub test server in a process of its own, so that its processor time is not measured."""

import multiprocessing
import signal
import threading
import traceback
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import TYPE_CHECKING, Any, Concatenate, Final, ParamSpec, Self, TypeVar, cast

from github_test_server import GitHubTestServer, Repository

if TYPE_CHECKING:
    from multiprocessing.connection import Connection

_STOP_SECONDS: Final = 15

P = ParamSpec("P")
T = TypeVar("T")


class GitHubProcess:
    """A running server; `ask` runs a function in its process.

    with GitHubProcess() as github:
        github.ask(host, folder / "demo.git", ["octo/demo"])
    """

    def __init__(self) -> None:
        # Not forked: the benchmark has threads and connections of its own.
        context = multiprocessing.get_context("spawn")
        self._connection, self._other = context.Pipe()
        self._process = context.Process(
            target=_serve, args=(self._other,), name="github", daemon=True
        )
        self._lock = threading.Lock()
        self.url = ""

    @property
    def pid(self) -> int:
        assert self._process.pid is not None
        return self._process.pid

    def ask(
        self,
        function: Callable[Concatenate[GitHubTestServer, P], T],
        *args: P.args,
        **kwargs: P.kwargs,
    ) -> T:
        """Call `function`, of a module, with the server and arguments that can be pickled."""
        with self._lock:
            self._connection.send((function, args, kwargs))
            return cast("T", self._answer())

    def _answer(self) -> object:
        good, value = self._connection.recv()
        if not good:
            raise RuntimeError(f"in the GitHub test server's process:\n{value}")
        return value

    def __enter__(self) -> Self:
        self._process.start()
        # So that the end of the process is the end of the connection.
        self._other.close()
        self.url = str(self._answer())
        return self

    def __exit__(self, *_: object) -> None:
        self._connection.close()
        self._process.join(_STOP_SECONDS)
        if self._process.is_alive():
            self._process.kill()
            self._process.join()


def _serve(connection: "Connection[Any, Any]") -> None:
    # Ctrl-C goes to all processes of a terminal; this one ends with the benchmark.
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    with GitHubTestServer() as server:
        connection.send((True, server.url))
        while True:
            try:
                function, args, kwargs = connection.recv()
            except EOFError:
                return
            connection.send(_outcome(function, server, args, kwargs))


def _outcome(
    function: Callable[..., object],
    server: GitHubTestServer,
    args: tuple[Any, ...],
    kwargs: dict[str, Any],
) -> tuple[bool, object]:
    try:
        return True, function(server, *args, **kwargs)
    except Exception:  # noqa: BLE001 -- the other process gets it
        return False, traceback.format_exc()


def host(server: GitHubTestServer, path: Path, names: Iterable[str]) -> None:
    """Serve one bare repository under all these names, as public."""
    repository = Repository(path)
    for name in names:
        server.add(name, repository)


def know_tokens(server: GitHubTestServer, tokens: Iterable[str]) -> None:
    for token in tokens:
        server.hosting.add_token(token)


def set_latency(server: GitHubTestServer, seconds: float) -> None:
    server.latency = seconds


def lift_limits(server: GitHubTestServer) -> None:
    """Set limits so high that none is ever reached."""
    server.limits.clear()
    server.limits.with_token = server.limits.without_token = 10**7


def set_github_limits(server: GitHubTestServer) -> None:
    """Set GitHub's limits, all unused; requests beyond them are refused.

    https://docs.github.com/en/rest/using-the-rest-api/rate-limits-for-the-rest-api
    https://docs.github.com/en/graphql/overview/rate-limits-and-query-limits-for-the-graphql-api
    """
    server.limits.clear()
    server.limits.with_token, server.limits.without_token = 5000, 60
    server.limits.points_per_minute = 900
    server.limits.graphql_points_per_minute = 2000
    server.limits.requests_at_once = 100


def forget_requests(server: GitHubTestServer) -> None:
    server.requests.reset()
