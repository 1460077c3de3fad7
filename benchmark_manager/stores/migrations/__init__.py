"""Changes of stored documents from one schema version to the next, run at the start of the service.

The version stands in the collection `meta`, as `{_id: "schema", version: <int>}`; a database
without it was written by
0.1.0 or is empty. Every step here
- may be repeated, and may be killed at any moment: it finds what is still to be done;
- may run in several replicas at once, and while a replica of the version before serves: it only
  adds fields which that
  version ignores;
- reads collections in pages, and leaves fields alone that it does not know.

A replica of the version before may write documents of its own form until it ends, which is after
the last step ran. So stores read the form of the version before as well, and a later migration
begins by repeating the step which led to the version that it finds.
"""

from collections.abc import Awaitable, Callable, Mapping
from typing import Final

import structlog
from pymongo.errors import DuplicateKeyError

from benchmark_manager.errors import StartError
from benchmark_manager.stores.database.database import FIRST_SCHEMA, SCHEMA, Database
from benchmark_manager.stores.migrations import from_0_1_0

_log = structlog.get_logger(__name__)

#: By the version that each leads to: one for each number from `FIRST_SCHEMA` + 1 to `SCHEMA`.
STEPS: Final[Mapping[int, Callable[[Database], Awaitable[int]]]] = {2: from_0_1_0.migrate}


async def migrate(database: Database) -> None:
    """Bring the documents to the schema version of this code, and record it.

    Raises:
        StartError: a newer version of the service has written to the database meanwhile.
    """
    stored = await database.schema_version()
    if stored == SCHEMA:
        return
    for version in range(max(stored, FIRST_SCHEMA + 1), SCHEMA + 1):
        changed = await STEPS[version](database)
        if changed:
            _log.info("documents migrated", schema=version, documents=changed)
    await record_version(database, SCHEMA)
    await database.refuse_newer()


async def record_version(database: Database, version: int) -> None:
    """Record the version, unless a higher one is there."""
    meta = database.collection("meta")
    for attempt in range(2):
        try:
            await meta.update_one({"_id": "schema"}, {"$max": {"version": version}}, upsert=True)
        except DuplicateKeyError:
            # Another replica was the first to record one.
            if attempt:
                raise StartError("The schema version cannot be recorded; start again.") from None
        else:
            return
