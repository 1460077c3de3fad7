"""Changes of stored documents from one schema version to the next, at the start.

`meta.MetaStore` records the version; a database without one was written by 0.1.0 or is empty. Every
step here

- may be repeated, and may be killed at any moment: it finds what is left to do;
- may run in several replicas at once, and while a replica of the previous version serves: it only
  adds fields that the previous version ignores;
- reads collections in pages, and keeps fields that it does not know.

A replica of the previous version may write documents of its own form until it ends, which is after
the last step ran. So stores read the previous form too, and a later migration first repeats the
step that led to the version that it finds.
"""

from collections.abc import Awaitable, Callable, Mapping
from typing import Final

import structlog

from benchmark_manager.stores.database.database import Database
from benchmark_manager.stores.database.meta import FIRST_SCHEMA, SCHEMA, MetaStore
from benchmark_manager.stores.database.translation import translated
from benchmark_manager.stores.migrations import from_0_1_0

_log = structlog.get_logger(__name__)

#: By the version that each leads to: one for each number from `FIRST_SCHEMA` + 1 to `SCHEMA`.
STEPS: Final[Mapping[int, Callable[[Database], Awaitable[int]]]] = {2: from_0_1_0.migrate}


@translated
async def migrate(database: Database) -> None:
    """Change the documents to the schema version of this code, and record it.

    Raises:
        StartError: a newer version of the service has written to the database meanwhile.
        StorageError
    """
    meta = MetaStore(database)
    stored = await meta.schema_version()
    if stored == SCHEMA:
        return
    for version in range(max(stored, FIRST_SCHEMA + 1), SCHEMA + 1):
        changed = await STEPS[version](database)
        if changed:
            _log.info("documents migrated", schema=version, documents=changed)
    await meta.record_version(SCHEMA)
    await meta.refuse_newer()
