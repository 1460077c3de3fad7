"""The file of a backup: gzip over BSON documents, with a checksum at its end.

    header    {format, format_version, id, service, schema, database_kind, taken_at}
    section   {collection, count}, then as many documents as stored; a collection may have several
    sections
    ...
    trailer   {end: true, counts: {COLLECTION: COUNT}, sha256: of all bytes before, unpacked}

`zcat FILE | bsondump` of MongoDB's tools prints it. A file without its trailer is cut, and is
refused.
"""

import gzip
import hashlib
import zlib
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any, BinaryIO, Final

import bson
from bson.codec_options import CodecOptions
from bson.errors import BSONError

from benchmark_manager.errors import BackupError

FORMAT: Final = "benchmark-manager-backup"
FORMAT_VERSION: Final = 1
#: A little faster than the default, and nearly as small.
_LEVEL: Final = 4
_CODEC: Final[CodecOptions[dict[str, Any]]] = CodecOptions(tz_aware=True, tzinfo=UTC)
#: MongoDB takes no document of more than 16 MiB; a few more bytes are its own.
_LARGEST: Final = 16 * 1024 * 1024 + 65_536
_SMALLEST: Final = 5
_LENGTH: Final = 4
#: Documents and bytes of one batch that is read.
_BATCH: Final = 500
_BATCH_BYTES: Final = 4_000_000


_HEADER: Final[Mapping[str, type]] = {
    "id": str,
    "service": str,
    "schema": int,
    "database_kind": str,
    "taken_at": datetime,
}


@dataclass(frozen=True, slots=True)
class Header:
    """What a backup says of itself."""

    id: str
    service: str
    schema: int
    database_kind: str
    taken_at: datetime


class BackupWriter:
    """Writes a backup into an open binary file; memory does not grow with it."""

    def __init__(self, target: BinaryIO, header: Header) -> None:
        self._zipped = gzip.GzipFile(filename="", fileobj=target, mode="wb", compresslevel=_LEVEL)
        self._sum = hashlib.sha256()
        self.counts: dict[str, int] = {}
        self.size = 0
        known = {
            "id": header.id,
            "service": header.service,
            "schema": header.schema,
            "database_kind": header.database_kind,
            "taken_at": header.taken_at,
        }
        self._write(bson.encode({"format": FORMAT, "format_version": FORMAT_VERSION, **known}))

    def add(self, collection: str, documents: Sequence[bytes]) -> None:
        """Add documents of a collection."""
        self._write(bson.encode({"collection": collection, "count": len(documents)}))
        for document in documents:
            self._write(document)
        self.counts[collection] = self.counts.get(collection, 0) + len(documents)

    def finish(self) -> None:
        """Write the trailer; without it the file is no backup."""
        trailer = {"end": True, "counts": self.counts, "sha256": self._sum.hexdigest()}
        self._zipped.write(bson.encode(trailer))
        self._zipped.close()

    def _write(self, data: bytes) -> None:
        self._sum.update(data)
        self.size += len(data)
        self._zipped.write(data)


@dataclass(frozen=True, slots=True)
class BackedUpContent:
    """A content of a backup, as the collection `blobs` stores it."""

    id: str
    data: bytes
    sha256: str | None
    """None where the version that stored the content recorded none."""


def content_of(document: bytes) -> BackedUpContent | None:
    """Return the content of a document; None where it is no content."""
    try:
        row = bson.decode(document)
        return BackedUpContent(row["_id"], bytes(row["data"]), row.get("sha256"))
    except (BSONError, ValueError, KeyError, TypeError):
        return None


class BackupReader:
    """Reads a backup from an open binary file, some documents at a time."""

    def __init__(self, source: BinaryIO) -> None:
        """Read the header.

        Raises:
            BackupError: `backup_damaged`, or `backup_newer`.
        """
        self._zipped = gzip.GzipFile(fileobj=source, mode="rb")
        self._sum = hashlib.sha256()
        self.counts: Mapping[str, int] = {}
        values = self._decode(self._read())
        if values.get("format") != FORMAT:
            raise BackupError("backup_damaged", "beginning")
        if values.get("format_version") != FORMAT_VERSION:
            raise BackupError("backup_newer", "format")
        for name, kind in _HEADER.items():
            if not isinstance(values.get(name), kind):
                raise BackupError("backup_damaged", "header", name=name)
        self.header = Header(*(values[name] for name in _HEADER))

    def sections(self) -> Iterator[tuple[str, list[bytes]]]:
        """Yield documents, some at a time, with their collection; `counts` is set at the end.

        Raises:
            BackupError: `backup_damaged`, at the latest behind the last documents.
        """
        counts: dict[str, int] = {}
        while True:
            before = self._sum.hexdigest()
            section = self._decode(self._read())
            if section.get("end") is True:
                if section.get("sha256") != before or section.get("counts") != counts:
                    raise BackupError("backup_damaged", "checksum")
                self._expect_end()
                self.counts = counts
                return
            name, count = section.get("collection"), section.get("count")
            if not isinstance(name, str) or not isinstance(count, int):
                raise BackupError("backup_damaged", "section")
            for batch in self._batches(count):
                counts[name] = counts.get(name, 0) + len(batch)
                yield name, batch

    def _batches(self, count: int) -> Iterator[list[bytes]]:
        batch: list[bytes] = []
        size = 0
        for _ in range(count):
            batch.append(self._read())
            size += len(batch[-1])
            if len(batch) >= _BATCH or size >= _BATCH_BYTES:
                yield batch
                batch, size = [], 0
        if batch:
            yield batch

    def _read(self) -> bytes:
        """Return the next document, still encoded."""
        length = self._exactly(_LENGTH)
        size = int.from_bytes(length, "little", signed=True)
        if not _SMALLEST <= size <= _LARGEST:
            raise BackupError("backup_damaged", "length")
        data = length + self._exactly(size - _LENGTH)
        self._sum.update(data)
        return data

    def _exactly(self, size: int) -> bytes:
        try:
            data = self._zipped.read(size)
        except (EOFError, gzip.BadGzipFile, zlib.error):
            data = b""
        if len(data) != size:
            raise BackupError("backup_damaged", "cut")
        return data

    def _expect_end(self) -> None:
        try:
            more = self._zipped.read(1)
        except (EOFError, gzip.BadGzipFile, zlib.error):
            more = b"?"
        if more:
            raise BackupError("backup_damaged", "end")

    def _decode(self, data: bytes) -> dict[str, Any]:
        try:
            return bson.decode(data, _CODEC)
        except (BSONError, ValueError):
            raise BackupError("backup_damaged", "unreadable") from None
