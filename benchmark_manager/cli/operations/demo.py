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
from typing import TYPE_CHECKING, Any, Final

import httpx2 as httpx
import uvicorn
from pydantic import SecretStr
from rich.console import Console

from benchmark_manager import demo
from benchmark_manager.cli.operations.demo_accounts import (
    give_roles,
    make_accounts,
    new_token,
    say_who_may_what,
    sign_in,
)
from benchmark_manager.cli.operations.demo_requests import checked, curl_command
from benchmark_manager.cli.operations.demo_results import SweepToMeasure, measure_sweep
from benchmark_manager.cli.operations.demo_sweep import show_sweep
from benchmark_manager.cli.operations.process_end import end_process_in_time
from benchmark_manager.cli.operations.serve import serve_async
from benchmark_manager.client import ClientError
from benchmark_manager.client.address import DEFAULT_URL, URL_VARIABLE
from benchmark_manager.config import Settings, load_settings
from benchmark_manager.demo.people import DemoPeople, new_people
from benchmark_manager.errors import StartError, reason_of
from benchmark_manager.logs import configure_logging
from github_test_server import GitHubTestServer, Repository

if TYPE_CHECKING:
    from benchmark_manager.factory import Services

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
        accounts: whether people have to sign in.
        measure: whether the cells of the sweep are measured.
        poll_timeout: the seconds to wait for a poll to find the change.
    """

    port: int | None
    github_port: int
    change_after: float
    once: bool
    accounts: bool = False
    measure: bool = True
    poll_timeout: int = 60


@dataclass(frozen=True, slots=True)
class _Demo:
    """What the story is about; without people, everybody is served."""

    options: DemoOptions
    folder: Path
    repository: Repository
    people: DemoPeople | None


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
    story = _Demo(options, folder, repository, new_people() if options.accounts else None)
    async with _started(github):
        await _serve(_settings(options, folder, github.url), story)


async def _serve(settings: Settings, demo_: _Demo) -> None:
    story: asyncio.Task[None] | None = None

    async def prepare(services: "Services") -> None:
        if demo_.people is not None:
            await make_accounts(services, demo_.people)

    def on_ready(server: uvicorn.Server, address: str) -> None:
        nonlocal story
        story = asyncio.create_task(_run_story(server, address, demo_))
        story.add_done_callback(lambda task: _stop_if_it_failed(task, server))

    def at_stop() -> None:
        end_process_in_time()
        if story is not None:
            # What it runs would take time from the service, which has to stop soon.
            story.cancel()

    await serve_async(settings, prepare=prepare, on_ready=on_ready, at_stop=at_stop)
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
            "public_url": None,
            "root_path": None,
            "auth": "required" if options.accounts else "open",
            "oidc_issuer": None,
            "github_oauth_client_id": None,
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


async def _run_story(server: uvicorn.Server, address: str, demo_: _Demo) -> None:
    """Register the sample, print what to try, change upstream, and wait for a poll to find it."""
    with until_stopped(server):
        await _story(server, address, demo_)


@contextmanager
def until_stopped(server: uvicorn.Server) -> Iterator[None]:
    """Ignore what fails after Ctrl-C, which may come between two requests, also of commands."""
    try:
        yield
    except (httpx.TransportError, ClientError, StartError):
        if not server.should_exit:
            raise


async def _story(server: uvicorn.Server, address: str, demo_: _Demo) -> None:
    options, people = demo_.options, demo_.people
    async with httpx.AsyncClient(base_url=address, timeout=60, trust_env=False) as http:
        await _until_ready(http, server)
        if people is not None:
            await sign_in(http, people.administrator)
        project = (await checked(http.post("/projects", json=_new_project()))).json()
        sync = (await checked(http.post(f"/projects/{project['id']}/sync"))).json()
        _console.print(f"\n[bold]Synced {_REPOSITORY}:[/bold] {sync['message']}")
        token = None if people is None else await _people_with_roles(http, people, project)
        _say_which_address(address)
        _say_what_to_try(address, project["id"], await _first_file(http, project["id"]), token)
        sweep = await show_sweep(http, _console, project["id"], token)
        sys.stdout.flush()
        await asyncio.gather(
            _change_upstream(http, project["id"], demo_), _measure(address, sweep, token, demo_)
        )
        if options.once:
            server.should_exit = True
            return
        _console.print("\nCtrl-C stops the demo.")


def _say_which_address(address: str) -> None:
    """Print how the commands of the guides reach the service, unless they do without a word."""
    if address == DEFAULT_URL:
        return
    _console.print(
        f"\n[bold]For the commands of the guides[/bold], which else ask {DEFAULT_URL}\n"
        f"  export {URL_VARIABLE}={address}"
    )


async def _change_upstream(http: httpx.AsyncClient, project_id: str, demo_: _Demo) -> None:
    await asyncio.sleep(demo_.options.change_after)
    sha = await asyncio.to_thread(
        demo_.repository.commit, demo.second_commit(), message="Tune for the new driver"
    )
    _console.print(
        f"[bold]Upstream has changed[/bold] (commit {sha[:7]}); "
        f"a poll will find it within {_INTERVAL} s ..."
    )
    await _until_polled(http, project_id, sha, demo_.options.poll_timeout)


async def _measure(address: str, sweep: dict[str, Any], token: str | None, demo_: _Demo) -> None:
    if demo_.options.measure:
        await measure_sweep(SweepToMeasure(address, sweep, token, demo_.folder), _console)


async def _people_with_roles(
    http: httpx.AsyncClient, people: DemoPeople, project: dict[str, Any]
) -> str:
    """Give the people their roles, print them, and return a token of the editor."""
    await give_roles(http, people, project, _new_project())
    address = str(http.base_url).rstrip("/")
    say_who_may_what(_console, address, people, project["name"])
    return await new_token(address, people.editor, project["id"])


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


async def _first_file(http: httpx.AsyncClient, project_id: str) -> dict[str, Any]:
    files: list[dict[str, Any]] = (
        await http.get(f"/projects/{project_id}/files", params={"q": "llama"})
    ).json()
    return files[0]


def _say_what_to_try(
    address: str, project_id: str, file: dict[str, Any], token: str | None
) -> None:
    curl = curl_command(token)
    if token is not None:
        _console.print(f"\n[bold]For programs[/bold], a token of the editor\n  TOKEN={token}")
    body = f'{{"original_file_id": "{file["id"]}", "modified_name": "llama-my-variant.yaml"}}'
    _console.print(
        f"""
[bold]Explore[/bold]
  {address}/ui              the pages
  {address}/docs            every route, to try in the browser
  {curl} {address}/projects/{project_id}
  {curl} {address}/projects/{project_id}/files
  {curl} {address}/projects/{project_id}/files/{file["id"]}/raw

[bold]Create a variant[/bold] of {file["path"]} (the original stays as it is)
  {curl} {address}/projects/{project_id}/modified-files -H 'content-type: application/json' \\
    -d {shlex.quote(body)}

[bold]Sync now[/bold], instead of waiting for the next poll
  {curl} -X POST {address}/projects/{project_id}/sync
""",
        markup=True,
    )


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
