"""The download of a commit's archive: its costs, tries, redirects and credentials."""

import os

import pytest

from benchmark_manager.errors import GitHubUnavailableError
from benchmark_manager.github.protocol.unpacking import ArchiveTooLargeError
from benchmark_manager.github.reading.archive import (
    read_archive,
)
from github_test_server import (
    CutBody,
    GitHubTestServer,
    Redirect,
    Repository,
    ResetBefore,
    ResetMidBody,
    Status,
)
from support.archived_repository import FILES, MUCH, files_of, is_there, proof, root_of
from support.hub import Hub

TOKEN = "ghp_test"


async def test_the_token_does_not_go_to_the_host_of_the_download(repository: Repository) -> None:
    commit = repository.commit(FILES)
    async with GitHubTestServer(codeload_host="localhost") as server:
        server.add("octo/demo", repository, private_to=[TOKEN])
        hub = Hub(server)
        files = await read_archive(hub.repository(TOKEN), commit, MUCH, files_of)
        assert proof(files, root_of(repository, commit)) is not None
        await hub.connection.close()
        assert [(r.path.split("/")[1], r.authorized) for r in server.requests] == [
            ("repos", True),
            ("codeload", False),
        ]
        assert server.requests[1].headers["host"].startswith("localhost:")
        assert TOKEN not in repr(server.requests[1])


async def test_a_download_costs_one_request_and_one_point(hub: Hub, repository: Repository) -> None:
    commit = repository.commit(FILES)
    client = hub.repository()
    await read_archive(client, commit, MUCH, is_there)
    assert (client.usage.requests, client.usage.points_used, hub.server.requests.points) == (
        1,
        1,
        1,
    )


async def test_an_archive_which_is_too_large_is_given_up_while_it_comes(
    hub: Hub, repository: Repository
) -> None:
    commit = repository.commit({"big.bin": os.urandom(400_000)})
    with pytest.raises(ArchiveTooLargeError):
        await read_archive(hub.repository(), commit, 100_000, files_of)
    assert hub.server.requests.count("/codeload/") == 1


@pytest.mark.parametrize("path", ["/tarball/", "/codeload/"])
@pytest.mark.parametrize(
    "fault", [Status(500), Status(404), ResetBefore()], ids=["500", "404", "reset"]
)
async def test_a_download_is_tried_twice(
    hub: Hub, repository: Repository, path: str, fault: Status | ResetBefore
) -> None:
    commit = repository.commit(FILES)
    hub.server.faults.add(fault, path=path, times=1)
    files = await read_archive(hub.repository(), commit, MUCH, files_of)
    assert proof(files, root_of(repository, commit)) is not None
    hub.server.faults.add(fault, path=path, times=None)
    with pytest.raises(GitHubUnavailableError):
        await read_archive(hub.repository(), commit, MUCH, files_of)
    assert hub.server.requests.count(path) == 4


async def test_with_a_token_what_has_no_archive_is_not_asked_twice(
    hub: Hub, repository: Repository
) -> None:
    """Its requests are better spent on the contents."""
    commit = repository.commit(FILES)
    hub.server.hosting.add_token(TOKEN)
    hub.server.faults.add(Status(404), path="/tarball/", times=None)
    with pytest.raises(GitHubUnavailableError):
        await read_archive(hub.repository(TOKEN), commit, MUCH, files_of)
    assert len(hub.server.requests) == 1


@pytest.mark.parametrize("fault", [ResetMidBody(0.9), CutBody()], ids=["reset", "cut"])
async def test_what_the_first_try_left_is_no_part_of_the_second(
    hub: Hub, repository: Repository, fault: ResetMidBody | CutBody
) -> None:
    commit = repository.commit(FILES)
    hub.server.faults.add(fault, path="/codeload/", times=1)
    files = await read_archive(hub.repository(), commit, MUCH, files_of)
    assert proof(files, root_of(repository, commit)) is not None
    assert hub.server.requests.count("/codeload/") == 2


@pytest.mark.parametrize(
    "location", ["file:///etc/passwd", "ftp://127.0.0.1/x", "//", "", "http://[", "/relative"]
)
async def test_a_download_which_leads_to_no_address_is_not_followed(
    hub: Hub, repository: Repository, location: str
) -> None:
    commit = repository.commit(FILES)
    hub.server.faults.add(Redirect(location), path="/tarball/", times=None)
    with pytest.raises(GitHubUnavailableError):
        await read_archive(hub.repository(), commit, MUCH, files_of)
    assert hub.server.requests.count("/codeload/") == 0


async def test_a_download_is_not_redirected_once_more(hub: Hub, repository: Repository) -> None:
    commit = repository.commit(FILES)
    with GitHubTestServer() as other:
        hub.server.faults.add(Redirect(f"{other.url}/x"), path="/codeload/", times=None)
        with pytest.raises(GitHubUnavailableError):
            await read_archive(hub.repository(), commit, MUCH, files_of)
        assert len(other.requests) == 0
