"""The demo: the service on the embedded database, and a GitHub test server with a repository."""

import asyncio
import shlex
import shutil
import socket
import sys
import tempfile
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import httpx2 as httpx
import uvicorn
from pydantic import SecretStr
from rich.console import Console

from benchmark_manager import demo
from benchmark_manager.cli.operations.process_end import end_process_in_time
from benchmark_manager.cli.operations.serve import serve_async
from benchmark_manager.config import Settings, load_settings
from benchmark_manager.errors import StartError, reason_of
from benchmark_manager.logs import configure_logging
from github_test_server import GitHubTestServer, Repository

_PORT: Final = 8001
_REPOSITORY: Final = "acme/vllm-benchmarks"
_TOKEN: Final = "demo"  # noqa: S105 -- known to the test server only
#: The shortest allowed interval, in seconds, so that polling is soon seen at work.
_INTERVAL: Final = 10

_console = Console(highlight=False, soft_wrap=True)


@dataclass(frozen=True, slots=True)
class DemoOptions:
    """Ports and times; see `benchmark-manager demo --help`.

    Attributes:
        poll_timeout: the seconds to wait for a poll to find the change.
    """

    port: int | None
    github_port: int
    change_after: float
    once: bool
    poll_timeout: int = 60


def run_demo(options: DemoOptions) -> None:
    """Run until Ctrl-C, or with `once` until polling has found the change.

    Raises:
        StartError: one readable line.
    """
    if shutil.which("git") is None:
        raise StartError(
            "The demo serves a real git repository and needs the git command, which is missing."
        )
    configure_logging("warning", "console")
    with (
        tempfile.TemporaryDirectory(prefix="benchmark-manager-demo-") as folder,
        suppress(KeyboardInterrupt),
    ):
        asyncio.run(_demo(options, Path(folder)))
    _console.print("\nThe demo has stopped, and its files are deleted.")


async def _demo(options: DemoOptions, folder: Path) -> None:
    _console.print("Starting a GitHub test server, the embedded database and the service ...")
    repository = Repository.init(folder / "sample.git")
    repository.commit(demo.first_commit(), message="Benchmark settings for vLLM")
    github = GitHubTestServer(port=options.github_port)
    github.add(_REPOSITORY, repository)
    github.hosting.add_token(_TOKEN)
    async with _started(github):
        settings = _settings(options, folder, github.url)
        story: asyncio.Task[None] | None = None

        def on_ready(server: uvicorn.Server, address: str) -> None:
            nonlocal story
            story = asyncio.create_task(_run_story(server, address, repository, options))
            story.add_done_callback(lambda task: _stop_if_it_failed(task, server))

        await serve_async(settings, on_ready=on_ready, at_stop=end_process_in_time)
        if story is not None:
            story.cancel()
            await asyncio.gather(story, return_exceptions=True)
            if not story.cancelled() and (error := story.exception()) is not None:
                raise error


@asynccontextmanager
async def _started(github: GitHubTestServer) -> AsyncIterator[None]:
    try:
        await asyncio.to_thread(github.start)
    except OSError as error:
        raise StartError(
            f"The GitHub test server cannot use port {github.port} ({reason_of(error)})."
        ) from None
    try:
        yield
    finally:
        await asyncio.to_thread(github.stop)


def _stop_if_it_failed(story: "asyncio.Task[None]", server: uvicorn.Server) -> None:
    if not story.cancelled() and story.exception() is not None:
        server.should_exit = True


def _settings(options: DemoOptions, folder: Path, github_url: str) -> Settings:
    """Return settings that use none of the user's own database, key or token."""
    return load_settings().model_copy(
        update={
            "mongo_url": None,
            "secret_key": None,
            # Without a token GitHub allows 60 requests an hour, and the demo polls more often.
            "github_token": SecretStr(_TOKEN),
            "data_dir": folder / "data",
            "github_api_urls": (github_url,),
            "host": "127.0.0.1",
            "port": options.port if options.port is not None else _preferred_port(),
        }
    )


def _preferred_port() -> int:
    """Return 8001, or 0 (any free port) if that is in use."""
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind(("127.0.0.1", _PORT))
        except OSError:
            return 0
    return _PORT


async def _run_story(
    server: uvicorn.Server, address: str, repository: Repository, options: DemoOptions
) -> None:
    """Register the sample, print what to try, change upstream, and wait for a poll to find it."""
    with until_stopped(server):
        await _story(server, address, repository, options)


@contextmanager
def until_stopped(server: uvicorn.Server) -> Iterator[None]:
    """Ignore failed requests after Ctrl-C, which may come between two requests."""
    try:
        yield
    except httpx.TransportError:
        if not server.should_exit:
            raise


async def _story(
    server: uvicorn.Server, address: str, repository: Repository, options: DemoOptions
) -> None:
    async with httpx.AsyncClient(base_url=address, timeout=60, trust_env=False) as http:
        await _until_ready(http, server)
        project = (await _post(http, "/projects", _new_project())).json()
        sync = (await _post(http, f"/projects/{project['id']}/sync", None)).json()
        _console.print(f"\n[bold]Synced {_REPOSITORY}:[/bold] {sync['message']}")
        _say_what_to_try(address, project["id"], await _first_file(http, project["id"]))
        await asyncio.sleep(options.change_after)
        sha = await asyncio.to_thread(
            repository.commit, demo.second_commit(), message="Tune for the new driver"
        )
        _console.print(
            f"[bold]Upstream has changed[/bold] (commit {sha[:7]}); "
            f"a poll will find it within {_INTERVAL} s ..."
        )
        await _until_polled(http, project["id"], sha, options.poll_timeout)
        if options.once:
            server.should_exit = True
            return
        _console.print("\nCtrl-C stops the demo.")


def _new_project() -> dict[str, Any]:
    return {
        "name": "Sample: vLLM benchmarks",
        "github_repo_url": _REPOSITORY,
        "config_folder": "config",
        "job_folder": "job",
        "polling_interval": _INTERVAL,
    }


async def _until_ready(http: httpx.AsyncClient, server: uvicorn.Server) -> None:
    while not server.started:  # noqa: ASYNC110 -- uvicorn has no event to wait for
        await asyncio.sleep(0.05)
    (await http.get("/health")).raise_for_status()


async def _post(http: httpx.AsyncClient, path: str, body: dict[str, Any] | None) -> httpx.Response:
    answer = await http.post(path, json=body)
    if answer.is_error:
        raise StartError(f"The demo failed: {answer.json().get('detail', answer.status_code)}")
    return answer


async def _first_file(http: httpx.AsyncClient, project_id: str) -> dict[str, Any]:
    files: list[dict[str, Any]] = (
        await http.get(f"/projects/{project_id}/files", params={"q": "llama"})
    ).json()
    return files[0]


def _say_what_to_try(address: str, project_id: str, file: dict[str, Any]) -> None:
    body = f'{{"original_file_id": "{file["id"]}", "modified_name": "llama-my-variant.yaml"}}'
    _console.print(
        f"""
[bold]Explore[/bold]
  {address}/ui              the pages
  {address}/docs            every route, to try in the browser
  curl {address}/projects/{project_id}
  curl {address}/projects/{project_id}/files
  curl {address}/projects/{project_id}/files/{file["id"]}/raw      {file["path"]}, byte for byte

[bold]Create a variant of it[/bold] (the original stays as it is)
  curl {address}/projects/{project_id}/modified-files -H 'content-type: application/json' -d
  {shlex.quote(body)}

[bold]Sync now[/bold], instead of waiting for the next poll
  curl -X POST {address}/projects/{project_id}/sync
""",
        markup=True,
    )
    sys.stdout.flush()


async def _until_polled(http: httpx.AsyncClient, project_id: str, sha: str, seconds: int) -> None:
    for _ in range(seconds * 4):
        syncs: list[dict[str, Any]] = (
            await http.get(f"/projects/{project_id}/syncs", params={"limit": 5})
        ).json()
        sync = next((s for s in syncs if s["commit_sha"] == sha and s["status"] == "success"), None)
        if sync is not None:
            _console.print(f"[bold]A {sync['trigger']} copied it:[/bold] {sync['message']}")
            for change in sync["changes"]:
                before = f" (was {change['previous_path']})" if change["previous_path"] else ""
                _console.print(f"  {change['change']:8} {change['path']}{before}", markup=False)
            return
        await asyncio.sleep(0.25)
    raise StartError(f"No poll found the change within {seconds} s.")
