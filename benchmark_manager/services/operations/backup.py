"""Backups: the whole database at one moment as a file, and back into an empty database."""

import asyncio
import hashlib
import secrets
from collections.abc import Callable, Mapping
from contextlib import aclosing
from dataclasses import dataclass
from datetime import datetime
from typing import BinaryIO, Final

from benchmark_manager.domain.git.objects import blob_id
from benchmark_manager.errors import BackupError
from benchmark_manager.services.operations.release_check import ReleaseCheck
from benchmark_manager.stores.contents.blobs import BlobStore
from benchmark_manager.stores.database.database import Database
from benchmark_manager.stores.database.indexes import make_indexes
from benchmark_manager.stores.database.meta import SCHEMA, MetaStore
from benchmark_manager.stores.migrations import migrate
from benchmark_manager.stores.operations.backup import BLOBS, BackupStore, is_restorable
from benchmark_manager.stores.operations.backup_file import (
    BackupReader,
    BackupWriter,
    Header,
    content_of,
)
from benchmark_manager.stores.releases.releases import ReleaseStore
from benchmark_manager.stores.results.chunks import ResultChunkStore
from benchmark_manager.stores.results.results import ResultStore
from benchmark_manager.stores.sync.leases import LeaseStore
from benchmark_manager.version import __version__

#: Called with what is done now, how many documents are done, and of how many (None: unknown).
Report = Callable[[str, int, int | None], None]

_ID_BYTES: Final = 16


@dataclass(frozen=True, slots=True)
class Summary:
    """A backup in short: documents by collection, and their bytes before compression."""

    counts: Mapping[str, int]
    header: Header


class BackupService:
    """Takes and restores backups; nothing of the running service is needed for either."""

    def __init__(self, database: Database, clock: Callable[[], datetime]) -> None:
        self._database = database
        self._meta = MetaStore(database)
        self._store = BackupStore(database)
        self._leases = LeaseStore(database)
        self._releases = ReleaseStore(database)
        self._blobs = BlobStore(database)
        self._results = ResultStore(database)
        self._chunks = ResultChunkStore(database)
        self._clock = clock

    async def take(self, target: BinaryIO, report: Report) -> Summary:
        """Write a backup: everything that was acknowledged before this was called is in it.

        Raises:
            BackupError: `backup_too_slow`.
            OSError: the file cannot be written.
        """
        schema = await self._meta.schema_version()
        header = Header(
            id=secrets.token_hex(_ID_BYTES),
            service=__version__,
            schema=schema,
            database_kind=self._database.kind,
            taken_at=await self._database.now(),
        )
        total = await self._store.count_at_most()
        writer = BackupWriter(target, header)
        done = 0
        async with aclosing(self._store.documents()) as chunks:
            async for name, documents in chunks:
                # Compressing takes longer than reading, and the driver has to answer its server
                # meanwhile.
                await asyncio.to_thread(writer.add, name, documents)
                done += len(documents)
                report("Backing up", done, max(total, done))
        await asyncio.to_thread(writer.finish)
        return Summary(writer.counts, header)

    async def check(self, source: BinaryIO, report: Report) -> Summary:
        """Read a backup to its end without writing anything.

        Raises:
            BackupError: it is not whole, or this version cannot restore it.
        """
        return await self._read(source, "Checking", report, write=False)

    async def restore(self, source: BinaryIO, report: Report) -> Summary:
        """Write a backup into the empty database, then check all contents, releases and results.

        It may be killed, and called again with the same backup. Until it has returned no service
        starts on the database.

        Raises:
            BackupError
            StorageError: `disk_full`.
        """
        summary = await self._read(source, "Restoring", report, write=True)
        await self._verify(summary, report)
        # The processes that ran these syncs when the backup was taken do not run here.
        await self._leases.break_all()
        await self._meta.record_version(summary.header.schema)
        await migrate(self._database)
        await self._meta.end_restore()
        return summary

    async def _read(self, source: BinaryIO, what: str, report: Report, *, write: bool) -> Summary:
        reader = await asyncio.to_thread(BackupReader, source)
        if reader.header.schema > SCHEMA:
            raise BackupError(
                "backup_newer",
                "schema",
                service=reader.header.service,
                schema=reader.header.schema,
                own_version=__version__,
                own_schema=SCHEMA,
            )
        if write:
            await self._begin(reader.header)
        done = 0
        sections = reader.sections()
        while (section := await asyncio.to_thread(next, sections, None)) is not None:
            name, documents = section
            if not is_restorable(name):
                raise BackupError("backup_damaged", "collection", name=name[:50])
            if name == BLOBS:
                await asyncio.to_thread(_check_contents, documents)
            if write:
                await self._store.write(name, documents)
            done += len(documents)
            report(what, done, None)
        return Summary(reader.counts, reader.header)

    async def _begin(self, header: Header) -> None:
        if await self._store.is_served():
            # It would sync and sweep what is not whole yet.
            raise BackupError("database_in_use")
        under_way = await self._meta.restoring()
        if under_way is not None and under_way != header.id:
            raise BackupError("restore_of_another")
        if under_way is None:
            # Nothing is changed before this was seen.
            if filled := await self._store.filled():
                raise BackupError("database_not_empty", names=tuple(sorted(filled)[:3]))
            await self._meta.begin_restore(header.id, self._clock())
        await make_indexes(self._database)

    async def _verify(self, summary: Summary, report: Report) -> None:
        found = await self._store.counts(summary.counts)
        if different := sorted(name for name in found if found[name] != summary.counts[name]):
            name = different[0]
            raise BackupError(
                "backup_damaged",
                "counts",
                name=name,
                found=found[name],
                expected=summary.counts[name],
            )
        done = 0
        async for sha, data in self._blobs.every():
            if blob_id(data) != sha:
                raise BackupError("backup_damaged", "content", sha=sha)
            done += 1
            report("Verifying contents", done, summary.counts.get(BLOBS))
        done = 0
        check = ReleaseCheck(self._releases, self._blobs)
        async for release in self._releases.every():
            await check.check(release)
            done += 1
            report("Verifying releases", done, summary.counts.get("releases"))
        await self._verify_results(summary, report)

    async def _verify_results(self, summary: Summary, report: Report) -> None:
        """Check that each result has its bytes.

        Raises:
            BackupError: `backup_damaged`.
        """
        done = 0
        async for result in self._results.every():
            digest = hashlib.sha256()
            try:
                async for part in self._chunks.read(result.sha256, result.size):
                    await asyncio.to_thread(digest.update, part)
            except KeyError:
                raise BackupError("backup_damaged", "result", id=result.id) from None
            if digest.hexdigest() != result.sha256:
                raise BackupError("backup_damaged", "result", id=result.id)
            done += 1
            report("Verifying results", done, summary.counts.get("results"))


def _check_contents(documents: list[bytes]) -> None:
    for document in documents:
        content = content_of(document)
        if content is None:
            raise BackupError("backup_damaged", "unreadable_content")
        if blob_id(content.data) != content.id or (
            content.sha256 is not None
            and hashlib.sha256(content.data).hexdigest() != content.sha256
        ):
            raise BackupError("backup_damaged", "content", sha=content.id)
