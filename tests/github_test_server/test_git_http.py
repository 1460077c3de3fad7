"""git itself as the client: clones and fetches over HTTP."""

from __future__ import annotations

import gzip
import os
import subprocess
import time
from collections.abc import Callable
from pathlib import Path

import httpx2
import pytest

from github_test_server import Delay, GitHubTestServer, Repository, Status
from support.stopwatch import Stopwatch
from support.waiting import GENEROUS

Git = Callable[..., str]

_QUIET = {
    "GIT_CONFIG_GLOBAL": os.devnull,
    "GIT_CONFIG_NOSYSTEM": "1",
    "GIT_TERMINAL_PROMPT": "0",
    "LC_ALL": "C",
}


def _run(*arguments: str, where: Path | None = None) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        ["git", *arguments],
        capture_output=True,
        check=False,
        text=True,
        cwd=where,
        env=os.environ | _QUIET,
    )


def _url(server: GitHubTestServer, name: str = "octo/demo.git", *, token: str = "") -> str:
    return server.origin.replace("://", f"://x:{token}@" if token else "://") + f"/{name}"


@pytest.mark.parametrize("name", ["octo/demo.git", "octo/demo", "OCTO/Demo.git"])
def test_refs_are_listed(server: GitHubTestServer, git: Git, name: str) -> None:
    done = _run("ls-remote", _url(server, name), "refs/heads/main")
    assert done.stdout == f"{git('rev-parse', 'main')}\trefs/heads/main\n"


def test_a_clone_holds_every_file(server: GitHubTestServer, tmp_path: Path, git: Git) -> None:
    done = _run("clone", "--quiet", _url(server), str(tmp_path / "clone"))
    assert (done.returncode, done.stderr) == (0, "")
    assert _run("rev-parse", "HEAD", where=tmp_path / "clone").stdout.strip() == git(
        "rev-parse", "HEAD"
    )
    assert (tmp_path / "clone/config/deep/b.json").read_bytes() == b'{"b": 2}\n'


def test_a_sparse_clone_without_blobs_fetches_what_it_shows(
    server: GitHubTestServer, repository: Repository, tmp_path: Path
) -> None:
    repository.commit({"large": os.urandom(3_000_000)})
    clone = tmp_path / "clone"
    sparse = ["--depth=1", "--filter=blob:none", "--sparse", "--no-checkout"]
    assert _run("clone", "--quiet", *sparse, _url(server), str(clone)).returncode == 0
    assert _run("sparse-checkout", "set", "--no-cone", "/config/", where=clone).returncode == 0
    assert _run("checkout", "--quiet", where=clone).returncode == 0
    assert (clone / "config/a.yaml").read_bytes() == b"a: 1\n"
    assert not (clone / "large").exists()
    assert 0 < sum(record.bytes_sent for record in server.requests) < 1_000_000


def test_an_old_commit_is_fetched_by_its_id(
    server: GitHubTestServer, repository: Repository, tmp_path: Path, git: Git
) -> None:
    old = git("rev-parse", "HEAD")
    repository.commit({"x": b"1"})
    _run("init", "--quiet", str(tmp_path / "copy"))
    done = _run("fetch", "--quiet", "--depth=1", _url(server), old, where=tmp_path / "copy")
    assert done.returncode == 0
    assert _run("rev-parse", "FETCH_HEAD", where=tmp_path / "copy").stdout.strip() == old


def test_its_requests_are_recorded_but_cost_nothing(
    server: GitHubTestServer, tmp_path: Path
) -> None:
    _run("clone", "--quiet", _url(server), str(tmp_path / "clone"))
    paths = [record.path for record in server.requests]
    assert paths[0] == "/octo/demo.git/info/refs"
    assert set(paths[1:]) == {"/octo/demo.git/git-upload-pack"}
    assert {(record.status, record.resource, record.cost) for record in server.requests} == {
        (200, None, 0)
    }
    assert min(record.bytes_sent for record in server.requests) > 0
    assert server.requests[0].headers["git-protocol"] == "version=2"


def test_a_private_repository_asks_for_a_token(server: GitHubTestServer, tmp_path: Path) -> None:
    server.hosting.make_private("octo/demo", ["secret"])
    server.hosting.add_token("other")
    answer = httpx2.get(f"{_url(server)}/info/refs?service=git-upload-pack", timeout=GENEROUS)
    assert (answer.status_code, answer.headers["www-authenticate"]) == (401, 'Basic realm="GitHub"')
    assert (
        httpx2.get(
            f"{_url(server, 'octo/none.git')}/info/refs?service=git-upload-pack", timeout=GENEROUS
        ).status_code
        == 401
    )
    assert _run("ls-remote", _url(server, token="other")).returncode != 0
    assert (
        _run("clone", "--quiet", _url(server, token="secret"), str(tmp_path / "clone")).returncode
        == 0
    )
    assert {record.status for record in server.requests.select("upload-pack$")} == {200}


def test_a_renamed_repository_is_followed(server: GitHubTestServer, git: Git) -> None:
    server.rename("octo/demo", "octo/renamed")
    done = _run("ls-remote", _url(server), "HEAD")
    server.rename("octo/renamed", "octo/demo")
    assert done.stdout == f"{git('rev-parse', 'HEAD')}\tHEAD\n"
    assert server.requests.count(status=301) == 1


def test_nothing_can_be_pushed(server: GitHubTestServer, tmp_path: Path) -> None:
    _run("clone", "--quiet", _url(server), str(tmp_path / "clone"))
    done = _run("push", "--quiet", "origin", "HEAD:refs/heads/new", where=tmp_path / "clone")
    assert done.returncode != 0
    assert (
        httpx2.post(
            f"{_url(server)}/git-receive-pack", content=b"0000", timeout=GENEROUS
        ).status_code
        == 403
    )
    assert httpx2.get(f"{_url(server)}/info/refs", timeout=GENEROUS).status_code == 403


def test_it_can_be_slow_and_fail(server: GitHubTestServer) -> None:
    server.faults.add(Status(503), path="/info/refs$")
    assert _run("ls-remote", _url(server)).returncode != 0
    server.faults.add(Delay(0.2), path="/info/refs$")
    started = time.perf_counter()
    assert _run("ls-remote", _url(server)).returncode == 0
    assert time.perf_counter() - started >= 0.2


def test_it_stops_at_once_in_the_middle_of_a_clone(tmp_path: Path) -> None:
    with Repository.init(tmp_path / "large.git") as repository, GitHubTestServer() as server:
        sha = repository.commit({"large": os.urandom(12_000_000)})
        server.add("octo/large", repository)
        command = f"0012command=fetch\n00010032want {sha}\n0009done\n0000"
        headers = {
            "Content-Type": "application/x-git-upload-pack-request",
            "Git-Protocol": "version=2",
        }
        url = f"{_url(server, 'octo/large.git')}/git-upload-pack"
        with httpx2.stream(
            "POST", url, content=command, headers=headers, timeout=GENEROUS
        ) as answer:
            assert answer.status_code == 200
            with Stopwatch() as watch:
                server.stop()
            assert watch.seconds < 2


def test_a_compressed_request_is_understood(server: GitHubTestServer, git: Git) -> None:
    """Git compresses requests of more than a kilobyte, such as one that names known commits."""
    headers = {
        "Content-Encoding": "gzip",
        "Content-Type": "application/x-git-upload-pack-request",
        "Git-Protocol": "version=2",
    }
    body = gzip.compress(b"0014command=ls-refs\n00010000")
    answer = httpx2.post(
        f"{_url(server)}/git-upload-pack", content=body, headers=headers, timeout=GENEROUS
    )
    assert f"{git('rev-parse', 'main')} refs/heads/main" in answer.text
