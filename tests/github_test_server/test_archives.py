"""Archives are those of GitHub: attributes obeyed, the commit named, and open to faults."""

from __future__ import annotations

import io
import tarfile
import time
from collections.abc import Callable

import httpx2
import pytest

from github_test_server import (
    CutBody,
    Delay,
    FlippedByte,
    GitHubTestServer,
    Repository,
    Stall,
    Status,
)

Git = Callable[..., str]

TARBALL = "/repos/octo/demo/tarball/main"


async def _tarball(client: httpx2.AsyncClient) -> tarfile.TarFile:
    answer = await client.get(TARBALL, follow_redirects=True)
    return tarfile.open(fileobj=io.BytesIO(answer.content))


async def test_what_is_not_to_be_exported_is_left_out(
    client: httpx2.AsyncClient, repository: Repository
) -> None:
    repository.commit({".gitattributes": b"/config/deep export-ignore\n*.yaml -export-ignore\n"})
    with await _tarball(client) as archive:
        names = [name.partition("/")[2] for name in archive.getnames()]
    assert "config/a.yaml" in names
    assert "config/deep/b.json" not in names


async def test_a_substituted_attribute_holds_the_commit(
    client: httpx2.AsyncClient, repository: Repository, git: Git
) -> None:
    """A file of an archive need not be the blob: its id differs."""
    sha = repository.commit(
        {".gitattributes": b"version export-subst\n", "version": b"$Format:%H$\n"}
    )
    with await _tarball(client) as archive:
        found = archive.extractfile(
            next(each for each in archive if each.name.endswith("/version"))
        )
        assert found is not None
        content = found.read()
    assert content == f"{sha}\n".encode()
    assert git("show", "main:version") == "$Format:%H$"


async def test_the_header_names_the_commit(client: httpx2.AsyncClient, git: Git) -> None:
    with await _tarball(client) as archive:
        assert archive.pax_headers["comment"] == git("rev-parse", "HEAD")


async def test_the_download_can_fail_alone(
    client: httpx2.AsyncClient, server: GitHubTestServer
) -> None:
    planned = server.faults.add(Status(500), path="^/codeload/")
    assert (await client.get(TARBALL)).status_code == 302
    assert (await client.get(TARBALL, follow_redirects=True)).status_code == 500
    assert planned.fired == 1
    assert (await client.get(TARBALL, follow_redirects=True)).status_code == 200


@pytest.mark.parametrize("fault", [Delay(0.2), Stall(0.2)])
async def test_the_download_can_be_slow(
    client: httpx2.AsyncClient, server: GitHubTestServer, fault: Delay | Stall
) -> None:
    server.faults.add(fault, path="^/codeload/")
    started = time.perf_counter()
    with await _tarball(client) as archive:
        assert len(archive.getnames()) > 1
    assert time.perf_counter() - started >= 0.2


@pytest.mark.parametrize("fault", [CutBody(), FlippedByte(40)])
async def test_the_download_can_be_damaged(
    client: httpx2.AsyncClient, server: GitHubTestServer, fault: CutBody | FlippedByte
) -> None:
    server.faults.add(fault, path="^/codeload/")
    with pytest.raises((tarfile.ReadError, EOFError, OSError)):
        (await _tarball(client)).getnames()


async def test_the_download_costs_no_point(
    client: httpx2.AsyncClient, server: GitHubTestServer
) -> None:
    await client.get(TARBALL, follow_redirects=True)
    assert [(record.resource, record.cost) for record in server.requests] == [
        ("core", 1),
        (None, 0),
    ]
