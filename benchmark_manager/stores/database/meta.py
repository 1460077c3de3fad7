"""What a database records about itself: its schema version, and a restore that has not ended."""

from datetime import datetime
from typing import Final

from pymongo.errors import DuplicateKeyError

from benchmark_manager.errors import StartError
from benchmark_manager.stores.database.database import Database
from benchmark_manager.stores.database.store import Store
from benchmark_manager.version import __version__

#: The schema of documents that 0.1.0 wrote; it recorded no version.
FIRST_SCHEMA: Final = 1
#: The schema of documents that this code writes; `stores.migrations` leads to it.
SCHEMA: Final = 2

_SCHEMA_ID: Final = "schema"
_RESTORE_ID: Final = "restore"
#: What is not part of a backup's documents: the header of a backup has the schema version.
META_IDS: Final = (_SCHEMA_ID, _RESTORE_ID)


class MetaStore(Store):
    """The `meta` collection: the documents `schema` and, during a restore, `restore`."""

    def __init__(self, database: Database) -> None:
        super().__init__(database)
        self._meta = database.collection("meta")

    async def schema_version(self) -> int:
        """Return the version of the stored documents; `FIRST_SCHEMA` where none is recorded.

        Raises:
            StartError: a newer version of the service wrote them.
        """
        found = await self._meta.find_one({"_id": _SCHEMA_ID})
        version = FIRST_SCHEMA if found is None else found.get("version")
        if not isinstance(version, int) or not FIRST_SCHEMA <= version <= SCHEMA:
            raise StartError(
                f"A newer Benchmark Manager wrote the database {self._database.name} "
                f"(schema {version}; {__version__} knows schema {SCHEMA}): run that version again, "
                "or name another database in DB_NAME or MONGO_URL and restore a backup into it "
                "that this version took."
            )
        return version

    async def refuse_newer(self) -> None:
        """Check that this code knows the schema of the stored documents.

        Raises:
            StartError: a newer version of the service wrote them.
        """
        await self.schema_version()

    async def record_version(self, version: int) -> None:
        """Record the schema version, unless a higher one is recorded."""
        for attempt in range(2):
            try:
                await self._meta.update_one(
                    {"_id": _SCHEMA_ID}, {"$max": {"version": version}}, upsert=True
                )
            except DuplicateKeyError:
                # Another replica recorded the first one.
                if attempt:
                    raise StartError(
                        "The schema version cannot be recorded; start again."
                    ) from None
            else:
                return

    async def refuse_half_restored(self) -> None:
        """Check that no restore into the database has begun without ending.

        Raises:
            StartError
        """
        if await self._meta.find_one({"_id": _RESTORE_ID}) is not None:
            raise StartError(
                f"The restore of a backup into the database {self._database.name} has not ended: "
                "run benchmark-manager restore FILE again with the same file, then start again."
            )

    async def restoring(self) -> str | None:
        """Return the id of the backup whose restore has begun and not ended."""
        found = await self._meta.find_one({"_id": _RESTORE_ID})
        return None if found is None else str(found["backup_id"])

    async def begin_restore(self, backup_id: str, now: datetime) -> None:
        """Record that the restore of a backup has begun: no service starts until `end_restore`."""
        values = {"backup_id": backup_id, "begun_at": now}
        await self._meta.update_one({"_id": _RESTORE_ID}, {"$set": values}, upsert=True)

    async def end_restore(self) -> None:
        """Record that the restore has ended."""
        await self._meta.delete_one({"_id": _RESTORE_ID})
