"""The command line in processes of its own."""

import asyncio
import os
import re
import shutil
import signal
import subprocess
import sys
import textwrap
from collections.abc import Awaitable, Callable
from datetime import UTC, datetime
from pathlib import Path

import httpx2 as httpx
import pytest
from bson import ObjectId
from cryptography.fernet import Fernet

from benchmark_manager.cli.operations.serve import bind, listen
from benchmark_manager.errors import StartError
from benchmark_manager.models.project import Project, RepositoryAddress, Source
from benchmark_manager.stores.embedded.ports import free_port
from benchmark_manager.stores.embedded.process import read_pids
from benchmark_manager.stores.projects.projects import ProjectStore
from benchmark_manager.version import __version__
from github_test_server import Delay, GitHubTestServer, Repository
from support.commands import run_here
from support.process import ROOT, run_main, run_program, service_process, start
from support.reused_database import lent_database
from support.stopwatch import Stopwatch
from support.waiting import GENEROUS, eventually

HELP = {
    (): [
        "serve",
        "demo",
        "rotate-key",
        "webhook",
        "version",
        "environment variables",
        ".env",
        "README.md",
        "Exit code 1",
    ],
    ("serve",): ["MONGO_URL", "DATA_DIR", "HOST", "PORT", "/health", "SIGTERM", "Exit code 1"],
    ("demo",): [
        "--port",
        "--no-measure",
        "--once",
        "--accounts",
        "--change-after",
        "sample repository",
        "8001",
    ],
    ("rotate-key",): [
        "SECRET_KEY=new,old",
        "restart every replica",
        "stop the service first",
        "Exit code 2",
    ],
    ("webhook", "test"): [
        "--url",
        "BENCHMARK_MANAGER_URL",
        "8001",
        "WEBHOOK_SECRET",
        "Exit code 1",
    ],
    ("projects", "add"): ["OWNER/REPO", "/tree/BRANCH/FOLDER", "--config-folder"],
    ("projects", "preview"): ["OWNER/REPO", "/tree/BRANCH/FOLDER", "--config-folder"],
    ("login",): ["[URL]", "BENCHMARK_MANAGER_URL", "--token-file", "--no-browser", "logout"],
    ("accounts", "create"): ["--role", "--password-file", "--url", "MONGO_URL", "DATA_DIR"],
    ("version",): ["Print the version"],
}


def words(text: str) -> str:
    """The text without its frames and line ends."""
    return " ".join(re.sub(r"[│╭╮╰╯─]", " ", text).split())


@pytest.mark.parametrize("command", HELP, ids=" ".join)
def test_help_has_the_important_words(command: tuple[str, ...]) -> None:
    done = run_here([*command, "--help"])
    assert (done.code, done.err) == (0, "")
    output = words(done.out)
    assert [word for word in HELP[command] if word not in output] == []


@pytest.mark.parametrize("columns", [80, 120])
def test_only_the_terminal_ends_the_lines_of_a_paragraph_of_help(
    tmp_path: Path, columns: int
) -> None:
    done = run_main(tmp_path, "pull", "--help", columns=str(columns))
    lines = [line.strip() for line in done.stdout.splitlines()]
    begin = next(number for number, line in enumerate(lines) if line.startswith("With --receipt"))
    paragraph = lines[begin : lines.index("", begin)]
    # There is a space on either side.
    width = columns - 2
    assert paragraph == textwrap.wrap(" ".join(paragraph), width, break_on_hyphens=False)


def test_main_takes_the_options_of_serve() -> None:
    done = subprocess.run(
        [sys.executable, str(ROOT / "main.py"), "--help"],
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert done.returncode == 0
    assert [word for word in HELP["serve",] if word not in words(done.stdout)] == []


def test_version_prints_the_version_and_nothing_else(tmp_path: Path) -> None:
    done = run_main(tmp_path, "version", new_python=True)
    assert (done.returncode, done.stdout, done.stderr) == (0, f"{__version__}\n", "")


@pytest.mark.parametrize(
    "arguments",
    [("serv",), ("serve", "--port", "x"), ("serve", "--port", "70000"), ("version", "1")],
)
def test_a_wrong_command_line_ends_with_exit_code_2(
    tmp_path: Path, arguments: tuple[str, ...]
) -> None:
    done = run_main(tmp_path, *arguments)
    assert done.returncode == 2
    assert "Traceback" not in done.stderr
    assert "Usage:" in done.stderr


# Rotating keys


async def add_project(url: str, name: str, encrypted: str | None) -> str:
    now = datetime.now(UTC)
    source = Source(
        repository=RepositoryAddress(api_url="https://api.github.com", owner="octo", name="demo"),
        config_folder="config",
        job_folder="job",
        encrypted_token=encrypted,
    )
    project = Project(
        id=str(ObjectId()),
        name=name,
        source=source,
        polling_interval=180,
        created_at=now,
        updated_at=now,
    )
    async with lent_database(url) as database:
        await ProjectStore(database).insert(project)
    return project.id


async def stored_tokens(url: str) -> dict[str, str]:
    async with lent_database(url) as database:
        return dict(await ProjectStore(database).with_tokens())


async def test_rotating_encrypts_every_readable_token_and_names_the_others(
    database_url: str, tmp_path: Path
) -> None:
    old, new, foreign = (Fernet.generate_key() for _ in range(3))
    ids = [
        await add_project(database_url, f"p{n}", Fernet(old).encrypt(b"ghp_%d" % n).decode())
        for n in range(3)
    ]
    lost = await add_project(database_url, "lost", Fernet(foreign).encrypt(b"ghp_lost").decode())
    await add_project(database_url, "without", None)
    before = await stored_tokens(database_url)

    keys = f"{new.decode()},{old.decode()}"
    done = await asyncio.to_thread(
        run_main,
        tmp_path,
        "rotate-key",
        mongo_url=database_url,
        secret_key=keys,
        data_dir=tmp_path / "data",
    )
    assert done.returncode == 2, done.stderr
    assert "3 tokens are encrypted with the first key now" in done.stdout
    assert re.findall(r"\b[0-9a-f]{24}\b", done.stdout) == [lost]
    assert "Traceback" not in done.stderr
    secrets = ("ghp_", "gAAAA", new.decode(), old.decode())
    assert [secret for secret in secrets if secret in done.stdout + done.stderr] == []

    after = await stored_tokens(database_url)
    opened = [Fernet(new).decrypt(after[project_id].removeprefix("bound:")) for project_id in ids]
    address = "https://api.github.com/repos/octo/demo"
    assert opened == [
        f"{project_id}\0{address}\0ghp_{n}".encode() for n, project_id in enumerate(ids)
    ]
    assert after[lost] == before[lost]


async def test_rotating_without_unreadable_tokens_ends_with_exit_code_0(
    database_url: str, tmp_path: Path
) -> None:
    old, new = Fernet.generate_key().decode(), Fernet.generate_key().decode()
    await add_project(database_url, "p", Fernet(old).encrypt(b"ghp_x").decode())
    done = await asyncio.to_thread(
        run_main,
        tmp_path,
        "rotate-key",
        mongo_url=database_url,
        secret_key=f"{new},{old}",
        data_dir=tmp_path / "data",
    )
    assert done.returncode == 0, done.stderr
    # The old key is needed no more.
    done = await asyncio.to_thread(
        run_main,
        tmp_path,
        "rotate-key",
        mongo_url=database_url,
        secret_key=new,
        data_dir=tmp_path / "data",
    )
    assert done.returncode == 0, done.stderr


# The demo


def test_the_demo_ends_after_it_shows_the_change_that_a_poll_copied(tmp_path: Path) -> None:
    (tmp_path / "tmp").mkdir()
    done = run_main(
        tmp_path,
        *("demo", "--once", "--no-measure", "--port", str(free_port()), "--change-after", "0"),
        tmpdir=tmp_path / "tmp",
        # None of the user's own settings may reach it.
        mongo_url="mongodb://127.0.0.1:1/?replicaSet=nobody",
        data_dir=tmp_path / "data",
    )
    assert done.returncode == 0, done.stdout + done.stderr
    output = done.stdout
    assert re.search(
        r"A poll copied it: .+\n(  (added|updated|removed|renamed) +\S+.*\n)+", output
    ), output
    assert {"added", "updated", "removed", "renamed"} <= set(
        re.findall(r"^  (\w+) ", output, re.MULTILINE)
    )
    assert "modified-files" in output
    assert "Look at a sweep: 6 exact sets of files" in output
    [program] = re.findall(r"^  (\S+)(?: -m benchmark_manager)? pull ", output, re.MULTILINE)
    assert shutil.which(program), program
    assert "Traceback" not in done.stderr
    assert list((tmp_path / "tmp").iterdir()) == []
    assert not (tmp_path / "data").exists()


def test_a_failing_demo_ends_with_one_line(tmp_path: Path) -> None:
    program = (
        "import functools, sys; from benchmark_manager.cli import main\n"
        "from benchmark_manager.cli.operations import demo\n"
        "demo.DemoOptions = functools.partial(demo.DemoOptions, poll_timeout=0)\n"
        "main(['demo', '--once', '--no-measure', '--port', sys.argv[1], '--change-after', '0'])"
    )
    (tmp_path / "demo.py").write_text(program)
    done = run_program(tmp_path, (str(tmp_path / "demo.py"), str(free_port())))
    assert done.returncode == 1, done.stdout + done.stderr
    assert "benchmark-manager: No poll found the change within 0 s.\n" in done.stderr
    assert "Traceback" not in done.stderr


# Stopping


def until(holds: Callable[[], bool]) -> Callable[[], Awaitable[bool | None]]:
    async def attempt() -> bool | None:
        return holds() or None

    return attempt


def alive(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    return True


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT], ids=["SIGTERM", "SIGINT"])
async def test_a_signal_stops_the_service_in_order_and_leaves_no_process(
    tmp_path: Path, used_folder: Path, number: signal.Signals
) -> None:
    data = Path(shutil.copytree(used_folder, tmp_path / "data"))
    async with service_process(tmp_path, data_dir=data) as service:
        pids = read_pids(data / "database.pid")
        assert alive(pids["server"])
        with Stopwatch() as watch:
            service.process.send_signal(number)
            code = await asyncio.to_thread(service.process.wait, GENEROUS)
        assert (code, watch.seconds < 10) == (0, True), service.output
        assert not alive(pids["server"])
        assert not alive(pids["guardian"])
    assert "Traceback" not in service.output


async def test_a_signal_during_a_sync_stops_the_service_within_ten_seconds(
    database_url: str, tmp_path: Path
) -> None:
    with GitHubTestServer() as github, Repository.init(tmp_path / "demo.git") as repository:
        repository.commit({"config/a.yaml": b"a: 1\n"})
        github.add("octo/demo", repository)
        github.faults.add(Delay(60), times=None)
        async with (
            service_process(
                tmp_path, mongo_url=database_url, github_api_urls=github.url
            ) as service,
            service.client() as http,
        ):
            body = {"name": "demo", "github_repo_url": "octo/demo", "polling_interval": 0}
            project = (await http.post("/projects", json=body)).json()
            sync = asyncio.create_task(http.post(f"/projects/{project['id']}/sync"))
            await eventually(until(lambda: github.requests.count() > 0), "GitHub was not asked")
            with Stopwatch() as watch:
                service.process.send_signal(signal.SIGTERM)
                code = await asyncio.to_thread(service.process.wait, GENEROUS)
            assert (code, watch.seconds < 10) == (0, True), service.output
            # The caller hears of it, one way or the other.
            try:
                assert (await sync).is_server_error
            except httpx.TransportError as error:
                assert not isinstance(error, httpx.TimeoutException)  # noqa: PT017 -- or no error
    async with lent_database(database_url) as database:
        stored = await ProjectStore(database).get(project["id"])
    assert stored.lease_owner is None


async def test_a_signal_during_the_start_cancels_it(tmp_path: Path) -> None:
    settings = {
        "port": 0,
        "data_dir": tmp_path / "data",
        "mongo_url": f"mongodb://127.0.0.1:{free_port()}/?replicaSet=nobody",
    }
    with (tmp_path / "log").open("w+") as log:
        process = start(tmp_path, streams=(log.fileno(),) * 3, **settings)
        try:
            await eventually(until((tmp_path / "data").exists), "it did not start")
            process.send_signal(signal.SIGTERM)
            code = await asyncio.to_thread(process.wait, 10)
        finally:
            process.kill()
        log.seek(0)
        output = log.read()
    assert code == 0, output
    assert "Traceback" not in output


def test_the_later_of_two_services_started_at_once_is_refused() -> None:
    with bind("127.0.0.1", 0) as first, bind("127.0.0.1", first.getsockname()[1]) as second:
        listen(first)
        with pytest.raises(StartError, match=r"cannot listen on 127\.0\.0\.1:\d+"):
            listen(second)
