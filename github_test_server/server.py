"""The server: a thread of this process with an event loop of its own, on a free or a given port."""

from __future__ import annotations

import asyncio
import re
import socket
import threading
import time
from contextlib import contextmanager
from typing import TYPE_CHECKING, Self

import uvicorn

from github_test_server.app import create_app
from github_test_server.protocol import TransportProtocol
from github_test_server.shapes import Urls
from github_test_server.state import State, TreeLimits

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator

    from github_test_server.faults import Faults
    from github_test_server.hosting import HostedRepository, Hosting
    from github_test_server.limits import AccountLimits
    from github_test_server.recording import RequestLog
    from github_test_server.repositories import Repository

#: Longer than a busy machine takes.
_START_SECONDS = 60
_STOP_SECONDS = 60
#: Of the event loop, in which a connection is accepted, its request read and a task begun for it.
_ROUNDS = 10


class GitHubTestServer:
    """Serves bare git repositories as GitHub's REST API does.

        async with GitHubTestServer() as server:
            repository = Repository.init(tmp_path / "demo.git")
            repository.commit({"config/a.yaml": b"a: 1"})
            server.add("octo/demo", repository, private_to=["secret"])
            ...  # GET f"{server.url}/repos/octo/demo/commits/HEAD"

    It may be stopped and started again, and keeps its port. All that it holds may be changed from
    any thread while it runs; stopping it resets what connections are open.

    Args:
        host: the address to listen on.
        port: 0 for a free one.
        api_path: "" as api.github.com, or "/api/v3" as GitHub Enterprise Server.
        clock: seconds since the epoch, for limits and download links.
        codeload_host: another name of the host for archives, such as "localhost"; GitHub's are on
            another host.
    """

    def __init__(
        self,
        *,
        host: str = "127.0.0.1",
        port: int = 0,
        api_path: str = "",
        clock: Callable[[], float] = time.time,
        codeload_host: str | None = None,
    ) -> None:
        self.host = host
        self.port = port
        self._state = State(api_path=api_path, clock=clock)
        self._codeload_host = codeload_host
        self._running: _Running | None = None

    @property
    def origin(self) -> str:
        return f"http://{self.host}:{self.port}"

    @property
    def url(self) -> str:
        """The API's base URL, without a final slash."""
        return self.origin + self._state.api_path

    @property
    def urls(self) -> Urls:
        """The addresses which payloads of webhooks name."""
        return Urls(self.origin, self.url)

    @property
    def graphql_url(self) -> str:
        """The GraphQL endpoint: beside an API base that ends with /api/v3, else below it."""
        return self.origin + self._state.graphql_path

    @property
    def graphql(self) -> bool:
        """Whether there is a GraphQL endpoint; False makes it answer 404."""
        return self._state.graphql

    @graphql.setter
    def graphql(self, there: bool) -> None:
        self._state.graphql = there

    @property
    def hosting(self) -> Hosting:
        """Repositories, tokens and GitHub Apps.

        add, remove, rename, make_private, make_public; add_token, revoke_token; add_app, install,
        uninstall, expire_tokens; sign_ins.
        """
        return self._state.hosting

    @property
    def limits(self) -> AccountLimits:
        return self._state.limits

    @property
    def faults(self) -> Faults:
        return self._state.faults

    @property
    def requests(self) -> RequestLog:
        return self._state.requests

    @property
    def latency(self) -> float:
        """Seconds which every answer takes longer."""
        return self._state.latency

    @latency.setter
    def latency(self, seconds: float) -> None:
        self._state.latency = seconds

    @contextmanager
    def held(self, path: str = "") -> Iterator[None]:
        """Answer no request inside whose path matches the expression; answer it at the end."""
        self._state.held = re.compile(path)
        try:
            yield
        finally:
            self._state.held = None

    @property
    def tree_limits(self) -> TreeLimits:
        return self._state.tree_limits

    def add(
        self, full_name: str, repository: Repository, *, private_to: Iterable[str] | None = None
    ) -> HostedRepository:
        """Host a repository as `owner/name`, public or for some tokens only."""
        return self.hosting.add(full_name, repository, private_to=private_to)

    def rename(self, old: str, new: str) -> None:
        """Rename a repository; the old name answers 301."""
        self.hosting.rename(old, new)

    def reset(self) -> None:
        """Forget recorded requests, faults and all limits; keep repositories and tokens.

        GraphQL is there again. What was sent before is not answered any more: of a client that did
        not wait for its answer, a request would be recorded later.
        """
        if self._running is not None:
            self._running.abandon_requests()
        self.faults.clear()
        self.limits.clear()
        self.requests.reset()
        self.latency = 0.0
        self._state.held = None
        self.graphql = True
        self._state.tree_limits = TreeLimits()

    def start(self) -> None:
        """Listen and serve; returns when it does. OSError if the port is taken."""
        if self._running is not None:
            raise RuntimeError("the server runs already")
        listener = socket.create_server((self.host, self.port))
        self.port = listener.getsockname()[1]
        if self._codeload_host is not None:
            self._state.codeload_url = f"http://{self._codeload_host}:{self.port}"
        self._running = _Running(self._state, listener)

    def stop(self) -> None:
        """Stop at once, resetting open connections; does nothing if it doesn't run."""
        running, self._running = self._running, None
        if running is not None:
            running.stop()
        for hosted in self.hosting.repositories():
            hosted.repository.close()

    def __enter__(self) -> Self:
        self.start()
        return self

    def __exit__(self, *_: object) -> None:
        self.stop()

    async def __aenter__(self) -> Self:
        await asyncio.to_thread(self.start)
        return self

    async def __aexit__(self, *_: object) -> None:
        await asyncio.to_thread(self.stop)


class _Running:
    """One run of the server, in its thread."""

    def __init__(self, state: State, listener: socket.socket) -> None:
        config = uvicorn.Config(
            create_app(state),
            http=TransportProtocol,
            ws="none",
            loop="asyncio",
            lifespan="off",
            log_config=None,
            access_log=False,
            server_header=False,
            proxy_headers=False,
            timeout_keep_alive=60,
            timeout_graceful_shutdown=1,
        )
        self._server = _UvicornServer(config)
        self._thread = threading.Thread(
            target=self._run, args=[listener], name="github-test-server", daemon=True
        )
        self._thread.start()
        if not self._server.serving.wait(_START_SECONDS) or not self._server.started:
            listener.close()
            raise RuntimeError("the GitHub test server did not start")

    def _run(self, listener: socket.socket) -> None:
        try:
            self._server.run(sockets=[listener])
        finally:
            self._server.serving.set()

    def abandon_requests(self) -> None:
        """End all requests that have been sent, even those which were not read yet."""
        abandoning = self._server.abandon_requests()
        asyncio.run_coroutine_threadsafe(abandoning, self._server.loop).result(_STOP_SECONDS)

    def stop(self) -> None:
        self._server.should_exit = True
        self._thread.join(_STOP_SECONDS)
        if self._thread.is_alive():
            raise RuntimeError("the GitHub test server did not stop")


class _UvicornServer(uvicorn.Server):
    """uvicorn's server, which reports when it serves and stops without waiting for clients."""

    def __init__(self, config: uvicorn.Config) -> None:
        super().__init__(config)
        self.serving = threading.Event()
        self.loop: asyncio.AbstractEventLoop

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        self.loop = asyncio.get_running_loop()
        await super().startup(sockets)
        self.serving.set()

    async def abandon_requests(self) -> None:
        """End all requests that have been sent, and the connections that they came over."""
        for _ in range(_ROUNDS):
            await asyncio.sleep(0)
        for connection in list(self.server_state.connections):
            if isinstance(connection, TransportProtocol) and connection.is_answering:
                connection.transport.abort()
        tasks = list(self.server_state.tasks)
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)

    async def shutdown(self, sockets: list[socket.socket] | None = None) -> None:
        for connection in list(self.server_state.connections):
            connection.transport.abort()
        for task in list(self.server_state.tasks):
            task.cancel()
        await super().shutdown(sockets)
