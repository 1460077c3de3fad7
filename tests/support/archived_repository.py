"""A repository of odd files, and what is read of its archive."""

from collections.abc import Iterable

from benchmark_manager.domain.git.objects import TreeMember
from benchmark_manager.github.protocol.unpacking import ArchiveFile
from benchmark_manager.github.reading.archive import (
    ArchiveDownload,
    proved_trees,
)
from github_test_server import (
    Entry,
    Repository,
)

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
    b"job/large.bin": b"0123456789" * 100_000,
}


def root_of(repository: Repository, commit: str) -> str:
    found = repository.find_tree(commit)
    assert found is not None
    return found


def everything(_path: str, _mode: str, _size: int) -> bool:
    return True


async def files_of(archive: ArchiveDownload) -> list[ArchiveFile]:
    return [file async for batch in archive.files(everything) for file in batch]


async def is_there(archive: ArchiveDownload) -> None:
    """A reader who waits for all of it."""
    await archive.exceeds(MUCH)


def proof(files: Iterable[ArchiveFile], root: str) -> dict[str, str] | None:
    return proved_trees((TreeMember(file.path, file.mode, file.sha) for file in files), root)
