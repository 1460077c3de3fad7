"""Backups that tests take, restore, write and damage."""

import io
from collections import defaultdict
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

import bson
from pymongo import AsyncMongoClient

from benchmark_manager.models.release import CellMaking, ReleaseFile
from benchmark_manager.models.result import StoredResult
from benchmark_manager.services.operations.backup import BackupService, Summary
from benchmark_manager.stores.database.database import Database
from benchmark_manager.stores.database.meta import SCHEMA
from benchmark_manager.stores.database.starting import Purpose
from benchmark_manager.stores.database.starting import start as start_database
from benchmark_manager.stores.operations.backup_file import BackupReader, BackupWriter, Header
from support.service import Json

MOMENT = datetime(2026, 11, 29, tzinfo=UTC)


def no_report(_what: str, _done: int, _total: int | None) -> None:
    pass


def service_of(database: Database) -> BackupService:
    return BackupService(database, lambda: datetime.now(UTC))


@asynccontextmanager
async def opened(url: str, purpose: Purpose) -> AsyncIterator[Database]:
    database = Database(url, "unnamed", "embedded" if "directConnection" in url else "mongodb")
    try:
        await start_database(database, purpose=purpose)
        yield database
    finally:
        await database.close()


async def taken(url: str) -> bytes:
    """A backup of the database, taken past the service that runs on it."""
    target = io.BytesIO()
    async with opened(url, "backup") as database:
        await service_of(database).take(target, no_report)
    return target.getvalue()


async def restored(data: bytes, url: str) -> Summary:
    async with opened(url, "restore") as database:
        return await service_of(database).restore(io.BytesIO(data), no_report)


async def documents(url: str) -> dict[str, list[Json]]:
    """Read all documents, by collection, in one command for all."""
    found: dict[str, list[Json]] = defaultdict(list)
    async with AsyncMongoClient[Json](url, serverMonitoringMode="poll") as client:
        database = client.get_default_database()
        first, *others = await database.list_collection_names()
        united = [{"$unionWith": {"coll": name, "pipeline": _named(name)}} for name in others]
        async for row in await database[first].aggregate([*_named(first), *united]):
            found[row["of"]].append(row["stored"])
    return {name: sorted(rows, key=lambda row: str(row["_id"])) for name, rows in found.items()}


def _named(collection: str) -> list[Json]:
    return [{"$project": {"_id": 0, "of": collection, "stored": "$$ROOT"}}]


def small_backup(*sections: tuple[str, list[bytes]], **changes: Any) -> bytes:
    """A backup of these sections: the name of a collection, and its documents as BSON."""
    target = io.BytesIO()
    values = {
        "id": "b0",
        "service": "9.0",
        "schema": SCHEMA,
        "database_kind": "mongodb",
        "taken_at": MOMENT,
    }
    writer = BackupWriter(target, Header(**{**values, **changes}))
    for name, rows in sections:
        writer.add(name, rows)
    writer.finish()
    return target.getvalue()


@dataclass(frozen=True)
class Backup:
    """A backup of a small database of the mongod, and what it was taken of."""

    data: bytes
    #: All documents, by collection.
    documents: dict[str, list[Json]]
    #: A cell in which one file has the content of another, and its files.
    cell: CellMaking
    cell_files: list[ReleaseFile]
    #: A result of two parts.
    result: StoredResult

    def changed(self, collection: str, change: Callable[[Json], Json | None]) -> bytes:
        """The same backup as if documents had been changed; None: as if there were none."""
        reader = BackupReader(io.BytesIO(self.data))
        sections = []
        for name, rows in reader.sections():
            if name == collection:
                found = [change(bson.decode(row)) for row in rows]
                rows = [bson.encode(row) for row in found if row is not None]  # noqa: PLW2901
            sections.append((name, rows))
        return small_backup(*sections)
