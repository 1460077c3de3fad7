"""A commit's archive: used where it is proved, harmless where wrong, read while it arrives."""

import asyncio
import gzip
import io
import itertools
import os
import tarfile
import tempfile
from collections.abc import Callable
from datetime import UTC, datetime

import pytest

from benchmark_manager.domain.git.objects import TreeMember, blob_id, tree_ids
from benchmark_manager.github.protocol.answers import GarbledAnswerError
from benchmark_manager.github.protocol.unpacking import ArchiveFile, ArchiveTooLargeError, Unpacker
from benchmark_manager.github.reading.archive import (
    ArchiveDownload,
    entry_of,
    proved_trees,
    read_archive,
)
from benchmark_manager.github.reading.listing import FolderLister
from github_test_server import (
    Entry,
    Repository,
)
from support.archived_repository import FILES, MUCH, everything, files_of, proof, root_of
from support.hub import Hub

TOKEN = "ghp_test"


def nothing(_path: str, _mode: str, _size: int) -> bool:
    return False


async def test_an_archive_which_hashes_to_the_root_tree_is_a_complete_listing(
    hub: Hub, repository: Repository
) -> None:
    """Executables, links, long and odd names included."""
    commit = repository.commit(FILES)
    files = await read_archive(hub.repository(), commit, MUCH, files_of)
    trees = proof(files, root_of(repository, commit))
    assert trees is not None
    entries = {entry.path: entry for entry in map(entry_of, files)}
    listed = await FolderLister().by_commit(hub.repository(), commit, [""])
    # JSON does not show the bytes of one name.
    entries["latin/\ud800.yaml"] = entries.pop("latin/\udce4.yaml")
    theirs = {path: entry for path, entry in listed.folders.entries.items() if entry.type == "blob"}
    assert {path: (entry.sha, entry.mode) for path, entry in entries.items()} == {
        path: (entry.sha, entry.mode) for path, entry in theirs.items()
    }
    sizes = {path: entry.size for path, entry in theirs.items() if entry.mode != "120000"}
    assert {path: entries[path].size for path in sizes} == sizes
    folders = {
        path: entry.sha for path, entry in listed.folders.entries.items() if entry.type == "tree"
    }
    assert {path: trees[path] for path in folders if path.isascii()} == {
        path: sha for path, sha in folders.items() if path.isascii()
    }
    assert {file.modified_at for file in files} == {
        (await hub.repository().commit(commit)).committed_at
    }


async def test_its_contents_are_those_that_git_has_and_kept_only_where_asked_for(
    hub: Hub, repository: Repository
) -> None:
    commit = repository.commit(FILES)
    wanted = {
        path.decode("utf-8", "surrogateescape"): data
        for path, data in FILES.items()
        if isinstance(data, bytes)
    }
    files = await read_archive(hub.repository(), commit, MUCH, files_of)
    assert {
        file.path: file.data for file in files if file.data is not None and file.mode == "100644"
    } == wanted

    async def only_small(archive: ArchiveDownload) -> list[ArchiveFile]:
        return [f async for batch in archive.files(lambda *file: file[2] < 100) for f in batch]

    bare = await read_archive(hub.repository(), commit, MUCH, only_small)
    assert [(f.path, f.sha) for f in bare] == [(f.path, f.sha) for f in files]
    assert all((f.data is not None) == (f.size < 100 and f.mode != "120000") for f in bare)


async def test_files_come_in_batches_of_a_bounded_size(hub: Hub, repository: Repository) -> None:
    files = {f"config/{n}.yaml": bytes([65 + n]) * 900_000 for n in range(7)} | {
        f"job/{n}.yaml": b"%d" % n for n in range(1100)
    }
    commit = repository.commit(dict(files))

    async def read(archive: ArchiveDownload) -> list[list[ArchiveFile]]:
        await archive.exceeds(MUCH)
        return [batch async for batch in archive.files(everything)]

    batches = await read_archive(hub.repository(), commit, MUCH, read)
    assert all(
        len(batch) <= 1000 and sum(len(f.data or b"") for f in batch) <= 2_900_000
        for batch in batches
    )
    assert sum(map(len, batches)) == len(files)


@pytest.mark.parametrize(
    "extra",
    [
        {b".gitattributes": b"config/a.yaml export-ignore\n"},
        {
            b".gitattributes": b"config/a.yaml export-subst\n",
            b"config/a.yaml": b"commit: $Format:%H$\n",
        },
        {b"module": Entry.submodule("1" * 40)},
    ],
    ids=["export-ignore", "export-subst", "submodule"],
)
async def test_an_archive_that_is_not_the_whole_commit_proves_nothing_and_names_contents_truly(
    hub: Hub, repository: Repository, extra: dict[bytes, bytes | Entry | None]
) -> None:
    commit = repository.commit({**FILES, **extra})
    files = await read_archive(hub.repository(), commit, MUCH, files_of)
    assert proof(files, root_of(repository, commit)) is None
    assert all(file.sha == blob_id(file.data) for file in files if file.data is not None)


async def test_an_archive_of_another_commit_proves_nothing(
    hub: Hub, repository: Repository
) -> None:
    commit = repository.commit(FILES)
    other = repository.commit({"config/a.yaml": b"a: 2\n"})
    assert (
        proof(
            await read_archive(hub.repository(), commit, MUCH, files_of), root_of(repository, other)
        )
        is None
    )


# Read while it comes


async def test_what_has_come_is_read_before_the_rest_comes() -> None:
    packed = honest(random=True)
    with tempfile.TemporaryFile(buffering=0) as file:
        archive = ArchiveDownload(file)
        arriving = archive.files(everything)
        archive.add(packed[: len(packed) // 2])
        first = await anext(arriving)
        assert 0 < len(first) < 20
        following = asyncio.ensure_future(anext(arriving))
        await asyncio.sleep(0.05)
        assert not following.done()
        archive.add(packed[len(packed) // 2 :])
        archive.end()
        rest = [*await following, *[f async for batch in arriving for f in batch]]
    assert len(first) + len(rest) == 20


async def test_the_reader_gets_the_error_that_ended_the_download() -> None:
    with tempfile.TemporaryFile(buffering=0) as file:
        archive = ArchiveDownload(file)
        archive.add(honest()[:100])
        waiting = asyncio.ensure_future(files_of(archive))
        await asyncio.sleep(0.05)
        archive.end(GarbledAnswerError("the line is dead"))
        with pytest.raises(GarbledAnswerError, match="the line is dead"):
            await waiting


async def test_an_archive_is_given_up_at_once_when_less_is_allowed() -> None:
    with tempfile.TemporaryFile(buffering=0) as file:
        archive = ArchiveDownload(file)
        archive.add(honest()[:100])
        assert await archive.exceeds(99)
        waiting = asyncio.ensure_future(files_of(archive))
        await asyncio.sleep(0.05)
        archive.allow(100)
        archive.allow(99)
        with pytest.raises(ArchiveTooLargeError):
            await waiting
        with pytest.raises(ArchiveTooLargeError):
            archive.add(b"more")


@pytest.mark.parametrize("step", [1, 7, 511, 512, 513, 100_000])
def test_it_does_not_matter_where_an_archive_is_cut_into_pieces(step: int) -> None:
    packed = tar_of(
        ("top/" + "long" * 40 + ".yaml", b"long name\n", tarfile.REGTYPE),
        ("top/large", b"0123456789" * 60_000, tarfile.REGTYPE),
        ("top/link", "to" * 80, tarfile.SYMTYPE),
    )
    unpacker = Unpacker(lambda path, _mode, _size: path != "large")
    files = [
        file for at in range(0, len(packed), step) for file in unpacker.feed(packed[at : at + step])
    ]
    files += unpacker.end()
    assert [(f.path, f.mode, f.sha, f.size) for f in files] == [
        ("long" * 40 + ".yaml", "100644", blob_id(b"long name\n"), 10),
        ("large", "100644", blob_id(b"0123456789" * 60_000), 600_000),
        ("link", "120000", blob_id(b"to" * 80), 160),
    ]


# What no honest GitHub sends


def tar_of(
    *members: tuple[str, bytes | str | None, bytes], form: int = tarfile.PAX_FORMAT
) -> bytes:
    """An archive by hand: (name, content, tar's type); of links, the content is the target."""
    packed = io.BytesIO()
    with tarfile.open(fileobj=packed, mode="w", format=form) as tar:
        for name, content, kind in members:
            info = tarfile.TarInfo(name)
            info.type = kind
            if isinstance(content, bytes):
                info.size = len(content)
                tar.addfile(info, io.BytesIO(content))
            else:
                info.linkname = content or ""
                tar.addfile(info)
    return gzip.compress(packed.getvalue())


def unpacked(packed: bytes) -> list[ArchiveFile]:
    unpacker = Unpacker(everything)
    return [*unpacker.feed(packed), *unpacker.end()]


@pytest.mark.parametrize(
    "member",
    [
        *(
            ("top/../../../../etc/passwd", b"evil\n", tarfile.REGTYPE),
            ("/etc/passwd", b"evil\n", tarfile.REGTYPE),
        ),
        *(
            ("top/config/a.yaml", "/etc/passwd", tarfile.SYMTYPE),
            ("top/config/a.yaml", "/etc/passwd", tarfile.LNKTYPE),
        ),
        *(
            ("top/config/a.yaml", None, tarfile.FIFOTYPE),
            ("top/config/a.yaml", None, tarfile.CHRTYPE),
        ),
        *(
            ("top", b"x", tarfile.REGTYPE),
            ("", b"x", tarfile.REGTYPE),
            ("top//x", b"x", tarfile.REGTYPE),
        ),
        *(
            ("top/config/a.yaml/under", b"x", tarfile.REGTYPE),
            ("top/config/a.yaml", b"a: 1\n", tarfile.REGTYPE),
        ),
    ],
    ids=str,
)
def test_odd_members_are_but_names_and_prove_nothing_that_is_not_so(
    member: tuple[str, bytes | str | None, bytes],
) -> None:
    good = b"a: 1\n"
    files = unpacked(tar_of(("top/config/a.yaml", good, tarfile.REGTYPE), member))
    assert files[0].data == good
    members = [TreeMember(file.path, file.mode, file.sha) for file in files]
    assert proved_trees(members, "0" * 40) is None
    alone = proved_trees(members[:1], "") or {}
    assert alone == {}


def test_a_path_twice_proves_nothing_be_its_last_content_the_right_one() -> None:
    right = TreeMember("config/a.yaml", "100644", blob_id(b"right"))
    wrong = TreeMember("config/a.yaml", "100644", blob_id(b"wrong"))
    root = tree_ids([right])[""]
    assert proved_trees([right], root) is not None
    assert proved_trees([wrong, right], root) is None


@pytest.mark.parametrize(
    "kind", [tarfile.GNUTYPE_LONGNAME, tarfile.GNUTYPE_LONGLINK, tarfile.GNUTYPE_SPARSE]
)
def test_what_git_does_not_write_and_would_change_what_follows_is_refused(kind: bytes) -> None:
    with pytest.raises(GarbledAnswerError):
        unpacked(tar_of(("top/x", b"another name", kind), ("top/y", b"y", tarfile.REGTYPE)))


def test_sizes_beyond_octal_digits_are_read_as_git_writes_them() -> None:
    info = tarfile.TarInfo("top/huge")
    info.size = 2**33 + 5
    header = info.tobuf(format=tarfile.GNU_FORMAT)
    unpacker = Unpacker(nothing)
    assert list(unpacker.feed(gzip.compress(header + bytes(1000)))) == []
    with pytest.raises(GarbledAnswerError, match="cut short"):
        list(unpacker.end())


@pytest.mark.parametrize(
    "records",
    [b"no length\n", b"999999999999999999999999 path=x\n", b"11 path=x\n", b"5 a=b", b"0 a\n"],
)
def test_an_extended_header_which_makes_no_sense_is_refused(records: bytes) -> None:
    with pytest.raises(GarbledAnswerError):
        unpacked(tar_of(("top/x", records, tarfile.XHDTYPE), ("top/y", b"y", tarfile.REGTYPE)))


def test_an_extended_header_without_end_is_refused_before_it_takes_memory() -> None:
    info = tarfile.TarInfo("top/x")
    info.type, info.size = tarfile.XHDTYPE, 2**32
    with pytest.raises(GarbledAnswerError):
        list(Unpacker(everything).feed(gzip.compress(info.tobuf())))


def test_a_time_which_is_none_is_garbled() -> None:
    with pytest.raises(GarbledAnswerError):
        _ = ArchiveFile("a", "100644", "0" * 40, 0, 2**60, None).modified_at
    assert ArchiveFile("a", "100644", "0" * 40, 0, 0, None).modified_at == datetime(
        1970, 1, 1, tzinfo=UTC
    )


def honest(*, random: bool = False) -> bytes:
    packed = io.BytesIO()
    with tarfile.open(fileobj=packed, mode="w") as tar:
        for number in range(20):
            info = tarfile.TarInfo(f"top/config/{number}.yaml")
            info.size = 3000
            tar.addfile(info, io.BytesIO(os.urandom(3000) if random else bytes([number]) * 3000))
    return gzip.compress(packed.getvalue())


DAMAGES: dict[str, Callable[[bytes], bytes]] = {
    "no gzip": lambda _: b"<html>no archive</html>",
    "nothing": lambda _: b"",
    "cut short": lambda data: data[: len(data) // 2],
    "a wrong byte": lambda data: data[:200] + bytes([data[200] ^ 0xFF]) + data[201:],
    "no tar": lambda _: gzip.compress(b"this is not a tar archive" * 100),
    "a header cut short": lambda data: gzip.compress(gzip.decompress(data)[: 3584 * 3 + 100]),
    "no end": lambda data: gzip.compress(gzip.decompress(data)[: 3584 * 20]),
    "a header's sum": lambda data: gzip.compress(
        gzip.decompress(data).replace(b"config/7", b"config/8")
    ),
}


@pytest.mark.parametrize("damage", DAMAGES)
def test_a_damaged_archive_is_garbled_and_what_came_of_it_is_named_truly(damage: str) -> None:
    unpacker = Unpacker(everything)
    files: list[ArchiveFile] = []
    damaged = DAMAGES[damage](honest())
    with pytest.raises(GarbledAnswerError):
        files.extend(itertools.chain(unpacker.feed(damaged), unpacker.end()))
    assert all(file.sha == blob_id(file.data) for file in files if file.data is not None)


def test_a_bomb_ends_when_more_comes_out_of_it_than_allowed() -> None:
    bomb = tar_of(("top/config/a.yaml", b"\0" * 30_000_000, tarfile.REGTYPE))
    with pytest.raises(ArchiveTooLargeError):
        list(Unpacker(nothing, most_bytes=3_000_000).feed(bomb))


def test_too_many_members_are_too_large() -> None:
    archive = tar_of(*((f"top/{n}", b"", tarfile.REGTYPE) for n in range(11)))
    with pytest.raises(ArchiveTooLargeError):
        list(Unpacker(nothing, most_members=10).feed(archive))
