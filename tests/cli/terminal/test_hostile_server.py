"""Pulls from a hostile server: bounded memory, disk and time, one line, nothing left."""

import gzip
import io
import itertools
import json
import os
import tarfile
import threading
import zlib
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path
from typing import Any, Final

import pytest

from benchmark_manager.cli.terminal.failures import CommandError
from benchmark_manager.client.client import Client
from benchmark_manager.client.sha256sums import MAX_FILES, digits_of
from support.forked_commands import ForkedCommands, Ran, bytes_below
from support.hostile_releases import (
    EMPTY,
    FILES,
    archive_of,
    endless,
    release_server,
    sums_of,
    whole,
)
from support.hostile_server import Answer, gzipped_zeros, head, hostile_server

MB: Final = 1_000_000
#: How much more memory a refused command may take than one that has nothing to do.
MOST_MEMORY: Final = 100 * MB
#: A release in a temporary folder: its right files, and one with too many bytes.
MOST_DISK: Final = 17 * MB


def problem(body: bytes, **headers: object) -> list[bytes]:
    return whole(body, 404, Content_Type="application/problem+json", **headers)


def packed_tar(*blocks: Iterable[bytes]) -> Iterator[bytes]:
    packer = zlib.compressobj(1, zlib.DEFLATED, 31)
    for block in itertools.chain(*blocks):
        yield packer.compress(block)
    yield packer.flush()


def member(name: str, kind: bytes, size: int, **values: Any) -> bytes:
    info = tarfile.TarInfo(name)
    info.size, info.type = size, kind
    for key, value in values.items():
        setattr(info, key, value)
    return info.tobuf(tarfile.GNU_FORMAT)


EMPTY_BLOCKS: Final = b"\x1f\x8b\x08\0\0\0\0\0\0\xff" + b"\0\0\0\xff\xff" * 100_000


@dataclass(frozen=True)
class Attack:
    """What the server does, and how the command must end."""

    answer: Callable[[], Answer]
    code: int
    said: str
    digest: Callable[[], str] = lambda: digits_of(sums_of(FILES))
    options: tuple[str, ...] = field(default=())


def bad_sums(make: Callable[[], bytes], code: int, said: str) -> Attack:
    sums = cache(make)
    return Attack(lambda: release_server(sums=whole(sums())), code, said, lambda: digits_of(sums()))


def listed(paths: Iterable[str]) -> bytes:
    return "".join(f"{EMPTY}  {path}\n" for path in paths).encode()


def other_archive(*pieces: Iterable[bytes]) -> Attack:
    """An archive that is not used to the end; the single files are right."""
    return Attack(
        lambda: release_server(archive=itertools.chain([head()], packed_tar(*pieces))),
        0,
        "now: 6 files",
    )


ATTACKS: Final = {
    "endless sums": Attack(
        lambda: release_server(sums=itertools.chain([head()], endless(b"a" * 65_536))),
        1,
        "(release_too_large)",
    ),
    "sums that unpack to 600 MB": Attack(
        lambda: release_server(sums=whole(gzipped_zeros(600), Content_Encoding="gzip")),
        1,
        "(release_too_large)",
    ),
    "sums packed twice": Attack(
        lambda: release_server(
            sums=whole(gzip.compress(gzipped_zeros(600)), Content_Encoding="gzip, gzip")
        ),
        4,
        "content coding that was not requested",
    ),
    "sums in another coding": Attack(
        lambda: release_server(sums=whole(b"x", Content_Encoding="br")), 4, "content coding"
    ),
    "sums shorter than announced": Attack(
        lambda: release_server(sums=[head(Content_Length=1000), b"x"]), 4, "cannot be reached"
    ),
    "too many files": bad_sums(
        lambda: listed(f"{n:06}" for n in range(MAX_FILES + 1)),
        1,
        "over 100000 files, which is more than pull takes. (rel",
    ),
    "too many folders": bad_sums(
        lambda: listed(f"{n:06}/" + "a/" * 90 + "f" for n in range(2000)),
        1,
        "over 100000 folders, or too deep ones",
    ),
    "paths of 32 MB": bad_sums(
        lambda: listed(
            f"{n:04}" + "".join(f"/{'b' * 200}" for _ in range(19)) for n in range(8000)
        ),
        1,
        "(release_too_large)",
    ),
    "a path too long": bad_sums(lambda: listed(["a/" * 2000 + "b"]), 1, "(path_unsafe)"),
    "a path too deep": bad_sums(lambda: listed(["a/" * 100 + "b"]), 1, "(path_unsafe)"),
    "a name too long": bad_sums(lambda: listed(["a" * 256]), 1, "(path_unsafe)"),
    "a path with NUL": bad_sums(lambda: listed(["a\0b"]), 1, "(path_unsafe)"),
    "an absolute path": bad_sums(lambda: listed(["/etc/passwd"]), 1, "(path_unsafe)"),
    "a path which leaves the folder": bad_sums(lambda: listed(["../../x"]), 1, "(path_unsafe)"),
    "a name twice": bad_sums(lambda: listed(["a", "a"]), 1, "(release_unreadable)"),
    "a name out of order": bad_sums(lambda: listed(["b", "a"]), 1, "(release_unreadable)"),
    "a file where a folder has to be": bad_sums(
        lambda: listed(["a", "a!", "a/b"]), 1, "(release_unreadable)"
    ),
    "a name for the terminal": bad_sums(
        lambda: listed(["a\x1b]0;pwned\x07/../b\u202e"]), 1, r"'a\x1b]0;pwned\x07/../b\u202e'"
    ),
    "an endless problem": Attack(
        lambda: release_server(
            sums=itertools.chain(
                [head(404, Content_Type="application/problem+json")], endless(b" " * 65_536)
            )
        ),
        4,
        "more than 1048576 bytes",
    ),
    "a problem that unpacks to 600 MB": Attack(
        lambda: release_server(sums=problem(gzipped_zeros(600), Content_Encoding="gzip")),
        4,
        "more than 1048576 bytes",
    ),
    "a problem nested deeply": Attack(
        lambda: release_server(sums=problem(b'{"code":"a","detail":' + b"[" * 900_000)),
        4,
        "it answers 404",
    ),
    "a problem with 50,000 fields at fault": Attack(
        lambda: release_server(
            sums=problem(
                json.dumps(
                    {"code": "c", "detail": "d" * 9000, "errors": [{"field": "f"}] * 50_000}
                ).encode()
            )
        ),
        1,
        "... and 49980 more",
    ),
    "a problem in a codec which takes quadratic time": Attack(
        lambda: release_server(
            sums=whole(
                json.dumps({"code": "c", "detail": "d" * 500_000}).encode(),
                404,
                Content_Type="application/problem+json; charset=punycode",
            )
        ),
        1,
        "(c)",
    ),
    "a redirect": Attack(
        lambda: release_server(sums=whole(b"", 302, Location="http://169.254.169.254/\x1b[31m")),
        4,
        "redirects to",
    ),
    "a megabyte of headers": Attack(
        lambda: release_server(sums=[b"HTTP/1.1 200 OK\r\n" + b"X: y\r\n" * 200_000 + b"\r\n"]),
        4,
        "cannot be reached",
    ),
    "no HTTP": Attack(lambda: release_server(sums=endless(b"\0" * 65_536)), 4, "cannot be reached"),
    "an endless archive of nothing": Attack(
        lambda: release_server(archive=itertools.chain([head()], endless(EMPTY_BLOCKS[10:]))),
        0,
        "now: 6 files",
    ),
    "an archive of empty blocks": Attack(
        lambda: release_server(
            archive=itertools.chain([head(), EMPTY_BLOCKS], endless(EMPTY_BLOCKS[10:]))
        ),
        0,
        "now: 6 files",
    ),
    "an archive in a content coding": Attack(
        lambda: release_server(archive=whole(gzipped_zeros(600), Content_Encoding="gzip")),
        0,
        "now: 6 files",
    ),
    "an archive with a pax header of 8 GB": other_archive(
        [member("x", b"x", 8_000_000_000)], itertools.repeat(bytes(MB), 200)
    ),
    "an archive with a name of 8 GB": other_archive(
        [member("x", b"L", 8_000_000_000)], itertools.repeat(bytes(MB), 200)
    ),
    "an archive with a sparse file": other_archive(
        [member("config/a.yaml", b"S", 512)], itertools.repeat(bytes(512), 3)
    ),
    "an archive with other files": other_archive(
        [member("x", b"0", 8_000_000_000)], itertools.repeat(bytes(MB), 200)
    ),
    "an archive with a symbolic link": other_archive(
        [member("config/a.yaml", b"2", 0, linkname="/etc/passwd")]
    ),
    "an archive with a hard link": other_archive(
        [member("config/a.yaml", b"1", 0, linkname="/etc/passwd")]
    ),
    "an archive with a device": other_archive([member("config/a.yaml", b"3", 0)]),
    "an archive with a pipe": other_archive([member("config/a.yaml", b"6", 0)]),
    "an archive with a file of 8 GB": Attack(
        lambda: release_server(
            archive=itertools.chain(
                [head()],
                packed_tar(
                    [member("config/a.yaml", b"0", 8_000_000_000)], itertools.repeat(bytes(MB), 200)
                ),
            )
        ),
        1,
        "a file 'config/a.yaml' of over 15728640 bytes",
    ),
    "an endless file": Attack(
        lambda: release_server(
            archive=whole(b""), file=itertools.chain([head()], endless(b"a" * 65_536))
        ),
        1,
        "(release_too_large)",
    ),
    "a file that unpacks to 600 MB": Attack(
        lambda: release_server(
            archive=whole(b""), file=whole(gzipped_zeros(600), Content_Encoding="gzip")
        ),
        1,
        "(release_too_large)",
    ),
    "other bytes": Attack(
        lambda: release_server(archive=whole(b""), file=whole(b"other")), 3, "(digest_mismatch)"
    ),
    "a release of more than --max-size": Attack(
        lambda: release_server(archive=whole(b"")),
        1,
        "over 1000 bytes",
        options=("--max-size", "1000"),
    ),
}


def watched(run: ForkedCommands, folder: Path, *arguments: str) -> tuple[Ran, int]:
    """Run the command, and return with it the most bytes that a folder had meanwhile."""
    most, ended = 0, threading.Event()

    def watch() -> None:
        nonlocal most
        while not ended.wait(0.01):
            most = max(most, bytes_below(folder))

    watching = threading.Thread(target=watch)
    watching.start()
    try:
        return run(*arguments), most
    finally:
        ended.set()
        watching.join()


@pytest.mark.parametrize("name", ATTACKS)
def test_a_pull_from_a_hostile_server_is_bounded_and_leaves_nothing(
    name: str, run: ForkedCommands, idle_memory: int, tmp_path: Path
) -> None:
    attack = ATTACKS[name]
    target = tmp_path / "release"
    with hostile_server(attack.answer()) as server:
        arguments = (
            "pull",
            attack.digest(),
            "--to",
            str(target),
            "--url",
            server.url,
            "--patience",
            "0",
        )
        ran, most_disk = watched(run, tmp_path, *arguments, *attack.options)
    assert ran.code == attack.code, ran.err
    assert attack.said in ran.err
    assert "Traceback" not in ran.err
    assert all(line.isprintable() for line in ran.err.splitlines())
    assert len(ran.err) < 50_000
    assert ran.memory - idle_memory < MOST_MEMORY
    assert most_disk < MOST_DISK
    if attack.code == 0:
        found = {
            str(path.relative_to(target)): path.read_bytes()
            for path in target.rglob("*")
            if path.is_file()
        }
        assert found == FILES
        assert not any(path.is_symlink() for path in target.rglob("*"))
    assert list(tmp_path.iterdir()) == ([target] if attack.code == 0 else [])


def test_names_that_are_the_same_to_the_file_system_are_refused(tmp_path: Path) -> None:
    """A folder that exists already stands for that of a similar name."""
    from benchmark_manager.cli.releases.download import Download
    from benchmark_manager.cli.terminal.retries import RetryBudget
    from benchmark_manager.client.sha256sums import read_sums

    (tmp_path / "config").mkdir()
    with hostile_server(release_server()) as server, Client(server.url) as client:
        download = Download(
            client,
            digits_of(sums_of(FILES)),
            read_sums(sums_of(FILES)),
            tmp_path,
            retries=RetryBudget(0, say=print),
            on_bytes=lambda *_: None,
            max_size=MB,
        )
        with pytest.raises(CommandError) as raised:
            download.run()
    assert raised.value.code == "path_clash"


def test_the_service_s_own_archive_is_read_whole() -> None:
    """Names of all kinds, long ones too, and names that need a pax header."""
    from benchmark_manager.cli.releases.unpacking import members

    files = {
        "a" * 100: b"",
        "b" * 101: b"x",
        "/".join(["größe" * 20] * 18): b"y" * 511,
        "c\nd": b"z" * 512,
        "e": os.urandom(300_000),
    }
    packed = archive_of(files)

    def read(size: int) -> dict[str, bytes]:
        pieces = iter([packed[start : start + size] for start in range(0, len(packed), size)])
        return {each.path.decode(): b"".join(each.pieces) for each in members(pieces)}

    sizes = 1000, 65_536, len(packed)
    assert [size for size in sizes if read(size) != files] == []
    with tarfile.open(fileobj=io.BytesIO(packed)) as archive:
        assert len(archive.getmembers()) == len(files)
