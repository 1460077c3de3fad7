"""What other processes may do on the data folder of a running service; `backup` and `restore`."""

import asyncio
import re
import shutil
import subprocess
from collections.abc import AsyncIterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
import pytest_asyncio

from github_test_server import GitHubTestServer, Repository
from support.process import ServiceProcess, run_main, service_process

# They share a service.
pytestmark = pytest.mark.xdist_group("data folder")


@dataclass(frozen=True, slots=True)
class RunningService:
    """A process of the service on the embedded database, its GitHub, and its data folder."""

    process: ServiceProcess
    github: GitHubTestServer
    data: Path


@pytest_asyncio.fixture(scope="module", loop_scope="session")
async def running(
    used_folder: Path, tmp_path_factory: pytest.TempPathFactory
) -> AsyncIterator[RunningService]:
    folder = tmp_path_factory.mktemp("running")
    shutil.copytree(used_folder, folder / "data")
    with GitHubTestServer() as github:
        async with service_process(folder, github_api_urls=github.url) as process:
            yield RunningService(process, github, folder / "data")


async def _run(
    folder: Path, *arguments: str, code: int = 0, **settings: Any
) -> subprocess.CompletedProcess[str]:
    ran = await asyncio.to_thread(run_main, folder, *arguments, **settings)
    assert ran.returncode == code, ran.stdout + ran.stderr
    assert "Traceback" not in ran.stderr
    assert ran.stdout == ""
    return ran


async def test_an_embedded_database_is_backed_up_while_its_service_runs_and_restored_into_another(
    running: RunningService, tmp_path: Path
) -> None:
    repository = Repository.init(tmp_path / "r.git")
    repository.commit({"config/a.yaml": b"a: 1\n"}, message="first")
    github, data = running.github, running.data
    github.add("acme/b", repository)
    file = tmp_path / "kept.bmbackup"
    async with running.process.client() as http:
        body = {
            "name": "b",
            "github_repo_url": "acme/b",
            "polling_interval": 0,
            "github_token": "ghp_secret",
        }
        project = (await http.post("/projects", json=body)).json()
        here = f"/projects/{project['id']}"
        github.hosting.add_token("ghp_secret")
        assert (await http.post(f"{here}/sync")).status_code == 200
        assert (await http.post(f"{here}/releases", json={"name": "one"})).status_code == 201
    done = await _run(tmp_path, "backup", str(file), data_dir=data)
    assert "1 projects, 1 originals, 0 variants, 1 releases" in done.stderr
    assert "the key is not" in done.stderr
    assert file.stat().st_mode & 0o777 == 0o600
    assert b"ghp_secret" not in file.read_bytes()
    refused = await _run(tmp_path, "backup", str(file), code=1, data_dir=data)
    assert refused.stderr.endswith("name another file. (backup_exists)\n")
    refused = await _run(tmp_path, "restore", str(file), code=1, data_dir=data)
    assert re.search(
        r"Another Benchmark Manager \(process \d+\) uses the data folder", refused.stderr
    )
    assert sorted(path.name for path in tmp_path.glob("*bmbackup*")) == [file.name]
    done = await _run(tmp_path, "restore", str(file), data_dir=tmp_path / "other")
    assert "1 projects, 1 originals, 0 variants, 1 releases" in done.stderr
    assert "Every content and release was verified." in done.stderr


async def test_a_second_service_on_the_same_data_folder_is_refused(
    running: RunningService, tmp_path: Path
) -> None:
    service, data = running.process, running.data
    done = await asyncio.to_thread(run_main, tmp_path, port=0, data_dir=data)
    assert (done.returncode, done.stdout) == (1, "")
    lines = [line for line in done.stderr.splitlines() if line.startswith("benchmark-manager: ")]
    assert len(lines) == 1
    assert str(service.process.pid) in lines[0]
    assert str(data) in lines[0]
    assert "Traceback" not in done.stderr
    async with service.client() as http:
        assert (await http.get("/health")).status_code == 200


async def test_a_folder_without_a_database_is_one_line(tmp_path: Path) -> None:
    refused = await _run(
        tmp_path, "backup", str(tmp_path / "x"), code=1, data_dir=tmp_path / "nothing"
    )
    assert "holds no database" in refused.stderr
    assert list(tmp_path.iterdir()) == []
