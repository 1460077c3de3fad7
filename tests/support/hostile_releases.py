"""Releases of a hostile server: right ones, except for the answers that a test gives."""

import hashlib
import itertools
from collections.abc import Iterable, Iterator
from typing import Final

from benchmark_manager.client.sha256sums import write_sums
from benchmark_manager.domain.releases.tar import TarGz
from support.hostile_server import Answer, head

EMPTY: Final = hashlib.sha256(b"").hexdigest()
FILES: Final = {f"config/{name}.yaml": f"{name}: 1\n".encode() * 100 for name in "abcdef"}


def sums_of(files: dict[str, bytes]) -> bytes:
    return write_sums({path: hashlib.sha256(data).hexdigest() for path, data in files.items()})


def archive_of(files: dict[str, bytes]) -> bytes:
    archive = TarGz()
    return b"".join(
        [*(archive.add(path, data) for path, data in sorted(files.items())), archive.end()]
    )


def whole(body: bytes, status: int = 200, **headers: object) -> list[bytes]:
    return [head(status, Content_Length=len(body), **headers), body]


def endless(piece: bytes) -> Iterator[bytes]:
    return itertools.repeat(piece)


def release_server(
    *,
    sums: Iterable[bytes] | None = None,
    archive: Iterable[bytes] | None = None,
    file: Iterable[bytes] | None = None,
) -> Answer:
    """A service with the release of FILES, except for the given answers."""

    def answer(path: str) -> Iterable[bytes]:
        if path.endswith("/SHA256SUMS"):
            return whole(sums_of(FILES)) if sums is None else sums
        if path.endswith("/archive"):
            return whole(archive_of(FILES)) if archive is None else archive
        return whole(FILES[path.split("/files/", 1)[1]]) if file is None else file

    return answer
