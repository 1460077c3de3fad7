"""`backup` and `restore`: a backup beside a running service, and errors of one line."""

import asyncio
import re
import subprocess
from pathlib import Path
from typing import Any

from github_test_server import GitHubTestServer, Repository
from support.process import run_main, service_process


async def _run(
    folder: Path, *arguments: str, code: int = 0, **settings: Any
) -> subprocess.CompletedProcess[str]:
    ran = await asyncio.to_thread(run_main, folder, *arguments, **settings)
    assert ran.returncode == code, ran.stdout + ran.stderr
    assert "Traceback" not in ran.stderr
    assert ran.stdout == ""
    return ran


async def test_an_embedded_database_is_backed_up_while_its_service_runs_and_restored_into_another(
    github: GitHubTestServer, tmp_path: Path
) -> None:
    repository = Repository.init(tmp_path / "r.git")
    repository.commit({"config/a.yaml": b"a: 1\n"}, message="first")
    github.add("acme/b", repository)
    file = tmp_path / "kept.bmbackup"
    async with (
        service_process(tmp_path, github_api_urls=github.url) as service,
        service.client() as http,
    ):
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
        done = await _run(tmp_path, "backup", str(file), data_dir=tmp_path / "data")
        assert "1 projects, 1 originals, 0 variants, 1 releases" in done.stderr
        assert "the key is not" in done.stderr
        assert file.stat().st_mode & 0o777 == 0o600
        assert b"ghp_secret" not in file.read_bytes()
        refused = await _run(tmp_path, "backup", str(file), code=1, data_dir=tmp_path / "data")
        assert refused.stderr.endswith("name another file. (backup_exists)\n")
        refused = await _run(tmp_path, "restore", str(file), code=1, data_dir=tmp_path / "data")
        assert re.search(
            r"Another Benchmark Manager \(process \d+\) uses the data folder", refused.stderr
        )
    assert sorted(path.name for path in tmp_path.glob("*bmbackup*")) == [file.name]
    done = await _run(tmp_path, "restore", str(file), data_dir=tmp_path / "other")
    assert "1 projects, 1 originals, 0 variants, 1 releases" in done.stderr
    assert "Every content and release was verified." in done.stderr


async def test_a_folder_without_a_database_is_one_line(tmp_path: Path) -> None:
    refused = await _run(
        tmp_path, "backup", str(tmp_path / "x"), code=1, data_dir=tmp_path / "nothing"
    )
    assert "holds no database" in refused.stderr
    assert list(tmp_path.iterdir()) == []
