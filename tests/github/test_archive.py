"""A commit's archive: believed where it is proved, harmless where it lies."""

import gzip
import io
import tarfile
from collections.abc import Callable

import pytest

from benchmark_manager.domain.git_objects import blob_id
from benchmark_manager.errors import GitHubUnavailableError
from benchmark_manager.github import archive as archive_module
from benchmark_manager.github.archive import Archive, ArchiveTooLargeError, downloaded
from benchmark_manager.github.listing import FolderLister, listing_of
from benchmark_manager.github.protocol import GarbledAnswerError
from github_test_server import CutBody, Entry, GitHubTestServer, Redirect, Repository, ResetBefore, ResetMidBody, Status
from support.hub import Hub

TOKEN = "ghp_test"
MUCH = 64 * 1024 * 1024
FILES: dict[bytes, bytes | Entry | None] = {
    b"config/a.yaml": b"a: 1\n",
    b"config/deep/er/b.json": b"{}\n",
    b"config/empty.yaml": b"",
    b"config/run.sh": Entry.executable(b"#!/bin/sh\n"),
    b"config/link.yaml": Entry.symlink("a.yaml"),
    b"config/" + b"long" * 60 + b"/" + b"name" * 50 + b".yaml": b"long: 1\n",
    b"config/long-link": Entry.symlink("../" * 60 + "x"),
    b"config.yaml": b"beside: 1\n",
    "ünï côde/🎉.yaml".encode(): "ü: 1\n".encode(),
    b"latin/\xe4.yaml": b"l: 1\n",
    b"job/j.yaml": b"kind: Job\n" * 1000,
}


def root_of(repository: Repository, commit: str) -> str:
    found = repository.find_tree(commit)
    assert found is not None
    return found


def asked(wanted: dict[str, bytes]) -> dict[str, tuple[str, int]]:
    return {path: (blob_id(data), len(data)) for path, data in wanted.items()}


async def test_an_archive_which_hashes_to_the_root_tree_is_a_complete_listing(hub: Hub, repository: Repository) -> None:
    """Executables, links, long and odd names included."""
    commit = repository.commit(FILES)
    async with downloaded(hub.repository(), commit, MUCH) as archive:
        scan = await archive.scan(root_of(repository, commit))
    listed = await FolderLister().by_commit(hub.repository(), commit, ["config", "job", "latin"])
    assert scan.entries is not None
    ours = listing_of(scan.entries, ["config", "job", "latin"])
    theirs = {path: entry for path, entry in listed.listing.entries.items() if entry.type == "blob"}
    assert {path: (entry.sha, entry.mode) for path, entry in ours.entries.items()} == {
        path: (entry.sha, entry.mode) for path, entry in theirs.items()
    }
    sizes = {path: entry.size for path, entry in theirs.items() if entry.mode != "120000"}
    assert {path: ours.entries[path].size for path in sizes} == sizes
    assert {folder: scan.tree_ids[folder] for folder in ("config", "job", "latin")} == listed.folder_trees
    assert scan.committed_at == (await hub.repository().commit(commit)).committer.date


async def test_its_contents_are_those_that_git_has(hub: Hub, repository: Repository) -> None:
    commit = repository.commit(FILES)
    wanted = {path.decode("utf-8", "replace"): data for path, data in FILES.items() if isinstance(data, bytes)}
    async with downloaded(hub.repository(), commit, MUCH) as archive:
        found: dict[str, bytes] = {}
        async for some in archive.contents(asked(wanted)):
            found |= some
    assert found == {blob_id(data): data for data in wanted.values()}


async def test_contents_come_in_pieces_of_a_bounded_size(hub: Hub, repository: Repository) -> None:
    files = {f"config/{n}.yaml": bytes([65 + n]) * 900_000 for n in range(7)} | {
        f"job/{n}.yaml": b"%d" % n for n in range(450)
    }
    commit = repository.commit(dict(files))
    async with downloaded(hub.repository(), commit, MUCH) as archive:
        pieces = [piece async for piece in archive.contents(asked(files))]
    assert all(len(piece) <= 200 and sum(map(len, piece.values())) <= 2_900_000 for piece in pieces)
    assert sum(map(len, pieces)) == len(files)


@pytest.mark.parametrize(
    "extra",
    [
        {b".gitattributes": b"config/a.yaml export-ignore\n"},
        {b".gitattributes": b"config/a.yaml export-subst\n", b"config/a.yaml": b"commit: $Format:%H$\n"},
        {b"module": Entry.submodule("1" * 40)},
    ],
    ids=["export-ignore", "export-subst", "submodule"],
)
async def test_an_archive_that_is_not_the_whole_commit_proves_nothing_and_tells_true_contents_only(
    hub: Hub, repository: Repository, extra: dict[bytes, bytes | Entry | None]
) -> None:
    commit = repository.commit({**FILES, **extra})
    content = extra.get(b"config/a.yaml", FILES[b"config/a.yaml"])
    assert isinstance(content, bytes)
    async with downloaded(hub.repository(), commit, MUCH) as archive:
        scan = await archive.scan(root_of(repository, commit))
        wanted = {"config/a.yaml": content, "config/deep/er/b.json": b"{}\n"}
        found = [sha async for piece in archive.contents(asked(wanted)) for sha in piece]
    assert (scan.entries, scan.tree_ids) == (None, {})
    expected = {blob_id(data) for data in wanted.values()} if b"module" in extra else {blob_id(b"{}\n")}
    assert set(found) == expected


async def test_an_archive_of_another_commit_proves_nothing(hub: Hub, repository: Repository) -> None:
    commit = repository.commit(FILES)
    other = repository.commit({"config/a.yaml": b"a: 2\n"})
    async with downloaded(hub.repository(), commit, MUCH) as archive:
        assert (await archive.scan(root_of(repository, other))).entries is None


# What no honest GitHub sends


def tar_of(*members: tuple[str, bytes | str | None, bytes], ending: bytes = b"") -> Archive:
    """An archive by hand: (name, content, tar's type); of links, the content is the target."""
    packed = io.BytesIO()
    with tarfile.open(fileobj=packed, mode="w", format=tarfile.PAX_FORMAT) as tar:
        for name, content, kind in members:
            info = tarfile.TarInfo(name)
            info.type = kind
            if isinstance(content, bytes):
                info.size = len(content)
                tar.addfile(info, io.BytesIO(content))
            else:
                info.linkname = content or ""
                tar.addfile(info)
    return Archive(io.BytesIO(gzip.compress(packed.getvalue() + ending)))


@pytest.mark.parametrize(
    "member",
    [
        *(("top/../../../../etc/passwd", b"evil\n", tarfile.REGTYPE), ("/etc/passwd", b"evil\n", tarfile.REGTYPE)),
        *(("top/config/a.yaml", "/etc/passwd", tarfile.SYMTYPE), ("top/config/a.yaml", "/etc/passwd", tarfile.LNKTYPE)),
        *(("top/config/a.yaml", None, tarfile.FIFOTYPE), ("top/config/a.yaml", None, tarfile.CHRTYPE)),
        *(("top", b"x", tarfile.REGTYPE), ("", b"x", tarfile.REGTYPE), ("top//x", b"x", tarfile.REGTYPE)),
        ("top/config/a.yaml/under", b"x", tarfile.REGTYPE),
    ],
    ids=str,
)
async def test_odd_members_reach_no_file_and_prove_nothing(member: tuple[str, bytes | str | None, bytes]) -> None:
    good = b"a: 1\n"
    archive = tar_of(("top/config/a.yaml", good, tarfile.REGTYPE), member)
    found: dict[str, bytes] = {}
    async for piece in archive.contents(asked({"config/a.yaml": good})):
        found |= piece
    assert found == {blob_id(good): good}
    tree = "0" * 40
    assert (await archive.scan(tree)).entries is None


async def test_contents_of_the_right_size_which_are_others_are_not_taken() -> None:
    archive = tar_of(("top/a", b"wrong", tarfile.REGTYPE), ("top/b", b"right", tarfile.REGTYPE))
    found = [piece async for piece in archive.contents(asked({"a": b"other", "b": b"right"}))]
    assert found == [{blob_id(b"right"): b"right"}]


def honest() -> bytes:
    packed = io.BytesIO()
    with tarfile.open(fileobj=packed, mode="w") as tar:
        for number in range(20):
            info = tarfile.TarInfo(f"top/config/{number}.yaml")
            info.size = 3000
            tar.addfile(info, io.BytesIO(bytes([number]) * 3000))
    return gzip.compress(packed.getvalue())


DAMAGES: dict[str, Callable[[bytes], bytes]] = {
    "no gzip": lambda _: b"<html>no archive</html>",
    "nothing": lambda _: b"",
    "cut short": lambda data: data[: len(data) // 2],
    "a wrong byte": lambda data: data[:200] + bytes([data[200] ^ 0xFF]) + data[201:],
    "its checksum is wrong": lambda data: data[:-6] + b"\0\0" + data[-4:],
    "no tar": lambda _: gzip.compress(b"this is not a tar archive" * 100),
}


@pytest.mark.parametrize("damage", DAMAGES)
async def test_a_damaged_archive_is_garbled_or_proves_nothing(damage: str) -> None:
    archive = Archive(io.BytesIO(DAMAGES[damage](honest())))
    if damage == "its checksum is wrong":
        # Every file is whole; what counts is whether they hash to the tree.
        assert (await archive.scan("0" * 40)).entries is None
        return
    with pytest.raises(GarbledAnswerError):
        await archive.scan("0" * 40)
    contents = {f"config/{number}.yaml": bytes([number]) * 3000 for number in range(20)}
    found: dict[str, bytes] = {}

    async def take() -> None:
        async for piece in archive.contents(asked(contents)):
            found.update(piece)

    with pytest.raises(GarbledAnswerError):
        await take()
    assert all(blob_id(data) == sha for sha, data in found.items())


async def test_a_bomb_ends_when_more_comes_out_of_it_than_allowed(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(archive_module, "_MAX_UNPACKED", 3_000_000)
    bomb = tar_of(("top/config/a.yaml", b"\0" * 30_000_000, tarfile.REGTYPE))
    with pytest.raises(ArchiveTooLargeError):
        await bomb.scan("0" * 40)
    with pytest.raises(ArchiveTooLargeError):
        async for _ in bomb.contents({"other": ("0" * 40, 1)}):
            pass


async def test_too_many_members_are_too_large(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(archive_module, "_MAX_MEMBERS", 10)
    many = tar_of(*((f"top/{n}", b"", tarfile.REGTYPE) for n in range(11)))
    with pytest.raises(ArchiveTooLargeError):
        await many.scan("0" * 40)


# Downloading


async def test_the_token_does_not_go_to_the_host_of_the_download(repository: Repository) -> None:
    commit = repository.commit(FILES)
    async with GitHubTestServer(codeload_host="localhost") as server:
        server.add("octo/demo", repository, private_to=[TOKEN])
        hub = Hub(server)
        async with downloaded(hub.repository(TOKEN), commit, MUCH) as archive:
            assert (await archive.scan(root_of(repository, commit))).entries is not None
        await hub.connection.close()
        assert [(r.path.split("/")[1], r.authorized) for r in server.requests] == [("repos", True), ("codeload", False)]
        assert server.requests[1].headers["host"].startswith("localhost:")
        assert TOKEN not in repr(server.requests[1])


async def test_a_download_costs_one_request_and_one_point(hub: Hub, repository: Repository) -> None:
    commit = repository.commit(FILES)
    client = hub.repository()
    async with downloaded(client, commit, MUCH):
        pass
    assert (client.usage.requests, client.usage.points_used, hub.server.requests.points) == (1, 1, 1)


async def test_an_archive_which_is_too_large_is_given_up_while_it_comes(hub: Hub, repository: Repository) -> None:
    import os

    commit = repository.commit({"big.bin": os.urandom(400_000)})
    with pytest.raises(ArchiveTooLargeError):
        async with downloaded(hub.repository(), commit, 100_000):
            pass
    assert hub.server.requests.count("/codeload/") == 1


@pytest.mark.parametrize("path", ["/tarball/", "/codeload/"])
@pytest.mark.parametrize("fault", [Status(500), Status(404), ResetBefore()], ids=["500", "404", "reset"])
async def test_a_download_is_tried_twice(
    hub: Hub, repository: Repository, path: str, fault: Status | ResetBefore
) -> None:
    commit = repository.commit(FILES)
    hub.server.faults.add(fault, path=path, times=1)
    async with downloaded(hub.repository(), commit, MUCH) as archive:
        assert (await archive.scan(root_of(repository, commit))).entries is not None
    hub.server.faults.add(fault, path=path, times=None)
    with pytest.raises(GitHubUnavailableError):
        async with downloaded(hub.repository(), commit, MUCH):
            pass
    assert hub.server.requests.count(path) == 4


async def test_what_the_first_try_left_is_no_part_of_the_second(hub: Hub, repository: Repository) -> None:
    commit = repository.commit(FILES)
    hub.server.faults.add(ResetMidBody(0.9), path="/codeload/", times=1)
    async with downloaded(hub.repository(), commit, MUCH) as archive:
        assert (await archive.scan(root_of(repository, commit))).entries is not None


@pytest.mark.parametrize("location", ["file:///etc/passwd", "ftp://127.0.0.1/x", "//", "", "http://[", "/relative"])
async def test_a_download_which_leads_to_no_address_is_not_followed(
    hub: Hub, repository: Repository, location: str
) -> None:
    commit = repository.commit(FILES)
    hub.server.faults.add(Redirect(location), path="/tarball/", times=None)
    with pytest.raises(GitHubUnavailableError):
        async with downloaded(hub.repository(), commit, MUCH):
            pass
    assert hub.server.requests.count("/codeload/") == 0


async def test_a_download_is_not_redirected_once_more(hub: Hub, repository: Repository) -> None:
    commit = repository.commit(FILES)
    with GitHubTestServer() as other:
        hub.server.faults.add(Redirect(f"{other.url}/x"), path="/codeload/", times=None)
        with pytest.raises(GitHubUnavailableError):
            async with downloaded(hub.repository(), commit, MUCH):
                pass
        assert len(other.requests) == 0


async def test_a_download_cut_short_within_a_whole_response_is_noticed(hub: Hub, repository: Repository) -> None:
    commit = repository.commit(FILES)
    hub.server.faults.add(CutBody(), path="/codeload/", times=None)
    async with downloaded(hub.repository(), commit, MUCH) as archive:
        with pytest.raises(GarbledAnswerError):
            await archive.scan(root_of(repository, commit))
